"""A member works the list by keyboard and answers a customer, with script and without."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from nps.accounts.models import Membership
from nps.contacts import service as contacts
from nps.core import clock
from nps.core.db import db
from nps.followups import service as followups
from tests.browser.conftest import Site, accessible, fits, sign_in

pytestmark = pytest.mark.browser


@pytest.fixture
def waiting(site: Site) -> list[str]:
    """Three customers of this test wait for a reply; their names, the first due first."""
    stamp = f"{clock.now():%H%M%S%f}"
    names = [f"{name} {stamp}" for name in ("Dana Whitfield", "Hollis Grant", "Olek Nowak")]
    with site.within():
        owner = db.session.scalars(select(Membership).order_by(Membership.created_at)).first()
        queue = followups.default_queue()
        queue.most_new_a_day, queue.most_open = 200, 500
        for minutes, name in zip((30, 60, 90), names, strict=True):
            contact, _ = contacts.upsert(
                {"name": name, "email": f"{name.replace(' ', '.').lower()}@brightoak.example", "company": "Bright Oak Dental"}
            )
            followups.open_case(
                contact.id, None, started_at=clock.now(), score=3, kind="hand", target_minutes=minutes, owner_id=owner.id if owner else None
            )
    return names


def test_the_list_is_worked_by_keyboard(open_page: Callable[..., Page], site: Site, waiting: list[str]) -> None:
    page = open_page()
    sign_in(page, site)
    page.goto(f"/larkfield/cases?q={waiting[0].split()[-1]}")
    accessible(page)
    first, second = (page.get_by_role("link", name=name) for name in waiting[:2])
    page.keyboard.press("j")
    expect(first).to_be_focused()
    page.keyboard.press("j")
    expect(second).to_be_focused()
    page.keyboard.press("x")
    expect(page.get_by_label(f"Select {waiting[1]}")).to_be_checked()
    page.keyboard.press("k")
    expect(first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(waiting[0])
    page.keyboard.press("j")  # the keys belong to the list alone
    expect(page.get_by_role("heading", level=1)).to_have_text(waiting[0])


@pytest.mark.parametrize(("width", "script"), [(1280, True), (390, True), (320, False)])
def test_a_customer_is_answered_and_the_reply_taken_back(
    open_page: Callable[..., Page], site: Site, waiting: list[str], width: int, script: bool
) -> None:
    page = open_page(width=width, script=script)
    sign_in(page, site)
    page.goto("/larkfield/cases")
    if script:
        accessible(page)
        fits(page)
    page.get_by_role("link", name=waiting[0]).click()
    if script:
        accessible(page)
        fits(page)
    page.get_by_label("Your reply").fill("The fix goes out at noon.")
    page.get_by_role("button", name="Send and wait for Dana").click()
    expect(page.get_by_role("status").first).to_contain_text("The clock has stopped")
    expect(page.get_by_role("list", name="History, oldest first")).to_contain_text("The fix goes out at noon.")
    page.get_by_role("button", name="Undo").last.click()
    expect(page.get_by_role("status").first).to_contain_text("Taken back")


def test_other_pages_of_follow_ups_can_be_read_by_everybody(open_page: Callable[..., Page], site: Site, waiting: list[str]) -> None:
    page = open_page(width=390)
    sign_in(page, site)
    page.goto("/larkfield/cases")
    page.get_by_role("link", name=waiting[0]).click()
    case = page.url
    addresses: list[Any] = [
        f"{case}/closure",
        f"{case}?compose=contact",
        f"{case}?compose=note",
        "/larkfield/queues",
        "/larkfield/queues/new",
    ]
    for address in [
        *addresses,
        "/larkfield/saved-replies/new",
        "/larkfield/causes",
        "/larkfield/causes/new",
        "/larkfield/cases?filter=1&sort=worth",
    ]:
        page.goto(address)
        accessible(page)
        fits(page)
