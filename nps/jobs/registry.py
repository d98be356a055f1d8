"""Every task of the product by name. Task modules register themselves when the wiring imports them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Task:
    """A registered function. `network=True`: it talks to the outside and opens its own short units of work."""

    name: str
    run: Callable[..., Any]
    queue: str
    network: bool
    tries: int
    lease_seconds: int | None


TASKS: dict[str, Task] = {}


def task(name: str, *, queue: str = "default", network: bool = False, tries: int = 5, lease_seconds: int | None = None) -> Callable[[F], F]:
    """Register `feature.verb`. The function takes keyword arguments that are JSON values."""

    def register(function: F) -> F:
        if name in TASKS and TASKS[name].run.__qualname__ != function.__qualname__:
            raise ValueError(f"two tasks are named {name}")
        TASKS[name] = Task(name, function, queue, network, tries, lease_seconds)
        return function

    return register
