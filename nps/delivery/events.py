"""What happened to messages, batches and addresses."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from nps.delivery.rules import Fate


@dataclass(frozen=True)
class MessagesSettled:
    """A group of messages of one account left `sending` (or was dropped before it). `deferred` ones are tried again."""

    account_id: UUID
    sent: tuple[Fate, ...]
    unknown: tuple[Fate, ...]
    failed: tuple[Fate, ...]
    deferred: tuple[Fate, ...]
    dropped: tuple[Fate, ...]
    occurred_at: datetime


@dataclass(frozen=True)
class MessagesAboutToLeave:
    """These messages start their SMTP transaction when this transaction commits. A listener may still `drop` or `put_off` some."""

    account_id: UUID
    messages: tuple[Fate, ...]
    occurred_at: datetime


@dataclass(frozen=True)
class MessageReceipt:
    """A receipt moved a message: `delivered`, `bounced`, `complained`, or `sent` when something proved an unknown one left."""

    account_id: UUID
    message_id: UUID
    ref_kind: str
    ref_id: UUID | None
    contact_id: UUID | None
    kind: str
    state: str
    reason: str
    occurred_at: datetime


@dataclass(frozen=True)
class ContactSuppressed:
    """An address must not be mailed from now on. `email` is as it was given; `contact_id` only where the way named one."""

    account_id: UUID
    suppression_id: UUID
    email: str
    contact_id: UUID | None
    scope: str
    reason: str
    source: str
    until: datetime | None
    occurred_at: datetime


@dataclass(frozen=True)
class SuppressionLifted:
    """An address may be mailed again."""

    account_id: UUID
    suppression_id: UUID
    email: str
    contact_id: UUID | None
    reason: str
    source: str
    occurred_at: datetime


@dataclass(frozen=True)
class YearlyChosen:
    """The person behind a message asked for one survey a year at most, or took that back (`on` False)."""

    account_id: UUID
    message_id: UUID
    email: str
    contact_id: UUID | None
    on: bool
    occurred_at: datetime


@dataclass(frozen=True)
class ReplyReceived:
    """A person wrote. `token_kind` says which address they wrote to: `reply`, or `` when only headers or sender matched.

    `ref_kind` and `ref_id` are of the message they replied to; None when nothing matched. `score` is a number read from the
    first line of a reply to a survey; whether it counts is for others to decide.
    """

    account_id: UUID
    inbound_id: UUID
    token_kind: str
    message_id: UUID | None
    ref_kind: str
    ref_id: UUID | None
    contact_id: UUID | None
    from_email: str
    from_known: bool
    subject: str
    text: str
    score: int | None
    occurred_at: datetime


@dataclass(frozen=True)
class AutoReplyReceived:
    """An answering machine wrote: a note for the timeline, nothing else."""

    account_id: UUID
    inbound_id: UUID
    message_id: UUID | None
    ref_kind: str
    ref_id: UUID | None
    contact_id: UUID | None
    from_email: str
    text: str
    may_have_left: bool
    occurred_at: datetime


@dataclass(frozen=True)
class BatchPaused:
    """Delivery paused a batch by itself: `content_refused` after three refused contents."""

    account_id: UUID
    batch_id: UUID
    reason: str
    occurred_at: datetime


@dataclass(frozen=True)
class SendingWarned:
    """Bounces or complaints of the last seven days reached the first threshold."""

    account_id: UUID
    recipients: int
    bounces: int
    complaints: int
    occurred_at: datetime


@dataclass(frozen=True)
class SendingPaused:
    """… the second threshold: nothing but typed replies leaves until the operator resumes. Or the sender was refused."""

    account_id: UUID
    reason: str
    recipients: int
    bounces: int
    complaints: int
    occurred_at: datetime
