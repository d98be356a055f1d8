"""The figures as JSON: the same for the page's own data address and for `/api/v1/metrics`."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from nps.analytics.queries.overview import MATH, Numbers, Segments, Trend
from nps.analytics.rules.figures import Figure
from nps.analytics.rules.filters import Filters
from nps.api.shapes import Day, Instant, Shape, Text, rfc3339


class Value(Shape):
    """A score with its doubt, in points. nps, shown and margin are null under 30 answers, everything under 5."""

    nps: float | None = Field(description="unrounded")
    shown: int | None = Field(description="as on the page")
    margin: float | None
    lo: float | None
    hi: float | None
    centre: float | None
    se: float | None
    state: Literal["none", "hidden", "few", "ok"]


class Shares(Shape):
    """Percent of answers, unrounded."""

    promoters: float
    passives: float
    detractors: float


class WindowOut(Shape):
    """Whole days in the account's time zone, both included."""

    from_: Day = Field(alias="from")
    to: Day
    tz: str
    complete: bool


class Change(Shape):
    """This window minus the one before, in points. clear: outside the margin."""

    difference: float
    shown: int
    d: float
    m: float
    p: float
    clear: bool


class Previous(Shape):
    window: WindowOut
    value: Value
    n: int | None
    change: Change | None


class Row(Shape):
    """One period of the trend, or one value of a split."""

    name: str
    value: Value
    n: int | None
    counts: list[int] | None
    shares: Shares | None


class Period(Row):
    window: WindowOut


class Segment(Row):
    """q is the change's p under the family of all rows; a row is clear with p < 0.05 and q ≤ 0.10."""

    change: Change | None
    q: float | None


class Split(Shape):
    by: str
    rows: list[Segment]
    text: str


class Metric(Shape):
    """One question answered. recorded = n + the sum of excluded."""

    measure: Literal["nps", "trend", "segments"]
    value: Value
    n: int | None
    counts: list[int] | None = Field(description="answers by score 0 to 10")
    shares: Shares | None
    excluded: dict[str, int]
    recorded: int | None
    unit: str
    series: str
    kind: str
    campaign: UUID | None
    window: WindowOut
    filters: list[str]
    previous: Previous
    periods: list[Period] | None = None
    split: Split | None = None
    math: str
    as_of: Instant


class MetricsQuery(Shape):
    """The question: the same names as in the address of the overview."""

    from_: Annotated[Day | None, Field(alias="from", description="first day; with `to`, or to today")] = None
    to: Annotated[Day | None, Field(description="last day, included")] = None
    p: Annotated[Literal["30", "90", "365"] | None, Field(description="the last so many days, instead of from and to; usually 90")] = None
    series: Annotated[Literal["relationship", "event", "recovery"] | None, Field(description="never pooled; usually relationship")] = None
    kind: Annotated[Literal["nps"] | None, Field(description="what was asked")] = None
    unit: Annotated[Literal["response", "contact"] | None, Field(description="every answer, or the latest of each contact")] = None
    campaign: Annotated[UUID | None, Field(description="answers to this campaign only")] = None
    by: Annotated[Text | None, Field(description="key of a property, channel or language to split by")] = None
    f: Annotated[list[Text], Field(description="`key:is:value` on what was true at answering; may repeat")] = []


EXAMPLE: dict[str, Any] = {
    "measure": "nps",
    "value": {
        "nps": 39.09657320872274,
        "shown": 39,
        "margin": 4.051276649343055,
        "lo": 34.95416235609623,
        "hi": 43.05671565478234,
        "centre": 39.00543900543901,
        "se": 2.0670158700484166,
        "state": "ok",
    },
    "n": 1284,
    "counts": [14, 9, 13, 21, 24, 49, 70, 158, 224, 298, 404],
    "shares": {"promoters": 54.67289719626168, "passives": 29.75077881619938, "detractors": 15.576323987538941},
    "excluded": {"machine": 41, "waiting": 12},
    "recorded": 1337,
    "unit": "response",
    "series": "relationship",
    "kind": "nps",
    "campaign": None,
    "window": {"from": "2026-07-09", "to": "2026-10-06", "tz": "America/New_York", "complete": False},
    "filters": [],
    "previous": {
        "window": {"from": "2026-04-10", "to": "2026-07-08", "tz": "America/New_York", "complete": True},
        "value": {"nps": None, "shown": None, "margin": None, "lo": None, "hi": None, "centre": None, "se": None, "state": "none"},
        "n": 0,
        "change": None,
    },
    "periods": None,
    "split": None,
    "math": "nps-math/1",
    "as_of": "2026-10-06T16:00:00Z",
}


def metric(numbers: Numbers, trend: Trend | None = None, segments: Segments | None = None) -> dict[str, Any]:
    """The answer as data. Doubles are unrounded; what may not be shown is null."""
    filters = numbers.filters
    changed = numbers.changed
    return {
        "measure": "trend" if trend else "segments" if segments else "nps",
        **_figure(numbers.figure),
        "excluded": numbers.excluded,
        "recorded": numbers.recorded,
        "unit": filters.unit,
        "series": filters.series,
        "kind": "nps",
        "campaign": str(filters.campaign) if filters.campaign else None,
        "window": _window(filters, numbers.time_zone, numbers.complete),
        "filters": [str(condition) for condition in filters.conditions],
        "previous": {
            "window": _window(filters.over(filters.window.before), numbers.time_zone, True),
            "value": _value(numbers.before),
            "n": numbers.before.n,
            "change": _change(changed),
        },
        "periods": [_period(row, numbers.time_zone) for row in trend.rows] if trend else None,
        "split": _split(segments) if segments else None,
        "math": MATH,
        "as_of": rfc3339(numbers.as_of),
    }


def _figure(figure: Figure) -> dict[str, Any]:
    counts = figure.counts
    shares = None
    if counts is not None and figure.is_ok:
        parts = {"promoters": counts.promoters, "passives": counts.passives, "detractors": counts.detractors}
        shares = {name: 100 * part / counts.n for name, part in parts.items()}
    return {"value": _value(figure), "n": figure.n, "counts": list(figure.bars) if figure.bars else None, "shares": shares}


def _value(figure: Figure) -> dict[str, Any]:
    estimate, ok = figure.estimate, figure.is_ok
    return {
        "nps": figure.nps,
        "shown": figure.shown,
        "margin": estimate.margin if estimate and ok else None,
        "lo": estimate.lo if estimate else None,
        "hi": estimate.hi if estimate else None,
        "centre": estimate.centre if estimate else None,
        "se": estimate.se if estimate else None,
        "state": figure.state.value,
    }


def _change(changed: Any) -> dict[str, Any] | None:
    if changed is None:
        return None
    doubt = changed.doubt
    return {"difference": doubt.raw, "shown": changed.shown, "d": doubt.d, "m": doubt.margin, "p": doubt.p, "clear": changed.clear}


def _window(filters: Filters, zone: str, complete: bool) -> dict[str, Any]:
    window = filters.window
    return {"from": window.first.isoformat(), "to": window.last.isoformat(), "tz": zone, "complete": complete}


def _period(row: Any, zone: str) -> dict[str, Any]:
    window = {
        "from": row.period.window.first.isoformat(),
        "to": row.period.window.last.isoformat(),
        "tz": zone,
        "complete": not row.period.running,
    }
    return {"name": row.period.name, **_figure(row.figure), "window": window}


def _split(segments: Segments) -> dict[str, Any]:
    rows = [
        {
            "name": row.name,
            **_figure(row.figure),
            "change": {**(_change(row.change.changed) or {}), "clear": row.change.clear} if row.change else None,
            "q": row.change.q if row.change else None,
        }
        for row in segments.rows
    ]
    return {"by": segments.by, "rows": rows, "text": segments.words}
