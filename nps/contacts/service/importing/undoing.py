"""An import is taken back: what it changed first, newest first, then the contacts that came with it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from nps.contacts import queries
from nps.contacts.errors import WrongState
from nps.contacts.events import ImportUndone
from nps.contacts.models import Contact, Import, ImportChange
from nps.contacts.rules.fields import IDENTITIES
from nps.contacts.service.contacts import note_consent, put, remove, values_of
from nps.contacts.service.importing.bulk import plain_value, real_value
from nps.contacts.service.importing.files import UNDO, locked, only_in
from nps.contacts.service.importing.running import Overtaken
from nps.core import clock, events, tenancy
from nps.core.db import db
from nps.jobs import outbox

STEP = 2_000
_LISTED = 1_000
"""Contacts that are named in the report of an undo."""


def undo(import_id: UUID) -> Import:
    """Take an import back, within 24 hours of its end. Raises `WrongState`."""
    now = clock.now()
    row = locked(import_id)
    only_in(row, "done", "stopped")
    assert row.finished_at is not None
    if now > row.finished_at + UNDO:
        raise WrongState("An import can be undone for 24 hours. Nothing was changed.")
    row.state = "undoing"
    row.undo_report = {"removed": 0, "restored": 0, "kept": []}
    db.session.flush()
    outbox.enqueue("contacts.undo_import", {"import_id": str(import_id)}, key=str(import_id))
    return row


def undo_step(import_id: UUID) -> bool:
    """Take back a part of the import, newest first; True when nothing is left. Raises `Overtaken` when it is not being undone."""
    now = clock.now()
    row = locked(import_id)
    if row.state != "undoing":
        raise Overtaken
    report = {"removed": 0, "restored": 0, "kept": [], **row.undo_report}
    changes = queries.list_changes_to_undo(import_id, STEP)
    if changes:
        _restore(row, changes, report, now)
    else:
        added = queries.list_added_by(row, STEP)
        if not added:
            row.state, row.undone_at, row.undo_report = "undone", now, report
            db.session.flush()
            events.publish(ImportUndone(tenancy.current(), import_id, report["removed"], report["restored"], len(report["kept"]), now))
            return True
        _take_out(added, report)
    row.undo_report = report
    db.session.flush()
    return False


def _restore(row: Import, changes: Sequence[ImportChange], report: dict[str, Any], now: datetime) -> None:
    """Give changed fields back what they were, unless somebody changed them again since."""
    contacts = {contact.id: contact for contact in queries.list_by_ids([change.contact_id for change in changes])}
    for change in changes:
        contact = contacts.get(change.contact_id)
        if contact is not None and contact.erased_at is None:
            _give_back(contact, change, report, f"import {row.filename} undone"[:120], now)
        db.session.delete(change)
    db.session.flush()


def _give_back(contact: Contact, change: ImportChange, report: dict[str, Any], source: str, now: datetime) -> None:
    fields = dict(change.fields)
    was_updated, became_updated = fields.pop("updated_at")
    untouched = plain_value(contact.updated_at) == became_updated
    stands = values_of(contact)
    back = {name: real_value(was) for name, (was, became) in fields.items() if plain_value(stands.get(name)) == became}
    for name in IDENTITIES:
        if back.get(name) and _taken(name, back[name], contact.id):
            del back[name]
    if not any((stands | back).get(name) for name in IDENTITIES):
        back = {}
    if len(back) < len(fields) and len(report["kept"]) < _LISTED:
        report["kept"].append({"number": contact.number, "name": contact.shown_name, "why": "changed again since"})
    if back:
        put(contact, back)
        note_consent(contact, stands, back, source, "", "", now)
        contact.updated_at = real_value(was_updated) if untouched and len(back) == len(fields) else now
        report["restored"] += 1
        db.session.flush()


def _taken(name: str, value: str, contact_id: UUID) -> bool:
    owner = queries.find_by_identity(name, value)
    return owner is not None and owner.id != contact_id


def _take_out(added: Sequence[Contact], report: dict[str, Any]) -> None:
    """Remove contacts that came with the import; who was asked or answered meanwhile stays."""
    gone = []
    for contact in added:
        if contact.last_answered_at is not None or (contact.last_asked_at is not None and contact.last_asked_at > contact.created_at):
            if len(report["kept"]) < _LISTED:
                report["kept"].append({"number": contact.number, "name": contact.shown_name, "why": "asked or answered meanwhile"})
            contact.added_by_import_id = None
        else:
            gone.append(contact.id)
    db.session.flush()
    remove(gone)
    report["removed"] += len(gone)
