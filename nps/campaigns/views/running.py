"""What a member does while a campaign runs, and the figures that redraw themselves."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for

from nps.campaigns import queries, service
from nps.campaigns.rules import words
from nps.campaigns.views.editor import blueprint, counted, running_page
from nps.core import clock
from nps.core.errors import DomainError
from nps.web import current

STOP_POLLING = 286
"""htmx's own status: take this answer and ask no more."""


@blueprint.get("/<uuid:campaign_id>/progress")
def progress(campaign_id: UUID) -> Any:
    """The figures alone."""
    campaign = queries.get_campaign(campaign_id)
    found = queries.progress(campaign, clock.now())
    page = render_template("campaigns/_progress.html", campaign=campaign, progress=found, counted=counted(campaign))
    return page, 200 if campaign.state == "running" else STOP_POLLING


@blueprint.post("/<uuid:campaign_id>/pauses")
def pause(campaign_id: UUID) -> Any:
    service.pause(campaign_id, by_name=current.user.name)
    flash("Paused. Mails already in a transaction are finished; nothing else leaves.", "good")
    return redirect(url_for(".show", campaign_id=campaign_id), 303)


@blueprint.post("/<uuid:campaign_id>/resumptions")
def resume(campaign_id: UUID) -> Any:
    lapsed = service.resume(campaign_id, by_name=current.user.name)
    more = f" {lapsed:,} lapsed meanwhile; they are listed below." if lapsed else ""
    flash(f"It goes on where it stopped. Nobody is asked twice.{more}", "good")
    return redirect(url_for(".show", campaign_id=campaign_id), 303)


@blueprint.post("/<uuid:campaign_id>/stops")
def stop(campaign_id: UUID) -> Any:
    service.stop(campaign_id, close_links=request.form.get("links") == "close", by_name=current.user.name)
    flash("Stopped. What was not sent is called off.", "good")
    return redirect(url_for(".show", campaign_id=campaign_id), 303)


@blueprint.post("/<uuid:campaign_id>/archivings")
def archive(campaign_id: UUID) -> Any:
    closed = service.archive(campaign_id)
    flash("Archived." + (f" {closed.links:,} open links closed with it." if closed.links else ""), "good")
    return redirect(url_for(".index"), 303)


@blueprint.post("/<uuid:campaign_id>/resends")
def resend(campaign_id: UUID) -> Any:
    """Send unknown messages once more, with their number typed."""
    try:
        count = service.send_unknown_again(campaign_id, words.read_number(request.form.get("typed", "")))
    except DomainError as refused:
        return running_page(queries.get_campaign(campaign_id), error=refused.message), 422
    flash(f"{count:,} are sent once more.", "good")
    return redirect(url_for(".show", campaign_id=campaign_id), 303)
