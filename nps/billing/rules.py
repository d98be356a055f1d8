"""Plans as data, meters, which subscription counts, and whether a call really comes from Stripe: pure decisions."""

import hashlib
import hmac
import json
from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any


class Entitlement(StrEnum):
    """What code may ask for. Numbers are limits (None = no limit), the rest is yes or no."""

    ANSWERS = "answers"
    CONTACTS = "contacts"
    EMAILS = "emails"
    MEMBERS = "members"
    PROGRAMS = "programs"
    ENDPOINTS = "endpoints"
    STRIPE_REWARDS = "stripe_rewards"
    ALL_REWARDS = "all_rewards"
    CUSTOM_HOST = "custom_host"
    UNBRANDED = "unbranded"
    ADVANCED = "advanced"
    API_PER_MINUTE = "api_per_minute"


Value = int | bool | None


@dataclass(frozen=True)
class Plan:
    """One column of the price list. Prices are cents of a US dollar a month; a year costs ten months."""

    key: str
    name: str
    month_minor: int
    gives: Mapping[Entitlement, Value]

    def price_minor(self, interval: str) -> int:
        """Price in cents for "month" or "year"."""
        return self.month_minor * 10 if interval == "year" else self.month_minor


INTERVALS = ("month", "year")
TRIAL = timedelta(days=14)
GRACE = timedelta(days=14)
IMPORT_SLACK = 1.10


def _plan(key: str, name: str, month: int, numbers: tuple[int, ...], flags: tuple[bool, ...]) -> Plan:
    names = (
        Entitlement.ANSWERS,
        Entitlement.CONTACTS,
        Entitlement.EMAILS,
        Entitlement.MEMBERS,
        Entitlement.PROGRAMS,
        Entitlement.ENDPOINTS,
        Entitlement.API_PER_MINUTE,
    )
    switches = (
        Entitlement.STRIPE_REWARDS,
        Entitlement.ALL_REWARDS,
        Entitlement.CUSTOM_HOST,
        Entitlement.UNBRANDED,
        Entitlement.ADVANCED,
    )
    gives: dict[Entitlement, Value] = {**dict(zip(names, numbers, strict=True)), **dict(zip(switches, flags, strict=True))}
    return Plan(key, name, month * 100, gives)


# answers, contacts, emails, members, programs, endpoints, API a minute; Stripe rewards, all rewards, host, our mark away, advanced
PLANS: dict[str, Plan] = {
    plan.key: plan
    for plan in (
        _plan("free", "Free", 0, (50, 500, 1_000, 2, 1, 1, 60), (False, False, False, False, False)),
        _plan("starter", "Starter", 49, (500, 5_000, 5_000, 4, 1, 3, 120), (True, False, True, False, False)),
        _plan("growth", "Growth", 199, (2_500, 25_000, 10_000, 10, 3, 10, 600), (True, True, True, True, True)),
        _plan("scale", "Scale", 599, (10_000, 100_000, 50_000, 30, 20, 50, 1_200), (True, True, True, True, True)),
        _plan("trial", "Trial", 0, (100, 1_000, 500, 5, 1, 2, 60), (True, True, False, False, True)),
    )
}
FOR_SALE = ("starter", "growth", "scale")
UNLIMITED: Mapping[Entitlement, Value] = {
    name: None if isinstance(value, int) and not isinstance(value, bool) else True for name, value in PLANS["scale"].gives.items()
}


def plan_of(bought: str | None, live: bool, created_at: datetime, now: datetime) -> str:
    """The plan that counts now: what is bought while it is live, else the trial of the first 14 days, else Free."""
    if bought is not None and live:
        return bought
    return "trial" if now < created_at + TRIAL else "free"


def trial_end_to_pass(created_at: datetime, now: datetime) -> datetime | None:
    """End of the trial to hand to Stripe with a purchase; None when less than 48 hours are left (Stripe's minimum)."""
    end = created_at + TRIAL
    return end if end - now > timedelta(hours=48) else None


class Level(StrEnum):
    """How near a meter is to its limit."""

    FINE = "fine"
    NEAR = "near"
    FULL = "full"


def level(used: int, limit: int | None) -> Level:
    """NEAR from 80 %, FULL from 100 %."""
    if limit is None or used * 10 < limit * 8:
        return Level.FINE
    return Level.FULL if used >= limit else Level.NEAR


def import_room(used: int, limit: int | None) -> int | None:
    """How many contacts an import may still add (110 % of the limit in all); None = any number."""
    return None if limit is None else max(int(limit * IMPORT_SLACK + 1e-9) - used, 0)


@dataclass(frozen=True)
class OutsideSubscription:
    """What of a Stripe subscription decides."""

    id: str
    status: str
    created: int
    price_id: str
    item_id: str = ""
    period_start_at: datetime | None = None
    period_end_at: datetime | None = None
    ends_at: datetime | None = None


_LIVE_RANK = {"active": 3, "trialing": 2, "past_due": 1}


def is_live(status: str) -> bool:
    return status in _LIVE_RANK


def best(found: Iterable[OutsideSubscription]) -> OutsideSubscription | None:
    """The live subscription that counts: active before trialing before past due, then the newest. None when none lives."""
    live = [one for one in found if is_live(one.status)]
    return max(live, key=lambda one: (_LIVE_RANK[one.status], one.created, one.id), default=None)


def account_state(state: str, status: str | None, past_due_since: datetime | None, now: datetime) -> str:
    """The account's state after a look at its subscription. States other than active, past_due and read_only stay."""
    if state not in ("active", "past_due", "read_only"):
        return state
    if status != "past_due":
        return "active"
    late = past_due_since is not None and now >= past_due_since + GRACE
    return "read_only" if late else "past_due"


def may_pay(payment_status: str) -> bool:
    """Is a finished Checkout session settled?"""
    return payment_status in ("paid", "no_payment_required")


TOLERANCE_SECONDS = 300


def signature_problem(header: str | None, body: bytes, secrets: Sequence[str], now: datetime) -> str | None:
    """Why a call is not taken as Stripe's, or None.

    Scheme v1 of Stripe's webhook signatures: HMAC-SHA256 over `t.body` with the endpoint's secret, in hex. The time may
    be at most 300 s old and at most 300 s ahead.
    """
    if not header or not header.isascii():
        return "no signature"
    parts = [part.strip().partition("=") for part in header.split(",")]
    times = [value for key, _, value in parts if key == "t"]
    given = [value for key, _, value in parts if key == "v1"]
    if len(times) != 1 or not times[0].isdigit() or len(times[0]) > 12 or not given:
        return "unreadable signature"
    signed = times[0].encode() + b"." + body
    wanted = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets if secret]
    if not any(hmac.compare_digest(one, other) for one in wanted for other in given):
        return "wrong signature"
    if abs(now.timestamp() - int(times[0])) > TOLERANCE_SECONDS:
        return "too old or from the future"
    return None


# Events that say something about an account's plan or its invoices; each makes us fetch the customer anew.
TOLD_BY = frozenset(
    {
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
        "customer.subscription.created",
        "customer.subscription.updated",
        "customer.subscription.deleted",
        "customer.subscription.paused",
        "customer.subscription.resumed",
        "invoice.paid",
        "invoice.payment_failed",
        "invoice.payment_action_required",
        "invoice.finalized",
        "invoice.voided",
        "invoice.marked_uncollectible",
        "customer.updated",
    }
)


def customer_of(event: Mapping[str, Any]) -> str | None:
    """The customer an event is about."""
    thing = event["data"]["object"]
    if thing.get("object") == "customer":
        return str(thing["id"])
    customer = thing.get("customer")
    return str(customer["id"] if isinstance(customer, Mapping) else customer) if customer else None


def account_of(event: Mapping[str, Any]) -> str | None:
    """The account an event names by itself: our reference in a session, our metadata in a subscription or its invoice."""
    thing = event["data"]["object"]
    if thing.get("object") == "checkout.session":
        return thing.get("client_reference_id") or None
    told = thing.get("metadata") or {}
    if thing.get("object") == "invoice":
        details = (thing.get("parent") or {}).get("subscription_details") or {}
        told = details.get("metadata") or {}
    return told.get("wb_account") or None


def readable_event(body: bytes) -> dict[str, Any] | None:
    """The event of a call's body, or None when it is not one: not UTF-8, not JSON, not a v1 event."""
    try:
        found = json.loads(body.decode("utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.get("object") != "event":
        return None
    thing = found.get("data", {}).get("object") if isinstance(found.get("data"), dict) else None
    named = isinstance(found.get("id"), str) and isinstance(found.get("type"), str)
    return found if named and 0 < len(found["id"]) <= 255 and isinstance(thing, dict) else None


def period(start: datetime | None, end: datetime | None, live: bool, now: datetime) -> tuple[datetime, datetime]:
    """The billing period that counts: the subscription's month while it lives, else the calendar month (UTC).

    A year's subscription is counted month by month from its first day.
    """
    if live and start is not None and end is not None and start <= now < end:
        months = (now.year - start.year) * 12 + now.month - start.month
        if _later(start, months) > now:
            months -= 1
        return _later(start, months), min(_later(start, months + 1), end)
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return first, _later(first, 1)


def _later(at: datetime, months: int) -> datetime:
    """`months` months later, on the last day where the month is shorter."""
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    return at.replace(year=year, month=month + 1, day=min(at.day, monthrange(year, month + 1)[1]))
