"""Share buttons and the advocate's own words."""

from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nps.referrals.rules import sharing

LINK = "https://wordback.example/r/maya-7Q2K9D"


def test_each_button_carries_its_own_child_link_and_the_words() -> None:
    made = {w.channel: w.href for w in sharing.ways(LINK, "The books app I use", "Try it & see", sharing.ALL_WAYS)}
    assert made["em"].startswith("mailto:?subject=The%20books%20app%20I%20use&body=Try%20it%20%26%20see")
    assert made["em"].endswith("%2Fr%2Fmaya-7Q2K9D%2Fem")
    assert parse_qs(urlsplit(made["wa"]).query)["text"] == [f"Try it & see\n\n{LINK}/wa"]
    assert unquote(made["tx"]) == f"sms:?body=Try it & see\n\n{LINK}/tx"
    assert parse_qs(urlsplit(made["li"]).query)["url"] == [f"{LINK}/li"]
    assert parse_qs(urlsplit(made["fb"]).query)["u"] == [f"{LINK}/fb"]
    assert parse_qs(urlsplit(made["tg"]).query) == {"url": [f"{LINK}/tg"], "text": ["Try it & see"]}


def test_only_the_four_default_ways_are_shown_unless_more_are_chosen() -> None:
    assert [w.channel for w in sharing.ways(LINK, "s", "t")] == ["em", "wa", "tx", "li"]


@given(st.text(max_size=300), st.text(max_size=100))
def test_no_words_can_break_out_of_an_address(text: str, subject: str) -> None:
    for way in sharing.ways(LINK, sharing.clean_words(subject), sharing.clean_words(text), sharing.ALL_WAYS):
        assert way.href.split(":", 1)[0] in ("mailto", "https", "sms")
        assert not set(way.href) & set(" \"'<>\n\r\t")
        assert way.href.isascii()


def test_hidden_signs_are_taken_out_and_the_rest_stays() -> None:
    assert sharing.clean_words("a\u202eb\u200bc\x00d\r\n\r\n\r\n\r\ne ü 👍 ") == "abcd\n\ne ü 👍"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("I got my Sundays back.", None),
        ("Saved us 3,000 in 2 years, 10/10", None),
        ("Write me: maya@fern.example", "an address"),
        ("see https://evil.example", "an address"),
        ("www.cheap.example is better", "an address"),
        ("go to cheap.biz now", "an address"),
        ("call +1 (207) 555-0142", "a phone number"),
        ("0171 2345678", "a phone number"),
        ("risk-free money", "a word on the list"),
    ],
)
def test_words_with_addresses_numbers_or_listed_words_wait_for_approval(text: str, why: str | None) -> None:
    assert sharing.needs_approval(text) == why


def test_the_disclosure_is_added_once() -> None:
    once = sharing.with_disclosure("Try it.", sharing.DISCLOSURE)
    assert once == "Try it. I get a reward too."
    assert sharing.with_disclosure(once, sharing.DISCLOSURE) == once
    assert sharing.with_disclosure("Try it.", "") == "Try it."
