"""A referral's state is derived from its facts and moves only along the table."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations, product
from uuid import UUID

import pytest

from nps.referrals.rules.journeys import STEPS, Journey, Paid, ReferralState, derive, path
from nps.referrals.rules.programs import Qualifies

T0 = datetime(2026, 10, 6, 9, tzinfo=UTC)
DAY = timedelta(days=1)
S = ReferralState


def paid(n: int = 1, days: float = 1, gross: int = 100, left: int = 100) -> Paid:
    return Paid(UUID(int=n), T0 + days * DAY, gross, left)


def state(facts: Journey, days: float = 2) -> ReferralState:
    return derive(facts, T0 + days * DAY).state


BASE = Journey(claimed_at=T0, signed_up_at=None, paid=())


def test_the_usual_way() -> None:
    assert state(BASE) is S.CLAIMED
    assert state(replace(BASE, signed_up_at=T0 + DAY)) is S.SIGNED_UP
    assert state(replace(BASE, paid=(paid(),))) is S.QUALIFIED
    assert state(replace(BASE, paid=(paid(),), rewards_final=True, rewarded=True)) is S.REWARDED
    assert state(replace(BASE, paid=(paid(),), rewards_final=True, rewarded=True, recurring_over=True), days=121) is S.CLOSED


def test_a_first_payment_is_also_the_sign_up() -> None:
    standing = derive(Journey(None, None, (paid(1, 3), paid(2, 1))), T0 + 5 * DAY)
    assert (standing.state, standing.signed_up_at, standing.qualifying) == (S.QUALIFIED, T0 + DAY, UUID(int=2))


def test_a_claim_nobody_follows_expires() -> None:
    assert state(BASE, days=90) is S.CLAIMED
    assert state(BASE, days=90.01) is S.EXPIRED


def test_a_sign_up_that_never_pays_expires_and_a_later_payment_pays_nothing() -> None:
    signed = replace(BASE, signed_up_at=T0)
    assert state(signed, days=91) is S.EXPIRED
    assert state(replace(signed, paid=(paid(days=91),)), days=92) is S.EXPIRED
    assert state(replace(signed, qualify_window=None), days=4000) is S.SIGNED_UP


def test_a_payment_inside_the_window_heard_after_it_counts() -> None:
    assert state(replace(BASE, signed_up_at=T0, paid=(paid(days=89),)), days=200) is S.QUALIFIED


def test_a_full_refund_reverses_and_a_won_dispute_brings_back() -> None:
    assert state(replace(BASE, paid=(paid(left=0),))) is S.REVERSED
    assert state(replace(BASE, paid=(paid(left=30),))) is S.QUALIFIED


def test_a_partial_refund_is_no_reversal() -> None:
    assert state(replace(BASE, paid=(paid(left=1),), rewards_final=True, rewarded=True)) is S.REWARDED


def test_the_other_ways_to_qualify() -> None:
    signed = replace(BASE, signed_up_at=T0)
    assert state(replace(signed, qualifies=Qualifies.SIGNUP)) is S.QUALIFIED
    assert state(replace(signed, qualifies=Qualifies.NTH_PAID, nth=2, paid=(paid(),))) is S.SIGNED_UP
    assert derive(replace(signed, qualifies=Qualifies.NTH_PAID, nth=2, paid=(paid(1, 1), paid(2, 5))), T0 + 9 * DAY).qualifying == UUID(
        int=2
    )
    assert state(replace(signed, qualifies=Qualifies.EVENT, paid=(paid(),))) is S.SIGNED_UP
    assert state(replace(signed, qualifies=Qualifies.EVENT, event_at=T0 + DAY)) is S.QUALIFIED


def test_zero_invoices_do_not_qualify() -> None:
    assert state(replace(BASE, signed_up_at=T0, paid=(paid(gross=0, left=0),))) is S.SIGNED_UP


def test_a_void_wins_over_everything_but_closed() -> None:
    assert state(replace(BASE, paid=(paid(),), voided=True)) is S.VOIDED
    closed = replace(BASE, paid=(paid(),), rewards_final=True, rewarded=True, recurring_over=True, voided=True)
    assert state(closed, days=200) is S.CLOSED


def test_the_standing_does_not_depend_on_the_order_of_sales() -> None:
    sales = (paid(1, 1), paid(2, 2, left=0), paid(3, 3), paid(4, 1))
    assert len({derive(replace(BASE, paid=order), T0 + 9 * DAY) for order in permutations(sales)}) == 1


def test_paths_follow_the_table() -> None:
    for start, end in product([None, *S], S):
        way = path(start, end)
        if way is None:
            continue
        at = start
        for nxt in way:
            assert nxt in STEPS[at]
            at = nxt
        assert at == end


@pytest.mark.parametrize(
    ("start", "end", "way"),
    [
        (None, S.QUALIFIED, [S.SIGNED_UP, S.QUALIFIED]),
        (S.CLAIMED, S.QUALIFIED, [S.SIGNED_UP, S.QUALIFIED]),
        (S.QUALIFIED, S.QUALIFIED, []),
        (S.REVERSED, S.QUALIFIED, [S.QUALIFIED]),
        (S.REWARDED, S.CLAIMED, None),
        (S.CLOSED, S.VOIDED, None),
        (S.EXPIRED, S.QUALIFIED, None),
    ],
)
def test_known_paths(start: ReferralState | None, end: ReferralState, way: list[ReferralState] | None) -> None:
    assert path(start, end) == way
