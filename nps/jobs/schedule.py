"""The clock starts work: rows with the next time, moved by whoever gets there first."""

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import select, update

from nps.core import clock
from nps.core.db import db
from nps.jobs import outbox
from nps.jobs.models import ScheduleRun

SCHEDULE: list[tuple[str, timedelta]] = []


def use(table: Iterable[tuple[str, timedelta]]) -> None:
    """Install the wiring's SCHEDULE: (task, every)."""
    SCHEDULE[:] = list(table)


def tick() -> int:
    """Insert a job for each scheduled task that is due. Call inside a writing unit."""
    now = clock.now()
    known = {row.task: row for row in db.session.scalars(select(ScheduleRun))}
    started = 0
    for task, every in SCHEDULE:
        row = known.get(task)
        if row is None:
            db.session.add(ScheduleRun(task=task, next_run_at=now + every))
            continue
        if row.next_run_at > now:
            continue
        moved = db.session.execute(
            update(ScheduleRun)
            .where(ScheduleRun.task == task, ScheduleRun.next_run_at == row.next_run_at)
            .values(next_run_at=now + every, last_run_at=now)
            .execution_options(synchronize_session=False)
        )
        if moved.rowcount:  # type: ignore[attr-defined]
            outbox.enqueue(task, {}, key=f"schedule:{task}")
            started += 1
    return started
