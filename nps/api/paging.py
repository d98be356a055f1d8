"""Lists: keyset paging by id behind a signed cursor that fits one list of one account."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import current_app, g, request
from sqlalchemy import Select

from nps.api.shapes import PageQuery
from nps.core import ids, tenancy
from nps.core.db import db
from nps.core.errors import DomainError

_PURPOSE = "api cursor"


def page(query: Select[Any], key: Any, asked: PageQuery) -> tuple[list[Any], str | None]:
    """Rows of `query` after the cursor, by `key` (the id), and the address of the next page or None.

    Raises DomainError 400 for a cursor that was cut, or made for another list or account. Rows added meanwhile
    neither repeat nor push others out.
    """
    if asked.after is not None:
        query = query.where(key > _place(asked.after))
    rows = list(db.session.scalars(query.order_by(key).limit(asked.limit + 1)))
    if len(rows) <= asked.limit:
        return rows, None
    rows = rows[: asked.limit]
    return rows, _next(getattr(rows[-1], key.key))


def _place(cursor: str) -> UUID:
    try:
        where, _, place = ids.unsign_text(_PURPOSE, cursor).rpartition("|")
        if where != _list():
            raise ids.BadToken
        return UUID(place)
    except (ids.BadToken, ValueError):
        message = "This cursor was cut or belongs to another list. Start again without it."
        raise DomainError(message, code="bad_cursor", status=400, fields={"after": message}) from None


def _list() -> str:
    """Which list a cursor fits: this operation, in this account, with these filters."""
    given = sorted((name, value) for name, value in request.args.items(multi=True) if name not in ("after", "limit"))
    return f"{request.endpoint}|{tenancy.current()}|{urlencode(given)}"


def _next(last: UUID) -> str:
    given = [(name, value) for name, value in request.args.items(multi=True) if name != "after"]
    cursor = ids.sign_text(_PURPOSE, f"{_list()}|{last}")
    address = f"{current_app.extensions['settings'].base_url}{request.path}?{urlencode([*given, ('after', cursor)])}"
    g.next_page = address
    return address
