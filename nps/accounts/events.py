"""What floors above may want to know about accounts and their people."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class AccountOpened:
    """A company signed up. Its owner's address may still be unconfirmed."""

    account_id: UUID
    occurred_at: datetime


@dataclass(frozen=True)
class MemberJoined:
    account_id: UUID
    membership_id: UUID
    user_id: UUID
    role: str
    occurred_at: datetime


@dataclass(frozen=True)
class MemberRemoved:
    """Somebody is out: their sessions and keys have ended in the same transaction."""

    account_id: UUID
    membership_id: UUID
    user_id: UUID
    occurred_at: datetime


@dataclass(frozen=True)
class RoleChanged:
    account_id: UUID
    membership_id: UUID
    user_id: UUID
    old_role: str
    new_role: str
    occurred_at: datetime
