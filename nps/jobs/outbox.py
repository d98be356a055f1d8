"""How work is asked for: a row in the caller's transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from nps.core import clock, ids, tenancy
from nps.core.db import db
from nps.core.prepared import PutOnce
from nps.jobs.models import Job
from nps.jobs.registry import TASKS

_put = PutOnce(Job.__table__, ["task", "key"], where="key IS NOT NULL AND state = 'due'")


def enqueue(
    task: str, arguments: Mapping[str, Any], *, key: str | None = None, run_at: datetime | None = None, queue: str | None = None
) -> None:
    """Insert a job for `task` in the current transaction, for the account in scope (or none).

    With a `key` a second waiting job of the same task and key is not made. Raises KeyError for an unknown task.
    """
    known = TASKS[task]
    now = clock.now()
    row = {
        "id": ids.new_id(),
        "account_id": tenancy.current_or_none(),
        "task": task,
        "arguments": dict(arguments),
        "queue": queue or known.queue,
        "state": "due",
        "key": key,
        "run_at": run_at or now,
        "attempts": 0,
        "created_at": now,
    }
    _put(**row)


def waiting(task: str, key: str) -> bool:
    """Is a job of this task and key still to be started?"""
    found = select(Job.id).where(Job.task == task, Job.key == key, Job.state == "due")
    return db.session.execute(found).first() is not None
