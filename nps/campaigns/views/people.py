"""Who was asked and who was not, with reasons: the list, the file, and every gate for one person."""

import tempfile
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import render_template, request, send_file

from nps.campaigns import queries, service
from nps.campaigns.models import Invitation
from nps.campaigns.queries import gates as gates_sql
from nps.campaigns.rules import gates as rules
from nps.campaigns.rules import states, windows, words
from nps.campaigns.views.editor import blueprint
from nps.contacts import queries as contacts
from nps.core import clock
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
    service.note_act(campaign, "exported", current.user.name)
    keys = queries.asked_keys(campaign.id)
    header = [*queries.EXPORTED, queries.HELD, *(f"asked.{key}" for key in keys)]
    # written while the database is at hand, sent from memory or, when large, from disk
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  closed by the answer
    for part in csv_stream(header, queries.export_rows(campaign.id, keys, with_address=current.may("addresses"))):
        file.write(part)
    file.seek(0)
    name = "".join(c if c.isalnum() else "-" for c in campaign.name.lower())[:60].strip("-") or "campaign"
    return send_file(file, mimetype="text/csv; charset=utf-8", as_attachment=True, download_name=f"invitations-{name}.csv")


@blueprint.get("/<uuid:campaign_id>/gates")
def gates(campaign_id: UUID) -> Any:
    """Every gate in order for one person, now: passed, waits, final or not reached."""
    campaign = queries.get_campaign(campaign_id)
    contact = _contact(request.args.get("contact", ""), request.args.get("q", ""))
    rows, own = [], None
    if contact is not None:
        now = clock.now()
        zone = ZoneInfo(windows.zone_of(contact.time_zone, contact.country, current.account.time_zone))
        terms = gates_sql.terms_of(campaign, current.account, now, zone=zone)
        own = next((i for i, _ in queries.list_of_contact(contact.id) if i.campaign_id == campaign.id and not i.is_test), None)
        # whoever was not asked yet is looked at as the writer will look at them
        waiting = own is not None and own.state in ("planned", "skipped")
        rows = explained(gates_sql.facts_of(contact, campaign, now, wave=None if waiting else campaign.wave or None, own=own), terms)
    return render_template(
        "campaigns/gates.html",
        campaign=campaign,
        contact=contact,
        rows=rows,
        own=own,
        q=request.args.get("q", ""),
        states=states.INVITATION_WORDS,
        said=lambda reason: words.reason_words(reason, campaign.gap_days, campaign.min_age_days),
    )


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
