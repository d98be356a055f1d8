"""Business hours: weekly spans of local wall time, holidays, and the UTC instants they become.

Spans are written in local wall time for each date and only then turned into instants, so that a day of 23 or 25 hours
counts what really passed. A wall time inside a skipped hour is the first instant after it; inside a repeated hour an
opening is the first and a closing the second occurrence. Days that touch or overlap are joined: no minute counts twice.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAY = 24 * 60
MOST_SPANS = 3
MOST_HOLIDAYS = 400
FEWEST_MINUTES_A_WEEK = 60
DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_SPAN = re.compile(r"(\d{1,2})[:.](\d{2})\s*(?:-|–|—|to)\s*(\d{1,2})[:.](\d{2})", re.IGNORECASE)
_SECOND = timedelta(seconds=1)


class HoursProblem(ValueError):
    """Hours that cannot be used. `fields` maps the name of a form field to what is wrong with it."""

    def __init__(self, **fields: str) -> None:
        self.fields = fields
        super().__init__("; ".join(fields.values()))


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Open from `opens` to `closes`, in minutes after local midnight of the day the span belongs to.

    `closes` goes past 1440 when the span ends after midnight: 22:00–06:00 is Span(1320, 1800) of its first day.
    """

    opens: int
    closes: int

    def __post_init__(self) -> None:
        if not (0 <= self.opens < DAY and self.opens < self.closes <= self.opens + DAY):
            raise ValueError(f"not a span of one day: {self.opens} to {self.closes}")

    def __str__(self) -> str:
        closes = self.closes if self.closes <= DAY else self.closes - DAY
        return f"{_clock_face(self.opens)}–{_clock_face(closes)}"


def _clock_face(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def parse_spans(text: str) -> tuple[Span, ...]:
    """Read "09:00–12:30, 13:30–18:00"; empty text or "closed" is a closed day.

    Raises ValueError with a sentence for people.
    """
    text = text.strip()
    if not text or text.lower() in {"closed", "-", "–"}:
        return ()
    spans = []
    for part in re.split(r"[,;\n]| and ", text):
        found = _SPAN.fullmatch(part.strip())
        if not found:
            raise ValueError(f"“{part.strip()}” is not a time from–to. Write it like 09:00–17:00.")
        spans.append(_span(part.strip(), *(int(number) for number in found.groups())))
    if len(spans) > MOST_SPANS:
        raise ValueError(f"A day has at most {MOST_SPANS} spans.")
    return tuple(sorted(spans))


def _span(text: str, open_hour: int, open_minute: int, close_hour: int, close_minute: int) -> Span:
    if open_hour > 23 or open_minute > 59 or close_minute > 59 or close_hour > 24 or (close_hour == 24 and close_minute):
        raise ValueError(f"“{text}” is not a time of the day.")
    opens, closes = open_hour * 60 + open_minute, close_hour * 60 + close_minute
    if opens == closes:
        raise ValueError(f"“{text}” opens and closes at the same time. For a whole day write 00:00–24:00.")
    return Span(opens, closes if closes > opens else closes + DAY)


Week = tuple[tuple[Span, ...], ...]


@dataclass(frozen=True)
class Hours:
    """When a queue is open: a zone, seven weekdays (Monday first) and dates with hours of their own (none = closed)."""

    zone: str
    week: Week
    holidays: Mapping[date, tuple[Span, ...]] = field(default_factory=dict)
    _days: dict[date, tuple[tuple[datetime, datetime], ...]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @property
    def longest_day(self) -> int:
        """Minutes of wall time of the weekday with the most of them: "one working day" of this queue."""
        return max(sum(span.closes - span.opens for span in day) for day in self.week)

    def spans_of(self, day: date) -> tuple[Span, ...]:
        return self.holidays.get(day, self.week[day.weekday()])

    def open_spans(self, day: date) -> tuple[tuple[datetime, datetime], ...]:
        """The instants [opens, closes) of the spans that belong to one local date, in UTC, in order."""
        if day not in self._days:
            self._days[day] = tuple(self._instants(day))
        return self._days[day]

    def _instants(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        tz = self.tz
        for span in self.spans_of(day):
            opens = instant(datetime.combine(day, datetime.min.time()) + timedelta(minutes=span.opens), tz, fold=0)
            closes = instant(datetime.combine(day, datetime.min.time()) + timedelta(minutes=span.closes), tz, fold=1)
            if opens < closes:
                yield opens, closes


def instant(wall: datetime, tz: ZoneInfo, *, fold: int) -> datetime:
    """The UTC instant of a naive wall time; a skipped one becomes the first instant after the gap."""
    at = wall.replace(tzinfo=tz, fold=fold).astimezone(UTC)
    if at.astimezone(tz).replace(tzinfo=None) == wall:
        return at
    # PEP 495: in a gap fold=1 lies before the transition and fold=0 after it. Offsets change on whole seconds.
    before = wall.replace(tzinfo=tz, fold=1).astimezone(UTC)
    after = wall.replace(tzinfo=tz, fold=0).astimezone(UTC)
    old = before.astimezone(tz).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(tz).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after


def is_skipped(wall: datetime, tz: ZoneInfo) -> bool:
    """True for a wall time that never shows on a clock of this zone."""
    return wall.replace(tzinfo=tz).astimezone(UTC).astimezone(tz).replace(tzinfo=None) != wall


def checked(zone: str, week: Iterable[Iterable[Span]], holidays: Mapping[date, Iterable[Span]] | None = None) -> Hours:
    """Hours that keep every rule, or HoursProblem naming each field that does not: zone, monday … sunday, hours, holidays."""
    wrong: dict[str, str] = {}
    days = tuple(tuple(sorted(day)) for day in week)
    own = {day: tuple(sorted(spans)) for day, spans in (holidays or {}).items()}
    if not zone_exists(zone):
        wrong["zone"] = f"“{zone}” is not a time zone we know. Choose one like Europe/Berlin."
    if len(days) != 7:
        raise ValueError("a week has seven days")
    for name, spans in zip(DAY_NAMES, days, strict=True):
        if len(spans) > MOST_SPANS:
            wrong[name.lower()] = f"A day has at most {MOST_SPANS} spans."
    for first, second in _overlaps(days):
        at, before = DAY_NAMES[second[0]], DAY_NAMES[first[0]]
        wrong.setdefault(at.lower(), f"{second[1]} on {at} overlaps {first[1]} on {before}.")
    if sum(span.closes - span.opens for spans in days for span in spans) < FEWEST_MINUTES_A_WEEK:
        wrong["hours"] = "Open at least one hour a week, or a clock would never end."
    if len(own) > MOST_HOLIDAYS:
        wrong["holidays"] = f"At most {MOST_HOLIDAYS} holidays."
    for day, spans in own.items():
        if len(spans) > MOST_SPANS or any(a.closes > b.opens for a, b in zip(spans, spans[1:], strict=False)):
            wrong.setdefault("holidays", f"The hours on {day:%-d %B %Y} overlap.")
    if wrong:
        raise HoursProblem(**wrong)
    return Hours(zone, days, own)


def _overlaps(week: Week) -> Iterator[tuple[tuple[int, Span], tuple[int, Span]]]:
    """Neighbours that overlap, Sunday night against Monday morning included."""
    flat = [(day, span) for day, spans in enumerate(week) for span in spans]
    flat.sort(key=lambda item: (item[0] * DAY + item[1].opens, item[1].closes))
    if not flat:
        return
    following = [*flat[1:], flat[0]] if len(flat) > 1 else []
    for place, (first, second) in enumerate(zip(flat, following, strict=False)):
        wrap = 7 * DAY if place == len(flat) - 1 else 0
        if first[0] * DAY + first[1].closes > second[0] * DAY + second[1].opens + wrap:
            yield first, second


def zone_exists(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # ValueError: "../etc"; OSError: the name of a folder
        return False
    return bool(zone) and zone not in {"localtime", "posixrules", "Factory"}
