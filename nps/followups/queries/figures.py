"""How well the promise is kept: counts and shares of cases in a window, and what a customer was promised."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import case as sql_case
from sqlalchemy import func, select

from nps.core.db import db
from nps.followups.models import Case
from nps.followups.queries.cases import find_case_of_response, names_of_members
from nps.followups.queries.queues import get_queue, hours_of
from nps.followups.rules import words
from nps.followups.rules.closing import SYSTEM_OUTCOMES, Outcome
from nps.followups.rules.states import OPEN, CaseState
from nps.scoring import shares

FEWEST_FOR_A_SHARE = 5


@dataclass(frozen=True, slots=True)
class Met:
    """First replies of the cases opened in a window whose first clock has stopped or run out."""

    met: int
    decided: int
    running: int
    since: date

    @property
    def percent(self) -> int | None:
        """Whole percent met; None under 5 cases, where only counts are shown."""
        return round(100 * self.met / self.decided) if self.decided >= FEWEST_FOR_A_SHARE else None

    @property
    def between(self) -> tuple[int, int] | None:
        """95% Wilson interval in whole percent; None under 5 cases."""
        if self.decided < FEWEST_FOR_A_SHARE:
            return None
        share = shares.wilson(self.met, self.decided)
        return round(100 * share.lo), round(100 * share.hi)


def first_reply_met(since: datetime, until: datetime, now: datetime, zone: str, queue_id: UUID | None = None) -> Met:
    """Share contacted at or before due. Open and late counts as missed; still running is a number beside it.

    Without merged cases, those closed because the answer changed or the person was erased, and those without an address.
    """
    in_time = Case.first_contact_at.is_not(None) & (Case.first_contact_at <= Case.first_due_at)
    over = Case.first_contact_at.is_not(None) | Case.state.not_in(OPEN) | (Case.first_due_at < now)
    query = select(func.sum(sql_case((in_time, 1), else_=0)), func.sum(sql_case((over, 1), else_=0)), func.count()).where(
        Case.opened_at >= since,
        Case.opened_at < until,
        Case.first_due_at.is_not(None),
        Case.state != CaseState.MERGED,
        Case.outcome.is_(None) | Case.outcome.not_in([str(outcome) for outcome in SYSTEM_OUTCOMES]),
    )
    if queue_id is not None:
        query = query.where(Case.queue_id == queue_id)
    met, decided, total = db.session.execute(query).one()
    return Met(int(met or 0), int(decided or 0), int(total) - int(decided or 0), since.astimezone(ZoneInfo(zone)).date())


@dataclass(frozen=True, slots=True)
class Promise:
    """What the thank-you page of a detractor says: who has the answer and by when they write, in the queue's zone."""

    case_id: UUID
    owner_name: str | None
    by: datetime | None
    by_words: str
    zone: str


def promise_for(response_id: UUID) -> Promise | None:
    """The promise shown for an answer, or None when it has no case. The time is the one the customer was first shown."""
    case = find_case_of_response(response_id)
    if case is None:
        return None
    hours = hours_of(get_queue(case.queue_id))
    by = case.promised_at or case.first_due_at
    owner = names_of_members().get(case.owner_id) if case.owner_id is not None else None
    return Promise(case.id, owner, by, words.full(by, hours.tz) if by is not None else "", hours.zone)


@dataclass(frozen=True, slots=True)
class Loop:
    """How far the loop went for the answers that needed a reply in a window. Each figure is part of the one before."""

    needed: int
    contacted: int
    fixed: int
    closed: int
    open: int


def loop(since: datetime, until: datetime) -> Loop:
    """Cases opened in the window: needed a reply → contacted by a person → fixed, explained or made good; and closed, open."""
    fixed = Case.outcome.in_([Outcome.FIXED, Outcome.EXPLAINED, Outcome.COMPENSATED]) & (Case.state == CaseState.CLOSED)
    contacted = Case.first_contact_at.is_not(None)
    row = db.session.execute(
        select(
            func.count(),
            func.sum(sql_case((contacted, 1), else_=0)),
            func.sum(sql_case((contacted & fixed, 1), else_=0)),
            func.sum(sql_case((Case.state == CaseState.CLOSED, 1), else_=0)),
            func.sum(sql_case((Case.state.in_(OPEN), 1), else_=0)),
        ).where(
            Case.opened_at >= since,
            Case.opened_at < until,
            Case.state != CaseState.MERGED,
            Case.outcome.is_(None) | Case.outcome.not_in([str(outcome) for outcome in SYSTEM_OUTCOMES]),
        )
    ).one()
    return Loop(*(int(value or 0) for value in row))
