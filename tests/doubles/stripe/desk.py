"""The desk: one account's view of the state while one request, page or clock step is handled.

Every change goes through here, so every change can make its event.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.doubles.stripe.rules import PINNED_VERSION, missing
from tests.doubles.stripe.state import Obj, Store

ID_PREFIX = {
    "customer": "cus",
    "customer_balance_transaction": "cbtxn",
    "product": "prod",
    "price": "price",
    "coupon": "COUPON",
    "promotion_code": "promo",
    "discount": "di",
    "checkout.session": "cs_test",
    "billing_portal.session": "bps",
    "subscription": "sub",
    "subscription_item": "si",
    "invoice": "in",
    "line_item": "il",
    "item": "li",
    "invoice_payment": "inpay",
    "payment_intent": "pi",
    "charge": "ch",
    "payment_method": "pm",
    "refund": "re",
    "dispute": "du",
    "credit_note": "cn",
    "credit_note_line_item": "cnli",
    "event": "evt",
    "webhook_endpoint": "we",
    "radar.early_fraud_warning": "issfr",
    "balance_transaction": "txn",
    "setup_intent": "seti",
    "shipping_rate": "shr",
}


def public(value: Any) -> Any:
    """The object as Stripe would show it: without the double's own underscore fields."""
    if isinstance(value, dict):
        return {key: public(item) for key, item in value.items() if not key.startswith("_")}
    return [public(item) for item in value] if isinstance(value, list) else value


class Desk:
    def __init__(
        self, store: Store, account: str, *, base_url: str = "", request_id: str | None = None, idempotency_key: str | None = None
    ) -> None:
        self.store, self.account, self.base_url = store, account, base_url
        self.request_id, self.idempotency_key = request_id, idempotency_key

    def now(self) -> int:
        return self.store.now()

    def new_id(self, kind: str) -> str:
        return self.store.new_id(ID_PREFIX[kind])

    def account_setting(self, name: str, default: Any = None) -> Any:
        return (self.store.account(self.account) or {}).get(f"_{name}", default)

    def find(self, kind: str, id_: str | None) -> Obj | None:
        return self.store.get(self.account, kind, id_) if id_ else None

    def get(self, kind: str, id_: str | None, param: str = "id") -> Obj:
        """The live object, or Stripe's `resource_missing`."""
        found = self.find(kind, id_)
        if found is None or (found.get("_deleted") and param != "id"):
            raise missing(kind.replace("checkout.session", "checkout.session").replace("_", " "), str(id_), param)
        return found

    def all(self, kind: str, keep: Callable[[Obj], bool] = lambda _: True) -> list[Obj]:
        """Newest first, without deleted ones."""
        return [o for o in self.store.all(self.account, kind) if not o.get("_deleted") and keep(o)]

    def save(self, body: Obj) -> Obj:
        return self.store.put(self.account, body["object"], body)

    def created(self, body: Obj, event: str | None = None) -> Obj:
        self.save(body)
        if event:
            self.emit(event, body)
        return body

    def change(self, body: Obj, changes: Obj, event: str | None = None) -> Obj:
        """Store `changes`; when they change something visible, send `event` with the previous values."""
        previous = {key: body.get(key) for key, value in changes.items() if not key.startswith("_") and body.get(key) != value}
        body.update(changes)
        self.save(body)
        if event and previous:
            self.emit(event, body, previous)
        return body

    def emit(self, type_: str, body: Obj, previous: Obj | None = None) -> Obj:
        """Store an event with a snapshot of the object and queue it for every endpoint that wants it."""
        data: Obj = {"object": public(body)}
        if previous is not None:
            data["previous_attributes"] = public(previous)
        endpoints = [
            e
            for e in self.all("webhook_endpoint")
            if e["status"] == "enabled" and (e["enabled_events"] == ["*"] or type_ in e["enabled_events"])
        ]
        event = self.save(
            {
                "id": self.new_id("event"),
                "object": "event",
                "api_version": PINNED_VERSION,
                "created": self.now(),
                "data": data,
                "livemode": False,
                "pending_webhooks": len(endpoints),
                "request": {"id": self.request_id, "idempotency_key": self.idempotency_key},
                "type": type_,
            }
        )
        for endpoint in reversed(endpoints):
            self.store.db.execute(
                "insert into delivery (account, endpoint, event, state, due) values (?, ?, ?, 'queued', ?)",
                (self.account, endpoint["id"], event["id"], self.now()),
            )
        return event
