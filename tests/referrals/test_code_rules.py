"""Codes: the alphabet, the slug, reading what people type."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nps.core import ids
from nps.referrals.rules import codes


def test_the_alphabet_has_28_signs_without_vowels_and_look_alikes() -> None:
    assert len(set(codes.ALPHABET)) == len(codes.ALPHABET) == 28
    assert not set(codes.ALPHABET) & set("AEIOU01L")


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Maya", "maya"),
        ("  Maya Okafor ", "maya"),
        ("José", "jose"),
        ("Łukasz", "lukasz"),
        ("Søren", "soren"),
        ("Weiß", "weiss"),
        ("Jean-Pierre", "jeanpierre"),
        ("O'Neil", "oneil"),
        ("李", ""),
        ("Ж", ""),
        ("J", ""),
        ("", ""),
        ("maya@fern.example", ""),
        ("maya.okafor", ""),
        ("maya2", ""),
        ("Wolfeschlegelsteinhausenbergerdorff", "wolfeschlegelsteinha"),
        ("Bitchy", ""),
    ],
)
def test_the_slug_is_the_folded_first_name_or_nothing(name: str, slug: str) -> None:
    assert codes.slug(name) == slug


@given(st.text(max_size=60))
def test_a_slug_is_always_2_to_20_letters_or_empty(name: str) -> None:
    slug = codes.slug(name)
    assert slug == "" or (2 <= len(slug) <= 20 and slug.isascii() and slug.isalpha() and slug.islower())


@pytest.mark.parametrize(
    "typed",
    [
        "maya-7Q2K9D",
        "MAYA-7Q2K9D",
        "maya7q2k9d",
        " maya - 7q2k9d ",
        "maya-7Q2-K9D",
        "ｍａｙａ－７Ｑ２Ｋ９Ｄ",
        "maya–7Q2K9D",
        "maya\u00a07Q2K9D",
    ],
)
def test_all_spellings_of_a_code_have_one_key(typed: str) -> None:
    assert codes.key(typed) == "MAYA7Q2K9D"


@pytest.mark.parametrize(
    "typed",
    ["", "-", "abc", "maya_7Q2K9D", "maya/7Q2K9D", "má-7Q2K9D", "maya\x007Q2K9D", "x" * 41, "x" * 5000, "<script>", "%00", "../../x"],
)
def test_what_cannot_be_a_code_has_no_key(typed: str) -> None:
    assert codes.key(typed) is None


@given(st.text(max_size=200))
def test_reading_a_code_never_fails(typed: str) -> None:
    key = codes.key(typed)
    assert key is None or (4 <= len(key) <= codes.KEY_MAX and codes.key(key) == key)


def test_ten_thousand_codes_carry_nothing_of_an_address_and_hardly_clash() -> None:
    """The local part of the address is not the first name, so no 4 letters of it may appear."""
    local = "bluewhale77"
    pieces = {local[i : i + 4].upper() for i in range(len(local) - 3)}
    keys = set()
    for _ in range(10_000):
        part = ids.new_code(codes.ALPHABET, codes.SHORT)
        code = codes.compose(codes.slug("Maya"), part)
        assert set(part) <= set(codes.ALPHABET)
        # b-l-u-e has vowels and an l, so no piece of it can be drawn from the alphabet.
        assert not any(piece in code.upper() for piece in pieces)
        keys.add(codes.key(code))
    # 28^6 = 481 million: the expected number of equal pairs among 10,000 is 0.1.
    assert len(keys) >= 9_997


@pytest.mark.parametrize(
    ("text", "channel"), [(None, ""), ("", ""), ("wa", "wa"), ("WA", "wa"), ("zz", "other"), ("x" * 500, "other"), ("qr", "qr")]
)
def test_an_unknown_channel_is_other_never_an_error(text: str | None, channel: str) -> None:
    assert codes.channel(text) == channel


def test_own_channels_of_an_account_are_known() -> None:
    assert codes.channel("nl", frozenset({"nl"})) == "nl"


@pytest.mark.parametrize("good", ["fern-and-fable", "maya2026", "four"])
def test_vanity_slugs_that_are_fine(good: str) -> None:
    assert codes.vanity_problem(good) is None


@pytest.mark.parametrize(
    "bad", ["abc", "Fern", "fern_fable", "-fern", "fern-", "admin", "ad-min", "x" * 31, "f---", "ém-ile", "shit-happens"]
)
def test_vanity_slugs_that_are_refused(bad: str) -> None:
    assert codes.vanity_problem(bad)
