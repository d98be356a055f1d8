"""What stands where in the list: groups by what is due, and money per minute left."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from statistics import median

from nps.followups.rules import clock
from nps.followups.rules.hours import Hours
from nps.followups.rules.states import CaseState


class Group(StrEnum):
    OVERDUE = "Overdue"
    TODAY = "Due today"
    LATER = "Tomorrow and later"
    WAITING = "Waiting on customer"


GROUPS = tuple(Group)


def group_of(state: CaseState, due_at: datetime | None, now: datetime, hours: Hours) -> Group:
    """Days are the queue's. A case of ours without a running clock stands with those due later."""
    if state is CaseState.WAITING:
        return Group.WAITING
    if due_at is None:
        return Group.LATER
    if due_at < now:
        return Group.OVERDUE
    same_day = due_at.astimezone(hours.tz).date() == now.astimezone(hours.tz).date()
    return Group.TODAY if same_day else Group.LATER


@dataclass(frozen=True, slots=True)
class Waiting:
    """One case as the order sees it. `value` is money a month in the account's currency, None when unknown."""

    key: str
    due_at: datetime | None
    hours: Hours
    value: float | None


def due_first(waiting: Iterable[Waiting]) -> list[Waiting]:
    """Earliest due first, those without a clock last."""
    return sorted(waiting, key=lambda case: (case.due_at is None, case.due_at.timestamp() if case.due_at else 0.0, case.key))


def worth_first(waiting: Iterable[Waiting], now: datetime) -> list[Waiting]:
    """Money per minute left: overdue by value × minutes late, then value ÷ minutes left, both highest first.

    Minutes are open minutes, at least 1 left. An unknown value counts as the median of the known ones, else 1.
    Ties go by due time, then key; cases without a running clock come last.
    """
    cases = list(waiting)
    known = [case.value for case in cases if case.value is not None]
    unknown = float(median(known)) if known else 1.0

    def weight(case: Waiting) -> tuple[int, float, float, str]:
        if case.due_at is None:
            return 2, 0.0, 0.0, case.key
        value = unknown if case.value is None else case.value
        at = case.due_at.timestamp()
        if case.due_at < now:
            return 0, -value * clock.minutes(case.hours, case.due_at, now), at, case.key
        return 1, -per_minute(value, clock.minutes_left(case.hours, now, case.due_at)), at, case.key

    return sorted(cases, key=weight)


def per_minute(value: float, minutes_left: int) -> float:
    return value / max(minutes_left, 1)
