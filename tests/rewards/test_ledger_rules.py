"""Ledger lines: every posting balances, and every order of events ends in the same sums."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nps.rewards.rules.ledger import (
    OWED,
    PAID,
    Account,
    Line,
    apply,
    charge,
    cost,
    difference,
    holder,
    net_debt,
    per_source,
    problems,
    recover,
    settle,
    shift,
    total,
)
from nps.rewards.rules.machine import RewardState

A = Account


def test_a_reward_from_promise_to_payment() -> None:
    book: dict[tuple[Account, str], int] = {}
    accrue = charge("advocate", A.OWED_PENDING, {"sale": 2_000})
    assert accrue == [Line(A.COST_ADVOCATE, "sale", 2_000), Line(A.OWED_PENDING, "sale", -2_000)]
    book = apply(book, accrue)
    for here, there in ((A.OWED_PENDING, A.OWED_APPROVED), (A.OWED_APPROVED, A.OWED_IN_FLIGHT), (A.OWED_IN_FLIGHT, A.PAID_MANUAL)):
        moved = shift(book, here, there)
        assert problems(moved) == ""
        book = apply(book, moved)
    assert book == {(A.COST_ADVOCATE, "sale"): 2_000, (A.PAID_MANUAL, "sale"): -2_000}


def test_a_refund_before_or_after_the_approval_ends_in_the_same_sums() -> None:
    """Steps: s = accrue the sale, r = post the refund, a = approve what is pending."""
    results = set()
    for order in permutations("sra"):
        book: dict[tuple[Account, str], int] = {}
        wanted: dict[str, int] = {}
        account = A.OWED_PENDING
        for stepname in order:
            if stepname == "a":
                book = apply(book, shift(book, A.OWED_PENDING, A.OWED_APPROVED))
                account = A.OWED_APPROVED
            else:
                wanted |= {"sale": 2_000} if stepname == "s" else {"refund": -600}
                book = apply(book, charge("advocate", account, difference(wanted, book, "advocate")))
        results.add(tuple(sorted(book.items())))
    assert len(results) == 1


def test_posting_the_same_target_again_posts_nothing() -> None:
    book = apply({}, charge("advocate", A.OWED_PENDING, {"sale": 2_000, "refund": -600}))
    assert difference({"sale": 2_000, "refund": -600}, book, "advocate") == {}
    assert difference({"sale": 2_000}, book, "advocate") == {"refund": 600}
    assert difference({}, book, "advocate") == {"refund": 600, "sale": -2_000}


PAID_20 = {(A.COST_ADVOCATE, "s1"): 2_000, (A.PAID_MANUAL, "s1"): -2_000}


def test_what_cannot_be_taken_back_becomes_debt_and_is_netted_from_the_next() -> None:
    taken = settle("advocate", {"refund": -600}, PAID_20, A.OWED_PENDING)
    assert set(taken) == {Line(A.COST_ADVOCATE, "refund", -600), Line(A.DEBT_ADVOCATE, "refund", 600)}
    book = apply(PAID_20, taken)
    book = apply(book, [*charge("advocate", A.OWED_APPROVED, {"s2": 2_000})])
    book = apply(book, net_debt(book, total(book, [A.DEBT_ADVOCATE])))
    assert total(book, [A.DEBT_ADVOCATE]) == 0
    assert total(book, [A.OWED_APPROVED]) == -1_400


def test_a_dispute_won_pays_the_debt_it_made_before_anything_is_owed_again() -> None:
    book = apply(PAID_20, settle("advocate", {"dispute": -2_000}, PAID_20, A.OWED_PENDING))
    assert total(book, [A.DEBT_ADVOCATE]) == 2_000
    book = apply(book, settle("advocate", {"dispute": 2_000}, book, A.OWED_PENDING))
    assert book == PAID_20


def test_a_part_owed_again_and_then_refunded_takes_the_owed_part_first() -> None:
    book = {(A.COST_ADVOCATE, "s1"): 1_400, (A.PAID_MANUAL, "s1"): -1_400}
    book = apply(book, settle("advocate", {"refund": 600}, book, A.OWED_PENDING))
    assert total(book, OWED) == -600
    book = apply(book, settle("advocate", {"dispute": -1_000}, book, A.OWED_PENDING))
    assert (total(book, OWED), total(book, [A.DEBT_ADVOCATE])) == (0, 400)


def test_unspent_credit_pays_the_debt_back() -> None:
    book = {(A.COST_ADVOCATE, "s"): 0, (A.PAID_STRIPE_CREDIT, "s"): -2_000, (A.DEBT_ADVOCATE, "d"): 1_400, (A.DEBT_ADVOCATE, "r"): 600}
    back = recover(A.PAID_STRIPE_CREDIT, book, 1_500)
    assert sum(line.amount for line in back if line.account is A.PAID_STRIPE_CREDIT) == 1_500
    assert total(apply(book, back), [A.DEBT_ADVOCATE]) == 500


STEPS = st.lists(st.tuples(st.sampled_from(["s", "r", "d"]), st.integers(0, 3_000)), min_size=1, max_size=6)


@given(STEPS, st.integers(0, 5), st.integers(0, 3_000))
def test_due_is_always_paid_plus_owed_minus_debt_and_nothing_is_on_the_wrong_side(
    steps: list[tuple[str, int]], pay_at: int, earlier_debt: int
) -> None:
    """Each step sets one source's target; at one moment what is owed is handed over, an earlier debt netted first."""
    book: dict[tuple[Account, str], int] = {}
    wanted: dict[str, int] = {}
    handed = 0
    for n, (source, amount) in enumerate(steps):
        wanted[source] = amount
        book = apply(book, settle("advocate", difference(wanted, book, "advocate"), book, A.OWED_PENDING))
        if n == pay_at:
            book = apply(book, shift(book, A.OWED_PENDING, A.OWED_APPROVED))
            netting = net_debt(book, earlier_debt)
            book = apply(book, netting)
            book = apply(book, shift(book, A.OWED_APPROVED, A.PAID_MANUAL))
            handed = -total(book, PAID)
        due, owed, debt = total(book, [A.COST_ADVOCATE]), -total(book, OWED), total(book, [A.DEBT_ADVOCATE])
        assert due == sum(wanted.values())
        assert due == handed + owed - debt
        assert owed >= 0
        assert owed == 0 or debt <= 0
        assert sum(book.values()) == 0


def test_debt_takes_no_more_than_is_approved() -> None:
    book = apply({}, charge("advocate", A.OWED_APPROVED, {"s": 300}))
    assert sum(line.amount for line in net_debt(book, 1_000) if line.account is A.DEBT_ADVOCATE) == -300


@pytest.mark.parametrize(
    ("state", "account"),
    [("pending", "owed.pending"), ("approved", "owed.approved"), ("issuing", "owed.in_flight"), ("issued", None), ("cancelled", None)],
)
def test_each_open_state_has_one_account_that_holds_the_amount(state: str, account: str | None) -> None:
    assert holder(RewardState(state)) == account


AMOUNTS = st.dictionaries(st.sampled_from(["s", "r", "d", "n"]), st.integers(-5_000, 5_000), max_size=4)


@given(AMOUNTS, st.sampled_from(["advocate", "friend"]), AMOUNTS, st.integers(0, 9_000), st.integers(0, 9_000))
def test_every_posting_sums_to_zero(amounts: dict[str, int], side: str, others: dict[str, int], recoverable: int, debt: int) -> None:
    book: dict[tuple[Account, str], int] = {}
    for posting in (
        charge(side, A.OWED_PENDING, amounts),
        shift(apply({}, charge(side, A.OWED_PENDING, amounts)), A.OWED_PENDING, A.OWED_APPROVED),
        settle(side, others, {(A.PAID_MANUAL, "s"): -recoverable, (cost(side), "s"): recoverable}, A.OWED_PENDING),
        net_debt(apply({}, charge(side, A.OWED_APPROVED, amounts)), debt),
    ):
        assert sum(line.amount for line in posting) == 0
        assert all(line.amount for line in posting)
        assert not posting or problems(posting) == ""
        book = apply(book, posting)
    assert sum(book.values()) == 0


@given(AMOUNTS, AMOUNTS)
def test_charging_the_difference_brings_the_cost_to_the_target(before: dict[str, int], after: dict[str, int]) -> None:
    book = apply({}, charge("advocate", A.OWED_PENDING, before))
    book = apply(book, charge("advocate", A.OWED_PENDING, difference(after, book, "advocate")))
    assert per_source(book, cost("advocate")) == {s: a for s, a in after.items() if a}


def test_what_is_not_an_entry() -> None:
    assert problems([])
    assert problems([Line(A.COST_ADVOCATE, "s", 0), Line(A.OWED_PENDING, "s", 0)])
    assert problems([Line(A.COST_ADVOCATE, "s", 5), Line(A.OWED_PENDING, "s", -4)])
