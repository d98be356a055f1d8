"""Advocates, their links, and what a thank-you page needs of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select

from nps.contacts import queries as contacts
from nps.contacts.models import Contact
from nps.core import clock, ids, settings, tenancy
from nps.core.db import db
from nps.core.errors import NotFound
from nps.core.prepared import Finder, First
from nps.referrals.models import Advocate, AdvocateEvent, AskRefusal, LinkCode, PortalLink, Program, ProgramVersion, ReferralLink
from nps.referrals.queries.programs import default_program, get_program, latest_version
from nps.referrals.rules import codes, destinations, sharing
from nps.referrals.rules.advocates import ALLOWS, AdvocateState
from nps.referrals.rules.programs import ProgramState

find_advocate = Finder(Advocate)


def get_advocate(advocate_id: UUID) -> Advocate:
    found = find_advocate(advocate_id)
    if found is None:
        raise NotFound("There is no such advocate here.")
    return found


_of = First(Advocate, lambda t: (t.c.program_id == bindparam("program"), t.c.contact_id == bindparam("contact")))


def advocate_of(program_id: UUID, contact_id: UUID) -> Advocate | None:
    return _of(program=program_id, contact=contact_id)


def advocate_ids_of(program_id: UUID, contact_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Contact → their advocate, for those who are in the program."""
    if not contact_ids:
        return {}
    found = db.session.execute(
        select(Advocate.contact_id, Advocate.id).where(Advocate.program_id == program_id, Advocate.contact_id.in_(contact_ids))
    )
    return dict(found.all())


def link_of(advocate_id: UUID) -> ReferralLink:
    """The advocate's link in use: the newest that is not retired."""
    found = db.session.scalar(
        select(ReferralLink)
        .where(ReferralLink.advocate_id == advocate_id, ReferralLink.retired_at.is_(None))
        .order_by(ReferralLink.created_at.desc())
        .limit(1)
    )
    if found is None:
        raise NotFound
    return found


find_link = Finder(ReferralLink)
_find_code = Finder(LinkCode)


def get_link(link_id: UUID) -> ReferralLink:
    found = find_link(link_id)
    if found is None:
        raise NotFound
    return found


def contact_of(advocate: Advocate) -> Contact:
    """The person behind an advocate."""
    return contacts.get_contact(advocate.contact_id)


def resolve_code(typed: str) -> tuple[UUID, UUID] | None:
    """(account, link) of a code as typed or clicked, whatever account is in scope; None for an unknown one."""
    key = codes.key(typed)
    if key is None:
        return None
    found = _find_code(key)
    return (found.account_id, found.link_id) if found else None


def link_address(link: ReferralLink) -> str:
    """The address people share."""
    return f"{settings.current().base_url}/r/{link.code}"


def portal_address(portal: PortalLink) -> str:
    return f"{settings.current().base_url}/p/{ids.sign('portal', portal.account_id, portal.id)}"


def last_refusal(contact_id: UUID) -> AskRefusal | None:
    """Why this contact was not asked to share, the last time."""
    return db.session.scalar(
        select(AskRefusal).where(AskRefusal.contact_id == contact_id).order_by(AskRefusal.occurred_at.desc(), AskRefusal.id.desc()).limit(1)
    )


@dataclass(frozen=True)
class Offer:
    """What the promoter's thank-you page shows: the ask, both sides, the link and the ways to share it."""

    advocate_id: UUID
    program_name: str
    ask: str
    friend_words: str
    friend_detail: str
    advocate_words: str
    advocate_detail: str
    link: str
    link_shown: str
    ways: list[sharing.Way]
    portal_url: str


def offer_for(response_id: UUID | None = None, contact_id: UUID | None = None, program_id: UUID | None = None) -> Offer | None:
    """The offer for the advocate made by a response, or for a contact in a program (default: the default one).

    None when there is no advocate, the program is not live, or this person is not asked at the moment: the page
    is drawn anew each time, so a case opened meanwhile takes the offer away.
    """
    advocate: Advocate | None = None
    if response_id is not None:
        advocate = db.session.scalar(select(Advocate).where(Advocate.response_id == response_id))
    if advocate is None and contact_id is not None:
        program = get_program(program_id) if program_id else default_program()
        advocate = advocate_of(program.id, contact_id) if program else None
    if advocate is None or not ALLOWS[AdvocateState(advocate.state)].asks:
        return None
    program = get_program(advocate.program_id)
    if program.state != ProgramState.LIVE:
        return None
    return build_offer(advocate, program, latest_version(program.id, clock.now()))


def build_offer(advocate: Advocate, program: Program, version: ProgramVersion) -> Offer:
    link = link_of(advocate.id)
    address = link_address(link)
    portal = living_portal(advocate, clock.now())
    return Offer(
        advocate.id,
        program.name,
        version.ask,
        version.friend_words,
        version.friend_detail,
        version.advocate_words,
        version.advocate_detail,
        address,
        address.split("://", 1)[1],
        sharing.ways(address, version.share_subject, spoken_words(advocate, version), tuple(program.channels) or sharing.DEFAULT_WAYS),
        portal_address(portal) if portal else "",
    )


def spoken_words(advocate: Advocate, version: ProgramVersion, *, disclose: bool = True) -> str:
    """The words that go out with the link: the advocate's own once they may be shown, else the program's.

    With the disclosure, except on the friend's page, which says it itself.
    """
    own = advocate.words if advocate.words_state == "shown" and advocate.words else version.share_words
    return sharing.with_disclosure(own, version.disclosure) if disclose else own


_portal = First(
    PortalLink,
    lambda t: (t.c.advocate_id == bindparam("advocate"), t.c.epoch == bindparam("since"), t.c.expires_at > bindparam("now")),
    order_by=lambda t: t.c.expires_at.desc(),
)


def living_portal(advocate: Advocate, now: datetime) -> PortalLink | None:
    """The youngest way to the share page that still works."""
    return _portal(advocate=advocate.id, since=advocate.portal_epoch, now=now)


def find_portal(portal_id: UUID) -> PortalLink | None:
    return db.session.get(PortalLink, (tenancy.current(), portal_id))


def shares(advocate: Advocate) -> bool:
    """Whether this person's page offers something to share."""
    return ALLOWS[AdvocateState(advocate.state)].link


@dataclass(frozen=True)
class FriendPage:
    """What the page behind a link shows of the person who shares, as far as the program lets it, and of the offer."""

    link: ReferralLink
    program: Program
    version: ProgramVersion
    state: str
    first_name: str
    initials_of: str
    company: str
    since: int | None
    words: str
    site: str


def friend_page(link_id: UUID) -> FriendPage:
    """The page of a link. `state`: open, draft, paused, ended, or plain when this person does not share any more."""
    link = get_link(link_id)
    advocate = get_advocate(link.advocate_id)
    program = get_program(advocate.program_id)
    works = link.retired_at is None and shares(advocate)
    return _friend_page(link, advocate, program, contact_of(advocate), _STATES[ProgramState(program.state)] if works else "plain")


def sample_advocate(program_id: UUID) -> Advocate | None:
    """Somebody real to show pages for: one who shares, else the first who was asked."""
    working = [state.value for state in AdvocateState if ALLOWS[state].link]
    return db.session.scalar(
        select(Advocate)
        .where(Advocate.program_id == program_id, Advocate.state.in_(working))
        .order_by(Advocate.first_shared_at.is_(None), Advocate.first_shared_at, Advocate.created_at)
        .limit(1)
    )


def sample_friend_page(program: Program) -> FriendPage:
    """The page as it stands, for a real advocate, or for somebody made up where there is none yet."""
    advocate = sample_advocate(program.id)
    if advocate is not None:
        return _friend_page(link_of(advocate.id), advocate, program, contact_of(advocate), "open")
    link, nobody = ReferralLink(code="maya-7Q2K9D"), Advocate(words="", words_state="default")
    person = Contact(name="Maya Okafor", first_name="Maya", company="Fern & Fable")
    return _friend_page(link, nobody, program, person, "open")


_STATES = {ProgramState.LIVE: "open", ProgramState.DRAFT: "draft", ProgramState.PAUSED: "paused", ProgramState.ENDED: "ended"}


def _friend_page(link: ReferralLink, advocate: Advocate, program: Program, contact: Contact, state: str) -> FriendPage:
    version = latest_version(program.id, clock.now())
    host = destinations.host_of(program.destination_url)
    return FriendPage(
        link=link,
        program=program,
        version=version,
        state=state,
        first_name=contact.called if program.show_first_name else "",
        initials_of=(contact.name or contact.called) if program.show_first_name else "",
        company=(contact.company or "") if program.show_company else "",
        since=contact.customer_since.year if contact.customer_since and program.show_company else None,
        words=spoken_words(advocate, version, disclose=False) if program.show_words else "",
        site=f"https://{host}/" if host else "",
    )


def advocate_events(advocate_id: UUID) -> Sequence[AdvocateEvent]:
    """What happened to an advocate, newest first."""
    return db.session.scalars(
        select(AdvocateEvent)
        .where(AdvocateEvent.advocate_id == advocate_id)
        .order_by(AdvocateEvent.occurred_at.desc(), AdvocateEvent.id.desc())
    ).all()


def advocate_named(text: str) -> Advocate | None:
    """The advocate of a code, or of the contact with this address in the default program."""
    found = resolve_code(text)
    if found is not None and found[0] == tenancy.current():
        return get_advocate(get_link(found[1]).advocate_id)
    contact = contacts.find_by_email(text) if "@" in text else None
    program = default_program()
    return advocate_of(program.id, contact.id) if contact and program else None
