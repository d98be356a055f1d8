"""How a clock reads: "1 h 16 min", "35 min late", "late since Friday, 16:30"."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from nps.followups.rules import clock
from nps.followups.rules.hours import Hours

SOON = 0.25


class Mood(StrEnum):
    OK = "ok"
    SOON = "soon"
    LATE = "late"
    WAIT = "wait"
    MET = "met"


@dataclass(frozen=True, slots=True)
class Face:
    """A clock as drawn: its mood, the share of the target used (0–100), the words and the small line under them."""

    mood: Mood
    used: int
    words: str
    small: str = ""


def duration(minutes: int) -> str:
    """1 h 16 min · 58 min · 3 h. Open minutes, so there are no days in it."""
    hours, rest = divmod(max(minutes, 0), 60)
    if not hours:
        return f"{rest} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def passed(time: timedelta) -> str:
    """just now · 2 minutes ago · 3 hours ago · 5 days ago"""
    minutes = int(time.total_seconds() // 60)
    if minutes < 1:
        return "just now"
    for size, noun in ((1_440, "day"), (60, "hour")):
        if minutes >= size:
            count = minutes // size
            return f"{count} {noun}{'' if count == 1 else 's'} ago"
    return f"{minutes} minute{'' if minutes == 1 else 's'} ago"


def target(minutes: int, longest_day: int) -> str:
    """one working day · 4 hours · 45 minutes · 1 hour 30 minutes"""
    if minutes == longest_day:
        return "one working day"
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours:,} {'hour' if hours == 1 else 'hours'}"] if hours else []
    if rest:
        parts.append(f"{rest} {'minute' if rest == 1 else 'minutes'}")
    return " ".join(parts)


def promise(minutes: int, longest_day: int) -> str:
    """What the survey page may promise before a score is known: "within one working day" or "within 4 working hours"."""
    said = target(minutes, longest_day)
    return f"within {said}" if minutes == longest_day else "within " + said.replace("hour", "working hour", 1)


def targets_sentence(low: int, middle: int, longest_day: int) -> str:
    """First reply within 1 hour for 0–3 and 4 hours for 4–6."""
    if low == middle:
        return f"First reply within {target(low, longest_day)}."
    return f"First reply within {target(low, longest_day)} for 0–3 and {target(middle, longest_day)} for 4–6."


def face(hours: Hours, started_at: datetime, due_at: datetime, now: datetime) -> Face:
    """The running reply clock of a case at one moment, times in the queue's zone."""
    whole = clock.elapsed(hours, started_at, due_at)
    at = due_at.astimezone(hours.tz)
    if now > due_at:
        late = clock.minutes(hours, due_at, now)
        said = f"{duration(late)} late" if late < hours.longest_day else f"late since {since(due_at, now, hours)}"
        return Face(Mood.LATE, 100, said, f"Due {_due(at, now, hours)}")
    left = clock.elapsed(hours, now, due_at)
    share = left / whole if whole else 0.0
    mood = Mood.SOON if share < SOON else Mood.OK
    used = min(100, max(0, round(100 * (1 - share))))
    if at.date() == now.astimezone(hours.tz).date():
        return Face(mood, used, duration(clock.minutes_left(hours, now, due_at)), f"Due {at:%H:%M}")
    return Face(mood, used, day(due_at, now, hours), f"Due {at:%H:%M}")


def pill(hours: Hours, started_at: datetime, due_at: datetime, now: datetime) -> Face:
    """The same clock as one sentence in the head of a case: "Reply due in 1 h 16 min", "Reply 35 min late"."""
    small = face(hours, started_at, due_at, now)
    if small.mood is Mood.LATE:
        return Face(small.mood, small.used, f"Reply {small.words}")
    at = due_at.astimezone(hours.tz)
    if at.date() == now.astimezone(hours.tz).date():
        return Face(small.mood, small.used, f"Reply due in {small.words}")
    return Face(small.mood, small.used, f"Reply due {in_a_sentence(small.words)}, {at:%H:%M}")


def paused(since_at: datetime, now: datetime, hours: Hours) -> Face:
    """A case that waits for the customer. An hour on the same day, else the day."""
    at = since_at.astimezone(hours.tz)
    if at.date() == now.astimezone(hours.tz).date():
        return Face(Mood.WAIT, 0, "Paused", f"Since {at:%H:%M}")
    return Face(Mood.WAIT, 0, "Paused", f"Since {in_a_sentence(day(since_at, now, hours))}")


def since(at: datetime, now: datetime, hours: Hours) -> str:
    """Friday, 16:30 · 2 October, 16:30 when that is a week ago or more."""
    local = at.astimezone(hours.tz)
    days = (now.astimezone(hours.tz).date() - local.date()).days
    return f"{local:%A}, {local:%H:%M}" if days < 7 else f"{date_of(local, now.astimezone(hours.tz))}, {local:%H:%M}"


def day(at: datetime, now: datetime, hours: Hours) -> str:
    """Today · Tomorrow · Yesterday · Friday (within six days either way) · 15 October · 15 October 2027"""
    local, today = at.astimezone(hours.tz), now.astimezone(hours.tz)
    away = (local.date() - today.date()).days
    near = {-1: "Yesterday", 0: "Today", 1: "Tomorrow"}
    if away in near:
        return near[away]
    return f"{local:%A}" if abs(away) < 7 else date_of(local, today)


def full(at: datetime, zone: Any) -> str:
    """Tuesday 6 October, 11:58: as a customer is told."""
    local = at.astimezone(zone)
    return f"{local:%A} {local.day} {local:%B}, {local:%H:%M}"


def date_of(local: datetime, today: datetime) -> str:
    return f"{local.day} {local:%B}" if local.year == today.year else f"{local.day} {local:%B} {local.year}"


def _due(local: datetime, now: datetime, hours: Hours) -> str:
    """11:58 today, otherwise with its day: a case that is late since Friday says so."""
    today = now.astimezone(hours.tz)
    return f"{local:%H:%M}" if local.date() == today.date() else f"{in_a_sentence(day(local, now, hours))}, {local:%H:%M}"


def in_a_sentence(named: str) -> str:
    """ "yesterday", but "Friday": names of weekdays keep their capital."""
    return named[:1].lower() + named[1:] if named in ("Yesterday", "Today", "Tomorrow") else named
