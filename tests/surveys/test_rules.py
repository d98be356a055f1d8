"""What a member may write in a survey."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nps.surveys import rules

GOOD: dict[str, Any] = {
    **rules.DEFAULTS,
    "product": "Larkfield",
    "whom": "another business owner",
    "from_name": "Ines at Larkfield",
    "sender_name": "Ines Marchetti",
    "sender_role": "Customer lead",
    "thanks_promoter": "",
    "thanks_passive": "",
    "thanks_detractor": "",
    "brand_color": "#14574a",
}


def draft(**changes: Any) -> rules.Draft:
    values = {**GOOD, **changes}
    return rules.Draft(**{**values, "one_tap_options": tuple(values["one_tap_options"])})


def test_what_we_fill_in_for_a_new_survey_passes_its_own_check() -> None:
    assert rules.check(GOOD) == {}
    assert rules.leading(GOOD["subject"], GOOD["preview"], GOOD["intro"]) is None


def test_the_question_is_built_from_product_and_whom_alone() -> None:
    assert rules.question("Larkfield", rules.WHOM[1]) == "How likely are you to recommend Larkfield to another business owner?"
    assert rules.check({"whom": "your worst enemy"})["whom"].startswith("Choose one of: a friend or colleague;")
    assert "question" not in rules.FIELDS
    assert not {"low", "high", "scale", "question"} & set(rules.FIELDS)


@pytest.mark.parametrize("field", list(rules.TEXTS))
@pytest.mark.parametrize("text", ["{{7*7}}", "{% raw %}", "{{ config }}", "{{ contact.email }}", "{{ contact", "{# note #}"])
def test_no_text_field_takes_template_code(field: str, text: str) -> None:
    assert field in rules.check({field: text})


@pytest.mark.parametrize("option", ["{{7*7}}", "{{ contact.first_name }}"])
def test_one_tap_answers_take_no_placeholders(option: str) -> None:
    assert "one_tap_options" in rules.check({"one_tap_options": ["Price", option]})


def test_a_misspelled_placeholder_is_answered_with_the_nearest_right_one() -> None:
    said = rules.check({"subject": "Hi {{ contact.frist_name }}"})["subject"]
    assert said == "There is no placeholder “contact.frist_name”. Did you mean contact.first_name?"


def test_a_placeholder_that_can_be_empty_needs_words_for_that_case() -> None:
    assert "contact.company" in rules.check({"intro": "For {{ contact.company }}"})["intro"]
    assert rules.check({"intro": 'For {{ contact.company | default: "your company" }} and {{ product }}'}) == {}


def test_a_property_of_the_account_is_a_placeholder_and_others_are_not() -> None:
    text = {"intro": 'Your plan is {{ property.plan | default: "your plan" }}.'}
    assert rules.check(text, ["plan"]) == {}
    assert "There is no placeholder “property.plan”" in rules.check(text, ["tier"])["intro"]


@pytest.mark.parametrize("field", list(rules.LIMITS))
def test_each_limit_holds_to_the_character(field: str) -> None:
    most = rules.LIMITS[field]
    assert rules.check({field: "x" * most}) == {}
    assert "Shorten it by 1." in rules.check({field: "x" * (most + 1)})[field]


@pytest.mark.parametrize("field", ["subject", "from_name", "sender_name", "sender_role", "product", "preview"])
@pytest.mark.parametrize("sign", ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"])
def test_lines_that_become_headers_take_no_line_break(field: str, sign: str) -> None:
    assert field in rules.check({field: f"Hello{sign}Bcc: eve@evil.example"})


def test_a_paragraph_may_have_line_ends_but_no_control_characters() -> None:
    assert rules.check({"intro": "One.\nTwo."}) == {}
    assert "intro" in rules.check({"intro": "One.\x0bTwo."})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["one"], "There are 1 answers; write 2 to 8"),
        ([str(n) for n in range(9)], "There are 9 answers"),
        (["Price", "price"], "Two answers are the same"),
        (["a" * 61, "b"], "is longer than 60 characters"),
    ],
)
def test_one_tap_answers_have_limits(options: list[str], words: str) -> None:
    assert words in rules.check({"one_tap_options": options})["one_tap_options"]


def test_a_one_tap_question_without_answers_is_refused_and_none_at_all_is_taken() -> None:
    assert "one_tap_options" in rules.check({"one_tap_question": "What was missing?", "one_tap_options": []})
    assert rules.check({"one_tap_question": "", "one_tap_options": []}) == {}


@pytest.mark.parametrize(
    "text",
    [
        "We hope you will give us a 9 or 10",
        "Please rate us a 10!",
        "Did we earn 5 stars?",
        "Did we earn a five-star rating? ★★★★★",
        "Anything but a perfect score is a failure for us",
        "Get a $10 voucher for your score",
        "Score us and enter the prize draw",
        "A 9/10 would make our day",
        "My bonus depends on your answer",
        "10 out of 10?",
        "Only nine or ten counts as good",
    ],
)
def test_words_that_ask_for_a_good_score_are_found(text: str) -> None:
    assert rules.leading(text)


@pytest.mark.parametrize(
    "text",
    [
        rules.DEFAULTS["preview"],
        "Dana, how are we doing?",
        "Pick a number from 0 to 10.",
        "It takes 10 seconds",
        "We read all 9 answers from your team last year",
        "Larkfield turns 10 this week",
        "One question about {{ product }}",
        "Your answer goes to a person, never to a machine",
        "You have been a customer for 9 years",
        "0-10: one tap is enough",
    ],
)
def test_plain_words_are_left_alone(text: str) -> None:
    assert rules.leading(text) is None


def test_equal_words_have_one_version_and_any_changed_word_makes_another() -> None:
    one, same = rules.wording(draft()), rules.wording(draft())
    assert rules.content_hash(one) == rules.content_hash(dict(reversed(list(same.items()))))
    for change in ({"subject": "Another"}, {"why_promoter": "And why?"}, {"brand_color": None}, {"one_tap_options": ("a", "b")}):
        assert rules.content_hash(rules.wording(draft(**change))) != rules.content_hash(one)


def test_only_the_scored_question_marks_a_break() -> None:
    before = rules.question_hash(rules.wording(draft()))
    assert rules.question_hash(rules.wording(draft(subject="Another", why_detractor="Why?"))) == before
    assert rules.question_hash(rules.wording(draft(product="Larkfield Pro"))) != before
    assert rules.question_hash(rules.wording(draft(whom="a friend or colleague"))) != before


@given(st.text(max_size=400), st.sampled_from(sorted(rules.FIELDS)))
def test_any_text_at_all_gets_a_sentence_or_passes(text: str, field: str) -> None:
    given_value: Any = text.splitlines() if field == "one_tap_options" else text
    for said in rules.check({field: given_value}, ["plan"]).values():
        assert said.strip()
        assert "invalid" not in said.lower()
        assert "failed to" not in said.lower()
