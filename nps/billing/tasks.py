"""Calls to Stripe, between short units of work, and the daily look at every account."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from nps.accounts import queries as accounts
from nps.billing import gateway, queries, rules, service
from nps.billing.gateway import Broke, Turned
from nps.core import clock, tenancy
from nps.core.db import db, unit
from nps.core.settings import current
from nps.jobs.executor import Later
from nps.jobs.models import InboxEvent
from nps.jobs.outbox import enqueue
from nps.jobs.registry import task

PARK = timedelta(hours=72)
PARK_SECONDS = 600


@task("billing.open_page", queue="urgent", network=True)
def open_page(page_id: str) -> None:
    """Open the page somebody wished for. The same key on every try, so that a lost answer is found again: Stripe makes one page."""
    with unit(write=False):
        wish = _wish(UUID(page_id))
    if wish is None:
        return
    try:
        opened = gateway.open_checkout(**wish["checkout"]) if "checkout" in wish else gateway.open_portal(**wish["portal"])
    except Broke:
        with unit():
            service.next_key(UUID(page_id))
        raise
    except Turned as error:
        with unit():
            service.turned_away(UUID(page_id), str(error))
        return
    with unit():
        service.opened(UUID(page_id), opened.id, opened.url)


def _wish(page_id: UUID) -> dict[str, Any] | None:
    """What to ask Stripe for, read in one unit; None when the page is open already."""
    page, row = queries.get_page(page_id), queries.find_subscription()
    account = accounts.get_account(tenancy.current())
    if page.state != "asked":
        return None
    home = f"{current().base_url}/{account.slug}/billing"
    price = queries.find_price(page.plan or "", page.interval or "")
    if page.kind == "checkout" and price is not None:
        trial_end = rules.trial_end_to_pass(account.created_at, clock.now())
        return {
            "checkout": {
                "account_id": str(account.id),
                "price_id": price.stripe_price_id,
                "customer_id": row.stripe_customer_id if row is not None else None,
                "email": page.asked_by,
                "trial_end": trial_end,
                "success_url": f"{home}/pages/{page.id}/back",
                "cancel_url": home,
                "key": page.key,
            }
        }
    if row is None:
        return None
    flow: dict[str, Any] | None = None
    if page.kind == "card":
        flow = {"type": "payment_method_update"}
    elif page.kind == "cancel":
        flow = {"type": "subscription_cancel", "subscription_cancel": {"subscription": row.stripe_subscription_id}}
    elif page.kind == "change" and price is not None:
        items = [{"id": row.stripe_item_id, "price": price.stripe_price_id, "quantity": 1}]
        confirm = {"subscription": row.stripe_subscription_id, "items": items}
        flow = {"type": "subscription_update_confirm", "subscription_update_confirm": confirm}
    return {"portal": {"customer_id": row.stripe_customer_id, "return_url": home, "flow": flow, "key": page.key}}


@task("billing.take_event", queue="urgent", network=True, tries=8)
def take_event(event_id: str) -> None:
    """Whatever the event says, the customer is fetched and the account becomes what Stripe says now."""
    with unit(write=False):
        kept = db.session.get(InboxEvent, UUID(event_id))
        if kept is None or kept.state in ("done", "ignored", "orphan"):
            return None
        event, received_at = json.loads(kept.body), kept.received_at
        customer_id = rules.customer_of(event)
        account_id = service.account_named(rules.account_of(event), customer_id)
    live_key = current().stripe_secret_key.startswith(("sk_live_", "rk_live_"))
    if bool(event.get("livemode")) != live_key:
        return _close(event_id, "ignored", "livemode")
    if customer_id is None:
        return _close(event_id, "ignored", "no customer")
    fetched_at = clock.now()
    found = gateway.standing(customer_id)
    if account_id is None:
        with unit(write=False):
            account_id = service.account_named(None, None, found.account)
    if account_id is None:
        return _park(event_id, received_at)
    with unit(), tenancy.account_scope(account_id):
        account = accounts.get_account(account_id)
        service.apply(account, found, fetched_at)
        if event["type"] in ("invoice.payment_failed", "invoice.payment_action_required"):
            service.tell_payment_failed(account, event["data"]["object"])
        db.session.flush()
    return _close(event_id, "done")


def _close(event_id: str, state: str, reason: str | None = None) -> None:
    with unit():
        kept = db.session.get(InboxEvent, UUID(event_id))
        if kept is not None:
            service.settle_event(kept, state, reason)


def _park(event_id: str, received_at: Any) -> None:
    """Nobody knows the customer yet: look again for three days, then leave it to a person."""
    if clock.now() - received_at > PARK:
        return _close(event_id, "orphan", "no account within 72 hours")
    with unit():
        kept = db.session.get(InboxEvent, UUID(event_id))
        if kept is not None:
            kept.state, kept.next_at = "parked", clock.now() + timedelta(seconds=PARK_SECONDS)
    raise Later(PARK_SECONDS)


@task("billing.look_daily")
def look_daily() -> None:
    """One job an account, so that one broken account stops no other."""
    if not current().billing:
        return
    for account_id in queries.list_account_ids():
        with tenancy.account_scope(account_id):
            enqueue("billing.look_at", {}, key=str(account_id), queue="bulk")


@task("billing.look_at", queue="bulk")
def look_at() -> None:
    service.look_daily(tenancy.current())
