"""Subscriptions and invoices, and what the clock does to them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from tests.doubles.stripe import objects, payments
from tests.doubles.stripe.desk import Desk
from tests.doubles.stripe.pricing import coupon_shares, coupon_valid, money, period_after, share, tax_on, taxes
from tests.doubles.stripe.rules import ApiError
from tests.doubles.stripe.state import Obj

LIVE = ("active", "trialing", "past_due", "paused", "unpaid", "incomplete")
DRAFT_FOR = 3600
# Days between the attempts to collect a renewal; after the last one the account's rule decides.
RETRY_DAYS = (3, 5, 7)


# -- invoices ------------------------------------------------------------------------------------


def line(
    desk: Desk,
    price: Obj,
    quantity: int,
    amount: int,
    period: tuple[int, int],
    description: str,
    *,
    item: Obj | None = None,
    proration: bool = False,
    metadata: Obj | None = None,
) -> Obj:
    details = {"invoice_item": None, "proration": proration, "proration_details": None}
    if item is not None:
        parent: Obj = {
            "invoice_item_details": None,
            "subscription_item_details": {**details, "subscription": item["subscription"], "subscription_item": item["id"]},
            "type": "subscription_item_details",
        }
    else:
        parent = {
            "invoice_item_details": {**details, "invoice_item": desk.store.new_id("ii"), "subscription": None},
            "subscription_item_details": None,
            "type": "invoice_item_details",
        }
    return {
        "id": desk.new_id("line_item"),
        "object": "line_item",
        "amount": amount,
        "currency": price["currency"],
        "description": description,
        "discount_amounts": [],
        "discountable": not proration,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": metadata or {},
        "parent": parent,
        "period": {"end": period[1], "start": period[0]},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        "quantity": quantity,
        "quantity_decimal": str(quantity),
        "subtotal": amount,
        "taxes": [],
    }


def subscription_line(desk: Desk, item: Obj, period: tuple[int, int], *, free: bool = False) -> Obj:
    price, name = item["price"], desk.get("product", item["price"]["product"])["name"]
    amount = 0 if free else price["unit_amount"] * item["quantity"]
    words = (
        f"Trial period for {name}"
        if free
        else f"{item['quantity']} × {name} (at {money(price['unit_amount'], price['currency'])} / {price['recurring']['interval']})"
    )
    return line(desk, price, item["quantity"], amount, period, words, item=item)


def draft(
    desk: Desk,
    customer: Obj,
    currency: str,
    lines: list[Obj],
    reason: str,
    *,
    subscription: Obj | None = None,
    discounts: list[Obj] | None = None,
    automatic_tax: bool = False,
    metadata: Obj | None = None,
    description: str | None = None,
    finalizes_at: int | None = None,
) -> Obj:
    """A draft invoice with its sums; `discounts` are Discount objects, applied one after the other."""
    id_ = desk.new_id("invoice")
    left = [row["amount"] for row in lines]
    totals: list[Obj] = []
    for found in discounts or []:
        coupon = desk.find("coupon", found["source"]["coupon"])
        off = coupon_shares(
            coupon,
            [
                (row["pricing"]["price_details"]["product"] if row["discountable"] else "", value if row["discountable"] else 0)
                for row, value in zip(lines, left, strict=True)
            ],
        )
        for row, part in zip(lines, off, strict=True):
            if part:
                row["discount_amounts"].append({"amount": part, "discount": found["id"]})
        left = [value - part for value, part in zip(left, off, strict=True)]
        totals.append({"amount": sum(off), "discount": found["id"]})
    subtotal, net = sum(row["amount"] for row in lines), sum(left)
    tax = tax_on(desk, max(net, 0), automatic_tax)
    for row, value in zip(lines, left, strict=True):
        row["invoice"] = id_
        row["taxes"] = taxes(desk, tax_on(desk, max(value, 0), automatic_tax), value)
    total = net + tax
    periods = [row["period"] for row in lines]
    invoice = {
        "id": id_,
        "object": "invoice",
        "account_country": "US",
        "account_name": (desk.store.account(desk.account) or {})["business_profile"]["name"],
        "account_tax_ids": None,
        "amount_due": max(total, 0),
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_remaining": max(total, 0),
        "amount_shipping": 0,
        "application": None,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": True,
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": automatic_tax,
            "liability": {"type": "self"} if automatic_tax else None,
            "provider": "stripe" if automatic_tax else None,
            "status": "complete" if automatic_tax else None,
        },
        "automatically_finalizes_at": finalizes_at,
        "billing_reason": reason,
        "collection_method": "charge_automatically",
        "created": desk.now(),
        "currency": currency,
        "custom_fields": None,
        "customer": customer["id"],
        "customer_account": None,
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_shipping": customer["shipping"],
        "customer_tax_exempt": customer["tax_exempt"],
        "customer_tax_ids": [],
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": description,
        "discounts": [found["id"] for found in discounts or []],
        "due_date": None,
        "effective_at": None,
        "ending_balance": None,
        "footer": None,
        "from_invoice": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "lines": objects.listing(f"/v1/invoices/{id_}/lines", lines[:10], len(lines) > 10),
        "livemode": False,
        "metadata": metadata or {},
        "next_payment_attempt": finalizes_at,
        "number": None,
        "on_behalf_of": None,
        "parent": {
            "quote_details": None,
            "subscription_details": {"metadata": subscription["metadata"], "subscription": subscription["id"]},
            "type": "subscription_details",
        }
        if subscription
        else None,
        "payment_settings": {"default_mandate": None, "payment_method_options": None, "payment_method_types": None},
        "period_end": max((p["end"] for p in periods), default=desk.now()) if reason == "subscription_create" else desk.now(),
        "period_start": min((p["start"] for p in periods), default=desk.now()) if reason == "subscription_create" else desk.now(),
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": None,
        "rendering": None,
        "shipping_cost": None,
        "shipping_details": None,
        "starting_balance": 0,
        "statement_descriptor": None,
        "status": "draft",
        "status_transitions": {"finalized_at": None, "marked_uncollectible_at": None, "paid_at": None, "voided_at": None},
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal,
        "test_clock": None,
        "threshold_reason": None,
        "total": total,
        "total_discount_amounts": totals,
        "total_excluding_tax": net,
        "total_pretax_credit_amounts": [],
        "total_taxes": taxes(desk, tax, net),
        "webhooks_delivered_at": None,
        "_lines": lines,
        "_subscription": subscription["id"] if subscription else None,
    }
    return desk.created(invoice, "invoice.created")


def finalize(desk: Desk, invoice: Obj) -> Obj:
    """Number it and use the customer's credit. What is then zero is paid at once."""
    if invoice["status"] != "draft":
        raise ApiError(400, "This invoice is already finalized, you can't re-finalize a non-draft invoice.", code="invoice_not_editable")
    customer = desk.get("customer", invoice["customer"])
    starting = customer["_balances"].get(invoice["currency"], 0)
    due = max(invoice["total"] + starting, 0) if invoice["total"] >= 0 else 0
    applied = due - invoice["total"]
    if invoice["total"] < 0:
        payments.adjust_balance(desk, customer, invoice["total"], invoice["currency"], "invoice_too_small", {"invoice": invoice["id"]})
    elif applied:
        payments.adjust_balance(desk, customer, -applied, invoice["currency"], "applied_to_invoice", {"invoice": invoice["id"]})
    sequence = customer["next_invoice_sequence"]
    desk.change(customer, {"next_invoice_sequence": sequence + 1, "currency": customer["currency"] or invoice["currency"]})
    desk.change(
        invoice,
        {
            "status": "open",
            "number": f"{customer['invoice_prefix']}-{sequence:04}",
            "starting_balance": starting,
            "ending_balance": customer["_balances"].get(invoice["currency"], 0),
            "amount_due": due,
            "amount_remaining": due,
            "effective_at": desk.now(),
            "automatically_finalizes_at": None,
            "hosted_invoice_url": f"{desk.base_url}/i/{invoice['id']}",
            "invoice_pdf": f"{desk.base_url}/i/{invoice['id']}/pdf",
            "status_transitions": {**invoice["status_transitions"], "finalized_at": desk.now()},
        },
    )
    desk.emit("invoice.finalized", invoice)
    if due == 0:
        _paid(desk, invoice, 0)
    return invoice


def pay(desk: Desk, invoice: Obj, method: Obj | None, intent_extra: Obj | None = None) -> Obj:
    """One attempt to collect. Ends `paid`, or still `open` (declined, or the money is on its way)."""
    if invoice["status"] == "paid":
        raise ApiError(400, "Invoice is already paid", code="invoice_already_paid")
    if invoice["status"] != "open":
        raise ApiError(400, "This invoice cannot be paid in its state.", code="invoice_not_open")
    payment = next(iter(desk.all("invoice_payment", lambda x: x["invoice"] == invoice["id"] and x["status"] == "open")), None)
    if method is None:
        not_collected(desk, invoice)
        return invoice
    if payment is None:
        intent = payments.begin(
            desk,
            invoice["amount_remaining"],
            invoice["currency"],
            invoice["customer"],
            method,
            {"description": "Subscription" if invoice["_subscription"] else None, **(intent_extra or {}), "_invoice": invoice["id"]},
        )
        payment = desk.save(
            {
                "id": desk.new_id("invoice_payment"),
                "object": "invoice_payment",
                "amount_paid": None,
                "amount_requested": intent["amount"],
                "created": desk.now(),
                "currency": invoice["currency"],
                "invoice": invoice["id"],
                "is_default": True,
                "livemode": False,
                "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
                "status": "open",
                "status_transitions": {"canceled_at": None, "paid_at": None},
            }
        )
    else:
        intent = desk.get("payment_intent", payment["payment"]["payment_intent"])
    payments.attempt(desk, intent, method)
    if intent["status"] == "succeeded":
        collected(desk, invoice)
    elif intent["status"] == "processing":
        desk.change(invoice, {"attempted": True, "attempt_count": invoice["attempt_count"] + 1, "next_payment_attempt": None})
    else:
        not_collected(desk, invoice)
    return invoice


def collected(desk: Desk, invoice: Obj) -> None:
    """The payment of this invoice has succeeded."""
    payment = next(iter(desk.all("invoice_payment", lambda x: x["invoice"] == invoice["id"] and x["status"] == "open")), None)
    amount = invoice["amount_remaining"]
    if payment:
        desk.change(
            payment,
            {
                "status": "paid",
                "amount_paid": payment["amount_requested"],
                "status_transitions": {"canceled_at": None, "paid_at": desk.now()},
            },
            "invoice_payment.paid",
        )
    if not invoice["attempted"]:
        desk.change(invoice, {"attempt_count": 1})
    _paid(desk, invoice, amount)


def paid_elsewhere(desk: Desk, invoice: Obj) -> Obj:
    if invoice["status"] not in ("open", "uncollectible"):
        raise ApiError(400, "This invoice cannot be paid in its state.", code="invoice_not_open")
    desk.change(invoice, {"amount_paid_off_stripe": invoice["amount_remaining"]})
    _paid(desk, invoice, invoice["amount_remaining"])
    return invoice


def _paid(desk: Desk, invoice: Obj, amount: int) -> None:
    desk.change(
        invoice,
        {
            "status": "paid",
            "attempted": True,
            "amount_paid": invoice["amount_paid"] + amount,
            "amount_remaining": 0,
            "next_payment_attempt": None,
            "status_transitions": {**invoice["status_transitions"], "paid_at": desk.now()},
        },
    )
    desk.emit("invoice.paid", invoice)
    desk.emit("invoice.payment_succeeded", invoice)
    subscription = desk.find("subscription", invoice["_subscription"])
    if (
        subscription
        and subscription["status"] in ("past_due", "incomplete", "unpaid")
        and subscription["latest_invoice"] == invoice["id"]
        and not subscription.get("_starting")
    ):
        desk.change(subscription, {"status": "active"}, "customer.subscription.updated")


def not_collected(desk: Desk, invoice: Obj) -> None:
    """An attempt failed: count it, plan the next one, and let the subscription feel it."""
    count = invoice["attempt_count"] + 1
    renewal = bool(invoice["_subscription"]) and invoice["billing_reason"] != "subscription_create"
    again = desk.now() + RETRY_DAYS[count - 1] * 86400 if renewal and count <= len(RETRY_DAYS) else None
    desk.change(invoice, {"attempted": True, "attempt_count": count, "next_payment_attempt": again})
    desk.emit("invoice.payment_failed", invoice)
    subscription = desk.find("subscription", invoice["_subscription"])
    if subscription is None or subscription["status"] not in ("active", "past_due", "unpaid", "trialing"):
        return
    desk.change(subscription, {"status": "past_due"}, "customer.subscription.updated")
    if again is None and renewal:
        rule = desk.account_setting("after_dunning", "cancel")
        if rule == "cancel":
            cancel(desk, subscription, reason="payment_failed")
        elif rule == "unpaid":
            desk.change(subscription, {"status": "unpaid"}, "customer.subscription.updated")


def void(desk: Desk, invoice: Obj) -> Obj:
    if invoice["status"] not in ("open", "uncollectible"):
        raise ApiError(400, "You can only void open or uncollectible invoices.", code="invoice_not_editable")
    desk.change(
        invoice,
        {"status": "void", "next_payment_attempt": None, "status_transitions": {**invoice["status_transitions"], "voided_at": desk.now()}},
    )
    desk.emit("invoice.voided", invoice)
    used = invoice["ending_balance"] - invoice["starting_balance"]
    if used > 0:
        payments.adjust_balance(
            desk,
            desk.get("customer", invoice["customer"]),
            -used,
            invoice["currency"],
            "unapplied_from_invoice",
            {"invoice": invoice["id"]},
        )
    return invoice


def mark_uncollectible(desk: Desk, invoice: Obj) -> Obj:
    if invoice["status"] != "open":
        raise ApiError(400, "You can only mark open invoices as uncollectible.", code="invoice_not_editable")
    desk.change(
        invoice,
        {
            "status": "uncollectible",
            "next_payment_attempt": None,
            "status_transitions": {**invoice["status_transitions"], "marked_uncollectible_at": desk.now()},
        },
    )
    desk.emit("invoice.marked_uncollectible", invoice)
    return invoice


# -- subscriptions -------------------------------------------------------------------------------


def item(desk: Desk, subscription_id: str, price: Obj, quantity: int, period: tuple[int, int], metadata: Obj | None = None) -> Obj:
    return {
        "id": desk.new_id("subscription_item"),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": desk.now(),
        "current_period_end": period[1],
        "current_period_start": period[0],
        "discounts": [],
        "metadata": metadata or {},
        "plan": objects.plan(price),
        "price": price,
        "quantity": quantity,
        "subscription": subscription_id,
        "tax_rates": [],
    }


def subscribe(
    desk: Desk,
    customer: Obj,
    wanted: list[tuple[Obj, int, Obj | None]],
    p: Obj,
    *,
    method: Obj | None,
    discounts: list[Obj],
    automatic_tax: bool = False,
    intent_extra: Obj | None = None,
) -> Obj:
    """Create a subscription with its first invoice and collect it."""
    now, id_ = desk.now(), desk.new_id("subscription")
    trial_end = p.get("trial_end") or (now + p["trial_period_days"] * 86400 if p.get("trial_period_days") else None)
    if (
        len({price["currency"] for price, _, _ in wanted}) != 1
        or len({(price["recurring"] or {}).get("interval") for price, _, _ in wanted}) != 1
        or not wanted[0][0]["recurring"]
    ):
        raise ApiError(400, "All prices of a subscription must be recurring and share currency and interval.", param="items")
    period = (now, trial_end or period_after(now, wanted[0][0]["recurring"], now))
    subscription = desk.save(
        {
            "id": id_,
            "object": "subscription",
            "application": None,
            "application_fee_percent": None,
            "automatic_tax": {"disabled_reason": None, "enabled": automatic_tax, "liability": {"type": "self"} if automatic_tax else None},
            "billing_cycle_anchor": period[1] if trial_end else now,
            "billing_cycle_anchor_config": None,
            "billing_mode": {"flexible": {"proration_discounts": "included"}, "type": "flexible", "updated_at": now},
            "billing_schedules": [],
            "billing_thresholds": None,
            "cancel_at": None,
            "cancel_at_period_end": False,
            "canceled_at": None,
            "cancellation_details": {"comment": None, "feedback": None, "reason": None},
            "collection_method": "charge_automatically",
            "created": now,
            "currency": wanted[0][0]["currency"],
            "customer": customer["id"],
            "customer_account": None,
            "days_until_due": None,
            "default_payment_method": method["id"] if method else None,
            "default_source": None,
            "default_tax_rates": [],
            "description": p.get("description"),
            "discounts": [found["id"] for found in discounts],
            "ended_at": None,
            "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
            "items": objects.listing(
                f"/v1/subscription_items?subscription={id_}",
                [item(desk, id_, price, quantity, period, meta) for price, quantity, meta in wanted],
            ),
            "latest_invoice": None,
            "livemode": False,
            "metadata": p.get("metadata") or {},
            "next_pending_invoice_item_invoice": None,
            "on_behalf_of": None,
            "pause_collection": None,
            "payment_settings": {"payment_method_options": None, "payment_method_types": None, "save_default_payment_method": "off"},
            "pending_invoice_item_interval": None,
            "pending_setup_intent": None,
            "pending_update": None,
            "schedule": None,
            "start_date": now,
            "status": "trialing" if trial_end else "incomplete",
            "test_clock": None,
            "transfer_data": None,
            "trial_end": trial_end,
            "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
            "trial_start": now if trial_end else None,
            "_pending": [],
            "_starting": True,
        }
    )
    for found in discounts:
        desk.change(found, {"subscription": id_, "_cycles": 0})
    lines = [subscription_line(desk, row, period, free=bool(trial_end)) for row in subscription["items"]["data"]]
    invoice = draft(
        desk,
        customer,
        subscription["currency"],
        lines,
        "subscription_create",
        subscription=subscription,
        discounts=[] if trial_end else discounts,
        automatic_tax=automatic_tax,
    )
    desk.change(subscription, {"latest_invoice": invoice["id"]})
    finalize(desk, invoice)
    if invoice["status"] == "open":
        pay(desk, invoice, method, intent_extra)
    processing = invoice["status"] == "open" and method is not None and method["_behaviour"] in ("later", "fails_later")
    if not trial_end and (invoice["status"] == "paid" or processing):
        subscription["status"] = "active"
        _count_cycle(desk, subscription)
    subscription["_starting"] = False
    return desk.created(subscription, "customer.subscription.created")


def _running_discounts(desk: Desk, subscription: Obj) -> list[Obj]:
    """The discounts that still count for the next invoice; ended ones leave the subscription."""
    keep = []
    for id_ in subscription["discounts"]:
        found = desk.get("discount", id_)
        coupon = desk.find("coupon", found["source"]["coupon"])
        cycles = found.get("_cycles", 0)
        if coupon and (
            coupon["duration"] == "forever"
            or (coupon["duration"] == "once" and cycles < 1)
            or (coupon["duration"] == "repeating" and found["end"] and desk.now() < found["end"])
        ):
            keep.append(found)
    if len(keep) != len(subscription["discounts"]):
        desk.change(subscription, {"discounts": [found["id"] for found in keep]}, "customer.subscription.updated")
    return keep


def _count_cycle(desk: Desk, subscription: Obj) -> None:
    for id_ in subscription["discounts"]:
        found = desk.get("discount", id_)
        desk.change(found, {"_cycles": found.get("_cycles", 0) + 1})


def cancel(desk: Desk, subscription: Obj, *, reason: str = "cancellation_requested", details: Obj | None = None) -> Obj:
    if subscription["status"] == "canceled":
        raise ApiError(404, f"No such subscription: '{subscription['id']}'", param="id", code="resource_missing")
    desk.change(
        subscription,
        {
            "status": "canceled",
            "canceled_at": subscription["canceled_at"] or desk.now(),
            "ended_at": desk.now(),
            "cancel_at_period_end": False,
            "cancellation_details": {
                "comment": None,
                "feedback": None,
                **(subscription["cancellation_details"] or {}),
                "reason": reason,
                **(details or {}),
            },
        },
    )
    desk.emit("customer.subscription.deleted", subscription)
    for invoice in desk.all("invoice", lambda i: i["_subscription"] == subscription["id"] and i["status"] == "draft"):
        desk.change(invoice, {"auto_advance": False, "automatically_finalizes_at": None, "next_payment_attempt": None})
    return subscription


def update(desk: Desk, subscription: Obj, p: Obj) -> Obj:
    """An update by API or portal: metadata, cancel at the end, another price or quantity, end of trial."""
    if subscription["status"] == "canceled" and set(p) - {"metadata", "expand", "cancellation_details"}:
        raise ApiError(400, "A canceled subscription can only update its cancellation_details and metadata.", code="resource_missing")
    changes: Obj = {name: p[name] for name in ("description", "pause_collection") if name in p}
    if "metadata" in p:
        changes["metadata"] = p["metadata"]
    if p.get("default_payment_method"):
        changes["default_payment_method"] = desk.get("payment_method", p["default_payment_method"], "default_payment_method")["id"]
    if "cancellation_details" in p:
        changes["cancellation_details"] = {**subscription["cancellation_details"], **(p["cancellation_details"] or {})}
    if p.get("cancel_at_period_end") is True:
        changes |= {
            "cancel_at_period_end": True,
            "cancel_at": subscription["items"]["data"][0]["current_period_end"],
            "canceled_at": desk.now(),
            "cancellation_details": {
                **subscription["cancellation_details"],
                **(p.get("cancellation_details") or {}),
                "reason": "cancellation_requested",
            },
        }
    elif p.get("cancel_at_period_end") is False:
        changes |= {
            "cancel_at_period_end": False,
            "cancel_at": None,
            "canceled_at": None,
            "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        }
    if "discounts" in p:
        from_params = []
        for given in p["discounts"] or []:
            code = desk.get("promotion_code", given["promotion_code"], "discounts") if given.get("promotion_code") else None
            coupon = desk.get("coupon", code["promotion"]["coupon"] if code else given.get("coupon"), "discounts")
            from_params.append(make_discount(desk, coupon, code, subscription["customer"], subscription=subscription["id"])["id"])
        changes["discounts"] = from_params
    invoice_lines: list[Obj] = []
    rows = [dict(row) for row in subscription["items"]["data"]]
    restart = False
    if p.get("items"):
        rows, invoice_lines, restart = _new_items(desk, subscription, rows, p)
        changes["items"] = {**subscription["items"], "data": rows}
    if p.get("trial_end") is not None and subscription["status"] == "trialing":
        end = desk.now() if p["trial_end"] == "now" else p["trial_end"]
        rows = [{**row, "current_period_end": end} for row in rows]
        changes |= {"trial_end": end, "items": {**subscription["items"], "data": rows}, "billing_cycle_anchor": end}
    desk.change(subscription, changes, "customer.subscription.updated")
    if invoice_lines and (restart or p.get("proration_behavior") == "always_invoice"):
        _bill_now(desk, subscription, invoice_lines)
    elif invoice_lines and p.get("proration_behavior") != "none":
        desk.change(subscription, {"_pending": [*subscription["_pending"], *invoice_lines]})
    if p.get("trial_end") == "now":
        _renew(desk, subscription)
    return desk.get("subscription", subscription["id"])


def _new_items(desk: Desk, subscription: Obj, rows: list[Obj], p: Obj) -> tuple[list[Obj], list[Obj], bool]:
    lines: list[Obj] = []
    restart, now = False, desk.now()
    trialing = subscription["status"] == "trialing"
    for i, given in enumerate(p["items"]):
        price = desk.get("price", given["price"], f"items[{i}][price]") if given.get("price") else None
        if price is not None and (not price["recurring"] or price["currency"] != subscription["currency"]):
            raise ApiError(400, "The price must be recurring and in the currency of the subscription.", param=f"items[{i}][price]")
        if not given.get("id"):
            if price is None:
                raise ApiError(400, f"Missing required param: items[{i}][price].", param=f"items[{i}][price]", code="parameter_missing")
            period = (rows[0]["current_period_start"], rows[0]["current_period_end"])
            added = item(desk, subscription["id"], price, given.get("quantity", 1), period, given.get("metadata"))
            rows.append(added)
            lines += [] if trialing else [_proration(desk, added, now, "Remaining time on", 1)]
            continue
        row = next((r for r in rows if r["id"] == given["id"]), None)
        if row is None:
            raise ApiError(400, f"No such subscription item: '{given['id']}'", param=f"items[{i}][id]", code="resource_missing")
        if not trialing:
            lines.append(_proration(desk, row, now, "Unused time on", -1))
        if given.get("deleted"):
            rows.remove(row)
            continue
        new = price or row["price"]
        if new["recurring"]["interval"] != row["price"]["recurring"]["interval"] and not trialing:
            restart = True
            row |= {"current_period_start": now, "current_period_end": period_after(now, new["recurring"], now)}
        row |= {
            "price": new,
            "plan": objects.plan(new),
            "quantity": given.get("quantity", row["quantity"]),
            "metadata": given.get("metadata") or row["metadata"],
        }
        if not trialing:
            lines.append(
                subscription_line(desk, row, (row["current_period_start"], row["current_period_end"]))
                if restart
                else _proration(desk, row, now, "Remaining time on", 1)
            )
    if not rows:
        raise ApiError(400, "A subscription must have at least one active plan.", param="items")
    if restart:
        subscription["billing_cycle_anchor"] = now
    return rows, lines, restart


def _proration(desk: Desk, row: Obj, now: int, words: str, sign: int) -> Obj:
    start, end = row["current_period_start"], row["current_period_end"]
    amount = sign * share(row["price"]["unit_amount"] * row["quantity"], max(end - now, 0), end - start)
    name = desk.get("product", row["price"]["product"])["name"]
    return line(desk, row["price"], row["quantity"], amount, (now, end), f"{words} {row['quantity']} × {name}", item=row, proration=True)


def _bill_now(desk: Desk, subscription: Obj, lines: list[Obj]) -> None:
    invoice = draft(
        desk,
        desk.get("customer", subscription["customer"]),
        subscription["currency"],
        lines,
        "subscription_update",
        subscription=subscription,
        automatic_tax=subscription["automatic_tax"]["enabled"],
    )
    desk.change(subscription, {"latest_invoice": invoice["id"]})
    finalize(desk, invoice)
    if invoice["status"] == "open":
        pay(desk, invoice, method_of(desk, subscription))


def make_discount(
    desk: Desk, coupon: Obj, code: Obj | None, customer: str | None, *, session: str | None = None, subscription: str | None = None
) -> Obj:
    end = None
    if coupon["duration"] == "repeating":
        end = period_after(desk.now(), {"interval": "month", "interval_count": coupon["duration_in_months"]}, desk.now())
    return desk.save(
        objects.discount(desk, coupon["id"], code["id"] if code else None, customer, session=session, subscription=subscription, end=end)
    )


def method_of(desk: Desk, subscription: Obj) -> Obj | None:
    """The card a renewal is charged to: the subscription's, else the customer's."""
    customer = desk.get("customer", subscription["customer"])
    return desk.find("payment_method", subscription["default_payment_method"]) or desk.find(
        "payment_method", customer["invoice_settings"]["default_payment_method"]
    )


def resume(desk: Desk, subscription: Obj) -> Obj:
    if subscription["status"] != "paused":
        raise ApiError(400, "Only paused subscriptions can be resumed.", code="subscription_not_paused")
    desk.change(subscription, {"status": "active"})
    desk.emit("customer.subscription.resumed", subscription)
    return subscription


def pause(desk: Desk, subscription: Obj) -> Obj:
    desk.change(subscription, {"status": "paused"})
    desk.emit("customer.subscription.paused", subscription)
    return subscription


def _renew(desk: Desk, subscription: Obj) -> None:
    """The period is over: end it, or start the next one with a draft invoice."""
    now = desk.now()
    if subscription["cancel_at_period_end"]:
        cancel(desk, subscription)
        return
    rows = []
    for row in subscription["items"]["data"]:
        end = period_after(now, row["price"]["recurring"], subscription["billing_cycle_anchor"])
        rows.append({**row, "current_period_start": now, "current_period_end": end})
    changes: Obj = {"items": {**subscription["items"], "data": rows}}
    if subscription["status"] == "trialing":
        changes["status"] = "active"
    desk.change(subscription, changes, "customer.subscription.updated")
    discounts = _running_discounts(desk, subscription)
    lines = [
        *subscription["_pending"],
        *(subscription_line(desk, row, (row["current_period_start"], row["current_period_end"])) for row in rows),
    ]
    invoice = draft(
        desk,
        desk.get("customer", subscription["customer"]),
        subscription["currency"],
        lines,
        "subscription_cycle",
        subscription=subscription,
        discounts=discounts,
        automatic_tax=subscription["automatic_tax"]["enabled"],
        finalizes_at=now + DRAFT_FOR,
    )
    desk.change(subscription, {"latest_invoice": invoice["id"], "_pending": []})
    _count_cycle(desk, subscription)


def _finalize_and_pay(desk: Desk, invoice: Obj) -> None:
    finalize(desk, invoice)
    if invoice["status"] == "open":
        subscription = desk.find("subscription", invoice["_subscription"])
        pay(desk, invoice, method_of(desk, subscription) if subscription else None)


def _retry(desk: Desk, invoice: Obj) -> None:
    subscription = desk.find("subscription", invoice["_subscription"])
    pay(desk, invoice, method_of(desk, subscription) if subscription else None)


def _trial_notice(desk: Desk, subscription: Obj) -> None:
    desk.change(subscription, {"_trial_notice": True})
    desk.emit("customer.subscription.trial_will_end", subscription)


def _coupon_ends(desk: Desk, coupon: Obj) -> None:
    desk.change(coupon, {"valid": coupon_valid(desk, coupon)}, "coupon.updated")


# -- the clock -----------------------------------------------------------------------------------

Step = tuple[int, str, Callable[[], Any]]


def due_steps(desk: Desk) -> list[Step]:
    """Everything of this account the clock will do, as (time, id, action)."""
    steps: list[Step] = []
    for found in desk.all("subscription", lambda s: s["status"] in ("active", "trialing", "past_due")):
        end = min(row["current_period_end"] for row in found["items"]["data"])
        steps.append((end, found["id"], partial(_renew, desk, found)))
        if found["status"] == "trialing" and not found.get("_trial_notice") and found["trial_end"] - 3 * 86400 > found["created"]:
            steps.append((found["trial_end"] - 3 * 86400, found["id"], partial(_trial_notice, desk, found)))
    for invoice in desk.all("invoice", lambda i: i["status"] in ("draft", "open")):
        if invoice["status"] == "draft" and invoice["automatically_finalizes_at"]:
            steps.append((invoice["automatically_finalizes_at"], invoice["id"], partial(_finalize_and_pay, desk, invoice)))
        elif invoice["status"] == "open" and invoice["next_payment_attempt"]:
            steps.append((invoice["next_payment_attempt"], invoice["id"], partial(_retry, desk, invoice)))
    for coupon in desk.all("coupon", lambda c: c["valid"]):
        if coupon["redeem_by"]:
            steps.append((coupon["redeem_by"], coupon["id"], partial(_coupon_ends, desk, coupon)))
    return steps
