"""One contact asked by machine, through the same gates, with a reason when nothing is sent."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from nps.accounts.models import Account
from nps.campaigns import service
from nps.campaigns.models import Campaign
from nps.campaigns.schemas import InvitationOut
from nps.core import ids, tenancy
from nps.core.db import db
from tests.campaigns.factories import make_contact
from tests.machine import Machine


@pytest.fixture
def machine(account: Account, make_machine: Callable[..., Machine]) -> Machine:
    return make_machine(account, "campaigns:write")


@pytest.fixture
def running(account: Account, clock: Any) -> Campaign:
    """An event campaign that asks at once, and somebody old enough to be asked."""
    made = service.create("After onboarding", kind="event")
    made.send_now, made.min_age_days = True, 0
    make_contact("Dana", email="dana@brightoak.example", external_id="4471")
    service.launch(made.id)
    db.session.commit()
    clock.move(seconds=5)
    return made


def test_contact_is_asked_and_the_answer_says_when(machine: Machine, running: Campaign, run_jobs: Any) -> None:
    answer = machine("POST", f"/campaigns/{running.id}/invitations", {"email": "Dana@brightoak.example"}, Idempotency_Key="a")
    body = answer.get_json()
    assert (answer.status_code, body["planned"], body["reason"]) == (201, True, None), body
    found = machine("GET", f"/invitations/{body['invitation_id']}").get_json()
    InvitationOut.model_validate(found)
    assert (found["state"], found["campaign_id"], found["due_at"]) == ("planned", str(running.id), body["due_at"])
    run_jobs()
    assert machine("GET", f"/invitations/{body['invitation_id']}").get_json()["state"] == "asked"
    again = machine("POST", f"/campaigns/{running.id}/invitations", {"email": "Dana@brightoak.example"}, Idempotency_Key="a")
    assert (again.headers["Idempotency-Replayed"], again.get_json()) == ("true", body)


def test_who_may_not_be_asked_is_not_and_the_reason_is_given(machine: Machine, running: Campaign, run_jobs: Any) -> None:
    for _ in range(2):
        answer = machine("POST", f"/campaigns/{running.id}/invitations", {"external_id": "4471"})
        run_jobs()
    body = answer.get_json()
    assert (answer.status_code, body["planned"], body["due_at"]) == (200, False, None)
    assert body["reason"] in ("throttled", "hard_floor")


def test_delay_moves_the_time(machine: Machine, running: Campaign, clock: Any) -> None:
    body = machine("POST", f"/campaigns/{running.id}/invitations", {"external_id": "4471", "delay_minutes": 90}).get_json()
    earliest = (clock.now() + timedelta(minutes=89)).isoformat()
    assert body["due_at"] > earliest[:19]


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({}, 422, ""),
        ({"email": "a@b.example", "external_id": "1"}, 422, ""),
        ({"email": "nobody@b.example"}, 422, "/email"),
        ({"external_id": "0"}, 422, "/external_id"),
        ({"contact_id": "019a3b5e-7c00-7000-8000-000000000001"}, 422, "/contact_id"),
        ({"contact_id": "1"}, 422, "/contact_id"),
        ({"external_id": "4471", "delay_minutes": -1}, 422, "/delay_minutes"),
        ({"external_id": "4471", "delay_minutes": 1.5}, 422, "/delay_minutes"),
        ({"external_id": "4471", "properties": {}}, 400, "/properties"),
    ],
)
def test_what_names_nobody_is_refused_at_its_field(machine: Machine, running: Campaign, body: Any, status: int, pointer: str) -> None:
    answer = machine("POST", f"/campaigns/{running.id}/invitations", body)
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert [item["pointer"] for item in answer.get_json()["errors"]] == [pointer]


def test_campaigns_that_do_not_run_ask_nobody(machine: Machine, running: Campaign) -> None:
    draft = service.create("Later", kind="event")
    db.session.commit()
    answer = machine("POST", f"/campaigns/{draft.id}/invitations", {"external_id": "4471"})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "wrong_state")
    assert machine("POST", f"/campaigns/{ids.new_id()}/invitations", {"external_id": "4471"}).status_code == 404


def test_campaigns_are_listed_by_state_for_their_own_account(
    machine: Machine, running: Campaign, rival: Account, make_machine: Callable[..., Machine]
) -> None:
    service.create("Later", kind="event")
    with tenancy.account_scope(rival.id):
        service.create("Theirs", kind="event")
    db.session.commit()
    assert [row["name"] for row in machine("GET", "/campaigns").get_json()["data"]] == ["After onboarding", "Later"]
    assert [row["state"] for row in machine("GET", "/campaigns?state=draft").get_json()["data"]] == ["draft"]
    theirs = make_machine(rival, "campaigns:write")
    assert theirs("GET", f"/campaigns/{running.id}").status_code == 404
    assert theirs("POST", f"/campaigns/{running.id}/invitations", {"external_id": "4471"}).status_code == 404
    assert machine("GET", f"/campaigns/{running.id}").get_json()["name"] == "After onboarding"
