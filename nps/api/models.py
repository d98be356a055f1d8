"""What a POST with an Idempotency-Key was, and what it was answered."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from nps.core.db import Base
from nps.core.tenancy import AccountOwned, account_fk


class IdempotencyKey(AccountOwned, Base):
    """Open while `status` is None; `token` says which request holds it. The answer commits with the effect."""

    __tablename__ = "idempotency_key"
    __table_args__ = (account_fk(), UniqueConstraint("account_id", "key"), Index("ix_idempotency_key_begun", "begun_at"))

    key: Mapped[str] = mapped_column(String(255))
    request_hash: Mapped[str] = mapped_column(String(64))
    token: Mapped[UUID]
    begun_at: Mapped[datetime]
    status: Mapped[int | None]
    location: Mapped[str | None] = mapped_column(String(500))
    content_type: Mapped[str | None] = mapped_column(String(80))
    body: Mapped[str | None]
