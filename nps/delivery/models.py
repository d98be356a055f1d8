"""Messages and what they share, addresses that must not be mailed, mail that came back, the built-in mailbox."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, LargeBinary, SmallInteger, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from nps.core.db import Base
from nps.core.tenancy import AccountOwned, owned_fk

HOUSE = UUID(int=1)
"""The installation itself as a sender: mails to people who sign in, and inbound mail that belongs to nobody."""


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


class MailBatch(AccountOwned, Base):
    """Messages that are paused, resumed and stopped together: one wave of a campaign."""

    __tablename__ = "mail_batch"

    state: Mapped[str] = mapped_column(String(8), default="running")  # running ⇄ paused → stopped
    reason: Mapped[str] = mapped_column(String(24), default="")
    content_refusals: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class MailTemplate(AccountOwned, Base):
    """One wording with marks, shared by many messages (`compose.Wording`). Never changed once it exists."""

    __tablename__ = "mail_template"
    __table_args__ = (UniqueConstraint("account_id", "key"),)

    key: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    from_name: Mapped[str] = mapped_column(String(200))
    from_email: Mapped[str] = mapped_column(String(254))
    feedback_id: Mapped[str] = mapped_column(String(200), default="")
    one_click: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class Message(AccountOwned, Base):
    """One mail to one person, with its state. States and who may change them: `rules.TRANSITIONS`.

    Either `template_id` with `slots`, or subject and bodies of its own. `ref_kind` and `ref_id` say what it belongs to.
    Marks named `token:<purpose>` need no slot: the sender puts in a signed link token of `ref_id` (`token:stop`: of this message).
    """

    __tablename__ = "message"
    __table_args__ = (
        owned_fk("batch_id", "mail_batch"),
        owned_fk("template_id", "mail_template"),
        UniqueConstraint("account_id", "key"),
        Index("ix_message_due", "account_id", "priority", "due_at", **_where("state IN ('queued', 'deferred')")),
        Index("ix_message_lease", "lease_until", **_where("state IN ('claimed', 'sending')")),
        Index("ix_message_batch", "account_id", "batch_id", "state"),
        Index("ix_message_ref", "account_id", "ref_kind", "ref_id"),
        Index("ix_message_to", "account_id", "to_key"),
        Index("ix_message_id", "id"),
        Index("ix_message_finished", "account_id", "finished_at"),
    )

    key: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(12))
    priority: Mapped[int] = mapped_column(SmallInteger, default=0)
    state: Mapped[str] = mapped_column(String(10), default="queued")
    reason: Mapped[str] = mapped_column(String(24), default="")
    to_email: Mapped[str] = mapped_column(String(254))
    to_key: Mapped[str] = mapped_column(String(254))
    contact_id: Mapped[UUID | None]
    batch_id: Mapped[UUID | None]
    template_id: Mapped[UUID | None]
    slots: Mapped[dict[str, Any]] = mapped_column(default=dict)
    subject: Mapped[str | None] = mapped_column(Text)
    body_text: Mapped[str | None] = mapped_column(Text)
    body_html: Mapped[str | None] = mapped_column(Text)
    from_name: Mapped[str | None] = mapped_column(String(200))
    from_email: Mapped[str | None] = mapped_column(String(254))
    reply_to: Mapped[str | None] = mapped_column(String(254))
    ref_kind: Mapped[str] = mapped_column(String(16), default="")
    ref_id: Mapped[UUID | None]
    sending_domain: Mapped[str] = mapped_column(String(253))
    in_reply_to: Mapped[str | None] = mapped_column(Text)
    due_at: Mapped[datetime]
    lapses_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    lease_token: Mapped[UUID | None]
    tries: Mapped[int] = mapped_column(default=0)
    phase: Mapped[str | None] = mapped_column(String(10))
    smtp_code: Mapped[int | None]
    enhanced_code: Mapped[str | None] = mapped_column(String(12))
    server_text: Mapped[str | None] = mapped_column(String(300))
    queued_at: Mapped[datetime]
    first_try_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    @property
    def rfc_message_id(self) -> str:
        """Its Message-ID, without brackets: the same in every try and known before the first."""
        return f"{self.id.hex}@{self.sending_domain}"


class Suppression(AccountOwned, Base):
    """An address of this account that must not be mailed. Keyed on the address, so that a contact deleted and imported again stays stopped.

    `key` begins with "=" (the exact address), "~" (its reduced spelling) or "#" (a keyed hash, when the address was erased).
    """

    __tablename__ = "suppression"
    __table_args__ = (
        Index("uq_suppression_open", "account_id", "key", "reason", unique=True, **_where("lifted_at IS NULL")),
        Index("ix_suppression_since", "account_id", "since"),
    )

    key: Mapped[str] = mapped_column(String(256))
    email: Mapped[str] = mapped_column(String(254), default="")
    scope: Mapped[str] = mapped_column(String(6), default="email")
    reason: Mapped[str] = mapped_column(String(16))
    source: Mapped[str] = mapped_column(String(40))
    contact_id: Mapped[UUID | None]
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str] = mapped_column(String(120), default="")
    note: Mapped[str] = mapped_column(String(300), default="")


class AddressHealth(AccountOwned, Base):
    """How an address behaved: soft bounces in a row, and when it last showed a delivery, a person or an answer."""

    __tablename__ = "address_health"
    __table_args__ = (UniqueConstraint("account_id", "email"),)

    email: Mapped[str] = mapped_column(String(254))
    soft_in_a_row: Mapped[int] = mapped_column(default=0)
    soft_at: Mapped[datetime | None]
    alive_at: Mapped[datetime | None]


class SenderDomain(AccountOwned, Base):
    """A domain the account may send from once it is verified."""

    __tablename__ = "sender_domain"
    __table_args__ = (UniqueConstraint("account_id", "domain"),)

    domain: Mapped[str] = mapped_column(String(253))
    state: Mapped[str] = mapped_column(String(10), default="pending")  # pending, verified, broken
    checked_at: Mapped[datetime | None]
    verified_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class SendingState(AccountOwned, Base):
    """How the account stands with the world's mail servers. One row an account, made when first needed."""

    __tablename__ = "sending_state"
    __table_args__ = (UniqueConstraint("account_id"),)

    standing: Mapped[str] = mapped_column(String(8), default="good")  # good, warned, paused
    standing_at: Mapped[datetime | None]
    counted_from: Mapped[datetime | None]
    held: Mapped[str] = mapped_column(String(24), default="")  # sender_not_ready
    sender_refusals: Mapped[int] = mapped_column(default=0)


class ProviderPace(AccountOwned, Base):
    """An account's slowed pace at one mail provider."""

    __tablename__ = "provider_pace"
    __table_args__ = (UniqueConstraint("account_id", "provider"),)

    provider: Mapped[str] = mapped_column(String(253))
    slowed_to: Mapped[float]
    slowed_at: Mapped[datetime]


class MailLane(Base):
    """The installation's way out: `up`, `down` (not reachable; probed every 60 s) or `off` (password refused; the operator acts)."""

    __tablename__ = "mail_lane"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    state: Mapped[str] = mapped_column(String(4), default="up")
    failures: Mapped[int] = mapped_column(default=0)
    probe_at: Mapped[datetime | None]
    words: Mapped[str] = mapped_column(String(300), default="")
    changed_at: Mapped[datetime]


class MailboxMail(Base):
    """A mail the built-in mailbox took: the exact bytes, newest number last."""

    __tablename__ = "mailbox_mail"
    __table_args__ = (Index("ix_mailbox_mail_to", "rcpt_to"), {"sqlite_autoincrement": True})

    number: Mapped[int] = mapped_column(primary_key=True)
    mail_from: Mapped[str] = mapped_column(String(254))
    rcpt_to: Mapped[str] = mapped_column(String(254))
    message_id: Mapped[str] = mapped_column(String(320), default="")
    subject: Mapped[str] = mapped_column(Text, default="")
    received_at: Mapped[datetime]
    data: Mapped[bytes] = mapped_column(LargeBinary)


class InboundMail(AccountOwned, Base):
    """A mail that came in, stored once before anything is done with it. Without an owner it belongs to the house."""

    __tablename__ = "inbound_mail"
    __table_args__ = (
        UniqueConstraint("once"),
        Index("ix_inbound_mail_state", "state", "received_at"),
        Index("ix_inbound_mail_message", "account_id", "message_id"),
    )

    once: Mapped[str] = mapped_column(String(64))
    envelope_to: Mapped[str] = mapped_column(String(254))
    envelope_from: Mapped[str] = mapped_column(String(254), default="")
    token_kind: Mapped[str] = mapped_column(String(8), default="")  # reply, bounce, stop; empty: no valid token
    message_id: Mapped[UUID | None]
    state: Mapped[str] = mapped_column(String(8), default="received")  # received, sorted
    kind: Mapped[str] = mapped_column(String(12), default="")  # report, complaint, auto_reply, stop, score, reply, unmatched
    effect: Mapped[str] = mapped_column(String(40), default="")
    from_email: Mapped[str] = mapped_column(String(254), default="")
    from_name: Mapped[str] = mapped_column(String(120), default="")
    subject: Mapped[str] = mapped_column(Text, default="")
    rfc_message_id: Mapped[str] = mapped_column(String(320), default="")
    text: Mapped[str] = mapped_column(Text, default="")
    full_text: Mapped[str] = mapped_column(Text, default="")
    size: Mapped[int] = mapped_column(default=0)
    raw: Mapped[bytes | None] = mapped_column(LargeBinary)
    received_at: Mapped[datetime]
    sorted_at: Mapped[datetime | None]
