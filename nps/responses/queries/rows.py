"""Responses by id, their versions, further answers and hits."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from nps.core.db import db
from nps.core.errors import NotFound
from nps.core.prepared import Finder
from nps.responses.models import Hit, Response, ResponseAnswer, ResponseVersion

_response = Finder(Response)


def get_response(response_id: UUID) -> Response:
    """Raises NotFound."""
    found = _response(response_id)
    if found is None:
        raise NotFound
    return found


def find_response(invitation_id: UUID) -> Response | None:
    """The one response of an invitation."""
    return db.session.scalar(select(Response).where(Response.invitation_id == invitation_id))


def list_of_contact(contact_id: UUID) -> Sequence[Response]:
    """A person's answers, newest first, without tests."""
    query = select(Response).where(Response.contact_id == contact_id, Response.is_test.is_(False))
    return db.session.scalars(query.order_by(Response.first_at.desc())).all()


def list_hits(invitation_id: UUID) -> Sequence[Hit]:
    """All hits on a link, oldest first; the first thousand."""
    return db.session.scalars(select(Hit).where(Hit.invitation_id == invitation_id).order_by(Hit.occurred_at, Hit.id).limit(1000)).all()


def list_versions(response_id: UUID) -> Sequence[ResponseVersion]:
    """Each state the answer was in, first to last."""
    return db.session.scalars(
        select(ResponseVersion).where(ResponseVersion.response_id == response_id).order_by(ResponseVersion.number)
    ).all()


def last_version(response_id: UUID) -> ResponseVersion | None:
    """What was said last, whether it was taken or not."""
    return db.session.scalar(
        select(ResponseVersion).where(ResponseVersion.response_id == response_id).order_by(ResponseVersion.number.desc()).limit(1)
    )


def find_answer(response_id: UUID, question: str) -> ResponseAnswer | None:
    return db.session.scalar(select(ResponseAnswer).where(ResponseAnswer.response_id == response_id, ResponseAnswer.question == question))


def list_answers(response_id: UUID) -> Sequence[ResponseAnswer]:
    """Further answers (the one tap), oldest first."""
    return db.session.scalars(
        select(ResponseAnswer).where(ResponseAnswer.response_id == response_id).order_by(ResponseAnswer.occurred_at)
    ).all()
