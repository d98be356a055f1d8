"""From sent to answered, by invitations whose first message left in the window. Opens are neither measured nor shown."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select

from nps.analytics.queries.counted import counted, text_of
from nps.analytics.rules.filters import Filters, Window
from nps.campaigns.models import Campaign, Invitation
from nps.core import tenancy
from nps.core.db import db
from nps.responses.models import Hit, Response


@dataclass(frozen=True, slots=True)
class Funnel:
    """Invitations at each step; machine clicks are hits with a score that are left out of them."""

    sent: int
    delivered: int
    picked: int
    answered: int
    commented: int
    machine_clicks: int


def instants(window: Window, zone: str) -> tuple[datetime, datetime]:
    """The window as instants, the end excluded: whole days in the account's zone, of 23 and 25 hours too."""
    here = ZoneInfo(zone)
    start = datetime.combine(window.first, time(), here).astimezone(UTC)
    return start, datetime.combine(window.last + timedelta(days=1), time(), here).astimezone(UTC)


def funnel(filters: Filters, window: Window, zone: str) -> Funnel:
    """Counts of the question's invitations. Answers and comments are those that count."""
    start, end = instants(window, zone)
    asked = and_(
        Invitation.account_id == tenancy.current(),
        Invitation.asked_at >= start,
        Invitation.asked_at < end,
        Invitation.is_test.is_(False),
        Invitation.canary.is_(False),
        *_wanted(filters),
    )
    of_invitation = and_(Response.account_id == Invitation.account_id, Response.invitation_id == Invitation.id, counted())
    reached = Invitation.state != "undelivered"
    picked = exists().where(
        Hit.account_id == Invitation.account_id, Hit.invitation_id == Invitation.id, Hit.score.is_not(None), Hit.verdict != "machine"
    )
    rows = (
        select(
            func.count(),
            func.sum(case((reached, 1), else_=0)),
            func.sum(case((Response.id.is_not(None), 1), else_=0)),
            func.sum(case((and_(Response.id.is_not(None), Response.comment != ""), 1), else_=0)),
            func.sum(case((or_(Response.id.is_not(None), picked), 1), else_=0)),
        )
        .select_from(Invitation)
        .outerjoin(Response, of_invitation)
        .where(asked)
    )
    sent, delivered, answered, commented, chose = db.session.execute(rows).one()
    machines = (
        select(func.count())
        .select_from(Hit)
        .join(Invitation, and_(Invitation.account_id == Hit.account_id, Invitation.id == Hit.invitation_id))
        .where(asked, Hit.account_id == tenancy.current(), Hit.occurred_at >= start, Hit.verdict == "machine", Hit.score.is_not(None))
    )
    return Funnel(sent, delivered or 0, chose or 0, answered or 0, commented or 0, db.session.scalar(machines) or 0)


def _wanted(filters: Filters) -> list[ColumnElement[bool]]:
    """The question's filters on what was frozen when the invitation was made."""
    series = select(Campaign.id).where(Campaign.account_id == tenancy.current(), Campaign.series == filters.series)
    made: list[ColumnElement[bool]] = [Invitation.campaign_id.in_(series)]
    if filters.campaign is not None:
        made.append(Invitation.campaign_id == filters.campaign)
    return made + [text_of(condition.key, Invitation, Invitation.asked_properties) == condition.value for condition in filters.conditions]
