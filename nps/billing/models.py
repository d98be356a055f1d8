"""What we sell, what an account pays for, and its visits to the payment provider's pages."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from nps.core import ids
from nps.core.db import Base
from nps.core.tenancy import AccountOwned, account_fk


class Price(Base):
    """A price of ours at Stripe: the only way from a price id to a plan."""

    __tablename__ = "price"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=ids.new_id)
    plan: Mapped[str] = mapped_column(String(20))
    interval: Mapped[str] = mapped_column(String(5))
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int]
    stripe_price_id: Mapped[str] = mapped_column(String(80), unique=True)
    retired_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Subscription(AccountOwned, Base):
    """What the account pays for, as it was last fetched from Stripe. One row an account, from the first purchase on."""

    __tablename__ = "subscription"
    __table_args__ = (account_fk(), UniqueConstraint("account_id"), Index("ix_subscription_customer", "stripe_customer_id", unique=True))

    stripe_customer_id: Mapped[str] = mapped_column(String(80))
    stripe_subscription_id: Mapped[str | None] = mapped_column(String(80))
    stripe_item_id: Mapped[str | None] = mapped_column(String(80))
    plan: Mapped[str | None] = mapped_column(String(20))
    interval: Mapped[str | None] = mapped_column(String(5))
    status: Mapped[str | None] = mapped_column(String(20))
    period_start_at: Mapped[datetime | None]
    period_end_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    past_due_since_at: Mapped[datetime | None]
    card: Mapped[str] = mapped_column(String(60), default="")
    invoice_email: Mapped[str] = mapped_column(String(254), default="")
    fetched_at: Mapped[datetime]
    created_at: Mapped[datetime]


class HostedPage(AccountOwned, Base):
    """One visit to a page of Stripe's: wished for here, opened by a job under a key that is stored before the call."""

    __tablename__ = "hosted_page"
    __table_args__ = (account_fk(), UniqueConstraint("account_id", "key"))

    kind: Mapped[str] = mapped_column(String(10))
    plan: Mapped[str | None] = mapped_column(String(20))
    interval: Mapped[str | None] = mapped_column(String(5))
    key: Mapped[str] = mapped_column(String(80))
    state: Mapped[str] = mapped_column(String(10), default="asked")
    stripe_id: Mapped[str | None] = mapped_column(String(120))
    url: Mapped[str | None]
    asked_by: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[datetime]


class Invoice(AccountOwned, Base):
    """An invoice as Stripe wrote it; we never compute one."""

    __tablename__ = "invoice"
    __table_args__ = (account_fk(), UniqueConstraint("account_id", "stripe_invoice_id"))

    stripe_invoice_id: Mapped[str] = mapped_column(String(80))
    number: Mapped[str] = mapped_column(String(60), default="")
    status: Mapped[str] = mapped_column(String(20))
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    hosted_url: Mapped[str] = mapped_column(default="")
    pdf_url: Mapped[str] = mapped_column(default="")
    issued_at: Mapped[datetime]


class UsageNotice(AccountOwned, Base):
    """That the owner was told about a meter: once a level and period."""

    __tablename__ = "usage_notice"
    __table_args__ = (account_fk(), UniqueConstraint("account_id", "meter", "level", "period_start_at"))

    meter: Mapped[str] = mapped_column(String(20))
    level: Mapped[str] = mapped_column(String(10))
    period_start_at: Mapped[datetime]
    used: Mapped[int]
    limit: Mapped[int]
    told_at: Mapped[datetime]
