"""What a request may say: bracketed form parameters, their types, and Stripe's words when they are wrong.

A parameter the table does not name is refused, also one the real Stripe would take: a double that
silently ignores a parameter would let a mistake of ours pass.
"""

from __future__ import annotations

import re
from typing import Any

from tests.doubles.stripe.state import Obj

PINNED_VERSION = "2026-10-28.endive"


class ApiError(Exception):
    """An error answer of the API, with the fields stripe-python reads."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        decline_code: str | None = None,
        extra: Obj | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error: Obj = {"type": type, "message": message}
        for name, value in (("param", param), ("code", code), ("decline_code", decline_code)):
            if value is not None:
                self.error[name] = value
        self.error.update(extra or {})


def missing(kind: str, id_: str, param: str = "id") -> ApiError:
    """404 for the object of the path, 400 for one named by a parameter, as Stripe does."""
    return ApiError(404 if param == "id" else 400, f"No such {kind}: '{id_}'", param=param, code="resource_missing")


# -- parsing -------------------------------------------------------------------------------------

_PART = re.compile(r"\[([^\]]*)\]")


def parse(pairs: list[tuple[str, str]]) -> Obj:
    """`a[b][0][c]=1` and `a[]=1` into nested dicts and lists."""
    root: Obj = {}
    for name, value in pairs:
        head = name.split("[", 1)[0]
        path = [head, *_PART.findall(name[len(head) :])]
        node: Any = root
        for i, part in enumerate(path[:-1]):
            key = part if part != "" else str(len(node))
            if not isinstance(node.get(key), dict):
                node[key] = {}
            node = node[key]
            if i > 20:
                raise ApiError(400, "Parameters are nested too deeply", param=head)
        last = path[-1]
        node[last if last != "" else str(len(node))] = value
    return {key: _lists(value) for key, value in root.items()}


def _lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node and all(key.isdigit() for key in node):
        return [_lists(node[key]) for key in sorted(node, key=int)]
    return {key: _lists(value) for key, value in node.items()}


# -- types ---------------------------------------------------------------------------------------

STR, TEXT, INT, COUNT, BOOL, DEC, META, CURRENCY, EMAIL, URL = (
    "str",
    "text",
    "int",
    "count",
    "bool",
    "dec",
    "meta",
    "currency",
    "email",
    "url",
)


def enum(*names: str) -> tuple[str, ...]:
    return names


RANGE: Obj = {"gt": INT, "gte": INT, "lt": INT, "lte": INT}
ADDRESS: Obj = dict.fromkeys(("line1", "line2", "city", "state", "postal_code", "country"), TEXT)
LIST: Obj = {"limit": INT, "starting_after": STR, "ending_before": STR, "expand": [STR]}
CREATED: Obj = {"created": ("range",)}
RECURRING: Obj = {"!interval": enum("day", "week", "month", "year"), "interval_count": COUNT}
PRICE_DATA: Obj = {
    "!currency": CURRENCY,
    "unit_amount": COUNT,
    "product": STR,
    "recurring": RECURRING,
    "tax_behavior": enum("exclusive", "inclusive", "unspecified"),
    "product_data": {"!name": STR, "description": TEXT, "metadata": META},
}
ITEM: Obj = {"id": STR, "price": STR, "quantity": COUNT, "deleted": BOOL, "metadata": META}
DISCOUNTS: Any = [{"coupon": STR, "promotion_code": STR}]
EXPAND: Obj = {"expand": [STR]}
CANCELLATION: Obj = {
    "comment": TEXT,
    "feedback": enum(
        "customer_service", "low_quality", "missing_features", "other", "switched_service", "too_complex", "too_expensive", "unused"
    ),
}
PRORATION = enum("always_invoice", "create_prorations", "none")
CUSTOMER: Obj = {
    "email": EMAIL,
    "name": TEXT,
    "description": TEXT,
    "phone": TEXT,
    "metadata": META,
    "address": ADDRESS,
    "balance": INT,
    "preferred_locales": [STR],
    "tax_exempt": enum("exempt", "none", "reverse"),
    "business_name": TEXT,
    "individual_name": TEXT,
    "shipping": {"name": STR, "phone": TEXT, "address": ADDRESS},
    "invoice_settings": {"default_payment_method": STR, "footer": TEXT},
}

# operation -> parameters; "!" in front of a name means required.
PARAMS: dict[str, Obj] = {
    "account.retrieve": {},
    "customers.create": {**CUSTOMER},
    "customers.update": {**CUSTOMER},
    "customers.retrieve": {},
    "customers.delete": {},
    "customers.list": {**LIST, **CREATED, "email": STR},
    "balance_transactions.create": {"!amount": INT, "!currency": CURRENCY, "description": TEXT, "metadata": META},
    "balance_transactions.update": {"description": TEXT, "metadata": META},
    "balance_transactions.retrieve": {},
    "balance_transactions.list": {**LIST, **CREATED, "invoice": STR},
    "products.create": {
        "!name": STR,
        "id": STR,
        "active": BOOL,
        "description": TEXT,
        "metadata": META,
        "images": [STR],
        "url": URL,
        "tax_code": STR,
        "unit_label": TEXT,
        "statement_descriptor": STR,
        "default_price_data": PRICE_DATA,
    },
    "products.update": {
        "name": STR,
        "active": BOOL,
        "description": TEXT,
        "metadata": META,
        "url": URL,
        "unit_label": TEXT,
        "default_price": STR,
    },
    "products.retrieve": {},
    "products.delete": {},
    "products.list": {**LIST, **CREATED, "active": BOOL, "ids": [STR]},
    "prices.create": {**PRICE_DATA, "active": BOOL, "nickname": TEXT, "metadata": META, "lookup_key": STR, "transfer_lookup_key": BOOL},
    "prices.update": {"active": BOOL, "nickname": TEXT, "metadata": META, "lookup_key": STR, "transfer_lookup_key": BOOL},
    "prices.retrieve": {},
    "prices.list": {
        **LIST,
        **CREATED,
        "active": BOOL,
        "currency": CURRENCY,
        "product": STR,
        "type": enum("one_time", "recurring"),
        "lookup_keys": [STR],
        "recurring": {"interval": enum("day", "week", "month", "year")},
    },
    "coupons.create": {
        "id": STR,
        "amount_off": COUNT,
        "currency": CURRENCY,
        "percent_off": DEC,
        "duration": enum("forever", "once", "repeating"),
        "duration_in_months": COUNT,
        "max_redemptions": COUNT,
        "metadata": META,
        "name": TEXT,
        "redeem_by": INT,
        "applies_to": {"products": [STR]},
    },
    "coupons.update": {"metadata": META, "name": TEXT},
    "coupons.retrieve": {},
    "coupons.delete": {},
    "coupons.list": {**LIST, **CREATED},
    "promotion_codes.create": {
        "!promotion": {"!type": enum("coupon"), "coupon": STR},
        "code": STR,
        "active": BOOL,
        "customer": STR,
        "expires_at": INT,
        "max_redemptions": COUNT,
        "metadata": META,
        "restrictions": {"first_time_transaction": BOOL, "minimum_amount": COUNT, "minimum_amount_currency": CURRENCY},
    },
    "promotion_codes.update": {"active": BOOL, "metadata": META},
    "promotion_codes.retrieve": {},
    "promotion_codes.list": {**LIST, **CREATED, "active": BOOL, "code": STR, "coupon": STR, "customer": STR},
    "checkout.sessions.create": {
        "mode": enum("payment", "setup", "subscription"),
        "success_url": URL,
        "cancel_url": URL,
        "customer": STR,
        "customer_email": EMAIL,
        "customer_creation": enum("always", "if_required"),
        "client_reference_id": STR,
        "metadata": META,
        "allow_promotion_codes": BOOL,
        "discounts": DISCOUNTS,
        "line_items": [{"price": STR, "price_data": PRICE_DATA, "quantity": COUNT, "metadata": META}],
        "subscription_data": {"metadata": META, "trial_end": INT, "trial_period_days": COUNT, "description": TEXT},
        "payment_intent_data": {"metadata": META, "description": TEXT, "receipt_email": EMAIL},
        "invoice_creation": {"!enabled": BOOL, "invoice_data": {"metadata": META, "description": TEXT}},
        "tax_id_collection": {"!enabled": BOOL, "required": enum("if_supported", "never")},
        "automatic_tax": {"!enabled": BOOL},
        "billing_address_collection": enum("auto", "required"),
        "expires_at": INT,
        "locale": STR,
        "currency": CURRENCY,
        "payment_method_types": [STR],
        "payment_method_collection": enum("always", "if_required"),
        "ui_mode": enum("hosted_page"),
        "submit_type": enum("auto", "book", "donate", "pay", "subscribe"),
        "customer_update": {"address": enum("auto", "never"), "name": enum("auto", "never"), "shipping": enum("auto", "never")},
        "shipping_options": [
            {
                "shipping_rate_data": {
                    "!display_name": STR,
                    "type": enum("fixed_amount"),
                    "fixed_amount": {"!amount": COUNT, "!currency": CURRENCY},
                }
            }
        ],
    },
    "checkout.sessions.retrieve": {},
    "checkout.sessions.expire": {},
    "checkout.sessions.update": {"metadata": META},
    "checkout.sessions.list": {
        **LIST,
        **CREATED,
        "customer": STR,
        "payment_intent": STR,
        "subscription": STR,
        "status": enum("complete", "expired", "open"),
        "customer_details": {"!email": STR},
    },
    "checkout.sessions.line_items": {**LIST},
    "billing_portal.sessions.create": {
        "!customer": STR,
        "return_url": URL,
        "locale": STR,
        "configuration": STR,
        "flow_data": {
            "!type": enum("payment_method_update", "subscription_cancel", "subscription_update", "subscription_update_confirm"),
            "subscription_cancel": {"!subscription": STR},
            "subscription_update": {"!subscription": STR},
            "subscription_update_confirm": {
                "!subscription": STR,
                "!items": [{"!id": STR, "price": STR, "quantity": COUNT}],
                "discounts": DISCOUNTS,
            },
            "after_completion": {
                "!type": enum("hosted_confirmation", "portal_homepage", "redirect"),
                "redirect": {"!return_url": URL},
                "hosted_confirmation": {"custom_message": TEXT},
            },
        },
    },
    "subscriptions.create": {
        "!customer": STR,
        "!items": [{"price": STR, "quantity": COUNT, "metadata": META}],
        "metadata": META,
        "trial_end": INT,
        "trial_period_days": COUNT,
        "default_payment_method": STR,
        "discounts": DISCOUNTS,
        "description": TEXT,
    },
    "subscriptions.retrieve": {},
    "subscriptions.list": {
        **LIST,
        **CREATED,
        "customer": STR,
        "price": STR,
        "status": enum(
            "active", "all", "canceled", "ended", "incomplete", "incomplete_expired", "past_due", "paused", "trialing", "unpaid"
        ),
    },
    "subscriptions.update": {
        "metadata": META,
        "cancel_at_period_end": BOOL,
        "items": [ITEM],
        "proration_behavior": PRORATION,
        "description": TEXT,
        "default_payment_method": STR,
        "trial_end": ("now_or_int",),
        "cancellation_details": CANCELLATION,
        "discounts": DISCOUNTS,
        "pause_collection": {"!behavior": enum("keep_as_draft", "mark_uncollectible", "void"), "resumes_at": INT},
    },
    "subscriptions.cancel": {"cancellation_details": CANCELLATION, "invoice_now": BOOL, "prorate": BOOL},
    "subscriptions.resume": {"billing_cycle_anchor": enum("now", "unchanged"), "proration_behavior": PRORATION},
    "invoices.retrieve": {},
    "invoices.list": {
        **LIST,
        **CREATED,
        "customer": STR,
        "subscription": STR,
        "status": enum("draft", "open", "paid", "uncollectible", "void"),
        "collection_method": enum("charge_automatically", "send_invoice"),
    },
    "invoices.finalize": {"auto_advance": BOOL},
    "invoices.pay": {"payment_method": STR, "paid_out_of_band": BOOL, "off_session": BOOL},
    "invoices.void": {},
    "invoices.mark_uncollectible": {},
    "invoices.lines": {**LIST},
    "invoice_payments.retrieve": {},
    "invoice_payments.list": {
        **LIST,
        **CREATED,
        "invoice": STR,
        "status": enum("canceled", "open", "paid"),
        "payment": {"!type": enum("payment_intent", "payment_record"), "payment_intent": STR, "payment_record": STR},
    },
    "payment_intents.retrieve": {"client_secret": STR},
    "payment_intents.list": {**LIST, **CREATED, "customer": STR},
    "payment_intents.update": {"metadata": META, "description": TEXT},
    "charges.retrieve": {},
    "charges.list": {**LIST, **CREATED, "customer": STR, "payment_intent": STR},
    "charges.update": {"metadata": META, "description": TEXT},
    "payment_methods.retrieve": {},
    "payment_methods.list": {**LIST, "customer": STR, "type": enum("card", "us_bank_account")},
    "refunds.create": {
        "charge": STR,
        "payment_intent": STR,
        "amount": COUNT,
        "metadata": META,
        "reason": enum("duplicate", "fraudulent", "requested_by_customer"),
    },
    "refunds.update": {"metadata": META},
    "refunds.retrieve": {},
    "refunds.list": {**LIST, **CREATED, "charge": STR, "payment_intent": STR},
    "disputes.retrieve": {},
    "disputes.list": {**LIST, **CREATED, "charge": STR, "payment_intent": STR},
    "disputes.close": {},
    "disputes.update": {"metadata": META},
    "credit_notes.create": {
        "!invoice": STR,
        "amount": COUNT,
        "credit_amount": COUNT,
        "refund_amount": COUNT,
        "out_of_band_amount": COUNT,
        "memo": TEXT,
        "metadata": META,
        "reason": enum("duplicate", "fraudulent", "order_change", "product_unsatisfactory"),
        "refunds": [{"!refund": STR, "amount_refunded": COUNT}],
    },
    "credit_notes.retrieve": {},
    "credit_notes.list": {**LIST, **CREATED, "invoice": STR, "customer": STR},
    "credit_notes.void": {},
    "events.retrieve": {},
    "events.list": {**LIST, **CREATED, "type": STR, "types": [STR], "delivery_success": BOOL},
    "webhook_endpoints.create": {
        "!url": URL,
        "!enabled_events": [STR],
        "api_version": STR,
        "description": TEXT,
        "metadata": META,
        "connect": BOOL,
    },
    "webhook_endpoints.update": {"url": URL, "enabled_events": [STR], "description": TEXT, "metadata": META, "disabled": BOOL},
    "webhook_endpoints.retrieve": {},
    "webhook_endpoints.delete": {},
    "webhook_endpoints.list": {**LIST},
}


def check(operation: str, params: Obj) -> Obj:
    """The parameters with their real types; raises ApiError 400 with `param` for the first wrong one."""
    return _dict({**PARAMS[operation], **EXPAND}, params, "")


def _dict(spec: Obj, value: Any, path: str) -> Obj:
    if not isinstance(value, dict):
        raise ApiError(400, "Invalid object", param=path)
    names = {name.lstrip("!"): name for name in spec}
    out: Obj = {}
    for name, given in value.items():
        here = f"{path}[{name}]" if path else name
        if name not in names:
            raise ApiError(400, f"Received unknown parameter: {here}", param=here, code="parameter_unknown")
        out[name] = _value(spec[names[name]], given, here)
    for name, key in names.items():
        if key.startswith("!") and out.get(name) in (None, "", []):
            here = f"{path}[{name}]" if path else name
            raise ApiError(400, f"Missing required param: {here}.", param=here, code="parameter_missing")
    return out


def _value(spec: Any, value: Any, path: str) -> Any:
    if spec == META:
        return _metadata(value, path)
    if value == "" and not (isinstance(spec, str) and spec in (INT, COUNT, BOOL)):
        return None
    if isinstance(spec, list):
        if not isinstance(value, list):
            raise ApiError(400, "Invalid array", param=path)
        return [_value(spec[0], item, f"{path}[{i}]") for i, item in enumerate(value)]
    if isinstance(spec, dict):
        return _dict(spec, value, path)
    if spec == ("range",):
        return _dict(RANGE, value, path) if isinstance(value, dict) else {"gte": _integer(value, path), "lte": _integer(value, path)}
    if isinstance(value, dict | list):
        raise ApiError(400, "Invalid string: must be a single value", param=path)
    if spec == ("now_or_int",):
        return value if value == "now" else _integer(value, path)
    if isinstance(spec, tuple):
        if value not in spec:
            raise ApiError(400, f"Invalid {path}: must be one of {', '.join(spec)}", param=path)
        return value
    return _scalar(spec, value, path)


def _integer(value: Any, path: str) -> int:
    if not isinstance(value, str) or not re.fullmatch(r"-?\d{1,15}", value):
        raise ApiError(400, f"Invalid integer: {value}", param=path, code="parameter_invalid_integer")
    return int(value)


def _scalar(spec: str, value: str, path: str) -> Any:
    if spec in (INT, COUNT):
        number = _integer(value, path)
        if spec == COUNT and number < 0:
            raise ApiError(400, "This value must be greater than or equal to 0.", param=path, code="parameter_invalid_integer")
        return number
    if spec == BOOL:
        if value not in ("true", "false"):
            raise ApiError(400, f"Invalid boolean: {value}", param=path)
        return value == "true"
    if spec == DEC:
        if not re.fullmatch(r"\d{1,12}(\.\d{1,12})?", value):
            raise ApiError(400, f"Invalid decimal: {value}", param=path)
        return float(value)
    if spec == CURRENCY:
        if not re.fullmatch(r"[A-Za-z]{3}", value):
            raise ApiError(400, f"Invalid currency: {value}", param=path)
        return value.lower()
    if spec == EMAIL and not re.fullmatch(r"[^@\s]+@[^@\s]+", value):
        raise ApiError(400, f"Invalid email address: {value}", param=path, code="email_invalid")
    if spec == URL and not re.match(r"https?://[^\s/]+", value):
        raise ApiError(400, "Not a valid URL", param=path, code="url_invalid")
    if len(value) > 5000:
        raise ApiError(400, "Invalid string: must be at most 5000 characters", param=path)
    return value


def _metadata(value: Any, path: str) -> Obj | None:
    """None means: unset all. An empty value of a key means: unset that key."""
    if value == "":
        return None
    if isinstance(value, list):
        value = {str(i): item for i, item in enumerate(value)}
    if not isinstance(value, dict):
        raise ApiError(400, "Invalid object", param=path)
    for key, text in value.items():
        if not isinstance(text, str):
            raise ApiError(400, "Metadata values must be strings", param=f"{path}[{key}]")
        if len(key) > 40 or len(text) > 500:
            raise ApiError(400, "Metadata keys may have 40 characters and values 500", param=f"{path}[{key}]")
    if len(value) > 50:
        raise ApiError(400, "You can have up to 50 metadata keys", param=path)
    return value


def merged(old: Obj | None, new: Obj | None) -> Obj:
    """Metadata after an update, by Stripe's rules for unsetting."""
    if new is None:
        return {}
    return {key: text for key, text in {**(old or {}), **new}.items() if text != ""}
