"""The list and the editor: Who → Message → When → Check and send, with the preview beside it."""

import base64
import json
import zlib
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, flash, g, make_response, redirect, render_template, request, url_for

from nps.campaigns import forms, queries, service
from nps.campaigns.errors import ChangedMeanwhile
from nps.campaigns.models import Campaign
from nps.campaigns.rules import limits, states, windows, words
from nps.contacts import queries as contacts
from nps.core import clock, ids
from nps.core.errors import DomainError, Invalid, NotFound
from nps.surveys import queries as surveys
from nps.surveys import rules as survey_rules
from nps.surveys.models import Survey
from nps.web import current

blueprint = Blueprint("campaigns", __name__)

STEPS = ("who", "message", "when", "send")
TITLES = {"who": "Who", "message": "Message", "when": "When", "send": "Check and send"}
FORMS: dict[str, type[forms.Step]] = {"who": forms.WhoForm, "message": forms.MessageForm, "when": forms.WhenForm}
MAIL_FIELDS = ("subject", "preview", "product", "whom", "intro", "closing", "from_name", "sender_name", "sender_role", "brand_color")
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; sandbox allow-same-origin"
)
"""Mail carries its styles inline and may do nothing else: no script, no picture, no link that leaves the frame."""
PREVIEW_MOST = 64 * 1024


def zone() -> ZoneInfo:
    return ZoneInfo(current.account.time_zone)


@blueprint.get("")
def index() -> Any:
    """Every campaign, newest first."""
    archived = request.args.get("v") == "archived"
    found = [c for c in queries.list_campaigns(archived=True) if bool(c.archived_at) == archived]
    lines = queries.list_lines(found)
    return render_template("campaigns/index.html", lines=lines, archived=archived, words=states.WORDS, any=bool(queries.count_campaigns()))


@blueprint.get("/new")
def new() -> Any:
    """A name is all that is asked; the rest is filled in."""
    form = forms.NameForm(name=f"Relationship survey, {clock.now().astimezone(zone()):%B %Y}")
    return render_template("campaigns/new.html", form=form)


@blueprint.post("")
def create() -> Any:
    form = forms.NameForm()
    try:
        campaign = service.create(form.name.data or "", by=current.user.id)
    except Invalid as refused:
        form.refuse(refused)
        return render_template("campaigns/new.html", form=form), 422
    return redirect(url_for(".show", campaign_id=campaign.id), 303)


@blueprint.get("/<uuid:campaign_id>")
def show(campaign_id: UUID) -> Any:
    """The editor while it is a draft, else how it goes."""
    campaign = queries.get_campaign(campaign_id)
    if campaign.state == states.CampaignState.ARCHIVED and not campaign.wave:
        raise NotFound
    if campaign.state not in states.EDITABLE:
        return running_page(campaign)
    step = request.args.get("step", "who") if campaign.state == states.CampaignState.DRAFT else "send"
    return editor_page(campaign, step if step in STEPS else "who")


@blueprint.post("/<uuid:campaign_id>")
def save(campaign_id: UUID) -> Any:
    """Save one step; go on, or stay."""
    campaign = queries.get_campaign(campaign_id)
    step = request.form.get("step", "")
    if step not in FORMS:
        raise NotFound
    form = filled(FORMS[step](), campaign)
    try:
        service.check_unchanged(campaign, form.seen_at(), current.user.id)
        keep = isinstance(form, forms.MessageForm) and bool(form.keep_leading.data)
        service.edit(
            campaign,
            form.settings(zone()),
            texts=form.words(),
            by=current.user.id,
            by_name=current.user.name,
            property_keys=property_keys(),
            keep_leading=keep,
        )
    except ChangedMeanwhile as clash:
        return editor_page(campaign, step, form, clash=clash.message), 409
    except DomainError as refused:
        form.refuse(refused)
        return editor_page(campaign, step, form, leading=refused.code == "leading"), refused.status
    after = STEPS[STEPS.index(step) + 1] if request.form.get("do") == "next" else step
    return redirect(url_for(".show", campaign_id=campaign.id, step=after), 303)


def property_keys() -> tuple[str, ...]:
    return tuple(contacts.properties())


def filled(form: forms.Step, campaign: Campaign) -> forms.Step:
    """The form with its choices."""
    if isinstance(form, forms.WhoForm):
        form.offer(queries.list_segments(), f"Every contact, {contacts.count_contacts():,}")
    if isinstance(form, forms.MessageForm):
        form.offer(service.reply_addresses())
    return form


def editor_page(campaign: Campaign, step: str, form: forms.Step | None = None, *, clash: str = "", leading: bool = False) -> Any:
    """One step; with `form` what was typed and refused, with `clash` both versions."""
    survey = surveys.get_survey(campaign.survey_id)
    stored: forms.Step | None = None
    if step in FORMS:
        stored = filled(FORMS[step](formdata=None), campaign)
        stored.fill(campaign, survey, zone())
    shown = form or stored
    if shown is not None:
        shown.seen.data = campaign.edited_at.isoformat()
    differences = _differences(shown, stored) if clash and shown is not None and stored is not None else []
    extra = _send_facts(campaign) if step == "send" else _who_facts(campaign) if step == "who" else _mail_facts(campaign, survey)
    return render_template(
        f"campaigns/{step}.html",
        campaign=campaign,
        survey=survey,
        step=step,
        at=STEPS.index(step) + 1,
        steps=[(TITLES[name], _step_url(campaign, name)) for name in STEPS],
        form=shown,
        clash=clash,
        differences=differences,
        leading=leading,
        **extra,
    )


def _step_url(campaign: Campaign, step: str) -> str | None:
    return url_for(".show", campaign_id=campaign.id, step=step) if service.may_edit(campaign) else None


def _differences(typed: forms.Step, stored: forms.Step) -> list[tuple[str, str, str]]:
    """(label, now saved, typed) where the two differ."""
    found = []
    for field in typed:
        if field.type not in ("HiddenField", "CSRFTokenField") and str(field.data or "") != str(stored[field.name].data or ""):
            found.append((field.label.text, str(stored[field.name].data or "nothing"), str(field.data or "nothing")))
    return found


# Who


def _who_facts(campaign: Campaign) -> dict[str, Any]:
    return {"seen": service.audience(campaign, current.account, clock.now()), "counted": counted(campaign)}


def counted(campaign: Campaign) -> Any:
    """A function that says a reason with its count, with this campaign's days."""
    return lambda reason, count: words.counted(reason, count, campaign.gap_days, campaign.min_age_days)


@blueprint.get("/<uuid:campaign_id>/count")
def count(campaign_id: UUID) -> Any:
    """The live count for an audience that is being chosen. Nothing is saved."""
    campaign = queries.get_campaign(campaign_id)
    form = filled(forms.WhoForm(formdata=request.args), campaign)
    chosen = form.whole("sample_percent", "gap_days", "min_age_days")
    trial = Campaign(
        id=campaign.id,
        account_id=campaign.account_id,
        kind=campaign.kind,
        state=campaign.state,
        send_now=True,
        window=campaign.window,
        **form.audience(),
        **{name: value if value >= 0 else getattr(campaign, name) for name, value in chosen.items()},
    )
    return render_template("campaigns/_count.html", seen=service.audience(trial, current.account, clock.now()), counted=counted(trial))


# Message


def _mail_facts(campaign: Campaign, survey: Survey) -> dict[str, Any]:
    contact = queries.find_example(campaign)
    copy = service.copy_for(survey_rules.wording(surveys.draft_of(survey)), current.account, campaign, contact)
    return {"copy": copy, "contact": contact, "checks": checks(copy), "test": forms.TestForm(formdata=None, test=current.user.email)}


def checks(copy: Any) -> list[tuple[str, str, bool]]:
    """(what, how it stands, is it fine) for the finished mail."""
    account = current.account
    address = bool(account.postal_address.strip())
    own = service.sends_from_own_domain(account)
    return [
        ("Readable with images off", "no images used", True),
        ("Small enough for Gmail", f"{-(-copy.size // 1024)} of 102 KB", copy.size < service.GMAIL_CUTS_AT),
        ("Plain-text version", "included", True),
        ("Stop link and postal address", "included" if address else "postal address missing", address),
        ("Your own sending domain", "verified" if own else "mail leaves from our address until then", own),
    ]


@blueprint.post("/<uuid:campaign_id>/preview")
def preview(campaign_id: UUID) -> Any:
    """The frame with the mail as it is being typed."""
    campaign = queries.get_campaign(campaign_id)
    form = filled(forms.MessageForm(), campaign)
    typed = {name: value for name, value in form.survey_words().items() if name in MAIL_FIELDS}
    wrong = survey_rules.check(typed, property_keys())
    usable = {name: value for name, value in typed.items() if name not in wrong}
    packed = base64.urlsafe_b64encode(zlib.compress(json.dumps(usable).encode(), 9)).decode()
    contact = queries.find_example(campaign)
    copy = service.copy_for(_typed_words(campaign, usable), current.account, campaign, contact)
    return render_template("campaigns/_preview.html", campaign=campaign, copy=copy, contact=contact, packed=packed, wrong=wrong, swap=True)


def _typed_words(campaign: Campaign, typed: dict[str, Any]) -> dict[str, Any]:
    """The draft's words with some typed ones in their place. Raises Invalid for what could not be saved either."""
    survey = surveys.get_survey(campaign.survey_id)
    if set(typed) - set(MAIL_FIELDS) or survey_rules.check(typed, property_keys()):
        raise Invalid("This preview cannot be shown. Go back to the draft; it is saved.")
    draft = survey_rules.wording(surveys.draft_of(survey))
    changed = {**draft, **typed, "brand_color": typed.get("brand_color") or draft["brand_color"]}
    return {**changed, "question": survey_rules.question(changed["product"], changed["whom"])}


def _unpacked(packed: str) -> dict[str, Any]:
    """What `preview` packed into the frame's address. Raises Invalid for anything else."""
    try:
        text = zlib.decompressobj().decompress(base64.urlsafe_b64decode(packed.encode()), PREVIEW_MOST)
        found = json.loads(text)
        if isinstance(found, dict) and all(isinstance(value, str) for value in found.values()):
            return found
    except (ValueError, zlib.error, RecursionError):
        pass
    raise Invalid("This preview cannot be shown. Go back to the draft; it is saved.")


@blueprint.get("/<uuid:campaign_id>/mail")
def mail(campaign_id: UUID) -> Any:
    """The mail itself, as the person of the preview would get it; alone or inside the frame."""
    campaign = queries.get_campaign(campaign_id)
    typed = _unpacked(request.args["t"]) if request.args.get("t") else {}
    copy = service.copy_for(_typed_words(campaign, typed), current.account, campaign, queries.find_example(campaign))
    if request.args.get("as") == "text":
        return Response(copy.text, content_type="text/plain; charset=utf-8")
    answer = make_response(copy.html)
    answer.headers["Content-Security-Policy"] = MAIL_POLICY
    return answer


@blueprint.post("/<uuid:campaign_id>/tests")
def test(campaign_id: UUID) -> Any:
    """Send the saved draft to a few members."""
    campaign = queries.get_campaign(campaign_id)
    form = forms.TestForm()
    try:
        sent = service.send_test(campaign.id, form.addresses(), contact=queries.find_example(campaign))
    except DomainError as refused:
        flash(refused.message, "bad")
        if refused.status != 422:
            raise
        return editor_page(campaign, "message"), 422
    flash(sent.said, "warn" if sent.left_out else "good")
    return redirect(url_for(".show", campaign_id=campaign.id, step="message"), 303)


@blueprint.post("/<uuid:campaign_id>/visits")
def visit(campaign_id: UUID) -> Any:
    """Open the survey page with the saved words; what is answered there is marked and never counted."""
    invitation = service.open_test(campaign_id)
    return redirect(f"/s/{ids.sign('survey', invitation.account_id, invitation.id)}", 303)


# Check and send


def _send_facts(campaign: Campaign) -> dict[str, Any]:
    now = clock.now()
    seen = service.audience(campaign, current.account, now)
    days = service.days_of(campaign, seen.askable)
    first = windows.parts(seen.askable, days)[0] if seen.askable else 0
    return {
        "seen": seen,
        "counted": counted(campaign),
        "blocked": service.problems(campaign, current.account),
        "advice": service.advice(campaign, current.account),
        "days": days,
        "first": first,
        "ends": service.last_day(campaign, current.account, days, now),
        "expected": queries.expected(now),
        "hours": queries.hours(campaign, current.account, now),
        "window": windows.from_json(campaign.window),
        "audience_name": queries.segment_name(campaign.segment_id),
        "typed_over": limits.TYPED_OVER,
        "nobody": words.nobody(seen.reasons, campaign.gap_days, campaign.min_age_days) if not seen.askable else "",
        "send": g.get("send_form") or forms.SendForm(formdata=None, matched=str(seen.matched)),
    }


@blueprint.post("/<uuid:campaign_id>/launches")
def launch(campaign_id: UUID) -> Any:
    """Start it, or let it wait for its time."""
    campaign = queries.get_campaign(campaign_id)
    form = forms.SendForm()
    matched = words.read_number(form.matched.data or "")
    try:
        service.launch(campaign.id, by_name=current.user.name, matched=matched, typed=form.typed.data or "", at=campaign.start_at)
    except DomainError as refused:
        if refused.code == "already_started":
            flash(refused.message, "warn")
            return redirect(url_for(".show", campaign_id=campaign.id), 303)
        form.refuse(refused)
        form.matched.data = str(service.audience(campaign, current.account, clock.now()).matched)
        g.send_form = form
        return editor_page(campaign, "send"), refused.status
    flash("It is waiting for its time." if campaign.state == "scheduled" else "It has started. The first mails leave now.", "good")
    return redirect(url_for(".show", campaign_id=campaign.id), 303)


@blueprint.post("/<uuid:campaign_id>/draft")
def back_to_draft(campaign_id: UUID) -> Any:
    """Take a scheduled start back."""
    campaign = service.unschedule(campaign_id)
    flash("The start is called off. The campaign is a draft again.", "good")
    return redirect(url_for(".show", campaign_id=campaign.id, step="when"), 303)


@blueprint.post("/<uuid:campaign_id>/copies")
def copy(campaign_id: UUID) -> Any:
    made = service.copy(campaign_id, by=current.user.id)
    return redirect(url_for(".show", campaign_id=made.id), 303)


@blueprint.post("/<uuid:campaign_id>/discards")
def discard(campaign_id: UUID) -> Any:
    campaign = queries.get_campaign(campaign_id)
    service.discard(campaign)
    flash(f"“{campaign.name}” was discarded.", "good")
    return redirect(url_for(".index"), 303)


# While it runs


def running_page(campaign: Campaign, *, error: str = "") -> Any:
    """How it goes, with what a member can do about it."""
    now = clock.now()
    return render_template(
        "campaigns/running.html",
        campaign=campaign,
        survey=surveys.get_survey(campaign.survey_id),
        progress=queries.progress(campaign, now),
        counted=counted(campaign),
        words=states.WORDS,
        paused=states.PAUSE_WORDS.get(states.PauseReason(campaign.paused_reason)) if campaign.paused_reason else "",
        audience_name=queries.segment_name(campaign.segment_id),
        window=windows.from_json(campaign.window),
        open_links=service.open_links(campaign.id),
        held=service.held_words(),
        error=error,
    )
