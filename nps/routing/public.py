"""The thank-you pages: one per group, one ask each. Opening them changes nothing."""

from typing import Any

from flask import Blueprint, redirect, render_template, request

from nps.accounts import rules as brands
from nps.core.errors import Gone, NotFound
from nps.followups import queries as followups
from nps.referrals import queries as referrals
from nps.responses import queries as responses
from nps.responses.queries import Link, Standing
from nps.responses.rules import State
from nps.routing import queries, service
from nps.routing.rules import Destination
from nps.web import current
from nps.web.unit import keep_changes

blueprint = Blueprint("routing_public", __name__)


def answered() -> tuple[Link, Standing]:
    """The link of this request and its answer. Raises NotFound (deleted, unanswered), Gone (its person was erased)."""
    link = responses.open_link(current.object_id())
    if link.erased:
        raise Gone("This survey has closed.", code="erased")
    if link.standing is None or link.survey_version_id is None:
        raise NotFound
    return link, link.standing


def closed() -> Any:
    """The page of a person who was erased: no date, no name."""
    keep_changes()
    return render_template("responses/expired.html", link=None), 410


@blueprint.get("/s/<token>/thanks")
def thanks(token: str) -> Any:
    """Thanks, and what follows. An answer that is not settled yet goes back to its page."""
    try:
        link, standing = answered()
    except Gone:
        return closed()
    waits = standing.state == State.QUARANTINED and "confirmed" not in standing.signals
    if waits or standing.state in (State.PROVISIONAL, State.WITHDRAWN):
        return redirect(f"/s/{token}", 303)
    name, values = what_follows(link, standing)
    return render_template(name, **frame(token, link, standing), **values)


def what_follows(link: Link, standing: Standing) -> tuple[str, dict[str, Any]]:
    """The page of where the answer went, drawn anew each time: an offer or a promise that no longer holds is not shown."""
    went = destination_of(link, standing)
    if went == Destination.CASE:
        return "routing/thanks_case.html", {"promise": followups.promise_for(standing.response_id)}
    if went == Destination.REFERRAL:
        return "routing/thanks_promoter.html", {"offer": referrals.offer_for(response_id=standing.response_id)}
    if went == Destination.QUESTION:
        picked = responses.find_answer(standing.response_id, service.ONE_TAP)
        return "routing/thanks_passive.html", {"picked": picked.value.split("\n") if picked else [], "saved": picked is not None}
    return "routing/thanks_plain.html", {}


def destination_of(link: Link, standing: Standing) -> Destination:
    """Where the answer went; for a test, where it would go."""
    if standing.state != State.VERIFIED:
        return Destination.NONE
    if link.quiet:
        return service.preview(responses.get_response(standing.response_id)).destination
    decision = queries.find_decision(standing.response_id)
    return Destination(decision.destination) if decision is not None else Destination.NONE


def frame(token: str, link: Link, standing: Standing) -> dict[str, Any]:
    """What every thank-you page shows."""
    words = responses.wording(link.survey_version_id) if link.survey_version_id else {}
    color = words.get("brand_color")
    group = "promoter" if standing.score >= 9 else "passive" if standing.score >= 7 else "detractor"
    return {
        "token": token,
        "words": words,
        "brand": brands.readable_brand(color) if color else None,
        "stop_url": f"/s/{token}/stop" if link.contact_id is not None and link.channel == "email" else None,
        "edit_url": f"/s/{token}",
        "name": link.called,
        "email": link.email,
        "answer": standing,
        "group": group,
        "thanks": words.get(f"thanks_{group}", ""),
    }


@blueprint.post("/s/<token>/more")
def more(token: str) -> Any:
    """The one tap. Nothing picked is an answer as well: it takes back what was picked."""
    try:
        link, standing = answered()
    except Gone:
        return closed()
    allowed = responses.wording(link.survey_version_id)["one_tap_options"] if link.survey_version_id else []
    service.answer_one_tap(responses.get_response(standing.response_id), request.form.getlist("topic"), allowed)
    return redirect(f"/s/{token}/thanks", 303)
