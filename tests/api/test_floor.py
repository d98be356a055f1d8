"""What holds under /api whatever the operation: who gets in, what is refused and how, pages, limits."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

from nps.accounts.models import Account, ApiKey, AuditEntry
from nps.api import limits
from nps.core import clock as product_clock
from nps.core import tenancy
from nps.core.db import db
from tests.conftest import Browser
from tests.machine import Machine


def problem(answer: Any, status: int, code: str | None = None) -> dict[str, Any]:
    """The refusal, which must be complete."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.content_type == "application/problem+json"
    body: dict[str, Any] = answer.get_json()
    assert set(body) >= {"type", "title", "status", "code", "detail", "instance"}
    assert (body["status"], body["type"]) == (status, f"http://localhost/api/docs#{body['code']}")
    assert UUID(body["instance"].removeprefix("urn:uuid:"))
    if code is not None:
        assert body["code"] == code
    return body


def stored() -> int:
    """Things, not the entries about keys."""
    return db.session.scalar(select(func.count()).select_from(AuditEntry).where(AuditEntry.actor == "tests")) or 0


# Who gets in


def test_bearer_and_basic_both_open_the_door(machine: Machine) -> None:
    assert machine("GET", "/things").status_code == 200
    secret = machine.headers["Authorization"].removeprefix("Bearer ")
    machine.headers = {"Authorization": "Basic " + base64.b64encode(f"{secret}:".encode()).decode()}
    assert machine("GET", "/things").status_code == 200


@pytest.mark.parametrize(
    "given", [{}, {"Authorization": "Bearer wb_live_nonsense"}, {"Authorization": "Bearer"}, {"Authorization": "Digest x"}]
)
def test_without_a_living_key_nobody_gets_in(machine: Machine, given: dict[str, str]) -> None:
    machine.headers = given
    answer = machine("GET", "/things")
    problem(answer, 401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_revoked_and_ended_keys_are_refused(machine: Machine, account: Account) -> None:
    key = db.session.scalars(select(ApiKey)).one()
    key.expires_at = product_clock.now() - timedelta(seconds=1)
    problem(machine("GET", "/things"), 401)
    key.expires_at, key.revoked_at = None, product_clock.now()
    problem(machine("GET", "/things"), 401)


def test_key_of_a_closed_account_is_refused(machine: Machine, account: Account) -> None:
    account.state = "closed"
    problem(machine("GET", "/things"), 401)


def test_last_use_of_a_key_is_kept_to_the_minute(machine: Machine, clock: Any) -> None:
    key = db.session.scalars(select(ApiKey)).one()
    machine("GET", "/things")
    first = key.last_used_at
    assert first is not None
    assert (first.second, product_clock.now() - first < timedelta(minutes=1)) == (0, True)
    machine("GET", "/things")
    assert key.last_used_at == first
    clock.move(minutes=5)
    machine("POST", "/things", {"name": "x"})
    assert key.last_used_at is not None
    assert key.last_used_at > first


def test_key_of_certain_addresses_works_from_there_only(machine: Machine) -> None:
    key = db.session.scalars(select(ApiKey)).one()
    key.networks = ["192.0.2.0/28"]
    problem(machine("GET", "/things"), 403, "address_refused")
    key.networks = ["192.0.2.0/28", "127.0.0.0/8"]
    assert machine("GET", "/things").status_code == 200


@pytest.mark.parametrize("name", ["api_key", "key", "token"])
def test_key_in_the_address_is_refused_even_when_it_is_right(machine: Machine, name: str) -> None:
    secret = machine.headers["Authorization"].removeprefix("Bearer ")
    body = problem(machine("GET", f"/things?{name}={secret}"), 400, "key_in_query")
    assert secret not in json.dumps(body)


def test_key_does_what_its_scopes_say(with_things: Flask, account: Account, make_machine: Callable[..., Machine]) -> None:
    reader = make_machine(account, "contacts:read")
    assert reader("GET", "/things").status_code == 200
    problem(reader("POST", "/things", {"name": "x"}), 403, "scope_missing")
    assert stored() == 0
    other = make_machine(account, "responses:write")
    problem(other("GET", "/things"), 403, "scope_missing")


def test_key_sees_its_own_account_only(
    with_things: Flask, machine: Machine, account: Account, rival: Account, make_machine: Callable[..., Machine]
) -> None:
    assert machine("POST", "/things", {"name": "ours"}).status_code == 201
    assert make_machine(rival, "contacts:read")("GET", "/things").get_json()["data"] == []


# What is refused, and how


def test_everything_under_api_answers_in_problems(client: Browser, app: Flask) -> None:
    problem(client.get("/api/v1/nowhere"), 404)
    problem(client.get("/api/v2"), 404)
    answer = client.post("/api/v1/openapi.json")
    problem(answer, 405)
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"name": "x", "nmae": 1}, "/nmae", "extra_forbidden"),
        ({"name": "x", "price": {"amount": 1, "currency": "USD", "tax": 2}}, "/price/tax", "extra_forbidden"),
    ],
)
def test_unknown_fields_are_refused_by_name(machine: Machine, body: dict[str, Any], pointer: str, code: str) -> None:
    made = problem(machine("POST", "/things", body), 400, "unknown_field")
    assert [(item["pointer"], item["code"]) for item in made["errors"]] == [(pointer, code)]
    assert pointer.rsplit("/", 1)[1] in made["detail"]
    assert stored() == 0


def test_unknown_query_names_are_refused_by_name(machine: Machine) -> None:
    made = problem(machine("GET", "/things?page=2"), 400, "unknown_parameter")
    assert made["errors"] == [{"pointer": "?page", "code": "extra_forbidden", "detail": "There is no such field."}]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/name"),
        ({"name": 7}, "/name"),
        ({"name": None}, "/name"),
        ({"name": ""}, "/name"),
        ({"name": "x", "score": True}, "/score"),
        ({"name": "x", "score": "9"}, "/score"),
        ({"name": "x", "score": 9.5}, "/score"),
        ({"name": "x", "score": 11}, "/score"),
        ({"name": "x", "score": -1}, "/score"),
        ({"name": "x", "loud": 1}, "/loud"),
        ({"name": "x", "price": {"amount": True, "currency": "USD"}}, "/price/amount"),
        ({"name": "x", "price": {"amount": 1, "currency": "usd"}}, "/price/currency"),
        ({"name": "x", "price": {"amount": 1, "currency": "XXX"}}, "/price/currency"),
        ({"name": "x", "price": [1]}, "/price"),
        ({"name": "x", "at": "2026-10-06"}, "/at"),
        ({"name": "x", "at": "2026-10-06T10:00:00"}, "/at"),
        ({"name": "x", "at": "0001-01-01T00:00:00+14:00"}, "/at"),
        ({"name": "x", "at": 1790000000}, "/at"),
        ({"name": "x", "on": "2026-02-30"}, "/on"),
        ({"name": "x", "tags": "a"}, "/tags"),
        ({"name": "x", "tags": ["a", 2]}, "/tags/1"),
        ([], ""),
        ("text", ""),
        (7, ""),
    ],
)
def test_wrong_values_are_named_by_a_pointer(machine: Machine, body: Any, pointer: str) -> None:
    made = problem(machine("POST", "/things", body), 422, "invalid")
    assert [item["pointer"] for item in made["errors"]] == [pointer]
    assert stored() == 0


def test_nine_point_nought_is_nine(machine: Machine) -> None:
    answer = machine.raw("POST", "/things", b'{"name": "x", "score": 9.0}')
    assert (answer.status_code, answer.get_json()["score"]) == (201, 9)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"name": NaN}',
        b'{"name": "x", "count": Infinity}',
        b'{"name": "a", "name": "b"}',
        b'{"name": "\\u0000"}',
        b'{"name": "\\ud800"}',
        b'{"\\u0000": 1}',
        b'{"name": "\xff"}',
        b"[" * 21 + b"]" * 21,
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"name": "x", "count": 1' + b"0" * 5000 + b"}",
    ],
)
def test_what_is_no_json_of_ours_is_refused_without_a_fault(machine: Machine, body: bytes) -> None:
    problem(machine.raw("POST", "/things", body), 400)
    assert stored() == 0


def test_brackets_inside_text_are_no_depth(machine: Machine) -> None:
    assert machine.raw("POST", "/things", json.dumps({"name": '[[[[[[[[[[[[[[[[[[[[[["\\{{{{{{'}).encode()).status_code == 201


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "application/json-patch+json"])
def test_only_json_is_taken(machine: Machine, kind: str | None) -> None:
    problem(machine.raw("POST", "/things", b'{"name": "x"}', kind), 415)


def test_a_body_has_at_most_a_million_bytes(machine: Machine) -> None:
    problem(machine.raw("POST", "/things", b'{"name": "' + b"x" * 1_000_000 + b'"}'), 413)


@pytest.mark.parametrize("path", ["/things?name=%00", "/things?%00=1", "/things?name=%ED%A0%80%00"])
def test_characters_no_database_keeps_are_refused_in_the_address(machine: Machine, path: str) -> None:
    problem(machine("GET", path), 400)
    problem(machine("GET", "/things/%00"), 404)


def test_faults_of_ours_say_where_to_look_and_tell_nothing(with_things: Flask, machine: Machine) -> None:
    with_things.config["SHOW_ERROR_PAGES"] = True
    made = problem(machine("POST", "/things", {"name": "broken"}), 500)
    assert "RuntimeError" not in json.dumps(made)
    assert "fault of the server" not in json.dumps(made)
    assert stored() == 0


def test_what_a_service_refuses_becomes_a_problem_and_nothing_is_kept(machine: Machine) -> None:
    assert problem(machine("POST", "/things", {"name": "taken"}), 409, "conflict")["detail"] == "This thing is taken. Nothing was stored."
    assert stored() == 0


# Pages


def test_pages_follow_each_other_without_repeats_while_rows_are_added(machine: Machine) -> None:
    for number in range(5):
        machine("POST", "/things", {"name": f"n{number}"})
    seen: list[str] = []
    path: str | None = "/things?limit=2"
    while path is not None:
        answer = machine("GET", path)
        body = answer.get_json()
        seen += [row["name"] for row in body["data"]]
        if len(seen) == 2:
            machine("POST", "/things", {"name": "late"})
            assert answer.headers["Link"] == f'<{body["next"]}>; rel="next"'
        path = body["next"].removeprefix("http://localhost/api/v1") if body["next"] else None
    assert seen == ["n0", "n1", "n2", "n3", "n4", "late"]


def test_cursor_fits_its_own_list_and_account_only(machine: Machine, rival: Account, make_machine: Callable[..., Machine]) -> None:
    for number in range(3):
        machine("POST", "/things", {"name": f"n{number}"})
    cursor = machine("GET", "/things?limit=1").get_json()["next"].split("after=")[1]
    assert machine("GET", f"/things?limit=1&after={cursor}").status_code == 200
    problem(machine("GET", f"/things?after={cursor}&name=n1"), 400, "bad_cursor")
    problem(machine("GET", f"/things?after={cursor[:-1]}"), 400, "bad_cursor")
    problem(machine("GET", "/things?after=%F0%9F%99%82.x"), 400, "bad_cursor")
    problem(make_machine(rival, "contacts:read")("GET", f"/things?after={cursor}"), 400, "bad_cursor")


@pytest.mark.parametrize("limit", ["0", "201", "-1", "many", "1.5", ""])
def test_odd_page_sizes_are_refused(machine: Machine, limit: str) -> None:
    assert problem(machine("GET", f"/things?limit={limit}"), 422)["errors"][0]["pointer"] == "?limit"


# Limits


def test_a_key_that_asks_too_often_waits_and_others_do_not(
    with_things: Flask, machine: Machine, rival: Account, make_machine: Callable[..., Machine]
) -> None:
    with_things.extensions["api_limiter"] = limits.Limiter("memory://", per_minute=30)
    answers = [machine("GET", "/things") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert {answer.headers["RateLimit-Limit"] for answer in answers} == {"3"}
    problem(answers[-1], 429, "too_many")
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 6
    assert make_machine(rival, "contacts:read")("GET", "/things").status_code == 200


def test_ten_requests_at_a_time(with_things: Flask, machine: Machine) -> None:
    limiter = with_things.extensions["api_limiter"]
    key = str(db.session.scalars(select(ApiKey)).one().id)
    limiter.running[key] = 10
    problem(machine("GET", "/things"), 429)
    limiter.running[key] = 9
    assert machine("GET", "/things").status_code == 200
    assert limiter.running[key] == 9


def test_every_answer_to_a_key_tells_its_allowance(machine: Machine) -> None:
    for answer in (machine("GET", "/things"), machine("POST", "/things", {}), machine.raw("POST", "/things", b"{")):
        assert {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "X-Request-Id"} <= set(answer.headers.keys())
    assert machine("GET", "/things").headers["Cache-Control"] == "private, no-store"


def test_no_scope_is_left_behind(machine: Machine) -> None:
    scope = tenancy.current_or_none()
    machine("GET", "/things")
    assert tenancy.current_or_none() == scope
