"""The reply clock: seconds that pass while a queue is open.

elapsed(a, b) = real time of [a, b) inside open spans. due = the first instant with elapsed(start, due) = target.
A due time that falls on a closing stays there; a start at the closing or in closed hours counts from the next opening.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from nps.followups.rules.hours import Hours

HORIZON = timedelta(days=400)
_NONE = timedelta(0)

Pause = tuple[datetime, datetime | None]
"""From an instant until another, or still going on (None)."""


def elapsed(hours: Hours, start: datetime, end: datetime, pauses: Sequence[Pause] = ()) -> timedelta:
    """Open time between two aware instants; negative when `end` comes first, so that elapsed(a, b) = -elapsed(b, a)."""
    # Two local times of one zone subtract by their wall clocks in Python, which is wrong by an hour around a change: UTC first.
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if end < start:
        return -elapsed(hours, end, start, pauses)
    total = _NONE
    for opens, closes in _without(pauses, _joined(hours, start, end)):
        total += min(closes, end) - max(opens, start)
    return total


def due(hours: Hours, start: datetime, target: timedelta, pauses: Sequence[Pause] = ()) -> datetime:
    """The first instant at which `target` of open time has passed since `start`, in UTC.

    Nothing is searched beyond the horizon of 400 days: a clock that would end later is due there.
    """
    left = target
    start = start.astimezone(UTC)
    end = start + HORIZON
    if left <= _NONE:
        return start
    for opens, closes in _without(pauses, _joined(hours, start, end)):
        opens = max(opens, start)
        if closes - opens >= left:
            return opens + left
        left -= closes - opens
    return end


def minutes(hours: Hours, start: datetime, end: datetime) -> int:
    """Whole open minutes between two instants: a begun minute is not counted."""
    return int(elapsed(hours, start, end) / timedelta(minutes=1))


def minutes_left(hours: Hours, now: datetime, due_at: datetime) -> int:
    """Open minutes until due, a begun minute counted as one: the page never says 0 while there is time."""
    left = elapsed(hours, now, due_at)
    return -int(-left // timedelta(minutes=1)) if left > _NONE else 0


def is_open(hours: Hours, at: datetime) -> bool:
    at = at.astimezone(UTC)
    return any(opens <= at < closes for opens, closes in _joined(hours, at, at + timedelta(seconds=1)))


def _joined(hours: Hours, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Open spans that reach into [start, end), joined where days touch or overlap, each minute once, in order."""
    current: tuple[datetime, datetime] | None = None
    for opens, closes in _days(hours, start, end):
        if closes <= start or opens >= end:
            continue
        if current and opens <= current[1]:
            current = current[0], max(current[1], closes)
            continue
        if current:
            yield current
        current = opens, closes
    if current:
        yield current[0], min(current[1], end)


def _days(hours: Hours, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    tz = hours.tz
    # A span of the day before may still be open, and a zone may skip a whole date.
    day = start.astimezone(tz).date() - timedelta(days=2)
    last = end.astimezone(tz).date()
    while day <= last:
        yield from hours.open_spans(day)
        day += timedelta(days=1)


def _without(pauses: Sequence[Pause], spans: Iterable[tuple[datetime, datetime]]) -> Iterator[tuple[datetime, datetime]]:
    if not pauses:
        yield from spans
        return
    ordered = sorted(((a.astimezone(UTC), b.astimezone(UTC) if b else None) for a, b in pauses), key=lambda pause: pause[0])
    for opens, closes in spans:
        for start, end in ordered:
            if start >= closes or opens >= closes:
                break
            if start > opens:
                yield opens, start
            opens = closes if end is None else max(opens, min(end, closes))
        if opens < closes:
            yield opens, closes
