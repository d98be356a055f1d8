from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from nps.followups.rules.hours import HoursProblem, Span, checked, instant, is_skipped, parse_spans, zone_exists

from .examples import A, C, D, every_day, week

CLOSED = [()] * 6
NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("09:00–17:00", (Span(540, 1020),)),
        ("13:30-18:00, 8.30-12.30", (Span(510, 750), Span(810, 1080))),
        ("22:00 to 06:00", (Span(1320, 1800),)),
        ("00:00-24:00", (Span(0, 1440),)),
        ("closed", ()),
        ("", ()),
    ],
)
def test_times_people_write_become_spans(text, spans):
    assert parse_spans(text) == spans


FOUR = "08:00-09:00,10:00-11:00,12:00-13:00,14:00-15:00"


@pytest.mark.parametrize("text", ["9 to 5", "09:00-25:00", "09:00-24:30", "12:60-13:00", "09:00-09:00", FOUR])
def test_times_that_are_none_are_refused_in_words(text):
    with pytest.raises(ValueError, match=r"\.$"):
        parse_spans(text)


def test_a_span_prints_as_it_is_read():
    for text in ("09:00–17:00", "22:00–06:00", "00:00–24:00"):
        assert str(parse_spans(text)[0]) == text


def test_the_longest_weekday_is_one_working_day():
    assert A.longest_day == 480
    assert C.longest_day == 510
    assert D.longest_day == 480


@pytest.mark.parametrize(
    ("zone", "days", "field"),
    [
        ("Moon/Crater", week("09:00-17:00"), "zone"),
        ("../etc/passwd", week("09:00-17:00"), "zone"),
        ("", week("09:00-17:00"), "zone"),
        ("UTC", [()] * 7, "hours"),
        ("UTC", [parse_spans("09:00-09:59"), *CLOSED], "hours"),
        ("UTC", [parse_spans("09:00-12:00, 11:00-17:00"), *CLOSED], "monday"),
        ("UTC", [parse_spans("22:00-06:00"), parse_spans("05:00-09:00"), *[()] * 5], "tuesday"),
        ("UTC", [parse_spans("01:00-05:00"), *[()] * 5, parse_spans("22:00-02:00")], "monday"),
    ],
)
def test_hours_that_cannot_be_used_name_their_field(zone, days, field):
    with pytest.raises(HoursProblem) as problem:
        checked(zone, days)
    assert list(problem.value.fields) == [field]


def test_spans_that_touch_are_no_overlap():
    assert checked("UTC", every_day("00:00-24:00"))
    assert checked("UTC", every_day("08:00-12:00, 12:00-16:00"))
    assert checked("UTC", every_day("22:00-06:00"))


def test_at_most_400_holidays():
    days = {date.fromordinal(date(2026, 1, 1).toordinal() + number): () for number in range(401)}
    with pytest.raises(HoursProblem) as problem:
        checked("UTC", week("09:00-17:00"), days)
    assert "400" in problem.value.fields["holidays"]


def test_own_hours_of_a_holiday_may_not_overlap():
    with pytest.raises(HoursProblem) as problem:
        checked("UTC", week("09:00-17:00"), {date(2026, 12, 24): parse_spans("09:00-13:00, 12:00-14:00")})
    assert problem.value.fields == {"holidays": "The hours on 24 December 2026 overlap."}


def wall(*parts):
    """A time as a clock on the wall shows it: without a zone on purpose."""
    return datetime(*parts, tzinfo=UTC).replace(tzinfo=None)


def test_skipped_and_repeated_wall_times():
    skipped, repeated = wall(2027, 3, 14, 2, 30), wall(2026, 11, 1, 1, 30)
    first_after = datetime(2027, 3, 14, 7, 0, tzinfo=UTC)
    assert instant(skipped, NEW_YORK, fold=0) == instant(skipped, NEW_YORK, fold=1) == first_after
    assert instant(repeated, NEW_YORK, fold=0) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert instant(repeated, NEW_YORK, fold=1) == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    assert is_skipped(skipped, NEW_YORK)
    assert not is_skipped(repeated, NEW_YORK)
    assert not is_skipped(wall(2027, 3, 14, 3, 0), NEW_YORK)


def test_a_skipped_date_starts_when_the_next_one_does():
    # Samoa went from 29 to 31 December 2011.
    apia = ZoneInfo("Pacific/Apia")
    assert instant(wall(2011, 12, 30, 9, 0), apia, fold=0) == datetime(2011, 12, 30, 10, 0, tzinfo=UTC)
    assert is_skipped(wall(2011, 12, 30, 9, 0), apia)


def test_zones_of_the_world_exist_and_files_of_the_machine_do_not():
    assert zone_exists("Europe/Berlin")
    assert not zone_exists("Europe")
    assert not zone_exists("localtime")
    assert not zone_exists("Europe/Berlin\n")
