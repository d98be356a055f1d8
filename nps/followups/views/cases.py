"""One case: its history, and everything that can be done with it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for

from nps.core import clock
from nps.core import db as database
from nps.core.errors import DomainError
from nps.followups import forms, queries, service
from nps.followups.rules import closing, letters
from nps.followups.views.base import an_id, asked, blueprint, carried
from nps.web import current

COMPOSE = ("reply", "note", "contact")


@blueprint.get("/cases/<uuid:case_id>")
def case(case_id: UUID) -> Any:
    """The case page. `compose` says what is being written, `saved` puts a saved reply into the composer."""
    page = queries.case_page(case_id, current.member, clock.now())
    compose = request.args.get("compose", "")
    typed = page.draft
    words = _inserted(request.args.get("saved", ""), page)
    if words:
        typed = f"{typed.rstrip()}\n\n{words}" if typed.strip() else words
    return _page(page, compose=compose, typed=typed)


def _inserted(what: str, page: queries.CasePage) -> str:
    """The words of a saved reply, or the approved text of the case's cause, with this customer's facts in them."""
    body = "{{ cause.reply_text }}" if what == "cause" and page.reply_text else ""
    saved = an_id(what)
    if saved is not None:
        body = queries.get_saved_reply(saved).body
    return letters.filled(body, service.values_for(page.case, current.member)) if body else ""


def _page(page: queries.CasePage, *, compose: str = "", typed: str = "", error: DomainError | None = None, form: Any = None) -> Any:
    view, sort, given = asked(request.args)
    ids = queries.list_ids(given, view, sort, current.member.id, current.account.currency, page.now)
    works = current.may("cases.work")
    allowed = COMPOSE if works else ("note",)
    answer = render_template(
        "followups/case.html",
        page=page,
        place=queries.place_of(page.case.id, ids),
        args=carried(request.args),
        compose=compose if compose in allowed else allowed[0],
        typed=typed,
        error=error,
        form=form,
        works=works,
        anyway=getattr(error, "code", "") == "replied_meanwhile",
        stopped=service.has_stopped(page.contact),
        writable=service.may_be_written_to(page.contact),
        names=page.also_here,
        snoozes=_snoozes(page),
        outcome_words=closing.OUTCOME_WORDS,
        not_clear=service.NOT_CLEAR,
        ways=service.WAYS,
    )
    return (answer, error.status) if error is not None else answer


def _again(case_id: UUID, error: DomainError, compose: str, typed: str) -> Any:
    """The case page with what was refused and what was typed."""
    database.rollback()
    page = queries.case_page(case_id, current.member, clock.now())
    return _page(page, compose=compose, typed=typed, error=error)


def _back(case_id: UUID) -> Any:
    return redirect(url_for("followups.case", case_id=case_id, **carried(request.args)), 303)


@blueprint.post("/cases/<uuid:case_id>/replies")
def reply(case_id: UUID) -> Any:
    """Send and wait; "Send and close" goes on to the questions a close asks, with the text kept."""
    form = forms.ReplyForm()
    body = form.body.data or ""
    if request.form.get("do") == "send-close":
        service.save_draft(case_id, current.member, body)
        return redirect(url_for("followups.closure", case_id=case_id, reply=1, seen=form.seen.data or 0), 303)
    try:
        service.reply(case_id, current.member, body, seen=form.seen.data or 0, anyway=bool(form.anyway.data))
    except DomainError as error:
        return _again(case_id, error, "reply", body)
    page = queries.case_page(case_id, current.member, clock.now())
    seconds = page.queue.hold_seconds
    flash(f"The clock has stopped. Your reply to {page.called} leaves in {seconds} seconds; until then it can be taken back below.", "good")
    return _back(case_id)


@blueprint.post("/cases/<uuid:case_id>/notes")
def note(case_id: UUID) -> Any:
    body = forms.NoteForm().body.data or ""
    try:
        service.note(case_id, current.member, body)
    except DomainError as error:
        return _again(case_id, error, "note", body)
    return _back(case_id)


@blueprint.post("/cases/<uuid:case_id>/contacts")
def contact(case_id: UUID) -> Any:
    """A talk that took place, or an attempt."""
    form = forms.ContactForm()
    body, zone = form.body.data or "", queries.get_queue(queries.get_case(case_id).queue_id).time_zone
    try:
        if form.reached.data == "no":
            service.log_attempt(case_id, current.member, form.way.data or "", body)
            flash("The attempt is noted. The clock keeps running.", "good")
        else:
            at = forms.local_time(form.at.data or "", zone)
            service.log_contact(case_id, current.member, form.way.data or "", body, at)
            flash("The talk is noted and the clock has stopped.", "good")
    except DomainError as error:
        return _again(case_id, error, "contact", body)
    return _back(case_id)


@blueprint.post("/cases/<uuid:case_id>/assignment")
def assignment(case_id: UUID) -> Any:
    owner_id = an_id(request.form.get("owner"))
    if service.assign(case_id, owner_id, current.member) is not None:
        name = queries.names_of_members()[owner_id] if owner_id is not None else "Nobody"
        flash(f"{name} has this case now.", "good")
    return _back(case_id)


@blueprint.post("/cases/<uuid:case_id>/queue")
def queue_of(case_id: UUID) -> Any:
    """Give the case to another queue."""
    service.move(case_id, an_id(request.form.get("queue")) or UUID(int=0), current.member)
    flash("The case is in the other queue. Its start stays; the earlier due time holds.", "good")
    return _back(case_id)


@blueprint.post("/cases/<uuid:case_id>/snooze")
def snooze(case_id: UUID) -> Any:
    zone = queries.get_queue(queries.get_case(case_id).queue_id).time_zone
    try:
        until = forms.local_time(request.form.get("until", "") or request.form.get("other", ""), zone)
        service.snooze(case_id, current.member, until or clock.now())
    except DomainError as error:
        return _again(case_id, error, "", "")
    flash("The case is hidden until then. The clock keeps running.", "good")
    return redirect(url_for("followups.cases", **carried(request.args)), 303)


@blueprint.post("/cases/<uuid:case_id>/waiting")
def waiting(case_id: UUID) -> Any:
    """It is the customer's move."""
    zone = queries.get_queue(queries.get_case(case_id).queue_id).time_zone
    try:
        service.wait(case_id, current.member, forms.local_time(request.form.get("until", ""), zone))
    except DomainError as error:
        return _again(case_id, error, "", "")
    return _back(case_id)


@blueprint.post("/cases/<uuid:case_id>/taking-back")
def taking_back(case_id: UUID) -> Any:
    """It is our move again."""
    service.take_back(case_id, current.member)
    return _back(case_id)


@blueprint.post("/cases/<uuid:case_id>/outcome")
def outcome(case_id: UUID) -> Any:
    """Cause and "What we did", kept before the case is closed."""
    form = forms.OutcomeForm()
    try:
        service.save_outcome(
            case_id, current.member, cause=form.cause.data or "", new_cause=form.new_cause.data or "", made_good=form.made_good.data or ""
        )
    except DomainError as error:
        return _again(case_id, error, "", "")
    flash("The outcome is saved.", "good")
    return _back(case_id)


@blueprint.route("/cases/<uuid:case_id>/closure", methods=["GET", "POST"])
def closure(case_id: UUID) -> Any:
    """What a close asks: cause, outcome and learning; with `reply`, the letter that goes out with it."""
    page = queries.case_page(case_id, current.member, clock.now())
    with_reply = "reply" in request.args
    form = _closure_form(page, with_reply)
    if request.method == "GET":
        return render_template("followups/closure.html", page=page, form=form, with_reply=with_reply, anyway=False)
    words: dict[str, Any] = {name: form[name].data or "" for name in ("outcome", "learning", "cause", "new_cause", "made_good")}
    given = service.Closure(**words, ask_solved=with_reply and form.ask_solved.data)
    try:
        if with_reply:
            service.reply(
                case_id, current.member, form.body.data or "", seen=form.seen.data or 0, closure=given, anyway=bool(form.anyway.data)
            )
        else:
            service.close(case_id, current.member, given)
    except DomainError as error:
        database.rollback()
        form.refuse(error)
        page = queries.case_page(case_id, current.member, clock.now())
        anyway = error.code == "replied_meanwhile"
        return render_template("followups/closure.html", page=page, form=form, with_reply=with_reply, anyway=anyway), error.status
    flash(f"The case of {page.name} is closed. It can be undone for 24 hours.", "good")
    return redirect(url_for("followups.cases", **carried(request.args)), 303)


def _closure_form(page: queries.CasePage, with_reply: bool) -> forms.ClosureForm:
    case = page.case
    form = forms.ClosureForm(
        data={
            "cause": str(case.cause_id) if case.cause_id is not None else "",
            "made_good": case.made_good,
            "outcome": case.outcome or "",
            "learning": case.learning,
            "body": page.draft if with_reply else "",
            "seen": int(request.args.get("seen", "0")) if request.args.get("seen", "0").isdecimal() else 0,
        }
    )
    causes = ((str(cause.id), cause.name) for cause in page.causes)
    form.cause.choices = forms.choices(("", "Choose one"), *causes, (service.NOT_CLEAR, closing.NOT_CLEAR_YET))
    return form


@blueprint.post("/cases/<uuid:case_id>/reopening")
def reopening(case_id: UUID) -> Any:
    try:
        service.reopen(case_id, current.member, forms.ReasonForm().reason.data or "")
    except DomainError as error:
        return _again(case_id, error, "", "")
    flash("The case is open again.", "good")
    return _back(case_id)


@blueprint.post("/cases/<uuid:case_id>/undo")
def undo(case_id: UUID) -> Any:
    """Take one step of the history back."""
    text = request.form.get("number", "")
    service.undo(case_id, int(text) if text.isdecimal() and len(text) < 9 else 0, current.member)
    flash("Taken back. The clock is as if it had not happened.", "good")
    return _back(case_id)


@blueprint.post("/cases/<uuid:case_id>/drafts")
def drafts(case_id: UUID) -> Any:
    """Keep what is being typed; the page asks for it while somebody types."""
    service.save_draft(case_id, current.member, forms.ReplyForm().body.data or "")
    return "", 204


@blueprint.post("/cases/<uuid:case_id>/presence")
def presence(case_id: UUID) -> Any:
    """This member has the case open; the answer names others who do."""
    service.note_presence(case_id, current.member)
    return render_template("followups/_also_here.html", names=queries.also_here(case_id, current.member.id, clock.now()))


def _snoozes(page: queries.CasePage) -> list[tuple[str, str]]:
    """(words, local time) of the snoozes that make sense now: an hour, tomorrow and Monday morning, never past what is due."""
    tz = page.hours.tz
    here = page.now.astimezone(tz).replace(second=0, microsecond=0)
    morning = here.replace(hour=9, minute=0)
    ways: list[tuple[str, datetime]] = [
        ("For an hour", here + timedelta(hours=1)),
        ("Until tomorrow, 09:00", morning + timedelta(days=1)),
        ("Until Monday, 09:00", morning + timedelta(days=7 - here.weekday())),
    ]
    last = page.case.due_at - timedelta(minutes=15) if page.case.due_at is not None and page.case.state != "waiting" else None
    return [(words, f"{at:%Y-%m-%dT%H:%M}") for words, at in ways if last is None or at <= last]
