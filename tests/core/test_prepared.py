"""Prepared statements keep inside the account in scope, or are refused where they are made."""

import pytest
from sqlalchemy import bindparam, insert, select, update

from nps.accounts.models import Account, AuditEntry, Membership
from nps.core import clock, ids, tenancy
from nps.core.prepared import ACCOUNT, Prepared, Unbound

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
