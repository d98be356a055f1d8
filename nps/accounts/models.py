"""Companies, people, rights and keys."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from nps.accounts import rules
from nps.core import ids
from nps.core.db import Base
from nps.core.tenancy import AccountOwned, account_fk


class Account(Base):
    """One customer company of ours: the tenant."""

    __tablename__ = "account"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=ids.new_id)
    slug: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    state: Mapped[str] = mapped_column(String(12), default="unverified")
    product: Mapped[str] = mapped_column(String(60), default="")
    whom: Mapped[str] = mapped_column(String(40), default="a friend or colleague")
    time_zone: Mapped[str] = mapped_column(String(60), default="UTC")
    currency: Mapped[str] = mapped_column(String(3), default="USD")
    language: Mapped[str] = mapped_column(String(20), default="en")
    brand_color: Mapped[str] = mapped_column(String(7), default="#2d4bc4")
    on_brand: Mapped[str] = mapped_column(String(7), default="#ffffff")
    brand_chosen_at: Mapped[datetime | None]
    our_address_at: Mapped[datetime | None]
    limits: Mapped[dict[str, Any]] = mapped_column(default=dict)
    postal_address: Mapped[str] = mapped_column(String(300), default="")
    website: Mapped[str] = mapped_column(String(300), default="")
    sender_name: Mapped[str] = mapped_column(String(80), default="")
    sender_role: Mapped[str] = mapped_column(String(80), default="")
    sender_email: Mapped[str] = mapped_column(String(254), default="")
    reply_to: Mapped[str] = mapped_column(String(254), default="")
    count_seen: Mapped[bool] = mapped_column(default=True)  # numbers picked on a touched page but not sent count as well
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class User(Base):
    """A person who signs in: one per address, in as many accounts as they like."""

    __tablename__ = "user_"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=ids.new_id)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    email_confirmed_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    theme: Mapped[str] = mapped_column(String(5), default="")
    shortcuts: Mapped[bool] = mapped_column(default=True)
    due_mail: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class LoginSession(Base):
    """A signed-in browser. The cookie names it; deleting the row ends it at the next request."""

    __tablename__ = "login_session"
    __table_args__ = (Index("ix_login_session_user", "user_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=ids.new_id)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("user_.id", ondelete="CASCADE"))
    agent: Mapped[str] = mapped_column(String(200), default="")
    network: Mapped[str] = mapped_column(String(60), default="")
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    confirmed_at: Mapped[datetime]

    # What Flask-Login asks of whoever is signed in.
    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """What the cookie names: the secret, which this row only holds while it is being made."""
        token: str = self.__dict__["token"]
        return token


class Membership(AccountOwned, Base):
    """A user's role in one account."""

    __tablename__ = "membership"
    __table_args__ = (account_fk(), UniqueConstraint("account_id", "user_id"), Index("ix_membership_user", "user_id"))

    user_id: Mapped[UUID] = mapped_column(ForeignKey("user_.id"))
    role: Mapped[str] = mapped_column(String(12))
    away_from: Mapped[datetime | None]
    away_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]

    def may(self, capability: str) -> bool:
        """Has this member's role the capability?"""
        return self.removed_at is None and rules.may(self.role, capability)

    @property
    def role_name(self) -> str:
        return rules.ROLE_NAMES[rules.Role(self.role)]


class TeamInvite(AccountOwned, Base):
    """An open invitation to join the team; the token is kept as a hash and used once."""

    __tablename__ = "team_invite"
    __table_args__ = (account_fk(), Index("ix_team_invite_token", "token_hash"))

    email: Mapped[str] = mapped_column(String(254))
    role: Mapped[str] = mapped_column(String(12))
    token_hash: Mapped[str] = mapped_column(String(64))
    invited_by_id: Mapped[UUID]
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    sent_on: Mapped[date]
    sent_times: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]


class MailedToken(Base):
    """A single-use secret sent by mail: sign-in link, address confirmation, password reset. Kept as a hash."""

    __tablename__ = "mailed_token"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=ids.new_id)
    purpose: Mapped[str] = mapped_column(String(20))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("user_.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class SignInTry(Base):
    """A failed or allowed try, counted for the limits; rows are pruned."""

    __tablename__ = "sign_in_try"
    __table_args__ = (Index("ix_sign_in_try_key", "key", "tried_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=ids.new_id)
    key: Mapped[str] = mapped_column(String(80))
    tried_at: Mapped[datetime]


class ApiKey(AccountOwned, Base):
    """A key for the account's own machines: prefix to find it, SHA-256 of the whole, last four for display."""

    __tablename__ = "api_key"
    __table_args__ = (account_fk(), Index("ix_api_key_prefix", "prefix"))

    name: Mapped[str] = mapped_column(String(80))
    prefix: Mapped[str] = mapped_column(String(16))
    secret_hash: Mapped[str] = mapped_column(String(64))
    last4: Mapped[str] = mapped_column(String(4))
    scopes: Mapped[list[str]]
    networks: Mapped[list[str]] = mapped_column(default=list)
    created_by_id: Mapped[UUID | None]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class AuditEntry(AccountOwned, Base):
    """What was done by whom; written in the same transaction as the act, never changed."""

    __tablename__ = "audit_entry"
    __table_args__ = (account_fk(), Index("ix_audit_entry_time", "account_id", "occurred_at"))

    occurred_at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(120))
    action: Mapped[str] = mapped_column(String(80))
    object_kind: Mapped[str] = mapped_column(String(40), default="")
    object_id: Mapped[str] = mapped_column(String(60), default="")
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    reason: Mapped[str] = mapped_column(String(300), default="")
