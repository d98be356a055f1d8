"""Queues, cases and their append-only history."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from nps.core.db import Base
from nps.core.tenancy import AccountOwned, account_fk, owned_fk
from nps.followups.rules.escalation import DEFAULT_STEPS, Step, Tell
from nps.followups.rules.hours import Span
from nps.followups.rules.states import OPEN, CaseState
from nps.followups.rules.targets import Targets
from nps.followups.rules.turns import Method

_IS_OPEN = "state IN ('new', 'working', 'waiting')"
_NINE_TO_FIVE = [[540, 1020]]


def default_week() -> list[Any]:
    """Monday to Friday, 09:00–17:00."""
    return [_NINE_TO_FIVE] * 5 + [[], []]


def spans_from(stored: Sequence[Sequence[int]]) -> tuple[Span, ...]:
    return tuple(Span(opens, closes) for opens, closes in stored)


def spans_stored(spans: Sequence[Span]) -> list[list[int]]:
    return [[span.opens, span.closes] for span in spans]


def default_steps() -> list[Any]:
    return steps_stored(DEFAULT_STEPS)


def steps_stored(steps: Sequence[Step]) -> list[Any]:
    return [{"percent": step.percent, "tell": [str(who) for who in step.tell], "unowned": step.unowned} for step in steps]


class Queue(AccountOwned, Base):
    """Who works cases when, and how fast. Without rows in queue_member its members are all responders, else the owner."""

    __tablename__ = "queue"
    __table_args__ = (
        account_fk(),
        owned_fk("lead_id", "membership"),
        UniqueConstraint("account_id", "name"),
        Index("uq_queue_default", "account_id", unique=True, sqlite_where=text("is_default"), postgresql_where=text("is_default")),
    )

    name: Mapped[str] = mapped_column(String(80))
    is_default: Mapped[bool] = mapped_column(default=False)
    lead_id: Mapped[UUID | None]
    time_zone: Mapped[str] = mapped_column(String(60))
    week: Mapped[list[Any]] = mapped_column(default=default_week)
    method: Mapped[str] = mapped_column(String(12), default=Method.ROUND_ROBIN)
    last_member_id: Mapped[UUID | None]  # the pointer of the round robin, moved in the transaction that assigns
    keeps_person: Mapped[bool] = mapped_column(default=True)
    most_open: Mapped[int] = mapped_column(default=30)
    most_new_a_day: Mapped[int] = mapped_column(default=8)
    target_low: Mapped[int] = mapped_column(default=60)
    target_middle: Mapped[int] = mapped_column(default=240)
    target_wish: Mapped[int] = mapped_column(default=480)
    target_sent: Mapped[int] = mapped_column(default=960)
    target_no_score: Mapped[int] = mapped_column(default=240)
    target_next_reply: Mapped[int] = mapped_column(default=240)
    target_resolve: Mapped[int] = mapped_column(default=2400)
    hold_seconds: Mapped[int] = mapped_column(default=20)
    steps: Mapped[list[Any]] = mapped_column(default=default_steps)
    created_at: Mapped[datetime]

    @property
    def targets(self) -> Targets:
        return Targets(
            self.target_low,
            self.target_middle,
            self.target_wish,
            self.target_sent,
            self.target_no_score,
            self.target_next_reply,
            self.target_resolve,
        )

    @property
    def escalation(self) -> tuple[Step, ...]:
        return tuple(Step(step["percent"], tuple(Tell(who) for who in step["tell"]), step["unowned"]) for step in self.steps)


class QueueMember(AccountOwned, Base):
    """A member who works a queue's cases."""

    __tablename__ = "queue_member"
    __table_args__ = (
        account_fk(),
        owned_fk("queue_id", "queue", ondelete="CASCADE"),
        owned_fk("membership_id", "membership"),
        UniqueConstraint("account_id", "queue_id", "membership_id"),
    )

    queue_id: Mapped[UUID]
    membership_id: Mapped[UUID]
    created_at: Mapped[datetime]


class QueueHoliday(AccountOwned, Base):
    """A date with hours of its own; none = closed."""

    __tablename__ = "queue_holiday"
    __table_args__ = (account_fk(), owned_fk("queue_id", "queue", ondelete="CASCADE"), UniqueConstraint("account_id", "queue_id", "day"))

    queue_id: Mapped[UUID]
    day: Mapped[date]
    name: Mapped[str] = mapped_column(String(120))
    spans: Mapped[list[Any]] = mapped_column(default=list)


class Case(AccountOwned, Base):
    """One customer being followed up: at most one open case a customer, appeals apart."""

    __tablename__ = "case_"
    __table_args__ = (
        account_fk(),
        owned_fk("contact_id", "contact"),
        owned_fk("response_id", "response"),
        owned_fk("queue_id", "queue"),
        owned_fk("owner_id", "membership"),
        owned_fk("cause_id", "cause"),
        owned_fk("merged_into_id", "case_"),
        owned_fk("earlier_case_id", "case_"),
        CheckConstraint("score IS NULL OR score BETWEEN 0 AND 10", name="score_range"),
        CheckConstraint("closed_at IS NULL OR closed_at >= opened_at", name="closed_after_opened"),
        Index(
            "uq_case_open_contact",
            "account_id",
            "contact_id",
            unique=True,
            sqlite_where=text(f"{_IS_OPEN} AND kind <> 'appeal'"),
            postgresql_where=text(f"{_IS_OPEN} AND kind <> 'appeal'"),
        ),
        Index("ix_case_state_due", "account_id", "state", "due_at"),
        Index("ix_case_contact", "account_id", "contact_id", "opened_at"),
        Index("ix_case_response", "account_id", "response_id"),
        Index("ix_case_owner", "account_id", "owner_id", "state"),
        Index("ix_case_closed", "account_id", "closed_at"),
        Index("ix_case_opened", "account_id", "opened_at"),
        Index("ix_case_assigned", "account_id", "assigned_at"),
        Index("ix_case_look", "look_at", sqlite_where=text("look_at IS NOT NULL"), postgresql_where=text("look_at IS NOT NULL")),
    )

    kind: Mapped[str] = mapped_column(String(8), default="answer")  # answer, mail, hand, appeal
    state: Mapped[str] = mapped_column(String(8), default=CaseState.NEW)
    contact_id: Mapped[UUID]
    response_id: Mapped[UUID | None]  # the newest answer that joined
    queue_id: Mapped[UUID]
    owner_id: Mapped[UUID | None]
    assigned_at: Mapped[datetime | None]
    score: Mapped[int | None]
    wants_reply: Mapped[bool] = mapped_column(default=False)
    rule: Mapped[str] = mapped_column(String(300), default="")
    opened_at: Mapped[datetime]
    started_at: Mapped[datetime]  # the answer was verified: the first-reply clock runs from here
    # The running reply clock, at most one: first_reply or next_reply. Targets are open minutes from `target_from_at`.
    reply_clock: Mapped[str | None] = mapped_column(String(12))
    clock_started_at: Mapped[datetime | None]
    target_from_at: Mapped[datetime | None]
    target_minutes: Mapped[int | None]
    due_at: Mapped[datetime | None]
    promised_at: Mapped[datetime | None]  # what the customer was shown; due never moves later than this
    told_percent: Mapped[int] = mapped_column(default=0)  # the highest step of the escalation that was told on this clock
    look_at: Mapped[datetime | None]  # when a clock, a snooze or a wait wants to be looked at again
    # The first reply, as it stays for the figures.
    first_due_at: Mapped[datetime | None]
    first_contact_at: Mapped[datetime | None]
    first_reply_minutes: Mapped[int | None]
    # The resolve clock: informs, never escalates. Used seconds before `resolve_from_at`; not running while that is empty.
    resolve_from_at: Mapped[datetime | None]
    resolve_used_seconds: Mapped[int] = mapped_column(default=0)
    resolve_due_at: Mapped[datetime | None]
    waiting_since: Mapped[datetime | None]
    wait_until: Mapped[datetime | None]
    snoozed_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    closed_at: Mapped[datetime | None]
    cause_id: Mapped[UUID | None]
    outcome: Mapped[str | None] = mapped_column(String(16))
    learning: Mapped[str] = mapped_column(String(500), default="")
    made_good: Mapped[str] = mapped_column(String(200), default="")  # "What we did": October credited, $84
    solved: Mapped[str | None] = mapped_column(String(8))  # yes, not_yet
    reopened: Mapped[int] = mapped_column(default=0)
    merged_into_id: Mapped[UUID | None]
    earlier_case_id: Mapped[UUID | None]
    last_number: Mapped[int] = mapped_column(default=0)  # of its events

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def met(self) -> bool | None:
        """Was the first reply in time? None while its clock runs or when it never had one."""
        if self.first_due_at is None:
            return None
        if self.first_contact_at is not None:
            return self.first_contact_at <= self.first_due_at
        return None if self.is_open else False


class CaseEvent(AccountOwned, Base):
    """Who did what when, with the row before and after: append-only, the case can be rebuilt from it."""

    __tablename__ = "case_event"
    __table_args__ = (
        account_fk(),
        owned_fk("case_id", "case_"),
        owned_fk("actor_id", "membership"),
        owned_fk("undoes_id", "case_event"),
        UniqueConstraint("account_id", "case_id", "number"),
        Index("uq_case_event_undone", "account_id", "undoes_id", unique=True),
        Index("ix_case_event_message", "account_id", "message_id"),
        Index("ix_case_event_response", "account_id", "response_id"),
    )

    case_id: Mapped[UUID]
    number: Mapped[int]
    what: Mapped[str] = mapped_column(String(24))
    occurred_at: Mapped[datetime]
    actor_id: Mapped[UUID | None]  # None: the customer or the product
    before: Mapped[dict[str, Any]] = mapped_column(default=dict)
    after: Mapped[dict[str, Any]] = mapped_column(default=dict)
    body: Mapped[str] = mapped_column(Text, default="")
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    response_id: Mapped[UUID | None]
    message_id: Mapped[UUID | None]
    undoes_id: Mapped[UUID | None]


class SavedReply(AccountOwned, Base):
    """Words to begin a reply with, for the account or one queue."""

    __tablename__ = "saved_reply"
    __table_args__ = (account_fk(), owned_fk("queue_id", "queue", ondelete="CASCADE"), UniqueConstraint("account_id", "name"))

    name: Mapped[str] = mapped_column(String(80))
    body: Mapped[str] = mapped_column(Text)
    queue_id: Mapped[UUID | None]
    created_by_id: Mapped[UUID | None]
    created_at: Mapped[datetime]
    edited_at: Mapped[datetime]


class ReplyDraft(AccountOwned, Base):
    """What a member has typed on a case and not sent."""

    __tablename__ = "reply_draft"
    __table_args__ = (
        account_fk(),
        owned_fk("case_id", "case_", ondelete="CASCADE"),
        owned_fk("membership_id", "membership"),
        UniqueConstraint("account_id", "case_id", "membership_id"),
    )

    case_id: Mapped[UUID]
    membership_id: Mapped[UUID]
    body: Mapped[str] = mapped_column(Text)
    saved_at: Mapped[datetime]


class CaseView(AccountOwned, Base):
    """When a member last had a case open: so that two people see each other."""

    __tablename__ = "case_view"
    __table_args__ = (
        account_fk(),
        owned_fk("case_id", "case_", ondelete="CASCADE"),
        owned_fk("membership_id", "membership"),
        UniqueConstraint("account_id", "case_id", "membership_id"),
    )

    case_id: Mapped[UUID]
    membership_id: Mapped[UUID]
    viewed_at: Mapped[datetime]
