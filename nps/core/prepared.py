"""Statements of the hot paths: built once, run many times, always for the account in scope.

Building a SQLAlchemy statement costs ten times what running it does, and the session guard builds one more. A survey link
cannot pay that on every request. What is prepared here passes the guard by, so it must prove at import that it keeps
inside one account: every owned table in it is bound to `ACCOUNT`, which is filled from the scope at each run.
"""

from typing import Any, Generic, TypeVar

from sqlalchemy import CursorResult, Insert, Row, Table, bindparam, select
from sqlalchemy.orm import make_transient_to_detached
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, BooleanClauseList, ColumnClause

from nps.core import tenancy
from nps.core.db import Base, db

T = TypeVar("T", bound=Base)

ACCOUNT: BindParameter[Any] = bindparam("in_account")
"""Compare the `account_id` of every owned table with this, or with that of a table that is compared."""


class Unbound(ValueError):
    """A prepared statement could reach rows of another account."""


class Prepared:
    """`Prepared(select(...).where(T.c.account_id == ACCOUNT, T.c.id == bindparam("wanted")))(wanted=...)`.

    Raises Unbound where it is made when an owned table is not bound, `NoAccountInScope` where it is run without a scope.
    """

    def __init__(self, statement: Any) -> None:
        loose = unbound(statement)
        if loose:
            raise Unbound(f"{', '.join(loose)} is not bound to the account")
        self.statement = statement
        self.inserts = isinstance(statement, Insert)

    def __call__(self, **values: Any) -> CursorResult[Any]:
        # The values of an INSERT go by the names of its columns; elsewhere such a name would be a value to SET.
        values["account_id" if self.inserts else ACCOUNT.key] = tenancy.current()
        return db.session.connection().execute(self.statement, values)


def unbound(statement: Any) -> list[str]:
    """Names of the owned tables in `statement` that no chain of comparisons ties to `ACCOUNT`. What stands in an OR ties nothing."""
    parts = list(visitors.iterate(statement))
    owned = {str(part.name) for part in parts if isinstance(part, Table) and "account_id" in part.primary_key.columns}
    if isinstance(statement, Insert):
        owned.discard(str(getattr(statement.table, "name", "")))  # its account_id is a value like the others, and `__call__` gives it
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
    return sorted(owned - tied)


class Finder(Generic[T]):
    """`Finder(Contact)(contact_id)`: one row by its id as an object of the session, like `Session.get` at a third of its cost.

    An object that is in the session already is given back without a statement. None when there is no such row in scope.
    """

    def __init__(self, model: type[T]) -> None:
        self.model, table = model, model.__table__
        assert isinstance(table, Table)
        self.owned = "account_id" in table.primary_key.columns
        query = select(table).where(table.c.id == bindparam("wanted"))
        self.statement = query.where(table.c.account_id == ACCOUNT) if self.owned else query

    def __call__(self, wanted: Any) -> T | None:
        account = tenancy.current() if self.owned else None
        known = db.session.identity_map.get((self.model, (account, wanted) if self.owned else (wanted,), None))
        if known is not None:
            return known
        values = {"wanted": wanted, ACCOUNT.key: account} if self.owned else {"wanted": wanted}
        row = db.session.connection().execute(self.statement, values).first()
        return None if row is None else adopt(self.model, row)


def adopt(model: type[T], row: Row[Any] | dict[str, Any]) -> T:
    """The object of a row that was read or written without the ORM, put into the session as if the ORM had loaded it."""
    found = model(**(row if isinstance(row, dict) else row._mapping))
    make_transient_to_detached(found)
    db.session.add(found)
    return found
