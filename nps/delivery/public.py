"""`/u/<token>`: stopping survey emails. A GET changes nothing, because machines open links (RFC 8058 for the one-click POST)."""

from datetime import timedelta

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from nps.core import clock
from nps.delivery import queries, service
from nps.web import current

blueprint = Blueprint("stop", __name__)
YEAR = timedelta(days=365)


@blueprint.get("/u/<token>")
def show(token: str) -> ResponseReturnValue:
    """The question with its buttons; after a stop, that it is done."""
    email = queries.address_of(current.object_id())
    page = "delivery/closed.html" if not email or queries.is_stopped_by_person(email) else "delivery/stop.html"
    return render_template(page, token=token, email=email)


@blueprint.post("/u/<token>")
def stop(token: str) -> ResponseReturnValue:
    """Stop. Mail programs send `List-Unsubscribe=One-Click` and get an empty 200, the hundredth time too."""
    one_click = request.form.get("List-Unsubscribe") == "One-Click"
    service.stop_by_message(current.object_id(), "one_click" if one_click else "link")
    if one_click:
        return Response("", 200)
    return render_template("delivery/closed.html", token=token, email=queries.address_of(current.object_id()))


@blueprint.post("/u/<token>/yearly")
def yearly(token: str) -> ResponseReturnValue:
    """One survey a year at most."""
    asked_at = service.choose_yearly(current.object_id(), on=True)
    email = queries.address_of(current.object_id())
    if not email:
        return render_template("delivery/closed.html", token=token, email="")
    return render_template("delivery/yearly.html", token=token, email=email, next_at=(asked_at or clock.now()) + YEAR)


@blueprint.post("/u/<token>/on")
def turn_on(token: str) -> ResponseReturnValue:
    """The person takes the stop back."""
    email = queries.address_of(current.object_id())
    if email:
        service.lift_address(email, "the person")
    # a complaint to the mail provider cannot be taken back here
    page = "delivery/closed.html" if email and queries.is_stopped_by_person(email) else "delivery/on.html"
    return render_template(page, token=token, email=email)


@blueprint.post("/u/<token>/usual")
def usual(token: str) -> ResponseReturnValue:
    """The person takes the choice of once a year back."""
    service.choose_yearly(current.object_id(), on=False)
    return render_template("delivery/on.html", token=token, email=queries.address_of(current.object_id()))
