"""What happened to cases. Ids and facts only, each published once in the transaction that did it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class CaseOpened:
    account_id: UUID
    case_id: UUID
    contact_id: UUID
    response_id: UUID | None
    queue_id: UUID
    owner_id: UUID | None
    score: int | None
    wants_reply: bool
    due_at: datetime | None
    occurred_at: datetime


@dataclass(frozen=True)
class CaseAssigned:
    account_id: UUID
    case_id: UUID
    owner_id: UUID | None
    occurred_at: datetime


@dataclass(frozen=True)
class CaseReplied:
    """A person wrote, or a contact by phone or in person was logged."""

    account_id: UUID
    case_id: UUID
    contact_id: UUID
    response_id: UUID | None
    met: bool | None
    occurred_at: datetime


@dataclass(frozen=True)
class CaseWaiting:
    account_id: UUID
    case_id: UUID
    occurred_at: datetime


@dataclass(frozen=True)
class CustomerWrote:
    """A message of the customer landed in a case."""

    account_id: UUID
    case_id: UUID
    contact_id: UUID
    occurred_at: datetime


@dataclass(frozen=True)
class CaseOverdue:
    """A reply clock ran out."""

    account_id: UUID
    case_id: UUID
    owner_id: UUID | None
    due_at: datetime
    occurred_at: datetime


@dataclass(frozen=True)
class CaseEscalated:
    """A step of the escalation was reached: `percent` of the target is used."""

    account_id: UUID
    case_id: UUID
    percent: int
    told: tuple[UUID, ...]
    occurred_at: datetime


@dataclass(frozen=True)
class CaseClosed:
    account_id: UUID
    case_id: UUID
    contact_id: UUID
    response_id: UUID | None
    outcome: str
    cause_id: UUID | None
    occurred_at: datetime


@dataclass(frozen=True)
class CaseReopened:
    account_id: UUID
    case_id: UUID
    contact_id: UUID
    occurred_at: datetime
