"""Pages for members: the lists of answers, one answer with what was seen of it, and the decisions about answers."""

import tempfile
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, current_app, flash, redirect, render_template, request, send_file, url_for

from nps.accounts import queries as accounts
from nps.accounts import service as accounts_service
from nps.campaigns.queries import reads as campaigns
from nps.contacts import queries as contacts
from nps.contacts.rules.properties import shown
from nps.contacts.rules.timeline import Entry, Panel
from nps.core import clock, spreadsheet
from nps.core.db import turn_to_writing
from nps.core.errors import DomainError, Invalid, NotFound
from nps.responses import drawing, queries, rules, service
from nps.responses import models as tables
from nps.responses.queries import Filters
from nps.responses.rules import Tab
from nps.web import current

blueprint = Blueprint("responses", __name__)
IN_MEMORY = 4 * 1024 * 1024
PERIODS = {"30": 30, "90": 90, "365": 365, "all": None}


@blueprint.get("/responses")
def index() -> Any:
    """One tab of the answers, the newest first."""
    filters = asked()
    found = queries.page_responses(filters, request.args.get("after") or None)
    page = drawing.ListPage(
        filters=filters,
        period=period(),
        rows=rows_of(found.rows),
        tally=queries.tally(Filters(filters.since, filters.until)),
        matching=queries.count_matching(filters),
        start=max(1, whole(request.args.get("from"), 1)),
        after=found.after,
        attempts=queries.waiting_attempts(filters) if filters.tab is Tab.CHECK else (),
        today=today(),
    )
    return render_template("responses/index.html", page=page, undo=request.args.get("undo", ""), link=link_to, names=names())


@blueprint.get("/responses.csv")
def download() -> Any:
    """The same answers as a file."""
    filters = asked()
    # written while the database is at hand, sent from memory or, when large, from disk
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  closed by the answer
    for part in spreadsheet.csv_stream(*queries.export_rows(filters)):
        file.write(part)
    file.seek(0)
    facts = {"tab": filters.tab.value, "rows": queries.count_matching(filters)}
    turn_to_writing()
    accounts_service.audit(accounts.get_user(current.member.user_id).name, "responses.exported", kind="responses", facts=facts)
    name = f"responses-{today().isoformat()}.csv"
    return send_file(file, mimetype="text/csv; charset=utf-8", as_attachment=True, download_name=name)


@blueprint.get("/responses/<uuid:response_id>")
def show(response_id: UUID) -> Any:
    """One answer: what was said, what was seen of the visit, what counting it does or did."""
    response = queries.get_response(response_id)
    contact = contacts.find_contact(response.contact_id) if response.contact_id else None
    invitation = campaigns.find_invitation(response.invitation_id)
    page = drawing.AnswerPage(
        response=response,
        contact=contact,
        invitation=invitation,
        campaign=campaigns.find_campaign(response.campaign_id) if response.campaign_id else None,
        hits=queries.list_hits(response.invitation_id),
        versions=queries.list_versions(response_id),
        answers=queries.list_answers(response_id),
        place=queries.place_in_check(response),
        around=queries.neighbours(response),
        tally=queries.tally(Filters(today() - timedelta(days=89), today())),
        outlook=outlook(response),
        timed=not current.settings().mail_url.startswith("mailbox:"),
        now=clock.now(),
    )
    page.at_domain = queries.waiting_at_domain(page.domain) if page.waits else 0
    return render_template(
        "responses/show.html", page=page, link=link_to, names=names(), decided_by=decided_by(response), undo=request.args.get("undo", "")
    )


@blueprint.post("/responses/verdicts")
def decide() -> Any:
    """Count or leave out one answer or many, or take the last decision back."""
    chosen, back = ids_from(request.form.getlist("response")), request.form.get("back", "")
    try:
        if request.form.get("do") == "undo":
            done, said = service.undo(instant(request.form.get("at", "")), current.member), "{} as before."
        elif not chosen:
            raise Invalid("No answer was chosen. Nothing was changed; tick at least one.")
        elif request.form.get("do") == "count":
            done, said = service.count(chosen, current.member), "{} counted. Who did it and when is kept."
        else:
            done, said = (
                service.leave_out(chosen, request.form.get("reason", "automatic"), current.member),
                "{} left out. Nothing is deleted.",
            )
    except (Invalid, DomainError) as error:
        if isinstance(error, NotFound):
            raise
        flash(error.message, "warn")
        return redirect(address_back(back, chosen), 303)
    flash(said.format(f"{len(done)} answer{'s are' if len(done) > 1 else ' is'}"), "good")
    at = done[0].reviewed_at
    return redirect(address_back(back, [done[0].id], undo=at.isoformat() if at else ""), 303)


@blueprint.post("/responses/seen")
def count_seen() -> Any:
    """The account's switch: do numbers count that were picked but not sent?"""
    service.count_seen(request.form.get("seen") == "1", current.member)
    flash("Saved for the account. It holds for answers from now on.", "good")
    return redirect(address_back("one", ids_from(request.form.getlist("response"))), 303)


# Reading the address


def period() -> str:
    """The asked period: 30, 90 or 365 days, or all time."""
    asked_for = request.args.get("p", "90")
    return asked_for if asked_for in PERIODS else "90"


def today() -> date:
    return clock.now().astimezone(ZoneInfo(current.account.time_zone)).date()


def asked() -> Filters:
    """The filters in the address; what does not exist is as if it were not there."""
    days = PERIODS[period()]
    tab = request.args.get("state", Tab.COUNTED.value)
    return Filters(
        since=today() - timedelta(days=days - 1) if days else None,
        until=today() if days else None,
        tab=Tab(tab) if tab in set(Tab) else Tab.COUNTED,
        words=request.args.get("q", "").replace("\x00", "")[:200].strip(),
        group=one_of("group", ("promoter", "passive", "detractor")),
        method=one_of("by", tuple(rules.Method)),
        channel=one_of("channel", tuple(drawing.CHANNELS)),
        domain=request.args.get("domain", "").replace("\x00", "")[:253],
    )


def one_of(name: str, known: Sequence[str]) -> str:
    given = request.args.get(name, "")
    return given if given in known else ""


def whole(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else otherwise


def instant(text: str) -> datetime:
    """The instant of a decision. Raises Invalid for what is none."""
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None:
            return at
    except ValueError:
        pass
    raise Invalid("There is nothing to undo. Nothing was changed.")


def ids_from(texts: Sequence[str]) -> list[UUID]:
    """The ids of a form. Raises NotFound for what is none."""
    try:
        return [UUID(text) for text in dict.fromkeys(texts[:500])]
    except ValueError:
        raise NotFound from None


def address_back(where: str, chosen: Sequence[UUID], undo: str = "") -> str:
    """Where a decision leads: to the answer it was made on, or to the list."""
    more: dict[str, Any] = {"undo": undo} if undo else {}
    if where == "one" and len(chosen) == 1:
        return url_for("responses.show", response_id=chosen[0], **more)
    return url_for("responses.index", state=where if where in set(Tab) else Tab.CHECK.value, p=request.form.get("p") or None, **more)


def link_to(**changed: Any) -> str:
    """This list with other values in the address; empty ones leave it."""
    kept = {name: value for name, value in request.args.items() if name in ("state", "q", "group", "by", "channel", "p", "domain")}
    merged = {name: value for name, value in {**kept, **changed}.items() if value not in (None, "")}
    return url_for("responses.index", **merged)


# What the pages take beside the rows


def rows_of(found: Sequence[tables.Response]) -> list[drawing.Row]:
    """Answers with their people and, where a member counted them, with that member's first name."""
    people = {contact.id: contact for contact in contacts.list_by_ids([r.contact_id for r in found if r.contact_id])}
    members = {membership.id: user.name for membership, user in accounts.list_members()} if any(r.reviewed_by_id for r in found) else {}
    return [
        drawing.Row(r, people.get(r.contact_id) if r.contact_id else None, members.get(r.reviewed_by_id, "") if r.reviewed_by_id else "")
        for r in found
    ]


def names() -> Callable[[str], str]:
    """How customers are named: viewers see initials."""
    return drawing.initials if current.member.role == "viewer" else str


def timeline(contact_id: UUID) -> list[Entry]:
    """A person's answers, on the page of that person."""
    if not current.may("responses.read"):
        return []
    name = names()(contacts.get_contact(contact_id).shown_name)
    return [drawing.timeline_entry(one, name, url_for("responses.show", response_id=one.id)) for one in queries.list_of_contact(contact_id)]


def panels(contact_id: UUID) -> list[Panel]:
    """What the first property was when the person was asked and when they answered, beside their timeline."""
    known = next(iter(contacts.properties().values()), None)
    last = next(iter(queries.list_of_contact(contact_id)), None)
    if known is None or last is None or known.key not in last.answered_properties:
        return []
    invitation = campaigns.find_invitation(last.invitation_id)
    values = {
        "label": known.label,
        "answer": last,
        "asked_at": invitation.asked_at if invitation else None,
        "asked": shown(invitation.asked_properties.get(known.key) if invitation else None, known.kind),
        "answered": shown(last.answered_properties.get(known.key), known.kind),
        "today": shown(contacts.get_contact(contact_id).properties.get(known.key), known.kind),
    }
    return [Panel("aside", "responses/_as_it_was.html", values)]


def decided_by(response: tables.Response) -> str:
    """Who decided about this answer last."""
    if response.reviewed_by_id is None:
        return ""
    return next((user.name for membership, user in accounts.list_members() if membership.id == response.reviewed_by_id), "A former member")


def outlook(response: tables.Response) -> Any:
    """What counting this answer would start, or what its routing did; told by the floor above, None where there is none."""
    told = current_app.extensions.get("answer_words", {}).get("outlook")
    return told(response) if told else None
