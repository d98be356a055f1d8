"""Rewards, their tabs, rows and gates."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, select

from nps.contacts.models import Contact
from nps.core import tenancy
from nps.core.db import db
from nps.core.money import Money
from nps.referrals.models import Advocate, Friend, Program, ProgramVersion, Referral, ReferralVerdict
from nps.referrals.queries import list_verdicts
from nps.referrals.rules.checks import RULES
from nps.rewards.errors import NoSuchReward
from nps.rewards.models import LedgerEntry, LedgerLine, Reward, RewardEvent, RewardGate
from nps.rewards.queries.ledger import amounts, is_cost
from nps.rewards.rules.machine import DECLINE_REASONS, FINAL, REVIEW_GATES, Gate, RewardState, Tab

UNDO = timedelta(hours=1)


def find_reward(reward_id: UUID) -> Reward | None:
    return db.session.get(Reward, (tenancy.current(), reward_id))


def get_reward(reward_id: UUID) -> Reward:
    found = find_reward(reward_id)
    if found is None:
        raise NoSuchReward("There is no such reward here.")
    return found


def lock_reward(reward_id: UUID) -> Reward:
    """The reward as it stands now, for this unit alone: whoever comes second sees what the first one did."""
    found = db.session.scalar(select(Reward).where(Reward.id == reward_id).with_for_update().execution_options(populate_existing=True))
    if found is None:
        raise NoSuchReward("There is no such reward here.")
    return found


def rewards_of_referrals(referral_ids: Iterable[UUID]) -> Sequence[Reward]:
    return db.session.scalars(
        select(Reward).where(Reward.referral_id.in_(list(referral_ids))).order_by(Reward.occurred_at, Reward.id)
    ).all()


def rewards_of_advocate(advocate_id: UUID) -> Sequence[Reward]:
    return db.session.scalars(select(Reward).where(Reward.advocate_id == advocate_id).order_by(Reward.occurred_at, Reward.id)).all()


def _open_gate(*gates: Gate) -> ColumnElement[bool]:
    return exists().where(
        RewardGate.account_id == Reward.account_id,
        RewardGate.reward_id == Reward.id,
        RewardGate.gate.in_(list(gates)),
        RewardGate.closed_at.is_(None),
    )


def _in_tab(tab: Tab) -> ColumnElement[bool]:
    """To approve: a person must decide. Next: decided or not theirs to decide, not yet handed over. Paid. Declined: nothing is paid."""
    waits = and_(Reward.state == RewardState.PENDING, _open_gate(*REVIEW_GATES))
    return {
        Tab.WAIT: waits,
        Tab.NEXT: and_(Reward.state.in_([RewardState.PENDING, RewardState.APPROVED, RewardState.ISSUING]), ~waits),
        Tab.PAID: Reward.state.in_([RewardState.ISSUED, RewardState.REDEEMED]),
        Tab.NO: Reward.state.in_([RewardState.CANCELLED, RewardState.CLAWED_BACK, RewardState.EXPIRED]),
    }[tab]


def count_tabs() -> dict[Tab, int]:
    """How many rewards stand in each tab."""
    row = db.session.execute(
        select(*(func.count(case((_in_tab(tab), 1))) for tab in Tab)).select_from(Reward).where(Reward.account_id == tenancy.current())
    ).one()
    return dict(zip(Tab, row, strict=True))


@dataclass(frozen=True)
class Flag:
    """A check that was met, in the team's words."""

    tag: str
    detail: str


@dataclass(frozen=True)
class Row:
    """One line of the rewards page."""

    reward: Reward
    referral: Referral
    advocate: Contact
    friend: Friend
    noun: str
    label: str
    amount: Money
    flags: tuple[Flag, ...]
    clean: bool
    hold_until: datetime | None
    gates: tuple[Gate, ...]
    undo: bool
    days: int

    @property
    def worth(self) -> str:
        """What the advocate gets: money, or the words of a milestone."""
        return self.label or str(self.amount)

    @property
    def friend_name(self) -> str:
        """The new customer as far as we know: name, company domain, else address."""
        return self.friend.name or self.friend.email or "A new customer"

    @property
    def ready(self) -> bool:
        """Nothing but the handing over is left."""
        return self.reward.state == RewardState.APPROVED


def list_rows(tab: Tab, now: datetime, limit: int = 200, offset: int = 0) -> list[Row]:
    """Rewards of a tab, oldest first (handed over and declined ones: newest first)."""
    order = Reward.occurred_at if tab in (Tab.WAIT, Tab.NEXT) else Reward.updated_at.desc()
    return _rows(_joined().where(_in_tab(tab)).order_by(order, Reward.id).offset(offset).limit(limit), now)


def get_row(reward_id: UUID, now: datetime) -> Row:
    """One reward as the page shows it. Raises NoSuchReward."""
    found = _rows(_joined().where(Reward.id == reward_id), now)
    if not found:
        raise NoSuchReward("There is no such reward here.")
    return found[0]


def _joined() -> Select[Reward, Referral, Contact, Friend, ProgramVersion]:
    return (
        select(Reward, Referral, Contact, Friend, ProgramVersion)
        .join(Referral, and_(Referral.account_id == Reward.account_id, Referral.id == Reward.referral_id))
        .join(Advocate, and_(Advocate.account_id == Reward.account_id, Advocate.id == Reward.advocate_id))
        .join(Contact, and_(Contact.account_id == Advocate.account_id, Contact.id == Advocate.contact_id))
        .join(Friend, and_(Friend.account_id == Referral.account_id, Friend.id == Referral.friend_id))
        .join(ProgramVersion, and_(ProgramVersion.account_id == Reward.account_id, ProgramVersion.id == Reward.program_version_id))
    )


def _rows(query: Select[Reward, Referral, Contact, Friend, ProgramVersion], now: datetime) -> list[Row]:
    rows = db.session.execute(query).all()
    ids = [row[0].id for row in rows]
    sums, promised = amounts(ids), _promised(ids)
    verdicts = list_verdicts([row[1].id for row in rows])
    gates = open_gates(ids)
    found = []
    for reward, referral, contact, friend, version in rows:
        held = gates[reward.id]
        waits = {Gate(g.gate) for g in held}
        found.append(
            Row(
                reward=reward,
                referral=referral,
                advocate=contact,
                friend=friend,
                noun=version.qualify_noun,
                label=reward.label,
                amount=Money(sums[reward.id] or promised[reward.id], reward.currency),
                flags=tuple(Flag(*_words(v)) for v in verdicts[referral.id] if v.points),
                clean=Gate.FRAUD not in waits,
                hold_until=next((g.until for g in held if g.gate == Gate.HOLD), None),
                gates=tuple(sorted(waits)),
                undo=reward.state == RewardState.CANCELLED and reward.because in ("declined", "lapsed") and now - reward.updated_at < UNDO,
                days=max(0, (now - reward.occurred_at).days),
            )
        )
    return found


def _promised(reward_ids: Sequence[UUID]) -> dict[UUID, int]:
    """What each reward was once: the first accrual of its own sale."""
    rows = db.session.execute(
        select(LedgerLine.reward_id, func.max(LedgerLine.amount))
        .join(LedgerEntry, and_(LedgerEntry.account_id == LedgerLine.account_id, LedgerEntry.id == LedgerLine.entry_id))
        .where(LedgerLine.reward_id.in_(list(reward_ids)), is_cost())
        .group_by(LedgerLine.reward_id)
    )
    found = dict.fromkeys(reward_ids, 0)
    found.update({reward_id: int(most) for reward_id, most in rows})
    return found


def open_gates(reward_ids: Iterable[UUID]) -> dict[UUID, list[RewardGate]]:
    wanted = list(reward_ids)
    found: dict[UUID, list[RewardGate]] = {i: [] for i in wanted}
    for gate in db.session.scalars(select(RewardGate).where(RewardGate.reward_id.in_(wanted), RewardGate.closed_at.is_(None))):
        found[gate.reward_id].append(gate)
    return found


_DETAILS = {
    "similar_email": "The two addresses differ by {distance} or less",
    "same_company": "Both have an address at {domain}",
    "repeat_company": "Another friend came from {domain} before",
    "disposable": "A throw-away address at {domain}",
    "relay": "A masked address",
    "same_ip_device": "Opened from the connection and device of the person who shared",
    "same_ip": "Opened from the connection of the person who shared",
    "ip_burst": "{in_one_hour} sign-ups from one connection within an hour",
    "velocity": "{day} sign-ups in a day, {month} in 30 days",
    "too_fast": "Less than 20 seconds from the click to the payment",
    "odd_value": "The amount is far from what customers usually pay",
    "paid_ads": "The visit carried a paid-ad mark",
    "refund_rate": "{refunded} of {of} friends asked for their money back",
    "risky_payment": "Stripe warned of fraud on this payment",
    "doubtful_click": "The browser of the visit was not one we know",
}


def _words(verdict: ReferralVerdict) -> tuple[str, str]:
    from_rule = _DETAILS.get(verdict.rule, "")
    try:
        return _tag(verdict.rule), from_rule.format(**verdict.evidence)
    except KeyError:
        return _tag(verdict.rule), ""


def _tag(rule: str) -> str:
    known = RULES.get(rule)
    return known.tag if known else rule.replace("_", " ").capitalize()


@dataclass(frozen=True)
class NeedsYou:
    """What waits for a person: how many, how much per currency, since when."""

    count: int
    sums: tuple[Money, ...]
    oldest: datetime | None


def needs_you() -> NeedsYou:
    """Rewards to approve in the account in scope."""
    waiting = _in_tab(Tab.WAIT)
    count, oldest = db.session.execute(
        select(func.count(), func.min(Reward.occurred_at)).select_from(Reward).where(waiting, Reward.account_id == tenancy.current())
    ).one()
    sums = db.session.execute(
        select(LedgerLine.currency, func.sum(LedgerLine.amount))
        .join(Reward, and_(Reward.account_id == LedgerLine.account_id, Reward.id == LedgerLine.reward_id))
        .where(waiting, is_cost())
        .group_by(LedgerLine.currency)
        .order_by(LedgerLine.currency)
    )
    return NeedsYou(count, tuple(Money(int(total), currency) for currency, total in sums), oldest)


def history(reward_id: UUID) -> Sequence[RewardEvent]:
    return db.session.scalars(
        select(RewardEvent).where(RewardEvent.reward_id == reward_id).order_by(RewardEvent.occurred_at, RewardEvent.id)
    ).all()


def is_final(reward: Reward) -> bool:
    return reward.state in FINAL


def declined_words(reward: Reward) -> str:
    """The reason the advocate reads."""
    return reward.words or {"refund": "Your friend got the money back", "cap": "This is over the limit of the program"}.get(
        reward.because, DECLINE_REASONS["other"]
    )


def program_of(reward: Reward) -> Program:
    referral = db.session.get(Referral, (tenancy.current(), reward.referral_id))
    found = db.session.get(Program, (tenancy.current(), referral.program_id)) if referral else None
    if found is None:
        raise NoSuchReward("There is no such reward here.")
    return found


def accounts_with_due_rewards(now: datetime) -> list[UUID]:
    """Accounts in which a hold or an answer-by date has passed."""
    with tenancy.unscoped("the clock looks for what is due in every account"):
        holds = select(RewardGate.account_id).where(RewardGate.gate == Gate.HOLD, RewardGate.closed_at.is_(None), RewardGate.until <= now)
        late = select(Reward.account_id).where(Reward.state == RewardState.PENDING, Reward.answer_by <= now)
        return sorted({*db.session.scalars(holds.distinct()), *db.session.scalars(late.distinct())})
