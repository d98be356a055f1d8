"""From a sent campaign to a closed loop, in a real browser: the mail, the number, the thanks, the case, the link, the overview."""

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from nps.campaigns import service as campaigns
from nps.contacts import service as contacts
from nps.core.db import db
from tests.browser.conftest import Site, accessible, fits, sign_in

pytestmark = pytest.mark.browser
PEOPLE = (
    ("Dalia Winter", "dalia@brightoak.example"),
    ("Mabel Osei", "mabel@juniperbooks.example"),
    ("Petra Lund", "petra@quaysidelaw.example"),
)


@pytest.fixture(scope="module")
def sent(site: Site, live_program: None) -> dict[str, str]:
    """Three customers were asked by a campaign; the worker has sent their mails. Numbers of the mails by address."""
    with site.within():
        for name, email in PEOPLE:
            contacts.upsert({"name": name, "email": email, "customer_since": "2024-01-02"})
        campaign = campaigns.create("Autumn relationship survey")
        campaign.send_now = True
        db.session.flush()
        campaigns.launch(campaign.id, by_name="Ines Marchetti")
    return dict(PEOPLE)


def mail_to(page: Page, address: str) -> str:
    """The address of the survey mail in the built-in mailbox, once it is there."""
    for _ in range(150):
        mails = page.request.get("/dev/mail.json").json()
        found = [m["number"] for m in mails if m["to"] == address]
        if found:
            return f"/dev/mail/{found[0]}"
        time.sleep(0.2)
    raise AssertionError(f"no mail came to {address}")


def survey_link(page: Page, address: str, score: int) -> str:
    """The link behind this number in the mail's own bytes."""
    source = page.request.get(mail_to(page, address) + ".eml").text().replace("=\r\n", "").replace("=3D", "=")
    start = source.index("/s/")
    return source[start : source.index("?", start)] + f"?score={score}"


def test_a_promoter_on_a_phone_finds_the_link_at_once(open_page: Callable[..., Page], site: Site, sent: dict[str, str]) -> None:
    page = open_page(width=390)
    page.goto(mail_to(page, "mabel@juniperbooks.example"))
    accessible(page)
    fits(page)
    page.goto(survey_link(page, "mabel@juniperbooks.example", 9))
    expect(page.get_by_role("radio", name="9", exact=True)).to_be_checked()
    accessible(page)
    fits(page)
    page.get_by_role("textbox").fill("I do my books in an hour now.")
    page.get_by_role("button", name="Send my answer").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Thank you, Mabel")
    accessible(page)
    fits(page)
    link = page.locator("#link").get_attribute("data-full") or page.locator("#link").input_value()
    assert "/r/" in link or "/with/" in link
    friend = open_page(width=390)
    friend.goto(link)
    expect(friend.get_by_role("heading", level=1)).to_be_visible()
    accessible(friend)


def test_a_detractor_is_told_who_writes_and_the_case_waits_with_a_clock(
    open_page: Callable[..., Page], site: Site, sent: dict[str, str]
) -> None:
    page = open_page(width=390, dark=True)
    page.goto(survey_link(page, "dalia@brightoak.example", 2))
    page.get_by_role("textbox").fill("The bank feed is disconnected again.")
    page.get_by_role("button", name="Send my answer").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Thank you for telling us straight, Dalia")
    expect(page.get_by_text("will write to")).to_be_visible()
    accessible(page)
    desk = open_page()
    sign_in(desk, site)
    desk.goto("/larkfield/cases")
    expect(desk.get_by_role("link", name="Dalia Winter", exact=True)).to_be_visible()
    accessible(desk)
    desk.get_by_role("link", name="Dalia Winter", exact=True).click()
    expect(desk.get_by_text("The bank feed is disconnected again.").first).to_be_visible()
    accessible(desk)


def test_without_script_at_320_pixels_an_answer_gets_through(open_page: Callable[..., Page], site: Site, sent: dict[str, str]) -> None:
    page = open_page(width=320, script=False)
    page.goto(survey_link(page, "petra@quaysidelaw.example", 8))
    page.get_by_role("textbox").fill("Does the job.")
    page.get_by_role("button", name="Send my answer").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Thank you, Petra")
    assert page.request.get("/larkfield/metrics.json", max_redirects=0).status in (302, 401, 403)


@pytest.mark.parametrize("path", ["", "responses", "campaigns", "contacts", "rewards"])
def test_the_workspace_is_accessible_and_fits(open_page: Callable[..., Page], site: Site, sent: dict[str, str], path: str) -> None:
    page = open_page(width=390)
    sign_in(page, site)
    page.goto(f"/larkfield/{path}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    accessible(page)
    fits(page)
