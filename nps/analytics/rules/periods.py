"""Calendar periods of a trend. They never overlap, so neighbours share no answers."""

from dataclasses import dataclass
from datetime import date, timedelta

from nps.analytics.rules.filters import Window

MONTHS_SHOWN = 12
MOST_PERIODS = 36


@dataclass(frozen=True, slots=True)
class Period:
    """A month or quarter. running: its last day is not over, so it is compared with nothing."""

    window: Window
    label: str
    name: str
    running: bool


def months_of(window: Window, today: date) -> list[Period]:
    """The months shown beside a window: those it touches, at least the twelve that end with its last day; quarters when
    there would be more than 36."""
    last = window.last.year * 12 + window.last.month - 1
    first = min(last - MONTHS_SHOWN + 1, window.first.year * 12 + window.first.month - 1)
    if last - first + 1 <= MOST_PERIODS:
        return [_month(number, today) for number in range(first, last + 1)]
    return [_quarter(number, today) for number in range(first // 3, last // 3 + 1)]


def _first_of(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)


def _month(number: int, today: date) -> Period:
    first, last = _first_of(number), _first_of(number + 1) - timedelta(days=1)
    return Period(Window(first, last), f"{first:%b}", f"{first:%B} {first.year}", last >= today)


def _quarter(number: int, today: date) -> Period:
    first, last = _first_of(number * 3), _first_of(number * 3 + 3) - timedelta(days=1)
    name = f"Q{number % 4 + 1} {first.year}"
    return Period(Window(first, last), f"Q{number % 4 + 1}", name, last >= today)
