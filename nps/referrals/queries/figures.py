"""What a program brings: the funnel, sales by month, channels, advocates by customers.

Reversed and voided referrals are out, machines' clicks are out. One visit is one visitor on one link in one clock hour;
without a visitor hash (strict mode) each click is a visit. Money is per currency and never added across.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, distinct, func, literal, or_, select

from nps.contacts.models import Contact
from nps.core import tenancy
from nps.core.db import db
from nps.core.money import half_up
from nps.referrals.models import Adjustment, Advocate, Click, ClickFlag, Conversion, Friend, Referral, ReferralLink, Share
from nps.referrals.rules.clicks import Verdict
from nps.referrals.rules.journeys import ReferralState

QUALIFIED = (ReferralState.QUALIFIED, ReferralState.REWARDED, ReferralState.CLOSED)
SIGNED_UP = (ReferralState.SIGNED_UP, *QUALIFIED)
LIVE_SALE = timedelta(days=35)


@dataclass(frozen=True)
class Funnel:
    """Counts of each step; `bots` are the clicks left out."""

    asked: int
    shared: int
    sharing_all: int
    visits: int
    sign_ups: int
    qualified: int
    bots: int

    @property
    def weakest(self) -> str:
        """The step with the smallest share, once there is something to compare: share, visit, sign_up or qualify; "" before."""
        steps = [("share", self.shared, self.asked), ("sign_up", self.sign_ups, self.visits), ("qualify", self.qualified, self.sign_ups)]
        known = [(part / whole, name) for name, part, whole in steps if whole]
        return min(known)[1] if known and self.visits else ""


def _human() -> ColumnElement[bool]:
    flagged = select(ClickFlag.id).where(ClickFlag.account_id == Click.account_id, ClickFlag.click_id == Click.id)
    return and_(Click.verdict != Verdict.BOT, ~flagged.exists())


def _visit() -> ColumnElement[Any]:
    """What makes two clicks one visit, as a text."""
    if db.session.get_bind().dialect.name == "postgresql":
        hour: ColumnElement[Any] = func.to_char(Click.occurred_at, "YYYYMMDDHH24")
    else:
        hour = func.strftime("%Y%m%d%H", Click.occurred_at)
    return Click.visitor + literal("/") + hour


def _visits(query: Select[Any]) -> Select[Any]:
    """Distinct visits of clicks with a visitor, plus every click without one."""
    known = func.count(distinct(case((Click.visitor != "", _visit() + literal("/") + func.coalesce(ReferralLink.code, "")))))
    unknown = func.count(case((Click.visitor == "", 1)))
    return query.add_columns(known + unknown)


def _clicks(program_id: UUID) -> Select[Any]:
    return (
        select()
        .select_from(Click)
        .join(ReferralLink, and_(ReferralLink.account_id == Click.account_id, ReferralLink.id == Click.link_id))
        .join(Advocate, and_(Advocate.account_id == ReferralLink.account_id, Advocate.id == ReferralLink.advocate_id))
        .where(Click.account_id == tenancy.current(), Advocate.program_id == program_id)
    )


def funnel(program_id: UUID) -> Funnel:
    """Promoters asked → shared; visits → sign-ups → qualified, since the beginning."""
    asked = db.session.scalar(select(func.count()).select_from(Advocate).where(Advocate.program_id == program_id)) or 0
    shared = (
        db.session.scalar(
            select(func.count(distinct(Share.advocate_id)))
            .join(Advocate, and_(Advocate.account_id == Share.account_id, Advocate.id == Share.advocate_id))
            .where(Advocate.program_id == program_id)
        )
        or 0
    )
    visits = db.session.scalar(_visits(_clicks(program_id).where(_human()))) or 0
    bots = db.session.scalar(_clicks(program_id).where(~_human()).add_columns(func.count())) or 0
    states = dict(
        db.session.execute(select(Referral.state, func.count()).where(Referral.program_id == program_id).group_by(Referral.state)).all()
    )
    return Funnel(
        asked=asked,
        shared=shared,
        sharing_all=shared,
        visits=visits,
        sign_ups=sum(states.get(s, 0) for s in (*SIGNED_UP, ReferralState.EXPIRED)),
        qualified=sum(states.get(s, 0) for s in QUALIFIED),
        bots=bots,
    )


def visits_of(advocate_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Visits per advocate."""
    rows = db.session.execute(
        _visits(
            select(Advocate.id)
            .select_from(Click)
            .join(ReferralLink, and_(ReferralLink.account_id == Click.account_id, ReferralLink.id == Click.link_id))
            .join(Advocate, and_(Advocate.account_id == ReferralLink.account_id, Advocate.id == ReferralLink.advocate_id))
            .where(Click.account_id == tenancy.current(), Advocate.id.in_(list(advocate_ids)), _human())
            .group_by(Advocate.id)
        )
    )
    found = dict.fromkeys(advocate_ids, 0)
    found.update(rows.all())
    return found


@dataclass(frozen=True)
class Month:
    """Net of attributed sales of one month in one currency, after what was taken back."""

    first: date
    minor: int


def _net_lefts(program_id: UUID, currency: str, since: date | None = None) -> list[tuple[Conversion, int]]:
    taken = (
        select(func.coalesce(func.sum(Adjustment.amount), 0))
        .where(
            Adjustment.account_id == Conversion.account_id,
            Adjustment.sale_id == Conversion.sale_id,
            Adjustment.currency == Conversion.currency,
        )
        .correlate(Conversion)
        .scalar_subquery()
    )
    query = (
        select(Conversion, taken)
        .join(Referral, and_(Referral.account_id == Conversion.account_id, Referral.id == Conversion.referral_id))
        .where(Referral.program_id == program_id, Referral.state != ReferralState.VOIDED)
        .where(Conversion.currency == currency, Conversion.duplicate.is_(False))
    )
    if since is not None:
        query = query.where(Conversion.day >= since)
    return [(c, half_up(c.net * max(0, c.gross - int(out)), c.gross)) for c, out in db.session.execute(query)]


def months(program_id: UUID, currency: str, today: date, count: int = 8) -> list[Month]:
    """Net of attributed sales by month of the account's zone, oldest first, this month last."""
    firsts = []
    year, month = today.year, today.month
    for _ in range(count):
        firsts.append(date(year, month, 1))
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    sums = dict.fromkeys(reversed(firsts), 0)
    for conversion, left in _net_lefts(program_id, currency, min(firsts)):
        first = conversion.day.replace(day=1)
        if first in sums:
            sums[first] += left
    return [Month(first, minor) for first, minor in sums.items()]


@dataclass(frozen=True)
class Figures:
    """The line above the funnel, in one currency. `monthly` is what live friends pay by their latest sale of the last 35 days."""

    customers: int
    advocates: int
    monthly: int
    paying: int
    currency: str
    other_currencies: tuple[str, ...]


def figures(program_id: UUID, currency: str, now: datetime) -> Figures:
    customers, advocates = db.session.execute(
        select(func.count(), func.count(distinct(Referral.advocate_id))).where(
            Referral.program_id == program_id, Referral.state.in_([s.value for s in QUALIFIED])
        )
    ).one()
    ended = set(db.session.scalars(select(Friend.id).where(Friend.ended_at.is_not(None), Friend.ended_at <= now)))
    latest: dict[UUID, tuple[datetime, int]] = {}
    for conversion, left in _net_lefts(program_id, currency, (now - LIVE_SALE).date()):
        before = latest.get(conversion.friend_id)
        if conversion.subscription and conversion.friend_id not in ended and (before is None or conversion.occurred_at > before[0]):
            latest[conversion.friend_id] = (conversion.occurred_at, left)
    others = db.session.scalars(
        select(Conversion.currency)
        .join(Referral, and_(Referral.account_id == Conversion.account_id, Referral.id == Conversion.referral_id))
        .where(Referral.program_id == program_id, Conversion.currency != currency)
        .distinct()
    )
    return Figures(customers, advocates, sum(left for _, left in latest.values()), len(latest), currency, tuple(sorted(others)))


def paid_back(program_id: UUID, currency: str, cost: int, now: datetime) -> int | None:
    """The first month in which what a new customer has paid, on average, covers what one cost. None = not yet.

    Friends are counted in month m once m months have passed since their first payment; months given free count as what was paid.
    """
    firsts: dict[UUID, datetime] = {}
    rows = sorted(_net_lefts(program_id, currency), key=lambda row: row[0].occurred_at)
    for sale, _ in rows:
        firsts.setdefault(sale.friend_id, sale.occurred_at)
    month = timedelta(days=30.44)
    for m in range(1, 37):
        known = {friend for friend, first in firsts.items() if first + (m - 1) * month <= now}
        if not known:
            return None
        total = sum(left for sale, left in rows if sale.friend_id in known and sale.occurred_at < firsts[sale.friend_id] + m * month)
        if total >= cost * len(known):
            return m
    return None


def channels(program_id: UUID) -> list[tuple[str, int]]:
    """New customers by the channel of their credited touch, most first."""
    rows = db.session.execute(
        select(Referral.channel, func.count())
        .where(Referral.program_id == program_id, Referral.state.in_([s.value for s in QUALIFIED]))
        .group_by(Referral.channel)
    )
    return sorted(((channel, count) for channel, count in rows), key=lambda row: (-row[1], row[0]))


@dataclass(frozen=True)
class Ranked:
    """One line of the advocates table."""

    advocate: Advocate
    contact: Contact
    visits: int
    sign_ups: int
    customers: int
    monthly: int
    mostly: str


def _ranked(rows: Sequence[tuple[Advocate, Contact, int, int]], program_id: UUID, currency: str, now: datetime) -> list[Ranked]:
    wanted = [a.id for a, *_ in rows]
    visits = visits_of(wanted)
    monthly: dict[UUID, int] = dict.fromkeys(wanted, 0)
    owner = dict(db.session.execute(select(Referral.id, Referral.advocate_id).where(Referral.advocate_id.in_(wanted))).all())
    seen: set[UUID] = set()
    recent = _net_lefts(program_id, currency, (now - LIVE_SALE).date())
    for conversion, left in sorted(recent, key=lambda row: row[0].occurred_at, reverse=True):
        if conversion.referral_id in owner and conversion.subscription and conversion.friend_id not in seen:
            seen.add(conversion.friend_id)
            monthly[owner[conversion.referral_id]] += left
    return [Ranked(a, c, visits[a.id], ups, won, monthly[a.id], _mostly(a.id)) for a, c, ups, won in rows]


def _mostly(advocate_id: UUID) -> str:
    """The channel most visits of this advocate came over."""
    row = db.session.execute(
        select(Click.channel, func.count())
        .join(ReferralLink, and_(ReferralLink.account_id == Click.account_id, ReferralLink.id == Click.link_id))
        .where(Click.account_id == tenancy.current(), ReferralLink.advocate_id == advocate_id, _human())
        .group_by(Click.channel)
        .order_by(func.count().desc(), Click.channel)
        .limit(1)
    ).first()
    return row[0] if row else ""


def _counted(program_id: UUID) -> Select[Advocate, Contact, int, int]:
    ups = func.count(case((Referral.state.in_([s.value for s in SIGNED_UP]), 1)))
    won = func.count(case((Referral.state.in_([s.value for s in QUALIFIED]), 1)))
    return (
        select(Advocate, Contact, ups.label("ups"), won.label("won"))
        .join(Contact, and_(Contact.account_id == Advocate.account_id, Contact.id == Advocate.contact_id))
        .outerjoin(Referral, and_(Referral.account_id == Advocate.account_id, Referral.advocate_id == Advocate.id))
        .where(Advocate.program_id == program_id)
        .group_by(Advocate.account_id, Advocate.id, Contact.account_id, Contact.id)
    )


def top_advocates(program_id: UUID, by: str, currency: str, now: datetime, limit: int = 5) -> list[Ranked]:
    """The advocates who brought most customers (`by="c"`) or visits (`by="v"`)."""
    if by == "v":
        rows = db.session.execute(
            _visits(
                select(Advocate.id)
                .select_from(Click)
                .join(ReferralLink, and_(ReferralLink.account_id == Click.account_id, ReferralLink.id == Click.link_id))
                .join(Advocate, and_(Advocate.account_id == ReferralLink.account_id, Advocate.id == ReferralLink.advocate_id))
                .where(Click.account_id == tenancy.current(), Advocate.program_id == program_id, _human())
                .group_by(Advocate.id)
            )
        ).all()
        first = [row[0] for row in sorted(rows, key=lambda row: (-row[1], row[0]))[:limit]]
        found = {row[0].id: row for row in db.session.execute(_counted(program_id).where(Advocate.id.in_(first)))}
        return _ranked([found[i] for i in first if i in found], program_id, currency, now)
    query = _counted(program_id)
    won = query.selected_columns["won"]
    ups = query.selected_columns["ups"]
    rows_ = db.session.execute(query.order_by(won.desc(), ups.desc(), Advocate.created_at).limit(limit)).all()
    return _ranked([r for r in rows_ if r[2] or r[3]], program_id, currency, now)


def page_advocates(
    program_id: UUID, currency: str, now: datetime, *, state: str = "", search: str = "", offset: int = 0, limit: int = 50
) -> tuple[list[Ranked], int]:
    """Advocates by name, with how many there are in all."""
    query = _counted(program_id)
    count = (
        select(func.count())
        .select_from(Advocate)
        .join(Contact, and_(Contact.account_id == Advocate.account_id, Contact.id == Advocate.contact_id))
        .where(Advocate.program_id == program_id)
    )
    wanted = []
    if state:
        wanted.append(Advocate.state == state)
    if search:
        low = search.casefold().replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
        wanted.append(or_(*(func.lower(column).like(f"%{low}%", escape="\\") for column in (Contact.name, Contact.email, Contact.company))))
    rows = db.session.execute(
        query.where(*wanted).order_by(func.lower(func.coalesce(Contact.name, Contact.email)), Advocate.id).offset(offset).limit(limit)
    )
    return _ranked(rows.all(), program_id, currency, now), db.session.scalar(count.where(*wanted)) or 0
