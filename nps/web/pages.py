"""Keyset paging: a page is what comes after the last row seen, so rows added meanwhile neither repeat nor vanish."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, tuple_

from nps.core import ids, tenancy
from nps.core.db import db
from nps.core.errors import Invalid

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """`rows`, and `after` = the cursor of the next page or None."""

    rows: Sequence[T]
    after: str | None


def page(
    query: Select[Any], keys: Sequence[ColumnElement[Any] | Any], *, after: str | None, limit: int = 50, descending: bool = False
) -> Page[Any]:
    """Rows of `query` ordered by `keys` (the last key unique), following the cursor.

    Raises Invalid for a cursor that was cut or belongs to a list with other keys or of another account.
    """
    purpose = f"cursor {tenancy.current_or_none()} {' '.join(map(str, keys))}"
    if after:
        values = [_read(value) for value in json.loads(_open(purpose, after))]
        left = tuple_(*keys)
        query = query.where(left < tuple_(*values) if descending else left > tuple_(*values))
    query = query.order_by(*(key.desc() if descending else key.asc() for key in keys)).limit(limit + 1)
    rows = list(db.session.scalars(query))
    more = len(rows) > limit
    rows = rows[:limit]
    cursor = None
    if more and rows:
        cursor = ids.sign_text(purpose, json.dumps([_write(getattr(rows[-1], str(key.key))) for key in keys], separators=(",", ":")))
    return Page(rows, cursor)


def _open(purpose: str, after: str) -> str:
    try:
        return ids.unsign_text(purpose, after)
    except ids.BadToken:
        raise Invalid("This page address was cut. Start again from the first page.", code="bad_cursor") from None


def _write(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"t": value.isoformat()}
    if isinstance(value, UUID):
        return {"u": str(value)}
    return value


def _read(value: Any) -> Any:
    if isinstance(value, dict):
        return datetime.fromisoformat(value["t"]) if "t" in value else UUID(value["u"])
    return value
