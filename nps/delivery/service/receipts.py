"""Receipts move messages on: delivered, bounced, complained, or proof that an unknown one left."""

from uuid import UUID

from nps.core import clock, tenancy
from nps.core.db import db
from nps.core.events import publish
from nps.delivery import queries, rules
from nps.delivery.events import MessageReceipt
from nps.delivery.incoming import Notice
from nps.delivery.models import Message
from nps.delivery.rules import Bounce, MessageState, SuppressionReason
from nps.delivery.service import sending, stops


class TooEarly(Exception):
    """The message has not left yet; the receipt is tried again later."""


def note_delivered(message_id: UUID) -> None:
    """A provider says that the message was delivered. Raises TooEarly."""
    message = queries.get_message(message_id)
    if _move(message, MessageState.DELIVERED, ""):
        stops.note_alive(message.to_email)


def note_left(message_id: UUID) -> None:
    """A person's hit, answer or reply, an automatic reply or a delay notice proves that an unknown message left."""
    message = queries.find_message(message_id)
    if message is not None and message.state == MessageState.UNKNOWN:
        _move(message, MessageState.SENT, "")


def note_complaint(message_id: UUID) -> None:
    """The person complained to their mail provider: stopped for good. Raises TooEarly."""
    message = queries.get_message(message_id)
    if _move(message, MessageState.COMPLAINED, "complained") and message.to_email:
        stops.suppress(message.to_email, SuppressionReason.COMPLAINED, "complaint", contact_id=message.contact_id)
        sending.check_standing(clock.now())


def note_report(message_id: UUID, notice: Notice) -> Bounce:
    """What a delivery report says about a message and its address. Raises TooEarly."""
    now = clock.now()
    message = queries.get_message(message_id)
    sent_at = message.sent_at or message.first_try_at or message.queued_at
    health = queries.find_health(message.to_email) if message.to_email else None
    alive_at = health.alive_at if health else None
    alive = alive_at is not None and now - alive_at <= rules.ALIVE_WITHIN
    found = rules.read_report(notice.action, notice.status, notice.words, age=now - sent_at, alive=alive)
    if found is Bounce.IGNORED:
        return found
    if found is Bounce.NONE:
        note_left(message_id)
        return found
    if found is Bounce.SOFT and (message.state == MessageState.DELIVERED or (alive_at is not None and alive_at > sent_at)):
        # it arrived, and something behind the mailbox complained: an absence note, no bounce
        return Bounce.NONE
    if not _move(message, MessageState.BOUNCED, {Bounce.HARD: "bounced", Bounce.SOFT: "soft_bounced"}.get(found, "refused"), notice):
        return found
    if found is Bounce.HARD:
        stops.suppress(message.to_email, SuppressionReason.BOUNCED, "bounce", contact_id=message.contact_id)
    elif found is Bounce.SOFT:
        stops.count_soft(message.to_email)
    sending.check_standing(now)
    return found


def _move(message: Message, receipt: MessageState, reason: str, notice: Notice | None = None) -> bool:
    """Put the message into the state the receipt proves; False when it is there or further. Raises TooEarly."""
    then = rules.after_receipt(MessageState(message.state), receipt)
    if then is None:
        raise TooEarly
    if then.value == message.state:
        return False
    message.state, message.reason = then.value, reason
    if notice is not None:
        code = rules.enhanced_code(notice.status) or rules.enhanced_code(notice.words)
        message.enhanced_code = ".".join(map(str, code)) if code else message.enhanced_code
        message.server_text = notice.words[:300] or message.server_text
    message.sent_at = message.sent_at or message.first_try_at
    db.session.flush()
    publish(
        MessageReceipt(
            tenancy.current(),
            message.id,
            message.ref_kind,
            message.ref_id,
            message.contact_id,
            message.kind,
            then.value,
            reason,
            clock.now(),
        )
    )
    return True
