"""The database: one declarative base, one session, one place that commits.

A request or a job is one unit of work: its edge commits, any exception rolls back. Services may flush.
On SQLite a unit that will write begins with BEGIN IMMEDIATE, so that it waits for its turn instead of failing
half-way; units that only read use a plain BEGIN and never wait.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON, Connection, DateTime, Dialect, Engine, MetaData, event, func, make_url, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.orm import DeclarativeBase, registry
from sqlalchemy.types import TypeDecorator

from nps.core import sql, tenancy
from nps.core.settings import Settings

_writing: ContextVar[bool] = ContextVar("writing", default=False)


class UTCDateTime(TypeDecorator[datetime]):
    """An instant: aware in, aware UTC out, on databases that forget time zones too."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant without a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


JSONValue = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


class Base(DeclarativeBase):
    """All tables. Plain declarative: Flask-SQLAlchemy only lends its session and engines."""

    registry = registry(
        metadata=MetaData(
            naming_convention={
                "ix": "ix_%(table_name)s_%(column_0_N_name)s",
                "uq": "uq_%(table_name)s_%(column_0_N_name)s",
                "ck": "ck_%(table_name)s_%(constraint_name)s",
                "fk": "fk_%(table_name)s_%(column_0_N_name)s",
                "pk": "pk_%(table_name)s",
            }
        ),
        type_annotation_map={datetime: UTCDateTime, dict[str, Any]: JSONValue, list[Any]: JSONValue, list[str]: JSONValue},
    )


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})


# Functions of one text that SQLite lacks, by name; a feature that needs one puts it here when it is imported.
sqlite_functions: dict[str, Callable[[str | None], str | None]] = {}


def engine_options(settings: Settings) -> dict[str, Any]:
    """What the engine is made with: time-outs, pool and driver switches of each database."""
    if settings.is_sqlite:
        return {
            "connect_args": {"timeout": 10, "check_same_thread": False},
            "pool_size": 20,
            "max_overflow": 20,
            "hide_parameters": True,  # errors are logged, and values are people's addresses and words
        }
    connect: dict[str, Any] = {"options": f"-c statement_timeout={settings.statement_seconds}s -c timezone=UTC", "tcp_user_timeout": 5000}
    if settings.database_pooler:
        connect["prepare_threshold"] = None
    pool = {"pool_pre_ping": True, "pool_recycle": 300, "pool_size": 10, "max_overflow": 20}
    return {"connect_args": connect, **pool, "hide_parameters": True}


def sqlite_file(settings: Settings) -> Path | None:
    """The file of a SQLite database, as seen from the working directory. None on PostgreSQL and in memory."""
    name = make_url(settings.database_url).database or ""
    return Path(name) if settings.is_sqlite and name and not name.startswith((":", "file:")) else None


def make_folder(settings: Settings) -> None:
    """The folder of a SQLite file that is named relative to the working directory, such as the default. Folders that are named
    in full are the operator's: a missing one may be a disk that is not there."""
    file = sqlite_file(settings)
    if file is not None and not file.is_absolute():
        file.parent.mkdir(parents=True, exist_ok=True)


def prepare(engine: Engine) -> None:
    """Make the driver obey: our own BEGIN, WAL and foreign keys on SQLite."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, record: Any) -> None:
        connection.isolation_level = None
        for name, function in sqlite_functions.items():
            connection.create_function(name, 1, function, deterministic=True)
        sql.functions(connection)
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA busy_timeout=10000")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if _writing.get() else "BEGIN")


def install() -> None:
    """Put the tenancy guard around the session. Called once at import of the application factory."""
    tenancy.guard(db.session)


def connection() -> Connection:
    """The connection of the unit that runs, as `db.session.connection()` gives it, at a tenth of the cost."""
    session = db.session()
    transaction, known = session.get_transaction(), session.info.get("connection")
    if known is not None and known[0] is transaction and transaction.is_active and not session.in_nested_transaction():
        return known[1]  # type: ignore[no-any-return]
    made = session.connection()
    session.info["connection"] = (session.get_transaction(), made)
    return made


def begin_writing() -> None:
    """Say before the first statement that this unit will write. Unsafe requests and jobs do so by themselves."""
    _writing.set(True)


def turn_to_writing() -> None:
    """Finish what was only read so far; the rest of this unit writes. For reading that is written down at its end:
    SQLite lets nobody write in a transaction that began by reading once somebody else has written."""
    db.session.commit()
    begin_writing()


def end_writing() -> None:
    _writing.set(False)


def read_snapshot() -> None:
    """Let all statements of this unit from here on see one state of the database. SQLite's transactions do so anyway;
    on PostgreSQL what was read before is finished first."""
    if db.session.get_bind().dialect.name == "postgresql":
        db.session.commit()
        db.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


@contextmanager
def unit(write: bool = True) -> Iterator[None]:
    """One short unit of work that commits at its end, for tasks that talk to the outside and for the command line."""
    token = _writing.set(write)
    try:
        yield
        db.session.commit()
    except BaseException:
        db.session.rollback()
        raise
    finally:
        _writing.reset(token)


def serialise(name: str) -> None:
    """Let units that name the same thing go one after the other, each seeing what the one before committed.

    Ask before the first read it protects. Writing units of SQLite do so anyway; on PostgreSQL it is an advisory lock
    that ends with the transaction.
    """
    if db.session.get_bind().dialect.name == "postgresql":
        key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
        db.session.execute(select(func.pg_advisory_xact_lock(key)))


def commit() -> None:
    """Finish the current unit. For the edges only: request, job, command."""
    db.session.commit()


def rollback() -> None:
    db.session.rollback()


def is_away(error: BaseException | None) -> bool:
    """Does this error mean that the database does not answer now: locked, full, restarted, all connections in use?

    A statement that is wrong is none of that, although SQLite reports it with the same exception.
    """
    if isinstance(error, NoConnection):
        return True
    if not isinstance(error, (OperationalError, InterfaceError)):
        return False
    code: int | None = getattr(error.orig, "sqlite_errorcode", None)
    return code is None or code & 0xFF != sqlite3.SQLITE_ERROR
