"""Reads of single cases and their history."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select

from nps.accounts.models import Membership, User
from nps.contacts.models import Contact
from nps.core.db import db
from nps.core.errors import NotFound
from nps.core.prepared import ACCOUNT, First, Prepared
from nps.followups.models import Case, CaseEvent, CaseView, ReplyDraft
from nps.followups.rules.states import OPEN
from nps.responses.models import Response

MESSAGES = ("reply", "customer_wrote")
"""Events in which something went out to the customer or came in."""
CONTACTS = ("reply", "contact_logged")
ATTEMPTS = ("reply", "contact_logged", "attempt")


_E = CaseEvent.__table__
_CASE_OF = Prepared(
    select(_E.c.case_id)
    .where(_E.c.account_id == ACCOUNT, _E.c.response_id == bindparam("response"))
    .order_by(_E.c.occurred_at.desc(), _E.c.id.desc())
    .limit(1)
)
_contact = First(Contact, lambda t: (t.c.id == bindparam("wanted"),), lock=True)


def _is_open(t: Any) -> Sequence[Any]:
    return t.c.contact_id == bindparam("contact"), t.c.state.in_(OPEN), t.c.kind != "appeal"


_open, _locked_open = First(Case, _is_open), First(Case, _is_open, lock=True)


def get_case(case_id: UUID, lock: bool = False) -> Case:
    """The case. With `lock`, nobody else changes it until this unit of work ends."""
    query = select(Case).where(Case.id == case_id)
    found = db.session.scalar(query.with_for_update(key_share=True).execution_options(populate_existing=True) if lock else query)
    if found is None:
        raise NotFound
    return found


def lock_contact(contact_id: UUID) -> Contact:
    """The customer, locked: what is decided about their cases is decided one after the other."""
    found = _contact(wanted=contact_id)
    if found is None:
        raise NotFound
    return found


def list_open_of(member_id: UUID) -> Sequence[Case]:
    """A member's open cases, oldest first."""
    return db.session.scalars(select(Case).where(Case.owner_id == member_id, Case.state.in_(OPEN)).order_by(Case.opened_at)).all()


def list_of_contact(contact_id: UUID) -> Sequence[Case]:
    """All cases of a customer, newest first."""
    return db.session.scalars(select(Case).where(Case.contact_id == contact_id).order_by(Case.opened_at.desc())).all()


def find_open(contact_id: UUID, lock: bool = False) -> Case | None:
    """The one open case of a customer, appeals apart."""
    return (_locked_open if lock else _open)(contact=contact_id)


def has_open(contact_id: UUID) -> bool:
    """Is any case of this customer open, an appeal included?"""
    return db.session.scalar(select(Case.id).where(Case.contact_id == contact_id, Case.state.in_(OPEN)).limit(1)) is not None


def find_last_closed(contact_id: UUID) -> Case | None:
    """The customer's case that was closed last."""
    query = select(Case).where(Case.contact_id == contact_id, Case.closed_at.is_not(None), Case.state == "closed", Case.kind != "appeal")
    return db.session.scalar(query.order_by(Case.closed_at.desc()).limit(1))


def find_response(case: Case) -> Response | None:
    """The newest answer that belongs to a case."""
    return db.session.scalar(select(Response).where(Response.id == case.response_id)) if case.response_id is not None else None


def find_response_of_invitation(invitation_id: UUID) -> Response | None:
    """The verified answer to one invitation."""
    return db.session.scalar(select(Response).where(Response.invitation_id == invitation_id, Response.state == "verified"))


def answered_at(invitation_id: UUID, at: datetime) -> bool:
    """Was the answer to this invitation given or changed at this moment?"""
    found = select(Response.id).where(Response.invitation_id == invitation_id, Response.changed_at >= at)
    return db.session.scalar(found) is not None


def find_case_of_response(response_id: UUID) -> Case | None:
    """The case an answer opened or joined last, or its survivor."""
    db.session.flush()
    case_id = _CASE_OF(response=response_id).scalar()
    case = get_case(case_id) if case_id is not None else None
    return survivor(case) if case is not None else None


def case_ids_of(response_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Answer -> the case it opened or joined last, in one statement; answers without one are missing."""
    rows = db.session.execute(
        select(CaseEvent.response_id, CaseEvent.case_id).where(CaseEvent.response_id.in_(response_ids)).order_by(CaseEvent.occurred_at)
    )
    return {row.response_id: row.case_id for row in rows}


def survivor(case: Case) -> Case:
    """The case a merged one lives on in."""
    for _ in range(10):
        if case.merged_into_id is None:
            return case
        case = get_case(case.merged_into_id)
    return case


def list_events(case_id: UUID) -> Sequence[CaseEvent]:
    """The history, oldest first."""
    return db.session.scalars(select(CaseEvent).where(CaseEvent.case_id == case_id).order_by(CaseEvent.number)).all()


def get_event(case_id: UUID, number: int) -> CaseEvent:
    found = db.session.scalar(select(CaseEvent).where(CaseEvent.case_id == case_id, CaseEvent.number == number))
    if found is None:
        raise NotFound
    return found


def find_event_of_message(message_id: UUID) -> CaseEvent | None:
    return db.session.scalar(select(CaseEvent).where(CaseEvent.message_id == message_id))


def undone_ids(events: Sequence[CaseEvent]) -> set[UUID]:
    return {event.undoes_id for event in events if event.undoes_id is not None}


def failed_message_ids(events: Sequence[CaseEvent]) -> set[UUID]:
    """Messages of ours that did not arrive."""
    return {event.message_id for event in events if event.what == "reply_failed" and event.message_id is not None}


def human_contacts(case_id: UUID, but: UUID | None = None) -> list[CaseEvent]:
    """Replies that were neither taken back nor failed, and logged contacts, oldest first."""
    events = list_events(case_id)
    undone, failed = undone_ids(events), failed_message_ids(events)
    return [
        e
        for e in events
        if e.what in CONTACTS and e.id not in undone and e.id != but and (e.message_id is None or e.message_id not in failed)
    ]


def attempt_times(case_id: UUID) -> list[datetime]:
    """When somebody tried to reach the customer: calls, letters and replies, failed ones too."""
    events = list_events(case_id)
    undone = undone_ids(events)
    return [event.occurred_at for event in events if event.what in ATTEMPTS and event.id not in undone]


def messages_since(case_id: UUID, number: int) -> list[CaseEvent]:
    """Messages out or in after the event a member last saw."""
    events = list_events(case_id)
    undone = undone_ids(events)
    return [event for event in events if event.number > number and event.what in MESSAGES and event.id not in undone]


def names_of_members() -> dict[UUID, str]:
    """Membership id -> name, former members included: a name stays in the history."""
    rows = db.session.execute(select(Membership.id, User.name).join(User, User.id == Membership.user_id))
    return {row[0]: row[1] for row in rows}


def find_draft(case_id: UUID, member_id: UUID) -> ReplyDraft | None:
    return db.session.scalar(select(ReplyDraft).where(ReplyDraft.case_id == case_id, ReplyDraft.membership_id == member_id))


def also_here(case_id: UUID, member_id: UUID, now: datetime) -> list[str]:
    """Names of others who had the case open in the last 60 seconds."""
    rows = db.session.scalars(
        select(User.name)
        .join(Membership, Membership.user_id == User.id)
        .join(CaseView, (CaseView.membership_id == Membership.id) & (CaseView.account_id == Membership.account_id))
        .where(CaseView.case_id == case_id, CaseView.membership_id != member_id, CaseView.viewed_at > now - timedelta(seconds=60))
        .order_by(User.name)
    )
    return list(rows)
