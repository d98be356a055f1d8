"""Reads of rewards and the ledger. Amounts are sums of lines, never stored counters."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, exists, func, select

from nps.contacts.models import Contact
from nps.core import clock, tenancy
from nps.core.db import db
from nps.core.money import Money
from nps.referrals.models import Advocate, Friend, Program, Referral, ReferralVerdict
from nps.referrals.queries import list_verdicts
from nps.referrals.rules.checks import RULES
from nps.rewards.errors import NoSuchReward
from nps.rewards.models import LedgerEntry, LedgerLine, Reward, RewardEvent, RewardGate, StripeConnection
from nps.rewards.rules.ledger import Account
from nps.rewards.rules.machine import DECLINE_REASONS, FINAL, REVIEW_GATES, Gate, RewardState, Tab


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


def balances(reward_id: UUID) -> dict[tuple[Account, str], int]:
    """What stands on each account name for each source fact of a reward, without zeros."""
    rows = db.session.execute(
        select(LedgerLine.name, LedgerLine.source, func.sum(LedgerLine.amount))
        .where(LedgerLine.reward_id == reward_id)
        .group_by(LedgerLine.name, LedgerLine.source)
    )
    return {(Account(name), source): int(total) for name, source, total in rows if total}


def _cost() -> ColumnElement[bool]:
    return LedgerLine.name.in_([Account.COST_ADVOCATE, Account.COST_FRIEND])


def amount(reward_id: UUID) -> int:
    """What a reward comes to now, in minor units."""
    return int(
        db.session.scalar(select(func.coalesce(func.sum(LedgerLine.amount), 0)).where(LedgerLine.reward_id == reward_id, _cost())) or 0
    )


def amounts(reward_ids: Iterable[UUID]) -> dict[UUID, int]:
    """What each reward comes to now."""
    wanted = list(reward_ids)
    rows = db.session.execute(
        select(LedgerLine.reward_id, func.sum(LedgerLine.amount))
        .where(LedgerLine.reward_id.in_(wanted), _cost())
        .group_by(LedgerLine.reward_id)
    )
    found = dict.fromkeys(wanted, 0)
    found.update({reward_id: int(total) for reward_id, total in rows})
    return found


def debt(advocate_id: UUID, currency: str) -> int:
    """What the advocate got and is not due any more, over all rewards. Never below 0."""
    total = db.session.scalar(
        select(func.coalesce(func.sum(LedgerLine.amount), 0)).where(
            LedgerLine.advocate_id == advocate_id, LedgerLine.currency == currency, LedgerLine.name == Account.DEBT_ADVOCATE
        )
    )
    return max(0, int(total or 0))


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
    label: str
    amount: Money
    flags: tuple[Flag, ...]
    clean: bool
    hold_until: datetime | None
    gates: tuple[Gate, ...]
    undo: bool


def list_rows(tab: Tab, now: datetime, limit: int = 200, offset: int = 0) -> list[Row]:
    """Rewards of a tab, oldest first (handed over and declined ones: newest first)."""
    order = Reward.occurred_at if tab in (Tab.WAIT, Tab.NEXT) else Reward.updated_at.desc()
    rows = db.session.execute(
        select(Reward, Referral, Contact, Friend)
        .join(Referral, and_(Referral.account_id == Reward.account_id, Referral.id == Reward.referral_id))
        .join(Advocate, and_(Advocate.account_id == Reward.account_id, Advocate.id == Reward.advocate_id))
        .join(Contact, and_(Contact.account_id == Advocate.account_id, Contact.id == Advocate.contact_id))
        .join(Friend, and_(Friend.account_id == Referral.account_id, Friend.id == Referral.friend_id))
        .where(_in_tab(tab))
        .order_by(order, Reward.id)
        .offset(offset)
        .limit(limit)
    ).all()
    sums = amounts([r.id for r, *_ in rows])
    promised = _promised([r.id for r, *_ in rows]) if tab is Tab.NO else sums
    verdicts = list_verdicts([referral.id for _, referral, _, _ in rows])
    gates = open_gates([r.id for r, *_ in rows])
    found = []
    for reward, referral, contact, friend in rows:
        flags = tuple(Flag(*_words(v)) for v in verdicts[referral.id] if v.points)
        held = gates[reward.id]
        found.append(
            Row(
                reward,
                referral,
                contact,
                friend,
                "",
                Money(sums[reward.id] or promised[reward.id], reward.currency),
                flags,
                Gate.FRAUD not in {Gate(g.gate) for g in held},
                next((g.until for g in held if g.gate == Gate.HOLD), None),
                tuple(sorted(Gate(g.gate) for g in held)),
                reward.state == RewardState.CANCELLED
                and reward.because in ("declined", "lapsed")
                and now - reward.updated_at < timedelta(hours=1),
            )
        )
    return found


def _promised(reward_ids: Sequence[UUID]) -> dict[UUID, int]:
    """What each reward was once: the first accrual of its own sale."""
    rows = db.session.execute(
        select(LedgerLine.reward_id, func.max(LedgerLine.amount))
        .join(LedgerEntry, and_(LedgerEntry.account_id == LedgerLine.account_id, LedgerEntry.id == LedgerLine.entry_id))
        .where(LedgerLine.reward_id.in_(list(reward_ids)), _cost())
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
        .where(waiting, _cost())
        .group_by(LedgerLine.currency)
        .order_by(LedgerLine.currency)
    )
    return NeedsYou(count, tuple(Money(int(total), currency) for currency, total in sums), oldest)


@dataclass(frozen=True)
class Totals:
    """Rewards of a program in one currency: handed over (after what was taken back), to come, waiting for a person."""

    paid: int
    to_come: int
    currency: str


def totals(program_id: UUID, currency: str) -> Totals:
    rows = dict(
        db.session.execute(
            select(LedgerLine.name, func.sum(LedgerLine.amount))
            .join(Advocate, and_(Advocate.account_id == LedgerLine.account_id, Advocate.id == LedgerLine.advocate_id))
            .where(Advocate.program_id == program_id, LedgerLine.currency == currency)
            .group_by(LedgerLine.name)
        ).all()
    )
    paid = -sum(int(total) for name, total in rows.items() if name.startswith(("paid.", "debt.")))
    owed = -sum(int(total) for name, total in rows.items() if name.startswith("owed."))
    return Totals(paid, owed, currency)


@dataclass(frozen=True)
class Standing:
    """An advocate's sums in one currency."""

    credited: Money
    on_its_way: Money


def standing(advocate_id: UUID) -> list[Standing]:
    """Credited and on its way, per currency."""
    rows = db.session.execute(
        select(LedgerLine.currency, LedgerLine.name, func.sum(LedgerLine.amount))
        .where(LedgerLine.advocate_id == advocate_id)
        .group_by(LedgerLine.currency, LedgerLine.name)
    )
    sums: dict[str, list[int]] = {}
    for currency, name, total in rows:
        pair = sums.setdefault(currency, [0, 0])
        if name.startswith(("paid.", "debt.")):
            pair[0] -= int(total)
        elif name.startswith("owed."):
            pair[1] -= int(total)
    return [Standing(Money(paid, currency), Money(owed, currency)) for currency, (paid, owed) in sorted(sums.items())]


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


# --- what must always hold ---------------------------------------------------------------------------------------------


def violations() -> list[str]:
    """The ledger's invariants that do not hold in the account in scope, in words. Empty = all is well."""
    found = []
    lopsided = db.session.execute(
        select(LedgerLine.entry_id, LedgerLine.currency)
        .group_by(LedgerLine.entry_id, LedgerLine.currency)
        .having(func.sum(LedgerLine.amount) != 0)
    ).all()
    found += [f"entry {entry} does not sum to 0 in {currency}" for entry, currency in lopsided]
    wrong_side = db.session.execute(
        select(LedgerLine.reward_id, LedgerLine.name)
        .where(LedgerLine.name.like("owed.%"))
        .group_by(LedgerLine.reward_id, LedgerLine.name)
        .having(func.sum(LedgerLine.amount) > 0)
    ).all()
    found += [f"reward {reward}: {name} is on the wrong side" for reward, name in wrong_side]
    holders = {RewardState.PENDING: "owed.pending", RewardState.APPROVED: "owed.approved", RewardState.ISSUING: "owed.in_flight"}
    rows = db.session.execute(
        select(Reward.id, Reward.state, LedgerLine.name)
        .join(Reward, and_(Reward.account_id == LedgerLine.account_id, Reward.id == LedgerLine.reward_id))
        .where(LedgerLine.name.like("owed.%"))
        .group_by(Reward.account_id, Reward.id, Reward.state, LedgerLine.name)
        .having(func.sum(LedgerLine.amount) != 0)
    ).all()
    found += [
        f"reward {reward} is {state} but {name} holds an amount" for reward, state, name in rows if holders.get(RewardState(state)) != name
    ]
    early = db.session.execute(
        select(Reward.id)
        .join(RewardGate, and_(RewardGate.account_id == Reward.account_id, RewardGate.reward_id == Reward.id))
        .where(RewardGate.gate == Gate.HOLD, Reward.issued_at < RewardGate.until)
    ).all()
    found += [f"reward {reward} was handed over before its hold ended" for (reward,) in early]
    return found


# --- the Stripe connection ---------------------------------------------------------------------------------------------


def find_connection() -> StripeConnection | None:
    """The account's Stripe connection that is on."""
    return db.session.scalar(
        select(StripeConnection).where(StripeConnection.off_at.is_(None)).order_by(StripeConnection.created_at.desc()).limit(1)
    )


def get_connection(connection_id: UUID) -> StripeConnection | None:
    return db.session.get(StripeConnection, (tenancy.current(), connection_id))


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


def waiting_days(row: Row) -> int:
    """Whole days since the event."""
    return max(0, (clock.now() - row.reward.occurred_at).days)
