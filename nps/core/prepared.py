"""Statements of the hot paths: built once, run many times, always for the account in scope.

Building a SQLAlchemy statement costs ten times what running it does, and the session guard builds one more. A survey link
cannot pay that on every request. What is prepared here passes the guard by, so it must prove at import that it keeps
inside one account: every owned table in it is bound to `ACCOUNT`, which is filled from the scope at each run.
"""

from typing import Any

from sqlalchemy import CursorResult, Insert, Table, bindparam
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, BooleanClauseList, ColumnClause

from nps.core import tenancy
from nps.core.db import db

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
