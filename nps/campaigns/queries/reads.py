"""Campaigns, waves and invitations by id, and lists of them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select

from nps.campaigns.models import Campaign, CampaignWave, Invitation
from nps.core import tenancy
from nps.core.db import db
from nps.core.errors import NotFound


def get_campaign(campaign_id: UUID) -> Campaign:
    """Raises NotFound."""
    found = find_campaign(campaign_id)
    if found is None:
        raise NotFound("There is no such campaign.")
    return found


def find_campaign(campaign_id: UUID) -> Campaign | None:
    return db.session.scalar(select(Campaign).where(Campaign.id == campaign_id))


def list_campaigns(*, archived: bool = False) -> Sequence[Campaign]:
    """Newest first. Discarded drafts are gone; archived ones only on request."""
    query = select(Campaign).order_by(Campaign.created_at.desc(), Campaign.id.desc())
    return db.session.scalars(query if archived else query.where(Campaign.archived_at.is_(None))).all()


def count_campaigns() -> int:
    return db.session.scalar(select(func.count()).select_from(Campaign)) or 0


def find_wave(campaign_id: UUID, number: int) -> CampaignWave | None:
    return db.session.scalar(select(CampaignWave).where(CampaignWave.campaign_id == campaign_id, CampaignWave.number == number))


def get_wave(campaign_id: UUID, number: int) -> CampaignWave:
    """Raises NotFound."""
    found = find_wave(campaign_id, number)
    if found is None:
        raise NotFound
    return found


def get_invitation(invitation_id: UUID) -> Invitation:
    """Raises NotFound."""
    found = find_invitation(invitation_id)
    if found is None:
        raise NotFound
    return found


def find_invitation(invitation_id: UUID) -> Invitation | None:
    return db.session.get(Invitation, (tenancy.current(), invitation_id))
