"""What each operation of the API does. Parameters arrive checked and typed (see `rules.PARAMS`)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.doubles.stripe import billing, checkout, objects, payments
from tests.doubles.stripe.desk import Desk, public
from tests.doubles.stripe.pricing import code_active, coupon_valid, first
from tests.doubles.stripe.rules import PINNED_VERSION, ApiError, merged
from tests.doubles.stripe.state import Obj

Handler = Callable[..., Obj]
# operation -> (HTTP method, path, handler)
OPERATIONS: dict[str, tuple[str, str, Handler]] = {}


def op(name: str, method: str, path: str) -> Callable[[Handler], Handler]:
    def keep(handler: Handler) -> Handler:
        OPERATIONS[name] = (method, path, handler)
        return handler

    return keep


def retrievable(name: str, kind: str) -> None:
    """GET of one object by id."""

    @op(f"{name}.retrieve", "GET", f"/v1/{name.replace('.', '/')}/<id>")
    def retrieve(desk: Desk, p: Obj, id: str) -> Obj:
        found = desk.get(kind, id)
        return {"id": id, "object": kind, "deleted": True} if found.get("_deleted") else show(desk, found)


for _name, _kind in {
    "customers": "customer",
    "products": "product",
    "prices": "price",
    "coupons": "coupon",
    "promotion_codes": "promotion_code",
    "checkout.sessions": "checkout.session",
    "subscriptions": "subscription",
    "invoices": "invoice",
    "invoice_payments": "invoice_payment",
    "payment_intents": "payment_intent",
    "charges": "charge",
    "payment_methods": "payment_method",
    "refunds": "refund",
    "disputes": "dispute",
    "credit_notes": "credit_note",
    "events": "event",
    "webhook_endpoints": "webhook_endpoint",
}.items():
    retrievable(_name, _kind)


def show(desk: Desk, body: Obj) -> Obj:
    """The object as it is now: a coupon or code may have died since it was stored."""
    if body["object"] == "coupon":
        body = {**body, "valid": coupon_valid(desk, body)}
    elif body["object"] == "promotion_code":
        body = {**body, "active": code_active(desk, body)}
    shown: Obj = public(body)
    return shown


def page(desk: Desk, p: Obj, url: str, rows: list[Obj]) -> Obj:
    """One page of `rows` (newest first) by Stripe's cursors."""
    limit = first(p.get("limit"), 10)
    if not 1 <= limit <= 100:
        raise ApiError(400, "This value must be between 1 and 100.", param="limit", code="parameter_invalid_integer")
    if p.get("starting_after") and p.get("ending_before"):
        raise ApiError(400, "You can only specify one of `starting_after` and `ending_before`.", param="ending_before")
    wanted = p.get("created")
    if wanted:
        rows = [
            r
            for r in rows
            if all(
                (op_ != "gt" or r["created"] > n)
                and (op_ != "gte" or r["created"] >= n)
                and (op_ != "lt" or r["created"] < n)
                and (op_ != "lte" or r["created"] <= n)
                for op_, n in wanted.items()
            )
        ]
    cursor = p.get("starting_after") or p.get("ending_before")
    if cursor:
        name = "starting_after" if p.get("starting_after") else "ending_before"
        at = next((i for i, r in enumerate(rows) if r["id"] == cursor), None)
        if at is None:
            raise ApiError(400, f"No such object: '{cursor}'", param=name, code="resource_missing")
        if name == "starting_after":
            rows = rows[at + 1 :]
        else:
            before = rows[:at]
            return objects.listing(url, [show(desk, r) for r in before[-limit:]], len(before) > limit)
    return objects.listing(url, [show(desk, r) for r in rows[:limit]], len(rows) > limit)


def same(p: Obj, *names: str) -> Callable[[Obj], bool]:
    """Keep objects whose fields equal the given filters."""
    return lambda o: all(p.get(n) is None or o.get(n) == p[n] for n in names)


# -- account, customers --------------------------------------------------------------------------


@op("account.retrieve", "GET", "/v1/account")
def account(desk: Desk, p: Obj) -> Obj:
    return public(desk.store.account(desk.account))  # type: ignore[no-any-return]


@op("customers.create", "POST", "/v1/customers")
def customer_create(desk: Desk, p: Obj) -> Obj:
    body = desk.created(objects.customer(desk, {**p, "metadata": merged({}, p.get("metadata") or {})}), "customer.created")
    if p.get("balance"):
        payments.adjust_balance(desk, body, p["balance"], desk.account_setting("default_currency", "usd"), "initial", {})
    return body


@op("customers.update", "POST", "/v1/customers/<id>")
def customer_update(desk: Desk, p: Obj, id: str) -> Obj:
    body = desk.get("customer", id)
    if body.get("_deleted"):
        raise ApiError(404, f"No such customer: '{id}'", param="id", code="resource_missing")
    changes: Obj = {
        n: p[n]
        for n in ("email", "name", "description", "phone", "tax_exempt", "business_name", "individual_name", "preferred_locales")
        if n in p
    }
    if "metadata" in p:
        changes["metadata"] = merged(body["metadata"], p["metadata"])
    if "address" in p:
        changes["address"] = objects.address(p["address"])
    if "shipping" in p:
        changes["shipping"] = objects.shipping(p["shipping"])
    if p.get("invoice_settings"):
        changes["invoice_settings"] = {**body["invoice_settings"], **p["invoice_settings"]}
    desk.change(body, changes, "customer.updated")
    if "balance" in p:
        currency = body["currency"] or desk.account_setting("default_currency", "usd")
        payments.adjust_balance(desk, body, p["balance"] - body["_balances"].get(currency, 0), currency, "adjustment", {})
    return body


@op("customers.delete", "DELETE", "/v1/customers/<id>")
def customer_delete(desk: Desk, p: Obj, id: str) -> Obj:
    body = desk.get("customer", id)
    for found in desk.all("subscription", lambda s: s["customer"] == id and s["status"] in billing.LIVE):
        billing.cancel(desk, found)
    desk.change(body, {"_deleted": True})
    desk.emit("customer.deleted", body)
    return {"id": id, "object": "customer", "deleted": True}


@op("customers.list", "GET", "/v1/customers")
def customer_list(desk: Desk, p: Obj) -> Obj:
    return page(desk, p, "/v1/customers", desk.all("customer", same(p, "email")))


@op("balance_transactions.create", "POST", "/v1/customers/<customer>/balance_transactions")
def balance_create(desk: Desk, p: Obj, customer: str) -> Obj:
    body = desk.get("customer", customer)
    if body.get("_deleted"):
        raise ApiError(404, f"No such customer: '{customer}'", param="id", code="resource_missing")
    return payments.adjust_balance(desk, body, p["amount"], p["currency"], "adjustment", p)


def _entry(desk: Desk, customer: str, id_: str) -> Obj:
    body = desk.get("customer_balance_transaction", id_)
    if body["customer"] != customer:
        raise ApiError(404, f"No such customer balance transaction: '{id_}'", param="id", code="resource_missing")
    return body


@op("balance_transactions.retrieve", "GET", "/v1/customers/<customer>/balance_transactions/<id>")
def balance_retrieve(desk: Desk, p: Obj, customer: str, id: str) -> Obj:
    return _entry(desk, customer, id)


@op("balance_transactions.update", "POST", "/v1/customers/<customer>/balance_transactions/<id>")
def balance_update(desk: Desk, p: Obj, customer: str, id: str) -> Obj:
    body = _entry(desk, customer, id)
    return desk.change(
        body,
        {
            "description": p.get("description", body["description"]),
            "metadata": merged(body["metadata"], p["metadata"]) if "metadata" in p else body["metadata"],
        },
    )


@op("balance_transactions.list", "GET", "/v1/customers/<customer>/balance_transactions")
def balance_list(desk: Desk, p: Obj, customer: str) -> Obj:
    desk.get("customer", customer)
    rows = desk.all("customer_balance_transaction", lambda o: o["customer"] == customer and same(p, "invoice")(o))
    return page(desk, p, f"/v1/customers/{customer}/balance_transactions", rows)


# -- products, prices ----------------------------------------------------------------------------


@op("products.create", "POST", "/v1/products")
def product_create(desk: Desk, p: Obj) -> Obj:
    if desk.find("product", p.get("id")):
        raise ApiError(400, "Product already exists.", param="id", code="resource_already_exists")
    body = desk.created(objects.product(desk, p), "product.created")
    if p.get("default_price_data"):
        made = price_create(desk, {**p["default_price_data"], "product": body["id"]})
        desk.change(body, {"default_price": made["id"]}, "product.updated")
    return body


@op("products.update", "POST", "/v1/products/<id>")
def product_update(desk: Desk, p: Obj, id: str) -> Obj:
    body = desk.get("product", id)
    changes: Obj = {n: p[n] for n in ("name", "active", "description", "url", "unit_label", "default_price") if n in p}
    if "metadata" in p:
        changes["metadata"] = merged(body["metadata"], p["metadata"])
    return desk.change(body, {**changes, "updated": desk.now()}, "product.updated")


@op("products.delete", "DELETE", "/v1/products/<id>")
def product_delete(desk: Desk, p: Obj, id: str) -> Obj:
    body = desk.get("product", id)
    if desk.all("price", lambda o: o["product"] == id):
        raise ApiError(400, "This product cannot be deleted because it has one or more user-created prices.", param="id")
    desk.change(body, {"_deleted": True})
    desk.emit("product.deleted", body)
    return {"id": id, "object": "product", "deleted": True}


@op("products.list", "GET", "/v1/products")
def product_list(desk: Desk, p: Obj) -> Obj:
    return page(desk, p, "/v1/products", desk.all("product", lambda o: same(p, "active")(o) and (not p.get("ids") or o["id"] in p["ids"])))


@op("prices.create", "POST", "/v1/prices")
def price_create(desk: Desk, p: Obj) -> Obj:
    if bool(p.get("product")) == bool(p.get("product_data")):
        raise ApiError(400, "You must specify either `product` or `product_data`.", param="product")
    if p.get("unit_amount") is None:
        raise ApiError(400, "Missing required param: unit_amount.", param="unit_amount", code="parameter_missing")
    product = (
        desk.get("product", p["product"], "product")
        if p.get("product")
        else desk.created(objects.product(desk, p["product_data"]), "product.created")
    )
    _take_lookup_key(desk, p)
    return desk.created(objects.price(desk, p, product["id"], active=p.get("active", True)), "price.created")


def _take_lookup_key(desk: Desk, p: Obj) -> None:
    for other in desk.all("price", lambda o: bool(p.get("lookup_key")) and o["lookup_key"] == p["lookup_key"]):
        if not p.get("transfer_lookup_key"):
            raise ApiError(
                400, f"A price (`{other['id']}`) already uses that lookup key.", param="lookup_key", code="resource_already_exists"
            )
        desk.change(other, {"lookup_key": None}, "price.updated")


@op("prices.update", "POST", "/v1/prices/<id>")
def price_update(desk: Desk, p: Obj, id: str) -> Obj:
    body = desk.get("price", id)
    if p.get("lookup_key") and p["lookup_key"] != body["lookup_key"]:
        _take_lookup_key(desk, p)
    changes: Obj = {n: p[n] for n in ("active", "nickname", "lookup_key") if n in p}
    if "metadata" in p:
        changes["metadata"] = merged(body["metadata"], p["metadata"])
    return desk.change(body, changes, "price.updated")


@op("prices.list", "GET", "/v1/prices")
def price_list(desk: Desk, p: Obj) -> Obj:
    interval = (p.get("recurring") or {}).get("interval")
    rows = desk.all(
        "price",
        lambda o: (
            same(p, "active", "currency", "product", "type")(o)
            and (not p.get("lookup_keys") or o["lookup_key"] in p["lookup_keys"])
            and (not interval or (o["recurring"] or {}).get("interval") == interval)
        ),
    )
    return page(desk, p, "/v1/prices", rows)


# -- coupons, promotion codes --------------------------------------------------------------------


@op("coupons.create", "POST", "/v1/coupons")
def coupon_create(desk: Desk, p: Obj) -> Obj:
    if bool(p.get("amount_off")) == bool(p.get("percent_off")):
        raise ApiError(400, "You must pass exactly one of `percent_off` and `amount_off`.", param="percent_off", code="parameter_missing")
    if p.get("amount_off") and not p.get("currency"):
        raise ApiError(400, "You must pass currency when passing amount_off.", param="currency", code="parameter_missing")
    if p.get("percent_off") and p["percent_off"] > 100:
        raise ApiError(400, "Invalid percent_off: must be at most 100.", param="percent_off")
    if (p.get("duration") == "repeating") != bool(p.get("duration_in_months")):
        raise ApiError(400, "`duration_in_months` goes with a duration of `repeating`.", param="duration_in_months")
    if desk.find("coupon", p.get("id")):
        raise ApiError(400, "Coupon already exists.", param="id", code="resource_already_exists")
    for i, product in enumerate((p.get("applies_to") or {}).get("products") or []):
        desk.get("product", product, f"applies_to[products][{i}]")
    return desk.created(objects.coupon(desk, p), "coupon.created")


@op("coupons.update", "POST", "/v1/coupons/<id>")
def coupon_update(desk: Desk, p: Obj, id: str) -> Obj:
    body = desk.get("coupon", id)
    changes: Obj = {"name": p["name"]} if "name" in p else {}
    if "metadata" in p:
        changes["metadata"] = merged(body["metadata"], p["metadata"])
    return desk.change(body, changes, "coupon.updated")


@op("coupons.delete", "DELETE", "/v1/coupons/<id>")
def coupon_delete(desk: Desk, p: Obj, id: str) -> Obj:
    body = desk.get("coupon", id)
    desk.change(body, {"_deleted": True, "valid": False})
    desk.emit("coupon.deleted", body)
    return {"id": id, "object": "coupon", "deleted": True}


@op("coupons.list", "GET", "/v1/coupons")
def coupon_list(desk: Desk, p: Obj) -> Obj:
    return page(desk, p, "/v1/coupons", desk.all("coupon"))


def _unique_code(desk: Desk, text: str, besides: str | None = None) -> None:
    if desk.all("promotion_code", lambda o: o["id"] != besides and o["code"].upper() == text.upper() and code_active(desk, o)):
        raise ApiError(400, f"An active promotion code with `code: {text}` already exists.", param="code", code="resource_already_exists")


@op("promotion_codes.create", "POST", "/v1/promotion_codes")
def code_create(desk: Desk, p: Obj) -> Obj:
    if not p["promotion"].get("coupon"):
        raise ApiError(400, "Missing required param: promotion[coupon].", param="promotion[coupon]", code="parameter_missing")
    coupon = desk.get("coupon", p["promotion"]["coupon"], "promotion[coupon]")
    if not coupon_valid(desk, coupon):
        raise ApiError(400, f"Coupon {coupon['id']} is not valid.", param="promotion[coupon]")
    if p.get("customer"):
        desk.get("customer", p["customer"], "customer")
    if p.get("code") and not re.fullmatch(r"[A-Za-z0-9_-]{1,200}", p["code"]):
        raise ApiError(400, "Promotion codes may only contain letters, digits, dashes and underscores.", param="code")
    if p.get("expires_at") and p["expires_at"] <= desk.now():
        raise ApiError(400, "The expiry must be in the future.", param="expires_at")
    limits = p.get("restrictions") or {}
    if (limits.get("minimum_amount") is None) != (limits.get("minimum_amount_currency") is None):
        raise ApiError(
            400,
            "`minimum_amount` and `minimum_amount_currency` go together.",
            param="restrictions[minimum_amount_currency]",
            code="parameter_missing",
        )
    text = p.get("code") or f"CODE{desk.store.count('code'):04}"
    if p.get("active", True):
        _unique_code(desk, text)
    return desk.created(objects.promotion_code(desk, p, text), "promotion_code.created")


@op("promotion_codes.update", "POST", "/v1/promotion_codes/<id>")
def code_update(desk: Desk, p: Obj, id: str) -> Obj:
    body = desk.get("promotion_code", id)
    if p.get("active"):
        _unique_code(desk, body["code"], id)
        if not code_active(desk, {**body, "active": True}):
            raise ApiError(400, "This promotion code is expired or used up and cannot be active again.", param="active")
    changes: Obj = {"active": p["active"]} if "active" in p else {}
    if "metadata" in p:
        changes["metadata"] = merged(body["metadata"], p["metadata"])
    return desk.change(body, changes, "promotion_code.updated")


@op("promotion_codes.list", "GET", "/v1/promotion_codes")
def code_list(desk: Desk, p: Obj) -> Obj:
    rows = desk.all(
        "promotion_code",
        lambda o: (
            (p.get("code") is None or o["code"].upper() == p["code"].upper())
            and same(p, "customer")(o)
            and (p.get("active") is None or code_active(desk, o) == p["active"])
            and (p.get("coupon") is None or o["promotion"]["coupon"] == p["coupon"])
        ),
    )
    return page(desk, p, "/v1/promotion_codes", rows)


# -- checkout, portal ----------------------------------------------------------------------------


@op("checkout.sessions.create", "POST", "/v1/checkout/sessions")
def session_create(desk: Desk, p: Obj) -> Obj:
    return checkout.create(desk, p)


@op("checkout.sessions.update", "POST", "/v1/checkout/sessions/<id>")
def session_update(desk: Desk, p: Obj, id: str) -> Obj:
    body = desk.get("checkout.session", id)
    return desk.change(body, {"metadata": merged(body["metadata"], p["metadata"])} if "metadata" in p else {})


@op("checkout.sessions.list", "GET", "/v1/checkout/sessions")
def session_list(desk: Desk, p: Obj) -> Obj:
    email = (p.get("customer_details") or {}).get("email")
    rows = desk.all(
        "checkout.session",
        lambda o: (
            same(p, "customer", "payment_intent", "subscription", "status")(o)
            and (not email or (o["customer_details"] or {}).get("email") == email)
        ),
    )
    return page(desk, p, "/v1/checkout/sessions", rows)


@op("checkout.sessions.expire", "POST", "/v1/checkout/sessions/<id>/expire")
def session_expire(desk: Desk, p: Obj, id: str) -> Obj:
    return checkout.expire(desk, desk.get("checkout.session", id))


@op("checkout.sessions.line_items", "GET", "/v1/checkout/sessions/<id>/line_items")
def session_items(desk: Desk, p: Obj, id: str) -> Obj:
    return page(desk, p, f"/v1/checkout/sessions/{id}/line_items", desk.get("checkout.session", id)["_items"])


@op("billing_portal.sessions.create", "POST", "/v1/billing_portal/sessions")
def portal_create(desk: Desk, p: Obj) -> Obj:
    customer = desk.get("customer", p["customer"], "customer")
    given = p.get("flow_data")
    flow = None
    if given:
        named = given.get(given["type"])
        if given["type"] != "payment_method_update" and not named:
            raise ApiError(
                400, f"Missing required param: flow_data[{given['type']}].", param=f"flow_data[{given['type']}]", code="parameter_missing"
            )
        if named:
            found = desk.get("subscription", named["subscription"], f"flow_data[{given['type']}][subscription]")
            if found["customer"] != customer["id"] or found["status"] == "canceled":
                raise ApiError(
                    400, "The subscription must be a live one of this customer.", param=f"flow_data[{given['type']}][subscription]"
                )
        after = given.get("after_completion") or {"type": "portal_homepage"}
        confirm = given.get("subscription_update_confirm")
        flow = {
            "after_completion": {
                "hosted_confirmation": after.get("hosted_confirmation"),
                "redirect": after.get("redirect"),
                "type": after["type"],
            },
            "customer_update": None,
            "subscription_cancel": {"retention": None, "subscription": named["subscription"]}
            if given["type"] == "subscription_cancel" and named
            else None,
            "subscription_pause": None,
            "subscription_update": {"subscription": named["subscription"]} if given["type"] == "subscription_update" and named else None,
            "subscription_update_confirm": {
                "discounts": None,
                "items": [{"id": i["id"], "price": i.get("price"), "quantity": i.get("quantity")} for i in confirm["items"]],
                "subscription": confirm["subscription"],
            }
            if confirm
            else None,
            "type": given["type"],
        }
    id_ = desk.new_id("billing_portal.session")
    return desk.created(
        {
            "id": id_,
            "object": "billing_portal.session",
            "configuration": p.get("configuration") or "bpc_1",
            "created": desk.now(),
            "customer": customer["id"],
            "customer_account": None,
            "flow": flow,
            "livemode": False,
            "locale": p.get("locale"),
            "on_behalf_of": None,
            "return_url": p.get("return_url"),
            "url": f"{desk.base_url}/p/session/{id_}",
        },
        "billing_portal.session.created",
    )


# -- subscriptions, invoices ---------------------------------------------------------------------


@op("subscriptions.create", "POST", "/v1/subscriptions")
def subscription_create(desk: Desk, p: Obj) -> Obj:
    customer = desk.get("customer", p["customer"], "customer")
    wanted = []
    for i, given in enumerate(p["items"]):
        if not given.get("price"):
            raise ApiError(400, f"Missing required param: items[{i}][price].", param=f"items[{i}][price]", code="parameter_missing")
        wanted.append((desk.get("price", given["price"], f"items[{i}][price]"), given.get("quantity", 1), given.get("metadata")))
    default = p.get("default_payment_method") or customer["invoice_settings"]["default_payment_method"]
    method = desk.get("payment_method", default, "default_payment_method") if default else None
    if method is None and not (p.get("trial_end") or p.get("trial_period_days")):
        raise ApiError(
            400,
            "This customer has no attached payment source or default payment method.",
            code="resource_missing",
            param="default_payment_method",
        )
    discounts = []
    for given in p.get("discounts") or []:
        code = desk.get("promotion_code", given["promotion_code"], "discounts") if given.get("promotion_code") else None
        coupon = desk.get("coupon", code["promotion"]["coupon"] if code else given.get("coupon"), "discounts")
        discounts.append(billing.make_discount(desk, coupon, code, customer["id"]))
    return billing.subscribe(desk, customer, wanted, p, method=method, discounts=discounts)


@op("subscriptions.list", "GET", "/v1/subscriptions")
def subscription_list(desk: Desk, p: Obj) -> Obj:
    status = p.get("status")

    def keep(o: Obj) -> bool:
        if status == "ended":
            right = o["status"] in ("canceled", "incomplete_expired")
        else:
            right = status == "all" or (o["status"] == status if status else o["status"] != "canceled")
        return right and same(p, "customer")(o) and (not p.get("price") or any(i["price"]["id"] == p["price"] for i in o["items"]["data"]))

    return page(desk, p, "/v1/subscriptions", desk.all("subscription", keep))


@op("subscriptions.update", "POST", "/v1/subscriptions/<id>")
def subscription_update(desk: Desk, p: Obj, id: str) -> Obj:
    body = desk.get("subscription", id)
    if "metadata" in p:
        p = {**p, "metadata": merged(body["metadata"], p["metadata"])}
    return billing.update(desk, body, p)


@op("subscriptions.cancel", "DELETE", "/v1/subscriptions/<id>")
def subscription_cancel(desk: Desk, p: Obj, id: str) -> Obj:
    return billing.cancel(desk, desk.get("subscription", id), details=p.get("cancellation_details"))


@op("subscriptions.resume", "POST", "/v1/subscriptions/<id>/resume")
def subscription_resume(desk: Desk, p: Obj, id: str) -> Obj:
    return billing.resume(desk, desk.get("subscription", id))


@op("invoices.list", "GET", "/v1/invoices")
def invoice_list(desk: Desk, p: Obj) -> Obj:
    rows = desk.all(
        "invoice",
        lambda o: (
            same(p, "customer", "status", "collection_method")(o) and (not p.get("subscription") or o["_subscription"] == p["subscription"])
        ),
    )
    return page(desk, p, "/v1/invoices", rows)


@op("invoices.finalize", "POST", "/v1/invoices/<id>/finalize")
def invoice_finalize(desk: Desk, p: Obj, id: str) -> Obj:
    return billing.finalize(desk, desk.get("invoice", id))


@op("invoices.pay", "POST", "/v1/invoices/<id>/pay")
def invoice_pay(desk: Desk, p: Obj, id: str) -> Obj:
    body = desk.get("invoice", id)
    if body["status"] == "draft":
        billing.finalize(desk, body)
    if p.get("paid_out_of_band"):
        return billing.paid_elsewhere(desk, body)
    subscription = desk.find("subscription", body["_subscription"])
    if p.get("payment_method"):
        method: Obj | None = desk.get("payment_method", p["payment_method"], "payment_method")
    elif subscription:
        method = billing.method_of(desk, subscription)
    else:
        method = desk.find("payment_method", desk.get("customer", body["customer"])["invoice_settings"]["default_payment_method"])
    billing.pay(desk, body, method)
    on_its_way = [desk.get("payment_intent", x["payment"]["payment_intent"])["status"] == "processing" for x in payments_of(desk, id)]
    if body["status"] == "open" and not any(on_its_way):
        body["_answer"] = 402
    return body


@op("invoices.void", "POST", "/v1/invoices/<id>/void")
def invoice_void(desk: Desk, p: Obj, id: str) -> Obj:
    return billing.void(desk, desk.get("invoice", id))


@op("invoices.mark_uncollectible", "POST", "/v1/invoices/<id>/mark_uncollectible")
def invoice_uncollectible(desk: Desk, p: Obj, id: str) -> Obj:
    return billing.mark_uncollectible(desk, desk.get("invoice", id))


@op("invoices.lines", "GET", "/v1/invoices/<id>/lines")
def invoice_lines(desk: Desk, p: Obj, id: str) -> Obj:
    return page(desk, p, f"/v1/invoices/{id}/lines", desk.get("invoice", id)["_lines"])


def payments_of(desk: Desk, invoice_id: str) -> list[Obj]:
    return desk.all("invoice_payment", lambda o: o["invoice"] == invoice_id)


@op("invoice_payments.list", "GET", "/v1/invoice_payments")
def invoice_payment_list(desk: Desk, p: Obj) -> Obj:
    intent = (p.get("payment") or {}).get("payment_intent")
    if p.get("payment") and p["payment"]["type"] == "payment_record":
        return objects.listing("/v1/invoice_payments", [])
    if p.get("payment") and not intent:
        raise ApiError(400, "Missing required param: payment[payment_intent].", param="payment[payment_intent]", code="parameter_missing")
    rows = desk.all(
        "invoice_payment", lambda o: same(p, "invoice", "status")(o) and (not intent or o["payment"]["payment_intent"] == intent)
    )
    return page(desk, p, "/v1/invoice_payments", rows)


# -- money ---------------------------------------------------------------------------------------


def _lists(name: str, kind: str, *filters: str) -> None:
    @op(f"{name}.list", "GET", f"/v1/{name}")
    def listed(desk: Desk, p: Obj) -> Obj:
        return page(desk, p, f"/v1/{name}", desk.all(kind, same(p, *filters)))


_lists("payment_intents", "payment_intent", "customer")
_lists("charges", "charge", "customer", "payment_intent")
_lists("payment_methods", "payment_method", "customer", "type")
_lists("refunds", "refund", "charge", "payment_intent")
_lists("disputes", "dispute", "charge", "payment_intent")
_lists("credit_notes", "credit_note", "invoice", "customer")
_lists("webhook_endpoints", "webhook_endpoint")


def _updates(name: str, kind: str, event: str | None) -> None:
    """Metadata (and description) of an object that can change nothing else."""

    @op(f"{name}.update", "POST", f"/v1/{name}/<id>")
    def update(desk: Desk, p: Obj, id: str) -> Obj:
        body = desk.get(kind, id)
        changes: Obj = {"description": p["description"]} if "description" in p else {}
        if "metadata" in p:
            changes["metadata"] = merged(body["metadata"], p["metadata"])
        return desk.change(body, changes, event)


_updates("payment_intents", "payment_intent", None)
_updates("charges", "charge", "charge.updated")
_updates("refunds", "refund", "refund.updated")
_updates("disputes", "dispute", "charge.dispute.updated")


@op("refunds.create", "POST", "/v1/refunds")
def refund_create(desk: Desk, p: Obj) -> Obj:
    return payments.refund(desk, p)


@op("disputes.close", "POST", "/v1/disputes/<id>/close")
def dispute_close(desk: Desk, p: Obj, id: str) -> Obj:
    body = desk.get("dispute", id)
    if body["status"] in payments.DISPUTE_ENDS:
        raise ApiError(400, "This dispute is already closed.", param="id")
    return payments.set_dispute_status(desk, body, "lost")


@op("credit_notes.create", "POST", "/v1/credit_notes")
def note_create(desk: Desk, p: Obj) -> Obj:
    return payments.credit_note(desk, p)


@op("credit_notes.void", "POST", "/v1/credit_notes/<id>/void")
def note_void(desk: Desk, p: Obj, id: str) -> Obj:
    return payments.void_credit_note(desk, desk.get("credit_note", id))


# -- events, endpoints ---------------------------------------------------------------------------


@op("events.list", "GET", "/v1/events")
def event_list(desk: Desk, p: Obj) -> Obj:
    if p.get("type") and p.get("types"):
        raise ApiError(400, "You may only specify one of `type` and `types`.", param="types")
    wanted = p.get("types") or ([p["type"]] if p.get("type") else None)

    def keep(o: Obj) -> bool:
        return (
            (not wanted or any(o["type"] == w or (w.endswith(".*") and o["type"].startswith(w[:-1])) for w in wanted))
            and (p.get("delivery_success") is None or (o["pending_webhooks"] == 0) == p["delivery_success"])
            and o["created"] >= desk.now() - 30 * 86400
        )

    return page(desk, p, "/v1/events", desk.all("event", keep))


@op("webhook_endpoints.create", "POST", "/v1/webhook_endpoints")
def endpoint_create(desk: Desk, p: Obj) -> Obj:
    if p.get("api_version") and not re.fullmatch(r"\d{4}-\d{2}-\d{2}(\.[a-z]+)?", p["api_version"]):
        raise ApiError(400, "Invalid API version.", param="api_version")
    if len(desk.all("webhook_endpoint")) >= 16:
        raise ApiError(400, "You have reached the maximum of 16 test webhook endpoints.")
    body = desk.save(objects.webhook_endpoint(desk, {**p, "api_version": p.get("api_version") or PINNED_VERSION}))
    return {**body, "secret": body["_secret"]}


@op("webhook_endpoints.update", "POST", "/v1/webhook_endpoints/<id>")
def endpoint_update(desk: Desk, p: Obj, id: str) -> Obj:
    body = desk.get("webhook_endpoint", id)
    changes: Obj = {n: p[n] for n in ("url", "enabled_events", "description") if n in p}
    if "disabled" in p:
        changes["status"] = "disabled" if p["disabled"] else "enabled"
    if "metadata" in p:
        changes["metadata"] = merged(body["metadata"], p["metadata"])
    return desk.change(body, changes)


@op("webhook_endpoints.delete", "DELETE", "/v1/webhook_endpoints/<id>")
def endpoint_delete(desk: Desk, p: Obj, id: str) -> Obj:
    desk.change(desk.get("webhook_endpoint", id), {"_deleted": True, "status": "disabled"})
    return {"id": id, "object": "webhook_endpoint", "deleted": True}


# -- expand --------------------------------------------------------------------------------------

INCLUDES: dict[tuple[str, str], Callable[[Desk, Obj], Any]] = {
    ("invoice", "payments"): lambda d, o: objects.listing(
        f"/v1/invoice_payments?invoice={o['id']}", [public(x) for x in payments_of(d, o["id"])]
    ),
    ("checkout.session", "line_items"): lambda d, o: page(
        d, {}, f"/v1/checkout/sessions/{o['id']}/line_items", d.get("checkout.session", o["id"])["_items"]
    ),
    ("charge", "refunds"): lambda d, o: objects.listing(
        f"/v1/refunds?charge={o['id']}", [public(x) for x in d.all("refund", lambda r: r["charge"] == o["id"])]
    ),
    ("customer", "subscriptions"): lambda d, o: objects.listing(
        f"/v1/subscriptions?customer={o['id']}",
        [public(x) for x in d.all("subscription", lambda s: s["customer"] == o["id"] and s["status"] != "canceled")],
    ),
    ("customer", "tax_ids"): lambda d, o: objects.listing(f"/v1/customers/{o['id']}/tax_ids", []),
    ("coupon", "applies_to"): lambda d, o: {"products": d.get("coupon", o["id"])["_products"] or []},
}


def expand(desk: Desk, body: Obj, paths: list[str]) -> Obj:
    for path in paths:
        parts = path.split(".")
        if len(parts) > 4 + (parts[0] == "data"):
            raise ApiError(400, "You cannot expand more than 4 levels of a property.", param="expand")
        _expand(desk, body, parts, path)
    return body


def _expand(desk: Desk, node: Any, parts: list[str], path: str) -> None:
    if isinstance(node, list):
        for item in node:
            _expand(desk, item, parts, path)
        return
    name, rest = parts[0], parts[1:]
    include = INCLUDES.get((node.get("object", ""), name))
    if include:
        node[name] = include(desk, node)
    elif name not in node:
        raise ApiError(400, f"This property cannot be expanded ({path}).", param="expand")
    value = node[name]
    if isinstance(value, str):
        node[name] = _object(desk, value, path)
    elif isinstance(value, list) and value and isinstance(value[0], str):
        node[name] = [_object(desk, item, path) for item in value]
    elif value is None:
        return
    elif not isinstance(value, dict | list):
        raise ApiError(400, f"This property cannot be expanded ({path}).", param="expand")
    if rest:
        _expand(desk, node[name], rest, path)


def _object(desk: Desk, id_: str, path: str) -> Obj:
    found = desk.store.find(id_, desk.account)
    if found is None:
        raise ApiError(400, f"This property cannot be expanded ({path}).", param="expand")
    return show(desk, found[2])
