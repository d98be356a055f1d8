"""What happened to contacts. Facts are ids and names of fields, never values."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class ContactCreated:
    """A contact was added by a member, the API or a form (imports publish one `ImportFinished` instead)."""

    account_id: UUID
    contact_id: UUID
    occurred_at: datetime


@dataclass(frozen=True)
class ContactUpdated:
    """Fields of a contact were changed."""

    account_id: UUID
    contact_id: UUID
    fields: tuple[str, ...]
    occurred_at: datetime


@dataclass(frozen=True)
class ContactErased:
    """A person asked to be erased: the contact is nameless now. Everybody who keeps copies removes them."""

    account_id: UUID
    contact_id: UUID
    occurred_at: datetime


@dataclass(frozen=True)
class ImportFinished:
    """An import ended: `state` is done, stopped or refused."""

    account_id: UUID
    import_id: UUID
    state: str
    added: int
    updated: int
    to_fix: int
    occurred_at: datetime


@dataclass(frozen=True)
class ImportUndone:
    """An import was taken back; `kept` contacts stayed because they were asked or answered meanwhile."""

    account_id: UUID
    import_id: UUID
    removed: int
    restored: int
    kept: int
    occurred_at: datetime
