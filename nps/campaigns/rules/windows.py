"""When a mail leaves: days and hours in the recipient's own zone, a hashed minute, equal daily parts.

A wall-clock time that a clock change removes becomes the next minute that exists; one that comes twice means its first pass.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from nps.core import ids
from nps.core.errors import Invalid

UTC = timezone.utc  # noqa: UP017  a value, not the clock
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SHORT = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
SHORTEST = 15
"""Minutes a window needs, or needs to have left today, to be used."""
SPREAD_MOST = 60
PER_DAY = 2000
"""A one-time wave is spread over so many days that none has more."""


@dataclass(frozen=True)
class Window:
    """Weekdays (0 = Monday) and minutes of the day [start, end)."""

    days: tuple[int, ...] = (1, 2, 3)
    start: int = 9 * 60
    end: int = 11 * 60

    @property
    def words(self) -> str:
        """ "Tuesday to Thursday, 09:00 to 11:00"."""
        return f"{_days_in_words(self.days)}, {clock_words(self.start)} to {clock_words(self.end)}"

    def as_json(self) -> dict[str, Any]:
        return {"days": list(self.days), "start": self.start, "end": self.end}


DEFAULT = Window()
EVENT = Window((0, 1, 2, 3, 4), 9 * 60, 17 * 60)


def _days_in_words(days: Sequence[int]) -> str:
    if len(days) == 7:
        return "Every day"
    if len(days) > 2 and list(days) == list(range(days[0], days[-1] + 1)):
        return f"{DAYS[days[0]]} to {DAYS[days[-1]]}"
    names = [DAYS[day] for day in days]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def clock_words(minute: int) -> str:
    """ "09:05"; 1440 is "24:00"."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def read_clock(text: str) -> int | None:
    """Minutes of the day of "09:00", "9:00" or "24:00"; None for anything else."""
    hours, colon, minutes = text.strip().partition(":")
    if not (
        colon and hours.isascii() and hours.isdigit() and minutes.isascii() and minutes.isdigit() and len(hours) < 3 and len(minutes) == 2
    ):
        return None
    value = int(hours) * 60 + int(minutes)
    return value if int(minutes) < 60 and value <= 24 * 60 else None


def check(days: Iterable[int], start: int | None, end: int | None) -> Window:
    """The window a member chose. Raises Invalid with the field that is wrong."""
    chosen = tuple(sorted(set(days)))
    wrong: dict[str, str] = {}
    if not chosen or any(day not in range(7) for day in chosen):
        wrong["days"] = "Choose at least one day of the week."
    if start is None:
        wrong["start"] = "Write the first hour like 09:00."
    if end is None:
        wrong["end"] = "Write the last hour like 11:00."
    if start is not None and end is not None and end - start < SHORTEST:
        wrong["end"] = f"The window from {clock_words(start)} to {clock_words(end)} is too short. Leave at least {SHORTEST} minutes."
    if wrong or start is None or end is None:
        raise Invalid("The sending window was not saved.", fields=wrong)
    return Window(chosen, start, end)


def from_json(value: Mapping[str, Any] | None) -> Window:
    """The stored window; the default when nothing is stored."""
    if not value:
        return DEFAULT
    return Window(tuple(value["days"]), int(value["start"]), int(value["end"]))


def instant(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """The instant of a wall-clock minute of `day` in `zone`, in UTC."""
    naive = datetime.combine(day, time()) + timedelta(minutes=minute)
    for ahead in range(26 * 60):
        wall = naive + timedelta(minutes=ahead)
        found = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
        if found.astimezone(zone).replace(tzinfo=None) == wall:
            return found
    return naive.replace(tzinfo=zone).astimezone(UTC)


@dataclass(frozen=True)
class Segment:
    """Offsets [start, end) of a window whose instants are `base_at + (offset − start) · step` minutes.

    `step` is 1, or 0 for minutes that a clock change removes.
    """

    start: int
    end: int
    base_at: datetime
    step: int


@dataclass(frozen=True)
class Slot:
    """One sending day in one zone: which minutes are left of the window, as segments."""

    day: date
    first_minute: int
    length: int
    segments: tuple[Segment, ...]

    def due(self, offset: int) -> datetime:
        """The instant of the `offset`-th minute."""
        for part in self.segments:
            if part.start <= offset < part.end:
                return part.base_at + timedelta(minutes=(offset - part.start) * part.step)
        raise ValueError("no such minute in this window")


def slot(day: date, first_minute: int, window: Window, zone: ZoneInfo) -> Slot:
    """The slot of `day` from `first_minute` to the end of the window."""
    length = window.end - first_minute
    start_at, end_at = instant(day, first_minute, zone), instant(day, window.end - 1, zone)
    if end_at - start_at == timedelta(minutes=length - 1):
        return Slot(day, first_minute, length, (Segment(0, length, start_at, 1),))
    segments: list[Segment] = []
    for offset in range(length):
        at = instant(day, first_minute + offset, zone)
        last = segments[-1] if segments else None
        if last is not None and at == last.base_at + timedelta(minutes=(offset - last.start) * last.step):
            segments[-1] = Segment(last.start, offset + 1, last.base_at, last.step)
        elif last is not None and last.end - last.start == 1 and at == last.base_at:
            segments[-1] = Segment(last.start, offset + 1, last.base_at, 0)
        else:
            segments.append(Segment(offset, offset + 1, at, 1))
    return Slot(day, first_minute, length, tuple(segments))


def slots(start_at: datetime, window: Window, zone: ZoneInfo, count: int, days_off: frozenset[date] = frozenset()) -> tuple[Slot, ...]:
    """The next `count` sending days from `start_at` on; today counts while enough of its window is left."""
    here = start_at.astimezone(zone)
    found: list[Slot] = []
    day = here.date()
    for ahead in range(7 * (count + 9) + len(days_off)):
        day = here.date() + timedelta(days=ahead)
        if day.weekday() not in window.days or day in days_off:
            continue
        first = window.start
        if ahead == 0 and here.hour * 60 + here.minute >= window.start:
            first = here.hour * 60 + here.minute + 1
            if window.end - first < SHORTEST:
                continue
        found.append(slot(day, first, window, zone))
        if len(found) == count:
            return tuple(found)
    return tuple(found)


def inside(now: datetime, window: Window, zone: ZoneInfo, days_off: frozenset[date] = frozenset()) -> bool:
    """Is it a sending hour for somebody in `zone`?"""
    here = now.astimezone(zone)
    return here.weekday() in window.days and here.date() not in days_off and window.start <= here.hour * 60 + here.minute < window.end


def next_due(now: datetime, window: Window, zone: ZoneInfo, key: str, days_off: frozenset[date] = frozenset()) -> datetime:
    """The hashed minute of `key` in the next window. `now` itself while the window is open leads to a later minute of today."""
    place = slots(now, window, zone, 1, days_off)[0]
    return place.due(minute(key, place.length))


HASHES = 2**31 - 1


def minute(key: str, length: int) -> int:
    """The hashed minute of `key` in a window of `length` minutes. SQL computes the same from the one hash it has of a person."""
    return ids.bucket(key, HASHES) // LOW % length


LOW = 1024
"""Draws and lines use the low and high parts of the hash; minutes the middle, so that they say nothing about each other."""


def person_key(campaign: str, contact: str) -> str:
    """What is hashed of a person in a campaign: sample, place in line, minute. Ids in hex, so that every database builds the same text."""
    return f"{campaign}{contact}"


def spread_for(people: int) -> int:
    """Sending days so that none has more than `PER_DAY`, at most `SPREAD_MOST`."""
    return max(1, min(SPREAD_MOST, -(-people // PER_DAY)))


def parts(people: int, days: int) -> list[int]:
    """Sizes of equal daily parts, earlier days first; they differ by at most 1."""
    return [people // days + (1 if day < people % days else 0) for day in range(days)]


# Countries that keep one time all over (ISO 3166 → IANA); others need the person's own zone.
ONE_ZONE: dict[str, str] = {
    code: zone
    for zone, codes in {
        "Europe/London": "GB GG IM JE",
        "Europe/Dublin": "IE",
        "Europe/Paris": "FR MC",
        "Europe/Berlin": "DE",
        "Europe/Vienna": "AT",
        "Europe/Zurich": "CH LI",
        "Europe/Brussels": "BE",
        "Europe/Amsterdam": "NL",
        "Europe/Luxembourg": "LU",
        "Europe/Copenhagen": "DK",
        "Europe/Stockholm": "SE",
        "Europe/Oslo": "NO SJ",
        "Europe/Helsinki": "FI AX",
        "Europe/Tallinn": "EE",
        "Europe/Riga": "LV",
        "Europe/Vilnius": "LT",
        "Europe/Warsaw": "PL",
        "Europe/Prague": "CZ",
        "Europe/Bratislava": "SK",
        "Europe/Budapest": "HU",
        "Europe/Ljubljana": "SI",
        "Europe/Zagreb": "HR",
        "Europe/Sarajevo": "BA",
        "Europe/Belgrade": "RS",
        "Europe/Podgorica": "ME",
        "Europe/Skopje": "MK",
        "Europe/Tirane": "AL",
        "Europe/Athens": "GR",
        "Europe/Sofia": "BG",
        "Europe/Bucharest": "RO",
        "Europe/Chisinau": "MD",
        "Europe/Kyiv": "UA",
        "Europe/Istanbul": "TR",
        "Europe/Rome": "IT SM VA",
        "Europe/Malta": "MT",
        "Europe/Minsk": "BY",
        "Europe/Andorra": "AD",
        "Atlantic/Reykjavik": "IS",
        "Asia/Nicosia": "CY",
        "Asia/Jerusalem": "IL",
        "Asia/Dubai": "AE",
        "Asia/Riyadh": "SA",
        "Asia/Qatar": "QA",
        "Asia/Kuwait": "KW",
        "Asia/Bahrain": "BH",
        "Asia/Muscat": "OM",
        "Asia/Amman": "JO",
        "Asia/Beirut": "LB",
        "Asia/Baghdad": "IQ",
        "Asia/Tbilisi": "GE",
        "Asia/Yerevan": "AM",
        "Asia/Baku": "AZ",
        "Asia/Karachi": "PK",
        "Asia/Kolkata": "IN",
        "Asia/Colombo": "LK",
        "Asia/Dhaka": "BD",
        "Asia/Kathmandu": "NP",
        "Asia/Bangkok": "TH",
        "Asia/Ho_Chi_Minh": "VN",
        "Asia/Phnom_Penh": "KH",
        "Asia/Kuala_Lumpur": "MY",
        "Asia/Singapore": "SG",
        "Asia/Manila": "PH",
        "Asia/Hong_Kong": "HK",
        "Asia/Macau": "MO",
        "Asia/Taipei": "TW",
        "Asia/Seoul": "KR",
        "Asia/Tokyo": "JP",
        "Africa/Johannesburg": "ZA",
        "Africa/Lagos": "NG",
        "Africa/Nairobi": "KE",
        "Africa/Accra": "GH",
        "Africa/Cairo": "EG",
        "Africa/Tunis": "TN",
        "Africa/Algiers": "DZ",
        "Africa/Casablanca": "MA",
        "Africa/Addis_Ababa": "ET",
        "Africa/Kampala": "UG",
        "America/Bogota": "CO",
        "America/Lima": "PE",
        "America/Caracas": "VE",
        "America/Montevideo": "UY",
        "America/Asuncion": "PY",
        "America/La_Paz": "BO",
        "America/Argentina/Buenos_Aires": "AR",
        "America/Panama": "PA",
        "America/Costa_Rica": "CR",
        "America/Guatemala": "GT",
        "America/Jamaica": "JM",
        "America/Puerto_Rico": "PR",
        "America/Santo_Domingo": "DO",
    }.items()
    for code in codes.split()
}


def zone_info(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def zone_of(time_zone: str | None, country: str | None, account: str) -> str:
    """Whose clock counts for a person: their own, else their country's if it has a single one, else the account's."""
    return time_zone or ONE_ZONE.get(country or "") or account
