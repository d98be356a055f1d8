"""Nothing is in a figure that may not be shown; sentences are those of the design."""

from datetime import date

import pytest

from nps.analytics.rules.figures import Figure, change, figure
from nps.analytics.rules.filters import Window
from nps.analytics.rules.periods import months_of
from nps.analytics.rules.repeats import PairSums
from nps.analytics.rules.words import (
    Named,
    changes_in_words,
    clearest_pair,
    no_comparison,
    row_changes,
    trend_name,
    trend_words,
    verdict,
    window_before,
)
from nps.scoring.score import State


def of(promoters: int, detractors: int, n: int, pairs: PairSums | None = None) -> Figure:
    bars = [0] * 11
    bars[0], bars[7], bars[10] = detractors, n - promoters - detractors, promoters
    return figure(bars, n, pairs)


def test_four_states_show_what_they_may() -> None:
    none, hidden, few, ok = of(0, 0, 0), of(4, 0, 4), of(20, 5, 29), of(21, 5, 30)
    assert [made.state for made in (none, hidden, few, ok)] == [State.NONE, State.HIDDEN, State.FEW, State.OK]
    assert (none.n, none.nps, none.estimate, none.why_not) == (0, None, None, "No answers in this window")
    assert (hidden.n, hidden.bars, hidden.counts, hidden.estimate, hidden.why_not) == (None, None, None, None, "Fewer than 5 answers")
    assert (few.n, few.nps, few.shown) == (29, None, None)
    assert few.estimate is not None
    assert few.why_not == "Under 30 answers, too few to report"
    assert (ok.shown, ok.why_not) == (53, "")


def test_state_goes_by_people_not_by_answers() -> None:
    assert figure([0] * 10 + [40], 29).state is State.FEW
    assert figure([0] * 10 + [6], 4).state is State.HIDDEN
    assert figure([0] * 11, 3).state is State.NONE


def test_repeats_widen_the_range_but_not_the_score() -> None:
    alone, twice = of(45, 14, 80), of(45, 14, 80, PairSums(20, 7, 7, 11))
    assert alone.nps == twice.nps
    assert alone.estimate is not None
    assert twice.estimate is not None
    assert twice.estimate.margin > alone.estimate.margin


def test_verdicts_are_worded_as_designed() -> None:
    within = change(of(200, 100, 402), of(702, 200, 1284))
    beyond = change(of(170, 64, 377), of(220, 42, 434))
    assert within is not None
    assert beyond is not None
    assert verdict(beyond) == "Outside the margin (±10), so a clear change."
    assert (beyond.shown, beyond.clear) == (13, True)
    assert within.clear
    same = change(of(200, 80, 400), of(210, 78, 400))
    assert same is not None
    assert verdict(same) == "Within the margin (±11), so not a clear change yet."


def test_too_few_answers_on_a_side_give_no_change_and_say_so() -> None:
    assert change(of(20, 5, 29), of(200, 50, 400)) is None
    assert no_comparison(of(0, 0, 0), 90) == "No answers in the 90 days before, so there is nothing to compare with."
    assert no_comparison(of(1, 0, 3), 30) == "Fewer than 5 answers in the 30 days before, too few to compare with."
    assert no_comparison(of(1, 0, 8), 365) == "Under 30 answers in the 365 days before, too few to compare with."
    assert window_before(1) == "the day before"


def test_months_end_with_the_window_and_the_running_one_is_marked() -> None:
    periods = months_of(Window(date(2026, 7, 9), date(2026, 10, 6)), date(2026, 10, 6))
    assert [period.label for period in periods] == ["Nov", "Dec", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct"]
    assert (periods[0].name, periods[0].window) == ("November 2025", Window(date(2025, 11, 1), date(2025, 11, 30)))
    assert [period.running for period in periods] == [False] * 11 + [True]


def test_months_over_a_long_window_are_all_there_then_quarters() -> None:
    assert len(months_of(Window(date(2024, 1, 15), date(2026, 10, 6)), date(2026, 10, 6))) == 34
    quarters = months_of(Window(date(2021, 2, 1), date(2026, 10, 6)), date(2026, 10, 6))
    assert (quarters[0].name, quarters[0].window.first, quarters[-1].name) == ("Q1 2021", date(2021, 1, 1), "Q4 2026")
    assert all(one.window.last < other.window.first for one, other in zip(quarters, quarters[1:], strict=False))
    december = months_of(Window(date(2026, 12, 1), date(2026, 12, 31)), date(2027, 3, 1))[-1]
    assert (december.window.last, december.running) == (date(2026, 12, 31), False)


def test_trend_footer_compares_complete_periods_only() -> None:
    points = [
        Named("November 2025", of(170, 64, 377)),
        Named("December 2025", of(3, 0, 10)),
        Named("September 2026", of(220, 42, 434)),
        Named("October 2026", of(35, 11, 58), running=True),
    ]
    words = trend_words(points)
    assert words.changed is not None
    assert (words.changed.shown, words.since) == (13, "since November.")
    assert words.text == "Outside the margin (±10), so a clear change. October is still running."
    assert trend_name(points).startswith("NPS from November 2025 to October 2026, rising from 28 to 41. The shaded band")


def test_trend_without_two_complete_periods_says_what_is_needed() -> None:
    words = trend_words([Named("October 2026", of(35, 11, 58), running=True)])
    assert words.changed is None
    assert words.text == "Two complete periods with 30 answers each are needed for a comparison. October is still running."
    assert "running" not in trend_words([Named("October 2026", of(0, 0, 0), running=True)]).text


def plans() -> list[Named]:
    return [
        Named("Starter", of(254, 100, 512)),
        Named("Growth", of(281, 63, 486)),
        Named("Scale", of(132, 24, 214)),
        Named("Partner", of(9, 4, 18)),
    ]


def test_clearest_pair_is_named_high_above_low_and_rows_without_score_are_in_no_test() -> None:
    assert clearest_pair(plans()) == "Scale scores above Starter beyond the margin."
    assert clearest_pair(plans()[:2]) == "Growth scores above Starter beyond the margin."
    assert clearest_pair(plans()[1:3]) == "No difference between the rows is clear yet."
    assert clearest_pair(plans()[3:]) == ""


def test_many_rows_are_compared_with_the_rest() -> None:
    rows = [Named(f"Row {i}", of(60, 20, 120)) for i in range(9)] + [Named("Low", of(10, 80, 120))]
    rest = [of(60 * 8 + 10, 20 * 8 + 80, 120 * 9)] * 9 + [of(540, 180, 1080)]
    assert clearest_pair(rows, rest) == "Low scores below the rest beyond the margin."


def test_changes_of_rows_are_one_family() -> None:
    calm = row_changes(
        [(of(200, 80, 400), of(210, 78, 400), None), (of(5, 5, 20), of(50, 10, 100), None), (of(100, 40, 200), of(104, 41, 205), None)]
    )
    assert calm[1] is None
    assert (
        changes_in_words([("A", calm[0]), ("B", calm[1]), ("C", calm[2])], "Plan") == "No plan’s change since the last period is clear yet."
    )
    sharp = row_changes([(of(50, 200, 400), of(250, 50, 400), None)])
    assert changes_in_words([("Growth", sharp[0])], "Plan") == "Growth went up 88 points since the last period, which is clear."
    assert changes_in_words([("A", None)], "Plan") == ""


@pytest.mark.parametrize("n", [31, 100, 400])
def test_one_change_among_twenty_needs_more_than_luck(n: int) -> None:
    rows = [(of(n // 2, n // 5, n), of(n // 2, n // 5, n), None)] * 19 + [
        (of(n // 2, n // 5, n), of(n // 2 + n // 10, n // 5 - n // 20, n), None)
    ]
    found = row_changes(rows)
    assert not any(row.clear for row in found[:19] if row)
