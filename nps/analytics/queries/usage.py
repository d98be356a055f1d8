"""What of the answers a plan counts."""

from datetime import datetime

from sqlalchemy import func, select

from nps.core.db import db
from nps.responses.models import Response

FREE_METHODS = ("manual", "import")
"""Answers typed in by hand or brought along from elsewhere cost nothing."""


def count_for_plan(start: datetime, end: datetime) -> int:
    """Answers verified between the two instants: one an invitation, however often it was edited; tests and brought ones are free."""
    counted = (
        select(func.count())
        .select_from(Response)
        .where(
            Response.state == "verified",
            Response.verified_at >= start,
            Response.verified_at < end,
            Response.method.not_in(FREE_METHODS),
            Response.is_test.is_(False),
        )
    )
    return db.session.scalar(counted) or 0
