"""Advocates: asked, enrolled with a link, sharing, pausing, leaving; or the reason why not, kept."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from nps.accounts import queries as accounts
from nps.accounts import rules as account_rules
from nps.contacts import queries as contacts
from nps.contacts.models import Contact
from nps.core import clock, ids, tenancy
from nps.core.db import db
from nps.core.errors import Invalid, NotFound
from nps.core.events import publish
from nps.core.prepared import Finder, Put, PutOnce
from nps.delivery import queries as delivery
from nps.delivery import service as mails
from nps.referrals import queries
from nps.referrals.errors import WrongState
from nps.referrals.events import AdvocateEnrolled, AdvocateLeft, ShareRecorded
from nps.referrals.models import Advocate, AdvocateEvent, AskRefusal, LinkCode, PortalLink, Program, ReferralLink, Share
from nps.referrals.rules import advocates, checks, codes, sharing
from nps.referrals.rules.advocates import AdvocateState, Candidate, NotEnrolled, Source
from nps.referrals.rules.programs import ProgramState
from nps.web import email_templates

PORTAL_LIFE = timedelta(days=30)
PORTAL_KEEP = timedelta(days=2)
PORTAL_SHORT = timedelta(minutes=15)
SHARE_GAP = timedelta(minutes=10)
OPEN_CASE = "open_case"

_find_contact = Finder(Contact)
_put_advocate, _put_event, _put_refusal = Put(Advocate), Put(AdvocateEvent), Put(AskRefusal)
_put_link, _put_portal, _take_code = Put(ReferralLink), Put(PortalLink), PutOnce(LinkCode.__table__, ["key"])


@dataclass(frozen=True)
class Enrolment:
    """What came of asking: an advocate (`made` now or known before), or the stored reason why not."""

    advocate: Advocate | None
    refused: NotEnrolled | None = None
    made: bool = False


def enrol(
    contact_id: UUID, source: str, response_id: UUID | None = None, *, program_id: UUID | None = None, score: int | None = None
) -> Enrolment:
    """Ask a contact into a program (default: the default one): advocate, link and code in this transaction.

    Asking the same contact again gives the same row. `score` is the answer that led here (default: the contact's last
    one). A refusal is stored with its reason and shown on the contact.
    """
    now = clock.now()
    contact = _contact(contact_id)
    program = queries.get_program(program_id) if program_id else queries.default_program()
    known = queries.advocate_of(program.id, contact_id) if program else None
    reason = advocates.refusal(_candidate(contact, program, known, Source(source), contact.last_score if score is None else score), now)
    if program is None or reason is not None:
        _put_refusal(
            program_id=program.id if program else None,
            contact_id=contact_id,
            response_id=response_id,
            source=source,
            reason=reason or NotEnrolled.PROGRAM_NOT_LIVE,
            occurred_at=now,
        )
        return Enrolment(None, reason or NotEnrolled.PROGRAM_NOT_LIVE)
    if known is not None:
        _back(known, response_id, now)
        portal(known, now)
        return Enrolment(known)
    advocate = _put_advocate(
        program_id=program.id, contact_id=contact_id, source=source, response_id=response_id, state=AdvocateState.INVITED, created_at=now
    )
    _note(advocate, "", AdvocateState.INVITED, source, "", now)
    make_link(advocate, contact.called if program.code_style == "name" else "", now)
    _new_portal(advocate, PORTAL_LIFE, now)
    publish(AdvocateEnrolled(tenancy.current(), advocate.id, program.id, contact_id, source, now))
    return Enrolment(advocate, made=True)


def _contact(contact_id: UUID) -> Contact:
    found = _find_contact(contact_id)
    if found is None or found.erased_at is not None:
        raise NotFound("There is no such contact here.")
    return found


def _candidate(contact: Contact, program: Program | None, known: Advocate | None, source: Source, score: int | None) -> Candidate:
    return Candidate(
        source=source,
        program_live=program is not None and program.state == ProgramState.LIVE,
        score=score,
        min_score=program.min_score if program else 9,
        open_case=OPEN_CASE in contact.holds,
        holdout_bucket=ids.bucket(f"{contact.id}:{program.id}", 1000) if program else 999,
        holdout_percent=program.holdout_percent if program else 0,
        left_or_removed=known is not None and known.state in (AdvocateState.LEFT, AdvocateState.REMOVED),
        staff=bool(contact.email) and checks.domain_of(contact.email or "") in queries.own_domains(),
        suppressed=_stopped(contact),
        consent_ok=contact.consent_email != "no",
    )


def _stopped(contact: Contact) -> bool:
    """Whether a stop covers this person's address."""
    return bool(contact.email) and delivery.is_suppressed(contact.email or "")


def _back(advocate: Advocate, response_id: UUID | None, now: datetime) -> None:
    """A promoter again: after a withdrawal or a pause the old link goes on."""
    shared = advocate.first_shared_at is not None
    for verb in ("reinstate", "resume"):
        after = advocates.move(AdvocateState(advocate.state), verb, shared_before=shared)
        if after is not None:
            _set(advocate, after, "routing", "answered 9 or 10 again", now)
    if response_id is not None:
        advocate.response_id = response_id


def make_link(advocate: Advocate, first_name: str, now: datetime) -> ReferralLink:
    """A link with a code that nobody ever had: 5 tries with 6 signs, then 8 signs."""
    slug = codes.slug(first_name)
    link_id = ids.new_id()
    for attempt in range(codes.TRIES + 20):
        length = codes.SHORT if slug and attempt < codes.TRIES else codes.LONG
        code = codes.compose(slug, ids.new_code(codes.ALPHABET, length))
        if _take_code(key=codes.key(code), account_id=tenancy.current(), link_id=link_id):
            return _put_link(id=link_id, advocate_id=advocate.id, code=code, created_at=now)
    raise RuntimeError("no free code was found in 25 tries")


def portal(advocate: Advocate, now: datetime) -> PortalLink:
    """A way to the share page that works for at least two more days; made anew when the last one is about to end."""
    living = queries.people.living_portal(advocate, now)
    if living is not None and living.expires_at - now > PORTAL_KEEP:
        return living
    return _new_portal(advocate, PORTAL_LIFE, now)


def _new_portal(advocate: Advocate, life: timedelta, now: datetime) -> PortalLink:
    return _put_portal(advocate_id=advocate.id, epoch=advocate.portal_epoch, expires_at=now + life, created_at=now)


def short_portal(advocate: Advocate, now: datetime) -> PortalLink:
    """A way to the share page for a company's own product: 15 minutes."""
    return _new_portal(advocate, PORTAL_SHORT, now)


def mail_portal(email: str) -> None:
    """Send a new way to the share page to this address, if it belongs to somebody who shares. Says nothing either way."""
    contact = contacts.find_by_email(email) if "@" in email else None
    program = queries.default_program()
    if contact is None or program is None or not contact.email:
        return
    advocate = queries.advocate_of(program.id, contact.id)
    if advocate is None or advocate.state in (AdvocateState.REMOVED, AdvocateState.WITHDRAWN):
        return
    mail_link(advocate, contact, clock.now())


def mail_link(advocate: Advocate, contact: Contact, now: datetime) -> None:
    """One mail with the way to the share page, at most one an hour."""
    account = accounts.get_account(tenancy.current())
    version = queries.version_at(advocate.program_id, now)
    words = email_templates.render(
        "portal_link",
        company=account.name,
        sender=account_rules.letterhead(account.name, account.postal_address),
        first_name=contact.called,
        headline=version.headline,
        link=queries.portal_address(portal(advocate, now)),
    )
    mails.queue(
        kind="share",
        key=f"portal:{advocate.id}:{now:%Y%m%d%H}",
        to_email=contact.email or "",
        subject=words.subject,
        text=words.text,
        html=words.html,
        from_name=account.name,
        from_email=mails.sender_address(account.sender_email, account.slug),
        reply_to=account.reply_to,
        contact_id=contact.id,
        ref_kind="advocate",
        ref_id=advocate.id,
    )


def revoke_portals(advocate: Advocate) -> None:
    """All mailed ways to the share page, and browsers that came over one, are shut out."""
    advocate.portal_epoch += 1
    db.session.flush()


def share(advocate: Advocate, channel: str) -> bool:
    """The advocate used a share button. At most one share per channel and 10 minutes; the first makes them active
    and stores the terms they shared under. False when it was a repeat or the state allows no sharing."""
    now = clock.now()
    code = codes.channel(channel) or "cp"
    if not advocates.ALLOWS[AdvocateState(advocate.state)].link:
        return False
    activate(advocate, "shared", now)
    recent = select(Share.id).where(
        Share.advocate_id == advocate.id, Share.channel == code, Share.source == "button", Share.occurred_at > now - SHARE_GAP
    )
    if db.session.scalar(recent.limit(1)) is not None:
        return False
    _add_share(advocate, code, "button", now)
    return True


def infer_share(advocate: Advocate, channel: str, at: datetime) -> bool:
    """The first person came over a channel that no share was recorded for."""
    known = select(Share.id).where(Share.advocate_id == advocate.id, Share.channel == channel)
    if db.session.scalar(known.limit(1)) is not None:
        return False
    activate(advocate, "a friend came", at)
    _add_share(advocate, channel, "inferred", at)
    return True


def _add_share(advocate: Advocate, channel: str, source: str, at: datetime) -> None:
    db.session.add(Share(advocate_id=advocate.id, channel=channel, source=source, occurred_at=at))
    advocate.first_shared_at = advocate.first_shared_at or at
    db.session.flush()
    publish(ShareRecorded(tenancy.current(), advocate.id, channel, source, at))


def activate(advocate: Advocate, reason: str, now: datetime) -> None:
    """First share, or first POST on the share page: invited becomes active, the terms of that moment are stored."""
    after = advocates.move(AdvocateState(advocate.state), "share")
    if after is not None:
        _set(advocate, after, "advocate", reason, now)
    if advocate.accepted_version_id is None:
        advocate.accepted_version_id = queries.version_at(advocate.program_id, now).id
        db.session.flush()


def save_words(advocate: Advocate, text: str) -> str | None:
    """Keep the advocate's own words. Returns why they wait for the company, or None when they are shown. Raises Invalid over 500."""
    now = clock.now()
    words = sharing.clean_words(text)
    if len(words) > sharing.WORDS_MAX:
        raise Invalid(
            f"Your words have {len(words)} characters. Up to {sharing.WORDS_MAX} fit; what you wrote is still in the field.",
            fields={"words": f"Up to {sharing.WORDS_MAX} characters."},
        )
    activate(advocate, "wrote own words", now)
    version = queries.version_at(advocate.program_id, now)
    if not words or words == version.share_words:
        advocate.words, advocate.words_state = "", "default"
        db.session.flush()
        return None
    if words == advocate.words and advocate.words_state == "shown":
        return None
    why = sharing.needs_approval(words)
    advocate.words, advocate.words_state = words, "waiting" if why else "shown"
    db.session.flush()
    return why


def judge_words(advocate: Advocate, shown: bool) -> None:
    """A member lets waiting words be shown, or sets them back to the program's."""
    if advocate.words_state != "waiting":
        raise WrongState("These words are not waiting. Nothing was changed.")
    advocate.words, advocate.words_state = (advocate.words, "shown") if shown else ("", "default")
    db.session.flush()


def leave(advocate: Advocate, actor: str = "advocate", reason: str = "") -> None:
    """Own choice, one button. The link leads to the company's plain page; what was earned is paid. Undo within 30 days."""
    now = clock.now()
    _step(advocate, "leave", actor, reason, now)
    advocate.left_at = now
    _tell_left(advocate, now)


def come_back(advocate: Advocate) -> None:
    """Undo leaving, within 30 days. Raises WrongState afterwards."""
    now = clock.now()
    after = advocates.move(
        AdvocateState(advocate.state), "return", shared_before=advocate.first_shared_at is not None, left_at=advocate.left_at, now=now
    )
    if after is None:
        raise WrongState("Coming back works for 30 days after leaving. Write to us and we will sort it out.")
    advocate.left_at = None
    _set(advocate, after, "advocate", "came back", now)


def remove(advocate: Advocate, actor: str, reason: str) -> None:
    """The company takes somebody out. The reason is required and told to them; unpaid rewards are cancelled with it."""
    if not reason.strip():
        raise Invalid("Say why. The person reads this reason.", fields={"reason": "Say why."})
    now = clock.now()
    advocate.ended_reason = reason.strip()[:300]
    _step(advocate, "remove", actor, reason.strip(), now)
    _tell_left(advocate, now)


def pause_for_case(event: Any) -> None:
    """A case was opened about this contact: no asks until it is closed. Links and earned rewards go on."""
    _all_of(event.contact_id, "pause", "a case is open")


def resume_after_case(event: Any) -> None:
    """The case is closed. Somebody who gave a low score stays unasked until they answer 9 or 10 again."""
    contact = db.session.get(Contact, (tenancy.current(), event.contact_id)) if event.contact_id else None
    if contact is not None and OPEN_CASE not in contact.holds and (contact.last_score or 0) >= 7:
        _all_of(event.contact_id, "resume", "the case is closed")


def withdraw_for_answer(event: Any) -> None:
    """An answer fell below 9, or does not count any more, before anything was shared: the invitation is taken back."""
    score = getattr(event, "new_score", None)
    if event.contact_id is None or (score is not None and score >= 9):
        return
    now = clock.now()
    for advocate in db.session.scalars(
        select(Advocate).where(Advocate.contact_id == event.contact_id, Advocate.response_id == event.response_id)
    ).all():
        if advocate.first_shared_at is None and advocates.move(AdvocateState(advocate.state), "withdraw") is not None:
            _step(advocate, "withdraw", "routing", "the answer changed" if score is not None else "the answer does not count", now)
            _tell_left(advocate, now)


def _all_of(contact_id: UUID | None, verb: str, reason: str) -> None:
    if contact_id is None:
        return
    now = clock.now()
    for advocate in db.session.scalars(select(Advocate).where(Advocate.contact_id == contact_id)).all():
        after = advocates.move(AdvocateState(advocate.state), verb, shared_before=advocate.first_shared_at is not None)
        if after is not None:
            _set(advocate, after, "routing", reason, now)


def _step(advocate: Advocate, verb: str, actor: str, reason: str, now: datetime) -> None:
    after = advocates.move(AdvocateState(advocate.state), verb)
    if after is None:
        raise WrongState(f"Somebody who {_STANDS[AdvocateState(advocate.state)]} cannot do this. Nothing was changed.")
    _set(advocate, after, actor, reason, now)


_STANDS = {
    AdvocateState.INVITED: "was invited",
    AdvocateState.ACTIVE: "shares",
    AdvocateState.PAUSED: "is paused",
    AdvocateState.LEFT: "left",
    AdvocateState.WITHDRAWN: "was withdrawn",
    AdvocateState.REMOVED: "was removed",
}


def _set(advocate: Advocate, after: AdvocateState, actor: str, reason: str, now: datetime) -> None:
    before = advocate.state
    advocate.state = after
    _note(advocate, before, after, actor, reason, now)


def _note(advocate: Advocate, before: str, after: str, actor: str, reason: str, now: datetime) -> None:
    db.session.flush()
    _put_event(advocate_id=advocate.id, before=before, after=after, actor=actor[:120], reason=reason[:300], occurred_at=now)


def _tell_left(advocate: Advocate, now: datetime) -> None:
    publish(AdvocateLeft(tenancy.current(), advocate.id, advocate.program_id, advocate.contact_id, advocate.state, now))
