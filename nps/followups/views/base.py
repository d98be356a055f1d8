"""The blueprint, and what its pages share."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, url_for

from nps.contacts.rules.timeline import Entry
from nps.core import clock
from nps.followups import queries
from nps.followups.queries import Filter, Sort, View
from nps.followups.rules.closing import OUTCOME_WORDS, Outcome
from nps.web import current
from nps.web.navigation import Badge

blueprint = Blueprint("followups", __name__)


def badge() -> Badge | None:
    """The number beside Follow-ups: open cases, hot while one is overdue."""
    counts = queries.needs_you(clock.now())
    if not counts.open:
        return None
    return Badge(counts.open, "open" + (f", {counts.overdue} overdue" if counts.overdue else ""), hot=bool(counts.overdue))


def timeline(contact_id: UUID) -> list[Entry]:
    """A person's cases, on the page of that person."""
    if not current.may("cases.read"):
        return []
    names, made = queries.names_of_members(), []
    for case in queries.list_of_contact(contact_id):
        href, owner = url_for("followups.case", case_id=case.id), names.get(case.owner_id, "") if case.owner_id else ""
        made.append(Entry(case.opened_at, f"opened{', with ' + owner if owner else ''}", icon="inbox", bold="Case", href=href))
        if case.closed_at is not None:
            how = OUTCOME_WORDS[Outcome(case.outcome)] if case.outcome else ""
            words = f"closed: {how[:1].lower()}{how[1:]}" if how else "closed"
            made.append(Entry(case.closed_at, words, icon="check", bold="Case", href=href))
    return made


def asked(args: Mapping[str, str]) -> tuple[View, Sort, Filter]:
    """Which list an address asks for. What cannot be read is left out: a list is always shown."""
    view, sort = args.get("view", ""), args.get("sort", "")
    score_to = args.get("score", "")
    return (
        View(view) if view in set(View) else View.OPEN,
        Sort(sort) if sort in set(Sort) else Sort.DUE,
        Filter(
            queue_id=an_id(args.get("queue")),
            owner_id=an_id(args.get("owner")),
            wants_reply=args.get("wants") == "1",
            score_to=int(score_to) if score_to in {"3", "6", "8"} else None,
            cause_id=an_id(args.get("cause")),
            text=args.get("q", "").strip()[:100],
        ),
    )


def an_id(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


LISTED = ("view", "sort", "queue", "owner", "wants", "score", "cause", "q")


def carried(args: Mapping[str, Any], **over: Any) -> dict[str, Any]:
    """The parts of an address that say which list it is, to be carried to the next page; None takes one away."""
    kept = {name: args[name] for name in LISTED if args.get(name)} | over
    return {name: value for name, value in kept.items() if value}
