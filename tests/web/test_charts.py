"""Charts are drawn as designed, carry a name, leak nothing that may not be shown, and need no style attribute."""

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from nps.web import charts
from nps.web.charts import Column, TrendPoint

SVG = "{http://www.w3.org/2000/svg}"


def parsed(drawing: Markup) -> ET.Element:
    return ET.fromstring(str(drawing).replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1))


def having(root: ET.Element, kind: str) -> list[ET.Element]:
    return [element for element in root.iter() if element.get("class") == kind]


def test_gauge_is_drawn_as_designed() -> None:
    drawing = str(charts.gauge(39, 35, 43, "Previous 90 days: 34."))
    assert (
        'role="img" aria-label="Score 39 on a scale from minus 100 to 100. 95 percent interval 35 to 43. Previous 90 days: 34."' in drawing
    )
    assert '<path class="fill" d="M130 22A104 104 0 0 1 189.8 40.91"/>' in drawing
    assert '<path class="ci" d="M184.34 37.33A104 104 0 0 1 195.03 44.84"/>' in drawing
    assert '<path class="tip" d="M181.75 52.37L197.85 29.46"/>' in drawing
    assert '<tspan class="big">39</tspan><tspan class="pm" dx="5">±4</tspan>' in drawing


def test_gauge_of_a_negative_score_fills_from_the_score_to_nought() -> None:
    drawing = str(charts.gauge(-12.2, -20, -5))
    assert "Score minus 12 on" in drawing
    assert "interval minus 20 to minus 5" in drawing
    assert ">−12<" in drawing
    assert re.search(r'class="fill" d="M\S+ \S+A104 104 0 0 1 130 22"', drawing)


def test_gauge_cut_at_the_end_of_the_scale_gives_the_range_instead_of_a_margin() -> None:
    drawing = str(charts.gauge(100, 78.7, 100))
    assert "±" not in drawing
    assert ">(79 to 100)<" in drawing


def test_gauge_of_few_answers_shows_the_range_without_a_point() -> None:
    root = parsed(charts.gauge(None, -10.2, 57.9))
    assert root.get("class") == "gauge few"
    assert having(root, "ci")
    assert not having(root, "tip")
    assert not having(root, "fill")
    assert root.get("aria-label") == "No score on a scale from minus 100 to 100. 95 percent interval minus 10 to 58."


def test_gauge_without_a_range_tells_nothing() -> None:
    root = parsed(charts.gauge(None))
    assert not having(root, "ci")
    assert root.get("aria-label") == "No score on a scale from minus 100 to 100."


def months(*points: TrendPoint) -> ET.Element:
    return parsed(charts.trend(points, "Monthly NPS.", "t"))


def test_trend_joins_complete_months_and_dots_the_running_one() -> None:
    root = months(
        TrendPoint("Jul", 30, 22, 38), TrendPoint("Aug", 33, 26, 40), TrendPoint("Sep", 35, 28, 42), TrendPoint("Oct", 41, 21, 58, True)
    )
    assert (root.get("role"), root.get("aria-labelledby")) == ("img", "t-t")
    assert root.find(f"{SVG}title").text == "Monthly NPS."  # type: ignore[union-attr]
    assert [line.get("d") for line in having(root, "ln")] == ["M12.5 57.14 L37.5 52.86 L62.5 50"]
    assert [line.get("d") for line in having(root, "ln dash")] == ["M62.5 50 L87.5 41.43"]
    assert len(having(root, "pt")) == 4
    assert [point.get("d") for point in having(root, "pt in")] == ["M87.5 41.43h0"]
    assert having(root, "band")[0].get("d") == "M12.5 45.71 37.5 42.86 62.5 40 87.5 17.14 87.5 70 62.5 60 37.5 62.86 12.5 68.57z"
    assert [text.text for text in root.iter(f"{SVG}text")] == ["0", "20", "40", "60"]
    assert root.get("viewBox") is None


def test_trend_shows_few_answers_as_a_pale_range_and_does_not_join_across() -> None:
    root = months(
        TrendPoint("Jul", 30, 22, 38), TrendPoint("Aug", None, -5, 55), TrendPoint("Sep", None, None, None), TrendPoint("Oct", 3, -4, 9)
    )
    assert len(having(root, "band few")) == 1
    assert not having(root, "ln")
    assert len(having(root, "pt")) == 2


def test_trend_is_not_joined_across_a_break() -> None:
    root = months(
        TrendPoint("Jul", 30, 22, 38),
        TrendPoint("Aug", 31, 23, 39),
        TrendPoint("Sep", 50, 42, 58, after_break=True),
        TrendPoint("Oct", 51, 43, 59),
    )
    assert len(having(root, "ln")) == 2
    assert [mark.get("x1") for mark in having(root, "gl brk")] == ["50%"]


def test_trend_below_nought_keeps_nought_on_the_axis() -> None:
    root = months(TrendPoint("Jul", -30, -38, -22), TrendPoint("Aug", -95, -100, -88))
    zero = having(root, "gl zero")
    assert len(zero) == 1
    assert [text.text for text in root.iter(f"{SVG}text")] == ["−100", "−50", "0"]


@given(st.lists(st.tuples(st.floats(-100, 100), st.floats(0, 60), st.booleans(), st.booleans(), st.booleans()), max_size=40))
def test_any_trend_is_well_formed_and_stays_inside(rows: list[tuple[float, float, bool, bool, bool]]) -> None:
    points = [
        TrendPoint("x", est if known else None, max(-100, est - m), min(100, est + m), running, after)
        for est, m, known, running, after in rows
    ]
    root = months(*points)
    for mark in having(root, "pt"):
        x, y = (mark.get("d") or "").removeprefix("M").removesuffix("h0").split()
        assert 0 <= float(x) <= 100
        assert 0 <= float(y) <= 100


def test_axis_names_every_place_up_to_twelve_and_then_fewer() -> None:
    assert str(charts.axis(["Jul", "Aug"])) == '<ol class="xs m2" aria-hidden="true"><li>Jul</li><li>Aug</li></ol>'
    assert str(charts.axis(["0"], bold=True)) == '<ol class="xs m1" aria-hidden="true"><li><b>0</b></li></ol>'
    many = str(charts.axis([str(place) for place in range(36)]))
    assert many.count("<li>") == 36
    assert re.findall(r"<li>(\d+)</li>", many) == [str(place) for place in range(2, 36, 3)]
    assert charts.axis([]) == Markup('<ol class="xs m0" aria-hidden="true"></ol>')


BARS = (14, 9, 13, 21, 24, 49, 70, 158, 224, 298, 404)


def test_columns_are_drawn_as_designed() -> None:
    kinds = ["det"] * 7 + [""] * 2 + ["pro"] * 2
    drawing = str(charts.columns([Column(str(i), count, str(count), kinds[i]) for i, count in enumerate(BARS)], "Answers by score."))
    assert drawing.startswith('<svg class="plot mid" role="img" aria-label="Answers by score."><g aria-hidden="true">')
    assert '<rect class="bar det" x="0.9%" y="97.02%" width="7.29%" height="2.98%" rx="3"/>' in drawing
    assert '<text class="val" x="4.55%" y="97.02%" dy="-6" text-anchor="middle">14</text>' in drawing
    assert '<rect class="bar pro" x="91.81%" y="14%" width="7.29%" height="86%" rx="3"/>' in drawing
    assert drawing.endswith('<line class="gl" x1="0" x2="100%" y1="100%" y2="100%"/></g></svg>')


def test_columns_outline_the_window_before_on_the_same_scale() -> None:
    root = parsed(charts.columns([Column("0", 50, "50", "det", 100), Column("1", 20, "20", "det", 0)], "x"))
    assert [(mark.get("height"), mark.get("y")) for mark in having(root, "was")] == [("86%", "14%")]
    assert [mark.get("height") for mark in having(root, "bar det")] == ["43%", "17.2%"]
    assert [mark.get("y") for mark in having(root, "val")] == ["14%", "82.8%"]


def test_columns_of_nothing_are_flat() -> None:
    assert 'height="0%"' in charts.columns([Column("0", 0, "0")], "x")
    assert charts.columns([], "x").startswith("<svg")


def test_range_is_drawn_on_the_axis_of_its_table() -> None:
    drawing = str(charts.range(30.078125, 23.2, 36.6, 39, (-40, 80)))
    assert '<line class="mid" x1="65.83%" x2="65.83%" y1="0" y2="100%"/>' in drawing
    assert '<circle class="est" cx="58.4%" cy="50%" r="5"/>' in drawing
    assert 'class="range" aria-hidden="true"' in drawing


def test_range_of_few_answers_has_no_point() -> None:
    drawing = str(charts.range(None, -10, 58))
    assert 'class="range few"' in drawing
    assert "circle" not in drawing
    assert "line" not in str(charts.range(None, None, None)).replace('<line class="ax"', "")


@pytest.mark.parametrize(
    ("ends", "axis"), [([13.8, 59, None], (-20, 80)), ([-100, 100], (-100, 100)), ([], (-100, 100)), ([0, 20], (-20, 40))]
)
def test_axis_of_a_table_holds_all_its_ranges(ends: list[float | None], axis: tuple[int, int]) -> None:
    assert charts.range_axis(ends) == axis


def test_bars_are_drawn_as_designed() -> None:
    assert charts.hbar(98.22) == Markup('<svg class="hbar" aria-hidden="true"><rect width="98.2%" height="100%" rx="2"/></svg>')
    assert 'width="100%"' in charts.hbar(130)
    assert 'width="0%"' in charts.hbar(-3)
    assert str(charts.share_bar(702, 382, 200)) == (
        '<svg class="hbar tall" role="img" aria-label="Promoters 54.7 percent, passives 29.8 percent, detractors 15.6 percent">'
        '<rect class="pro" width="54.7%" height="100%"/><rect class="pas" x="54.7%" width="29.8%" height="100%"/>'
        '<rect class="det" x="84.4%" width="15.6%" height="100%"/><rect class="gap" x="54.5%" width="2" height="100%"/>'
        '<rect class="gap" x="84.2%" width="2" height="100%"/></svg>'
    )


def test_share_bar_of_one_group_has_no_gap_and_of_none_says_so() -> None:
    assert "gap" not in charts.share_bar(5, 0, 0)
    assert 'aria-label="No answers"' in charts.share_bar(0, 0, 0)


def test_text_from_outside_is_escaped_and_no_drawing_has_a_style_attribute() -> None:
    nasty = '<b>"x"&\u202e'
    drawings = [
        charts.gauge(1, 0, 2, nasty),
        charts.trend([TrendPoint(nasty, 1, 0, 2)], nasty),
        charts.axis([nasty]),
        charts.columns([Column(nasty, 1, nasty, "det")], nasty),
    ]
    for drawing in drawings:
        ET.fromstring(str(drawing))
        assert '<b>"' not in drawing
        assert "style=" not in drawing
