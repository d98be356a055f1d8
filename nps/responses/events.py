"""What happened to answers. Only verified answers are published."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class ResponseVerified:
    """An answer counts from now on, for the first time."""

    account_id: UUID
    response_id: UUID
    invitation_id: UUID
    contact_id: UUID | None
    score: int
    nps_group: str
    wants_reply: bool
    has_comment: bool
    counted_late: bool
    occurred_at: datetime


@dataclass(frozen=True)
class ResponseUpdated:
    """A verified answer was changed by its author."""

    account_id: UUID
    response_id: UUID
    contact_id: UUID | None
    old_score: int
    new_score: int
    had_comment: bool
    has_comment: bool
    wished_reply: bool
    wants_reply: bool
    occurred_at: datetime


@dataclass(frozen=True)
class ResponseUncounted:
    """A verified answer was left out, withdrawn or quarantined; `reason` says which."""

    account_id: UUID
    response_id: UUID
    contact_id: UUID | None
    score: int
    reason: str
    occurred_at: datetime


@dataclass(frozen=True)
class ResponseRecounted:
    """An answer that was left out counts again."""

    account_id: UUID
    response_id: UUID
    contact_id: UUID | None
    score: int
    occurred_at: datetime
