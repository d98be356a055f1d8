"""Sales and refunds told by the company's server."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from nps.accounts.models import Account
from nps.core import tenancy
from nps.core.db import db
from nps.referrals import queries
from nps.referrals.models import Adjustment, Conversion, Referral
from tests.machine import Machine
from tests.referrals.world import click, live_program, promoter

SALE = {"external_id": "inv-1", "amount": 4900, "currency": "USD", "customer_email": "sam@oakandrye.example"}


@pytest.fixture
def machine(account: Account, make_machine: Callable[..., Machine]) -> Machine:
    return make_machine(account, "conversions:write")


def tell(machine: Machine, body: dict[str, Any], key: str, path: str = "/conversions") -> Any:
    return machine("POST", path, body, Idempotency_Key=key)


def stored() -> int:
    return db.session.scalar(select(func.count()).select_from(Conversion)) or 0


def test_sale_is_stored_once_however_often_it_is_told(machine: Machine) -> None:
    body = {**SALE, "occurred_at": "2026-10-06T15:58:00+02:00", "tax": 900}
    first = tell(machine, body, "a")
    assert first.status_code == 201
    made = first.get_json()
    assert (made["amount"], made["net"]) == ({"amount": 4900, "currency": "USD"}, {"amount": 4000, "currency": "USD"})
    assert (made["occurred_at"], made["source"], made["referral_id"]) == ("2026-10-06T13:58:00Z", "api", None)
    assert tell(machine, body, "a").headers["Idempotency-Replayed"] == "true"
    again = tell(machine, body, "b")
    assert (again.status_code, again.get_json()) == (201, made)
    assert machine("GET", "/conversions/inv-1").get_json() == made
    assert stored() == 1


def test_sale_without_a_time_may_be_told_again_later(machine: Machine, clock: Any) -> None:
    first = tell(machine, SALE, "a").get_json()
    clock.move(hours=3)
    assert tell(machine, SALE, "b").get_json() == first


def test_same_id_with_other_content_changes_nothing(machine: Machine) -> None:
    tell(machine, SALE, "a")
    answer = tell(machine, {**SALE, "amount": 9900}, "b")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "same_id_other_content")
    assert machine("GET", "/conversions/inv-1").get_json()["amount"]["amount"] == 4900


def test_idempotency_key_is_needed(machine: Machine) -> None:
    for path, body in (("/conversions", SALE), ("/conversions/inv-1/refunds", {"external_id": "r", "amount": 1, "currency": "USD"})):
        answer = machine("POST", path, body)
        assert (answer.status_code, answer.get_json()["code"]) == (400, "idempotency_key_needed")
    assert stored() == 0


def test_click_sent_with_the_sale_credits_the_promoter(machine: Machine, account: Account) -> None:
    live_program(account)
    advocate = promoter()
    ref = click(advocate)
    made = tell(machine, {**SALE, "click_id": ref}, "a").get_json()
    referral = db.session.scalars(select(Referral)).one()
    assert (referral.advocate_id, made["referral_id"]) == (advocate.id, str(referral.id))


def test_code_sent_with_the_sale_credits_the_promoter(machine: Machine, account: Account) -> None:
    live_program(account)
    advocate = promoter()
    tell(machine, {**SALE, "code": queries.link_of(advocate.id).code}, "a")
    assert db.session.scalars(select(Referral)).one().advocate_id == advocate.id


def test_refund_follows_its_sale_and_may_come_first(machine: Machine) -> None:
    early = tell(machine, {"external_id": "r-1", "amount": 900, "currency": "USD"}, "a", "/conversions/inv-1/refunds")
    assert (early.status_code, early.get_json()["amount"]) == (201, {"amount": 900, "currency": "USD"})
    tell(machine, SALE, "b")
    late = tell(machine, {"external_id": "r-2", "amount": 4000}, "c", "/conversions/inv-1/refunds")
    assert late.get_json()["amount"] == {"amount": 4000, "currency": "USD"}
    sales = {row.sale_id for row in db.session.scalars(select(Adjustment))} | {
        row.sale_id for row in db.session.scalars(select(Conversion))
    }
    assert len(sales) == 1
    answer = tell(machine, {"external_id": "r-1", "amount": 901, "currency": "USD"}, "d", "/conversions/inv-1/refunds")
    assert answer.status_code == 409


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({**SALE, "amount": 0}, 422, "/amount"),
        ({**SALE, "amount": -1}, 422, "/amount"),
        ({**SALE, "amount": 49.5}, 422, "/amount"),
        ({**SALE, "amount": True}, 422, "/amount"),
        ({**SALE, "amount": 2**53}, 422, "/amount"),
        ({**SALE, "tax": 5000}, 422, "/tax"),
        ({**SALE, "currency": "usd"}, 422, "/currency"),
        ({**SALE, "external_id": ""}, 422, "/external_id"),
        ({**SALE, "external_id": "x" * 256}, 422, "/external_id"),
        ({**SALE, "external_id": "   "}, 422, "/external_id"),
        ({**SALE, "occurred_at": "1999-01-01T00:00:00Z"}, 422, "/occurred_at"),
        ({**SALE, "occurred_at": "2999-01-01T00:00:00Z"}, 422, "/occurred_at"),
        ({k: v for k, v in SALE.items() if k != "customer_email"}, 422, ""),
        ({**SALE, "source": "stripe"}, 400, "/source"),
        ({**SALE, "net": 1}, 400, "/net"),
    ],
)
def test_what_is_no_sale_is_refused_at_its_field(machine: Machine, body: dict[str, Any], status: int, pointer: str) -> None:
    answer = tell(machine, body, "a")
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert [item["pointer"] for item in answer.get_json()["errors"]] == [pointer]
    assert stored() == 0


def test_refunds_that_cannot_be_are_refused(machine: Machine) -> None:
    unknown = tell(machine, {"external_id": "r", "amount": 1}, "a", "/conversions/nothing/refunds")
    assert (unknown.status_code, unknown.get_json()["errors"][0]["pointer"]) == (422, "/currency")
    tell(machine, SALE, "b")
    other = tell(machine, {"external_id": "r", "amount": 1, "currency": "EUR"}, "c", "/conversions/inv-1/refunds")
    assert (other.status_code, other.get_json()["errors"][0]["pointer"]) == (422, "/currency")


def test_list_holds_this_accounts_sales_only(machine: Machine, rival: Account, make_machine: Callable[..., Machine]) -> None:
    tell(machine, SALE, "a")
    tell(machine, {**SALE, "external_id": "inv-2"}, "b")
    theirs = make_machine(rival, "conversions:read")
    assert theirs("GET", "/conversions").get_json() == {"data": [], "next": None}
    assert theirs("GET", "/conversions/inv-1").status_code == 404
    assert [row["external_id"] for row in machine("GET", "/conversions?limit=1").get_json()["data"]] == ["inv-1"]
    assert theirs("POST", "/conversions", SALE, Idempotency_Key="x").status_code == 403
    with tenancy.account_scope(rival.id):
        assert stored() == 0
