"""The stored file of an import: kept in pieces, read from any place on, forgotten when it is of no use."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select

from nps.accounts import queries as accounts
from nps.contacts import queries
from nps.contacts.errors import WrongState
from nps.contacts.models import Import, ImportPart, ImportRow
from nps.contacts.rules.columns import header_key
from nps.contacts.rules.fields import Context, Misfit, Record, RowReader
from nps.contacts.rules.tables import Lines, Piece, Records
from nps.contacts.rules.uploads import TEXT, Upload, unpacked
from nps.core import clock, ids, tenancy
from nps.core.db import db
from nps.core.errors import NotFound

UNDO = timedelta(hours=24)
WAITING_ROWS = timedelta(days=30)
"""How long rows wait for a correction."""

BadRow = tuple[int, list[str], int | None, str]
"""Spreadsheet row, cells, which cell, reason."""


def store(upload: Upload, *, by_id: UUID | None, by: str) -> Import:
    """Keep an upload that `uploads.prepare` made ready."""
    row = Import(state="uploaded", started_by_id=by_id, started_by=by, created_at=clock.now(), matching={}, undo_report={})
    row.id = ids.new_id()
    _describe(row, upload)
    db.session.add(row)
    db.session.flush()
    _store_parts(row.id, upload)
    return row


def store_again(import_id: UUID, upload: Upload) -> Import:
    """Another sheet of the same workbook was chosen."""
    row = queries.get_import(import_id)
    only_in(row, "uploaded", "refused")
    db.session.execute(delete(ImportPart).where(ImportPart.import_id == import_id).execution_options(synchronize_session=False))
    _describe(row, upload)
    row.matching = {}
    _store_parts(import_id, upload)
    return row


def _describe(row: Import, upload: Upload) -> None:
    found = upload.found
    row.filename, row.encoding, row.delimiter = upload.filename, found.encoding, found.separator
    row.sheet, row.sheets = upload.sheet, upload.sheets
    row.header, row.header_row, row.header_key = found.header, found.header_row, header_key(found.header)
    row.size, row.rows, row.parts = found.size, found.rows, upload.counts[TEXT]


def _store_parts(import_id: UUID, upload: Upload) -> None:
    account_id = tenancy.current()
    waiting: list[dict[str, Any]] = []
    for kind, number, body in upload.parts():
        waiting.append({"account_id": account_id, "id": ids.new_id(), "import_id": import_id, "kind": kind, "number": number, "body": body})
        if len(waiting) == 20:
            db.session.execute(insert(ImportPart), waiting)
            waiting = []
    if waiting:
        db.session.execute(insert(ImportPart), waiting)


def workbook_of(import_id: UUID) -> Iterator[bytes]:
    """The stored bytes of an uploaded workbook."""
    yield from (unpacked(body) for body in queries.part_bodies(import_id, "workbook"))


def pieces_of(import_id: UUID, start: int = 0) -> Iterator[str]:
    """The stored text, piece by piece, each read when it is needed."""
    number = start
    while (body := queries.find_part(import_id, TEXT, number)) is not None:
        yield unpacked(body).decode()
        number += 1


def records_of(row: Import, place: Piece = Piece(0, 0), after_row: int = 0) -> Records:
    """The rows of the file from a place on, the heading among them."""
    return Records(Lines(pieces_of(row.id, place.number), place), row.delimiter, after_row)


def context_now(now: datetime) -> Context:
    """What reading depends on besides the text, in the account in scope."""
    return Context(now, accounts.get_account(tenancy.current()).currency, queries.properties())


def sample_of(row: Import, most: int = 200) -> list[list[str]]:
    """The first rows below the heading."""
    found = []
    for number, cells in records_of(row):
        if number != row.header_row:
            found.append(cells)
        if len(found) == most:
            break
    return found


def chunks(records: Records, header_row: int, size: int, most: int | None = None) -> Iterator[list[tuple[int, list[str]]]]:
    rows: list[tuple[int, list[str]]] = []
    total = 0
    for number, cells in records:
        if number == header_row:
            continue
        rows.append((number, cells))
        total += 1
        if len(rows) == size or total == most:
            yield rows
            rows = []
            if total == most:
                return
    if rows:
        yield rows


@dataclass
class ReadRows:
    good: list[tuple[int, list[str], Record]] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)


def read_rows(reader: RowReader, rows: Iterable[tuple[int, list[str]]]) -> ReadRows:
    found = ReadRows()
    read, good = reader.read, found.good
    for number, cells in rows:
        try:
            good.append((number, cells, read(cells)))
        except Misfit as misfit:
            found.bad.append((number, cells, column_of(reader, misfit), misfit.reason))
    return found


def column_of(reader: RowReader, misfit: Misfit) -> int | None:
    return reader.index_of.get(misfit.field) if misfit.field else None


def only_in(row: Import, *states: str) -> None:
    if row.state not in states:
        words = {
            "uploaded": "has not been started",
            "running": "is running",
            "done": "is done",
            "stopped": "was stopped",
            "refused": "was not taken",
            "undoing": "is being undone",
            "undone": "was undone",
        }
        raise WrongState(f"This import {words[row.state]}. Nothing was changed.")


def locked(import_id: UUID) -> Import:
    """The import as it is now; nobody else changes it until this unit ends. Raises `NotFound`."""
    query = select(Import).where(Import.id == import_id).with_for_update().execution_options(populate_existing=True)
    row = db.session.scalar(query)
    if row is None:
        raise NotFound("There is no such import.")
    return row


def forget_old() -> int:
    """Delete uploads that were not started for a day, files of refused imports, and repaired or old waiting rows; counts imports.

    For the clock: works on all accounts, outside of any scope.
    """
    now = clock.now()
    forgotten = 0
    with tenancy.unscoped("the clock forgets old files of all accounts"):
        for row in queries.list_imports_to_forget(now - UNDO, now - WAITING_ROWS):
            _delete_of(ImportPart, row)
            if row.state == "uploaded":
                db.session.delete(row)
            else:
                _delete_of(ImportRow, row)
                row.forgotten_at = now
            forgotten += 1
        db.session.flush()
    return forgotten


def _delete_of(table: type[ImportPart] | type[ImportRow], row: Import) -> None:
    mine = (table.account_id == row.account_id) & (table.import_id == row.id)
    db.session.execute(delete(table).where(mine).execution_options(synchronize_session=False))
