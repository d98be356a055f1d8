"""Lists of answers: what is counted, what is not and why, page by page and as a file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, false, func, or_, select, true, tuple_

from nps.campaigns.models import Campaign
from nps.contacts import queries as contacts
from nps.contacts.models import Contact
from nps.core.db import db
from nps.responses.models import Response, ResponseAnswer, ResponseVersion
from nps.responses.rules import LEFT_OUT_REASONS, Method, State, Tab, read_words, tab_of, why_left_out
from nps.scoring.groups import nps_group
from nps.scoring.score import Counts
from nps.surveys.models import SurveyVersion
from nps.web.pages import Page, page

_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Filters:
    """Which answers are meant. Days are of the account's zone, both included; None = without end."""

    since: date | None = None
    until: date | None = None
    tab: Tab = Tab.COUNTED
    words: str = ""
    group: str = ""
    method: str = ""
    channel: str = ""
    domain: str = ""

    @property
    def narrowed(self) -> bool:
        """Is more asked for than a window and a tab?"""
        return any((self.words, self.group, self.method, self.channel, self.domain))


def _in_tab(tab: Tab) -> ColumnElement[bool]:
    waits = Response.left_out_reason.is_(None)
    real = Response.is_test.is_(False)
    return {
        Tab.COUNTED: and_(real, Response.state == State.VERIFIED, Response.method != Method.MANUAL),
        Tab.CHECK: and_(real, Response.state == State.QUARANTINED, waits),
        Tab.PICKED: and_(real, Response.state == State.PROVISIONAL, waits),
        Tab.LEFT_OUT: or_(
            Response.is_test.is_(True),
            Response.state == State.LEFT_OUT,
            and_(Response.state == State.VERIFIED, Response.method == Method.MANUAL),
            and_(Response.state.in_([State.QUARANTINED, State.PROVISIONAL]), Response.left_out_reason.is_not(None)),
        ),
        Tab.WITHDRAWN: and_(real, Response.state == State.WITHDRAWN),
        Tab.ALL: true(),
    }[tab]


def _window(filters: Filters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.since is not None:
        found.append(Response.first_day >= filters.since)
    if filters.until is not None:
        found.append(Response.first_day <= filters.until)
    return found


def _where(filters: Filters) -> list[ColumnElement[bool]]:
    found = [*_window(filters), _in_tab(filters.tab)]
    for wanted, text in read_words(filters.words):
        holds = Response.comment.icontains(text, autoescape=True)
        found.append(holds if wanted else ~holds)
    if filters.group:
        found.append(Response.nps_group == filters.group)
    if filters.method:
        found.append(Response.method == filters.method)
    if filters.channel:
        found.append(Response.channel == filters.channel)
    if filters.domain:
        found.append(Response.contact_id.in_(_at(filters.domain)))
    return found


def _at(domain: str) -> Select[Any]:
    return select(Contact.id).where(Contact.email_key.endswith(f"@{domain.lower()}", autoescape=True))


def page_responses(filters: Filters, after: str | None = None, limit: int = 50) -> Page[Response]:
    """Answers, the newest first. Raises Invalid for a foreign cursor."""
    found = select(Response).where(*_where(filters))
    return page(found, [Response.first_at, Response.id], after=after, limit=limit, descending=True)


def count_matching(filters: Filters) -> int:
    """How many answers the list has."""
    return db.session.scalar(select(func.count()).select_from(Response).where(*_where(filters))) or 0


@dataclass(frozen=True, slots=True)
class Tally:
    """All answers recorded in a window: by tab, why those left out are, and the groups of counted and of waiting ones."""

    tabs: dict[Tab, int]
    reasons: dict[str, int]
    counted: Counts
    with_waiting: Counts
    by_channel: dict[str, int] = field(default_factory=dict)

    @property
    def recorded(self) -> int:
        return sum(self.tabs.values())

    @property
    def not_counted(self) -> int:
        return self.recorded - self.tabs[Tab.COUNTED]


def tally(filters: Filters) -> Tally:
    """Counts of a window, whatever else is filtered. recorded = counted + needs a check + picked + left out + withdrawn."""
    rows = db.session.execute(
        select(Response.state, Response.method, Response.is_test, Response.left_out_reason, Response.score, func.count())
        .where(*_window(filters))
        .group_by(Response.state, Response.method, Response.is_test, Response.left_out_reason, Response.score)
    )
    tabs: dict[Tab, int] = {tab: 0 for tab in Tab if tab is not Tab.ALL}
    reasons = dict.fromkeys(LEFT_OUT_REASONS, 0)
    counted, waiting = [0] * 11, [0] * 11
    for state, method, is_test, reason, score, many in rows:
        tab = tab_of(state, method, is_test, reason)
        tabs[tab] += many
        if tab is Tab.LEFT_OUT:
            reasons[why_left_out(method, is_test, reason)] += many
        elif tab is Tab.COUNTED:
            counted[score] += many
        elif tab is Tab.CHECK:
            waiting[score] += many
    both = [one + other for one, other in zip(counted, waiting, strict=True)]
    return Tally(tabs, reasons, Counts.by_score(counted), Counts.by_score(both))


def place_in_check(response: Response) -> tuple[int, int]:
    """(place, number) of an answer among all that need a check, the newest first; place 0 when it is not among them."""
    before = tuple_(Response.first_at, Response.id) > tuple_(response.first_at, response.id)
    row = db.session.execute(
        select(func.count(), func.sum(case((before, 1), else_=0)), func.sum(case((Response.id == response.id, 1), else_=0))).where(
            _in_tab(Tab.CHECK)
        )
    ).one()
    return (int(row[1] or 0) + 1 if row[2] else 0), int(row[0])


def neighbours(response: Response) -> tuple[UUID | None, UUID | None]:
    """The newer and the older one that need a check."""
    place, here = tuple_(Response.first_at, Response.id), tuple_(response.first_at, response.id)
    newer = select(Response.id).where(_in_tab(Tab.CHECK), place > here).order_by(Response.first_at, Response.id).limit(1)
    older = select(Response.id).where(_in_tab(Tab.CHECK), place < here).order_by(Response.first_at.desc(), Response.id.desc()).limit(1)
    return db.session.scalar(newer), db.session.scalar(older)


def waiting_at_domain(domain: str) -> int:
    """How many answers of people at this mail domain need a check."""
    found = (
        select(func.count()).select_from(Response).where(_in_tab(Tab.CHECK), Response.contact_id.in_(_at(domain)) if domain else false())
    )
    return db.session.scalar(found) or 0


def waiting_attempts(filters: Filters, limit: int = 20) -> Sequence[tuple[ResponseVersion, Response]]:
    """Attempts that looked automatic on answers that count, the newest first: kept beside them, they changed nothing."""
    rows = db.session.execute(
        select(ResponseVersion, Response)
        .join(Response, and_(Response.account_id == ResponseVersion.account_id, Response.id == ResponseVersion.response_id))
        .where(
            ResponseVersion.way == "machine", _in_tab(Tab.COUNTED), ResponseVersion.occurred_at > Response.verified_at, *_window(filters)
        )
        .order_by(ResponseVersion.occurred_at.desc())
        .limit(limit)
    )
    return [(version, response) for version, response in rows]


COLUMNS = (
    "response_id invitation_id contact_id campaign kind channel score first_score nps_group comment reply_wanted state method signals"
    " partial language survey_version first_at verified_at changed_at collector left_out_reason"
).split()


def export_rows(filters: Filters) -> tuple[list[str], Iterator[list[object]]]:
    """Header and rows of the file: the columns, then one for each further question and each property, `q.<key>` and `answered.<key>`."""
    questions = list(db.session.scalars(select(ResponseAnswer.question).distinct().order_by(ResponseAnswer.question)))
    keys = sorted(definition.key for definition in contacts.list_definitions(archived=True))
    header = [*COLUMNS, *(f"q.{question}" for question in questions), *(f"answered.{key}" for key in keys)]
    return header, _rows(filters, questions, keys)


def _rows(filters: Filters, questions: Sequence[str], keys: Sequence[str]) -> Iterator[list[object]]:
    last: tuple[datetime, UUID] | None = None
    while True:
        batch = _batch(filters, last)
        if not batch:
            return
        more = _more([response.id for response, _, _ in batch], questions)
        for response, campaign, version in batch:
            yield [
                *_columns(response, campaign, version),
                *(more.get((response.id, question), "") for question in questions),
                *(_value(response.answered_properties.get(key)) for key in keys),
            ]
        last = (batch[-1][0].first_at, batch[-1][0].id)
        for response, _, _ in batch:
            db.session.expunge(response)


def _batch(filters: Filters, last: tuple[datetime, UUID] | None) -> list[tuple[Response, str | None, int | None]]:
    found = (
        select(Response, Campaign.name, SurveyVersion.number)
        .outerjoin(Campaign, and_(Campaign.account_id == Response.account_id, Campaign.id == Response.campaign_id))
        .outerjoin(SurveyVersion, and_(SurveyVersion.account_id == Response.account_id, SurveyVersion.id == Response.survey_version_id))
        .where(*_where(filters))
        .order_by(Response.first_at, Response.id)
        .limit(_BATCH)
    )
    if last is not None:
        found = found.where(tuple_(Response.first_at, Response.id) > tuple_(*last))
    return [(response, name, number) for response, name, number in db.session.execute(found)]


def _columns(r: Response, campaign: str | None, version: int | None) -> list[object]:
    signals = " ".join(signal.split()[0] for signal in r.signals)
    who = [r.id, r.invitation_id, r.contact_id, campaign, r.kind, r.channel]
    said = [r.score, r.first_score, nps_group(r.score).value, r.comment, r.wants_reply]
    known = [r.state, r.method, signals, r.partial, r.language, version, r.first_at, r.verified_at, r.changed_at]
    return [*who, *said, *known, "", r.left_out_reason]


def _more(response_ids: Sequence[UUID], questions: Sequence[str]) -> dict[tuple[UUID, str], str]:
    if not questions:
        return {}
    rows = db.session.execute(
        select(ResponseAnswer.response_id, ResponseAnswer.question, ResponseAnswer.value).where(
            ResponseAnswer.response_id.in_(response_ids)
        )
    )
    return {(response_id, question): value.replace("\n", "; ") for response_id, question, value in rows}


def _value(value: object) -> object:
    return "; ".join(map(str, value)) if isinstance(value, list) else value
