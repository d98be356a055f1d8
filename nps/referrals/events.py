"""What happened to advocates, referrals and sales."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class AdvocateEnrolled:
    """A contact has a link from now on."""

    account_id: UUID
    advocate_id: UUID
    program_id: UUID
    contact_id: UUID
    source: str
    occurred_at: datetime


@dataclass(frozen=True)
class AdvocateLeft:
    """An advocate left, was removed or was withdrawn; `state` says which."""

    account_id: UUID
    advocate_id: UUID
    program_id: UUID
    contact_id: UUID
    state: str
    occurred_at: datetime


@dataclass(frozen=True)
class ShareRecorded:
    """An advocate shared the link over a channel."""

    account_id: UUID
    advocate_id: UUID
    channel: str
    source: str
    occurred_at: datetime


@dataclass(frozen=True)
class ReferralSettled:
    """The facts of a referral were weighed again; perhaps nothing changed. `advocate_ids`: everybody whose rewards may differ now."""

    account_id: UUID
    referral_id: UUID
    advocate_ids: tuple[UUID, ...]
    state: str
    occurred_at: datetime


@dataclass(frozen=True)
class ReferralMoved:
    """A referral is in another state: claimed, signed_up, qualified, rewarded, closed, expired, reversed, voided."""

    account_id: UUID
    referral_id: UUID
    advocate_id: UUID
    before: str
    after: str
    reason: str
    occurred_at: datetime


@dataclass(frozen=True)
class ConversionRecorded:
    """A sale was stored; without a referral it has no source yet."""

    account_id: UUID
    conversion_id: UUID
    referral_id: UUID | None
    occurred_at: datetime


@dataclass(frozen=True)
class ConversionAdjusted:
    """What is left of a sale changed: refund, credit note, dispute."""

    account_id: UUID
    conversion_id: UUID
    referral_id: UUID | None
    occurred_at: datetime
