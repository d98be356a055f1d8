"""Placeholders hold values, never logic."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nps.core import placeholders
from nps.core.errors import Invalid
from nps.core.placeholders import Slot

NAMES = ["contact.first_name", "contact.name", "contact.company", "product", "sender.name", "account.name", "property.plan"]


def test_a_value_stands_in_the_place_of_its_name() -> None:
    assert (
        placeholders.render("Hi {{ contact.first_name }}, {{product}}!", {"contact.first_name": "Dana", "product": "Ledger"})
        == "Hi Dana, Ledger!"
    )


@pytest.mark.parametrize("empty", [None, "", "  ", "\r\n"])
def test_an_empty_value_gives_the_default(empty: str | None) -> None:
    text = 'Hi {{ contact.first_name | default: "there" }}'
    assert placeholders.render(text, {"contact.first_name": empty}) == "Hi there"
    assert placeholders.render(text, {}) == "Hi there"


@pytest.mark.parametrize("quoted", ['"there"', "'there'", "“there”"])
def test_a_default_may_stand_in_any_quotation_marks(quoted: str) -> None:
    assert placeholders.render("{{contact.first_name|default:" + quoted + "}}", {}) == "there"


def test_a_misspelt_name_is_refused_with_the_right_one() -> None:
    with pytest.raises(Invalid) as refused:
        placeholders.check("Hi {{ contact.frist_name }}", NAMES)
    assert refused.value.message == "There is no placeholder “contact.frist_name”. Did you mean contact.first_name?"


def test_an_unknown_name_without_a_near_one_lists_what_there_is() -> None:
    with pytest.raises(Invalid, match="You can use account.name, contact.company"):
        placeholders.check("{{ zzz }}", NAMES)


@pytest.mark.parametrize(
    "text",
    [
        "{{7*7}}",
        "{{ config }}",
        "{{ contact.__class__ }}",
        "{{ contact.first_name.upper() }}",
        "{{ contact.first_name | upper }}",
        "{{ contact.first_name | default: there }}",
        "{{ contact['first_name'] }}",
        "{{}}",
        "{{ }}",
        "{{{ product }}}",
        "{{ product",
        "{{ product }",
        "{% raw %}",
        "{% for x in y %}{{ x }}{% endfor %}",
        "{# note #}",
    ],
)
def test_logic_of_any_kind_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        placeholders.check(text, NAMES)


@pytest.mark.parametrize("text", ["", "50% off {all} plans }}", "{ product }", "a # b", "100 %"])
def test_single_braces_and_signs_are_plain_text(text: str) -> None:
    placeholders.check(text, NAMES)
    assert placeholders.render(text, {"product": "x"}) == text


@pytest.mark.parametrize("name", ["{{7*7}}", "{{ contact.email }}", "{% raw %}", '{{ product | default: "x" }}'])
def test_a_value_that_looks_like_a_placeholder_appears_literally(name: str) -> None:
    assert placeholders.render("Hi {{ contact.name }}", {"contact.name": name, "product": "no"}) == f"Hi {name}"


def test_values_lose_line_breaks_and_are_cut_at_100() -> None:
    assert placeholders.render("{{ contact.name }}", {"contact.name": "Dana\r\nBcc: x@evil.test\u2028end"}) == "Dana Bcc: x@evil.test end"
    assert placeholders.render("{{ contact.name }}", {"contact.name": "é" * 500}) == "é" * 100
    assert placeholders.render("{{ contact.name }}", {"contact.name": "a\u202egnp.exe"}) == "agnp.exe"


def test_a_template_tells_literal_text_from_slots_so_that_copies_can_be_spliced() -> None:
    template = placeholders.parse('Hi {{ contact.first_name | default: "there" }}!')
    assert template.segments == ("Hi ", Slot("contact.first_name", "there"), "!")
    assert template.names == {"contact.first_name"}
    assert [s if isinstance(s, str) else placeholders.value_of(s, {"contact.first_name": "<b>"}) for s in template.segments] == [
        "Hi ",
        "<b>",
        "!",
    ]


@given(st.text(), st.dictionaries(st.sampled_from(NAMES), st.text()))
def test_a_text_without_double_braces_comes_back_unchanged(text: str, values: dict[str, str]) -> None:
    text = text.replace("{", "(")
    assert placeholders.render(text, values) == text


@given(st.text())
def test_a_cleaned_value_is_one_short_line(value: str) -> None:
    cleaned = placeholders.clean(value)
    assert len(cleaned) <= 100
    assert len(cleaned.splitlines()) <= 1
    assert placeholders.clean(cleaned) == cleaned
