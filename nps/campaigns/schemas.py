"""Campaigns and invitations as the API gives them. Names are those of the export."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, model_validator

from nps.api.shapes import Instant, Paged, PageQuery, Shape, Text, Whole, rfc3339
from nps.campaigns.models import Campaign, Invitation
from nps.campaigns.service import Reply


class InviteIn(Shape):
    """Who is asked: exactly one of the three. delay_minutes: not before so many minutes from now."""

    contact_id: UUID | None = None
    email: Annotated[Text | None, Field(max_length=254)] = None
    external_id: Annotated[Text | None, Field(max_length=100)] = None
    delay_minutes: Annotated[Whole, Field(ge=0, le=43_200)] = 0

    @model_validator(mode="after")
    def _one(self) -> "InviteIn":
        if sum(value is not None for value in (self.contact_id, self.email, self.external_id)) != 1:
            raise ValueError("Send exactly one of contact_id, email and external_id.")
        return self


class InviteOut(Shape):
    """planned: a message is on its way to being sent at `due_at`. Otherwise, or while it waits, `reason` says why."""

    planned: bool
    invitation_id: UUID | None
    due_at: Instant | None
    reason: str | None = Field(description="why nothing is sent, or what it waits for")
    reason_until: Instant | None


class InvitationOut(Shape):
    """One contact asked once in one wave of one campaign."""

    invitation_id: UUID
    campaign_id: UUID
    wave: int
    contact_id: UUID | None
    channel: str
    state: str
    reason: str | None
    reason_until: Instant | None
    due_at: Instant | None
    asked_at: Instant | None
    reminded_at: Instant | None
    answered_at: Instant | None
    expires_at: Instant | None
    language: str


class CampaignOut(Shape):
    """A campaign."""

    campaign_id: UUID
    name: str
    kind: str
    series: str
    state: str
    channel: str
    wave: int
    created_at: Instant
    launched_at: Instant | None
    finished_at: Instant | None


class CampaignPage(Paged[CampaignOut]):
    """A page of campaigns."""


class CampaignsQuery(PageQuery):
    """Filters of the list."""

    state: Annotated[Text | None, Field(max_length=20)] = None


INVITE_EXAMPLE: dict[str, Any] = {"email": "dana@brightoak.example"}
INVITED_EXAMPLE: dict[str, Any] = {
    "planned": True,
    "invitation_id": "019a3b5e-7c00-7000-8000-000000000002",
    "due_at": "2026-10-07T13:20:00Z",
    "reason": None,
    "reason_until": None,
}


def _time(value: Any) -> str | None:
    return rfc3339(value) if value is not None else None


def invited(reply: Reply) -> dict[str, Any]:
    return {
        "planned": reply.planned,
        "invitation_id": str(reply.invitation_id) if reply.invitation_id else None,
        "due_at": _time(reply.due_at),
        "reason": str(reply.reason) if reply.reason else None,
        "reason_until": _time(reply.until),
    }


def invitation(row: Invitation) -> dict[str, Any]:
    times = ("reason_until", "due_at", "asked_at", "reminded_at", "answered_at", "expires_at")
    return {
        "invitation_id": str(row.id),
        "campaign_id": str(row.campaign_id),
        "contact_id": str(row.contact_id) if row.contact_id else None,
        **{name: getattr(row, name) for name in ("wave", "channel", "state", "reason", "language")},
        **{name: _time(getattr(row, name)) for name in times},
    }


def campaign(row: Campaign) -> dict[str, Any]:
    return {
        "campaign_id": str(row.id),
        **{name: getattr(row, name) for name in ("name", "kind", "series", "state", "channel", "wave")},
        **{name: _time(getattr(row, name)) for name in ("created_at", "launched_at", "finished_at")},
    }
