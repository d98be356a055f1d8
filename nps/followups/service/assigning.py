"""Who has a case: the turn of the queue, and what members decide."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from nps.accounts import rules as rights
from nps.accounts.events import MemberRemoved, RoleChanged
from nps.accounts.models import Membership
from nps.core import clock as product_clock
from nps.core import tenancy
from nps.core.errors import Invalid, Refused
from nps.core.events import publish
from nps.followups import queries
from nps.followups.events import CaseAssigned
from nps.followups.models import Case, CaseEvent, Queue
from nps.followups.rules import turns
from nps.followups.rules.hours import Hours
from nps.followups.service import clocks, ground, history, telling


def next_owner(queue_id: UUID, contact_id: UUID | None, now: datetime) -> UUID | None:
    """Whose turn it is. The queue's row is locked and its pointer moved: two cases at once get two people."""
    queue = queries.get_queue(queue_id, lock=True)
    before = queries.last_owner(contact_id, now) if queue.keeps_person and contact_id is not None else None
    today = now.astimezone(queries.hours_of(queue).tz).date()
    chosen = turns.choose(turns.Method(queue.method), queries.seats(queue, now), queue.last_member_id, today, before)
    if chosen is not None and chosen != before:
        queue.last_member_id = chosen
    return chosen


def put(case: Case, queue: Queue, hours: Hours, owner_id: UUID | None, now: datetime, *, actor_id: UUID | None, by: str = "") -> CaseEvent:
    """Write down the new owner and tell them. `by` names the rule or reason when no member did it. No clock notices."""
    event = history.change(
        case,
        "assigned",
        now=now,
        actor_id=actor_id,
        facts={"by": by} if by else {},
        to={"owner_id": owner_id, "assigned_at": now if owner_id else None},
    )
    publish(CaseAssigned(tenancy.current(), case.id, owner_id, now))
    if owner_id is not None and owner_id != actor_id:
        telling.tell(case, hours, [owner_id], "A customer is yours to answer", key=f"assigned:{event.number}", now=now)
    elif owner_id is None and actor_id is None and queue.method != turns.Method.NOBODY:
        telling.tell(case, hours, [queries.lead_of(queue)], "Nobody was free for this customer", key=f"nobody:{event.number}", now=now)
    ground.settle(case, queue, hours, now)
    return event


def assign(case_id: UUID, owner_id: UUID | None, actor: Membership) -> CaseEvent | None:
    """Give a case to a member, or to nobody; None when they have it already.

    Taking a case that is nobody's and giving one's own away is for whoever works cases; anything else is for those who
    direct the queue. Raises Refused, Invalid, MoveRefused.
    """
    now = product_clock.now()
    case, queue, hours = ground.take(case_id)
    own = case.owner_id == actor.id or (case.owner_id is None and owner_id == actor.id)
    if not own and not queries.directs(actor, queue):
        raise Refused("Only an owner, an admin or the lead of this queue gives away a case that is not their own. Nothing was changed.")
    ground.must_be_open(case)
    if owner_id is not None and all(member.id != owner_id for member, _ in queries.list_workers()):
        raise Invalid("Choose somebody who works cases.", fields={"owner": "Choose somebody who works cases."})
    if owner_id == case.owner_id:
        return None
    return put(case, queue, hours, owner_id, now, actor_id=actor.id)


def assign_many(case_ids: Sequence[UUID], owner_id: UUID | None, actor: Membership) -> int:
    """The same for several; how many changed hands."""
    return sum(1 for case_id in case_ids if assign(case_id, owner_id, actor) is not None)


def move(case_id: UUID, queue_id: UUID, actor: Membership) -> CaseEvent | None:
    """Give a case to another queue: its start stays, due is the earlier of the old and the new. Raises Refused, MoveRefused, NotFound."""
    now = product_clock.now()
    case, queue, _ = ground.take(case_id)
    ground.must_direct(actor, queue, "moves cases to another queue")
    ground.must_be_open(case)
    if queue_id == case.queue_id:
        return None
    event = _to_queue(case, queries.get_queue(queue_id), now, actor_id=actor.id)
    to = queries.get_queue(queue_id)
    put(case, to, queries.hours_of(to), next_owner(queue_id, None, now), now, actor_id=None, by=f"the queue “{to.name}”")
    return event


def _to_queue(case: Case, queue: Queue, now: datetime, *, actor_id: UUID | None) -> CaseEvent:
    hours = queries.hours_of(queue)
    columns = clocks.recomputed(case, hours)
    if case.due_at is not None and columns.get("due_at", case.due_at) > case.due_at:
        columns = {}
    if case.resolve_from_at is not None:
        columns |= clocks.resolve_runs(case, hours, case.resolve_from_at, queue.target_resolve)
    event = history.change(case, "moved", now=now, actor_id=actor_id, facts={"queue": queue.name}, to={"queue_id": queue.id, **columns})
    ground.settle(case, queue, hours, now)
    return event


def reassign_all(member_id: UUID) -> int:
    """A member left or lost the role: each of their open cases goes to the next in its queue, an event each. How many."""
    now = product_clock.now()
    cases = queries.list_open_of(member_id)
    for case in cases:
        taken, queue, hours = ground.take(case.id)
        put(taken, queue, hours, next_owner(queue.id, None, now), now, actor_id=None, by="a change in the team")
    return len(cases)


def member_removed(event: MemberRemoved) -> None:
    """Their open cases go on without them."""
    reassign_all(event.membership_id)


def role_changed(event: RoleChanged) -> None:
    """Somebody who no longer works cases keeps none."""
    if not rights.may(event.new_role, queries.WORKS_CASES):
        reassign_all(event.membership_id)
