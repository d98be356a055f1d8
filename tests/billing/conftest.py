"""A running stand-in for Stripe whose messages go to our own address, signed, and an installation that sells plans."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from stripe import StripeClient

from nps.accounts.models import Account
from nps.billing import cli, queries
from nps.billing.gateway import _client
from nps.core import tenancy
from nps.core.db import db
from nps.core.settings import Settings
from tests.conftest import settings_for
from tests.doubles.stripe.server import StripeDouble

HOOK = "http://127.0.0.1:1/in/billing/stripe"


class Post:
    """Where the double's messages arrive: kept until the test hands them to the application."""

    def __init__(self) -> None:
        self.browser: Any = None
        self.answers: list[int] = []

    def __call__(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        assert url == HOOK
        answer = self.browser.post("/in/billing/stripe", data=body, headers=headers)
        self.answers.append(answer.status_code)
        return int(answer.status_code)


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def double(post: Post) -> Iterator[StripeDouble]:
    with StripeDouble(deliver=post) as running:
        running.seed()
        yield running


@pytest.fixture
def endpoint(double: StripeDouble) -> dict[str, Any]:
    return double.webhook(HOOK)


@pytest.fixture
def settings(db_url: str, tmp_path: Path, double: StripeDouble, endpoint: dict[str, Any]) -> Settings:
    return settings_for(
        db_url,
        tmp_path,
        billing=True,
        stripe_api_base=double.url,
        stripe_secret_key=double.key,
        stripe_webhook_secret=endpoint["secret"],
    )


@pytest.fixture
def client(app: Flask, client: Any, post: Post) -> Iterator[Any]:
    post.browser = client
    yield client
    _client.cache_clear()


@pytest.fixture
def synced(app: Flask, client: Any) -> None:
    """Our prices, found at the double by their names."""
    answer = app.test_cli_runner().invoke(cli.billing, ["sync"], catch_exceptions=False)
    assert answer.exit_code == 0, answer.output


@pytest.fixture
def shop(signed_in: Any, account: Account, double: StripeDouble, synced: None, run_jobs: Callable[[], int]) -> "Shop":
    account.created_at -= timedelta(days=60)  # the trial is long over
    return Shop(signed_in, account, double, run_jobs)


class Shop:
    """The way a buyer goes, step by step."""

    def __init__(self, browser: Any, account: Account, double: StripeDouble, run_jobs: Callable[[], int]) -> None:
        self.browser, self.account, self.double, self.run_jobs = browser, account, double, run_jobs

    def choose(self, plan: str = "growth", interval: str = "month", kind: str = "checkout") -> str:
        """Choose a plan; returns the address of the waiting page."""
        answer = self.browser.form("/larkfield/billing/pages", {"kind": kind, "plan": plan, "interval": interval})
        assert answer.status_code == 303, answer.text
        return str(answer.headers["Location"])

    def session(self, waiting: str) -> str:
        """Follow the waiting page to the double; returns the id in its address."""
        self.run_jobs()
        answer = self.browser.get(waiting + "?go=1")
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith(self.double.url)
        return str(answer.headers["Location"]).rpartition("/")[2]

    def pay(self, plan: str = "growth", interval: str = "month") -> str:
        """Choose and pay; nothing has been told to us yet. Returns the address one comes back to."""
        waiting = self.choose(plan, interval)
        self.double.pay(self.session(waiting))
        return waiting + "/back"

    def hear(self) -> None:
        """All messages of the double arrive and are worked on."""
        self.double.deliver_all()
        self.run_jobs()

    def stripe(self) -> Any:
        """The customer's own hand on Stripe's pages."""
        return StripeClient(self.double.key, base_addresses={"api": self.double.url}).v1

    def page(self, path: str = "/larkfield/billing") -> str:
        return str(self.browser.get(path).text)

    def plan(self) -> str:
        db.session.expire_all()
        with tenancy.account_scope(self.account.id):
            return queries.current_plan().key
