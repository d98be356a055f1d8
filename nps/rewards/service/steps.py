"""One step of a reward: state, event row, ledger entry. Used by everything that moves rewards."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select

from nps.core import tenancy
from nps.core.db import db
from nps.core.events import publish
from nps.rewards import queries
from nps.rewards.errors import WrongStep
from nps.rewards.events import RewardIssued, RewardMoved
from nps.rewards.models import LedgerEntry, LedgerLine, Reward, RewardEvent, RewardGate
from nps.rewards.rules import ledger, machine
from nps.rewards.rules.ledger import Account, EntryKind, Line
from nps.rewards.rules.machine import Gate, Method, RewardState, Verb

FACTS = "facts"


def note(reward: Reward, verb: str, before: str, actor: str, reason: str, now: datetime, facts: dict[str, Any] | None = None) -> None:
    """Write what happened to a reward."""
    db.session.add(
        RewardEvent(
            reward_id=reward.id,
            verb=verb,
            before=before,
            after=reward.state,
            actor=actor[:120],
            reason=reason[:300],
            facts=facts or {},
            occurred_at=now,
        )
    )
    db.session.flush()


def step(reward: Reward, verb: Verb, actor: str, reason: str, now: datetime, facts: dict[str, Any] | None = None) -> None:
    """Move a reward along the table. Raises WrongStep, changing nothing, where there is no such step."""
    before = RewardState(reward.state)
    after = machine.step(before, verb)
    if after is None:
        raise WrongStep(f"This reward is {before.replace('_', ' ')}, so that is not possible any more. Nothing was changed.")
    reward.state, reward.updated_at = after, now
    note(reward, verb, before, actor, reason, now, facts)
    if after is not before:
        publish(RewardMoved(tenancy.current(), reward.id, reward.referral_id, reward.advocate_id, before, after, now))


def post(reward: Reward, kind: EntryKind, lines: Iterable[Line], actor: str, now: datetime) -> None:
    """Append one ledger entry. Lines that move nothing make none. Raises ValueError for lines that do not balance."""
    wanted = ledger.merged(lines)
    if not wanted:
        return
    wrong = ledger.problems(wanted)
    if wrong:
        raise ValueError(wrong)
    entry = LedgerEntry(reward_id=reward.id, kind=kind, currency=reward.currency, actor=actor[:120], posted_at=now)
    db.session.add(entry)
    db.session.flush()
    for line in wanted:
        db.session.add(
            LedgerLine(
                entry_id=entry.id,
                reward_id=reward.id,
                advocate_id=reward.advocate_id,
                name=line.account,
                source=line.source,
                amount=line.amount,
                currency=reward.currency,
            )
        )
    db.session.flush()


def gates(reward: Reward) -> list[RewardGate]:
    """All gates of a reward, open and closed."""
    return list(db.session.scalars(select(RewardGate).where(RewardGate.reward_id == reward.id)))


def close(gate: RewardGate, actor: str, reason: str, now: datetime) -> None:
    gate.closed_at, gate.closed_by, gate.reason = now, actor[:120], reason[:300]
    db.session.flush()


def open_if_ready(reward: Reward, actor: str, now: datetime) -> None:
    """The last gate closed: pending becomes approved, and its amount moves with it."""
    if reward.state == RewardState.PENDING and machine.ready([Gate(g.gate) for g in gates(reward) if g.closed_at is None]):
        post(reward, EntryKind.APPROVE, ledger.shift(queries.balances(reward.id), Account.OWED_PENDING, Account.OWED_APPROVED), actor, now)
        reward.approved_at = now
        step(reward, Verb.OPEN, actor, "", now)


def hand_over(reward: Reward, actor: str, reference: str, now: datetime) -> int:
    """Approved to issued for a method without an outside call; an open debt of the advocate is netted first.

    Returns what is left to hand over by hand, in minor units.
    """
    debt = queries.debt(reward.advocate_id, reward.currency)
    post(reward, EntryKind.NET, ledger.net_debt(queries.balances(reward.id), debt), actor, now)
    post(reward, EntryKind.SEND, ledger.shift(queries.balances(reward.id), Account.OWED_APPROVED, Account.OWED_IN_FLIGHT), actor, now)
    reward.attempt += 1
    step(reward, Verb.SEND, actor, "", now)
    left = -ledger.total(queries.balances(reward.id), [Account.OWED_IN_FLIGHT])
    post(
        reward,
        EntryKind.SETTLE,
        ledger.shift(queries.balances(reward.id), Account.OWED_IN_FLIGHT, ledger.paid_by(Method(reward.method))),
        actor,
        now,
    )
    reward.reference, reward.issued_at = (reference or reward.reference)[:120], now
    step(reward, Verb.SETTLE, actor, reference, now)
    publish(RewardIssued(tenancy.current(), reward.id, reward.advocate_id, left, reward.currency, now))
    return left
