"""What comes back: a customer's message, an answering machine, the news that a reply did not arrive, an erasure."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from nps.contacts import queries as contact_queries
from nps.contacts.events import ContactErased
from nps.core import clock as product_clock
from nps.core import tenancy
from nps.core.events import publish
from nps.delivery.events import AutoReplyReceived, MessageReceipt, MessagesSettled, ReplyReceived
from nps.followups import queries
from nps.followups.events import CustomerWrote
from nps.followups.models import Case, CaseEvent, Queue
from nps.followups.rules import states
from nps.followups.rules.hours import Hours
from nps.followups.rules.states import CaseState, Move
from nps.followups.service import clocks, closing, ground, history, mail, opening, telling

LOOP_MESSAGES, LOOP_TIME = 5, timedelta(minutes=10)


def reply_received(event: ReplyReceived) -> None:
    """A person wrote: into the case of the thread, else the customer's open case, else a new one. Once per mail.

    An answer read from a reply to a survey is an answer and goes its own way.
    """
    if queries.find_event_of_message(event.inbound_id) is not None:
        return
    if event.ref_kind == mail.NOTICE or _was_counted(event):
        return
    case, how = _case_for(event)
    if case is None:
        return
    _land(case, event, how)


def _was_counted(event: ReplyReceived) -> bool:
    """Has the floor that keeps the answers taken this mail as one? A score that came too late is a letter like any other."""
    if event.score is None or event.ref_id is None or event.ref_kind == mail.REF:
        return False
    return queries.answered_at(event.ref_id, event.occurred_at)


def _case_for(event: ReplyReceived) -> tuple[Case | None, str]:
    """(case, how it was found). A closed one within 90 days is given back to be opened again; after that a new one is linked to it."""
    if event.ref_kind == mail.REF and event.ref_id is not None:
        case = queries.survivor(queries.get_case(event.ref_id))
        if case.is_open:
            return case, ""
        return _open_or_last(case.contact_id, case, event), ""
    contact_id, how = event.contact_id, ""
    if contact_id is None:
        contact = contact_queries.find_by_email(event.from_email)
        if contact is None:
            return None, ""
        return queries.find_open(contact.id), "address_only"
    return _open_or_last(contact_id, None, event), how


def _open_or_last(contact_id: UUID, named: Case | None, event: ReplyReceived) -> Case:
    """The customer's open case; else the named or last closed one if it may be opened again; else a new one."""
    case = queries.find_open(contact_id)
    if case is not None:
        return case
    last = named or queries.find_last_closed(contact_id)
    if named is not None and last is not None and last.closed_at is not None and states.reopens(last.closed_at, event.occurred_at):
        return last
    response = queries.find_response_of_invitation(event.ref_id) if event.ref_id is not None else None
    fresh = response is not None and queries.find_case_of_response(response.id) is None
    return opening.open_case(
        contact_id,
        response.id if response is not None and fresh else None,
        started_at=event.occurred_at,
        score=response.score if response is not None else None,
        kind="mail",
        earlier_case_id=last.id if last is not None else None,
        rule="a mail to us",
    )


def _land(found: Case, event: ReplyReceived, how: str) -> None:
    """Row 8 and 14: the message is in the history, from waiting and closed the next-reply clock starts at its receipt."""
    now = product_clock.now()
    case, queue, hours = ground.take(found.id)
    at = min(event.occurred_at, now)
    facts: dict[str, Any] = {"subject": event.subject, "received_at": at.isoformat()}
    if not event.from_known:
        facts["from_other"] = event.from_email
    if how:
        facts["matched_by"] = how
    looping = _recent(case.id, now) >= LOOP_MESSAGES
    if looping:
        facts["loop"] = True
    to = _columns(case, queue, hours, at)
    written = history.change(case, "customer_wrote", now=now, body=event.text, facts=facts, message_id=event.inbound_id, to=to)
    if "closed_at" in written.after:
        closing.came_back(case, now)
    publish(CustomerWrote(tenancy.current(), case.id, case.contact_id, now))
    if not looping:
        told = [case.owner_id] if case.owner_id is not None else [queries.lead_of(queue)]
        telling.tell(case, hours, told, "The customer wrote", key=f"wrote:{written.number}", now=now)
    ground.settle(case, queue, hours, now)


def _columns(case: Case, queue: Queue, hours: Hours, at: datetime) -> dict[str, Any]:
    to: dict[str, Any] = {"state": ground.after(case, Move.CUSTOMER_WROTE), "snoozed_until": None}
    if case.state == CaseState.NEW:
        return to
    if case.reply_clock is None:
        to |= clocks.start(hours, clocks.NEXT, at, queue.target_next_reply)
    if case.state in {CaseState.WAITING, CaseState.CLOSED}:
        to |= clocks.resolve_runs(case, hours, at, queue.target_resolve) | {"waiting_since": None, "wait_until": None}
    if case.state == CaseState.CLOSED:
        to |= {"closed_at": None, "solved": None, "reopened": case.reopened + 1}
    return to


def _recent(case_id: UUID, now: datetime) -> int:
    return sum(1 for one in queries.list_events(case_id) if one.what == "customer_wrote" and now - one.occurred_at <= LOOP_TIME)


def auto_reply_received(event: AutoReplyReceived) -> None:
    """An answering machine: a folded note that starts no clock and opens nothing again."""
    if queries.find_event_of_message(event.inbound_id) is not None:
        return
    case = None
    if event.ref_kind == mail.REF and event.ref_id is not None:
        case = queries.survivor(queries.get_case(event.ref_id))
    elif event.contact_id is not None:
        case = queries.find_open(event.contact_id)
    if case is not None:
        taken, _, _ = ground.take(case.id)
        facts = {"may_have_left": event.may_have_left}
        history.change(taken, "auto_reply", now=product_clock.now(), body=event.text, facts=facts, message_id=event.inbound_id)


def messages_settled(event: MessagesSettled) -> None:
    """Replies that were refused, or held back, did not arrive."""
    for fate in (*event.failed, *event.dropped):
        if fate.ref_kind == mail.REF and fate.reason != mail.TAKEN_BACK:
            _reply_failed(fate.message_id, fate.reason)


def receipt_arrived(event: MessageReceipt) -> None:
    """A reply that bounced after it was sent did not arrive either."""
    if event.ref_kind == mail.REF and event.state == "bounced":
        _reply_failed(event.message_id, event.reason)


def _reply_failed(message_id: UUID, reason: str) -> None:
    """Row 18: the clock runs as if it had never stopped, unless somebody else got through; the owner is told. Once per message."""
    now = product_clock.now()
    reply = queries.find_event_of_message(message_id)
    if reply is None or reply.what != "reply":
        return
    case, queue, hours = ground.take(reply.case_id)
    events = queries.list_events(case.id)
    if message_id in queries.failed_message_ids(events) or reply.id in queries.undone_ids(events):
        return
    others = queries.human_contacts(case.id, but=reply.id)
    to: dict[str, Any] = {}
    if states.may(CaseState(case.state), Move.REPLY_FAILED):
        was_closed = case.state == CaseState.CLOSED
        to |= {"state": ground.after(case, Move.REPLY_FAILED, states.after_failed_reply(bool(others)))}
        to |= {"waiting_since": None, "wait_until": None}
        to |= _clock_of(reply, case, others)
        to |= clocks.resolve_runs(case, hours, now, queue.target_resolve) if case.resolve_from_at is None else {}
        if was_closed:
            if queries.find_open(case.contact_id) is not None:
                to = {}
            else:
                to |= {"closed_at": None}
    facts = {"reason": reason, "number": reply.number}
    event = history.change(case, "reply_failed", now=now, facts=facts, message_id=message_id, to=to)
    if "closed_at" in event.after:
        closing.came_back(case, now)
    lines = ["Your reply did not arrive. The case shows other ways to reach the customer."]
    telling.tell(case, hours, [reply.actor_id, case.owner_id], "A reply did not arrive", key=f"failed:{event.number}", now=now, lines=lines)
    ground.settle(case, queue, hours, now)


_CLOCK = ("reply_clock", "clock_started_at", "target_from_at", "target_minutes", "due_at", "told_percent")


def _clock_of(reply: CaseEvent, case: Case, others: list[CaseEvent]) -> dict[str, Any]:
    """The clock the failed reply had stopped, running again; a first contact by somebody else keeps the first reply stopped at its time."""
    after = [other for other in others if other.number > reply.number]
    columns: dict[str, Any] = {}
    if not others or (not after and case.reply_clock is None):
        columns |= {name: history.read(name, reply.before[name]) for name in _CLOCK if name in reply.before}
    if "first_contact_at" in reply.after:
        first = others[0] if others else None
        columns["first_contact_at"] = _time_of(first) if first is not None else None
        columns["first_reply_minutes"] = None
        if first is not None and columns.get("reply_clock") == clocks.FIRST:
            columns |= clocks.drop()
    return columns


def _time_of(event: CaseEvent) -> datetime:
    """When the customer was reached: the moment the button was pressed, or the time of a logged talk."""
    return datetime.fromisoformat(event.facts["at"]) if "at" in event.facts else event.occurred_at


def contact_erased(event: ContactErased) -> None:
    """The person is gone from every case."""
    opening.contact_erased(event.contact_id)
