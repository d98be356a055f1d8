"""Holidays pasted as lines or taken from an .ics file (RFC 5545): dates with a name, closed or with own hours."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from nps.followups.rules.hours import MOST_HOLIDAYS, Span, parse_spans

MOST_BYTES = 1_000_000
MOST_YEARS = 30
MOST_DAYS = 31


@dataclass(frozen=True, slots=True)
class Holiday:
    day: date
    name: str
    spans: tuple[Span, ...] = ()

    def __str__(self) -> str:
        own = " " + ", ".join(str(span) for span in self.spans) if self.spans else ""
        return f"{self.day.isoformat()}{own} {self.name}"


@dataclass
class Found:
    """Good dates in order, and what is wrong by line number (from 1)."""

    holidays: list[Holiday] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)


_SPANS = r"(?:\d{1,2}[:.]\d{2}\s*[-–]\s*\d{1,2}[:.]\d{2}(?:\s*,\s*)?)*"
_LINE = re.compile(rf"(?P<day>\d{{4}}-\d{{2}}-\d{{2}})[\s,;]*(?P<spans>{_SPANS})[\s,;]*(?P<name>.*)")


def read(text: str) -> Found:
    """Lines, or an .ics file when it starts like one."""
    if len(text.encode()) > MOST_BYTES:
        return Found(problems=[(1, "The file is larger than 1 MB. A year of holidays is a few kilobytes.")])
    found = _read_ics(text) if text.lstrip("\ufeff \r\n\t").upper().startswith("BEGIN:VCALENDAR") else _read_lines(text)
    return _once_each(found)


def _read_lines(text: str) -> Found:
    found = Found()
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.strip())
        if not match:
            found.problems.append((number, "Start the line with a date like 2026-12-25, then the name."))
            continue
        try:
            day = date.fromisoformat(match["day"])
            spans = parse_spans(match["spans"].strip(" ,"))
        except ValueError as error:
            shown = str(error) if match["spans"] and "“" in str(error) else f"{match['day']} is not a date."
            found.problems.append((number, shown))
            continue
        found.holidays.append(Holiday(day, _name(match["name"]), spans))
    return found


def _once_each(found: Found) -> Found:
    seen: dict[date, Holiday] = {}
    for holiday in found.holidays:
        if holiday.day in seen:
            found.problems.append((0, f"{holiday.day.isoformat()} is there twice: “{seen[holiday.day].name}” and “{holiday.name}”."))
        else:
            seen[holiday.day] = holiday
    found.holidays = sorted(seen.values(), key=lambda holiday: holiday.day)
    if len(found.holidays) > MOST_HOLIDAYS:
        found.problems.append((0, f"At most {MOST_HOLIDAYS} holidays. These are {len(found.holidays)}."))
        found.holidays = found.holidays[:MOST_HOLIDAYS]
    return found


def _name(text: str) -> str:
    return " ".join(text.split())[:120] or "Holiday"


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Content lines with their number; a line that starts with a space continues the one before (RFC 5545 §3.1)."""
    number, line = 0, ""
    for at, raw in enumerate(text.splitlines(), 1):
        if raw[:1] in {" ", "\t"} and line:
            line += raw[1:]
            continue
        if line:
            yield number, line
        number, line = at, raw
    if line:
        yield number, line


def _read_ics(text: str) -> Found:
    found = Found()
    event: dict[str, tuple[int, str]] | None = None
    began = 0
    for number, line in _unfolded(text):
        head, _, value = line.partition(":")
        name = head.split(";")[0].strip().upper()
        if name == "BEGIN" and value.strip().upper() == "VEVENT":
            event, began = {}, number
        elif name == "END" and value.strip().upper() == "VEVENT" and event is not None:
            _take(found, event, began)
            event = None
        elif event is not None and name in {"DTSTART", "DTEND", "SUMMARY", "RRULE"}:
            event[name] = (number, value.strip())
    if event is not None:
        found.problems.append((began, "This event does not end. The file may be cut off."))
    if not found.holidays and not found.problems:
        found.problems.append((1, "There is no date in this file."))
    return found


def _take(found: Found, event: dict[str, tuple[int, str]], began: int) -> None:
    if "DTSTART" not in event:
        found.problems.append((began, "This event has no date."))
        return
    number, text = event["DTSTART"]
    try:
        first = _ics_date(text)
        last = _last_day(first, event)
        starts = list(_repeats(first, event.get("RRULE", (0, ""))[1]))
    except ValueError as error:
        at = event["RRULE"][0] if "RRULE" in event and "repeat" in str(error) else number
        found.problems.append((at, str(error)))
        return
    name = _name(event.get("SUMMARY", (0, ""))[1].replace("\\,", ",").replace("\\;", ";").replace("\\n", " ").replace("\\\\", "\\"))
    for start in starts:
        for offset in range((last - first).days + 1):
            found.holidays.append(Holiday(start + timedelta(days=offset), name))


def _ics_date(text: str) -> date:
    try:
        return datetime.strptime(text[:8], "%Y%m%d").date()  # noqa: DTZ007 - a calendar date has no zone
    except ValueError:
        raise ValueError(f"“{text[:20]}” is not a date.") from None


def _last_day(first: date, event: dict[str, tuple[int, str]]) -> date:
    """DTEND of a whole-day event is the day after it (RFC 5545 §3.6.1); with a time of day it is the day itself."""
    if "DTEND" not in event:
        return first
    text = event["DTEND"][1]
    last = _ics_date(text) - timedelta(days=0 if "T" in text else 1)
    if (last - first).days >= MOST_DAYS:
        raise ValueError(f"This event lasts more than {MOST_DAYS} days.")
    return max(first, last)


def _repeats(first: date, rule: str) -> Iterator[date]:
    if not rule:
        yield first
        return
    parts = dict(part.split("=", 1) for part in rule.upper().split(";") if "=" in part)
    if "COUNT" not in parts and "UNTIL" not in parts:
        raise ValueError("This event repeats without an end. Give the dates of the years you need.")
    if parts.get("FREQ") != "YEARLY" or set(parts) - {"FREQ", "COUNT", "UNTIL", "INTERVAL", "BYMONTH", "BYMONTHDAY", "WKST"}:
        raise ValueError("This event repeats in a way we do not read. Give its dates one by one.")
    if not all(parts.get(name, "1").isdecimal() for name in ("INTERVAL", "COUNT")):
        raise ValueError("This event repeats in a way we do not read. Give its dates one by one.")
    every = int(parts.get("INTERVAL", "1"))
    until = _ics_date(parts["UNTIL"]) if "UNTIL" in parts else None
    times = int(parts.get("COUNT", MOST_YEARS))
    for turn in range(max(0, min(times, MOST_YEARS))):
        try:
            day = first.replace(year=first.year + turn * max(every, 1))
        except ValueError:  # 29 February in a year without one
            continue
        if until and day > until:
            return
        yield day
