"""A member launches a campaign through the editor's pages; its customers open the mail on a phone and answer."""

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from nps.contacts import service as contacts
from tests.browser.conftest import Site, accessible, fits, sign_in
from tests.browser.test_whole_way import mail_to

pytestmark = pytest.mark.browser
COMPANY = "Saltmarsh Ferries"
HAPPY, UNHAPPY = ("Rosalind Achterberg", "rosalind@saltmarshferries.example"), ("Thaddeus Moor", "thaddeus@saltmarshferries.example")


@pytest.fixture
def ferries(site: Site, live_program: None) -> None:
    """Two customers of one company that no other journey knows."""
    with site.within():
        for name, email in (HAPPY, UNHAPPY):
            contacts.upsert({"name": name, "email": email, "company": COMPANY, "customer_since": "2024-01-02"})


def launch(desk: Page) -> None:
    """Segment, Who, Message, When, Check and send: by the pages alone."""
    desk.goto("/larkfield/segments/new")
    desk.get_by_label("Name of the segment").fill(COMPANY)
    desk.get_by_label("Value of rule 1").fill(COMPANY)
    desk.get_by_role("button", name="Save the segment").click()
    desk.goto("/larkfield/campaigns/new")
    desk.get_by_label("Name").fill("Ferry check-in")
    desk.get_by_role("button", name="Continue to Who").click()
    desk.get_by_label("Audience").select_option(label=COMPANY)
    expect(desk.locator("#count")).to_contain_text("2")
    accessible(desk)
    desk.get_by_role("button", name="Continue to Message").click()
    accessible(desk)
    desk.get_by_role("button", name="Continue to When").click()
    desk.get_by_label("Send now, whatever the hour").check()
    accessible(desk)
    desk.get_by_role("button", name="Continue to Check and send").click()
    accessible(desk)
    desk.get_by_role("button", name="Start sending to 2 people").click()
    expect(desk.get_by_text("Sending since")).to_be_visible()


def pick(page: Page, email: str, score: int) -> Page:
    """Press the number in the mail as the built-in mailbox shows it; the page that opens."""
    page.goto(mail_to(page, email))
    accessible(page)
    fits(page)
    with page.expect_popup() as opened:
        page.frame_locator("iframe").get_by_role("link", name=re.compile(rf"^{score}\b")).click()
    survey = opened.value
    expect(survey.get_by_role("radio", name=str(score), exact=True)).to_be_checked()
    accessible(survey)
    fits(survey)
    return survey


def test_a_campaign_from_the_editor_to_a_link_and_to_a_case(open_page: Callable[..., Page], site: Site, ferries: None) -> None:
    desk = open_page()
    sign_in(desk, site)
    launch(desk)

    happy = pick(open_page(width=390), HAPPY[1], 9)
    happy.get_by_role("button", name="Send my answer").click()
    expect(happy.get_by_role("heading", level=1)).to_have_text("Thank you, Rosalind. That made our morning.")
    assert "/r/rosalind-" in (happy.locator("#link").get_attribute("data-full") or "")
    accessible(happy)
    fits(happy)

    unhappy = pick(open_page(width=390, dark=True), UNHAPPY[1], 2)
    unhappy.get_by_role("textbox").fill("The noon ferry was booked twice.")
    unhappy.get_by_role("button", name="Send my answer").click()
    expect(unhappy.get_by_role("heading", level=1)).to_have_text("Thank you for telling us straight, Thaddeus.")
    accessible(unhappy)
    fits(unhappy)

    desk.goto("/larkfield/cases")
    row = desk.locator(".q").filter(has_text="Thaddeus Moor")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("The noon ferry was booked twice.")
    expect(row.locator(".clock")).to_be_visible()
    for _ in range(50):
        desk.goto("/larkfield/campaigns")
        desk.get_by_role("link", name="Ferry check-in").first.click()
        if "2 of 2 asked" in desk.locator("#progress").inner_text():
            break
        time.sleep(0.2)
    expect(desk.locator("#progress")).to_contain_text("2 of 2 asked")
