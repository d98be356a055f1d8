"""Keeps the sums: writes down what began or ceased to count, folds it by day, makes the sums anew, proves them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import and_, delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from nps.analytics import queries
from nps.analytics.models import AnswerDelta, DailySum, DeltaTail, PairSum, Rollup
from nps.analytics.rules import counting
from nps.analytics.rules.bulk import Bulk
from nps.analytics.rules.counting import Contribution, SumKey
from nps.analytics.rules.repeats import PairKey, PairSums, pair_changes
from nps.core import clock, ids, tenancy
from nps.core.db import db
from nps.core.log import log
from nps.core.prepared import Finder, Prepared
from nps.responses.models import Response

BATCH = 5_000
NO_CAMPAIGN = UUID(int=0)
_ROWS_A_STATEMENT = 400


_response = Finder(Response)
_PUT, _WAIT = Prepared(insert(AnswerDelta)), Prepared(insert(DeltaTail))


class _AboutResponse(Protocol):
    @property
    def response_id(self) -> UUID: ...


def note(event: _AboutResponse) -> None:
    """Write down what this answer counts as from now on. Runs in the transaction that changed it; harmless twice."""
    db.session.flush()
    _renote(event.response_id)


def _renote(response_id: UUID) -> None:
    response = _response(response_id)
    if response is None:
        return
    standing = queries.standing_contributions(response.id)
    wanted = _wanted(response, queries.kept_properties())
    _append(response.id, counting.corrections(standing, wanted), clock.now())


def _wanted(response: Any, kept: Sequence[str]) -> Contribution | None:
    if response.kind != "nps" or counting.reason(response.state, response.method, response.is_test) is not None:
        return None
    values = counting.kept_values(response.answered_properties or {}, kept, response.channel, response.language)
    return Contribution(
        response.contact_id,
        response.first_day,
        response.series,
        response.campaign_id,
        response.score,
        bool(response.comment),
        tuple(values.items()),
    )


def _append(response_id: UUID, changes: Sequence[tuple[Contribution, int]], now: datetime) -> None:
    if not changes:
        return
    account = tenancy.current()
    rows = [_row(account, response_id, one, sign, now) for one, sign in changes]
    for row in rows:
        _PUT(**row)
        _WAIT(id=row["id"])


def _row(account: UUID, response_id: UUID, one: Contribution, sign: int, now: datetime) -> dict[str, Any]:
    return {
        "account_id": account,
        "id": ids.new_id(),
        "response_id": response_id,
        "contact_id": one.contact,
        "day": one.day,
        "series": one.series,
        "campaign_id": one.campaign,
        "score": one.score,
        "has_comment": one.has_comment,
        "properties": dict(one.properties),
        "sign": sign,
        "created_at": now,
    }


def forget(contact_id: UUID) -> None:
    """A person was erased: count their answers as they are now, and keep no trace of what they counted as before.

    Scores and days stay, so totals stay true. What the sums no longer hold is deleted from the deltas with its values.
    """
    for response_id in queries.responses_of(contact_id):
        _renote(response_id)
    while fold():
        pass
    for response_id in queries.responses_of(contact_id):
        _drop_cancelled(response_id)
    nothing = and_(*(getattr(DailySum, name) == 0 for name in queries.SUMMED))
    db.session.execute(delete(DailySum).where(nothing).execution_options(synchronize_session=False))
    no_pairs = and_(*(getattr(PairSum, name) == 0 for name in ("pairs", "first", "second", "product")))
    db.session.execute(delete(PairSum).where(no_pairs).execution_options(synchronize_session=False))


def _drop_cancelled(response_id: UUID) -> None:
    """Delete the folded deltas of an answer that undo each other."""
    standing = queries.standing_contributions(response_id)
    gone: list[UUID] = []
    for delta in db.session.execute(select(*queries.COLUMNS).where(AnswerDelta.response_id == response_id).order_by(AnswerDelta.id.desc())):
        one = queries.contribution(delta)
        if standing[one] > 0 and delta.sign > 0:
            standing[one] -= 1
        else:
            gone.append(delta.id)
    for part in _parts(gone):
        db.session.execute(delete(AnswerDelta).where(AnswerDelta.id.in_(part)).execution_options(synchronize_session=False))


# Folding


def fold(limit: int = BATCH) -> int:
    """Add up to `limit` waiting deltas of the account in scope to its sums, in this transaction. Returns how many.

    By set, not by cursor: what is waiting are the rows without a batch, so one that commits late is folded later. The
    account's row is locked first: two folders never take one delta.
    """
    rollup = _lock()
    waiting = queries.waiting(limit=limit)
    if not waiting:
        return 0
    changes = [(queries.contribution(delta), delta.sign) for delta in waiting]
    known = queries.folded_answers({one.contact for one, _ in changes if one.contact is not None})
    _add_daily(counting.daily_changes(changes))
    _add_pairs(pair_changes(known, counting.moves(changes)))
    for part in _parts([delta.id for delta in waiting]):
        db.session.execute(delete(DeltaTail).where(DeltaTail.id.in_(part)).execution_options(synchronize_session=False))
    rollup.folded_at = clock.now()
    db.session.flush()
    return len(waiting)


def _lock() -> Rollup:
    """The account's row, made if it is not there, held to the end of the transaction."""
    account = tenancy.current()
    db.session.execute(_insert(Rollup).values(account_id=account, kept=[]).on_conflict_do_nothing(index_elements=["account_id"]))
    query = select(Rollup).where(Rollup.account_id == account).with_for_update().execution_options(populate_existing=True)
    return db.session.scalars(query).one()


def _insert(model: type[Any]) -> Any:
    make = postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    return make(model)


def _add_daily(sums: Mapping[SumKey, Sequence[int]]) -> None:
    account = tenancy.current()
    columns = queries.SUMMED
    rows = [
        {
            "account_id": account,
            "id": ids.new_id(),
            "day": key.day,
            "series": key.series,
            "key": key.key,
            "value": key.value,
            "campaign_id": key.campaign or NO_CAMPAIGN,
            **dict(zip(columns, sums[key], strict=True)),
        }
        # one order for all folders, so that they can wait for each other but never in a circle
        for key in sorted(sums, key=lambda key: (key.series, key.key, key.day, key.value, str(key.campaign)))
    ]
    _put_on_top(DailySum, rows, ["account_id", "series", "key", "day", "value", "campaign_id"], columns)


def _add_pairs(sums: Mapping[tuple[str, PairKey], PairSums]) -> None:
    account = tenancy.current()
    rows = [
        {
            "account_id": account,
            "id": ids.new_id(),
            "series": series,
            "earlier": pair.earlier,
            "later": pair.later,
            "key": pair.key,
            "value": pair.value,
            "campaign_id": pair.campaign or NO_CAMPAIGN,
            "pairs": found.pairs,
            "first": found.first,
            "second": found.second,
            "product": found.product,
        }
        for (series, pair), found in sorted(sums.items(), key=lambda item: (item[0][0], item[0][1].place))
    ]
    place = ["account_id", "series", "key", "later", "earlier", "value", "campaign_id"]
    _put_on_top(PairSum, rows, place, ("pairs", "first", "second", "product"))


def _put_on_top(model: type[Any], rows: Sequence[Mapping[str, Any]], place: Sequence[str], summed: Sequence[str]) -> None:
    """Insert rows; where `place` is taken, add their `summed` columns to what is there. One statement, sent for many rows."""
    if rows:
        made = _insert(model)
        more = {name: getattr(model, name) + getattr(made.excluded, name) for name in summed}
        db.session.connection().execute(made.on_conflict_do_update(index_elements=place, set_=more), rows)


def _parts(rows: Sequence[Any]) -> Iterable[list[Any]]:
    for start in range(0, len(rows), _ROWS_A_STATEMENT):
        yield list(rows[start : start + _ROWS_A_STATEMENT])


# Making anew and proving


def rebuild() -> int:
    """Throw the sums of the account in scope away and make them again from its responses. Returns the answers counted.

    Answers that arrive meanwhile keep their waiting deltas: only what this transaction can see is replaced. Begin it in
    one snapshot (`core.db.read_snapshot`) on PostgreSQL.
    """
    kept = _lock().kept
    for table in (DeltaTail, AnswerDelta, DailySum, PairSum):
        db.session.execute(delete(table).execution_options(synchronize_session=False))
    now = clock.now()
    fresh = queries.fresh_deltas(kept, now)
    made = insert(AnswerDelta).from_select(fresh.selected_columns.keys(), fresh).execution_options(preserve_rowcount=True)
    counted: int = db.session.execute(made).rowcount  # type: ignore[attr-defined]
    _sum_all()
    rollup = _lock()
    rollup.built_at = rollup.folded_at = now
    db.session.flush()
    return counted


def _sum_all() -> None:
    """Sum every delta of the account."""
    bulk = Bulk()
    for person, lines in groupby(queries.lines_by_contact(), key=itemgetter(0)):
        bulk.add([tuple(line[1:]) for line in lines], one_person=person is not None)
    bulk.finish()
    _add_daily(bulk.daily)
    _add_pairs({key: sums for key, sums in bulk.pairs.items() if sums})


def keep_properties() -> bool:
    """Choose the properties that sums are kept for from the latest answers. True when the sums had to be made anew."""
    rollup = _lock()
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for properties in queries.latest_properties():
        for key, value in (properties or {}).items():
            if counting.as_value(value):
                seen[key][counting.as_value(value)] += 1
    chosen = counting.worth_keeping({key: seen[key] for key in queries.splitting_keys() if key in seen}, rollup.kept)
    if chosen == rollup.kept:
        return False
    rollup.kept = chosen
    db.session.flush()
    rebuild()
    return True


def prove(month: date | None = None) -> bool:
    """Recount one month of the account in scope from its responses. False when the sums were wrong: an alarm in the log,
    and the sums are made anew. Without a month one is drawn by the day."""
    now = clock.now()
    first = month or queries.month_to_prove(now)
    _lock()
    if first is None:
        return True
    last = (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    right = queries.sums_of(first, last) == queries.recount_of(first, last)
    if not right:
        log.error("sums differ from a recount", month=first.isoformat())
        rebuild()
    _lock().proved_at = now
    db.session.flush()
    return right
