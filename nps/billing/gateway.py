"""Our own billing talks to Stripe here and nowhere else.

Answers come back as values of ours. A call that may be repeated raises Unreachable; one that can never work raises Turned.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import stripe

from nps.billing.rules import OutsideSubscription
from nps.core.settings import current

TIMEOUT_SECONDS = 20


class Unreachable(Exception):
    """Stripe did not answer, was busy, or failed: try again with the same key."""


class Broke(Unreachable):
    """Stripe answered with a failure of its own. It keeps that answer under the key, so the next try needs a new one."""


class Turned(Exception):
    """Stripe refused, and would again. The text is Stripe's, for the log."""


@dataclass(frozen=True)
class Opened:
    """A page of Stripe's."""

    id: str
    url: str


@dataclass(frozen=True)
class OutsideInvoice:
    id: str
    number: str
    status: str
    amount_minor: int
    currency: str
    hosted_url: str
    pdf_url: str
    issued_at: datetime


@dataclass(frozen=True)
class OutsidePrice:
    id: str
    lookup_key: str
    amount_minor: int
    currency: str
    interval: str
    active: bool


@dataclass(frozen=True)
class Standing:
    """Everything about a customer that matters here, fetched at one time."""

    customer_id: str
    account: str
    email: str
    card: str
    subscriptions: tuple[OutsideSubscription, ...]
    invoices: tuple[OutsideInvoice, ...]


@lru_cache(maxsize=4)
def _client(key: str, base: str) -> stripe.StripeClient:
    where: Any = {"base_addresses": {"api": base}} if base else {}
    return stripe.StripeClient(key, max_network_retries=2, http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS), **where)


def _v1() -> Any:
    settings = current()
    return _client(settings.stripe_secret_key, settings.stripe_api_base).v1


def _calling(function: Any, *given: Any, **rest: Any) -> Any:
    try:
        return function(*given, **rest)
    except (stripe.APIConnectionError, stripe.RateLimitError, stripe.IdempotencyError) as error:
        raise Unreachable(str(error)) from error
    except stripe.StripeError as error:
        if error.http_status is not None and error.http_status >= 500:
            raise Broke(str(error)) from error
        if error.http_status is None or error.http_status == 409:
            raise Unreachable(str(error)) from error
        raise Turned(str(error)) from error


def open_checkout(
    *,
    account_id: str,
    price_id: str,
    customer_id: str | None,
    email: str,
    trial_end: datetime | None,
    success_url: str,
    cancel_url: str,
    key: str,
) -> Opened:
    """A Checkout page for one subscription. `key` makes a repeat find the same page."""
    params: dict[str, Any] = {
        "mode": "subscription",
        "line_items": [{"price": price_id, "quantity": 1}],
        "client_reference_id": account_id,
        "subscription_data": {"metadata": {"wb_account": account_id}},
        "tax_id_collection": {"enabled": True},
        "success_url": success_url,
        "cancel_url": cancel_url,
    }
    if trial_end is not None:
        params["subscription_data"]["trial_end"] = int(trial_end.timestamp())
    if customer_id is not None:
        params |= {"customer": customer_id, "customer_update": {"name": "auto", "address": "auto"}}
    else:
        params["customer_email"] = email
    made = _calling(_v1().checkout.sessions.create, params, {"idempotency_key": key})
    return Opened(made.id, made.url)


def open_portal(*, customer_id: str, return_url: str, flow: Mapping[str, Any] | None, key: str) -> Opened:
    """A page where the customer changes card, plan and invoices by themselves; `flow` leads to one of these at once."""
    params: dict[str, Any] = {"customer": customer_id, "return_url": return_url}
    if flow is not None:
        params["flow_data"] = dict(flow)
    made = _calling(_v1().billing_portal.sessions.create, params, {"idempotency_key": key})
    return Opened(made.id, made.url)


def retrieve_session(session_id: str) -> dict[str, Any]:
    """A Checkout session as it is now."""
    found: dict[str, Any] = _calling(_v1().checkout.sessions.retrieve, session_id).to_dict()
    return found


def standing(customer_id: str) -> Standing:
    """Fetch the customer, their subscriptions (also ended ones) and their newest invoices."""
    customer = _calling(_v1().customers.retrieve, customer_id).to_dict()
    found = [one.to_dict() for one in _calling(_v1().subscriptions.list, {"customer": customer_id, "status": "all", "limit": 100}).data]
    invoices = [one.to_dict() for one in _calling(_v1().invoices.list, {"customer": customer_id, "limit": 24}).data]
    live = [one for one in found if one["status"] not in ("canceled", "incomplete_expired")]
    method = next((one["default_payment_method"] for one in live if one.get("default_payment_method")), None)
    method = method or (customer.get("invoice_settings") or {}).get("default_payment_method")
    accounts = [(one.get("metadata") or {}).get("wb_account", "") for one in found]
    return Standing(
        customer_id=customer_id,
        account=next((account for account in accounts if account), ""),
        email=customer.get("email") or "",
        card=_card(method) if method else "",
        subscriptions=tuple(_subscription(one) for one in found),
        invoices=tuple(_invoice(one) for one in invoices if one["status"] != "draft"),
    )


def item_of(subscription_id: str) -> str:
    """The id of the one line of a subscription, which a change of plan replaces."""
    found = _calling(_v1().subscriptions.retrieve, subscription_id).to_dict()
    return str(found["items"]["data"][0]["id"])


def list_prices(lookup_keys: list[str]) -> list[OutsidePrice]:
    """Prices that carry these names."""
    found = [one.to_dict() for one in _calling(_v1().prices.list, {"lookup_keys": lookup_keys, "limit": 100}).data]
    return [_price(one) for one in found]


def create_price(*, plan: str, name: str, lookup_key: str, amount_minor: int, interval: str) -> OutsidePrice:
    """A new price in US cents with its product; a repeat within a day finds the same."""
    params = {
        "currency": "usd",
        "unit_amount": amount_minor,
        "recurring": {"interval": interval},
        "lookup_key": lookup_key,
        "product_data": {"name": f"Wordback {name}", "metadata": {"wb_plan": plan}},
    }
    return _price(_calling(_v1().prices.create, params, {"idempotency_key": f"wb-price-{lookup_key}-{amount_minor}"}).to_dict())


def _price(found: Mapping[str, Any]) -> OutsidePrice:
    return OutsidePrice(
        id=found["id"],
        lookup_key=found.get("lookup_key") or "",
        amount_minor=found["unit_amount"] or 0,
        currency=found["currency"].upper(),
        interval=(found.get("recurring") or {}).get("interval", ""),
        active=found["active"],
    )


def _card(method_id: str) -> str:
    """ "Visa ending 4242, until 08/28", or the kind of payment for others."""
    found = _calling(_v1().payment_methods.retrieve, method_id).to_dict()
    card = found.get("card")
    if not card:
        return str(found["type"]).replace("_", " ").capitalize()
    return f"{str(card['brand']).capitalize()} ending {card['last4']}, until {card['exp_month']:02}/{card['exp_year'] % 100:02}"


def _instant(value: int | None) -> datetime | None:
    return None if value is None else datetime.fromtimestamp(value, UTC)


def _subscription(found: Mapping[str, Any]) -> OutsideSubscription:
    item = found["items"]["data"][0]
    ends = found.get("cancel_at") or (item.get("current_period_end") if found.get("cancel_at_period_end") else None)
    return OutsideSubscription(
        id=found["id"],
        status=found["status"],
        created=found["created"],
        price_id=item["price"]["id"],
        item_id=item["id"],
        period_start_at=_instant(item.get("current_period_start")),
        period_end_at=_instant(item.get("current_period_end")),
        ends_at=_instant(ends),
    )


def _invoice(found: Mapping[str, Any]) -> OutsideInvoice:
    finalized = (found.get("status_transitions") or {}).get("finalized_at") or found["created"]
    return OutsideInvoice(
        id=found["id"],
        number=found.get("number") or "",
        status=found["status"],
        amount_minor=found["total"],
        currency=found["currency"].upper(),
        hosted_url=found.get("hosted_invoice_url") or "",
        pdf_url=found.get("invoice_pdf") or "",
        issued_at=datetime.fromtimestamp(finalized, UTC),
    )
