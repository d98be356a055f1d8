"""Ledger lines: every posting balances, and every order of events ends in the same sums."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nps.rewards.rules.ledger import (
    Account,
    Line,
    apply,
    charge,
    claw_back,
    cost,
    difference,
    holder,
    net_debt,
    per_source,
    problems,
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


def test_what_cannot_be_taken_back_becomes_debt_and_is_netted_from_the_next() -> None:
    book = apply({}, [Line(A.COST_ADVOCATE, "s1", 2_000), Line(A.PAID_MANUAL, "s1", -2_000)])
    taken = claw_back("advocate", A.PAID_MANUAL, {"refund": -600}, recoverable=0)
    assert taken == [Line(A.COST_ADVOCATE, "refund", -600), Line(A.DEBT_ADVOCATE, "refund", 600)]
    book = apply(book, taken)
    book = apply(book, [*charge("advocate", A.OWED_APPROVED, {"s2": 2_000})])
    book = apply(book, net_debt(book, total(book, [A.DEBT_ADVOCATE])))
    assert total(book, [A.DEBT_ADVOCATE]) == 0
    assert total(book, [A.OWED_APPROVED]) == -1_400


def test_a_part_comes_back_from_unspent_credit_and_the_rest_is_debt() -> None:
    taken = claw_back("advocate", A.PAID_STRIPE_CREDIT, {"dispute": -1_400, "refund": -600}, recoverable=1_500)
    assert sum(line.amount for line in taken if line.account is A.PAID_STRIPE_CREDIT) == 1_500
    assert sum(line.amount for line in taken if line.account is A.DEBT_ADVOCATE) == 500
    assert problems(taken) == ""


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
        claw_back(side, A.PAID_MANUAL, others, recoverable),
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
