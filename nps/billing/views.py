"""The billing page: what is used, what it costs, invoices; and the way to Stripe's pages and back."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for

from nps.accounts.errors import NotAllowed
from nps.billing import queries, rules, service
from nps.core import clock
from nps.web import current

billing = Blueprint("billing", __name__)
PATIENCE = timedelta(minutes=1)


@billing.before_request
def _only_where_plans_are_sold() -> None:
    if not current.settings().billing:
        abort(404)


@billing.get("/billing")
def overview() -> Any:
    row, now = queries.find_subscription(), clock.now()
    plan = queries.current_plan(now)
    return render_template(
        "billing/overview.html",
        plan=plan,
        row=row,
        price=queries.find_price(row.plan, row.interval) if row is not None and row.plan and row.interval else None,
        meters=queries.meters(now),
        invoices=queries.list_invoices(),
        trial_ends=current.account.created_at + rules.TRIAL if plan.key == "trial" else None,
    )


@billing.get("/billing/plans")
def plans() -> Any:
    """Every plan beside what is used now."""
    interval = "year" if request.args.get("interval") == "year" else "month"
    return render_template(
        "billing/plans.html",
        plans=[rules.PLANS[key] for key in ("free", *rules.FOR_SALE)],
        mine=queries.current_plan(),
        row=queries.find_subscription(),
        interval=interval,
        on_sale={key for key in rules.FOR_SALE if queries.find_price(key, interval) is not None},
    )


@billing.post("/billing/pages")
def ask() -> Any:
    """Wish for a page of Stripe's; the next page waits for it."""
    kind, plan, interval = (request.form.get(name, "") for name in ("kind", "plan", "interval"))
    account, user = current.account._get_current_object(), current.user._get_current_object()
    if kind == "checkout":
        page = service.ask_checkout(account, user, plan, interval)
    elif kind in ("portal", "card", "cancel", "change"):
        page = service.ask_portal(account, user, kind, plan, interval)
    else:
        abort(400)
    return redirect(url_for("billing.page", id=page.id), 303)


@billing.get("/billing/pages/<uuid:id>")
def page(id: UUID) -> Any:
    """Wait until the page is open, then go there. Asks again by itself every second.

    The first look never leads away: it may belong to the sent form, which our content policy keeps on this host.
    """
    if not current.may("billing.write"):
        raise NotAllowed
    found = queries.get_page(id)
    if found.state == "open" and found.url and request.args.get("go"):
        return redirect(found.url, 303)
    late = found.state == "asked" and clock.now() - found.created_at > PATIENCE
    return render_template("billing/page.html", page=found, late=late)


@billing.get("/billing/pages/<uuid:id>/back")
def back(id: UUID) -> Any:
    """Where a buyer comes back to. It grants nothing: it waits until Stripe's message has been worked on."""
    found, plan = queries.get_page(id), queries.current_plan()
    if plan.key == found.plan:
        flash(f"Your plan is {plan.name} now. Thank you.", "good")
        return redirect(url_for("billing.overview"), 303)
    return render_template("billing/back.html", page=found, wanted=rules.PLANS.get(found.plan or ""))
