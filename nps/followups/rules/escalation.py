"""Who hears of a reply that is not on its way, and when."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from nps.followups.rules import clock
from nps.followups.rules.hours import Hours

MOST_STEPS = 5


class Tell(StrEnum):
    MEMBERS = "members"
    OWNER = "owner"
    LEAD = "lead"
    ACCOUNT_OWNER = "account_owner"


@dataclass(frozen=True, slots=True)
class Step:
    """At `percent` of the target tell these people; `unowned` only while nobody has the case."""

    percent: int
    tell: tuple[Tell, ...]
    unowned: bool = False


DEFAULT_STEPS = (
    Step(25, (Tell.MEMBERS,), unowned=True),
    Step(50, (Tell.OWNER,)),
    Step(100, (Tell.OWNER, Tell.LEAD)),
    Step(200, (Tell.ACCOUNT_OWNER,)),
)


def step_at(hours: Hours, started_at: datetime, due_at: datetime, percent: int) -> datetime:
    """The instant at which `percent` of the clock is used."""
    if percent == 100:
        return due_at
    whole = clock.elapsed(hours, started_at, due_at)
    return clock.due(hours, started_at, timedelta(seconds=whole.total_seconds() * percent / 100))


def reached(hours: Hours, started_at: datetime, due_at: datetime, now: datetime, steps: Sequence[Step]) -> list[Step]:
    return [step for step in steps if step_at(hours, started_at, due_at, step.percent) <= now]


def to_fire(reached_now: Iterable[Step], fired: Iterable[int], *, owned: bool) -> Step | None:
    """The one step to tell about: the latest that is reached and higher than any told before.

    Steps missed while the system was down are passed over. A step for cases without an owner says nothing when there is one.
    """
    highest = max(fired, default=0)
    candidates = [step for step in reached_now if step.percent > highest and not (step.unowned and owned)]
    return max(candidates, key=lambda step: step.percent, default=None)


def next_at(hours: Hours, started_at: datetime, due_at: datetime, now: datetime, steps: Sequence[Step]) -> datetime | None:
    """When to look at this clock again."""
    later = [at for step in steps if (at := step_at(hours, started_at, due_at, step.percent)) > now]
    return min(later, default=None)


def check_steps(steps: Sequence[Step]) -> str | None:
    """What is wrong with steps somebody typed, or None."""
    percents = [step.percent for step in steps]
    if len(steps) > MOST_STEPS:
        return f"At most {MOST_STEPS} steps."
    if any(not 1 <= percent <= 500 for percent in percents):
        return "A step is between 1% and 500% of the target."
    if any(first >= second for first, second in zip(percents, percents[1:], strict=False)):
        return "Each step comes later than the one before."
    return None
