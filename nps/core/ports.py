"""What we call outside, as types. Production builds the real ones; tests and demo pass doubles that speak the real protocol."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Ports:
    """Outside parts by role. A role that is absent is built from the settings when first needed."""

    given: dict[str, Any] = field(default_factory=dict)

    def get(self, role: str) -> Any | None:
        """The double for `role` ("mail", "stripe", "http"), or None when the real one is to be built."""
        return self.given.get(role)


class _Current:
    ports: Ports | None = None


def use(ports: Ports) -> None:
    """Make these the outside parts of this process. Called once by the application factory."""
    _Current.ports = ports


def current() -> Ports:
    """The outside parts in force, for services and tasks."""
    if _Current.ports is None:
        raise RuntimeError("ports are asked for before the application is made")
    return _Current.ports
