"""Reads of jobs and workers, for whoever looks after the installation."""

from datetime import datetime

from sqlalchemy import func, select

from nps.core.db import db
from nps.jobs.models import Job, WorkerBeat


def newest_beat() -> datetime | None:
    """When a worker last said that it lives."""
    return db.session.scalar(select(func.max(WorkerBeat.beat_at)))


def oldest_due(now: datetime) -> datetime | None:
    """Since when the job that waits longest should be running."""
    return db.session.scalar(select(func.min(Job.run_at)).where(Job.state == "due", Job.run_at <= now))


def count_dead() -> int:
    return db.session.scalar(select(func.count()).where(Job.state == "dead")) or 0


def find_newest_dead() -> Job | None:
    """The job that was given up last."""
    return db.session.scalars(select(Job).where(Job.state == "dead").order_by(Job.finished_at.desc(), Job.id.desc()).limit(1)).first()
