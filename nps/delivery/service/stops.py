"""Stops: who must not be mailed, by which way it was said, and how it is taken back."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from nps.core import clock, email_address, ids, tenancy
from nps.core.db import db
from nps.core.events import publish
from nps.delivery import queries, rules
from nps.delivery.errors import NotLiftable
from nps.delivery.events import ContactSuppressed, SuppressionLifted, YearlyChosen
from nps.delivery.models import AddressHealth, Message, Suppression
from nps.delivery.rules import SuppressionReason
from nps.delivery.service import queueing

READ_FROM_A_REPLY = timedelta(hours=24)


def suppress(
    email: str,
    reason: str,
    source: str,
    *,
    contact_id: UUID | None = None,
    scope: str = "email",
    until: datetime | None = None,
    note: str = "",
) -> Suppression:
    """Stop an address, now: what waits for it is dropped in this transaction. A repeat changes nothing and tells nobody.

    `reason` is a SuppressionReason, `source` the way it came (`link`, `one_click`, `mailto`, `reply`, `sms`, `member`, `api`,
    `import`, `bounce`, `complaint`, …). Two stops of different reasons stand side by side.
    """
    now = clock.now()
    why = SuppressionReason(reason)
    exact, wide, hashed = queries.suppression_keys(email)
    key = hashed if why is SuppressionReason.ERASED else wide if why in rules.BY_REDUCED_SPELLING else exact
    make = postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    fresh = ids.new_id()
    done = db.session.execute(
        make(Suppression)
        .values(
            account_id=tenancy.current(),
            id=fresh,
            key=key,
            email="" if why is SuppressionReason.ERASED else email,
            scope=scope,
            reason=why.value,
            source=source,
            contact_id=contact_id,
            since=now,
            until=until,
            lifted_by="",
            note=note[:300],
        )
        .on_conflict_do_nothing(index_elements=["account_id", "key", "reason"], index_where=Suppression.lifted_at.is_(None))
        .returning(Suppression.id)
    ).first()
    stop = db.session.scalars(
        select(Suppression).where(Suppression.key == key, Suppression.reason == why.value, Suppression.lifted_at.is_(None))
    ).one()
    if done is None:
        if stop.until is not None and (until is None or until > stop.until):
            stop.until = until
        if stop.scope != scope:
            stop.scope = "all"
        return stop
    if scope != "phone":
        _drop_waiting(email, why, now)
    publish(ContactSuppressed(tenancy.current(), stop.id, email, contact_id, scope, why.value, source, until, now))
    return stop


def _drop_waiting(email: str, why: SuppressionReason, now: datetime) -> None:
    query = update(Message).where(Message.to_key == email_address.reduced(email), Message.state.in_(rules.WAITING))
    if why not in rules.BY_REDUCED_SPELLING and why is not SuppressionReason.ERASED:
        query = query.where(Message.to_email.in_({email, email_address.key(email)}))
    if why not in rules.PERSONAL_REPLY_STOPPED_BY:
        query = query.where(Message.kind.not_in(queueing.PERSONAL))
    queueing.drop_matching(query, why.value, now)


def lift(suppression: Suppression, by: str, *, person: bool = False, note: str = "") -> None:
    """Take a stop back. `person`: the one it protects asked for it, on our page. Raises NotLiftable.

    A member may lift `blocked`, `bounced`, `imported` and `soft_bounced` with a note, and within 24 hours a stop that was read
    from a reply. Nobody lifts a complaint or an erasure.
    """
    now = clock.now()
    why = SuppressionReason(suppression.reason)
    by_person = person and why is SuppressionReason.UNSUBSCRIBED
    by_member = not person and (
        why in rules.LIFTED_BY_MEMBER
        or why is SuppressionReason.SOFT_BOUNCED
        or (why is SuppressionReason.UNSUBSCRIBED and suppression.source == "reply" and now - suppression.since <= READ_FROM_A_REPLY)
    )
    if not (by_person or by_member):
        raise NotLiftable("Nothing was changed. Only the person can turn these emails back on, from the page where they were stopped.")
    if suppression.lifted_at is not None:
        return
    suppression.lifted_at, suppression.lifted_by = now, by[:120]
    suppression.note = note[:300] or suppression.note
    db.session.flush()
    way = "person" if person else by
    publish(SuppressionLifted(tenancy.current(), suppression.id, suppression.email, suppression.contact_id, suppression.reason, way, now))


def lift_address(email: str, by: str) -> int:
    """The person turns surveys back on: their own stops of this address end. Returns how many."""
    _, wide, _ = queries.suppression_keys(email)
    stops = db.session.scalars(
        queries.open_suppressions(clock.now()).where(Suppression.key == wide, Suppression.reason == SuppressionReason.UNSUBSCRIBED)
    ).all()
    for stop in stops:
        lift(stop, by, person=True)
    return len(stops)


def stop_by_message(message_id: UUID, source: str) -> None:
    """Whoever got this message wants no more surveys. Without the message (it was erased) there is nothing left to do."""
    message = queries.find_message(message_id)
    if message is not None and message.to_email:
        suppress(message.to_email, SuppressionReason.UNSUBSCRIBED, source, contact_id=message.contact_id)


def choose_yearly(message_id: UUID, *, on: bool) -> datetime | None:
    """Whoever got this message wants one survey a year at most, or no longer so. Returns when it was sent, if it was."""
    message = queries.find_message(message_id)
    if message is None or not message.to_email:
        return None
    now = clock.now()
    publish(YearlyChosen(tenancy.current(), message.id, message.to_email, message.contact_id, on, now))
    return message.sent_at or message.first_try_at


def count_soft(email: str) -> None:
    """One soft bounce more. More than five in a row and the address rests for 30 days."""
    now = clock.now()
    health = _health(email)
    health.soft_in_a_row += 1
    health.soft_at = now
    db.session.flush()
    until = rules.soft_bounced_until(health.soft_in_a_row, now)
    if until is not None:
        suppress(email, SuppressionReason.SOFT_BOUNCED, "bounce", until=until)


def note_alive(email: str) -> None:
    """The address showed a delivery, a person or an answer: its soft bounces are forgotten."""
    health = _health(email)
    health.soft_in_a_row, health.alive_at = 0, clock.now()
    db.session.flush()


def _health(email: str) -> AddressHealth:
    health = queries.find_health(email)
    if health is None:
        health = AddressHealth(email=email_address.key(email), soft_in_a_row=0)
        db.session.add(health)
        db.session.flush()
    return health
