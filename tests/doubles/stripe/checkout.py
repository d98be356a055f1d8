"""Checkout sessions: what is bought, what it costs, and what happens when somebody pays."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.doubles.stripe import billing, objects, payments
from tests.doubles.stripe.desk import Desk
from tests.doubles.stripe.pricing import check_code, check_coupon, code_active, coupon_shares, redeem, tax_on
from tests.doubles.stripe.rules import ApiError
from tests.doubles.stripe.state import Obj


def create(desk: Desk, p: Obj) -> Obj:
    mode = p.get("mode") or "payment"
    if not p.get("success_url"):
        raise ApiError(400, "Missing required param: success_url.", param="success_url", code="parameter_missing")
    if mode != "setup" and not p.get("line_items"):
        raise ApiError(400, "Missing required param: line_items.", param="line_items", code="parameter_missing")
    if p.get("customer") and p.get("customer_email"):
        raise ApiError(400, "You may only specify one of these parameters: customer, customer_email.", param="customer_email")
    if mode == "subscription" and (p.get("payment_intent_data") or p.get("invoice_creation") or p.get("customer_creation")):
        name = next(n for n in ("payment_intent_data", "invoice_creation", "customer_creation") if p.get(n))
        raise ApiError(400, f"You can not pass `{name}` in `subscription` mode.", param=name)
    if mode != "subscription" and p.get("subscription_data"):
        raise ApiError(400, f"You can not pass `subscription_data` in `{mode}` mode.", param="subscription_data")
    if p.get("discounts") and p.get("allow_promotion_codes"):
        raise ApiError(400, "You may only specify one of these parameters: allow_promotion_codes, discounts.", param="discounts")
    data = p.get("subscription_data") or {}
    if data.get("trial_end") and data["trial_end"] < desk.now() + 48 * 3600:
        raise ApiError(400, "The `trial_end` date has to be at least 2 days in the future.", param="subscription_data[trial_end]")
    if p.get("expires_at") and not desk.now() + 1800 <= p["expires_at"] <= desk.now() + 86400:
        raise ApiError(
            400, "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.", param="expires_at"
        )
    customer = desk.get("customer", p["customer"], "customer") if p.get("customer") else None
    items = [_item(desk, given, mode, i) for i, given in enumerate(p.get("line_items") or [])]
    if len({row["currency"] for row in items}) > 1:
        raise ApiError(400, "All line items must have the same currency.", param="line_items")
    id_ = desk.new_id("checkout.session")
    options = [
        {"shipping_amount": given["shipping_rate_data"]["fixed_amount"]["amount"], "shipping_rate": desk.new_id("shipping_rate")}
        for given in p.get("shipping_options") or []
    ]
    session: Obj = {
        **objects.session_blank(),
        "id": id_,
        "object": "checkout.session",
        "allow_promotion_codes": p.get("allow_promotion_codes"),
        "amount_subtotal": None,
        "amount_total": None,
        "automatic_tax": {
            "enabled": (p.get("automatic_tax") or {}).get("enabled", False),
            "liability": None,
            "provider": None,
            "status": None,
        },
        "billing_address_collection": p.get("billing_address_collection"),
        "cancel_url": p.get("cancel_url"),
        "client_reference_id": p.get("client_reference_id"),
        "created": desk.now(),
        "currency": items[0]["currency"] if items else p.get("currency"),
        "customer": p.get("customer"),
        "customer_account": None,
        "customer_creation": None if customer else ("always" if mode == "subscription" else p.get("customer_creation") or "if_required"),
        "customer_details": details(customer["email"], customer["name"], customer["address"])
        if customer
        else (details(p["customer_email"], None, None) if p.get("customer_email") else None),
        "customer_email": p.get("customer_email"),
        "discounts": [],
        "expires_at": p.get("expires_at") or desk.now() + 86400,
        "invoice_creation": {
            "enabled": (p.get("invoice_creation") or {}).get("enabled", False),
            "invoice_data": {
                "account_tax_ids": None,
                "custom_fields": None,
                "description": None,
                "footer": None,
                "issuer": None,
                "metadata": {},
                "rendering_options": None,
            },
        }
        if mode == "payment"
        else None,
        "locale": p.get("locale"),
        "metadata": p.get("metadata") or {},
        "mode": mode,
        "payment_method_collection": p.get("payment_method_collection") or "always" if mode == "subscription" else "if_required",
        "payment_method_types": p.get("payment_method_types") or ["card", "us_bank_account"],
        "payment_status": "no_payment_required" if mode == "setup" else "unpaid",
        "setup_intent": desk.new_id("setup_intent") if mode == "setup" else None,
        "shipping_options": options,
        "status": "open",
        "submit_type": p.get("submit_type"),
        "success_url": p["success_url"],
        "tax_id_collection": {"enabled": (p.get("tax_id_collection") or {}).get("enabled", False), "required": "never"},
        "total_details": None,
        "ui_mode": "hosted_page",
        "url": f"{desk.base_url}/c/pay/{id_}",
        "_items": items,
        "_subscription_data": data,
        "_payment_intent_data": p.get("payment_intent_data") or {},
        "_invoice_data": (p.get("invoice_creation") or {}).get("invoice_data") or {},
        "_message": None,
    }
    given = (p.get("discounts") or [None])[0]
    if given:
        _apply(desk, session, given)
    total(desk, session)
    return desk.save(session)


def details(email: str | None, name: str | None, place: Obj | None) -> Obj:
    return {
        "address": {**objects.NO_ADDRESS, **place} if place else None,
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": name,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }


def _item(desk: Desk, given: Obj, mode: str, i: int) -> Obj:
    path = f"line_items[{i}]"
    if bool(given.get("price")) == bool(given.get("price_data")):
        raise ApiError(400, "You must specify either `price` or `price_data`.", param=path)
    if given.get("price"):
        price = desk.get("price", given["price"], f"{path}[price]")
    else:
        data = given["price_data"]
        if data.get("unit_amount") is None:
            raise ApiError(400, "Missing required param: unit_amount.", param=f"{path}[price_data][unit_amount]", code="parameter_missing")
        if data.get("product"):
            product = desk.get("product", data["product"], f"{path}[price_data][product]")
        elif data.get("product_data"):
            product = desk.created(objects.product(desk, data["product_data"]), "product.created")
        else:
            raise ApiError(400, "You must specify either `product` or `product_data`.", param=f"{path}[price_data][product_data]")
        price = desk.save(objects.price(desk, data, product["id"], active=False))
    if (mode == "subscription") != bool(price["recurring"]):
        raise ApiError(
            400,
            "You must provide at least one recurring price in `subscription` mode."
            if mode == "subscription"
            else "You specified `payment` mode but passed a recurring price.",
            param=f"{path}[price]",
        )
    if given.get("price") and not price["active"]:
        raise ApiError(400, "The price specified is inactive.", param=f"{path}[price]")
    quantity = given.get("quantity", 1)
    if quantity < 1:
        raise ApiError(400, "Quantity must be at least 1.", param=f"{path}[quantity]")
    amount = price["unit_amount"] * quantity
    return {
        "id": desk.new_id("item"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": desk.get("product", price["product"])["name"],
        "metadata": given.get("metadata") or {},
        "price": price,
        "quantity": quantity,
    }


def _apply(desk: Desk, session: Obj, given: Obj) -> None:
    subtotal = sum(row["amount_subtotal"] for row in session["_items"])
    if given.get("promotion_code"):
        code = desk.get("promotion_code", given["promotion_code"], "discounts[0][promotion_code]")
        check_code(
            desk, code, customer=session["customer"], currency=session["currency"], subtotal=subtotal, param="discounts[0][promotion_code]"
        )
        session["discounts"], session["_coupon"] = [{"coupon": None, "promotion_code": code["id"]}], code["promotion"]["coupon"]
    else:
        coupon = desk.get("coupon", given.get("coupon"), "discounts[0][coupon]")
        check_coupon(desk, coupon, session["currency"], "discounts[0][coupon]")
        session["discounts"], session["_coupon"] = [{"coupon": coupon["id"], "promotion_code": None}], coupon["id"]


def apply_code(desk: Desk, session: Obj, text: str) -> str | None:
    """The promotion code field of the page. Returns what is wrong, or None when it was applied."""
    if not text:
        session["discounts"], session["_coupon"] = [], None
    else:
        code = next((c for c in desk.all("promotion_code") if c["code"].upper() == text.upper() and code_active(desk, c)), None)
        if code is None:
            return "This code is invalid."
        try:
            _apply(desk, session, {"promotion_code": code["id"]})
        except ApiError as error:
            return str(error)
    total(desk, session)
    desk.save(session)
    return None


def total(desk: Desk, session: Obj) -> None:
    """Amounts of the session. A trial makes today's total zero; the items keep their price."""
    if session["mode"] == "setup":
        return
    items, coupon = session["_items"], desk.find("coupon", session.get("_coupon"))
    trial = bool(session["_subscription_data"].get("trial_end") or session["_subscription_data"].get("trial_period_days"))
    off = coupon_shares(None if trial else coupon, [(row["price"]["product"], row["amount_subtotal"]) for row in items])
    for row, part in zip(items, off, strict=True):
        net = row["amount_subtotal"] - part
        tax = tax_on(desk, net, session["automatic_tax"]["enabled"])
        row |= {"amount_discount": part, "amount_tax": tax, "amount_total": net + tax}
        if trial:
            row |= {"amount_subtotal": 0, "amount_tax": 0, "amount_total": 0}
    shipping = session["shipping_options"][0] if session["shipping_options"] else None
    ship = shipping["shipping_amount"] if shipping else 0
    session |= {
        "amount_subtotal": sum(row["amount_subtotal"] for row in items),
        "amount_total": sum(row["amount_total"] for row in items) + ship,
        "total_details": {"amount_discount": sum(off), "amount_shipping": ship, "amount_tax": sum(row["amount_tax"] for row in items)},
        "shipping_cost": {"amount_subtotal": ship, "amount_tax": 0, "amount_total": ship, "shipping_rate": shipping["shipping_rate"]}
        if shipping
        else None,
    }
    if session["automatic_tax"]["enabled"]:
        session["automatic_tax"] = {**session["automatic_tax"], "status": "complete", "provider": "stripe", "liability": {"type": "self"}}


def complete(
    desk: Desk,
    session: Obj,
    *,
    email: str | None,
    name: str | None = None,
    place: Obj | None = None,
    card: str = "works",
    number: str | None = None,
) -> Obj:
    """Somebody pays. A declined card leaves the session open with a message; everything else completes it."""
    if session["status"] != "open":
        raise ApiError(400, f"This Checkout Session is {session['status']}.", code="checkout_session_not_open")
    customer = desk.find("customer", session["customer"])
    email = (customer["email"] if customer and customer["email"] else None) or session["customer_email"] or email
    method = objects.payment_method(desk, card, session["customer"], email, name or (customer["name"] if customer else None), place, number)
    due, mode = session["amount_total"] or 0, session["mode"]
    free = mode == "setup" or due == 0
    if card == "declined" and not (free and mode == "payment"):
        _decline(desk, session, method)
        return session
    place = place or (customer["address"] if customer else None)
    if customer is None and (mode == "subscription" or session["customer_creation"] == "always"):
        customer = desk.created(objects.customer(desk, {"email": email, "name": name, "address": place}), "customer.created")
    method["customer"] = customer["id"] if customer and mode != "payment" else None
    if not (free and mode == "payment"):
        desk.save(method)
        if method["customer"]:
            desk.emit("payment_method.attached", method)
    extra = {"_session": session["id"]}
    changes: Obj = {
        "status": "complete",
        "url": None,
        "customer": customer["id"] if customer else None,
        "customer_details": details(email, name or (customer or {}).get("name"), place),
        "payment_status": "no_payment_required" if free else "paid",
    }
    if session.get("_coupon"):
        redeem(desk, session["_coupon"], session["discounts"][0]["promotion_code"])
    if mode == "subscription" and customer is not None:
        subscription = billing.subscribe(
            desk,
            customer,
            [(row["price"], row["quantity"], row["metadata"]) for row in session["_items"]],
            session["_subscription_data"],
            method=method,
            discounts=_discounts(desk, session, customer),
            automatic_tax=session["automatic_tax"]["enabled"],
            intent_extra=extra,
        )
        invoice = desk.get("invoice", subscription["latest_invoice"])
        changes |= {"subscription": subscription["id"], "invoice": invoice["id"]}
        if not free and invoice["status"] != "paid":
            changes["payment_status"] = "unpaid"
        fresh = desk.get("customer", customer["id"])
        desk.change(
            fresh,
            {
                "invoice_settings": {
                    **fresh["invoice_settings"],
                    "default_payment_method": fresh["invoice_settings"]["default_payment_method"] or method["id"],
                }
            },
            "customer.updated",
        )
    elif mode == "payment" and session["invoice_creation"]["enabled"] and customer is not None:
        invoice = _one_time_invoice(desk, session, customer, method, extra)
        changes |= {
            "invoice": invoice["id"],
            "payment_status": "paid" if invoice["status"] == "paid" and not free else changes["payment_status"] if free else "unpaid",
        }
        payment = next(iter(desk.all("invoice_payment", lambda x: x["invoice"] == invoice["id"])), None)
        changes["payment_intent"] = payment["payment"]["payment_intent"] if payment else None
    elif mode == "payment" and not free:
        intent = desk.find("payment_intent", session.get("_intent"))
        if intent is None or intent["amount"] != due:
            intent = payments.begin(
                desk, due, session["currency"], changes["customer"], method, {**session["_payment_intent_data"], **extra}
            )
        intent["customer"] = changes["customer"]
        payments.attempt(desk, intent, method)
        changes |= {"payment_intent": intent["id"], "payment_status": "paid" if intent["status"] == "succeeded" else "unpaid"}
    if name or place:
        changes["collected_information"] = None
    desk.change(session, {**changes, "_message": None})
    desk.emit("checkout.session.completed", session)
    return session


def _decline(desk: Desk, session: Obj, method: Obj) -> None:
    desk.save(method)
    intent = desk.find("payment_intent", session.get("_intent"))
    if intent is None:
        intent = payments.begin(
            desk,
            session["amount_total"] or 0,
            session["currency"] or "usd",
            session["customer"],
            method,
            {**session["_payment_intent_data"], "_session": session["id"]},
        )
    payments.attempt(desk, intent, method)
    desk.change(session, {"_intent": intent["id"], "_message": payments.DECLINED["message"]})


def _discounts(desk: Desk, session: Obj, customer: Obj) -> list[Obj]:
    if not session.get("_coupon"):
        return []
    code = desk.find("promotion_code", session["discounts"][0]["promotion_code"])
    found = billing.make_discount(desk, desk.get("coupon", session["_coupon"]), code, customer["id"], session=session["id"])
    if session["mode"] == "subscription":
        desk.emit("customer.discount.created", found)
    return [found]


def _one_time_invoice(desk: Desk, session: Obj, customer: Obj, method: Obj, extra: Obj) -> Obj:
    lines = [
        billing.line(desk, row["price"], row["quantity"], row["amount_subtotal"], (desk.now(), desk.now()), row["description"])
        for row in session["_items"]
    ]
    invoice = billing.draft(
        desk,
        customer,
        session["currency"],
        lines,
        "manual",
        discounts=_discounts(desk, session, customer),
        automatic_tax=session["automatic_tax"]["enabled"],
        metadata=session["_invoice_data"].get("metadata"),
        description=session["_invoice_data"].get("description"),
    )
    billing.finalize(desk, invoice)
    if invoice["status"] == "open":
        billing.pay(desk, invoice, method, {**session["_payment_intent_data"], **extra})
    return invoice


def expire(desk: Desk, session: Obj) -> Obj:
    if session["status"] != "open":
        raise ApiError(
            400,
            f'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of {session["status"]}.',
            param="session",
        )
    desk.change(session, {"status": "expired", "url": None})
    desk.emit("checkout.session.expired", session)
    return session


def settle(desk: Desk, intent: Obj, ok: bool) -> None:
    """A delayed payment ends: the intent, its invoice and its session follow."""
    if intent["status"] != "processing":
        raise ApiError(400, f"The payment {intent['id']} is {intent['status']}, not processing.", param="payment_intent")
    payments.settle_intent(desk, intent, ok)
    if intent["_invoice"]:
        (billing.collected if ok else billing.not_collected)(desk, desk.get("invoice", intent["_invoice"]))
    if intent["_session"]:
        session = desk.get("checkout.session", intent["_session"])
        if ok:
            desk.change(session, {"payment_status": "paid"})
        desk.emit("checkout.session.async_payment_succeeded" if ok else "checkout.session.async_payment_failed", session)


def due_steps(desk: Desk) -> list[billing.Step]:
    steps: list[Any] = [
        (s["expires_at"], s["id"], partial(expire, desk, s)) for s in desk.all("checkout.session", lambda s: s["status"] == "open")
    ]
    steps += [
        (i["_settle_at"], i["id"], partial(settle, desk, i, i["_settle_ok"]))
        for i in desk.all("payment_intent", lambda i: i["status"] == "processing")
    ]
    return steps
