"""The one file of follow-ups that hands mail to delivery: to the customer in their thread, and to members."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from nps.accounts import queries as accounts
from nps.accounts.models import Membership
from nps.contacts.models import Contact
from nps.core import ids, settings, tenancy
from nps.core.db import db
from nps.delivery import queries as delivery_queries
from nps.delivery import service as delivery
from nps.delivery.models import InboundMail, Message
from nps.followups import queries
from nps.followups.errors import MayNotWrite
from nps.followups.models import Case
from nps.followups.rules import letters, words

REF, NOTICE = "case", "notice"
TAKEN_BACK = "taken_back"


def must_be_allowed(contact: Contact) -> str:
    """The address to write to. A stop of surveys does not stop a typed reply; a complaint, a hard bounce and an erasure do.

    Raises MayNotWrite; nothing was sent then.
    """
    if contact.email is None:
        raise MayNotWrite("There is no email address. Call, then log the talk; your text is kept.")
    if delivery_queries.is_suppressed(contact.email, personal=True):
        raise MayNotWrite(
            "This address must not be mailed: it bounced, complained or was erased. Call, then log the talk; your text is kept."
        )
    return contact.email


def has_stopped(contact: Contact) -> bool:
    """Did this person stop survey emails? A typed reply may still go, and the page says so first."""
    return contact.email is not None and delivery_queries.is_suppressed(contact.email)


def may_be_written_to(contact: Contact) -> bool:
    """Would `must_be_allowed` let a typed reply go?"""
    return contact.email is not None and not delivery_queries.is_suppressed(contact.email, personal=True)


def to_customer(
    case: Case, contact: Contact, body: str, actor: Membership, *, leaves_at: datetime, key: str, ask_solved: bool = False
) -> UUID:
    """Queue a typed reply that continues the thread; the id of its message.

    From "Tomás at Larkfield" at the account's sender, Reply-To a token of this message, References back to the survey mail,
    the customer's answer quoted below, text and simple HTML. `ask_solved` puts "Is it solved?" with two links under it.
    """
    account = accounts.get_account(tenancy.current())
    first_name = accounts.get_user(actor.user_id).name.split(" ")[0]
    subject, references = thread(case)
    quote, lead = _quote(case, contact)
    links = _solved_links(case) if ask_solved else []
    message = delivery.queue(
        kind="reply",
        key=key,
        to_email=must_be_allowed(contact),
        subject=letters.subject(subject),
        text=letters.as_text(body, quote, lead, links),
        html=letters.as_html(body, quote, lead, links),
        from_name=f"{first_name} at {account.name}",
        from_email=delivery.sender_address(account.sender_email, account.slug),
        contact_id=contact.id,
        ref_kind=REF,
        ref_id=case.id,
        references=references,
        due_at=leaves_at,
    )
    return message.id


def thread(case: Case) -> tuple[str, list[str]]:
    """(subject of the survey mail or of the customer's own mail, Message-IDs of the thread, oldest first)."""
    events = queries.list_events(case.id)
    found: list[tuple[datetime, str, str]] = []
    response = queries.find_response(case)
    if response is not None:
        for mail in delivery_queries.list_messages("invitation", [response.invitation_id])[:1]:
            found.append((mail.queued_at, mail.rfc_message_id, delivery_queries.subject_of(mail)))
    gone = queries.undone_ids(events)
    sent = [event.message_id for event in events if event.what == "reply" and event.message_id is not None and event.id not in gone]
    came = [event.message_id for event in events if event.what == "customer_wrote" and event.message_id is not None]
    for mail in db.session.scalars(select(Message).where(Message.id.in_(sent))):
        found.append((mail.queued_at, mail.rfc_message_id, mail.subject or ""))
    for inbound in db.session.scalars(select(InboundMail).where(InboundMail.id.in_(came))):
        found.append((inbound.received_at, inbound.rfc_message_id, inbound.subject))
    found.sort()
    subject = next((words for _, _, words in found if words), "")
    return subject, [message_id.strip("<>") for _, message_id, _ in found if message_id]


def _quote(case: Case, contact: Contact) -> tuple[str, str]:
    """(the customer's own words, the line above them)."""
    response = queries.find_response(case)
    if response is None:
        return "", ""
    hours = queries.hours_of(queries.get_queue(case.queue_id))
    on = words.full(response.first_at, hours.tz).rpartition(",")[0]
    answered = f"On {on} {contact.called or 'you'} answered {response.score} of 10"
    return (response.comment, f"{answered} and wrote:") if response.comment.strip() else (f"{response.score} of 10", f"{answered}:")


def _solved_links(case: Case) -> list[tuple[str, str]]:
    """Both lead to one page with two buttons; opening it records nothing."""
    page = f"{settings.current().base_url}/k/{ids.sign('solved', case.account_id, case.id)}"
    return [("Yes", f"{page}?is=yes"), ("Not yet", f"{page}?is=not_yet")]


def take_back(message_id: UUID) -> bool:
    """Call a reply off that has not begun to leave. False when it has."""
    return any(fate.message_id == message_id for fate in delivery.drop(TAKEN_BACK, message_ids=[message_id]))


def to_member(email: str, subject: str, text: str, *, key: str, case: Case) -> None:
    """A short mail to somebody of the team, once per key."""
    account = accounts.get_account(tenancy.current())
    delivery.queue(
        kind="notice",
        key=key,
        to_email=email,
        subject=subject,
        text=text,
        from_name="Wordback",
        from_email=delivery.sender_address("", account.slug),
        ref_kind=NOTICE,
        ref_id=case.id,
    )


def case_address(slug: str, case_id: UUID) -> str:
    """Where the case is, for mails."""
    return f"{settings.current().base_url}/{slug}/cases/{case_id}"
