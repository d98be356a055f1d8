"""`/api/v1/rewards`: decide and hand over by machine. The same steps as on the page, the same refusals."""

from typing import Any
from uuid import UUID

from flask import g
from sqlalchemy import select

from nps.accounts import queries as accounts
from nps.api.blueprint import Api, needs_idempotency_key
from nps.api.paging import page
from nps.rewards import queries, service
from nps.rewards.models import Reward
from nps.rewards.schemas import EXAMPLE, ApprovalIn, DeclineIn, IssuanceIn, RewardOut, RewardPage, RewardsQuery, reward

blueprint = Api("rewards_api", __name__, tag="Rewards")


@blueprint.get("/rewards")
@blueprint.input(RewardsQuery, location="query")
@blueprint.output(RewardPage, example={"data": [EXAMPLE], "next": None})
def list_rewards(query_data: RewardsQuery) -> Any:
    """List rewards"""
    query = select(Reward)
    if query_data.state is not None:
        query = query.where(Reward.state == query_data.state)
    if query_data.advocate_id is not None:
        query = query.where(Reward.advocate_id == query_data.advocate_id)
    rows, following = page(query, Reward.id, query_data)
    return {"data": _shown(rows), "next": following}


@blueprint.get("/rewards/<uuid:reward_id>")
@blueprint.output(RewardOut, example=EXAMPLE)
def get_reward(reward_id: UUID) -> Any:
    """Get a reward"""
    return _shown([queries.get_reward(reward_id)])[0]


@blueprint.post("/rewards/<uuid:reward_id>/approval")
@needs_idempotency_key
@blueprint.input(ApprovalIn, example={})
@blueprint.output(RewardOut, example=EXAMPLE)
def approve(reward_id: UUID, json_data: ApprovalIn) -> Any:
    """Approve a reward

    Above the program's limit a second person must confirm too; a key counts as the member who made it.
    A reward that waits for nobody answers 409.
    """
    return _shown([service.approve(reward_id, _person(), _actor())])[0]


@blueprint.post("/rewards/<uuid:reward_id>/decline")
@needs_idempotency_key
@blueprint.input(DeclineIn, example={"reason": "own_purchase"})
@blueprint.output(RewardOut, example=EXAMPLE)
def decline(reward_id: UUID, json_data: DeclineIn) -> Any:
    """Decline a reward

    The advocate reads the reason.
    """
    return _shown([service.decline(reward_id, _actor(), json_data.reason, json_data.words)])[0]


@blueprint.post("/rewards/<uuid:reward_id>/issuance")
@needs_idempotency_key
@blueprint.input(IssuanceIn, example={"reference": "invoice 1207"})
@blueprint.output(RewardOut, example=EXAMPLE)
def issue(reward_id: UUID, json_data: IssuanceIn) -> Any:
    """Say that a reward was handed over

    Only an approved one whose hold is over; an open debt of the advocate is netted first.
    """
    service.mark_paid(reward_id, _actor(), json_data.reference)
    return _shown([queries.get_reward(reward_id)])[0]


def _person() -> UUID:
    """Who confirms: the member who made the key, so that nobody confirms twice by two keys; a key of nobody's is its own person."""
    key = g.api_key
    member = accounts.find_membership(key.account_id, key.created_by_id) if key.created_by_id is not None else None
    made: UUID = key.id if member is None else member.id
    return made


def _actor() -> str:
    return f"key {g.api_key.prefix}"


def _shown(rows: list[Reward]) -> list[dict[str, Any]]:
    ids = [row.id for row in rows]
    sums, gates = queries.amounts(ids), queries.open_gates(ids)
    return [reward(row, sums[row.id], sorted(gate.gate for gate in gates[row.id])) for row in rows]
