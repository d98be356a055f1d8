"""What a customer's Stripe event says, as facts. Works on our own parsed JSON, never on library objects.

Source of every field: the Stripe API reference, version 2026-10-28. Facts are plain values; whoever
stores them decides what they mean together, so an event's place in the order never matters.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from nps.core.money import half_up

Json = Mapping[str, Any]

REFUND_RANK = {"pending": 0, "requires_action": 1, "succeeded": 2, "failed": 3, "canceled": 3}
DISPUTE_RANK = {
    "warning_needs_response": 0,
    "warning_under_review": 0,
    "needs_response": 1,
    "under_review": 2,
    "lost": 3,
    "appeal_needs_response": 4,
    "appeal_under_review": 4,
    "won": 5,
    "warning_closed": 5,
    "prevented": 5,
}


@dataclass(frozen=True, slots=True)
class Keys:
    """What identifies a buyer: Stripe customer, the company's own id, address as written."""

    stripe_customer: str = ""
    external_id: str = ""
    email: str = ""
    name: str = ""
    country: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class Hint:
    """A piece of attribution evidence on a Stripe object: method of the ladder, kind and value."""

    method: str
    kind: str
    value: str
    object_id: str


@dataclass(frozen=True, slots=True)
class Binding:
    """A buyer is tied to evidence; `signed_up` when the event itself is a sign-up."""

    keys: Keys
    hints: tuple[Hint, ...]
    occurred_at: datetime
    object_id: str
    signed_up: bool


@dataclass(frozen=True, slots=True)
class Sale:
    """Money came in. Amounts in minor units; net is without tax and shipping."""

    external_id: str
    refs: tuple[tuple[str, str], ...]
    gross: int
    net: int
    tax: int
    currency: str
    occurred_at: datetime
    keys: Keys
    hints: tuple[Hint, ...] = ()
    product: str = ""
    subscription: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """Money went back or is withheld. `amount` is what counts against the sale now (0 = nothing)."""

    kind: str
    external_id: str
    amount: int
    currency: str
    status: str
    refs: tuple[tuple[str, str], ...]
    occurred_at: datetime
    heard_at: datetime
    rank: int
    gate_only: bool = False


@dataclass(frozen=True, slots=True)
class SameSale:
    """Outside ids that name one sale: the payment of an invoice, the session of a payment."""

    refs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Warned:
    """Stripe warned of fraud on a payment."""

    external_id: str
    refs: tuple[tuple[str, str], ...]
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Ended:
    """A subscription ended: the friend left."""

    keys: Keys
    occurred_at: datetime


Fact = Binding | Sale | Taken | SameSale | Warned | Ended


class Unreadable(ValueError):
    """The event names a type we act on but lacks a field that type must have."""


def facts(event: Json) -> list[Fact]:
    """The facts of one verified event; empty for types that say nothing about money or people.

    Raises Unreadable where a field that must be there is missing or of another type.
    """
    reader = _READERS.get(str(event.get("type", "")))
    if reader is None:
        return []
    try:
        data = event["data"]["object"]
        if not isinstance(data, Mapping):
            raise Unreadable("data.object is not an object")
        return reader(data, _time(event["created"]))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError) as e:
        raise Unreadable(f"{event.get('type')}: {type(e).__name__}: {e}") from e


def known(event_type: str) -> bool:
    return event_type in _READERS


def _time(value: Any) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unreadable(f"not a time: {value!r}")
    return datetime.fromtimestamp(value, UTC)


def _int(value: Any) -> int:
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unreadable(f"not an amount: {value!r}")
    return value


def _id(value: Any) -> str:
    """An id, given bare or as an expanded object."""
    if isinstance(value, Mapping):
        value = value.get("id")
    return value[:255] if isinstance(value, str) else ""


def _text(value: Any) -> str:
    return value[:320] if isinstance(value, str) else ""


def _list(value: Any) -> Sequence[Any]:
    if isinstance(value, Mapping):
        value = value.get("data")
    return value if isinstance(value, list) else []


def _refs(**ids: Any) -> tuple[tuple[str, str], ...]:
    return tuple((kind, _id(value)) for kind, value in ids.items() if _id(value))


def _hints(metadata: Any, object_id: str) -> tuple[Hint, ...]:
    if not isinstance(metadata, Mapping):
        return ()
    found = []
    for name, kind in (("wb_click", "click"), ("wb_code", "code")):
        if value := _text(metadata.get(name)):
            found.append(Hint("metadata_code", kind, value, object_id))
    return tuple(found)


def _promotion_hints(discounts: Any, object_id: str) -> tuple[Hint, ...]:
    found = []
    for discount in _list(discounts):
        if isinstance(discount, Mapping) and (promo := _id(discount.get("promotion_code"))):
            found.append(Hint("promotion_code", "promotion_code", promo, object_id))
    return tuple(found)


def _address(value: Any) -> tuple[str, str]:
    if not isinstance(value, Mapping):
        return "", ""
    return _text(value.get("country"))[:2].upper(), _text(value.get("state"))[:80]


def _session(o: Json, heard_at: datetime) -> list[Fact]:
    details = o.get("customer_details") or {}
    country, region = _address(details.get("address"))
    metadata = o.get("metadata") or {}
    keys = Keys(
        _id(o.get("customer")),
        _text(metadata.get("wb_customer"))[:255],
        _text(details.get("email")),
        _text(details.get("name")),
        country,
        region,
    )
    session = _id(o["id"])
    hints = _hints(metadata, session) + _promotion_hints(o.get("discounts"), session)
    if reference := _text(o.get("client_reference_id")):
        hints = (Hint("client_reference", "click", reference, session), *hints)
    made: list[Fact] = [Binding(keys, hints, _time(o["created"]), session, signed_up=True)]
    paid_once = o.get("mode") == "payment" and not o.get("invoice") and o.get("payment_status") == "paid"
    if paid_once and _int(o.get("amount_total")) > 0:
        totals = o.get("total_details") or {}
        gross, tax = _int(o["amount_total"]), _int(totals.get("amount_tax"))
        net = max(0, gross - tax - _int(totals.get("amount_shipping")))
        refs = _refs(session=session, payment_intent=o.get("payment_intent"))
        made.append(Sale(session, refs, gross, net, tax, _currency(o), heard_at, keys, hints, reason="checkout"))
    elif o.get("invoice"):
        made.append(SameSale(_refs(session=session, invoice=o.get("invoice"), payment_intent=o.get("payment_intent"))))
    return made


def _invoice_paid(o: Json, heard_at: datetime) -> list[Fact]:
    total, paid = _int(o.get("total")), _int(o.get("amount_paid"))
    invoice = _id(o["id"])
    parent = o.get("parent") or {}
    subscription = (parent.get("subscription_details") or {}) if isinstance(parent, Mapping) else {}
    country, region = _address(o.get("customer_address"))
    hints = _hints(o.get("metadata"), invoice) + _hints(subscription.get("metadata"), _id(subscription.get("subscription")) or invoice)
    hints += _promotion_hints(o.get("discounts"), invoice)
    keys = Keys(_id(o.get("customer")), "", _text(o.get("customer_email")), _text(o.get("customer_name")), country, region)
    at = (o.get("status_transitions") or {}).get("paid_at")
    when = _time(at) if at is not None else heard_at
    gross = min(paid, total)
    if gross <= 0:
        # A trial's zero invoice is no sale, but its evidence counts.
        return [Binding(keys, hints, when, invoice, signed_up=True)]
    before_tax = o.get("total_excluding_tax")
    taxes = sum(_int(t.get("amount")) for t in _list(o.get("total_taxes")) if isinstance(t, Mapping))
    excluding = _int(before_tax) if before_tax is not None else total - taxes
    shipping = _int((o.get("shipping_cost") or {}).get("amount_subtotal"))
    net = half_up(max(0, excluding - shipping) * gross, total)
    refs: list[tuple[str, str]] = [("invoice", invoice)]
    for payment in _list(o.get("payments")):
        if isinstance(payment, Mapping):
            refs += _payment_refs(payment.get("payment"))
    lines = _list(o.get("lines"))
    product = ""
    if lines and isinstance(lines[0], Mapping):
        pricing = lines[0].get("pricing") or {}
        product = _id((pricing.get("price_details") or {}).get("product"))
    sale = Sale(
        invoice,
        tuple(refs),
        gross,
        min(net, gross),
        max(0, total - excluding),
        _currency(o),
        when,
        keys,
        hints,
        product,
        _id(subscription.get("subscription")),
        _text(o.get("billing_reason"))[:40],
    )
    return [sale]


def _payment_refs(payment: Any) -> list[tuple[str, str]]:
    if not isinstance(payment, Mapping):
        return []
    return [(kind, _id(payment.get(kind))) for kind in ("payment_intent", "charge") if _id(payment.get(kind))]


def _invoice_payment(o: Json, heard_at: datetime) -> list[Fact]:
    refs = (*_refs(invoice=o.get("invoice")), *_payment_refs(o.get("payment")))
    return [SameSale(refs)] if len(refs) > 1 else []


def _refund(o: Json, heard_at: datetime) -> list[Fact]:
    status = _text(o.get("status")) or "succeeded"
    amount = _int(o["amount"]) if status in ("pending", "requires_action", "succeeded") else 0
    refs = _refs(payment_intent=o.get("payment_intent"), charge=o.get("charge"))
    return [Taken("refund", _id(o["id"]), amount, _currency(o), status, refs, _time(o["created"]), heard_at, REFUND_RANK.get(status, 0))]


def _dispute(o: Json, heard_at: datetime) -> list[Fact]:
    status = _text(o.get("status"))
    withheld = status in ("needs_response", "under_review", "lost") or status.startswith("appeal_")
    warning = status in ("warning_needs_response", "warning_under_review")
    refs = _refs(payment_intent=o.get("payment_intent"), charge=o.get("charge"))
    amount = _int(o["amount"]) if withheld else 0
    rank = DISPUTE_RANK.get(status, 2)
    return [Taken("dispute", _id(o["id"]), amount, _currency(o), status, refs, _time(o["created"]), heard_at, rank, gate_only=warning)]


def _credit_note(o: Json, heard_at: datetime) -> list[Fact]:
    returned = sum(_int(r.get("amount_refunded")) for r in _list(o.get("refunds")) if isinstance(r, Mapping))
    status = _text(o.get("status")) or "issued"
    amount = 0 if status == "void" else max(0, _int(o.get("post_payment_amount")) - returned)
    rank = 1 if status == "void" else 0
    return [
        Taken(
            "credit_note", _id(o["id"]), amount, _currency(o), status, _refs(invoice=o.get("invoice")), _time(o["created"]), heard_at, rank
        )
    ]


def _customer(o: Json, heard_at: datetime) -> list[Fact]:
    country, region = _address(o.get("address"))
    metadata = o.get("metadata") or {}
    keys = Keys(_id(o["id"]), _text(metadata.get("wb_customer"))[:255], _text(o.get("email")), _text(o.get("name")), country, region)
    return [
        Binding(keys, _hints(metadata, _id(o["id"])), _time(o.get("created") or int(heard_at.timestamp())), _id(o["id"]), signed_up=False)
    ]


def _subscription(o: Json, heard_at: datetime) -> list[Fact]:
    keys = Keys(_id(o.get("customer")))
    hints = _hints(o.get("metadata"), _id(o["id"]))
    made: list[Fact] = [Binding(keys, hints, _time(o.get("created") or int(heard_at.timestamp())), _id(o["id"]), signed_up=True)]
    if o.get("ended_at") is not None:
        made.append(Ended(keys, _time(o["ended_at"])))
    return made


def _warning(o: Json, heard_at: datetime) -> list[Fact]:
    refs = _refs(payment_intent=o.get("payment_intent"), charge=o.get("charge"))
    return [Warned(_id(o["id"]), refs, _time(o.get("created") or int(heard_at.timestamp())))]


def _charge_refunded(o: Json, heard_at: datetime) -> list[Fact]:
    # No money here: refunds come as their own events. It does tell which payment a charge belongs to.
    refs = _refs(charge=o.get("id"), payment_intent=o.get("payment_intent"))
    return [SameSale(refs)] if len(refs) > 1 else []


def _currency(o: Json) -> str:
    value = o.get("currency")
    if not isinstance(value, str) or len(value) != 3 or not value.isascii() or not value.isalpha():
        raise Unreadable(f"not a currency: {value!r}")
    return value.upper()


_READERS: dict[str, Callable[[Json, datetime], list[Fact]]] = {
    "checkout.session.completed": _session,
    "checkout.session.async_payment_succeeded": _session,
    "invoice.paid": _invoice_paid,
    "invoice_payment.paid": _invoice_payment,
    "refund.created": _refund,
    "refund.updated": _refund,
    "refund.failed": _refund,
    "charge.refunded": _charge_refunded,
    "charge.dispute.created": _dispute,
    "charge.dispute.updated": _dispute,
    "charge.dispute.closed": _dispute,
    "charge.dispute.funds_withdrawn": _dispute,
    "charge.dispute.funds_reinstated": _dispute,
    "credit_note.created": _credit_note,
    "credit_note.updated": _credit_note,
    "credit_note.voided": _credit_note,
    "customer.created": _customer,
    "customer.updated": _customer,
    "customer.subscription.created": _subscription,
    "customer.subscription.updated": _subscription,
    "customer.subscription.deleted": _subscription,
    "radar.early_fraud_warning.created": _warning,
}

TYPES = tuple(_READERS)
"""The event types to ask Stripe for."""
