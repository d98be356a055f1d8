"""Settings, members, keys, guide: by eye and by keyboard, light and dark, wide and narrow."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site, accessible, at_every_width, fits, sign_in

pytestmark = pytest.mark.browser

PAGES = ["set-up", "settings", "settings/audit-log", "members", "api-keys", "you"]


def test_account_pages_are_readable_and_fit(open_page: Callable[..., Page], site: Site) -> None:
    page = open_page()
    sign_in(page, site)
    for path in PAGES:
        page.goto(f"/larkfield/{path}")
        at_every_width(page)


@pytest.mark.parametrize("path", ["/signup", "/forgot"])
def test_door_pages_are_readable_and_fit(open_page: Callable[..., Page], path: str) -> None:
    page = open_page(width=320)
    page.goto(path)
    accessible(page)
    fits(page)


def test_key_is_made_copied_and_revoked(open_page: Callable[..., Page], site: Site) -> None:
    page = open_page()
    sign_in(page, site)
    page.goto("/larkfield/api-keys")
    page.get_by_label("Name").fill("Warehouse")
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose what the key may do")
    expect(page.get_by_role("alert")).to_be_focused()
    accessible(page)
    page.get_by_label("Read contacts").check()
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_text("“Warehouse” is ready.")).to_be_visible()
    accessible(page)
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    page.get_by_role("button", name="Revoke Warehouse").click()
    dialog = page.get_by_role("dialog", name="Revoke “Warehouse”?")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Revoke Warehouse").click()
    page.get_by_role("button", name="Revoke key").click()
    expect(page.get_by_role("status").first).to_contain_text("is revoked")


def test_members_menu_and_search_open_without_a_mouse(open_page: Callable[..., Page], site: Site) -> None:
    page = open_page(width=390)
    sign_in(page, site)
    page.goto("/larkfield/members")
    page.get_by_role("button", name="Open the menu").press("Enter")
    expect(page.get_by_role("link", name="Settings").first).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("searchbox")).to_be_focused()
