"""The sentences under the figures. Differences go together with the score; no sentence claims a cause."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations

from nps.analytics.rules.figures import Changed, Figure, change
from nps.scoring import display
from nps.scoring.comparison import Overlap, benjamini_hochberg, clear_in_family, difference
from nps.scoring.score import Counts

PAIRS_UP_TO = 8


def verdict(changed: Changed) -> str:
    """ "Within the margin (±6), so not a clear change yet." """
    margin = display.margin(changed.doubt.margin)
    if changed.clear:
        return f"Outside the margin ({margin}), so a clear change."
    return f"Within the margin ({margin}), so not a clear change yet."


def window_text(first: date, last: date) -> str:
    """ "9 July to 6 October 2026"; the year of the first day only when it is another one."""
    year = f" {first.year}" if first.year != last.year else ""
    end = f"{last.day} {last:%B} {last.year}"
    return end if first == last else f"{first.day} {first:%B}{year} to {end}"


def sensitivity(figure: Figure, waiting: Sequence[int]) -> str:
    """ "With the 12 answers waiting for review: 38.", when they move the score by a point or more; else nothing."""
    if figure.bars is None or figure.shown is None or not sum(waiting):
        return ""
    with_them = Counts.by_score([one + other for one, other in zip(figure.bars, waiting, strict=True)])
    if with_them.rounded is None or abs(with_them.rounded - figure.shown) < 1:
        return ""
    count = sum(waiting)
    answers = "1 answer" if count == 1 else f"{display.number(count)} answers"
    return f"With the {answers} waiting for review: {display.number(with_them.rounded)}."


def window_before(days: int) -> str:
    """ "the 90 days before"."""
    return "the day before" if days == 1 else f"the {display.number(days)} days before"


def no_comparison(before: Figure, days: int) -> str:
    """Why there is no change to show, about the window before."""
    span = window_before(days)
    if before.state == "none":
        return f"No answers in {span}, so there is nothing to compare with."
    if before.state == "hidden":
        return f"Fewer than 5 answers in {span}, too few to compare with."
    return f"Under 30 answers in {span}, too few to compare with."


@dataclass(frozen=True, slots=True)
class Named:
    """A figure with the name it has in a sentence."""

    name: str
    figure: Figure
    running: bool = False


def trend_name(points: Sequence[Named]) -> str:
    """The one sentence that stands for the trend's picture."""
    complete = [point for point in points if point.figure.shown is not None]
    parts = [f"NPS from {points[0].name} to {points[-1].name}" if points else "NPS"]
    if len(complete) > 1:
        first, last = complete[0].figure.nps or 0.0, complete[-1].figure.nps or 0.0
        verb = "rising" if last > first else "falling" if last < first else "staying"
        parts[0] += (
            f", {verb} from {display.spoken(first)} to {display.spoken(last)}" if last != first else f", {verb} at {display.spoken(first)}"
        )
    return f"{parts[0]}. The shaded band is the 95 percent margin of error. The numbers are in the table below."


@dataclass(frozen=True, slots=True)
class TrendWords:
    """Footer of the trend: the change and the sentence after it, and the period that is still running."""

    changed: Changed | None
    since: str
    text: str


def compared(points: Sequence[Named]) -> tuple[int, int] | None:
    """Places of the two periods a trend is judged by: the first and the last complete one with 30 answers."""
    complete = [place for place, point in enumerate(points) if not point.running and point.figure.is_ok]
    return (complete[0], complete[-1]) if len(complete) > 1 else None


def trend_words(points: Sequence[Named], overlap: Overlap | None = None) -> TrendWords:
    """Compares the last complete period with the first one shown. Both need 30 answers. overlap: people in both."""
    unfinished = (point.name.split()[0] for point in points if point.running and point.figure.state != "none")
    running = next((f" {name} is still running." for name in unfinished), "")
    places = compared(points)
    if places is None:
        return TrendWords(None, "", f"Two complete periods with 30 answers each are needed for a comparison.{running}")
    first, last = points[places[0]], points[places[1]]
    found = change(first.figure, last.figure, overlap)
    if found is None:
        return TrendWords(None, "", running.strip())
    return TrendWords(found, f"since {first.name.rsplit(' ', 1)[0]}.", f"{verdict(found)}{running}")


@dataclass(frozen=True, slots=True)
class RowChange:
    """Change of one row of a table, with the family's verdict."""

    changed: Changed
    q: float

    @property
    def clear(self) -> bool:
        return clear_in_family(self.changed.doubt.p, self.q)


def row_changes(rows: Sequence[tuple[Figure, Figure, Overlap | None]]) -> list[RowChange | None]:
    """Change of every row, (before, now, people in both), tested as one family."""
    found = [change(before, now, overlap) for before, now, overlap in rows]
    q_values = iter(benjamini_hochberg([one.doubt.p for one in found if one is not None]))
    return [RowChange(one, next(q_values)) if one is not None else None for one in found]


def clearest_pair(rows: Sequence[Named], rest: Sequence[Figure] = ()) -> str:
    """ "Growth scores above Starter beyond the margin.", or that no difference is clear.

    All pairs up to eight rows, else each row against the others (`rest`), tested as one family.
    """
    tests: list[tuple[float, str]] = []
    if len(rows) <= PAIRS_UP_TO:
        for one, other in combinations([row for row in rows if row.figure.estimate and row.figure.is_ok], 2):
            tests.append(_compared(one, other.figure, other.name))
    else:
        for row, others in zip(rows, rest, strict=True):
            if row.figure.is_ok and others.is_ok:
                tests.append(_compared(row, others, "the rest"))
    if not tests:
        return ""
    q_values = benjamini_hochberg([p for p, _ in tests])
    clear = [(p, text) for (p, text), q in zip(tests, q_values, strict=True) if clear_in_family(p, q)]
    return min(clear)[1] if clear else "No difference between the rows is clear yet."


def _compared(one: Named, other: Figure, name: str) -> tuple[float, str]:
    assert one.figure.estimate is not None
    assert other.estimate is not None
    made = difference(other.estimate, one.figure.estimate)
    high, low = (one.name, name) if made.d > 0 else (name, one.name)
    if name == "the rest" and made.d <= 0:
        return made.p, f"{one.name} scores below the rest beyond the margin."
    return made.p, f"{high} scores above {low} beyond the margin."


def changes_in_words(rows: Sequence[tuple[str, RowChange | None]], what: str) -> str:
    """ "No plan’s change since the last period is clear yet.", or the clearest change. what: the property's name."""
    known = [(name, row) for name, row in rows if row is not None]
    if not known:
        return ""
    clear = [(row.changed.doubt.p, name, row) for name, row in known if row.clear]
    if not clear:
        return f"No {what.lower()}’s change since the last period is clear yet."
    _, name, row = min(clear, key=lambda found: found[0])
    way = "up" if row.changed.shown > 0 else "down"
    return f"{name} went {way} {display.points(row.changed.shown)} since the last period, which is clear."
