"""Which passwords are taken."""

import unicodedata

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from nps.accounts import passwords
from nps.accounts.service import people
from tests.conftest import OUR_HASHER

EMAIL = "ines@larkfield.example"


@pytest.mark.parametrize(
    "password",
    [
        "twelve chars",
        "vier Äpfel im Korb",
        "пароль из слов и дождя",
        "x7#mQ9!vLp2z",
        "a sentence about my aunt's boat",
        "   leading and trailing   ",
        "😀" * 3 + " is not repeated",
    ],
)
def test_long_and_uncommon_is_taken(password: str) -> None:
    assert passwords.problem(password, EMAIL) is None


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("", "at least 12"),
        ("elevenchars", "at least 12"),
        ("x" * 257, "at most 256"),
        ("x" * 1_000_000, "at most 256"),
        ("PasswordPassword", "Many people"),
        ("Passwordpassword2026!", "Many people"),
        ("qwertyuiopas", "Many people"),
        ("QWERTYUIOP123", "Many people"),
        ("123456789012", "Many people"),
        ("210987654321", "Many people"),
        ("aaaaaaaaaaaa", "Many people"),
        ("abcabcabcabcab", "Many people"),
        ("Changeme!!!!2026", "Many people"),
        ("Letmein12345", "Many people"),
        ("INES@larkfield.example", "email address"),
        ("Ines20262026", "email address"),
    ],
)
def test_short_long_common_or_own_address_is_refused_with_the_reason(password: str, words: str) -> None:
    assert words in (passwords.problem(password, EMAIL) or "")


def test_two_keyboards_give_one_password() -> None:
    assert passwords.normal("ｐａｓｓ ﬁne") == passwords.normal("pass fine")


@given(st.text(max_size=300))
def test_any_text_gets_an_answer(password: str) -> None:
    found = passwords.problem(password, EMAIL)
    assert found is None or found.endswith(".")
    if found is None:
        assert len(passwords.normal(password)) >= 12


def test_list_is_written_without_case_and_repeats() -> None:
    assert all(word == word.casefold() for word in passwords.COMMON)
    assert len(passwords.COMMON) > 150


def test_kept_hash_is_argon2id_of_the_documented_cost_and_fits_both_ways_of_typing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "HASHER", OUR_HASHER)
    kept = people.hash_password(unicodedata.normalize("NFD", "vier Äpfel im Korb"))
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert PasswordHasher().verify(kept, unicodedata.normalize("NFC", "vier Äpfel im Korb"))
