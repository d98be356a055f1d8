"""Reads of many cases: the list with its groups and counts, the badge, what needs somebody, what stands before and after a case."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select

from nps.causes import queries as causes
from nps.contacts.models import Contact
from nps.core import clock as product_clock
from nps.core.db import db
from nps.followups.models import Case, CaseEvent
from nps.followups.queries.cases import names_of_members
from nps.followups.queries.queues import hours_of_all
from nps.followups.rules import clock, order, words
from nps.followups.rules.hours import Hours
from nps.followups.rules.order import Group, Waiting
from nps.followups.rules.states import OPEN, CaseState
from nps.followups.rules.words import Face
from nps.responses.models import Response

MOST_SORTED = 2_000
"""Open cases that are put in order at once; beyond it, those due first."""


class View(StrEnum):
    OPEN = "open"
    MINE = "mine"
    NOBODY = "nobody"
    WAITING = "waiting"
    CLOSED = "closed"
    SNOOZED = "snoozed"


class Sort(StrEnum):
    DUE = "due"
    WORTH = "worth"


@dataclass(frozen=True, slots=True)
class Filter:
    """What the list is limited to. `text` is looked for in name, company and comment."""

    queue_id: UUID | None = None
    owner_id: UUID | None = None
    wants_reply: bool = False
    score_to: int | None = None
    cause_id: UUID | None = None
    text: str = ""

    @property
    def active(self) -> int:
        """How many limits are set."""
        return sum(
            bool(value) for value in (self.queue_id, self.owner_id, self.wants_reply, self.score_to is not None, self.cause_id, self.text)
        )


@dataclass(frozen=True, slots=True)
class Row:
    """A case as one line of the list."""

    case: Case
    name: str
    company: str
    comment: str
    owner: str | None
    tags: tuple[str, ...]
    value_minor: int | None
    group: Group
    face: Face | None


def _limited(given: Filter, view: View, member_id: UUID, now: datetime) -> list[ColumnElement[bool]]:
    limits: list[ColumnElement[bool]] = []
    shown = or_(Case.snoozed_until.is_(None), Case.snoozed_until <= now)
    if view is View.CLOSED:
        limits.append(Case.state == CaseState.CLOSED)
    else:
        limits.append(Case.state.in_(OPEN))
        limits.append(Case.snoozed_until > now if view is View.SNOOZED else shown)
    if view is View.MINE:
        limits.append(Case.owner_id == member_id)
    elif view is View.NOBODY:
        limits.append(Case.owner_id.is_(None))
    elif view is View.WAITING:
        limits.append(Case.state == CaseState.WAITING)
    if given.queue_id is not None:
        limits.append(Case.queue_id == given.queue_id)
    if given.owner_id is not None:
        limits.append(Case.owner_id == given.owner_id)
    if given.wants_reply:
        limits.append(Case.wants_reply.is_(True))
    if given.score_to is not None:
        limits.append(Case.score <= given.score_to)
    if given.cause_id is not None:
        limits.append(Case.cause_id == given.cause_id)
    if given.text:
        like = "%" + given.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        limits.append(
            or_(*(column.ilike(like, escape="\\") for column in (Contact.name, Contact.company, Contact.email, Response.comment)))
        )
    return limits


def _joined(*columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .join(Contact, (Contact.id == Case.contact_id) & (Contact.account_id == Case.account_id))
        .outerjoin(Response, (Response.id == Case.response_id) & (Response.account_id == Case.account_id))
    )


def count_views(given: Filter, member_id: UUID, now: datetime) -> dict[View, int]:
    """How many cases stand in each view, with the filter in force. Closed ones are not counted."""
    return {
        view: db.session.scalar(_joined(func.count()).select_from(Case).where(*_limited(given, view, member_id, now))) or 0
        for view in (View.OPEN, View.MINE, View.NOBODY, View.WAITING, View.SNOOZED)
    }


def list_ids(given: Filter, view: View, sort: Sort, member_id: UUID, currency: str, now: datetime) -> list[UUID]:
    """Ids of the cases of a view, all groups after each other, in order. Closed ones: the last closed first."""
    query = _joined(Case.id, Case.queue_id, Case.state, Case.due_at, Contact.monthly_value_minor, Contact.currency)
    query = query.where(*_limited(given, view, member_id, now))
    if view is View.CLOSED:
        return list(db.session.scalars(query.order_by(Case.closed_at.desc(), Case.id).limit(MOST_SORTED)))
    rows = db.session.execute(query.order_by(Case.due_at.is_(None), Case.due_at, Case.id).limit(MOST_SORTED)).all()
    hours = hours_of_all()
    grouped: dict[Group, list[Waiting]] = {group: [] for group in Group}
    for row in rows:
        value = row.monthly_value_minor if row.currency in (None, currency) else None
        group = order.group_of(CaseState(row.state), row.due_at, now, hours[row.queue_id])
        grouped[group].append(Waiting(str(row.id), row.due_at, hours[row.queue_id], float(value) if value is not None else None))
    if sort is Sort.WORTH:
        ours = [case for group in (Group.OVERDUE, Group.TODAY, Group.LATER) for case in grouped[group]]
        ranked = order.worth_first(ours, now) + order.due_first(grouped[Group.WAITING])
    else:
        ranked = [case for group in Group for case in order.due_first(grouped[group])]
    return [UUID(case.key) for case in ranked]


def list_rows(ids: Sequence[UUID], currency: str, now: datetime) -> list[Row]:
    """The lines of these cases, in the order given."""
    if not ids:
        return []
    hours = hours_of_all()
    names = names_of_members()
    found = {
        case.id: (case, contact, comment)
        for case, contact, comment in db.session.execute(_joined(Case, Contact, Response.comment).where(Case.id.in_(ids)))
    }
    tags = causes.causes_of([case.contact_id for case, _, _ in found.values()])
    return [_row(*found[case_id], hours, names, tags, currency, now) for case_id in ids if case_id in found]


def _row(
    case: Case,
    contact: Contact,
    comment: str | None,
    hours: dict[UUID, Hours],
    names: dict[UUID, str],
    tags: dict[UUID, list[str]],
    currency: str,
    now: datetime,
) -> Row:
    of_queue = hours[case.queue_id]
    return Row(
        case=case,
        name=contact.shown_name,
        company=contact.company or "",
        comment=comment or "",
        owner=names.get(case.owner_id) if case.owner_id is not None else None,
        tags=tuple(tags.get(case.contact_id, [])),
        value_minor=contact.monthly_value_minor if contact.currency in (None, currency) else None,
        group=order.group_of(CaseState(case.state), case.due_at, now, of_queue),
        face=face_of(case, of_queue, now),
    )


def face_of(case: Case, hours: Hours, now: datetime, pill: bool = False) -> Face | None:
    """The clock of a case as drawn, or None where nothing runs."""
    if not case.is_open:
        if case.met is None:
            return None
        at = case.closed_at or now
        return Face(
            words.Mood.MET if case.met else words.Mood.LATE, 100, "Met" if case.met else "Missed", f"Closed {words.day(at, now, hours)}"
        )
    if case.state == CaseState.WAITING and case.waiting_since is not None:
        return words.paused(case.waiting_since, now, hours)
    if case.due_at is None or case.clock_started_at is None:
        return Face(words.Mood.MET, 100, "Our move", "No reply due")
    return (words.pill if pill else words.face)(hours, case.clock_started_at, case.due_at, now)


@dataclass(frozen=True, slots=True)
class NeedsYou:
    """How the account's open cases stand: everybody's, in every queue, snoozed ones included."""

    open: int
    overdue: int
    due_today: int  # still in time, by the date of their queue
    nobody: int
    waiting: int
    first_overdue_id: UUID | None = None
    first_overdue_name: str = ""
    first_overdue_words: str = ""
    next_due_words: str = ""


def needs_you(now: datetime | None = None) -> NeedsYou:
    """What the badge, the overview's strip and the set-up guide say about follow-ups."""
    now = now or product_clock.now()
    grouped = db.session.execute(select(Case.state, func.count()).where(Case.state.in_(OPEN)).group_by(Case.state))
    states = {row[0]: row[1] for row in grouped}
    nobody = db.session.scalar(select(func.count()).select_from(Case).where(Case.state.in_(OPEN), Case.owner_id.is_(None))) or 0
    running = (
        select(Case.id, Case.queue_id, Case.due_at, Case.clock_started_at, Contact.name, Contact.email)
        .join(Contact, (Contact.id == Case.contact_id) & (Contact.account_id == Case.account_id))
        .where(Case.state.in_((CaseState.NEW, CaseState.WORKING)), Case.due_at < now + timedelta(hours=36))
        .order_by(Case.due_at)
    )
    rows = db.session.execute(running).all()
    hours = hours_of_all() if rows else {}
    late = [row for row in rows if row.due_at < now]
    today = [
        row for row in rows if row.due_at >= now and order.group_of(CaseState.NEW, row.due_at, now, hours[row.queue_id]) is Group.TODAY
    ]
    first = late[0] if late else None
    return NeedsYou(
        open=sum(states.values()),
        overdue=len(late),
        due_today=len(today),
        nobody=nobody,
        waiting=states.get(CaseState.WAITING, 0),
        first_overdue_id=first.id if first else None,
        first_overdue_name=(first.name or first.email or "") if first else "",
        first_overdue_words=_late_by(hours[first.queue_id], first.due_at, now) if first else "",
        next_due_words=words.duration(clock.minutes_left(hours[today[0].queue_id], now, today[0].due_at)) if today else "",
    )


def _late_by(hours: Hours, due_at: datetime, now: datetime) -> str:
    """ "by 35 min" · "since Friday, 16:30" """
    late = clock.minutes(hours, due_at, now)
    return f"by {words.duration(late)}" if late < hours.longest_day else f"since {words.since(due_at, now, hours)}"


def related(case: Case, now: datetime) -> tuple[str, int]:
    """(name of the cause, other open cases that share it in 30 days): "Also hit by this"."""
    if case.cause_id is None:
        return "", 0
    count = db.session.scalar(
        select(func.count())
        .select_from(Case)
        .where(Case.cause_id == case.cause_id, Case.id != case.id, Case.state.in_(OPEN), Case.opened_at > now - timedelta(days=30))
    )
    return causes.get_cause(case.cause_id).name, count or 0


def last_answered(now: datetime) -> tuple[timedelta, int] | None:
    """(how long ago the last first reply went out, its open minutes), for the empty list."""
    row = db.session.execute(
        select(CaseEvent.occurred_at, Case.first_reply_minutes)
        .join(Case, (Case.id == CaseEvent.case_id) & (Case.account_id == CaseEvent.account_id))
        .where(CaseEvent.what == "reply", Case.first_reply_minutes.is_not(None))
        .order_by(CaseEvent.occurred_at.desc())
        .limit(1)
    ).first()
    return (now - row.occurred_at, row.first_reply_minutes) if row is not None else None
