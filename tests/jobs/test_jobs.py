"""A job is a row: together with its transaction or not at all, once, and again after a crash."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from nps.core import clock, tenancy
from nps.core.db import db, unit
from nps.jobs import executor, inbox, outbox, schedule
from nps.jobs.models import InboxEvent, Job
from nps.jobs.registry import TASKS, task


@pytest.fixture
def seen() -> Iterator[list[Any]]:
    calls: list[Any] = []

    def note(word: str) -> None:
        calls.append((word, tenancy.current_or_none()))
        if word == "fail":
            raise ValueError("no")
        if word == "later":
            raise executor.Later(30)

    task("test.note", tries=2)(note)
    yield calls
    del TASKS["test.note"]


def test_runs_in_the_scope_of_the_account_that_asked(account: Any, seen: list[Any], run_jobs: Callable[[], int]) -> None:
    outbox.enqueue("test.note", {"word": "hello"})
    assert run_jobs() == 1
    assert seen == [("hello", account.id)]
    assert run_jobs() == 0


def test_a_rolled_back_transaction_leaves_no_job(account: Any, seen: list[Any], run_jobs: Callable[[], int]) -> None:
    outbox.enqueue("test.note", {"word": "ghost"})
    db.session.rollback()
    assert run_jobs() == 0


def test_an_equal_key_waits_once(account: Any, seen: list[Any], run_jobs: Callable[[], int]) -> None:
    for _ in range(3):
        outbox.enqueue("test.note", {"word": "once"}, key="same")
    assert run_jobs() == 1


def test_a_failing_job_is_tried_again_then_set_aside(account: Any, seen: list[Any], run_jobs: Callable[[], int], clock: Any) -> None:
    outbox.enqueue("test.note", {"word": "fail"})
    run_jobs()
    job = db.session.scalars(select(Job)).one()
    assert (job.state, job.attempts) == ("due", 1)
    clock.move(minutes=5)
    run_jobs()
    db.session.refresh(job)
    assert job.state == "dead"
    assert "ValueError" in (job.error or "")


def test_a_job_that_is_not_ready_comes_again_without_a_strike(
    account: Any, seen: list[Any], run_jobs: Callable[[], int], clock: Any
) -> None:
    outbox.enqueue("test.note", {"word": "later"})
    for _ in range(4):
        assert run_jobs() == 1
        clock.move(seconds=31)
    assert db.session.scalars(select(Job)).one().state == "due"


def test_a_stale_delivery_does_nothing_and_a_dead_workers_job_comes_back(account: Any, seen: list[Any], clock: Any) -> None:
    outbox.enqueue("test.note", {"word": "twice?"})
    db.session.commit()
    with unit():
        ((job_id, first, _),) = executor.claim(5, timedelta(seconds=60))
    clock.move(seconds=61)
    with unit():
        assert executor.take_back(clock.now()) == 1
    with unit():
        ((_, second, _),) = executor.claim(5, timedelta(seconds=60))
    executor.run(job_id, first)
    assert seen == []
    executor.run(job_id, second)
    executor.run(job_id, second)
    assert len(seen) == 1


def test_the_schedule_inserts_each_task_once_per_period(app: Any, seen: list[Any], clock: Any) -> None:
    schedule.use([("test.note", timedelta(minutes=5))])
    try:
        with unit():
            assert schedule.tick() == 0
        clock.move(minutes=6)
        with unit():
            assert schedule.tick() == 1
        with unit():
            assert schedule.tick() == 0
    finally:
        schedule.use([])


def test_an_outside_event_is_stored_once(app: Any) -> None:
    assert inbox.receive("stripe:x", "evt_1", "{}") is not None
    assert inbox.receive("stripe:x", "evt_1", "{}") is None
    assert inbox.receive("stripe:y", "evt_1", "{}") is not None
    assert len(db.session.scalars(select(InboxEvent)).all()) == 2
    assert clock.now().tzinfo is not None
