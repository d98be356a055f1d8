"""Sums: lines, coupons, tax and calendar periods. Amounts are minor units."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime
from typing import Any

from tests.doubles.stripe.desk import Desk
from tests.doubles.stripe.rules import ApiError
from tests.doubles.stripe.state import Obj


def share(amount: int, part: float, whole: float) -> int:
    """amount x part / whole, rounded half up."""
    return int(amount * part / whole + 0.5) if whole else 0


def coupon_valid(desk: Desk, coupon: Obj) -> bool:
    """A coupon is dead when deleted, past `redeem_by` or used up."""
    return not (
        coupon.get("_deleted")
        or (coupon["redeem_by"] and coupon["redeem_by"] <= desk.now())
        or (coupon["max_redemptions"] and coupon["times_redeemed"] >= coupon["max_redemptions"])
    )


def code_active(desk: Desk, code: Obj) -> bool:
    coupon = desk.find("coupon", code["promotion"]["coupon"])
    return bool(
        code["active"]
        and not (code["expires_at"] and code["expires_at"] <= desk.now())
        and not (code["max_redemptions"] and code["times_redeemed"] >= code["max_redemptions"])
        and coupon
        and coupon_valid(desk, coupon)
    )


def check_code(desk: Desk, code: Obj, *, customer: str | None, currency: str, subtotal: int, param: str) -> None:
    """Raises ApiError when this promotion code may not be used here."""
    if not code_active(desk, code):
        raise ApiError(
            400, "This promotion code cannot be redeemed because it is inactive or expired.", param=param, code="promotion_code_invalid"
        )
    if code["customer"] and code["customer"] != customer:
        raise ApiError(400, "This promotion code belongs to another customer.", param=param, code="promotion_code_invalid")
    limits = code["restrictions"]
    if limits["minimum_amount"] and (subtotal < limits["minimum_amount"] or (limits["minimum_amount_currency"] or currency) != currency):
        raise ApiError(
            400, "This order does not meet the minimum amount of the promotion code.", param=param, code="promotion_code_invalid"
        )
    if limits["first_time_transaction"] and customer and desk.all("charge", lambda c: c["customer"] == customer and c["paid"]):
        raise ApiError(400, "This promotion code is for first-time customers.", param=param, code="promotion_code_invalid")
    check_coupon(desk, desk.get("coupon", code["promotion"]["coupon"]), currency, param)


def check_coupon(desk: Desk, coupon: Obj, currency: str, param: str) -> None:
    if not coupon_valid(desk, coupon):
        raise ApiError(400, f"Coupon {coupon['id']} is expired.", param=param, code="coupon_expired")
    if coupon["amount_off"] and coupon["currency"] != currency:
        raise ApiError(400, f"The coupon is in {coupon['currency']} and the order in {currency}.", param=param)


def coupon_shares(coupon: Obj | None, lines: list[tuple[str, int]]) -> list[int]:
    """What the coupon takes off each (product, amount) line."""
    if coupon is None:
        return [0] * len(lines)
    bases = [amount if amount > 0 and (not coupon["_products"] or product in coupon["_products"]) else 0 for product, amount in lines]
    if coupon["percent_off"]:
        return [share(base, coupon["percent_off"], 100) for base in bases]
    whole = sum(bases)
    left = min(coupon["amount_off"] or 0, whole)
    out, total = [], left
    for i, base in enumerate(bases):
        part = left if not any(bases[i + 1 :]) else min(left, share(total, base, whole))
        part = min(part, base)
        out.append(part)
        left -= part
    return out


def redeem(desk: Desk, coupon_id: str, promotion: str | None) -> None:
    """Count a use; a code or coupon that is used up says so by event."""
    coupon = desk.get("coupon", coupon_id)
    times = coupon["times_redeemed"] + 1
    desk.change(coupon, {"times_redeemed": times, "valid": coupon_valid(desk, {**coupon, "times_redeemed": times})}, "coupon.updated")
    if promotion:
        code = desk.get("promotion_code", promotion)
        times = code["times_redeemed"] + 1
        desk.change(
            code, {"times_redeemed": times, "active": code_active(desk, {**code, "times_redeemed": times})}, "promotion_code.updated"
        )


def tax_on(desk: Desk, net: int, automatic: bool) -> int:
    """The account's one tax rate, on top of the price, when automatic tax is on."""
    return share(net, float(desk.account_setting("tax_percent", 0)), 100) if automatic else 0


def taxes(desk: Desk, amount: int, taxable: int) -> list[Obj]:
    if not amount:
        return []
    return [
        {
            "amount": amount,
            "tax_behavior": "exclusive",
            "tax_rate_details": {"tax_rate": "txr_1"},
            "taxability_reason": "standard_rated",
            "taxable_amount": taxable,
            "type": "tax_rate_details",
        }
    ]


def period_after(start: int, recurring: Obj, anchor: int) -> int:
    """The end of the period that begins at `start`; months keep the anchor's day where they can."""
    n, unit = int(recurring["interval_count"]), recurring["interval"]
    if unit in ("day", "week"):
        return start + n * 86400 * (7 if unit == "week" else 1)
    begin, day = datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(anchor, UTC).day
    months = begin.year * 12 + begin.month - 1 + n * (12 if unit == "year" else 1)
    year, month = divmod(months, 12)
    return int(begin.replace(year=year, month=month + 1, day=min(day, calendar.monthrange(year, month + 1)[1])).timestamp())


def money(amount: int, currency: str) -> str:
    return f"{amount / 100:,.2f} {currency.upper()}"


def first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)
