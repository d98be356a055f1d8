"""The customer's own Stripe: checking that an event is theirs, and asking their account a question."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import stripe

from nps.core.settings import Settings

TOLERANCE = 300
MAX_BODY = 1024 * 1024
API_VERSION = "2026-10-28.endive"


class Forged(Exception):
    """Not an event of this Stripe account: the text says why, for our log only."""


def read_event(body: bytes, header: str | None, secrets: Sequence[str], now: float) -> dict[str, Any]:
    """The event in `body`, signed with one of the secrets within 300 s of `now` in either direction. Raises Forged.

    The library raises five different exceptions for bad input and never looks at times ahead of now.
    """
    if not header or not header.isascii():
        raise Forged("no signature")
    if len(body) > MAX_BODY:
        raise Forged("too large")
    signed_at = _signed_at(header)
    if abs(now - signed_at) > TOLERANCE:
        raise Forged("too old or ahead of time")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Forged("not UTF-8") from error
    if not any(_signed(text, header, secret) for secret in secrets if secret):
        raise Forged("wrong signature")
    try:
        event = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Forged("not JSON") from error
    if (
        not isinstance(event, dict)
        or event.get("object") != "event"
        or not isinstance(event.get("id"), str)
        or not isinstance(event.get("type"), str)
    ):
        raise Forged("not an event")
    if not isinstance(event.get("data"), dict) or not isinstance(event["data"].get("object"), dict):
        raise Forged("a thin event")
    return event


def _signed_at(header: str) -> int:
    """The `t` of a signature header. Raises Forged for anything but digits."""
    times = [part[2:] for part in header.split(",") if part.startswith("t=")]
    if len(times) != 1 or not times[0].isdigit() or len(times[0]) > 12:
        raise Forged("no time")
    return int(times[0])


def _signed(text: str, header: str, secret: str) -> bool:
    try:
        # Time is checked above, in both directions and by our clock.
        return bool(stripe.WebhookSignature.verify_header(text, header, secret, tolerance=None))
    except (stripe.SignatureVerificationError, ValueError, TypeError, UnicodeError, AttributeError):
        return False


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


class CustomerStripe:
    """The API of the company's Stripe account with the key they gave us."""

    def __init__(self, api_key: str, settings: Settings) -> None:
        base = settings.stripe_api_base
        options: dict[str, Any] = {"base_addresses": {"api": base}} if base else {}
        self._client = stripe.StripeClient(api_key, stripe_version=API_VERSION, max_network_retries=1, **options)

    def whoami(self) -> tuple[str, bool]:
        """(account id, live mode) of the key. Raises Unusable."""
        try:
            account = self._client.v1.accounts.retrieve_current()
        except stripe.StripeError as error:
            raise Unusable(_plain(error)) from error
        return str(account.id), False

    def payments_of_invoice(self, invoice: str) -> list[Mapping[str, Any]]:
        """The payments of an invoice, as plain data. Raises Unusable."""
        try:
            found = self._client.v1.invoice_payments.list({"invoice": invoice, "limit": 100})
            return [payment.to_dict() for payment in found.auto_paging_iter()]
        except stripe.StripeError as error:
            raise Unusable(_plain(error)) from error

    def invoices_of_payment(self, payment_intent: str) -> list[Mapping[str, Any]]:
        """Invoice payments made by a payment intent. Raises Unusable."""
        try:
            found = self._client.v1.invoice_payments.list(
                {"payment": {"type": "payment_intent", "payment_intent": payment_intent}, "limit": 100}
            )
            return [payment.to_dict() for payment in found.auto_paging_iter()]
        except stripe.StripeError as error:
            raise Unusable(_plain(error)) from error

    def event(self, event_id: str) -> Mapping[str, Any]:
        """An event by id, in our version of the API. Raises Unusable."""
        try:
            return self._client.v1.events.retrieve(event_id).to_dict()
        except stripe.StripeError as error:
            raise Unusable(_plain(error)) from error


class Unusable(Exception):
    """Stripe did not do what we asked; the text is for people."""


def _plain(error: stripe.StripeError) -> str:
    if isinstance(error, stripe.AuthenticationError):
        return "Stripe does not know this key."
    if isinstance(error, stripe.PermissionError):
        return "The key lacks a permission."
    if isinstance(error, stripe.APIConnectionError):
        return "Stripe could not be reached."
    return "Stripe refused the request."
