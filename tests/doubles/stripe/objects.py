"""Shapes: every object with all the fields the pinned API version returns."""

from __future__ import annotations

import hashlib
from typing import Any

from tests.doubles.stripe.desk import Desk
from tests.doubles.stripe.state import Obj

NO_ADDRESS: Obj = {"city": None, "country": None, "line1": None, "line2": None, "postal_code": None, "state": None}
# The cards of the hosted page: number, and what the bank says.
CARDS: dict[str, Obj] = {
    "works": {"number": "4242424242424242", "brand": "visa"},
    "declined": {"number": "4000000000000002", "brand": "visa"},
    "later": {"number": "000123456789", "brand": None},
    "fails_later": {"number": "000111111116", "brand": None},
}


def listing(url: str, data: list[Obj], has_more: bool = False) -> Obj:
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def address(given: Obj | None) -> Obj | None:
    return {**NO_ADDRESS, **given} if given else None


def customer(desk: Desk, p: Obj) -> Obj:
    id_ = desk.new_id("customer")
    return {
        "id": id_,
        "object": "customer",
        "address": address(p.get("address")),
        "balance": 0,
        "business_name": p.get("business_name"),
        "created": desk.now(),
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "description": p.get("description"),
        "discount": None,
        "email": p.get("email"),
        "individual_name": p.get("individual_name"),
        "invoice_credit_balance": {},
        "invoice_prefix": f"WB{id_.split('_')[-1]:0>6}",
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": (p.get("invoice_settings") or {}).get("default_payment_method"),
            "footer": (p.get("invoice_settings") or {}).get("footer"),
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": p.get("metadata") or {},
        "name": p.get("name"),
        "next_invoice_sequence": 1,
        "phone": p.get("phone"),
        "preferred_locales": p.get("preferred_locales") or [],
        "shipping": shipping(p.get("shipping")),
        "tax_exempt": p.get("tax_exempt") or "none",
        "test_clock": None,
        "_balances": {},
    }


def shipping(given: Obj | None) -> Obj | None:
    return {"address": address(given.get("address")), "name": given.get("name"), "phone": given.get("phone")} if given else None


def product(desk: Desk, p: Obj) -> Obj:
    return {
        "id": p.get("id") or desk.new_id("product"),
        "object": "product",
        "active": p.get("active", True),
        "created": desk.now(),
        "default_price": None,
        "description": p.get("description"),
        "images": p.get("images") or [],
        "livemode": False,
        "marketing_features": [],
        "metadata": p.get("metadata") or {},
        "name": p["name"],
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": p.get("statement_descriptor"),
        "tax_code": p.get("tax_code"),
        "type": "service",
        "unit_label": p.get("unit_label"),
        "updated": desk.now(),
        "url": p.get("url"),
    }


def price(desk: Desk, p: Obj, product_id: str, *, active: bool = True) -> Obj:
    recurring = p.get("recurring")
    return {
        "id": desk.new_id("price"),
        "object": "price",
        "active": active,
        "billing_scheme": "per_unit",
        "created": desk.now(),
        "currency": p["currency"],
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": p.get("lookup_key"),
        "metadata": p.get("metadata") or {},
        "nickname": p.get("nickname"),
        "product": product_id,
        "recurring": {
            "interval": recurring["interval"],
            "interval_count": recurring.get("interval_count") or 1,
            "meter": None,
            "trial_period_days": None,
            "usage_type": "licensed",
        }
        if recurring
        else None,
        "tax_behavior": p.get("tax_behavior") or "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if recurring else "one_time",
        "unit_amount": p["unit_amount"],
        "unit_amount_decimal": str(p["unit_amount"]),
    }


def plan(price_: Obj) -> Obj:
    """The old name of a recurring price, still part of every subscription item."""
    return {
        "id": price_["id"],
        "object": "plan",
        "active": price_["active"],
        "amount": price_["unit_amount"],
        "amount_decimal": price_["unit_amount_decimal"],
        "billing_scheme": "per_unit",
        "created": price_["created"],
        "currency": price_["currency"],
        "interval": price_["recurring"]["interval"],
        "interval_count": price_["recurring"]["interval_count"],
        "livemode": False,
        "metadata": price_["metadata"],
        "meter": None,
        "nickname": price_["nickname"],
        "product": price_["product"],
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def coupon(desk: Desk, p: Obj) -> Obj:
    return {
        "id": p.get("id") or desk.new_id("coupon"),
        "object": "coupon",
        "amount_off": p.get("amount_off"),
        "created": desk.now(),
        "currency": p.get("currency"),
        "duration": p.get("duration") or "once",
        "duration_in_months": p.get("duration_in_months"),
        "livemode": False,
        "max_redemptions": p.get("max_redemptions"),
        "metadata": p.get("metadata") or {},
        "name": p.get("name"),
        "percent_off": p.get("percent_off"),
        "redeem_by": p.get("redeem_by"),
        "times_redeemed": 0,
        "valid": True,
        "_products": (p.get("applies_to") or {}).get("products"),
    }


def promotion_code(desk: Desk, p: Obj, code: str) -> Obj:
    limits = p.get("restrictions") or {}
    return {
        "id": desk.new_id("promotion_code"),
        "object": "promotion_code",
        "active": p.get("active", True),
        "code": code,
        "created": desk.now(),
        "customer": p.get("customer"),
        "customer_account": None,
        "expires_at": p.get("expires_at"),
        "livemode": False,
        "max_redemptions": p.get("max_redemptions"),
        "metadata": p.get("metadata") or {},
        "promotion": {"coupon": p["promotion"]["coupon"], "type": "coupon"},
        "restrictions": {
            "first_time_transaction": limits.get("first_time_transaction", False),
            "minimum_amount": limits.get("minimum_amount"),
            "minimum_amount_currency": limits.get("minimum_amount_currency"),
        },
        "times_redeemed": 0,
    }


def discount(
    desk: Desk,
    coupon_id: str,
    promotion: str | None,
    customer_id: str | None,
    *,
    session: str | None = None,
    subscription: str | None = None,
    end: int | None = None,
) -> Obj:
    return {
        "id": desk.new_id("discount"),
        "object": "discount",
        "checkout_session": session,
        "customer": customer_id,
        "customer_account": None,
        "end": end,
        "invoice": None,
        "invoice_item": None,
        "promotion_code": promotion,
        "source": {"coupon": coupon_id, "type": "coupon"},
        "start": desk.now(),
        "subscription": subscription,
        "subscription_item": None,
    }


def payment_method(
    desk: Desk, card: str, customer_id: str | None, email: str | None, name: str | None, place: Obj | None, number: str | None = None
) -> Obj:
    number = number or CARDS[card]["number"]
    is_card = card in ("works", "declined")
    details: Obj = (
        {
            "card": {
                "brand": "visa",
                "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
                "country": "US",
                "display_brand": "visa",
                "exp_month": 12,
                "exp_year": 2034,
                "fingerprint": fingerprint(desk.account, number),
                "funding": "credit",
                "generated_from": None,
                "last4": number[-4:],
                "networks": {"available": ["visa"], "preferred": None},
                "regulated_status": "unregulated",
                "three_d_secure_usage": {"supported": True},
                "wallet": None,
            },
        }
        if is_card
        else {
            "us_bank_account": {
                "account_holder_type": "individual",
                "account_type": "checking",
                "bank_name": "STRIPE TEST BANK",
                "financial_connections_account": None,
                "fingerprint": fingerprint(desk.account, number),
                "last4": number[-4:],
                "networks": {"preferred": "ach", "supported": ["ach"]},
                "routing_number": "110000000",
                "status_details": {},
            },
        }
    )
    return {
        "id": desk.new_id("payment_method"),
        "object": "payment_method",
        "allow_redisplay": "limited",
        "billing_details": billing_details(email, name, place),
        "created": desk.now(),
        "customer": customer_id,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": "card" if is_card else "us_bank_account",
        **details,
        "_behaviour": card,
    }


def fingerprint(account: str, number: str) -> str:
    """The same card has the same fingerprint within one account, and another one elsewhere."""
    return hashlib.sha256(f"{account}:{number}".encode()).hexdigest()[:16]


def billing_details(email: str | None, name: str | None, place: Obj | None) -> Obj:
    return {"address": {**NO_ADDRESS, **(place or {})}, "email": email, "name": name, "phone": None, "tax_id": None}


def payment_intent(desk: Desk, amount: int, currency: str, customer_id: str | None, method: Obj, p: Obj) -> Obj:
    id_ = desk.new_id("payment_intent")
    return {
        "id": id_,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": f"{id_}_secret_double",
        "confirmation_method": "automatic",
        "created": desk.now(),
        "currency": currency,
        "customer": customer_id,
        "customer_account": None,
        "description": p.get("description"),
        "excluded_payment_method_types": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": p.get("metadata") or {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": method["id"],
        "payment_method_configuration_details": None,
        "payment_method_options": {
            "card": {"installments": None, "mandate_options": None, "network": None, "request_three_d_secure": "automatic"}
        },
        "payment_method_types": [method["type"]],
        "processing": None,
        "receipt_email": p.get("receipt_email"),
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_confirmation",
        "transfer_data": None,
        "transfer_group": None,
        "_invoice": p.get("_invoice"),
        "_session": p.get("_session"),
    }


def charge(desk: Desk, intent: Obj, method: Obj, status: str) -> Obj:
    paid, failed = status == "succeeded", status == "failed"
    id_ = desk.new_id("charge")
    if method["type"] == "card":
        card = method["card"]
        details: Obj = {
            "card": {
                "amount_authorized": intent["amount"] if paid else None,
                "authorization_code": "123456" if paid else None,
                "brand": card["brand"],
                "checks": card["checks"],
                "country": card["country"],
                "exp_month": card["exp_month"],
                "exp_year": card["exp_year"],
                "extended_authorization": {"status": "disabled"},
                "fingerprint": card["fingerprint"],
                "funding": card["funding"],
                "incremental_authorization": {"status": "unavailable"},
                "installments": None,
                "last4": card["last4"],
                "mandate": None,
                "multicapture": {"status": "unavailable"},
                "network": card["brand"],
                "network_token": {"used": False},
                "network_transaction_id": "104557651805572",
                "overcapture": {"maximum_amount_capturable": intent["amount"], "status": "unavailable"},
                "regulated_status": "unregulated",
                "three_d_secure": None,
                "wallet": None,
            },
            "type": "card",
        }
    else:
        bank = method["us_bank_account"]
        details = {
            "us_bank_account": {
                "account_holder_type": "individual",
                "account_type": "checking",
                "bank_name": bank["bank_name"],
                "fingerprint": bank["fingerprint"],
                "last4": bank["last4"],
                "mandate": None,
                "payment_reference": None,
                "routing_number": bank["routing_number"],
            },
            "type": "us_bank_account",
        }
    return {
        "id": id_,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if paid else 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": desk.new_id("balance_transaction") if paid else None,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": "DOUBLE",
        "captured": not failed,
        "created": desk.now(),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": "card_declined" if failed else None,
        "failure_message": "Your card was declined." if failed else None,
        "fraud_details": {},
        "livemode": False,
        "metadata": intent["metadata"],
        "on_behalf_of": None,
        "outcome": {
            "advice_code": None,
            "network_advice_code": None,
            "network_decline_code": None,
            "network_status": "declined_by_network" if failed else "approved_by_network",
            "reason": "generic_decline" if failed else None,
            "risk_level": "normal",
            "risk_score": 12,
            "seller_message": "The bank did not return any further details with this decline." if failed else "Payment complete.",
            "type": "issuer_declined" if failed else "authorized",
        },
        "paid": paid,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": details,
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": f"{desk.base_url}/receipts/{id_}",
        "refunded": False,
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": status,
        "transfer_data": None,
        "transfer_group": None,
    }


def refund(desk: Desk, charge_: Obj, amount: int, p: Obj, status: str) -> Obj:
    return {
        "id": desk.new_id("refund"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": desk.new_id("balance_transaction"),
        "charge": charge_["id"],
        "created": desk.now(),
        "currency": charge_["currency"],
        "destination_details": {
            "card": {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"},
            "type": "card",
        },
        "metadata": p.get("metadata") or {},
        "payment_intent": charge_["payment_intent"],
        "reason": p.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": status,
        "transfer_reversal": None,
        **({"pending_reason": "processing"} if status == "pending" else {}),
    }


def dispute(desk: Desk, charge_: Obj, amount: int, status: str, reason: str) -> Obj:
    warning = status.startswith("warning")
    evidence = dict.fromkeys(
        (
            "access_activity_log",
            "billing_address",
            "cancellation_policy",
            "cancellation_policy_disclosure",
            "cancellation_rebuttal",
            "customer_communication",
            "customer_email_address",
            "customer_name",
            "customer_purchase_ip",
            "customer_signature",
            "duplicate_charge_documentation",
            "duplicate_charge_explanation",
            "duplicate_charge_id",
            "product_description",
            "receipt",
            "refund_policy",
            "refund_policy_disclosure",
            "refund_refusal_explanation",
            "service_date",
            "service_documentation",
            "shipping_address",
            "shipping_carrier",
            "shipping_date",
            "shipping_documentation",
            "shipping_tracking_number",
            "uncategorized_file",
            "uncategorized_text",
        )
    )
    return {
        "id": desk.new_id("dispute"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge_["id"],
        "created": desk.now(),
        "currency": charge_["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**evidence, "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": desk.now() + 8 * 86400,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": warning,
        "livemode": False,
        "metadata": {},
        "network_reason_code": None,
        "payment_intent": charge_["payment_intent"],
        "payment_method_details": {
            "card": {"brand": "visa", "case_type": "inquiry" if warning else "chargeback", "network": "visa", "network_reason_code": "83"},
            "type": "card",
        },
        "reason": reason,
        "status": status,
    }


def balance_entry(desk: Desk, customer_id: str, amount: int, currency: str, ending: int, type_: str, p: Obj) -> Obj:
    return {
        "id": desk.new_id("customer_balance_transaction"),
        "object": "customer_balance_transaction",
        "amount": amount,
        "checkout_session": None,
        "created": desk.now(),
        "credit_note": p.get("credit_note"),
        "currency": currency,
        "customer": customer_id,
        "customer_account": None,
        "description": p.get("description"),
        "ending_balance": ending,
        "invoice": p.get("invoice"),
        "livemode": False,
        "metadata": p.get("metadata") or {},
        "type": type_,
    }


def webhook_endpoint(desk: Desk, p: Obj) -> Obj:
    id_ = desk.new_id("webhook_endpoint")
    return {
        "id": id_,
        "object": "webhook_endpoint",
        "api_version": p.get("api_version"),
        "application": None,
        "created": desk.now(),
        "description": p.get("description"),
        "enabled_events": p["enabled_events"],
        "livemode": False,
        "metadata": p.get("metadata") or {},
        "status": "enabled",
        "url": p["url"],
        "_secret": endpoint_secret(id_, 1),
        "_old_secret": None,
        "_version": 1,
        "_delivery": {"mode": "normal"},
    }


def endpoint_secret(id_: str, version: int) -> str:
    return "whsec_" + hashlib.sha256(f"{id_}:{version}".encode()).hexdigest()[:32]


def account(id_: str, p: Obj, now: int) -> Obj:
    name = p.get("name") or "Double"
    return {
        "id": id_,
        "object": "account",
        "business_profile": {
            "annual_revenue": None,
            "estimated_worker_count": None,
            "mcc": "5734",
            "minority_owned_business_designation": None,
            "name": name,
            "support_address": None,
            "support_email": None,
            "support_phone": None,
            "support_url": None,
            "url": None,
        },
        "business_type": "company",
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "country": p.get("country") or "US",
        "created": now,
        "default_currency": p.get("currency") or "usd",
        "details_submitted": True,
        "email": p.get("email"),
        "metadata": {},
        "payouts_enabled": True,
        "type": "standard",
        "_tax_percent": p.get("tax_percent") or 0,
        "_tax_behavior": "exclusive",
    }


def session_blank() -> Obj:
    """The fields of a Checkout session that are the same in all of ours."""
    empty: dict[str, Any] = dict.fromkeys(
        (
            "after_expiration",
            "client_secret",
            "collected_information",
            "consent",
            "consent_collection",
            "currency_conversion",
            "integration_identifier",
            "invoice",
            "locale",
            "origin_context",
            "payment_intent",
            "payment_link",
            "payment_method_configuration_details",
            "permissions",
            "recovered_from",
            "return_url",
            "saved_payment_method_options",
            "setup_intent",
            "shipping_address_collection",
            "shipping_cost",
            "submit_type",
            "subscription",
            "wallet_options",
        )
    )
    return {
        **empty,
        "adaptive_pricing": None,
        "branding_settings": None,
        "custom_fields": [],
        "custom_text": {"after_submit": None, "shipping_address": None, "submit": None, "terms_of_service_acceptance": None},
        "livemode": False,
        "payment_method_options": {},
        "phone_number_collection": {"enabled": False},
        "shipping_options": [],
    }
