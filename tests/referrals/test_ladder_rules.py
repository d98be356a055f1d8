"""Attribution: the first rung with an eligible touch wins, and the model picks inside a rung."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nps.referrals.rules.ladder import METHOD_WORDS, Rung, TouchFact, choose, ineligible
from nps.referrals.rules.programs import Model

T0 = datetime(2026, 10, 6, 9, tzinfo=UTC)
DAY = timedelta(days=1)
PROGRAM = UUID(int=77)


def touch(n: int, method: str = "server_click", at: datetime = T0, advocate: int = 1) -> TouchFact:
    return TouchFact(UUID(int=n), UUID(int=1000 + advocate), PROGRAM, method, at)


METHODS = [r.method for r in Rung]


def test_touches_taken_away_from_the_top_show_every_rung_in_turn() -> None:
    touches = [touch(n, method, T0 + timedelta(minutes=n), advocate=n) for n, method in enumerate(METHODS)]
    sign_up = T0 + DAY
    while touches:
        choice = choose(touches, [sign_up])
        assert choice.winner == touches[0]
        assert choice.rung is not None
        assert choice.rung.method == touches[0].method
        assert set(choice.losers) == {t.id for t in touches[1:]}
        touches = touches[1:]
    assert choose([], [sign_up]).winner is None


def test_every_method_has_words() -> None:
    assert set(METHOD_WORDS) == set(METHODS)


def test_the_model_picks_first_or_last_inside_a_rung() -> None:
    touches = [touch(1, at=T0), touch(2, at=T0 + DAY), touch(3, at=T0 + 2 * DAY)]
    assert choose(touches, [T0 + 3 * DAY]).winner == touches[2]
    first = [replace(t, model=Model.FIRST) for t in touches]
    assert choose(first, [T0 + 3 * DAY]).winner == first[0]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"bot": True}, "machine"),
        ({"blocked": "same_email"}, "same_email"),
        ({"advocate_credits": False}, "advocate"),
        ({"program_live": False}, "program"),
    ],
)
def test_each_reason_not_to_credit(change: dict[str, object], why: str) -> None:
    assert ineligible(replace(touch(1), **change), [T0 + DAY], []) == why


def test_a_touch_after_the_sign_up_or_outside_the_window_does_not_count() -> None:
    assert ineligible(touch(1), [T0 - timedelta(seconds=6)], []) == "too_late"
    assert ineligible(touch(1), [T0 - timedelta(seconds=5)], [T0 - timedelta(seconds=5)]) == ""
    assert ineligible(touch(1), [T0], []) == ""
    assert ineligible(touch(1), [T0 + 90 * DAY], []) == ""
    assert ineligible(touch(1), [T0 + 90 * DAY + timedelta(seconds=1)], []) == "window"


def test_somebody_who_paid_inside_the_look_back_is_no_new_friend() -> None:
    assert ineligible(touch(1), [], [T0 - 180 * DAY]) == "existing_customer"
    assert ineligible(touch(1), [T0 + DAY], [T0 - 181 * DAY]) == ""
    assert ineligible(replace(touch(1), look_back=None), [], [T0 - 4000 * DAY]) == "existing_customer"


def test_a_customer_of_years_ago_is_measured_by_the_new_sign_up() -> None:
    old, new = T0 - 700 * DAY, T0 + DAY
    assert choose([touch(1)], [old, new], [old]).winner == touch(1)


def test_evidence_at_the_till_may_be_as_young_as_the_first_payment() -> None:
    paid = T0 + 10 * DAY
    assert ineligible(touch(1, "promotion_code", at=paid), [T0, paid], [paid]) == ""
    assert ineligible(touch(1, "metadata_code", at=T0 + timedelta(hours=1)), [T0], []) == ""
    assert ineligible(touch(1, "cookie_click", at=T0 + timedelta(hours=1)), [T0], []) == "too_late"
    assert ineligible(touch(1, "promotion_code", at=paid + DAY), [T0, paid], [paid]) == "existing_customer"


def test_a_members_decision_has_no_time_limit() -> None:
    assert ineligible(touch(1, "manual", at=T0 + 500 * DAY), [T0], [T0]) == ""


def test_before_any_sign_up_a_claim_is_already_credited() -> None:
    assert choose([touch(1, "claim")]).winner == touch(1, "claim")


MANY = st.lists(
    st.builds(
        lambda n, method, hours, advocate, bot, model: replace(
            touch(n, method, T0 + timedelta(hours=hours), advocate), bot=bot, model=model
        ),
        st.integers(1, 10_000),
        st.sampled_from(METHODS),
        st.integers(-3000, 3000),
        st.integers(1, 3),
        st.booleans(),
        st.sampled_from(list(Model)),
    ),
    max_size=8,
    unique_by=lambda t: t.id,
)


@given(MANY, st.randoms(use_true_random=False))
def test_the_choice_does_not_depend_on_the_order_of_the_evidence(touches: list[TouchFact], chance: object) -> None:
    shuffled = list(touches)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    sign_ups = [T0]
    assert choose(touches, sign_ups) == choose(shuffled, sign_ups)


@given(MANY)
def test_every_touch_is_accounted_for_once_and_the_winner_is_on_the_best_rung(touches: list[TouchFact]) -> None:
    choice = choose(touches, [T0])
    won = {choice.winner.id} if choice.winner else set()
    assert won | set(choice.losers) | set(choice.ineligible) == {t.id for t in touches}
    assert len(won) + len(choice.losers) + len(choice.ineligible) == len(touches)
    if choice.winner:
        eligible = [t for t in touches if t.id not in choice.ineligible]
        assert choice.rung == min(Rung[t.method.upper()] for t in eligible)
