"""Closing, opening again and undoing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete

from nps.accounts.models import Membership
from nps.causes import queries as cause_queries
from nps.causes import service as causes
from nps.causes.models import Cause
from nps.contacts import service as contacts
from nps.core import clock as product_clock
from nps.core import tenancy
from nps.core.db import db
from nps.core.errors import Invalid, Refused
from nps.core.events import publish
from nps.followups import queries
from nps.followups.errors import CloseIncomplete, HasLeft, MoveRefused
from nps.followups.events import CaseClosed, CaseReopened
from nps.followups.models import Case, CaseEvent, Queue, ReplyDraft
from nps.followups.rules import closing, states
from nps.followups.rules.hours import Hours
from nps.followups.rules.states import CaseState, Move
from nps.followups.service import clocks, ground, history, mail, telling

NOT_CLEAR = "not-clear"
UNDOABLE = frozenset({"closed", "assigned", "snoozed", "reply"})


@dataclass(frozen=True, slots=True)
class Closure:
    """What a close needs: a cause (an id, NOT_CLEAR, or the name of a new one), an outcome and what was learned."""

    outcome: str
    learning: str
    cause: str = ""
    new_cause: str = ""
    made_good: str = ""
    ask_solved: bool = False  # "Is it solved?" under the letter that closes


def columns(
    case: Case, queue: Queue, hours: Hours, closure: Closure, now: datetime, *, actor: Membership, human_contact: bool
) -> dict[str, Any]:
    """The columns that close this case, its cause made or found and linked. Raises CloseIncomplete naming the fields."""
    cause = _cause(closure, actor)
    has_cause = cause is not None or closure.cause == NOT_CLEAR
    known = bool(cause is not None and cause.learning)
    wrong = closing.check_close(has_cause=has_cause, outcome=closure.outcome, learning=closure.learning, cause_has_learning=known)
    days = [at.astimezone(hours.tz).date() for at in queries.attempt_times(case.id)]
    unmet = closing.wish_unmet(wants_reply=case.wants_reply, human_contact=human_contact, outcome=closure.outcome, attempt_days=days)
    if unmet and "outcome" not in wrong:
        wrong["outcome"] = unmet
    if len(closure.made_good) > 200:
        wrong["made_good"] = "At most 200 characters."
    if wrong:
        raise CloseIncomplete("The case was not closed and your words are kept. " + " ".join(wrong.values()), fields=wrong)
    if cause is not None:
        causes.link(cause.id, case.contact_id, case.response_id, confirmed_by_id=actor.id, raised_at=case.started_at)
        causes.note_case(case.contact_id, is_open=False)
        if not cause.learning and closure.learning.strip() != closing.KNOWN_ALREADY:
            causes.learn(cause.id, closure.learning.strip())
    return (
        {
            "state": CaseState.CLOSED,
            "closed_at": now,
            "cause_id": cause.id if cause is not None else None,
            "outcome": closure.outcome,
            "learning": closure.learning.strip(),
            "made_good": closure.made_good.strip(),
            "waiting_since": None,
            "wait_until": None,
            "snoozed_until": None,
        }
        | clocks.drop()
        | clocks.resolve_stops(case, hours, now)
    )


def _cause(closure: Closure, actor: Membership) -> Cause | None:
    if closure.new_cause.strip():
        return causes.find_or_create(closure.new_cause.strip(), created_by_id=actor.id)
    if not closure.cause or closure.cause == NOT_CLEAR:
        return None
    try:
        return cause_queries.get_cause(UUID(closure.cause))
    except ValueError:
        return None


def close(case_id: UUID, actor: Membership, closure: Closure) -> CaseEvent:
    """Close a case. A new one without a human contact counts as missed, and not at all while a wish for a reply is unmet.

    Raises CloseIncomplete, MoveRefused.
    """
    now = product_clock.now()
    case, queue, hours = ground.take(case_id)
    ground.after(case, Move.CLOSE)
    to = columns(case, queue, hours, closure, now, actor=actor, human_contact=case.first_contact_at is not None)
    event = history.change(case, "closed", now=now, actor_id=actor.id, to=to)
    announce(case, now)
    ground.settle(case, queue, hours, now)
    return event


def announce(case: Case, now: datetime) -> None:
    """What follows a close: the customer may be asked again, drafts go, listeners hear."""
    ground.may_be_asked_again(case)
    db.session.execute(delete(ReplyDraft).where(ReplyDraft.case_id == case.id).execution_options(synchronize_session=False))
    publish(CaseClosed(tenancy.current(), case.id, case.contact_id, case.response_id, str(case.outcome), case.cause_id, now))


def close_many(case_ids: Sequence[UUID], actor: Membership, closure: Closure) -> tuple[list[UUID], list[UUID]]:
    """Close several with one cause, outcome and learning: (closed, left open because a wish is unmet or they were closed before).

    Raises CloseIncomplete when the fields themselves are not complete; then none is closed.
    """
    done: list[UUID] = []
    left: list[UUID] = []
    for case_id in case_ids:
        case = queries.get_case(case_id, lock=True)
        if not case.is_open or not _wish_is_met(case, closure):
            left.append(case_id)
            continue
        close(case_id, actor, closure)
        done.append(case_id)
    return done, left


def _wish_is_met(case: Case, closure: Closure) -> bool:
    days = [at.astimezone(queries.hours_of(queries.get_queue(case.queue_id)).tz).date() for at in queries.attempt_times(case.id)]
    contacted = case.first_contact_at is not None
    return closing.wish_unmet(wants_reply=case.wants_reply, human_contact=contacted, outcome=closure.outcome, attempt_days=days) is None


def save_outcome(case_id: UUID, actor: Membership, *, cause: str, new_cause: str, made_good: str) -> CaseEvent | None:
    """Keep cause and "What we did" on the case before it is closed. Raises Invalid for a text that is too long."""
    now = product_clock.now()
    case, queue, hours = ground.take(case_id)
    if len(made_good) > 200:
        raise Invalid("“What we did” has at most 200 characters.", fields={"made_good": "At most 200 characters."})
    chosen = _cause(Closure("", "", cause, new_cause), actor)
    to = {"cause_id": chosen.id if chosen is not None else None, "made_good": made_good.strip()}
    if all(getattr(case, name) == value for name, value in to.items()):
        return None
    if chosen is not None and chosen.id != case.cause_id:
        causes.link(
            chosen.id, case.contact_id, case.response_id, confirmed_by_id=actor.id, raised_at=case.started_at, case_is_open=case.is_open
        )
    name = chosen.name if chosen is not None else closing.NOT_CLEAR_YET
    event = history.change(case, "outcome", now=now, actor_id=actor.id, facts={"cause": name}, to=to)
    ground.settle(case, queue, hours, now)
    return event


def reopen(case_id: UUID, actor: Membership, reason: str) -> CaseEvent:
    """Row 15: a member opens a closed case again, with a reason. The first clock keeps its result.

    Raises Invalid, Refused, MoveRefused (also when the customer has another open case).
    """
    now = product_clock.now()
    case, queue, hours = ground.take(case_id)
    ground.must_direct(actor, queue, "opens closed cases again")
    if not reason.strip():
        raise Invalid("Say why it is opened again.", fields={"reason": "Say why it is opened again."})
    state = ground.after(case, Move.REOPENED)
    _no_other_open(case)
    return opened_again(case, queue, hours, now, actor_id=actor.id, body=reason.strip(), to={"state": state})


def opened_again(
    case: Case,
    queue: Queue,
    hours: Hours,
    now: datetime,
    *,
    actor_id: UUID | None,
    body: str,
    to: dict[str, Any],
    facts: dict[str, Any] | None = None,
) -> CaseEvent:
    """The columns and consequences every reopening has."""
    to = (
        {"closed_at": None, "solved": None, "reopened": case.reopened + 1}
        | clocks.resolve_runs(case, hours, now, queue.target_resolve)
        | to
    )
    event = history.change(case, "reopened", now=now, actor_id=actor_id, body=body, facts=facts, to=to)
    came_back(case, now)
    ground.settle(case, queue, hours, now)
    return event


def came_back(case: Case, now: datetime) -> None:
    """What follows when a closed case is open again: the customer is not asked, listeners hear."""
    contacts.hold(case.contact_id, ground.HOLD)
    causes.note_case(case.contact_id, is_open=True)
    publish(CaseReopened(tenancy.current(), case.id, case.contact_id, now))


def say_solved(case_id: UUID, solved: bool) -> Case:
    """The customer answers "Is it solved?". "Not yet" opens a case again that was closed within 90 days, with a next-reply clock.

    Saying the same twice changes nothing; the last word stands.
    """
    now = product_clock.now()
    case, queue, hours = ground.take(queries.survivor(queries.get_case(case_id)).id)
    said = "yes" if solved else "not_yet"
    if case.solved == said or case.state == CaseState.MERGED:
        return case
    again = not solved and case.closed_at is not None and states.reopens(case.closed_at, now) and queries.find_open(case.contact_id) is None
    history.change(case, "solved", now=now, facts={"solved": said}, to={"solved": said})
    if again:
        to = {"state": ground.after(case, Move.CUSTOMER_WROTE), "solved": said} | clocks.start(
            hours, clocks.NEXT, now, queue.target_next_reply
        )
        event = opened_again(case, queue, hours, now, actor_id=None, body="", to=to, facts={"solved": said})
        told = [case.owner_id] if case.owner_id is not None else [queries.lead_of(queue)]
        telling.tell(case, hours, told, "The customer says it is not solved", key=f"solved:{event.number}", now=now)
    return case


def _no_other_open(case: Case) -> None:
    other = queries.find_open(case.contact_id)
    if other is not None and other.id != case.id and case.kind != "appeal":
        raise MoveRefused("This customer has another open case. Go on there; this one stays closed.")


def undo(case_id: UUID, number: int, actor: Membership) -> CaseEvent:
    """Take one step back: a close, an assignment or a snooze for 24 hours, a reply until it leaves. By the doer or who directs the queue.

    Clocks and columns are as if it had not happened. Raises HasLeft (409) when it is too late or something came on top.
    """
    now = product_clock.now()
    case, queue, hours = ground.take(case_id)
    event = queries.get_event(case_id, number)
    events = queries.list_events(case_id)
    if event.actor_id != actor.id and not queries.directs(actor, queue):
        raise Refused("Only who did this, an owner, an admin or the lead of this queue can undo it. Nothing was changed.")
    if event.what not in UNDOABLE or event.actor_id is None or event.id in queries.undone_ids(events):
        raise HasLeft("This cannot be undone. Nothing was changed.")
    if not states.may_undo(event.occurred_at, now):
        raise HasLeft("This was more than 24 hours ago and stays. Nothing was changed.")
    if event.message_id is not None and not mail.take_back(event.message_id):
        raise HasLeft("The mail has left and cannot be taken back. Nothing was changed.")
    for with_it in events:
        if with_it.what == "closed" and with_it.facts.get("with") == number and with_it.id not in queries.undone_ids(events):
            _restore(case, with_it, now, actor)
    done = _restore(case, event, now, actor)
    ground.settle(case, queue, hours, now)
    return done


def _restore(case: Case, event: CaseEvent, now: datetime, actor: Membership) -> CaseEvent:
    """Put back what the event replaced, unless something else has replaced it since."""
    if any(history.plain(getattr(case, name)) != value for name, value in event.after.items()):
        raise HasLeft("Something happened on this case since. Nothing was changed.")
    closed = event.what == "closed"
    if closed:
        _no_other_open(case)
    to = {name: history.read(name, value) for name, value in event.before.items()}
    facts = {"what": event.what, "number": event.number}
    done = history.change(case, "undone", now=now, actor_id=actor.id, facts=facts, undoes_id=event.id, to=to)
    if closed:
        contacts.hold(case.contact_id, ground.HOLD)
        causes.note_case(case.contact_id, is_open=True)
    return done
