"""Responses as the API gives them. Names are those of the export."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from nps.api.shapes import Instant, Paged, PageQuery, Shape, rfc3339
from nps.responses.models import Response


class ResponseOut(Shape):
    """One person's answer to one invitation. Only verified ones count."""

    response_id: UUID
    invitation_id: UUID
    contact_id: UUID | None
    campaign_id: UUID | None
    series: str
    kind: str
    channel: str
    score: int
    first_score: int
    nps_group: str
    comment: str
    reply_wanted: bool
    state: str
    method: str
    signals: list[str]
    partial: bool
    test: bool
    language: str
    first_at: Instant
    verified_at: Instant | None
    changed_at: Instant
    left_out_reason: str | None
    answered: dict[str, str | bool | float | int | None] = Field(description="properties as they were when the person answered")


class ResponsePage(Paged[ResponseOut]):
    """A page of responses."""


class ResponsesQuery(PageQuery):
    """Filters of the list. Without a state all states are listed."""

    campaign: UUID | None = None
    contact: UUID | None = None
    nps_group: Literal["promoter", "passive", "detractor"] | None = None
    state: Literal["provisional", "verified", "quarantined", "left_out", "withdrawn"] | None = None
    created_since: Annotated[Instant | None, Field(description="first answered at this time or later")] = None
    created_until: Annotated[Instant | None, Field(description="first answered before this time")] = None
    updated_since: Annotated[Instant | None, Field(description="changed at this time or later")] = None


EXAMPLE: dict[str, Any] = {
    "response_id": "019a3b5e-7c00-7000-8000-000000000003",
    "invitation_id": "019a3b5e-7c00-7000-8000-000000000002",
    "contact_id": "019a3b5e-7c00-7000-8000-000000000001",
    "campaign_id": "019a3b5e-7c00-7000-8000-000000000004",
    "series": "relationship",
    "kind": "nps",
    "channel": "email",
    "score": 9,
    "first_score": 9,
    "nps_group": "promoter",
    "comment": "Quarter end went from a week to an afternoon.",
    "reply_wanted": False,
    "state": "verified",
    "method": "sent",
    "signals": [],
    "partial": False,
    "test": False,
    "language": "en",
    "first_at": "2026-10-06T15:58:00Z",
    "verified_at": "2026-10-06T15:58:00Z",
    "changed_at": "2026-10-06T15:58:00Z",
    "left_out_reason": None,
    "answered": {"plan": "Growth"},
}


def response(row: Response) -> dict[str, Any]:
    """The response as data."""
    same = ("series", "kind", "channel", "score", "first_score", "nps_group", "comment", "state", "method", "partial", "language")
    return {
        "response_id": str(row.id),
        "invitation_id": str(row.invitation_id),
        "contact_id": str(row.contact_id) if row.contact_id else None,
        "campaign_id": str(row.campaign_id) if row.campaign_id else None,
        **{name: getattr(row, name) for name in same},
        "reply_wanted": row.wants_reply,
        "signals": [stored.split()[0] for stored in row.signals or []],
        "test": row.is_test,
        "first_at": rfc3339(row.first_at),
        "verified_at": rfc3339(row.verified_at) if row.verified_at else None,
        "changed_at": rfc3339(row.changed_at),
        "left_out_reason": row.left_out_reason,
        "answered": dict(row.answered_properties or {}),
    }
