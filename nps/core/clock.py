"""The only clock. Everything that needs the time asks `now()` once and passes the answer down."""

from datetime import UTC, datetime, timedelta
from pathlib import Path


class _Offset:
    """How far the product's clock is moved; a file lets other processes of one installation follow."""

    seconds: float = 0.0
    file: Path | None = None


def now() -> datetime:
    """The current instant: timezone-aware, UTC, microseconds."""
    real = datetime.now(UTC)
    shift = _Offset.seconds
    if _Offset.file is not None:
        try:
            shift += float(_Offset.file.read_text() or 0)
        except (OSError, ValueError):
            pass
    return real + timedelta(seconds=shift) if shift else real


def follow(file: Path | None) -> None:
    """Obey the offset in seconds that stands in `file` (test and demo settings only)."""
    _Offset.file = file


def move(by: timedelta) -> None:
    """Move this process's clock. For tests."""
    _Offset.seconds += by.total_seconds()


def reset() -> None:
    """Back to real time. For tests."""
    _Offset.seconds = 0.0


_ZONES = {
    "America/New_York": "Eastern",
    "America/Chicago": "Central",
    "America/Denver": "Mountain",
    "America/Los_Angeles": "Pacific",
    "Europe/London": "UK time",
    "UTC": "UTC",
}


def zone_words(name: str | None) -> str:
    """What people call a time zone: "Eastern", "Berlin time"."""
    if not name:
        return ""
    return _ZONES.get(name) or f"{name.rsplit('/', 1)[-1].replace('_', ' ')} time"
