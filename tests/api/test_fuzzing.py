"""Strange requests made from the description itself: never a fault of ours, never a status that is not described.

A small budget with a fixed seed; the same cases each time, so that a failure can be followed.
"""

from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings

from nps.accounts.models import Account
from nps.accounts.rules import KEY_RESOURCES
from nps.api import limits
from nps.campaigns import service as campaigns
from nps.contacts import service as contacts
from nps.core.db import db
from tests.machine import Machine

EXAMPLES = 10


@pytest.fixture
def machine(app: Flask, account: Account, make_machine: Callable[..., Machine]) -> Machine:
    """A key that may do everything, and something to find: one contact, one running campaign."""
    app.config["SHOW_ERROR_PAGES"] = True
    contact, _ = contacts.upsert({"email": "dana@brightoak.example", "external_id": "4471"})
    campaign = campaigns.create("After onboarding", kind="event")
    campaigns.launch(campaign.id)
    db.session.commit()
    app.extensions["api_limiter"] = limits.Limiter("memory://", per_minute=10_000_000)
    made = make_machine(account, *(f"{resource}:write" for resource in KEY_RESOURCES))
    made.real = {"campaign_id": campaign.id, "contact_id": contact.id}
    return made


def operations(machine: Machine) -> list[Any]:
    spec = machine.client.get("/api/v1/openapi.json").get_json()
    schema = schemathesis.openapi.from_dict(spec)
    return [result.ok() for result in schema.get_all_operations()]


@pytest.mark.slow
def test_no_strange_request_finds_a_fault_or_an_undescribed_answer(machine: Machine) -> None:
    tried = 0
    for operation in operations(machine):

        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def strange(case: Any) -> None:
            nonlocal tried
            tried += 1
            described = set(case.operation.definition.raw["responses"])
            if tried % 2:  # every other request is about something that is there
                case.path_parameters.update({name: str(place) for name, place in machine.real.items() if name in case.path_parameters})
            arguments = case.as_transport_kwargs(base_url="http://localhost")
            headers = {**(arguments.get("headers") or {}), **machine.headers}
            given_body: dict[str, Any] = {}
            if "json" in arguments:
                given_body["json"] = arguments["json"]
            elif arguments.get("data") is not None:
                given_body["data"] = arguments["data"]
            path = arguments["url"].removeprefix("http://localhost")
            answer = machine.client.open(
                path, method=arguments["method"], query_string=arguments.get("params"), headers=headers, **given_body
            )
            text = f"{arguments['method']} {path} → {answer.status_code}: {answer.get_data(as_text=True)[:300]}"
            assert answer.status_code < 500, text
            assert str(answer.status_code) in described, text
            if answer.status_code >= 400:
                assert answer.content_type == "application/problem+json", text
            elif answer.status_code != 304:
                assert answer.is_json, text

        strange()
    assert tried >= 10 * EXAMPLES
