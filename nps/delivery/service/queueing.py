"""Messages come into being: one by one, or many at once by campaigns. Then they can be dropped, put off or sent again."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from nps.core import clock, email_address, ids, settings, tenancy
from nps.core.db import db
from nps.core.events import publish
from nps.delivery import compose, queries, rules
from nps.delivery.errors import WrongState
from nps.delivery.events import MessagesSettled
from nps.delivery.models import HOUSE, MailTemplate, Message
from nps.delivery.rules import Fate, MessageState
from nps.jobs import outbox

SEND = "delivery.send"
_STEP = 10
"""Seconds: waking times of the sender are rounded up to these, so that many due times need few jobs."""

PERSONAL = frozenset({"reply", "service"})
"""Kinds that a stop of surveys does not cover: a reply typed by a member, and what a person asked for this minute."""

PRIORITY_SINGLE, PRIORITY_EVENT, PRIORITY_REMINDER, PRIORITY_ONE_TIME, PRIORITY_ROLLING = range(5)


@dataclass(frozen=True, slots=True)
class Draft:
    """One message of many, as campaigns hand them over. `key` makes a repeat harmless, such as `invitation:<id>:1`."""

    key: str
    to_email: str
    contact_id: UUID | None
    ref_kind: str
    ref_id: UUID
    slots: Mapping[str, str] = field(default_factory=dict)
    due_at: datetime | None = None
    lapses_at: datetime | None = None
    in_reply_to: str = ""


def sender_address(sender_email: str, slug: str) -> str:
    """The From address: the account's own when its domain is verified, else one at our domain."""
    if sender_email and queries.verified_domain(sender_email):
        return sender_email
    return f"{slug or 'survey'}@{settings.current().mail_domain}"


def add_template(wording: compose.Wording) -> MailTemplate:
    """Keep a wording for many messages; an equal one is used again. Raises compose.UnsafeValue when it cannot be compiled."""
    compose.compile(wording)
    texts = (wording.subject, wording.text, wording.html)
    parts = (*texts, wording.from_name, wording.from_email, wording.feedback_id, str(wording.one_click))
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    known = db.session.scalars(select(MailTemplate).where(MailTemplate.key == key)).first()
    if known is not None:
        return known
    template = MailTemplate(
        key=key,
        subject=wording.subject,
        text=wording.text,
        html=wording.html,
        from_name=wording.from_name,
        from_email=wording.from_email,
        feedback_id=wording.feedback_id,
        one_click=wording.one_click,
        created_at=clock.now(),
    )
    db.session.add(template)
    db.session.flush()
    return template


def queue(
    *,
    kind: str,
    key: str,
    to_email: str,
    subject: str,
    text: str,
    html: str = "",
    from_name: str,
    from_email: str,
    reply_to: str = "",
    contact_id: UUID | None = None,
    ref_kind: str = "",
    ref_id: UUID | None = None,
    references: Sequence[str] = (),
    stop_headers: bool = False,
    due_at: datetime | None = None,
    lapses_at: datetime | None = None,
    priority: int = PRIORITY_SINGLE,
) -> Message:
    """One mail of its own. A second call with the same `key` gives the message that is there already.

    `kind` is `reply` for what a member typed and `service` for what a person asked for (both may go after a stop), else any
    short word (`notice`, `share`, `referral`, `record` …). Without `reply_to` replies come back to us with a token.
    `references` are Message-IDs (without brackets) this mail continues. Without an account in scope the installation sends.
    An address that must not be mailed gives a message that is `dropped` at once, with the reason.
    """
    if tenancy.current_or_none() is None:
        with tenancy.account_scope(HOUSE):
            return queue(
                kind=kind,
                key=key,
                to_email=to_email,
                subject=subject,
                text=text,
                html=html,
                from_name=from_name,
                from_email=from_email,
                reply_to=reply_to,
                contact_id=contact_id,
                ref_kind=ref_kind,
                ref_id=ref_id,
                references=references,
                stop_headers=stop_headers,
                due_at=due_at,
                lapses_at=lapses_at,
                priority=priority,
            )
    now = clock.now()
    for name, value in (("subject", subject), ("sender name", from_name), ("sender", from_email), ("reply address", reply_to)):
        compose.one_line(name, value)
    row = _row(now, kind, priority, Draft(key, to_email, contact_id, ref_kind, ref_id or UUID(int=0), {}, due_at, lapses_at), from_email)
    row.update(
        ref_id=ref_id,
        subject=subject,
        body_text=text,
        body_html=html,
        from_name=from_name,
        from_email=from_email,
        reply_to=reply_to or None,
        in_reply_to=" ".join(references) or None,
        slots={"stop_headers": "1"} if stop_headers else {},
    )
    stop = queries.find_suppressions([to_email], personal=kind in PERSONAL, now=now).get(to_email)
    if stop is not None:
        row.update(state=MessageState.DROPPED, reason=stop.reason, finished_at=now)
    _insert([row])
    message = db.session.scalars(select(Message).where(Message.key == key)).one()
    if message.state == MessageState.QUEUED:
        wake(message.due_at)
    return message


def queue_many(drafts: Iterable[Draft], *, kind: str, priority: int, template: MailTemplate, batch_id: UUID | None) -> int:
    """Queue a wave: inserts in groups, keys that exist already are left alone. Returns how many drafts were taken.

    Suppressed addresses are not looked up here: the planner has done so, and the sender does it again for each message.
    """
    now = clock.now()
    rows: list[dict[str, Any]] = []
    taken, first_due = 0, None
    for draft in drafts:
        row = _row(now, kind, priority, draft, template.from_email)
        row.update(template_id=template.id, batch_id=batch_id)
        rows.append(row)
        taken += 1
        first_due = min(first_due or row["due_at"], row["due_at"])
        if len(rows) >= 1000:
            _insert(rows)
            rows.clear()
    if rows:
        _insert(rows)
    if first_due is not None:
        wake(first_due)
    return taken


def _row(now: datetime, kind: str, priority: int, draft: Draft, from_email: str) -> dict[str, Any]:
    message_id = ids.new_id()
    return {
        "account_id": tenancy.current(),
        "id": message_id,
        "key": draft.key,
        "kind": kind,
        "priority": priority,
        "state": MessageState.QUEUED.value,
        "reason": "",
        "to_email": draft.to_email,
        "to_key": email_address.reduced(draft.to_email),
        "contact_id": draft.contact_id,
        "batch_id": None,
        "template_id": None,
        "slots": dict(draft.slots),
        "ref_kind": draft.ref_kind,
        "ref_id": draft.ref_id,
        "sending_domain": from_email.rpartition("@")[2],
        "in_reply_to": draft.in_reply_to or None,
        "due_at": draft.due_at or now,
        "lapses_at": draft.lapses_at,
        "tries": 0,
        "queued_at": now,
    }


def _insert(rows: list[dict[str, Any]]) -> None:
    make = postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    db.session.execute(make(Message).on_conflict_do_nothing(index_elements=["account_id", "key"]), rows)


def wake(at: datetime | None = None) -> None:
    """Ask for the sender, now or at a time. Many calls cost one job."""
    now = clock.now()
    if at is None or at <= now + timedelta(seconds=1):
        outbox.enqueue(SEND, {}, key="now", queue="urgent")
        return
    step = -(-int(at.timestamp()) // _STEP) * _STEP
    outbox.enqueue(SEND, {}, key=f"at:{step}", run_at=datetime.fromtimestamp(step, tz=at.tzinfo), queue="urgent")


# --- before it has left -------------------------------------------------------------------------------------------


def fate(message: Message) -> Fate:
    return Fate(message.id, message.ref_kind, message.ref_id, message.contact_id, message.kind, message.reason)


def drop(
    reason: str,
    *,
    message_ids: Iterable[UUID] | None = None,
    ref_kind: str = "",
    ref_ids: Iterable[UUID] | None = None,
    contact_id: UUID | None = None,
    batch_id: UUID | None = None,
    kinds: Iterable[str] | None = None,
) -> list[Fate]:
    """Call off messages that have not begun: by their ids, by what they belong to, by person or by batch. Narrow with `kinds`.

    Publishes MessagesSettled with them as `dropped` and returns them. What is already `sending` is not touched.
    """
    now = clock.now()
    query = update(Message).where(Message.state.in_(rules.WAITING))
    if message_ids is None and ref_ids is None and contact_id is None and batch_id is None:
        raise ValueError("drop what?")
    if message_ids is not None:
        query = query.where(Message.id.in_(list(message_ids)))
    if ref_ids is not None:
        query = query.where(Message.ref_kind == ref_kind, Message.ref_id.in_(list(ref_ids)))
    if contact_id is not None:
        query = query.where(Message.contact_id == contact_id)
    if batch_id is not None:
        query = query.where(Message.batch_id == batch_id)
    if kinds is not None:
        query = query.where(Message.kind.in_(list(kinds)))
    return drop_matching(query, reason, now)


def drop_matching(query: Any, reason: str, now: datetime) -> list[Fate]:
    """Drop what an UPDATE of waiting messages matches, and tell. For this feature only."""
    done = query.values(state=MessageState.DROPPED.value, reason=reason, finished_at=now, lease_until=None, lease_token=None)
    done = done.returning(Message.id, Message.ref_kind, Message.ref_id, Message.contact_id, Message.kind, Message.reason)
    fates = [Fate(*row) for row in db.session.execute(done.execution_options(synchronize_session=False)).all()]
    if fates:
        publish(MessagesSettled(tenancy.current(), (), (), (), (), tuple(fates), now))
    return fates


def put_off(message_ids: Iterable[UUID], reason: str, until: datetime) -> None:
    """Let messages that have not begun wait, with the reason. For listeners of MessagesAboutToLeave and for the planner."""
    db.session.execute(
        update(Message)
        .where(Message.id.in_(list(message_ids)), Message.state.in_(rules.WAITING))
        .values(state=MessageState.QUEUED.value, reason=reason, due_at=until, lease_until=None, lease_token=None)
        .execution_options(synchronize_session=False)
    )
    wake(until)


def send_again(message_ids: Iterable[UUID]) -> int:
    """A member sends unknown messages once more, having been told that some people will get them twice. Same Message-ID.

    Returns how many. Raises WrongState when none of them is unknown any more.
    """
    now = clock.now()
    done = db.session.execute(
        update(Message)
        .where(Message.id.in_(list(message_ids)), Message.state == MessageState.UNKNOWN)
        .values(state=MessageState.QUEUED.value, reason="sent_again", due_at=now, finished_at=None, lease_until=None, lease_token=None)
        .execution_options(synchronize_session=False)
    )
    count: int = done.rowcount  # type: ignore[attr-defined]
    if not count:
        raise WrongState("Nothing was sent: none of these messages is unknown any more. Look at the list once more.")
    wake()
    return count
