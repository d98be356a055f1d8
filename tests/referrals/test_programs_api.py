"""Programs, advocates and sign-ups by the company's own server."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from nps.accounts.models import Account
from nps.core import ids
from nps.core.db import db
from nps.referrals import queries
from nps.referrals.models import Advocate, Program, Referral
from tests.machine import Machine
from tests.referrals.world import click, live_program, person, promoter


@pytest.fixture
def program(account: Account) -> Program:
    made = live_program(account)
    db.session.commit()
    return made


@pytest.fixture
def machine(account: Account, make_machine: Callable[..., Machine]) -> Machine:
    return make_machine(account, "programs:write", "conversions:write")


def test_a_contact_is_asked_once_whatever_names_them(machine: Machine, program: Program) -> None:
    contact = person("maya@fern.example", external_id="4471", first_name="Maya")
    db.session.commit()
    path = f"/programs/{program.id}/advocates"
    answers = [
        machine("POST", path, body) for body in ({"email": "Maya@Fern.example"}, {"external_id": "4471"}, {"contact_id": str(contact.id)})
    ]
    assert [a.status_code for a in answers] == [201, 200, 200]
    assert len({a.get_json()["advocate_id"] for a in answers}) == 1
    made = answers[0].get_json()
    assert made["link"] == f"http://localhost/r/{made['code']}"
    assert made["code"].startswith("maya-")
    assert [row["advocate_id"] for row in machine("GET", path).get_json()["data"]] == [made["advocate_id"]]


@pytest.mark.parametrize("body", [{}, {"email": "a@b.example", "external_id": "1"}, {"mail": "x"}])
def test_exactly_one_name_is_taken(machine: Machine, program: Program, body: dict[str, str]) -> None:
    assert machine("POST", f"/programs/{program.id}/advocates", body).status_code in (400, 422)


def test_an_open_case_and_a_low_score_are_not_overridden(machine: Machine, program: Program) -> None:
    low = person("low@x.example", 3)
    held = person("held@x.example", 10)
    held.holds = {"open_case": "2026-10-01T00:00:00+00:00"}
    db.session.commit()
    codes = []
    for contact in (low, held):
        answer = machine("POST", f"/programs/{program.id}/advocates", {"contact_id": str(contact.id)})
        codes.append((answer.status_code, answer.get_json()["code"]))
    assert codes == [(409, "not_promoter"), (409, "open_case")]
    assert db.session.scalar(select(func.count()).select_from(Advocate)) == 0


def test_a_portal_link_opens_the_share_page_for_a_quarter_of_an_hour(machine: Machine, program: Program, client: Any, clock: Any) -> None:
    maya = promoter()
    db.session.commit()
    url = machine("POST", f"/advocates/{maya.id}/portal_links", {}).get_json()["url"].removeprefix("http://localhost")
    assert client.get(url).status_code == 303
    clock.move(minutes=16)
    assert client.get(url).status_code == 410


def test_a_sign_up_is_credited_to_the_click_and_an_event_of_ones_own_qualifies(machine: Machine, account: Account, clock: Any) -> None:
    live_program(account, qualifies="event", qualify_event="first_payroll")
    maya = promoter()
    ref = click(maya)
    db.session.commit()
    clock.move(minutes=1)
    who = {"customer_email": "leo@lantern.example"}
    first = machine("POST", "/referrals", {"external_id": "s1", "click_id": ref, **who}, Idempotency_Key="a")
    assert first.status_code == 201
    assert (first.get_json()["referral"]["state"], first.get_json()["referral"]["advocate_id"]) == ("signed_up", str(maya.id))
    second = machine(
        "POST", "/referrals", {"external_id": "e1", "stage": "qualified", "event": "first_payroll", **who}, Idempotency_Key="b"
    )
    assert second.get_json()["referral"]["state"] == "qualified"
    again = machine("POST", "/referrals", {"external_id": "s1", "click_id": ref, **who}, Idempotency_Key="c")
    assert again.status_code == 201
    assert db.session.scalar(select(func.count()).select_from(Referral)) == 1
    shown = machine("GET", f"/referrals?advocate_id={maya.id}").get_json()["data"]
    assert [row["state"] for row in shown] == ["qualified"]
    assert "leo@lantern" not in machine("GET", "/referrals").get_data(as_text=True)


def test_a_sign_up_without_evidence_is_nobodys(machine: Machine, program: Program) -> None:
    answer = machine("POST", "/referrals", {"external_id": "s1", "customer_external_id": "9"}, Idempotency_Key="a")
    assert (answer.status_code, answer.get_json()) == (201, {"referral": None})
    assert machine("POST", "/referrals", {"external_id": "s2"}, Idempotency_Key="b").status_code in (400, 422)
    unknown = {"external_id": "s3", "customer_external_id": "9", "advocate_id": str(ids.new_id())}
    assert machine("POST", "/referrals", unknown, Idempotency_Key="c").status_code == 404


def test_programs_are_listed(machine: Machine, program: Program) -> None:
    (row,) = machine("GET", "/programs").get_json()["data"]
    assert (row["program_id"], row["state"], row["is_default"], row["version"]) == (str(program.id), "live", True, 1)
    assert machine("GET", f"/programs/{program.id}").get_json() == row
    assert machine("GET", f"/programs/{ids.new_id()}").status_code == 404
    assert queries.default_program() is not None
