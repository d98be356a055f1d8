"""Larkfield on a Tuesday in October: customers, answers, a team, cases."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from nps.accounts import service as accounts
from nps.accounts.models import Account, Membership, User
from nps.campaigns.models import Campaign, Invitation
from nps.contacts import service as contacts
from nps.contacts.models import Contact
from nps.core import clock as product_clock
from nps.core.db import db
from nps.followups import queries
from nps.followups import service as followups
from nps.followups.models import Case, Queue
from nps.responses.models import Response
from nps.surveys import service as surveys
from nps.surveys.models import SurveyVersion

NEW_YORK = ZoneInfo("America/New_York")
# Case 1 of the worked clocks begins here: Monday 5 October 2026, 11:58 in New York.
MONDAY_1158 = datetime(2026, 10, 5, 15, 58, tzinfo=UTC)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)


@pytest.fixture
def monday(clock: Any, account: Account) -> datetime:
    """It is Monday 5 October 2026, 11:58 in New York."""
    clock.at(MONDAY_1158)
    return MONDAY_1158


class Larkfield:
    """What these tests ask for, in one place."""

    def __init__(self, account: Account, owner: Membership) -> None:
        self.account, self.owner = account, owner
        self._survey: tuple[UUID, UUID, UUID] | None = None
        self._count = 0

    def member(self, name: str, role: str = "responder") -> Membership:
        self._count += 1
        user = accounts.create_user(f"member{self._count}@larkfield.example", name)
        made = Membership(user_id=user.id, role=role, created_at=product_clock.now())
        db.session.add(made)
        db.session.flush()
        return made

    def user_of(self, member: Membership) -> User:
        return db.session.get(User, member.user_id)

    def contact(self, name: str = "Dana Whitfield", **fields: Any) -> Contact:
        self._count += 1
        data = {"email": f"person{self._count}@brightoak.example", "name": name, "company": "Bright Oak Dental", **fields}
        return contacts.upsert({key: value for key, value in data.items() if value is not None})[0]

    def minute(self) -> datetime:
        """The minute that has begun: answers come on the minute here, so that due times can be read off a clock."""
        return product_clock.now().replace(second=0, microsecond=0)

    def response(
        self, contact: Contact, score: int = 3, comment: str = "", wants_reply: bool = False, at: datetime | None = None
    ) -> Response:
        now = at or self.minute()
        campaign_id, version_id = self._asked_with()
        self._count += 1
        invitation = Invitation(
            campaign_id=campaign_id, wave=self._count, contact_id=contact.id, state="answered", asked_at=now, survey_version_id=version_id,
            created_at=now, asked_properties={},
        )  # fmt: skip
        db.session.add(invitation)
        db.session.flush()
        group = "detractor" if score <= 6 else "passive" if score <= 8 else "promoter"
        made = Response(
            invitation_id=invitation.id, contact_id=contact.id, campaign_id=campaign_id, survey_version_id=version_id, score=score,
            first_score=score, nps_group=group, comment=comment, wants_reply=wants_reply, state="verified", first_at=now,
            first_day=now.astimezone(NEW_YORK).date(), verified_at=now, changed_at=now, signals=[], answered_properties={},
        )  # fmt: skip
        db.session.add(made)
        db.session.flush()
        return made

    def _asked_with(self) -> tuple[UUID, UUID]:
        if self._survey is None:
            now = product_clock.now()
            survey = surveys.create("Relationship")
            version = SurveyVersion(survey_id=survey.id, number=1, wording={}, content_hash="c", question_hash="q", created_at=now)
            campaign = Campaign(name="Autumn relationship", survey_id=survey.id, edited_at=now, created_at=now, window={})
            db.session.add_all([version, campaign])
            db.session.flush()
            self._survey = survey.id, version.id, campaign.id
        return self._survey[2], self._survey[1]

    def queue(self, **changes: Any) -> Queue:
        queue = followups.default_queue()
        for name, value in changes.items():
            setattr(queue, name, value)
        db.session.flush()
        return queue

    def case(self, score: int = 3, contact: Contact | None = None, comment: str = "The feed is down.", **given: Any) -> Case:
        contact = contact or self.contact()
        wants = given.get("wants_reply", False)
        response = self.response(contact, score, comment, wants)
        values = {"started_at": self.minute(), "score": score, "rule": "the rule “Detractors”", **given}
        return followups.open_case(contact.id, response.id, **values)


@pytest.fixture
def larkfield(account: Account, owner: User, monday: datetime) -> Larkfield:
    from_account = next(member for member, user in queries.list_workers() if user.id == owner.id)
    return Larkfield(account, from_account)


Opener = Callable[..., Case]
