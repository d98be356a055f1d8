"""The reward's machine: every state tried with every verb, gates, the printed default."""

from datetime import UTC, datetime, timedelta

import pytest

from nps.rewards.rules.machine import FINAL, Approval, Gate, RewardState, Verb, answer_by, clean, first_gates, step, unanswered

T0 = datetime(2026, 10, 6, 9, tzinfo=UTC)
DAY = timedelta(days=1)

TABLE = {
    ("pending", "approve"): "pending",
    ("pending", "open"): "approved",
    ("pending", "decline"): "cancelled",
    ("pending", "cancel"): "cancelled",
    ("approved", "send"): "issuing",
    ("approved", "decline"): "cancelled",
    ("approved", "cancel"): "cancelled",
    ("issuing", "settle"): "issued",
    ("issuing", "return"): "pending",
    ("issued", "redeem"): "redeemed",
    ("issued", "expire"): "expired",
    ("issued", "claw_back"): "clawed_back",
    ("redeemed", "claw_back"): "clawed_back",
    ("cancelled", "raise"): "pending",
    ("clawed_back", "raise"): "pending",
    ("issued", "raise"): "pending",
    ("redeemed", "raise"): "pending",
}


@pytest.mark.parametrize("state", list(RewardState))
@pytest.mark.parametrize("verb", list(Verb))
def test_only_the_steps_of_the_table_exist(state: RewardState, verb: Verb) -> None:
    assert step(state, verb) == TABLE.get((state.value, verb.value))


def test_what_is_handed_over_or_cancelled_is_final() -> None:
    assert {"issued", "redeemed", "expired", "cancelled", "clawed_back"} == FINAL


def test_a_new_reward_waits_for_the_hold_and_a_person() -> None:
    assert first_gates(Approval(), 5_000, False, False, T0, T0) == {Gate.HOLD, Gate.APPROVAL}


def test_the_hold_counts_from_the_event_not_from_when_we_heard() -> None:
    assert Gate.HOLD not in first_gates(Approval(), 5_000, False, False, T0, T0 + 14 * DAY)
    assert Gate.HOLD in first_gates(Approval(), 5_000, False, False, T0, T0 + 14 * DAY - timedelta(seconds=1))


def test_only_flagged_ones_are_reviewed_where_the_program_says_so_and_large_ones_always() -> None:
    some = Approval(review_all=False, automatic_up_to=10_000, hold=0 * DAY)
    assert first_gates(some, 10_000, False, False, T0, T0) == frozenset()
    assert first_gates(some, 10_001, False, False, T0, T0) == {Gate.APPROVAL}
    assert first_gates(some, 1, True, False, T0, T0) == {Gate.APPROVAL, Gate.FRAUD}
    assert first_gates(some, 0, False, True, T0, T0) == {Gate.CURRENCY}


def test_the_button_without_flags_covers_only_clean_rewards() -> None:
    assert clean({Gate.APPROVAL, Gate.HOLD})
    assert not clean({Gate.APPROVAL, Gate.FRAUD})
    assert not clean({Gate.HOLD})


def test_the_answer_comes_after_14_days_at_the_earliest_hold() -> None:
    assert answer_by(T0, 0 * DAY) == T0 + 14 * DAY
    assert answer_by(T0, 60 * DAY) == T0 + 60 * DAY


def test_unanswered_clean_is_approved_and_critical_is_declined() -> None:
    assert unanswered({Gate.APPROVAL}, 0) is Verb.APPROVE
    assert unanswered({Gate.APPROVAL, Gate.FRAUD}, 69) is Verb.APPROVE
    assert unanswered({Gate.APPROVAL, Gate.FRAUD}, 70) is Verb.DECLINE
    assert unanswered({Gate.HOLD}, 100) is None
