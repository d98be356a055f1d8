"""One key, one effect, one answer."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from nps.api import idempotency
from nps.api.models import IdempotencyKey
from nps.core import clock as product_clock
from nps.core import ids
from nps.core.db import db
from tests.api.test_floor import problem, stored
from tests.machine import Machine


def post(machine: Machine, key: str, body: dict[str, Any] | None = None) -> Any:
    return machine("POST", "/things", body or {"name": "One"}, Idempotency_Key=key)


def test_same_request_again_gets_the_same_answer_once(machine: Machine) -> None:
    first, second = post(machine, "k-1"), post(machine, "k-1")
    assert (first.status_code, second.status_code, stored()) == (201, 201, 1)
    assert second.get_data() == first.get_data()
    assert second.headers["Location"] == first.headers["Location"]
    assert second.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert second.content_type == first.content_type


def test_another_request_under_the_key_is_refused(machine: Machine) -> None:
    post(machine, "k-1")
    problem(post(machine, "k-1", {"name": "Two"}), 422, "idempotency_mismatch")
    problem(machine("POST", "/payments", {"name": "One"}, Idempotency_Key="k-1"), 422, "idempotency_mismatch")
    assert stored() == 1
    assert post(machine, "k-2", {"name": "Two"}).status_code == 201


def test_without_a_key_each_request_is_its_own(machine: Machine) -> None:
    assert [machine("POST", "/things", {"name": "One"}).status_code for _ in range(2)] == [201, 201]
    assert stored() == 2


def test_where_a_key_is_needed_it_is_asked_for(machine: Machine) -> None:
    problem(machine("POST", "/payments", {"name": "x"}), 400, "idempotency_key_needed")
    assert stored() == 0
    assert machine("POST", "/payments", {"name": "x"}, Idempotency_Key="p").status_code == 201


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "ключ", "a\tb"])
def test_odd_keys_are_refused(machine: Machine, key: str) -> None:
    problem(machine("POST", "/things", {"name": "x"}, Idempotency_Key=key.encode().decode("latin-1")), 400, "bad_idempotency_key")
    assert stored() == 0


def hold(machine: Machine, key: str) -> None:
    """As if a process had begun this request and not ended it."""
    post(machine, key)
    db.session.execute(update(IdempotencyKey).values(status=None, body=None).execution_options(synchronize_session=False))
    db.session.commit()


def test_while_the_first_is_at_work_a_second_waits(machine: Machine) -> None:
    hold(machine, "k-1")
    problem(post(machine, "k-1"), 409, "idempotency_in_progress")
    assert stored() == 1


def test_key_left_open_by_a_dead_process_is_taken_over(machine: Machine, clock: Any) -> None:
    hold(machine, "k-1")
    clock.move(seconds=61)
    assert post(machine, "k-1").status_code == 201
    assert stored() == 2  # the dead one's effect was made by hand above; a real one would have rolled back
    assert post(machine, "k-1").headers["Idempotency-Replayed"] == "true"


def test_refused_request_frees_its_key(with_things: Flask, machine: Machine) -> None:
    with_things.config["SHOW_ERROR_PAGES"] = True
    for name, status in (("taken", 409), ("broken", 500), ("", 422)):
        assert post(machine, "k-1", {"name": name}).status_code in (status, 422)
    assert db.session.scalar(select(func.count()).select_from(IdempotencyKey)) == 0
    assert post(machine, "k-1").status_code == 201
    assert stored() == 1


def test_request_that_was_overtaken_has_no_effect(with_things: Flask, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    finish = idempotency.finish

    def overtaken(answer: Any) -> Any:
        # another process took the key over while this one was at work
        db.session.execute(update(IdempotencyKey).values(token=ids.new_id()).execution_options(synchronize_session=False))
        return finish(answer)

    monkeypatch.setattr(idempotency, "finish", overtaken)
    problem(post(machine, "k-1"), 409, "idempotency_in_progress")
    assert stored() == 0


def test_keys_are_forgotten_after_seven_days(machine: Machine) -> None:
    post(machine, "k-1")
    now = product_clock.now()
    assert idempotency.prune(now + timedelta(days=6)) == 0
    assert idempotency.prune(now + timedelta(days=8)) == 1
