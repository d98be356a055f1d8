"""One contact and the properties of the account."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select

from nps.contacts.models import ConsentChange, Contact, ContactAlias, ContactTally, PropertyDefinition
from nps.contacts.rules.properties import Kind, Property
from nps.core import tenancy
from nps.core.db import db
from nps.core.errors import NotFound


def get_contact(contact_id: UUID) -> Contact:
    """Raises `NotFound`."""
    found = find_contact(contact_id)
    if found is None:
        raise NotFound("There is no such contact.")
    return found


def find_contact(contact_id: UUID) -> Contact | None:
    return db.session.scalar(select(Contact).where(Contact.id == contact_id))


def find_by_email(email: str) -> Contact | None:
    """The contact with this address (any case), else the one who had it formerly."""
    key = email.strip().lower()
    found = db.session.scalar(select(Contact).where(Contact.email_key == key))
    if found is not None:
        return found
    former = select(ContactAlias.contact_id).where(ContactAlias.email_key == key)
    contact_id = db.session.scalar(former)
    return find_contact(contact_id) if contact_id is not None else None


def find_by_identity(name: str, value: str) -> Contact | None:
    """The contact whose `email`, `phone` or `external_id` is `value` now."""
    columns = {"email": Contact.email_key, "phone": Contact.phone, "external_id": Contact.external_id}
    return db.session.scalar(select(Contact).where(columns[name] == (value.lower() if name == "email" else value)))


def list_by_ids(contact_ids: Sequence[UUID]) -> Sequence[Contact]:
    """The contacts of these ids, in no order."""
    return db.session.scalars(select(Contact).where(Contact.id.in_(contact_ids))).all() if contact_ids else []


def count_contacts() -> int:
    """How many contacts the account has (erased ones not counted). Kept while they are written, so it costs one row."""
    return db.session.scalar(select(ContactTally.contacts).where(ContactTally.account_id == tenancy.current())) or 0


def list_definitions(*, archived: bool = False) -> Sequence[PropertyDefinition]:
    """The account's properties by label."""
    query = select(PropertyDefinition).order_by(PropertyDefinition.label, PropertyDefinition.key)
    return db.session.scalars(query if archived else query.where(PropertyDefinition.archived_at.is_(None))).all()


def properties() -> Mapping[str, Property]:
    """The account's properties as rules read them, by key."""
    return {d.key: as_property(d) for d in list_definitions()}


def as_property(definition: PropertyDefinition) -> Property:
    return Property(definition.key, definition.label, Kind(definition.kind), tuple(definition.choices))


def list_consent_changes(contact_id: UUID) -> Sequence[ConsentChange]:
    """Changes of consent of a person, newest first."""
    query = select(ConsentChange).where(ConsentChange.contact_id == contact_id).order_by(ConsentChange.id.desc())
    return db.session.scalars(query).all()
