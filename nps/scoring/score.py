"""The score itself: exact from counts, rounded once, half away from zero, in integers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

HIDDEN_UNDER = 5
FEW_UNDER = 30


class State(StrEnum):
    """What may be shown of a figure, by the number of units (contacts or companies) behind it."""

    NONE = "none"
    HIDDEN = "hidden"
    FEW = "few"
    OK = "ok"


def state_of(units: int) -> State:
    """State for so many units: 0 none, 1–4 hidden, 5–29 few, from 30 on ok."""
    if units < 0:
        raise ValueError("units cannot be negative")
    if units == 0:
        return State.NONE
    if units < HIDDEN_UNDER:
        return State.HIDDEN
    return State.FEW if units < FEW_UNDER else State.OK


@dataclass(frozen=True, slots=True)
class Counts:
    """Answers by group. Counts may not be negative."""

    promoters: int
    passives: int
    detractors: int

    def __post_init__(self) -> None:
        if min(self.promoters, self.passives, self.detractors) < 0:
            raise ValueError("counts cannot be negative")

    @classmethod
    def of(cls, promoters: int, detractors: int, n: int) -> "Counts":
        """From promoters, detractors and all answers (P D n)."""
        return cls(promoters, n - promoters - detractors, detractors)

    @classmethod
    def by_score(cls, bars: Sequence[int]) -> "Counts":
        """From the eleven counts of the scores 0 to 10."""
        if len(bars) != 11:
            raise ValueError("eleven counts are needed, one for each score from 0 to 10")
        return cls(promoters=sum(bars[9:]), passives=sum(bars[7:9]), detractors=sum(bars[:7]))

    @property
    def n(self) -> int:
        return self.promoters + self.passives + self.detractors

    @property
    def surplus(self) -> int:
        """Promoters minus detractors: Σx with x = +1, 0, −1."""
        return self.promoters - self.detractors

    @property
    def nps(self) -> float | None:
        """100·(P − D)/n, unrounded; None without answers, never 0."""
        return 100 * self.surplus / self.n if self.n else None

    @property
    def rounded(self) -> int | None:
        """The score as shown; None without answers."""
        return rounded_ratio(100 * self.surplus, self.n) if self.n else None


def rounded_ratio(numerator: int, denominator: int) -> int:
    """numerator/denominator to the nearest whole number, half away from zero, exactly: sign·⌊(2|a| + b)/2b⌋."""
    if denominator <= 0:
        raise ValueError("the denominator must be positive")
    size = (2 * abs(numerator) + denominator) // (2 * denominator)
    return -size if numerator < 0 else size


def rounded(value: float) -> int:
    """Margins and ends of ranges (points) to a whole number, half away from zero; never −0."""
    size = math.floor(abs(value) + 0.5)
    return -size if value < 0 else size


def share_tenths(part: int, whole: int) -> int | None:
    """part/whole in tenths of a percent, half away from zero; None when whole is 0. 702 of 1,284 gives 547."""
    return rounded_ratio(1000 * part, whole) if whole else None


def change_rounded(before: Counts, after: Counts) -> int | None:
    """Points gained, subtracted unrounded and then rounded; None when a side has no answers."""
    if not before.n or not after.n:
        return None
    change = Fraction(100 * after.surplus, after.n) - Fraction(100 * before.surplus, before.n)
    return rounded_ratio(change.numerator, change.denominator)


def mean_tenths(bars: Sequence[int]) -> int | None:
    """Mean of the scores 0–10 in tenths, half away from zero; None without answers."""
    n = sum(bars)
    return rounded_ratio(10 * sum(score * count for score, count in enumerate(bars)), n) if n else None
