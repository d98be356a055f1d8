"""The reward's machine: states, gates, and the only ways from one state to another."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class RewardState(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    ISSUING = "issuing"
    ISSUED = "issued"
    REDEEMED = "redeemed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    CLAWED_BACK = "clawed_back"


class Gate(StrEnum):
    HOLD = "hold"
    APPROVAL = "approval"
    FRAUD = "fraud"
    UNVERIFIED = "unverified"
    MISSING_ACCOUNT = "missing_account"
    CURRENCY = "currency"
    TAX = "tax"
    PROVIDER_ERROR = "provider_error"


class Verb(StrEnum):
    """What can happen to a reward. `approve` closes the gates approval and fraud together."""

    ACCRUE = "accrue"
    APPROVE = "approve"
    OPEN = "open"
    SEND = "send"
    SETTLE = "settle"
    RETURN = "return"
    REDEEM = "redeem"
    EXPIRE = "expire"
    CANCEL = "cancel"
    DECLINE = "decline"
    CLAW_BACK = "claw_back"
    RAISE = "raise"


VERB_WORDS: dict[Verb, str] = {
    Verb.ACCRUE: "Earned",
    Verb.APPROVE: "Approved",
    Verb.OPEN: "A check was passed",
    Verb.SEND: "Sent",
    Verb.SETTLE: "Handed over",
    Verb.RETURN: "Came back",
    Verb.REDEEM: "Used",
    Verb.EXPIRE: "Ran out",
    Verb.CANCEL: "Cancelled",
    Verb.DECLINE: "Declined",
    Verb.CLAW_BACK: "Taken back",
    Verb.RAISE: "Raised",
}


class Method(StrEnum):
    MANUAL = "manual"
    STRIPE_CREDIT = "stripe_credit"
    THANKS = "thanks"


R = RewardState
# OPEN = the last gate closed. APPROVE keeps a reward pending while other gates (the hold) are open.
STEPS: Mapping[tuple[RewardState, Verb], RewardState] = {
    (R.PENDING, Verb.APPROVE): R.PENDING,
    (R.PENDING, Verb.OPEN): R.APPROVED,
    (R.PENDING, Verb.DECLINE): R.CANCELLED,
    (R.PENDING, Verb.CANCEL): R.CANCELLED,
    (R.APPROVED, Verb.SEND): R.ISSUING,
    (R.APPROVED, Verb.DECLINE): R.CANCELLED,
    (R.APPROVED, Verb.CANCEL): R.CANCELLED,
    (R.ISSUING, Verb.SETTLE): R.ISSUED,
    (R.ISSUING, Verb.RETURN): R.PENDING,
    (R.ISSUED, Verb.REDEEM): R.REDEEMED,
    (R.ISSUED, Verb.EXPIRE): R.EXPIRED,
    (R.ISSUED, Verb.CLAW_BACK): R.CLAWED_BACK,
    (R.REDEEMED, Verb.CLAW_BACK): R.CLAWED_BACK,
    (R.CANCELLED, Verb.RAISE): R.PENDING,
    (R.CLAWED_BACK, Verb.RAISE): R.PENDING,
    # A part was taken back and is owed again (a dispute won, a refund that failed): the difference is issued.
    (R.ISSUED, Verb.RAISE): R.PENDING,
    (R.REDEEMED, Verb.RAISE): R.PENDING,
}

FINAL = frozenset({R.ISSUED, R.REDEEMED, R.EXPIRED, R.CANCELLED, R.CLAWED_BACK})
REVIEW_GATES = frozenset({Gate.APPROVAL, Gate.FRAUD})

DECLINE_REASONS: Mapping[str, str] = {
    "existing_customer": "They were a customer already",
    "own_purchase": "This was your own purchase",
    "not_real": "This is not a real customer",
    "terms": "This does not meet the referral terms",
    "other": "Another reason",
}


def step(state: RewardState, verb: Verb) -> RewardState | None:
    """The state after `verb`, or None where the table has no such step."""
    return STEPS.get((state, verb))


def ready(open_gates: Collection[Gate]) -> bool:
    """Whether nothing holds a pending reward any longer."""
    return not open_gates


def clean(open_gates: Collection[Gate]) -> bool:
    """Whether "Approve the n without flags" covers a reward: it waits for a person and for no check."""
    return Gate.APPROVAL in open_gates and Gate.FRAUD not in open_gates


@dataclass(frozen=True, slots=True)
class Approval:
    """What a program's version says about looking at rewards."""

    review_all: bool = True
    automatic_up_to: int = 10_000
    hold: timedelta = timedelta(days=14)


def first_gates(approval: Approval, amount: int, flagged: bool, no_currency: bool, occurred_at: datetime, now: datetime) -> frozenset[Gate]:
    """The gates a new reward starts with. The hold counts from the event, not from when we heard of it."""
    gates = set()
    if occurred_at + approval.hold > now:
        gates.add(Gate.HOLD)
    if approval.review_all or amount > approval.automatic_up_to or flagged:
        gates.add(Gate.APPROVAL)
    if flagged:
        gates.add(Gate.FRAUD)
    if no_currency:
        gates.add(Gate.CURRENCY)
    return frozenset(gates)


def answer_by(occurred_at: datetime, hold: timedelta) -> datetime:
    """When the advocate has an answer at the latest: the event plus the hold, at least 14 days."""
    return occurred_at + max(hold, timedelta(days=14))


def unanswered(open_gates: Collection[Gate], points: int) -> Verb | None:
    """What happens at the answer-by date when nobody decided: clean and mildly flagged rewards are
    approved, those with 70 points or more declined. None = nothing was waiting for a person."""
    if not REVIEW_GATES & set(open_gates):
        return None
    return Verb.DECLINE if points >= 70 else Verb.APPROVE


class Tab(StrEnum):
    WAIT = "wait"
    NEXT = "next"
    PAID = "paid"
    NO = "no"
