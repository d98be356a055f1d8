from datetime import UTC, date, datetime, timedelta

import pytest

from nps.followups.rules import closing, escalation, snooze, turns
from nps.followups.rules.closing import Outcome
from nps.followups.rules.escalation import DEFAULT_STEPS, Step, Tell
from nps.followups.rules.turns import Method, Seat

from .examples import A, at

ZONE = "America/New_York"
TODAY = date(2026, 10, 6)


# -- closing --


def test_a_complete_close_has_nothing_wrong():
    assert closing.check_close(has_cause=True, outcome="fixed", learning="Feeds break on bank changes", cause_has_learning=False) == {}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"has_cause": False}, "cause"),
        ({"outcome": ""}, "outcome"),
        ({"outcome": "answer_changed"}, "outcome"),
        ({"outcome": "erased"}, "outcome"),
        ({"learning": "too short"}, "learning"),
        ({"learning": "   spaces   "}, "learning"),
        ({"learning": "Known already"}, "learning"),
    ],
)
def test_each_missing_part_of_a_close_is_named(change, field):
    given = {"has_cause": True, "outcome": "explained", "learning": "ten chars!", "cause_has_learning": False} | change
    assert list(closing.check_close(**given)) == [field]


def test_known_already_is_enough_when_the_cause_has_a_learning():
    assert closing.check_close(has_cause=True, outcome="left", learning="Known already", cause_has_learning=True) == {}


@pytest.mark.parametrize(
    ("wants", "contact", "outcome", "days", "refused"),
    [
        (False, False, "fixed", [], False),
        (True, True, "fixed", [], False),
        (True, False, "fixed", [], True),
        (True, False, "unreachable", [1, 1, 1], True),
        (True, False, "unreachable", [1, 2], True),
        (True, False, "unreachable", [1, 1, 2], False),
    ],
)
def test_a_wish_for_a_reply_is_met_before_closing(wants, contact, outcome, days, refused):
    days = [date(2026, 10, day) for day in days]
    assert bool(closing.wish_unmet(wants_reply=wants, human_contact=contact, outcome=outcome, attempt_days=days)) is refused


def test_every_outcome_has_words():
    assert set(closing.OUTCOME_WORDS) == set(Outcome)
    assert len(closing.MEMBER_OUTCOMES) == 6


# -- snooze --


def test_a_snooze_may_not_hide_a_promise():
    now, due = at(ZONE, "2026-10-06 10:42"), at(ZONE, "2026-10-06 11:58")
    last = due - timedelta(minutes=15)
    assert snooze.check_snooze(last, now, due_at=due, hours=A, told="Dana") is None
    told = snooze.check_snooze(last + timedelta(seconds=1), now, due_at=due, hours=A, told="Dana")
    assert told == "Dana was told 11:58. Snoozing past that would hide the promise."
    assert snooze.check_snooze(due, now, due_at=due, hours=A, told=None) == "The reply is due 11:58. Snoozing past that would hide it."


def test_a_snooze_ends_in_the_future_and_is_free_without_a_clock():
    now = at(ZONE, "2026-10-06 10:42")
    assert snooze.check_snooze(now, now, due_at=None, hours=A, told=None) == "Choose a time that is still to come."
    assert snooze.check_snooze(now + timedelta(days=90), now, due_at=None, hours=A, told=None) is None


# -- turns --


def seats(**changes):
    names = ("Amara", "Ines", "Tomás")
    return [Seat(name, name, **changes.get(name, {})) for name in names]


def test_sixty_cases_go_round_twenty_each():
    last, got = None, []
    for _ in range(60):
        last = turns.round_robin(seats(), last, TODAY)
        got.append(last)
    assert {name: got.count(name) for name in set(got)} == {"Amara": 20, "Ines": 20, "Tomás": 20}


def test_a_member_who_is_away_is_passed_over():
    last, got = None, []
    for _ in range(60):
        last = turns.round_robin(seats(Ines={"away_from": TODAY, "away_until": TODAY}), last, TODAY)
        got.append(last)
    assert (got.count("Amara"), got.count("Ines"), got.count("Tomás")) == (30, 0, 30)


def test_full_members_are_passed_over_and_nobody_free_is_nobody():
    full = {"open_cases": 30}
    busy = {"new_today": 8}
    assert turns.round_robin(seats(Amara=full, Ines=busy), None, TODAY) == "Tomás"
    assert turns.round_robin(seats(Amara=full, Ines=busy, Tomás=full), None, TODAY) is None
    assert turns.least_loaded(seats(Amara=full, Ines=busy, Tomás=full), TODAY) is None
    assert turns.round_robin([], None, TODAY) is None


def test_a_pointer_to_somebody_who_left_starts_again():
    assert turns.round_robin(seats(), "Gone", TODAY) == "Amara"


def test_least_loaded_goes_by_cases_then_longest_without_then_name():
    early, late = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 5, tzinfo=UTC)
    assert turns.least_loaded(seats(Amara={"open_cases": 2}, Ines={"open_cases": 1}, Tomás={"open_cases": 3}), TODAY) == "Ines"
    both = {"open_cases": 1}
    equal = seats(Amara=both | {"last_assigned_at": late}, Ines=both | {"last_assigned_at": early}, Tomás={"open_cases": 2})
    assert turns.least_loaded(equal, TODAY) == "Ines"
    assert turns.least_loaded(seats(), TODAY) == "Amara"


def test_the_same_person_is_kept_unless_away():
    assert turns.choose(Method.ROUND_ROBIN, seats(), "Amara", TODAY, before="Amara") == "Amara"
    away = seats(Amara={"away_until": TODAY})
    assert turns.choose(Method.ROUND_ROBIN, away, None, TODAY, before="Amara") == "Ines"
    assert turns.choose(Method.NOBODY, seats(), None, TODAY, before="Amara") is None
    assert turns.choose(Method.LEAST_LOADED, seats(), None, TODAY, before="Gone") == "Amara"


def test_away_counts_both_ends():
    seat = Seat("a", "a", away_from=date(2026, 10, 6), away_until=date(2026, 10, 8))
    assert [seat.is_away(date(2026, 10, day)) for day in (5, 6, 8, 9)] == [False, True, True, False]
    assert Seat("a", "a", away_from=date(2026, 10, 6)).is_away(date(2027, 1, 1))
    assert not Seat("a", "a").is_away(TODAY)


# -- escalation --

START, DUE = at(ZONE, "2026-10-06 09:00"), at(ZONE, "2026-10-06 13:00")


def test_steps_stand_at_shares_of_the_open_time():
    assert [escalation.step_at(A, START, DUE, percent) for percent in (25, 50, 100, 200)] == [
        at(ZONE, "2026-10-06 10:00"),
        at(ZONE, "2026-10-06 11:00"),
        DUE,
        at(ZONE, "2026-10-06 17:00"),
    ]


def test_each_step_fires_once_and_in_turn():
    fired = []
    told_at = [("09:59", None), ("10:00", 25), ("10:30", None), ("11:00", 50), ("13:00", 100), ("13:01", None), ("17:00", 200)]
    for clock_face, percent in told_at:
        now = at(ZONE, f"2026-10-06 {clock_face}")
        step = escalation.to_fire(escalation.reached(A, START, DUE, now, DEFAULT_STEPS), fired, owned=False)
        assert (step.percent if step else None) == percent
        if step:
            fired.append(step.percent)
    assert fired == [25, 50, 100, 200]


def test_after_a_pause_of_the_system_only_the_latest_step_fires():
    now = at(ZONE, "2026-10-06 14:00")
    reached = escalation.reached(A, START, DUE, now, DEFAULT_STEPS)
    assert escalation.to_fire(reached, [], owned=True) == Step(100, (Tell.OWNER, Tell.LEAD))


def test_an_owner_silences_the_step_for_cases_without_one():
    reached = escalation.reached(A, START, DUE, at(ZONE, "2026-10-06 10:00"), DEFAULT_STEPS)
    assert escalation.to_fire(reached, [], owned=True) is None


def test_the_clock_is_looked_at_again_at_the_next_step():
    assert escalation.next_at(A, START, DUE, at(ZONE, "2026-10-06 10:00"), DEFAULT_STEPS) == at(ZONE, "2026-10-06 11:00")
    assert escalation.next_at(A, START, DUE, at(ZONE, "2026-10-07 10:00"), DEFAULT_STEPS) is None


@pytest.mark.parametrize(
    ("percents", "fine"),
    [((25, 50, 100), True), ((), True), ((50, 50), False), ((100, 50), False), ((0,), False), ((501,), False), ((1, 2, 3, 4, 5, 6), False)],
)
def test_steps_rise_within_bounds(percents, fine):
    assert (escalation.check_steps([Step(percent, (Tell.OWNER,)) for percent in percents]) is None) is fine
