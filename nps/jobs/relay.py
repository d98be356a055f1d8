"""The worker: a relay thread claims due rows and hands their ids to Celery, whose threads run them."""

import os
import socket
import threading
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import celery
from celery import signals
from sqlalchemy import delete

from nps.core import clock, tenancy
from nps.core import db as database
from nps.core.db import db
from nps.core.log import log
from nps.core.settings import Settings
from nps.jobs import executor, schedule
from nps.jobs.models import Job, WorkerBeat
from nps.jobs.registry import TASKS

if TYPE_CHECKING:
    from flask import Flask

KEEP_DONE = timedelta(days=2)


class Worker:
    """Relay, lease keeper and Celery executor in one process. `start` blocks until stopped."""

    def __init__(self, app: "Flask", settings: Settings) -> None:
        self.app = app
        self.settings = settings
        self.lease = timedelta(seconds=settings.job_lease_seconds)
        self.stopping = threading.Event()
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self._running: dict[UUID, UUID] = {}
        self._lock = threading.Lock()
        broker = "memory://localhost//" if settings.broker_url == "memory://" else settings.broker_url
        self.celery = celery.Celery("wordback", broker=broker, set_as_current=False)
        self.celery.conf.update(
            task_ignore_result=True,
            task_acks_late=False,
            task_serializer="json",
            accept_content=["json"],
            worker_redirect_stdouts=False,
            worker_hijack_root_logger=False,
            worker_send_task_events=False,
            broker_connection_retry_on_startup=True,
            worker_prefetch_multiplier=2,
            task_default_queue="wordback",
            broker_transport_options={"polling_interval": 0.02} if settings.broker_url.startswith("memory") else {},
        )

        def run_job(job_id: str, token: str) -> None:
            self._execute(job_id, token)

        self._run = self.celery.task(name="nps.run_job")(run_job)

    def _execute(self, job_id: str, token: str) -> None:
        job, held = UUID(job_id), UUID(token)
        try:
            with self.app.app_context():
                executor.run(job, held)
        finally:
            with self._lock:
                self._running.pop(job, None)

    def start(self) -> None:
        """Run until SIGTERM or SIGINT; what is not begun goes back to the queue when its lease ends."""
        executor.STOPPING.clear()
        signals.worker_shutting_down.connect(_stop_long_tasks)
        relay = threading.Thread(target=self._relay, name="relay", daemon=True)
        keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)
        relay.start()
        keeper.start()
        worker = self.celery.Worker(
            hostname=f"wordback@{self.name}",
            pool="threads",
            concurrency=self.settings.worker_threads,
            loglevel="WARNING",
            without_heartbeat=True,
            without_gossip=True,
            without_mingle=True,
            quiet=True,
        )
        try:
            worker.start()
        finally:
            self.stopping.set()
            relay.join(10)
            keeper.join(10)
            self._give_back()

    def _room(self) -> int:
        with self._lock:
            return self.settings.worker_threads * 2 - len(self._running)

    def _relay(self) -> None:
        with self.app.app_context():
            while not self.stopping.is_set():
                taken = self._claim()
                for job_id, token, _queue in taken:
                    with self._lock:
                        self._running[job_id] = token
                    self._run.delay(str(job_id), str(token))
                if not taken:
                    self.stopping.wait(self.settings.worker_poll_seconds)

    def _claim(self) -> list[tuple[UUID, UUID, str]]:
        room = self._room()
        if room <= 0:
            self.stopping.wait(0.02)
            return []
        try:
            with tenancy.unscoped("the relay serves all accounts"), database.unit():
                return executor.claim(min(room, 16), self.lease)
        except Exception as error:  # the database may be away; the queue waits for it
            log.warning("relay waits", error=type(error).__name__)
            self.stopping.wait(2)
            return []
        finally:
            db.session.remove()

    def _keep(self) -> None:
        """Every few seconds: a beat, leases renewed, dead workers' jobs taken back, the schedule looked at."""
        with self.app.app_context():
            while not self.stopping.is_set():
                try:
                    with tenancy.unscoped("the keeper serves all accounts"), database.unit():
                        self._look_after()
                except Exception as error:
                    log.warning("keeper waits", error=type(error).__name__)
                finally:
                    db.session.remove()
                self.stopping.wait(min(5.0, self.lease.total_seconds() / 4))

    def _look_after(self) -> None:
        now = clock.now()
        db.session.merge(WorkerBeat(name=self.name, beat_at=now))
        with self._lock:
            held = dict(self._running)
        for job_id, token in held.items():
            db.session.execute(
                Job.__table__.update().where(Job.id == job_id, Job.token == token).values(lease_until=now + self.lease)  # type: ignore[attr-defined]
            )
        executor.take_back(now)
        schedule.tick()
        db.session.execute(delete(Job).where(Job.state == "done", Job.finished_at < now - KEEP_DONE))
        db.session.execute(delete(WorkerBeat).where(WorkerBeat.beat_at < now - KEEP_DONE))

    def _give_back(self) -> None:
        """Jobs handed over but not finished become due again at once."""
        with self._lock:
            held = dict(self._running)
        if not held:
            return
        with self.app.app_context(), tenancy.unscoped("a stopping worker returns its claims"), database.unit():
            now = clock.now()
            for job_id, token in held.items():
                job = db.session.get(Job, job_id)
                if job is not None and job.token == token and job.task in TASKS:
                    job.lease_until = now


def _stop_long_tasks(**_: object) -> None:
    """Celery tells of SIGTERM here, before it waits for the tasks that run."""
    executor.STOPPING.set()


def make_worker(app: "Flask") -> Worker:
    """The worker of this installation."""
    settings: Settings = app.extensions["settings"]
    return Worker(app, settings)
