"""One interval for every score: adjusted Wald for NPS (Rocks 2016), in points.

Each answer is x = +1, 0 or −1. With S₁ = Σx, S₂ = Σx² over n units:
k = n + 3, c = S₁/k, v = (S₂ + a)/k − c², SE = √(v/k), m = z·SE, range = c ± m.
a = 1.5 stands for three added answers: ¾ promoter, 1½ passive, ¾ detractor. The point shown stays the raw score; the
range is centred on c and may therefore differ by a point or two from score ± margin. The range is what counts.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from nps.scoring.score import Counts

Z = 1.959963984540054  # Φ⁻¹(0.975)
_ADDED_UNITS = 3
_ADDED_SQUARES = 1.5
_ADDED_SQUARES_PAIRED = 3.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its doubt, all in points.

    raw: the point shown. centre, se, margin: of the interval. k: effective units + 3.
    limit: the largest value possible (100 for a score, 200 for a change of the same people). lo, hi: the range, cut at it.
    """

    raw: float
    centre: float
    se: float
    k: float
    limit: float = 100.0

    @property
    def margin(self) -> float:
        """Half width of the range before cutting."""
        return Z * self.se

    @property
    def uncut(self) -> tuple[float, float]:
        """The range before cutting."""
        return self.centre - self.margin, self.centre + self.margin

    @property
    def lo(self) -> float:
        return max(self.uncut[0], -self.limit)

    @property
    def hi(self) -> float:
        return min(self.uncut[1], self.limit)

    @property
    def is_cut(self) -> bool:
        lo, hi = self.uncut
        return lo < -self.limit or hi > self.limit

    @property
    def p(self) -> float:
        """Two-sided p value of the centre against no change. Meant for changes, not for scores."""
        return two_sided_p(self.centre, self.se)


@dataclass(frozen=True, slots=True)
class Repeats:
    """Sums over contacts that show how far their answers hang together: Σ sum², Σ sum·count, Σ count².

    `sum` is a contact's Σx and `count` its number of answers. A contact with one answer x adds x², x and 1.
    """

    sum_squared: int
    sum_by_count: int
    count_squared: int

    @classmethod
    def of_contacts(cls, contacts: Iterable[tuple[int, int]]) -> "Repeats":
        """From (sum, count) of every contact."""
        squared = crossed = counted = 0
        for total, count in contacts:
            squared += total * total
            crossed += total * count
            counted += count * count
        return cls(squared, crossed, counted)

    @classmethod
    def with_singles(cls, counts: Counts, repeated: Iterable[tuple[int, int, int]]) -> "Repeats":
        """From all counts and only the contacts with several answers, as (Σx, Σx², answers).

        Everybody else answered once, so their part follows from the counts.
        """
        squared, crossed, counted = counts.promoters + counts.detractors, counts.surplus, counts.n
        for total, squares, count in repeated:
            squared += total * total - squares
            crossed += total * count - total
            counted += count * count - count
        return cls(squared, crossed, counted)


def _interval(s1: float, s2: float, n: float, *, raw: float, added: float = _ADDED_SQUARES, limit: float = 100.0) -> Estimate:
    if n <= 0:
        raise ValueError("an interval needs at least one unit")
    k = n + _ADDED_UNITS
    centre = s1 / k
    # v is never negative in exact arithmetic; the guard is for the last bit of a double
    variance = max(0.0, (s2 + added) / k - centre * centre)
    return Estimate(raw=raw, centre=100 * centre, se=100 * math.sqrt(variance / k), k=k, limit=limit)


def plain(counts: Counts) -> Estimate:
    """Score of answers from people who answered once each. ValueError without answers."""
    return with_effective_n(counts, float(counts.n))


def with_effective_n(counts: Counts, effective_n: float) -> Estimate:
    """Score of answers that are worth `effective_n` independent ones. ValueError without answers."""
    if not counts.n:
        raise ValueError("an interval needs at least one answer")
    factor = effective_n / counts.n
    squares = counts.promoters + counts.detractors
    return _interval(factor * counts.surplus, factor * squares, effective_n, raw=100 * counts.surplus / counts.n)


def design_effect(counts: Counts, repeats: Repeats) -> float:
    """deff = max(1, V_c/V₀): how much wider doubt gets because some contacts answered more than once (Kish 1965).

    V₀ = (S₂/n − x̄²)/n; V_c = Σ_contacts (sum − count·x̄)²/n², x̄ = S₁/n. 1 when all answers are equal.
    """
    n, s1 = counts.n, counts.surplus
    s2 = counts.promoters + counts.detractors
    # both variances times n⁴, in whole numbers: no rounding until the one division
    independent = n * (n * s2 - s1 * s1)
    if independent == 0:
        return 1.0
    clustered = n * n * repeats.sum_squared - 2 * n * s1 * repeats.sum_by_count + s1 * s1 * repeats.count_squared
    return max(1.0, clustered / independent)


def repeated(counts: Counts, repeats: Repeats) -> Estimate:
    """Score of answers where some contacts answered more than once: n is divided by the design effect."""
    return with_effective_n(counts, counts.n / design_effect(counts, repeats))


def of_means(total: float, squares: float, units: int) -> Estimate:
    """Score of companies: total = Σy, squares = Σy², y a company's mean of x. ValueError without companies."""
    if units <= 0:
        raise ValueError("an interval needs at least one company")
    return _interval(total, squares, units, raw=100 * total / units)


def weighted(promoters: float, detractors: float, effective_n: float) -> Estimate:
    """Score of weighted shares (0…1) of promoters and detractors, worth `effective_n` answers (Kish 1965)."""
    return _interval(
        effective_n * (promoters - detractors),
        effective_n * (promoters + detractors),
        effective_n,
        raw=100 * (promoters - detractors),
    )


def paired(total: int, squares: int, pairs: int) -> Estimate:
    """Change of the same people: total = Σc, squares = Σc², c = after − before (−2…2). ValueError without pairs."""
    if pairs <= 0:
        raise ValueError("a paired change needs at least one pair")
    return _interval(total, squares, pairs, raw=100 * total / pairs, added=_ADDED_SQUARES_PAIRED, limit=200.0)


def everybody_asked(estimate: Estimate, answered: int, population: int) -> Estimate:
    """The same estimate when the whole population was asked: margin × √((N − n)/(N − 1)).

    ValueError below 80% answered: a small sample does not become exact because it is a large part of those who
    liked to answer.
    """
    if not 0 < answered <= population or 100 * answered < 80 * population:
        raise ValueError("the correction needs at least 80% of the whole population")
    factor = math.sqrt((population - answered) / (population - 1)) if population > 1 else 0.0
    return replace(estimate, se=estimate.se * factor)


def two_sided_p(distance: float, se: float) -> float:
    """2(1 − Φ(|distance|/SE)), exact also far out in the tail. 1 when there is neither distance nor doubt."""
    if se == 0:
        return 1.0 if distance == 0 else 0.0
    return math.erfc(abs(distance) / se / math.sqrt(2))
