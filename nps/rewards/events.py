"""What happened to rewards."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class RewardMoved:
    """A reward is in another state."""

    account_id: UUID
    reward_id: UUID
    referral_id: UUID
    advocate_id: UUID
    before: str
    after: str
    occurred_at: datetime


@dataclass(frozen=True)
class RewardIssued:
    """A reward was handed over."""

    account_id: UUID
    reward_id: UUID
    advocate_id: UUID
    amount: int
    currency: str
    occurred_at: datetime
