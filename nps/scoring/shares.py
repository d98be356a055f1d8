"""Shares and differences of shares, as fractions 0…1."""

import math
from dataclasses import dataclass

from nps.scoring.comparison import CLEAR_P
from nps.scoring.intervals import Z, two_sided_p


@dataclass(frozen=True, slots=True)
class Share:
    """One share with its 95% range."""

    share: float
    lo: float
    hi: float


@dataclass(frozen=True, slots=True)
class ShareGap:
    """Second share minus first. gap is raw and shown; centre, se, lo, hi and p belong together."""

    gap: float
    centre: float
    se: float

    @property
    def lo(self) -> float:
        return self.centre - Z * self.se

    @property
    def hi(self) -> float:
        return self.centre + Z * self.se

    @property
    def p(self) -> float:
        return two_sided_p(self.centre, self.se)

    @property
    def clear(self) -> bool:
        return self.p < CLEAR_P


def wilson(part: int, whole: int) -> Share:
    """Score interval for one share (Wilson 1927), exactly 0 and 1 at the ends. ValueError when whole is 0."""
    if not 0 <= part <= whole or whole == 0:
        raise ValueError("a share needs 0 ≤ part ≤ whole and whole > 0")
    square = Z * Z
    centre = (part + square / 2) / (whole + square)
    half = Z / (whole + square) * math.sqrt(part * (whole - part) / whole + square / 4)
    lo = 0.0 if part == 0 else max(0.0, centre - half)
    hi = 1.0 if part == whole else min(1.0, centre + half)
    return Share(part / whole, lo, hi)


def agresti_caffo(part1: int, whole1: int, part2: int, whole2: int) -> ShareGap:
    """Difference of two independent shares, second minus first (Agresti and Caffo 2000). ValueError for empty sides.

    p̃ = (x + 1)/(n + 2), SE² = Σ p̃(1 − p̃)/(n + 2): interval and verdict come from the same numbers.
    """
    for part, whole in ((part1, whole1), (part2, whole2)):
        if not 0 <= part <= whole or whole == 0:
            raise ValueError("a share needs 0 ≤ part ≤ whole and whole > 0")
    first, second = (part1 + 1) / (whole1 + 2), (part2 + 1) / (whole2 + 2)
    variance = first * (1 - first) / (whole1 + 2) + second * (1 - second) / (whole2 + 2)
    return ShareGap(part2 / whole2 - part1 / whole1, second - first, math.sqrt(variance))
