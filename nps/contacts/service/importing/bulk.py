"""Sets of contacts: looked up and written chunk by chunk, not one by one."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import RowMapping, Table, bindparam, insert

from nps.contacts import queries
from nps.contacts.models import ConsentChange, Contact, Import, ImportChange, ImportRow
from nps.contacts.rules.fields import COMPARED, IDENTITIES, PROPERTY, Record, keys_of
from nps.contacts.rules.joining import Book, Known, identity_key
from nps.contacts.service.contacts import count_in, keep_alias
from nps.contacts.service.importing.files import BadRow
from nps.core import ids, tenancy
from nps.core.db import db
from nps.delivery import service as delivery

_CONTACT = cast(Table, Contact.__table__)
_STORED = [
    *COMPARED, "email_key", "email_reduced", "name_key", "surname_key", "company_key", "properties",
    "import_id", "import_row", "import_given",
]  # fmt: skip


def look_up(book: Book, records: Sequence[Record], import_id: UUID | None) -> None:
    """Put every contact that the records may mean into the book."""
    columns = {"external_id": Contact.external_id, "email": Contact.email_key, "phone": Contact.phone}
    for name in IDENTITIES:
        known = book.by[name]
        wanted = {identity_key(name, r[name]) for r in records if r.get(name)} - known.keys()
        if wanted:
            for found in queries.snapshots(columns[name].in_(wanted)):
                if found["id"] not in book.ids:
                    book.add(_known(found, import_id))


def _known(found: RowMapping, import_id: UUID | None) -> Known:
    values: Record = {name: found[name] for name in COMPARED}
    for key, value in found["properties"].items():
        values[PROPERTY + key] = value
    known = Known(found["id"], found["number"], values, updated_at=found["updated_at"])
    if import_id is not None and found["import_id"] == import_id:
        known.row, known.given = found["import_row"], int(found["import_given"] or "0", 16)
    return known


def note_numbers(row: Import, numbers: range) -> None:
    if numbers:
        row.first_number = row.first_number or numbers[0]
        row.last_number = numbers[-1]


def store_contacts(import_id: UUID, touched: Iterable[Known], now: datetime, source: str, by: str) -> range:
    """Write what a chunk changed, set by set. Returns the numbers of new contacts."""
    new: list[Known] = []
    changed: list[Known] = []
    seen: list[Known] = []
    for known in touched:
        (new if known.is_new else changed if known.before else seen).append(known)
    account_id = tenancy.current()
    if changed:
        _update(import_id, changed, now, account_id)
    if seen:
        _mark(import_id, seen, account_id)
    numbers = _insert(import_id, new, now, account_id) if new else range(0)
    _write_consents([*changed, *new], now, source, by, account_id)
    return numbers


def _stored(known: Known, import_id: UUID) -> dict[str, Any]:
    values = known.values
    properties = {name[len(PROPERTY) :]: v for name, v in values.items() if name.startswith(PROPERTY) and v is not None}
    stored = {name: values.get(name) for name in COMPARED}
    stored |= keys_of({"email": stored["email"], "name": stored["name"], "company": stored["company"]})
    stored["consent_email"] = stored["consent_email"] or "unknown"
    stored["consent_sms"] = stored["consent_sms"] or "unknown"
    stored["properties"] = properties
    stored["import_id"], stored["import_row"], stored["import_given"] = import_id, known.row, f"{known.given:x}"
    return stored


def _insert(import_id: UUID, new: Sequence[Known], now: datetime, account_id: UUID) -> range:
    number = count_in(len(new))
    rows = []
    for offset, known in enumerate(new):
        row = _stored(known, import_id)
        row |= {
            "account_id": account_id, "id": known.id, "number": number + offset, "answers": 0, "holds": {},
            "imported_at": now, "added_by_import_id": import_id, "created_at": now, "updated_at": now,
        }  # fmt: skip
        rows.append(row)
    db.session.execute(_CONTACT.insert(), rows)
    return range(number, number + len(new))


def _update(import_id: UUID, changed: Sequence[Known], now: datetime, account_id: UUID) -> None:
    _vacate(changed, account_id)
    statement = (
        _CONTACT.update()
        .where(_CONTACT.c.account_id == bindparam("of_account"), _CONTACT.c.id == bindparam("of_id"))
        .values({name: bindparam(f"new_{name}") for name in (*_STORED, "imported_at", "updated_at")})
    )
    rows, history = [], []
    for known in changed:
        stored = _stored(known, import_id) | {"imported_at": now, "updated_at": now}
        rows.append({"of_account": account_id, "of_id": known.id, **{f"new_{name}": stored[name] for name in stored}})
        history.append(
            {
                "account_id": account_id,
                "id": ids.new_id(),
                "import_id": import_id,
                "contact_id": known.id,
                "fields": {name: [plain_value(was), plain_value(known.values.get(name))] for name, was in known.before.items()}
                | {"updated_at": [plain_value(known.updated_at), plain_value(now)]},
                "changed_at": now,
            }
        )
        former = known.before.get("email")
        if former:
            keep_alias(known.id, former, now)
    db.session.execute(statement, rows)
    db.session.execute(insert(ImportChange), history)


def _vacate(changed: Sequence[Known], account_id: UUID) -> None:
    """Take identities away first that another contact of this chunk gets, so that no two hold one in between."""
    leaving = {(name, identity_key(name, k.before[name])): k for k in changed for name in IDENTITIES if k.before.get(name)}
    arriving = {
        (name, identity_key(name, k.values[name])) for k in changed for name in IDENTITIES if name in k.before and k.values.get(name)
    }
    columns = {"external_id": "external_id", "email": "email_key", "phone": "phone"}
    for place, known in leaving.items():
        if place in arriving:
            column = columns[place[0]]
            placeholder = known.id.hex[:16] if column == "phone" else known.id.hex
            db.session.execute(
                _CONTACT.update().where(_CONTACT.c.account_id == account_id, _CONTACT.c.id == known.id).values({column: placeholder})
            )


def _mark(import_id: UUID, seen: Sequence[Known], account_id: UUID) -> None:
    """Contacts whose rows changed nothing still remember their row, so that a later double of it is seen."""
    statement = (
        _CONTACT.update()
        .where(_CONTACT.c.account_id == bindparam("of_account"), _CONTACT.c.id == bindparam("of_id"))
        .values(import_id=import_id, import_row=bindparam("new_row"), import_given=bindparam("new_given"))
    )
    rows = [{"of_account": account_id, "of_id": k.id, "new_row": k.row, "new_given": f"{k.given:x}"} for k in seen]
    db.session.execute(statement, rows)


def _write_consents(written: Iterable[Known], now: datetime, source: str, by: str, account_id: UUID) -> None:
    rows = []
    for known in written:
        for channel in ("email", "sms"):
            name = f"consent_{channel}"
            was = (None if known.is_new else known.before.get(name, known.values.get(name))) or "unknown"
            is_now = known.values.get(name) or "unknown"
            if was != is_now:
                rows.append(
                    {
                        "account_id": account_id, "id": ids.new_id(), "contact_id": known.id, "channel": channel, "was": was, "now": is_now,
                        "source": source, "agreed_text": "", "changed_by": by, "changed_at": now,
                    }
                )  # fmt: skip
    if rows:
        db.session.execute(insert(ConsentChange), rows)


def store_bad(import_id: UUID, bad: Sequence[BadRow]) -> None:
    if bad:
        account_id = tenancy.current()
        db.session.execute(
            insert(ImportRow),
            [
                {
                    "account_id": account_id, "id": ids.new_id(), "import_id": import_id, "row": number, "kind": "fix", "cells": cells,
                    "column": column, "problem": reason, "fixed_at": None,
                }
                for number, cells, column, reason in sorted(bad)
            ],
        )  # fmt: skip


def store_erased(import_id: UUID, erased: Sequence[tuple[int, datetime]]) -> None:
    """Rows of people who asked to be erased: number and day, no cell of theirs."""
    for number, since in erased:
        reason = f"This person asked to be erased on {since.day} {since:%B} {since.year}"
        db.session.add(ImportRow(import_id=import_id, row=number, cells=[], kind="erased", problem=reason))


def stop_the_unsubscribed(records: Iterable[Record]) -> None:
    """`unsubscribed` = yes adds a stop; no never lifts one."""
    for record in records:
        if record.get("unsubscribed") and record.get("email"):
            delivery.suppress(record["email"], "imported", "import")


def plain_value(value: Any) -> Any:
    """A stored value as JSON keeps it."""
    if isinstance(value, datetime):
        return {"at": value.isoformat()}
    return {"on": value.isoformat()} if isinstance(value, date) else value


def real_value(value: Any) -> Any:
    """The value that `plain_value` was given."""
    if isinstance(value, dict):
        return datetime.fromisoformat(value["at"]) if "at" in value else date.fromisoformat(value["on"])
    return value
