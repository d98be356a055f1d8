"""Prepared statements keep inside the account in scope, or are refused where they are made."""

import pytest
from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from nps.accounts.models import Account, AuditEntry, Membership
from nps.core import clock, ids, tenancy
from nps.core.db import db
from nps.core.prepared import ACCOUNT, Finder, First, Prepared, Put, PutOnce, Unbound
from nps.jobs.models import Job

M, A = Membership.__table__, AuditEntry.__table__


def test_a_statement_without_the_account_is_refused_where_it_is_made() -> None:
    with pytest.raises(Unbound, match="membership"):
        Prepared(select(M.c.id))
    with pytest.raises(Unbound, match="audit_entry"):
        Prepared(select(M.c.id).where(M.c.account_id == ACCOUNT, A.c.id == M.c.id))
    with pytest.raises(Unbound):
        Prepared(select(M.c.id).where((M.c.account_id == ACCOUNT) | (M.c.role == "owner")))
    with pytest.raises(Unbound):
        Prepared(update(M).values(role="owner").where(M.c.id == bindparam("wanted")))  # type: ignore[arg-type]
    with pytest.raises(Unbound, match="membership"):
        Prepared(select(M.c.id).where(M.c.account_id == bindparam("another")))


def test_joined_tables_may_be_bound_through_each_other() -> None:
    Prepared(select(M.c.id).join(A, (A.c.account_id == M.c.account_id) & (A.c.id == M.c.id)).where(M.c.account_id == ACCOUNT))


def test_it_sees_one_account_only(account: Account, rival: Account) -> None:
    mine = Prepared(select(M.c.account_id).where(M.c.account_id == ACCOUNT))
    assert {row.account_id for row in mine()} == {account.id}
    with tenancy.account_scope(rival.id):
        assert {row.account_id for row in mine()} == {rival.id}


def test_it_writes_for_the_account_in_scope_whatever_it_is_told(account: Account, rival: Account) -> None:
    put = Prepared(insert(A))
    row = {"id": ids.new_id(), "occurred_at": clock.now(), "actor": "a", "action": "b", "object_kind": "", "object_id": "", "reason": ""}
    put(account_id=rival.id, facts={}, **row)
    found = Prepared(select(A.c.account_id).where(A.c.account_id == ACCOUNT, A.c.action == "b"))
    assert [row.account_id for row in found()] == [account.id]


def test_without_a_scope_it_raises(app: object) -> None:
    with pytest.raises(tenancy.NoAccountInScope):
        Prepared(select(M.c.id).where(M.c.account_id == ACCOUNT))()


def entry(**more: object) -> dict[str, object]:
    return {"occurred_at": clock.now(), "actor": "a", "action": "b", "object_kind": "", "object_id": "", "reason": "", **more}


def test_a_row_comes_back_as_it_went_in(account: Account) -> None:
    made = Put(AuditEntry)(**entry(facts={"a": [1, None]}))
    db.session.expunge_all()
    found = Finder(AuditEntry)(made.id)
    assert found is not None
    assert found is not made
    assert (found.account_id, found.occurred_at, found.facts) == (account.id, made.occurred_at, {"a": [1, None]})


def test_what_was_put_is_an_object_whose_changes_are_written(account: Account) -> None:
    made = Put(AuditEntry)(**entry(facts={}))
    made.reason = "because"
    db.session.flush()
    assert Prepared(select(A.c.reason).where(A.c.account_id == ACCOUNT, A.c.id == bindparam("one")))(one=made.id).scalar() == "because"


def test_first_sees_one_account_and_what_waits_in_the_session(account: Account, rival: Account) -> None:
    first = First(AuditEntry, lambda t: (t.c.action == bindparam("wanted"),), order_by=lambda t: t.c.id.desc())
    waiting = AuditEntry(**entry(action="waits", facts={}))
    db.session.add(waiting)
    assert first(wanted="waits") is waiting
    assert first(wanted="nothing") is None
    with tenancy.account_scope(rival.id):
        assert first(wanted="waits") is None


def test_an_object_that_is_known_takes_what_the_row_says_only_when_it_is_locked(account: Account) -> None:
    made = Put(AuditEntry)(**entry(facts={}))
    update_it = Prepared(update(A).where(A.c.account_id == ACCOUNT, A.c.id == bindparam("one")).values(reason="changed beside it"))
    update_it(one=made.id)
    assert First(AuditEntry, lambda t: (t.c.id == bindparam("one"),))(one=made.id) is made
    assert made.reason == ""
    assert First(AuditEntry, lambda t: (t.c.id == bindparam("one"),), lock=True)(one=made.id) is made
    assert made.reason == "changed beside it"


def test_a_second_row_with_the_same_id_is_refused_as_the_orm_refuses_it(account: Account) -> None:
    put, row = Prepared(insert(A)), entry(id=ids.new_id(), facts={"email": "dana@fern.example"})
    put(**row)
    with pytest.raises(IntegrityError) as refused, db.session.begin_nested():
        put(**row)
    assert "dana@fern.example" not in str(refused.value)
    count = Prepared(select(func.count()).select_from(A).where(A.c.account_id == ACCOUNT, A.c.id == bindparam("one")))
    assert count(one=row["id"]).scalar_one() == 1


def test_a_value_that_is_missing_or_unknown_is_an_error(account: Account) -> None:
    put, row = Prepared(insert(A)), entry(id=ids.new_id(), facts={})
    put(**row)
    with pytest.raises(TypeError):
        put(**{name: value for name, value in row.items() if name != "reason"})
    with pytest.raises(TypeError):
        put(**row, another="value")


def test_a_row_that_is_there_stays_and_tables_of_accounts_are_refused(account: Account) -> None:
    put = PutOnce(Job.__table__, ["task", "key"], where="key IS NOT NULL AND state = 'due'")
    row = {"account_id": None, "task": "t", "arguments": {}, "queue": "default", "state": "due", "key": "k", "run_at": clock.now()}
    more = {"attempts": 0, "created_at": clock.now()}
    assert put(id=ids.new_id(), **row, **more) is True
    assert put(id=ids.new_id(), **row, **more) is False
    with pytest.raises(Unbound):
        PutOnce(A, ["id"])
