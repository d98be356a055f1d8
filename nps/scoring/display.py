"""How figures are written. The one place where they are rounded.

A score is a number without %, negative ones carry a true minus; a margin is never "±0".
"""

from nps.scoring.intervals import Estimate
from nps.scoring.score import rounded, rounded_ratio, share_tenths

MINUS = "−"
NOTHING = "–"


def number(value: int) -> str:
    """Whole number with thousands separated by commas and a true minus: 1,284; −12."""
    return f"{MINUS if value < 0 else ''}{abs(value):,}"


def score(value: float | None) -> str:
    """A score or an end of a range (points): "39", "−12", "0"; "–" when there is none."""
    return NOTHING if value is None else number(rounded(value))


def spoken(value: float) -> str:
    """A score for a screen reader: "minus 12"."""
    shown = rounded(value)
    return f"minus {-shown}" if shown < 0 else str(shown)


def margin_points(value: float) -> int:
    """A margin as shown: rounded, and at least 1."""
    return max(1, rounded(value))


def margin(value: float) -> str:
    """ "±4"; a margin under half a point is "±1", because no sample is without doubt."""
    return f"±{margin_points(value)}"


def range_text(lo: float, hi: float) -> str:
    """ "35 to 43"."""
    return f"{score(lo)} to {score(hi)}"


def with_doubt(estimate: Estimate, shown: int | None = None) -> str:
    """ "39 ±4", or "100 (79 to 100)" when the range was cut at the end of the scale.

    shown: the score rounded exactly from counts, where the caller has it.
    """
    point = score(estimate.raw) if shown is None else number(shown)
    if estimate.is_cut:
        return f"{point} ({range_text(estimate.lo, estimate.hi)})"
    return f"{point} {margin(estimate.margin)}"


def tenths(value: int) -> str:
    """Tenths with one decimal: 547 gives "54.7"."""
    return f"{MINUS if value < 0 else ''}{abs(value) // 10:,}.{abs(value) % 10}"


def percent(part: int, whole: int) -> str:
    """Share with one decimal: "54.7%"; "–" of nothing."""
    value = share_tenths(part, whole)
    return NOTHING if value is None else f"{tenths(value)}%"


def percent_whole(part: int, whole: int) -> str:
    """Share without decimals: "94%"; "–" of nothing."""
    return NOTHING if not whole else f"{rounded_ratio(100 * part, whole)}%"


def points(value: float) -> str:
    """Size of a change in words: "5 points", "1 point". The sign is told by arrow and word, not here."""
    size = abs(rounded(value))
    return f"{number(size)} point{'' if size == 1 else 's'}"
