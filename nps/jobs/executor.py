"""Runs one claimed job: scope, unit of work, outcome. Celery calls it with ids; tests call `drain`."""

import threading
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from nps.core import clock, ids, tenancy
from nps.core import db as database
from nps.core.db import db
from nps.core.log import log, trace
from nps.jobs.models import Job
from nps.jobs.registry import TASKS

STOPPING = threading.Event()
"""Set when this process was asked to stop: a long task finishes or gives back what it holds, and returns."""

RETRY_AFTER = (5, 30, 120, 600, 1800)


class Later(Exception):
    """A task that is not ready asks to be run again after `seconds`, without counting as a failure."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds} s")
        self.seconds = seconds


def claim(limit: int, lease: timedelta, queues: tuple[str, ...] = ("urgent", "default", "bulk")) -> list[tuple[UUID, UUID, str]]:
    """Take up to `limit` due jobs: (id, token, queue), urgent ones first. Call inside a writing unit."""
    now = clock.now()
    rank = {"urgent": 0, "default": 1, "bulk": 2}
    due = select(Job.id, Job.queue).where(Job.state == "due", Job.run_at <= now, Job.queue.in_(queues)).order_by(Job.run_at).limit(limit)
    if db.session.get_bind().dialect.name == "postgresql":
        due = due.with_for_update(skip_locked=True)
    found = sorted(db.session.execute(due).all(), key=lambda row: rank.get(row.queue, 1))
    taken = []
    for job_id, queue in found:
        token = ids.new_id()
        done = db.session.execute(
            update(Job)
            .where(Job.id == job_id, Job.state == "due")
            .values(state="running", token=token, lease_until=now + lease, attempts=Job.attempts + 1)
        )
        if done.rowcount:  # type: ignore[attr-defined]
            taken.append((job_id, token, queue))
    return taken


def take_back(now: datetime) -> int:
    """Give jobs whose worker died (lease over) back to the queue. A job that keeps killing its worker is set aside."""
    overdue = db.session.scalars(select(Job).where(Job.state == "running", Job.lease_until < now)).all()
    for job in overdue:
        known = TASKS.get(job.task)
        if known is not None and job.attempts < known.tries:
            _back_to_due(job, now)
        else:
            job.state, job.error, job.finished_at = "dead", (job.error or "the worker died while running it"), now
        job.token = job.lease_until = None
    return len(overdue)


def _back_to_due(job: Job, run_at: datetime) -> None:
    """Due again; if an equal job with the same key is already waiting, that one does the work."""
    if job.key is not None:
        twin = select(Job.id).where(Job.task == job.task, Job.key == job.key, Job.state == "due", Job.id != job.id)
        if db.session.execute(twin).first() is not None:
            job.state, job.finished_at = "done", clock.now()
            return
    job.state, job.run_at = "due", run_at


def run(job_id: UUID, token: UUID) -> None:
    """Run the job if this delivery still holds it; record the outcome. Never raises for the task's own errors."""
    tenancy.leave()
    with database.unit(write=False):
        job = db.session.get(Job, job_id)
        held = job is not None and job.state == "running" and job.token == token
    if job is None or not held:
        return
    known = TASKS.get(job.task)
    try:
        if known is None:
            raise LookupError(f"no task is named {job.task}")
        if known.network:
            _in_scope(job.account_id, known.run, job.arguments)
            _finish(job_id, token)
        else:
            with database.unit():
                _in_scope(job.account_id, known.run, job.arguments)
                _mark_done(job_id, token)
    except Later as later:
        _again(job_id, token, later.seconds)
    except Exception as error:
        log.error("job failed", task=job.task, job=str(job_id), error=type(error).__name__, trace=trace(6))
        _failed(job_id, token, f"{type(error).__name__}: {error}"[:500])
    finally:
        db.session.remove()
        tenancy.leave()


def _in_scope(account_id: UUID | None, function: Any, arguments: dict[str, Any]) -> None:
    if account_id is None:
        function(**arguments)
    else:
        with tenancy.account_scope(account_id):
            function(**arguments)
            db.session.flush()  # what the task changed belongs to this account; the commit comes after its scope


class Overtaken(Exception):
    """Another worker holds the job now; this unit must not commit."""


def _mark_done(job_id: UUID, token: UUID) -> None:
    done = db.session.execute(
        update(Job).where(Job.id == job_id, Job.token == token).values(state="done", finished_at=clock.now(), token=None, lease_until=None)
    )
    if not done.rowcount:  # type: ignore[attr-defined]
        raise Overtaken


def _finish(job_id: UUID, token: UUID) -> None:
    with database.unit():
        _mark_done(job_id, token)


def _again(job_id: UUID, token: UUID, seconds: float) -> None:
    db.session.rollback()
    with database.unit():
        job = db.session.get(Job, job_id)
        if job is not None and job.token == token:
            _back_to_due(job, clock.now() + timedelta(seconds=seconds))
            job.attempts -= 1
            job.token = job.lease_until = None


def _failed(job_id: UUID, token: UUID, error: str) -> None:
    db.session.rollback()
    with database.unit():
        job = db.session.get(Job, job_id)
        if job is None or job.token != token:
            return
        known = TASKS.get(job.task)
        job.error, job.token, job.lease_until = error, None, None
        if known is not None and job.attempts < known.tries:
            _back_to_due(job, clock.now() + timedelta(seconds=RETRY_AFTER[min(job.attempts, len(RETRY_AFTER)) - 1]))
        else:
            job.state, job.finished_at = "dead", clock.now()


def renew(job_id: UUID, token: UUID, lease: timedelta) -> None:
    """Keep a long job's lease alive."""
    with database.unit():
        db.session.execute(update(Job).where(Job.id == job_id, Job.token == token).values(lease_until=clock.now() + lease))


def drain(most: int = 1000) -> int:
    """Run everything that is due, in this thread, until nothing is. Returns how many ran. For tests and small commands."""
    ran = 0
    while ran < most:
        db.session.rollback()
        with database.unit():
            taken = claim(20, timedelta(seconds=60))
        if not taken:
            return ran
        for job_id, token, _queue in taken:
            run(job_id, token)
            ran += 1
    raise AssertionError(f"still busy after {most} jobs")
