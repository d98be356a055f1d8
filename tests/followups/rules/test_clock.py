import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nps.followups.rules import clock
from nps.followups.rules.hours import checked, parse_spans

from .examples import CLOCKS, QUEUES, A, B, C, at, every_day, utc, week

ZONES_OF_MACHINES = ["UTC", "Asia/Kolkata", "America/Los_Angeles"]


@pytest.fixture(params=ZONES_OF_MACHINES)
def machine_zone(request, monkeypatch):
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("case", CLOCKS, ids=lambda case: f"clock-{case.number}")
def test_worked_clock_is_due_to_the_second_wherever_the_machine_stands(case, machine_zone):
    target = timedelta(minutes=case.target)
    due = clock.due(case.queue, case.start, target, case.pauses)
    assert due == case.due
    assert due.utcoffset() == timedelta(0)
    assert clock.elapsed(case.queue, case.start, due, case.pauses) == target


def test_362_minutes_were_used_before_the_pause():
    used = clock.elapsed(A, at("America/New_York", "2026-10-05 11:58"), at("America/New_York", "2026-10-06 10:00"))
    assert used == timedelta(minutes=362)


def test_a_pause_that_is_still_going_on_uses_no_minute_and_leaves_no_due_time_before_the_horizon():
    start = at("America/New_York", "2026-10-05 11:58")
    stop = at("America/New_York", "2026-10-06 10:00")
    later = at("America/New_York", "2026-12-01 10:00")
    assert clock.elapsed(A, start, later, [(stop, None)]) == timedelta(minutes=362)
    assert clock.due(A, start, timedelta(minutes=2400), [(stop, None)]) == start.astimezone(UTC) + clock.HORIZON


def test_pauses_that_overlap_are_taken_off_once():
    start, end = at("America/New_York", "2026-10-05 09:00"), at("America/New_York", "2026-10-05 17:00")
    pauses = [
        (at("America/New_York", "2026-10-05 10:00"), at("America/New_York", "2026-10-05 12:00")),
        (at("America/New_York", "2026-10-05 11:00"), at("America/New_York", "2026-10-05 13:00")),
        (at("America/New_York", "2026-10-05 11:30"), at("America/New_York", "2026-10-05 11:45")),
    ]
    assert clock.elapsed(A, start, end, pauses) == timedelta(hours=5)


def test_a_round_the_clock_day_has_23_and_25_hours():
    midnight = [at("America/New_York", f"{day} 00:00") for day in ("2027-03-14", "2027-03-15", "2026-11-01", "2026-11-02")]
    assert clock.elapsed(B, midnight[0], midnight[1]) == timedelta(hours=23)
    assert clock.elapsed(B, midnight[2], midnight[3]) == timedelta(hours=25)


def test_midnight_that_comes_twice_is_not_counted_twice():
    # Havana repeats 00:00–01:00 on 1 November 2026: the day before closes at the second midnight, the day itself opens at the first.
    havana = checked("America/Havana", every_day("00:00-24:00"))
    start, end = utc("2026-10-31T12:00Z"), utc("2026-11-02T12:00Z")
    assert clock.elapsed(havana, start, end) == end - start


def test_a_span_inside_the_skipped_hour_is_no_span():
    queue = checked("America/New_York", [*[parse_spans("09:00-17:00")] * 6, parse_spans("02:10-02:50")])
    sunday = utc("2027-03-14T00:00Z")
    assert clock.elapsed(queue, sunday, sunday + timedelta(days=1)) == timedelta(0)


def test_a_night_shift_before_a_holiday_ends_on_the_holiday():
    queue = checked("America/New_York", every_day("22:00-06:00"), {at("UTC", "2026-11-26 00:00").date(): ()})
    start, end = at("America/New_York", "2026-11-25 12:00"), at("America/New_York", "2026-11-27 12:00")
    assert clock.elapsed(queue, start, end) == timedelta(hours=8)


def test_a_clock_without_enough_open_time_is_due_at_the_horizon():
    scarce = checked("UTC", [parse_spans("09:00-10:00"), *[()] * 6])
    start = utc("2026-01-05T00:00Z")
    assert clock.due(scarce, start, timedelta(minutes=14_400)) == start + clock.HORIZON


def test_minutes_left_never_says_zero_while_there_is_time():
    due = at("America/New_York", "2026-10-06 11:58")
    assert clock.minutes_left(A, due - timedelta(seconds=1), due) == 1
    assert clock.minutes_left(A, due - timedelta(minutes=76), due) == 76
    assert clock.minutes_left(A, due, due) == 0
    assert clock.minutes_left(A, due + timedelta(hours=1), due) == 0


def test_open_and_closed_moments():
    zone = "Europe/Berlin"
    assert clock.is_open(C, at(zone, "2026-10-27 08:30"))
    assert not clock.is_open(C, at(zone, "2026-10-27 12:30"))
    assert not clock.is_open(C, at(zone, "2026-10-27 13:29"))
    assert clock.is_open(C, at(zone, "2026-10-27 13:30"))
    assert not clock.is_open(C, at(zone, "2026-10-25 10:00"))


# Around both changes of the hour in three zones, with seconds.
moments = st.integers(int(datetime(2026, 10, 20, tzinfo=UTC).timestamp()), int(datetime(2027, 4, 5, tzinfo=UTC).timestamp())).map(
    lambda seconds: datetime.fromtimestamp(seconds, UTC)
)
LORD_HOWE = checked("Australia/Lord_Howe", every_day("00:00-24:00"))  # changes by half an hour
HAVANA = checked("America/Havana", week("20:00-04:00", "04:00-24:00"))  # changes at midnight
queues = st.sampled_from([*QUEUES.values(), LORD_HOWE, HAVANA])


@settings(max_examples=1000, deadline=None)
@given(queues, st.lists(moments, min_size=3, max_size=3))
def test_elapsed_adds_up(queue, three):
    a, b, c = sorted(three)
    assert clock.elapsed(queue, a, c) == clock.elapsed(queue, a, b) + clock.elapsed(queue, b, c)
    assert timedelta(0) <= clock.elapsed(queue, a, c) <= c - a
    assert clock.elapsed(queue, c, a) == -clock.elapsed(queue, a, c)


@settings(max_examples=500, deadline=None)
@given(queues, moments, st.integers(1, 6_000 * 60))
def test_due_and_elapsed_invert_each_other(queue, start, seconds):
    target = timedelta(seconds=seconds)
    due = clock.due(queue, start, target)
    if due == start + clock.HORIZON:
        assert clock.elapsed(queue, start, due) <= target
        return
    assert clock.elapsed(queue, start, due) == target
    assert clock.elapsed(queue, start, due - timedelta(seconds=1)) == target - timedelta(seconds=1)


def test_ten_thousand_triples_across_both_changes_add_up_in_seconds_of_work():
    # Spread by a multiplicative step instead of chance: the same triples every time.
    span = 150 * 24 * 3600
    first = datetime(2026, 10, 20, tzinfo=UTC)
    began = time.thread_time()
    for number in range(10_000):
        a, b, c = sorted(first + timedelta(seconds=(number * step) % span) for step in (7_368_787, 3_267_001, 5_915_587))
        queue = list(QUEUES.values())[number % 5]
        assert clock.elapsed(queue, a, c) == clock.elapsed(queue, a, b) + clock.elapsed(queue, b, c)
    assert time.thread_time() - began < 30


def test_the_farthest_horizon_is_reached_in_well_under_a_second():
    scarce = checked("America/New_York", [parse_spans("09:00-10:00"), *[()] * 6])
    began = time.thread_time()
    clock.due(scarce, utc("2026-01-05T00:00Z"), timedelta(days=90))
    assert time.thread_time() - began < 1


def test_local_times_count_real_seconds_across_a_change():
    # 00:30 EDT to 03:30 EST is four hours, though the wall clocks are three apart.
    start, end = at("America/New_York", "2026-11-01 00:30"), at("America/New_York", "2026-11-01 03:30")
    assert clock.elapsed(B, start, end) == timedelta(hours=4)
    assert clock.due(B, start, timedelta(0)) == start
