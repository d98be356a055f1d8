"""The sums of very many answers: those that are alike are counted first and summed once, so that most of the work does not
grow with all that answers are split by."""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date
from itertools import combinations
from uuid import UUID

from nps.analytics.rules import counting
from nps.analytics.rules.counting import Contribution, SumKey
from nps.analytics.rules.repeats import Answer, PairKey, PairSums, pairs_between, stand_in

Line = tuple[date, str, UUID | None, int, bool, str]
"""What of one counted answer is summed: day, series, campaign, score, whether there is a comment, the kept properties as JSON."""


class Bulk:
    """Takes answers contact by contact. Memory grows with the sums and by `most` kinds of answers and of pairs."""

    def __init__(self, most: int = 500_000) -> None:
        self.daily: dict[SumKey, list[int]] = {}
        self.pairs: dict[tuple[str, PairKey], PairSums] = defaultdict(PairSums)
        self._most = most
        self._alike: Counter[Line] = Counter()
        self._met: Counter[tuple[int, int]] = Counter()
        self._numbers: dict[tuple[str, Answer], int] = {}
        self._number_of: dict[Line, int] = {}
        self._properties: dict[str, tuple[tuple[str, str], ...]] = {}

    def add(self, lines: Sequence[Line], one_person: bool) -> None:
        """The answers of one contact; or some without a contact, which pair with nothing."""
        self._alike.update(lines)
        if one_person and len(lines) > 1:
            self._met.update(combinations(sorted([self._number_of.get(line) or self._number(line) for line in lines]), 2))
        if len(self._alike) > self._most or len(self._met) > self._most:
            self.finish()

    def finish(self) -> None:
        """`daily` and `pairs` hold all that was added."""
        for (day, series, campaign, score, has_comment, text), times in self._alike.items():
            one = Contribution(None, day, series, campaign, score, has_comment, self._read(text))
            counting.add_to(self.daily, one, times)
        known = list(self._numbers)
        met: dict[str, dict[tuple[Answer, Answer], int]] = defaultdict(dict)
        for (first, second), times in self._met.items():
            (series, one_answer), (other_series, other_answer) = known[first - 1], known[second - 1]
            if series == other_series:
                met[series][one_answer, other_answer] = times
        for series, found in met.items():
            for place, sums in pairs_between(series, found).items():
                self.pairs[place] += sums
        for counted in (self._alike, self._met, self._numbers, self._number_of):
            counted.clear()

    def _number(self, line: Line) -> int:
        """From 1; the same for answers that pairs cannot tell apart."""
        day, series, campaign, score, _, text = line
        answer = Answer(day, campaign, stand_in(score), self._read(text))
        number = self._numbers.setdefault((series, answer), len(self._numbers) + 1)
        self._number_of[line] = number
        return number

    def _read(self, text: str) -> tuple[tuple[str, str], ...]:
        if text not in self._properties:
            self._properties[text] = tuple(sorted(json.loads(text).items()))
        return self._properties[text]
