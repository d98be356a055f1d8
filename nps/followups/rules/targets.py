"""How many open minutes a first human reply may take."""

from dataclasses import dataclass

LEAST, MOST = 5, 14_400


@dataclass(frozen=True, slots=True)
class Targets:
    """First reply, next reply and resolving, in open minutes. The defaults are those of a new queue."""

    low: int = 60  # 0–3
    middle: int = 240  # 4–6
    wish: int = 480  # 7–10 that want a reply or wrote to us; caps every other
    sent: int = 960  # 7–10 sent here by a rule
    no_score: int = 240  # mail without a score
    next_reply: int = 240
    resolve: int = 2400

    @property
    def promise(self) -> int:
        """What can be promised before the score is known: a wish for a reply never allows more than this."""
        return self.wish


def first_reply(targets: Targets, score: int | None, wants_reply: bool, rule_minutes: int | None = None, *, wrote: bool = False) -> int:
    """Open minutes for the first human reply; a rule's own target replaces the table, a wish still caps it.

    `wrote`: the customer wrote to us, which counts for 7–10 like a wish.
    """
    if rule_minutes is not None:
        minutes = rule_minutes
    elif score is None:
        minutes = targets.no_score
    elif score <= 3:
        minutes = targets.low
    elif score <= 6:
        minutes = targets.middle
    else:
        minutes = targets.wish if wants_reply or wrote else targets.sent
    return min(minutes, targets.wish) if wants_reply else minutes


def check(name: str, minutes: int | None) -> str | None:
    """What is wrong with a target somebody typed, or None."""
    if minutes is None or not LEAST <= minutes <= MOST:
        return f"{name} is between {LEAST} and {MOST:,} open minutes."
    return None
