"""Contacts and campaigns for tests of this feature."""

from typing import Any

from nps.campaigns.models import Campaign
from nps.contacts import service as contacts
from nps.contacts.models import Contact
from nps.core import clock
from nps.core.db import db
from nps.surveys import service as surveys


def make_contact(name: str, *, email: str | None, **fields: Any) -> Contact:
    data = {"name": name, **({"email": email} if email else {"external_id": name}), **fields}
    return contacts.upsert(data)[0]


def campaign_with(name: str, **fields: Any) -> Campaign:
    """A draft campaign with a survey, as the editor makes it."""
    now = clock.now()
    survey = surveys.create(name)
    campaign = Campaign(name=name, survey_id=survey.id, created_at=now, edited_at=now, **{"reminder_days": 5, **fields})
    db.session.add(campaign)
    db.session.flush()
    return campaign
