"""From facts to money: all rewards of an advocate brought to the target of the facts, again and again."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from nps.accounts import queries as accounts
from nps.core import clock, tenancy
from nps.core.db import db, serialise
from nps.referrals import queries as referral_queries
from nps.referrals import service as referrals
from nps.referrals.events import AdvocateLeft, ReferralSettled
from nps.referrals.models import Conversion, ProgramVersion, Referral
from nps.referrals.rules.advocates import AdvocateState
from nps.referrals.rules.journeys import ReferralState, Review
from nps.rewards import queries
from nps.rewards.models import Reward, RewardGate
from nps.rewards.rules import amounts, ledger, machine
from nps.rewards.rules.amounts import Adjustment, Cap, Due, Earned, Key, Kind, On, Period, Rule, Sale
from nps.rewards.rules.ledger import Account, EntryKind
from nps.rewards.rules.machine import Approval, Gate, Method, RewardState, Verb
from nps.rewards.service.steps import FACTS, close, gates, hand_over, note, open_if_ready, post, step

ADVOCATE = "advocate"
# Reasons of cancelling that are somebody's decision: the facts alone do not bring such a reward back.
DECIDED = frozenset({"declined", "removed", "lapsed"})
EARNING = frozenset({ReferralState.QUALIFIED, ReferralState.REWARDED, ReferralState.CLOSED, ReferralState.REVERSED, ReferralState.VOIDED})
COUNTED = frozenset({ReferralState.QUALIFIED, ReferralState.REWARDED, ReferralState.CLOSED})


def weigh(event: ReferralSettled) -> None:
    """The facts of a referral were weighed again: so are the rewards of everybody concerned."""
    for advocate_id in event.advocate_ids:
        settle(advocate_id)


def settle(advocate_id: UUID) -> None:
    """Bring all rewards of one advocate to the target of the facts. Running it again changes nothing.

    All of them at once, because caps count over all: a refund of one leaves room for the next.
    """
    now = clock.now()
    serialise(f"rewards:{tenancy.current()}:{advocate_id}")
    found = referral_queries.referrals_of_advocate(advocate_id)
    versions = {r.program_version_id: referral_queries.get_version(r.program_version_id) for r in found}
    known = {key_of(r): r for r in queries.rewards_of_referrals([r.id for r in found])}
    by_key = {e.key: e for e in _earned(found, versions, known)}
    caps = list(dict.fromkeys(cap for version in versions.values() for cap in _caps(version)))
    due = amounts.target(by_key.values(), caps)
    referral_of = {str(r.id): r for r in found}
    for key in sorted(due, key=lambda k: (by_key[k].occurred_at, k)):
        referral = referral_of[key[0]]
        reward = known.get(key)
        if reward is None:
            reward = _make(by_key[key], due[key], referral, versions[referral.program_version_id], now)
        elif reward.advocate_id != advocate_id and reward.state not in machine.FINAL:
            # The credit went to somebody else before anything was handed over: the promise goes with it.
            note(reward, "credit", reward.state, FACTS, f"credit came from {reward.advocate_id}", now)
            reward.advocate_id = advocate_id
        _apply(reward, due[key], referral, _why(referral, due[key]), now)
    for key, reward in known.items():
        if key not in due:
            _apply(reward, Due(0, {}), referral_of[key[0]], "no longer earned", now)
    for referral in found:
        _tell(referral, now)


def key_of(reward: Reward) -> Key:
    return (str(reward.referral_id), reward.rule, reward.side, reward.source)


def _earned(found: Iterable[Referral], versions: Mapping[UUID, ProgramVersion], known: Mapping[Key, Reward]) -> Iterable[Earned]:
    """The rewards that the facts call for."""
    found = [r for r in found if r.state in EARNING and r.qualified_at is not None]
    yield from _milestones(found, versions)
    conversions = referral_queries.conversions_of([r.id for r in found])
    taken = referral_queries.adjustments_of(conversions)
    for referral in found:
        sales = [_sale(c, taken[c.id]) for c in conversions if c.referral_id == referral.id]
        for rule in rules_of(versions[referral.program_version_id]):
            for sale in _paying(rule, referral, sales):
                source = sale.id if sale is not None else str(referral.id)
                key = (str(referral.id), rule.id, rule.side, source)
                reward = known.get(key)
                at = sale.occurred_at if sale is not None else referral.qualified_at
                if at is None:
                    continue
                yield Earned(
                    key=key,
                    rule=rule,
                    advocate=str(referral.advocate_id),
                    sale=sale,
                    occurred_at=at,
                    day=sale.day if sale is not None else at.date(),
                    currency=sale.currency if sale is not None else accounts.get_account(tenancy.current()).currency,
                    barred=referral.state == ReferralState.VOIDED or (reward is not None and reward.because in DECIDED),
                )


def _milestones(found: Sequence[Referral], versions: Mapping[UUID, ProgramVersion]) -> Iterable[Earned]:
    """What comes on top of the n-th friend, by the time they qualified. A reversal moves the count; what was handed over stays."""
    counted = sorted((r for r in found if r.state in COUNTED), key=lambda r: (r.qualified_at or r.created_at, r.id))
    for position, referral in enumerate(counted, 1):
        for rule in rules_of(versions[referral.program_version_id], milestones=True):
            if rule.count == position and referral.qualified_at is not None:
                yield Earned(
                    key=(str(referral.id), rule.id, ADVOCATE, str(referral.id)),
                    rule=rule,
                    advocate=str(referral.advocate_id),
                    sale=None,
                    occurred_at=referral.qualified_at,
                    day=referral.qualified_at.date(),
                    currency=accounts.get_account(tenancy.current()).currency,
                )


def _paying(rule: Rule, referral: Referral, sales: Sequence[Sale]) -> Sequence[Sale | None]:
    """The sales a rule pays for; [None] for a referral that qualified without a sale."""
    if rule.side != ADVOCATE:
        return ()
    if referral.qualifying_id is None:
        if rule.on is On.CONVERSION:
            return amounts.paying(rule, sales[0] if sales else None, sales)
        return (None,)
    return amounts.paying(rule, next((s for s in sales if s.id == str(referral.qualifying_id)), None), sales)


def rules_of(version: ProgramVersion, *, milestones: bool = False) -> list[Rule]:
    """The reward rules of a version as the amounts understand them. Plain thanks for a friend make no reward."""
    if milestones:
        return [
            Rule(id=f"milestone-{count}", side=ADVOCATE, on=On.MILESTONE, kind=Kind.THANKS, count=int(count), label=str(words)[:120])
            for count, words in version.milestones
        ]
    return [
        Rule(
            id=str(rule["id"]),
            side=str(rule.get("side", ADVOCATE)),
            on=On(rule.get("on", "qualified")),
            kind=Kind(rule.get("kind", "flat")),
            amounts=dict(rule.get("amounts", {})),
            basis_points=int(rule.get("basis_points", 0)),
            max_months=rule.get("max_months", 1),
            full_while=rule.get("full_while"),
        )
        for rule in version.rules
        if rule.get("kind") != Kind.THANKS
    ]


def _caps(version: ProgramVersion) -> list[Cap]:
    return [Cap(Period(c["period"]), c["currency"], c.get("amount"), c.get("count")) for c in version.caps]


def _sale(conversion: Conversion, taken: Sequence[Any]) -> Sale:
    return Sale(
        str(conversion.id),
        conversion.occurred_at,
        conversion.gross,
        conversion.net,
        conversion.currency,
        conversion.day,
        tuple(Adjustment(str(a.id), a.occurred_at, a.amount) for a in taken),
    )


def _why(referral: Referral, due: Due) -> str:
    """The word for a due of nothing."""
    if referral.state == ReferralState.VOIDED:
        return referral.void_reason or "void"
    return "cap" if due.over_cap and not due.amount else "refund"


def _make(earned: Earned, due: Due, referral: Referral, version: ProgramVersion, now: datetime) -> Reward:
    """A new reward, pending behind its gates. Its lines are posted by `_apply`."""
    hold = timedelta(days=version.hold_days)
    reward = Reward(
        referral_id=referral.id,
        advocate_id=referral.advocate_id,
        program_version_id=version.id,
        rule=earned.rule.id,
        side=earned.rule.side,
        source=earned.key[3],
        kind=earned.rule.kind,
        label=earned.rule.label,
        method=Method.THANKS if earned.rule.kind is Kind.THANKS else version.method,
        currency=earned.currency,
        state=RewardState.PENDING,
        occurred_at=earned.occurred_at,
        answer_by=machine.answer_by(earned.occurred_at, hold),
        created_at=now,
        updated_at=now,
    )
    db.session.add(reward)
    db.session.flush()
    approval = Approval(version.review_all, version.automatic_minor, hold)
    promised = due.lines.get(earned.key[3], 0)
    for gate in machine.first_gates(approval, promised, referral.review == Review.OPEN, due.no_currency, earned.occurred_at, now):
        _open_gate(reward, gate, earned.occurred_at + hold if gate is Gate.HOLD else None, now)
    note(reward, Verb.ACCRUE, "", FACTS, "", now)
    return reward


def _open_gate(reward: Reward, gate: Gate, until: datetime | None, now: datetime) -> None:
    db.session.add(RewardGate(reward_id=reward.id, gate=gate, opened_at=now, until=until))
    db.session.flush()


def _apply(reward: Reward, due: Due, referral: Referral, why: str, now: datetime) -> None:
    """Post target - posted and take the step that follows."""
    state = RewardState(reward.state)
    if state is RewardState.ISSUING:
        # The provider has not answered yet; its answer settles again.
        return
    balances = queries.balances(reward.id)
    differences = ledger.difference(due.lines, balances, reward.side)
    lines = ledger.settle(reward.side, differences, balances, ledger.holder(state) or Account.OWED_PENDING)
    post(reward, _entry_kind(balances, differences, due), lines, FACTS, now)
    reward.over_cap = due.over_cap
    after = queries.balances(reward.id)
    handed = reward.issued_at is not None
    if -ledger.total(after, ledger.OWED) > 0 or (due.in_words and not handed):
        _still_owed(reward, due, referral, now)
    elif handed:
        _nothing_owed(reward, due, why, now)
    elif state in (RewardState.PENDING, RewardState.APPROVED) and not due.no_currency:
        if state is RewardState.APPROVED:
            post(reward, EntryKind.RETURN, ledger.shift(after, Account.OWED_APPROVED, Account.OWED_PENDING), FACTS, now)
        step(reward, Verb.CANCEL, FACTS, why, now)
        reward.because = why[:40]


def _entry_kind(balances: ledger.Balances, differences: Mapping[str, int], due: Due) -> EntryKind:
    if not balances:
        return EntryKind.ACCRUE
    if ledger.total(balances, ledger.PAID):
        return EntryKind.CLAW_BACK if sum(differences.values()) < 0 else EntryKind.ACCRUE
    return EntryKind.ADJUST if due.amount else EntryKind.CANCEL


def _still_owed(reward: Reward, due: Due, referral: Referral, now: datetime) -> None:
    """Something is to be handed over: final states open again, pending ones go on when nothing holds them."""
    if reward.state in machine.FINAL:
        if reward.because in DECIDED:
            return
        step(reward, Verb.RAISE, FACTS, "due again", now)
        reward.because = ""
    if reward.state == RewardState.PENDING:
        _guard(reward, due, referral, now)
        open_if_ready(reward, FACTS, now)


def _guard(reward: Reward, due: Due, referral: Referral, now: datetime) -> None:
    """Open the gates that new findings call for, close the one for a missing currency."""
    known = {g.gate: g for g in gates(reward)}
    if referral.review == Review.OPEN and Gate.FRAUD not in known:
        _open_gate(reward, Gate.FRAUD, None, now)
        if Gate.APPROVAL not in known:
            _open_gate(reward, Gate.APPROVAL, None, now)
    currency = known.get(Gate.CURRENCY)
    if currency is not None and currency.closed_at is None and not due.no_currency:
        close(currency, FACTS, "the program has an amount in this currency now", now)


def _nothing_owed(reward: Reward, due: Due, why: str, now: datetime) -> None:
    """What was handed over covers what is due, or more than covers it."""
    if reward.state == RewardState.CLAWED_BACK and due.amount:
        step(reward, Verb.RAISE, FACTS, "due again", now)
    if reward.state == RewardState.PENDING:
        open_if_ready(reward, FACTS, now)
    if reward.state == RewardState.APPROVED:
        hand_over(reward, FACTS, "", now)
    if not due.amount and reward.kind != Kind.THANKS and reward.state in (RewardState.ISSUED, RewardState.REDEEMED):
        step(reward, Verb.CLAW_BACK, FACTS, why, now)
        reward.because = why[:40]


def _tell(referral: Referral, now: datetime) -> None:
    """Write down at the referral whether its rewards are final and whether anything was handed over."""
    rewards = [r for r in queries.rewards_of_referrals([referral.id]) if r.source in (str(referral.qualifying_id), str(referral.id))]
    final = bool(rewards) and all(r.state in machine.FINAL for r in rewards)
    rewarded = any(r.state in (RewardState.ISSUED, RewardState.REDEEMED) for r in rewards)
    referrals.note_rewards(referral, final=final, rewarded=rewarded, now=now)


def cancel_for_removed(event: AdvocateLeft) -> None:
    """The company removed an advocate: what is not handed over is cancelled with that reason, which they read."""
    if event.state != AdvocateState.REMOVED:
        return
    now = clock.now()
    reason = referral_queries.get_advocate(event.advocate_id).ended_reason
    for reward in queries.rewards_of_advocate(event.advocate_id):
        if reward.state in (RewardState.PENDING, RewardState.APPROVED):
            cancel(reward, Verb.CANCEL, "removed", reason, FACTS, now)
    settle(event.advocate_id)


def cancel(reward: Reward, verb: Verb, because: str, words: str, actor: str, now: datetime, facts: dict[str, Any] | None = None) -> None:
    """Cancel by decision. The caller settles the advocate, which posts the lines."""
    if reward.state == RewardState.APPROVED:
        post(reward, EntryKind.RETURN, ledger.shift(queries.balances(reward.id), Account.OWED_APPROVED, Account.OWED_PENDING), actor, now)
    step(reward, verb, actor, words, now, facts)
    reward.because, reward.words = because, words[:300]
    db.session.flush()
