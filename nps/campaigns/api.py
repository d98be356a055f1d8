"""`/api/v1/campaigns` and `/invitations`: see what runs, and ask one contact."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from nps.api.blueprint import Api
from nps.api.paging import page
from nps.campaigns import queries, service
from nps.campaigns.models import Campaign
from nps.campaigns.schemas import (
    INVITE_EXAMPLE,
    INVITED_EXAMPLE,
    CampaignOut,
    CampaignPage,
    CampaignsQuery,
    InvitationOut,
    InviteIn,
    InviteOut,
    campaign,
    invitation,
    invited,
)
from nps.contacts import queries as contacts
from nps.core.errors import Invalid

blueprint = Api("campaigns_api", __name__, tag="Campaigns")

PLANNED: Any = {201: {"description": "The survey is planned", "content": {"application/json": {"example": INVITED_EXAMPLE}}}}


@blueprint.get("/campaigns")
@blueprint.input(CampaignsQuery, location="query")
@blueprint.output(CampaignPage)
def list_campaigns(query_data: CampaignsQuery) -> Any:
    """List campaigns"""
    query = select(Campaign)
    if query_data.state is not None:
        query = query.where(Campaign.state == query_data.state)
    rows, following = page(query, Campaign.id, query_data)
    return {"data": [campaign(row) for row in rows], "next": following}


@blueprint.get("/campaigns/<uuid:campaign_id>")
@blueprint.output(CampaignOut)
def get_campaign(campaign_id: UUID) -> Any:
    """Get a campaign"""
    return campaign(queries.get_campaign(campaign_id))


@blueprint.post("/campaigns/<uuid:campaign_id>/invitations")
@blueprint.input(InviteIn, example=INVITE_EXAMPLE)
@blueprint.output(InviteOut, example={**INVITED_EXAMPLE, "planned": False, "due_at": None, "reason": "throttled"})
@blueprint.doc(responses=PLANNED)
def invite(campaign_id: UUID, json_data: InviteIn) -> Any:
    """Send a survey to a contact

    Asks one contact in a campaign that runs, through the same gates as everybody else. 201: planned, with the time it is due and,
    if it has to wait, for what. 200: nothing is sent, with the reason. Asking the same contact again in one wave changes nothing.
    """
    found = queries.get_campaign(campaign_id)
    reply = service.invite_one(_whom(json_data), found.id, delay=timedelta(minutes=json_data.delay_minutes))
    return invited(reply), 201 if reply.planned else 200


def _whom(sent: InviteIn) -> UUID:
    """The contact meant. Raises Invalid at the field that names nobody."""
    if sent.contact_id is not None:
        field, contact = "contact_id", contacts.find_contact(sent.contact_id)
    elif sent.email is not None:
        field, contact = "email", contacts.find_by_email(sent.email)
    else:
        field, contact = "external_id", contacts.find_by_identity("external_id", sent.external_id or "")
    if contact is None or contact.erased_at is not None:
        message = "There is no such contact. Add it first."
        raise Invalid(message, code="no_such_contact", fields={field: message})
    return contact.id


@blueprint.get("/invitations/<uuid:invitation_id>")
@blueprint.output(InvitationOut)
def get_invitation(invitation_id: UUID) -> Any:
    """Get an invitation"""
    return invitation(queries.get_invitation(invitation_id))
