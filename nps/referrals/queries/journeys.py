"""Friends, touches, referrals, sales and what was taken from them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from nps.core import tenancy
from nps.core.db import db
from nps.core.errors import NotFound
from nps.referrals.models import (
    Adjustment,
    Click,
    Conversion,
    Credit,
    Friend,
    FriendKey,
    PaymentWarning,
    Referral,
    ReferralEvent,
    ReferralVerdict,
    Touch,
)
from nps.referrals.rules.journeys import STEP_WORDS, ReferralState
from nps.referrals.rules.ladder import METHOD_WORDS

ORPHAN_AFTER = timedelta(hours=72)


def get_referral(referral_id: UUID) -> Referral:
    found = db.session.get(Referral, (tenancy.current(), referral_id))
    if found is None:
        raise NotFound("There is no such referral here.")
    return found


def find_referral_of(friend_id: UUID) -> Referral | None:
    """The referral of a friend that counts, if there is one."""
    return db.session.scalar(
        select(Referral).where(Referral.friend_id == friend_id).order_by(Referral.void_reason != "", Referral.created_at).limit(1)
    )


def find_friend(kind: str, value: str) -> Friend | None:
    """The friend of a key (`stripe`, `external`, `email` in its normal form)."""
    key = db.session.scalar(select(FriendKey).where(FriendKey.kind == kind, FriendKey.value == value))
    return db.session.get(Friend, (tenancy.current(), key.friend_id)) if key else None


def find_conversion(source: str, external_id: str) -> Conversion | None:
    return db.session.scalar(select(Conversion).where(Conversion.source == source, Conversion.external_id == external_id))


def get_conversion(conversion_id: UUID) -> Conversion:
    found = db.session.get(Conversion, (tenancy.current(), conversion_id))
    if found is None:
        raise NotFound("There is no such sale here.")
    return found


def referrals_of_advocate(advocate_id: UUID) -> Sequence[Referral]:
    return db.session.scalars(select(Referral).where(Referral.advocate_id == advocate_id).order_by(Referral.created_at)).all()


def conversions_of(referral_ids: Iterable[UUID]) -> Sequence[Conversion]:
    """Sales that count for these referrals, oldest first."""
    return db.session.scalars(
        select(Conversion)
        .where(Conversion.referral_id.in_(list(referral_ids)), Conversion.duplicate.is_(False))
        .order_by(Conversion.occurred_at, Conversion.id)
    ).all()


def adjustments_of(sales: Iterable[Conversion]) -> dict[UUID, list[Adjustment]]:
    """Per conversion what was taken from it, in order. Other currencies do not count: they stay orphans."""
    by_sale = {c.sale_id: c for c in sales}
    found: dict[UUID, list[Adjustment]] = {c.id: [] for c in by_sale.values()}
    if not by_sale:
        return found
    rows = db.session.scalars(
        select(Adjustment)
        .where(Adjustment.sale_id.in_(list(by_sale)))
        .order_by(Adjustment.occurred_at, Adjustment.kind, Adjustment.external_id)
    )
    for row in rows:
        conversion = by_sale[row.sale_id]
        if row.currency == conversion.currency:
            found[conversion.id].append(row)
    return found


def warned(sale_ids: Iterable[UUID]) -> bool:
    """Whether the provider warned of fraud on one of these sales."""
    wanted = list(sale_ids)
    return bool(wanted) and db.session.scalar(select(PaymentWarning.id).where(PaymentWarning.sale_id.in_(wanted)).limit(1)) is not None


def friends_of_advocate(advocate_id: UUID) -> Sequence[Referral]:
    """The advocate's referrals, newest first, without those that never were anything."""
    rows = db.session.scalars(select(Referral).where(Referral.advocate_id == advocate_id).order_by(Referral.created_at.desc()))
    return [r for r in rows if r.void_reason != "merged"]


def list_touches(friend_id: UUID) -> Sequence[Touch]:
    return db.session.scalars(select(Touch).where(Touch.friend_id == friend_id).order_by(Touch.occurred_at, Touch.id)).all()


def list_verdicts(referral_ids: Iterable[UUID]) -> dict[UUID, list[ReferralVerdict]]:
    """Checks that were met and not cleared, per referral, most points first."""
    wanted = list(referral_ids)
    found: dict[UUID, list[ReferralVerdict]] = {i: [] for i in wanted}
    rows = db.session.scalars(select(ReferralVerdict).where(ReferralVerdict.referral_id.in_(wanted), ReferralVerdict.cleared_at.is_(None)))
    for row in rows:
        found[row.referral_id].append(row)
    return {i: sorted(v, key=lambda r: (-r.points, r.rule)) for i, v in found.items()}


def list_unattributed(limit: int = 100) -> Sequence[Conversion]:
    """Sales without a source, newest first."""
    return db.session.scalars(
        select(Conversion)
        .where(Conversion.referral_id.is_(None), Conversion.duplicate.is_(False))
        .order_by(Conversion.occurred_at.desc(), Conversion.id.desc())
        .limit(limit)
    ).all()


def list_orphans(now: datetime) -> Sequence[Adjustment]:
    """Refunds and disputes that no known sale answers to, 72 hours after they came."""
    known = select(Conversion.id).where(Conversion.sale_id == Adjustment.sale_id, Conversion.currency == Adjustment.currency)
    return db.session.scalars(
        select(Adjustment).where(Adjustment.received_at < now - ORPHAN_AFTER, ~known.exists()).order_by(Adjustment.received_at)
    ).all()


@dataclass(frozen=True)
class Open:
    """One line of "Explain this referral"."""

    at: datetime
    words: str
    detail: str = ""


def timeline(referral: Referral) -> list[Open]:
    """What is known of a referral in order: evidence, decisions, steps. For members."""
    lines = [Open(t.occurred_at, METHOD_WORDS[t.method], t.object_id) for t in list_touches(referral.friend_id)]
    for event in db.session.scalars(select(ReferralEvent).where(ReferralEvent.referral_id == referral.id)):
        lines.append(Open(event.created_at, STEP_WORDS[ReferralState(event.after)], event.reason.replace("_", " ")))
    for credit in db.session.scalars(select(Credit).where(Credit.referral_id == referral.id)):
        because = METHOD_WORDS[credit.method]
        lines.append(Open(credit.created_at, "Credited to the person who shared", because[:1].lower() + because[1:]))
    return sorted(lines, key=lambda line: line.at)


def due_to_expire(now: datetime, limit: int = 500) -> dict[UUID, list[UUID]]:
    """Friends whose claim or sign-up may have run out, by account: those not looked at since their windows could end.

    A generous net: settling them again finds out, and marks them as looked at.
    """
    oldest = now - timedelta(days=1)
    with tenancy.unscoped("the clock looks for what is due in every account"):
        rows = db.session.execute(
            select(Referral.account_id, Referral.friend_id)
            .where(Referral.state.in_(["claimed", "signed_up"]), Referral.looked_at < oldest)
            .order_by(Referral.looked_at)
            .limit(limit)
        )
        found: dict[UUID, list[UUID]] = {}
        for account_id, friend_id in rows:
            found.setdefault(account_id, []).append(friend_id)
        return found


def accounts_with_clicks_since(since: datetime) -> list[UUID]:
    """Accounts whose links were clicked lately."""
    with tenancy.unscoped("the clock looks for what is due in every account"):
        return sorted(db.session.scalars(select(Click.account_id).where(Click.occurred_at > since).distinct()))


def get_friend(friend_id: UUID) -> Friend:
    found = db.session.get(Friend, (tenancy.current(), friend_id))
    if found is None:
        raise NotFound
    return found


def friends_with_names(advocate_id: UUID) -> list[tuple[Referral, Friend]]:
    """An advocate's referrals with the friends, newest first. For members who may see friends."""
    found = friends_of_advocate(advocate_id)
    names = {f.id: f for f in db.session.scalars(select(Friend).where(Friend.id.in_([r.friend_id for r in found])))}
    return [(r, names[r.friend_id]) for r in found]


def unattributed_with_names(limit: int = 100) -> list[tuple[Conversion, Friend]]:
    """Sales without a source with their buyers, newest first."""
    found = list_unattributed(limit)
    names = {f.id: f for f in db.session.scalars(select(Friend).where(Friend.id.in_([c.friend_id for c in found])))}
    return [(c, names[c.friend_id]) for c in found]
