"""One row in every table of an account, made from the columns alone: what a rival owns."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from nps.core import ids
from nps.core.db import Base, db

NOW = datetime(2026, 10, 6, 11, 0, tzinfo=UTC)
# Values that a check constraint or an enumeration asks for.
SPECIAL: dict[str, Any] = {
    "score": 3,
    "first_score": 3,
    "nps_group": "detractor",
    "email": "rita@rival.example",
    "email_key": "rita@rival.example",
    "currency": "USD",
    "time_zone": "UTC",
}


def fill(account_id: UUID) -> dict[str, UUID]:
    """A row of this account in each owned table; ids by table name. Tables whose rules a plain row breaks are left out."""
    made: dict[str, UUID] = {}
    for table in Base.metadata.sorted_tables:
        if "account_id" not in table.primary_key.columns or "id" not in table.primary_key.columns:
            continue
        row = {"account_id": account_id, "id": ids.new_id()}
        row |= {c.name: value_of(c, table, made) for c in table.columns if c.name not in row and not _left_out(c)}
        try:
            with db.session.begin_nested():
                db.session.execute(sa.insert(table).values(row))
        except IntegrityError:
            continue
        made[table.name] = row["id"]
    db.session.commit()
    return made


def _left_out(column: sa.Column[Any]) -> bool:
    return column.nullable and not column.foreign_keys and column.name not in SPECIAL


def value_of(column: sa.Column[Any], table: sa.Table, made: dict[str, UUID]) -> Any:
    """A plain value for this column: the id of what it refers to, else something of its type."""
    for constraint in table.foreign_key_constraints:
        if column.name in constraint.column_keys and column.name != "account_id":
            return made.get(constraint.referred_table.name)
    if column.name in SPECIAL:
        return SPECIAL[column.name]
    if column.default is not None and column.default.is_scalar:
        return column.default.arg
    kind = column.type
    if isinstance(kind, sa.Uuid):
        return ids.new_id()
    if isinstance(kind, sa.Boolean):
        return False
    if isinstance(kind, sa.Integer | sa.Numeric | sa.Float):
        return 1
    if isinstance(kind, sa.JSON):
        return {}
    if isinstance(kind, sa.Date):
        return date(2026, 10, 6)
    if isinstance(kind, sa.LargeBinary):
        return b"x"
    if isinstance(kind, sa.String):
        return ids.new_token(6)[: kind.length or 8]
    return NOW
