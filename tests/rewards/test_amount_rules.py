"""Amounts: the worked example in every order, caps, currencies, rounding."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nps.core.money import half_up
from nps.rewards.rules.amounts import (
    Adjustment,
    Cap,
    Due,
    Earned,
    Kind,
    On,
    Period,
    Rule,
    Sale,
    add_months,
    due,
    lines,
    paying,
    target,
)

T0 = datetime(2026, 10, 6, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
PERCENT = Rule("r1", "advocate", On.QUALIFIED, Kind.PERCENT, basis_points=2_000)
FLAT = Rule("r1", "advocate", On.QUALIFIED, Kind.FLAT, amounts={"USD": 5_000, "JPY": 5_000})


def sale(n: int = 1, gross: int = 11_900, net: int = 10_000, at: datetime = T0, currency: str = "USD", **kw: object) -> Sale:
    return Sale(f"s{n}", at, gross, net, currency, at.date(), **kw)  # type: ignore[arg-type]


def earned(s: Sale, rule: Rule = FLAT, advocate: str = "a", barred: bool = False) -> Earned:
    return Earned((f"ref-{s.id}", rule.id, rule.side, s.id), rule, advocate, s, s.occurred_at, s.day, s.currency, barred)


# The worked example: paid 119.00 (net 100.00), 20 %, refund 35.70, dispute over 83.30 opened, then won.
def world(heard: list[str]) -> dict[str, int]:
    """The lines once these facts are known. Without the sale nothing is due; a won dispute replaces an open one."""
    if "sale" not in heard:
        return {}
    adjustments = []
    if "refund" in heard:
        adjustments.append(Adjustment("refund", T0 + HOUR, 3_570))
    if "opened" in heard or "won" in heard:
        adjustments.append(Adjustment("dispute", T0 + 2 * HOUR, 0 if "won" in heard else 8_330))
    return lines(PERCENT, replace(sale(), id="sale", adjustments=tuple(adjustments))) or {}


def test_the_worked_example_step_by_step() -> None:
    assert world(["sale"]) == {"sale": 2_000}
    assert world(["sale", "refund"]) == {"sale": 2_000, "refund": -600}
    assert world(["sale", "refund", "opened"]) == {"sale": 2_000, "refund": -600, "dispute": -1_400}
    assert world(["sale", "refund", "opened", "won"]) == {"sale": 2_000, "refund": -600, "dispute": 0}


def test_all_120_orders_of_the_worked_example_post_the_same_sums() -> None:
    """Posting target - posted after every fact ends in the same sum per source, whatever came first."""
    facts = ["binding", "sale", "refund", "opened", "won"]
    results = set()
    for order in permutations(facts):
        posted: dict[str, int] = {}
        for n in range(1, 6):
            wanted = world(list(order[:n]))
            for source in {*wanted, *posted}:
                posted[source] = posted.get(source, 0) + wanted.get(source, 0) - posted.get(source, 0)
        results.add(tuple(sorted(posted.items())))
    assert results == {(("dispute", 0), ("refund", -600), ("sale", 2_000))}


def test_the_same_ending_in_lost() -> None:
    lost = (Adjustment("refund", T0 + HOUR, 3_570), Adjustment("dispute", T0 + 2 * HOUR, 8_330))
    for order in permutations(lost):
        assert lines(PERCENT, replace(sale(), adjustments=order)) == {"s1": 2_000, "refund": -600, "dispute": -1_400}


def test_a_partial_refund_of_30_percent_takes_30_percent() -> None:
    assert sum((lines(FLAT, replace(sale(), adjustments=(Adjustment("r", T0, 3_570),))) or {}).values()) == 3_500


def test_a_flat_reward_can_stay_whole_while_enough_was_paid() -> None:
    rule = replace(FLAT, full_while=5_000)
    assert due(rule, sale(), 11_900) == 5_000
    assert due(rule, sale(), 5_950) == 5_000
    assert due(rule, sale(), 5_949) == half_up(5_000 * 5_949, 11_900)
    assert due(replace(rule, full_while=0), sale(), 0) == 0


def test_refunds_above_what_was_paid_count_to_zero() -> None:
    assert (
        sum((lines(PERCENT, replace(sale(), adjustments=(Adjustment("a", T0, 9_000), Adjustment("b", T0 + HOUR, 9_000)))) or {}).values())
        == 0
    )


@pytest.mark.parametrize(
    ("top", "bottom", "result"), [(1, 2, 1), (1, 3, 0), (2, 3, 1), (5, 2, 3), (0, 7, 0), (3, 6, 1), (10**30 + 1, 2, (10**30 + 2) // 2)]
)
def test_halves_are_rounded_up_in_integers(top: int, bottom: int, result: int) -> None:
    assert half_up(top, bottom) == result


def test_half_up_refuses_negative_amounts() -> None:
    with pytest.raises(ValueError):
        half_up(-1, 2)


ADJ = st.lists(
    st.builds(lambda n, m, a: Adjustment(f"x{n}", T0 + m * HOUR, a), st.integers(0, 99), st.integers(0, 50), st.integers(0, 20_000)),
    max_size=5,
    unique_by=lambda a: a.id,
)
RULES = st.sampled_from(
    [PERCENT, FLAT, replace(FLAT, full_while=3_000), replace(PERCENT, basis_points=10_000), replace(PERCENT, basis_points=1)]
)


@given(ADJ, RULES, st.integers(1, 20_000), st.integers(0, 20_000), st.none() | st.integers(0, 6_000), st.randoms(use_true_random=False))
def test_lines_sum_to_the_due_never_go_below_zero_and_ignore_order(
    adjustments: list[Adjustment], rule: Rule, gross: int, net: int, ceiling: int | None, chance: object
) -> None:
    base = sale(gross=gross, net=min(net, gross), adjustments=tuple(adjustments))
    found = lines(rule, base, ceiling)
    assert found is not None
    final = due(rule, base, base.left)
    assert final is not None
    assert sum(found.values()) == (final if ceiling is None else min(final, ceiling))
    running = 0
    for source in [base.id, *(a.id for a in sorted(adjustments, key=lambda a: (a.occurred_at, a.id)))]:
        running += found[source]
        assert running >= 0
    shuffled = list(adjustments)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert lines(rule, replace(base, adjustments=tuple(shuffled)), ceiling) == found


def test_a_currency_without_an_amount_is_said_not_converted() -> None:
    euro = earned(sale(currency="EUR"))
    assert target([euro])[euro.key] == Due(0, {"s1": 0}, no_currency=True)
    yen = earned(sale(currency="JPY"))
    assert target([yen])[yen.key].amount == 5_000


def test_the_cap_counts_by_the_time_of_the_sale_and_shows_what_it_took() -> None:
    cap = Cap(Period.YEAR, "USD", amount=12_000)
    rewards = [earned(sale(n, at=T0 + n * DAY)) for n in (3, 1, 2)]
    result = target(rewards, [cap])
    by_sale = {key[3]: d for key, d in result.items()}
    assert [by_sale[s].amount for s in ("s1", "s2", "s3")] == [5_000, 5_000, 2_000]
    assert by_sale["s3"].over_cap == 3_000
    assert result == target(list(reversed(rewards)), [cap])


def test_a_new_year_another_advocate_and_another_currency_have_their_own_room() -> None:
    cap = Cap(Period.YEAR, "USD", amount=5_000)
    rewards = [
        earned(sale(1)),
        earned(sale(2, at=datetime(2027, 1, 1, tzinfo=UTC))),
        earned(sale(3), advocate="b"),
        earned(sale(4, currency="JPY")),
    ]
    assert [target(rewards, [cap])[r.key].amount for r in rewards] == [5_000] * 4


def test_a_declined_or_refunded_reward_leaves_its_room_to_the_next() -> None:
    cap = Cap(Period.ALL, "USD", amount=5_000)
    first, second = earned(sale(1), barred=True), earned(sale(2, at=T0 + DAY))
    assert target([first, second], [cap])[second.key].amount == 5_000
    half = earned(sale(1, adjustments=(Adjustment("r", T0, 5_950),)))
    result = target([half, second], [cap])
    assert (result[half.key].amount, result[second.key].amount) == (2_500, 2_500)


def test_a_cap_by_count_pays_the_first_ones() -> None:
    rewards = [earned(sale(n, at=T0 + n * DAY)) for n in range(1, 4)]
    assert [d.amount for d in target(rewards, [Cap(Period.MONTH, "USD", count=2)]).values()] == [5_000, 5_000, 0]


def test_a_refund_under_a_cap_bites_only_below_the_cap() -> None:
    capped = earned(sale(adjustments=(Adjustment("r", T0 + HOUR, 1_190),)))
    result = target([capped], [Cap(Period.ALL, "USD", amount=3_000)])[capped.key]
    assert dict(result.lines) == {"s1": 3_000, "r": 0}


def test_which_sales_pay() -> None:
    sales = [sale(1), sale(2, at=T0 + 31 * DAY), sale(3, at=add_months(T0, 3))]
    every = replace(PERCENT, on=On.CONVERSION, max_months=None)
    assert paying(PERCENT, sales[0], sales) == sales[:1]
    assert paying(every, sales[0], sales) == sales
    assert paying(every, sales[1], sales) == sales[1:]
    assert paying(replace(every, max_months=3), sales[0], sales) == sales[:2]
    assert paying(every, None, sales) == []


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2026, 11, 15), 3, date(2027, 2, 15)),
        (date(2026, 5, 31), 12, date(2027, 5, 31)),
    ],
)
def test_months_are_calendar_months(start: date, months: int, end: date) -> None:
    assert add_months(datetime(start.year, start.month, start.day, tzinfo=UTC), months).date() == end


def test_a_reward_for_a_sign_up_needs_no_money() -> None:
    each = Earned(("ref", "r1", "advocate", "ref"), replace(FLAT, on=On.SIGNUP), "a", None, T0, T0.date(), "USD")
    assert target([each])[each.key] == Due(5_000, {"ref": 5_000})
