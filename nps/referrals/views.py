"""The program for the team: what it brings, its settings, its advocates, sales without a source."""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for

from nps.contacts.rules.timeline import Entry, Panel
from nps.core import clock
from nps.core.db import turn_to_writing
from nps.core.errors import DomainError, NotFound
from nps.core.money import format_money
from nps.referrals import queries, service
from nps.referrals.forms import CreditForm, ProgramForm, RemovalForm
from nps.referrals.models import Program
from nps.referrals.rules import codes
from nps.referrals.rules.advocates import STATE_WORDS, WORDS, AdvocateState
from nps.referrals.rules.journeys import STEP_WORDS
from nps.referrals.rules.programs import ProgramState
from nps.web import charts, current

blueprint = Blueprint("referrals", __name__)

PER_PAGE = 50
VERBS = {
    "go_live": (service.go_live, "The program is live. Promoters are asked to share from now on."),
    "pause": (service.pause_program, "Paused. Nobody new is asked; earlier sign-ups still count."),
    "resume": (service.resume_program, "Live again."),
    "end": (service.end_program, "Ended. What was earned is still paid."),
}


def the_program() -> Program:
    """The default program; an account from before there was one gets its draft now."""
    found = queries.default_program()
    if found is None:
        turn_to_writing()
        found = service.ensure_default()
    return found


@blueprint.get("/referrals")
def program() -> Any:
    """What the program brings, from promoter to customer."""
    shown, now = the_program(), clock.now()
    currency = current.account.currency
    version = queries.version_at(shown.id, now)
    today = now.astimezone(ZoneInfo(current.account.time_zone)).date()
    months = queries.months(shown.id, currency, today)
    by = "v" if request.args.get("by") == "v" else "c"
    return render_template(
        "referrals/program.html",
        program=shown,
        version=version,
        funnel=queries.funnel(shown.id),
        figures=queries.figures(shown.id, currency, now),
        months=months,
        chart=charts.columns(
            [
                charts.Column(
                    f"{m.first:%b}", m.minor, format_money(m.minor, currency) if m.minor else "", "soft" if m is months[-1] else "acc"
                )
                for m in months
            ],
            f"Revenue from referred customers by month, {months[0].first:%B %Y} to {months[-1].first:%B %Y}",
        ),
        ranked=queries.top_advocates(shown.id, by, currency, now),
        channels=queries.channels(shown.id),
        by=by,
        name_of=codes.channel_name,
        missing=service.gaps(shown) if shown.state == ProgramState.DRAFT else (),
    )


@blueprint.route("/referrals/settings", methods=["GET", "POST"])
def edit() -> Any:
    """All settings of the program on one page."""
    shown, currency = the_program(), current.account.currency
    version = queries.newest_version(shown.id)
    if request.method == "GET":
        return render_template("referrals/edit.html", form=ProgramForm.starting(shown, version, currency), program=shown, version=version)
    form = ProgramForm(currency=currency)
    if form.validate_on_submit():
        try:
            saved = service.save_program(shown, form.changes, current.user.name)
            later = saved.effective_at > clock.now()
            flash("Saved. It is worse for people who share, so it begins in 14 days." if later else "Saved.", "good")
            return redirect(url_for("referrals.program"), 303)
        except DomainError as error:
            form.refuse(error)
    return render_template("referrals/edit.html", form=form, program=shown, version=version), 422


@blueprint.post("/referrals/state")
def state() -> Any:
    """Go live, pause, resume, end."""
    command, words = VERBS.get(request.form.get("do", ""), (None, ""))
    try:
        if command is not None:
            command(the_program(), current.user.name)
            flash(words, "good")
    except DomainError as error:
        flash(error.message, "bad")
    return redirect(url_for("referrals.program"), 303)


@blueprint.get("/referrals/friend-preview")
def friend_preview() -> Any:
    """The friend’s page as it stands, for somebody who shares."""
    visit = queries.sample_friend_page(the_program())
    return render_template("referrals/friend.html", visit=visit, preview=True, click="", token="", email="", problem="")


@blueprint.get("/referrals/advocates")
def advocates() -> Any:
    """Everybody who was asked to share."""
    shown = the_program()
    offset = max(0, request.args.get("from", 0, int))
    state_, search = request.args.get("state", ""), request.args.get("q", "")[:80]
    rows, total = queries.page_advocates(
        shown.id, current.account.currency, clock.now(), state=state_, search=search, offset=offset, limit=PER_PAGE
    )
    return render_template(
        "referrals/advocates.html",
        rows=rows,
        total=total,
        offset=offset,
        per_page=PER_PAGE,
        state=state_,
        search=search,
        name_of=codes.channel_name,
    )


@blueprint.post("/referrals/advocates")
def invite() -> Any:
    """Invite a contact to share, by hand. A mail goes out only if its box is ticked."""
    try:
        contact_id = UUID(request.form.get("contact_id", ""))
    except ValueError:
        raise NotFound from None
    enrolment = service.enrol(contact_id, "hand")
    if enrolment.advocate is None:
        flash(f"Not invited: {WORDS[enrolment.refused].lower()}. Nothing was sent." if enrolment.refused else "Not invited.", "warn")
        return redirect(url_for("referrals.advocates"), 303)
    if request.form.get("mail"):
        service.mail_link(enrolment.advocate, queries.contact_of(enrolment.advocate), clock.now())
    flash("Invited to share." + (" The link is on its way by mail." if request.form.get("mail") else " No mail was sent."), "good")
    return redirect(url_for("referrals.advocate", advocate_id=enrolment.advocate.id), 303)


def panels(contact_id: UUID) -> list[Panel]:
    """How a person stands to the default program, and the form that invites them by hand."""
    program = queries.default_program()
    if program is None or not current.may("advocates.read"):
        return []
    advocate = queries.advocate_of(program.id, contact_id)
    may_invite = program.state == ProgramState.LIVE and current.may("programs.write")
    if advocate is None and not may_invite:
        return []
    values = {"advocate": advocate, "contact_id": contact_id, "word": STATE_WORDS[AdvocateState(advocate.state)] if advocate else ""}
    return [Panel("aside", "referrals/_sharing.html", values)]


def timeline(contact_id: UUID) -> list[Entry]:
    """When a person was asked to share and first did, on the page of that person."""
    default = queries.default_program()
    shown = queries.advocate_of(default.id, contact_id) if default and current.may("advocates.read") else None
    if shown is None:
        return []
    href = url_for("referrals.advocate", advocate_id=shown.id)
    made = [Entry(shown.created_at, "to share", icon="share", bold="Asked", href=href)]
    if shown.first_shared_at is not None:
        made.append(Entry(shown.first_shared_at, "a link for the first time", icon="share", bold="Shared", href=href))
    return made


@blueprint.get("/referrals/advocates/<uuid:advocate_id>")
def advocate(advocate_id: UUID) -> Any:
    """One person who shares: link, words, friends."""
    return show_advocate(advocate_id, RemovalForm())


def show_advocate(advocate_id: UUID, form: RemovalForm, status: int = 200) -> Any:
    shown = queries.get_advocate(advocate_id)
    return (
        render_template(
            "referrals/advocate.html",
            advocate=shown,
            contact=queries.contact_of(shown),
            program=queries.get_program(shown.program_id),
            version=queries.version_at(shown.program_id, clock.now()),
            address=queries.link_address(queries.link_of(shown.id)),
            visits=queries.visits_of([shown.id])[shown.id],
            friends=queries.friends_with_names(shown.id),
            events=queries.advocate_events(shown.id),
            state_words=STATE_WORDS,
            step_words=STEP_WORDS,
            form=form,
        ),
        status,
    )


@blueprint.post("/referrals/advocates/<uuid:advocate_id>/words")
def words(advocate_id: UUID) -> Any:
    """Let waiting words be shown, or set them back."""
    service.judge_words(queries.get_advocate(advocate_id), shown=request.form.get("do") == "show")
    flash("The words are shown from now on." if request.form.get("do") == "show" else "Set back to the first words.", "good")
    return redirect(url_for("referrals.advocate", advocate_id=advocate_id), 303)


@blueprint.post("/referrals/advocates/<uuid:advocate_id>/removal")
def removal(advocate_id: UUID) -> Any:
    """Take somebody out of the program, with a reason they read."""
    form = RemovalForm()
    if form.validate_on_submit():
        service.remove(queries.get_advocate(advocate_id), current.user.name, form.reason.data)
        flash("Removed. Unpaid rewards were cancelled with that reason.", "good")
        return redirect(url_for("referrals.advocate", advocate_id=advocate_id), 303)
    return show_advocate(advocate_id, form, 422)


@blueprint.get("/referrals/sales")
def sales() -> Any:
    """Sales without a source, and refunds without a sale."""
    return render_template(
        "referrals/sales.html", rows=queries.unattributed_with_names(), orphans=queries.list_orphans(clock.now()), form=CreditForm()
    )


@blueprint.post("/referrals/sales/<uuid:conversion_id>/attribution")
def attribute(conversion_id: UUID) -> Any:
    """Look for a source once more, whatever the age of the sale."""
    found = service.attribute_again(queries.get_conversion(conversion_id).friend_id)
    flash(
        "Found: the sale is credited now." if found else "Still no link, code or claim that leads to somebody.", "good" if found else "warn"
    )
    return redirect(url_for("referrals.sales"), 303)


@blueprint.route("/referrals/sales/<uuid:conversion_id>/credit", methods=["GET", "POST"])
def credit(conversion_id: UUID) -> Any:
    """Say by hand who brought a customer."""
    sale, form = queries.get_conversion(conversion_id), CreditForm()
    if form.validate_on_submit():
        try:
            service.credit_to(sale.friend_id, form.advocate.data, current.user.name, form.reason.data)
            flash("Credited. The reward waits for approval like any other.", "good")
            return redirect(url_for("referrals.sales"), 303)
        except DomainError as error:
            form.refuse(error)
    page = render_template("referrals/credit.html", sale=sale, friend=queries.get_friend(sale.friend_id), form=form)
    return page, 422 if form.errors or form.form_errors else 200
