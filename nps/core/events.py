"""Events: what happened, published by the floor that did it, heard by floors above through the wiring.

A subscription is `now(handler)` (same transaction: together or not at all) or `later("feature.task")`
(a job row inserted in the same transaction). Nothing is started after a commit and hoped for.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class Now:
    handler: Callable[[Any], object]


@dataclass(frozen=True)
class Later:
    task: str


Subscriptions = Mapping[type, Sequence[Now | Later]]


def now(handler: Callable[[Any], object]) -> Now:
    """Run `handler(event)` inside the publisher's transaction."""
    return Now(handler)


def later(task: str) -> Later:
    """Insert a job for `task` in the publisher's transaction; it gets the event's fields as arguments."""
    return Later(task)


class _Bus:
    table: Subscriptions = {}
    enqueue: Callable[[str, dict[str, Any]], object] | None = None


def connect(table: Subscriptions, enqueue: Callable[[str, dict[str, Any]], object]) -> None:
    """Install the map of who listens to what. Called once by the application factory."""
    _Bus.table = table
    _Bus.enqueue = enqueue


def publish(event: object) -> None:
    """Tell the listeners of this event's class. Errors of `now` listeners fail the publisher's transaction."""
    for subscription in _Bus.table.get(type(event), ()):
        if isinstance(subscription, Now):
            subscription.handler(event)
        elif _Bus.enqueue is not None:
            _Bus.enqueue(subscription.task, as_arguments(event))


def as_arguments(event: object) -> dict[str, Any]:
    """The event's fields as JSON values: ids and instants become text."""
    return {key: _plain(value) for key, value in asdict(event).items()}  # type: ignore[call-overload]


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def heard(event: type) -> bool:
    """Does anybody listen to this class? For publishers on a hot path."""
    return bool(_Bus.table.get(event))
