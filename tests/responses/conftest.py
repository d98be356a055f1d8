"""People who were asked, and what their links stand for."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from nps.accounts.models import Account
from nps.campaigns.models import Campaign, Invitation
from nps.contacts import service as contacts
from nps.contacts.models import Contact
from nps.core import clock, ids
from nps.core.db import db
from nps.responses import queries
from nps.responses.models import Response
from nps.surveys import service as surveys

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36"


@dataclass
class Asked:
    """Somebody with a survey link, and a browser that was never here before."""

    contact: Contact
    invitation: Invitation
    client: FlaskClient
    agent: str = BROWSER
    address: str = "198.51.100.7"

    @property
    def token(self) -> str:
        return ids.sign("survey", self.invitation.account_id, self.invitation.id)

    @property
    def path(self) -> str:
        return f"/s/{self.token}"

    def _from(self) -> dict[str, Any]:
        return {"headers": {"User-Agent": self.agent}, "environ_overrides": {"REMOTE_ADDR": self.address}}

    def get(self, score: object = None, path: str = "", method: str = "GET") -> Any:
        query = {} if score is None else {"score": str(score)}
        return self.client.open(self.path + path, method=method, query_string=query, **self._from())

    def nonce(self, page: Any) -> str:
        return page.text.split('name="form" value="', 1)[1].split('"', 1)[0] if 'name="form" value="' in page.text else ""

    def post(self, data: dict[str, Any], path: str = "") -> Any:
        return self.client.post(self.path + path, data=data, **self._from())

    def answer(self, score: object, why: str = "", reply: bool = False, hand: str = "press", **more: Any) -> Any:
        """Open the link of a number and send the form, as a person with a mouse does."""
        form = {"form": self.nonce(self.get(score)), "hand": hand, "score": str(score), "why": why, **more}
        return self.post(form | ({"reply": "1"} if reply else {}))

    def scan(self, score: int, **more: Any) -> Any:
        """Send the form as a page's script does when nobody touches the page."""
        return self.answer(score, hand="none", **more)

    def confirm(self, score: object, hand: str = "press") -> Any:
        return self.post({"form": self.nonce(self.get()), "hand": hand, "score": str(score)}, "/check")

    def response(self) -> Response | None:
        db.session.expire_all()
        return queries.find_response(self.invitation.id)


@pytest.fixture
def campaign(account: Account) -> Campaign:
    """A campaign that runs, with its survey."""
    now = clock.now()
    survey = surveys.create("Autumn relationship")
    made = Campaign(name="Autumn relationship", survey_id=survey.id, state="running", edited_at=now, created_at=now, launched_at=now)
    db.session.add(made)
    db.session.commit()
    return made


@pytest.fixture
def asked(campaign: Campaign, client: FlaskClient) -> Callable[..., Asked]:
    """asked("Dana Whitfield") was mailed an hour ago."""

    def make(name: str = "Dana Whitfield", *, email: str | None = None, minutes_ago: float = 60, days: int = 30, **fields: Any) -> Asked:
        given = {"name": name, "email": email or f"{name.split()[0].lower()}@brightoak.example", "company": "Bright Oak Dental"}
        contact, _ = contacts.upsert(given)
        now = clock.now()
        values = {
            "campaign_id": campaign.id,
            "wave": 1,
            "contact_id": contact.id,
            "state": "asked",
            "asked_at": now - timedelta(minutes=minutes_ago),
            "expires_at": now + timedelta(days=days),
            "survey_version_id": surveys.freeze_version(campaign.survey_id).id,
            "created_at": now,
        }
        invitation = Invitation(**{**values, **fields})
        db.session.add(invitation)
        db.session.commit()
        return Asked(contact, invitation, client)

    return make


def response_id_of(asked: Asked) -> UUID:
    found = asked.response()
    assert found is not None
    return found.id
