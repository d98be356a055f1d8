"""The list of cases, and what is done with several at once."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for

from nps.causes import queries as causes
from nps.contacts import queries as contacts
from nps.core import clock
from nps.core import db as database
from nps.core.errors import DomainError, Invalid
from nps.followups import forms, queries, service
from nps.followups.queries import View
from nps.followups.rules import hours as business_hours
from nps.followups.rules import order, words
from nps.followups.views.base import LISTED, an_id, asked, blueprint, carried
from nps.web import current
from nps.web.filters import plural

PAGE = 50


@blueprint.get("/cases")
def cases() -> Any:
    """Open cases by what is due, with tabs, filters and two orders."""
    return render_template("followups/cases.html", **_list())


@blueprint.get("/cases/rows")
def rows() -> Any:
    """The list alone, drawn again every minute."""
    return render_template("followups/_rows.html", **_list())


def _list() -> dict[str, Any]:
    now = clock.now()
    view, sort, given = asked(request.args)
    show = min(int(request.args["show"]), 2_000) if request.args.get("show", "").isdecimal() else PAGE
    ids = queries.list_ids(given, view, sort, current.member.id, current.account.currency, now)
    lines = queries.list_rows(ids[:show], current.account.currency, now)
    shown = order.GROUPS if view is not View.CLOSED else ()
    return {
        "view": view,
        "sort": sort,
        "given": given,
        "args": carried(request.args),
        "counts": queries.count_views(given, current.member.id, now),
        "total": len(ids),
        "rows": lines,
        "groups": [(group, [line for line in lines if line.group is group]) for group in shown] if sort == "due" else [],
        "more": max(0, len(ids) - show),
        "show": show,
        "filtering": bool(given.active) or "filter" in request.args,
        "choices": _filter_choices(),
        "head": _head(),
        "last": queries.last_answered(now) if not ids else None,
        "duration": words.duration,
        "passed": words.passed,
    }


def _head() -> dict[str, Any]:
    """The targets in force and how well they were met in 90 days."""
    now = clock.now()
    queue = queries.find_default() or service.plan_queue()
    hours = queries.hours_of(queue)
    first = now.astimezone(hours.tz).date() - timedelta(days=89)
    since = business_hours.instant(datetime.combine(first, datetime.min.time()), hours.tz, fold=0)
    met = queries.first_reply_met(since, now, now, queue.time_zone)
    return {"targets": words.targets_sentence(queue.target_low, queue.target_middle, hours.longest_day), "met": met}


def _filter_choices() -> dict[str, list[tuple[str, str]]]:
    return {
        "owner": [("", "Everybody"), *((str(member.id), user.name) for member, user in queries.list_workers())],
        "queue": [("", "Every queue"), *((str(queue.id), queue.name) for queue in queries.list_queues())],
        "cause": [("", "Any"), *((str(cause.id), cause.name) for cause in causes.list_causes())],
    }


@blueprint.post("/cases/bulk")
def bulk() -> Any:
    """Assign, snooze or close several. The first press asks what exactly, the second does it."""
    do, chosen = request.form.get("do", ""), _chosen()
    back = url_for("followups.cases", **carried(request.form))
    if not chosen:
        flash("Nothing was selected. Tick the cases first.", "warn")
        return redirect(back, 303)
    form = forms.ClosureForm()
    form.cause.choices = _cause_choices()
    error = None
    if "sure" in request.form:
        try:
            flash(*_do(do, chosen, form))
            return redirect(back, 303)
        except DomainError as refused:
            database.rollback()
            error = refused
            form.refuse(refused)
    return _bulk_page(do, chosen, form, error), error.status if error else 200


def _bulk_page(do: str, chosen: list[UUID], form: forms.ClosureForm, error: DomainError | None) -> str:
    now = clock.now()
    return render_template(
        "followups/bulk.html",
        do=do if do in {"assign", "snooze", "close"} else "assign",
        lines=queries.list_rows(chosen, current.account.currency, now),
        form=form,
        error=error,
        workers=queries.list_workers(),
        until=request.form.get("until", ""),
        args=carried(request.form),
        listed=LISTED,
    )


def _chosen() -> list[UUID]:
    """The ticked cases, or with "Select all" every case of the list."""
    if "all" in request.form and "sure" not in request.form:
        view, sort, given = asked(request.form)
        return queries.list_ids(given, view, sort, current.member.id, current.account.currency, clock.now())
    return [case_id for text in request.form.getlist("case")[:2_000] if (case_id := an_id(text)) is not None]


def _do(do: str, chosen: list[UUID], form: forms.ClosureForm) -> tuple[str, str]:
    """(what to say, its category)."""
    if do == "close":
        closure = service.Closure(form.outcome.data or "", form.learning.data or "", form.cause.data or "", form.new_cause.data or "")
        done, left = service.close_many(chosen, current.member, closure)
        if not left:
            return f"{plural(len(done), 'case')} closed.", "good"
        names = ", ".join(line.name for line in queries.list_rows(left, current.account.currency, clock.now()))
        return f"{plural(len(done), 'case')} closed. Still open, because the customer asked for a reply and has none: {names}.", "warn"
    if do == "snooze":
        until = _until(chosen[0])
        for case_id in chosen:
            service.snooze(case_id, current.member, until)
        return f"{plural(len(chosen), 'case')} snoozed.", "good"
    count = service.assign_many(chosen, an_id(request.form.get("owner")), current.member)
    return f"{plural(count, 'case')} given away.", "good"


def _until(case_id: UUID) -> Any:
    zone = queries.get_queue(queries.get_case(case_id).queue_id).time_zone
    until = forms.local_time(request.form.get("until", ""), zone)
    if until is None:
        raise Invalid("Choose a time.", fields={"until": "Choose a time."})
    return until


def _cause_choices() -> Any:
    return forms.choices(
        ("", "Choose one"), *((str(cause.id), cause.name) for cause in causes.list_causes()), (service.NOT_CLEAR, "Not clear yet")
    )


@blueprint.post("/cases")
def open_case() -> Any:
    """A member opens a case for a customer by hand."""
    contact = contacts.get_contact(an_id(request.form.get("contact")) or UUID(int=0))
    case = service.open_by_hand(contact.id, request.form.get("reason", ""), actor_id=current.member.id)
    flash(f"A case for {contact.shown_name} is open.", "good")
    return redirect(url_for("followups.case", case_id=case.id), 303)
