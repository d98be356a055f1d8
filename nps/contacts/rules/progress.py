"""How far an import is, in numbers and words."""

from dataclasses import dataclass
from datetime import datetime

_SOON = 5


@dataclass(frozen=True)
class Progress:
    """`percent` of the rows, and what to say beside it."""

    percent: int
    words: str
    running: bool


def of(state: str, done: int, rows: int, started_at: datetime | None, now: datetime) -> Progress:
    """Progress of an import of `rows` rows of which `done` are behind it."""
    percent = min(100, 100 * done // rows) if rows else 100
    if state == "running":
        return Progress(percent, f"{done:,} of {rows:,} rows{_left(done, rows, started_at, now)}", True)
    if state == "undoing":
        return Progress(percent, "being undone", True)
    words = {
        "done": f"{done:,} rows, done",
        "stopped": f"stopped after {done:,} of {rows:,} rows",
        "undone": "undone",
        "refused": "not imported",
    }
    return Progress(percent, words.get(state, ""), False)


def _left(done: int, rows: int, started_at: datetime | None, now: datetime) -> str:
    if not done or started_at is None:
        return ", just starting"
    seconds = (now - started_at).total_seconds() * (rows - done) / done
    if seconds < _SOON:
        return ", almost done"
    if seconds < 100:
        return f", about {max(10, round(seconds / 10) * 10)} seconds left"
    minutes = round(seconds / 60)
    return f", about {minutes} minute{'s' if minutes != 1 else ''} left"
