"""Buying, changing and losing a plan, against a Stripe that speaks the real protocol."""

import itertools
import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from nps.accounts.models import Account, AuditEntry
from nps.billing import gateway, queries, service
from nps.billing.errors import NotForSale, NothingToChange
from nps.billing.models import HostedPage, Invoice, Price, Subscription
from nps.core import clock as product_clock
from nps.core import tenancy
from nps.core.db import db
from nps.delivery.models import MailboxMail
from nps.jobs.models import InboxEvent, Job
from tests.billing.conftest import Shop
from tests.doubles.stripe.server import StripeDouble
from tests.doubles.stripe.webhooks import signature

DAY = 86400


def signed(double: StripeDouble, endpoint: dict[str, Any], event: str) -> tuple[bytes, dict[str, str]]:
    return double.signed(event, endpoint["id"])


def events_of(double: StripeDouble, type_: str) -> list[str]:
    return [d["event"] for d in double.deliveries() if d["type"] == type_]


def test_prices_are_found_by_name_and_nothing_is_made_twice(app: Any, synced: None, double: StripeDouble) -> None:
    rows = db.session.scalars(select(Price)).all()
    assert {(row.plan, row.interval, row.amount_minor) for row in rows} == {
        ("starter", "month", 4900), ("starter", "year", 49000), ("growth", "month", 19900),
        ("growth", "year", 199000), ("scale", "month", 59900), ("scale", "year", 599000),
    }  # fmt: skip
    assert [r for r in double.requests("/v1/prices", "POST") if r["path"] == "/v1/prices"] == []


def test_plan_is_there_after_the_message_and_never_before(shop: Shop) -> None:
    back = shop.pay("growth")
    assert shop.plan() == "free"
    for _ in range(3):
        assert "We wait for the confirmation" in shop.page(back)
    assert shop.plan() == "free"
    assert "Free plan." in shop.page()
    shop.hear()
    assert shop.plan() == "growth"
    answer = shop.browser.get(back)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/larkfield/billing")
    page = shop.page()
    assert "Your plan is Growth now." in page
    assert "Growth plan, $199" in page
    assert "Visa ending" in page


def test_success_page_without_paying_grants_nothing(shop: Shop) -> None:
    waiting = shop.choose("scale")
    shop.session(waiting)
    assert "We wait for the confirmation" in shop.page(waiting + "/back")
    shop.hear()
    assert shop.plan() == "free"


def test_the_same_message_five_times_has_one_effect(shop: Shop, endpoint: dict[str, Any], client: Any) -> None:
    shop.pay("growth")
    shop.hear()
    event = events_of(shop.double, "customer.subscription.created")[0]
    audited = db.session.scalar(select(func.count()).select_from(AuditEntry).where(AuditEntry.action == "billing.plan"))
    invoices = db.session.scalar(select(func.count()).select_from(Invoice))
    for _ in range(5):
        body, headers = signed(shop.double, endpoint, event)
        assert client.post("/in/billing/stripe", data=body, headers=headers).status_code == 200
        shop.run_jobs()
    assert db.session.scalar(select(func.count()).select_from(InboxEvent).where(InboxEvent.external_id == event)) == 1
    assert db.session.scalar(select(func.count()).select_from(AuditEntry).where(AuditEntry.action == "billing.plan")) == audited == 1
    assert db.session.scalar(select(func.count()).select_from(Invoice)) == invoices
    assert shop.plan() == "growth"


def test_messages_in_every_order_end_in_the_same_plan(shop: Shop, endpoint: dict[str, Any], client: Any) -> None:
    shop.pay("growth")
    wanted = ["checkout.session.completed", "customer.subscription.created", "invoice.paid", "invoice.finalized"]
    bodies = [signed(shop.double, endpoint, events_of(shop.double, type_)[0]) for type_ in wanted]
    for n, order in enumerate(itertools.permutations(range(4))):
        for row in db.session.scalars(select(Subscription)).all():
            db.session.delete(row)
        for event in db.session.scalars(select(InboxEvent)).all():
            db.session.delete(event)
        db.session.flush()
        for i in order:
            body, headers = bodies[i]
            assert client.post("/in/billing/stripe", data=body, headers=headers).status_code == 200
            shop.run_jobs()
        assert shop.plan() == "growth", (n, order)
        assert db.session.scalars(select(Subscription)).one().status == "active"


def test_checkout_call_carries_account_price_and_the_key_that_was_stored_before(shop: Shop) -> None:
    waiting = shop.choose("starter", "year")
    page = db.session.scalars(select(HostedPage)).one()
    assert page.key == f"wb-checkout-{shop.account.id}-1"
    assert shop.double.requests("/v1/checkout/sessions", "POST") == []
    shop.session(waiting)
    call = shop.double.requests("/v1/checkout/sessions", "POST")[0]
    assert call["idempotency_key"] == page.key
    assert call["params"]["client_reference_id"] == str(shop.account.id)
    assert call["params"]["subscription_data"]["metadata"]["wb_account"] == str(shop.account.id)
    price = queries.find_price("starter", "year")
    assert price is not None
    assert call["params"]["line_items"][0]["price"] == price.stripe_price_id
    assert call["params"]["success_url"] == f"http://localhost/larkfield/billing/pages/{page.id}/back"


def test_answer_lost_on_the_way_is_found_again_by_its_key(shop: Shop, clock: Any) -> None:
    waiting = shop.choose("growth")
    shop.double.fail(kind="reset_after", n=3, method="POST", path="/v1/checkout/sessions")
    shop.run_jobs()
    assert "One moment." in shop.page(waiting)
    clock.move(minutes=2)
    assert "does not answer yet" in shop.page(waiting)
    shop.session(waiting)
    calls = shop.double.requests("/v1/checkout/sessions", "POST")
    assert len({call["idempotency_key"] for call in calls}) == 1
    assert len(shop.stripe().checkout.sessions.list().data) == 1


def test_failure_that_stripe_keeps_under_the_key_gets_a_new_one(shop: Shop, clock: Any) -> None:
    waiting = shop.choose("growth")
    shop.double.fail(status=500, n=1, should_retry=False, method="POST", path="/v1/checkout/sessions")
    shop.run_jobs()
    clock.move(minutes=2)
    shop.session(waiting)
    keys = [call["idempotency_key"] for call in shop.double.requests("/v1/checkout/sessions", "POST")]
    assert keys == [f"wb-checkout-{shop.account.id}-1", f"wb-checkout-{shop.account.id}-1~2"]


def test_request_stripe_will_never_take_is_said_and_not_repeated(shop: Shop, clock: Any) -> None:
    price = queries.find_price("growth", "month")
    assert price is not None
    price.stripe_price_id = "price_gone"
    waiting = shop.choose("growth")
    shop.run_jobs()
    assert "did not open" in shop.page(waiting)
    clock.move(hours=1)
    shop.run_jobs()
    assert len(shop.double.requests("/v1/checkout/sessions", "POST")) == 1


def test_rest_of_a_trial_is_not_lost_by_buying_early(shop: Shop) -> None:
    shop.account.created_at = product_clock.now() - timedelta(days=2)
    shop.pay("growth")
    assert shop.plan() == "trial"
    shop.hear()
    row = db.session.scalars(select(Subscription)).one()
    assert (row.status, shop.plan()) == ("trialing", "growth")
    assert row.period_end_at is not None
    assert timedelta(days=11) < row.period_end_at - product_clock.now() < timedelta(days=13)


def test_first_look_at_the_waiting_page_never_leads_away(shop: Shop) -> None:
    waiting = shop.choose("growth")
    shop.run_jobs()
    answer = shop.browser.get(waiting)
    assert answer.status_code == 200
    assert "form-action 'self'" in answer.headers["Content-Security-Policy"]
    assert 'http-equiv="refresh"' in answer.text


@pytest.mark.parametrize(("plan", "interval"), [("free", "month"), ("trial", "month"), ("growth", "week"), ("gold", "month"), ("", "")])
def test_what_is_not_for_sale_is_not_sold(shop: Shop, plan: str, interval: str) -> None:
    answer = shop.browser.form("/larkfield/billing/pages", {"kind": "checkout", "plan": plan, "interval": interval})
    assert answer.status_code == 422
    assert "cannot be bought" in answer.text
    assert db.session.scalars(select(HostedPage)).all() == []


def test_who_pays_already_is_not_charged_twice(shop: Shop) -> None:
    shop.pay("growth")
    shop.hear()
    answer = shop.browser.form("/larkfield/billing/pages", {"kind": "checkout", "plan": "scale", "interval": "month"})
    assert answer.status_code == 409
    assert "so that you do not pay twice" in answer.text


def test_portal_changes_the_plan_after_its_message(shop: Shop) -> None:
    shop.pay("starter")
    shop.hear()
    assert shop.plan() == "starter"
    shop.session(shop.choose("scale", kind="change"))
    call = shop.double.requests("/v1/billing_portal/sessions", "POST")[0]
    assert call["params"]["flow_data"]["type"] == "subscription_update_confirm"
    row = db.session.scalars(select(Subscription)).one()
    price = queries.find_price("scale", "month")
    assert price is not None
    assert row.stripe_subscription_id is not None
    shop.stripe().subscriptions.update(row.stripe_subscription_id, {"items": [{"id": row.stripe_item_id, "price": price.stripe_price_id}]})
    assert shop.plan() == "starter"
    shop.hear()
    assert shop.plan() == "scale"
    assert "Scale plan" in shop.page()


def test_cancelled_plan_stays_until_its_end_and_then_it_is_free(shop: Shop) -> None:
    shop.double.clock(sign="wall")
    shop.pay("growth")
    shop.hear()
    row = db.session.scalars(select(Subscription)).one()
    shop.stripe().subscriptions.update(row.stripe_subscription_id, {"cancel_at_period_end": True})
    shop.hear()
    assert shop.plan() == "growth"
    assert "It ends on" in shop.page()
    shop.stripe().subscriptions.cancel(row.stripe_subscription_id)
    shop.hear()
    assert shop.plan() == "free"
    assert "Free plan." in shop.page()


def test_failed_payments_lead_to_past_due_and_read_only_and_paying_restores_at_once(
    shop: Shop, clock: Any, endpoint: dict[str, Any]
) -> None:
    shop.pay("growth")
    shop.hear()
    row = db.session.scalars(select(Subscription)).one()
    shop.double.card(row.stripe_customer_id, "declined")
    shop.double.clock(advance=32 * DAY)
    shop.hear()
    db.session.expire_all()
    assert shop.account.state == "past_due"
    assert shop.plan() == "growth"
    assert "The last payment did not go through." in shop.page()
    told = db.session.scalars(select(MailboxMail).where(MailboxMail.rcpt_to == "ines@larkfield.example")).all()
    assert {mail.subject for mail in told} == {"A payment for Larkfield did not go through"}
    assert len(told) == len(set(events_of(shop.double, "invoice.payment_failed")))
    clock.move(days=15)
    service.look_daily(shop.account.id)
    assert shop.account.state == "read_only"
    db.session.commit()
    clock.move(days=-15)
    shop.double.card(row.stripe_customer_id, "works")
    shop.hear()
    open_invoice = [i for i in shop.stripe().invoices.list({"customer": row.stripe_customer_id}).data if i.status == "open"]
    for invoice in open_invoice:
        shop.stripe().invoices.pay(invoice.id)
    shop.hear()
    db.session.expire_all()
    assert shop.account.state == "active"
    assert "did not go through" not in shop.page()


def test_unknown_price_changes_nothing_and_calls_a_person(shop: Shop) -> None:
    shop.pay("growth")
    shop.hear()
    row = db.session.scalars(select(Subscription)).one()
    odd = shop.stripe().prices.create(
        {"currency": "usd", "unit_amount": 100, "recurring": {"interval": "month"}, "product_data": {"name": "Something else"}}
    )
    shop.stripe().subscriptions.update(row.stripe_subscription_id, {"items": [{"id": row.stripe_item_id, "price": odd.id}]})
    shop.hear()
    assert shop.plan() == "growth"
    assert "billing.unknown_price" in set(db.session.scalars(select(AuditEntry.action)))


def test_two_live_subscriptions_are_told_and_the_active_newest_counts(shop: Shop) -> None:
    shop.pay("starter")
    shop.hear()
    row = db.session.scalars(select(Subscription)).one()
    price = queries.find_price("scale", "month")
    assert price is not None
    shop.double.clock(advance=60)
    shop.stripe().subscriptions.create({"customer": row.stripe_customer_id, "items": [{"price": price.stripe_price_id}]})
    shop.hear()
    assert shop.plan() == "scale"
    assert "billing.two_subscriptions" in set(db.session.scalars(select(AuditEntry.action)))


def test_older_answer_never_replaces_a_newer_one(shop: Shop, clock: Any) -> None:
    shop.pay("growth")
    shop.hear()
    row = db.session.scalars(select(Subscription)).one()
    old = gateway.standing(row.stripe_customer_id)
    then = clock.now()
    shop.stripe().subscriptions.cancel(row.stripe_subscription_id)
    service.apply(shop.account, gateway.standing(row.stripe_customer_id), then + timedelta(seconds=5))
    service.apply(shop.account, old, then)
    assert row.plan is None


def test_customer_of_another_account_is_not_taken_over(shop: Shop, rival: Account) -> None:
    shop.pay("growth")
    shop.hear()
    row = db.session.scalars(select(Subscription)).one()
    with tenancy.account_scope(rival.id):
        service.apply(rival, gateway.standing(row.stripe_customer_id), row.fetched_at + timedelta(seconds=9))
        db.session.flush()
        assert queries.find_subscription() is None
        assert queries.find_subscription() is None


def test_event_nobody_can_place_is_parked_and_later_left_to_a_person(shop: Shop, clock: Any, client: Any) -> None:
    stranger = shop.stripe().customers.create({"email": "who@elsewhere.example"})
    shop.stripe().customers.update(stranger.id, {"name": "Who"})
    shop.double.deliver_all()
    shop.run_jobs()
    kept = db.session.scalars(select(InboxEvent).where(InboxEvent.kind == "customer.updated")).one()
    assert kept.state == "parked"
    clock.move(hours=73)
    shop.run_jobs()
    db.session.expire_all()
    assert db.session.get(InboxEvent, kept.id).state == "orphan"  # type: ignore[union-attr]


def test_portal_needs_a_customer(shop: Shop, owner: Any) -> None:
    for kind in ("portal", "card", "cancel", "change"):
        with pytest.raises(NothingToChange):
            service.ask_portal(shop.account, owner, kind, "growth", "month")


def test_retired_price_is_not_sold_and_still_known(shop: Shop, owner: Any) -> None:
    price = queries.find_price("growth", "month")
    assert price is not None
    price.retired_at = shop.account.created_at
    db.session.flush()
    with pytest.raises(NotForSale):
        service.ask_checkout(shop.account, owner, "growth", "month")
    assert queries.find_price_of(price.stripe_price_id) is price


def test_invoices_are_listed_as_stripe_wrote_them(shop: Shop) -> None:
    shop.pay("growth")
    shop.hear()
    page = shop.page()
    assert "$199" in page
    assert "Paid" in page
    row = db.session.scalars(select(Invoice)).one()
    assert (row.status, row.amount_minor, row.currency) == ("paid", 19900, "USD")
    assert row.pdf_url in page


class TestWebhook:
    def test_wrong_body_secret_or_time_is_refused_and_kept_nowhere(
        self, shop: Shop, endpoint: dict[str, Any], client: Any, clock: Any
    ) -> None:
        shop.pay("growth")
        event = events_of(shop.double, "invoice.paid")[0]
        body, headers = signed(shop.double, endpoint, event)
        bad = [
            (body, {}),
            (body + b" ", headers),
            (body, {**headers, "Stripe-Signature": headers["Stripe-Signature"].replace("v1=", "v0=")}),
            (body, {"Stripe-Signature": "t=1,v1=00"}),
            (b"[]", headers),
        ]
        for one, with_headers in bad:
            assert client.post("/in/billing/stripe", data=one, headers=with_headers).status_code == 400
        for minutes in (6, -12):
            clock.move(minutes=minutes)
            assert client.post("/in/billing/stripe", data=body, headers=headers).status_code == 400
        assert db.session.scalar(select(func.count()).select_from(InboxEvent)) == 0
        assert db.session.scalar(select(func.count()).select_from(Job).where(Job.task == "billing.take_event")) == 0

    def test_more_than_a_megabyte_is_refused(self, app: Any, client: Any) -> None:
        assert client.post("/in/billing/stripe", data=b"x" * (1024 * 1024 + 1)).status_code == 413

    def test_call_answers_before_the_work_is_done(self, shop: Shop) -> None:
        shop.pay("growth")
        before = len(shop.double.requests())
        shop.double.deliver_all()
        assert len(shop.double.requests()) == before
        assert shop.plan() == "free"

    def test_events_that_say_nothing_about_plans_are_kept_and_left_alone(self, shop: Shop, client: Any) -> None:
        shop.stripe().products.create({"name": "A mug"})
        shop.hear()
        kept = db.session.scalars(select(InboxEvent).where(InboxEvent.kind == "product.created")).one()
        assert kept.state == "ignored"

    def test_event_of_the_live_mode_is_ignored_with_a_test_key(self, shop: Shop, endpoint: dict[str, Any], client: Any) -> None:
        shop.pay("growth")
        body, _ = signed(shop.double, endpoint, events_of(shop.double, "invoice.paid")[0])
        live = json.dumps({**json.loads(body), "livemode": True, "id": "evt_live"}).encode()
        stamp = int(product_clock.now().timestamp())
        headers = {"Stripe-Signature": f"t={stamp},v1={signature(endpoint['secret'], stamp, live)}"}
        assert client.post("/in/billing/stripe", data=live, headers=headers).status_code == 200
        shop.run_jobs()
        kept = db.session.scalars(select(InboxEvent).where(InboxEvent.external_id == "evt_live")).one()
        assert (kept.state, kept.reason) == ("ignored", "livemode")
        assert shop.plan() == "free"
