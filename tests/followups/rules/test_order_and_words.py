"""The list of the mock-up, as it stands at 10:42 on a Tuesday in New York."""

from datetime import timedelta

import pytest

from nps.followups.rules import clock, order, targets, words
from nps.followups.rules.order import Group, Waiting
from nps.followups.rules.states import CaseState

from .examples import A, B, at, utc

ZONE = "America/New_York"
NOW = at(ZONE, "2026-10-06 10:42")
LIST = {
    "Bell": ("2026-10-06 10:07", 42),
    "Whitfield": ("2026-10-06 11:58", 84),
    "Grant": ("2026-10-06 14:20", 84),
    "Nowak": ("2026-10-06 15:05", 210),
    "Kessler": ("2026-10-06 16:41", 84),
    "Dubois": ("2026-10-07 09:30", 42),
    "Ferris": ("2026-10-07 09:52", 420),
}


def the_list():
    return [Waiting(name, at(ZONE, due), A, value) for name, (due, value) in LIST.items()]


def started(name):
    """A working day before it was due."""
    return at(ZONE, LIST[name][0]) - timedelta(days=1)


def test_due_first_is_the_order_of_the_mock_up():
    assert [case.key for case in order.due_first(reversed(the_list()))] == list(LIST)


def test_worth_first_is_money_per_minute_left():
    ranked = order.worth_first(the_list(), NOW)
    assert [case.key for case in ranked] == ["Bell", "Whitfield", "Ferris", "Nowak", "Grant", "Kessler", "Dubois"]
    per_minute = [round(order.per_minute(case.value, clock.minutes_left(A, NOW, case.due_at)), 3) for case in ranked if case.due_at > NOW]
    assert per_minute == [1.105, 0.977, 0.798, 0.385, 0.234, 0.103]


def test_an_unknown_value_is_the_median_of_the_known_ones_else_one():
    due = at(ZONE, "2026-10-06 12:00")
    cases = [Waiting(key, due, A, value) for key, value in [("a", 10.0), ("b", None), ("c", 30.0), ("d", 21.0)]]
    assert [case.key for case in order.worth_first(cases, NOW)] == ["c", "b", "d", "a"]
    unknown = [Waiting("b", due, A, None), Waiting("a", due, A, None)]
    assert [case.key for case in order.worth_first(unknown, NOW)] == ["a", "b"]


def test_ties_go_by_due_then_key_and_cases_without_a_clock_come_last():
    cases = [
        Waiting("none", None, A, 9_999),
        Waiting("z", at(ZONE, "2026-10-06 12:42"), A, 120),
        Waiting("y", at(ZONE, "2026-10-06 11:42"), A, 60),
        Waiting("x", at(ZONE, "2026-10-06 12:42"), A, 120),
    ]
    assert [case.key for case in order.worth_first(cases, NOW)] == ["y", "x", "z", "none"]


@pytest.mark.parametrize(
    ("state", "due", "group"),
    [
        (CaseState.NEW, "2026-10-06 10:07", Group.OVERDUE),
        (CaseState.NEW, "2026-10-06 10:42", Group.TODAY),
        (CaseState.NEW, "2026-10-06 23:59", Group.TODAY),
        (CaseState.WORKING, "2026-10-07 00:00", Group.LATER),
        (CaseState.WORKING, None, Group.LATER),
        (CaseState.WAITING, None, Group.WAITING),
        (CaseState.WAITING, "2026-10-06 10:07", Group.WAITING),
    ],
)
def test_groups_go_by_the_date_of_the_queue(state, due, group):
    assert order.group_of(state, due and at(ZONE, due), NOW, A) is group


def test_today_is_the_queues_day_not_that_of_greenwich():
    late_evening = at(ZONE, "2026-10-06 21:30")  # already 7 October in UTC
    assert order.group_of(CaseState.NEW, at(ZONE, "2026-10-06 22:00"), late_evening, B) is Group.TODAY


@pytest.mark.parametrize(
    ("name", "mood", "used", "said", "small"),
    [
        ("Bell", "late", 100, "35 min late", "Due 10:07"),
        ("Whitfield", "soon", 84, "1 h 16 min", "Due 11:58"),
        ("Grant", "ok", 55, "3 h 38 min", "Due 14:20"),
        ("Nowak", "ok", 45, "4 h 23 min", "Due 15:05"),
        ("Kessler", "ok", 25, "5 h 59 min", "Due 16:41"),
        ("Dubois", "ok", 15, "Tomorrow", "Due 09:30"),
        ("Ferris", "ok", 10, "Tomorrow", "Due 09:52"),
    ],
)
def test_clocks_read_as_in_the_mock_up(name, mood, used, said, small):
    assert words.face(A, started(name), at(ZONE, LIST[name][0]), NOW) == words.Face(words.Mood(mood), used, said, small)


def test_a_clock_more_than_an_open_day_late_names_the_day():
    due = at(ZONE, "2026-10-02 16:30")
    start = due - timedelta(hours=4)
    day_less_a_minute = at(ZONE, "2026-10-05 16:29")
    assert words.face(A, start, due, day_less_a_minute).words == "7 h 59 min late"
    assert words.face(A, start, due, at(ZONE, "2026-10-03 09:00")).small == "Due yesterday, 16:30"
    assert words.face(A, start, due, at(ZONE, "2026-10-05 16:30")).words == "late since Friday, 16:30"
    assert words.face(A, start, due, at(ZONE, "2026-10-09 09:00")).words == "late since 2 October, 16:30"


def test_soon_is_under_a_quarter_of_the_target():
    start, due = at(ZONE, "2026-10-06 09:00"), at(ZONE, "2026-10-06 13:00")
    assert words.face(A, start, due, at(ZONE, "2026-10-06 12:00")).mood is words.Mood.OK
    assert words.face(A, start, due, at(ZONE, "2026-10-06 12:01")).mood is words.Mood.SOON


def test_the_pill_of_a_case_is_a_sentence():
    due = at(ZONE, LIST["Whitfield"][0])
    assert words.pill(A, started("Whitfield"), due, NOW).words == "Reply due in 1 h 16 min"
    assert words.pill(A, started("Bell"), at(ZONE, LIST["Bell"][0]), NOW).words == "Reply 35 min late"
    assert words.pill(A, started("Ferris"), at(ZONE, LIST["Ferris"][0]), NOW).words == "Reply due tomorrow, 09:52"


def test_a_paused_clock_says_since_when():
    assert words.paused(at(ZONE, "2026-10-02 15:00"), NOW, A) == words.Face(words.Mood.WAIT, 0, "Paused", "Since Friday")
    assert words.paused(at(ZONE, "2026-10-06 09:10"), NOW, A).small == "Since 09:10"
    assert words.paused(at(ZONE, "2026-10-05 15:00"), NOW, A).small == "Since yesterday"


def test_days_near_and_far():
    for text, said in [
        ("2026-10-05 23:00", "Yesterday"),
        ("2026-10-12 09:00", "Monday"),
        ("2026-10-15 09:00", "15 October"),
        ("2027-01-04 09:00", "4 January 2027"),
    ]:
        assert words.day(at(ZONE, text), NOW, A) == said
    assert words.full(utc("2026-10-06T15:58Z"), A.tz) == "Tuesday 6 October, 11:58"


@pytest.mark.parametrize(
    ("low", "middle", "said"),
    [
        (480, 480, "First reply within one working day."),
        (60, 240, "First reply within 1 hour for 0–3 and 4 hours for 4–6."),
        (90, 480, "First reply within 1 hour 30 minutes for 0–3 and one working day for 4–6."),
        (30, 30, "First reply within 30 minutes."),
    ],
)
def test_targets_in_one_sentence(low, middle, said):
    assert words.targets_sentence(low, middle, A.longest_day) == said


def test_what_may_be_promised_before_the_score_is_known():
    assert words.promise(480, 480) == "within one working day"
    assert words.promise(240, 480) == "within 4 working hours"
    assert words.promise(60, 480) == "within 1 working hour"


@pytest.mark.parametrize(
    ("score", "wish", "rule", "minutes"),
    [
        (0, False, None, 60), (3, False, None, 60), (4, False, None, 240), (6, False, None, 240),
        (7, False, None, 960), (10, False, None, 960), (None, False, None, 240),
        (0, True, None, 60), (6, True, None, 240), (7, True, None, 480), (10, True, None, 480), (None, True, None, 240),
        (2, False, 1_000, 1_000), (2, True, 1_000, 480), (9, True, 30, 30),
    ],
)  # fmt: skip
def test_minutes_for_a_first_reply(score, wish, rule, minutes):
    assert targets.first_reply(targets.Targets(), score, wish, rule) == minutes


def test_a_wish_caps_every_target_of_the_queue():
    strict = targets.Targets(low=300, middle=600, wish=120, sent=900, no_score=700)
    assert {targets.first_reply(strict, score, True) for score in (None, 0, 5, 9)} == {120}
    assert strict.promise == 120


@pytest.mark.parametrize(("minutes", "fine"), [(4, False), (5, True), (14_400, True), (14_401, False), (None, False)])
def test_targets_have_bounds(minutes, fine):
    assert (targets.check("The target", minutes) is None) is fine
