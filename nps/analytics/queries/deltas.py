"""What was written down about each answer, and what the keeper of the sums needs to know."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from itertools import chain
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, String, and_, bindparam, cast, func, literal, select

from nps.analytics.models import AnswerDelta, DailySum, DeltaTail, Rollup
from nps.analytics.queries.counted import counted, value_of
from nps.analytics.rules import counting
from nps.analytics.rules.counting import Contribution, SumKey
from nps.analytics.rules.repeats import Answer, Person
from nps.contacts import queries as contacts
from nps.contacts.rules.properties import Kind
from nps.core import ids, tenancy
from nps.core.db import UTCDateTime, db
from nps.core.prepared import ACCOUNT, Prepared
from nps.core.sql import new_id
from nps.responses.models import Response

SUMMED = tuple([f"n{score}" for score in range(11)] + ["comments_det", "comments_pas", "comments_pro"])
"""Columns of a daily sum, in the order of `counting`."""

_SAME_DELTA = and_(DeltaTail.account_id == AnswerDelta.account_id, DeltaTail.id == AnswerDelta.id)
_TAIL = (DeltaTail, _SAME_DELTA)
"""Joins what of the deltas waits."""

_ANSWER = (
    AnswerDelta.contact_id,
    AnswerDelta.day,
    AnswerDelta.series,
    AnswerDelta.campaign_id,
    AnswerDelta.score,
    AnswerDelta.has_comment,
)
COLUMNS = (AnswerDelta.id, *_ANSWER, AnswerDelta.properties, AnswerDelta.sign)
_SPLITTING = (Kind.TEXT, Kind.ONE_OF, Kind.YES_NO)
_SAMPLE = 2_000
_CONTACTS_A_STATEMENT = 400


_KEPT = Prepared(select(Rollup.__table__.c.kept).where(Rollup.__table__.c.account_id == ACCOUNT))
_D = AnswerDelta.__table__
_STANDING = Prepared(
    select(*(_D.c[column.key] for column in COLUMNS)).where(_D.c.account_id == ACCOUNT, _D.c.response_id == bindparam("response"))
)


def contribution(delta: Any) -> Contribution:
    """What a delta (or a row of `COLUMNS`) adds or takes."""
    return Contribution(
        delta.contact_id,
        delta.day,
        delta.series,
        delta.campaign_id,
        delta.score,
        delta.has_comment,
        tuple(sorted(delta.properties.items())),
    )


def kept_properties() -> list[str]:
    """Keys of the properties that sums are kept for, beside channel and language."""
    return _KEPT().scalar() or []


def standing_contributions(response_id: UUID) -> Counter[Contribution]:
    """What an answer counts as so far."""
    made: Counter[Contribution] = Counter()
    for delta in _STANDING(response=response_id):
        made[contribution(delta)] += delta.sign
    return Counter({one: times for one, times in made.items() if times})


def waiting(series: str | None = None, first: date | None = None, last: date | None = None, limit: int | None = None) -> Sequence[Any]:
    """Deltas no batch has folded yet, oldest first."""
    # ordered by the tail's id, the tail is read first: it is short
    query = select(*COLUMNS).select_from(DeltaTail).join(AnswerDelta, _SAME_DELTA).order_by(DeltaTail.id)
    conditions: list[ColumnElement[bool]] = [DeltaTail.account_id == tenancy.current()]
    if series is not None:
        conditions.append(AnswerDelta.series == series)
    if first is not None:
        conditions.append(AnswerDelta.day >= first)
    if last is not None:
        conditions.append(AnswerDelta.day <= last)
    return db.session.execute(query.where(*conditions).limit(limit)).all()


def folded_answers(contact_ids: Iterable[UUID]) -> Mapping[Person, Counter[Answer]]:
    """The answers of these contacts that the sums already hold."""
    made: dict[Person, Counter[Answer]] = defaultdict(Counter)
    everybody = sorted(contact_ids)
    for start in range(0, len(everybody), _CONTACTS_A_STATEMENT):
        query = (
            select(*COLUMNS)
            .outerjoin(*_TAIL)
            .where(AnswerDelta.contact_id.in_(everybody[start : start + _CONTACTS_A_STATEMENT]), DeltaTail.id.is_(None))
        )
        for delta in db.session.execute(query):
            one = contribution(delta)
            made[one.series, delta.contact_id][Answer(one.day, one.campaign, one.score, one.properties)] += delta.sign
    return made


# For the keeper


def responses_of(contact_id: UUID) -> Sequence[UUID]:
    """Answers of this contact that have ever counted."""
    return db.session.scalars(select(AnswerDelta.response_id).where(AnswerDelta.contact_id == contact_id).distinct()).all()


def fresh_deltas(kept: Sequence[str], now: datetime) -> Select[Any]:
    """A new delta for every counted answer of the account in scope, its columns named as those of `AnswerDelta`: what
    `counting` says of one answer, said of all."""
    build = func.jsonb_build_object if db.session.get_bind().dialect.name == "postgresql" else func.json_object
    values = [(key, func.substr(value_of(key), 1, 500)) for key in sorted({"channel", "language", *kept})]
    columns: dict[str, Any] = {
        "account_id": Response.account_id,
        "id": new_id(),
        "response_id": Response.id,
        "contact_id": Response.contact_id,
        "day": Response.first_day,
        "series": Response.series,
        "campaign_id": Response.campaign_id,
        "score": Response.score,
        "has_comment": func.coalesce(Response.comment, "") != "",
        "properties": build(*chain.from_iterable(values)),
        "sign": literal(1),
        "created_at": literal(now, UTCDateTime),
    }
    ours = Response.account_id == tenancy.current()  # the session guard does not look into INSERT … SELECT
    return select(*(column.label(name) for name, column in columns.items())).where(ours, Response.kind == "nps", counted())


def lines_by_contact() -> Iterable[Sequence[Any]]:
    """The contact and the `bulk.Line` of every delta of the account in scope, contact by contact."""
    query = select(*_ANSWER, cast(AnswerDelta.properties, String))
    return db.session.execute(query.order_by(AnswerDelta.contact_id).execution_options(yield_per=5_000))


def accounts_with_waiting() -> Sequence[UUID]:
    """Accounts that have something to fold. Call unscoped."""
    return db.session.scalars(select(DeltaTail.account_id).distinct()).all()


def accounts_with_answers() -> Sequence[UUID]:
    """Accounts that have ever had an answer. Call unscoped."""
    return db.session.scalars(select(Response.account_id).distinct()).all()


def splitting_keys() -> list[str]:
    """Properties whose values can split answers: texts, choices, yes and no."""
    return [d.key for d in contacts.list_definitions() if Kind(d.kind) in _SPLITTING]


def latest_properties() -> Sequence[Mapping[str, Any] | None]:
    """What was frozen with the latest answers."""
    return db.session.scalars(select(Response.answered_properties).order_by(Response.id.desc()).limit(_SAMPLE)).all()


def month_to_prove(now: datetime) -> date | None:
    """First day of a month with answers, another one each day."""
    first, last = db.session.execute(select(func.min(Response.first_day), func.max(Response.first_day))).one()
    if first is None:
        return None
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    number = first.year * 12 + first.month - 1 + ids.bucket(f"prove/{tenancy.current()}/{now.date()}", months)
    return date(number // 12, number % 12 + 1, 1)


def sums_of(first: date, last: date) -> dict[SumKey, list[int]]:
    """The sums of these days with what waits, row by row."""
    made: dict[SumKey, list[int]] = {}
    for row in db.session.scalars(select(DailySum).where(DailySum.day.between(first, last))):
        campaign = row.campaign_id if row.campaign_id.int else None
        made[SumKey(row.day, row.series, campaign, row.key, row.value)] = [getattr(row, name) for name in SUMMED]
    for delta in waiting(first=first, last=last):
        counting.add_to(made, contribution(delta), delta.sign)
    return {key: row for key, row in made.items() if any(row)}


def recount_of(first: date, last: date) -> dict[SumKey, list[int]]:
    """The same from the responses themselves."""
    kept = kept_properties()
    made: dict[SumKey, list[int]] = {}
    query = select(Response).where(Response.kind == "nps", Response.first_day.between(first, last))
    for response in db.session.scalars(query.execution_options(yield_per=2_000)):
        if counting.reason(response.state, response.method, response.is_test) is None:
            values = counting.kept_values(response.answered_properties or {}, kept, response.channel, response.language)
            one = Contribution(
                response.contact_id,
                response.first_day,
                response.series,
                response.campaign_id,
                response.score,
                bool(response.comment),
                tuple(values.items()),
            )
            counting.add_to(made, one, 1)
    return made
