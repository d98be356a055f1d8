"""The register of causes and one cause."""

from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from wtforms.fields.choices import SelectChoice

from nps.accounts import queries as accounts
from nps.causes import queries, rules, service
from nps.causes.forms import CauseForm
from nps.causes.models import Cause
from nps.causes.rules import CauseState, Why
from nps.core import db as database
from nps.core.errors import DomainError, Invalid
from nps.web import current

blueprint = Blueprint("causes", __name__)

TABS: tuple[tuple[str, str, frozenset[CauseState]], ...] = (
    ("all", "All", frozenset(CauseState)),
    ("open", "Open", frozenset({CauseState.OPEN, CauseState.UNDERSTOOD})),
    ("fixing", "Being fixed", frozenset({CauseState.FIXING})),
    ("recurring", "Came back", frozenset({CauseState.RECURRING})),
    ("shipped", "Shipped or told", frozenset({CauseState.SHIPPED, CauseState.TOLD})),
    ("declined", "Declined", frozenset({CauseState.DECLINED})),
)


@blueprint.get("/causes")
def index() -> Any:
    """Every cause by what its customers pay."""
    register = queries.register(current.account.currency)
    shown = next((tab for tab in TABS if tab[0] == request.args.get("s")), TABS[0])
    return render_template(
        "causes/index.html",
        register=[standing for standing in register if standing.cause.state in shown[2]],
        tabs=[(key, label, sum(1 for standing in register if standing.cause.state in states)) for key, label, states in TABS],
        shown=shown[0],
        total=len(register),
        shipped=sum(1 for standing in register if standing.cause.shipped_on is not None),
        suggested=sum(standing.suggested for standing in register),
        names=_names(),
        words=rules.STATE_WORDS,
    )


@blueprint.get("/causes/<uuid:cause_id>")
def cause(cause_id: UUID) -> Any:
    """One cause: why it is so, what is done, what we say about it."""
    found = queries.get_cause(cause_id)
    standing = next(one for one in queries.register(current.account.currency) if one.cause.id == cause_id)
    return _page(found, standing)


def _page(found: Cause, standing: queries.Standing, error: DomainError | None = None) -> Any:
    answer = render_template(
        "causes/cause.html",
        cause=found,
        standing=standing,
        names=_names(),
        words=rules.STATE_WORDS,
        next_states=[state for state in CauseState if state in rules.LEADS_TO[CauseState(found.state)]],
        error=error,
        reason=request.form.get("reason", ""),
    )
    return (answer, error.status) if error is not None else answer


@blueprint.route("/causes/new", methods=["GET", "POST"])
def new() -> Any:
    return _form(None)


@blueprint.route("/causes/<uuid:cause_id>/words", methods=["GET", "POST"])
def words(cause_id: UUID) -> Any:
    """Change what is written about a cause."""
    return _form(queries.get_cause(cause_id))


def _form(found: Cause | None) -> Any:
    form = CauseForm(data=_as_typed(found))
    people = (SelectChoice(str(member.id), user.name) for member, user in accounts.list_members())
    form.owner.choices = [SelectChoice("", "Nobody yet"), *people]
    whys = _typed_whys() if request.method == "POST" else list(found.five_whys if found is not None else [])
    if request.method == "POST":
        try:
            saved = _save(found, form, whys)
        except DomainError as error:
            database.rollback()
            form.refuse(error)
        else:
            flash(f"“{saved.name}” is saved.", "good")
            return redirect(url_for("causes.cause", cause_id=saved.id), 303)
    whys += [Why("", "")] * (rules.MOST_WHYS - len(whys))
    answer = render_template("causes/form.html", form=form, cause=found, whys=whys)
    return answer, 422 if request.method == "POST" else 200


def _as_typed(found: Cause | None) -> dict[str, Any]:
    names = ("name", "statement", "action", "action_due_on", "reply_text", "public_text")
    if found is None:
        return {}
    return {**{name: getattr(found, name) for name in names}, "owner": str(found.owner_id or "")}


def _typed_whys() -> list[Why]:
    columns = (request.form.getlist(name) for name in ("question", "answer", "evidence"))
    return [Why(*(part.strip()[:500] for part in row)) for row in zip(*columns, strict=False)][: rules.MOST_WHYS]


def _save(found: Cause | None, form: CauseForm, whys: list[Why]) -> Cause:
    if form.action_due_on.raw_data and any(form.action_due_on.raw_data) and form.action_due_on.data is None:
        raise Invalid("The cause was not saved. What you typed is kept.", fields={"action_due_on": "Write a date like 2026-10-30."})
    owner = form.owner.data or ""
    members = {str(member.id): member.id for member, _ in accounts.list_members()}
    if owner and owner not in members:
        raise Invalid("The cause was not saved. What you typed is kept.", fields={"owner": "Choose a member of the account."})
    return service.describe(
        found.id if found is not None else None,
        name=form.name.data or "",
        statement=form.statement.data or "",
        owner_id=members.get(owner),
        whys=whys,
        action=form.action.data or "",
        action_due_on=form.action_due_on.data,
        reply_text=form.reply_text.data or "",
        public_text=form.public_text.data or "",
        actor_id=current.member.id,
    )


@blueprint.post("/causes/<uuid:cause_id>/state")
def state(cause_id: UUID) -> Any:
    """Move a cause on, when what the next state needs is there."""
    found = queries.get_cause(cause_id)
    wanted = request.form.get("to", "")
    try:
        to = CauseState(wanted) if wanted in set(CauseState) else CauseState(found.state)
        moved = service.move(cause_id, to, reason=request.form.get("reason", ""), shipped_on=_day(request.form.get("shipped_on", "")))
    except DomainError as error:
        database.rollback()
        standing = next(one for one in queries.register(current.account.currency) if one.cause.id == cause_id)
        return _page(queries.get_cause(cause_id), standing, error)
    flash(f"“{moved.name}” is now: {rules.STATE_WORDS[to][0].lower()}.", "good")
    return redirect(url_for("causes.cause", cause_id=cause_id), 303)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid("Write the ship date like 2026-10-30.", fields={"shipped_on": "Write it like 2026-10-30."}) from None


def _names() -> dict[UUID, str]:
    return {member.id: user.name for member, user in accounts.list_members()}
