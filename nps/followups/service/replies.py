"""A person writes to the customer: the only thing, with a logged contact, that stops a clock."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from nps.accounts import queries as accounts
from nps.accounts.models import Membership
from nps.causes import queries as causes
from nps.contacts import queries as contact_queries
from nps.core import clock as product_clock
from nps.core import tenancy
from nps.core.db import db
from nps.core.errors import Invalid
from nps.core.events import publish
from nps.followups import queries
from nps.followups.errors import RepliedMeanwhile
from nps.followups.events import CaseReplied, CaseWaiting
from nps.followups.models import Case, CaseEvent, CaseView, ReplyDraft
from nps.followups.rules import letters, words
from nps.followups.rules.states import CaseState, Move
from nps.followups.service import clocks, closing, ground, history, mail
from nps.followups.service.closing import Closure


def reply(case_id: UUID, actor: Membership, body: str, *, seen: int, closure: Closure | None = None, anyway: bool = False) -> CaseEvent:
    """Send a typed reply by email, and wait for the customer, or with a `closure` close the case.

    The clock stops now, when the button is pressed; the mail leaves after the queue's hold and can be taken back until then.
    `seen` is the number of the last event the member had before them: Raises RepliedMeanwhile (409) when a message went out
    or came in since, unless `anyway`. Raises Invalid, CloseIncomplete, MayNotWrite, MoveRefused; then nothing is sent.
    """
    now = product_clock.now()
    case, queue, hours = ground.take(case_id)
    wrong = letters.check_body(body)
    if wrong:
        raise Invalid(wrong, fields={"body": wrong})
    if not anyway:
        _nobody_else(case, seen, actor, now)
    move = Move.REPLY_AND_CLOSE if closure is not None else Move.REPLY_AND_WAIT
    ground.after(case, move)
    contact = queries.lock_contact(case.contact_id)
    mail.must_be_allowed(contact)
    if closure is not None:
        # Checked before anything is sent or written: an incomplete close sends nothing.
        closed = closing.columns(case, queue, hours, closure, now, actor=actor, human_contact=True)
    to: dict[str, Any] = {
        "state": CaseState.WAITING,
        "attempts": case.attempts + 1,
        "waiting_since": case.waiting_since or now,
        "wait_until": clocks.silence_ends(hours, now),
        "snoozed_until": None,
    }
    to |= clocks.stop(case, hours, now) | clocks.resolve_stops(case, hours, now)
    leaves_at = now + timedelta(seconds=queue.hold_seconds)
    key, asks = f"case:{case.id}:{case.last_number + 1}", closure is not None and closure.ask_solved
    message_id = mail.to_customer(case, contact, body, actor, leaves_at=leaves_at, key=key, ask_solved=asks)
    facts = {"leaves_at": leaves_at.isoformat(), "unchanged": _is_text_of_cause(case, body)}
    event = history.change(case, "reply", now=now, actor_id=actor.id, body=body.strip(), facts=facts, message_id=message_id, to=to)
    _forget_draft(case.id, actor.id)
    ground.note_human_reply(case, now)
    publish(CaseReplied(tenancy.current(), case.id, case.contact_id, case.response_id, case.met, now))
    if closure is not None:
        history.change(case, "closed", now=now, actor_id=actor.id, facts={"with": event.number}, to=closed)
        closing.announce(case, now)
    else:
        publish(CaseWaiting(tenancy.current(), case.id, now))
    ground.settle(case, queue, hours, now)
    return event


def _nobody_else(case: Case, seen: int, actor: Membership, now: datetime) -> None:
    """Raises RepliedMeanwhile when a message of somebody else went out, or one came in, after the event the member saw."""
    since = [event for event in queries.messages_since(case.id, seen) if event.actor_id != actor.id]
    if since:
        last = since[-1]
        if last.actor_id is not None:
            who = queries.names_of_members()[last.actor_id].split(" ")[0] + " replied"
        else:
            who = f"{contact_queries.get_contact(case.contact_id).called or 'The customer'} wrote"
        raise RepliedMeanwhile(f"{who} {words.passed(now - last.occurred_at)}. Nothing was sent and your text is kept.")


def _is_text_of_cause(case: Case, body: str) -> bool:
    """Was the approved text of the cause sent as it stands? The share of such replies is reported."""
    if case.cause_id is None:
        return False
    text = causes.get_cause(case.cause_id).reply_text.strip()
    return bool(text) and text in body


def _forget_draft(case_id: UUID, member_id: UUID) -> None:
    mine = (ReplyDraft.case_id == case_id) & (ReplyDraft.membership_id == member_id)
    db.session.execute(delete(ReplyDraft).where(mine).execution_options(synchronize_session=False))


def save_draft(case_id: UUID, actor: Membership, body: str) -> None:
    """Keep what a member has typed; an empty text forgets it. Cut at the length a reply may have."""
    now = product_clock.now()
    case = queries.get_case(case_id)
    draft = queries.find_draft(case.id, actor.id)
    if not body.strip() or not case.is_open:
        _forget_draft(case.id, actor.id)
    elif draft is None:
        db.session.add(ReplyDraft(case_id=case.id, membership_id=actor.id, body=body[: letters.MOST_CHARACTERS], saved_at=now))
    else:
        draft.body, draft.saved_at = body[: letters.MOST_CHARACTERS], now


def values_for(case: Case, actor: Membership) -> dict[str, object]:
    """What the placeholders of saved replies stand for on this case."""
    contact = contact_queries.get_contact(case.contact_id)
    account = accounts.get_account(tenancy.current())
    response = queries.find_response(case)
    cause = causes.get_cause(case.cause_id) if case.cause_id is not None else None
    hours = queries.hours_of(queries.get_queue(case.queue_id))
    name = accounts.get_user(actor.user_id).name
    return {
        "contact.first_name": contact.called,
        "contact.company": contact.company,
        "owner.first_name": name.split(" ")[0],
        "owner.phone": "",
        "account.name": account.name,
        "response.score": response.score if response is not None else None,
        "response.comment": response.comment if response is not None else None,
        "cause.name": cause.name if cause is not None else None,
        "cause.reply_text": cause.reply_text if cause is not None else None,
        "due.day": words.full(case.due_at, hours.tz).rpartition(",")[0] if case.due_at is not None else None,
    }


def note_presence(case_id: UUID, actor: Membership) -> None:
    """This member has the case open now."""
    now = product_clock.now()
    queries.get_case(case_id)
    mine = db.session.scalar(select(CaseView).where(CaseView.case_id == case_id, CaseView.membership_id == actor.id))
    if mine is None:
        db.session.add(CaseView(case_id=case_id, membership_id=actor.id, viewed_at=now))
    else:
        mine.viewed_at = now
