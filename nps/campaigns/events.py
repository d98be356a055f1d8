"""What happened to campaigns and invitations."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class CampaignLaunched:
    """A wave was opened; planning begins."""

    account_id: UUID
    campaign_id: UUID
    wave: int
    occurred_at: datetime


@dataclass(frozen=True)
class InvitationsPlanned:
    """A part of a wave has its invitations or reasons."""

    account_id: UUID
    campaign_id: UUID
    wave: int
    planned: int
    skipped: int


@dataclass(frozen=True)
class InvitationsAsked:
    """Messages went out (or may have): the clock of these contacts started."""

    account_id: UUID
    invitation_ids: tuple[UUID, ...]
    occurred_at: datetime


@dataclass(frozen=True)
class CampaignPaused:
    """Nothing more starts; `reason` says who or what did it."""

    account_id: UUID
    campaign_id: UUID
    reason: str
    occurred_at: datetime


@dataclass(frozen=True)
class CampaignResumed:
    """It goes on."""

    account_id: UUID
    campaign_id: UUID
    occurred_at: datetime


@dataclass(frozen=True)
class CampaignStopped:
    """It ended before its time."""

    account_id: UUID
    campaign_id: UUID
    occurred_at: datetime


@dataclass(frozen=True)
class WaveFinished:
    """Nothing of this wave is left to send."""

    account_id: UUID
    campaign_id: UUID
    wave: int
    occurred_at: datetime
