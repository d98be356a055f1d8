"""What holds for every score, not only for the worked ones."""

from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nps.scoring import display
from nps.scoring.bounds import bounds
from nps.scoring.comparison import Overlap, benjamini_hochberg, clear_in_family, difference, holm, paired_change
from nps.scoring.groups import Group, nps_group, nps_value
from nps.scoring.intervals import Repeats, design_effect, everybody_asked, plain, repeated
from nps.scoring.sample_size import answers_for_margin, answers_per_group, invitations_per_variant, plan, variance_of
from nps.scoring.score import Counts, State, change_rounded, mean_tenths, rounded, rounded_ratio, share_tenths, state_of
from nps.scoring.shares import agresti_caffo, wilson
from nps.scoring.weights import Cell, weighted_score

people = st.integers(min_value=0, max_value=100_000)
counted = st.builds(Counts, people, people, people).filter(lambda counts: counts.n > 0)
p_values = st.lists(st.floats(min_value=0, max_value=1), max_size=40)


def test_groups_cover_every_score_once() -> None:
    assert [nps_group(score).short for score in range(11)] == ["det"] * 7 + ["pas"] * 2 + ["pro"] * 2
    assert [nps_value(score) for score in range(11)] == [-1] * 7 + [0] * 2 + [1] * 2
    assert sorted(score for group in Group for score in group.scores) == list(range(11))


@pytest.mark.parametrize("wrong", [-1, 11, 9.5, True, False, "9", None])
def test_what_is_no_score_has_no_group(wrong: object) -> None:
    with pytest.raises(ValueError, match="score"):
        nps_group(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("units", "state"),
    [(0, State.NONE), (1, State.HIDDEN), (4, State.HIDDEN), (5, State.FEW), (29, State.FEW), (30, State.OK), (10**7, State.OK)],
)
def test_states_by_units(units: int, state: State) -> None:
    assert state_of(units) is state


@given(st.integers(min_value=-(10**12), max_value=10**12), st.integers(min_value=1, max_value=10**9))
def test_rounding_agrees_with_decimal_half_away_from_zero(numerator: int, denominator: int) -> None:
    with localcontext() as context:
        context.prec = 60
        expected = (Decimal(numerator) / Decimal(denominator)).quantize(Decimal(1), ROUND_HALF_UP)
    assert rounded_ratio(numerator, denominator) == int(expected)


@given(counted)
def test_score_shown_from_counts_equals_the_unrounded_one_rounded(counts: Counts) -> None:
    assert counts.nps is not None
    assert counts.rounded == rounded(counts.nps)
    assert -100 <= counts.nps <= 100


@given(counted)
def test_turning_all_answers_round_turns_the_score_round(counts: Counts) -> None:
    turned = Counts(counts.detractors, counts.passives, counts.promoters)
    here, there = plain(counts), plain(turned)
    assert (here.raw, here.centre, here.se) == (-there.raw, -there.centre, there.se)
    assert counts.rounded == -(turned.rounded or 0)


@given(counted)
def test_range_lies_on_the_scale_and_is_never_a_point(counts: Counts) -> None:
    made = plain(counts)
    assert -100 <= made.lo < made.hi <= 100
    assert made.margin > 0
    assert "±0" not in display.with_doubt(made)


@given(counted, st.integers(min_value=2, max_value=50))
def test_more_of_the_same_answers_narrow_the_margin(counts: Counts, times: int) -> None:
    more = Counts(counts.promoters * times, counts.passives * times, counts.detractors * times)
    assert more.nps == pytest.approx(counts.nps)
    assert plain(more).margin < plain(counts).margin


@given(st.lists(st.lists(st.sampled_from([-1, 0, 1]), min_size=1, max_size=5), min_size=1, max_size=60))
def test_repeats_never_narrow_and_agree_with_the_definition(contacts: list[list[int]]) -> None:
    answers = [x for contact in contacts for x in contact]
    counts = Counts(answers.count(1), answers.count(0), answers.count(-1))
    repeats = Repeats.of_contacts((sum(contact), len(contact)) for contact in contacts)
    n, mean = len(answers), Fraction(sum(answers), len(answers))
    independent = (Fraction(sum(x * x for x in answers), n) - mean**2) / n
    clustered = sum((sum(contact) - len(contact) * mean) ** 2 for contact in contacts) / Fraction(n * n)
    expected = max(Fraction(1), clustered / independent) if independent else Fraction(1)
    assert design_effect(counts, repeats) == pytest.approx(float(expected), rel=1e-12)
    assert repeated(counts, repeats).margin >= plain(counts).margin - 1e-12
    some = [(sum(c), sum(x * x for x in c), len(c)) for c in contacts if len(c) > 1]
    assert Repeats.with_singles(counts, some) == repeats


@given(counted, counted)
def test_difference_turned_round_has_the_same_verdict(first: Counts, second: Counts) -> None:
    forth, back = difference(plain(first), plain(second)), difference(plain(second), plain(first))
    assert (forth.d, forth.p, forth.clear) == (-back.d, back.p, back.clear)
    assert forth.clear == (abs(forth.d) > forth.margin) or forth.p == pytest.approx(0.05, abs=1e-9)


@given(counted, counted)
def test_change_is_subtracted_before_it_is_rounded(first: Counts, second: Counts) -> None:
    exact = Fraction(100 * second.surplus, second.n) - Fraction(100 * first.surplus, first.n)
    shown = change_rounded(first, second)
    assert shown is not None
    assert abs(shown - exact) <= Fraction(1, 2)


def test_few_people_on_both_sides_do_not_change_the_doubt() -> None:
    first, second = plain(Counts(50, 30, 20)), plain(Counts(60, 20, 20))
    assert difference(first, second, Overlap(29, 10, 10, 29)) == difference(first, second)


@given(p_values)
def test_families_make_verdicts_rarer_and_keep_the_order(values: list[float]) -> None:
    for adjusted in (benjamini_hochberg(values), holm(values)):
        assert all(q >= p or q == pytest.approx(p) for p, q in zip(values, adjusted, strict=True))
        assert all(0 <= q <= 1 for q in adjusted)
        by_p = [q for _, q in sorted(zip(values, adjusted, strict=True))]
        assert by_p == sorted(by_p)


def test_a_row_needs_both_its_own_and_the_familys_evidence() -> None:
    assert clear_in_family(0.049, 0.10)
    assert not clear_in_family(0.05, 0.06)
    assert not clear_in_family(0.01, 0.11)


@given(st.integers(min_value=1, max_value=10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_share_between_nought_and_one(pair: tuple[int, int]) -> None:
    made = wilson(*pair)
    assert 0 <= made.lo <= made.share <= made.hi <= 1


@given(st.integers(1, 10**4), st.integers(1, 10**4), st.data())
def test_gap_of_shares_has_one_verdict(n1: int, n2: int, data: st.DataObject) -> None:
    x1, x2 = data.draw(st.integers(0, n1)), data.draw(st.integers(0, n2))
    made = agresti_caffo(x1, n1, x2, n2)
    assume(made.p != pytest.approx(0.05, abs=1e-9))
    assert made.clear == (not made.lo <= 0 <= made.hi)


@given(counted, st.integers(min_value=0, max_value=10**6))
def test_bounds_hold_whatever_the_silent_would_have_said(counts: Counts, silent: int) -> None:
    lo, hi = bounds(counts, counts.n + silent)
    for said in (-1, 0, 1):
        everybody = 100 * (counts.surplus + said * silent) / (counts.n + silent)
        assert lo - 1e-9 <= everybody <= hi + 1e-9


@given(counted)
def test_equal_weights_change_nothing(counts: Counts) -> None:
    made = weighted_score([Cell(counts.n, counts)])
    assert made.weights == (1.0,)
    assert made.estimate.raw == pytest.approx(counts.nps, abs=1e-9)
    assert made.estimate.margin == pytest.approx(plain(counts).margin)


@pytest.mark.parametrize(
    ("value", "shown"), [(-0.4, "0"), (0.5, "1"), (-0.5, "−1"), (-12.2, "−12"), (2.5, "3"), (1234.5, "1,235"), (None, "–")]
)
def test_scores_are_written_with_a_true_minus_and_no_minus_zero(value: float | None, shown: str) -> None:
    assert display.score(value) == shown


def test_other_figures_are_written_as_designed() -> None:
    assert display.margin(0.2) == "±1"
    assert display.margin(4.05) == "±4"
    assert (display.points(12.2), display.points(-1), display.points(0.4)) == ("12 points", "1 point", "0 points")
    assert (display.percent(803, 1284), display.percent(0, 0), display.percent(30, 30)) == ("62.5%", "–", "100.0%")
    assert (display.percent_whole(123, 131), display.percent_whole(1, 0)) == ("94%", "–")
    assert (display.tenths(-5), display.tenths(84)) == ("−0.5", "8.4")
    assert mean_tenths([0] * 10 + [4]) == 100
    assert mean_tenths([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]) == 50
    assert mean_tenths([0] * 11) is None
    assert share_tenths(0, 0) is None


def test_counts_by_score_and_by_group_agree() -> None:
    bars = (14, 9, 13, 21, 24, 49, 70, 158, 224, 298, 404)
    assert Counts.by_score(bars) == Counts.of(702, 200, 1284)
    assert change_rounded(Counts(0, 0, 0), Counts(1, 0, 0)) is None


@pytest.mark.parametrize(
    "refused",
    [
        lambda: Counts(-1, 0, 0),
        lambda: Counts.of(3, 3, 5),
        lambda: Counts.by_score([1, 2]),
        lambda: state_of(-1),
        lambda: rounded_ratio(1, 0),
        lambda: plain(Counts(0, 0, 0)),
        lambda: paired_change([(0, 0, 0)] * 3),
        lambda: everybody_asked(plain(Counts(40, 20, 19)), 79, 100),
        lambda: bounds(Counts(1, 0, 0), 0),
        lambda: wilson(1, 0),
        lambda: wilson(3, 2),
        lambda: agresti_caffo(0, 0, 1, 2),
        lambda: weighted_score([Cell(1, Counts(0, 0, 0))]),
        lambda: answers_for_margin(0),
        lambda: answers_per_group(0),
        lambda: invitations_per_variant(0.2, 0.2),
        lambda: invitations_per_variant(0.2, 0.3, variants=1),
        lambda: plan(10, 0, 80),
    ],
)
def test_impossible_questions_are_refused(refused: object) -> None:
    with pytest.raises(ValueError):
        refused()  # type: ignore[operator]


def test_variance_of_few_answers_is_the_usual_one() -> None:
    assert variance_of(Counts(29, 0, 0)) == 0.61
    assert variance_of(Counts(30, 0, 0)) == 0
    assert everybody_asked(plain(Counts(1, 0, 0)), 1, 1).margin == 0
