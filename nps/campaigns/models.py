"""Campaigns, their waves, invitations, and the planner's table of due times."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from nps.core.db import Base
from nps.core.tenancy import AccountOwned, account_fk, owned_fk


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


class Campaign(AccountOwned, Base):
    """draft → scheduled → running ⇄ paused → finished or stopped → archived (`rules.states`)."""

    __tablename__ = "campaign"
    __table_args__ = (
        account_fk(),
        owned_fk("survey_id", "survey"),
        Index("ix_campaign_state", "account_id", "state"),
        Index("ix_campaign_start", "start_at", **_where("state = 'scheduled'")),
    )

    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(10), default="one_time")  # one_time, rolling, event
    series: Mapped[str] = mapped_column(String(14), default="relationship")
    state: Mapped[str] = mapped_column(String(10), default="draft")
    channel: Mapped[str] = mapped_column(String(10), default="email")
    survey_id: Mapped[UUID]
    segment_id: Mapped[UUID | None]
    """Who is asked; None = every contact."""
    exclude_ids: Mapped[list[str]] = mapped_column(default=list)
    """Segments left out."""
    sample_percent: Mapped[int] = mapped_column(default=100)
    gap_days: Mapped[int] = mapped_column(default=90)
    min_age_days: Mapped[int] = mapped_column(default=30)
    reminder_days: Mapped[int | None]
    """None = no reminder. Without a default, because SQLAlchemy would put it in the place of None."""
    answer_days: Mapped[int] = mapped_column(default=30)
    lapse_hours: Mapped[int] = mapped_column(default=168)
    """So long after its due time an invitation that could not be sent lapses."""
    reply_to: Mapped[str] = mapped_column(String(254), default="")
    """The member who gets a copy of replies."""
    send_now: Mapped[bool] = mapped_column(default=False)
    start_at: Mapped[datetime | None]
    window: Mapped[dict[str, Any]] = mapped_column(default=dict)
    spread_days: Mapped[int] = mapped_column(default=0)
    """Sending days of a one-time wave; 0 = as many as needed so that none has over 2,000."""
    wave: Mapped[int] = mapped_column(default=0)
    """The number of the latest wave; 0 before the first."""
    confirmed_count: Mapped[int | None]
    """How many people matched when a member confirmed the start."""
    paused_reason: Mapped[str | None] = mapped_column(String(40))
    notice: Mapped[str] = mapped_column(String(300), default="")
    """What the product did by itself and members should know: a start that was refused."""
    edited_at: Mapped[datetime]
    edited_by_id: Mapped[UUID | None]
    created_at: Mapped[datetime]
    launched_at: Mapped[datetime | None]
    launched_by: Mapped[str] = mapped_column(String(120), default="")
    stopped_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    archived_at: Mapped[datetime | None]


class CampaignWave(AccountOwned, Base):
    """One run of a campaign: its frozen words, its mail batch and how far the planner has come."""

    __tablename__ = "campaign_wave"
    __table_args__ = (account_fk(), owned_fk("campaign_id", "campaign"), UniqueConstraint("account_id", "campaign_id", "number"))

    campaign_id: Mapped[UUID]
    number: Mapped[int]
    batch_id: Mapped[UUID]
    survey_version_id: Mapped[UUID]
    template_id: Mapped[UUID]
    reminder_template_id: Mapped[UUID | None]
    audience: Mapped[int]
    """How many people matched at the start."""
    days: Mapped[int] = mapped_column(default=1)
    """Daily parts."""
    daily: Mapped[int] = mapped_column(default=0)
    """The largest daily part that was confirmed; twice as many in a day pauses the campaign. 0 = no guard."""
    guard_from: Mapped[datetime | None]
    """A member looked and went on: the guard counts from here."""
    ranked: Mapped[int] = mapped_column(default=0)
    """People planned to be asked so far; the next one's rank decides the day."""
    cursor_id: Mapped[UUID | None]
    """The last contact planned."""
    opened_at: Mapped[datetime]
    planned_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    """When nothing of this wave was left to send."""


class WaveSlot(AccountOwned, Base):
    """The planner's scratch: minutes of one sending day for people of one zone and country, as instants. Deleted when planned.

    The minute `offset` of `length` is due at `base_at + (offset − from_offset) · step` minutes for from_offset ≤ offset < to_offset.
    """

    __tablename__ = "wave_slot"
    __table_args__ = (
        account_fk(),
        Index("ix_wave_slot_place", "account_id", "campaign_id", "wave", "time_zone", "country", "part"),
    )

    campaign_id: Mapped[UUID]
    wave: Mapped[int]
    time_zone: Mapped[str] = mapped_column(String(60))
    country: Mapped[str] = mapped_column(String(2))
    part: Mapped[int]
    length: Mapped[int]
    from_offset: Mapped[int]
    to_offset: Mapped[int]
    base_at: Mapped[datetime]
    step: Mapped[int]


class Invitation(AccountOwned, Base):
    """One contact asked once in one wave of one campaign (`rules.states`); or a member's test (`is_test`, no contact)."""

    __tablename__ = "invitation"
    __table_args__ = (
        account_fk(),
        owned_fk("campaign_id", "campaign"),
        owned_fk("contact_id", "contact"),
        owned_fk("survey_version_id", "survey_version"),
        UniqueConstraint("account_id", "campaign_id", "wave", "contact_id"),
        Index("ix_invitation_state", "account_id", "campaign_id", "wave", "state", "reason"),
        Index("ix_invitation_contact", "account_id", "contact_id", "asked_at"),
        Index("ix_invitation_asked", "account_id", "asked_at"),
        Index("ix_invitation_look", "account_id", "campaign_id", "look_at", **_where("state = 'planned' AND written_at IS NULL")),
        Index("ix_invitation_remind", "account_id", "campaign_id", "remind_at", **_where("remind_at IS NOT NULL")),
        Index("ix_invitation_expires", "expires_at", **_where("state IN ('asked', 'declined')")),
    )

    campaign_id: Mapped[UUID]
    wave: Mapped[int]
    contact_id: Mapped[UUID | None]
    channel: Mapped[str] = mapped_column(String(10), default="email")
    state: Mapped[str] = mapped_column(String(12), default="planned")
    reason: Mapped[str | None] = mapped_column(String(24))
    """Why not sent, or not yet; for an asked one whose reminder did not go, why not."""
    reason_until: Mapped[datetime | None]
    held_by: Mapped[str | None] = mapped_column(String(24))
    """The reason that held an invitation until it lapsed."""
    due_at: Mapped[datetime | None]
    look_at: Mapped[datetime | None]
    """When the gates look (again): due time, or the end of a wait."""
    written_at: Mapped[datetime | None]
    """When its message was queued. Planned and written: on its way."""
    asked_at: Mapped[datetime | None]
    remind_at: Mapped[datetime | None]
    """When the reminder is due; empty when there is none to come."""
    reminder_written_at: Mapped[datetime | None]
    """When the reminder was queued; empty again when it did not leave."""
    reminded_at: Mapped[datetime | None]
    picked_at: Mapped[datetime | None]
    """When a number was picked by something that is not plainly a machine."""
    replied_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    language: Mapped[str] = mapped_column(String(20), default="en")
    survey_version_id: Mapped[UUID | None]
    variant: Mapped[str | None] = mapped_column(String(40))
    is_test: Mapped[bool] = mapped_column(default=False)
    canary: Mapped[bool] = mapped_column(default=False)
    asked_properties: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What was known of the contact when the message was written."""
    created_at: Mapped[datetime]
