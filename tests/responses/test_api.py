"""Responses by machine: every state, filtered, paged, of this account only."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from nps.accounts.models import Account
from nps.core import tenancy
from nps.core.db import db
from nps.responses.schemas import ResponseOut
from tests.analytics.conftest import TODAY, Asker
from tests.machine import Machine


@pytest.fixture
def asker(account: Account, clock: Any) -> Asker:
    clock.at(datetime(2026, 10, 6, 16, tzinfo=UTC))
    return Asker(account.id)


@pytest.fixture
def machine(account: Account, make_machine: Callable[..., Machine]) -> Machine:
    return make_machine(account, "responses:read")


def test_response_comes_with_all_that_was_frozen(machine: Machine, asker: Asker) -> None:
    made = asker.answer(3, comment="Bank feed <b>down</b>", properties={"plan": "Growth", "vip": True}, wants_reply=True)
    db.session.commit()
    listed = machine("GET", "/responses").get_json()["data"]
    one = machine("GET", f"/responses/{made.id}").get_json()
    assert listed == [one]
    ResponseOut.model_validate(one)
    assert (one["score"], one["nps_group"], one["comment"], one["reply_wanted"]) == (3, "detractor", "Bank feed <b>down</b>", True)
    assert (one["answered"], one["first_at"]) == ({"plan": "Growth", "vip": True}, "2026-10-06T12:00:00Z")


def test_filters_each_keep_what_fits(machine: Machine, asker: Asker) -> None:
    other = asker.campaign("Spring")
    person = asker.contact()
    asker.answer(10, TODAY - timedelta(days=9), person)
    asker.answer(7, TODAY - timedelta(days=5), campaign_id=other)
    asker.answer(0, TODAY, state="quarantined")
    db.session.commit()
    for query, scores in (
        ("", [10, 7, 0]),
        ("?nps_group=promoter", [10]),
        ("?state=quarantined", [0]),
        ("?state=verified", [10, 7]),
        (f"?campaign={other}", [7]),
        (f"?contact={person}", [10]),
        ("?created_since=2026-10-01T00:00:00Z", [7, 0]),
        ("?created_until=2026-10-01T00:00:00Z", [10]),
        ("?updated_since=2026-10-06T00:00:00Z&nps_group=passive", []),
    ):
        assert [row["score"] for row in machine("GET", f"/responses{query}").get_json()["data"]] == scores, query


@pytest.mark.parametrize("query", ["?state=open", "?nps_group=fan", "?campaign=1", "?created_since=2026-10-01"])
def test_filters_that_make_no_sense_are_refused(machine: Machine, query: str) -> None:
    answer = machine("GET", f"/responses{query}")
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["pointer"] == "?" + query[1:].split("=")[0]


def test_a_rivals_response_is_not_there(machine: Machine, rival: Account, asker: Asker) -> None:
    with tenancy.account_scope(rival.id):
        theirs = Asker(rival.id).answer(0)
        db.session.commit()
    assert machine("GET", f"/responses/{theirs.id}").status_code == 404
    assert machine("GET", "/responses").get_json()["data"] == []


def test_machines_do_not_change_responses(machine: Machine) -> None:
    assert machine("POST", "/responses", {"score": 10}).status_code == 405
