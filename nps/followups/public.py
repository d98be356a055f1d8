"""`/k/<token>`: "Is it solved?" under a letter that closed a case. A GET records nothing, because machines open links."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from nps.followups import queries, service
from nps.web import current

blueprint = Blueprint("solved", __name__)


@blueprint.get("/k/<token>")
def ask(token: str) -> ResponseReturnValue:
    """The question with its two buttons; the one of the link that was pressed comes first."""
    case = queries.get_case(current.object_id())
    return render_template("followups/solved.html", token=token, first=request.args.get("is", "yes"), said=case.solved, done=False)


@blueprint.post("/k/<token>")
def answer(token: str) -> ResponseReturnValue:
    """What the customer says is kept; the last word stands."""
    case = service.say_solved(current.object_id(), request.form.get("is") != "not_yet")
    return render_template("followups/solved.html", token=token, first="", said=case.solved, done=True)
