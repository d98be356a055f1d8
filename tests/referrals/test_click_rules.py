"""Clicks: who is a person, and what a burst is."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nps.referrals.rules.clicks import (
    AD_IDS,
    Request,
    Seen,
    Sign,
    Verdict,
    ad_bits,
    ad_names,
    browser,
    bursts,
    click_ref,
    device,
    judge,
    parse_click_ref,
)

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 Version/19.1 Mobile/15E148 Safari/604.1"
DESK = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
T0 = datetime(2026, 10, 6, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "agent", [PHONE, DESK, DESK + " Edg/142.0", "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"]
)
@pytest.mark.parametrize("dest", ["", "document"])
def test_a_browser_that_loads_a_page_is_a_person(agent: str, dest: str) -> None:
    assert judge(Request("GET", agent, fetch_dest=dest)) == (Verdict.HUMAN, Sign.NONE)


@pytest.mark.parametrize(
    ("request_", "sign"),
    [
        (Request("HEAD", DESK), Sign.HEAD),
        (Request("GET", DESK, purpose="prefetch"), Sign.PREFETCH),
        (Request("GET", DESK, purpose="prefetch;prerender"), Sign.PREFETCH),
        (Request("GET", ""), Sign.EMPTY_AGENT),
        (Request("GET", "   "), Sign.EMPTY_AGENT),
        (Request("GET", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"), Sign.LISTED_AGENT),
        (Request("GET", "WhatsApp/2.23.20.0"), Sign.LISTED_AGENT),
        (Request("GET", "facebookexternalhit/1.1"), Sign.LISTED_AGENT),
        (Request("GET", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"), Sign.LISTED_AGENT),
        (Request("GET", "curl/8.5.0"), Sign.LISTED_AGENT),
        (Request("GET", "python-requests/2.34"), Sign.LISTED_AGENT),
        (Request("GET", DESK, fetch_dest="image"), Sign.STUFFED),
        (Request("GET", DESK, fetch_dest="script"), Sign.STUFFED),
        (Request("GET", DESK, fetch_dest="style"), Sign.STUFFED),
        (Request("GET", DESK, fetch_dest="iframe"), Sign.STUFFED),
        (Request("GET", DESK, fetch_dest="empty"), Sign.STUFFED),
    ],
)
def test_each_sign_of_a_machine_makes_a_bot(request_: Request, sign: Sign) -> None:
    verdict, signs = judge(request_)
    assert verdict is Verdict.BOT
    assert sign in signs


def test_odd_and_headless_agents_are_doubtful_not_refused() -> None:
    assert judge(Request("GET", "SomethingNew/1.0")) == (Verdict.SUSPECT, Sign.ODD_AGENT)
    assert judge(Request("GET", DESK.replace("Chrome/", "HeadlessChrome/")))[0] is Verdict.SUSPECT


def test_device_and_browser_are_read() -> None:
    assert (device(PHONE), browser(PHONE)) == ("phone", "safari")
    assert (device(DESK), browser(DESK)) == ("desktop", "chrome")
    assert browser(DESK + " Edg/142.0") == "edge"
    assert (device(""), browser("")) == ("other", "other")


def test_ad_ids_travel_as_bits_and_fbclid_is_not_one() -> None:
    assert ad_names(ad_bits(["GCLID", "utm_source", "twclid"])) == ["gclid", "twclid"]
    assert ad_bits(["fbclid"]) == 0
    assert ad_names(ad_bits(AD_IDS)) == list(AD_IDS)


@given(st.uuids())
def test_a_click_reference_is_26_signs_and_comes_back(click: UUID) -> None:
    ref = click_ref(click)
    assert len(ref) == 26
    assert ref == ref.lower()
    assert parse_click_ref(ref) == click
    assert parse_click_ref(ref.upper()) == click


@given(st.text(max_size=40))
def test_anything_else_is_no_click(text: str) -> None:
    found = parse_click_ref(text)
    assert found is None or click_ref(found) == text.lower()


def test_two_spellings_never_name_one_click() -> None:
    ref = click_ref(UUID(int=5))
    others = [ref[:-1] + c for c in "abcdefghijklmnopqrstuvwxyz234567" if c != ref[-1]]
    found = [parse_click_ref(o) for o in others]
    assert UUID(int=5) not in found


def row(n: int, visitor: str, link: int, seconds: float) -> Seen:
    return Seen(UUID(int=n), visitor, UUID(int=1000 + link), T0 + timedelta(seconds=seconds))


def test_five_clicks_in_ten_seconds_are_fine_and_six_flag_all_of_them() -> None:
    five = [row(n, "v", 1, n * 2) for n in range(5)]
    assert bursts(five) == {}
    six = [row(n, "v", 1, n * 2) for n in range(6)]
    assert set(bursts(six)) == {r.id for r in six}
    assert all(Sign.VISITOR_BURST in s for s in bursts(six).values())


def test_slow_clicks_other_visitors_and_unknown_visitors_are_no_burst() -> None:
    assert bursts([row(n, "v", 1, n * 11) for n in range(50)]) == {}
    assert bursts([row(n, f"v{n}", 1, 0) for n in range(50)]) == {}
    assert bursts([row(n, "", n, 0) for n in range(50)]) == {}


def test_three_links_of_one_account_in_two_seconds_are_a_sweep() -> None:
    assert bursts([row(1, "v", 1, 0), row(2, "v", 2, 1), row(3, "v", 1, 2)]) == {}
    swept = bursts([row(1, "v", 1, 0), row(2, "v", 2, 1), row(3, "v", 3, 2)])
    assert len(swept) == 3
    assert all(Sign.LINK_SWEEP in s for s in swept.values())


@given(st.permutations([row(n, "v", n % 4, n * 1.5) for n in range(8)]))
def test_bursts_do_not_depend_on_the_order_of_rows(rows: list[Seen]) -> None:
    assert bursts(rows) == bursts(sorted(rows, key=lambda r: r.at))
