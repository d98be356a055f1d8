"""The queues and clocks that the product is held to, as values."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from nps.followups.rules.hours import Hours, checked, parse_spans


def week(monday_to_friday: str, saturday: str = "", sunday: str = "") -> list[tuple]:
    return [parse_spans(monday_to_friday)] * 5 + [parse_spans(saturday), parse_spans(sunday)]


def every_day(spans: str) -> list[tuple]:
    return [parse_spans(spans)] * 7


A = checked(
    "America/New_York",
    week("09:00-17:00"),
    {
        date(2026, 11, 26): (),
        date(2026, 12, 25): (),
        date(2027, 1, 1): (),
        date(2026, 12, 24): parse_spans("09:00-13:00"),
    },
)
B = checked("America/New_York", every_day("00:00-24:00"))
C = checked("Europe/Berlin", week("08:30-12:30, 13:30-18:00"))
D = checked("America/Chicago", every_day("22:00-06:00"))
E = checked("America/New_York", [()] * 6 + [parse_spans("02:30-04:00")])
QUEUES = {"A": A, "B": B, "C": C, "D": D, "E": E}


@dataclass(frozen=True)
class Clock:
    number: int
    queue: Hours
    target: int
    start: datetime
    due: datetime
    pauses: tuple = ()


def at(zone: str, text: str, fold: int = 0) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo(zone), fold=fold)


def utc(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M%z")


def _clock(number: int, name: str, target: int, start: str, due: str, pauses: tuple = ()) -> Clock:
    zone = QUEUES[name].zone
    spans = tuple((at(zone, a), at(zone, b)) for a, b in pauses)
    return Clock(number, QUEUES[name], target, at(zone, start), utc(due), spans)


CLOCKS = [
    _clock(1, "A", 480, "2026-10-05 11:58", "2026-10-06T15:58Z"),
    _clock(2, "A", 60, "2026-10-09 16:30", "2026-10-12T13:30Z"),
    _clock(3, "A", 60, "2026-10-10 14:00", "2026-10-12T14:00Z"),
    _clock(4, "A", 60, "2026-10-06 16:00", "2026-10-06T21:00Z"),
    _clock(5, "A", 60, "2026-10-06 17:00", "2026-10-07T14:00Z"),
    _clock(6, "A", 240, "2026-11-25 15:00", "2026-11-27T16:00Z"),
    _clock(7, "A", 240, "2026-12-24 12:00", "2026-12-28T17:00Z"),
    _clock(8, "A", 480, "2026-10-30 16:00", "2026-11-02T21:00Z"),
    _clock(9, "B", 240, "2027-03-14 01:30", "2027-03-14T10:30Z"),
    _clock(10, "B", 240, "2026-11-01 00:30", "2026-11-01T08:30Z"),
    _clock(11, "C", 240, "2026-10-23 16:00", "2026-10-26T09:30Z"),
    _clock(12, "C", 60, "2026-10-27 12:10", "2026-10-27T13:10Z"),
    _clock(13, "D", 480, "2027-03-13 23:00", "2027-03-15T05:00Z"),
    _clock(14, "D", 480, "2026-10-31 23:00", "2026-11-01T12:00Z"),
    _clock(15, "E", 60, "2027-03-13 12:00", "2027-03-14T08:00Z"),
    _clock(16, "A", 2400, "2026-10-05 11:58", "2026-10-15T13:28Z", (("2026-10-06 10:00", "2026-10-08 15:30"),)),
    _clock(17, "A", 2400, "2026-10-05 11:58", "2026-10-12T15:58Z", (("2026-10-09 17:00", "2026-10-12 08:00"),)),
    # 18: the reply of 09:40 bounced, so the clock runs as if it had never stopped.
    _clock(18, "A", 60, "2026-10-05 09:10", "2026-10-05T14:10Z"),
]
