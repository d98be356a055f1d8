"""What a connection is told when it is made."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from nps.core.db import db, is_away
from nps.core.settings import Settings


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"statement_seconds": 1})


def test_a_statement_that_takes_too_long_is_ended_and_the_database_called_away(app: Any) -> None:
    if db.engine.dialect.name != "postgresql":
        pytest.skip("SQLite knows no limit for a statement")
    with pytest.raises(OperationalError) as caught:
        db.session.execute(text("SELECT pg_sleep(3)"))
    assert is_away(caught.value)
    db.session.rollback()
