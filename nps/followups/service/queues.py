"""Queues: their hours, people, targets and steps. Running clocks follow, never past what a customer was told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update

from nps.accounts import queries as accounts
from nps.accounts import service as audit_log
from nps.accounts.models import Account, Membership
from nps.core import clock as product_clock
from nps.core import tenancy
from nps.core.db import db
from nps.core.errors import Conflict, Invalid
from nps.followups import queries
from nps.followups.models import Case, Queue, QueueHoliday, QueueMember, SavedReply, default_steps, default_week, spans_stored, steps_stored
from nps.followups.rules import escalation, holidays, letters, targets, words
from nps.followups.rules.escalation import Step
from nps.followups.rules.holidays import Holiday
from nps.followups.rules.hours import HoursProblem, Span, checked
from nps.followups.rules.states import OPEN
from nps.followups.rules.targets import Targets
from nps.followups.rules.turns import Method
from nps.followups.service import clocks, ground, history

TARGETS = {
    "low": "The target for 0–3",
    "middle": "The target for 4–6",
    "wish": "The target for 7–10 who want a reply",
    "sent": "The target for 7–10 sent here by a rule",
    "no_score": "The target for mail without a score",
    "next_reply": "The target for the next reply",
    "resolve": "The target for solving it",
}


@dataclass(frozen=True, slots=True)
class QueueData:
    """What the settings page of a queue holds. Members: empty = all responders, else the owner."""

    name: str
    time_zone: str
    week: Sequence[Sequence[Span]]
    targets: Mapping[str, int | None]
    members: Sequence[UUID] = ()
    lead_id: UUID | None = None
    method: str = Method.ROUND_ROBIN
    keeps_person: bool = True
    most_open: int | None = 30
    most_new_a_day: int | None = 8
    hold_seconds: int | None = 20
    steps: Sequence[Step] = escalation.DEFAULT_STEPS
    holidays: Sequence[Holiday] = field(default_factory=tuple)


def default_queue() -> Queue:
    """The queue that takes what no rule sends elsewhere, made at its first use in the account's time zone."""
    found = queries.find_default()
    if found is not None:
        return found
    # One at a time: two first cases of an account make one queue.
    db.session.execute(select(Account.id).where(Account.id == tenancy.current()).with_for_update(key_share=True))
    found = queries.find_default()
    if found is None:
        found = plan_queue()
        found.is_default = True
        db.session.add(found)
        db.session.flush()
    return found


def plan_queue() -> Queue:
    """A queue as it would be made: every setting at its default, the account's time zone. Not stored."""
    account = accounts.get_account(tenancy.current())
    defaults = Targets()
    return Queue(
        name="Customer care",
        is_default=False,
        time_zone=account.time_zone,
        week=default_week(),
        method=Method.ROUND_ROBIN,
        keeps_person=True,
        most_open=30,
        most_new_a_day=8,
        hold_seconds=20,
        steps=default_steps(),
        created_at=product_clock.now(),
        **{f"target_{name}": getattr(defaults, name) for name in TARGETS},
    )


def save_queue(queue_id: UUID | None, data: QueueData, actor: Membership) -> Queue:
    """Make or change a queue. Everything is checked first: Raises Invalid naming each field, and keeps the old one.

    A change of hours, holidays, zone or targets moves running clocks, to no later than customers were told.
    """
    now = product_clock.now()
    _check(queue_id, data)
    if queue_id is None:
        queue = plan_queue()
        queue.is_default = queries.find_default() is None
        db.session.add(queue)
    else:
        queue = queries.get_queue(queue_id, lock=True)
    old = queue.targets if queue_id is not None else None
    queue.name, queue.time_zone = data.name.strip(), data.time_zone
    queue.week = [spans_stored(day) for day in data.week]
    queue.lead_id, queue.method, queue.keeps_person = data.lead_id, Method(data.method), data.keeps_person
    queue.most_open, queue.most_new_a_day = data.most_open or 30, data.most_new_a_day or 8
    queue.hold_seconds = data.hold_seconds or 0
    queue.steps = steps_stored(data.steps)
    for name, minutes in data.targets.items():
        setattr(queue, f"target_{name}", minutes)
    db.session.flush()
    _set_members(queue, data.members, now)
    _set_holidays(queue, data.holidays)
    audit_log.audit(f"member:{actor.id}", "queue.saved", kind="queue", object_id=queue.id, facts={"name": queue.name})
    if old is not None:
        recompute(queue, now, actor_id=actor.id)
    return queue


def _check(queue_id: UUID | None, data: QueueData) -> None:
    wrong: dict[str, str] = {}
    if not data.name.strip():
        wrong["name"] = "Give the queue a name."
    elif any(queue.name.casefold() == data.name.strip().casefold() and queue.id != queue_id for queue in queries.list_queues()):
        wrong["name"] = "Another queue has this name."
    try:
        checked(data.time_zone, data.week, {holiday.day: holiday.spans for holiday in data.holidays})
    except HoursProblem as problem:
        wrong |= {("time_zone" if name == "zone" else name): said for name, said in problem.fields.items()}
    for name, label in TARGETS.items():
        problem_with_target = targets.check(label, data.targets.get(name))
        if problem_with_target:
            wrong[f"target_{name}"] = problem_with_target
    steps = escalation.check_steps(data.steps)
    if steps:
        wrong["steps"] = steps
    if not 1 <= (data.most_open or 0) <= 500:
        wrong["most_open"] = "Between 1 and 500 open cases a member."
    if not 1 <= (data.most_new_a_day or 0) <= 200:
        wrong["most_new_a_day"] = "Between 1 and 200 new cases a member and day."
    if data.hold_seconds is None or not 0 <= data.hold_seconds <= 60:
        wrong["hold_seconds"] = "Between 0 and 60 seconds."
    if data.method not in set(Method):
        wrong["method"] = "Choose how cases are given out."
    workers = {membership.id for membership, _ in queries.list_workers()}
    if any(member not in workers for member in data.members):
        wrong["members"] = "Choose members whose role works cases."
    if data.lead_id is not None and (data.lead_id not in workers or (data.members and data.lead_id not in data.members)):
        wrong["lead"] = "The lead is one of the members."
    if wrong:
        raise Invalid("The queue was not saved. What you typed is kept.", fields=wrong)


def _set_members(queue: Queue, members: Sequence[UUID], now: datetime) -> None:
    known = set(queries.named_members(queue.id))
    for gone in known - set(members):
        db.session.execute(delete(QueueMember).where(QueueMember.queue_id == queue.id, QueueMember.membership_id == gone))
    for member_id in members:
        if member_id not in known:
            db.session.add(QueueMember(queue_id=queue.id, membership_id=member_id, created_at=now))
    db.session.flush()


def _set_holidays(queue: Queue, days: Sequence[Holiday]) -> None:
    known = {row.day: row for row in queries.list_holidays(queue.id)}
    wanted = {holiday.day: holiday for holiday in days}
    for day in known.keys() - wanted.keys():
        db.session.delete(known[day])
    for day, holiday in wanted.items():
        if day in known:
            known[day].name, known[day].spans = holiday.name, spans_stored(holiday.spans)
        else:
            db.session.add(QueueHoliday(queue_id=queue.id, day=day, name=holiday.name, spans=spans_stored(holiday.spans)))
    db.session.flush()


def holidays_as_text(queue_id: UUID) -> str:
    """The holidays of a queue as the lines they can be pasted from."""
    from_rows = [Holiday(row.day, row.name, tuple(Span(a, b) for a, b in row.spans)) for row in queries.list_holidays(queue_id)]
    return "\n".join(str(holiday) for holiday in from_rows)


def read_holidays(text: str) -> list[Holiday]:
    """Pasted lines or an .ics file. Raises Invalid that names each bad line; the good ones are given as its `fields["holidays_kept"]`."""
    found = holidays.read(text)
    if found.problems:
        said = " ".join(f"Line {number}: {what}" if number else what for number, what in found.problems[:10])
        raise Invalid(
            "Some holidays could not be read.", fields={"holidays": said, "holidays_kept": "\n".join(str(day) for day in found.holidays)}
        )
    return found.holidays


def recompute(queue: Queue, now: datetime, *, actor_id: UUID | None) -> int:
    """Move the running clocks of a queue to its hours and targets as they are: due = the earlier of new and promised. How many moved."""
    hours = queries.hours_of(queue)
    moved = 0
    for found in db.session.scalars(select(Case).where(Case.queue_id == queue.id, Case.state.in_(OPEN)).order_by(Case.id)):
        case = queries.get_case(found.id, lock=True)
        before = case.due_at
        minutes = _target_of(case, queue)
        to: dict[str, Any] = clocks.recomputed(case, hours, minutes)
        if case.resolve_from_at is not None:
            to |= {"resolve_due_at": clocks.resolve_runs(case, hours, case.resolve_from_at, queue.target_resolve)["resolve_due_at"]}
        if any(getattr(case, name) != value for name, value in to.items()):
            due_at = to.get("due_at", before)
            facts = {}
            if before is not None and due_at is not None and due_at != before:
                moved += 1
                facts = {"from": words.full(before, hours.tz), "to": words.full(due_at, hours.tz)}
            history.change(case, "due_moved" if facts else "recomputed", now=now, actor_id=actor_id, facts=facts, to=to)
        ground.settle(case, queue, hours, now)
    return moved


def _target_of(case: Case, queue: Queue) -> int | None:
    """The open minutes this running clock gets by the queue's table, or None to keep those a rule or another answer gave it."""
    if case.reply_clock == clocks.NEXT:
        return queue.target_next_reply
    if case.reply_clock != clocks.FIRST or case.target_from_at != case.started_at or case.kind == "appeal":
        return None
    return (
        case.target_minutes
        if _has_own_target(case)
        else targets.first_reply(queue.targets, case.score, case.wants_reply, wrote=case.kind == "mail")
    )


def _has_own_target(case: Case) -> bool:
    opened = queries.get_event(case.id, 1)
    return bool(opened.facts.get("own_target"))


def delete_queue(queue_id: UUID, to_id: UUID | None, actor: Membership) -> None:
    """Only a queue without open cases, or with another to move them to: due = the earlier of both. The default one stays.

    Raises Conflict.
    """
    now = product_clock.now()
    queue = queries.get_queue(queue_id, lock=True)
    if queue.is_default:
        raise Conflict("The default queue stays: it takes what no rule sends elsewhere. Make another one the default first.")
    cases = db.session.scalars(select(Case).where(Case.queue_id == queue_id)).all()
    if cases and to_id is None:
        raise Conflict(f"{len(cases)} cases are in this queue. Choose a queue to move them to; nothing was deleted.")
    if cases and to_id is not None:
        target = queries.get_queue(to_id)
        hours = queries.hours_of(target)
        for found in cases:
            case = queries.get_case(found.id, lock=True)
            to = clocks.recomputed(case, hours)
            if case.due_at is not None and to.get("due_at", case.due_at) > case.due_at:
                to = {}
            history.change(case, "moved", now=now, actor_id=actor.id, facts={"queue": target.name}, to={"queue_id": target.id, **to})
            ground.settle(case, target, hours, now)
        db.session.flush()
    db.session.execute(delete(QueueMember).where(QueueMember.queue_id == queue_id))
    db.session.execute(delete(QueueHoliday).where(QueueHoliday.queue_id == queue_id))
    db.session.execute(update(SavedReply).where(SavedReply.queue_id == queue_id).values(queue_id=to_id))
    db.session.delete(queue)
    audit_log.audit(f"member:{actor.id}", "queue.deleted", kind="queue", object_id=queue_id, facts={"name": queue.name})
    db.session.flush()


def save_reply(reply_id: UUID | None, *, name: str, body: str, queue_id: UUID | None, actor: Membership) -> SavedReply:
    """Make or change a saved reply. Unknown placeholders are refused. Raises Invalid, NotFound."""
    now = product_clock.now()
    wrong = letters.check_saved(name, body)
    if any(saved.name.casefold() == name.strip().casefold() and saved.id != reply_id for saved in queries.list_saved_replies()):
        wrong["name"] = "Another saved reply has this name."
    if wrong:
        raise Invalid("The saved reply was not stored. What you typed is kept.", fields=wrong)
    if queue_id is not None:
        queries.get_queue(queue_id)
    if reply_id is None:
        saved = SavedReply(name=name.strip(), body=body, queue_id=queue_id, created_by_id=actor.id, created_at=now, edited_at=now)
        db.session.add(saved)
    else:
        saved = queries.get_saved_reply(reply_id)
        saved.name, saved.body, saved.queue_id, saved.edited_at = name.strip(), body, queue_id, now
    db.session.flush()
    return saved


def delete_reply(reply_id: UUID) -> None:
    db.session.delete(queries.get_saved_reply(reply_id))
