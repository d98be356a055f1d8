"""`/api/v1/metrics`: the figures of the overview for customers' machines, from the same functions."""

from typing import Any

from flask import Response, g, jsonify, request

from nps.analytics.queries import overview as figures
from nps.analytics.rules.filters import Filters, read
from nps.analytics.schemas import EXAMPLE, Metric, MetricsQuery, metric
from nps.api.blueprint import Api, describes_query
from nps.core import clock
from nps.core import db as database
from nps.core.errors import DomainError, Invalid

blueprint = Api("metrics_api", __name__, tag="Metrics")


@blueprint.get("/metrics")
@describes_query(MetricsQuery)
@blueprint.output(Metric, example=EXAMPLE)
@blueprint.doc(responses={304: "The numbers are those of the ETag in If-None-Match."})
def get_metrics() -> Any:
    """The score with its doubt

    Counts, unrounded and rounded score, range and margin, what was left out and why, and the change against the window before.
    With `by` also the score of every value of that property.
    """
    filters = _asked()
    numbers = figures.numbers(filters, g.account.time_zone)
    return _answer(metric(numbers, segments=figures.segments(filters) if filters.by else None))


@blueprint.get("/metrics/trend")
@describes_query(MetricsQuery)
@blueprint.output(Metric)
@blueprint.doc(responses={304: "The numbers are those of the ETag in If-None-Match."})
def get_trend() -> Any:
    """The score by month

    The score as above and, under `periods`, by calendar month (by quarter over windows of more than three years), to the last day
    of the window and at least twelve months back. A period that is not over is not complete.
    """
    filters = _asked()
    numbers, trend = figures.numbers(filters, g.account.time_zone), figures.trend(filters, g.account.time_zone)
    return _answer(metric(numbers, trend=trend))


def _asked() -> Filters:
    """The question, read in one snapshot. Names nobody knows are 400 as everywhere in the API, wrong values 422."""
    database.read_snapshot()
    try:
        return read(request.args.items(multi=True), figures.today(g.account.time_zone, clock.now()))
    except Invalid as error:
        if error.code == "unknown_parameter":
            raise DomainError(error.message, code=error.code, status=400, fields=error.fields) from None
        raise


def _answer(found: dict[str, Any]) -> Response:
    """JSON with an ETag that changes when a number does."""
    tag = Response(jsonify({**found, "as_of": None}).get_data())
    tag.add_etag()
    answer = jsonify(found)
    answer.headers["ETag"] = tag.headers["ETag"]
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer.make_conditional(request)  # type: ignore[return-value]
