"""How many answers, invitations and days a question needs."""

import math
from statistics import NormalDist

from nps.scoring.intervals import Z
from nps.scoring.score import FEW_UNDER, Counts

POWER_Z = 0.8416212335729143  # Φ⁻¹(0.80)
USUAL_VARIANCE = 0.61  # half promoters, a fifth detractors
WORST_VARIANCE = 1.0


def variance_of(counts: Counts) -> float:
    """p + d − (p − d)² of own answers; the usual value while there are under 30 of them."""
    if counts.n < FEW_UNDER:
        return USUAL_VARIANCE
    promoters, detractors = counts.promoters / counts.n, counts.detractors / counts.n
    return promoters + detractors - (promoters - detractors) ** 2


def answers_for_margin(margin: float, variance: float = USUAL_VARIANCE) -> int:
    """Answers for a margin of so many points: ⌈v·(100z/M)²⌉. ValueError unless margin > 0."""
    if margin <= 0:
        raise ValueError("the margin must be above 0")
    return math.ceil(variance * (100 * Z / margin) ** 2)


def answers_per_group(change: float, variance1: float = USUAL_VARIANCE, variance2: float = USUAL_VARIANCE) -> int:
    """Answers in each group to see a change of so many points with 80% power: ⌈(v₁ + v₂)(z + z₈₀)²·10⁴/δ² − 3⌉."""
    if change == 0:
        raise ValueError("the change must not be 0")
    return math.ceil((variance1 + variance2) * (Z + POWER_Z) ** 2 * 10_000 / change**2 - 3)


def invitations_per_variant(rate: float, better: float, variants: int = 2) -> float:
    """Invitations for each variant to tell two rates (0…1) apart with 80% power, unrounded.

    z_a = Φ⁻¹(1 − 0.025/(variants − 1)) allows for several variants compared with the first.
    """
    if variants < 2 or not 0 < rate < 1 or not 0 < better < 1 or rate == better:
        raise ValueError("two different rates between 0 and 1 and at least two variants are needed")
    z_alpha = NormalDist().inv_cdf(1 - 0.025 / (variants - 1))
    mean = (rate + better) / 2
    spread = z_alpha * math.sqrt(2 * mean * (1 - mean)) + POWER_Z * math.sqrt(rate * (1 - rate) + better * (1 - better))
    return spread**2 / (better - rate) ** 2


def plan(answers: int, response_rate: float, daily: int) -> tuple[int, int]:
    """Invitations and sending days for so many answers at a response rate (0…1) and so many invitations a day."""
    if not 0 < response_rate <= 1 or daily < 1:
        raise ValueError("the response rate lies between 0 and 1 and at least one invitation leaves a day")
    # 1,175 answers at 20% must not become 5,876 because 0.2 is not exact in binary
    invitations = math.ceil(round(answers / response_rate, 9))
    return invitations, math.ceil(invitations / daily)
