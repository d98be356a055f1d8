"""Campaigns and invitations."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from nps.core.db import Base
from nps.core.tenancy import AccountOwned, account_fk, owned_fk


class Campaign(AccountOwned, Base):
    """draft → scheduled → running ⇄ paused → finished or stopped → archived."""

    __tablename__ = "campaign"
    __table_args__ = (account_fk(), owned_fk("survey_id", "survey"), Index("ix_campaign_state", "account_id", "state"))

    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(10), default="one_time")
    series: Mapped[str] = mapped_column(String(14), default="relationship")
    state: Mapped[str] = mapped_column(String(10), default="draft")
    channel: Mapped[str] = mapped_column(String(10), default="email")
    survey_id: Mapped[UUID]
    segment_id: Mapped[UUID | None]
    sample_percent: Mapped[int] = mapped_column(default=100)
    gap_days: Mapped[int] = mapped_column(default=90)
    reminder_days: Mapped[int | None] = mapped_column(default=5)
    answer_days: Mapped[int] = mapped_column(default=30)
    send_now: Mapped[bool] = mapped_column(default=True)
    start_at: Mapped[datetime | None]
    window: Mapped[dict[str, Any]] = mapped_column(default=dict)
    spread_days: Mapped[int] = mapped_column(default=1)
    wave: Mapped[int] = mapped_column(default=0)
    batch_id: Mapped[UUID | None]
    confirmed_count: Mapped[int | None]
    paused_reason: Mapped[str | None] = mapped_column(String(40))
    edited_at: Mapped[datetime]
    edited_by_id: Mapped[UUID | None]
    created_at: Mapped[datetime]
    launched_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    archived_at: Mapped[datetime | None]


class Invitation(AccountOwned, Base):
    """One contact asked once in one wave of one campaign; or walked in, asked by a member for a test, and so on."""

    __tablename__ = "invitation"
    __table_args__ = (
        account_fk(),
        owned_fk("campaign_id", "campaign"),
        owned_fk("contact_id", "contact"),
        owned_fk("survey_version_id", "survey_version"),
        UniqueConstraint("account_id", "campaign_id", "wave", "contact_id"),
        Index("ix_invitation_state", "account_id", "campaign_id", "state"),
        Index("ix_invitation_contact", "account_id", "contact_id", "asked_at"),
        Index("ix_invitation_asked", "account_id", "asked_at"),
        Index("ix_invitation_due", "due_at", sqlite_where=text("state = 'planned'"), postgresql_where=text("state = 'planned'")),
    )

    campaign_id: Mapped[UUID]
    wave: Mapped[int]
    contact_id: Mapped[UUID | None]
    channel: Mapped[str] = mapped_column(String(10), default="email")
    state: Mapped[str] = mapped_column(String(12), default="planned")
    reason: Mapped[str | None] = mapped_column(String(24))
    reason_until: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    asked_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    language: Mapped[str] = mapped_column(String(20), default="en")
    survey_version_id: Mapped[UUID | None]
    variant: Mapped[str | None] = mapped_column(String(40))
    is_test: Mapped[bool] = mapped_column(default=False)
    canary: Mapped[bool] = mapped_column(default=False)
    asked_properties: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
