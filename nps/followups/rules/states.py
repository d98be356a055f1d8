"""What may happen to a case in which state. Anything not listed is refused.

The rows follow the table of the case: a member's move that is not here is a conflict (409) and keeps what was typed.
"""

from datetime import datetime, timedelta
from enum import StrEnum


class CaseState(StrEnum):
    NEW = "new"  # no human contact yet
    WORKING = "working"  # our move
    WAITING = "waiting"  # the customer's move
    CLOSED = "closed"
    MERGED = "merged"


OPEN = frozenset({CaseState.NEW, CaseState.WORKING, CaseState.WAITING})


class Move(StrEnum):
    ANSWER_JOINED = "answer_joined"
    REPLY_AND_WAIT = "reply_and_wait"
    REPLY_AND_CLOSE = "reply_and_close"
    CONTACT_LOGGED = "contact_logged"
    WAIT = "wait"
    CUSTOMER_WROTE = "customer_wrote"
    SILENCE = "silence"
    TAKEN_BACK = "taken_back"
    CLOSE = "close"
    ANSWER_CHANGED = "answer_changed"
    REOPENED = "reopened"
    UNDONE = "undone"
    MERGED = "merged"
    REPLY_FAILED = "reply_failed"
    ERASED = "erased"


_NEW, _WORKING, _WAITING, _CLOSED, _MERGED = CaseState

# UNDONE and REPLY_FAILED lead to a state that depends on the history: the caller names it, this table says which are possible.
TRANSITIONS: dict[tuple[CaseState, Move], frozenset[CaseState]] = {
    (_NEW, Move.ANSWER_JOINED): frozenset({_NEW}),
    (_WORKING, Move.ANSWER_JOINED): frozenset({_WORKING}),
    (_WAITING, Move.ANSWER_JOINED): frozenset({_WORKING}),
    (_NEW, Move.REPLY_AND_WAIT): frozenset({_WAITING}),
    (_WORKING, Move.REPLY_AND_WAIT): frozenset({_WAITING}),
    (_WAITING, Move.REPLY_AND_WAIT): frozenset({_WAITING}),
    (_NEW, Move.REPLY_AND_CLOSE): frozenset({_CLOSED}),
    (_WORKING, Move.REPLY_AND_CLOSE): frozenset({_CLOSED}),
    (_WAITING, Move.REPLY_AND_CLOSE): frozenset({_CLOSED}),
    (_NEW, Move.CONTACT_LOGGED): frozenset({_WORKING}),
    (_WORKING, Move.WAIT): frozenset({_WAITING}),
    # A mail cannot be refused: before the first contact and while it is our move it lands without changing the state.
    (_NEW, Move.CUSTOMER_WROTE): frozenset({_NEW}),
    (_WORKING, Move.CUSTOMER_WROTE): frozenset({_WORKING}),
    (_WAITING, Move.CUSTOMER_WROTE): frozenset({_WORKING}),
    (_CLOSED, Move.CUSTOMER_WROTE): frozenset({_WORKING}),
    (_WAITING, Move.SILENCE): frozenset({_WAITING}),
    (_WAITING, Move.TAKEN_BACK): frozenset({_WORKING}),
    (_NEW, Move.CLOSE): frozenset({_CLOSED}),
    (_WORKING, Move.CLOSE): frozenset({_CLOSED}),
    (_WAITING, Move.CLOSE): frozenset({_CLOSED}),
    (_NEW, Move.ANSWER_CHANGED): frozenset({_CLOSED}),
    (_CLOSED, Move.REOPENED): frozenset({_WORKING}),
    (_CLOSED, Move.UNDONE): OPEN,
    (_MERGED, Move.UNDONE): OPEN,
    (_NEW, Move.MERGED): frozenset({_MERGED}),
    (_WORKING, Move.MERGED): frozenset({_MERGED}),
    (_WAITING, Move.MERGED): frozenset({_MERGED}),
    # A customer's next message or "Take it back" can come between the reply and the news that it never arrived.
    (_WORKING, Move.REPLY_FAILED): frozenset({_NEW, _WORKING}),
    (_WAITING, Move.REPLY_FAILED): frozenset({_NEW, _WORKING}),
    (_CLOSED, Move.REPLY_FAILED): frozenset({_NEW, _WORKING}),
    **{(state, Move.ERASED): frozenset({_CLOSED}) for state in CaseState},
}

UNDO_FOR = timedelta(hours=24)
REOPENS_FOR = timedelta(days=90)

_SAID = {
    CaseState.NEW: "nobody has written to the customer yet",
    CaseState.WORKING: "it is our move",
    CaseState.WAITING: "it waits for the customer",
    CaseState.CLOSED: "the case is closed",
    CaseState.MERGED: "the case was merged into another",
}


class NotAllowed(ValueError):
    """The move is not listed for this state."""

    def __init__(self, state: CaseState, move: Move) -> None:
        self.state, self.move = state, move
        super().__init__(f"This cannot be done now: {_SAID[state]}.")


def may(state: CaseState, move: Move) -> bool:
    return (state, move) in TRANSITIONS


def after(state: CaseState, move: Move, to: CaseState | None = None) -> CaseState:
    """The state that follows; `to` is needed where history decides. Raises NotAllowed."""
    possible = TRANSITIONS.get((state, move), frozenset())
    if to is None and len(possible) == 1:
        return next(iter(possible))
    if to is None or to not in possible:
        raise NotAllowed(state, move)
    return to


def after_failed_reply(other_human_contact: bool) -> CaseState:
    """Where a case goes when a reply did not arrive: the clock runs on unless somebody else got through."""
    return CaseState.WORKING if other_human_contact else CaseState.NEW


def may_undo(done_at: datetime, now: datetime) -> bool:
    return now - done_at <= UNDO_FOR


def reopens(closed_at: datetime, written_at: datetime) -> bool:
    """Whether a customer's mail opens the closed case again; later it becomes a new case linked to the old one."""
    return written_at - closed_at <= REOPENS_FOR
