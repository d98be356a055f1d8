"""Who is in the measured installation: the company Larkfield and as many customers as a figure needs."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from sqlalchemy import insert

from nps.accounts import service as accounts
from nps.accounts.models import Account
from nps.contacts.models import Contact
from nps.core import clock, ids, tenancy
from nps.core import db as database
from nps.core.db import db
from tests.installation import Installation


@contextmanager
def inside(made: Installation, account_id: UUID | None = None) -> Iterator[None]:
    """The installation's application, with this account in scope, in a writing unit that commits."""
    with made.app.app_context():
        database.begin_writing()
        try:
            if account_id is None:
                yield
            else:
                with tenancy.account_scope(account_id):
                    yield
            db.session.commit()
        finally:
            db.session.remove()
            database.end_writing()
            tenancy.leave()


def larkfield(made: Installation) -> UUID:
    """The company; returns its id."""
    with inside(made):
        owner = accounts.create_user("ines@larkfield.example", "Ines Marchetti", "correct horse battery staple")
        account: Account = accounts.create_account(
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
            website="https://larkfield.example",
        )
        return account.id


def customers(count: int) -> list[UUID]:
    """So many contacts of the account in scope, made set-based; ids in order."""
    now, account_id, made = clock.now(), tenancy.current(), []
    for start in range(0, count, 5000):
        rows = []
        for n in range(start, min(start + 5000, count)):
            made.append(ids.new_id())
            email = f"customer{n}@shop{n % 997}.example"
            rows.append(
                {
                    "account_id": account_id,
                    "id": made[-1],
                    "number": n + 1,
                    "email": email,
                    "email_key": email,
                    "name": f"Customer {n}",
                    "name_key": f"customer {n}",
                    "first_name": "Dana",
                    "properties": {"plan": ("Starter", "Growth", "Scale")[n % 3]},
                    "consent_email": "unknown",
                    "consent_sms": "unknown",
                    "answers": 0,
                    "holds": {},
                    "created_at": now - timedelta(days=200),
                    "updated_at": now,
                }
            )
        db.session.execute(insert(Contact), rows)
    return made
