"""Surveys and their frozen versions."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from nps.core.db import Base
from nps.core.tenancy import AccountOwned, account_fk, owned_fk


class Survey(AccountOwned, Base):
    """What is asked and in which words: the draft that the next version is made from."""

    __tablename__ = "survey"
    __table_args__ = (account_fk(),)

    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(6), default="nps")
    product: Mapped[str] = mapped_column(String(60))
    whom: Mapped[str] = mapped_column(String(40))
    why_detractor: Mapped[str] = mapped_column(String(140))
    why_passive: Mapped[str] = mapped_column(String(140))
    why_promoter: Mapped[str] = mapped_column(String(140))
    one_tap_question: Mapped[str] = mapped_column(String(140), default="")
    one_tap_options: Mapped[list[str]] = mapped_column(default=list)
    subject: Mapped[str] = mapped_column(String(78))
    preview: Mapped[str] = mapped_column(String(140), default="")
    intro: Mapped[str] = mapped_column(String(300), default="")
    closing: Mapped[str] = mapped_column(String(200), default="")
    from_name: Mapped[str] = mapped_column(String(80), default="")
    sender_name: Mapped[str] = mapped_column(String(80), default="")
    sender_role: Mapped[str] = mapped_column(String(80), default="")
    thanks_promoter: Mapped[str] = mapped_column(String(500), default="")
    thanks_passive: Mapped[str] = mapped_column(String(500), default="")
    thanks_detractor: Mapped[str] = mapped_column(String(500), default="")
    reminder_subject: Mapped[str] = mapped_column(String(78), default="")
    reminder_text: Mapped[str] = mapped_column(String(300), default="")
    language: Mapped[str] = mapped_column(String(20), default="en")
    brand_color: Mapped[str | None] = mapped_column(String(7))
    leading_kept_at: Mapped[datetime | None]
    """When a member kept words that ask for a good score although the page advised against them; and who."""
    leading_kept_by: Mapped[str] = mapped_column(String(120), default="")
    edited_at: Mapped[datetime]
    edited_by_id: Mapped[UUID | None]
    created_at: Mapped[datetime]
    archived_at: Mapped[datetime | None]


class SurveyVersion(AccountOwned, Base):
    """The words as one wave's messages use them. Never changed."""

    __tablename__ = "survey_version"
    __table_args__ = (
        account_fk(),
        owned_fk("survey_id", "survey"),
        UniqueConstraint("account_id", "survey_id", "number"),
        UniqueConstraint("account_id", "survey_id", "content_hash"),
    )

    survey_id: Mapped[UUID]
    number: Mapped[int]
    wording: Mapped[dict[str, Any]]
    content_hash: Mapped[str] = mapped_column(String(64))
    question_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
