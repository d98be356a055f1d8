"""Counts for a question, by window and by value: from sums and their tail, or from rows where sums do not reach.

Both paths give the same numbers. Sums reach every question with at most one filter on a property that sums are kept
for, and every split by such a property without a filter; rows carry everything else.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, case, func, literal, select

from nps.analytics.models import DailySum, PairSum
from nps.analytics.queries.counted import counted, not_counted, value_of
from nps.analytics.queries.deltas import SUMMED, contribution, folded_answers, kept_properties, waiting
from nps.analytics.rules import counting
from nps.analytics.rules.counting import COMMENTS, WIDTH, Contribution, SumKey
from nps.analytics.rules.figures import Figure, figure
from nps.analytics.rules.filters import BUILT_IN, Filters, Window
from nps.analytics.rules.repeats import PairKey, PairSums, fewest_contacts, pair_changes
from nps.core import tenancy
from nps.core.db import db
from nps.responses.models import Response
from nps.scoring.comparison import Overlap
from nps.scoring.score import FEW_UNDER


@dataclass(slots=True)
class Tally:
    """Counted answers of one window and value. contacts: the units behind them where they are known exactly."""

    row: list[int] = field(default_factory=lambda: [0] * WIDTH)
    pairs: PairSums = field(default_factory=PairSums)
    contacts: int | None = None

    @property
    def bars(self) -> tuple[int, ...]:
        """Answers by score 0 to 10."""
        return tuple(self.row[:11])

    @property
    def n(self) -> int:
        return sum(self.row[:11])

    @property
    def comments(self) -> dict[str, int]:
        """Answers with a comment by group."""
        return {group: self.row[place] for group, place in COMMENTS.items()}

    def add(self, row: Sequence[int], sign: int = 1) -> None:
        for place, count in enumerate(row):
            self.row[place] += sign * count

    @property
    def units(self) -> int:
        """Contacts behind the figure; when they are not known, as many as are certain."""
        return fewest_contacts(self.n, self.pairs.pairs) if self.contacts is None else self.contacts

    def figure(self) -> Figure:
        return figure(self.bars, self.units, self.pairs)


Tallies = dict[str, Tally]
"""By value of the property split by; without a split everything is under "" (which is also "no value")."""


@dataclass(frozen=True)
class Tail:
    """Deltas no batch has folded, and what the sums hold of the same contacts. Read once a page."""

    changes: tuple[tuple[Contribution, int], ...]
    pair_sums: Mapping[tuple[str, PairKey], PairSums]


def read_tail() -> Tail:
    """Everything that waits in the account, in the snapshot of this unit."""
    changes = tuple((contribution(delta), delta.sign) for delta in waiting())
    people = {one.contact for one, _ in changes if one.contact is not None}
    moved = counting.moves(changes)
    return Tail(changes, pair_changes(folded_answers(people), moved) if moved else {})


def tally(filters: Filters, windows: Sequence[Window], tail: Tail, by: str | None = None) -> list[Tallies]:
    """Counts of the question in each window (which share no day), split by a property where `by` is given."""
    if _sums_reach(filters, by):
        return _from_sums(filters, windows, tail, by)
    return _from_rows(filters, windows, by)


def overlaps(filters: Filters, earlier: Window, later: Window, tail: Tail, by: str | None = None) -> dict[str, Overlap]:
    """What the people who answered in both windows have in common, by value; it sharpens the comparison of the two."""
    if not _sums_reach(filters, by):
        return {value: sums.overlap for value, sums in _shared_rows(filters, [earlier, later], by)}
    key, wanted = _place_of_sums(filters, by)
    query = (
        select(PairSum.value, *_PAIR_SUMS)
        .where(
            *_of_pairs(filters, key, wanted),
            PairSum.later.between(later.first, later.last),
            PairSum.earlier.between(earlier.first, earlier.last),
        )
        .group_by(PairSum.value)
    )
    made: dict[str, PairSums] = defaultdict(PairSums)
    for value, *sums in db.session.execute(query):
        made[value] += PairSums(*map(int, sums))
    for pair, found in _waiting_pairs(filters, tail, key, wanted):
        if earlier.first <= pair.earlier <= earlier.last and later.first <= pair.later <= later.last:
            made[pair.value] += found
    return {value if by else "": sums.overlap for value, sums in made.items()}


def _sums_reach(filters: Filters, by: str | None) -> bool:
    keys = [condition.key for condition in filters.conditions] + ([by] if by else [])
    return filters.unit == "response" and len(keys) < 2 and {*keys} <= {*BUILT_IN, *kept_properties()}


def _place_of_sums(filters: Filters, by: str | None) -> tuple[str, str | None]:
    """Key of the sums that answer the question, and the one value they are wanted for."""
    condition = filters.conditions[0] if filters.conditions else None
    return by or (condition.key if condition else ""), condition.value if condition else None


# From sums


def _from_sums(filters: Filters, windows: Sequence[Window], tail: Tail, by: str | None) -> list[Tallies]:
    made: list[Tallies] = [defaultdict(Tally) for _ in windows]
    key, wanted = _place_of_sums(filters, by)
    for place, value, row in _daily(filters, windows, key, wanted):
        made[place][value].add(row)
    for place, value, pairs in _paired(filters, windows, key, wanted):
        made[place][value].pairs += pairs
    _add_tail(made, filters, windows, tail, key, wanted)
    return [_settled(filters, window, found, by) for window, found in zip(windows, made, strict=True)]


def _settled(filters: Filters, window: Window, found: Tallies, by: str | None) -> Tallies:
    """Tallies by value. Where few people may stand behind repeated answers, they are counted one by one."""
    if by is None:
        made = {"": next(iter(found.values()), Tally())}
    else:
        made = {value: one for value, one in found.items() if one.n}
    doubtful = [value for value, one in made.items() if one.pairs and one.units < FEW_UNDER]
    if doubtful:
        exact = _from_rows(filters, [window], by)[0]
        for value in doubtful:
            made[value].contacts = exact[value].contacts if value in exact else made[value].units
    return made


def _bucket(day: Any, windows: Sequence[Window]) -> ColumnElement[int]:
    """The place of the window a day lies in; -1 for none."""
    return case(*((day.between(window.first, window.last), place) for place, window in enumerate(windows)), else_=-1)


def _span(windows: Sequence[Window]) -> tuple[date, date]:
    return min(window.first for window in windows), max(window.last for window in windows)


def _daily(filters: Filters, windows: Sequence[Window], key: str, wanted: str | None) -> Iterable[tuple[int, str, Sequence[int]]]:
    first, last = _span(windows)
    place = _bucket(DailySum.day, windows).label("place")
    columns: list[Any] = [place, DailySum.value, *(func.sum(getattr(DailySum, name)) for name in SUMMED)]
    query = select(*columns).where(
        DailySum.account_id == tenancy.current(),
        DailySum.series == filters.series,
        DailySum.key == key,
        DailySum.day.between(first, last),
    )
    if wanted is not None:
        query = query.where(DailySum.value == wanted)
    if filters.campaign is not None:
        query = query.where(DailySum.campaign_id == filters.campaign)
    for where, value, *row in db.session.execute(query.group_by(place, DailySum.value)):
        if where >= 0:
            yield where, value, [int(count) for count in row]


def _paired(filters: Filters, windows: Sequence[Window], key: str, wanted: str | None) -> Iterable[tuple[int, str, PairSums]]:
    first, last = _span(windows)
    place = _bucket(PairSum.later, windows).label("place")
    query = (
        select(place, PairSum.value, *_PAIR_SUMS)
        .where(
            *_of_pairs(filters, key, wanted),
            PairSum.later.between(first, last),
            PairSum.earlier >= first,
            _bucket(PairSum.earlier, windows) == _bucket(PairSum.later, windows),
        )
        .group_by(place, PairSum.value)
    )
    for where, value, *sums in db.session.execute(query):
        if where >= 0:
            yield where, value, PairSums(*map(int, sums))


_PAIR_SUMS: tuple[Any, ...] = tuple(func.sum(getattr(PairSum, name)) for name in ("pairs", "first", "second", "product"))


def _of_pairs(filters: Filters, key: str, wanted: str | None) -> list[ColumnElement[bool]]:
    made = [PairSum.account_id == tenancy.current(), PairSum.series == filters.series, PairSum.key == key]
    if wanted is not None:
        made.append(PairSum.value == wanted)
    if filters.campaign is not None:
        made.append(PairSum.campaign_id == filters.campaign)
    return made


def _add_tail(made: list[Tallies], filters: Filters, windows: Sequence[Window], tail: Tail, key: str, wanted: str | None) -> None:
    """What waits, counted as if it were folded."""
    ours = ((one, sign) for one, sign in tail.changes if one.series == filters.series and filters.campaign in (None, one.campaign))
    for sum_key, row in counting.daily_changes(ours).items():
        place = _place(sum_key, windows)
        if place is not None and sum_key.key == key and wanted in (None, sum_key.value):
            made[place][sum_key.value].add(row)
    for pair, found in _waiting_pairs(filters, tail, key, wanted):
        for place, window in enumerate(windows):
            if window.first <= pair.earlier and pair.later <= window.last:
                made[place][pair.value].pairs += found


def _waiting_pairs(filters: Filters, tail: Tail, key: str, wanted: str | None) -> Iterable[tuple[PairKey, PairSums]]:
    for (series, pair), found in tail.pair_sums.items():
        fits = pair.key == key and wanted in (None, pair.value) and filters.campaign in (None, pair.campaign)
        if series == filters.series and fits:
            yield pair, found


def _place(key: SumKey, windows: Sequence[Window]) -> int | None:
    return next((place for place, window in enumerate(windows) if window.first <= key.day <= window.last), None)


# From rows


def chosen(filters: Filters, windows: Sequence[Window]) -> list[ColumnElement[bool]]:
    """Conditions of the question on responses, over all its windows together."""
    first, last = _span(windows)
    return [counted(), Response.first_day.between(first, last), *asked(filters)]


def asked(filters: Filters) -> list[ColumnElement[bool]]:
    """Conditions of the question on responses, without its window. The account is named, because the session guard
    does not look into sub-selects."""
    made = [Response.account_id == tenancy.current(), Response.kind == "nps", Response.series == filters.series]
    if filters.campaign is not None:
        made.append(Response.campaign_id == filters.campaign)
    return made + [value_of(condition.key) == condition.value for condition in filters.conditions]


def _from_rows(filters: Filters, windows: Sequence[Window], by: str | None) -> list[Tallies]:
    made: list[Tallies] = [defaultdict(Tally) for _ in windows]
    answers = _answers(filters, windows, by).cte("answers")
    value, place = answers.c.value, answers.c.place
    comments = func.sum(answers.c.has_comment)
    counts = select(place, value, answers.c.score, func.count(), comments).group_by(place, value, answers.c.score)
    for where, name, score, count, spoken in db.session.execute(counts):
        one = made[where][name]
        one.row[score] += count
        one.row[COMMENTS[_group(score)]] += int(spoken)
    nobody = func.sum(case((answers.c.contact_id.is_(None), 1), else_=0))
    people = select(place, value, func.count(answers.c.contact_id.distinct()), nobody).group_by(place, value)
    for where, name, persons, nameless in db.session.execute(people):
        made[where][name].contacts = persons + int(nameless)
    if filters.unit == "response":
        for where, name, sums in _repeats(answers):
            made[where][name].pairs = sums
    if by is None:
        for found in made:
            if "" not in found:
                found[""] = Tally(contacts=0)
    return [dict(found) for found in made]


def _answers(filters: Filters, windows: Sequence[Window], by: str | None) -> Select[Any]:
    """One row an answer with its window and value; with unit contact only the latest of each contact in each window."""
    place = _bucket(Response.first_day, windows)
    value = value_of(by) if by else literal("", String)
    columns: list[Any] = [
        place.label("place"),
        value.label("value"),
        Response.score.label("score"),
        Response.contact_id.label("contact_id"),
        case((Response.comment != "", 1), else_=0).label("has_comment"),
    ]
    query = select(*columns).where(*chosen(filters, windows), place >= 0)
    if filters.unit != "contact":
        return query
    # nameless answers count singly: each is its own person
    person = func.coalesce(Response.contact_id, Response.id)
    latest = func.row_number().over(
        partition_by=[place, person], order_by=[Response.first_day.desc(), Response.first_at.desc(), Response.id.desc()]
    )
    ranked = query.add_columns(latest.label("turn")).subquery()
    kept: list[Any] = [ranked.c.place, ranked.c.value, ranked.c.score, ranked.c.contact_id, ranked.c.has_comment]
    return select(*kept).where(ranked.c.turn == 1)


def _value(score: Any) -> ColumnElement[int]:
    return case((score >= 9, 1), (score <= 6, -1), else_=0)


def _repeats(answers: Any) -> Iterable[tuple[int, str, PairSums]]:
    """Pairs of answers by one contact in one window, from (answers, Σx, Σx²) of everybody who answered more than once."""
    x, times = _value(answers.c.score), func.count()
    person = (
        select(answers.c.place, answers.c.value, times.label("n"), func.sum(x).label("s"), func.sum(x * x).label("q"))
        .where(answers.c.contact_id.is_not(None))
        .group_by(answers.c.place, answers.c.value, answers.c.contact_id)
        .having(times > 1)
        .subquery()
    )
    n, s, q = person.c.n, person.c.s, person.c.q
    query = select(person.c.place, person.c.value, func.sum(n * (n - 1)), func.sum((n - 1) * s), func.sum(s * s - q)).group_by(
        person.c.place, person.c.value
    )
    for where, name, pairs, total, product in db.session.execute(query):
        # each pair was met from both sides; which of the two came first does not matter inside one window
        yield where, name, PairSums(int(pairs) // 2, int(total), 0, int(product) // 2)


def _shared_rows(filters: Filters, windows: Sequence[Window], by: str | None) -> Iterable[tuple[str, PairSums]]:
    """Pairs with one answer in each of two windows."""
    answers = _answers(filters, windows, by).cte("answers")
    one, other = answers.alias("one"), answers.alias("other")
    x, y = _value(one.c.score), _value(other.c.score)
    query = (
        select(one.c.value, func.count(), func.sum(x), func.sum(y), func.sum(x * y))
        .select_from(one)
        .join(other, and_(one.c.contact_id == other.c.contact_id, one.c.value == other.c.value))
        .where(one.c.place == 0, other.c.place == 1)
        .group_by(one.c.value)
    )
    for value, *sums in db.session.execute(query):
        yield value, PairSums(*map(int, sums))


def _group(score: int) -> str:
    return "promoter" if score >= 9 else "passive" if score >= 7 else "detractor"


def excluded(filters: Filters, window: Window) -> dict[str, int]:
    """Recorded answers of the question that are not counted, by the first reason that fits."""
    query = (
        select(Response.state, Response.method, Response.is_test, func.count())
        .where(not_counted(), Response.first_day.between(window.first, window.last), *asked(filters))
        .group_by(Response.state, Response.method, Response.is_test)
    )
    made: dict[str, int] = {}
    for state, method, is_test, count in db.session.execute(query):
        why = counting.reason(state, method, is_test)
        if why is not None:
            made[why] = made.get(why, 0) + count
    return {why: made[why] for why in counting.LeftOut if why in made}


def waiting_scores(filters: Filters, window: Window) -> list[int]:
    """Scores 0 to 10 of the answers that wait for review or more proof, for the line that says what they would change."""
    bars = [0] * 11
    query = (
        select(Response.score, func.count())
        .where(
            not_counted(),
            Response.state.in_(("provisional", "quarantined")),
            Response.is_test.is_(False),
            Response.first_day.between(window.first, window.last),
            *asked(filters),
        )
        .group_by(Response.score)
    )
    for score, count in db.session.execute(query):
        bars[score] += count
    return bars
