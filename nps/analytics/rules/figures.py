"""A figure: counts with their doubt, cut down to what so many answers may show. Every surface is made from it."""

from collections.abc import Sequence
from dataclasses import dataclass

from nps.analytics.rules.repeats import PairSums, repeats_of
from nps.scoring import intervals
from nps.scoring.comparison import Difference, Overlap, difference
from nps.scoring.intervals import Estimate
from nps.scoring.score import Counts, State, change_rounded, state_of

NOBODY = (0,) * 11
TOO_FEW = "Under 30 answers, too few to report"
HIDDEN = "Fewer than 5 answers"
NONE = "No answers in this window"


@dataclass(frozen=True, slots=True)
class Figure:
    """One score. What may not be shown is not in it: below 5 units there are no counts, below 30 no score.

    bars: answers by score 0–10, or None. estimate: with its range, or None. counts: by group, or None.
    """

    state: State
    bars: tuple[int, ...] | None
    counts: Counts | None
    estimate: Estimate | None

    @property
    def n(self) -> int | None:
        """Answers; None while fewer than 5 hide themselves."""
        return self.counts.n if self.counts is not None else None

    @property
    def nps(self) -> float | None:
        return self.counts.nps if self.state is State.OK and self.counts is not None else None

    @property
    def shown(self) -> int | None:
        """The score as a whole number, rounded once from counts."""
        return self.counts.rounded if self.state is State.OK and self.counts is not None else None

    @property
    def is_ok(self) -> bool:
        return self.state is State.OK

    @property
    def why_not(self) -> str:
        """The sentence that stands where the score would."""
        return {State.NONE: NONE, State.HIDDEN: HIDDEN, State.FEW: TOO_FEW}.get(self.state, "")


def figure(bars: Sequence[int], units: int, pairs: PairSums | None = None) -> Figure:
    """From answers by score, the units behind them (contacts; at least as many as are certain) and pairs of answers
    by the same contact inside the window."""
    counts = Counts.by_score(bars)
    state = state_of(units if counts.n else 0)
    if state is State.NONE:
        return Figure(state, NOBODY, counts, None)
    if state is State.HIDDEN:
        return Figure(state, None, None, None)
    if pairs:
        estimate = intervals.repeated(counts, repeats_of(counts, pairs))
    else:
        estimate = intervals.plain(counts)
    return Figure(state, tuple(bars), counts, estimate)


@dataclass(frozen=True, slots=True)
class Changed:
    """From one figure to another: what is shown (rounded points) and its doubt. None when a side has too few answers."""

    shown: int
    doubt: Difference

    @property
    def clear(self) -> bool:
        return self.doubt.clear


def change(before: Figure, after: Figure, overlap: Overlap | None = None) -> Changed | None:
    """After minus before. The two must share no day and be of one series and unit; the caller sees to it. overlap: the
    people on both sides, who narrow the doubt."""
    if not (before.is_ok and after.is_ok and before.counts and after.counts and before.estimate and after.estimate):
        return None
    shown = change_rounded(before.counts, after.counts)
    return None if shown is None else Changed(shown, difference(before.estimate, after.estimate, overlap))
