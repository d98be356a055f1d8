"""A friend leaves an address on the friend's page: friend, touch and referral in one transaction."""

from datetime import datetime, timedelta

from sqlalchemy import func, select

from nps.accounts import queries as accounts
from nps.accounts import rules as account_rules
from nps.core import clock, ids, tenancy
from nps.core.db import db, serialise
from nps.core.email_address import parse
from nps.core.errors import TooMany
from nps.delivery import service as delivery
from nps.referrals import queries
from nps.referrals.errors import OfferEnded
from nps.referrals.models import Advocate, FriendRefusal, Program, Referral, ReferralLink, Touch
from nps.referrals.rules import clicks, destinations
from nps.referrals.rules.advocates import ALLOWS, AdvocateState
from nps.referrals.rules.programs import ProgramState
from nps.referrals.rules.stripe_events import Keys
from nps.referrals.service import attribution, friends
from nps.web import email_templates

PER_HOUR = 5
REFUSALS = {
    "not_now": "Not now",
    "have_one": "I have something like it",
    "not_for_me": "It is not for me",
    "too_much": "It costs too much",
    "do_not_know": "I do not know the person",
}


def claim(link: ReferralLink, email: str, *, click_ref: str = "", ip_hash: str = "", agent_hash: str = "") -> Referral | None:
    """Take the offer for `email`. Returns the referral, which may be one that does not count (an existing customer).

    The page answers alike in every case. Raises Invalid for the address, OfferEnded when the program is over,
    TooMany after 5 claims from one place in an hour.
    """
    now = clock.now()
    address = parse(email)
    advocate = queries.get_advocate(link.advocate_id)
    program = queries.get_program(advocate.program_id)
    if not open_for_friends(advocate, program):
        raise OfferEnded("This offer has ended. You can still go on without it.")
    serialise(f"referral-facts:{tenancy.current()}")
    _limit(ip_hash, now)
    friend = friends.resolve(Keys(email=address), now)
    click_id = clicks.parse_click_ref(click_ref)
    known = db.session.scalar(
        select(Touch).where(
            Touch.friend_id == friend.id, Touch.method == "claim", Touch.evidence == str(advocate.id), Touch.object_id == ""
        )
    )
    if known is None:
        touch = Touch(
            friend_id=friend.id,
            advocate_id=advocate.id,
            method="claim",
            evidence_kind="claim",
            evidence=str(advocate.id),
            ip_hash=ip_hash,
            agent_hash=agent_hash,
            occurred_at=now,
            created_at=now,
        )
        if click_id is not None:
            attribution.remember_click(touch, click_id, link.id)
        db.session.add(touch)
        db.session.flush()
    referral = attribution.settle(friend.id, now)
    _mail(address, link, program, referral, now)
    return referral


def _mail(address: str, link: ReferralLink, program: Program, referral: Referral | None, now: datetime) -> None:
    """The one mail they asked for: the way in, or that they are a customer already. At most one an hour."""
    account = accounts.get_account(tenancy.current())
    advocate = queries.get_advocate(link.advocate_id)
    version = queries.version_at(program.id, now)
    known = referral is not None and referral.void_reason == "existing_customer"
    click = db.session.scalar(
        select(Touch.click_id).where(Touch.advocate_id == advocate.id, Touch.method == "claim", Touch.occurred_at == now)
    )
    ours = {"wb_click": clicks.click_ref(click)} if click else {}
    words = email_templates.render(
        "claim_known" if known else "claim",
        company=account.name,
        sender=account_rules.letterhead(account.name, account.postal_address),
        first_name=queries.contact_of(advocate).called if program.show_first_name else "",
        offer=version.friend_words,
        code=link.code.upper() if link.promotion_code_id else "",
        link=destinations.build(program.destination_url, None, {} if known else {**ours, "via": link.code}),
    )
    delivery.queue(
        kind="service",
        key=f"claim:{link.id}:{ids.keyed_hash('claim-mail', address.lower())}:{now:%Y%m%d%H}",
        to_email=address,
        subject=words.subject,
        text=words.text,
        html=words.html,
        from_name=account.name,
        from_email=delivery.sender_address(account.sender_email, account.slug),
        reply_to=account.reply_to,
        ref_kind="referral",
        ref_id=referral.id if referral else None,
    )


def open_for_friends(advocate: Advocate, program: Program) -> bool:
    """Whether a claim is taken now. A paused program takes none; its earlier sign-ups still count."""
    return program.state == ProgramState.LIVE and ALLOWS[AdvocateState(advocate.state)].credit


def _limit(ip_hash: str, now: datetime) -> None:
    if not ip_hash:
        return
    tries = (
        select(func.count())
        .select_from(Touch)
        .where(Touch.ip_hash == ip_hash, Touch.method == "claim", Touch.occurred_at > now - timedelta(hours=1))
    )
    if (db.session.scalar(tries) or 0) >= PER_HOUR:
        raise TooMany("Several people have just signed up from your connection. Try again in an hour; the offer stays.", retry_after=3600)


def not_for_me(link: ReferralLink, reason: str) -> None:
    """Somebody does not want the offer: one of five reasons, no identity kept."""
    if reason in REFUSALS:
        db.session.add(FriendRefusal(link_id=link.id, reason=reason, occurred_at=clock.now()))
        db.session.flush()
