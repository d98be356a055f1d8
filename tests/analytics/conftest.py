"""A company that asks: makes answers with the rows they need, and publishes what the capture would publish."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest

from nps.accounts.models import Account
from nps.campaigns.models import Campaign, Invitation
from nps.contacts.models import Contact
from nps.core import clock as product_clock
from nps.core import ids, tenancy
from nps.core.db import db
from nps.core.events import publish
from nps.responses.events import ResponseRecounted, ResponseUncounted, ResponseUpdated, ResponseVerified
from nps.responses.models import Hit, Response
from nps.scoring.groups import nps_group
from nps.surveys.models import Survey

TODAY = date(2026, 10, 6)


class Asker:
    """Rows of one account, made as capture makes them. Days are in the account's zone."""

    def __init__(self, account_id: UUID) -> None:
        self.account_id = account_id
        self.numbers = 0
        now = product_clock.now()
        survey = Survey(
            name="Relationship", product="Larkfield", whom="a friend", why_detractor="?", why_passive="?", why_promoter="?",
            subject="?", edited_at=now, created_at=now,
        )  # fmt: skip
        db.session.add(survey)
        db.session.flush()
        self.survey = survey
        self.main = self.campaign("Autumn")

    def campaign(self, name: str, series: str = "relationship") -> UUID:
        now = product_clock.now()
        made = Campaign(name=name, survey_id=self.survey.id, series=series, state="running", edited_at=now, created_at=now)
        db.session.add(made)
        db.session.flush()
        return made.id

    def contact(self, **fields: Any) -> UUID:
        made = self._contact(**fields)
        db.session.add(made)
        db.session.flush()
        return made.id

    def _contact(self, **fields: Any) -> Contact:
        self.numbers += 1
        now = product_clock.now()
        email = f"c{self.numbers}@customers.example"
        return Contact(id=ids.new_id(), number=self.numbers, email=email, email_key=email, created_at=now, updated_at=now, **fields)

    def invitation(self, contact_id: UUID | None, day: date, campaign_id: UUID | None = None, **fields: Any) -> Invitation:
        made = self._invitation(contact_id, day, campaign_id, **fields)
        db.session.add(made)
        db.session.flush()
        return made

    def _invitation(self, contact_id: UUID | None, day: date, campaign_id: UUID | None = None, **fields: Any) -> Invitation:
        at = datetime.combine(day, time(12), UTC)
        self.numbers += 1
        given = {"state": "asked", "asked_at": at, "created_at": at, **fields}
        return Invitation(id=ids.new_id(), campaign_id=campaign_id or self.main, wave=self.numbers, contact_id=contact_id, **given)

    def answer(
        self, score: int, day: date = TODAY, contact_id: UUID | None = None, *, nameless: bool = False, told: bool = True, **fields: Any
    ) -> Response:
        """One answer. told: its event is published, as for every verified one."""
        return self._answers([(score, contact_id)], day, nameless, told, fields)[0]

    def answers(
        self, bars: Mapping[int, int], day: date = TODAY, *, nameless: bool = False, told: bool = True, **fields: Any
    ) -> list[Response]:
        """Many answers of as many people: {score: how many}."""
        return self._answers([(score, None) for score, count in bars.items() for _ in range(count)], day, nameless, told, fields)

    def _answers(
        self, given: list[tuple[int, UUID | None]], day: date, nameless: bool, told: bool, fields: dict[str, Any]
    ) -> list[Response]:
        campaign_id = fields.pop("campaign_id", None) or self.main
        new = [None if contact_id or nameless else self._contact() for _, contact_id in given]
        people = [made.id if made else contact_id for (_, contact_id), made in zip(given, new, strict=True)]
        invitations = [self._invitation(person, day, campaign_id, state="answered") for person in people]
        responses = [self._response(score, day, invitation, **fields) for (score, _), invitation in zip(given, invitations, strict=True)]
        for rows in ([made for made in new if made], invitations, responses):
            db.session.add_all(rows)
            db.session.flush()
        for response in responses:
            if told and response.state == "verified":
                self.tell_verified(response)
        return responses

    def _response(
        self,
        score: int,
        day: date,
        invitation: Invitation,
        properties: Mapping[str, Any] | None = None,
        state: str = "verified",
        **fields: Any,
    ) -> Response:
        at = datetime.combine(day, time(12), UTC)
        return Response(
            id=ids.new_id(),
            invitation_id=invitation.id,
            contact_id=invitation.contact_id,
            campaign_id=invitation.campaign_id,
            score=score,
            first_score=score,
            nps_group=nps_group(score),
            state=state,
            answered_properties=dict(properties or {}),
            first_at=at,
            first_day=day,
            verified_at=at if state == "verified" else None,
            changed_at=at,
            **fields,
        )

    def tell_verified(self, response: Response) -> None:
        publish(
            ResponseVerified(
                self.account_id, response.id, response.invitation_id, response.contact_id, response.score, response.nps_group,
                response.wants_reply, bool(response.comment), False, response.first_at,
            )
        )  # fmt: skip

    def edit(self, response: Response, score: int, comment: str | None = None) -> None:
        old, had = response.score, bool(response.comment)
        response.score, response.nps_group = score, nps_group(score)
        response.comment = response.comment if comment is None else comment
        publish(
            ResponseUpdated(
                self.account_id, response.id, response.contact_id, old, score, had, bool(response.comment), False, False, response.first_at
            )
        )

    def leave_out(self, response: Response, state: str = "left_out") -> None:
        response.state = state
        publish(ResponseUncounted(self.account_id, response.id, response.contact_id, response.score, state, response.first_at))

    def count_again(self, response: Response) -> None:
        response.state = "verified"
        publish(ResponseRecounted(self.account_id, response.id, response.contact_id, response.score, response.first_at))

    def hit(self, invitation: Invitation, score: int | None, verdict: str = "person") -> None:
        at = (invitation.asked_at or product_clock.now()) + timedelta(hours=1)
        db.session.add(Hit(invitation_id=invitation.id, occurred_at=at, method="GET", score=score, verdict=verdict))
        db.session.flush()


@pytest.fixture
def make_asker() -> Callable[[Account], Asker]:
    """make_asker(account), inside that account's scope."""
    return lambda account: Asker(account.id)


@pytest.fixture
def asker(account: Account, clock: Any) -> Asker:
    """Larkfield asking, on 6 October 2026 at 16:00 UTC."""
    clock.at(datetime.combine(TODAY, time(16), UTC))
    return Asker(account.id)


def keep(*keys: str) -> None:
    """Let sums be kept for these properties from now on."""
    from nps.analytics import service  # noqa: PLC0415  (a helper, not a floor)

    rollup = service._lock()
    rollup.kept = list(keys)
    db.session.flush()


def a_day() -> str:
    return str(ids.new_id())


__all__ = ["TODAY", "Asker", "a_day", "keep", "tenancy"]
