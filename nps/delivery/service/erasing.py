"""A person is erased: nothing of them stays in messages, mail and stops but a keyed hash, so that no old file brings them back."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import delete, or_, update

from nps.core import clock, email_address
from nps.core.db import db
from nps.delivery import queries
from nps.delivery.models import AddressHealth, InboundMail, MailboxMail, Message, Suppression
from nps.delivery.rules import SuppressionReason
from nps.delivery.service import queueing, stops


def erase_person(contact_id: UUID, emails: Iterable[str]) -> dict[str, int]:
    """Erase a contact with these addresses (former ones too) in the account in scope. Returns counts for the receipt.

    What waits for them is dropped at once. Stop links go on working: they answer that there is nothing left to do.
    """
    addresses = list(emails)
    now = clock.now()
    queueing.drop("erased", contact_id=contact_id)
    for address in addresses:
        stops.suppress(address, SuppressionReason.ERASED, "erasure")
    keys = [key for address in addresses for key in queries.suppression_keys(address)[:2]]
    wide = [email_address.reduced(address) for address in addresses]
    counts = {
        "messages": _count(
            update(Message)
            .where(or_(Message.contact_id == contact_id, Message.to_key.in_(wide)))
            .values(to_email="", to_key="", contact_id=None, slots={}, subject=None, body_text=None, body_html=None, server_text=None)
        ),
        "mails": _count(
            update(InboundMail)
            .where(InboundMail.from_email.in_([address.lower() for address in addresses]))
            .values(from_email="", from_name="", subject="", text="", full_text="", raw=None, envelope_from="")
        ),
        "mailbox": _count(delete(MailboxMail).where(MailboxMail.rcpt_to.in_({*addresses, *(address.lower() for address in addresses)}))),
        "stops": _count(
            update(Suppression)
            .where(Suppression.key.in_(keys))
            .values(email="", contact_id=None, note="", lifted_at=now, lifted_by="erasure")
        ),
    }
    _count(delete(AddressHealth).where(AddressHealth.email.in_([email_address.key(address) for address in addresses])))
    _count(update(Suppression).where(Suppression.key.in_(keys)).values(key=Suppression.reason))
    return counts


def _count(statement: object) -> int:
    done = db.session.execute(statement, execution_options={"synchronize_session": False})  # type: ignore[call-overload]
    count: int = done.rowcount
    return count
