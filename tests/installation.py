"""An installation as it ships, for journeys, faults and benchmarks: real database, real processes on free loopback ports."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import create_engine, text

from nps.app import create_app
from nps.core import db as database
from nps.core import tenancy
from nps.core.settings import load
from tests import services

ROOT = Path(__file__).parent.parent


@dataclass
class Installation:
    """`environment` is what its processes get; `app` is an application on the same database for preparing data."""

    folder: Path
    environment: dict[str, str]
    app: Flask
    engine: str
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def serve(self, target: str = "wsgi:app", port: int | None = None) -> int:
        """Start gunicorn as it ships for this target; returns its port once it answers."""
        port = port or free_port()
        self._start(["-m", "gunicorn", "--config", "deploy/gunicorn.conf.py", "--bind", f"127.0.0.1:{port}", target])
        wait_for(port)
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=120)) as asked:
            asked.request("GET", "/healthz")  # gunicorn takes connections before its worker has loaded the application
            asked.getresponse().read()
        return port

    def work(self) -> "subprocess.Popen[bytes]":
        """Start a worker."""
        return self._start(["-m", "nps.cli", "worker"])

    def _start(self, arguments: list[str]) -> "subprocess.Popen[bytes]":
        log = (self.folder / f"{len(self.processes)}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        self.processes.append(process)
        return process

    def stop(self) -> None:
        """End what was started here, by its id."""
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(port: int, seconds: float = 30) -> None:
    """Until somebody answers on this port. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError(f"nobody listens on {port}")


@contextlib.contextmanager
def empty_database(engine: str, folder: Path) -> Iterator[str]:
    """The address of a database without tables: a file in `folder`, or one of its own on a PostgreSQL server, as the plain role."""
    if engine == "sqlite":
        yield f"sqlite:///{folder / 'empty.sqlite3'}"
        return
    with services.postgres() as admin:
        name = f"installation_{os.getpid()}_{free_port()}"
        server = create_engine(admin, isolation_level="AUTOCOMMIT")
        with server.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} OWNER {services.APP_ROLE}"))
        try:
            yield services.app_url(admin, name)
        finally:
            with server.connect() as connection:
                connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
            server.dispose()


@contextlib.contextmanager
def installation(engine: str = "sqlite", **settings: Any) -> Iterator[Installation]:
    """A migrated, empty installation on SQLite or PostgreSQL; everything it started ends with it."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wordback-")))
        url = stack.enter_context(empty_database(engine, folder))
        environment = {
            "BASE_URL": "http://localhost",
            "DATABASE_URL": url,
            "SECRET_KEYS": "a key of this installation that is long enough",
            "FILES_DIR": str(folder / "files"),
            "MAIL_URL": "mailbox://",
            "LOG_FORMAT": "json",
            "GUNICORN_LOG": "error",
            "PYTHONWARNINGS": "ignore",
            **{name.upper(): str(value) for name, value in settings.items()},
        }
        app = create_app(
            load(
                _env_file=None,
                **{name.lower(): value for name, value in environment.items() if not name.startswith(("GUNICORN", "PYTHON"))},
            )
        )
        with app.app_context(), tenancy.unscoped("an empty installation is made"):
            database.begin_writing()
            upgrade()
            database.end_writing()
        made = Installation(folder, environment, app, engine)
        try:
            yield made
        finally:
            made.stop()
