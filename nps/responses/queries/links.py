"""What a survey link stands for, and the requests on it: the reads of the hot path."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, bindparam, select

from nps.campaigns.models import Campaign, Invitation
from nps.contacts.models import Contact
from nps.contacts.rules import values
from nps.core import tenancy
from nps.core.db import db
from nps.core.errors import NotFound
from nps.core.prepared import ACCOUNT, Prepared
from nps.responses.models import Hit, Response
from nps.responses.rules import Seen
from nps.surveys import queries as surveys

MOST_HITS = 500


@dataclass(frozen=True, slots=True)
class Standing:
    """The answer that an invitation has already."""

    response_id: UUID
    score: int
    comment: str
    wants_reply: bool
    state: str
    signals: list[str]
    first_at: datetime
    verified_at: datetime | None
    changed_at: datetime
    acted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Link:
    """What a survey link stands for: an invitation, whose it is and how it stands. `standing` is None while unanswered."""

    account_id: UUID
    invitation_id: UUID
    contact_id: UUID | None
    campaign_id: UUID | None
    survey_version_id: UUID | None
    state: str
    channel: str
    language: str
    series: str
    asked_at: datetime | None
    expires_at: datetime | None
    is_test: bool
    canary: bool
    picked_at: datetime | None
    asked_properties: dict[str, Any]
    called: str
    email: str | None
    properties: dict[str, Any]
    erased: bool
    standing: Standing | None

    @property
    def quiet(self) -> bool:
        """A test or a canary: whatever is answered here tells nobody."""
        return self.is_test or self.canary


_I, _C, _K, _R, _H = (model.__table__ for model in (Invitation, Contact, Campaign, Response, Hit))
_ONE: BindParameter[Any] = bindparam("invitation_id")
_LINK = Prepared(
    select(
        _I.c.contact_id, _I.c.campaign_id, _I.c.survey_version_id, _I.c.state, _I.c.channel, _I.c.language, _K.c.series,
        _I.c.asked_at, _I.c.expires_at, _I.c.is_test, _I.c.canary, _I.c.picked_at, _I.c.asked_properties,
        _C.c.first_name, _C.c.name, _C.c.email, _C.c.properties, _C.c.erased_at,
        _R.c.id.label("response_id"), _R.c.score, _R.c.comment, _R.c.wants_reply, _R.c.state.label("standing"), _R.c.signals,
        _R.c.first_at, _R.c.verified_at, _R.c.changed_at, _R.c.acted_at,
    )
    .select_from(
        _I.outerjoin(_C, (_C.c.account_id == _I.c.account_id) & (_C.c.id == _I.c.contact_id))
        .outerjoin(_K, (_K.c.account_id == _I.c.account_id) & (_K.c.id == _I.c.campaign_id))
        .outerjoin(_R, (_R.c.account_id == _I.c.account_id) & (_R.c.invitation_id == _I.c.id))
    )
    .where(_I.c.account_id == ACCOUNT, _I.c.id == _ONE)
)  # fmt: skip
_LOCK = Prepared(select(_I.c.id).where(_I.c.account_id == ACCOUNT, _I.c.id == _ONE).with_for_update())
_HITS = Prepared(
    select(_H.c.occurred_at, _H.c.kind, _H.c.method, _H.c.score, _H.c.network, _H.c.user_agent, _H.c.hand)
    .where(_H.c.account_id == ACCOUNT, _H.c.invitation_id == _ONE, _H.c.occurred_at >= bindparam("since"))
    .order_by(_H.c.occurred_at.desc())
    .limit(MOST_HITS)
)
_CROWD = Prepared(
    select(_H.c.invitation_id)
    .where(_H.c.account_id == ACCOUNT, _H.c.occurred_at >= bindparam("since"), _H.c.network == bindparam("network"))
    .distinct()
    .limit(3)
)


def open_link(invitation_id: UUID, *, lock: bool = False) -> Link:
    """The invitation behind a link with all that an answer needs of it. Raises NotFound when it was deleted.

    `lock`: other answers to this invitation wait until our unit ends, so that posts at once make one response.
    """
    if lock and db.session.get_bind().dialect.name != "sqlite":
        # PostgreSQL reads each statement afresh, so what we read after this one is what the one before us left behind.
        # SQLite lets one writing unit in at a time.
        _LOCK(invitation_id=invitation_id)
    row = _LINK(invitation_id=invitation_id).first()
    if row is None:
        raise NotFound
    standing = None
    if row.response_id is not None:
        standing = Standing(
            row.response_id, row.score, row.comment, row.wants_reply, row.standing, row.signals, row.first_at, row.verified_at,
            row.changed_at, row.acted_at,
        )  # fmt: skip
    return Link(
        tenancy.current(), invitation_id, row.contact_id, row.campaign_id, row.survey_version_id, row.state, row.channel, row.language,
        row.series or "relationship", row.asked_at, row.expires_at, row.is_test, row.canary, row.picked_at, row.asked_properties,
        values.first_name(row.first_name, row.name), row.email, row.properties or {}, row.erased_at is not None, standing,
    )  # fmt: skip


_wordings: dict[tuple[UUID, UUID], dict[str, Any]] = {}


def wording(version_id: UUID) -> dict[str, Any]:
    """The words of a survey version. Versions never change, so each process reads one once. Raises NotFound."""
    key = (tenancy.current(), version_id)
    found = _wordings.get(key)
    if found is None:
        found = surveys.get_version(version_id).wording
        if len(_wordings) >= 1000:
            _wordings.clear()
        _wordings[key] = found
    return found


def recent_hits(invitation_id: UUID, since: datetime) -> list[Seen]:
    """The newest hits on a link since then, as the rules take them, oldest first."""
    rows = _HITS(invitation_id=invitation_id, since=since)
    found = [Seen(r.occurred_at, r.kind, r.method, r.score, r.network, r.user_agent, r.hand) for r in rows]
    found.reverse()
    return found


def crowd_of(network: str, since: datetime) -> int:
    """On how many invitations this network was seen since then, counted up to three."""
    return len(_CROWD(network=network, since=since))
