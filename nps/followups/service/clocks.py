"""Starting, stopping and moving the clocks of a case. Each function gives the columns to set."""

from datetime import datetime, timedelta
from typing import Any

from nps.followups.models import Case, Queue
from nps.followups.rules import clock, escalation
from nps.followups.rules.hours import Hours
from nps.followups.rules.states import CaseState

FIRST, NEXT = "first_reply", "next_reply"
DAYS_OF_SILENCE = 5


def start(hours: Hours, which: str, at: datetime, minutes: int) -> dict[str, Any]:
    """A reply clock that starts at `at`. The first one fixes when the first reply is due."""
    due_at = clock.due(hours, at, timedelta(minutes=minutes))
    columns = {
        "reply_clock": which,
        "clock_started_at": at,
        "target_from_at": at,
        "target_minutes": minutes,
        "due_at": due_at,
        "told_percent": 0,
    }
    return columns | {"first_due_at": due_at} if which == FIRST else columns


def stop(case: Case, hours: Hours, at: datetime) -> dict[str, Any]:
    """No reply clock runs; a first reply is written down with its open minutes."""
    columns: dict[str, Any] = {
        "reply_clock": None,
        "clock_started_at": None,
        "target_from_at": None,
        "target_minutes": None,
        "due_at": None,
        "told_percent": 0,
    }
    if case.first_contact_at is None:
        columns["first_contact_at"] = at
        if case.first_due_at is not None:
            columns["first_reply_minutes"] = clock.minutes(hours, case.started_at, at)
    return columns


def drop() -> dict[str, Any]:
    """No reply clock runs, and nobody was reached."""
    return {
        "reply_clock": None,
        "clock_started_at": None,
        "target_from_at": None,
        "target_minutes": None,
        "due_at": None,
        "told_percent": 0,
    }


def tightened(case: Case, hours: Hours, from_at: datetime, minutes: int) -> dict[str, Any]:
    """The running clock with a second target: due is the earlier of both."""
    due_at = clock.due(hours, from_at, timedelta(minutes=minutes))
    if case.due_at is None or due_at >= case.due_at:
        return {}
    return _moved(case, due_at) | {"target_from_at": from_at, "target_minutes": minutes}


def recomputed(case: Case, hours: Hours, minutes: int | None = None) -> dict[str, Any]:
    """The running clock by other hours or another target, never later than the customer was told."""
    if case.due_at is None or case.target_from_at is None or case.target_minutes is None:
        return {}
    target = case.target_minutes if minutes is None else minutes
    due_at = clock.due(hours, case.target_from_at, timedelta(minutes=target))
    if case.reply_clock == FIRST and case.promised_at is not None:
        due_at = min(due_at, case.promised_at)
    changed = {} if target == case.target_minutes else {"target_minutes": target}
    return changed if due_at == case.due_at else changed | _moved(case, due_at)


def _moved(case: Case, due_at: datetime) -> dict[str, Any]:
    """Steps that were told stay told: a clock that moves does not tell twice."""
    return {"due_at": due_at, "first_due_at": due_at} if case.reply_clock == FIRST else {"due_at": due_at}


def resolve_runs(case: Case, hours: Hours, at: datetime, target: int) -> dict[str, Any]:
    """The resolve clock goes on from `at` with what it has used."""
    left = timedelta(minutes=target) - timedelta(seconds=case.resolve_used_seconds or 0)
    return {"resolve_from_at": at, "resolve_due_at": clock.due(hours, at, max(left, timedelta(0)))}


def resolve_stops(case: Case, hours: Hours, at: datetime) -> dict[str, Any]:
    """The resolve clock stands still: waiting, closed or merged."""
    if case.resolve_from_at is None:
        return {}
    used = int(clock.elapsed(hours, case.resolve_from_at, at).total_seconds())
    return {"resolve_from_at": None, "resolve_used_seconds": case.resolve_used_seconds + max(used, 0), "resolve_due_at": None}


def silence_ends(hours: Hours, at: datetime) -> datetime:
    """When five open days without a word from the customer are over."""
    return clock.due(hours, at, timedelta(minutes=DAYS_OF_SILENCE * hours.longest_day))


def look_at(case: Case, queue: Queue, hours: Hours, now: datetime) -> datetime | None:
    """The next moment at which something about this case falls due by itself."""
    if not case.is_open:
        return None
    moments = [case.snoozed_until]
    if case.state == CaseState.WAITING:
        moments.append(case.wait_until)
    if case.clock_started_at is not None and case.due_at is not None:
        at = escalation.next_at(hours, case.clock_started_at, case.due_at, now, queue.escalation)
        untold = escalation.reached(hours, case.clock_started_at, case.due_at, now, queue.escalation)
        step = escalation.to_fire(untold, [case.told_percent], owned=case.owner_id is not None)
        moments.append(now if step else at)
    return min((moment for moment in moments if moment is not None), default=None)
