"""Tables of the job floor. They belong to the installation, not to one account."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from nps.core import ids
from nps.core.db import Base


class Job(Base):
    """Work to be done: `due` → `running` (lease) → row state `done`, back to `due` (retry) or `dead`."""

    __tablename__ = "job"
    __table_args__ = (
        Index("ix_job_due", "queue", "run_at", sqlite_where=text("state = 'due'"), postgresql_where=text("state = 'due'")),
        Index("ix_job_lease", "lease_until", sqlite_where=text("state = 'running'"), postgresql_where=text("state = 'running'")),
        Index(
            "uq_job_key_open",
            "task",
            "key",
            unique=True,
            sqlite_where=text("key IS NOT NULL AND state = 'due'"),
            postgresql_where=text("key IS NOT NULL AND state = 'due'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=ids.new_id)
    account_id: Mapped[UUID | None]
    task: Mapped[str] = mapped_column(String(80))
    arguments: Mapped[dict[str, Any]]
    queue: Mapped[str] = mapped_column(String(10), default="default")
    state: Mapped[str] = mapped_column(String(10), default="due")
    key: Mapped[str | None] = mapped_column(String(200))
    run_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    token: Mapped[UUID | None]
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class ScheduleRun(Base):
    """When a scheduled task runs next; the row is claimed by moving the time."""

    __tablename__ = "schedule_run"

    task: Mapped[str] = mapped_column(String(80), primary_key=True)
    next_run_at: Mapped[datetime]
    last_run_at: Mapped[datetime | None]


class InboxEvent(Base):
    """Something a provider told us, stored once before anything is done with it."""

    __tablename__ = "inbox_event"
    __table_args__ = (UniqueConstraint("source", "external_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=ids.new_id)
    source: Mapped[str] = mapped_column(String(120))
    external_id: Mapped[str] = mapped_column(String(255))
    account_id: Mapped[UUID | None]
    kind: Mapped[str] = mapped_column(String(120), default="")
    body: Mapped[str]
    state: Mapped[str] = mapped_column(String(12), default="received")
    reason: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None]
    received_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class WorkerBeat(Base):
    """A living worker says so every few seconds; `nps doctor` reads it."""

    __tablename__ = "worker_beat"

    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    beat_at: Mapped[datetime]
