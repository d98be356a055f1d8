"""A real Chromium against a real installation: web process, worker, built-in mailbox, the stand-in for Stripe."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from nps.accounts import service as accounts
from nps.app import put_in_force
from nps.core import clock, tenancy
from nps.core import db as database
from nps.core.db import db
from nps.core.ports import Ports
from nps.delivery.models import SenderDomain
from nps.referrals import service as referrals
from nps.rewards import service as rewards
from nps.rewards.service import stripe
from tests import services
from tests.doubles.stripe.server import StripeDouble
from tests.installation import Installation, free_port, installation

PASSWORD = "correct horse battery staple"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Site:
    """A running installation with the company Larkfield; `within()` gives its application with Larkfield in scope."""

    base: str
    made: Installation
    account_id: UUID
    stripe: StripeDouble
    email: str = "ines@larkfield.example"
    password: str = PASSWORD

    @contextmanager
    def within(self) -> Iterator[None]:
        """A unit of work in its database, with its settings and keys: other tests of this process have put theirs in force."""
        put_in_force(self.made.app.extensions["settings"], Ports())
        with self.made.app.app_context(), tenancy.account_scope(self.account_id), database.unit():
            yield


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """One for all journeys of this process; each journey makes its own people."""
    port = free_port()
    with (
        StripeDouble() as double,
        installation(
            base_url=f"http://127.0.0.1:{port}",
            signup="open",
            demo="true",
            inbound_secret="inbound secret of the journeys",
            outgoing_allow=f"127.0.0.1:{port},127.0.0.1:{double.url.rsplit(':', 1)[1]}",
            stripe_api_base=double.url,
        ) as made,
    ):
        with made.app.app_context():
            database.begin_writing()
            owner = accounts.create_user("ines@larkfield.example", "Ines Marchetti", PASSWORD)
            account = accounts.create_account(
                "Larkfield",
                owner,
                slug="larkfield",
                state="active",
                postal_address="Larkfield Inc., 48 Quay Street, Portland, ME 04101, USA",
                sender_name="Ines Marchetti",
                sender_role="Customer lead",
                sender_email="ines@larkfield.example",
                reply_to="ines@larkfield.example",
                time_zone="America/New_York",
                whom="another business owner",
                brand_color="#14574a",
                on_brand="#ffffff",
                website="https://larkfield.example",
            )
            db.session.commit()
            account_id = account.id
            db.session.remove()
            database.end_writing()
            tenancy.leave()
        made.serve(port=port)
        made.work()
        yield Site(f"http://127.0.0.1:{port}", made, account_id, double)


@pytest.fixture(scope="session")
def live_program(site: Site) -> None:
    """The referral program takes every promoter; its links lead to the stand-in's shop, whose sales are told by signed calls."""
    shop = site.stripe.seed()["demo"]
    with site.within():
        now = clock.now()
        db.session.add(SenderDomain(domain="larkfield.example", state="verified", checked_at=now, verified_at=now, created_at=now))
        db.session.flush()
        program = referrals.ensure_default()
        fields = {
            "destination_url": f"{site.stripe.url}/shop",
            "terms": "One reward a friend, after the first payment.",
            "holdout_percent": 0,
        }
        referrals.save_program(program, fields, "Ines Marchetti")
        referrals.go_live(program, "Ines Marchetti")
        connection = rewards.connect(api_key=shop["key"], stripe_account=shop["account"])
        hook = site.stripe.webhook(stripe.endpoint(connection), account=shop["account"])
        rewards.connect(secret=hook["secret"])


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser process for all journeys."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=services.chromium_path(), args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Watch:
    """What no journey may leave behind: content-policy reports, page errors, requests to other hosts."""

    reports: list[str] = field(default_factory=list)

    def follow(self, page: Page, base: str) -> None:
        page.on("console", lambda m: self.reports.append(m.text) if "Content Security Policy" in m.text or "Refused to" in m.text else None)
        page.on("pageerror", lambda e: self.reports.append(str(e)))
        page.on(
            "request",
            lambda r: self.reports.append(r.url) if not r.url.startswith((base, "data:", "about:", "blob:", "http://127.0.0.1")) else None,
        )


@pytest.fixture
def open_page(chromium: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """open_page(width=390, dark=True, script=False) gives a page in a browser profile of its own."""
    contexts: list[BrowserContext] = []
    watch = Watch()

    def make(*, width: int = 1280, dark: bool = False, script: bool = True) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
            base_url=site.base,
        )
        context.set_default_timeout(15000)
        contexts.append(context)
        page = context.new_page()
        watch.follow(page, site.base)
        return page

    yield make
    for context in contexts:
        context.close()
    assert watch.reports == []


def sign_in(page: Page, site: Site) -> None:
    """Through the sign-in page, as a member would."""
    page.goto("/login")
    page.get_by_label("Work email").fill(site.email)
    page.get_by_label("Password", exact=True).fill(site.password)
    page.get_by_role("button", name="Sign in with password").click()
    page.wait_for_url("**/larkfield/**")


AXE = AXE_FILE_PATH.read_text()
STANDARD = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# What the colour scheme alone can change.
COLOURS = ["color-contrast", "link-in-text-block"]

# The page learns of the scheme a moment later; two frames on, what still fades is brought to its end.
SETTLED = """scheme => new Promise(done => {
    const wanted = matchMedia(`(prefers-color-scheme: ${scheme})`);
    const look = () => wanted.matches ? requestAnimationFrame(end) : requestAnimationFrame(look);
    const end = () => { document.getAnimations().forEach(fading => fading.finish()); requestAnimationFrame(done); };
    requestAnimationFrame(look);
})"""


def accessible(page: Page) -> None:
    """No serious or critical violation of WCAG 2.2 AA; and once more in the other colour scheme, by the rules on colours."""
    was = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    page.evaluate(AXE)
    for scheme, rules in (("dark", STANDARD), ("light", COLOURS)) if was else (("light", STANDARD), ("dark", COLOURS)):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.evaluate(SETTLED, scheme)
        found: list[dict[str, Any]] = page.evaluate(
            "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']}).then(found => found.violations)", rules
        )
        bad = [(v["id"], scheme, [n["html"][:160] for n in v["nodes"][:3]]) for v in found if v["impact"] in ("serious", "critical")]
        assert bad == [], (page.url, bad)
    page.emulate_media(color_scheme="dark" if was else "light")


def fits(page: Page) -> None:
    """Nothing scrolls sideways."""
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, (page.url, wide)


def at_every_width(page: Page) -> None:
    """Accessible on a desk and on a phone, and nothing scrolls sideways from 1280 down to 320 pixels."""
    was = page.viewport_size
    for width in (1280, 390, 320):
        page.set_viewport_size({"width": width, "height": 900})
        fits(page)
        if width > 320:  # the phone's layout; narrower it only wraps
            accessible(page)
    if was is not None:
        page.set_viewport_size(was)
