"""What falls due by itself: steps of the escalation, the end of a snooze, a customer who stays silent."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from nps.core import clock as product_clock
from nps.core import tenancy
from nps.core.db import db
from nps.core.events import publish
from nps.followups import queries
from nps.followups.events import CaseEscalated, CaseOverdue
from nps.followups.models import Case, Queue
from nps.followups.rules import escalation
from nps.followups.rules.escalation import Step, Tell
from nps.followups.rules.hours import Hours
from nps.followups.rules.states import CaseState, Move
from nps.followups.service import clocks, ground, history, telling
from nps.jobs import outbox


def watch(most: int = 5_000) -> int:
    """Ask for a look at every case, of all accounts, whose time has come. One job a case, however often this runs."""
    now = product_clock.now()
    with tenancy.unscoped("the clock looks at every account's cases"):
        due = db.session.execute(select(Case.account_id, Case.id).where(Case.look_at <= now).order_by(Case.look_at).limit(most)).all()
    for account_id, case_id in due:
        with tenancy.account_scope(account_id):
            outbox.enqueue("followups.look", {"case_id": str(case_id)}, key=str(case_id))
    return len(due)


def look(case_id: UUID) -> None:
    """Do what has fallen due on one case. Harmless when nothing has, or when it was done before."""
    now = product_clock.now()
    case, queue, hours = ground.take(case_id)
    if case.snoozed_until is not None and case.snoozed_until <= now:
        history.change(case, "snooze_ended", now=now, to={"snoozed_until": None})
    if case.is_open and case.state == CaseState.WAITING and case.wait_until is not None and case.wait_until <= now:
        _silence(case, hours, now)
    if case.is_open and case.clock_started_at is not None and case.due_at is not None:
        _escalate(case, queue, hours, now)
    ground.settle(case, queue, hours, now)


def _silence(case: Case, hours: Hours, now: datetime) -> None:
    """Row 9: ask the owner whether to close, again every five open days; never close."""
    ground.after(case, Move.SILENCE)
    event = history.change(case, "silence", now=now, to={"wait_until": clocks.silence_ends(hours, now)})
    lines = ["Close the case, or write once more."]
    telling.tell(case, hours, [case.owner_id], "The customer has not answered", key=f"silence:{event.number}", now=now, lines=lines)


def _escalate(case: Case, queue: Queue, hours: Hours, now: datetime) -> None:
    """Tell about the latest step reached that was not told: steps missed while the system was down fire once, the latest only."""
    started_at, due_at = case.clock_started_at, case.due_at
    if started_at is None or due_at is None:
        return
    reached = escalation.reached(hours, started_at, due_at, now, queue.escalation)
    step = escalation.to_fire(reached, [case.told_percent], owned=case.owner_id is not None)
    if step is None:
        return
    was = case.told_percent
    facts = {"percent": step.percent, "clock": case.reply_clock}
    event = history.change(case, "escalated", now=now, facts=facts, to={"told_percent": step.percent})
    told = telling.tell(case, hours, _people(step, case, queue), _said(step), key=f"step:{event.number}", now=now)
    publish(CaseEscalated(tenancy.current(), case.id, step.percent, tuple(told), now))
    if was < 100 <= step.percent:
        publish(CaseOverdue(tenancy.current(), case.id, case.owner_id, due_at, now))


def _said(step: Step) -> str:
    if step.unowned:
        return "Nobody has this customer yet"
    if step.percent < 100:
        return f"{step.percent}% of the time for a reply is used"
    return "The reply is overdue" if step.percent == 100 else f"The reply is overdue, {step.percent}% of its time is used"


def _people(step: Step, case: Case, queue: Queue) -> list[UUID | None]:
    people: list[UUID | None] = []
    for who in step.tell:
        if who is Tell.MEMBERS:
            people.extend(membership.id for membership, _ in queries.members_of(queue))
        elif who is Tell.OWNER:
            people.append(case.owner_id)
        elif who is Tell.LEAD:
            people.append(queries.lead_of(queue))
        else:
            owner = queries.account_owner()
            people.append(owner.id if owner is not None else None)
    return people
