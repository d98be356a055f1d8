"""Who is in the measured installation: the company Larkfield and as many customers as a figure needs."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from nps.accounts import service as accounts
from nps.accounts.models import Account
from nps.core import db as database
from nps.core import tenancy
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
