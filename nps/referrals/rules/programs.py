"""A program's states, what each allows, and what keeps it from going live."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

ATTRIBUTION_DAYS = (1, 3, 7, 14, 30, 60, 90, 180, 365, 400)
HOLD_DAYS = (0, 7, 14, 30, 60, 90)
QUALIFY_DAYS_MAX = 400
LOOK_BACK_DAYS_MAX = 1000
HOLDOUT_PERCENT_MAX = 50


class ProgramState(StrEnum):
    DRAFT = "draft"
    LIVE = "live"
    PAUSED = "paused"
    ENDED = "ended"


MOVES: dict[tuple[ProgramState, str], ProgramState] = {
    (ProgramState.DRAFT, "go_live"): ProgramState.LIVE,
    (ProgramState.LIVE, "pause"): ProgramState.PAUSED,
    (ProgramState.PAUSED, "resume"): ProgramState.LIVE,
    (ProgramState.LIVE, "end"): ProgramState.ENDED,
    (ProgramState.PAUSED, "end"): ProgramState.ENDED,
}


def move(state: ProgramState, verb: str) -> ProgramState | None:
    """The state after `verb`, or None where the verb is not possible. Ended is final."""
    return MOVES.get((state, verb))


@dataclass(frozen=True, slots=True)
class Change:
    """From `at` on the program was in `state`."""

    at: datetime
    state: ProgramState


def state_at(changes: Iterable[Change], at: datetime) -> ProgramState:
    """The state in force at an instant: the last change not later than it, draft before any."""
    state = ProgramState.DRAFT
    for change in sorted(changes, key=lambda c: c.at):
        if change.at > at:
            break
        state = change.state
    return state


class Qualifies(StrEnum):
    SIGNUP = "signup"
    FIRST_PAID = "first_paid"
    NTH_PAID = "nth_paid"
    EVENT = "event"


class Model(StrEnum):
    FIRST = "first"
    LAST = "last"


@dataclass(frozen=True, slots=True)
class Readiness:
    """What going live depends on, read by the service in one place."""

    friend_words: str
    advocate_words: str
    destination_url: str
    verified_hosts: frozenset[str]
    terms: str
    sender_email: str
    postal_address: str
    uses_stripe_credit: bool = False
    stripe_tested: bool = False


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that keeps a program from going live: a code, where to mend it, and a sentence."""

    code: str
    field: str
    text: str


def missing(facts: Readiness, destination_ok: bool) -> Sequence[Missing]:
    """Everything that must be mended before going live, in the order of the form; empty = ready.

    `destination_ok` comes from `destinations.allowed`.
    """
    found: list[Missing] = []

    def need(ok: bool, code: str, field: str, text: str) -> None:
        if not ok:
            found.append(Missing(code, field, text))

    need(bool(facts.friend_words.strip()), "friend_words", "friend_words", "Say what the friend gets.")
    need(
        bool(facts.advocate_words.strip()),
        "advocate_words",
        "advocate_words",
        "Say what the person who shares gets. “Our thanks” is enough.",
    )
    need(bool(facts.destination_url.strip()), "destination", "destination_url", "Give the address where friends sign up.")
    need(
        not facts.destination_url.strip() or destination_ok,
        "destination_host",
        "destination_url",
        "The sign-up address must be https on a domain you have verified.",
    )
    need(bool(facts.terms.strip()), "terms", "terms", "Write the referral terms. People read them from the share page.")
    need(bool(facts.sender_email.strip()), "sender", "sender", "Choose who mails come from, in Settings.")
    need(
        bool(facts.postal_address.strip()), "postal_address", "postal_address", "Add your postal address in Settings. Mails must carry it."
    )
    need(
        not facts.uses_stripe_credit or facts.stripe_tested,
        "stripe",
        "reward_method",
        "Connect and test Stripe first, or pay rewards by hand.",
    )
    return tuple(found)
