"""The one timeline of a person: what contacts know themselves, and what floors above offer."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from nps.contacts.models import Contact, Import
from nps.contacts.queries.contacts import get_contact, list_consent_changes, properties
from nps.contacts.queries.importing import list_changes_of
from nps.contacts.rules.fields import label
from nps.contacts.rules.timeline import Entry, Panel, PanelSource, Source
from nps.core.db import db
from nps.delivery import queries as delivery
from nps.delivery.models import Suppression

_HIDDEN = frozenset({"updated_at"})
_STOPPED = {
    "unsubscribed": "Stopped surveys",
    "complained": "Marked a survey as spam",
    "bounced": "Stopped: the address does not exist",
    "soft_bounced": "Rests: the address was unreachable too often",
    "blocked": "Stopped by a member",
    "imported": "Stopped: opted out before",
    "erased": "Stopped: asked to be erased",
}


class _Sources:
    """What the wiring handed in."""

    entries: tuple[Source, ...] = ()
    panels: tuple[PanelSource, ...] = ()


def use_sources(entries: Iterable[Source], panels: Iterable[PanelSource]) -> None:
    """Take the entries and panels that floors above offer. Called once by the application factory."""
    _Sources.entries, _Sources.panels = tuple(entries), tuple(panels)


def list_timeline(contact_id: UUID) -> list[Entry]:
    """Everything that is known of a person, in no order."""
    contact = get_contact(contact_id)
    found = [*_arrival(contact), *_imports(contact), *_consents(contact), *_stops(contact)]
    for source in _Sources.entries:
        found += source(contact_id)
    return found


def list_panels(contact_id: UUID) -> list[Panel]:
    """What floors above draw on the page of a person."""
    return [panel for source in _Sources.panels for panel in source(contact_id)]


def _arrival(contact: Contact) -> list[Entry]:
    if contact.added_by_import_id is None:
        return [Entry(contact.created_at, "Added to contacts", icon="plus")]
    filename = db.session.scalar(select(Import.filename).where(Import.id == contact.added_by_import_id))
    return [Entry(contact.created_at, f"Added with “{filename}”" if filename else "Added with an import", icon="upload")]


def _imports(contact: Contact) -> list[Entry]:
    known = properties()
    found = []
    for change, filename in list_changes_of(contact.id):
        words = []
        for name, (was, became) in change.fields.items():
            if name in _HIDDEN or name.startswith("currency"):
                continue
            noun = label("monthly_value" if name == "monthly_value_minor" else name, known)
            words.append(f"{noun[:1].lower()}{noun[1:]} {_change(name, was, became)}")
        found.append(Entry(change.changed_at, ", ".join([f"Imported with “{filename}”", *words]), icon="upload"))
    return found


def _change(name: str, was: Any, became: Any) -> str:
    if name == "monthly_value_minor" or isinstance(was, dict) or isinstance(became, dict):
        return "changed"
    if was in (None, ""):
        return f"set to {became}"
    return f"emptied, it was {was}" if became in (None, "") else f"changed from {was} to {became}"


def _consents(contact: Contact) -> list[Entry]:
    channels = {"email": "Email surveys", "sms": "Text messages"}
    return [
        Entry(
            change.changed_at,
            f"{channels[change.channel]}: consent {change.now}, was {change.was}" + (f", {change.source}" if change.source else ""),
            icon="shield",
        )
        for change in list_consent_changes(contact.id)
    ]


def _stops(contact: Contact) -> list[Entry]:
    found = []
    for stop in list_stops(contact, lifted=True):
        found.append(Entry(stop.since, _STOPPED.get(stop.reason, "Stopped"), icon="pause"))
        if stop.lifted_at is not None:
            found.append(Entry(stop.lifted_at, f"Stop lifted by {stop.lifted_by or 'the person'}", icon="check"))
    return found


def list_stops(contact: Contact, *, lifted: bool = False, now: datetime | None = None) -> Sequence[Suppression]:
    """The stops of a person's address, the latest first; `lifted`: those that are over too."""
    if not contact.email:
        return []
    query = select(Suppression).where(Suppression.key.in_(delivery.suppression_keys(contact.email)))
    if not lifted:
        query = query.where(Suppression.lifted_at.is_(None))
    found = db.session.scalars(query.order_by(Suppression.id.desc())).all()
    return [stop for stop in found if lifted or now is None or stop.until is None or stop.until > now]
