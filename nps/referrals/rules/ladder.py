"""Attribution: which touch is believed. The first rung with an eligible touch wins.

The choice is a pure function of all touches of one friend, so running it again over the same
evidence gives the same answer, and evidence that arrives late gives the answer it would have given
in time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from uuid import UUID

from nps.referrals.rules.programs import Model

LADDER_VERSION = 1


class Rung(IntEnum):
    """Methods of attribution, strongest evidence first."""

    MANUAL = 1
    PROMOTION_CODE = 2
    CLIENT_REFERENCE = 3
    SERVER_CLICK = 4
    METADATA_CODE = 5
    CLAIM = 6
    COOKIE_CLICK = 7
    TOLD_BY = 8

    @property
    def method(self) -> str:
        return self.name.lower()


METHOD_WORDS: Mapping[str, str] = {
    "manual": "Set by a member",
    "promotion_code": "Promotion code on the paid invoice",
    "client_reference": "Click id on the Stripe checkout",
    "server_click": "Click id sent by your server",
    "metadata_code": "Code or click id on a Stripe object",
    "claim": "Claimed on the friend’s page",
    "cookie_click": "Click remembered by the browser",
    "told_by": "The friend named the person",
}


def rung(method: str) -> Rung:
    """The rung of a method name. Raises KeyError for an unknown one."""
    return Rung[method.upper()]


# Evidence that sits on a payment object is made at the till, so it may be a little younger than the sign-up.
AT_THE_TILL = frozenset({Rung.PROMOTION_CODE, Rung.METADATA_CODE})
TILL_GRACE = timedelta(hours=24)
# Providers tell whole seconds, and the clocks of two systems never quite agree.
SKEW = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class TouchFact:
    """One touch as the ladder sees it.

    `blocked` is a rule that refuses credit outright (same address, staff, ...). `look_back` is how far
    before the touch an earlier purchase or sign-up makes the friend no longer new; None = ever.
    """

    id: UUID
    advocate_id: UUID
    program_id: UUID
    method: str
    occurred_at: datetime
    advocate_credits: bool = True
    program_live: bool = True
    bot: bool = False
    blocked: str = ""
    model: Model = Model.LAST
    window: timedelta = timedelta(days=90)
    look_back: timedelta | None = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Choice:
    """The winner with its rung, the eligible touches that lost, and why the others do not count."""

    winner: TouchFact | None
    rung: Rung | None = None
    losers: tuple[UUID, ...] = ()
    ineligible: Mapping[UUID, str] = field(default_factory=dict)


def signed_up_for(touch: TouchFact, sign_ups: Iterable[datetime]) -> datetime | None:
    """The sign-up a touch is measured against: the earliest one that is not older than the look-back.

    A customer of years ago who comes back through a friend is new again; one who signed up last week
    without a link is not. None = no sign-up yet.
    """
    return min((t for t in sign_ups if touch.look_back is None or t >= touch.occurred_at - touch.look_back), default=None)


def ineligible(touch: TouchFact, sign_ups: Sequence[datetime], paid: Sequence[datetime]) -> str:
    """Why a touch cannot be credited, or "".

    `sign_ups` are all sign-ups, bindings and payments of the friend, `paid` the payments alone. A touch
    must lie before the sign-up (give or take 5 s of two clocks) and inside the window; evidence made at the till may lie as late as the
    first payment, or 24 h after the sign-up; a member's own decision has no time limit.
    """
    if touch.bot:
        return "machine"
    if touch.blocked:
        return touch.blocked
    if not touch.advocate_credits:
        return "advocate"
    if not touch.program_live:
        return "program"
    step = rung(touch.method)
    if step is Rung.MANUAL:
        return ""
    if any(t < touch.occurred_at - SKEW and (touch.look_back is None or t >= touch.occurred_at - touch.look_back) for t in paid):
        return "existing_customer"
    signed_up = signed_up_for(touch, sign_ups)
    if signed_up is None:
        return ""
    latest = signed_up
    if step in AT_THE_TILL:
        first_paid = min((t for t in paid if t >= signed_up), default=signed_up)
        latest = max(signed_up + TILL_GRACE, first_paid)
    if touch.occurred_at > latest + SKEW:
        return "too_late"
    if signed_up - touch.occurred_at > touch.window:
        return "window"
    return ""


def choose(touches: Iterable[TouchFact], sign_ups: Sequence[datetime] = (), paid: Sequence[datetime] = ()) -> Choice:
    """Pick the touch that is credited.

    Inside a rung the program's model picks the first or last touch; where programs with different
    models meet on one rung, that of the latest touch decides. Ties fall to the smaller id.
    """
    refused: dict[UUID, str] = {}
    open_: list[TouchFact] = []
    for touch in touches:
        why = ineligible(touch, sign_ups, paid)
        if why:
            refused[touch.id] = why
        else:
            open_.append(touch)
    if not open_:
        return Choice(None, None, (), refused)
    best = min(rung(t.method) for t in open_)
    same = [t for t in open_ if rung(t.method) is best]
    latest = max(same, key=lambda t: (t.occurred_at, -t.id.int))
    winner = min(same, key=lambda t: (t.occurred_at, t.id)) if latest.model is Model.FIRST else latest
    losers = tuple(t.id for t in sorted(open_, key=lambda t: (rung(t.method), t.occurred_at, t.id)) if t.id != winner.id)
    return Choice(winner, best, losers, refused)
