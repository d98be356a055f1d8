"""Settling a friend: from all touches, sign-ups and sales to one credited referral in its right state.

Runs after every fact that concerns the friend. It only reads facts and writes what follows from them, so running it
twice, or after facts that came in another order, ends in the same rows.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select

from nps.contacts.models import Contact
from nps.core import ids, tenancy
from nps.core.db import db
from nps.core.events import publish
from nps.referrals import queries
from nps.referrals.events import ReferralMoved, ReferralSettled
from nps.referrals.models import (
    Advocate,
    AdvocateEvent,
    Click,
    ClickFlag,
    Conversion,
    Credit,
    Friend,
    FriendEvent,
    FriendKey,
    Program,
    ProgramVersion,
    Referral,
    ReferralEvent,
    ReferralLink,
    ReferralVerdict,
    Touch,
)
from nps.referrals.rules import checks, clicks, journeys, ladder
from nps.referrals.rules.advocates import ALLOWS, AdvocateState
from nps.referrals.rules.journeys import Journey, Paid, ReferralState, Review
from nps.referrals.rules.ladder import Choice, TouchFact
from nps.referrals.rules.programs import Model, ProgramState, Qualifies, state_at

AUTOMATIC = timedelta(hours=72)
BLOCKING = frozenset({"same_email", "staff", "cycle", "existing_customer"})


def settle(friend_id: UUID, now: datetime, *, force: bool = False) -> Referral | None:
    """Bring the friend's referral to what the facts say. Returns it, or None when nobody is credited.

    `force` also ties sales that came more than 72 hours before the evidence: a member pressed the button.
    """
    friend = db.session.get(Friend, (tenancy.current(), friend_id))
    if friend is None:
        return None
    touches = _resolved(queries.list_touches(friend_id))
    sales = db.session.scalars(
        select(Conversion)
        .where(Conversion.friend_id == friend_id, Conversion.duplicate.is_(False))
        .order_by(Conversion.occurred_at, Conversion.id)
    ).all()
    events = db.session.scalars(select(FriendEvent).where(FriendEvent.friend_id == friend_id)).all()
    paid = [c.occurred_at for c in sales]
    sign_ups = sorted([*(e.occurred_at for e in events if e.kind == "signup"), *paid])
    emails = _emails(friend_id)
    facts = [fact for touch in touches if (fact := _fact(touch, emails)) is not None]
    choice = ladder.choose(facts, sign_ups, paid)
    touch = choice.winner or _refused(facts, choice)
    if touch is None:
        return None
    blocked = "" if choice.winner else (touch.blocked or choice.ineligible[touch.id])
    referral, before_advocate = _referral(friend, touch, now)
    _credit(referral, choice, now)
    _set_others_aside(friend_id, referral, now)
    signed_up = ladder.signed_up_for(touch, sign_ups)
    if not blocked:
        _attach(referral, sales, signed_up, now, force)
    _derive(referral, touches, events, signed_up, blocked, now)
    if not blocked:
        _judge(referral, friend, touches, touch, emails, now)
    _finish(referral, before_advocate, now)
    return referral


def _resolved(touches: Sequence[Touch]) -> list[Touch]:
    """Touches whose advocate is known. Those that named a click or code we had not yet seen are tried again."""
    known = []
    for touch in touches:
        if touch.advocate_id is None:
            identify(touch)
        if touch.advocate_id is not None:
            known.append(touch)
    return known


def identify(touch: Touch) -> None:
    """Find the advocate a touch's evidence leads to, and for a click its time and channel."""
    link: ReferralLink | None = None
    if touch.evidence_kind == "click":
        click_id = clicks.parse_click_ref(touch.evidence)
        click = db.session.get(Click, (tenancy.current(), click_id)) if click_id else None
        if click is not None:
            touch.click_id, touch.channel, touch.occurred_at = click.id, click.channel, click.occurred_at
            link = queries.find_link(click.link_id)
    elif touch.evidence_kind == "code":
        found = queries.resolve_code(touch.evidence)
        # A code of another account names nobody here.
        link = queries.find_link(found[1]) if found and found[0] == tenancy.current() else None
    elif touch.evidence_kind == "promotion_code":
        link = db.session.scalar(select(ReferralLink).where(ReferralLink.promotion_code_id == touch.evidence))
    if link is not None:
        touch.advocate_id = link.advocate_id


def remember_click(touch: Touch, click_id: UUID, link_id: UUID) -> None:
    """Tie a claim to the click that led to it, if that click is on the same link. The claim keeps its own time."""
    click = db.session.get(Click, (tenancy.current(), click_id))
    if click is not None and click.link_id == link_id:
        touch.click_id, touch.channel = click.id, click.channel


def _emails(friend_id: UUID) -> list[str]:
    return list(db.session.scalars(select(FriendKey.value).where(FriendKey.friend_id == friend_id, FriendKey.kind == "email")))


def _fact(touch: Touch, emails: list[str]) -> TouchFact | None:
    advocate = queries.get_advocate(touch.advocate_id) if touch.advocate_id else None
    if advocate is None:
        return None
    program = queries.get_program(advocate.program_id)
    version = queries.version_at(program.id, touch.occurred_at)
    return TouchFact(
        id=touch.id,
        advocate_id=advocate.id,
        program_id=program.id,
        method=touch.method,
        occurred_at=touch.occurred_at,
        advocate_credits=_credited_then(advocate, touch.occurred_at),
        program_live=state_at(queries.changes_of(program.id), touch.occurred_at) is ProgramState.LIVE,
        bot=_is_bot(touch),
        blocked=_blocked(advocate, emails),
        model=Model(version.model),
        window=timedelta(days=version.attribution_days),
        look_back=None if version.look_back_days is None else timedelta(days=version.look_back_days),
    )


def _credited_then(advocate: Advocate, at: datetime) -> bool:
    """Whether the advocate's state at that moment allowed new touches to be credited."""
    events = db.session.scalars(
        select(AdvocateEvent)
        .where(AdvocateEvent.advocate_id == advocate.id, AdvocateEvent.occurred_at <= at)
        .order_by(AdvocateEvent.occurred_at, AdvocateEvent.id)
    ).all()
    # Evidence older than the enrolment cannot be this person's doing, but clocks of two systems differ by seconds.
    state = AdvocateState(events[-1].after) if events else AdvocateState.INVITED
    return ALLOWS[state].credit


def _is_bot(touch: Touch) -> bool:
    if touch.click_id is None:
        return False
    click = db.session.get(Click, (tenancy.current(), touch.click_id))
    if click is None:
        return False
    flag = db.session.scalar(select(ClickFlag).where(ClickFlag.click_id == click.id))
    signs = clicks.Sign(click.signs | (flag.signs if flag else 0))
    return clicks.verdict_of(signs) is clicks.Verdict.BOT


def _blocked(advocate: Advocate, emails: list[str]) -> str:
    """The rule that refuses this pair of people outright, or ""."""
    contact = db.session.get(Contact, (tenancy.current(), advocate.contact_id))
    theirs = {email for email in emails if email}
    mine = checks.normal_email(contact.email) if contact and contact.email else ""
    if mine and mine in theirs:
        return "same_email"
    if {checks.domain_of(a) for a in theirs | ({mine} if mine else set())} & queries.own_domains():
        return "staff"
    return "cycle" if theirs and mine and _is_ancestor(theirs, mine) else ""


def _is_ancestor(friends: set[str], advocate: str, depth: int = 10) -> bool:
    """Whether one of the friend's addresses belongs to somebody who, link by link, invited this advocate."""
    email = advocate
    for _ in range(depth):
        key = db.session.scalar(select(FriendKey).where(FriendKey.kind == "email", FriendKey.value == email))
        above = (
            db.session.scalar(select(Referral).where(Referral.friend_id == key.friend_id, Referral.state != ReferralState.VOIDED).limit(1))
            if key
            else None
        )
        if above is None:
            return False
        contact = db.session.scalar(
            select(Contact)
            .join(Advocate, (Advocate.account_id == Contact.account_id) & (Advocate.contact_id == Contact.id))
            .where(Advocate.id == above.advocate_id)
        )
        email = checks.normal_email(contact.email) if contact and contact.email else ""
        if email in friends:
            return True
        if not email:
            return False
    return False


def _refused(facts: list[TouchFact], choice: Choice) -> TouchFact | None:
    """The latest touch that a rule about people refuses: shown as a referral that does not count, with the rule."""
    found = [f for f in facts if choice.ineligible.get(f.id) in BLOCKING]
    return max(found, key=lambda f: (f.occurred_at, f.id)) if found else None


def _referral(friend: Friend, touch: TouchFact, now: datetime) -> tuple[Referral, UUID | None]:
    """The friend's referral in the touch's program, and whose it was before (None = new or unchanged)."""
    version = queries.version_at(touch.program_id, touch.occurred_at)
    channel = db.session.scalar(select(Touch.channel).where(Touch.id == touch.id)) or ""
    found = db.session.scalar(select(Referral).where(Referral.program_id == touch.program_id, Referral.friend_id == friend.id))
    if found is None:
        found = Referral(
            program_id=touch.program_id,
            program_version_id=version.id,
            advocate_id=touch.advocate_id,
            friend_id=friend.id,
            state="",
            channel=channel,
            created_at=now,
            updated_at=now,
            looked_at=now,
        )
        db.session.add(found)
        db.session.flush()
        return found, None
    before = found.advocate_id if found.advocate_id != touch.advocate_id else None
    found.advocate_id, found.program_version_id, found.channel = touch.advocate_id, version.id, channel
    return found, before


def _credit(referral: Referral, choice: Choice, now: datetime) -> None:
    """Store the decision if it differs from the one in force; the old row is closed, never edited."""
    open_ = db.session.scalar(select(Credit).where(Credit.referral_id == referral.id, Credit.closed_at.is_(None)))
    winner = choice.winner
    losing = [str(i) for i in choice.losers]
    refused = {str(i): why for i, why in choice.ineligible.items()}
    if open_ is not None and winner is not None and open_.touch_id == winner.id and open_.losing == losing and open_.refused == refused:
        return
    if open_ is not None:
        open_.closed_at = now
    if winner is not None and choice.rung is not None:
        db.session.add(
            Credit(
                referral_id=referral.id,
                touch_id=winner.id,
                advocate_id=winner.advocate_id,
                method=winner.method,
                rung=int(choice.rung),
                model=winner.model,
                ladder_version=ladder.LADDER_VERSION,
                losing=losing,
                refused=refused,
                created_at=now,
            )
        )


def _set_others_aside(friend_id: UUID, kept: Referral, now: datetime) -> None:
    """One rewarded advocate per friend in the account: referrals in other programs do not count."""
    for other in db.session.scalars(select(Referral).where(Referral.friend_id == friend_id, Referral.id != kept.id)):
        if other.state in (ReferralState.VOIDED, ReferralState.CLOSED):
            continue
        other.void_reason = "already_referred"
        _record(other, ReferralState.VOIDED, "already_referred", now)
        for sale in db.session.scalars(select(Conversion).where(Conversion.referral_id == other.id)):
            sale.referral_id = None
        db.session.flush()
        publish(ReferralSettled(tenancy.current(), other.id, (other.advocate_id,), other.state, now))


def _attach(referral: Referral, sales: Sequence[Conversion], signed_up: datetime | None, now: datetime, force: bool) -> None:
    """Tie the friend's sales from the sign-up on. Sales that lay around unattributed for over 72 hours wait for a member."""
    for sale in sales:
        if sale.referral_id == referral.id or signed_up is None or sale.occurred_at < signed_up:
            continue
        fresh = sale.received_at >= referral.created_at or now - sale.received_at <= AUTOMATIC
        if fresh or force:
            sale.referral_id = referral.id
    db.session.flush()


def _derive(
    referral: Referral, touches: Sequence[Touch], events: Sequence[FriendEvent], signed_up: datetime | None, blocked: str, now: datetime
) -> None:
    version = queries.get_version(referral.program_version_id)
    claims = [t.occurred_at for t in touches if t.method == "claim" and t.advocate_id == referral.advocate_id]
    claimed = min([*claims, *([referral.claimed_at] if referral.claimed_at else [])], default=None)
    sales = queries.conversions_of([referral.id])
    taken = queries.adjustments_of(sales)
    paid = tuple(Paid(c.id, c.occurred_at, c.gross, max(0, c.gross - sum(a.amount for a in taken[c.id]))) for c in sales)
    known = [e.occurred_at for e in events if e.kind == "event" and e.name == version.qualify_event]
    reason = "rejected" if referral.review == Review.REJECTED else blocked
    standing = journeys.derive(
        Journey(
            claimed_at=claimed,
            # A binding that is no sign-up and no payment still begins the journey at its own time.
            signed_up_at=signed_up or (None if claimed else min(t.occurred_at for t in touches)),
            paid=paid,
            qualifies=Qualifies(version.qualifies),
            nth=version.qualify_nth,
            qualify_window=None if version.qualify_days is None else timedelta(days=version.qualify_days),
            claim_window=timedelta(days=version.attribution_days),
            event_at=min(known, default=None),
            voided=bool(reason),
            rewards_final=referral.rewards_final,
            rewarded=referral.rewarded,
            recurring_over=_recurring_over(version, sales, now),
        ),
        now,
    )
    referral.void_reason = reason
    referral.claimed_at, referral.signed_up_at = claimed, standing.signed_up_at
    referral.qualified_at, referral.qualifying_id = standing.qualified_at, standing.qualifying
    _record(referral, standing.state, reason, now)


def _recurring_over(version: ProgramVersion, sales: Sequence[Conversion], now: datetime) -> bool:
    """Whether no further sale can earn a reward: only first-sale rules, or their months have passed."""
    for rule in version.rules:
        months = rule.get("max_months", 1)
        if months is None:
            return False
        if months > 1 and sales and now < sales[0].occurred_at + timedelta(days=31 * months):
            return False
    return True


def _record(referral: Referral, after: ReferralState, reason: str, now: datetime) -> None:
    """Write each step between two states. Facts heard late may lead where the table has no way: then one step says so."""
    before = ReferralState(referral.state) if referral.state else None
    if before is after:
        return
    way = journeys.path(before, after)
    at = before
    for nxt in way if way is not None else [after]:
        told = reason if nxt is after else ""
        db.session.add(
            ReferralEvent(
                referral_id=referral.id,
                before=at or "",
                after=nxt,
                reason=told or ("" if way is not None else "told late"),
                created_at=now,
            )
        )
        at = nxt
    referral.state, referral.updated_at = after, now
    publish(ReferralMoved(tenancy.current(), referral.id, referral.advocate_id, before or "", after, reason, now))


def _judge(referral: Referral, friend: Friend, touches: Sequence[Touch], winner: TouchFact, emails: list[str], now: datetime) -> None:
    """Run the checks and keep each that is met, once. What a reviewer cleared stays cleared."""
    advocate = queries.get_advocate(referral.advocate_id)
    contact = db.session.get(Contact, (tenancy.current(), advocate.contact_id))
    program = queries.get_program(referral.program_id)
    touch = next(t for t in touches if t.id == winner.id)
    met = checks.judge(_evidence(referral, friend, advocate, contact, program, touch, emails))
    kept = {v.rule: v for v in db.session.scalars(select(ReferralVerdict).where(ReferralVerdict.referral_id == referral.id))}
    for verdict in met:
        if verdict.rule not in kept:
            kept[verdict.rule] = ReferralVerdict(
                referral_id=referral.id,
                rule=verdict.rule,
                act=verdict.act,
                points=verdict.points,
                version=checks.CHECKS_VERSION,
                evidence=dict(verdict.evidence),
                created_at=now,
            )
            db.session.add(kept[verdict.rule])
    open_ = [checks.Verdict(v.rule, checks.Act(v.act), v.points) for v in kept.values() if v.cleared_at is None]
    referral.points = checks.points(open_, program.strictness)
    if checks.opens_gate(open_, program.strictness) and referral.review == Review.NONE:
        referral.review = Review.OPEN
    db.session.flush()


def _evidence(
    referral: Referral, friend: Friend, advocate: Advocate, contact: Contact | None, program: Program, touch: Touch, emails: list[str]
) -> checks.Evidence:
    sales = queries.conversions_of([referral.id])
    first = sales[0] if sales else None
    click = db.session.get(Click, (tenancy.current(), touch.click_id)) if touch.click_id else None
    link = queries.link_of(advocate.id)
    others = [r for r in queries.referrals_of_advocate(advocate.id) if r.id != referral.id and r.state != ReferralState.VOIDED]
    mine = checks.normal_email(contact.email) if contact and contact.email else ""
    own = {checks.company_of(e) for e in emails}
    earlier = {
        checks.company_of(f.email)
        for f in db.session.scalars(select(Friend).where(Friend.id.in_([r.friend_id for r in others if r.qualified_at is not None])))
        if f.email
    }
    signed = referral.signed_up_at
    day = [r for r in others if signed and r.signed_up_at and abs(r.signed_up_at - signed) < timedelta(days=1)]
    month = [r for r in others if signed and r.signed_up_at and abs(r.signed_up_at - signed) < timedelta(days=30)]
    same_ip = bool(touch.ip_hash and touch.ip_hash == advocate.seen_ip_hash)
    return checks.Evidence(
        advocate_email=mine,
        friend_email=emails[0] if emails else "",
        consumer=program.consumer,
        companies_before=frozenset(own & earlier - {""}),
        same_ip=same_ip,
        same_device=same_ip and bool(touch.agent_hash and touch.agent_hash == advocate.seen_agent_hash),
        sign_ups_from_ip_hour=_claims(touch, Touch.ip_hash == touch.ip_hash, timedelta(hours=1)) if touch.ip_hash else 0,
        claims_on_link_day=_claims(touch, Touch.advocate_id == advocate.id, timedelta(days=1)),
        sign_ups_day=len(day) + 1,
        sign_ups_month=len(month) + 1,
        click_at=click.occurred_at if click else None,
        link_made_at=link.created_at,
        signed_up_at=signed,
        paid_at=first.occurred_at if first else None,
        net=first.net if first else None,
        ad_ids=clicks.ad_names(click.ad_bits) if click else (),
        early_fraud_warning=queries.warned([c.sale_id for c in sales]),
        doubtful_click=click is not None and click.verdict == clicks.Verdict.SUSPECT,
    )


def _claims(touch: Touch, same: object, span: timedelta) -> int:
    """How many people claimed within `span` around this claim, itself included."""
    if touch.method != "claim":
        return 0
    return (
        db.session.scalar(
            select(func.count(func.distinct(Touch.friend_id))).where(
                Touch.method == "claim",
                same,  # type: ignore[arg-type]
                Touch.occurred_at > touch.occurred_at - span,
                Touch.occurred_at < touch.occurred_at + span,
            )
        )
        or 0
    )


def _finish(referral: Referral, before_advocate: UUID | None, now: datetime) -> None:
    """Tell the floors above. They compare for themselves; being told twice changes nothing."""
    referral.looked_at = now
    db.session.flush()
    touched = (referral.advocate_id,) if before_advocate is None else (referral.advocate_id, before_advocate)
    publish(ReferralSettled(tenancy.current(), referral.id, touched, referral.state, now))


def evidence_hash(value: str) -> str:
    """A personal input as verdicts and touches keep it."""
    return ids.keyed_hash("referral-evidence", value)[:32] if value else ""
