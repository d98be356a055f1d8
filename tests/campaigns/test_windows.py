"""When a mail leaves."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nps.campaigns.rules import windows
from nps.campaigns.rules.windows import Window
from nps.core.errors import Invalid

LONDON, PARIS, LORD_HOWE = ZoneInfo("Europe/London"), ZoneInfo("Europe/Paris"), ZoneInfo("Australia/Lord_Howe")
ZONES = [
    "Pacific/Auckland",
    "Asia/Kolkata",
    "Europe/London",
    "America/Los_Angeles",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "UTC",
    "Asia/Kathmandu",
]


def test_an_hour_that_a_clock_change_removes_becomes_the_next_minute_that_exists() -> None:
    # 29 March 2026, 01:00 to 02:00 does not exist in London
    assert windows.instant(date(2026, 3, 29), 90, LONDON) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert windows.instant(date(2026, 3, 29), 90, LONDON).astimezone(LONDON).strftime("%H:%M") == "02:00"


def test_an_hour_that_comes_twice_means_its_first_pass() -> None:
    # 25 October 2026, 01:30 comes twice in London: 00:30 and 01:30 UTC
    assert windows.instant(date(2026, 10, 25), 90, LONDON) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_day_that_was_skipped_altogether_leads_to_the_next_day() -> None:
    # Samoa had no 30 December 2011
    at = windows.instant(date(2011, 12, 30), 9 * 60, ZoneInfo("Pacific/Apia"))
    assert at.astimezone(ZoneInfo("Pacific/Apia")).strftime("%Y-%m-%d %H:%M") == "2011-12-31 00:00"


@given(
    day=st.dates(date(2026, 1, 1), date(2027, 12, 31)),
    start=st.integers(0, 1400),
    length=st.integers(15, 600),
    zone=st.sampled_from(ZONES),
    data=st.data(),
)
def test_segments_give_the_instant_of_every_minute(day: date, start: int, length: int, zone: str, data: Any) -> None:
    length = min(length, 1440 - start)
    if length < 15:
        return
    window, place = Window((0, 1, 2, 3, 4, 5, 6), start, start + length), ZoneInfo(zone)
    made = windows.slot(day, start, window, place)
    offset = data.draw(st.integers(0, length - 1))
    assert made.due(offset) == windows.instant(day, start + offset, place)
    assert made.segments[0].start == 0
    assert made.segments[-1].end == length
    assert all(a.end == b.start for a, b in zip(made.segments, made.segments[1:], strict=False))


@pytest.mark.parametrize(
    "day", [date(2026, 3, 29), date(2026, 10, 25), date(2026, 4, 5), date(2026, 10, 4), date(2026, 3, 8), date(2026, 11, 1)]
)
@pytest.mark.parametrize("zone", ZONES)
def test_minutes_over_a_clock_change_are_all_right(day: date, zone: str) -> None:
    window, place = Window(tuple(range(7)), 0, 5 * 60), ZoneInfo(zone)
    made = windows.slot(day, 0, window, place)
    assert [made.due(offset) for offset in range(300)] == [windows.instant(day, offset, place) for offset in range(300)]


@given(
    start=st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),
    zone=st.sampled_from(ZONES),
    days=st.sets(st.integers(0, 6), min_size=1),
    count=st.integers(1, 12),
    key=st.text(min_size=1, max_size=20),
)
def test_every_due_time_lies_inside_the_window_and_not_before_the_start(
    start: datetime, zone: str, days: set[int], count: int, key: str
) -> None:
    window, place = Window(tuple(sorted(days)), 9 * 60, 11 * 60), ZoneInfo(zone)
    found = windows.slots(start, window, place, count)
    assert len(found) == count
    assert len({s.day for s in found}) == count
    for part in found:
        for at in (part.due(0), part.due(part.length - 1)):
            assert windows.inside(at, window, place)
            assert at >= start
    assert windows.inside(windows.next_due(start, window, place, key), window, place)


def test_today_counts_while_a_quarter_of_an_hour_is_left() -> None:
    window = Window((1, 2, 3))
    tuesday = datetime(2026, 10, 6, 9, 30, tzinfo=UTC)  # 10:30 in London
    assert windows.slots(tuesday, window, LONDON, 1)[0].day == date(2026, 10, 6)
    assert windows.slots(tuesday + timedelta(minutes=16), window, LONDON, 1)[0].day == date(2026, 10, 7)


def test_days_off_are_skipped() -> None:
    start = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
    off = frozenset({date(2026, 10, 6), date(2026, 10, 7)})
    assert windows.slots(start, Window((1, 2, 3)), PARIS, 2, off)[0].day == date(2026, 10, 8)


@given(st.integers(0, 100_000), st.integers(1, 60))
def test_daily_parts_differ_by_at_most_one_and_add_up(people: int, days: int) -> None:
    sizes = windows.parts(people, days)
    assert sum(sizes) == people
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize(("people", "days"), [(0, 1), (1, 1), (2000, 1), (2001, 2), (4481, 3), (1_000_000, 60)])
def test_a_wave_is_spread_so_that_no_day_has_more_than_two_thousand(people: int, days: int) -> None:
    assert windows.spread_for(people) == days


@pytest.mark.parametrize(
    ("window", "words"),
    [
        (Window(), "Tuesday to Thursday, 09:00 to 11:00"),
        (Window((0,), 0, 1440), "Monday, 00:00 to 24:00"),
        (Window((0, 2)), "Monday and Wednesday, 09:00 to 11:00"),
        (Window((0, 2, 4)), "Monday, Wednesday and Friday, 09:00 to 11:00"),
        (Window(tuple(range(7))), "Every day, 09:00 to 11:00"),
    ],
)
def test_a_window_in_words(window: Window, words: str) -> None:
    assert window.words == words
    assert windows.from_json(window.as_json()) == window


@pytest.mark.parametrize(
    ("text", "minute"),
    [
        ("09:00", 540),
        ("9:05", 545),
        ("24:00", 1440),
        ("24:01", None),
        ("9", None),
        ("09:60", None),
        ("a:00", None),
        ("", None),
        ("-1:00", None),
    ],
)
def test_a_clock_time_is_read_or_refused(text: str, minute: int | None) -> None:
    assert windows.read_clock(text) == minute


@pytest.mark.parametrize(
    ("days", "start", "end", "field"),
    [
        ([], 540, 660, "days"),
        ([9], 540, 660, "days"),
        ([1], None, 660, "start"),
        ([1], 540, None, "end"),
        ([1], 660, 540, "end"),
        ([1], 540, 550, "end"),
    ],
)
def test_a_window_that_cannot_be_is_refused_at_its_field(days: list[int], start: int | None, end: int | None, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        windows.check(days, start, end)
    assert field in refused.value.fields


@pytest.mark.parametrize(
    ("zone", "country", "chosen"),
    [("Asia/Tokyo", "DE", "Asia/Tokyo"), (None, "DE", "Europe/Berlin"), (None, "US", "America/New_York"), (None, None, "America/New_York")],
)
def test_whose_clock_counts(zone: str | None, country: str | None, chosen: str) -> None:
    assert windows.zone_of(zone, country, "America/New_York") == chosen


def test_every_single_zone_country_names_a_zone_that_exists() -> None:
    assert all(ZoneInfo(zone) for zone in windows.ONE_ZONE.values())
