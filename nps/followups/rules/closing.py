"""What a case needs before it may be closed."""

from collections.abc import Iterable
from datetime import date
from enum import StrEnum

LEARNING_LEAST = 10
KNOWN_ALREADY = "Known already"
NOT_CLEAR_YET = "Not clear yet"
ATTEMPTS_NEEDED, DAYS_NEEDED = 3, 2


class Outcome(StrEnum):
    FIXED = "fixed"
    EXPLAINED = "explained"
    COMPENSATED = "compensated"
    CANNOT_FIX = "cannot_fix"
    UNREACHABLE = "unreachable"
    LEFT = "left"
    ANSWER_CHANGED = "answer_changed"
    ERASED = "erased"


OUTCOME_WORDS = {
    Outcome.FIXED: "Fixed",
    Outcome.EXPLAINED: "Explained",
    Outcome.COMPENSATED: "Made good with money or time",
    Outcome.CANNOT_FIX: "Cannot be fixed",
    Outcome.UNREACHABLE: "Could not be reached",
    Outcome.LEFT: "The customer left",
    Outcome.ANSWER_CHANGED: "The customer changed the answer",
    Outcome.ERASED: "The person was erased",
}
SYSTEM_OUTCOMES = frozenset({Outcome.ANSWER_CHANGED, Outcome.ERASED})
MEMBER_OUTCOMES = tuple(outcome for outcome in Outcome if outcome not in SYSTEM_OUTCOMES)


def check_close(*, has_cause: bool, outcome: str, learning: str, cause_has_learning: bool) -> dict[str, str]:
    """Field name -> what is missing. Empty when the close is complete."""
    wrong = {}
    if not has_cause:
        wrong["cause"] = f"Choose a cause, name a new one, or take “{NOT_CLEAR_YET}”."
    if outcome not in MEMBER_OUTCOMES:
        wrong["outcome"] = "Say how it ended."
    said = learning.strip()
    if said == KNOWN_ALREADY:
        if not cause_has_learning:
            wrong["learning"] = f"“{KNOWN_ALREADY}” needs a cause that has a learning. Write down what you learned."
    elif len(said) < LEARNING_LEAST:
        wrong["learning"] = f"Write down what you learned, {LEARNING_LEAST} characters or more."
    return wrong


def wish_unmet(*, wants_reply: bool, human_contact: bool, outcome: str, attempt_days: Iterable[date]) -> str | None:
    """Why a case whose customer wants a reply cannot close yet, or None. `attempt_days` holds one queue date an attempt."""
    if not wants_reply or human_contact:
        return None
    if outcome == Outcome.UNREACHABLE:
        days = list(attempt_days)
        if len(days) >= ATTEMPTS_NEEDED and len(set(days)) >= DAYS_NEEDED:
            return None
        needed = f"{ATTEMPTS_NEEDED} attempts on {DAYS_NEEDED} different days"
        return f"“{OUTCOME_WORDS[Outcome.UNREACHABLE]}” needs {needed}. So far: {len(days)} on {len(set(days))}."
    return "The customer asked for a reply and has none. Write, or log a contact, before closing."
