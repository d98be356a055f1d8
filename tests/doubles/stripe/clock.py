"""Moving time: everything that falls due on the way happens at its own moment, in order."""

from __future__ import annotations

from tests.doubles.stripe import billing, checkout
from tests.doubles.stripe.desk import Desk
from tests.doubles.stripe.state import Store


def catch_up(store: Store, base_url: str, until: int | None = None) -> int:
    """Do everything due up to `until` (default: now). Returns how many steps were done."""
    until = store.now() if until is None else until
    done = 0
    while _next(store, base_url, until):
        done += 1
    return done


def _next(store: Store, base_url: str, until: int) -> bool:
    """The earliest step that is due. Found and done in one transaction, so that nobody else does it too."""
    with store.transaction():
        steps: list[billing.Step] = []
        for account in store.accounts():
            desk = Desk(store, account["id"], base_url=base_url)
            steps += [step for step in (*billing.due_steps(desk), *checkout.due_steps(desk)) if step[0] <= until]
        if not steps:
            return False
        moment, _, action = min(steps, key=lambda step: (step[0], len(step[1]), step[1]))
        with store.at(moment):
            action()
        return True


def advance(store: Store, base_url: str, *, to: int) -> int:
    """Move the clock forward to `to`; it stays frozen or running as it was."""
    frozen = store.setting("clock.frozen") is not None
    shift = to - store.now()
    done = catch_up(store, base_url, until=to)
    if frozen:
        store.set_setting("clock.frozen", to)
    else:
        store.set_setting("clock.offset", int(store.setting("clock.offset", 0)) + shift)
    return done
