"""Statements of the hot paths: built and compiled once, run many times, always for the account in scope.

Building a SQLAlchemy statement costs ten times what running it does, the session guard builds one more, and even a compiled one
spends most of its time around the driver. A survey link cannot pay that on every request. So what is prepared here goes to the
driver itself, on the connection and in the transaction of the session, with the types of its columns. It passes the guard by and
must prove at import that it keeps inside one account: every owned table in it is bound to `ACCOUNT`, which is filled from the
scope at each run.
"""

from collections import namedtuple
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Dialect, Insert, Table, bindparam, insert, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import class_mapper, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, BooleanClauseList, ColumnClause

from nps.core import db as database
from nps.core import tenancy
from nps.core.db import Base, db

T = TypeVar("T", bound=Base)

ACCOUNT: BindParameter[Any] = bindparam("in_account")
"""Compare the `account_id` of every owned table with this, or with that of a table that is compared."""


class Unbound(ValueError):
    """A prepared statement could reach rows of another account."""


class Rows(list[Any]):
    """What a statement gave, read at once; a row is a tuple with the names of its columns."""

    def first(self) -> Any:
        return self[0] if self else None

    def scalar(self) -> Any:
        return self[0][0] if self else None

    def scalar_one(self) -> Any:
        ((value,),) = self
        return value


class _Statement:
    """A statement with its text in the words of each database it ran on."""

    def __init__(self, statement: Any) -> None:
        self.statement = statement
        self.compiled: dict[Dialect, _Compiled] = {}

    def run(self, values: dict[str, Any]) -> Rows:
        connection = database.connection()
        ready = self.compiled.get(connection.dialect)
        if ready is None:
            ready = self.compiled[connection.dialect] = _Compiled(self.statement, connection.dialect, values)
        return ready.run(connection, values)


class Prepared(_Statement):
    """`Prepared(select(...).where(T.c.account_id == ACCOUNT, T.c.id == bindparam("wanted")))(wanted=...)`.

    Raises Unbound where it is made when an owned table is not bound, `NoAccountInScope` where it is run without a scope.
    Takes the same names of values at every run. Changes that wait in the session are not flushed first.
    """

    def __init__(self, statement: Any) -> None:
        loose = unbound(statement)
        if loose:
            raise Unbound(f"{', '.join(loose)} is not bound to the account")
        super().__init__(statement)
        self.inserts = isinstance(statement, Insert)

    def __call__(self, **values: Any) -> Rows:
        # The values of an INSERT go by the names of its columns; elsewhere such a name would be a value to SET.
        values["account_id" if self.inserts else ACCOUNT.key] = tenancy.current()
        return self.run(values)


class PutOnce:
    """An INSERT into a table of the installation that leaves a row with the same `keys` as it is; gives True when the row is new.

    `where` is that of the unique index, in plain SQL.
    """

    def __init__(self, table: Any, keys: Sequence[str], where: str | None = None) -> None:
        if owned(table):
            raise Unbound(f"{table.name} belongs to accounts")
        # literal, as in the index: with a parameter PostgreSQL no longer knows the index once the statement is prepared
        place: dict[str, Any] = {"index_elements": keys} | ({"index_where": text(where)} if where else {})
        self.ways = {
            name: _Statement(make(table).on_conflict_do_nothing(**place).returning(table.c[keys[0]]))
            for name, make in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
        }

    def __call__(self, **values: Any) -> bool:
        return bool(self.ways[database.connection().dialect.name].run(values))


class _Compiled:
    """A statement in the words of one database: its text, how values go in, how rows come out. `values`: those of its first run."""

    def __init__(self, statement: Any, dialect: Dialect, values: dict[str, Any]) -> None:
        made = statement.compile(dialect=dialect, column_keys=list(values) if isinstance(statement, Insert) else None)
        ready = made.construct_expanded_state(values)
        self.sql, self.positional, self.names = ready.statement, made.positional, values.keys()
        defaults = {column.key: column.default for column in getattr(made, "insert_prefetch", ())}
        if any(not default.is_scalar for default in defaults.values()):
            raise TypeError(f"a value is missing among {', '.join(defaults)}")
        self.inputs = []
        for name in ready.positiontup if self.positional else ready.parameters:
            bind = made.binds.get(name)
            write = bind.type.dialect_impl(dialect).bind_processor(dialect) if bind is not None else ready.processors.get(name)
            if bind is not None and bind.key in values:
                self.inputs.append((name, bind.key, write, None))
            else:
                fixed = defaults[name].arg if name in defaults else ready.parameters[name]
                self.inputs.append((name, None, None, write(fixed) if write is not None else fixed))
        columns = list(statement.exported_columns)
        self.types = [column.type.dialect_impl(dialect) for column in columns]
        self.row: Any = namedtuple("Row", [str(column.key) for column in columns], rename=True) if columns else None
        self.reads: list[Callable[[Any], Any] | None] | None = None

    def run(self, connection: Connection, values: dict[str, Any]) -> Rows:
        if values.keys() != self.names:
            raise TypeError(f"takes {', '.join(self.names)}")
        dialect = connection.dialect
        given = [fixed if key is None else values[key] if write is None else write(values[key]) for _, key, write, fixed in self.inputs]
        arguments = given if self.positional else {name: value for (name, *_), value in zip(self.inputs, given, strict=True)}
        cursor = connection.connection.cursor()
        try:
            cursor.execute(self.sql, arguments)
            if self.row is None:
                return Rows()
            if self.reads is None:
                self.reads = [
                    kind.result_processor(dialect, column[1]) for kind, column in zip(self.types, cursor.description, strict=True)
                ]
            reads, make = self.reads, self.row._make
            return Rows(
                make([value if read is None else read(value) for read, value in zip(reads, row, strict=True)]) for row in cursor.fetchall()
            )
        except dialect.loaded_dbapi.Error as error:
            gone = dialect.is_disconnect(error, connection.connection.dbapi_connection, cursor)
            if gone:
                connection.invalidate(error)
            hidden, kind = connection.engine.hide_parameters, dialect.loaded_dbapi.Error
            raise DBAPIError.instance(
                self.sql, arguments, error, kind, hide_parameters=hidden, connection_invalidated=gone, dialect=dialect
            ) from error
        finally:
            cursor.close()


def owned(table: Table) -> bool:
    """Do the rows of this table belong to accounts?"""
    return "account_id" in table.primary_key.columns


def unbound(statement: Any) -> list[str]:
    """Names of the owned tables in `statement` that no chain of comparisons ties to `ACCOUNT`. What stands in an OR ties nothing."""
    parts = list(visitors.iterate(statement))
    walled = {str(part.name) for part in parts if isinstance(part, Table) and owned(part)}
    if isinstance(statement, Insert):
        walled.discard(str(getattr(statement.table, "name", "")))  # its account_id is a value like the others, and `__call__` gives it
    either = {
        id(inner)
        for part in parts
        if isinstance(part, BooleanClauseList) and part.operator is operators.or_
        for inner in visitors.iterate(part)
    }
    tied: set[str] = set()
    pairs: list[set[str]] = []
    for part in parts:
        if not isinstance(part, BinaryExpression) or part.operator is not operators.eq or id(part) in either:
            continue
        sides = (part.left, part.right)
        tables = {str(getattr(side.table, "name", "")) for side in sides if isinstance(side, ColumnClause) and side.name == "account_id"}
        if any(isinstance(side, BindParameter) and side.key == ACCOUNT.key for side in sides):
            tied |= tables
        elif len(tables) == 2:
            pairs.append(tables)
    for _ in pairs:
        for pair in pairs:
            tied |= pair if pair & tied else set()
    return sorted(walled - tied)


class Finder(Generic[T]):
    """`Finder(Contact)(contact_id)`: one row by its key as an object of the session, like `Session.get` at a third of its cost.

    An object that is in the session already is given back without a statement. None when there is no such row in scope.
    """

    def __init__(self, model: type[T]) -> None:
        self.model, table = model, model.__table__
        assert isinstance(table, Table)
        self.owned = owned(table)
        (key,) = (column for column in table.primary_key if column.name != "account_id")
        query = select(table).where(key == bindparam("wanted"))
        self.statement = _Statement(query.where(table.c.account_id == ACCOUNT) if self.owned else query)

    def __call__(self, wanted: Any) -> T | None:
        account = tenancy.current() if self.owned else None
        known = db.session.identity_map.get((self.model, (account, wanted) if self.owned else (wanted,), None))
        if known is not None:
            return known
        row = self.statement.run({"wanted": wanted, ACCOUNT.key: account} if self.owned else {"wanted": wanted}).first()
        return None if row is None else adopt(self.model, row._asdict())


class First(Generic[T]):
    """`First(Advocate, lambda t: (t.c.contact_id == bindparam("contact"),))(contact=...)`: the first such row of the account in scope
    as an object of the session, None when there is none. Changes that wait in the session are flushed first.

    An object that is in the session already is kept as it is; with `lock` it takes what the row says, and nobody else changes the row
    until this unit ends.
    """

    def __init__(
        self, model: type[T], where: Callable[[Any], Sequence[Any]], order_by: Callable[[Any], Any] | None = None, *, lock: bool = False
    ) -> None:
        self.model, self.lock, table = model, lock, model.__table__
        query = select(table).where(table.c.account_id == ACCOUNT, *where(table)).limit(1)
        query = query if order_by is None else query.order_by(order_by(table))
        # FOR NO KEY UPDATE: a plain FOR UPDATE would wait for every insert that refers to the row
        self.statement = Prepared(query.with_for_update(key_share=True) if lock else query)

    def __call__(self, **values: Any) -> T | None:
        db.session.flush()
        row = self.statement(**values).first()
        if row is None:
            return None
        known = db.session.identity_map.get((self.model, (row.account_id, row.id), None))
        if known is None:
            return adopt(self.model, row._asdict())
        if self.lock:
            for name, value in row._asdict().items():
                set_committed_value(known, name, value)
        return known


class Put(Generic[T]):
    """`Put(Advocate)(program_id=...)`: a new row, written at once, as an object of the session. What is not given has the default of
    its column. Changes that wait in the session are not flushed first."""

    def __init__(self, model: type[T]) -> None:
        self.model, table = model, model.__table__
        assert isinstance(table, Table)
        self.owned = owned(table)
        self.statement = _Statement(insert(table))
        self.plain = {column.key: column.default.arg if column.default is not None else None for column in table.columns}
        self.made = {key: default for key, default in self.plain.items() if callable(default)}

    def __call__(self, **given: Any) -> T:
        row = self.plain | {key: make(None) for key, make in self.made.items() if key not in given} | given
        if self.owned:
            row["account_id"] = tenancy.current()
        self.statement.run(row)
        return adopt(self.model, row)


def adopt(model: type[T], row: dict[str, Any]) -> T:
    """The object of a whole row that was read or written without the ORM, put into the session as if the ORM had loaded it."""
    found: T = class_mapper(model).class_manager.new_instance()
    found.__dict__.update(row)
    make_transient_to_detached(found)
    db.session.add(found)
    return found
