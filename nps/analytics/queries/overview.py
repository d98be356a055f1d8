"""The overview's figures, each by the one function that page, JSON and API share."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import and_, select

from nps.analytics.queries import funnel as funnels
from nps.analytics.queries.deltas import kept_properties
from nps.analytics.queries.funnel import Funnel
from nps.analytics.queries.tallies import Tail, Tally, chosen, excluded, overlaps, read_tail, tally, waiting_scores
from nps.analytics.rules import words
from nps.analytics.rules.figures import Changed, Figure, change
from nps.analytics.rules.filters import BUILT_IN, Filters
from nps.analytics.rules.periods import Period, months_of
from nps.analytics.rules.words import Named, RowChange, TrendWords, row_changes
from nps.campaigns.models import Campaign
from nps.contacts import queries as contacts
from nps.contacts.models import Contact
from nps.core import clock
from nps.core.db import db
from nps.core.errors import Invalid, NotFound
from nps.responses.models import Response
from nps.scoring.groups import Group

MATH = "nps-math/1"
ROWS_SHOWN = 50
COMMENTS_SHOWN = 5
LABELS = {"channel": "Channel", "language": "Language"}


@dataclass(frozen=True)
class Numbers:
    """One question answered: the score with its doubt, the window before, what was left out."""

    filters: Filters
    figure: Figure
    before: Figure
    changed: Changed | None
    excluded: dict[str, int]
    comments: dict[str, int]
    sensitivity: str
    complete: bool
    time_zone: str
    as_of: datetime

    @property
    def recorded(self) -> int | None:
        """Counted and left out together; None while fewer than 5 answers hide themselves."""
        return None if self.figure.n is None else self.figure.n + sum(self.excluded.values())


@dataclass(frozen=True)
class TrendRow:
    """One period of the trend."""

    period: Period
    figure: Figure


@dataclass(frozen=True)
class Trend:
    rows: tuple[TrendRow, ...]
    words: TrendWords
    name: str


@dataclass(frozen=True)
class SegmentRow:
    """One value of the property split by. `filters` asks about these answers alone; both None for "Other"."""

    name: str
    value: str | None
    figure: Figure
    change: RowChange | None
    filters: Filters | None


@dataclass(frozen=True)
class Segments:
    """A split with its words. `choices` are the properties one can split by: (key, label)."""

    by: str
    label: str
    rows: tuple[SegmentRow, ...]
    words: str
    choices: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Comment:
    """An answer with words, and who gave it."""

    response: Response
    name: str
    company: str
    detail: str


def today(time_zone: str, now: datetime) -> date:
    """The day it is in the account's zone."""
    return now.astimezone(ZoneInfo(time_zone)).date()


def numbers(filters: Filters, time_zone: str, tail: Tail | None = None) -> Numbers:
    """The headline. Read in one snapshot (`core.db.read_snapshot`). Raises NotFound for a campaign of nobody here, Invalid
    for a property the account does not have."""
    now = clock.now()
    _check(filters)
    window = filters.window
    tail = tail or read_tail()
    here, before = (found[""] for found in tally(filters, [window, window.before], tail))
    figure, previous = here.figure(), before.figure()
    shared = overlaps(filters, window.before, window, tail).get("") if previous.is_ok and figure.is_ok else None
    return Numbers(
        filters,
        figure,
        previous,
        change(previous, figure, shared),
        excluded(filters, window),
        here.comments,
        words.sensitivity(figure, waiting_scores(filters, window)),
        window.is_complete(today(time_zone, now)),
        time_zone,
        now,
    )


def _check(filters: Filters) -> None:
    """Campaign and properties must exist: a typing mistake must not look like "no answers"."""
    if filters.campaign is not None and db.session.scalar(select(Campaign.id).where(Campaign.id == filters.campaign)) is None:
        raise NotFound("There is no such campaign.")
    asked = {condition.key for condition in filters.conditions} | ({filters.by} if filters.by else set())
    unknown = sorted(asked - set(BUILT_IN) - {d.key for d in contacts.list_definitions(archived=True)})
    if unknown:
        name = "by" if filters.by in unknown else "f"
        raise Invalid(f"There is no property “{unknown[0]}”.", fields={name: f"There is no property “{unknown[0]}”."})


def trend(filters: Filters, time_zone: str, tail: Tail | None = None) -> Trend:
    """The question by month (quarter over long windows), to the window's last day and at least twelve months back."""
    periods = months_of(filters.window, today(time_zone, clock.now()))
    tail = tail or read_tail()
    found = tally(filters, [period.window for period in periods], tail)
    rows = tuple(TrendRow(period, one[""].figure()) for period, one in zip(periods, found, strict=True))
    named = [Named(row.period.name, row.figure, row.period.running) for row in rows]
    places = words.compared(named)
    shared = overlaps(filters, rows[places[0]].period.window, rows[places[1]].period.window, tail).get("") if places else None
    return Trend(rows, words.trend_words(named, shared), words.trend_name(named))


def labels() -> dict[str, str]:
    """Properties one can split and filter by, those that sums are kept for first: key → label."""
    known = {d.key: d.label for d in contacts.list_definitions()}
    kept = [key for key in kept_properties() if key in known]
    return {**{key: known[key] for key in kept}, **LABELS, **{key: label for key, label in known.items() if key not in kept}}


def segments(filters: Filters, tail: Tail | None = None) -> Segments:
    """The question split by a property: `filters.by`, else the first that sums are kept for, else channel."""
    known = labels()
    by = filters.by or next(iter(known))
    window = filters.window
    tail = tail or read_tail()
    here, before = tally(filters, [window, window.before], tail, by)
    shared = overlaps(filters, window.before, window, tail, by)
    ordered = sorted(here.items(), key=lambda item: (-item[1].n, item[0]))
    listed, others = ordered[:ROWS_SHOWN], ordered[ROWS_SHOWN:]
    names = [(_value_name(by, value), value) for value, _ in listed]
    figures = [one.figure() for _, one in listed]
    earlier = [before.get(value, Tally()).figure() for _, value in names]
    both = [shared.get(value) for _, value in names]
    if others:
        names.append(("Other", ""))
        figures.append(_joined([one for _, one in others]).figure())
        shown = {value for value, _ in listed}
        both.append(None)
        earlier.append(_joined([one for value, one in before.items() if value not in shown]).figure())
    changes = row_changes(list(zip(earlier, figures, both, strict=True)))
    rows = [
        SegmentRow(name, None, figure, moved, None)
        if place >= len(listed)
        else SegmentRow(name, value, figure, moved, filters.where(by, value))
        for place, ((name, value), figure, moved) in enumerate(zip(names, figures, changes, strict=True))
    ]
    # rows that hide their counts must not tell them by their place
    rows.sort(key=lambda row: (row.figure.n is None, row.name if row.figure.n is None else ""))
    named = [Named(row.name, row.figure) for row in rows]
    rest = [_rest(listed, place) for place, _ in enumerate(listed)] if len(listed) > words.PAIRS_UP_TO and not others else []
    said = [words.clearest_pair(named, rest)] if len(named) <= words.PAIRS_UP_TO or rest else []
    said.append(words.changes_in_words([(row.name, row.change) for row in rows], known.get(by, by)))
    choices = tuple((key, label) for key, label in known.items() if key in {*list(known)[:4], by, "channel"})
    return Segments(by, known.get(by, by), tuple(rows), " ".join(text for text in said if text), choices)


def _value_name(by: str, value: str) -> str:
    if not value:
        return "No value"
    if by == "channel":
        return {"qr": "QR code", "sms": "SMS", "api": "API"}.get(value, value.capitalize())
    return {"true": "Yes", "false": "No"}.get(value, value)


def _joined(parts: Sequence[Tally]) -> Tally:
    made = Tally()
    for one in parts:
        made.add(one.row)
        made.pairs += one.pairs
    return made


def _rest(listed: Sequence[tuple[str, Tally]], place: int) -> Figure:
    return _joined([one for other, (_, one) in enumerate(listed) if other != place]).figure()


def comments(filters: Filters, group: Group | None = None, limit: int = COMMENTS_SHOWN) -> list[Comment]:
    """The latest answers with words in the window, newest first."""
    known = {d.key for d in contacts.list_definitions()}
    by = filters.by if filters.by in known else next((key for key in kept_properties() if key in known), None)
    query = (
        select(Response, Contact)
        .outerjoin(Contact, and_(Contact.account_id == Response.account_id, Contact.id == Response.contact_id))
        .where(*chosen(filters, [filters.window]), Response.comment != "")
        .order_by(Response.first_day.desc(), Response.first_at.desc(), Response.id.desc())  # by day first: the days have an index
        .limit(limit)
    )
    if group is not None:
        query = query.where(Response.nps_group == group.value)
    made = []
    for response, contact in db.session.execute(query):
        detail = str((response.answered_properties or {}).get(by) or "") if by else ""
        name = contact.shown_name if contact is not None and contact.erased_at is None else "No name"
        made.append(Comment(response, name, (contact.company or "") if contact is not None else "", detail))
    return made


def funnel(filters: Filters, time_zone: str) -> Funnel:
    """From sent to answered in the window."""
    return funnels.funnel(filters, filters.window, time_zone)


def campaign_names(series: str) -> list[tuple[UUID, str]]:
    """Campaigns of a series that have ever asked, newest first."""
    query = (
        select(Campaign.id, Campaign.name).where(Campaign.series == series, Campaign.launched_at.is_not(None)).order_by(Campaign.id.desc())
    )
    return [(row.id, row.name) for row in db.session.execute(query)]


def has_answers() -> bool:
    """Has the account ever recorded an answer?"""
    return db.session.execute(select(Response.id).limit(1)).first() is not None


@dataclass(frozen=True)
class Overview:
    """Everything the page shows, read in one snapshot."""

    numbers: Numbers
    trend: Trend
    segments: Segments
    funnel: Funnel
    comments: list[Comment]
    campaigns: list[tuple[UUID, str]]


def overview(filters: Filters, time_zone: str, group: Group | None = None) -> Overview:
    """The page's figures. Raises as `numbers` does."""
    tail = read_tail()
    return Overview(
        numbers(filters, time_zone, tail),
        trend(filters, time_zone, tail),
        segments(filters, tail),
        funnel(filters, time_zone),
        comments(filters, group),
        campaign_names(filters.series),
    )
