"""What goes out and what is said about it: the words every transport speaks.

A transport is opened once per worker thread and gives a courier. The sender asks the courier for room, commits that many
messages as `sending`, hands their letters over and collects what became of them.
"""

import re
from dataclasses import dataclass
from typing import Any, Protocol

from nps.delivery.rules import Reply

_ADDRESS = re.compile(r"[!-;=?-~]+@[!-;=?-~]+")


class UnsafeAddress(ValueError):
    """An envelope address with a space, a bracket, a line break or a letter outside ASCII."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail to one person: envelope and finished bytes. `key` is the sender's own name for it."""

    key: Any
    mail_from: str
    rcpt_to: str
    data: bytes

    def __post_init__(self) -> None:
        for address in (self.mail_from, self.rcpt_to):
            if not _ADDRESS.fullmatch(address):
                raise UnsafeAddress("This address cannot stand in an envelope.")


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a letter: the reply that decided, or its absence and the phase it was missing in."""

    letter: Letter
    reply: Reply


@dataclass(frozen=True, slots=True)
class LineFailed:
    """A connection that could not be made ready. No letter was on it."""

    reply: Reply


class Courier(Protocol):
    """Kept connections to one way out. Belongs to one thread."""

    def want(self, letters: int) -> None:
        """Make ready for about this many letters at a time."""

    def room(self) -> int:
        """How many letters may be handed over now without waiting."""

    def submit(self, letter: Letter) -> None:
        """Begin with a letter. Only when there is room."""

    def poll(self, wait: float) -> list[Settled | LineFailed]:
        """What has been settled; waits up to `wait` seconds for something to happen."""

    def abandon(self) -> list[Settled]:
        """Close everything at once; every letter under way is settled by the phase it was in."""

    def close(self) -> None:
        """Take leave. Only when nothing is under way."""

    @property
    def busy(self) -> int:
        """Letters under way."""

    @property
    def lines(self) -> int:
        """Connections that can be open at most."""

    @property
    def window(self) -> int:
        """Letters that can be under way at most."""


class Transport(Protocol):
    name: str
    paced: bool
    """Whether the limits of pace hold: they protect other people's servers, not the built-in mailbox."""
    linger: float
    """Seconds that an idle way out is kept open for the next letter; 0 where opening costs nothing."""

    def courier(self) -> Courier: ...
