"""A case begins, or an answer joins the one that is open; and what happens when the answer changes."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete

from nps.contacts import service as contacts
from nps.core import clock as product_clock
from nps.core import tenancy
from nps.core.db import db
from nps.core.errors import Invalid
from nps.core.events import publish
from nps.followups import queries
from nps.followups.events import CaseClosed, CaseOpened
from nps.followups.models import Case, CaseEvent, Queue, ReplyDraft
from nps.followups.rules import clock, targets
from nps.followups.rules.closing import Outcome
from nps.followups.rules.hours import Hours
from nps.followups.rules.states import CaseState, Move
from nps.followups.service import assigning, clocks, ground, history, queues

APPEAL_MINUTES = 2_400


def open_case(
    contact_id: UUID,
    response_id: UUID | None,
    *,
    started_at: datetime,
    queue_id: UUID | None = None,
    target_minutes: int | None = None,
    wants_reply: bool = False,
    score: int | None = None,
    rule: str = "",
    kind: str = "answer",
    owner_id: UUID | None = None,
    actor_id: UUID | None = None,
    earlier_case_id: UUID | None = None,
) -> Case:
    """The case of this customer: a new one, or the open one, which the answer joins. Once per response.

    `started_at` is when the answer was verified: the first-reply clock runs from there. `target_minutes` are a rule's own
    open minutes; `rule` is the sentence of the decision ("the rule “Detractors”"). Raises NotFound, Invalid.
    """
    now = product_clock.now()
    contact = queries.lock_contact(contact_id)
    if response_id is not None:
        known = queries.find_case_of_response(response_id)
        if known is not None and (known.is_open or known.outcome != Outcome.ANSWER_CHANGED):
            return known
    case = queries.find_open(contact_id, lock=True) if kind != "appeal" else None
    if case is not None:
        queue = queries.get_queue(queue_id) if queue_id is not None else None
        return _join(case, response_id, queue, started_at, target_minutes, wants_reply, score, rule, now)
    queue = queries.get_queue(queue_id) if queue_id is not None else queues.default_queue()
    hours = queries.hours_of(queue)
    minutes = (
        APPEAL_MINUTES if kind == "appeal" else targets.first_reply(queue.targets, score, wants_reply, target_minutes, wrote=kind == "mail")
    )
    # Nobody can be written to without an address: such a case has no reply clock.
    reachable = contact.email is not None or contact.phone is not None
    running = clocks.start(hours, clocks.FIRST, started_at, minutes) if reachable else {}
    case = Case(
        kind=kind,
        state=CaseState.NEW,
        contact_id=contact_id,
        response_id=response_id,
        queue_id=queue.id,
        score=score,
        wants_reply=wants_reply,
        rule=rule,
        opened_at=now,
        started_at=started_at,
        promised_at=running.get("due_at") if response_id is not None else None,
        resolve_from_at=now,
        resolve_used_seconds=0,
        resolve_due_at=clock.due(hours, now, timedelta(minutes=queue.target_resolve)),
        attempts=0,
        reopened=0,
        told_percent=running.pop("told_percent", 0),
        learning="",
        made_good="",
        earlier_case_id=earlier_case_id,
        **running,
    )
    facts: dict[str, Any] = {"rule": rule} if rule else {}
    if target_minutes is not None:
        facts["own_target"] = target_minutes
    history.opened(case, now=now, actor_id=actor_id, facts=facts)
    contacts.hold(contact_id, ground.HOLD)
    owner_id = owner_id or assigning.next_owner(queue.id, contact_id, now)
    assigning.put(case, queue, hours, owner_id, now, actor_id=actor_id if owner_id == actor_id else None, by=rule)
    publish(CaseOpened(tenancy.current(), case.id, contact_id, response_id, queue.id, case.owner_id, score, wants_reply, case.due_at, now))
    return case


def _join(
    case: Case,
    response_id: UUID | None,
    other: Queue | None,
    started_at: datetime,
    target_minutes: int | None,
    wants_reply: bool,
    score: int | None,
    rule: str,
    now: datetime,
) -> Case:
    """Row 2: the newest score is shown, either wish stays, due is the earlier of both; from waiting a next-reply clock starts."""
    queue = queries.get_queue(case.queue_id)
    hours = queries.hours_of(queue)
    state = ground.after(case, Move.ANSWER_JOINED)
    to: dict[str, Any] = {"state": state, "wants_reply": case.wants_reply or wants_reply}
    if response_id is not None:
        to |= {"response_id": response_id, "score": score}
    minutes = targets.first_reply(queue.targets, score, wants_reply, target_minutes)
    if case.due_at is not None:
        to |= clocks.tightened(case, hours, started_at, minutes)
    elif case.first_contact_at is not None:
        to |= clocks.start(hours, clocks.NEXT, started_at, min(minutes, queue.target_next_reply))
    if case.state == CaseState.WAITING:
        to |= clocks.resolve_runs(case, hours, started_at, queue.target_resolve) | {
            "waiting_since": None,
            "wait_until": None,
            "snoozed_until": None,
        }
    due_at = to.get("due_at", case.due_at)
    if response_id is not None and due_at is not None:
        # The thank-you page of this answer shows a time as well: the earlier promise is the one to keep.
        to["promised_at"] = min(due_at, case.promised_at) if case.promised_at is not None else due_at
    facts = {"rule": rule} if rule else {}
    if other is not None and other.id != queue.id:
        facts["queue"] = other.name
    history.change(case, "answer_joined", now=now, response_id=response_id, facts=facts, to=to)
    ground.settle(case, queue, hours, now)
    return case


def answer_revised(
    response_id: UUID,
    *,
    old_score: int,
    new_score: int,
    had_comment: bool,
    has_comment: bool,
    wished_reply: bool,
    wants_reply: bool,
    occurred_at: datetime,
    target_minutes: int | None = None,
) -> Case | None:
    """What a revised answer changes in the open case it belongs to; None when there is none, and the rules decide afresh.

    0–6 that becomes 7–10 without comment or wish closes a case nobody has acted on. Otherwise the case stays and due is the
    earlier of the old and the new, counted from the revision.
    """
    now = product_clock.now()
    known = queries.find_case_of_response(response_id)
    if known is None or not known.is_open:
        return None
    case, queue, hours = ground.take(known.id)
    rose = old_score <= 6 < new_score
    if rose and not has_comment and not wants_reply and case.state == CaseState.NEW and not _somebody_acted(case.id):
        _answer_changed(case, queue, hours, response_id, old_score, new_score, now)
        return case
    to: dict[str, Any] = {"score": new_score} if case.response_id == response_id else {}
    to["wants_reply"] = case.wants_reply or wants_reply
    if case.due_at is not None and not rose:
        to |= clocks.tightened(case, hours, occurred_at, targets.first_reply(queue.targets, new_score, wants_reply, target_minutes))
        if case.promised_at is not None and "due_at" in to:
            to["promised_at"] = min(case.promised_at, to["due_at"])
    facts = {
        "from": old_score,
        "to": new_score,
        "comment_added": has_comment and not had_comment,
        "wish_added": wants_reply and not wished_reply,
    }
    history.change(case, "answer_revised", now=now, response_id=response_id, facts=facts, to=to)
    ground.settle(case, queue, hours, now)
    return case


def _somebody_acted(case_id: UUID) -> bool:
    """Has a member done anything but hand the case around?"""
    return any(event.actor_id is not None and event.what not in {"assigned", "moved", "snoozed"} for event in queries.list_events(case_id))


def _answer_changed(case: Case, queue: Queue, hours: Hours, response_id: UUID, old: int, new: int, now: datetime) -> CaseEvent:
    state = ground.after(case, Move.ANSWER_CHANGED)
    to = {"state": state, "closed_at": now, "outcome": Outcome.ANSWER_CHANGED, "score": new, "snoozed_until": None}
    event = history.change(
        case,
        "closed",
        now=now,
        response_id=response_id,
        facts={"from": old, "to": new},
        to=to | clocks.drop() | clocks.resolve_stops(case, hours, now),
    )
    ground.may_be_asked_again(case)
    publish(CaseClosed(tenancy.current(), case.id, case.contact_id, response_id, Outcome.ANSWER_CHANGED, None, now))
    ground.settle(case, queue, hours, now)
    return event


def open_by_hand(contact_id: UUID, reason: str, *, actor_id: UUID, queue_id: UUID | None = None, wants_reply: bool = False) -> Case:
    """A member opens a case for a customer without an answer. Raises Invalid for a reason under 10 characters."""
    if len(reason.strip()) < 10:
        raise Invalid("Say why, in 10 characters or more.", fields={"reason": "Say why, in 10 characters or more."})
    now = product_clock.now()
    case = open_case(
        contact_id, None, started_at=now, queue_id=queue_id, wants_reply=wants_reply, kind="hand", actor_id=actor_id, owner_id=actor_id
    )
    history.change(case, "note", now=now, actor_id=actor_id, body=reason.strip())
    return case


def contact_erased(contact_id: UUID) -> None:
    """Row 19: every case of the person is closed and their words go; counts stay. Called by whoever erases the person."""
    now = product_clock.now()
    for found in queries.list_of_contact(contact_id):
        case, queue, hours = ground.take(found.id)
        for event in queries.list_events(case.id):
            if event.body or event.facts:
                event.body, event.facts = "", {"erased_on": now.date().isoformat()}
        to: dict[str, Any] = {
            "state": ground.after(case, Move.ERASED),
            "outcome": Outcome.ERASED,
            "learning": "",
            "made_good": "",
            "snoozed_until": None,
        }
        if case.closed_at is None:
            to["closed_at"] = now
        history.change(case, "erased", now=now, to=to | clocks.drop() | clocks.resolve_stops(case, hours, now))
        ground.may_be_asked_again(case)
        ground.settle(case, queue, hours, now)
        db.session.execute(delete(ReplyDraft).where(ReplyDraft.case_id == case.id).execution_options(synchronize_session=False))
