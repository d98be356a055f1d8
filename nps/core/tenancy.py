"""The walls between accounts.

First wall: this module. Every ORM statement is filtered by the account in scope, including relationship loads and
aliases; without a scope it raises. Second wall: composite keys and foreign keys. Third wall, on PostgreSQL: forced
row-level security on what `row_security_ddl` writes. Only the doors and the job executor enter scopes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, ForeignKeyConstraint, MetaData, event, text
from sqlalchemy.orm import Mapped, ORMExecuteState, Session, UOWTransaction, declared_attr, mapped_column, with_loader_criteria
from sqlalchemy.orm.session import SessionTransaction

from nps.core import ids

NOBODY = UUID(int=0)
_scope: ContextVar[UUID | None] = ContextVar("account_scope", default=None)
_unscoped: ContextVar[str | None] = ContextVar("unscoped_reason", default=None)


class NoAccountInScope(Exception):
    """A statement touched tenant-owned rows while no account was in scope."""


class ForeignRow(Exception):
    """A row of another account was about to be written."""


class AccountOwned:
    """Mixin of every tenant-owned table: primary key `(account_id, id)`, id a UUIDv7."""

    @declared_attr
    def account_id(cls) -> Mapped[UUID]:
        return mapped_column(primary_key=True, sort_order=-2)

    @declared_attr
    def id(cls) -> Mapped[UUID]:
        return mapped_column(primary_key=True, default=ids.new_id, sort_order=-1)


def owned_fk(column: str, table: str, ondelete: str | None = None) -> ForeignKeyConstraint:
    """The composite foreign key `(account_id, column)` → `table(account_id, id)`."""
    return ForeignKeyConstraint(["account_id", column], [f"{table}.account_id", f"{table}.id"], ondelete=ondelete)


def account_fk() -> ForeignKeyConstraint:
    """Owned rows belong to an existing account."""
    return ForeignKeyConstraint(["account_id"], ["account.id"])


def current() -> UUID:
    """The account in scope. Raises `NoAccountInScope`."""
    scope = _scope.get()
    if scope is None:
        raise NoAccountInScope("no account is in scope here")
    return scope


def current_or_none() -> UUID | None:
    return _scope.get()


@contextmanager
def account_scope(account_id: UUID) -> Iterator[None]:
    """Everything inside sees and writes this account's rows only."""
    token, reason = _scope.set(account_id), _unscoped.set(None)
    try:
        _tell_database()
        yield
    finally:
        _scope.reset(token)
        _unscoped.reset(reason)
        _tell_database()


@contextmanager
def unscoped(why: str) -> Iterator[None]:
    """Everything inside sees all accounts. `why` is for the reader."""
    token = _unscoped.set(why)
    try:
        _tell_database()
        yield
    finally:
        _unscoped.reset(token)
        _tell_database()


def enter(account_id: UUID) -> None:
    """Enter a scope for the rest of the request; the door's teardown calls `leave`."""
    _scope.set(account_id)
    _tell_database()


def leave() -> None:
    """Forget the scope: the end of a request or a job."""
    _scope.set(None)
    _unscoped.set(None)


class _Database:
    session: Any = None


def _tell_database() -> None:
    """Repeat the scope to a PostgreSQL transaction that is already open; one that has failed takes no more statements."""
    session = _Database.session
    if session is not None and session.registry.has():
        live: Session = session()
        if live.in_transaction() and live.get_bind().dialect.name == "postgresql" and not _has_failed(live):
            _set_scope(live.connection())


def _has_failed(live: Session) -> bool:
    driver: Any = live.connection().connection.dbapi_connection
    status: str = driver.info.transaction_status.name
    return status in ("INERROR", "UNKNOWN")


def _set_scope(connection: Connection) -> None:
    scope, free = _scope.get(), _unscoped.get()
    connection.execute(
        text("SELECT set_config('app.account_id', :account, true), set_config('app.unscoped', :free, true)"),
        {"account": str(scope) if scope else "", "free": "on" if free else ""},
    )


def guard(session: Any) -> None:
    """Put the first wall (and on PostgreSQL the third wall's variable) around a scoped session."""
    _Database.session = session
    factory = session.session_factory
    event.listen(factory, "do_orm_execute", _filter)
    event.listen(factory, "before_flush", _stamp)
    event.listen(factory, "after_begin", _after_begin)


def _after_begin(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        _set_scope(connection)


@lru_cache(maxsize=1000)
def _inside(scope: UUID) -> Any:
    """What keeps a statement inside one account. Made once an account and process: making it costs as much as a small statement.

    Rows do not carry it on to what is loaded for them later: those statements pass `_filter` too, and a row that is read again and
    again would gather one more each time, each time a statement that was never compiled before.
    """
    return with_loader_criteria(AccountOwned, lambda cls: cls.account_id == scope, include_aliases=True, propagate_to_loaders=False)


def _filter(state: ORMExecuteState) -> None:
    if _unscoped.get():
        return
    scope = _scope.get()
    if scope is None:
        owned = [m.class_.__name__ for m in state.all_mappers if issubclass(m.class_, AccountOwned)]
        if owned:
            raise NoAccountInScope(f"{', '.join(owned)} read or written with no account in scope")
        scope = NOBODY
    if state.is_select or state.is_update or state.is_delete:
        state.statement = state.statement.options(_inside(scope))


def _stamp(session: Session, context: UOWTransaction, instances: Any) -> None:
    scope, free = _scope.get(), _unscoped.get()
    for row in session.new:
        if isinstance(row, AccountOwned) and row.account_id is None:
            row.account_id = current()
    if free:
        return
    for row in (*session.new, *session.dirty, *session.deleted):
        if isinstance(row, AccountOwned) and row.account_id != scope:
            raise ForeignRow(f"{type(row).__name__} of another account")


def owned_tables(metadata: MetaData) -> list[str]:
    """Names of all tables with an `account_id` in their primary key, in creation order."""
    return [t.name for t in metadata.sorted_tables if "account_id" in t.primary_key.columns]


def open_walls(connection: Connection, metadata: MetaData) -> list[str]:
    """Owned tables of a PostgreSQL database whose third wall does not stand: row security off, or not forced on their owner."""
    standing = "relrowsecurity AND relforcerowsecurity AND relnamespace = current_schema()::regnamespace"
    walled = set(connection.execute(text(f"SELECT relname FROM pg_class WHERE {standing}")).scalars())
    return [table for table in owned_tables(metadata) if table not in walled]


def sees_through_walls(connection: Connection) -> bool:
    """Does row security not bind the role of this PostgreSQL connection?"""
    role = text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
    return bool(connection.execute(role).scalar_one())


def row_security_ddl(table: str) -> list[str]:
    """The third wall for one table: what a migration executes on PostgreSQL."""
    rule = "account_id = nullif(current_setting('app.account_id', true), '')::uuid OR current_setting('app.unscoped', true) = 'on'"
    return [
        f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
        f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY',
        f'CREATE POLICY account_wall ON "{table}" USING ({rule}) WITH CHECK ({rule})',
    ]
