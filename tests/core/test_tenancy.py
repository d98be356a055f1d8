"""The walls between accounts hold."""

from typing import Any

import pytest
from sqlalchemy import func, inspect, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from nps.accounts import service
from nps.accounts.models import ApiKey, Membership
from nps.core import ids, tenancy
from nps.core.db import db


def test_statement_without_a_scope_raises(app: Any) -> None:
    with pytest.raises(tenancy.NoAccountInScope):
        db.session.execute(select(Membership))


def test_a_scope_sees_its_own_rows_only(account: Any, rival: Any) -> None:
    assert db.session.scalar(select(func.count()).select_from(Membership)) == 1
    with tenancy.account_scope(rival.id):
        assert db.session.scalars(select(Membership.account_id)).all() == [rival.id]
    with tenancy.unscoped("test"):
        assert db.session.scalar(select(func.count()).select_from(Membership)) == 2


def test_get_by_key_of_another_account_finds_nothing(account: Any, rival: Any) -> None:
    with tenancy.account_scope(rival.id):
        key, _ = service.create_api_key("theirs", [], None)
        db.session.commit()
    db.session.expunge_all()
    assert db.session.scalar(select(ApiKey).where(ApiKey.id == key.id)) is None


def test_a_row_read_again_and_again_costs_one_compiled_statement(account: Any) -> None:
    row = db.session.scalars(select(Membership)).one()
    seen = []
    for _ in range(3):
        db.session.expire(row)
        assert row.role == "owner"
        seen.append(len(inspect(row).load_options))
    assert seen == [0, 0, 0], "the row carries criteria that make each reading a new statement"


def test_a_row_of_another_account_is_not_written(account: Any, rival: Any) -> None:
    db.session.add(Membership(account_id=rival.id, user_id=ids.new_id(), role="viewer", created_at=account.created_at))
    with pytest.raises(tenancy.ForeignRow):
        db.session.flush()


def test_raw_sql_sees_one_account_on_postgresql(account: Any, rival: Any, engine_name: str) -> None:
    if engine_name != "postgresql":
        assert db.session.execute(text("SELECT count(*) FROM membership")).scalar() == 2
        return
    assert db.session.execute(text("SELECT count(*) FROM membership")).scalar() == 1
    with pytest.raises((DBAPIError, IntegrityError)):
        db.session.execute(
            text("INSERT INTO membership (account_id, id, user_id, role, created_at) VALUES (:a, :i, :i, 'viewer', now())"),
            {"a": rival.id, "i": ids.new_id()},
        )
    db.session.rollback()


def test_bulk_update_stays_inside(account: Any, rival: Any) -> None:
    db.session.execute(update(Membership).values(role="viewer"))
    with tenancy.account_scope(rival.id):
        assert db.session.scalars(select(Membership.role)).all() == ["owner"]
