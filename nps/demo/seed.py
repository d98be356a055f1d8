"""Fills an empty installation with Larkfield: contacts, a year of answers, cases, advocates, money. Dates follow today."""

from collections.abc import Callable
from typing import Any

from nps.accounts import queries as accounts_queries
from nps.accounts import service as accounts
from nps.core import clock, tenancy
from nps.core.db import db

Say = Callable[[str], None]


def ensure(email: str, password: str, say: Say) -> dict[str, Any]:
    """Make the sample company unless it is there; returns its slug and API key."""
    found = accounts_queries.find_account("larkfield")
    if found is None:
        say("Making the sample company")
        owner = accounts.create_user(email, "Ines Marchetti", password)
        owner.email_confirmed_at = clock.now()
        found = accounts.create_account(
            "Larkfield",
            owner,
            slug="larkfield",
            state="active",
            postal_address="Larkfield Inc., 48 Quay Street, Portland, ME 04101, USA",
            sender_name="Ines Marchetti",
            sender_role="Customer lead",
            sender_email="ines@larkfield.example",
            reply_to="ines@larkfield.example",
            time_zone="America/New_York",
            whom="another business owner",
            brand_color="#14574a",
            on_brand="#ffffff",
            website="https://larkfield.example",
        )
        db.session.commit()
    with tenancy.account_scope(found.id):
        _, secret = accounts.create_api_key("Demo", ["*"], None)
        db.session.commit()
    return {"account": found.slug, "api_key": secret}
