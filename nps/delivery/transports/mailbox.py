"""The built-in mailbox: keeps every mail in the database and delivers nothing. The default, so that a first start mails nobody."""

import time
from collections.abc import Callable, Sequence

from nps.delivery.letters import Courier, Letter, LineFailed, Settled
from nps.delivery.rules import Phase, Reply

Keep = Callable[[Sequence[Letter]], None]
"""Stores letters and commits. When it returns they are kept; when it raises none is."""


class MailboxCourier:
    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._taken: list[Letter] = []

    @property
    def busy(self) -> int:
        return len(self._taken)

    @property
    def lines(self) -> int:
        return 100

    @property
    def window(self) -> int:
        return 100

    def want(self, letters: int) -> None:
        """Always ready."""

    def room(self) -> int:
        return self.window - len(self._taken)

    def submit(self, letter: Letter) -> None:
        self._taken.append(letter)

    def poll(self, wait: float) -> list[Settled | LineFailed]:
        taken, self._taken = self._taken, []
        if taken:
            self._keep(taken)
        elif wait:
            time.sleep(wait)
        return [Settled(letter, Reply(Phase.DOT, 250, "2.0.0 kept in the mailbox")) for letter in taken]

    def abandon(self) -> list[Settled]:
        taken, self._taken = self._taken, []
        return [Settled(letter, Reply(Phase.MAIL, 0, "Not begun.")) for letter in taken]

    def close(self) -> None:
        """Nothing to close."""


class MailboxTransport:
    name = "mailbox"
    paced = False
    linger = 0.0

    def __init__(self, keep: Keep) -> None:
        self._keep = keep

    def courier(self) -> Courier:
        return MailboxCourier(self._keep)
