"""Commands: wish for a page of Stripe's, apply what Stripe says, keep limits and notices."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from nps.accounts import queries as accounts
from nps.accounts import service as accounts_service
from nps.accounts.events import AccountOpened
from nps.accounts.models import Account, User
from nps.accounts.rules import Role
from nps.billing import queries, rules
from nps.billing.errors import AlreadyPaying, NotForSale, NothingToChange
from nps.billing.events import PlanChanged
from nps.billing.gateway import OutsideInvoice, OutsidePrice, Standing
from nps.billing.models import HostedPage, Invoice, Price, Subscription, UsageNotice
from nps.billing.rules import Level
from nps.core import clock
from nps.core.db import db
from nps.core.events import publish
from nps.core.log import log
from nps.core.money import format_money
from nps.core.settings import current
from nps.delivery import service as delivery
from nps.jobs.inbox import receive
from nps.jobs.models import InboxEvent
from nps.jobs.outbox import enqueue
from nps.web import email_templates

SOURCE = "stripe:billing"


def begin(event: AccountOpened) -> None:
    """A new account starts with the trial's limits."""
    keep_limits(accounts.get_account(event.account_id))


def keep_limits(account: Account) -> None:
    """Write the plan's limits down at the account in scope; none where billing is off."""
    limits = queries.limits_of(queries.current_plan()) if current().billing else {}
    accounts_service.keep_limits(account, limits)


def ask_checkout(account: Account, user: User, plan: str, interval: str) -> HostedPage:
    """Wish for a Checkout page. Raises NotForSale, AlreadyPaying. Nothing is bought by this."""
    if plan not in rules.FOR_SALE or interval not in rules.INTERVALS or queries.find_price(plan, interval) is None:
        raise NotForSale
    row = queries.find_subscription()
    if row is not None and row.status is not None and rules.is_live(row.status):
        raise AlreadyPaying
    return _ask(account, user, "checkout", plan, interval)


def ask_portal(account: Account, user: User, kind: str, plan: str | None = None, interval: str | None = None) -> HostedPage:
    """Wish for the page where a customer changes things: kind "portal", "card", "cancel" or "change" (to plan and interval).

    Raises NothingToChange, NotForSale.
    """
    row = queries.find_subscription()
    live = row is not None and row.status is not None and rules.is_live(row.status)
    if row is None or (kind in ("cancel", "change") and not live):
        raise NothingToChange
    if kind == "change" and (plan not in rules.FOR_SALE or queries.find_price(plan or "", interval or "") is None):
        raise NotForSale
    return _ask(account, user, kind, plan if kind == "change" else None, interval if kind == "change" else None)


def _ask(account: Account, user: User, kind: str, plan: str | None, interval: str | None) -> HostedPage:
    number = queries.count_pages() + 1
    made = HostedPage(
        kind=kind,
        plan=plan,
        interval=interval,
        key=f"wb-{kind}-{account.id}-{number}",
        asked_by=user.email,
        created_at=clock.now(),
    )
    db.session.add(made)
    db.session.flush()
    accounts_service.audit(user.email, f"billing.{kind}_asked", kind="hosted_page", object_id=made.id, facts=_facts(plan, interval))
    enqueue("billing.open_page", {"page_id": str(made.id)})
    return made


def _facts(plan: str | None, interval: str | None) -> dict[str, str]:
    return {name: value for name, value in (("plan", plan), ("interval", interval)) if value}


def opened(page_id: UUID, stripe_id: str, url: str) -> None:
    """Stripe has a page for this wish."""
    page = queries.get_page(page_id)
    page.state, page.stripe_id, page.url = "open", stripe_id, url


def next_key(page_id: UUID) -> None:
    """Stripe keeps a failure of its own under the key; what was not done may be asked for under the next one."""
    page = queries.get_page(page_id)
    base, _, number = page.key.partition("~")
    page.key = f"{base}~{int(number or 1) + 1}"


def turned_away(page_id: UUID, reason: str) -> None:
    """Stripe will never open a page for this wish."""
    page = queries.get_page(page_id)
    page.state = "failed"
    log.error("stripe refused a page", page=str(page_id), kind=page.kind, reason=reason)


def take_event(external_id: str, kind: str, body: str) -> bool:
    """Keep an event of Stripe's once and see to it in a job. False when it was told before."""
    kept = receive(SOURCE, external_id, body, kind=kind)
    if kept is None:
        return False
    if kind not in rules.TOLD_BY:
        settle_event(kept, "ignored", "this kind says nothing about plans")
        return True
    enqueue("billing.take_event", {"event_id": str(kept.id)})
    return True


def settle_event(event: InboxEvent, state: str, reason: str | None = None) -> None:
    """Close an event: done, ignored(reason), or parked until `next_at`."""
    event.state, event.reason, event.finished_at = state, reason, clock.now()


def link_customer(account: Account, customer_id: str, fetched_at: datetime) -> Subscription | None:
    """Tie a customer at Stripe to the account in scope. None when it belongs to another account, or another one is being paid for."""
    known = queries.find_subscription_of(customer_id)
    if known is not None:
        return known if known.account_id == account.id else None
    row = queries.find_subscription()
    if row is None:
        row = Subscription(stripe_customer_id=customer_id, fetched_at=fetched_at, created_at=clock.now())
        db.session.add(row)
    elif row.status is None or not rules.is_live(row.status):
        row.stripe_customer_id = customer_id
    db.session.flush()
    return row if row.stripe_customer_id == customer_id else None


def apply(account: Account, found: Standing, fetched_at: datetime) -> None:
    """Make the account in scope what Stripe said at `fetched_at`. An older answer never replaces a newer one.

    An unknown price changes nothing and raises an alarm in the log.
    """
    row = link_customer(account, found.customer_id, fetched_at)
    if row is None:
        alarm(account, "billing.customer_elsewhere", {"customer": found.customer_id})
        return
    db.session.refresh(row, with_for_update=True)
    if row.fetched_at > fetched_at:
        return
    keep_invoices(found.invoices)
    live = [one for one in found.subscriptions if rules.is_live(one.status)]
    if len(live) > 1:
        alarm(account, "billing.two_subscriptions", {"subscriptions": [one.id for one in live]})
    best = rules.best(found.subscriptions)
    price = queries.find_price_of(best.price_id) if best is not None else None
    if best is not None and price is None:
        alarm(account, "billing.unknown_price", {"price": best.price_id})
        return
    before = queries.current_plan().key
    row.fetched_at, row.card, row.invoice_email = fetched_at, found.card, found.email
    row.plan, row.interval = (price.plan, price.interval) if price is not None else (None, None)
    row.status = best.status if best is not None else None
    row.stripe_subscription_id = best.id if best is not None else None
    row.stripe_item_id = best.item_id if best is not None else None
    row.period_start_at = best.period_start_at if best is not None else None
    row.period_end_at = best.period_end_at if best is not None else None
    row.ends_at = best.ends_at if best is not None else None
    row.past_due_since_at = (row.past_due_since_at or fetched_at) if row.status == "past_due" else None
    db.session.flush()
    settle_account(account, before)


def settle_account(account: Account, before: str) -> None:
    """Limits, state and the log of the account in scope follow its subscription."""
    row, now = queries.find_subscription(), clock.now()
    after = queries.current_plan(now).key
    keep_limits(account)
    status, since = (row.status, row.past_due_since_at) if row is not None else (None, None)
    accounts_service.set_state(account, rules.account_state(account.state, status, since, now), "billing")
    if before != after:
        accounts_service.audit(
            "billing", "billing.plan", kind="account", object_id=account.id, facts={"plan": {"before": before, "after": after}}
        )
        publish(PlanChanged(account.id, before, after, now))


def alarm(account: Account, action: str, facts: dict[str, object]) -> None:
    """Something only a person can decide: in the log of the installation and of the account."""
    log.error("billing needs a person", alarm=action, account=str(account.id), **facts)
    accounts_service.audit("billing", action, kind="account", object_id=account.id, facts=facts)


def keep_invoices(found: Sequence[OutsideInvoice]) -> None:
    """The list of invoices as Stripe has it now."""
    for one in found:
        row = queries.find_invoice(one.id)
        if row is None:
            row = Invoice(stripe_invoice_id=one.id)
            db.session.add(row)
        row.number, row.status, row.amount_minor, row.currency = one.number, one.status, one.amount_minor, one.currency
        row.hosted_url, row.pdf_url, row.issued_at = one.hosted_url, one.pdf_url, one.issued_at
    db.session.flush()


def account_named(event_account: str | None, customer_id: str | None, fallback: str = "") -> UUID | None:
    """The account an event is about: by the customer we know, else by the name it carries. None when neither helps."""
    row = queries.find_subscription_of(customer_id) if customer_id else None
    if row is not None:
        return row.account_id
    for name in (event_account, fallback):
        try:
            wanted = UUID(name or "")
        except ValueError:
            continue
        if db.session.get(Account, wanted) is not None:
            return wanted
    return None


def keep_price(plan: str, interval: str, found: OutsidePrice) -> Price:
    """A price of ours, found or made at Stripe; older ones of the same plan and interval are no longer for sale."""
    now = clock.now()
    row = queries.find_price_of(found.id)
    if row is None:
        row = Price(
            plan=plan,
            interval=interval,
            currency=found.currency,
            amount_minor=found.amount_minor,
            stripe_price_id=found.id,
            created_at=now,
        )
        db.session.add(row)
        db.session.flush()
    for other in queries.list_prices():
        if (other.plan, other.interval) == (plan, interval):
            other.retired_at = None if other.id == row.id else (other.retired_at or now)
    return row


def look_daily(account_id: UUID) -> None:
    """Once a day for the account in scope: the trial may have ended, grace may be over, a meter may be near its limit."""
    account, now = accounts.get_account(account_id), clock.now()
    settle_account(account, account.limits.get("plan") or queries.current_plan(now).key)
    note_use(now)


def note_use(now: datetime) -> list[UsageNotice]:
    """Notices for meters at 80 and 100 %, each once a period. The account is in scope."""
    start, _ = queries.current_period(now)
    made = []
    for meter in queries.meters(now):
        if meter.limit is None or meter.level is Level.FINE or queries.was_told(meter.key, meter.level, start):
            continue
        notice = UsageNotice(meter=meter.key, level=meter.level, period_start_at=start, used=meter.used, limit=meter.limit, told_at=now)
        db.session.add(notice)
        made.append(notice)
    db.session.flush()
    for notice in made:
        _mail_notice(notice)
    return made


def _mail_notice(notice: UsageNotice) -> None:
    account = accounts.get_account(notice.account_id)
    values = {
        "account": account.name,
        "meter": queries.LABELS[notice.meter].lower(),
        "used": f"{notice.used:,}",
        "limit": f"{notice.limit:,}",
        "plan": queries.current_plan().name,
        "full": notice.level == Level.FULL,
        "link": f"{current().base_url}/{account.slug}/billing",
    }
    mail_owners("usage_notice", f"usage:{notice.id}", values)


def mail_owners(name: str, key: str, values: dict[str, Any]) -> None:
    """One mail to every owner of the account in scope, in the name of the installation."""
    words = email_templates.render(name, **values)
    for member, user in accounts.list_members():
        if member.role == Role.OWNER:
            delivery.queue(
                kind="service",
                key=f"{key}:{user.id}",
                to_email=user.email,
                subject=words.subject,
                text=words.text,
                html=words.html,
                from_name="Wordback",
                from_email=delivery.sender_address("", "hello"),
            )


def tell_payment_failed(account: Account, invoice: dict[str, Any]) -> None:
    """Mail the owners that a payment failed or needs a hand: once an attempt, with Stripe's own page. The account is in scope."""
    attempt = int(invoice.get("attempt_count") or 0)
    amount = format_money(int(invoice.get("amount_due") or 0), str(invoice.get("currency") or "usd").upper())
    row = queries.find_subscription()
    since = (row.past_due_since_at if row is not None else None) or clock.now()
    grace = since + rules.GRACE
    values = {
        "account": account.name,
        "amount": amount,
        "last": invoice.get("next_payment_attempt") is None,
        "grace": f"{grace.day} {grace:%B %Y}",
        "link": invoice.get("hosted_invoice_url") or f"{current().base_url}/{account.slug}/billing",
    }
    mail_owners("payment_failed", f"dunning:{invoice['id']}:{attempt}", values)
