"""A friend follows a promoter's link, leaves an address, pays at the shop's Checkout; the promoter's reward waits for approval."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from nps.contacts import service as contacts
from nps.core.db import db
from nps.jobs.models import InboxEvent
from nps.referrals import queries, service
from nps.referrals.models import Conversion, Referral
from nps.rewards.models import LedgerLine
from tests.browser.conftest import Site, accessible, fits, sign_in
from tests.browser.test_whole_way import mail_to

pytestmark = pytest.mark.browser
FRIEND = "winifred@tidewatercafe.example"


@pytest.fixture
def link(site: Site, live_program: None) -> str:
    """Marguerite shares; her link."""
    with site.within():
        contact, _ = contacts.upsert(
            {"name": "Marguerite Fontaine", "email": "marguerite@fontaine.example", "customer_since": "2024-01-02"}
        )
        advocate = service.enrol(contact.id, "hand").advocate
        assert advocate is not None
        return queries.link_address(queries.link_of(advocate.id))


def way_in(page: Page) -> str:
    """The address in the friend's mail."""
    text = page.request.get(mail_to(page, FRIEND) + "?view=text").text()
    start = text.index("/shop?")
    return text[text.rindex("http", 0, start) : text.index("\n", start)].replace("&amp;", "&").strip()


def facts(site: Site) -> dict[str, Any]:
    """What is stored of the sale."""
    with site.within():
        sale = db.session.scalars(select(Conversion)).one()
        referral = db.session.scalars(select(Referral)).one()
        done = select(InboxEvent.kind).where(InboxEvent.state == "done", InboxEvent.source.startswith("stripe:"))
        return {
            "gross": sale.gross,
            "tied": sale.referral_id == referral.id,
            "channel": referral.channel,
            "state": referral.state,
            "told": db.session.scalars(done).all(),
            "ledger": db.session.scalar(select(func.sum(LedgerLine.amount))),
        }


def test_a_friend_pays_and_the_reward_waits_on_the_rewards_page(open_page: Callable[..., Page], site: Site, link: str) -> None:
    friend = open_page(width=390)
    friend.goto(f"{link}/wa")
    expect(friend.get_by_role("heading", level=1)).to_contain_text("Marguerite thought of you.")
    friend.get_by_label("Work email").press("Enter")
    expect(friend.get_by_role("alert")).to_be_focused()
    expect(friend.get_by_role("alert")).to_contain_text("Type your work email.")
    accessible(friend)
    friend.get_by_role("link", name="Type your work email.").press("Enter")
    expect(friend.get_by_label("Work email")).to_be_focused()
    friend.keyboard.type(FRIEND)
    friend.keyboard.press("Enter")
    expect(friend.get_by_role("heading", level=1)).to_have_text("Check your email")
    accessible(friend)
    fits(friend)
    friend.goto(way_in(friend))
    friend.get_by_role("button", name="Buy for 120.00 USD").click()
    friend.get_by_label("Email").fill(FRIEND)
    friend.get_by_label("Name on card").fill("Winifred Gale")
    friend.get_by_role("button", name="Pay 120.00 USD").click()
    expect(friend.get_by_role("heading", level=1)).to_have_text("Thank you. You are in.")
    desk = open_page()
    sign_in(desk, site)
    waiting = desk.get_by_role("row").filter(has_text="Marguerite Fontaine")
    for _ in range(100):
        desk.goto("/larkfield/rewards")
        if waiting.count():
            break
        time.sleep(0.2)
    expect(waiting).to_contain_text("Winifred Gale")
    expect(waiting).to_contain_text("$50")
    expect(waiting.get_by_role("button", name="Approve reward for Marguerite Fontaine")).to_be_visible()
    accessible(desk)
    waiting.get_by_role("link", name="Marguerite Fontaine", exact=True).click()
    expect(desk.get_by_text("Pending.", exact=False).first).to_be_visible()
    expect(desk.get_by_text("Credited to the person who shared").first).to_be_visible()
    accessible(desk)
    assert facts(site) == {
        "gross": 12_000,
        "tied": True,
        "channel": "wa",
        "state": "qualified",
        "told": ["checkout.session.completed"],
        "ledger": 0,
    }
