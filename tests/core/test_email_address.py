"""One address, one form, one sentence for each mistake."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nps.core import email_address
from nps.core.errors import Invalid


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("dana@brightoak.example", "dana@brightoak.example"),
        ("  Dana@BrightOak.Example \t", "Dana@brightoak.example"),
        ("o'neil+news@mail.example.co.uk", "o'neil+news@mail.example.co.uk"),
        ("a@bücher.example", "a@xn--bcher-kva.example"),
        ("a@BÜCHER.example", "a@xn--bcher-kva.example"),
        ("a@straße.example", "a@xn--strae-oqa.example"),
        ("x@例え.テスト", "x@xn--r8jz45g.xn--zckzah"),
        ("x@xn--bcher-kva.example", "x@xn--bcher-kva.example"),
        ("1@2.example", "1@2.example"),
        ("a" * 64 + "@x.test", "a" * 64 + "@x.test"),
    ],
)
def test_plain_addresses_are_stored_trimmed_with_an_ascii_domain(typed: str, stored: str) -> None:
    assert email_address.parse(typed) == stored
    assert email_address.parse(stored) == stored


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("", "No email"),
        ("   ", "No email"),
        ("carla.jimenez.example", "No @ in the email"),
        ("sam@oyelaran.example.", "Email ends in a full stop"),
        ("a@good.test,b@evil.test", "More than one email address"),
        ("a@good.test; b@evil.test", "More than one email address"),
        ("a@good.test b@evil.test", "More than one email address"),
        ("<alice@x.test>bob@evil.test", "More than one email address"),
        ("a@b@c.test", "More than one @ in the email"),
        ("Dana <d@x.test>", "Email has a name with it, write only the address"),
        ('"dana w"@x.test', "Email has quotation marks"),
        ("d@x..test", "Email has two full stops in a row"),
        ("d..w@x.test", "Email has two full stops in a row"),
        (".d@x.test", "Email starts with a full stop"),
        ("d.@x.test", "Email has a full stop before the @"),
        ("d@.x.test", "Email has a full stop after the @"),
        ("@x.test", "Nothing before the @ in the email"),
        ("d@", "Nothing after the @ in the email"),
        ("d@localhost", "Email has no full stop after the @"),
        ("d w@x.test", "Email has a space before the @"),
        ("d@x test.example", "Email has a space after the @"),
        ("d@x.test\r\nBcc: b@evil.test", "Email has a line break or a control character"),
        ("d\x00@x.test", "Email has a line break or a control character"),
        ("d\u2028@x.test", "Email has a line break or a control character"),
        ("rené@x.test", "Email has “é” before the @, only a to z work there"),
        ("d(w)@x.test", "Email has “(” before the @"),
        ("d@x_y.test", "Email has “_” after the @"),
        ("d@-x.test", "Email has a domain that cannot exist"),
        ("d@192.0.2.1", "Email has a number where its domain should be"),
        ("d@[192.0.2.1]", "Email has a number where its domain should be"),
        ("a" * 65 + "@x.test", "Email has more than 64 characters before the @"),
        ("a@" + "b" * 64 + ".test", "Email has a domain that cannot exist"),
        ("a@" + "b." * 130 + "test", "Email is longer than 254 characters"),
    ],
)
def test_each_mistake_has_its_own_short_sentence(typed: str, problem: str) -> None:
    assert email_address.read(typed) == ("", problem)
    assert len(problem) <= 60
    with pytest.raises(Invalid) as refused:
        email_address.parse(typed)
    assert refused.value.fields == {"email": problem}


@given(st.text(max_size=300))
def test_whatever_is_typed_gives_one_clean_address_or_a_short_reason(text: str) -> None:
    address, problem = email_address.read(text)
    if problem is None:
        assert address.isascii()
        assert address.count("@") == 1
        assert len(address) <= 254
        assert not set(address) & set(' ,;<>"\r\n\t')
        assert email_address.read(address) == (address, None)
    else:
        assert address == ""
        assert len(problem) <= 60


@given(st.from_regex(r"[a-z0-9._+'{}-]{1,20}@[a-z0-9.-]{1,20}", fullmatch=True))
def test_the_quick_way_and_the_careful_way_agree(text: str) -> None:
    assert email_address.read(text) == email_address._read_slowly(text)


def test_two_addresses_are_the_same_without_case() -> None:
    assert email_address.key("Dana@Example.test") == email_address.key(email_address.parse("dana@EXAMPLE.test"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("d.a.n.a+news@gmail.com", "Dana@gmail.com"),
        ("dana@googlemail.com", "da.na@gmail.com"),
        ("dana+a@outlook.com", "dana@outlook.com"),
        ("da.na@pm.me", "dana@protonmail.com"),
        ("Dana@x.test", "dana@X.test"),
    ],
)
def test_spellings_of_one_mailbox_reduce_to_one(one: str, other: str) -> None:
    assert email_address.reduced(email_address.parse(one)) == email_address.reduced(email_address.parse(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("da.na@outlook.com", "dana@outlook.com"),
        ("dana+a@x.test", "dana@x.test"),
        ("d.w@x.test", "dw@x.test"),
        ("+a@gmail.com", "@gmail.com"),
    ],
)
def test_only_what_a_provider_is_known_to_ignore_is_left_out(one: str, other: str) -> None:
    assert email_address.reduced(one) != email_address.reduced(other)
