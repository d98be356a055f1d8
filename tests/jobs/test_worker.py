"""A real worker process takes jobs from the table, runs them, and leaves when asked."""

import time
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from nps.core import clock, tenancy
from nps.core.db import db
from nps.jobs import outbox
from nps.jobs.models import Job, WorkerBeat
from tests import services
from tests.installation import installation

TASK = "accounts.tidy"


def until(condition: Any, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        db.session.rollback()
        time.sleep(0.05)


def test_jobs_are_done_also_that_of_a_killed_worker_a_beat_is_seen_and_sigterm_ends_it(engine_name: str) -> None:
    with installation(engine_name, job_lease_seconds=2) as made, made.app.app_context(), tenancy.unscoped("the test looks at all jobs"):
        for _ in range(20):
            outbox.enqueue(TASK, {})
        db.session.flush()
        held = db.session.scalars(select(Job)).first()
        assert held is not None
        held.state, held.token, held.lease_until, held.attempts = "running", held.id, clock.now() - timedelta(seconds=1), 1
        outbox.enqueue(TASK, {}, run_at=clock.now() + timedelta(days=1))
        db.session.commit()
        process = made.work()
        until(lambda: len(db.session.scalars(select(Job.id).where(Job.state == "done")).all()) >= 20)
        until(lambda: db.session.scalars(select(WorkerBeat)).first() is not None)
        assert db.session.scalars(select(Job.state).where(Job.run_at > clock.now())).all() == ["due"]
        process.terminate()
        assert process.wait(30) == 0


def test_redis_carries_the_work_by_one_setting(engine_name: str) -> None:
    with services.redis() as url:
        if url is None:
            pytest.skip(services.REDIS_MISSING)
        with installation(engine_name, broker_url=url) as made, made.app.app_context(), tenancy.unscoped("the test looks at all jobs"):
            for _ in range(20):
                outbox.enqueue(TASK, {})
            db.session.commit()
            made.work()
            until(lambda: len(db.session.scalars(select(Job.id).where(Job.state == "done")).all()) >= 20)
