"""The overview, and its numbers as data."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, jsonify, render_template, request

from nps.analytics import drawing
from nps.analytics.drawing import OverviewPage, StripItem
from nps.analytics.queries import needs
from nps.analytics.queries import overview as figures
from nps.analytics.queries.overview import Comment
from nps.analytics.rules.filters import Condition, Filters, read
from nps.analytics.schemas import metric
from nps.core import clock
from nps.core import db as database
from nps.scoring.groups import Group
from nps.web import current
from nps.web.navigation import page_url

blueprint = Blueprint("analytics", __name__)
GROUPS = {"det": Group.DETRACTOR, "pas": Group.PASSIVE, "pro": Group.PROMOTER}


@blueprint.get("/")
def overview() -> Any:
    filters = asked("c", "sort")
    database.read_snapshot()
    group = GROUPS.get(request.args.get("c", ""))
    if not figures.has_answers():
        return render_template("analytics/overview.html", page=None, links=Links({}), needs_you=waiting())
    found = figures.overview(filters, current.account.time_zone, group)
    page = OverviewPage(filters, found, group, request.args.get("sort", "n"))
    return render_template("analytics/overview.html", page=page, needs_you=waiting(), **words(page))


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


def waiting() -> list[StripItem]:
    """The strip of what waits, as far as this member may see it."""
    zone, now = current.account.time_zone, clock.now()
    found = needs.waiting(current.may("cases.read"), current.may("rewards.read"), current.may("contacts.write"))
    return drawing.strip(found, _address, now, figures.today(zone, now), zone)


def words(page: OverviewPage) -> dict[str, Any]:
    """What the template takes beside the page: choices of its filter, and how figures and names are written."""
    segments = page.found.segments
    values = [(str(Condition(segments.by, one.value)), one.name) for one in segments.rows if one.value is not None]
    mine, filters = current.may("cases.read"), page.filters
    everybody = not filters.conditions and filters.campaign is None
    loop = needs.loop(filters.window, current.account.time_zone) if mine and everybody else None
    return {
        "links": Links(
            needs.cases_of([one.response.id for one in page.found.comments]) if mine else {},
            needs.shares_of([one.response.contact_id for one in page.found.comments]) if current.may("advocates.read") else None,
        ),
        "loop_steps": drawing.loop_steps(page.found.funnel, loop) if loop else None,
        "loop_words": drawing.loop_words(loop) if loop else "",
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
    """Where the overview leads. cases: response → its case; shares: who was asked to share already."""

    def __init__(self, cases: Mapping[UUID, UUID], shares: needs.Shares | None = None) -> None:
        self.cases = cases
        self.shares = shares

    @property
    def write_survey(self) -> str:
        return _address("campaigns.new") if current.may("campaigns.write") else ""

    @property
    def responses(self) -> str:
        return _address("responses.index")

    def comment(self, one: Comment) -> dict[str, Any]:
        """The person's page, and the one thing to do next with this answer: a link, or with `fields` a button that posts."""
        answer = one.response
        contact_id = answer.contact_id if current.may("contacts.read") else None
        return {"person": _address("contacts.person", id=contact_id) if contact_id else "", **self._next(one)}

    def _next(self, one: Comment) -> dict[str, Any]:
        answer = one.response
        case_id = self.cases.get(answer.id)
        if case_id is not None:
            return {"href": _address("followups.case", case_id=case_id), "text": "In follow-ups", "quiet": True}
        if answer.contact_id and answer.nps_group == Group.PROMOTER and self.shares is not None:
            advocate_id = self.shares.advocates.get(answer.contact_id)
            if advocate_id is not None:
                return {"href": _address("referrals.advocate", advocate_id=advocate_id), "text": "Asked to share", "quiet": True}
            if self.shares.open and current.may("programs.write"):
                person = _address("contacts.person", id=answer.contact_id, _anchor="share")
                return {"href": person, "text": "Invite to share", "quiet": False}
        if answer.contact_id and answer.nps_group != Group.PROMOTER and current.may("cases.work"):
            fields = {"contact": answer.contact_id, "reason": drawing.reply_reason(answer.score, answer.comment)}
            return {"href": _address("followups.open_case"), "text": "Reply", "quiet": False, "fields": fields}
        return {"href": _address("responses.show", response_id=answer.id), "text": "Open", "quiet": False}


def _address(endpoint: str, **values: Any) -> str:
    """The address of another feature's page; empty where its part of the product is switched off."""
    return page_url(endpoint, **values) or ""
