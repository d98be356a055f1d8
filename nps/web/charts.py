"""Charts drawn on the server as SVG: the same drawing on screen and in print, nothing for a browser to run.

Plots have no viewBox: positions are percentages, so text and points keep their real size at any width. Lines and
bands sit in a nested, stretched SVG. Nothing carries a style attribute; colour comes from class names. Every function
is pure and returns Markup; a chart that stands alone is an image with a one-sentence name.
All values are in the unit of the chart (points, answers, money); None means that there is nothing to show.
"""

import builtins
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from nps.scoring import display

_At = Callable[[int, float], str]
TOP_ROOM = 14.0  # percent of a column plot kept for the numbers above the columns


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """One period. est is None below 30 answers; lo and hi are None below 5.

    running: the period is not over. after_break: what was measured changed, so nothing is joined across its left side.
    """

    label: str
    est: float | None
    lo: float | None
    hi: float | None
    running: bool = False
    after_break: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its label below, value (≥ 0), text above, class ("pro", "det", "acc", "soft" or "") and, where
    known, the value of the window before, drawn as an outline."""

    label: str
    value: float
    text: str
    kind: str = ""
    before: float | None = None


def _n(value: float) -> str:
    """Coordinate with at most two decimals and no trailing zeros."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _pct(value: float) -> str:
    return f"{_n(value)}%"


# Gauge: a half circle round (130, 126), −100 at the left, 0 at the top, 100 at the right

_CENTRE_X, _CENTRE_Y, _RADIUS = 130.0, 126.0, 104.0
_TIP_INNER, _TIP_OUTER = 90.0, 118.0


def _on_arc(value: float, radius: float = _RADIUS) -> str:
    angle = math.pi * (value + 100) / 200
    return f"{_n(_CENTRE_X - radius * math.cos(angle))} {_n(_CENTRE_Y - radius * math.sin(angle))}"


def _arc(start: float, end: float) -> str:
    return f"M{_on_arc(start)}A104 104 0 0 1 {_on_arc(end)}"


def gauge(est: float | None, lo: float | None = None, hi: float | None = None, before: str = "") -> Markup:
    """The score on its scale from −100 to 100, with its range.

    est None with a range draws the range alone (too few answers for a point); without a range, an empty scale.
    before: a sentence about the previous window for the name, such as "Previous 90 days: 34."
    """
    marks = ['<path class="track" d="M26 126A104 104 0 0 1 234 126"/>']
    name = ["No score on a scale from minus 100 to 100."]
    figure = f'<tspan class="big">{display.NOTHING}</tspan>'
    below = ""
    if est is not None:
        marks.append(f'<path class="fill" d="{_arc(min(est, 0), max(est, 0))}"/>')
        name = [f"Score {display.spoken(est)} on a scale from minus 100 to 100."]
        figure = f'<tspan class="big">{display.score(est)}</tspan>'
    if lo is not None and hi is not None:
        marks.append(f'<path class="ci" d="{_arc(lo, hi)}"/>')
        name.append(f"95 percent interval {display.spoken(lo)} to {display.spoken(hi)}.")
        if est is not None and (lo <= -100 or hi >= 100):
            below = f'<text x="130" y="142">({display.range_text(lo, hi)})</text>'
        elif est is not None:
            figure += f'<tspan class="pm" dx="5">{display.margin((hi - lo) / 2)}</tspan>'
    if est is not None:
        marks.append(f'<path class="tip" d="M{_on_arc(est, _TIP_INNER)}L{_on_arc(est, _TIP_OUTER)}"/>')
    if before:
        name.append(before)
    few = " few" if est is None else ""
    return Markup(
        f'<svg class="gauge{few}" viewBox="0 0 260 148" role="img" aria-label="{escape(" ".join(name))}">'
        + "".join(marks)
        + '<text x="130" y="12">0</text><text x="26" y="146">−100</text><text x="234" y="146">100</text>'
        + f'<text x="130" y="118">{figure}</text>{below}</svg>'
    )


# Trend


@dataclass(frozen=True, slots=True)
class _Scale:
    """Vertical axis from low to high (points)."""

    low: int
    high: int

    @property
    def lines(self) -> list[int]:
        span = self.high - self.low
        step = 10 if span <= 50 else 20 if span <= 100 else 50
        first = math.ceil(self.low / step) * step
        return list(builtins.range(first, self.high, step))

    def y(self, value: float) -> float:
        return 100 * (self.high - value) / (self.high - self.low)


def _scale(points: Sequence[TrendPoint]) -> _Scale:
    """Zero is always on the axis; ends are tens, with a little room above, and never beyond ±100."""
    ends = [value for point in points for value in (point.lo, point.hi) if value is not None]
    high = max(10, math.ceil((max(ends, default=0.0) + 10) / 10) * 10)
    low = min(0, math.floor(min(ends, default=0.0) / 10) * 10)
    return _Scale(max(low, -100), min(high, 100))


def _runs(points: Sequence[TrendPoint]) -> list[list[int]]:
    """Neighbouring periods with a score that may be joined, as lists of their places."""
    runs: list[list[int]] = []
    for place, point in enumerate(points):
        if point.est is None:
            continue
        if runs and runs[-1][-1] == place - 1 and not point.after_break:
            runs[-1].append(place)
        else:
            runs.append([place])
    return runs


def trend(points: Sequence[TrendPoint], name: str, ident: str = "trend") -> Markup:
    """Score by period: line through periods with a score, band = range, a period under 30 answers as a pale range alone,
    the running period dotted with a hollow point, a gap at a break mark. `ident` makes the name's id unique on the page.
    """
    scale = _scale(points)
    width = 100 / max(1, len(points))
    xs = [(place + 0.5) * width for place, _ in enumerate(points)]

    def at(place: int, value: float) -> str:
        return f"{_n(xs[place])} {_n(scale.y(value))}"

    grid = []
    for value in scale.lines:
        y = _pct(scale.y(value))
        zero = " zero" if value == 0 else ""
        grid.append(
            f'<line class="gl{zero}" x1="0" x2="100%" y1="{y}" y2="{y}"/><text x="2" y="{y}" dy="-5">{display.number(value)}</text>'
        )
    for place, point in enumerate(points):
        if point.after_break and place:
            x = _pct(place * width)
            grid.append(f'<line class="gl brk" x1="{x}" x2="{x}" y1="0" y2="100%"/>')

    bands, lines, dots = [], [], []
    for place, point in enumerate(points):
        if point.est is None and point.lo is not None and point.hi is not None:
            bands.append(_pale(xs[place], width, scale.y(point.hi), scale.y(point.lo)))
    for run in _runs(points):
        shape = _band(run, points, at)
        if len(run) == 1 and shape:
            only = points[run[0]]
            bands.append(_pale(xs[run[0]], width, scale.y(only.hi or 0.0), scale.y(only.lo or 0.0), "band"))
        elif shape:
            bands.append(shape)
        solid = [place for place in run if not points[place].running]
        if len(solid) > 1:
            lines.append(f'<path class="ln" d="M{" L".join(at(place, points[place].est or 0.0) for place in solid)}"/>')
        if solid and len(solid) < len(run):
            dotted = [solid[-1], *(place for place in run if points[place].running)]
            lines.append(f'<path class="ln dash" d="M{" L".join(at(place, points[place].est or 0.0) for place in dotted)}"/>')
        for place in run:
            spot = at(place, points[place].est or 0.0)
            dots.append(f'<path class="pt" d="M{spot}h0"/>')
            if points[place].running:
                dots.append(f'<path class="pt in" d="M{spot}h0"/>')
    label = f"{ident}-t"
    return Markup(
        f'<svg class="plot tall" role="img" aria-labelledby="{escape(label)}"><title id="{escape(label)}">{escape(name)}</title>'
        f'<g aria-hidden="true">{"".join(grid)}'
        '<svg width="100%" height="100%" viewBox="0 0 100 100" preserveAspectRatio="none" overflow="visible">'
        f"{''.join(bands)}{''.join(lines)}{''.join(dots)}</svg></g></svg>"
    )


def _band(run: Sequence[int], points: Sequence[TrendPoint], at: _At) -> str:
    upper = [at(place, hi) for place in run if (hi := points[place].hi) is not None]
    lower = [at(place, lo) for place in reversed(run) if (lo := points[place].lo) is not None]
    return f'<path class="band" d="M{" ".join(upper + lower)}z"/>' if upper and lower else ""


def _pale(x: float, width: float, top: float, bottom: float, kind: str = "band few") -> str:
    half = width * 0.3
    return f'<rect class="{kind}" x="{_n(x - half)}" y="{_n(top)}" width="{_n(2 * half)}" height="{_n(bottom - top)}"/>'


def axis(labels: Sequence[str], bold: bool = False) -> Markup:
    """The names below a plot, one for each place. From 13 on only every second, third … is written, so that they fit."""
    step = math.ceil(len(labels) / 12) or 1
    items = []
    for place, label in enumerate(labels):
        # counted from the end: the newest period always has its name
        text = escape(label) if (len(labels) - 1 - place) % step == 0 else Markup("")
        items.append(f"<li><b>{text}</b></li>" if bold else f"<li>{text}</li>")
    return Markup(f'<ol class="xs m{len(labels)}" aria-hidden="true">{"".join(items)}</ol>')


# Columns


def columns(values: Sequence[Column], name: str) -> Markup:
    """Columns from 0. The window before, where given, is a thin outline on the same scale; the number stands above both."""
    top = max([*(column.value for column in values), *(column.before or 0 for column in values), 0])
    slot = 100 / max(1, len(values))
    gap = 0.9 if len(values) > 8 else 2.0
    drawn = []
    for place, column in enumerate(values):
        height = _height(column.value, top)
        x, y, wide = _pct(place * slot + gap), _pct(100 - height), _pct(slot - 2 * gap)
        middle = _pct((place + 0.5) * slot)
        drawn.append(
            f'<rect class="{escape(f"bar {column.kind}".strip())}" x="{x}" y="{y}" width="{wide}" height="{_pct(height)}" rx="3"/>'
        )
        over = y
        if column.before is not None and column.before > 0:
            was = _height(column.before, top)
            over = _pct(100 - max(height, was))
            drawn.append(f'<rect class="was" x="{x}" y="{_pct(100 - was)}" width="{wide}" height="{_pct(was)}" rx="3"/>')
        drawn.append(f'<text class="val" x="{middle}" y="{over}" dy="-6" text-anchor="middle">{escape(column.text)}</text>')
    return Markup(
        f'<svg class="plot mid" role="img" aria-label="{escape(name)}"><g aria-hidden="true">{"".join(drawn)}'
        '<line class="gl" x1="0" x2="100%" y1="100%" y2="100%"/></g></svg>'
    )


def _height(value: float, top: float) -> float:
    return (100 - TOP_ROOM) * value / top if top else 0.0


# Ranges in a table


def range_axis(ends: Iterable[float | None]) -> tuple[int, int]:
    """One axis for all ranges of a table: multiples of 20 with room on both sides, within ±100."""
    known = [value for value in ends if value is not None]
    if not known:
        return -100, 100
    low = math.floor(min(known) / 20) * 20 - 20
    high = math.ceil(max(known) / 20) * 20 + 20
    return max(-100, low), min(100, high)


def range(  # the name the design gives to this part
    est: float | None, lo: float | None, hi: float | None, ref: float | None = None, axis: tuple[int, int] = (-100, 100)
) -> Markup:
    """Range of one row with its point; pale and without a point when est is None; a dashed line at ref, the score of all.

    Decorative: the same numbers stand as text in the row.
    """
    low, high = axis

    def x(value: float) -> str:
        return _pct(100 * (min(max(value, low), high) - low) / (high - low))

    parts = ['<line class="ax" x1="0" x2="100%" y1="50%" y2="50%"/>']
    if ref is not None:
        parts.append(f'<line class="mid" x1="{x(ref)}" x2="{x(ref)}" y1="0" y2="100%"/>')
    if lo is not None and hi is not None:
        parts.append(f'<line class="ci" x1="{x(lo)}" x2="{x(hi)}" y1="50%" y2="50%"/>')
    if est is not None:
        parts.append(f'<circle class="est" cx="{x(est)}" cy="50%" r="5"/>')
    few = " few" if est is None else ""
    return Markup(f'<svg class="range{few}" aria-hidden="true">{"".join(parts)}</svg>')


# Bars


def hbar(percent: float) -> Markup:
    """One bar of so many percent (0–100), as in a funnel. Decorative: the number stands beside it."""
    width = _n(round(min(max(percent, 0.0), 100.0), 1))
    return Markup(f'<svg class="hbar" aria-hidden="true"><rect width="{width}%" height="100%" rx="2"/></svg>')


def share_bar(promoters: int, passives: int, detractors: int, space: str = "") -> Markup:
    """The three groups side by side in one bar, named with their shares. space: class of the room above, such as "mt4"."""
    n = promoters + passives + detractors
    parts: list[tuple[str, str, int]] = [("pro", "Promoters", promoters), ("pas", "passives", passives), ("det", "detractors", detractors)]
    drawn, gaps, name, done = [], [], [], 0
    for kind, word, count in parts:
        share = display.percent(count, n)
        name.append(f"{word} {share.rstrip('%')} percent")
        if count:
            start = round(100 * done / n, 1)
            place = f' x="{_n(start)}%"' if done else ""
            drawn.append(f'<rect class="{kind}"{place} width="{share}" height="100%"/>')
            if done:
                gaps.append(f'<rect class="gap" x="{_n(start - 0.2)}%" width="2" height="100%"/>')
        done += count
    words = ", ".join(name) if n else "No answers"
    kind = f"hbar tall {space}".strip()
    return Markup(f'<svg class="{escape(kind)}" role="img" aria-label="{escape(words)}">{"".join(drawn + gaps)}</svg>')
