"""Clicks after the fact: spooled ones come home, bursts are flagged, first visits tell of shares nobody recorded."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.dialects import postgresql, sqlite

from nps.core import clock, ids, tenancy
from nps.core.db import db
from nps.referrals import queries
from nps.referrals.models import Advocate, Click, ClickFlag, ReferralLink, Share
from nps.referrals.rules import clicks
from nps.referrals.rules.clicks import Seen, Verdict
from nps.referrals.service.advocates import infer_share

BURST_WINDOW = timedelta(minutes=15)


def insert(rows: Sequence[Mapping[str, Any]]) -> None:
    """Store clicks that lay in the spool. A click that is there already stays as it is."""
    make: Any = postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    for row in rows:
        db.session.execute(make(Click).values(dict(row)).on_conflict_do_nothing(index_elements=["account_id", "id"]))


def judge_bursts(now: datetime) -> int:
    """Flag bursts among the clicks of the last quarter hour, for the account in scope. Returns how many are new.

    Overlapping runs find the same bursts again and add nothing.
    """
    rows = db.session.execute(
        select(Click.id, Click.visitor, Click.link_id, Click.occurred_at).where(Click.occurred_at > now - BURST_WINDOW, Click.visitor != "")
    )
    found = clicks.bursts(Seen(i, visitor, link, at) for i, visitor, link, at in rows)
    make: Any = postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    added = 0
    for click_id, signs in found.items():
        row = make(ClickFlag).values(account_id=tenancy.current(), id=ids.new_id(), click_id=click_id, signs=int(signs), occurred_at=now)
        done = db.session.execute(row.on_conflict_do_nothing(index_elements=["account_id", "click_id"]).returning(ClickFlag.id))
        added += done.first() is not None
    return added


def infer_shares(since: datetime) -> int:
    """The first person on a channel with no share yet means that somebody did share there."""
    shared = select(Share.id).where(
        Share.account_id == ReferralLink.account_id, Share.advocate_id == ReferralLink.advocate_id, Share.channel == Click.channel
    )
    rows = db.session.execute(
        select(ReferralLink.advocate_id, Click.channel, Click.occurred_at)
        .select_from(Click)
        .join(ReferralLink, and_(ReferralLink.account_id == Click.account_id, ReferralLink.id == Click.link_id))
        .where(Click.account_id == tenancy.current(), Click.occurred_at > since, Click.verdict == Verdict.HUMAN, ~shared.exists())
        .order_by(Click.occurred_at)
        .limit(1000)
    ).all()
    added = 0
    seen: set[tuple[UUID, str]] = set()
    for advocate_id, channel, at in rows:
        if (advocate_id, channel) not in seen:
            seen.add((advocate_id, channel))
            advocate: Advocate = queries.get_advocate(advocate_id)
            added += infer_share(advocate, channel or "cp", at)
    return added


def roll_up() -> None:
    """What the schedule runs for each account: bursts first, then shares."""
    now = clock.now()
    judge_bursts(now)
    infer_shares(now - BURST_WINDOW)
