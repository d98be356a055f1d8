"""Rewards by machine: each state tried with each action, and nothing but the written steps happens."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select, update

from nps.accounts.models import Account, User
from nps.core.db import db
from nps.referrals.models import ProgramVersion
from nps.rewards import queries, service
from nps.rewards.models import LedgerEntry, Reward
from tests.machine import Machine
from tests.referrals.world import Shop, click, live_program, promoter, tell

STATES = ("pending", "approved", "issuing", "issued", "redeemed", "expired", "cancelled", "clawed_back")
ALLOWED = {("pending", "approval"), ("pending", "decline"), ("approved", "decline"), ("approved", "issuance")}


@pytest.fixture
def machine(account: Account, make_machine: Callable[..., Machine]) -> Machine:
    return make_machine(account, "rewards:write")


@pytest.fixture
def reward(account: Account) -> Reward:
    live_program(account)
    shop = Shop()
    tell(shop.binding(click(promoter())), shop.sale())
    db.session.commit()
    return db.session.scalars(select(Reward)).one()


def test_only_the_written_steps_succeed_and_all_others_answer_409_and_change_nothing(machine: Machine, reward: Reward) -> None:
    bodies: dict[str, Any] = {"approval": {}, "decline": {"reason": "terms"}, "issuance": {}}
    for n, state in enumerate(STATES):
        for action, body in bodies.items():
            if (state, action) in ALLOWED:
                continue
            db.session.execute(update(Reward).values(state=state, because=""))
            db.session.commit()
            entries = db.session.scalar(select(func.count()).select_from(LedgerEntry))
            answer = machine("POST", f"/rewards/{reward.id}/{action}", body, Idempotency_Key=f"{n}-{action}")
            assert answer.status_code == 409, (state, action)
            db.session.refresh(reward)
            assert reward.state == state
            assert db.session.scalar(select(func.count()).select_from(LedgerEntry)) == entries


def test_a_reward_is_approved_held_and_handed_over(machine: Machine, reward: Reward, clock: Any) -> None:
    path = f"/rewards/{reward.id}"
    assert machine("GET", path).get_json()["gates"] == ["approval", "hold"]
    approved = machine("POST", f"{path}/approval", {}, Idempotency_Key="a").get_json()
    assert (approved["state"], approved["gates"]) == ("pending", ["hold"])
    assert machine("POST", f"{path}/issuance", {}, Idempotency_Key="b").status_code == 409
    clock.move(days=15)
    service.close_holds()
    db.session.commit()
    issued = machine("POST", f"{path}/issuance", {"reference": "invoice 7"}, Idempotency_Key="c").get_json()
    assert (issued["state"], issued["reference"], issued["amount"]) == ("issued", "invoice 7", {"amount": 5000, "currency": "USD"})
    assert machine("POST", f"{path}/issuance", {"reference": "invoice 7"}, Idempotency_Key="c").headers["Idempotency-Replayed"] == "true"
    assert queries.violations() == []


def test_a_decline_needs_a_reason_of_the_list(machine: Machine, reward: Reward) -> None:
    path = f"/rewards/{reward.id}/decline"
    assert machine("POST", path, {"reason": "because"}, Idempotency_Key="a").status_code in (400, 422)
    assert machine("POST", path, {"reason": "other"}, Idempotency_Key="b").status_code == 422
    declined = machine("POST", path, {"reason": "own_purchase"}, Idempotency_Key="c").get_json()
    assert (declined["state"], declined["because"], declined["amount"]["amount"]) == ("cancelled", "declined", 0)


def test_a_key_is_one_person_when_two_must_confirm(
    machine: Machine, reward: Reward, account: Account, make_machine: Callable[..., Machine]
) -> None:
    db.session.execute(update(ProgramVersion).values(second_person_minor=1_000))
    db.session.commit()
    path = f"/rewards/{reward.id}/approval"
    assert machine("POST", path, {}, Idempotency_Key="a").get_json()["gates"] == ["approval", "hold"]
    assert machine("POST", path, {}, Idempotency_Key="b").status_code == 409
    other = make_machine(account, "rewards:write")
    assert other("POST", path, {}, Idempotency_Key="c").get_json()["gates"] == ["hold"]


def test_a_member_is_one_person_with_all_their_keys_and_on_the_page(
    reward: Reward, account: Account, owner: User, signed_in: Any, make_machine: Callable[..., Machine]
) -> None:
    db.session.execute(update(ProgramVersion).values(second_person_minor=1_000))
    db.session.commit()
    path = f"/rewards/{reward.id}/approval"
    first, second = (make_machine(account, "rewards:write", by=owner) for _ in range(2))
    assert first("POST", path, {}, Idempotency_Key="a").get_json()["gates"] == ["approval", "hold"]
    assert second("POST", path, {}, Idempotency_Key="b").status_code == 409
    signed_in.form("/larkfield/rewards/approvals", {"ok": str(reward.id)})
    assert first("GET", f"/rewards/{reward.id}").get_json()["gates"] == ["approval", "hold"]
