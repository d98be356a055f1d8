from datetime import date

from nps.followups.rules import holidays
from nps.followups.rules.hours import Span

ICS = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
DTSTART;VALUE=DATE:20261225
DTEND;VALUE=DATE:20261227
SUMMARY:Christmas\\, both
 days
END:VEVENT
BEGIN:VEVENT
DTSTART;VALUE=DATE:20260101
RRULE:FREQ=YEARLY;COUNT=2
SUMMARY:New Year
END:VEVENT
{more}END:VCALENDAR
"""


def test_pasted_lines_are_dates_with_names_closed_or_with_own_hours():
    found = holidays.read("2026-12-25 Christmas Day\n\n2026-12-24 09:00-13:00 Christmas Eve\n2026-12-31")
    assert not found.problems
    assert [(h.day, h.name, h.spans) for h in found.holidays] == [
        (date(2026, 12, 24), "Christmas Eve", (Span(540, 780),)),
        (date(2026, 12, 25), "Christmas Day", ()),
        (date(2026, 12, 31), "Holiday", ()),
    ]
    assert holidays.read("\n".join(map(str, found.holidays))).holidays == found.holidays


def test_bad_lines_are_named_by_number_and_good_ones_kept():
    found = holidays.read("2026-12-25 Christmas\nBoxing Day\n2026-02-30 Never\n2026-12-24 25:00-26:00 Eve")
    assert [number for number, _ in found.problems] == [2, 3, 4]
    assert len(found.holidays) == 1


def test_a_day_twice_is_said():
    found = holidays.read("2026-12-25 Christmas\n2026-12-25 Weihnachten")
    assert len(found.holidays) == 1
    assert "twice" in found.problems[0][1]


def test_a_calendar_file_gives_whole_days_and_counted_years():
    found = holidays.read(ICS.format(more=""))
    assert not found.problems
    assert [(h.day.isoformat(), h.name) for h in found.holidays] == [
        ("2026-01-01", "New Year"),
        ("2026-12-25", "Christmas, bothdays"),
        ("2026-12-26", "Christmas, bothdays"),
        ("2027-01-01", "New Year"),
    ]


def test_an_endless_event_is_refused_by_its_line_and_the_others_offered():
    found = holidays.read(ICS.format(more="BEGIN:VEVENT\nDTSTART:20260601\nRRULE:FREQ=YEARLY\nEND:VEVENT\n"))
    assert found.problems == [(16, "This event repeats without an end. Give the dates of the years you need.")]
    assert len(found.holidays) == 4


def test_files_that_are_too_large_cut_off_or_empty_say_so():
    assert "1 MB" in holidays.read("2026-12-25 " + "x" * 1_000_001).problems[0][1]
    assert "cut off" in holidays.read("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261225\n").problems[0][1]
    assert holidays.read("BEGIN:VCALENDAR\nEND:VCALENDAR\n").problems == [(1, "There is no date in this file.")]


def test_an_event_that_would_fill_the_calendar_is_refused():
    endless = "BEGIN:VEVENT\nDTSTART:20260101\nDTEND:99990101\nEND:VEVENT\n"
    undated = "BEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\n"
    found = holidays.read(ICS.format(more=endless + undated))
    assert [number for number, _ in found.problems] == [15, 18]


def test_more_than_400_days_are_cut_and_said():
    text = "\n".join(f"{date.fromordinal(date(2026, 1, 1).toordinal() + n).isoformat()} Day" for n in range(401))
    found = holidays.read(text)
    assert len(found.holidays) == 400
    assert "At most 400" in found.problems[0][1]
