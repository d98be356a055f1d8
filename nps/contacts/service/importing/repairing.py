"""A row that waits gets its cell corrected and goes in."""

from uuid import UUID

from sqlalchemy import select

from nps.contacts.errors import WrongState
from nps.contacts.models import ImportRow
from nps.contacts.rules.fields import Misfit
from nps.contacts.rules.joining import Book, Outcome, Placer
from nps.contacts.rules.matching import Matching
from nps.contacts.service.importing.bulk import look_up, note_numbers, stop_the_unsubscribed, store_contacts
from nps.contacts.service.importing.files import context_now, locked, only_in
from nps.core import clock, ids
from nps.core.db import db
from nps.core.errors import Invalid, NotFound


def fix_row(import_id: UUID, row_id: UUID, typed: str) -> Outcome:
    """Put `typed` into the cell that was wrong and take the row in. Raises `Invalid` with what is (still) wrong."""
    now = clock.now()
    row = locked(import_id)
    only_in(row, "running", "done", "stopped")
    waiting = db.session.scalar(
        select(ImportRow).where(ImportRow.id == row_id, ImportRow.import_id == import_id, ImportRow.kind == "fix").with_for_update()
    )
    if waiting is None:
        raise NotFound("There is no such row. It may have been corrected already.")
    if waiting.fixed_at is not None:
        raise WrongState("This row was corrected already. Nothing was changed.")
    chosen = Matching.from_json(row.matching)
    base = context_now(now)
    reader = chosen.reader(base)
    cells = list(waiting.cells)
    if waiting.column is not None:
        cells += [""] * (waiting.column + 1 - len(cells))
        cells[waiting.column] = typed.strip()
    try:
        record = reader.read(cells)
        book = Book()
        look_up(book, [record], import_id)
        placer = Placer(book, chosen.mode, chosen.slots(), {**base.properties, **chosen.new})
        outcome, known = placer.place(waiting.row, record, ids.new_id())
    except Misfit as misfit:
        raise Invalid(f"Row {waiting.row:,} is not in yet: {misfit.reason}.", fields={"value": misfit.reason}) from None
    if known is not None and known.touched:
        note_numbers(row, store_contacts(import_id, [known], now, f"import {row.filename}"[:120], row.started_by))
    stop_the_unsubscribed([record])
    waiting.cells, waiting.fixed_at = [], now
    row.to_fix -= 1
    setattr(row, outcome.value, getattr(row, outcome.value) + 1)
    db.session.flush()
    return outcome
