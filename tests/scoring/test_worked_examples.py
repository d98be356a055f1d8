"""The worked examples of the statistics chapter: unrounded to 1e-9, p values under 1e-4 to one part in a million."""

import math

import pytest

from nps.scoring import display, intervals, sample_size
from nps.scoring.bounds import bounds
from nps.scoring.comparison import Overlap, benjamini_hochberg, difference, holm, paired_change
from nps.scoring.intervals import Repeats, design_effect, everybody_asked, of_means, plain, repeated, with_effective_n
from nps.scoring.score import Counts, change_rounded, share_tenths, state_of
from nps.scoring.shares import agresti_caffo, wilson
from nps.scoring.weights import Cell, weighted_score


def near(expected: float) -> object:
    return pytest.approx(expected, rel=0, abs=1e-9)


def near_p(expected: float) -> object:
    return pytest.approx(expected, rel=1e-6) if expected < 1e-4 else near(expected)


def example(promoters: int, detractors: int, n: int) -> Counts:
    return Counts.of(promoters, detractors, n)


# 1–7: the number and its rounding


@pytest.mark.parametrize(
    ("counts", "nps", "shown"),
    [
        ((20, 8, 51), 23.5294117647, "24"),
        ((28, 3, 40), 62.5, "63"),
        ((3, 28, 40), -62.5, "−63"),
        ((100, 99, 200), 0.5, "1"),
        ((99, 100, 200), -0.5, "−1"),
        ((495, 499, 1000), -0.4, "0"),
        ((0, 0, 30), 0, "0"),
        ((702, 200, 1284), 39.0965732087, "39"),
    ],
)
def test_score_is_exact_and_rounds_once_half_away_from_zero(counts: tuple[int, int, int], nps: float, shown: str) -> None:
    made = example(*counts)
    assert made.nps == near(nps)
    assert made.rounded is not None
    assert display.number(made.rounded) == shown
    assert display.score(made.nps) == shown


def test_score_of_nobody_is_no_score() -> None:
    nobody = example(0, 0, 0)
    assert nobody.nps is None
    assert nobody.rounded is None
    assert display.score(nobody.nps) == "–"


def test_example_1_shares_do_not_make_the_score() -> None:
    counts = example(20, 8, 51)
    assert [share_tenths(part, 51) for part in (counts.promoters, counts.passives, counts.detractors)] == [392, 451, 157]
    assert counts.rounded == 24  # 39 − 16 would be 23


@pytest.mark.parametrize(
    ("before", "after", "change", "shown"),
    [((20, 8, 51), (35, 14, 69), 6.9053708440, 7), ((122, 61, 250), (83, 24, 199), 5.2482412060, 5)],
)
def test_example_6_the_same_two_scores_can_differ_by_five_or_seven(
    before: tuple[int, int, int], after: tuple[int, int, int], change: float, shown: int
) -> None:
    first, second = example(*before), example(*after)
    assert (first.rounded, second.rounded) == (24, 30)
    assert difference(plain(first), plain(second)).raw == near(change)
    assert change_rounded(first, second) == shown


def test_example_7_shares_may_add_to_more_than_a_hundred() -> None:
    assert [display.percent(part, 1284) for part in (702, 382, 200)] == ["54.7%", "29.8%", "15.6%"]


# 8–16: the interval


@pytest.mark.parametrize(
    ("counts", "nps", "centre", "margin", "lo", "hi", "shown", "range_shown"),
    [
        ((702, 200, 1284), 39.0965732087, 39.0054390054, 4.0512766493, 34.9541623561, 43.0567156548, "39 ±4", "35 to 43"),
        ((50, 20, 100), 30, 29.1262135922, 15.0750834135, 14.0511301788, 44.2012970057, "30 ±15", "14 to 44"),
        ((58, 16, 100), 42, 40.7766990291, 14.5385066236, 26.2381924055, 55.3152056528, "42 ±15", "26 to 55"),
        ((30, 0, 30), 100, 90.9090909091, 12.2113670365, 78.6977238726, 103.1204579456, "100 (79 to 100)", "79 to 100"),
        ((0, 0, 30), 0, 0, 7.2741086005, -7.2741086005, 7.2741086005, "0 ±7", "−7 to 7"),
        ((15, 15, 30), 0, 0, 33.3341532753, -33.3341532753, 33.3341532753, "0 ±33", "−33 to 33"),
        ((28, 9, 54), 35.1851851852, 33.3333333333, 19.5018703398, 13.8314629935, 52.8352036731, "35 ±20", "14 to 53"),
        ((10, 0, 10), 100, 76.9230769231, 29.4195253783, 47.5035515448, 106.3426023014, None, None),
        ((9, 4, 18), 27.7777777778, 23.8095238095, 34.0494463836, -10.2399225741, 57.8589701932, None, None),
    ],
)
def test_interval_of_a_score(
    counts: tuple[int, int, int],
    nps: float,
    centre: float,
    margin: float,
    lo: float,
    hi: float,
    shown: str | None,
    range_shown: str | None,
) -> None:
    made = plain(example(*counts))
    assert (made.raw, made.centre, made.margin) == (near(nps), near(centre), near(margin))
    assert made.uncut == (near(lo), near(hi))
    assert made.hi <= 100
    if shown is None:
        assert state_of(counts[2]) == "few"
    else:
        assert display.with_doubt(made, example(*counts).rounded) == shown
        assert display.range_text(made.lo, made.hi) == range_shown


# 17–20: two groups


@pytest.mark.parametrize(
    ("before", "after", "raw", "d", "se", "z", "p", "lo", "hi", "clear"),
    [
        ((50, 20, 100), (58, 16, 100), 12, 11.6504854369, 10.6856083045, 1.0902968839, 0.2755823874, -9.2929219929, 32.5938928666, False),
        ((200, 80, 400), (232, 64, 400), 12, 11.9106699752, 5.3979962649, 2.2064983729, 0.0273491240, 1.3307917073, 22.4905482430, True),
        (
            (254, 100, 512),
            (281, 63, 486),
            14.7778420782,
            14.6778644748,
            4.6959428915,
            3.1256479932,
            0.0017741378,
            5.4739855340,
            23.8817434155,
            True,
        ),
        (
            (18, 9, 40),
            (29, 6, 45),
            28.6111111111,
            26.9864341085,
            15.9541922461,
            1.6914948555,
            0.0907423295,
            -4.2832080962,
            58.2560763132,
            False,
        ),
    ],
)
def test_difference_of_two_groups(
    before: tuple[int, int, int],
    after: tuple[int, int, int],
    raw: float,
    d: float,
    se: float,
    z: float,
    p: float,
    lo: float,
    hi: float,
    clear: bool,
) -> None:
    first, second = plain(example(*before)), plain(example(*after))
    made = difference(first, second)
    assert (made.raw, made.d, made.se, made.d / made.se, made.p) == (near(raw), near(d), near(se), near(z), near(p))
    assert (made.lo, made.hi) == (near(lo), near(hi))
    assert made.margin == near(math.hypot(first.margin, second.margin))
    assert made.clear is clear
    assert (abs(made.d) > made.margin) is clear


# 21–27: the same people, repeats, companies, weights, recovery


def test_example_21_paired_change_is_sharper_than_two_independent_groups() -> None:
    made = paired_change([(12, 6, 4), (5, 20, 10), (3, 8, 52)])
    assert (made.raw, made.centre, made.se) == (near(4.1666666667), near(4.0650406504), near(6.2868582929))
    assert made.uncut == (near(-8.2569751796), near(16.3870564804))
    assert made.p == near(0.5178951748)
    assert difference(plain(example(63, 22, 120)), plain(example(66, 20, 120))).se == near(9.7265841294)


def test_example_22_nobody_moved_is_still_not_without_doubt() -> None:
    made = paired_change([(40, 0, 0), (0, 0, 0), (0, 0, 0)])
    assert (made.raw, made.centre, made.se) == (0, 0, near(4.0280251339))
    assert made.uncut == (near(-7.8947841912), near(7.8947841912))
    assert made.p == 1


def test_example_23_people_on_both_sides_narrow_the_difference() -> None:
    table = [(10, 4, 2), (3, 16, 8), (1, 4, 32)]
    values = (-1, 0, 1)
    overlap = Overlap(
        people=sum(map(sum, table)),
        first=sum(x * sum(row) for x, row in zip(values, table, strict=True)),
        second=sum(y * people for row in table for y, people in zip(values, row, strict=True)),
        product=sum(x * y * people for x, row in zip(values, table, strict=True) for y, people in zip(values, row, strict=True)),
    )
    first, second = plain(example(96, 44, 200)), plain(example(118, 40, 220))
    made = difference(first, second, overlap)
    assert overlap.people == 80
    assert overlap.covariance == near(0.395625)
    assert (made.raw, made.d, made.se) == (near(9.4545454545), near(9.3618149285), near(6.6113033174))
    assert difference(first, second).se == near(7.5955520197)
    assert (made.lo, made.hi, made.p) == (near(-3.5961014645), near(22.3197313216), near(0.1567662299))


CONTACTS_OF_EXAMPLE_24 = (
    [(1, 1)] * 24 + [(0, 1)] * 10 + [(-1, 1)] * 6 + [(2, 2)] * 8 + [(-2, 2)] * 3 + [(0, 2)] * 4 + [(1, 2)] * 3 + [(0, 2)] * 2
)


def test_example_24_repeats_widen_the_range() -> None:
    counts = example(45, 14, 80)
    repeats = Repeats.of_contacts(CONTACTS_OF_EXAMPLE_24)
    assert (len(CONTACTS_OF_EXAMPLE_24), repeats.count_squared, counts.nps) == (60, 40 + 20 * 4, near(38.75))
    deff = design_effect(counts, repeats)
    assert deff == near(1.2964884278)
    assert 80 / deff == near(61.7051400431)
    made = repeated(counts, repeats)
    assert (made.raw, made.centre, made.margin) == (near(38.75), near(36.9533884801), near(18.7145817624))
    assert made.uncut == (near(18.2388067177), near(55.6679702425))
    assert plain(counts).margin == near(16.5166022334)


def test_repeats_can_be_made_from_counts_and_only_those_who_answered_twice() -> None:
    twice = [(2, 2, 2)] * 8 + [(-2, 2, 2)] * 3 + [(0, 0, 2)] * 4 + [(1, 1, 2)] * 3 + [(0, 2, 2)] * 2
    assert Repeats.with_singles(example(45, 14, 80), twice) == Repeats.of_contacts(CONTACTS_OF_EXAMPLE_24)


def test_example_25_mean_of_companies() -> None:
    values = [1.0] * 14 + [0.5] * 8 + [0.0] * 10 + [-0.5] * 2 + [-1.0] * 6
    made = of_means(sum(values), sum(y * y for y in values), len(values))
    assert (made.raw, made.centre, made.margin) == (near(27.5), near(25.5813953488), near(20.9799571158))
    assert made.uncut == (near(4.6014382330), near(46.5613524647))


def test_example_26_weights_are_capped_at_five() -> None:
    cells = [Cell(8000, example(25, 10, 50)), Cell(1500, example(100, 75, 250)), Cell(500, example(150, 60, 300))]
    uncapped = weighted_score(cells, cap=None)
    assert uncapped.weights == (near(9.6), near(0.36), near(0.1))
    assert (uncapped.estimate.raw, uncapped.effective_n) == (near(27), near(77.5293965629))
    capped = weighted_score(cells)
    assert (capped.estimate.raw, capped.effective_n) == (near(25.1351351351), near(106.5038120429))
    assert (capped.estimate.centre, capped.estimate.margin) == (near(24.4465252685), near(14.9223556084))


def test_example_27_recovery_counts_only_beside_those_nobody_contacted() -> None:
    contacted = paired_change([(22, 13, 9), (0, 0, 0), (0, 0, 0)])
    left_alone = paired_change([(41, 9, 5), (0, 0, 0), (0, 0, 0)])
    assert (contacted.raw, left_alone.raw) == (near(70.4545454545), near(34.5454545455))
    assert (contacted.centre, left_alone.centre) == (near(65.9574468085), near(32.7586206897))
    assert (contacted.se, left_alone.se) == (near(11.9515377785), near(8.7534369110))
    lift = difference(left_alone, contacted)
    assert (lift.raw, lift.d, lift.se) == (near(35.9090909091), near(33.1988261189), near(14.8142469612))
    assert (lift.lo, lift.hi, lift.p, lift.clear) == (near(4.1634356169), near(62.2342166208), near(0.0250256435), True)


# 28–33: the silent, everybody asked, shares


@pytest.mark.parametrize(
    ("counts", "delivered", "lo", "hi"),
    [
        ((150, 50, 250), 1000, -65, 85),
        ((702, 200, 1284), 5121, -65.1239992189, 84.7295450107),
        ((60, 10, 90), 100, 40, 60),
    ],
)
def test_example_28_bounds(counts: tuple[int, int, int], delivered: int, lo: float, hi: float) -> None:
    assert bounds(example(*counts), delivered) == (near(lo), near(hi))


def test_example_29_everybody_asked_narrows_the_margin() -> None:
    made = plain(example(450, 130, 850))
    assert (made.raw, made.centre, made.margin) == (near(37.6470588235), near(37.5146541618), near(4.9358601592))
    narrowed = everybody_asked(made, 850, 1000)
    assert narrowed.margin == near(1.9126069622)
    assert narrowed.margin / made.margin == near(0.3874921291)


@pytest.mark.parametrize(
    ("part", "whole", "share", "lo", "hi"),
    [
        (123, 131, 0.9389312977, 0.8841196490, 0.9687337761),
        (1284, 5121, 0.2507322789, 0.2390509109, 0.2627873371),
        (0, 12, 0, 0, 0.2424940067),
        (30, 30, 1, 0.8864866068, 1),
        (96, 400, 0.24, 0.2007459969, 0.2842003961),  # example 49
    ],
)
def test_example_30_wilson(part: int, whole: int, share: float, lo: float, hi: float) -> None:
    made = wilson(part, whole)
    assert (made.share, made.lo, made.hi) == (near(share), near(lo), near(hi))


@pytest.mark.parametrize(
    ("first", "second", "gap", "centre", "se", "lo", "hi", "p"),
    [
        ((1010, 5000), (1138, 5000), 0.0256, 0.0255897641, 0.0082096257, 0.0094991934, 0.0416803348, 0.0018267434),
        ((61, 702), (58, 200), 0.2031054131, 0.2040110261, 0.0337296373, 0.1379021518, 0.2701199004, 1.462728652e-09),
        ((38, 420), (15, 410), -0.0538908246, -0.0535821102, 0.0170105164, -0.0869221097, -0.0202421106, 0.0016330387),
    ],
)
def test_examples_31_to_33_difference_of_shares(
    first: tuple[int, int], second: tuple[int, int], gap: float, centre: float, se: float, lo: float, hi: float, p: float
) -> None:
    made = agresti_caffo(*first, *second)
    assert (made.gap, made.centre, made.se, made.lo, made.hi) == (near(gap), near(centre), near(se), near(lo), near(hi))
    assert made.p == near_p(p)
    assert made.clear


# 34–39: families, sizes


def test_example_34_benjamini_hochberg() -> None:
    p_values = [0.0018, 0.004, 0.011, 0.028, 0.031, 0.064, 0.2, 0.34, 0.61, 0.95]
    expected = [0.018, 0.02, 0.0366666667, 0.062, 0.062, 0.1066666667, 0.2857142857, 0.425, 0.6777777778, 0.95]
    assert benjamini_hochberg(p_values) == [near(q) for q in expected]
    assert benjamini_hochberg(p_values[::-1]) == [near(q) for q in expected[::-1]]


def test_example_35_holm() -> None:
    assert holm([0.012, 0.03, 0.2]) == [near(0.036), near(0.06), near(0.2)]
    assert holm([0.2, 0.012, 0.03]) == [near(0.2), near(0.036), near(0.06)]


def test_example_36_answers_for_a_margin() -> None:
    margins = (20, 15, 10, 5, 3)
    own = sample_size.variance_of(example(50, 20, 100))
    assert own == near(0.61)
    assert [sample_size.answers_for_margin(margin, own) for margin in margins] == [59, 105, 235, 938, 2604]
    assert [sample_size.answers_for_margin(margin, sample_size.WORST_VARIANCE) for margin in margins] == [97, 171, 385, 1537, 4269]


def test_example_37_answers_to_see_a_change() -> None:
    assert [sample_size.answers_per_group(change) for change in (20, 10, 5)] == [237, 955, 3828]
    assert sample_size.answers_per_group(10, 0.61, 0.55) == 908


def test_example_38_invitations_per_variant() -> None:
    assert sample_size.invitations_per_variant(0.20, 0.25) == near(1093.7390457662)
    pairs = [(0.25, 0.28), (0.25, 0.22), (0.05, 0.06)]
    assert [math.ceil(sample_size.invitations_per_variant(*pair)) for pair in pairs] == [3397, 3135, 8158]
    assert math.ceil(sample_size.invitations_per_variant(0.20, 0.25, variants=3)) == 1325


def test_example_39_planner() -> None:
    answers = sample_size.answers_for_margin(10)
    assert sample_size.plan(answers, 0.20, 80) == (1175, 15)
    assert sample_size.plan(answers, 0.251, 80)[0] == 937


def test_example_48_scores_of_hand_started_surveys_stand_out() -> None:
    made = difference(plain(example(300, 150, 800)), plain(example(48, 2, 60)))
    assert (made.raw, made.d, made.lo, made.hi) == (near(57.9166666667), near(54.3359228291), near(40.2433807114), near(68.4284649468))


def test_effective_n_of_all_answers_is_the_plain_interval() -> None:
    counts = example(45, 14, 80)
    assert with_effective_n(counts, 80) == plain(counts)
    assert intervals.plain(counts).k == 83
