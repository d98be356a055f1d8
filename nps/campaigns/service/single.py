"""One person asked through the same gates: events, the API."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from nps.accounts import queries as accounts
from nps.campaigns import queries
from nps.campaigns.errors import WrongState
from nps.campaigns.models import Invitation
from nps.campaigns.queries import gates as gates_sql
from nps.campaigns.rules import gates, windows
from nps.campaigns.rules.gates import Reason
from nps.campaigns.rules.states import CampaignState
from nps.campaigns.service import planning
from nps.contacts import queries as contacts
from nps.core import clock, tenancy
from nps.core.db import db


@dataclass(frozen=True)
class Reply:
    """`planned` with `due_at` (and the reason of a wait), or not sent with the reason."""

    planned: bool
    invitation_id: UUID | None
    due_at: datetime | None = None
    reason: str | None = None
    until: datetime | None = None


def invite_one(contact_id: UUID, campaign_id: UUID, *, delay: timedelta = timedelta(0)) -> Reply:
    """Ask this contact in a running campaign, through every gate. Raises NotFound, WrongState.

    A second call finds the invitation and answers `already_invited`. In an event campaign each call is an occasion of its own.
    """
    now = clock.now()
    campaign, contact = queries.get_campaign(campaign_id), contacts.get_contact(contact_id)
    if campaign.state not in (CampaignState.RUNNING, CampaignState.PAUSED):
        raise WrongState("Nobody was asked: this campaign is not running. Start it first, or choose another one.")
    account = accounts.get_account(tenancy.current())
    wave = queries.get_wave(campaign.id, campaign.wave)
    number = wave.number if campaign.kind != "event" else _occasion(campaign_id, contact_id)
    zone = ZoneInfo(windows.zone_of(contact.time_zone, contact.country, account.time_zone))
    terms = gates_sql.terms_of(campaign, account, now, zone=None)
    verdict = gates.decide(gates_sql.facts_of(contact, campaign, now, wave=number), terms)
    if verdict.reason in (Reason.ALREADY_INVITED, Reason.NOT_IN_AUDIENCE, Reason.NOT_SAMPLED):
        return Reply(False, None, reason=verdict.reason)
    window, at = windows.from_json(campaign.window), now + delay
    open_now = campaign.send_now or windows.inside(at, window, zone)
    due = at if open_now else windows.next_due(at, window, zone, windows.person_key(campaign.id.hex, contact.id.hex))
    invitation = Invitation(
        campaign_id=campaign.id,
        wave=number,
        contact_id=contact.id,
        channel=campaign.channel,
        state="skipped" if verdict.final else "planned",
        reason=verdict.reason,
        reason_until=verdict.until,
        due_at=None if verdict.final else due,
        look_at=None if verdict.final else max(due, verdict.until or due),
        survey_version_id=wave.survey_version_id,
        created_at=now,
    )
    db.session.add(invitation)
    db.session.flush()
    if verdict.final:
        return Reply(False, invitation.id, reason=verdict.reason)
    planning.wake_writer()
    return Reply(True, invitation.id, due, verdict.reason, verdict.until)


def _occasion(campaign_id: UUID, contact_id: UUID) -> int:
    last = select(func.max(Invitation.wave)).where(Invitation.campaign_id == campaign_id, Invitation.contact_id == contact_id)
    return (db.session.scalar(last) or 0) + 1
