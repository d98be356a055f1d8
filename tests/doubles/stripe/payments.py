"""Money that moves: charges, refunds, disputes, the customer's credit, credit notes."""

from __future__ import annotations

from tests.doubles.stripe import objects
from tests.doubles.stripe.desk import Desk
from tests.doubles.stripe.pricing import money
from tests.doubles.stripe.rules import ApiError
from tests.doubles.stripe.state import Obj

DECLINED: Obj = {
    "code": "card_declined",
    "decline_code": "generic_decline",
    "doc_url": "https://stripe.com/docs/error-codes/card-declined",
    "message": "Your card was declined.",
    "type": "card_error",
}
# "Works later" in the hosted page settles by itself after this much of the double's time.
SETTLE_AFTER = 60


def begin(desk: Desk, amount: int, currency: str, customer: str | None, method: Obj, p: Obj) -> Obj:
    return desk.created(objects.payment_intent(desk, amount, currency, customer, method, p), "payment_intent.created")


def attempt(desk: Desk, intent: Obj, method: Obj) -> Obj:
    """Charge `method`; the intent comes back `succeeded`, `processing` or `requires_payment_method`."""
    behaviour = method["_behaviour"]
    if behaviour == "declined":
        charge = desk.created(objects.charge(desk, intent, method, "failed"), "charge.failed")
        error = {**DECLINED, "charge": charge["id"]}
        desk.change(
            intent,
            {"status": "requires_payment_method", "last_payment_error": error, "latest_charge": charge["id"], "payment_method": None},
        )
        desk.emit("payment_intent.payment_failed", intent)
        return intent
    later = behaviour in ("later", "fails_later")
    charge = desk.created(
        objects.charge(desk, intent, method, "pending" if later else "succeeded"), "charge.pending" if later else "charge.succeeded"
    )
    changes: Obj = {"latest_charge": charge["id"], "payment_method": method["id"], "last_payment_error": None}
    if later:
        changes |= {"status": "processing", "_settle_at": desk.now() + SETTLE_AFTER, "_settle_ok": behaviour == "later"}
    else:
        changes |= {"status": "succeeded", "amount_received": intent["amount"]}
    desk.change(intent, changes)
    desk.emit("payment_intent.processing" if later else "payment_intent.succeeded", intent)
    return intent


def settle_intent(desk: Desk, intent: Obj, ok: bool) -> None:
    """A delayed payment arrives, or does not."""
    charge = desk.get("charge", intent["latest_charge"])
    if ok:
        desk.change(
            charge,
            {
                "status": "succeeded",
                "paid": True,
                "amount_captured": charge["amount"],
                "balance_transaction": desk.new_id("balance_transaction"),
            },
        )
        desk.emit("charge.succeeded", charge)
        desk.change(intent, {"status": "succeeded", "amount_received": intent["amount"], "_settle_at": None})
        desk.emit("payment_intent.succeeded", intent)
    else:
        desk.change(
            charge,
            {
                "status": "failed",
                "captured": False,
                "failure_code": "insufficient_funds",
                "failure_message": "The customer's account has insufficient funds.",
            },
        )
        desk.emit("charge.failed", charge)
        desk.change(
            intent, {"status": "requires_payment_method", "last_payment_error": {**DECLINED, "charge": charge["id"]}, "_settle_at": None}
        )
        desk.emit("payment_intent.payment_failed", intent)


# -- refunds -------------------------------------------------------------------------------------


def charge_of(desk: Desk, p: Obj) -> Obj:
    """The charge named by `charge` or `payment_intent`."""
    if p.get("charge"):
        return desk.get("charge", p["charge"], "charge")
    if p.get("payment_intent"):
        intent = desk.get("payment_intent", p["payment_intent"], "payment_intent")
        if intent["latest_charge"] and intent["status"] == "succeeded":
            return desk.get("charge", intent["latest_charge"])
        raise ApiError(400, f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.", param="payment_intent")
    raise ApiError(
        400,
        "One of the following params should be provided for this request: payment_intent or charge.",
        code="parameter_missing",
        param="charge",
    )


def refund(desk: Desk, p: Obj, status: str = "succeeded") -> Obj:
    charge = charge_of(desk, p)
    left = charge["amount"] - charge["amount_refunded"]
    if not charge["paid"]:
        raise ApiError(400, f"Charge {charge['id']} has not been paid.", param="charge")
    if left == 0:
        raise ApiError(400, f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    amount: int = left if p.get("amount") is None else p["amount"]
    if not 0 < amount <= left:
        raise ApiError(
            400,
            f"Refund amount ({money(amount, charge['currency'])}) is greater than unrefunded amount on charge "
            f"({money(left, charge['currency'])})",
            param="amount",
        )
    made = desk.created(objects.refund(desk, charge, amount, p, status), "refund.created")
    _count_refund(desk, charge, amount)
    return made


def _count_refund(desk: Desk, charge: Obj, amount: int) -> None:
    total = charge["amount_refunded"] + amount
    desk.change(
        charge, {"amount_refunded": total, "refunded": total == charge["amount"]}, "charge.refunded" if amount > 0 else "charge.updated"
    )


def set_refund_status(desk: Desk, refund_: Obj, status: str, reason: str = "lost_or_stolen_card") -> Obj:
    """Move a refund on; a failed or cancelled one gives its amount back to the charge."""
    was_dead = refund_["status"] in ("failed", "canceled")
    changes: Obj = {"status": status}
    if status == "failed":
        changes |= {"failure_reason": reason, "failure_balance_transaction": desk.new_id("balance_transaction")}
    refund_.pop("pending_reason", None)
    if status == "pending":
        changes["pending_reason"] = "processing"
    desk.change(refund_, changes, "refund.updated")
    if status in ("failed", "canceled") and not was_dead:
        _count_refund(desk, desk.get("charge", refund_["charge"]), -refund_["amount"])
        if status == "failed":
            desk.emit("refund.failed", refund_)
    return refund_


# -- disputes ------------------------------------------------------------------------------------

DISPUTE_STATUSES = (
    "warning_needs_response",
    "warning_under_review",
    "warning_closed",
    "needs_response",
    "under_review",
    "won",
    "lost",
    "appeal_needs_response",
    "appeal_under_review",
    "prevented",
)
DISPUTE_ENDS = ("won", "lost", "warning_closed", "prevented")


def open_dispute(desk: Desk, charge: Obj, amount: int | None, status: str, reason: str) -> Obj:
    dispute = objects.dispute(desk, charge, amount if amount is not None else charge["amount"], status, reason)
    desk.change(charge, {"disputed": True})
    desk.created(dispute, "charge.dispute.created")
    if not status.startswith("warning"):
        desk.emit("charge.dispute.funds_withdrawn", dispute)
        dispute["_withdrawn"] = True
        desk.save(dispute)
    return dispute


def set_dispute_status(desk: Desk, dispute: Obj, status: str) -> Obj:
    withdraw = not status.startswith("warning") and status != "prevented" and not dispute.get("_withdrawn")
    desk.change(
        dispute,
        {"status": status, "is_charge_refundable": status.startswith("warning")},
        "charge.dispute.closed" if status in DISPUTE_ENDS else "charge.dispute.updated",
    )
    if withdraw and status != "won":
        desk.change(dispute, {"_withdrawn": True})
        desk.emit("charge.dispute.funds_withdrawn", dispute)
    if status == "won" and dispute.get("_withdrawn"):
        desk.change(dispute, {"_withdrawn": False})
        desk.emit("charge.dispute.funds_reinstated", dispute)
    return dispute


# -- the customer's credit -----------------------------------------------------------------------


def adjust_balance(desk: Desk, customer: Obj, amount: int, currency: str, type_: str, p: Obj) -> Obj:
    """Add `amount` (negative = credit) to the customer's balance in `currency`, which it fixes for good when it was open."""
    if customer["currency"] and customer["currency"] != currency and type_ == "adjustment":
        raise ApiError(400, f"The customer's currency is {customer['currency']}; a balance in {currency} cannot be made.", param="currency")
    balances = {**customer["_balances"], currency: customer["_balances"].get(currency, 0) + amount}
    entry = desk.save(objects.balance_entry(desk, customer["id"], amount, currency, balances[currency], type_, p))
    desk.change(
        customer,
        {
            "_balances": balances,
            "currency": customer["currency"] or currency,
            "balance": balances.get(customer["currency"] or currency, 0),
            "invoice_credit_balance": {name: -value for name, value in balances.items()},
        },
        "customer.updated",
    )
    return entry


# -- credit notes --------------------------------------------------------------------------------


def credit_note(desk: Desk, p: Obj) -> Obj:
    """On an open invoice it lowers what is due; on a paid one it is refunded, credited or settled elsewhere."""
    invoice = desk.get("invoice", p["invoice"], "invoice")
    if invoice["status"] not in ("open", "paid"):
        raise ApiError(400, "Credit notes can only be created for open or paid invoices.", param="invoice")
    linked = sum(r.get("amount_refunded") or desk.get("refund", r["refund"], "refunds")["amount"] for r in p.get("refunds") or [])
    parts = (p.get("credit_amount") or 0) + (p.get("refund_amount") or 0) + (p.get("out_of_band_amount") or 0) + linked
    amount: int = parts if p.get("amount") is None else p["amount"]
    already = invoice["pre_payment_credit_notes_amount"] + invoice["post_payment_credit_notes_amount"]
    if amount <= 0 or amount > invoice["total"] - already:
        raise ApiError(400, "The credit note amount must be positive and at most what the invoice has left.", param="amount")
    paid = invoice["status"] == "paid"
    if paid and parts != amount:
        raise ApiError(
            400,
            "The sum of credit amount, refund amount, refunds and out of band amount must equal the credit note amount.",
            param="amount",
        )
    if not paid and parts and parts != amount:
        raise ApiError(400, "An open invoice is only credited before payment.", param="refund_amount")
    refunds = [
        {
            "amount_refunded": r.get("amount_refunded") or desk.get("refund", r["refund"])["amount"],
            "payment_record_refund": None,
            "refund": r["refund"],
            "type": "refund",
        }
        for r in p.get("refunds") or []
    ]
    if paid and p.get("refund_amount"):
        payment = next(iter(desk.all("invoice_payment", lambda x: x["invoice"] == invoice["id"] and x["status"] == "paid")), None)
        if payment is None:
            raise ApiError(400, "This invoice has no payment to refund.", param="refund_amount")
        made = refund(desk, {"payment_intent": payment["payment"]["payment_intent"], "amount": p["refund_amount"]})
        refunds.append({"amount_refunded": made["amount"], "payment_record_refund": None, "refund": made["id"], "type": "refund"})
    id_ = desk.new_id("credit_note")
    entry = None
    if paid and p.get("credit_amount"):
        entry = adjust_balance(
            desk,
            desk.get("customer", invoice["customer"]),
            -p["credit_amount"],
            invoice["currency"],
            "credit_note",
            {"credit_note": id_, "invoice": invoice["id"]},
        )
    line: Obj = {
        "id": desk.new_id("credit_note_line_item"),
        "object": "credit_note_line_item",
        "amount": amount,
        "description": p.get("memo") or "Credit",
        "discount_amount": 0,
        "discount_amounts": [],
        "invoice_line_item": None,
        "livemode": False,
        "metadata": {},
        "pretax_credit_amounts": [],
        "quantity": 1,
        "tax_rates": [],
        "taxes": [],
        "type": "custom_line_item",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
    }
    note = desk.created(
        {
            "id": id_,
            "object": "credit_note",
            "amount": amount,
            "amount_shipping": 0,
            "created": desk.now(),
            "currency": invoice["currency"],
            "customer": invoice["customer"],
            "customer_account": None,
            "customer_balance_transaction": entry["id"] if entry else None,
            "discount_amount": 0,
            "discount_amounts": [],
            "effective_at": desk.now(),
            "invoice": invoice["id"],
            "lines": objects.listing(f"/v1/credit_notes/{id_}/lines", [line]),
            "livemode": False,
            "memo": p.get("memo"),
            "metadata": p.get("metadata") or {},
            "number": f"{invoice['number']}-CN-{id_.split('_')[-1]:0>2}",
            "out_of_band_amount": p.get("out_of_band_amount"),
            "pdf": f"{desk.base_url}/pdf/{id_}",
            "post_payment_amount": amount if paid else 0,
            "pre_payment_amount": 0 if paid else amount,
            "pretax_credit_amounts": [],
            "reason": p.get("reason"),
            "refunds": refunds,
            "shipping_cost": None,
            "status": "issued",
            "subtotal": amount,
            "subtotal_excluding_tax": amount,
            "total": amount,
            "total_excluding_tax": amount,
            "total_taxes": [],
            "type": "post_payment" if paid else "pre_payment",
            "voided_at": None,
        },
        "credit_note.created",
    )
    if paid:
        desk.change(invoice, {"post_payment_credit_notes_amount": invoice["post_payment_credit_notes_amount"] + amount}, "invoice.updated")
    else:
        _credit_open(desk, invoice, amount)
    return note


def void_credit_note(desk: Desk, note: Obj) -> Obj:
    invoice = desk.get("invoice", note["invoice"])
    if note["status"] == "void" or invoice["status"] != "open":
        raise ApiError(400, "You can only void an issued credit note of an open invoice.", param="id")
    desk.change(note, {"status": "void", "voided_at": desk.now()}, "credit_note.voided")
    _credit_open(desk, invoice, -note["amount"])
    return note


def _credit_open(desk: Desk, invoice: Obj, amount: int) -> None:
    desk.change(
        invoice,
        {
            "pre_payment_credit_notes_amount": invoice["pre_payment_credit_notes_amount"] + amount,
            "amount_due": invoice["amount_due"] - amount,
            "amount_remaining": invoice["amount_remaining"] - amount,
        },
        "invoice.updated",
    )
