"""What the reward floor decides about a referral, written down here: cleared, rejected, rewarded."""

from datetime import datetime

from sqlalchemy import select

from nps.core import clock
from nps.core.db import db
from nps.referrals.models import Referral, ReferralVerdict
from nps.referrals.rules.journeys import Review
from nps.referrals.service.attribution import settle


def note_rewards(referral: Referral, *, final: bool, rewarded: bool, now: datetime) -> None:
    """All rewards of the qualifying event are final, and at least one was handed over (or not any more)."""
    if (referral.rewards_final, referral.rewarded) != (final, rewarded):
        referral.rewards_final, referral.rewarded = final, rewarded
        db.session.flush()
        settle(referral.friend_id, now)


def clear_flags(referral: Referral, actor: str) -> None:
    """A reviewer looked: the checks met so far no longer hold anything."""
    now = clock.now()
    for verdict in db.session.scalars(
        select(ReferralVerdict).where(ReferralVerdict.referral_id == referral.id, ReferralVerdict.cleared_at.is_(None))
    ):
        verdict.cleared_at, verdict.cleared_by = now, actor[:120]
    if referral.review == Review.OPEN:
        referral.review = Review.CLEARED
    db.session.flush()


def reject(referral: Referral, reason: str = "rejected") -> None:
    """A reviewer says that this referral does not count. Settles it: it becomes voided."""
    referral.review = Review.REJECTED
    db.session.flush()
    settle(referral.friend_id, clock.now())


def uphold(referral: Referral) -> None:
    """The appeal was right: the referral goes back to where the facts put it."""
    referral.review = Review.CLEARED
    db.session.flush()
    settle(referral.friend_id, clock.now())
