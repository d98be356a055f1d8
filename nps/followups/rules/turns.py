"""Who gets the next case."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class Method(StrEnum):
    ROUND_ROBIN = "round_robin"
    LEAST_LOADED = "least_loaded"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Seat(Generic[Key]):
    """A member of a queue as the turn sees them. `open_cases` counts new and working ones."""

    key: Key
    name: str
    open_cases: int = 0
    new_today: int = 0
    last_assigned_at: datetime | None = None
    away_from: date | None = None
    away_until: date | None = None
    most_open: int = 30
    most_new_a_day: int = 8

    def is_away(self, today: date) -> bool:
        """Away on every date from the first to the last, both included; an open end counts."""
        if self.away_from is None and self.away_until is None:
            return False
        return (self.away_from or today) <= today <= (self.away_until or today)

    def is_free(self, today: date) -> bool:
        return not self.is_away(today) and self.open_cases < self.most_open and self.new_today < self.most_new_a_day


def round_robin(seats: Sequence[Seat[Key]], last: Key | None, today: date) -> Key | None:
    """The first free member after the one who was last; None when nobody is free. `seats` come in their order."""
    keys = [seat.key for seat in seats]
    start = keys.index(last) + 1 if last in keys else 0
    for seat in (*seats[start:], *seats[:start]):
        if seat.is_free(today):
            return seat.key
    return None


def least_loaded(seats: Sequence[Seat[Key]], today: date) -> Key | None:
    """Fewest new and working cases, then longest without one, then by name."""
    free = [seat for seat in seats if seat.is_free(today)]
    if not free:
        return None
    return min(free, key=lambda seat: (seat.open_cases, seat.last_assigned_at.timestamp() if seat.last_assigned_at else 0.0, seat.name)).key


def choose(method: Method, seats: Sequence[Seat[Key]], last: Key | None, today: date, before: Key | None = None) -> Key | None:
    """The next owner. `before` had this customer's last case and is kept when not away."""
    if method is Method.NOBODY:
        return None
    if before is not None and any(seat.key == before and not seat.is_away(today) for seat in seats):
        return before
    return round_robin(seats, last, today) if method is Method.ROUND_ROBIN else least_loaded(seats, today)
