"""Columns and fields of a file: settled, tried out on the first rows, decided."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from nps.accounts import queries as accounts
from nps.contacts import queries
from nps.contacts.errors import WrongState
from nps.contacts.models import Import
from nps.contacts.rules import matching as matching_rules
from nps.contacts.rules.fields import PROPERTY, Misfit, Record
from nps.contacts.rules.joining import Book, Outcome, Placer
from nps.contacts.rules.matching import Matching
from nps.contacts.rules.values import DateOrder
from nps.contacts.service.importing.bulk import look_up
from nps.contacts.service.importing.files import chunks, context_now, locked, only_in, read_rows, records_of
from nps.contacts.service.properties import define_property
from nps.core import clock, ids, tenancy
from nps.core.db import db
from nps.core.errors import Invalid, Refused
from nps.jobs import outbox

UNCONFIRMED_MAX = 100
"""Rows an account may import before its address is confirmed."""

PREVIEW = 20
PREVIEW_COUNTED = 20_000
_STEP = 2_000


@dataclass
class Preview:
    """What an import would do: the first rows as they will be stored, and counts over the first 20,000."""

    rows: list[tuple[int, Record | None, str]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: {outcome.value: 0 for outcome in Outcome})
    seen: int = 0
    opted_out: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)


def preview(row: Import, chosen: Matching) -> Preview:
    """Play the first 20,000 rows against the contacts there are, and store nothing."""
    base = context_now(clock.now())
    reader, slots = chosen.reader(base), chosen.slots()
    properties = {**base.properties, **chosen.new}
    found = Preview()
    book = Book()
    placer = Placer(book, chosen.mode, slots, properties)
    stops = queries.Stops(base.now)
    for rows in chunks(records_of(row), row.header_row, _STEP, PREVIEW_COUNTED):
        read = read_rows(reader, rows)
        look_up(book, [r for _, _, r in read.good], None)
        bad = {number: reason for number, _, _, reason in read.bad}
        for number, _, record in read.good:
            stop = stops.of(record.get("email"))
            found.opted_out += stop is not None and not stop.erased
            if stop is not None and stop.erased:
                found.counts[Outcome.LEFT_OUT.value] += 1
                continue
            try:
                outcome, _known = placer.place(number, record, ids.new_id())
                found.counts[outcome.value] += 1
            except Misfit as misfit:
                bad[number] = misfit.reason
        found.counts[Outcome.TO_FIX.value] += len(bad)
        found.seen += len(rows)
        found.problems += sorted(bad.items())[: max(0, PREVIEW - len(found.problems))]
        if not found.rows:
            good = {number: record for number, _, record in read.good}
            found.rows = [(number, good.get(number), bad.get(number, "")) for number, _ in rows[:PREVIEW]]
    return found


def settle(row: Import, chosen: Matching, asked: Mapping[str, DateOrder] | None = None) -> list[str]:
    """Work out how dates and numbers of this file are written; returns the date fields that have to be asked."""
    return matching_rules.settle(chosen, chunks(records_of(row), row.header_row, _STEP), queries.properties(), asked)


def start(import_id: UUID, chosen: Matching) -> Import:
    """Let the import run. Properties that it needs are made now. Raises `Invalid`, `WrongState`, `Refused`."""
    now = clock.now()
    row = locked(import_id)
    only_in(row, "uploaded", "refused")
    if row.forgotten_at is not None:
        raise WrongState("The file was deleted a day after it was uploaded. Upload it again.")
    wrong = matching_rules.problems(chosen, queries.properties())
    if wrong:
        raise Invalid(wrong[0], fields={"columns": wrong[0]})
    account = accounts.get_account(tenancy.current())
    if account.state == "unverified" and queries.count_contacts() + row.rows > UNCONFIRMED_MAX:
        raise Refused(
            f"Until your address is confirmed {UNCONFIRMED_MAX} contacts can be imported. Your file is kept; confirm and come back."
        )
    for key, prop in chosen.new.items():
        if key in chosen_keys(chosen):
            define_property(prop.label, prop.kind, key=key, choices=prop.choices)
    row.matching, row.state, row.message = chosen.as_json(), "running", None
    row.started_at, row.finished_at, row.stop_asked_at = now, None, None
    row.cursor_part = row.cursor_offset = row.cursor_row = row.done_rows = 0
    db.session.flush()
    outbox.enqueue("contacts.run_import", {"import_id": str(import_id)}, key=str(import_id))
    return row


def chosen_keys(chosen: Matching) -> set[str]:
    """Keys of the properties that columns are matched to."""
    return {target[len(PROPERTY) :] for _, target in chosen.used if target.startswith(PROPERTY)}


def ask_to_stop(import_id: UUID) -> Import:
    """The import ends after the rows it is just storing. What is in stays and can be undone."""
    row = locked(import_id)
    only_in(row, "running")
    row.stop_asked_at = row.stop_asked_at or clock.now()
    db.session.flush()
    return row
