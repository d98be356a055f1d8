"""The customer's Stripe connection."""

from uuid import UUID

from sqlalchemy import select

from nps.core import tenancy
from nps.core.db import db
from nps.rewards.models import StripeConnection


def find_connection() -> StripeConnection | None:
    """The account's Stripe connection that is on."""
    return db.session.scalar(
        select(StripeConnection).where(StripeConnection.off_at.is_(None)).order_by(StripeConnection.created_at.desc()).limit(1)
    )


def get_connection(connection_id: UUID) -> StripeConnection | None:
    return db.session.get(StripeConnection, (tenancy.current(), connection_id))
