"""A file goes in, chunk by chunk. The task opens the units of work; each chunk is one of them: the rows, the counts and the place in
the file are stored together, so a chunk is either all in or not at all, and whoever takes over goes on behind it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete

from nps.accounts import queries as accounts
from nps.accounts.service import letters
from nps.contacts import queries
from nps.contacts.events import ImportFinished
from nps.contacts.models import Import, ImportPart
from nps.contacts.rules import matching as matching_rules
from nps.contacts.rules.fields import Misfit
from nps.contacts.rules.joining import Book, Known, Outcome, Placer
from nps.contacts.rules.matching import Matching
from nps.contacts.rules.properties import Property
from nps.contacts.rules.tables import Piece
from nps.contacts.service.importing.bulk import look_up, note_numbers, stop_the_unsubscribed, store_bad, store_contacts, store_erased
from nps.contacts.service.importing.files import BadRow, ReadRows, column_of, context_now, locked, read_rows, records_of
from nps.core import clock, events, ids, settings, tenancy
from nps.core.db import db

CHUNK = 2_000
"""Rows of one unit of work: short enough that nobody waits for the database, long enough to be quick."""

JUDGED = 1_000
"""Rows that are looked at before anything is stored."""


class Overtaken(Exception):
    """Another worker went on with this import, or it was stopped or finished: this one has nothing to do any more."""


@dataclass
class Chunk:
    """Rows that were read, with the place behind them."""

    read: ReadRows
    rows: int
    begins_after: int
    ends_at: int
    place: Piece
    last: bool


class Run:
    """One worker's way through one import. `read` and `store` are called in turns, each in a unit of work of its own."""

    def __init__(self, import_id: UUID) -> None:
        row = queries.get_import(import_id)
        if row.state != "running":
            raise Overtaken
        self.import_id = import_id
        self.now = clock.now()
        self.chosen = Matching.from_json(row.matching)
        base = context_now(self.now)
        self.properties: Mapping[str, Property] = {**base.properties, **self.chosen.new}
        self.reader = self.chosen.reader(base)
        self.slots = self.chosen.slots()
        self.header_row = row.header_row
        self.at = row.cursor_row
        self.source = f"import {row.filename}"[:120]
        self.stops = queries.Stops(self.now)
        self.by = row.started_by
        self.records = records_of(row, Piece(row.cursor_part, row.cursor_offset), row.cursor_row)
        self._rows = iter(self.records)

    def read(self) -> Chunk:
        """The next rows of the file, read and checked, nothing stored."""
        rows: list[tuple[int, list[str]]] = []
        last = True
        for number, cells in self._rows:
            if number == self.header_row:
                continue
            rows.append((number, cells))
            if len(rows) == CHUNK:
                last = False
                break
        began, self.at = self.at, self.records.row
        return Chunk(read_rows(self.reader, rows), len(rows), began, self.at, self.records.lines.place, last)

    def store(self, chunk: Chunk) -> bool:
        """Store a chunk, its counts and the place behind it; True when the import has ended. Raises `Overtaken`."""
        row = _claim(self.import_id, chunk.begins_after)
        if row.stop_asked_at is not None:
            _finish(row, "stopped")
            return True
        book = Book()
        look_up(book, [record for _, _, record in chunk.read.good], self.import_id)
        placer = Placer(book, self.chosen.mode, self.slots, self.properties)
        bad = list(chunk.read.bad)
        counts = dict.fromkeys(Outcome, 0)
        touched: dict[UUID, Known] = {}
        erased: list[tuple[int, datetime]] = []
        opted_out = 0
        for number, cells, record in chunk.read.good:
            stop = self.stops.of(record.get("email"))
            if stop is not None and stop.erased:
                counts[Outcome.LEFT_OUT] += 1
                erased.append((number, stop.since))
                continue
            try:
                outcome, known = placer.place(number, record, ids.new_id())
            except Misfit as misfit:
                bad.append((number, cells, column_of(self.reader, misfit), misfit.reason))
                continue
            counts[outcome] += 1
            opted_out += stop is not None
            if known is not None and known.touched:
                touched[known.id] = known
        if not chunk.begins_after and _refused(row, chunk, bad):
            return True
        clock_now = clock.now()
        note_numbers(row, store_contacts(self.import_id, touched.values(), clock_now, self.source, self.by))
        store_bad(self.import_id, bad)
        store_erased(self.import_id, erased)
        stop_the_unsubscribed(record for _, _, record in chunk.read.good)
        _advance(row, chunk, counts, len(bad))
        row.opted_out += opted_out
        if chunk.last:
            _finish(row, "done")
        db.session.flush()
        return chunk.last


def _claim(import_id: UUID, cursor: int) -> Import:
    """The import, locked, if it still stands where this worker left it. Raises `Overtaken`."""
    row = locked(import_id)
    if row.state != "running" or row.cursor_row != cursor:
        raise Overtaken
    return row


def _refused(row: Import, chunk: Chunk, bad: Sequence[BadRow]) -> bool:
    """Are most of the first rows unusable? Then nothing is taken: the columns are probably matched wrongly."""
    numbers = sorted([n for n, _, _ in chunk.read.good] + [n for n, _, _, _ in chunk.read.bad])[:JUDGED]
    if len(numbers) < 20:
        return False
    reasons = [reason for number, _, _, reason in bad if number <= numbers[-1]]
    if len(reasons) * 2 <= len(numbers):
        return False
    which = f"the first {len(numbers):,}" if len(numbers) == JUDGED else f"the {len(numbers):,}"
    row.message = (
        f"{len(reasons):,} of {which} rows have a problem, mostly “{matching_rules.mostly(reasons)}”. "
        "Nothing was imported; check the matched columns."
    )
    _finish(row, "refused")
    return True


def _advance(row: Import, chunk: Chunk, counts: Mapping[Outcome, int], bad: int) -> None:
    row.cursor_part, row.cursor_offset, row.cursor_row = chunk.place.number, chunk.place.offset, chunk.ends_at
    row.done_rows += chunk.rows
    row.added += counts[Outcome.ADDED]
    row.updated += counts[Outcome.UPDATED]
    row.unchanged += counts[Outcome.UNCHANGED]
    row.left_out += counts[Outcome.LEFT_OUT]
    row.to_fix += bad


def _finish(row: Import, state: str) -> None:
    now = clock.now()
    row.state, row.finished_at = state, now
    if state != "refused":
        # What was not right in the file waits in rows of its own; the file itself is of no use any more.
        db.session.execute(delete(ImportPart).where(ImportPart.import_id == row.id).execution_options(synchronize_session=False))
    db.session.flush()
    events.publish(ImportFinished(tenancy.current(), row.id, state, row.added, row.updated, row.to_fix, now))


def tell(import_id: UUID) -> None:
    """Mail the member who started an import that it has ended."""
    row = queries.get_import(import_id)
    account = accounts.get_account(tenancy.current())
    user = accounts.get_user(row.started_by_id) if row.started_by_id else None
    if user is not None:
        values = {
            "name": user.name, "account": account.name, "link": f"{settings.current().base_url}/{account.slug}/imports/{row.id}",
            "filename": row.filename,
            "state": row.state, "rows": row.done_rows, "added": row.added, "updated": row.updated, "unchanged": row.unchanged,
            "to_fix": row.to_fix, "left_out": row.left_out, "message": row.message or "",
        }  # fmt: skip
        letters.mail_address("import_done", user.email, values, key=f"import:{row.id}:{row.state}")
