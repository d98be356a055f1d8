"""What may be asked, what is refused by name, and that a question survives its own address."""

from datetime import date, timedelta
from urllib.parse import parse_qsl
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nps.analytics.rules.filters import Condition, Filters, Window, read
from nps.core.errors import Invalid

TODAY = date(2026, 10, 6)
CAMPAIGN = UUID("01900000-0000-7000-8000-000000000001")


def asked(query: str) -> Filters:
    return read(parse_qsl(query, keep_blank_values=True), TODAY)


def refused(query: str) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        asked(query)
    assert caught.value.status == 422
    return caught.value.fields


def test_nothing_asked_is_the_last_90_days_with_today() -> None:
    filters = asked("")
    assert filters == Filters(Window(date(2026, 7, 9), TODAY))
    assert (filters.window.days, filters.series, filters.unit, filters.query()) == (90, "relationship", "response", "")


@pytest.mark.parametrize(("days", "first"), [(30, date(2026, 9, 7)), (90, date(2026, 7, 9)), (365, date(2025, 10, 7))])
def test_presets_end_today(days: int, first: date) -> None:
    assert asked(f"p={days}").window == Window(first, TODAY)


def test_window_before_has_the_same_length_and_shares_no_day() -> None:
    window = asked("p=90").window
    assert window.before == Window(date(2026, 4, 10), date(2026, 7, 8))
    assert window.before.days == window.days


def test_own_window_of_one_day_and_one_with_an_open_end() -> None:
    assert asked("from=2026-09-30&to=2026-09-30").window.days == 1
    assert asked("from=2026-09-01").window == Window(date(2026, 9, 1), TODAY)
    assert asked("to=2026-09-30").window == Window(date(2026, 7, 3), date(2026, 9, 30))


def test_everything_at_once() -> None:
    filters = asked(
        f"from=2026-09-01&to=2026-09-30&series=event&unit=contact&campaign={CAMPAIGN}&f=plan:is:Growth&f=channel:is:email&by=region"
    )
    assert filters.campaign == CAMPAIGN
    assert filters.conditions == (Condition("plan", "Growth"), Condition("channel", "email"))
    assert filters.properties == (Condition("plan", "Growth"),)
    assert filters.value_of("channel") == "email"
    assert (filters.series, filters.unit, filters.by) == ("event", "contact", "region")


def test_values_keep_colons_spaces_and_emptiness() -> None:
    assert asked("f=role:is:Owner:%20all%20of%20it&f=plan:is:").conditions == (Condition("role", "Owner: all of it"), Condition("plan", ""))


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("form=2026-01-01", "form"),
        ("group=pro", "group"),
        ("p=45", "p"),
        ("p=30&from=2026-09-01", "p"),
        ("from=2026-10-02&to=2026-10-01", "from"),
        ("from=2010-01-01&to=2026-10-01", "from"),
        ("from=2026-10-07&to=2026-10-08", "from"),
        ("from=0001-01-01&to=0001-01-02", "from"),
        ("from=yesterday", "from"),
        ("from=2026-2-3", "from"),
        ("from=٢٠٢٦-01-01", "from"),
        ("to=2026-02-30", "to"),
        ("to=0001-01-01", "from"),
        ("series=all", "series"),
        ("unit=household", "unit"),
        ("kind=csat", "kind"),
        ("campaign=7", "campaign"),
        ("by=Plan", "by"),
        ("by=%3Cscript%3E", "by"),
        ("f=plan", "f"),
        ("f=plan:Growth", "f"),
        ("f=plan:over:3", "f"),
        ("f=Plan:is:Growth", "f"),
        ("f=plan:is:Growth&f=plan:is:Scale", "f"),
        ("f=plan:is:" + "x" * 501, "f"),
        ("f=plan:is:%00", "f"),
        ("&".join(f"f=k{i}:is:1" for i in range(9)), "f"),
        ("series=event&series=recovery", "series"),
    ],
)
def test_what_makes_no_question_is_refused_by_name(query: str, name: str) -> None:
    assert name in refused(query)


def test_unknown_names_have_their_own_code() -> None:
    with pytest.raises(Invalid) as caught:
        asked("window=30&p=nonsense")
    assert caught.value.code == "unknown_parameter"
    assert set(caught.value.fields) == {"window"}
    assert read([("c", "det")], TODAY, also=["c"]) == asked("")


def test_refusals_do_not_repeat_control_characters() -> None:
    assert "\n" not in refused("series=a%0Ab")["series"]
    assert refused("series=" + "x" * 100)["series"].startswith("“" + "x" * 60 + "…”")


def test_links_change_one_thing_and_keep_the_rest() -> None:
    filters = asked("from=2026-09-01&to=2026-09-30&f=plan:is:A%26B")
    assert filters.query(by="region") == "?from=2026-09-01&to=2026-09-30&f=plan%3Ais%3AA%26B&by=region"
    assert filters.query(p="30") == "?f=plan%3Ais%3AA%26B&p=30"
    assert asked("p=365&by=plan").query(by=None) == "?p=365"
    assert filters.over(filters.window.before).query().startswith("?from=2026-08-02&to=2026-08-31")


def test_window_is_complete_when_its_last_day_is_over() -> None:
    assert Window(TODAY, TODAY).is_complete(TODAY + timedelta(days=1))
    assert not Window(TODAY, TODAY).is_complete(TODAY)


values = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=40)
questions = st.builds(
    Filters,
    window=st.builds(lambda last, days: Window(last - timedelta(days=days), last), st.dates(date(2015, 1, 1), TODAY), st.integers(0, 900)),
    series=st.sampled_from(["relationship", "event", "recovery"]),
    unit=st.sampled_from(["response", "contact"]),
    campaign=st.none() | st.just(CAMPAIGN),
    conditions=st.lists(
        st.builds(Condition, st.sampled_from(["plan", "region", "channel"]), values), max_size=3, unique_by=lambda c: c.key
    ).map(tuple),
    by=st.none() | st.just("plan"),
)


@given(questions)
def test_a_question_is_read_back_from_its_own_address(question: Filters) -> None:
    assert asked(question.query().removeprefix("?")) == question


@given(st.lists(st.tuples(st.sampled_from(["from", "to", "p", "f", "by", "unit", "campaign", "series"]), st.text(max_size=30)), max_size=6))
def test_any_input_is_a_question_or_a_refusal(pairs: list[tuple[str, str]]) -> None:
    named: dict[str, str] = {"": ""}
    try:
        read(pairs, TODAY)
    except Invalid as error:
        named = error.fields
    assert named
