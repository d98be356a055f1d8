"""What people decide about rewards, and what happens when nobody does."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from nps.core import clock
from nps.core.db import db
from nps.referrals import queries as referral_queries
from nps.referrals import service as referrals
from nps.rewards import queries
from nps.rewards.errors import ReasonNeeded, SecondPersonNeeded, WrongStep
from nps.rewards.models import Reward, RewardGate
from nps.rewards.rules import machine
from nps.rewards.rules.machine import DECLINE_REASONS, REVIEW_GATES, Gate, RewardState, Verb
from nps.rewards.service.settling import cancel, settle
from nps.rewards.service.steps import close, gates, hand_over, note, open_if_ready, step

BATCH_FACTOR = 4
"""A batch needs a second person from this many times the limit of a single reward (500.00 and 2,000.00 by default)."""


def approve(reward_id: UUID, member_id: UUID, actor: str) -> Reward:
    """Close the gates approval and fraud. Above the program's limit two different members must do so.

    Raises WrongStep when it is not waiting for a person, SecondPersonNeeded when the same person confirms twice.
    """
    now = clock.now()
    reward = queries.lock_reward(reward_id)
    _approve(reward, member_id, actor, _limit(reward), queries.amount(reward.id), now)
    return reward


def approve_clean(reward_ids: Iterable[UUID], member_id: UUID, actor: str) -> tuple[int, int]:
    """Approve those of the rewards shown that are still clean. Returns (approved, waiting for a second person).

    Rewards that were decided, flagged or gone meanwhile are left alone.
    """
    now = clock.now()
    wanted = [r for i in reward_ids if (r := queries.find_reward(i)) is not None and r.state == RewardState.PENDING]
    clean = [r for r in wanted if machine.clean(_open(r))]
    sums: dict[str, int] = {}
    for reward in clean:
        sums[reward.currency] = sums.get(reward.currency, 0) + queries.amount(reward.id)
    done = waiting = 0
    for reward in clean:
        limit = _limit(reward)
        large = sums[reward.currency] >= BATCH_FACTOR * limit
        try:
            _approve(reward, member_id, actor, 0 if large else limit, queries.amount(reward.id), now)
        except SecondPersonNeeded:
            waiting += 1
            continue
        if Gate.APPROVAL in _open(reward):
            waiting += 1
        else:
            done += 1
    return done, waiting


def _approve(reward: Reward, member_id: UUID, actor: str, limit: int, amount: int, now: datetime) -> None:
    open_ = _open(reward)
    if reward.state != RewardState.PENDING or not REVIEW_GATES & open_:
        raise WrongStep("This reward does not wait for a decision any more. Nothing was changed.")
    facts = {"amount": amount, "currency": reward.currency, "gates": sorted(open_), "points": _points(reward)}
    if amount >= limit:
        if reward.first_approved_by is None:
            reward.first_approved_by = member_id
            note(reward, "confirm", reward.state, actor, "first of two", now, facts)
            return
        if reward.first_approved_by == member_id:
            raise SecondPersonNeeded("You have confirmed this one already. Somebody else must confirm it too.")
    step(reward, Verb.APPROVE, actor, "", now, facts)
    for gate in gates(reward):
        if gate.closed_at is None and gate.gate in REVIEW_GATES:
            close(gate, actor, "approved", now)
    if Gate.FRAUD in open_:
        referrals.clear_flags(referral_queries.get_referral(reward.referral_id), actor)
    open_if_ready(reward, actor, now)


def _open(reward: Reward) -> set[Gate]:
    return {Gate(g.gate) for g in gates(reward) if g.closed_at is None}


def _limit(reward: Reward) -> int:
    return referral_queries.get_version(reward.program_version_id).second_person_minor


def _points(reward: Reward) -> int:
    return referral_queries.get_referral(reward.referral_id).points


def decline(reward_id: UUID, actor: str, reason: str, words: str = "") -> Reward:
    """Say no, with a reason from the list; the advocate reads it. Raises ReasonNeeded, WrongStep."""
    if reason not in DECLINE_REASONS or (reason == "other" and not words.strip()):
        raise ReasonNeeded("Choose a reason. The advocate sees it on their page.", fields={"reason": "Choose a reason."})
    now = clock.now()
    reward = queries.lock_reward(reward_id)
    text = words.strip() if reason == "other" else DECLINE_REASONS[reason]
    facts = {"amount": queries.amount(reward.id), "currency": reward.currency, "points": _points(reward), "reason": reason}
    cancel(reward, Verb.DECLINE, "declined", text, actor, now, facts)
    settle(reward.advocate_id)
    return reward


def reopen(reward_id: UUID, actor: str) -> Reward:
    """Take a decline back, or uphold an appeal: the reward waits for a person again. Raises WrongStep."""
    now = clock.now()
    reward = queries.lock_reward(reward_id)
    if reward.state != RewardState.CANCELLED or reward.because not in ("declined", "lapsed"):
        raise WrongStep("Only a declined reward can be opened again. Nothing was changed.")
    for gate in gates(reward):
        if gate.gate == Gate.APPROVAL:
            gate.closed_at, gate.closed_by, gate.reason = None, "", ""
    reward.because, reward.words, reward.first_approved_by = "", "", None
    note(reward, "reopen", reward.state, actor, "", now)
    settle(reward.advocate_id)
    return reward


def mark_paid(reward_id: UUID, actor: str, reference: str = "") -> int:
    """The company handed this reward over. Returns what was left after an open debt was netted. Raises WrongStep."""
    now = clock.now()
    reward = queries.lock_reward(reward_id)
    if reward.state != RewardState.APPROVED:
        raise WrongStep("Only an approved reward can be handed over. Nothing was changed.")
    left = hand_over(reward, actor, reference.strip(), now)
    settle(reward.advocate_id)
    return left


def close_holds() -> int:
    """Holds that are over. Returns how many rewards were let go on, for the account in scope."""
    now = clock.now()
    due = db.session.scalars(
        select(RewardGate).where(RewardGate.gate == Gate.HOLD, RewardGate.closed_at.is_(None), RewardGate.until <= now).limit(500)
    ).all()
    for gate in due:
        close(gate, "clock", "the hold is over", now)
        reward = queries.get_reward(gate.reward_id)
        if reward.state == RewardState.PENDING:
            open_if_ready(reward, "clock", now)
    return len(due)


def answer_overdue() -> int:
    """Nobody decided by the promised date: clean and mildly flagged ones are approved, critical ones declined."""
    now = clock.now()
    overdue = db.session.scalars(select(Reward).where(Reward.state == RewardState.PENDING, Reward.answer_by <= now).limit(500)).all()
    done = 0
    for reward in overdue:
        verdict = machine.unanswered(_open(reward), _points(reward))
        if verdict is Verb.APPROVE:
            step(reward, Verb.APPROVE, "clock", "nobody decided in time", now)
            for gate in gates(reward):
                if gate.closed_at is None and gate.gate in REVIEW_GATES:
                    close(gate, "clock", "nobody decided in time", now)
            open_if_ready(reward, "clock", now)
        elif verdict is Verb.DECLINE:
            cancel(reward, Verb.DECLINE, "lapsed", "We could not confirm this one in time", "clock", now)
            settle(reward.advocate_id)
        done += verdict is not None
    return done
