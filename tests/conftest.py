"""Fixtures of the whole suite: an application on SQLite and, with `--db both`, on PostgreSQL; people; jobs; the clock."""

import contextvars
import gc
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import create_engine, text

from nps.accounts import service as accounts
from nps.accounts.models import Account, User
from nps.accounts.service import people
from nps.app import create_app
from nps.core import clock as product_clock
from nps.core import db as database
from nps.core import tenancy
from nps.core.db import Base, db
from nps.core.ports import Ports
from nps.core.settings import Settings, load
from nps.jobs import executor
from tests import kept, services
from tests.machine import Machine

KEYS = ("a test key that is long enough to sign with", "an older test key that is long enough too")
PASSWORD = "correct horse battery staple"
OUR_HASHER = people.HASHER


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--db", choices=("sqlite", "postgresql", "both"), default="sqlite", help="databases that data tests run on")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine_name" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--db")
        names = ["sqlite", "postgresql"] if chosen == "both" else [chosen]
        metafunc.parametrize("engine_name", names, scope="session")


def pytest_collection_finish() -> None:
    """What is loaded by now stays to the end: the collector need not look through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, whatever the shuffling says: then no process is left alone with them at the end."""
    items.sort(key=lambda item: not any(item.get_closest_marker(name) for name in ("browser", "slow")))


_real_connect = socket.socket.connect


def _loopback_only(self: socket.socket, address: Any) -> Any:
    if self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(("127.", "::1", "localhost")):
        raise AssertionError(f"a test tried to reach {address[0]}")
    return _real_connect(self, address)


@pytest.fixture(scope="session", autouse=True)
def _stay_at_home() -> Iterator[None]:
    """No socket leaves the machine."""
    socket.socket.connect = _loopback_only  # type: ignore[method-assign]
    yield
    socket.socket.connect = _real_connect  # type: ignore[method-assign]


@pytest.fixture(scope="session", autouse=True)
def _quick_hashes() -> Iterator[None]:
    """Hashing a password takes a tenth of a second on purpose, and more tests sign in than look at hashes."""
    people.HASHER = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
    yield
    people.HASHER = OUR_HASHER


def settings_for(url: str, folder: Path, **given: Any) -> Settings:
    """Settings of a test installation."""
    values: dict[str, Any] = {
        "_env_file": None,
        "base_url": "http://localhost",
        "database_url": url,
        "secret_keys": KEYS,
        "files_dir": folder,
        "testing": True,
        "signup": "open",
        "inbound_secret": "inbound secret of the tests",
        "log_format": "text",
        "worker_poll_seconds": 0.05,
    }
    return load(**{**values, **given})


@pytest.fixture(scope="session")
def template_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database with all tables, copied for each test."""
    folder = tmp_path_factory.mktemp("template")
    path = folder / "empty.sqlite3"
    app = create_app(settings_for(f"sqlite:///{path}", folder))
    with app.app_context(), tenancy.unscoped("tests make the tables"):
        build_schema()
        db.session.remove()
        db.engine.dispose()
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


@dataclass(frozen=True)
class PostgresDatabase:
    url: str
    sweep: Callable[[], None]


def build_schema() -> None:
    """All tables, triggers and, on PostgreSQL, the third wall."""
    Base.metadata.create_all(db.engine)
    if db.engine.dialect.name == "postgresql":
        with db.engine.begin() as connection:
            for table in tenancy.owned_tables(Base.metadata):
                for statement in tenancy.row_security_ddl(table):
                    connection.execute(text(statement))


@pytest.fixture(scope="session")
def postgres_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresDatabase]:
    """A database of this test process on a real server, with all tables, as the plain role."""
    with ExitStack() as stack:
        admin = stack.enter_context(services.postgres())
        name = f"wordback_{os.getpid()}"
        server = create_engine(admin, isolation_level="AUTOCOMMIT")
        with server.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} OWNER wordback_app"))
        server.dispose()
        url = services.app_url(admin, name)
        app = create_app(settings_for(url, tmp_path_factory.mktemp("pg")))
        with app.app_context(), tenancy.unscoped("tests make the tables"):
            build_schema()
            db.session.remove()
            db.engine.dispose()
        yield PostgresDatabase(url, stack.enter_context(services.sweeper(admin, name)))


@pytest.fixture
def db_url(engine_name: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of an empty database with all tables. Tests of this process have it one after the other."""
    if engine_name == "sqlite":
        template: Path = request.getfixturevalue("template_sqlite")
        target = template.with_name("test.sqlite3")
        for file in (target, target.with_name(f"{target.name}-wal"), target.with_name(f"{target.name}-shm")):
            file.unlink(missing_ok=True)
        shutil.copyfile(template, target)
        yield f"sqlite:///{target}"
        return
    database: PostgresDatabase = request.getfixturevalue("postgres_database")
    yield database.url
    database.sweep()


@pytest.fixture
def ports() -> Ports:
    return Ports()


@pytest.fixture
def settings(db_url: str, tmp_path: Path) -> Settings:
    return settings_for(db_url, tmp_path)


@pytest.fixture(scope="session")
def kept_app() -> Callable[[Settings, Ports], Flask]:
    """kept_app(settings, ports) gives an application like new."""
    return kept.keep()


@pytest.fixture
def app(kept_app: Callable[[Settings, Ports], Flask], settings: Settings, ports: Ports) -> Iterator[Flask]:
    """The application, with an application context and no account in scope."""
    with in_use(kept_app(settings, ports)) as application:
        yield application


@contextmanager
def in_use(application: Flask) -> Iterator[Flask]:
    """A test's time with an application."""
    with application.app_context():
        database.begin_writing()
        yield application
        db.session.remove()
        tenancy.leave()
        database.end_writing()
        product_clock.reset()
        pool: Any = db.engine.pool
        if db.engine.dialect.name == "sqlite" or pool.checkedout():  # the next file is another one; what a thread still holds is left to it
            db.engine.dispose()


@cache
def password_hash() -> str:
    """Hashed once a process."""
    return people.hash_password(PASSWORD)


def person(email: str, name: str) -> User:
    """A user who signs in with PASSWORD."""
    user = accounts.create_user(email, name)
    user.password_hash = password_hash()
    return user


@pytest.fixture
def owner(app: Flask) -> User:
    """Ines, who owns Larkfield."""
    return person("ines@larkfield.example", "Ines Marchetti")


@pytest.fixture
def account(app: Flask, owner: User) -> Iterator[Account]:
    """Larkfield, active, in scope and committed."""
    made = accounts.create_account(
        "Larkfield",
        owner,
        slug="larkfield",
        state="active",
        postal_address="Larkfield Inc., 48 Quay Street, Portland, ME 04101, USA",
        sender_name="Ines Marchetti",
        sender_role="Customer lead",
        sender_email="ines@larkfield.example",
        reply_to="ines@larkfield.example",
        time_zone="America/New_York",
        whom="another business owner",
    )
    with tenancy.account_scope(made.id):
        db.session.commit()
        yield made


@pytest.fixture
def rival(app: Flask) -> Account:
    """Another company with look-alike people."""
    user = person("rita@rival.example", "Rita Rival")
    made = accounts.create_account("Rival", user, slug="rival", state="active", postal_address="1 Other Street")
    db.session.commit()
    return made


class Browser(FlaskClient):
    """A browser of its own: each request runs in an empty context, as in a server, and sees what the test has written so far."""

    def open(self, *given: Any, **rest: Any) -> Any:
        if db.session.registry.has():
            db.session.commit()
        try:
            return contextvars.Context().run(super().open, *given, **rest)
        finally:
            db.session.rollback()
            db.session.expire_all()

    @contextmanager
    def session_transaction(self, *given: Any, **rest: Any) -> Iterator[Any]:
        """The cookie's content, opened in an empty context: Flask tears a request down for it, and the test's session outlives that."""
        apart, manager = contextvars.Context(), super().session_transaction(*given, **rest)
        yield apart.run(manager.__enter__)
        apart.run(manager.__exit__, None, None, None)

    def form(self, path: str, data: dict[str, Any] | None = None, **rest: Any) -> Any:
        """POST a form of ours with the cross-site token the page would carry."""
        secret = "a cross-site secret of the tests"
        with self.session_transaction() as kept:
            kept["csrf_token"] = secret
        signed = URLSafeTimedSerializer(self.application.config["SECRET_KEY"], salt="wtf-csrf-token").dumps(secret)
        return self.post(path, data={**(data or {}), "csrf_token": signed}, **rest)


@pytest.fixture
def client(app: Flask) -> Browser:
    """A visitor's browser. Requests run with their own application context and session."""
    app.test_client_class = Browser
    made: Any = app.test_client()
    return made  # type: ignore[no-any-return]


@pytest.fixture
def sign_in(app: Flask) -> Callable[..., Browser]:
    """sign_in(user) gives a browser in which that user is signed in."""

    def make(user: User) -> Browser:
        app.test_client_class = Browser
        browser: Any = app.test_client()
        with tenancy.unscoped("tests sign people in"):
            session = accounts.start_session(user, "tests", "127.0.0.1")
            db.session.commit()
        with browser.session_transaction() as cookie:
            cookie["_user_id"] = session.get_id()
            cookie["_fresh"] = True
            cookie["seen"] = product_clock.now().timestamp()
        return browser  # type: ignore[no-any-return]

    return make


@pytest.fixture
def signed_in(sign_in: Callable[..., Browser], account: Account, owner: User) -> Browser:
    """Ines's browser, signed in to Larkfield."""
    return sign_in(owner)


@pytest.fixture
def make_machine(client: Browser) -> Callable[..., Machine]:
    """make_machine(account, "contacts:write") gives a program with a key of that account and these rights, made by nobody or `by`."""

    def make(account: Account, *scopes: str, by: User | None = None) -> Machine:
        with tenancy.account_scope(account.id):
            _, secret = accounts.create_api_key("tests", list(scopes), by.id if by else None)
            db.session.commit()
        return Machine(client, secret)

    return make


@pytest.fixture
def run_jobs(app: Flask) -> Callable[[], int]:
    """Drain the queue the way a worker would: in an own context, with no account in scope."""

    def run() -> int:
        scope = tenancy.current_or_none()
        db.session.commit()
        tenancy.leave()
        try:
            with app.app_context():
                return executor.drain()
        finally:
            if scope is not None:
                tenancy.enter(scope)
            db.session.expire_all()
            database.begin_writing()

    return run


class Clock:
    """The product's clock, moved by hand."""

    def now(self) -> datetime:
        return product_clock.now()

    def move(self, **by: float) -> None:
        product_clock.move(timedelta(**by))

    def at(self, moment: datetime) -> None:
        product_clock.move(moment - product_clock.now())


@pytest.fixture
def clock() -> Iterator[Clock]:
    yield Clock()
    product_clock.reset()


os.environ.pop("DATABASE_URL", None)
