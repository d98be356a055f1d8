"""Reads of plans, use and invoices of the account in scope."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from nps.accounts import queries as accounts
from nps.accounts.models import Account
from nps.billing import rules
from nps.billing.models import HostedPage, Invoice, Price, Subscription, UsageNotice
from nps.billing.rules import Entitlement, Level, Plan, Value
from nps.core import clock, tenancy
from nps.core.db import db
from nps.core.errors import NotFound
from nps.core.settings import current

Count = Callable[[datetime, datetime], int]


class _Meters:
    sources: Mapping[str, Count] = {}


def use_meters(sources: Mapping[str, Count]) -> None:
    """Who counts what: meter → function of (start, end) in the account's scope. Floors above are handed in by the wiring."""
    _Meters.sources = sources


@dataclass(frozen=True)
class Meter:
    """One line of "Used this month". `limit` None means no limit."""

    key: str
    label: str
    used: int
    limit: int | None
    level: Level


LABELS = {
    "answers": "Verified answers",
    "contacts": "Contacts",
    "emails": "Survey emails",
    "members": "Team members",
}


def find_subscription() -> Subscription | None:
    return db.session.scalar(select(Subscription))


def find_subscription_of(customer_id: str) -> Subscription | None:
    """The row of a customer at Stripe, whatever scope we are in."""
    with tenancy.unscoped("Stripe names a customer, the row names the account"):
        return db.session.scalar(select(Subscription).where(Subscription.stripe_customer_id == customer_id))


def current_plan(now: datetime | None = None) -> Plan:
    """The plan that counts for the account in scope."""
    now = now or clock.now()
    row, account = find_subscription(), accounts.get_account(tenancy.current())
    live = row is not None and row.status is not None and rules.is_live(row.status)
    return rules.PLANS[rules.plan_of(row.plan if row else None, live, account.created_at, now)]


def entitled(name: Entitlement | str) -> Value:
    """What the account in scope may use: a limit (None = no limit) or yes and no. Everything where billing is off.

    Raises ValueError for a name that is no entitlement.
    """
    what = Entitlement(name)
    return current_plan().gives[what] if current().billing else rules.UNLIMITED[what]


def limits_of(plan: Plan) -> dict[str, Value | str]:
    """The plan as it is written down at the account, for floors that cannot ask here."""
    return {"plan": plan.key, **{name.value: value for name, value in plan.gives.items()}}


def current_period(now: datetime) -> tuple[datetime, datetime]:
    """Start and end of the billing period of the account in scope."""
    row = find_subscription()
    live = row is not None and row.status is not None and rules.is_live(row.status)
    return rules.period(row.period_start_at if row else None, row.period_end_at if row else None, live, now)


def meters(now: datetime) -> list[Meter]:
    """The four meters of the account in scope, counted from rows. A meter nobody counts is left out."""
    start, end = current_period(now)
    sources: dict[str, Count] = {
        "members": lambda *_: accounts.count_members(),
        **_Meters.sources,
    }
    made = []
    for key, label in LABELS.items():
        if key in sources:
            limit = entitled(key)
            number = None if limit is None or isinstance(limit, bool) else limit
            used = sources[key](start, end)
            made.append(Meter(key, label, used, number, rules.level(used, number)))
    return made


def find_price(plan: str, interval: str) -> Price | None:
    """The price that is for sale now."""
    wanted = select(Price).where(Price.plan == plan, Price.interval == interval, Price.retired_at.is_(None))
    return db.session.scalar(wanted.order_by(Price.created_at.desc()).limit(1))


def find_price_of(stripe_price_id: str) -> Price | None:
    return db.session.scalar(select(Price).where(Price.stripe_price_id == stripe_price_id))


def list_prices() -> Sequence[Price]:
    return db.session.scalars(select(Price).order_by(Price.amount_minor)).all()


def get_page(page_id: UUID) -> HostedPage:
    found = db.session.scalar(select(HostedPage).where(HostedPage.id == page_id))
    if found is None:
        raise NotFound
    return found


def count_pages() -> int:
    return db.session.scalar(select(func.count()).select_from(HostedPage)) or 0


def list_invoices(limit: int = 24) -> Sequence[Invoice]:
    """Invoices, the newest first."""
    return db.session.scalars(select(Invoice).order_by(Invoice.issued_at.desc(), Invoice.id.desc()).limit(limit)).all()


def find_invoice(stripe_invoice_id: str) -> Invoice | None:
    return db.session.scalar(select(Invoice).where(Invoice.stripe_invoice_id == stripe_invoice_id))


def was_told(meter: str, level: str, period_start_at: datetime) -> bool:
    told = select(UsageNotice.id).where(
        UsageNotice.meter == meter, UsageNotice.level == level, UsageNotice.period_start_at == period_start_at
    )
    return db.session.execute(told).first() is not None


def list_account_ids() -> Sequence[UUID]:
    """Every account that is neither closed nor erased, for the daily look."""
    return db.session.scalars(select(Account.id).where(Account.closed_at.is_(None), Account.state != "erased")).all()
