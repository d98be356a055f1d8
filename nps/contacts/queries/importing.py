"""Imports, their files, rows that wait, and what they changed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, func, or_, select

from nps.contacts.models import Contact, Import, ImportChange, ImportPart, ImportRow
from nps.contacts.rules.fields import COMPARED
from nps.core import email_address
from nps.core.db import db
from nps.core.errors import NotFound
from nps.delivery import queries as delivery
from nps.delivery.models import Suppression

_SNAPSHOT = [
    getattr(Contact, name) for name in ("id", "number", *COMPARED, "properties", "updated_at", "import_id", "import_row", "import_given")
]


def snapshots(condition: ColumnElement[bool]) -> Iterable[RowMapping]:
    """The columns that an import compares, of all contacts that meet the condition."""
    return db.session.execute(select(*_SNAPSHOT).where(condition)).mappings()


def get_import(import_id: UUID) -> Import:
    """Raises `NotFound`."""
    found = db.session.scalar(select(Import).where(Import.id == import_id))
    if found is None:
        raise NotFound("There is no such import.")
    return found


def find_part(import_id: UUID, kind: str, number: int) -> bytes | None:
    """One stored part of a file, compressed as it is."""
    return db.session.scalar(
        select(ImportPart.body).where(ImportPart.import_id == import_id, ImportPart.kind == kind, ImportPart.number == number)
    )


def part_bodies(import_id: UUID, kind: str) -> Iterator[bytes]:
    """All parts of one kind in order, one in memory at a time."""
    number = 0
    while (body := find_part(import_id, kind, number)) is not None:
        yield body
        number += 1


def find_last_matching(header_key: str) -> Mapping[str, Any] | None:
    """What was decided when a file with these headings was imported last."""
    query = select(Import.matching).where(Import.header_key == header_key, Import.started_at.is_not(None)).order_by(Import.id.desc())
    return db.session.scalar(query.limit(1)) or None


def list_waiting_rows(import_id: UUID, most: int = 1000) -> Sequence[ImportRow]:
    """Rows of an import that wait for a correction, in the order of the file."""
    query = (
        select(ImportRow)
        .where(ImportRow.import_id == import_id, ImportRow.kind == "fix", ImportRow.fixed_at.is_(None))
        .order_by(ImportRow.row)
    )
    return db.session.scalars(query.limit(most)).all()


def list_changes_to_undo(import_id: UUID, most: int) -> Sequence[ImportChange]:
    """What an import changed, newest first."""
    query = select(ImportChange).where(ImportChange.import_id == import_id).order_by(ImportChange.id.desc())
    return db.session.scalars(query.limit(most)).all()


def list_added_by(row: Import, most: int) -> Sequence[Contact]:
    """Contacts that came with an import and are still there."""
    if row.first_number is None:
        return []
    query = select(Contact).where(
        Contact.number.between(row.first_number, row.last_number), Contact.added_by_import_id == row.id, Contact.erased_at.is_(None)
    )
    return db.session.scalars(query.order_by(Contact.number).limit(most)).all()


def list_imports_to_forget(before: datetime, rows_before: datetime) -> Sequence[Import]:
    """Uploads never started and refused files from `before`, and imports whose waiting rows are older than `rows_before`."""
    old_file = Import.state.in_(("uploaded", "refused")) & (Import.created_at < before)
    old_rows = Import.finished_at < rows_before
    return db.session.scalars(select(Import).where(Import.forgotten_at.is_(None), or_(old_file, old_rows)).limit(500)).all()


def list_imports(most: int = 20) -> Sequence[Import]:
    """The latest imports that were started."""
    return db.session.scalars(select(Import).where(Import.started_at.is_not(None)).order_by(Import.id.desc()).limit(most)).all()


def list_changes_of(contact_id: UUID) -> Sequence[tuple[ImportChange, str]]:
    """What imports changed in a contact, with the name of the file, newest first."""
    query = (
        select(ImportChange, Import.filename)
        .join(Import, (Import.account_id == ImportChange.account_id) & (Import.id == ImportChange.import_id))
        .where(ImportChange.contact_id == contact_id)
        .order_by(ImportChange.id.desc())
    )
    return [(change, filename) for change, filename in db.session.execute(query)]


def stream_waiting_rows(import_id: UUID) -> Iterator[ImportRow]:
    """Every row that waits for a correction, in the order of the file, a thousand in memory at once."""
    last = 0
    waiting = (ImportRow.import_id == import_id) & (ImportRow.kind == "fix") & ImportRow.fixed_at.is_(None)
    query = select(ImportRow).where(waiting).order_by(ImportRow.row).limit(1000)
    while rows := db.session.scalars(query.where(ImportRow.row > last)).all():
        last = rows[-1].row
        yield from rows
        for row in rows:
            db.session.expunge(row)


def needs_you(now: datetime) -> tuple[int, Import] | None:
    """For the overview: how many rows of imports of the last 30 days wait for a correction, and the latest of these imports."""
    waiting = (Import.to_fix > 0) & (Import.state.in_(("running", "done", "stopped"))) & (Import.created_at > now - timedelta(days=30))
    total = db.session.scalar(select(func.sum(Import.to_fix)).where(waiting))
    if not total:
        return None
    latest = db.session.scalars(select(Import).where(waiting).order_by(Import.id.desc()).limit(1)).one()
    return int(total), latest


def list_erased_rows(import_id: UUID, most: int = 100) -> Sequence[ImportRow]:
    """Rows that were left out because the person asked to be erased."""
    query = select(ImportRow).where(ImportRow.import_id == import_id, ImportRow.kind == "erased").order_by(ImportRow.row)
    return db.session.scalars(query.limit(most)).all()


@dataclass(frozen=True)
class Stop:
    """What stands against an address of a file."""

    erased: bool
    since: datetime


class Stops:
    """The stops of the account, for looking at a million addresses. Up to 200,000 are held; more are asked for one by one."""

    _MOST = 200_000

    def __init__(self, now: datetime) -> None:
        self._now = now
        query = delivery.open_suppressions(now).with_only_columns(Suppression.key, Suppression.reason, Suppression.since)
        rows = db.session.execute(query.limit(self._MOST + 1)).all()
        self._whole = len(rows) <= self._MOST
        self._held = {key: Stop(reason == "erased", since) for key, reason, since in rows} if self._whole else {}
        self._hashed = any(key.startswith("#") for key in self._held)

    def of(self, email: str | None) -> Stop | None:
        """The stop of an address, an erasure before any other."""
        if not email or (self._whole and not self._held):
            return None
        if not self._whole:
            found = delivery.find_suppressions([email], now=self._now).get(email)
            return Stop(found.reason == "erased", found.since) if found is not None else None
        if self._hashed:
            keys = delivery.suppression_keys(email)
            return self._held.get(keys[2]) or self._held.get(keys[1]) or self._held.get(keys[0])
        return self._held.get(f"~{email_address.reduced(email)}") or self._held.get(f"={email_address.key(email)}")
