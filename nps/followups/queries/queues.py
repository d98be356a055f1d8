"""Reads of queues: hours, members, targets."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, func, select

from nps.accounts import queries as accounts
from nps.accounts import rules as rights
from nps.accounts.models import Membership, User
from nps.core.db import db
from nps.core.errors import NotFound
from nps.core.prepared import ACCOUNT, Finder, First, Prepared
from nps.followups.models import Case, Queue, QueueHoliday, QueueMember, SavedReply, spans_from
from nps.followups.rules import words
from nps.followups.rules.hours import Hours, instant
from nps.followups.rules.states import CaseState
from nps.followups.rules.turns import Method, Seat

WORKS_CASES = "cases.work"


_queue, _locked = Finder(Queue), First(Queue, lambda t: (t.c.id == bindparam("wanted"),), lock=True)
_default = First(Queue, lambda t: (t.c.is_default,))
_D = QueueHoliday.__table__
_HOLIDAYS = Prepared(select(_D.c.day, _D.c.spans).where(_D.c.account_id == ACCOUNT, _D.c.queue_id == bindparam("queue")))


def get_queue(queue_id: UUID, lock: bool = False) -> Queue:
    """The queue. With `lock`, nobody else changes it until this unit of work ends."""
    found = _locked(wanted=queue_id) if lock else _queue(queue_id)
    if found is None:
        raise NotFound
    return found


def find_default() -> Queue | None:
    """The queue that takes what no rule sends elsewhere. None before the first case or visit."""
    return _default()


def list_queues() -> Sequence[Queue]:
    """The default queue, then by name."""
    return db.session.scalars(select(Queue).order_by(Queue.is_default.desc(), Queue.name)).all()


def hours_of(queue: Queue) -> Hours:
    """When a queue is open, its holidays included."""
    db.session.flush()
    days = _HOLIDAYS(queue=queue.id)
    return Hours(queue.time_zone, tuple(spans_from(day) for day in queue.week), {day: spans_from(spans) for day, spans in days})


def hours_of_all() -> dict[UUID, Hours]:
    """The hours of every queue of the account, in two statements."""
    holidays: dict[UUID, dict[date, list[list[int]]]] = {}
    for queue_id, day, spans in db.session.execute(select(QueueHoliday.queue_id, QueueHoliday.day, QueueHoliday.spans)):
        holidays.setdefault(queue_id, {})[day] = spans
    return {
        queue.id: Hours(
            queue.time_zone,
            tuple(spans_from(day) for day in queue.week),
            {day: spans_from(spans) for day, spans in holidays.get(queue.id, {}).items()},
        )
        for queue in db.session.scalars(select(Queue))
    }


def list_holidays(queue_id: UUID) -> Sequence[QueueHoliday]:
    return db.session.scalars(select(QueueHoliday).where(QueueHoliday.queue_id == queue_id).order_by(QueueHoliday.day)).all()


def list_workers() -> Sequence[tuple[Membership, User]]:
    """Members of the account whose role works cases, by name."""
    return [(membership, user) for membership, user in accounts.list_members() if membership.may(WORKS_CASES)]


def list_readers() -> Sequence[tuple[Membership, User]]:
    """Members of the account who may see cases, by name."""
    return [(membership, user) for membership, user in accounts.list_members() if membership.may("cases.read")]


def account_owner() -> Membership | None:
    """The first of the account's owners."""
    owners = [membership for membership, _ in accounts.list_members() if membership.role == rights.Role.OWNER]
    return min(owners, key=lambda membership: membership.created_at, default=None)


def named_members(queue_id: UUID) -> list[UUID]:
    """Membership ids that were named for this queue, in the order they came."""
    rows = select(QueueMember.membership_id).where(QueueMember.queue_id == queue_id).order_by(QueueMember.created_at, QueueMember.id)
    return list(db.session.scalars(rows))


def members_of(queue: Queue) -> list[tuple[Membership, User]]:
    """Who works this queue's cases: the named members who still can, else all responders, else the account's owner."""
    workers = {membership.id: (membership, user) for membership, user in list_workers()}
    named = [workers[member_id] for member_id in named_members(queue.id) if member_id in workers]
    if named:
        return named
    responders = [pair for pair in workers.values() if pair[0].role == rights.Role.RESPONDER]
    if responders:
        return responders
    owner = account_owner()
    return [workers[owner.id]] if owner is not None and owner.id in workers else []


def somebody_answers() -> bool:
    """Is there a queue, and somebody who works it? For the set-up guide."""
    queue = find_default()
    return queue is not None and bool(members_of(queue))


def lead_of(queue: Queue) -> UUID | None:
    """The lead, or the account's owner while there is none who still works cases."""
    if queue.lead_id is not None and any(membership.id == queue.lead_id for membership, _ in list_workers()):
        return queue.lead_id
    owner = account_owner()
    return owner.id if owner is not None else None


def directs(member: Membership, queue: Queue) -> bool:
    """May this member assign to others, merge, reopen and undo for others in the queue? Rights, or being its lead."""
    return member.may("cases.assign") or (member.may(WORKS_CASES) and queue.lead_id == member.id)


def seats(queue: Queue, now: datetime) -> list[Seat[UUID]]:
    """The members of a queue with what they have to do, as the turn sees them."""
    tz = ZoneInfo(queue.time_zone)
    midnight = instant(datetime.combine(now.astimezone(tz).date(), time()), tz, fold=0)
    ours = Case.state.in_((CaseState.NEW, CaseState.WORKING))
    load = _by_owner(select(Case.owner_id, func.count()).where(ours))
    today = _by_owner(select(Case.owner_id, func.count()).where(Case.assigned_at >= midnight))
    # Who waited longest is asked by this method only, and costs a look at every case.
    last = _by_owner(select(Case.owner_id, func.max(Case.assigned_at))) if queue.method == Method.LEAST_LOADED else {}
    return [
        Seat(
            key=membership.id,
            name=user.name,
            open_cases=load.get(membership.id, 0),
            new_today=today.get(membership.id, 0),
            last_assigned_at=last.get(membership.id),
            away_from=membership.away_from.astimezone(tz).date() if membership.away_from else None,
            away_until=membership.away_until.astimezone(tz).date() if membership.away_until else None,
            most_open=queue.most_open,
            most_new_a_day=queue.most_new_a_day,
        )
        for membership, user in members_of(queue)
    ]


def _by_owner(query: Any) -> dict[UUID, Any]:
    """owner → the second column of a select of cases by owner."""
    return {row[0]: row[1] for row in db.session.execute(query.where(Case.owner_id.is_not(None)).group_by(Case.owner_id))}


def last_owner(contact_id: UUID, now: datetime, within: timedelta = timedelta(days=180)) -> UUID | None:
    """Who had this customer's last case, if that ended or began within half a year."""
    last = db.session.execute(
        select(Case.owner_id, Case.opened_at, Case.closed_at)
        .where(Case.contact_id == contact_id, Case.owner_id.is_not(None))
        .order_by(Case.opened_at.desc())
        .limit(1)
    ).first()
    return last.owner_id if last is not None and now - (last.closed_at or last.opened_at) <= within else None


def promise_before_score() -> str:
    """What a survey page may say before it knows the score: "within one working day" or "within 4 working hours"."""
    queues = list_queues()
    if not queues:
        return words.promise(480, 480)
    default = next((queue for queue in queues if queue.is_default), queues[0])
    return words.promise(max(queue.targets.promise for queue in queues), hours_of(default).longest_day)


def list_saved_replies(queue_id: UUID | None = None) -> Sequence[SavedReply]:
    """Those of the account and, with a queue, of that queue, by name."""
    query = select(SavedReply).order_by(SavedReply.name)
    if queue_id is not None:
        query = query.where(SavedReply.queue_id.is_(None) | (SavedReply.queue_id == queue_id))
    return db.session.scalars(query).all()


def get_saved_reply(reply_id: UUID) -> SavedReply:
    found = db.session.scalar(select(SavedReply).where(SavedReply.id == reply_id))
    if found is None:
        raise NotFound
    return found
