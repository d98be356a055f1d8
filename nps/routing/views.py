"""The page of the routing rules: their order, what they test, where answers go, and a try on past answers."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from nps.accounts import queries as accounts
from nps.contacts import queries as contacts
from nps.core.errors import Conflict, Invalid
from nps.followups import queries as followups
from nps.referrals import queries as referrals
from nps.routing import forms, queries, rules, service
from nps.routing.forms import Draft
from nps.routing.rules import DESTINATION_WORDS, Rule
from nps.routing.service import Trial
from nps.web import current

blueprint = Blueprint("routing", __name__)
PERIODS = (30, 90, 365)


@dataclass
class Editor:
    """What the page shows: the rules as typed, the version they are based on, and what is to be said about them."""

    drafts: list[Draft]
    based_on: int
    wrong: dict[str, str] = field(default_factory=dict)
    said: str = ""
    theirs: list[Rule] = field(default_factory=list)
    saved_by: str = ""
    saved_at: datetime | None = None
    trial: Trial | None = None
    days: int = 90
    changed: bool = False

    @property
    def lost(self) -> list[str]:
        """Rules that can never be reached."""
        return rules.unreachable(forms.rules_of(self.drafts)[0])


@blueprint.get("/routing/rules")
def index() -> Any:
    """The rules in force."""
    in_force = queries.rules_in_force()
    return draw(Editor([forms.draft_of(rule) for rule in in_force.rules], in_force.number))


@blueprint.post("/routing/rules")
def save() -> Any:
    """Save the list, or only move, add and take away while it is being edited."""
    act, based_on = request.form.get("do", "save"), request.form.get("based_on", "")
    editor = Editor(forms.read(request.form), int(based_on) if based_on.isascii() and based_on.isdigit() and len(based_on) < 9 else -1)
    if act == "try":
        return attempt(editor)
    if act != "save":
        editor.drafts, editor.changed = forms.moved(editor.drafts, act), True
        return draw(editor)
    wanted, editor.wrong = forms.rules_of(editor.drafts)
    try:
        if editor.wrong:
            raise Invalid("The rules were not saved. What you typed is still here.", fields=editor.wrong)
        service.save_rules(wanted, editor.based_on, current.member.id)
    except Invalid as error:
        editor.wrong, editor.said = error.fields, error.message
        return draw(editor), 422
    except Conflict:
        return conflict(editor), 409
    tell_saved(rules.unreachable(wanted))
    return redirect(url_for("routing.index"), 303)


def tell_saved(lost: list[str]) -> None:
    """Saved; and which rules can never be reached."""
    flash("Saved. The rules hold for answers from now on; earlier decisions keep theirs.", "good")
    if lost:
        names = ", ".join(f"“{name}”" for name in lost)
        flash(f"{names} can never be reached: earlier rules take every answer first. Move it up, or take it away.", "warn")


def conflict(editor: Editor) -> str:
    """Somebody saved in between: their version beside what was typed; saving once more puts this one over it."""
    newest, in_force = queries.find_rule_set(), queries.rules_in_force()
    editor.theirs, editor.based_on = list(in_force.rules), in_force.number
    if newest is not None:
        members = {membership.id: user.name for membership, user in accounts.list_members()}
        editor.saved_by, editor.saved_at = (
            members.get(newest.created_by_id, "Somebody") if newest.created_by_id else "Somebody",
            newest.created_at,
        )
    return draw(editor)


def attempt(editor: Editor) -> Any:
    """Try the rules as typed on past answers. Nothing is saved."""
    days = request.form.get("days", "90")
    editor.days, editor.changed = int(days) if days in map(str, PERIODS) else 90, True
    wanted, editor.wrong = forms.rules_of(editor.drafts)
    editor.wrong |= rules.check(wanted)
    if editor.wrong:
        editor.said = "The rules were not tried. What you typed is still here."
        return draw(editor), 422
    editor.trial = service.try_rules(wanted, editor.days)
    return draw(editor)


def draw(editor: Editor) -> str:
    return render_template(
        "routing/rules.html",
        editor=editor,
        destinations=[(key.value, words) for key, words in DESTINATION_WORDS.items()],
        properties=[("", "No property"), *((d.key, d.label) for d in contacts.list_definitions())],
        queues=[("", "The queue that takes the rest"), *((str(q.id), q.name) for q in followups.list_queues())],
        programs=[("", "The default program"), *((str(p.id), p.name) for p in referrals.list_programs() if p.ended_at is None)],
        scores=[("", "–"), *((str(n), str(n)) for n in range(11))],
        ops=forms.OPS,
        wishes=forms.WISHES,
        sentence=forms.sentence,
        periods=[(str(days), f"{days} days") for days in PERIODS],
    )
