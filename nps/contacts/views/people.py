"""The list, one person, adding and editing, the contacts file."""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for

from nps.accounts import service as accounts
from nps.accounts.rules import Role
from nps.contacts import queries, service
from nps.contacts.forms import FACTS, HINTS, REACH, WHO, ContactForm, PropertyForm, ReasonForm, contact_form
from nps.contacts.models import Contact
from nps.contacts.rules import properties as property_rules
from nps.contacts.rules.asking import GAP_DAYS, next_ask_at
from nps.contacts.rules.countries import BY_CODE
from nps.contacts.rules.properties import KIND_LABELS, Kind
from nps.contacts.rules.timeline import Group, newest_first
from nps.contacts.rules.values import shown_locale, shown_phone
from nps.core import clock
from nps.core.errors import DomainError, Gone
from nps.core.spreadsheet import csv_stream
from nps.delivery import queries as delivery_queries
from nps.delivery import service as delivery
from nps.web import current
from nps.web.filters import local
from nps.web.unit import streamed

contacts = Blueprint("contacts", __name__)

_SHOWN = 200
"""Entries of a timeline on one page."""


def called(contact: Contact) -> str:
    """What this member may see of the name: viewers see initials, who may not see addresses gets no address instead."""
    if current.member.role == Role.VIEWER:
        return "".join(word[0].upper() for word in (contact.name or "").split()[:2]) or f"Contact {contact.number}"
    if contact.name or current.may("addresses"):
        return contact.shown_name
    return contact.external_id or f"Contact {contact.number}"


@contacts.context_processor
def _words() -> dict[str, Any]:
    return {"called": called, "shown_phone": shown_phone, "shown_locale": shown_locale, "countries": BY_CODE, "time_in": time_in} | {
        "near_day": near_day
    }


def near_day(moment: datetime) -> str:
    """ "5 October", with the year when it is not this one."""
    at = local(moment)
    return f"{at.day} {at:%B}" if at.year == local(clock.now()).year else f"{at.day} {at:%B} {at.year}"


def time_in(zone: str) -> str:
    """The time of day there now: "10:42"."""
    return f"{clock.now().astimezone(ZoneInfo(zone)):%H:%M}"


@contacts.get("/contacts")
def index() -> Any:
    typed = request.args.get("q", "").strip()[:120]
    segment_id = request.args.get("segment", type=UUID)
    after = request.args.get("after")
    page = queries.search(typed, after) if typed else queries.page_contacts(after, segment_id=segment_id)
    return render_template(
        "contacts/index.html",
        page=page,
        typed=typed,
        after=after,
        total=queries.count_contacts(),
        segments=queries.list_segments(),
        segment=queries.get_segment(segment_id) if segment_id else None,
        matching=queries.count_matching(segment_id) if segment_id else None,
    )


@contacts.get("/contacts.csv")
def download() -> Any:
    """The contacts file, of everybody or a segment, as it is read."""
    segment_id = request.args.get("segment", type=UUID)
    header, rows = queries.contacts_table(segment_id, addresses=current.may("addresses"))
    name = f"contacts-{local(clock.now()):%Y-%m-%d}.csv"
    return csv_answer(csv_stream(header, rows), name)


def csv_answer(body: Any, name: str) -> Response:
    """A file to be saved, sent while it is made."""
    answer = Response(streamed(body), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


# One person


@contacts.get("/contacts/<uuid:id>")
def person(id: UUID) -> Any:
    contact = living(id)
    now = clock.now()
    chosen = request.args.get("t", "")
    group = Group(chosen) if chosen in set(Group) else None
    entries = newest_first(queries.list_timeline(id), group)
    return render_template(
        "contacts/person.html",
        contact=contact,
        entries=entries[:_SHOWN],
        more=max(0, len(entries) - _SHOWN),
        group=group,
        panels=queries.list_panels(id),
        stops=queries.list_stops(contact, now=now),
        consents=queries.list_consent_changes(id),
        properties=[(p, property_rules.shown(contact.properties.get(p.key), p.kind)) for p in queries.properties().values()],
        next_at=next_ask_at(contact.last_asked_at, contact.gap_days),
        rests_until=rest_of(contact),
        gap=max(GAP_DAYS, contact.gap_days or 0),
        now=now,
        form=ReasonForm(),
    )


def living(id: UUID) -> Contact:
    """The contact, unless the person was erased."""
    contact = queries.get_contact(id)
    if contact.erased_at is not None:
        raise Gone("This person was erased. What is left has no name.")
    return contact


def rest_of(contact: Contact) -> Any:
    """Until when campaigns already running wait because of an import; None when they do not."""
    if contact.imported_at is None:
        return None
    until = contact.imported_at + service.REST
    return until if until > clock.now() else None


def edit_page(form: ContactForm, contact: Contact | None, status: int = 200) -> Any:
    known = queries.properties()
    fields = {"who": WHO, "reach": REACH, "facts": FACTS, "own": [f"p_{key}" for key in known], "hints": HINTS}
    return render_template("contacts/edit.html", form=form, contact=contact, fields=fields), status


@contacts.route("/contacts/new", methods=["GET", "POST"])
def new() -> Any:
    known = queries.properties()
    form = contact_form(known)
    if not form.validate_on_submit():
        return edit_page(form, None, 422 if form.errors else 200)
    try:
        made = service.add(form.data_for_service(known), by=current.user.name, agreed_text=form.agreed_text.data or "")
    except DomainError as error:
        form.refuse(error)
        return edit_page(form, None, error.status)
    flash(f"{made.shown_name} was added.", "good")
    return redirect(url_for("contacts.person", id=made.id), 303)


@contacts.route("/contacts/<uuid:id>/edit", methods=["GET", "POST"])
def edit(id: UUID) -> Any:
    contact, known = living(id), queries.properties()
    form = contact_form(known, contact)
    if not form.validate_on_submit():
        return edit_page(form, contact, 422 if form.errors else 200)
    try:
        service.edit(id, form.data_for_service(known), by=current.user.name, agreed_text=form.agreed_text.data or "")
    except DomainError as error:
        form.refuse(error)
        return edit_page(form, contact, error.status)
    flash("The changes are saved.", "good")
    return redirect(url_for("contacts.person", id=id), 303)


@contacts.post("/contacts/<uuid:id>/stop")
def stop(id: UUID) -> Any:
    contact = living(id)
    service.block(id, by=current.user.name)
    flash(f"{called(contact)} gets no survey any more. Nothing is on its way.", "good")
    return redirect(url_for("contacts.person", id=id), 303)


@contacts.post("/contacts/<uuid:id>/stops/<uuid:stop_id>/lifting")
def lift(id: UUID, stop_id: UUID) -> Any:
    living(id)
    found = delivery_queries.get_suppression(stop_id)
    delivery.lift(found, current.user.name, note=request.form.get("note", "")[:300])
    accounts.audit(current.user.email, "suppression.lifted", kind="contact", object_id=id, facts={"reason": found.reason})
    flash("The stop is lifted.", "good")
    return redirect(url_for("contacts.person", id=id), 303)


@contacts.post("/contacts/<uuid:id>/erasure")
def erase(id: UUID) -> Any:
    contact = living(id)
    name = called(contact)
    receipt = service.erase(id, by=current.user.name)
    accounts.audit(current.user.email, "contact.erased", kind="contact", object_id=id, facts=dict(receipt))
    flash(f"{name} is erased. Answers stay as numbers without a name.", "good")
    return redirect(url_for("contacts.index"), 303)


# Properties


def properties_page(form: PropertyForm, status: int = 200) -> Any:
    definitions, most = queries.list_definitions(), property_rules.MOST
    page = render_template("contacts/properties.html", form=form, definitions=definitions, kinds=KIND_LABELS, most=most)
    return page, status


@contacts.route("/contacts/properties", methods=["GET", "POST"])
def properties() -> Any:
    form = PropertyForm()
    if not form.validate_on_submit():
        return properties_page(form, 422 if form.errors else 200)
    try:
        made = service.define_property(form.label.data or "", Kind(form.kind.data), choices=form.listed())
    except DomainError as error:
        form.refuse(error)
        return properties_page(form, error.status)
    flash(f"“{made.label}” can be used now, as {made.key}.", "good")
    return redirect(url_for("contacts.properties"), 303)


@contacts.post("/contacts/properties/<key>/archive")
def archive_property(key: str) -> Any:
    service.archive_property(key)
    flash("The property is no longer offered. Values and answers keep it.", "good")
    return redirect(url_for("contacts.properties"), 303)
