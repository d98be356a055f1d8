"""The Stripe double against the unmodified stripe-python, over loopback."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import sys
import threading
import time
import typing
from collections.abc import Iterator
from decimal import Decimal
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import requests
import stripe
from stripe import StripeClient
from stripe._object_classes import get_object_class
from stripe._stripe_object import StripeObject

from tests.doubles.stripe import PINNED_VERSION, StripeDouble

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def double() -> Iterator[StripeDouble]:
    with StripeDouble() as running:
        yield running


@pytest.fixture
def api(double: StripeDouble) -> Any:
    return client_of(double).v1


def client_of(double: StripeDouble, key: str | None = None, **options: Any) -> StripeClient:
    return StripeClient(key or double.key, base_addresses={"api": double.url}, max_network_retries=options.pop("retries", 0), **options)


class Receiver:
    """A loopback address that keeps what was posted to it and answers with `status`."""

    def __init__(self) -> None:
        self.got: list[tuple[bytes, str]] = []
        self.status = 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append((body, self.headers["Stripe-Signature"]))
                self.send_response(outer.status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def types(self) -> list[str]:
        return [json.loads(body)["type"] for body, _ in self.got]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.close()


def wait_for(true: typing.Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.02)


def browse(url: str, form: dict[str, str] | None = None) -> tuple[int, str, str]:
    """(status, Location, body) of one request, redirects not followed."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if form is not None else {}
    connection.request("POST" if form is not None else "GET", parts.path, urlencode(form or {}), headers)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, answer.getheader("Location") or "", unescape(body)


def sell(api: Any, **more: Any) -> Any:
    return api.checkout.sessions.create(
        {
            "mode": "payment",
            "success_url": "http://127.0.0.1:1/thanks?session={CHECKOUT_SESSION_ID}",
            "cancel_url": "http://127.0.0.1:1/back",
            "line_items": [
                {"price_data": {"currency": "usd", "unit_amount": 2500, "product_data": {"name": "Tea <b>box</b>"}}, "quantity": 2}
            ],
            **more,
        }
    )


def subscribed(double: StripeDouble, api: Any, plan: str = "growth", **more: Any) -> Any:
    """A session in subscription mode that was paid."""
    price = double.seed()["billing"]["plans"][plan]["month"]
    made = api.checkout.sessions.create(
        {"mode": "subscription", "success_url": "http://127.0.0.1:1/ok", "line_items": [{"price": price, "quantity": 1}], **more}
    )
    double.pay(made.id, email="owner@larkfield.example")
    return api.checkout.sessions.retrieve(made.id)


def test_the_pinned_version_is_the_one_of_the_installed_library() -> None:
    assert stripe.api_version == PINNED_VERSION


class TestReading:
    def test_create_retrieve_update_delete_and_find_a_customer_by_email(self, api: Any) -> None:
        made = api.customers.create({"email": "ada@example.com", "metadata": {"a": "1", "b": "2"}, "address": {"country": "DE"}})
        assert made.id == "cus_1"
        assert made.address.country == "DE"
        changed = api.customers.update(made.id, {"name": "Ada", "metadata": {"a": ""}})
        assert (changed.name, changed.metadata.to_dict()) == ("Ada", {"b": "2"})
        assert [c.id for c in api.customers.list({"email": "ada@example.com"}).data] == ["cus_1"]
        assert api.customers.list({"email": "ADA@example.com"}).data == []
        assert api.customers.delete(made.id).deleted is True
        assert api.customers.retrieve(made.id).deleted is True
        assert api.customers.list().data == []

    def test_lists_page_forwards_and_backwards(self, api: Any) -> None:
        for i in range(7):
            api.customers.create({"name": f"c{i}"})
        first = api.customers.list({"limit": 3})
        assert [c.id for c in first.data] == ["cus_7", "cus_6", "cus_5"]
        assert first.has_more
        last = api.customers.list({"limit": 4, "starting_after": "cus_5"})
        assert ([c.id for c in last.data], last.has_more) == (["cus_4", "cus_3", "cus_2", "cus_1"], False)
        back = api.customers.list({"limit": 2, "ending_before": "cus_4"})
        assert ([c.id for c in back.data], back.has_more) == (["cus_6", "cus_5"], True)
        assert [c.id for c in api.customers.list({"limit": 2}).auto_paging_iter()] == [f"cus_{n}" for n in range(7, 0, -1)]

    def test_a_limit_over_a_hundred_is_refused(self, api: Any) -> None:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            api.customers.list({"limit": 101})
        assert refused.value.param == "limit"

    def test_every_answer_has_a_request_id(self, api: Any) -> None:
        assert api.customers.create().last_response.request_id == "req_1"

    def test_an_unknown_object_is_404_with_its_code(self, api: Any) -> None:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            api.customers.retrieve("cus_none")
        assert (refused.value.http_status, refused.value.code, refused.value.param) == (404, "resource_missing", "id")

    def test_accounts_see_only_their_own_objects(self, double: StripeDouble, api: Any) -> None:
        made = api.customers.create({"email": "ours@example.com"})
        theirs = client_of(double, double.customer_key).v1
        assert theirs.accounts.retrieve_current().id != api.accounts.retrieve_current().id
        with pytest.raises(stripe.InvalidRequestError):
            theirs.customers.retrieve(made.id)
        assert theirs.customers.list().data == []

    def test_a_wrong_key_is_401_and_a_read_only_one_403_when_it_writes(self, double: StripeDouble) -> None:
        with pytest.raises(stripe.AuthenticationError):
            client_of(double, "sk_test_nobody").v1.customers.list()
        reading = client_of(double, "rk_test_double_1_read").v1
        assert reading.customers.list().data == []
        with pytest.raises(stripe.PermissionError):
            reading.customers.create()

    def test_expand_follows_ids_and_refuses_what_is_no_object(self, double: StripeDouble, api: Any) -> None:
        done = subscribed(double, api)
        got = api.subscriptions.retrieve(done.subscription, {"expand": ["customer", "latest_invoice.payments"]})
        assert got.customer.email == "owner@larkfield.example"
        listed = api.subscriptions.list({"expand": ["data.latest_invoice.payments"]})
        assert listed.data[0].latest_invoice.payments.data[0].amount_paid == 19900
        with pytest.raises(stripe.InvalidRequestError):
            api.subscriptions.retrieve(done.subscription, {"expand": ["currency"]})


class TestRefusing:
    def test_another_api_version(self, double: StripeDouble) -> None:
        with pytest.raises(stripe.InvalidRequestError, match="2024-06-20"):
            client_of(double, stripe_version="2024-06-20").v1.customers.list()

    @pytest.mark.parametrize(
        ("params", "param"),
        [
            ({"colour": "red"}, "colour"),
            ({"address": {"planet": "x"}}, "address[planet]"),
            ({"balance": "much"}, "balance"),
            ({"metadata": {"k": {"deep": "no"}}}, "metadata[k]"),
            ({"tax_exempt": "maybe"}, "tax_exempt"),
            ({"email": "no-address"}, "email"),
            ({"preferred_locales": "en"}, "preferred_locales"),
        ],
    )
    def test_an_unknown_parameter_or_a_wrong_type_names_the_parameter(self, api: Any, params: Any, param: str) -> None:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            api.customers.create(params)
        assert (refused.value.http_status, refused.value.param) == (400, param)
        assert api.customers.list().data == []

    def test_a_missing_parameter_is_named(self, api: Any) -> None:
        customer = api.customers.create()
        with pytest.raises(stripe.InvalidRequestError) as refused:
            api.customers.balance_transactions.create(customer.id, {"amount": -5})
        assert (refused.value.param, refused.value.code) == ("currency", "parameter_missing")

    def test_an_address_it_does_not_know(self, double: StripeDouble) -> None:
        with pytest.raises(stripe.InvalidRequestError, match="Unrecognized"):
            client_of(double).v1.payouts.list()


class TestIdempotency:
    def test_the_same_key_and_parameters_give_the_stored_answer(self, api: Any) -> None:
        first = api.customers.create({"name": "A"}, {"idempotency_key": "k1"})
        again = api.customers.create({"name": "A"}, {"idempotency_key": "k1"})
        assert first.id == again.id
        assert again.last_response.headers["Idempotent-Replayed"] == "true"
        assert "Idempotent-Replayed" not in first.last_response.headers
        assert len(api.customers.list().data) == 1

    def test_other_parameters_under_the_same_key_are_an_error(self, api: Any) -> None:
        api.customers.create({"name": "A"}, {"idempotency_key": "k1"})
        with pytest.raises(stripe.IdempotencyError) as refused:
            api.customers.create({"name": "B"}, {"idempotency_key": "k1"})
        assert refused.value.http_status == 400

    def test_the_same_key_at_the_same_time_is_a_conflict_and_works_once(self, double: StripeDouble) -> None:
        double.fail(kind="work_slowly", seconds=0.6, n=1, path="/v1/customers")
        outcomes: list[Any] = []

        def create() -> None:
            try:
                outcomes.append(client_of(double).v1.customers.create({"name": "A"}, {"idempotency_key": "k1"}).id)
            except stripe.StripeError as error:
                outcomes.append(error.http_status)

        threads = [threading.Thread(target=create) for _ in range(2)]
        threads[0].start()
        time.sleep(0.2)
        threads[1].start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes, key=str) == [409, "cus_1"]
        assert len(client_of(double).v1.customers.list().data) == 1

    def test_failed_validation_stores_nothing_and_a_500_is_stored(self, double: StripeDouble, api: Any) -> None:
        with pytest.raises(stripe.InvalidRequestError):
            api.customers.create({"colour": "red"}, {"idempotency_key": "k1"})
        assert api.customers.create({"name": "A"}, {"idempotency_key": "k1"}).id == "cus_1"
        double.fail(status=500, n=1)
        for _ in range(2):
            with pytest.raises(stripe.APIError) as failed:
                api.customers.create({"name": "B"}, {"idempotency_key": "k2"})
            assert failed.value.http_status == 500
        assert len(api.customers.list().data) == 1

    def test_a_key_is_forgotten_after_a_day_of_its_clock(self, double: StripeDouble, api: Any) -> None:
        api.customers.create({"name": "A"}, {"idempotency_key": "k1"})
        double.clock(advance=24 * 3600)
        assert api.customers.create({"name": "B"}, {"idempotency_key": "k1"}).name == "B"


class TestFaults:
    @pytest.mark.parametrize(("status", "error"), [(429, stripe.RateLimitError), (409, stripe.APIError), (500, stripe.APIError)])
    def test_the_next_calls_fail_and_then_work_again(
        self, double: StripeDouble, api: Any, status: int, error: type[stripe.StripeError]
    ) -> None:
        double.fail(status=status, n=2, should_retry=False)
        for _ in range(2):
            with pytest.raises(error) as failed:
                api.customers.create()
            assert failed.value.http_status == status
            assert (failed.value.headers or {})["Stripe-Should-Retry"] == "false"
        assert api.customers.create().id == "cus_1"

    @pytest.mark.parametrize("kind", ["timeout", "reset_after"])
    def test_an_answer_lost_after_the_work_is_found_again_by_its_key(self, double: StripeDouble, api: Any, kind: str) -> None:
        double.fail(kind=kind, n=1, method="POST")
        with pytest.raises(stripe.APIConnectionError):
            api.customers.create({"name": "A"}, {"idempotency_key": "k1"})
        again = api.customers.create({"name": "A"}, {"idempotency_key": "k1"})
        assert again.last_response.headers["Idempotent-Replayed"] == "true"
        assert len(api.customers.list().data) == 1

    def test_a_reset_before_the_work_does_nothing(self, double: StripeDouble, api: Any) -> None:
        double.fail(kind="reset", n=1)
        with pytest.raises(stripe.APIConnectionError):
            api.customers.create()
        assert api.customers.list().data == []

    def test_the_library_retries_by_itself_when_told_to(self, double: StripeDouble) -> None:
        double.fail(status=409, n=1, should_retry=True)
        assert client_of(double, retries=2).v1.customers.create({"name": "A"}).id == "cus_1"
        seen = double.requests("/v1/customers", "POST")
        assert [r["status"] for r in seen] == [409, 200]
        assert seen[0]["idempotency_key"] == seen[1]["idempotency_key"]
        assert (seen[1]["key"], seen[1]["version"], seen[1]["params"]) == (double.key, PINNED_VERSION, {"name": "A"})


class TestCredit:
    def test_a_negative_entry_is_credit_and_fixes_the_currency(self, api: Any) -> None:
        customer = api.customers.create({"email": "a@example.com"})
        assert customer.currency is None
        made = api.customers.balance_transactions.create(
            customer.id, {"amount": -1500, "currency": "eur", "description": "Thanks", "metadata": {"wb_reward": "r1"}}
        )
        assert (made.ending_balance, made.type) == (-1500, "adjustment")
        got = api.customers.retrieve(customer.id)
        assert (got.balance, got.currency, got.invoice_credit_balance["eur"]) == (-1500, "eur", 1500)
        with pytest.raises(stripe.InvalidRequestError) as refused:
            api.customers.balance_transactions.create(customer.id, {"amount": -1, "currency": "usd"})
        assert refused.value.param == "currency"
        assert api.customers.balance_transactions.retrieve(customer.id, made.id).metadata["wb_reward"] == "r1"
        assert [t.id for t in api.customers.balance_transactions.list(customer.id).data] == [made.id]

    def test_a_renewal_uses_credit_before_the_card(self, double: StripeDouble, api: Any) -> None:
        done = subscribed(double, api, "starter")
        api.customers.balance_transactions.create(done.customer, {"amount": -2000, "currency": "usd"})
        double.clock(advance=32 * 86400)
        invoice = api.invoices.list({"customer": done.customer, "limit": 1}).data[0]
        assert (invoice.total, invoice.amount_paid, invoice.starting_balance, invoice.ending_balance) == (4900, 2900, -2000, 0)
        assert api.customers.balance_transactions.list(done.customer).data[0].type == "applied_to_invoice"


class TestCodes:
    def test_a_code_is_unique_while_active(self, api: Any) -> None:
        coupon = api.coupons.create({"amount_off": 500, "currency": "usd", "duration": "once"})
        first = api.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "TY-ABC"})
        with pytest.raises(stripe.InvalidRequestError, match="already exists"):
            api.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "ty-abc"})
        assert [c.id for c in api.promotion_codes.list({"code": "TY-ABC", "active": True}).data] == [first.id]
        api.promotion_codes.update(first.id, {"active": False})
        second = api.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "TY-ABC"})
        assert {c.id for c in api.promotion_codes.list({"code": "TY-ABC"}).data} == {first.id, second.id}

    def test_a_used_up_code_says_so_and_is_refused(self, double: StripeDouble, api: Any) -> None:
        coupon = api.coupons.create({"percent_off": 10})
        code = api.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "ONE", "max_redemptions": 1})
        double.pay(sell(api, allow_promotion_codes=True).id, promotion_code="one")
        assert api.promotion_codes.retrieve(code.id).active is False
        assert [e.data.object["active"] for e in api.events.list({"type": "promotion_code.updated"}).data] == [False]
        with pytest.raises(ValueError, match="invalid"):
            double.pay(sell(api, allow_promotion_codes=True).id, promotion_code="ONE")


class TestCheckout:
    def test_the_page_is_walked_by_http_and_signed_webhooks_arrive(self, double: StripeDouble, api: Any, receiver: Receiver) -> None:
        endpoint = api.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"], "api_version": PINNED_VERSION})
        coupon = api.coupons.create({"percent_off": 20, "duration": "once"})
        code = api.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "FRIEND"})
        session = sell(api, client_reference_id="wb_click_1", metadata={"wb_code": "ada"}, allow_promotion_codes=True)

        status, _, page = browse(session.url)
        assert status == 200
        assert "This is not Stripe" in page
        assert "<script" not in page
        assert "50.00 USD" in page
        assert browse(session.url, {"action": "apply", "email": "friend@example.com", "promotion_code": "NOPE"})[0] == 422
        status, _, page = browse(session.url, {"action": "apply", "email": "friend@example.com", "promotion_code": "friend"})
        assert "Discount (FRIEND)" in page
        declined = {
            "action": "pay",
            "email": "friend@example.com",
            "promotion_code": "FRIEND",
            "card": "declined",
            "name": "Fay",
            "country": "de",
        }
        status, _, page = browse(session.url, declined)
        assert status == 422
        assert "Your card was declined." in page
        status, location, _ = browse(session.url, {**declined, "card": "works"})
        assert (status, location) == (303, f"http://127.0.0.1:1/thanks?session={session.id}")
        assert "complete" in browse(session.url)[2]

        wait_for(lambda: "checkout.session.completed" in receiver.types())
        events = [stripe.Webhook.construct_event(body, header, endpoint.secret) for body, header in receiver.got]
        assert {e.api_version for e in events} == {PINNED_VERSION}
        done = next(e for e in events if e.type == "checkout.session.completed").data.object
        assert (done.payment_status, done.amount_subtotal, done.amount_total, done.total_details.amount_discount) == (
            "paid",
            5000,
            4000,
            1000,
        )
        assert (done.client_reference_id, done.metadata["wb_code"], done.customer_details.email) == (
            "wb_click_1",
            "ada",
            "friend@example.com",
        )
        assert done.customer_details.address.country == "DE"
        assert done.discounts[0].promotion_code == code.id
        assert done.invoice is None
        types = receiver.types()
        assert types.index("charge.failed") < types.index("charge.succeeded") < types.index("checkout.session.completed")
        charge = api.charges.list({"payment_intent": done.payment_intent, "limit": 1}).data[0]
        assert (charge.amount, charge.paid, charge.billing_details.email) == (4000, True, "friend@example.com")
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(receiver.got[0][0] + b" ", receiver.got[0][1], endpoint.secret)

    def test_a_delayed_payment_arrives_or_fails_later(self, double: StripeDouble, api: Any) -> None:
        good, bad = sell(api), sell(api)
        for session, card in ((good, "later"), (bad, "fails_later")):
            double.pay(session.id, card=card)
            got = api.checkout.sessions.retrieve(session.id)
            assert (got.status, got.payment_status) == ("complete", "unpaid")
        double.clock(advance=120)
        assert api.checkout.sessions.retrieve(good.id).payment_status == "paid"
        assert api.checkout.sessions.retrieve(bad.id).payment_status == "unpaid"
        async_events = api.events.list(
            {"types": ["checkout.session.async_payment_succeeded", "checkout.session.async_payment_failed"]}
        ).data
        assert {(e.type.rsplit("_", 1)[1], e.data.object.id) for e in async_events} == {("succeeded", good.id), ("failed", bad.id)}

    def test_a_session_expires_by_call_and_by_clock(self, double: StripeDouble, api: Any) -> None:
        first, second = sell(api), sell(api)
        assert api.checkout.sessions.expire(first.id).status == "expired"
        double.clock(advance=25 * 3600)
        assert api.checkout.sessions.retrieve(second.id).status == "expired"
        assert len(api.events.list({"type": "checkout.session.expired"}).data) == 2
        with pytest.raises(stripe.InvalidRequestError):
            api.checkout.sessions.expire(first.id)

    def test_tax_and_shipping_are_part_of_the_total(self, double: StripeDouble, api: Any) -> None:
        double.control("accounts/acct_1", {"tax_percent": 20})
        rate = {"display_name": "Post", "type": "fixed_amount", "fixed_amount": {"amount": 700, "currency": "usd"}}
        session = sell(api, automatic_tax={"enabled": True}, shipping_options=[{"shipping_rate_data": rate}])
        totals = session.total_details
        assert (session.amount_subtotal, totals.amount_tax, totals.amount_shipping, session.amount_total) == (5000, 1000, 700, 6700)

    def test_a_payment_can_make_an_invoice(self, double: StripeDouble, api: Any) -> None:
        session = sell(api, invoice_creation={"enabled": True}, customer_creation="always")
        double.pay(session.id, email="x@example.com")
        done = api.checkout.sessions.retrieve(session.id, {"expand": ["invoice.payments"]})
        assert (done.payment_status, done.invoice.status, done.invoice.billing_reason, done.invoice.parent) == (
            "paid",
            "paid",
            "manual",
            None,
        )
        assert done.invoice.payments.data[0].payment.payment_intent == done.payment_intent

    def test_line_items_are_listed(self, api: Any) -> None:
        session = sell(api)
        items = api.checkout.sessions.line_items.list(session.id).data
        assert [(i.quantity, i.amount_total, i.price.unit_amount) for i in items] == [(2, 5000, 2500)]


class TestSubscriptions:
    def test_a_subscription_checkout_makes_customer_invoice_and_events_with_the_pinned_paths(self, double: StripeDouble, api: Any) -> None:
        done = subscribed(double, api, subscription_data={"metadata": {"wb_account": "a1"}}, client_reference_id="a1")
        assert (done.payment_status, done.status) == ("paid", "complete")
        subscription = api.subscriptions.retrieve(done.subscription)
        assert (subscription.status, subscription.metadata["wb_account"]) == ("active", "a1")
        types = [e.type for e in api.events.list({"limit": 100}).data]
        for wanted in (
            "customer.created",
            "customer.subscription.created",
            "invoice.finalized",
            "invoice_payment.paid",
            "invoice.paid",
            "checkout.session.completed",
        ):
            assert wanted in types
        paid = api.events.list({"type": "invoice.paid"}).data[0].data.object
        assert paid.parent.subscription_details.subscription == subscription.id
        assert paid.parent.subscription_details.metadata["wb_account"] == "a1"
        assert paid.lines.data[0].pricing.price_details.product == "prod_wordback_growth"
        assert (paid.amount_paid, paid.billing_reason) == (19900, "subscription_create")
        found = api.invoice_payments.list({"payment": {"type": "payment_intent", "payment_intent": done_intent(api, done.invoice)}}).data
        assert [p.invoice for p in found] == [done.invoice]

    def test_thirteen_months_make_thirteen_renewals(self, double: StripeDouble, api: Any) -> None:
        double.clock(set=1_769_868_000)  # 31 January 2026
        done = subscribed(double, api)
        double.clock(advance=395 * 86400)
        invoices = api.invoices.list({"subscription": done.subscription, "limit": 100}).data
        assert [i.billing_reason for i in invoices] == ["subscription_cycle"] * 13 + ["subscription_create"]
        assert {i.status for i in invoices} == {"paid"}
        starts = [time.gmtime(i.lines.data[0].period.start).tm_mday for i in reversed(invoices)]
        assert starts[:4] == [31, 28, 31, 30]

    def test_a_failing_card_is_retried_then_the_subscription_ends(self, double: StripeDouble, api: Any) -> None:
        done = subscribed(double, api)
        double.card(done.customer, "declined")
        double.clock(advance=32 * 86400)
        assert api.subscriptions.retrieve(done.subscription).status == "past_due"
        double.clock(advance=20 * 86400)
        assert api.subscriptions.retrieve(done.subscription).status == "canceled"
        failed = api.events.list({"type": "invoice.payment_failed", "limit": 100}).data
        assert [e.data.object.attempt_count for e in failed] == [4, 3, 2, 1]
        assert len(api.events.list({"type": "customer.subscription.deleted"}).data) == 1

    def test_a_new_card_pays_what_is_open(self, double: StripeDouble, api: Any) -> None:
        done = subscribed(double, api)
        double.card(done.customer, "declined")
        double.clock(advance=32 * 86400)
        double.card(done.customer, "works")
        open_one = api.invoices.list({"customer": done.customer, "status": "open"}).data[0]
        assert api.invoices.pay(open_one.id).status == "paid"
        assert api.subscriptions.retrieve(done.subscription).status == "active"

    def test_a_card_that_is_still_bad_is_a_card_error(self, double: StripeDouble, api: Any) -> None:
        done = subscribed(double, api)
        double.card(done.customer, "declined")
        double.clock(advance=32 * 86400)
        open_one = api.invoices.list({"customer": done.customer, "status": "open"}).data[0]
        with pytest.raises(stripe.CardError) as refused:
            api.invoices.pay(open_one.id)
        assert refused.value.code == "card_declined"
        assert api.invoices.retrieve(open_one.id).attempt_count == open_one.attempt_count + 1

    def test_a_first_bank_payment_that_fails_later_leaves_it_past_due(self, double: StripeDouble, api: Any) -> None:
        price = double.seed()["billing"]["plans"]["starter"]["month"]
        made = api.checkout.sessions.create(
            {"mode": "subscription", "success_url": "http://127.0.0.1:1/ok", "line_items": [{"price": price, "quantity": 1}]}
        )
        subscription = double.pay(made.id, card="fails_later")["subscription"]
        assert api.subscriptions.retrieve(subscription).status == "active"
        double.settle(made.id, ok=False)
        assert api.subscriptions.retrieve(subscription).status == "past_due"
        assert api.events.list({"limit": 1}).data[0].type == "checkout.session.async_payment_failed"

    def test_a_trial_costs_nothing_until_it_ends(self, double: StripeDouble, api: Any) -> None:
        done = subscribed(double, api, subscription_data={"trial_period_days": 14})
        assert done.payment_status == "no_payment_required"
        assert api.subscriptions.retrieve(done.subscription).status == "trialing"
        assert api.invoices.retrieve(done.invoice).amount_paid == 0
        double.clock(advance=15 * 86400)
        assert api.subscriptions.retrieve(done.subscription).status == "active"
        assert api.invoices.list({"customer": done.customer, "limit": 1}).data[0].amount_paid == 19900
        assert len(api.events.list({"type": "customer.subscription.trial_will_end"}).data) == 1

    def test_an_upgrade_is_prorated_and_billed(self, double: StripeDouble, api: Any) -> None:
        double.clock(set=1_772_323_200)  # 1 March 2026, a month of 31 days
        done = subscribed(double, api, "starter")
        double.clock(advance=15 * 86400 + 43200)
        subscription = api.subscriptions.retrieve(done.subscription)
        scale = double.seed()["billing"]["plans"]["scale"]["month"]
        change = {"items": [{"id": subscription["items"].data[0].id, "price": scale}], "proration_behavior": "always_invoice"}
        changed = api.subscriptions.update(subscription.id, change)
        assert changed["items"].data[0].price.id == scale
        invoice = api.invoices.retrieve(changed.latest_invoice)
        assert ([row.amount for row in invoice.lines.data], invoice.total, invoice.billing_reason) == (
            [-2450, 29950],
            27500,
            "subscription_update",
        )
        event = api.events.list({"type": "customer.subscription.updated", "limit": 1}).data[0]
        assert "items" in event.data.previous_attributes

    def test_the_portal_switches_cancels_and_resumes(self, double: StripeDouble, api: Any) -> None:
        done = subscribed(double, api)
        flow = {"type": "subscription_cancel", "subscription_cancel": {"subscription": done.subscription}}
        portal = api.billing_portal.sessions.create(
            {"customer": done.customer, "return_url": "http://127.0.0.1:1/billing", "flow_data": flow}
        )
        page = browse(portal.url)[2]
        assert "This is not Stripe" in page
        assert "Wordback Growth" in page
        form = {"subscription": done.subscription}
        browse(portal.url, {**form, "action": "cancel"})
        assert api.subscriptions.retrieve(done.subscription).cancel_at_period_end is True
        browse(portal.url, {**form, "action": "resume"})
        kept = api.subscriptions.retrieve(done.subscription)
        assert (kept.cancel_at_period_end, kept.cancel_at, kept.canceled_at) == (False, None, None)
        price = double.seed()["billing"]["plans"]["starter"]["month"]
        browse(portal.url, {**form, "action": "switch", "price": price})
        assert api.subscriptions.retrieve(done.subscription)["items"].data[0].price.id == price
        assert api.customers.retrieve(done.customer).invoice_credit_balance["usd"] > 14000
        browse(portal.url, {**form, "action": "cancel"})
        double.clock(advance=32 * 86400)
        assert api.subscriptions.retrieve(done.subscription).status == "canceled"

    def test_a_code_counts_once_or_for_ever(self, double: StripeDouble, api: Any) -> None:
        once, ever = (
            api.coupons.create({"percent_off": 50, "duration": "once"}),
            api.coupons.create({"percent_off": 50, "duration": "forever"}),
        )
        for coupon, second in ((once, 19900), (ever, 9950)):
            done = subscribed(double, api, discounts=[{"coupon": coupon.id}])
            invoice = api.invoices.retrieve(done.invoice, {"expand": ["discounts"]})
            assert (invoice.amount_paid, invoice.discounts[0].source.coupon) == (9950, coupon.id)
            double.clock(advance=32 * 86400)
            assert api.invoices.list({"customer": done.customer, "limit": 1}).data[0].amount_paid == second


def done_intent(api: Any, invoice: str) -> str:
    return str(api.invoices.retrieve(invoice, {"expand": ["payments"]}).payments.data[0].payment.payment_intent)


class TestMoneyBack:
    def test_refunds_in_parts_up_to_the_charge(self, double: StripeDouble, api: Any) -> None:
        session = sell(api)
        intent = double.pay(session.id)["payment_intent"]
        first = api.refunds.create({"payment_intent": intent, "amount": 2000, "reason": "requested_by_customer"})
        assert (first.status, first.amount) == ("succeeded", 2000)
        charge = api.charges.retrieve(first.charge)
        assert (charge.amount_refunded, charge.refunded) == (2000, False)
        with pytest.raises(stripe.InvalidRequestError):
            api.refunds.create({"payment_intent": intent, "amount": 3001})
        api.refunds.create({"charge": charge.id})
        assert api.charges.retrieve(charge.id).refunded is True
        with pytest.raises(stripe.InvalidRequestError) as refused:
            api.refunds.create({"charge": charge.id})
        assert refused.value.code == "charge_already_refunded"
        assert len(api.refunds.list({"payment_intent": intent}).data) == 2

    def test_a_pending_refund_that_fails_gives_its_amount_back(self, double: StripeDouble, api: Any) -> None:
        session = sell(api)
        double.pay(session.id)
        made = double.refund(session=session.id, amount=1000, status="pending")
        double.set_refund(made["id"], "failed")
        assert api.refunds.retrieve(made["id"]).failure_reason
        assert api.charges.retrieve(made["charge"]).amount_refunded == 0
        types = [e.type for e in api.events.list({"limit": 4}).data]
        assert types[:3] == ["refund.failed", "charge.updated", "refund.updated"]

    def test_a_dispute_opens_and_is_won_or_lost(self, double: StripeDouble, api: Any) -> None:
        session = sell(api)
        double.pay(session.id)
        early = double.dispute(session=session.id, status="warning_needs_response")
        assert api.disputes.retrieve(early["id"]).status == "warning_needs_response"
        double.set_dispute(early["id"], "needs_response")
        double.set_dispute(early["id"], "won")
        types = [e.type for e in reversed(api.events.list({"type": "charge.dispute.*"}).data)]
        assert [t.rsplit(".", 1)[1] for t in types] == ["created", "updated", "funds_withdrawn", "closed", "funds_reinstated"]
        second = double.dispute(session=session.id)
        assert api.disputes.close(second["id"]).status == "lost"
        warning = double.fraud_warning(session=session.id)
        assert warning["charge"] == second["charge"]

    def test_credit_notes_before_and_after_payment(self, double: StripeDouble, api: Any) -> None:
        done = subscribed(double, api)
        note = api.credit_notes.create({"invoice": done.invoice, "refund_amount": 900, "credit_amount": 100})
        assert (note.amount, note.post_payment_amount, note.refunds[0].amount_refunded) == (1000, 1000, 900)
        assert api.customers.retrieve(done.customer).balance == -100
        with pytest.raises(stripe.InvalidRequestError):
            api.credit_notes.void_credit_note(note.id)
        double.card(done.customer, "declined")
        double.clock(advance=32 * 86400)
        open_one = api.invoices.list({"customer": done.customer, "status": "open"}).data[0]
        before = api.credit_notes.create({"invoice": open_one.id, "amount": 1000})
        assert (before.pre_payment_amount, api.invoices.retrieve(open_one.id).amount_due) == (1000, open_one.amount_due - 1000)
        assert api.credit_notes.void_credit_note(before.id).status == "void"
        assert api.invoices.retrieve(open_one.id).amount_due == open_one.amount_due


class TestWebhooks:
    def test_a_refund_can_arrive_before_its_sale(self, double: StripeDouble, api: Any, receiver: Receiver) -> None:
        endpoint = api.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["checkout.session.completed", "refund.created"]})
        double.delivery(endpoint.id, "hold")
        session = sell(api)
        double.pay(session.id)
        double.refund(session=session.id)
        assert [h["type"] for h in double.held(endpoint.id)] == ["checkout.session.completed", "refund.created"]
        assert receiver.got == []
        assert [r["status"] for r in double.release(endpoint.id, type="refund.created")] == [200]
        assert receiver.types() == ["refund.created"]
        double.release(endpoint.id)
        assert receiver.types() == ["refund.created", "checkout.session.completed"]

    def test_duplicates_shuffle_drop_and_redelivery(self, double: StripeDouble, api: Any, receiver: Receiver) -> None:
        endpoint = api.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["customer.created"]})
        double.delivery(endpoint.id, "duplicate", n=5)
        api.customers.create()
        wait_for(lambda: len(receiver.got) == 5)
        assert len({json.loads(body)["id"] for body, _ in receiver.got}) == 1
        double.delivery(endpoint.id, "drop")
        api.customers.create()
        double.deliver_all()
        assert len(receiver.got) == 5
        dropped = api.events.list({"type": "customer.created", "limit": 1}).data[0]
        assert [r["status"] for r in double.redeliver(dropped.id, 3)] == [200, 200, 200]
        receiver.got.clear()
        double.delivery(endpoint.id, "shuffle", n=4)
        for _ in range(4):
            api.customers.create()
        wait_for(lambda: len(receiver.got) == 4)
        names = [json.loads(body)["data"]["object"]["id"] for body, _ in receiver.got]
        assert names == ["cus_6", "cus_3", "cus_5", "cus_4"]

    def test_secrets_roll_and_old_or_late_signatures_can_be_made(self, double: StripeDouble, api: Any) -> None:
        endpoint = api.webhook_endpoints.create({"url": "http://127.0.0.1:1/none", "enabled_events": ["*"]})
        double.delivery(endpoint.id, "drop")
        api.customers.create()
        event = api.events.list().data[0].id
        rolled = double.roll_secret(endpoint.id)
        assert rolled["old_secret"] == endpoint.secret != rolled["secret"]
        body, headers = double.signed(event, endpoint.id)
        for secret in (rolled["secret"], rolled["old_secret"]):
            assert stripe.Webhook.construct_event(body, headers["Stripe-Signature"], secret).id == event
        double.delivery(endpoint.id, "drop", sign="old")
        body, headers = double.signed(event, endpoint.id)
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(body, headers["Stripe-Signature"], rolled["secret"])
        double.delivery(endpoint.id, "drop", shift=-400, api_version="2024-06-20")
        body, headers = double.signed(event, endpoint.id)
        with pytest.raises(stripe.SignatureVerificationError, match="tolerance"):
            stripe.Webhook.construct_event(body, headers["Stripe-Signature"], rolled["secret"])
        assert json.loads(body)["api_version"] == "2024-06-20"

    def test_a_refused_delivery_is_tried_again_on_the_doubles_clock(self, double: StripeDouble, api: Any, receiver: Receiver) -> None:
        api.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["customer.created"]})
        receiver.status = 503
        api.customers.create()
        wait_for(lambda: [d["attempts"] for d in double.deliveries()] == [1])
        double.deliver_all()
        assert len(receiver.got) == 1
        receiver.status = 200
        double.clock(advance=301)
        wait_for(lambda: double.deliveries()[0]["state"] == "sent")
        assert len(receiver.got) == 2
        assert api.events.list().data[0].pending_webhooks == 0

    def test_only_loopback_is_ever_called(self, double: StripeDouble, api: Any) -> None:
        api.webhook_endpoints.create({"url": "https://hooks.example.com/x", "enabled_events": ["*"]})
        api.customers.create()
        wait_for(lambda: double.deliveries()[0]["state"] == "refused")

    def test_deliveries_can_go_to_a_function_instead(self) -> None:
        got: list[tuple[str, dict[str, str]]] = []

        def take(url: str, body: bytes, headers: dict[str, str]) -> int:
            got.append((json.loads(body)["type"], headers))
            return 200

        with StripeDouble(deliver=take) as double:
            api: Any = client_of(double).v1
            api.webhook_endpoints.create({"url": "https://app.wordback.example/in/billing/stripe", "enabled_events": ["*"]})
            api.customers.create()
            assert got == []
            assert double.deliver_all() == 1
            assert got[0][0] == "customer.created"

    def test_endpoints_are_updated_listed_and_deleted_and_show_their_secret_once(self, double: StripeDouble, api: Any) -> None:
        made = api.webhook_endpoints.create({"url": "http://127.0.0.1:1/a", "enabled_events": ["*"]})
        assert made.secret.startswith("whsec_")
        assert "secret" not in api.webhook_endpoints.retrieve(made.id).to_dict()
        assert api.webhook_endpoints.update(made.id, {"disabled": True}).status == "disabled"
        api.customers.create()
        assert double.deliveries() == []
        assert api.webhook_endpoints.delete(made.id).deleted is True
        assert api.webhook_endpoints.list().data == []

    def test_events_say_which_request_made_them_and_are_listed_by_type_and_time(self, double: StripeDouble, api: Any) -> None:
        double.clock(set=1_790_000_000)
        api.customers.create({}, {"idempotency_key": "k1"})
        double.clock(advance=100)
        api.products.create({"name": "P"})
        event = api.events.list({"type": "customer.created"}).data[0]
        assert (event.request.idempotency_key, event.created) == ("k1", 1_790_000_000)
        assert [e.type for e in api.events.list({"created": {"gt": 1_790_000_000}}).data] == ["product.created"]
        assert api.events.retrieve(event.id).data.object["id"] == "cus_1"


class TestState:
    def test_a_dump_is_loaded_again_and_a_reset_forgets(self, double: StripeDouble, api: Any) -> None:
        api.customers.create({"name": "A"})
        kept = double.dump()
        double.reset()
        assert api.customers.list().data == []
        double.load(kept)
        assert api.customers.retrieve("cus_1").name == "A"
        assert api.customers.create().id == "cus_2"

    def test_the_same_story_gives_the_same_ids(self) -> None:
        dumps = []
        for _ in range(2):
            with StripeDouble() as double:
                double.clock(set=1_790_000_000)
                api: Any = client_of(double).v1
                double.pay(sell(api).id)
                dumps.append([e.to_dict() | {"request": None} for e in api.events.list({"limit": 100}).data])
        urls = re.compile(r"http://127\.0\.0\.1:\d+")
        assert urls.sub("", json.dumps(dumps[0], default=str)) == urls.sub("", json.dumps(dumps[1], default=str))

    def test_as_a_process_it_keeps_its_file_and_stops_on_sigterm(self, tmp_path: Path) -> None:
        command = [
            sys.executable,
            "-m",
            "tests.doubles.stripe",
            "--state",
            str(tmp_path / "stripe.db"),
            "--seed",
            "--webhook",
            "http://127.0.0.1:1/in",
        ]
        secrets, session = set(), ""
        for run in (1, 2):
            with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
                assert process.stdout is not None
                line = json.loads(process.stdout.readline())
                api: Any = StripeClient(line["key"], base_addresses={"api": line["url"]}).v1
                assert urlsplit(line["url"]).hostname == "127.0.0.1"
                assert api.prices.retrieve(line["seed"]["billing"]["plans"]["growth"]["month"]).unit_amount == 19900
                assert api.customers.create().id == f"cus_{run}"
                secrets.add(line["webhook_secret"])
                session = session or sell(api).id
                assert browse(api.checkout.sessions.retrieve(session).url)[0] == 200
                process.send_signal(signal.SIGTERM)
                assert process.wait(timeout=10) == 0
        assert len(secrets) == 1


# -- shapes --------------------------------------------------------------------------------------


def problems(value: Any, wanted: Any, path: str) -> list[str]:
    """How `value` (plain, as parsed by the library) differs from an annotation of stripe-python."""
    if isinstance(wanted, typing.ForwardRef):
        wanted = wanted.__forward_arg__
    if isinstance(wanted, str):
        return object_problems(value, None, path)
    origin, inner = typing.get_origin(wanted), typing.get_args(wanted)
    if origin is typing.Union:
        return union_problems(value, inner, path)
    if origin is typing.Literal:
        return [] if value in inner else [f"{path}: {value!r} is none of the known values"]
    if origin is list:
        if not isinstance(value, list):
            return [f"{path}: no list"]
        return [p for i, item in enumerate(value) for p in problems(item, inner[0], f"{path}[{i}]")]
    name = getattr(origin or wanted, "__name__", "")
    if name == "ListObject":
        if not isinstance(value, dict) or value.get("object") != "list" or not {"data", "has_more", "url"} <= set(value):
            return [f"{path}: no list object"]
        return [p for i, item in enumerate(value["data"]) for p in problems(item, inner[0], f"{path}.data[{i}]")]
    if name == "UntypedStripeObject":
        if not isinstance(value, dict):
            return [f"{path}: no object"]
        return [p for key, item in value.items() for p in problems(item, inner[0], f"{path}.{key}")]
    if wanted is typing.Any:
        return []
    if isinstance(wanted, type) and issubclass(wanted, StripeObject):
        return object_problems(value, wanted, path)
    if isinstance(wanted, type):
        right = isinstance(value, (int, float) if wanted is float else wanted) and isinstance(value, bool) == (wanted is bool)
        return [] if right else [f"{path}: {value!r} is no {wanted.__name__}"]
    return [f"{path}: annotation {wanted!r} is not understood"]


def union_problems(value: Any, inner: tuple[Any, ...], path: str) -> list[str]:
    if value is None:
        return [] if type(None) in inner else [f"{path}: may not be null"]
    literals = [x for x in inner if typing.get_origin(x) is typing.Literal]
    if literals and isinstance(value, str):  # Union[Literal[...], str]: hold it to the known values
        return problems(value, literals[0], path)
    found = [problems(value, x, path) for x in inner if x is not type(None)]
    return min(found, key=len)


def object_problems(value: Any, cls: Any, path: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{path}: no object"]
    if isinstance(value.get("object"), str):
        cls = get_object_class("V1", value["object"])
    fields: dict[str, Any] = {k: v for k, v in cls.__annotations__.items() if k not in ("OBJECT_NAME",) and not k.startswith("_")}
    out = [f"{path}.{name}: unknown to {cls.__name__}" for name in value if name not in fields]
    for name, wanted in fields.items():
        optional = type(None) in typing.get_args(wanted)
        if name not in value:
            out += [] if optional else [f"{path}.{name}: missing"]
        else:
            out += problems(value[name], wanted, f"{path}.{name}")
    return out


def test_every_object_has_the_fields_and_types_of_the_library(double: StripeDouble, api: Any) -> None:
    double.control("accounts/acct_1", {"tax_percent": 19})
    coupon = api.coupons.create(
        {"percent_off": 12.5, "duration": "repeating", "duration_in_months": 3, "redeem_by": double.clock()["now"] + 400 * 86400}
    )
    code = api.promotion_codes.create(
        {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "SHAPE", "restrictions": {"first_time_transaction": True}}
    )
    endpoint = api.webhook_endpoints.create({"url": "http://127.0.0.1:1/x", "enabled_events": ["*"]})
    done = subscribed(double, api, allow_promotion_codes=False, discounts=[{"promotion_code": code.id}], automatic_tax={"enabled": True})
    trial = subscribed(double, api, subscription_data={"trial_period_days": 30})
    rate = {"display_name": "Post", "type": "fixed_amount", "fixed_amount": {"amount": 700, "currency": "usd"}}
    bought = sell(api, shipping_options=[{"shipping_rate_data": rate}], customer_creation="always")
    double.pay(bought.id, name="Fay", address={"country": "DE"})
    waiting, refused = sell(api), sell(api)
    double.pay(waiting.id, card="later")
    double.pay(refused.id, card="declined")
    refund = api.refunds.create({"payment_intent": api.checkout.sessions.retrieve(bought.id).payment_intent, "amount": 100})
    pending = double.refund(session=bought.id, amount=100, status="pending")
    double.set_refund(pending["id"], "failed")
    dispute = double.dispute(session=bought.id)
    double.fraud_warning(session=bought.id)
    note = api.credit_notes.create({"invoice": done.invoice, "refund_amount": 50, "credit_amount": 50})
    api.customers.update(done.customer, {"shipping": {"name": "X", "address": {"city": "Y"}}, "invoice_settings": {"footer": "F"}})
    flow = {
        "type": "subscription_update_confirm",
        "subscription_update_confirm": {"subscription": trial.subscription, "items": [{"id": "si_2", "price": "price_5"}]},
    }
    portal = api.billing_portal.sessions.create({"customer": trial.customer, "flow_data": flow})
    scale = double.seed()["billing"]["plans"]["scale"]["month"]
    item = api.subscriptions.retrieve(done.subscription)["items"].data[0].id
    api.subscriptions.update(done.subscription, {"items": [{"id": item, "price": scale}], "proration_behavior": "always_invoice"})
    double.card(trial.customer, "declined")
    early = list(api.events.list({"limit": 100}).auto_paging_iter())  # events are listed for thirty days only
    double.clock(advance=45 * 86400)
    api.subscriptions.cancel(trial.subscription)

    got: list[Any] = [
        *early,
        api.accounts.retrieve_current(),
        portal,
        endpoint,
        coupon,
        code,
        refund,
        note,
        api.promotion_codes.retrieve(code.id),
        api.disputes.retrieve(dispute["id"]),
        api.subscriptions.retrieve(
            done.subscription, {"expand": ["customer", "discounts", "latest_invoice.payments", "default_payment_method"]}
        ),
        api.subscriptions.retrieve(trial.subscription),
        api.checkout.sessions.retrieve(bought.id, {"expand": ["line_items", "payment_intent.latest_charge.refunds"]}),
        api.checkout.sessions.retrieve(refused.id),
        api.checkout.sessions.retrieve(done.id, {"expand": ["discounts.promotion_code"]}),
        api.checkout.sessions.retrieve(waiting.id, {"expand": ["payment_intent.payment_method"]}),
        api.invoices.retrieve(done.invoice, {"expand": ["payments", "discounts"]}),
        api.customers.retrieve(done.customer, {"expand": ["subscriptions", "tax_ids"]}),
    ]
    for service in (
        api.customers,
        api.products,
        api.prices,
        api.coupons,
        api.promotion_codes,
        api.checkout.sessions,
        api.subscriptions,
        api.invoices,
        api.invoice_payments,
        api.payment_intents,
        api.charges,
        api.payment_methods,
        api.refunds,
        api.disputes,
        api.credit_notes,
        api.events,
        api.webhook_endpoints,
    ):
        rows = list(service.list({"limit": 100}).auto_paging_iter())
        assert rows, service
        got += rows
    got += list(api.customers.balance_transactions.list(done.customer).data) + list(api.checkout.sessions.line_items.list(bought.id).data)
    got += [e.data.object for e in got if e.object == "event"]
    found = {re.sub(r"\[\d+\]", "[]", p) for o in got for p in object_problems(plain(o), None, o.to_dict().get("object", "?"))}
    assert sorted(found) == []
    assert len({o.to_dict()["object"] for o in got}) >= 23


def plain(value: Any) -> Any:
    """Dicts, lists and scalars, as the library typed them."""
    return value.to_dict() if isinstance(value, StripeObject) else value


def test_the_shape_check_notices_wrong_fields(api: Any) -> None:
    body = api.customers.create().to_dict()
    assert object_problems({**body, "colour": "red"}, None, "customer") == ["customer.colour: unknown to Customer"]
    assert object_problems({**body, "created": "now"}, None, "customer") == ["customer.created: 'now' is no int"]
    assert object_problems({k: v for k, v in body.items() if k != "livemode"}, None, "customer") == ["customer.livemode: missing"]
    assert object_problems({**body, "tax_exempt": "perhaps"}, None, "customer") == [
        "customer.tax_exempt: 'perhaps' is none of the known values"
    ]
    price = api.prices.create(
        {"currency": "usd", "unit_amount": 5, "product_data": {"name": "P"}, "recurring": {"interval": "month"}}
    ).to_dict()
    assert (price["unit_amount_decimal"], object_problems(price, None, "price")) == (Decimal("5"), [])
    price["recurring"] |= {"interval_count": "1", "often": True}
    assert object_problems(price, None, "price") == [
        "price.recurring.often: unknown to Recurring",
        "price.recurring.interval_count: '1' is no int",
    ]


def test_the_shop_hands_the_click_on_to_checkout() -> None:
    with StripeDouble() as double:
        double.seed()
        page = requests.get(f"{double.url}/shop?wb_click=abc", timeout=5)
        assert "Buy for" in page.text
        paid = requests.post(f"{double.url}/shop?wb_click=abc", timeout=5)
        assert "/c/pay/" in paid.url
        session = StripeClient(double.customer_key, base_addresses={"api": double.url}).v1.checkout.sessions.list().data[0]
        assert session.client_reference_id == "abc"
