"""Test mails: marked, with a link that works, never counted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from nps.accounts import queries as accounts
from nps.accounts.models import Account
from nps.campaigns import queries
from nps.campaigns.errors import TooManyTests
from nps.campaigns.models import Campaign, Invitation
from nps.campaigns.rules import limits, words
from nps.campaigns.service import letter, writing
from nps.contacts import queries as contacts
from nps.contacts.models import Contact
from nps.core import clock, email_address, ids, tenancy
from nps.core.db import db
from nps.core.errors import Invalid
from nps.delivery import queries as delivery_queries
from nps.delivery import service as delivery
from nps.surveys import service as surveys


@dataclass(frozen=True)
class Sent:
    """Which tests went and which addresses were left out, with the sentence about it."""

    addresses: tuple[str, ...]
    left_out: tuple[str, ...]
    said: str


def send_test(campaign_id: UUID, typed: list[str], *, contact: Contact | None = None) -> Sent:
    """Send the survey as it is written now to members or to the account's verified domain.

    `contact` lends its name to the placeholders. Raises Invalid when nothing can be sent, TooManyTests over 20 an hour.
    """
    campaign, account, now = queries.get_campaign(campaign_id), accounts.get_account(tenancy.current()), clock.now()
    if not typed:
        raise Invalid("The test was not sent. Write an address first.", fields={"test": "Write an address."})
    if len(typed) > limits.TESTS_AT_ONCE:
        said = f"The test was not sent. {len(typed)} addresses are too many; {limits.TESTS_AT_ONCE} go at a time."
        raise Invalid(said, fields={"test": said})
    addresses = [_read(text) for text in dict.fromkeys(typed)]
    own = account.sender_email.rpartition("@")[2].lower() if delivery_queries.verified_domain(account.sender_email) else ""
    good = [address for address in addresses if accounts.is_member(address) or (own and address.rpartition("@")[2].lower() == own)]
    left_out = [address for address in addresses if address not in good]
    if not good:
        said = words.tests_left_out(left_out, 0, own)
        raise Invalid(said, fields={"test": said})
    _within_the_hour(len(good))
    version = surveys.freeze_version(campaign.survey_id)
    template = delivery.add_template(letter.wording(version.wording, account, campaign.id, kind="test"))
    names = letter.marks_of(template.subject, template.text, template.html)
    drafts = []
    for address in good:
        invitation = Invitation(
            id=ids.new_id(),
            campaign_id=campaign.id,
            wave=0,
            contact_id=None,
            channel="email",
            state="planned",
            due_at=now,
            written_at=now,
            survey_version_id=version.id,
            is_test=True,
            asked_properties={},
            created_at=now,
        )
        db.session.add(invitation)
        known = contact or contacts.find_by_email(address)
        drafts.append(
            delivery.Draft(
                key=f"invitation:{invitation.id}:1",
                to_email=address,
                contact_id=None,
                ref_kind=writing.REF,
                ref_id=invitation.id,
                slots=letter.values_for(known, names, writing.least_gap(campaign)),
            )
        )
    db.session.flush()
    delivery.queue_many(drafts, kind=writing.TEST, priority=delivery.PRIORITY_SINGLE, template=template, batch_id=None)
    said = words.tests_left_out(left_out, len(good), own) if left_out else _sent_to(good)
    return Sent(tuple(good), tuple(left_out), said)


def _read(text: str) -> str:
    try:
        return email_address.parse(text)
    except Invalid as refused:
        said = f"The test was not sent. “{text.strip()[:40]}”: {refused.message}"
        raise Invalid(said, fields={"test": said}) from None


def _within_the_hour(more: int) -> None:
    since = clock.now() - timedelta(hours=1)
    sent = (
        db.session.scalar(select(func.count()).select_from(Invitation).where(Invitation.is_test.is_(True), Invitation.created_at > since))
        or 0
    )
    if sent + more > limits.TESTS_AN_HOUR:
        most = limits.TESTS_AN_HOUR
        raise TooManyTests(f"The test was not sent: {sent} went in the last hour, {most} are the most. Your draft is saved; wait a little.")


def _sent_to(addresses: list[str]) -> str:
    return f"The test is on its way to {', '.join(addresses)}. Its answer is marked and never counted."


def open_test(campaign_id: UUID) -> Invitation:
    """A test link for the member who wants to see the survey page: no mail, marked, never counted. Raises TooManyTests."""
    campaign, now = queries.get_campaign(campaign_id), clock.now()
    _within_the_hour(1)
    invitation = Invitation(
        campaign_id=campaign.id,
        wave=0,
        contact_id=None,
        channel="email",
        state="asked",
        asked_at=now,
        expires_at=now + timedelta(days=1),
        survey_version_id=surveys.freeze_version(campaign.survey_id).id,
        is_test=True,
        asked_properties={},
        created_at=now,
    )
    db.session.add(invitation)
    db.session.flush()
    return invitation


def copy_for(words: Mapping[str, Any], account: Account, campaign: Campaign, contact: Contact | None) -> letter.Copy:
    """The mail with these words as this person would read it."""
    return letter.copy_for(words, account, campaign.id, contact, writing.least_gap(campaign))


def sends_from_own_domain(account: Account) -> bool:
    """Is the sender's domain verified, so that mail leaves from it?"""
    return bool(account.sender_email) and delivery_queries.verified_domain(account.sender_email)
