"""The overview, and its numbers as data."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, current_app, jsonify, render_template, request, url_for

from nps.analytics import drawing
from nps.analytics.drawing import OverviewPage
from nps.analytics.queries import overview as figures
from nps.analytics.queries.overview import Comment
from nps.analytics.rules.filters import Condition, Filters, read
from nps.analytics.schemas import metric
from nps.core import clock
from nps.core import db as database
from nps.scoring.groups import Group, nps_group
from nps.web import current

blueprint = Blueprint("analytics", __name__)
GROUPS = {"det": Group.DETRACTOR, "pas": Group.PASSIVE, "pro": Group.PROMOTER}


@blueprint.get("/")
def overview() -> Any:
    filters = asked("c", "sort")
    database.read_snapshot()
    group = GROUPS.get(request.args.get("c", ""))
    if not figures.has_answers():
        return render_template("analytics/overview.html", page=None, links=Links(), needs_you=())
    found = figures.overview(filters, current.account.time_zone, group)
    page = OverviewPage(filters, found, group, request.args.get("sort", "n"))
    return render_template("analytics/overview.html", page=page, links=Links(), needs_you=(), **words(page))


@blueprint.get("/metrics.json")
def metrics() -> Any:
    filters = asked()
    database.read_snapshot()
    numbers = figures.numbers(filters, current.account.time_zone)
    answer = jsonify(metric(numbers, segments=figures.segments(filters) if filters.by else None))
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def asked(*also: str) -> Filters:
    """The question in the address. Raises Invalid, with a sentence for every name that makes none."""
    today = figures.today(current.account.time_zone, clock.now())
    return read(request.args.items(multi=True), today, also)


def words(page: OverviewPage) -> dict[str, Any]:
    """What the template takes beside the page: choices of its filter, and how figures and names are written."""
    segments = page.found.segments
    values = [(str(Condition(segments.by, one.value)), one.name) for one in segments.rows if one.value is not None]
    return {
        "campaign_choices": [(str(key), name) for key, name in page.found.campaigns],
        "value_choices": values,
        "margin": drawing.margin,
        "range_text": drawing.range_text,
        "names": initials if current.member.role == "viewer" else str,
    }


def initials(name: str) -> str:
    """What a viewer sees of a customer's name."""
    return "".join(word[0].upper() for word in name.split()[:3]) or "–"


class Links:
    """Addresses of other features' pages; empty while a page is not there."""

    @property
    def write_survey(self) -> str:
        return _address("campaigns.new")

    @property
    def responses(self) -> str:
        return _address("responses.index")

    def comment(self, one: Comment) -> dict[str, Any]:
        """The person's page, and the one thing to do next with this answer."""
        contact = _address("contacts.show", contact_id=one.response.contact_id) if one.response.contact_id else ""
        answer = _address("responses.show", response_id=one.response.id)
        text = "Reply" if nps_group(one.response.score) is not Group.PROMOTER else "Open"
        return {"person": contact, "href": answer, "text": text, "quiet": False}


def _address(endpoint: str, **values: Any) -> str:
    known: dict[str, Callable[..., Any]] = current_app.view_functions
    return url_for(endpoint, **values) if endpoint in known else ""
