"""Is a difference clear? Two groups, two windows, the same people twice, and many rows at once."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nps.scoring.intervals import Estimate, Z, paired, two_sided_p

CLEAR_P = 0.05
CLEAR_Q = 0.10
PAIRS_NEEDED = 30


@dataclass(frozen=True, slots=True)
class Difference:
    """Second minus first, in points. raw is shown; d, se, margin, lo and hi carry the doubt; p is two-sided."""

    raw: float
    d: float
    se: float

    @property
    def margin(self) -> float:
        return Z * self.se

    @property
    def lo(self) -> float:
        return self.d - self.margin

    @property
    def hi(self) -> float:
        return self.d + self.margin

    @property
    def p(self) -> float:
        return two_sided_p(self.d, self.se)

    @property
    def clear(self) -> bool:
        """p < 0.05, the same as |d| > margin. Only for one comparison; a table needs `clear_in_family`."""
        return self.p < CLEAR_P


@dataclass(frozen=True, slots=True)
class Overlap:
    """People counted on both sides: how many, Σx₁, Σx₂ and Σx₁x₂ over them."""

    people: int
    first: int
    second: int
    product: int

    @property
    def covariance(self) -> float:
        if not self.people:
            return 0.0
        return self.product / self.people - (self.first / self.people) * (self.second / self.people)


def difference(first: Estimate, second: Estimate, overlap: Overlap | None = None) -> Difference:
    """d = c₂ − c₁, SE = √(SE₁² + SE₂²), less the part that people on both sides share when they are 30 or more."""
    variance = first.se**2 + second.se**2
    if overlap is not None and overlap.people >= PAIRS_NEEDED:
        shared = 2 * overlap.people * overlap.covariance / (first.k * second.k) * 10_000
        variance = max(0.0, variance - shared)
    return Difference(raw=second.raw - first.raw, d=second.centre - first.centre, se=math.sqrt(variance))


def paired_change(moves: Sequence[Sequence[int]]) -> Estimate:
    """Change of the same people from a 3 × 3 table: rows before, columns after, both detractor, passive, promoter.

    ValueError without pairs. Whether 30 pairs are there is the caller's to check (`PAIRS_NEEDED`) before it is shown.
    """
    total = squares = pairs = 0
    for before, row in enumerate(moves):
        for after, people in enumerate(row):
            step = after - before
            total += step * people
            squares += step * step * people
            pairs += people
    return paired(total, squares, pairs)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """q values in the order given: q₍ᵢ₎ = min over j ≥ i of p₍ⱼ₎·N/j (Benjamini and Hochberg 1995)."""
    total = len(p_values)
    q_values = [1.0] * total
    smallest = 1.0
    ordered = sorted(range(total), key=lambda i: p_values[i], reverse=True)
    for place, index in enumerate(ordered):
        smallest = min(smallest, p_values[index] * total / (total - place))
        q_values[index] = smallest
    return q_values


def clear_in_family(p: float, q: float) -> bool:
    """May one row of a table be called clear? p < 0.05 and q ≤ 0.10."""
    return p < CLEAR_P and q <= CLEAR_Q


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p values in the order given (Holm 1979): p₍ᵢ₎·(N − i + 1), never falling, at most 1."""
    total = len(p_values)
    adjusted = [1.0] * total
    largest = 0.0
    for place, index in enumerate(sorted(range(total), key=lambda i: p_values[i])):
        largest = max(largest, min(1.0, p_values[index] * (total - place)))
        adjusted[index] = largest
    return adjusted
