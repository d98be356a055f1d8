"""The list of contacts, its search and its download: keyset paging on indexes, the same speed at a million contacts."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, not_, or_, select, tuple_

from nps.contacts.models import Contact
from nps.contacts.queries.segments import Condition, condition, get_segment
from nps.contacts.rules.words import folded
from nps.core import ids
from nps.core.db import db
from nps.core.errors import Invalid
from nps.web.pages import Page, page

LIMIT = 50
_END = "\U0010ffff"
_BAD_CURSOR = "This page address was cut. Start again from the first page."


def page_contacts(after: str | None = None, *, segment_id: UUID | None = None, limit: int = LIMIT) -> Page[Contact]:
    """Contacts, the latest first, of a segment or all. Raises `Invalid` for a foreign cursor."""
    return page(select(Contact).where(_listed(segment_id)), [Contact.number], after=after, limit=limit, descending=True)


def count_matching(segment_id: UUID) -> int:
    """How many contacts are in a segment."""
    return db.session.scalar(select(func.count()).select_from(Contact).where(_listed(segment_id))) or 0


def _listed(segment_id: UUID | None) -> Condition:
    alive = Contact.erased_at.is_(None)
    return alive if segment_id is None else and_(alive, condition(get_segment(segment_id).rules))


def search(text: str, after: str | None = None, *, limit: int = LIMIT) -> Page[Contact]:
    """Contacts whose name, last name, company, email, phone, customer number or number begins with `text`, best kind first.

    Several words that begin no name are taken as parts of a name in any order. If nothing begins with the text, it is
    looked for inside names, companies and addresses.
    """
    wanted = folded(" ".join(text.split()))[:120]
    if not wanted:
        return page_contacts(after, limit=limit)
    start, last = _open(after) if after else (0, None)
    branches = _branches(wanted, text.strip())
    if start > len(branches):
        raise Invalid(_BAD_CURSOR, code="bad_cursor")
    found: list[Contact] = []
    for place in range(start, len(branches)):
        column, match = branches[place]
        earlier = [not_(func.coalesce(other, False)) for _, other in branches[:place]]
        rows = _branch_page(column, and_(match, *earlier), last if place == start else None, limit + 1 - len(found))
        found += rows
        if len(found) > limit:
            return Page(found[:limit], _cursor(branches, found[limit - 1], place, limit, found, rows))
    if not found and not after:
        return Page(_inside(wanted, limit), None)
    return Page(found, None)


def _begins(column: Any, text: str) -> Condition:
    return and_(column >= text, column < text + _END)


def _branches(wanted: str, typed: str) -> list[tuple[Any, Condition]]:
    """(column that orders, condition) for each way in which a contact can be meant."""
    made: list[tuple[Any, Condition]] = []
    if typed.isascii() and typed.isdigit() and len(typed) < 10:
        made.append((Contact.number, Contact.number == int(typed)))
    made.append((Contact.external_id, _begins(Contact.external_id, typed)))
    if typed.upper() != typed:
        made.append((Contact.external_id, _begins(Contact.external_id, typed.upper())))
    digits = "".join(c for c in typed if c.isdigit())
    if typed.startswith("+") and digits:
        made.append((Contact.phone, _begins(Contact.phone, f"+{digits}")))
    made.append((Contact.email_key, _begins(Contact.email_key, wanted)))
    made += [(column, _begins(column, wanted)) for column in (Contact.name_key, Contact.surname_key, Contact.company_key)]
    words = wanted.split(" ")
    if len(words) > 1:
        # "whitfield dana": the last name is found by its index, the rest is looked for in the name.
        rest = [Contact.name_key.contains(word, autoescape=True) for word in words]
        made += [(Contact.surname_key, and_(_begins(Contact.surname_key, word), *rest)) for word in (words[0], words[-1])]
    return made


def _branch_page(column: Any, match: Condition, last: Sequence[Any] | None, limit: int) -> list[Contact]:
    query = select(Contact).where(match, Contact.erased_at.is_(None))
    if last is not None:
        query = query.where(tuple_(column, Contact.number) > tuple_(*last) if column is not Contact.number else Contact.number > last[1])
    return list(db.session.scalars(query.order_by(column, Contact.number).limit(limit)))


def _inside(wanted: str, limit: int) -> Sequence[Contact]:
    parts = [
        or_(*(column.contains(word, autoescape=True) for column in (Contact.name_key, Contact.company_key, Contact.email_key)))
        for word in wanted.split(" ")
    ]
    query = select(Contact).where(*parts, Contact.erased_at.is_(None)).order_by(Contact.number.desc())
    return db.session.scalars(query.limit(limit)).all()


def _cursor(
    branches: Sequence[tuple[Any, Condition]], last: Contact, place: int, limit: int, found: list[Contact], rows: list[Contact]
) -> str:
    # The last row shown may belong to an earlier branch than the row that proved there is more.
    if len(found) - len(rows) >= limit:
        state: list[Any] = [place, None]
    else:
        state = [place, [getattr(last, branches[place][0].key), last.number]]
    return ids.sign_text("cursor", json.dumps(state, separators=(",", ":")))


def _open(after: str) -> tuple[int, Sequence[Any] | None]:
    try:
        place, last = json.loads(ids.unsign_text("cursor", after))
    except (ids.BadToken, ValueError, TypeError):
        raise Invalid(_BAD_CURSOR, code="bad_cursor") from None
    return int(place), last


def stream_contacts(columns: Sequence[ColumnElement[Any] | Any], extra: Condition | None = None) -> Iterator[Mapping[str, Any]]:
    """These columns of all contacts in the order of their numbers, a thousand at a time."""
    last = 0
    query = select(Contact.number, *columns).where(Contact.erased_at.is_(None)).order_by(Contact.number).limit(1000)
    if extra is not None:
        query = query.where(extra)
    while rows := db.session.execute(query.where(Contact.number > last)).mappings().all():
        last = rows[-1]["number"]
        yield from rows  # type: ignore[misc]
