"""Deltas, their sums by day, and the sums over pairs of answers by one contact."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from nps.core.db import Base
from nps.core.tenancy import AccountOwned, account_fk


class AnswerDelta(AccountOwned, Base):
    """An answer began (+1) or ceased (−1) to count, with what it counted as. Appended with the change, never changed.

    `properties` holds the values that sums are kept for, as text, channel and language among them.
    """

    __tablename__ = "answer_delta"
    __table_args__ = (
        account_fk(),
        Index("ix_answer_delta_response", "account_id", "response_id"),
        Index("ix_answer_delta_contact", "account_id", "contact_id"),
    )

    response_id: Mapped[UUID]
    contact_id: Mapped[UUID | None]
    day: Mapped[date]
    series: Mapped[str] = mapped_column(String(14))
    campaign_id: Mapped[UUID | None]
    score: Mapped[int] = mapped_column(SmallInteger)
    has_comment: Mapped[bool]
    properties: Mapped[dict[str, Any]]
    sign: Mapped[int] = mapped_column(SmallInteger)
    created_at: Mapped[datetime]


class DeltaTail(AccountOwned, Base):
    """A delta that no batch has folded yet. Folding takes the row away in the transaction that adds to the sums, so a
    delta that commits late is simply still here."""

    __tablename__ = "delta_tail"
    __table_args__ = (ForeignKeyConstraint(["account_id", "id"], ["answer_delta.account_id", "answer_delta.id"], ondelete="CASCADE"),)


class DailySum(AccountOwned, Base):
    """Counted answers of one day by score (n0…n10) and comments by group.

    key "" is everything; any other key sums the answers that have that value of that property. campaign_id is all
    zeros for answers without a campaign.
    """

    __tablename__ = "daily_sum"
    __table_args__ = (account_fk(), UniqueConstraint("account_id", "series", "key", "day", "value", "campaign_id"))

    day: Mapped[date]
    series: Mapped[str] = mapped_column(String(14))
    key: Mapped[str] = mapped_column(String(50))
    value: Mapped[str] = mapped_column(String(500))
    campaign_id: Mapped[UUID]
    n0: Mapped[int] = mapped_column(default=0)
    n1: Mapped[int] = mapped_column(default=0)
    n2: Mapped[int] = mapped_column(default=0)
    n3: Mapped[int] = mapped_column(default=0)
    n4: Mapped[int] = mapped_column(default=0)
    n5: Mapped[int] = mapped_column(default=0)
    n6: Mapped[int] = mapped_column(default=0)
    n7: Mapped[int] = mapped_column(default=0)
    n8: Mapped[int] = mapped_column(default=0)
    n9: Mapped[int] = mapped_column(default=0)
    n10: Mapped[int] = mapped_column(default=0)
    comments_det: Mapped[int] = mapped_column(default=0)
    comments_pas: Mapped[int] = mapped_column(default=0)
    comments_pro: Mapped[int] = mapped_column(default=0)


class PairSum(AccountOwned, Base):
    """Pairs of counted answers by one contact, by their two days: number, Σ of the earlier, of the later, of their products
    (x = +1, 0, −1). Key and value as above;
    campaign_id is that of both answers, all zeros when they differ."""

    __tablename__ = "pair_sum"
    __table_args__ = (account_fk(), UniqueConstraint("account_id", "series", "key", "later", "earlier", "value", "campaign_id"))

    earlier: Mapped[date]
    later: Mapped[date]
    series: Mapped[str] = mapped_column(String(14))
    key: Mapped[str] = mapped_column(String(50))
    value: Mapped[str] = mapped_column(String(500))
    campaign_id: Mapped[UUID]
    pairs: Mapped[int]
    first: Mapped[int]
    second: Mapped[int]
    product: Mapped[int]


class Rollup(Base):
    """One row an account: which properties sums are kept for, and when they were made and proved. Its lock orders folders."""

    __tablename__ = "rollup"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    kept: Mapped[list[str]] = mapped_column(default=list)
    built_at: Mapped[datetime | None]
    folded_at: Mapped[datetime | None]
    proved_at: Mapped[datetime | None]
