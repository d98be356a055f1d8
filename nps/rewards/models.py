"""Rewards with their gates and events; the ledger, which nobody can change; the customer's Stripe connection."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DDL, BigInteger, CheckConstraint, Index, String, Table, UniqueConstraint, event
from sqlalchemy.orm import Mapped, mapped_column

from nps.core.db import Base
from nps.core.tenancy import AccountOwned, account_fk, owned_fk

Minor = BigInteger


class Reward(AccountOwned, Base):
    """What one advocate gets for one source fact by one rule. Its amount is the sum of its ledger lines."""

    __tablename__ = "reward"
    __table_args__ = (
        account_fk(),
        owned_fk("referral_id", "referral"),
        owned_fk("advocate_id", "advocate"),
        UniqueConstraint("account_id", "referral_id", "rule", "side", "source"),
        Index("ix_reward_state", "account_id", "state", "occurred_at"),
        Index("ix_reward_advocate", "account_id", "advocate_id"),
    )

    referral_id: Mapped[UUID]
    advocate_id: Mapped[UUID]
    program_version_id: Mapped[UUID]
    rule: Mapped[str] = mapped_column(String(40))
    side: Mapped[str] = mapped_column(String(8))
    source: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(8))
    label: Mapped[str] = mapped_column(String(120), default="")
    method: Mapped[str] = mapped_column(String(14))
    currency: Mapped[str] = mapped_column(String(3))
    state: Mapped[str] = mapped_column(String(12), default="pending")
    because: Mapped[str] = mapped_column(String(40), default="")
    words: Mapped[str] = mapped_column(String(300), default="")
    over_cap: Mapped[int] = mapped_column(Minor, default=0)
    attempt: Mapped[int] = mapped_column(default=0)
    idempotency_key: Mapped[str] = mapped_column(String(80), default="")
    reference: Mapped[str] = mapped_column(String(120), default="")
    occurred_at: Mapped[datetime]
    answer_by: Mapped[datetime]
    first_approved_by: Mapped[UUID | None]
    approved_at: Mapped[datetime | None]
    issued_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class RewardGate(AccountOwned, Base):
    """Something that holds a reward; closed with time, actor and reason."""

    __tablename__ = "reward_gate"
    __table_args__ = (
        account_fk(),
        owned_fk("reward_id", "reward"),
        UniqueConstraint("account_id", "reward_id", "gate"),
        Index("ix_reward_gate_open", "account_id", "gate", "closed_at"),
    )

    reward_id: Mapped[UUID]
    gate: Mapped[str] = mapped_column(String(16))
    opened_at: Mapped[datetime]
    until: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str] = mapped_column(String(120), default="")
    reason: Mapped[str] = mapped_column(String(300), default="")


class RewardEvent(AccountOwned, Base):
    """Each step of a reward: actor, reason, before, after, what was visible. Append-only."""

    __tablename__ = "reward_event"
    __table_args__ = (account_fk(), owned_fk("reward_id", "reward"), Index("ix_reward_event", "account_id", "reward_id", "occurred_at"))

    reward_id: Mapped[UUID]
    verb: Mapped[str] = mapped_column(String(12))
    before: Mapped[str] = mapped_column(String(12), default="")
    after: Mapped[str] = mapped_column(String(12))
    actor: Mapped[str] = mapped_column(String(120))
    reason: Mapped[str] = mapped_column(String(300), default="")
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    occurred_at: Mapped[datetime]


class LedgerEntry(AccountOwned, Base):
    """One posting: at least two lines that sum to 0 in one currency. Append-only, by trigger."""

    __tablename__ = "ledger_entry"
    __table_args__ = (account_fk(), owned_fk("reward_id", "reward"), Index("ix_ledger_entry_reward", "account_id", "reward_id"))

    reward_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(String(10))
    currency: Mapped[str] = mapped_column(String(3))
    actor: Mapped[str] = mapped_column(String(120), default="facts")
    posted_at: Mapped[datetime]


class LedgerLine(AccountOwned, Base):
    """One signed amount (+ debit, - credit) on one account name, for one source fact. Append-only, by trigger."""

    __tablename__ = "ledger_line"
    __table_args__ = (
        account_fk(),
        owned_fk("entry_id", "ledger_entry"),
        owned_fk("reward_id", "reward"),
        CheckConstraint("amount <> 0", name="amount"),
        Index("ix_ledger_line_reward", "account_id", "reward_id"),
        Index("ix_ledger_line_name", "account_id", "name", "currency"),
        Index("ix_ledger_line_advocate", "account_id", "advocate_id", "name"),
    )

    entry_id: Mapped[UUID]
    reward_id: Mapped[UUID]
    advocate_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(String(20))
    source: Mapped[str] = mapped_column(String(40))
    amount: Mapped[int] = mapped_column(Minor)
    currency: Mapped[str] = mapped_column(String(3))


class StripeConnection(AccountOwned, Base):
    """The company's own Stripe account: the endpoint it calls and the secrets it signs with, sealed."""

    __tablename__ = "stripe_connection"
    __table_args__ = (account_fk(), Index("ix_stripe_connection_account", "account_id", "off_at"))

    stripe_account: Mapped[str] = mapped_column(String(60), default="")
    livemode: Mapped[bool] = mapped_column(default=False)
    api_key_sealed: Mapped[str] = mapped_column(String(1000), default="")
    api_key_last4: Mapped[str] = mapped_column(String(4), default="")
    secret_sealed: Mapped[str] = mapped_column(String(1000), default="")
    secret_last4: Mapped[str] = mapped_column(String(4), default="")
    old_secret_sealed: Mapped[str] = mapped_column(String(1000), default="")
    old_secret_until: Mapped[datetime | None]
    tested_at: Mapped[datetime | None]
    test_problem: Mapped[str] = mapped_column(String(200), default="")
    last_event_at: Mapped[datetime | None]
    off_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


APPEND_ONLY = ("ledger_entry", "ledger_line", "reward_event")


def append_only_ddl(table: str, dialect: str) -> list[str]:
    """Statements that make a table refuse UPDATE and DELETE. Metadata and migrations execute the same ones."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            for verb in ("UPDATE", "DELETE")
        ]
    return [
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$",
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    ]


def _attach(table: Table) -> None:
    for dialect in ("sqlite", "postgresql"):
        for statement in append_only_ddl(table.name, dialect):
            event.listen(table, "after_create", DDL(statement.replace("%", "%%")).execute_if(dialect=dialect))  # type: ignore[no-untyped-call]


for _name in APPEND_ONLY:
    _attach(Base.metadata.tables[_name])
