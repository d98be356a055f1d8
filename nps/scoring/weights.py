"""The score if those who answered had the same mix as everybody who could be asked."""

from collections.abc import Sequence
from dataclasses import dataclass

from nps.scoring.intervals import Estimate, weighted
from nps.scoring.score import Counts

CAP = 5.0


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a property: people in the population, and the counted answers."""

    population: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class Weighted:
    """Weighted estimate with the answers it is worth and the weights, in the order of the cells."""

    estimate: Estimate
    effective_n: float
    weights: tuple[float, ...]


def weighted_score(cells: Sequence[Cell], cap: float | None = CAP) -> Weighted:
    """Weight each cell by population share / answered share, capped; effective n = (Σw)²/Σw² (Kish 1965).

    ValueError for a cell without answers: join such cells with others first.
    """
    answers = sum(cell.counts.n for cell in cells)
    people = sum(cell.population for cell in cells)
    if not people or any(cell.counts.n == 0 for cell in cells):
        raise ValueError("every cell needs answers and the population must not be empty")
    weights = [(cell.population * answers) / (people * cell.counts.n) for cell in cells]
    if cap is not None:
        weights = [min(weight, cap) for weight in weights]
    total = sum(weight * cell.counts.n for weight, cell in zip(weights, cells, strict=True))
    squares = sum(weight * weight * cell.counts.n for weight, cell in zip(weights, cells, strict=True))
    promoters = sum(weight * cell.counts.promoters for weight, cell in zip(weights, cells, strict=True)) / total
    detractors = sum(weight * cell.counts.detractors for weight, cell in zip(weights, cells, strict=True)) / total
    effective_n = total * total / squares
    return Weighted(weighted(promoters, detractors, effective_n), effective_n, tuple(weights))
