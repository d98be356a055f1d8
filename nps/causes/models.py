"""Causes and the answers that raise them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from nps.causes.rules import CauseState, Why
from nps.core.db import Base
from nps.core.tenancy import AccountOwned, account_fk, owned_fk


class Cause(AccountOwned, Base):
    """open → understood → fixing → shipped → told, recurring when it comes back; or declined with a reason."""

    __tablename__ = "cause"
    __table_args__ = (account_fk(), owned_fk("owner_id", "membership"), UniqueConstraint("account_id", "name"))

    name: Mapped[str] = mapped_column(String(120))
    statement: Mapped[str] = mapped_column(String(300), default="")
    owner_id: Mapped[UUID | None]
    state: Mapped[str] = mapped_column(String(10), default=CauseState.OPEN)
    whys: Mapped[list[Any]] = mapped_column(default=list)
    action: Mapped[str] = mapped_column(String(300), default="")
    action_due_on: Mapped[date | None]
    shipped_on: Mapped[date | None]
    reply_text: Mapped[str] = mapped_column(String(2000), default="")
    public_text: Mapped[str] = mapped_column(String(500), default="")
    learning: Mapped[str] = mapped_column(String(500), default="")
    declined_reason: Mapped[str] = mapped_column(String(500), default="")
    created_by_id: Mapped[UUID | None]
    created_at: Mapped[datetime]
    state_at: Mapped[datetime]

    @property
    def five_whys(self) -> list[Why]:
        return [Why(**why) for why in self.whys]


class CauseLink(AccountOwned, Base):
    """An answer, or a customer without one, raises a cause. Without `confirmed_at` it is a suggestion and counts nowhere."""

    __tablename__ = "cause_link"
    __table_args__ = (
        account_fk(),
        owned_fk("cause_id", "cause", ondelete="CASCADE"),
        owned_fk("contact_id", "contact"),
        owned_fk("response_id", "response"),
        UniqueConstraint("account_id", "cause_id", "contact_id", "response_id"),
        Index("ix_cause_link_response", "account_id", "response_id"),
    )

    cause_id: Mapped[UUID]
    contact_id: Mapped[UUID]
    response_id: Mapped[UUID | None]
    raised_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    confirmed_by_id: Mapped[UUID | None]
    case_is_open: Mapped[bool] = mapped_column(default=False)  # written by the floor that keeps the cases
