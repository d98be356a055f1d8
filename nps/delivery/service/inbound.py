"""Mail that comes in: stored once before anything is done with it, then sorted. The product never answers it by itself.

Order of decision: delivery report, complaint, automatic reply, stop, score, reply. Without a valid token in the envelope
recipient (for complaints: in the mail they are about) there is no bounce, complaint, stop or score.
"""

import hashlib
import re
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from nps.core import clock, email_address, ids, tenancy
from nps.core.db import db
from nps.core.events import publish
from nps.delivery import addresses, incoming, rules
from nps.delivery.events import AutoReplyReceived, ReplyReceived
from nps.delivery.incoming import Kind, Mail
from nps.delivery.models import HOUSE, InboundMail, Message
from nps.delivery.service import receipts, stops
from nps.jobs import outbox

SORT = "delivery.sort_mail"
TRIES = 5
TRY_AGAIN_AFTER = timedelta(minutes=5)
EMPTY_SENDER = "<>"


def receive(envelope_to: str, envelope_from: str | None, data: bytes) -> UUID | None:
    """Store a mail and ask for its sorting. None when it came before: same Message-ID, same recipient."""
    now = clock.now()
    head_bytes = re.split(rb"\r?\n\r?\n", data[: 64 * 1024], maxsplit=1)[0] + b"\r\n\r\n"
    head = incoming.read(head_bytes)
    named = head.message_id or hashlib.sha256(data).hexdigest()
    once = hashlib.sha256(f"{named}\0{envelope_to.strip().lower()}".encode()).hexdigest()
    token = addresses.read(envelope_to)
    make = postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    with tenancy.unscoped("a mail is stored before its account is known"):
        account_id = _account_of(token.message_id) if token else None
        row = {
            "account_id": account_id or HOUSE,
            "id": ids.new_id(),
            "once": once,
            "envelope_to": envelope_to.strip()[:254],
            "envelope_from": EMPTY_SENDER if envelope_from in ("", EMPTY_SENDER) else (envelope_from or "")[:254],
            "token_kind": token.purpose if token and account_id else "",
            "message_id": token.message_id if token and account_id else None,
            "state": "received",
            "kind": "",
            "effect": "",
            "from_email": head.from_email,
            "from_name": head.from_name,
            "subject": head.subject,
            "rfc_message_id": head.message_id,
            "text": "",
            "full_text": "",
            "size": len(data),
            "raw": data if len(data) <= incoming.MAX_BYTES else head_bytes,
            "received_at": now,
        }
        done = db.session.execute(make(InboundMail).values(row).on_conflict_do_nothing(index_elements=["once"]).returning(InboundMail.id))
        inbound_id = done.scalar()
    if inbound_id is None:
        return None
    outbox.enqueue(SORT, {"inbound_id": str(inbound_id)})
    return inbound_id


def _account_of(message_id: UUID) -> UUID | None:
    return db.session.scalar(select(Message.account_id).where(Message.id == message_id))


def sort(inbound_id: UUID, attempt: int = 1) -> None:
    """Decide what a stored mail is and let it take effect, once. A receipt that comes too early is tried again, five times."""
    with tenancy.unscoped("the mail's account is read from its row"):
        found = db.session.scalars(select(InboundMail).where(InboundMail.id == inbound_id)).first()
        if found is None or found.state != "received":
            return
        mail = incoming.read(found.raw or b"", envelope_from=_sender(found))
        account_id, message, token_kind = _owner(found, mail)
        if account_id != found.account_id:
            db.session.execute(
                update(InboundMail)
                .where(InboundMail.id == inbound_id)
                .values(account_id=account_id, message_id=message.id if message else None)
                .execution_options(synchronize_session=False)
            )
            db.session.expunge(found)
            found = db.session.scalars(select(InboundMail).where(InboundMail.id == inbound_id)).one()
    with tenancy.account_scope(account_id):
        try:
            kind, effect = _take_effect(found, mail, message, token_kind)
        except receipts.TooEarly:
            if attempt < TRIES:
                outbox.enqueue(SORT, {"inbound_id": str(inbound_id), "attempt": attempt + 1}, run_at=clock.now() + TRY_AGAIN_AFTER)
                return
            kind, effect = Kind.REPORT, "too_early"
        found.kind, found.effect, found.state, found.sorted_at = kind.value, effect[:40], "sorted", clock.now()
        found.text, found.full_text = mail.text, mail.full_text
        db.session.flush()


def _sender(found: InboundMail) -> str | None:
    """The envelope sender: "" is the empty one, None when we were not told."""
    return "" if found.envelope_from == EMPTY_SENDER else found.envelope_from or None


def _owner(found: InboundMail, mail: Mail) -> tuple[UUID, Message | None, str]:
    """Whose mail it is, which message of ours it is about, and by which token. A complaint's token stands in the mail it is about;
    without a token the message ids a reply names may tell the message, but they prove nothing."""
    if found.message_id is not None:
        return found.account_id, _message(found.message_id), found.token_kind
    if mail.is_complaint:
        for address in mail.original_addresses:
            token = addresses.read(address)
            message = _message(token.message_id) if token else None
            if message is not None:
                return message.account_id, message, "complaint"
    for answered in mail.answers:
        message_id = addresses.message_id_of(answered)
        message = _message(message_id) if message_id else None
        if message is not None:
            return message.account_id, message, ""
    return found.account_id, None, ""


def _message(message_id: UUID | None) -> Message | None:
    return db.session.scalars(select(Message).where(Message.id == message_id)).first() if message_id else None


def _take_effect(found: InboundMail, mail: Mail, message: Message | None, token_kind: str) -> tuple[Kind, str]:
    if token_kind == "bounce" and message is not None and not mail.is_complaint:
        return _report(mail, message, empty_sender=_sender(found) == "")
    if mail.notices or (mail.is_complaint and token_kind != "complaint"):
        return Kind.UNMATCHED, "report_without_token"
    if token_kind == "complaint" and message is not None:
        receipts.note_complaint(message.id)
        return Kind.COMPLAINT, "complained"
    if mail.is_automatic:
        return _automatic(found, mail, message, token_kind)
    if token_kind == "stop" or (token_kind == "reply" and message is not None and incoming.is_stop(mail.text)):
        if message is not None:
            stops.stop_by_message(message.id, "mailto" if token_kind == "stop" else "reply")
        return Kind.STOP, "unsubscribed"
    return _reply(found, mail, message, token_kind)


def _report(mail: Mail, message: Message, *, empty_sender: bool) -> tuple[Kind, str]:
    """A report at the bounce address, with its fields or in plain words; or somebody's answering machine that wrote there."""
    if mail.notices:
        effects = [receipts.note_report(message.id, notice).value for notice in mail.notices[:20]]
        return Kind.REPORT, ",".join(dict.fromkeys(effects))
    if mail.is_automatic and not empty_sender:
        receipts.note_left(message.id)
        return Kind.AUTO_REPLY, ""
    words = mail.full_text[:4000]
    found = receipts.note_report(message.id, incoming.Notice("", "", words))
    return Kind.REPORT, found.value


def _automatic(found: InboundMail, mail: Mail, message: Message | None, token_kind: str) -> tuple[Kind, str]:
    if message is None or not token_kind:
        return Kind.UNMATCHED, "automatic"
    receipts.note_left(message.id)
    left = incoming.may_have_left(mail.text or mail.full_text)
    publish(
        AutoReplyReceived(
            tenancy.current(),
            found.id,
            message.id,
            message.ref_kind,
            message.ref_id,
            message.contact_id,
            mail.from_email,
            mail.text,
            left,
            clock.now(),
        )
    )
    return Kind.AUTO_REPLY, "may_have_left" if left else ""


def _reply(found: InboundMail, mail: Mail, message: Message | None, token_kind: str) -> tuple[Kind, str]:
    known = message is not None and bool(mail.from_email) and _same_person(mail.from_email, message)
    score = None
    if message is not None and token_kind == "reply":
        receipts.note_left(message.id)
        if known:
            stops.note_alive(message.to_email)
        read = incoming.read_score(mail.text) if message.kind in rules.SURVEY_KINDS else None
        score = read[0] if read else None
    if message is None and tenancy.current() == HOUSE:
        return Kind.UNMATCHED, ""
    publish(
        ReplyReceived(
            account_id=tenancy.current(),
            inbound_id=found.id,
            token_kind=token_kind,
            message_id=message.id if message else None,
            ref_kind=message.ref_kind if message else "",
            ref_id=message.ref_id if message else None,
            contact_id=message.contact_id if message else None,
            from_email=mail.from_email,
            from_known=known,
            subject=mail.subject,
            text=mail.text,
            score=score,
            occurred_at=clock.now(),
        )
    )
    if token_kind != "reply" and not known:
        return Kind.UNMATCHED, "only_named"
    return (Kind.SCORE, str(score)) if score is not None else (Kind.REPLY, "")


def _same_person(from_email: str, message: Message) -> bool:
    try:
        return email_address.reduced(from_email) == message.to_key
    except ValueError:
        return False


def forget_raw(before_days: int = 30) -> int:
    """Raw mail is kept 30 days; what was read from it stays."""
    limit = clock.now() - timedelta(days=before_days)
    done = db.session.execute(
        update(InboundMail)
        .where(InboundMail.raw.is_not(None), InboundMail.received_at < limit)
        .values(raw=None)
        .execution_options(synchronize_session=False)
    )
    count: int = done.rowcount  # type: ignore[attr-defined]
    return count
