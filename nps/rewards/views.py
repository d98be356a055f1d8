"""Rewards for the team: approve, decline, hand over, look closer; and the Stripe connection."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for

from nps.core import clock
from nps.core.errors import Conflict, DomainError, NotFound
from nps.referrals import queries as referral_queries
from nps.rewards import queries, service
from nps.rewards.forms import DeclineForm, PaymentForm, StripeForm
from nps.rewards.rules import ledger, machine
from nps.rewards.rules.machine import Tab
from nps.web import current
from nps.web.navigation import Badge

blueprint = Blueprint("rewards", __name__)


@dataclass(frozen=True)
class Panel:
    """What the program page says about rewards."""

    needs: queries.NeedsYou
    totals: queries.Totals
    days: int
    each: int
    paid_back: int | None


@blueprint.app_context_processor
def _panel() -> dict[str, Any]:
    return {"reward_panel": reward_panel}


def reward_panel(program_id: UUID) -> Panel:
    needs = queries.needs_you()
    days = (clock.now() - needs.oldest).days if needs.oldest else 0
    now, currency = clock.now(), current.account.currency
    totals = queries.totals(program_id, currency)
    customers = referral_queries.figures(program_id, currency, now).customers
    each = (totals.paid + totals.to_come) // customers if customers else 0
    return Panel(needs, totals, days, each, referral_queries.paid_back(program_id, currency, each, now) if each else None)


def badge() -> Badge | None:
    """The number in the sidebar, for those who may look."""
    return Badge(queries.needs_you().count, "to approve") if current.may("rewards.read") else None


def id_of(text: str) -> UUID:
    """An id from a form. Raises NotFound for anything else."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None


def tab_of(text: str | None) -> Tab:
    return Tab(text) if text in set(Tab) else Tab.WAIT


@blueprint.get("/rewards")
def index() -> Any:
    """The tabs: to approve, to credit, credited, declined."""
    tab, now = tab_of(request.args.get("v")), clock.now()
    program = referral_queries.default_program()
    version = referral_queries.version_at(program.id, now) if program else None
    rows = queries.list_rows(tab, now)
    return render_template(
        "rewards/index.html",
        tab=tab,
        tabs=queries.count_tabs(),
        rows=rows,
        needs=queries.needs_you(),
        noun=version.qualify_noun if version else "Counts since",
        answer_days=max(14, version.hold_days) if version else 14,
        clean=[row for row in rows if row.clean] if tab is Tab.WAIT else [],
        now=now,
    )


@blueprint.post("/rewards/approvals")
def approve() -> Any:
    """One reward, or all that were shown without flags and still have none."""
    member, actor = current.member.id, current.user.name
    if request.form.get("do") == "clear":
        wanted = [id_of(text) for text in request.form.getlist("shown")[:500]]
        done, waiting = service.approve_clean(wanted, member, actor)
        words = f"{done} approved." + (f" {waiting} wait for a second person." if waiting else "")
        flash(words if done or waiting else "Nothing was left to approve: somebody else was faster.", "good" if done else "warn")
    else:
        try:
            reward = service.approve(id_of(request.form.get("ok", "")), member, actor)
            waits = reward.state == "pending" and any(g.gate == "approval" for g in queries.open_gates([reward.id])[reward.id])
            flash("Confirmed. A second person must confirm it too." if waits else "Approved.", "good")
        except Conflict as error:
            flash(error.message, "warn")
    return redirect(url_for("rewards.index"), 303)


@blueprint.route("/rewards/<uuid:reward_id>/decline", methods=["GET", "POST"])
def decline(reward_id: UUID) -> Any:
    """Say no, with a reason the advocate reads."""
    row, form = queries.get_row(reward_id, clock.now()), DeclineForm()
    if form.validate_on_submit():
        try:
            service.decline(reward_id, current.user.name, form.reason.data, form.words.data or "")
            flash("Declined. The advocate sees the reason. You can take it back for an hour.", "good")
            return redirect(url_for("rewards.index"), 303)
        except DomainError as error:
            form.refuse(error)
    return render_template("rewards/decline.html", row=row, form=form), 422 if form.errors or form.form_errors else 200


@blueprint.post("/rewards/<uuid:reward_id>/reopening")
def reopen(reward_id: UUID) -> Any:
    """Take a decline back."""
    service.reopen(reward_id, current.user.name)
    flash("Taken back. It waits for a decision again.", "good")
    return redirect(url_for("rewards.index"), 303)


@blueprint.post("/rewards/<uuid:reward_id>/payment")
def pay(reward_id: UUID) -> Any:
    """The company has handed this over."""
    form = PaymentForm()
    try:
        service.mark_paid(reward_id, current.user.name, form.reference.data or "")
        flash("Marked as credited. The advocate sees it on their page.", "good")
    except Conflict as error:
        flash(error.message, "warn")
    return redirect(url_for("rewards.index", v="next"), 303)


@blueprint.get("/rewards/<uuid:reward_id>")
def reward(reward_id: UUID) -> Any:
    """One reward from evidence to ledger."""
    row = queries.get_row(reward_id, clock.now())
    return render_template(
        "rewards/reward.html",
        row=row,
        history=queries.history(reward_id),
        entries=queries.entries_of(reward_id),
        timeline=referral_queries.timeline(row.referral),
        account_words=ledger.ACCOUNT_WORDS,
        entry_words=ledger.ENTRY_WORDS,
        verb_words=machine.VERB_WORDS,
        verdicts=referral_queries.list_verdicts([row.referral.id])[row.referral.id],
    )


@blueprint.get("/rewards/share-preview")
def share_preview() -> Any:
    """The share page as it stands, for somebody who shares."""
    program = referral_queries.default_program()
    sample = referral_queries.sample_advocate(program.id) if program else None
    if sample is None:
        return render_template("rewards/no_sample.html")
    share = queries.share_page(sample.id)
    return render_template("rewards/share.html", share=share, token="", typed=None, problem="", preview=True)


@blueprint.route("/rewards/stripe", methods=["GET", "POST"])
def stripe() -> Any:
    """The company’s own Stripe account: where it calls us, and the secret it signs with."""
    form, connection = StripeForm(), queries.find_connection()
    if form.validate_on_submit():
        try:
            service.change_connection(connection, form.what.data or "", form.secret.data or "", form.api_key.data or "")
            flash("Saved.", "good")
            return redirect(url_for("rewards.stripe"), 303)
        except DomainError as error:
            form.refuse(error)
    endpoint = service.endpoint(connection) if connection else ""
    page = render_template("rewards/stripe.html", form=form, connection=connection, endpoint=endpoint, events=service.EVENTS)
    return page, 422 if form.errors or form.form_errors else 200
