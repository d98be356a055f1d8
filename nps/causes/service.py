"""Commands on causes: make, describe, link, move on."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import update

from nps.causes import queries, rules
from nps.causes.events import CauseMoved
from nps.causes.models import Cause, CauseLink
from nps.causes.rules import CauseState, Why
from nps.core import clock, tenancy
from nps.core.db import db
from nps.core.errors import Conflict, Invalid
from nps.core.events import publish


def find_or_create(name: str, *, created_by_id: UUID | None) -> Cause:
    """The cause of this name, made when there is none. Raises Invalid for a name of under 3 or over 120 characters."""
    name = " ".join(name.split())
    if not 3 <= len(name) <= 120:
        raise Invalid(
            "A cause has a name of 3 to 120 characters.", fields={"name": "3 to 120 characters.", "cause": "3 to 120 characters."}
        )
    found = queries.find_by_name(name)
    if found is None:
        now = clock.now()
        found = Cause(
            name=name, state=CauseState.OPEN, whys=[], created_by_id=created_by_id, created_at=now, state_at=now, learning="", reply_text=""
        )
        db.session.add(found)
        db.session.flush()
    return found


def describe(
    cause_id: UUID | None,
    *,
    name: str,
    statement: str,
    owner_id: UUID | None,
    whys: Sequence[Why],
    action: str,
    action_due_on: date | None,
    reply_text: str,
    public_text: str,
    actor_id: UUID,
) -> Cause:
    """Make a cause or change what is written about it. Raises Invalid naming the fields."""
    wrong = {}
    name = " ".join(name.split())
    other = queries.find_by_name(name)
    if not 3 <= len(name) <= 120:
        wrong["name"] = "3 to 120 characters."
    elif other is not None and other.id != cause_id:
        wrong["name"] = "Another cause has this name."
    for field, text, most in (
        ("statement", statement, 300),
        ("action", action, 300),
        ("reply_text", reply_text, 2000),
        ("public_text", public_text, 500),
    ):
        if len(text) > most:
            wrong[field] = f"At most {most:,} characters."
    if len(whys) > rules.MOST_WHYS:
        wrong["whys"] = f"At most {rules.MOST_WHYS} whys."
    if wrong:
        raise Invalid("The cause was not saved. What you typed is kept.", fields=wrong)
    cause = queries.get_cause(cause_id) if cause_id is not None else find_or_create(name, created_by_id=actor_id)
    cause.name, cause.statement, cause.owner_id = name, statement.strip(), owner_id
    cause.whys = [asdict(why) for why in whys if why.question.strip() or why.answer.strip()]
    cause.action, cause.action_due_on = action.strip(), action_due_on
    cause.reply_text, cause.public_text = reply_text.strip(), public_text.strip()
    db.session.flush()
    return cause


def move(cause_id: UUID, to: CauseState, *, reason: str = "", shipped_on: date | None = None) -> Cause:
    """Enter another state, if its facts are there. Raises Conflict with what is missing, Invalid for a ship date to come."""
    now = clock.now()
    cause = queries.get_cause(cause_id)
    old = CauseState(cause.state)
    missing = rules.why_not(
        old,
        to,
        has_owner=cause.owner_id is not None,
        whys=cause.five_whys,
        reason=reason,
        has_dated_action=bool(cause.action and cause.action_due_on),
    )
    if missing:
        raise Conflict(f"{missing} Nothing was changed.")
    if shipped_on is not None and shipped_on > now.date():
        raise Invalid("A ship date is never in the future.", fields={"shipped_on": "Not in the future."})
    cause.state, cause.state_at = to, now
    if to is CauseState.SHIPPED:
        cause.shipped_on = shipped_on or now.date()
    if to is CauseState.DECLINED:
        cause.declined_reason = reason.strip()
    publish(CauseMoved(tenancy.current(), cause.id, old, to, now))
    return cause


def link(
    cause_id: UUID,
    contact_id: UUID,
    response_id: UUID | None,
    *,
    raised_at: datetime,
    confirmed_by_id: UUID | None = None,
    case_is_open: bool = False,
) -> CauseLink:
    """This answer, given at `raised_at`, raises this cause: confirmed by a member, else a suggestion. Once per answer.

    Raises Conflict at the sixth cause of an answer.
    """
    now = clock.now()
    cause = queries.get_cause(cause_id)
    found = queries.find_link(cause_id, contact_id, response_id)
    if found is None:
        if queries.count_links(contact_id, response_id) >= rules.MOST_LINKS:
            raise Conflict(f"An answer has at most {rules.MOST_LINKS} causes. Nothing was changed.")
        found = CauseLink(cause_id=cause_id, contact_id=contact_id, response_id=response_id, raised_at=raised_at)
        db.session.add(found)
    if confirmed_by_id is not None and found.confirmed_at is None:
        found.confirmed_at, found.confirmed_by_id = now, confirmed_by_id
    found.case_is_open = case_is_open
    db.session.flush()
    if found.confirmed_at is not None and cause.state in {CauseState.SHIPPED, CauseState.TOLD}:
        _came_back(cause, now)
    return found


def _came_back(cause: Cause, now: datetime) -> None:
    """Raised three times in answers given after the ship date: the fix did not hold."""
    if cause.shipped_on is None:
        return
    since = [one for one in queries.links_of(cause.id) if one.confirmed_at is not None and one.raised_at.date() > cause.shipped_on]
    if len(since) >= 3:
        old, cause.state, cause.state_at = cause.state, CauseState.RECURRING, now
        publish(CauseMoved(tenancy.current(), cause.id, old, CauseState.RECURRING, now))


def unlink(cause_id: UUID, contact_id: UUID, response_id: UUID | None) -> None:
    """Take a link or a suggestion away. Nothing happens when there is none."""
    found = queries.find_link(cause_id, contact_id, response_id)
    if found is not None:
        db.session.delete(found)


def learn(cause_id: UUID, learning: str) -> None:
    """Keep the first thing that was learned about a cause, for "Known already"."""
    queries.get_cause(cause_id).learning = learning[:500]


def note_case(contact_id: UUID, *, is_open: bool) -> None:
    """The floor that keeps the cases says whether this customer's case is open."""
    db.session.execute(
        update(CauseLink)
        .where(CauseLink.contact_id == contact_id)
        .values(case_is_open=is_open)
        .execution_options(synchronize_session="fetch")
    )
