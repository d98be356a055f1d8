"""Rules in versions, and one decision per response."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from nps.core.db import Base
from nps.core.tenancy import AccountOwned, account_fk, owned_fk


class RoutingRuleSet(AccountOwned, Base):
    """One version of the ordered list; the highest number is in force."""

    __tablename__ = "routing_rule_set"
    __table_args__ = (account_fk(), UniqueConstraint("account_id", "number"))

    number: Mapped[int]
    created_by_id: Mapped[UUID | None]
    created_at: Mapped[datetime]


class RoutingRule(AccountOwned, Base):
    """If these conditions hold, then this destination and these side actions."""

    __tablename__ = "routing_rule"
    __table_args__ = (account_fk(), owned_fk("rule_set_id", "routing_rule_set"), UniqueConstraint("account_id", "rule_set_id", "position"))

    rule_set_id: Mapped[UUID]
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(80))
    enabled: Mapped[bool] = mapped_column(default=True)
    match: Mapped[str] = mapped_column(String(3), default="all")
    conditions: Mapped[list[Any]] = mapped_column(default=list)
    destination: Mapped[str | None] = mapped_column(String(10))  # case, referral, question, none
    queue_id: Mapped[UUID | None]
    program_id: Mapped[UUID | None]
    target_minutes: Mapped[int | None]
    side_actions: Mapped[list[Any]] = mapped_column(default=list)
    stop_here: Mapped[bool] = mapped_column(default=False)


class RoutingDecision(AccountOwned, Base):
    """What was decided for a response, by which rules, in a sentence for people."""

    __tablename__ = "routing_decision"
    __table_args__ = (
        account_fk(),
        owned_fk("response_id", "response"),
        UniqueConstraint("account_id", "response_id"),
        Index("ix_routing_decision_time", "account_id", "decided_at"),
    )

    response_id: Mapped[UUID]
    rule_set_number: Mapped[int]
    matched: Mapped[list[Any]] = mapped_column(default=list)
    destination: Mapped[str] = mapped_column(String(10))
    sentence: Mapped[str] = mapped_column(String(300))
    case_id: Mapped[UUID | None]
    advocate_id: Mapped[UUID | None]
    refused_because: Mapped[str | None] = mapped_column(String(40))
    counted_late: Mapped[bool] = mapped_column(default=False)
    decided_at: Mapped[datetime]
    revised_at: Mapped[datetime | None]
