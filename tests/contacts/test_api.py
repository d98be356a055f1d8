"""Contacts by machine: add or change, find, list; what is refused and named."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from nps.accounts import service as accounts
from nps.accounts.models import Account
from nps.contacts.models import Contact, PropertyDefinition
from nps.contacts.schemas import ContactOut
from nps.core import clock as product_clock
from nps.core import tenancy
from nps.core.db import db
from tests.conftest import Browser

Call = Callable[..., Any]


@pytest.fixture
def call(client: Browser, account: Account) -> Call:
    """A program with a key that may read and write contacts."""
    _, secret = accounts.create_api_key("tests", ["contacts:write"], None)
    db.session.add(PropertyDefinition(key="plan", label="Plan", kind="text", created_at=product_clock.now()))
    db.session.add(PropertyDefinition(key="seats", label="Seats", kind="number", created_at=product_clock.now()))
    db.session.commit()

    def make(method: str, path: str, body: Any = None) -> Any:
        given: dict[str, Any] = {} if body is None else {"json": body}
        return client.open(f"/api/v1/contacts{path}", method=method, headers={"Authorization": f"Bearer {secret}"}, **given)

    return make


def stored() -> int:
    return db.session.scalar(select(func.count()).select_from(Contact)) or 0


def test_put_adds_then_changes_one_contact_whatever_the_case(call: Call) -> None:
    first = call("PUT", "/email:Dana@Example.test", {})
    second = call("PUT", "/email:dana@EXAMPLE.test", {"name": "Dana Whitfield"})
    assert (first.status_code, second.status_code, stored()) == (201, 200, 1)
    assert first.get_json()["contact_id"] == second.get_json()["contact_id"]
    assert first.headers["Location"] == f"http://localhost/api/v1/contacts/{first.get_json()['contact_id']}"
    assert second.get_json()["name"] == "Dana Whitfield"


def test_all_fields_come_back_and_what_is_not_sent_stays(call: Call) -> None:
    body = {
        "name": "Dana Whitfield",
        "company": "Bright Oak Dental",
        "external_id": "A-17",
        "phone": "+12075550100",
        "locale": "pt_br",
        "time_zone": "America/New_York",
        "country": "US",
        "customer_since": "2024-03-01",
        "monthly_value": {"amount": 8400, "currency": "USD"},
        "consent_email": "given",
        "last_asked_at": "2025-01-05T10:00:00+01:00",
        "properties": {"plan": "Growth", "seats": 12},
    }
    made = call("PUT", "/email:dana@brightoak.example", body).get_json()
    for name in ("name", "company", "external_id", "phone", "customer_since", "monthly_value", "consent_email", "country"):
        assert made[name] == body[name]
    assert (made["locale"], made["last_asked_at"], made["properties"]) == ("pt-BR", "2025-01-05T09:00:00Z", {"plan": "Growth", "seats": 12})
    changed = call("PUT", "/external:A-17", {"company": None, "properties": {"plan": "Scale"}}).get_json()
    assert (changed["name"], changed["company"], changed["properties"]) == ("Dana Whitfield", None, {"plan": "Scale", "seats": 12})
    ContactOut.model_validate(changed)


def test_contact_is_found_by_id_email_and_number(call: Call) -> None:
    made = call("PUT", "/email:dana@brightoak.example", {"external_id": "A/17"}).get_json()
    for path in (f"/{made['contact_id']}", "/email:DANA@brightoak.example", "/external:A/17", "/external:A%2F17"):
        assert call("GET", path).get_json() == made
    for path in ("/019a3b5e-7c00-7000-8000-000000000001", "/email:nobody@brightoak.example", "/external:a/17", "/email:x"):
        assert call("GET", path).status_code == 404


def test_two_identifiers_of_two_people_change_nothing(call: Call) -> None:
    call("PUT", "/external:1", {"email": "a@customers.example", "name": "A"})
    call("PUT", "/external:2", {"email": "b@customers.example", "name": "B"})
    answer = call("PUT", "/external:1", {"email": "b@customers.example", "name": "C"})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "two_contacts")
    assert [item["pointer"] for item in answer.get_json()["errors"]] == ["/email"]
    names = db.session.scalars(select(Contact.name).order_by(Contact.number)).all()
    assert names == ["A", "B"]


def test_a_new_address_in_the_body_moves_the_contact(call: Call) -> None:
    made = call("PUT", "/email:old@customers.example", {}).get_json()
    moved = call("PUT", "/email:old@customers.example", {"email": "new@customers.example"}).get_json()
    assert (moved["contact_id"], moved["email"]) == (made["contact_id"], "new@customers.example")
    assert call("GET", "/email:old@customers.example").get_json()["contact_id"] == made["contact_id"]


@pytest.mark.parametrize(
    ("address", "body", "status", "pointer"),
    [
        ("a@good.test,b@evil.test", {}, 422, "/email"),
        ("<alice@x.test>bob@evil.test", {}, 422, "/email"),
        ("Dana <d@x.test>", {}, 422, "/email"),
        ("d@x..test", {}, 422, "/email"),
        ("d@x.test", {"name": "a\r\nBcc: b@evil.test"}, 422, "/name"),
        ("d@x.test", {"email": "c@x.test,d@x.test"}, 422, "/email"),
        ("d@x.test", {"properties": {"color": "red"}}, 422, "/properties/color"),
        ("d@x.test", {"properties": {"seats": "many"}}, 422, "/properties/seats"),
        ("d@x.test", {"monthly_value": {"amount": 9.5, "currency": "USD"}}, 422, "/monthly_value/amount"),
        ("d@x.test", {"monthly_value": 12}, 422, "/monthly_value"),
        ("d@x.test", {"consent_email": "yes"}, 422, "/consent_email"),
        ("d@x.test", {"customer_since": "2999-01-01"}, 422, "/customer_since"),
        ("d@x.test", {"time_zone": "Mars/Olympus"}, 422, "/time_zone"),
        ("d@x.test", {"id": "x"}, 400, "/id"),
        ("d@x.test", {"account_id": "x"}, 400, "/account_id"),
        ("d@x.test", {"last_score": 10}, 400, "/last_score"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field_and_nothing_is_stored(
    call: Call, address: str, body: dict[str, Any], status: int, pointer: str
) -> None:
    answer = call("PUT", f"/email:{address}", body)
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert [item["pointer"] for item in answer.get_json()["errors"]] == [pointer]
    assert stored() == 0


def test_text_of_a_name_is_never_a_template(call: Call) -> None:
    made = call("PUT", "/email:d@x.test", {"name": "{{7*7}} {{ contact.email }} <b>"}).get_json()
    assert made["name"] == "{{7*7}} {{ contact.email }} <b>"


def test_list_pages_through_everybody_but_the_erased(call: Call, clock: Any) -> None:
    for number in range(5):
        call("PUT", f"/external:{number}", {})
    erased = db.session.scalars(select(Contact).where(Contact.external_id == "2")).one()
    erased.erased_at = product_clock.now()
    seen, path = [], "?limit=2"
    while path:
        body = call("GET", path).get_json()
        seen += [row["external_id"] for row in body["data"]]
        path = body["next"].split("/contacts")[1] if body["next"] else ""
    assert seen == ["0", "1", "3", "4"]
    assert call("GET", "/external:2").status_code == 404
    since = (product_clock.now() + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    clock.move(hours=2)
    call("PUT", "/external:3", {"name": "Late"})
    assert [row["name"] for row in call("GET", f"?updated_since={since}").get_json()["data"]] == ["Late"]
    assert call("GET", f"?created_since={since}").get_json()["data"] == []
    assert call("GET", "?created_since=yesterday").status_code == 422


def test_a_rivals_contact_is_not_there(call: Call, rival: Account) -> None:
    with tenancy.account_scope(rival.id):
        now = product_clock.now()
        theirs = Contact(number=1, email="r@rival.example", email_key="r@rival.example", created_at=now, updated_at=now)
        db.session.add(theirs)
        db.session.commit()
        contact_id = theirs.id
    assert call("GET", f"/{contact_id}").status_code == 404
    assert call("GET", "/email:r@rival.example").status_code == 404
    assert call("PUT", "/email:r@rival.example", {}).status_code == 201
    with tenancy.account_scope(rival.id):
        assert stored() == 1
