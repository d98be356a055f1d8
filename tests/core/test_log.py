"""Log lines name no people."""

from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from nps.accounts.models import User
from nps.core.db import db
from nps.core.log import trace


def test_a_trace_says_what_failed_and_quotes_no_row(app: Any, owner: User) -> None:
    """PostgreSQL names the row that is there already, with the address in it."""
    values = db.session.execute(select(User.__table__).where(User.__table__.c.id == owner.id)).mappings().one()
    said = ""
    try:
        db.session.execute(insert(User.__table__).values(**values))
    except IntegrityError:
        said = trace(4)
    assert "IntegrityError" in said
    assert "INSERT INTO" in said
    assert owner.email not in said
    assert str(owner.id) not in said
    db.session.rollback()
