"""When a cause may move on, and what is shown about it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

MOST_WHYS = 5
WHYS_TO_UNDERSTAND = 3
MOST_LINKS = 5
"""Causes that one answer or case can have."""


class CauseState(StrEnum):
    OPEN = "open"
    UNDERSTOOD = "understood"
    FIXING = "fixing"
    SHIPPED = "shipped"
    TOLD = "told"
    RECURRING = "recurring"
    DECLINED = "declined"


STATE_WORDS = {
    CauseState.OPEN: ("Open", "info"),
    CauseState.UNDERSTOOD: ("Understood", "info"),
    CauseState.FIXING: ("Being fixed", "warn"),
    CauseState.SHIPPED: ("Shipped", "pro"),
    CauseState.TOLD: ("Told", "pro"),
    CauseState.RECURRING: ("Came back", "det"),
    CauseState.DECLINED: ("Declined", ""),
}

_S = CauseState
LEADS_TO: dict[CauseState, frozenset[CauseState]] = {
    _S.OPEN: frozenset({_S.UNDERSTOOD, _S.DECLINED}),
    _S.UNDERSTOOD: frozenset({_S.FIXING, _S.DECLINED}),
    _S.FIXING: frozenset({_S.SHIPPED, _S.UNDERSTOOD}),
    _S.SHIPPED: frozenset({_S.TOLD, _S.RECURRING}),
    _S.TOLD: frozenset({_S.RECURRING}),
    _S.RECURRING: frozenset({_S.FIXING, _S.DECLINED}),
    _S.DECLINED: frozenset({_S.OPEN}),
}


@dataclass(frozen=True, slots=True)
class Why:
    """One step down: the question, its answer, and optionally where the evidence is."""

    question: str
    answer: str
    evidence: str = ""


def why_not(
    state: CauseState, to: CauseState, *, has_owner: bool, whys: Sequence[Why], reason: str, has_dated_action: bool = False
) -> str | None:
    """What stands in the way of a move, as a sentence, or None."""
    if to not in LEADS_TO[state]:
        return f"A cause that is “{STATE_WORDS[state][0]}” does not become “{STATE_WORDS[to][0]}”."
    if to is CauseState.UNDERSTOOD and state is CauseState.OPEN:
        answered = sum(1 for why in whys if why.question.strip() and why.answer.strip())
        if not has_owner or answered < WHYS_TO_UNDERSTAND:
            return f"Owner and at least {WHYS_TO_UNDERSTAND} whys make a cause “understood”."
    if to is CauseState.FIXING and not has_dated_action:
        return "A cause is being fixed once there is an action with a date."
    if to is CauseState.DECLINED and len(reason.strip()) < 10:
        return "Say why, in words that could be published: 10 characters or more."
    return None
