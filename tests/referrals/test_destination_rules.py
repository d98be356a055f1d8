"""Where a link may lead. No hostile `to=` may ever leave the company's own host."""

from itertools import product
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nps.referrals.rules.destinations import allowed, build, host_of, safe_path

HOME = "https://larkfield.example/start?plan=solo"
OURS = {"wb_click": "abc", "via": "maya-7Q2K9D"}


@pytest.mark.parametrize(
    "url",
    [
        "https://larkfield.example",
        "https://app.larkfield.example/start?x=1",
        "https://LARKFIELD.example/",
        "https://larkfield.example:443/",
    ],
)
def test_own_hosts_and_subdomains_are_allowed(url: str) -> None:
    assert allowed(url, ["larkfield.example"])


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://larkfield.example",
        "//larkfield.example",
        "https://larkfield.example.evil.example",
        "https://evil-larkfield.example",
        "https://larkfield.example@evil.example",
        "https://evil.example\\@larkfield.example",
        "https://evil.example/larkfield.example",
        "https://larkfield.example:8443",
        "https://127.0.0.1",
        "https://[::1]/",
        "https://localhost",
        "javascript:alert(1)",
        "https://lark field.example",
        "https://larkfield.example\n.evil.example",
        "https:///larkfield.example",
        "https://" + "a" * 3000 + ".example",
    ],
)
def test_everything_else_is_not(url: str) -> None:
    assert not allowed(url, ["larkfield.example"])


def test_no_verified_domain_allows_nothing() -> None:
    assert not allowed("https://larkfield.example", [])
    assert not allowed("https://larkfield.example", [""])


@pytest.mark.parametrize("path", ["/", "/pricing", "/pricing?plan=team&x=%20y", "/a/b-c_d.html", "/preise/ü"])
def test_plain_paths_are_taken(path: str) -> None:
    assert safe_path(path)


HOSTILE_HEADS = [
    "//",
    "/\\",
    "\\\\",
    "/%2f/",
    "/%5c",
    "/\t/",
    "/\n/",
    "/%0a",
    "/%0d%0a",
    "/ ",
    " //",
    "/.//",
    "/..//",
    "http://",
    "https://",
    "https:",
    "javascript:",
    "data:",
    "/%2F%2F",
    "///",
    "////",
    "/\x00",
    "/%00",
    "\u2028//",
    "/\x85",
]
HOSTILE_TAILS = [
    "evil.example",
    "evil.example/x",
    "evil.example%2f",
    "@evil.example",
    "evil.example?x=1",
    "evil.example#",
    "/evil.example",
    "\\evil.example",
    "evil.example:443",
    "user@evil.example/..",
    "evil。example",
    "xn--evl-0qa.example",
    "evil.example;a",
]
HOSTILE = ["".join(p) for p in product(HOSTILE_HEADS, HOSTILE_TAILS)]


def test_three_hundred_hostile_values_never_leave_the_host() -> None:
    assert len(set(HOSTILE)) >= 300
    for to in HOSTILE:
        location = build(HOME, to, OURS)
        parts = urlsplit(location)
        assert (parts.scheme, parts.netloc) == ("https", "larkfield.example"), to
        assert not parts.path.startswith("//"), to
        assert not set(location) & set("\n\r\t\\"), to


@given(st.text(max_size=600))
def test_no_text_at_all_leaves_the_host(to: str) -> None:
    location = build(HOME, to, OURS)
    assert location.startswith("https://larkfield.example/")
    assert not location.startswith("https://larkfield.example//")
    assert location.isprintable()


def test_a_safe_path_replaces_the_path_and_keeps_the_programs_query() -> None:
    query = parse_qs(urlsplit(build(HOME, "/pricing?plan=evil&ref=x&via=me&wb_click=z", OURS)).query)
    assert query == {"plan": ["solo"], "ref": ["x"], "via": ["maya-7Q2K9D"], "wb_click": ["abc"]}


def test_without_a_path_the_default_is_used_with_our_parameters() -> None:
    assert build(HOME, None, OURS) == "https://larkfield.example/start?plan=solo&wb_click=abc&via=maya-7Q2K9D"


def test_too_long_a_path_falls_back() -> None:
    assert urlsplit(build(HOME, "/" + "a" * 512, OURS)).path == "/start"


def test_hosts_outside_ascii_are_compared_in_their_ascii_form() -> None:
    assert host_of("https://bücher.example/") == "xn--bcher-kva.example"


def test_the_shop_of_the_demo_keeps_its_port_and_plain_http() -> None:
    shop = "http://127.0.0.1:4000/shop"
    assert allowed(shop, ["127.0.0.1:4000"])
    assert build(shop, None, OURS) == "http://127.0.0.1:4000/shop?wb_click=abc&via=maya-7Q2K9D"
    for other in (
        "http://127.0.0.1:4001/shop",
        "http://127.0.0.1:4000@evil.example/",
        "http://127.0.0.1:4000.evil.example/",
        "http://localhost:4000/",
    ):
        assert not allowed(other, ["127.0.0.1:4000"])


def test_an_address_with_letters_of_the_world_becomes_a_header_of_ascii() -> None:
    found = build("https://l\u00e4rkfield.example/\u65e5\u672c?q=\u00fc#\u00e9", None, OURS)
    assert found.isascii()
    assert found.startswith("https://xn--lrkfield-0za.example/%E6%97%A5%E6%9C%AC?q=%C3%BC&")
    assert build("https://larkfield.example/a%20b?x=1#top", None, {}) == "https://larkfield.example/a%20b?x=1#top"
