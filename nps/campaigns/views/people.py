"""Who was asked and who was not, with reasons: the list, the file, and every gate for one person."""

import tempfile
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import render_template, request, send_file

from nps.campaigns import queries, service
from nps.campaigns.models import Campaign, Invitation
from nps.campaigns.queries import gates as gates_sql
from nps.campaigns.rules import gates as rules
from nps.campaigns.rules import states, windows, words
from nps.campaigns.rules.states import InvitationState
from nps.campaigns.views.editor import blueprint
from nps.contacts import queries as contacts
from nps.contacts.models import Contact
from nps.contacts.rules.timeline import Entry, Group, Panel
from nps.core import clock
from nps.core.db import turn_to_writing
from nps.core.spreadsheet import csv_stream
from nps.web import current
from nps.web.pages import page

IN_MEMORY = 4 * 1024 * 1024


@blueprint.get("/<uuid:campaign_id>/people")
def people(campaign_id: UUID) -> Any:
    """Everybody of the audience, by state and reason."""
    campaign = queries.get_campaign(campaign_id)
    state, reason, q = (request.args.get(name, "") for name in ("state", "reason", "q"))
    found = page(queries.people(campaign.id, state=state, reason=reason, q=q), [Invitation.id], after=request.args.get("after"))
    figures = queries.progress(campaign, clock.now())
    return render_template(
        "campaigns/people.html",
        campaign=campaign,
        page=found,
        contacts=queries.contacts_of(found.rows),
        progress=figures,
        state=state,
        reason=reason,
        q=q,
        states=states.INVITATION_WORDS,
        said=lambda row: words.reason_words(row.reason, campaign.gap_days, campaign.min_age_days),
        addresses=current.may("addresses"),
    )


@blueprint.get("/<uuid:campaign_id>/invitations.csv")
def csv(campaign_id: UUID) -> Any:
    """The same people as a file, columns as the API names them."""
    campaign = queries.get_campaign(campaign_id)
    keys = queries.asked_keys(campaign.id)
    header = [*queries.EXPORTED, queries.HELD, *(f"asked.{key}" for key in keys)]
    # written while the database is at hand, sent from memory or, when large, from disk
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  closed by the answer
    for part in csv_stream(header, queries.export_rows(campaign.id, keys, with_address=current.may("addresses"))):
        file.write(part)
    file.seek(0)
    turn_to_writing()
    service.note_act(campaign, "exported", current.user.name)
    name = "".join(c if c.isalnum() else "-" for c in campaign.name.lower())[:60].strip("-") or "campaign"
    return send_file(file, mimetype="text/csv; charset=utf-8", as_attachment=True, download_name=f"invitations-{name}.csv")


@blueprint.get("/<uuid:campaign_id>/gates")
def gates(campaign_id: UUID) -> Any:
    """Every gate in order for one person, now: passed, waits, final or not reached."""
    campaign = queries.get_campaign(campaign_id)
    contact = _contact(request.args.get("contact", ""), request.args.get("q", ""))
    return render_template("campaigns/gates.html", q=request.args.get("q", ""), **gates_of(campaign, contact))


def gates_of(campaign: Campaign, contact: Contact | None) -> dict[str, Any]:
    """What the table of gates shows of one person and campaign, looked at now."""
    rows, own = [], None
    if contact is not None:
        now = clock.now()
        zone = ZoneInfo(windows.zone_of(contact.time_zone, contact.country, current.account.time_zone))
        terms = gates_sql.terms_of(campaign, current.account, now, zone=zone)
        own = next((i for i, _ in queries.list_of_contact(contact.id) if i.campaign_id == campaign.id and not i.is_test), None)
        # whoever was not asked yet is looked at as the writer will look at them
        waiting = own is not None and own.state in ("planned", "skipped")
        rows = explained(gates_sql.facts_of(contact, campaign, now, wave=None if waiting else campaign.wave or None, own=own), terms)
    return {
        "campaign": campaign,
        "contact": contact,
        "name": _name(contact),
        "rows": rows,
        "own": own,
        "states": states.INVITATION_WORDS,
        "said": lambda reason: words.reason_words(reason, campaign.gap_days, campaign.min_age_days),
    }


def _name(contact: Contact | None) -> str:
    """What this member may read of the name."""
    if contact is None or current.member.role == "viewer":
        return "this person"
    return contact.name or (contact.shown_name if current.may("addresses") else "this person")


def timeline(contact_id: UUID) -> list[Entry]:
    """What campaigns tell on the page of a person: surveys and reminders sent, and why not."""
    made = []
    for one, name in queries.list_of_contact(contact_id):
        if one.is_test:
            continue
        if one.asked_at is not None:
            failed = " could not be delivered" if one.state == InvitationState.UNDELIVERED else " sent"
            made.append(Entry(one.asked_at, f"Survey “{name}”{failed}", Group.MESSAGES, icon="send"))
        if one.reminded_at is not None:
            made.append(Entry(one.reminded_at, f"Reminder of “{name}” sent", Group.MESSAGES, icon="mail"))
        if one.asked_at is None and one.reason:
            why, held = words.reason_words(one.reason), one.state == InvitationState.PLANNED
            text = f"{'Held back' if held else 'Not asked'} by “{name}”: {why[:1].lower()}{why[1:]}"
            made.append(Entry(one.created_at, text, Group.NOT_ASKED, icon="pause"))
    return made


def panels(contact_id: UUID) -> list[Panel]:
    """Every gate of one campaign for this person, under their timeline."""
    campaigns = queries.list_campaigns()
    if not campaigns or not current.may("campaigns.read"):
        return []
    asked = request.args.get("campaign", "")
    chosen = next((one for one in campaigns if str(one.id) == asked), campaigns[0])
    choices = [(str(one.id), one.name) for one in campaigns]
    return [Panel("below", "campaigns/_why.html", gates_of(chosen, contacts.get_contact(contact_id)) | {"choices": choices})]


def _contact(contact_id: str, q: str) -> Any:
    try:
        found = contacts.find_contact(UUID(contact_id)) if contact_id else None
    except ValueError:
        found = None
    return found or (contacts.find_by_email(q) if "@" in q else contacts.find_by_identity("external_id", q.strip()) if q.strip() else None)


def explained(facts: rules.Facts, terms: rules.Terms) -> list[dict[str, Any]]:
    """The gates with their results: what comes after the first that stops is not reached."""
    rows, stopped = [], False
    for finding in rules.look(facts, terms):
        result = "passed"
        if stopped:
            result = "not reached"
        elif finding.reason is not None:
            final = finding.final or (finding.reason == rules.Reason.THROTTLED and terms.throttled_is_final)
            result, stopped = ("stops" if final else "waits"), True
        rows.append({"gate": finding.gate, "saw": finding.saw, "result": result, "until": finding.until, "reason": finding.reason})
    return rows
