"""Who a friend is: the set of keys that name one buyer, and what happens when two turn out to be one."""

from datetime import datetime

from sqlalchemy import select, update

from nps.core.db import db
from nps.referrals.models import Conversion, Friend, FriendEvent, FriendKey, Referral, ReferralEvent, Touch
from nps.referrals.rules import checks
from nps.referrals.rules.journeys import ReferralState
from nps.referrals.rules.stripe_events import Keys

# How far along a referral is, for choosing which of two stays when two friends are one.
_RANK = {
    ReferralState.VOIDED: 0,
    ReferralState.EXPIRED: 1,
    ReferralState.CLAIMED: 2,
    ReferralState.SIGNED_UP: 3,
    ReferralState.REVERSED: 4,
    ReferralState.QUALIFIED: 5,
    ReferralState.REWARDED: 6,
    ReferralState.CLOSED: 7,
}


def resolve(keys: Keys, now: datetime) -> Friend:
    """The friend these keys name: found, made, or merged out of several. Known details are kept, gaps are filled."""
    pairs = [
        (kind, value)
        for kind, value in (("stripe", keys.stripe_customer), ("external", keys.external_id), ("email", normal(keys.email)))
        if value
    ]
    found: dict[tuple[str, str], FriendKey] = {}
    for kind, value in pairs:
        key = db.session.scalar(select(FriendKey).where(FriendKey.kind == kind, FriendKey.value == value))
        if key is not None:
            found[kind, value] = key
    ids = {key.friend_id for key in found.values()}
    if ids:
        friends = sorted(db.session.scalars(select(Friend).where(Friend.id.in_(ids))), key=lambda f: (f.created_at, f.id))
        friend = friends[0]
        for other in friends[1:]:
            merge(friend, other, now)
    else:
        friend = Friend(created_at=now)
        db.session.add(friend)
        db.session.flush()
    for kind, value in pairs:
        if (kind, value) not in found:
            db.session.add(FriendKey(friend_id=friend.id, kind=kind, value=value))
    friend.email = friend.email or keys.email.strip()[:254]
    friend.name = friend.name or keys.name[:200]
    friend.country = friend.country or keys.country
    friend.region = friend.region or keys.region
    db.session.flush()
    return friend


def normal(email: str) -> str:
    """An address as a key; "" for what is not one."""
    return checks.normal_email(email) if "@" in email else ""


def merge(older: Friend, younger: Friend, now: datetime) -> None:
    """`younger` turns out to be `older`: everything moves, histories stay. Callers settle afterwards."""
    for table in (FriendKey, FriendEvent, Conversion):
        db.session.execute(update(table).where(table.friend_id == younger.id).values(friend_id=older.id))
    kept = {(t.method, t.evidence, t.object_id) for t in db.session.scalars(select(Touch).where(Touch.friend_id == older.id))}
    for touch in db.session.scalars(select(Touch).where(Touch.friend_id == younger.id)):
        if (touch.method, touch.evidence, touch.object_id) not in kept:
            touch.friend_id = older.id
    mine = {r.program_id: r for r in db.session.scalars(select(Referral).where(Referral.friend_id == older.id))}
    for theirs in db.session.scalars(select(Referral).where(Referral.friend_id == younger.id)).all():
        twin = mine.get(theirs.program_id)
        if twin is None:
            theirs.friend_id = older.id
            continue
        stays, goes = (twin, theirs) if _RANK[ReferralState(twin.state)] >= _RANK[ReferralState(theirs.state)] else (theirs, twin)
        stays.claimed_at = min((t for t in (stays.claimed_at, goes.claimed_at) if t), default=None)
        if stays is theirs:
            # A program has one referral per friend: the one that goes is kept under a name of its own.
            shadow = Friend(merged_into_id=older.id, created_at=now)
            db.session.add(shadow)
            db.session.flush()
            goes.friend_id = shadow.id
            db.session.flush()
            stays.friend_id = older.id
            db.session.flush()
        db.session.execute(update(Conversion).where(Conversion.referral_id == goes.id).values(referral_id=stays.id))
        _set_aside(goes, now)
    younger.merged_into_id = older.id
    older.email = older.email or younger.email
    older.name = older.name or younger.name
    older.country = older.country or younger.country
    older.region = older.region or younger.region
    older.ended_at = older.ended_at or younger.ended_at
    db.session.flush()


def _set_aside(referral: Referral, now: datetime) -> None:
    db.session.add(
        ReferralEvent(referral_id=referral.id, before=referral.state, after=ReferralState.VOIDED, reason="merged", created_at=now)
    )
    referral.state, referral.void_reason, referral.updated_at = ReferralState.VOIDED, "merged", now
