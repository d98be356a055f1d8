"""Reads of messages, stops and mail that came in."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, func, or_, select

from nps.core import clock, email_address, ids
from nps.core.db import db
from nps.core.errors import NotFound
from nps.core.prepared import ACCOUNT, Prepared
from nps.delivery import compose, rules
from nps.delivery.models import (
    AddressHealth,
    InboundMail,
    MailBatch,
    MailboxMail,
    MailTemplate,
    Message,
    SenderDomain,
    SendingState,
    Suppression,
)
from nps.delivery.rules import MessageState, SuppressionReason

_NO_SUCH_MESSAGE = "There is no such message in this account."


def get_message(message_id: UUID) -> Message:
    found = find_message(message_id)
    if found is None:
        raise NotFound(_NO_SUCH_MESSAGE)
    return found


def find_message(message_id: UUID) -> Message | None:
    # states are changed by set-based statements, so what the session remembers of a message is not believed
    query = select(Message).where(Message.id == message_id).execution_options(populate_existing=True)
    return db.session.scalars(query).first()


def subject_of(message: Message) -> str:
    """What stood in the subject line of a message, its wording filled for its person."""
    if message.subject is not None or message.template_id is None:
        return message.subject or ""
    wording = db.session.scalar(select(MailTemplate.subject).where(MailTemplate.id == message.template_id))
    return compose.filled(wording or "", message.slots)


def address_of(message_id: UUID) -> str:
    """To whom a message went; empty when it was erased or is gone."""
    return db.session.scalar(select(Message.to_email).where(Message.id == message_id)) or ""


def list_messages(ref_kind: str, ref_ids: Iterable[UUID]) -> Sequence[Message]:
    """Messages that belong to these things, oldest first."""
    query = select(Message).where(Message.ref_kind == ref_kind, Message.ref_id.in_(list(ref_ids))).order_by(Message.id)
    return db.session.scalars(query).all()


def list_messages_to(contact_id: UUID, email: str | None = None) -> Sequence[Message]:
    """Messages to a person, newest first."""
    who = Message.contact_id == contact_id
    if email:
        who = or_(who, Message.to_key == email_address.reduced(email))
    return db.session.scalars(select(Message).where(who).order_by(Message.id.desc())).all()


def count_by_state(batch_id: UUID) -> dict[str, int]:
    """How many messages of a batch are in each state; states without one are missing."""
    query = select(Message.state, func.count()).where(Message.batch_id == batch_id).group_by(Message.state)
    return {row.state: row[1] for row in db.session.execute(query).all()}


def count_failed_by_reason(batch_id: UUID) -> dict[str, int]:
    query = (
        select(Message.reason, func.count())
        .where(Message.batch_id == batch_id, Message.state.in_([MessageState.FAILED, MessageState.BOUNCED, MessageState.DROPPED]))
        .group_by(Message.reason)
    )
    return {row.reason: row[1] for row in db.session.execute(query).all()}


def list_unknown(batch_id: UUID) -> Sequence[Message]:
    """Messages of a batch of which nobody knows whether they arrived."""
    query = select(Message).where(Message.batch_id == batch_id, Message.state == MessageState.UNKNOWN).order_by(Message.id)
    return db.session.scalars(query).all()


def get_batch(batch_id: UUID) -> MailBatch:
    found = db.session.scalars(select(MailBatch).where(MailBatch.id == batch_id)).first()
    if found is None:
        raise NotFound("There is no such batch in this account.")
    return found


# --- stops --------------------------------------------------------------------------------------------------------


def suppression_keys(email: str, wide: str = "") -> tuple[str, str, str]:
    """The keys under which a stop of this address can stand: exact, reduced, and hashed after an erasure. `wide` is its reduced
    spelling where that is known already."""
    exact, wide = email_address.key(email), wide or email_address.reduced(email)
    return f"={exact}", f"~{wide}", f"#{ids.keyed_hash('suppression', wide)}"


def _holds(columns: Any, now: Any) -> tuple[ColumnElement[bool], ...]:
    """Conditions of a stop of email that holds at `now`."""
    return columns.lifted_at.is_(None), columns.scope != "phone", or_(columns.until.is_(None), columns.until > now)


_S = Suppression.__table__
_STOPS = Prepared(
    select(_S.c.reason).where(
        _S.c.account_id == ACCOUNT,
        _S.c.key.in_([bindparam("exact"), bindparam("wide"), bindparam("erased")]),
        *_holds(_S.c, bindparam("now")),
    )
)


def is_suppressed(email: str, *, personal: bool = False) -> bool:
    """Must this address not be mailed? `personal`: a reply typed by a member or a mail the person asked for just now."""
    db.session.flush()
    exact, wide, erased = suppression_keys(email)
    stops = _STOPS(exact=exact, wide=wide, erased=erased, now=clock.now())
    return any(_stops(stop.reason, personal) for stop in stops)


def _stops(reason: str, personal: bool) -> bool:
    return not personal or reason in rules.PERSONAL_REPLY_STOPPED_BY


def find_suppressions(emails: Iterable[str], *, personal: bool = False, now: datetime | None = None) -> dict[str, Suppression]:
    """The stop that holds for each of these addresses; addresses without one are missing. The gravest reason wins."""
    keys: dict[str, list[str]] = {}
    for email in emails:
        for key in suppression_keys(email):
            keys.setdefault(key, []).append(email)
    found: dict[str, Suppression] = {}
    for stop in db.session.scalars(open_suppressions(now or clock.now()).where(Suppression.key.in_(list(keys)))):
        if not _stops(stop.reason, personal):
            continue
        for email in keys[stop.key]:
            if email not in found or _gravity(stop) > _gravity(found[email]):
                found[email] = stop
    return found


def open_suppressions(now: datetime) -> Any:
    """The select of all stops of email that hold at `now`, for set-based statements of other features."""
    return select(Suppression).where(*_holds(Suppression, now))


_ORDER = (
    SuppressionReason.SOFT_BOUNCED,
    SuppressionReason.IMPORTED,
    SuppressionReason.BLOCKED,
    SuppressionReason.BOUNCED,
    SuppressionReason.UNSUBSCRIBED,
    SuppressionReason.COMPLAINED,
    SuppressionReason.ERASED,
)


def _gravity(stop: Suppression) -> int:
    return _ORDER.index(SuppressionReason(stop.reason))


def is_stopped_by_person(email: str) -> bool:
    """Has the person behind this address stopped surveys, or complained about one?"""
    wide = suppression_keys(email)[1]
    said = (SuppressionReason.UNSUBSCRIBED, SuppressionReason.COMPLAINED)
    query = open_suppressions(clock.now()).where(Suppression.key == wide, Suppression.reason.in_(said))
    return db.session.scalars(query).first() is not None


def get_suppression(suppression_id: UUID) -> Suppression:
    found = db.session.scalars(select(Suppression).where(Suppression.id == suppression_id)).first()
    if found is None:
        raise NotFound("There is no such stop in this account.")
    return found


def find_health(email: str) -> AddressHealth | None:
    return db.session.scalars(select(AddressHealth).where(AddressHealth.email == email_address.key(email))).first()


# --- the account as a sender --------------------------------------------------------------------------------------


def find_sending_state() -> SendingState | None:
    return db.session.scalars(select(SendingState)).first()


def verified_sender_domain() -> str | None:
    """A domain this account may send from, or None."""
    return db.session.scalar(
        select(SenderDomain.domain).where(SenderDomain.state == "verified").order_by(SenderDomain.verified_at).limit(1)
    )


def verified_domain(email: str) -> bool:
    """May this account send from this address? Only from a domain whose records were found."""
    domain = email.rpartition("@")[2].lower()
    query = select(SenderDomain.id).where(SenderDomain.domain == domain, SenderDomain.state == "verified")
    return db.session.execute(query).first() is not None


def count_unverified_domains() -> int:
    """Domains that wait for their records to be found, or whose records are gone."""
    return db.session.scalar(select(func.count()).select_from(SenderDomain).where(SenderDomain.state != "verified")) or 0


# --- what came in -------------------------------------------------------------------------------------------------


def get_inbound(inbound_id: UUID) -> InboundMail:
    found = db.session.scalars(select(InboundMail).where(InboundMail.id == inbound_id)).first()
    if found is None:
        raise NotFound("There is no such mail in this account.")
    return found


def list_unmatched(since: datetime) -> Sequence[InboundMail]:
    """Mail of this account that belongs to nothing, newest first."""
    query = select(InboundMail).where(InboundMail.kind == "unmatched", InboundMail.received_at >= since)
    return db.session.scalars(query.order_by(InboundMail.received_at.desc())).all()


# --- the built-in mailbox -----------------------------------------------------------------------------------------


def mailbox_query(search: str = "") -> Any:
    """The select of the built-in mailbox, by recipient if `search` is given. The caller orders and pages it."""
    query = select(MailboxMail)
    if search:
        query = query.where(func.lower(MailboxMail.rcpt_to).contains(search.strip().lower(), autoescape=True))
    return query


def mailbox_list(search: str = "") -> Any:
    """The same without the mails' bytes, newest first."""
    head = (
        MailboxMail.number,
        MailboxMail.mail_from,
        MailboxMail.rcpt_to,
        MailboxMail.message_id,
        MailboxMail.received_at,
        MailboxMail.subject,
    )
    return mailbox_query(search).with_only_columns(*head).order_by(MailboxMail.number.desc())


def get_mailbox_mail(number: int) -> MailboxMail:
    found = db.session.get(MailboxMail, number)
    if found is None:
        raise NotFound("There is no mail with this number in the mailbox.")
    return found
