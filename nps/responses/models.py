"""Hits, responses, their versions and further answers."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from nps.core.db import Base
from nps.core.tenancy import AccountOwned, account_fk, owned_fk


class Hit(AccountOwned, Base):
    """A request on a survey link, by whoever or whatever made it. Append-only."""

    __tablename__ = "hit"
    __table_args__ = (
        Index("ix_hit_invitation", "account_id", "invitation_id", "occurred_at"),
        Index("ix_hit_time", "account_id", "occurred_at"),
    )

    invitation_id: Mapped[UUID]
    occurred_at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(8), default="view")  # view, hidden, seen, post
    method: Mapped[str] = mapped_column(String(7))
    score: Mapped[int | None]
    network: Mapped[str] = mapped_column(String(50), default="")
    user_agent: Mapped[str] = mapped_column(String(300), default="")
    hand: Mapped[str | None] = mapped_column(String(6))  # how a person touched the page; "" the script saw none, NULL no script ran
    verdict: Mapped[str] = mapped_column(String(8), default="unclear")  # machine, person, unclear
    signals: Mapped[list[str]] = mapped_column(default=list)


class Response(AccountOwned, Base):
    """One person's answer to one invitation. Only `verified` ones count."""

    __tablename__ = "response"
    __table_args__ = (
        account_fk(),
        owned_fk("invitation_id", "invitation"),
        owned_fk("contact_id", "contact"),
        owned_fk("campaign_id", "campaign"),
        owned_fk("survey_version_id", "survey_version"),
        UniqueConstraint("account_id", "invitation_id"),
        CheckConstraint("score BETWEEN 0 AND 10", name="score_range"),
        Index("ix_response_day", "account_id", "first_day"),
        Index("ix_response_contact", "account_id", "contact_id", "first_day"),
        Index("ix_response_state", "account_id", "state", "first_at"),
    )

    invitation_id: Mapped[UUID]
    contact_id: Mapped[UUID | None]
    campaign_id: Mapped[UUID | None]
    survey_version_id: Mapped[UUID | None]
    series: Mapped[str] = mapped_column(String(14), default="relationship")
    kind: Mapped[str] = mapped_column(String(6), default="nps")
    channel: Mapped[str] = mapped_column(String(10), default="email")
    language: Mapped[str] = mapped_column(String(20), default="en")
    score: Mapped[int]
    first_score: Mapped[int]
    nps_group: Mapped[str] = mapped_column(String(10))
    comment: Mapped[str] = mapped_column(default="")
    wants_reply: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(String(12))  # provisional, verified, quarantined, left_out, withdrawn
    method: Mapped[str] = mapped_column(String(10), default="sent")  # sent, seen, reply, confirmed, counted, manual, import
    signals: Mapped[list[str]] = mapped_column(default=list)
    partial: Mapped[bool] = mapped_column(default=False)
    is_test: Mapped[bool] = mapped_column(default=False)
    left_out_reason: Mapped[str | None] = mapped_column(String(40))  # on a quarantined one: a member judged that it stays out
    reviewed_by_id: Mapped[UUID | None]  # the membership that counted it or left it out last
    reviewed_at: Mapped[datetime | None]
    reviewed_was: Mapped[str | None] = mapped_column(String(60))  # "state method reason" before that decision, for its undo
    answered_properties: Mapped[dict[str, Any]] = mapped_column(default=dict)
    first_at: Mapped[datetime]
    first_day: Mapped[date]  # in the account's zone
    verified_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]
    acted_at: Mapped[datetime | None]  # a person of the company has replied; edits are over


# The few answers that do not count, found without reading those that do. Worded as each database's reads word it.
_NOT_COUNTED = "state != 'verified' OR {} OR method = 'manual'"
Index(
    "ix_response_not_counted",
    Response.account_id,
    Response.kind,
    Response.series,
    Response.first_day,
    sqlite_where=text(_NOT_COUNTED.format("is_test = 1")),
    postgresql_where=text(_NOT_COUNTED.format("is_test")),
)


class ResponseVersion(AccountOwned, Base):
    """Each state an answer was in, first to last. Append-only."""

    __tablename__ = "response_version"
    __table_args__ = (account_fk(), owned_fk("response_id", "response"), UniqueConstraint("account_id", "response_id", "number"))

    response_id: Mapped[UUID]
    number: Mapped[int]
    score: Mapped[int]
    comment: Mapped[str] = mapped_column(default="")
    wants_reply: Mapped[bool] = mapped_column(default=False)
    way: Mapped[str] = mapped_column(String(10))
    occurred_at: Mapped[datetime]


class ResponseAnswer(AccountOwned, Base):
    """A further answer: the passive's one tap, an extra question."""

    __tablename__ = "response_answer"
    __table_args__ = (account_fk(), owned_fk("response_id", "response"), UniqueConstraint("account_id", "response_id", "question"))

    response_id: Mapped[UUID]
    question: Mapped[str] = mapped_column(String(60))
    value: Mapped[str] = mapped_column(String(1000))
    occurred_at: Mapped[datetime]
