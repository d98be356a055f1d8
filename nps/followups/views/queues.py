"""Queues with their hours, people and targets; saved replies."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for

from nps.core import db as database
from nps.core.errors import DomainError, Invalid
from nps.followups import forms, queries, service
from nps.followups.models import Queue, spans_from
from nps.followups.rules import hours as business_hours
from nps.followups.rules import letters, words
from nps.followups.rules.escalation import DEFAULT_STEPS, Step
from nps.followups.rules.hours import DAY_NAMES, Span
from nps.followups.views.base import an_id, blueprint
from nps.web import current


@blueprint.get("/queues")
def queues() -> Any:
    """All queues with who works them when, and the saved replies."""
    cards = [_card(queue) for queue in queries.list_queues()]
    return render_template(
        "followups/queues.html", cards=cards, planned=service.plan_queue(), saved=queries.list_saved_replies(), days=DAY_NAMES
    )


def _card(queue: Queue) -> dict[str, Any]:
    hours = queries.hours_of(queue)
    return {
        "queue": queue,
        "hours": hours,
        "members": queries.members_of(queue),
        "holidays": len(queries.list_holidays(queue.id)),
        "sentence": words.targets_sentence(queue.target_low, queue.target_middle, hours.longest_day)
        .removeprefix("First reply ")
        .removesuffix("."),
    }


@blueprint.route("/queues/<uuid:queue_id>", methods=["GET", "POST"])
def queue(queue_id: UUID) -> Any:
    return _queue_form(queries.get_queue(queue_id))


@blueprint.route("/queues/new", methods=["GET", "POST"])
def new_queue() -> Any:
    return _queue_form(None)


def _queue_form(queue: Queue | None) -> Any:
    form = forms.QueueForm(data=_as_typed(queue))
    _choices(form)
    if request.method == "POST":
        try:
            saved = service.save_queue(queue.id if queue is not None else None, _data(form), current.member)
        except DomainError as error:
            database.rollback()
            form.refuse(error)
        else:
            flash(f"“{saved.name}” is saved. Running clocks follow, never past what a customer was told.", "good")
            return redirect(url_for("followups.queues"), 303)
    others = [other for other in queries.list_queues() if queue is None or other.id != queue.id]
    answer = render_template("followups/queue.html", form=form, queue=queue, others=others, days=DAY_NAMES)
    return answer, 422 if request.method == "POST" else 200


def _as_typed(queue: Queue | None) -> dict[str, Any]:
    """The fields of the form as they would be typed."""
    shown = queue or service.plan_queue()
    week = {name.lower(): ", ".join(str(span) for span in spans_from(day)) for name, day in zip(DAY_NAMES, shown.week, strict=True)}
    names = ("time_zone", "method", "keeps_person", "most_open", "most_new_a_day", "hold_seconds")
    return {
        "name": queue.name if queue is not None else "",
        **{name: getattr(shown, name) for name in names},
        **{f"target_{name}": getattr(shown, f"target_{name}") for name in service.TARGETS},
        **week,
        "members": [str(member) for member in queries.named_members(queue.id)] if queue is not None else [],
        "lead": str(queue.lead_id) if queue is not None and queue.lead_id is not None else "",
        "holidays": service.holidays_as_text(queue.id) if queue is not None else "",
        "steps": ", ".join(f"{step.percent}%" for step in shown.escalation),
    }


def _choices(form: forms.QueueForm) -> None:
    people = [(str(member.id), user.name) for member, user in queries.list_workers()]
    form.members.choices = forms.choices(*people)
    form.lead.choices = forms.choices(("", "The account’s owner"), *people)


def _data(form: forms.QueueForm) -> service.QueueData:
    """Raises Invalid for times, steps or holidays that cannot be read, all at once."""
    wrong: dict[str, str] = {}
    week: list[tuple[Span, ...]] = []
    for name in DAY_NAMES:
        try:
            week.append(business_hours.parse_spans(form[name.lower()].data or ""))
        except ValueError as error:
            wrong[name.lower()] = str(error)
            week.append(())
    holidays: list[Any] = []
    try:
        holidays = service.read_holidays(_holiday_text(form))
    except Invalid as error:
        wrong["holidays"] = error.fields["holidays"]
    steps = _steps(form.steps.data or "", wrong)
    if wrong:
        raise Invalid("The queue was not saved. What you typed is kept.", fields=wrong)
    return service.QueueData(
        name=form.name.data or "",
        time_zone=(form.time_zone.data or "").strip(),
        week=week,
        targets={name: form[f"target_{name}"].data for name in service.TARGETS},
        members=[member for text in form.members.data or [] if (member := an_id(text)) is not None],
        lead_id=an_id(form.lead.data),
        method=form.method.data or "",
        keeps_person=form.keeps_person.data,
        most_open=form.most_open.data,
        most_new_a_day=form.most_new_a_day.data,
        hold_seconds=form.hold_seconds.data,
        steps=steps,
        holidays=holidays,
    )


def _holiday_text(form: forms.QueueForm) -> str:
    """The lines typed, or the .ics file that was sent along."""
    sent = request.files.get("ics")
    if sent is not None and sent.filename:
        return str(sent.read(1_000_002), "utf-8", "replace")
    return str(form.holidays.data or "")


def _steps(text: str, wrong: dict[str, str]) -> tuple[Step, ...]:
    """ "25%, 50%, 100%": each tells whom the default step nearest below it tells; under 50% only while nobody has the case."""
    steps = []
    for part in filter(None, (part.strip(" %") for part in text.split(","))):
        if not part.isdecimal() or len(part) > 4:
            wrong["steps"] = f"“{part}” is not a percentage. Write them like 25%, 50%, 100%, 200%."
            continue
        percent = int(part)
        like = next((step for step in reversed(DEFAULT_STEPS) if step.percent <= percent), DEFAULT_STEPS[0])
        steps.append(Step(percent, like.tell, like.unowned))
    return tuple(steps)


@blueprint.post("/queues/<uuid:queue_id>/deletion")
def delete_queue(queue_id: UUID) -> Any:
    name = queries.get_queue(queue_id).name
    service.delete_queue(queue_id, an_id(request.form.get("to")), current.member)
    flash(f"“{name}” is deleted.", "good")
    return redirect(url_for("followups.queues"), 303)


@blueprint.route("/saved-replies/new", methods=["GET", "POST"])
def new_saved_reply() -> Any:
    return _saved_reply_form(None)


@blueprint.route("/saved-replies/<uuid:saved_reply_id>", methods=["GET", "POST"])
def saved_reply(saved_reply_id: UUID) -> Any:
    return _saved_reply_form(saved_reply_id)


def _saved_reply_form(saved_reply_id: UUID | None) -> Any:
    saved = queries.get_saved_reply(saved_reply_id) if saved_reply_id is not None else None
    data = {"name": saved.name, "body": saved.body, "queue": str(saved.queue_id or "")} if saved is not None else {}
    form = forms.SavedReplyForm(data=data)
    form.queue.choices = forms.choices(("", "Every queue"), *((str(queue.id), queue.name) for queue in queries.list_queues()))
    if request.method == "POST":
        try:
            service.save_reply(
                saved_reply_id, name=form.name.data or "", body=form.body.data or "", queue_id=an_id(form.queue.data), actor=current.member
            )
        except DomainError as error:
            database.rollback()
            form.refuse(error)
        else:
            flash("The saved reply is kept.", "good")
            return redirect(url_for("followups.queues"), 303)
    answer = render_template("followups/saved_reply.html", form=form, saved=saved, placeholders=letters.PLACEHOLDERS)
    return answer, 422 if request.method == "POST" else 200


@blueprint.post("/saved-replies/<uuid:saved_reply_id>/deletion")
def delete_saved_reply(saved_reply_id: UUID) -> Any:
    service.delete_reply(saved_reply_id)
    flash("The saved reply is deleted.", "good")
    return redirect(url_for("followups.queues"), 303)
