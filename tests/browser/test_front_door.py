"""A member comes in."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site, accessible, fits, sign_in

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_signing_in_and_a_wrong_password(open_page: Callable[..., Page], site: Site, width: int) -> None:
    page = open_page(width=width)
    page.goto("/login")
    accessible(page)
    fits(page)
    page.get_by_label("Work email").fill(site.email)
    page.get_by_label("Password", exact=True).fill("not this one")
    page.get_by_role("button", name="Sign in with password").click()
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    accessible(page)
    sign_in(page, site)
