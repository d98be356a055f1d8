"""Reads of surveys and their versions."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from nps.core import tenancy
from nps.core.db import db
from nps.core.errors import NotFound
from nps.surveys import rules
from nps.surveys.models import Survey, SurveyVersion


def get_survey(survey_id: UUID) -> Survey:
    """Raises NotFound."""
    found = db.session.get(Survey, (tenancy.current(), survey_id))
    if found is None:
        raise NotFound
    return found


def get_version(version_id: UUID) -> SurveyVersion:
    """The frozen words of a message or an answer. Raises NotFound."""
    found = db.session.get(SurveyVersion, (tenancy.current(), version_id))
    if found is None:
        raise NotFound
    return found


def find_version(survey_id: UUID, content_hash: str) -> SurveyVersion | None:
    """The version of a survey with exactly these words."""
    return db.session.scalar(select(SurveyVersion).where(SurveyVersion.survey_id == survey_id, SurveyVersion.content_hash == content_hash))


def list_versions(survey_id: UUID) -> Sequence[SurveyVersion]:
    """Oldest first."""
    return db.session.scalars(select(SurveyVersion).where(SurveyVersion.survey_id == survey_id).order_by(SurveyVersion.number)).all()


def draft_of(survey: Survey) -> rules.Draft:
    """The words of the draft as the rules take them."""
    values = {field: getattr(survey, field) for field in rules.FIELDS}
    return rules.Draft(**{**values, "one_tap_options": tuple(survey.one_tap_options)}, kind=survey.kind, language=survey.language)
