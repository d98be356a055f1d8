"""kill -9 of real worker processes in the middle of a wave: nothing lost, nothing twice, the rest shown as unknown.

Goes with invariant 2 of the sender: a mail accepted twice by the server, sent without a mail, mail without a message: none.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from nps.accounts.models import Account
from nps.core import clock, ids, tenancy
from nps.core import db as database
from nps.core.db import db
from nps.delivery import service as delivery
from nps.delivery.compose import Wording, mark
from nps.delivery.models import Message
from nps.delivery.rules import MessageState as S
from nps.delivery.service.queueing import Draft
from nps.jobs.models import Job
from tests.doubles.smtp_sink import read_rows
from tests.installation import ROOT, Installation, installation

MAILS = 500
KILLS = 3
WINDOW = 20
LEASE = 3


def until(condition: Callable[[], Any], seconds: float, what: str, step: float = 0.05) -> Any:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if found := condition():
            return found
        time.sleep(step)
    raise AssertionError(f"not within {seconds} s: {what}")


class Sink:
    """The mail server double as a process of its own, so that it outlives every worker."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.file = folder / "sink.jsonl"
        command = [sys.executable, "-m", "tests.doubles.smtp_sink", "--rows", str(self.file), *options]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def rows(self) -> list[dict[str, Any]]:
        return read_rows(self.file)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        if self.process.stdout is not None:
            self.process.stdout.close()


@pytest.fixture
def slow_sink(tmp_path: Path) -> Iterator[Sink]:
    sink = Sink(tmp_path, "--slow", "0.03")
    yield sink
    sink.stop()


@pytest.fixture
def here(engine_name: str, slow_sink: Sink) -> Iterator[Installation]:
    given: dict[str, Any] = {"job_lease_seconds": LEASE, "mail_pace_installation": 0, "mail_pace_account": 0, "mail_pace_provider": 0}
    given |= {"mail_url": f"smtp://127.0.0.1:{slow_sink.port}", "worker_poll_seconds": 0.05}
    with installation(engine_name, **given) as made, made.app.app_context():
        yield made
        db.session.remove()
        tenancy.leave()
        db.engine.dispose()


def open_wave(count: int) -> Account:
    """A running company with a wave of mails that take the server a while each."""
    database.begin_writing()
    account = Account(slug="larkfield", name="Larkfield", state="active", created_at=clock.now())
    db.session.add(account)
    db.session.flush()
    with tenancy.account_scope(account.id):
        hello = "Hi " + mark("name")
        template = delivery.add_template(Wording(hello, hello, f"<p>{hello}</p>", "Ines", "larkfield@mail.wordback.example"))
        wave = [Draft(f"k{n}", f"p{n}+slow@x.example", None, "invitation", ids.new_id(), {"name": f"P{n}"}) for n in range(count)]
        delivery.queue_many(wave, kind="survey", priority=3, template=template, batch_id=delivery.open_batch())
    database.commit()
    database.end_writing()
    return account


def states(account: Account) -> dict[str, int]:
    with tenancy.account_scope(account.id):
        counts = dict(db.session.execute(select(Message.state, func.count()).group_by(Message.state)).all())
    db.session.rollback()
    return counts


def check(account: Account, sink: Sink, kills: int) -> None:
    with tenancy.account_scope(account.id):
        by_state = {state: set(db.session.scalars(select(Message.id).where(Message.state == state))) for state in (S.SENT, S.UNKNOWN)}
    db.session.rollback()
    taken = [row["message"] for row in sink.rows()]
    sent, unknown = ({str(one) for one in by_state[state]} for state in (S.SENT, S.UNKNOWN))
    assert len(taken) == len(set(taken)), "a mail was accepted twice"
    assert sent <= set(taken), "sent, but the server never saw it"
    assert set(taken) <= sent | unknown, "the server has a mail of which nobody knows"
    assert len(unknown) <= kills * WINDOW


@pytest.mark.slow
def test_a_worker_killed_again_and_again_loses_and_doubles_no_mail(here: Installation, slow_sink: Sink) -> None:
    account = open_wave(MAILS)
    chance = random.Random(7)
    resumed = 0.0
    for _ in range(KILLS):
        before = len(slow_sink.rows())
        worker = here.work()
        began = time.monotonic()
        until(lambda before=before: len(slow_sink.rows()) > before, 60, "the worker goes on sending")
        resumed = max(resumed, time.monotonic() - began)
        time.sleep(chance.uniform(0.1, 0.7))
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
    assert 0 < len(slow_sink.rows()) < MAILS, "the kills came in the middle"
    here.work()
    until(lambda: set(states(account)) <= {S.SENT, S.UNKNOWN}, 90, "every message is final", 0.25)
    assert sum(states(account).values()) == MAILS
    check(account, slow_sink, KILLS)
    assert resumed < 30


@pytest.mark.slow
def test_a_worker_asked_to_stop_finishes_or_gives_back_what_it_holds(here: Installation, slow_sink: Sink) -> None:
    account = open_wave(MAILS)
    worker = here.work()
    until(lambda: len(slow_sink.rows()) > 30, 60, "the worker sends")
    worker.terminate()
    began = time.monotonic()
    worker.wait(30)
    assert time.monotonic() - began < 30
    counts = states(account)
    assert set(counts) <= {S.SENT, S.QUEUED}, counts
    assert counts[S.QUEUED] > 0
    assert counts[S.SENT] == len(slow_sink.rows())
    with tenancy.unscoped("tests look"):
        assert db.session.scalars(select(Job).where(Job.task == "delivery.send", Job.state.in_(("due", "running")))).first() is not None
    db.session.rollback()
