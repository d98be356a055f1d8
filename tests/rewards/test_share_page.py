"""The share page: reached by a link, kept by a cookie, telling dates and never names."""

import re
from typing import Any

import pytest
from sqlalchemy import func, select

from nps.core import clock as product_clock
from nps.core import tenancy
from nps.core.db import db
from nps.delivery.models import Message
from nps.referrals import queries as referral_queries
from nps.referrals import service as referrals
from nps.referrals.models import Advocate, Share
from nps.referrals.rules.advocates import AdvocateState
from nps.rewards import service
from nps.rewards.models import Reward
from tests.referrals.world import Shop, click, live_program, promoter, tell

MARKER = "Zzyzx"


@pytest.fixture
def maya(account: Any) -> Any:
    live_program(account, milestones=[[3, "a free month"], [5, "a free month"]])
    return promoter(name="Maya Okafor")


def way_in(advocate: Advocate) -> str:
    """The path of the link a mail carries."""
    address = referral_queries.portal_address(referrals.portal(advocate, product_clock.now()))
    db.session.commit()
    return address.removeprefix("http://localhost")


@pytest.fixture
def browser(client: Any, maya: Any) -> Any:
    assert client.get(way_in(maya)).headers["Location"] == "/p"
    return client


def form(browser: Any) -> str:
    found = re.search(r'name="token" value="([^"]+)"', browser.get("/p").get_data(as_text=True))
    assert found
    return found.group(1)


def advocate() -> Advocate:
    db.session.expire_all()
    return db.session.scalars(select(Advocate)).one()


def test_the_link_sets_a_cookie_and_leaves_no_token_in_the_address(client: Any, maya: Any) -> None:
    path = way_in(maya)
    for _ in range(3):  # scanners open it too
        answer = client.get(path)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/p")
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Path=/p" in cookie
        assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert advocate().state == AdvocateState.INVITED


def test_the_page_shows_offer_link_ways_progress_and_questions(browser: Any, maya: Any) -> None:
    page = browser.get("/p").get_data(as_text=True)
    code = referral_queries.link_of(maya.id).code
    for words in (
        "Give a free month. Get $50.",
        "Maya’s page",
        f'value="localhost/r/{code}"',
        f'data-full="http://localhost/r/{code}"',
        f"{code}%2Fwa",
        "mailto:?subject=",
        "sms:?body=",
        "linkedin.com/sharing/share-offsite",
        "Three friends away from a free month",
        "Progress to rewards: 0 of 5 friends",
        "Your third and fifth friend each add a free month on top of the credit.",
        "Up to $1,000 in a calendar year.",
        "We show dates, not names",
        'role="img" aria-label="QR code for your link"',
    ):
        assert words in page, words


def test_friends_appear_by_date_and_state_and_never_by_name_or_amount(browser: Any, maya: Any, clock: Any) -> None:
    shop = Shop()
    tell(shop.binding(click(maya), email=f"{MARKER}@{MARKER}.example"), shop.sale(gross=98_765_400, net=98_765_400))
    referrals.claim(referral_queries.link_of(maya.id), f"other{MARKER}@{MARKER}two.example")
    db.session.commit()
    page = browser.get("/p").get_data(as_text=True)
    assert "$50 on its way" in page
    assert "Invited" in page
    assert "<dt>On its way</dt><dd>$50</dd>" in page
    assert MARKER not in page
    assert "987,654" not in page
    reward = db.session.scalars(select(Reward)).one()
    service.approve(reward.id, maya.id, "Ines")
    clock.move(days=15)
    with tenancy.account_scope(maya.account_id):
        service.close_holds()
        service.mark_paid(reward.id, "Ines")
    client_page = _again(browser, maya).get_data(as_text=True)
    assert "$50 credited" in client_page
    assert "<dt>Credited</dt><dd>$50</dd>" in client_page


def _again(browser: Any, advocate_: Advocate) -> Any:
    browser.get(way_in(advocate_))
    return browser.get("/p")


def test_a_declined_reward_shows_its_reason(browser: Any, maya: Any) -> None:
    shop = Shop()
    tell(shop.binding(click(maya)), shop.sale())
    service.decline(db.session.scalars(select(Reward.id)).one(), "Ines", "own_purchase")
    db.session.commit()
    page = browser.get("/p").get_data(as_text=True)
    assert "Does not count" in page
    assert "This was your own purchase" in page


def test_a_reward_being_checked_says_why_in_the_advocates_words(browser: Any, maya: Any) -> None:
    shop = Shop()
    tell(shop.binding(click(maya, ad_bits=1)), shop.sale())
    db.session.commit()
    page = browser.get("/p").get_data(as_text=True)
    assert "$50 being checked" in page
    assert "The visit came from a paid ad. Answer by" in page


def test_saving_words_makes_the_advocate_active_and_changes_every_button(browser: Any) -> None:
    answer = browser.post("/p/words", data={"token": form(browser), "words": "Best books app & I mean it"})
    assert answer.status_code == 303
    page = browser.get("/p").get_data(as_text=True)
    assert page.count("Best%20books%20app%20%26%20I%20mean%20it%20I%20get%20a%20reward%20too.") == 3
    assert (advocate().state, advocate().words_state) == ("active", "shown")
    assert advocate().accepted_version_id is not None
    browser.post("/p/words", data={"token": form(browser), "do": "reset"})
    assert (advocate().words, advocate().words_state) == ("", "default")


def test_words_with_an_address_wait_and_the_first_words_go_out(browser: Any) -> None:
    browser.post("/p/words", data={"token": form(browser), "words": "See www.cheap.example now"})
    page = browser.get("/p").get_data(as_text=True)
    assert advocate().words_state == "waiting"
    assert "Larkfield reads it first" in page
    assert "cheap.example" not in "".join(re.findall(r'href="[^"]+"', page))
    referrals.judge_words(advocate(), shown=True)
    db.session.commit()
    assert "cheap.example" in "".join(re.findall(r'href="[^"]+"', browser.get("/p").get_data(as_text=True)))


def test_too_many_words_are_kept_in_the_field_with_the_reason(browser: Any) -> None:
    answer = browser.post("/p/words", data={"token": form(browser), "words": "x" * 501})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert "x" * 501 in page
    assert "501 characters" in page
    assert advocate().words == ""


def test_shares_are_counted_once_per_channel_and_ten_minutes(browser: Any, clock: Any) -> None:
    token = form(browser)
    for _ in range(3):
        assert browser.post("/p/shares", data={"token": token, "channel": "wa"}).status_code == 204
    browser.post("/p/shares", data={"token": token, "channel": "em"})
    clock.move(minutes=11)
    browser.post("/p/shares", data={"token": token, "channel": "wa"})
    assert sorted(db.session.scalars(select(Share.channel))) == ["em", "wa", "wa"]
    assert advocate().state == "active"


@pytest.mark.parametrize("path", ["/p/words", "/p/shares", "/p/leaving", "/p/closing", "/p/return"])
def test_no_post_without_the_pages_own_token(browser: Any, path: str) -> None:
    assert browser.post(path, data={"words": "x", "channel": "wa"}).status_code == 400
    assert (advocate().state, advocate().portal_epoch) == ("invited", 0)
    assert db.session.scalar(select(func.count()).select_from(Share)) == 0


def test_leaving_takes_one_press_and_is_undone_by_another(browser: Any, maya: Any) -> None:
    token = form(browser)
    browser.post("/p/leaving", data={"token": token})
    assert advocate().state == "left"
    assert "You have left the program" in browser.get("/p").get_data(as_text=True)
    browser.post("/p/return", data={"token": token})
    assert advocate().state == "invited"


def test_somebody_removed_reads_the_reason(browser: Any, maya: Any) -> None:
    referrals.remove(maya, "Ines", "The link was posted as an ad")
    db.session.commit()
    assert "The link was posted as an ad" in browser.get("/p").get_data(as_text=True)


def test_closing_every_link_shuts_this_browser_and_the_mailed_links(browser: Any, maya: Any) -> None:
    path = way_in(maya)
    browser.post("/p/closing", data={"token": form(browser)})
    assert browser.get("/p").status_code == 410
    assert browser.get(path).status_code == 410
    assert browser.get(way_in(advocate())).status_code == 303


def test_an_old_link_offers_a_new_one_and_answers_everybody_alike(client: Any, maya: Any, clock: Any) -> None:
    path = way_in(maya)
    clock.move(days=31)
    assert client.get(path).status_code == 410
    answers = {
        client.post(f"{path}/renewal", data={"email": email}).get_data(as_text=True)
        for email in ("maya@fern.example", "nobody@x.example", "")
    }
    assert len({re.sub(r'nonce="[^"]+"', "", a) for a in answers}) == 1
    (mail,) = db.session.scalars(select(Message))
    assert mail.to_email == "maya@fern.example"
    new = re.search(r"http://localhost(/p/\S+)", mail.body_text or "")
    assert new
    assert client.get(new.group(1)).status_code == 303


@pytest.mark.parametrize("cookie", ["", "x", "x.y", "a.b.c.d.e"])
def test_without_the_cookie_there_is_nothing(client: Any, maya: Any, cookie: str) -> None:
    client.set_cookie("wb_p", cookie, path="/p")
    assert client.get("/p").status_code == 410
    assert client.get("/p/x" * 5).status_code == 404


def test_the_cookie_ends_after_twelve_hours(browser: Any, clock: Any) -> None:
    clock.move(hours=11, minutes=59)
    assert browser.get("/p").status_code == 200
    clock.move(minutes=2)
    assert browser.get("/p").status_code == 410


def test_the_code_comes_as_drawing_and_as_picture(browser: Any) -> None:
    drawing = browser.get("/p/qr.svg")
    assert drawing.mimetype == "image/svg+xml"
    assert drawing.data.startswith(b"<?xml")
    for pixels in (256, 2048):
        picture = browser.get(f"/p/qr.png?px={pixels}")
        assert picture.data.startswith(b"\x89PNG")
        side = int.from_bytes(picture.data[16:20], "big")
        assert pixels * 0.8 <= side <= pixels
    assert browser.get("/p/qr.png?px=99999999").status_code == 200


def test_terms_are_shown_with_their_version(browser: Any) -> None:
    page = browser.get("/p/terms").get_data(as_text=True)
    assert "Share with people you know." in page
    assert "Version 1" in page
