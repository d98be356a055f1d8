"""Rewards as the API takes and gives them."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from nps.api.shapes import Amount, Instant, Paged, PageQuery, Shape, Text, rfc3339
from nps.rewards.models import Reward


class RewardOut(Shape):
    """What one advocate gets for one friend. `gates` are what still holds it."""

    reward_id: UUID
    advocate_id: UUID
    referral_id: UUID
    state: str
    because: str
    label: str
    amount: Amount
    gates: list[str]
    reference: str
    occurred_at: Instant
    answer_by: Instant
    issued_at: Instant | None


class RewardPage(Paged[RewardOut]):
    """A page of rewards."""


class RewardsQuery(PageQuery):
    """Filters of the list."""

    state: Annotated[Text | None, Field(max_length=12)] = None
    advocate_id: UUID | None = None


class ApprovalIn(Shape):
    """Nothing to add."""


class DeclineIn(Shape):
    """Why nothing is paid. The advocate reads it."""

    reason: Literal["existing_customer", "own_purchase", "not_real", "terms", "other"]
    words: Annotated[Text, Field(max_length=300, description="needed for other")] = ""


class IssuanceIn(Shape):
    """You have handed the reward over."""

    reference: Annotated[Text, Field(max_length=120)] = ""


EXAMPLE: dict[str, Any] = {
    "reward_id": "019a3b5e-7c00-7000-8000-00000000000c",
    "advocate_id": "019a3b5e-7c00-7000-8000-00000000000a",
    "referral_id": "019a3b5e-7c00-7000-8000-000000000007",
    "state": "pending",
    "because": "",
    "label": "",
    "amount": {"amount": 5000, "currency": "USD"},
    "gates": ["approval", "hold"],
    "reference": "",
    "occurred_at": "2026-10-06T15:58:00Z",
    "answer_by": "2026-10-20T15:58:00Z",
    "issued_at": None,
}


def reward(row: Reward, amount: int, gates: list[str]) -> dict[str, Any]:
    return {
        "reward_id": str(row.id),
        "advocate_id": str(row.advocate_id),
        "referral_id": str(row.referral_id),
        "state": row.state,
        "because": row.because,
        "label": row.label,
        "amount": {"amount": amount, "currency": row.currency},
        "gates": gates,
        "reference": row.reference,
        "occurred_at": rfc3339(row.occurred_at),
        "answer_by": rfc3339(row.answer_by),
        "issued_at": rfc3339(row.issued_at) if row.issued_at else None,
    }
