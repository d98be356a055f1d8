"""How answers of the same person hang together, kept as sums over pairs of answers, so that any window adds up.

Two answers of one contact make a pair when both lie in the window. With n answers, S₁ = Σx, S₂ = Σx² and, over pairs,
their number, Σx, Σy and Σxy, the sums that the design effect needs are exact:
Σ sum² = S₂ + 2Σxy, Σ sum·count = S₁ + Σx + Σy, Σ count² = n + 2·pairs. Pairs with one answer in each of two windows
give what the people in both have in common.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from nps.scoring.comparison import Overlap
from nps.scoring.groups import nps_value
from nps.scoring.intervals import Repeats
from nps.scoring.score import Counts

NO_VALUE = ""


@dataclass(frozen=True, slots=True)
class PairSums:
    """Over all pairs, x being the earlier answer: how many, Σx, Σy, Σxy. May be subtracted as well as added."""

    pairs: int = 0
    first: int = 0
    second: int = 0
    product: int = 0

    def __add__(self, other: "PairSums") -> "PairSums":
        return PairSums(self.pairs + other.pairs, self.first + other.first, self.second + other.second, self.product + other.product)

    def times(self, factor: int) -> "PairSums":
        return PairSums(factor * self.pairs, factor * self.first, factor * self.second, factor * self.product)

    def __bool__(self) -> bool:
        return bool(self.pairs or self.first or self.second or self.product)

    @property
    def overlap(self) -> Overlap:
        """People on both sides, when these pairs have their earlier answer on one side and the later on the other."""
        return Overlap(self.pairs, self.first, self.second, self.product)


def repeats_of(counts: Counts, sums: PairSums) -> Repeats:
    """What the design effect is made of."""
    squares = counts.promoters + counts.detractors
    return Repeats(squares + 2 * sums.product, counts.surplus + sums.first + sums.second, counts.n + 2 * sums.pairs)


def fewest_contacts(n: int, pairs: int) -> int:
    """At least so many contacts gave n answers: ⌈n²/Σ count²⌉ (Cauchy and Schwarz). Exact when nobody answered twice."""
    return -(-n * n // (n + 2 * pairs)) if n else 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What of one counted answer matters for pairs. properties: the kept ones, as (key, value)."""

    day: date
    campaign: UUID | None
    score: int
    properties: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PairKey:
    """Where a pair is summed: over everything (key "") or over answers that share a property's value.

    earlier, later: the two days. campaign: both answers' campaign, or None when they differ.
    """

    earlier: date
    later: date
    campaign: UUID | None = None
    key: str = ""
    value: str = NO_VALUE

    @property
    def place(self) -> tuple[str, date, date, str, str]:
        """Sorts keys the same way for everybody."""
        return self.key, self.later, self.earlier, self.value, self.campaign.hex if self.campaign else ""


@dataclass(frozen=True, slots=True)
class Change:
    """An answer that began (+1) or ceased (−1) to count, of a contact in a series."""

    series: str
    contact: UUID
    answer: Answer
    sign: int


Person = tuple[str, UUID]
"""Series and contact: answers of different series never meet."""


def pair_changes(known: Mapping[Person, Counter[Answer]], changes: Iterable[Change]) -> dict[tuple[str, PairKey], PairSums]:
    """What a set of changes does to the pair sums, given the answers that counted before (with multiplicity).

    The order of the changes does not matter for the result. Keys whose sums do not change are left out.
    """
    standing: dict[Person, Counter[Answer]] = {person: Counter(answers) for person, answers in known.items()}
    made: dict[tuple[str, PairKey], PairSums] = defaultdict(PairSums)
    for change in changes:
        answers = standing.setdefault((change.series, change.contact), Counter())
        for other, times in answers.items():
            # one answer never pairs with itself: when it goes, its own count is one less
            partners = times - (1 if change.sign < 0 and other == change.answer else 0)
            if partners:
                _add(made, change.series, change.answer, other, change.sign * partners)
        answers[change.answer] += change.sign
    return {key: sums for key, sums in made.items() if sums}


def pairs_between(series: str, met: Mapping[tuple[Answer, Answer], int]) -> dict[tuple[str, PairKey], PairSums]:
    """The pair sums of a series, given how often one contact gave two such answers. Which of the two is named first does not matter."""
    made: dict[tuple[str, PairKey], PairSums] = defaultdict(PairSums)
    for (one, other), times in met.items():
        _add(made, series, one, other, times)
    return {key: sums for key, sums in made.items() if sums}


def stand_in(score: int) -> int:
    """One score for each group: pairs know no more of a score than +1, 0 or −1."""
    return {1: 10, 0: 7, -1: 0}[nps_value(score)]


def _add(made: dict[tuple[str, PairKey], PairSums], series: str, one: Answer, other: Answer, times: int) -> None:
    # on one day the lower score goes first: any fixed order will do, so that what is added can be taken away again
    earlier, later = sorted((one, other), key=lambda answer: (answer.day, answer.score))
    x, y = nps_value(earlier.score), nps_value(later.score)
    sums = PairSums(1, x, y, x * y).times(times)
    campaign = one.campaign if one.campaign == other.campaign else None
    shared = set(one.properties) & set(other.properties)
    for key, value in (("", NO_VALUE), *sorted(shared)):
        place = series, PairKey(earlier.day, later.day, campaign, key, value)
        made[place] = made[place] + sums
