"""A referral's states, derived from facts, and the table its changes must follow."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from nps.referrals.rules.programs import Qualifies


class ReferralState(StrEnum):
    CLAIMED = "claimed"
    SIGNED_UP = "signed_up"
    QUALIFIED = "qualified"
    REWARDED = "rewarded"
    CLOSED = "closed"
    EXPIRED = "expired"
    REVERSED = "reversed"
    VOIDED = "voided"


class Review(StrEnum):
    NONE = "none"
    OPEN = "open"
    CLEARED = "cleared"
    REJECTED = "rejected"
    LAPSED = "lapsed"


S = ReferralState
STEPS: dict[ReferralState | None, frozenset[ReferralState]] = {
    None: frozenset({S.CLAIMED, S.SIGNED_UP}),
    S.CLAIMED: frozenset({S.SIGNED_UP, S.EXPIRED, S.VOIDED}),
    S.SIGNED_UP: frozenset({S.QUALIFIED, S.EXPIRED, S.VOIDED}),
    S.QUALIFIED: frozenset({S.REWARDED, S.REVERSED, S.VOIDED}),
    S.REWARDED: frozenset({S.CLOSED, S.REVERSED, S.VOIDED}),
    S.REVERSED: frozenset({S.QUALIFIED, S.VOIDED}),
    S.EXPIRED: frozenset({S.VOIDED}),
    S.CLOSED: frozenset(),
    S.VOIDED: frozenset({S.CLAIMED, S.SIGNED_UP, S.QUALIFIED, S.REWARDED, S.REVERSED, S.EXPIRED}),
}
CLOSE_AFTER = timedelta(days=120)


def path(start: ReferralState | None, end: ReferralState) -> list[ReferralState] | None:
    """The shortest way from one state to another along the table, without `start`; [] when they are
    the same, None when there is none.

    One fact may move a referral several steps at once (a first payment signs up and qualifies), and
    each step is recorded. Facts that were heard late may also undo an expiry: see `derive`.
    """
    if start == end:
        return []
    ways: list[list[ReferralState]] = [[nxt] for nxt in sorted(STEPS[start])]
    seen = set(STEPS[start])
    while ways:
        way = ways.pop(0)
        if way[-1] is end:
            return way
        # A way through voided is a decision of a person, never a step towards something else.
        if way[-1] is S.VOIDED:
            continue
        for nxt in sorted(STEPS[way[-1]]):
            if nxt not in seen or nxt is end:
                seen.add(nxt)
                ways.append([*way, nxt])
    return None


@dataclass(frozen=True, slots=True)
class Paid:
    """A conversion of the friend: what it was and what of it is left after refunds and disputes."""

    id: UUID
    occurred_at: datetime
    gross: int
    left: int


@dataclass(frozen=True, slots=True)
class Journey:
    """All facts of one referral. `qualified_events` are times of the program's own qualifying event."""

    claimed_at: datetime | None
    signed_up_at: datetime | None
    paid: Sequence[Paid]
    qualifies: Qualifies = Qualifies.FIRST_PAID
    nth: int = 1
    qualify_window: timedelta | None = timedelta(days=90)
    claim_window: timedelta = timedelta(days=90)
    event_at: datetime | None = None
    voided: bool = False
    rewards_final: bool = False
    rewarded: bool = False
    recurring_over: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a referral stands, since when it counts, and which conversion qualified it."""

    state: ReferralState
    signed_up_at: datetime | None = None
    qualified_at: datetime | None = None
    qualifying: UUID | None = None


def derive(facts: Journey, now: datetime) -> Standing:
    """The standing of a referral from everything known about it, whatever order it was heard in.

    The sign-up is the earliest of the sign-up event, the binding and the first payment. A payment
    heard after an expiry that happened inside its window un-expires the referral: the fact is older
    than the expiry.
    """
    sales = sorted((p for p in facts.paid if p.gross > 0), key=lambda p: (p.occurred_at, p.id))
    times = [t for t in (facts.signed_up_at, sales[0].occurred_at if sales else None) if t is not None]
    signed = min(times) if times else None
    if signed is not None and facts.claimed_at is not None and signed - facts.claimed_at > facts.claim_window:
        return _with_void(Standing(S.EXPIRED, signed), facts)
    if signed is None:
        over = facts.claimed_at is not None and now - facts.claimed_at > facts.claim_window
        return _with_void(Standing(S.EXPIRED if over else S.CLAIMED), facts)

    qualified_at: datetime | None = None
    qualifying: Paid | None = None
    if facts.qualifies is Qualifies.SIGNUP:
        qualified_at = signed
    elif facts.qualifies is Qualifies.EVENT:
        qualified_at = facts.event_at
    else:
        nth = 1 if facts.qualifies is Qualifies.FIRST_PAID else max(1, facts.nth)
        if len(sales) >= nth:
            qualifying = sales[nth - 1]
            qualified_at = qualifying.occurred_at
    if qualified_at is not None and facts.qualify_window is not None and qualified_at - signed > facts.qualify_window:
        return _with_void(Standing(S.EXPIRED, signed), facts)
    if qualified_at is None:
        over = facts.qualify_window is not None and now - signed > facts.qualify_window
        return _with_void(Standing(S.EXPIRED if over else S.SIGNED_UP, signed), facts)
    if qualifying is not None and qualifying.left == 0:
        return _with_void(Standing(S.REVERSED, signed, qualified_at, qualifying.id), facts)
    state = S.QUALIFIED
    if facts.rewards_final and facts.rewarded:
        state = S.REWARDED
        last = sales[-1].occurred_at if sales else qualified_at
        if facts.recurring_over and now - last >= CLOSE_AFTER:
            state = S.CLOSED
    return _with_void(Standing(state, signed, qualified_at, qualifying.id if qualifying else None), facts)


def _with_void(standing: Standing, facts: Journey) -> Standing:
    if facts.voided and standing.state is not S.CLOSED:
        return Standing(S.VOIDED, standing.signed_up_at, standing.qualified_at, standing.qualifying)
    return standing


STEP_WORDS: dict[ReferralState, str] = {
    ReferralState.CLAIMED: "Took the offer",
    ReferralState.SIGNED_UP: "Signed up",
    ReferralState.QUALIFIED: "Counts as a new customer",
    ReferralState.REWARDED: "The reward is handed over",
    ReferralState.CLOSED: "Closed",
    ReferralState.EXPIRED: "Ran out of time",
    ReferralState.REVERSED: "Taken back",
    ReferralState.VOIDED: "Does not count",
}
"""What happened when a referral came into a state, for members."""

STATE_WORDS: dict[ReferralState, str] = {
    S.CLAIMED: "Invited",
    S.SIGNED_UP: "Trying it",
    S.QUALIFIED: "Checked now",
    S.REWARDED: "Thanked",
    S.CLOSED: "Thanked",
    S.EXPIRED: "Did not go on",
    S.REVERSED: "Paid back to them",
    S.VOIDED: "Does not count",
}
