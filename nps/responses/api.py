"""`/api/v1/responses`: what people answered."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from nps.api.blueprint import Api
from nps.api.paging import page
from nps.core.db import db
from nps.core.errors import NotFound
from nps.responses.models import Response
from nps.responses.schemas import EXAMPLE, ResponseOut, ResponsePage, ResponsesQuery, response

blueprint = Api("responses_api", __name__, tag="Responses")


@blueprint.get("/responses")
@blueprint.input(ResponsesQuery, location="query")
@blueprint.output(ResponsePage, example={"data": [EXAMPLE], "next": None})
def list_responses(query_data: ResponsesQuery) -> Any:
    """List responses

    In the order in which they were stored; every state, so that recorded is counted plus left out. Only verified ones count.
    """
    wanted = {
        Response.campaign_id: query_data.campaign,
        Response.contact_id: query_data.contact,
        Response.nps_group: query_data.nps_group,
        Response.state: query_data.state,
    }
    query = select(Response).where(*(column == value for column, value in wanted.items() if value is not None))
    if query_data.created_since is not None:
        query = query.where(Response.first_at >= query_data.created_since)
    if query_data.created_until is not None:
        query = query.where(Response.first_at < query_data.created_until)
    if query_data.updated_since is not None:
        query = query.where(Response.changed_at >= query_data.updated_since)
    rows, following = page(query, Response.id, query_data)
    return {"data": [response(row) for row in rows], "next": following}


@blueprint.get("/responses/<uuid:response_id>")
@blueprint.output(ResponseOut, example=EXAMPLE)
def get_response(response_id: UUID) -> Any:
    """Get a response"""
    found = db.session.scalars(select(Response).where(Response.id == response_id)).one_or_none()
    if found is None:
        raise NotFound("There is no such response.")
    return response(found)
