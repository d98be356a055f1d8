"""Segments: rules become one condition, used alike for counting, listing and planning."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, String, and_, case, func, literal, not_, or_, select, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from nps.accounts import queries as accounts
from nps.contacts.models import Contact, Segment
from nps.contacts.queries.contacts import properties as list_properties
from nps.contacts.rules import segments as rules
from nps.contacts.rules.asking import GAP_DAYS
from nps.contacts.rules.fields import PROPERTY
from nps.contacts.rules.properties import Property
from nps.contacts.rules.segments import Comparable, Sort
from nps.contacts.rules.words import folded
from nps.core import clock, tenancy
from nps.core import db as database
from nps.core.db import db
from nps.core.errors import NotFound
from nps.core.money import decimals
from nps.delivery.models import Suppression

Condition = ColumnElement[bool]


class wb_folded(GenericFunction[str]):
    """`words.folded` in the database: without case and accents."""

    type = String()
    inherit_cache = True


def _on_sqlite(text: str | None) -> str | None:
    return None if text is None else folded(text)


database.sqlite_functions["wb_folded"] = _on_sqlite

_PLAIN = {"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th"}


@compiles(wb_folded, "postgresql")
def _on_postgresql(element: wb_folded, compiler: SQLCompiler, **kw: Any) -> str:
    text = f"lower({compiler.process(element.clauses, **kw)})"
    for letter, plain in _PLAIN.items():
        text = f"replace({text}, '{letter}', '{plain}')"
    return f"regexp_replace(normalize(translate({text}, 'øđðłı', 'oddli'), NFKD), '[\u0300-\u036f]', '', 'g')"


def get_segment(segment_id: UUID) -> Segment:
    """Raises `NotFound`."""
    found = db.session.scalar(select(Segment).where(Segment.id == segment_id))
    if found is None:
        raise NotFound("There is no such segment.")
    return found


def list_segments(*, archived: bool = False) -> Sequence[Segment]:
    """The account's segments by name."""
    query = select(Segment).order_by(func.lower(Segment.name), Segment.id)
    return db.session.scalars(query if archived else query.where(Segment.archived_at.is_(None))).all()


def audience_select(segment_id: UUID | None, exclude: Sequence[UUID] = ()) -> Select[UUID]:
    """The ids of all contacts in a segment (None: everybody) and in none of the segments `exclude`, as a select.

    It names the account itself, so it can stand inside an INSERT … SELECT. Whether a person may be asked now is not
    decided here. Raises `NotFound` for a segment that is not there.
    """
    query = select(Contact.id).where(Contact.account_id == tenancy.current(), Contact.erased_at.is_(None))
    if segment_id is not None:
        query = query.where(condition(get_segment(segment_id).rules))
    for other in exclude:
        # A rule that is neither true nor false (an empty value) is no membership.
        query = query.where(func.coalesce(condition(get_segment(other).rules), false_()).is_(False))
    return query


def false_() -> ColumnElement[bool]:
    return not_(true())


def condition(stored: Mapping[str, Any], properties: Mapping[str, Property] | None = None) -> Condition:
    """The rules of a segment as one condition on `Contact`, in the time zone of the account in scope. Rules are checked before."""
    known = rules.fields(list_properties() if properties is None else properties)
    account = accounts.get_account(tenancy.current())
    return _group(stored, _Terms(known, ZoneInfo(account.time_zone), account.currency, clock.now()))


def _group(stored: Mapping[str, Any], terms: "_Terms") -> Condition:
    parts = [_group(rule, terms) if "rules" in rule else terms.of(rule) for rule in stored["rules"]]
    if not parts:
        return true()
    return and_(*parts) if stored["match"] == "all" else or_(*parts)


class _Terms:
    """Turns single rules into conditions."""

    def __init__(self, known: Mapping[str, Comparable], zone: ZoneInfo, currency: str, now: datetime) -> None:
        self.known = known
        self.zone = zone
        self.currency = currency
        self.now = now

    def of(self, rule: Mapping[str, Any]) -> Condition:
        target = self.known.get(rule["field"])
        operator = target.operator(rule["op"]) if target else None
        if target is None or operator is None:
            # A property that was archived since: nobody has it any more.
            return false_()
        values = rules.operands(target, operator, rule.get("value"))
        make: Callable[[Comparable, str, list[Any]], Condition] = getattr(self, f"_{target.sort.value}")
        return make(target, operator.key, values)

    def _text(self, target: Comparable, op: str, values: list[Any]) -> Any:
        column = _plain_column(target.key)
        if op in ("empty", "filled"):
            bare = _text_column(target.key)
            return bare.is_(None) if op == "empty" else bare.is_not(None)
        wanted = [folded(value) for value in values]
        if op == "contains":
            return column.contains(wanted[0], autoescape=True)
        if op == "starts":
            return column.startswith(wanted[0], autoescape=True)
        return column.not_in(wanted) if op == "is_not" else column.in_(wanted)

    def _number(self, target: Comparable, op: str, values: list[Any]) -> Any:
        if target.key.startswith(PROPERTY):
            column: Any = Contact.properties[target.key[len(PROPERTY) :]].as_float()
        else:
            column = getattr(Contact, target.key)
        return _ordered(column, op, values)

    def _money(self, target: Comparable, op: str, values: list[Any]) -> Any:
        # Amounts of other currencies are never compared with these.
        minor = [round(value * 10 ** decimals(self.currency)) for value in values]
        found = _ordered(Contact.monthly_value_minor, op, minor)
        return found if op in ("empty", "filled") else and_(Contact.currency == self.currency, found)

    def _day(self, target: Comparable, op: str, values: list[Any]) -> Any:
        own = target.key.startswith(PROPERTY)
        column: Any = Contact.properties[target.key[len(PROPERTY) :]].as_string() if own else getattr(Contact, target.key)
        today = self.now.astimezone(self.zone).date()
        if op == "last_days":
            first, last = rules.days_back(today, values[0]), today
            return column.between(first.isoformat() if own else first, last.isoformat() if own else last)
        if op == "next_days":
            first, last = today + timedelta(days=1), today + timedelta(days=values[0])
            return column.between(first.isoformat() if own else first, last.isoformat() if own else last)
        return _ordered(column, {"before": "below", "after": "above"}.get(op, op), [v.isoformat() for v in values] if own else values)

    def _instant(self, target: Comparable, op: str, values: list[Any]) -> Any:
        column = getattr(Contact, target.key)
        today = self.now.astimezone(self.zone).date()
        if op in ("empty", "filled"):
            return column.is_(None) if op == "empty" else column.is_not(None)
        if op == "last_days":
            return column >= rules.day_begins(rules.days_back(today, values[0]), self.zone)
        if op == "days_ago":
            return column < rules.day_begins(rules.days_back(today, values[0]), self.zone)
        if op == "before":
            return column < rules.day_begins(values[0], self.zone)
        return column >= rules.day_begins(values[0] + timedelta(days=1), self.zone)

    def _yes_no(self, target: Comparable, op: str, values: list[Any]) -> Any:
        if target.key == "held":
            return Contact.held_at.is_not(None) if values[0] else Contact.held_at.is_(None)
        if target.key == "stopped":
            return stopped(self.now) if values[0] else not_(stopped(self.now))
        found = Contact.properties[target.key[len(PROPERTY) :]].as_boolean()
        return found.is_(True) if values[0] else found.is_(False)

    def _choice(self, target: Comparable, op: str, values: list[Any]) -> Any:
        if target.key == "group":
            column: Any = case(
                *((Contact.last_score.between(low, high), literal(name)) for name, (low, high) in rules.GROUPS.items()), else_=None
            )
        else:
            column = getattr(Contact, target.key)
        return column.not_in(values) if op == "is_not" else column.in_(values)


_FOLDED = {"name": Contact.name_key, "company": Contact.company_key, "email": Contact.email_key}


def _text_column(key: str) -> Any:
    if key.startswith(PROPERTY):
        return Contact.properties[key[len(PROPERTY) :]].as_string()
    return getattr(Contact, key)


def _plain_column(key: str) -> Any:
    found = _FOLDED.get(key)
    return found if found is not None else wb_folded(_text_column(key))


def _ordered(column: Any, op: str, values: list[Any]) -> Any:
    if op in ("empty", "filled"):
        return column.is_(None) if op == "empty" else column.is_not(None)
    if op == "between":
        return column.between(min(values), max(values))
    made = {"is": column == values[0], "is_not": column != values[0], "below": column < values[0], "above": column > values[0]}
    return made[op]


def stopped(now: datetime) -> Condition:
    """Has this contact's address a stop that holds at `now`? False without an address.

    Stops of erased people are kept as hashes and seen when a message is about to leave.
    """
    holds = (
        Suppression.account_id == tenancy.current(),
        Suppression.lifted_at.is_(None),
        Suppression.scope != "phone",
        or_(Suppression.until.is_(None), Suppression.until > now),
    )
    bare = func.substr(Suppression.key, 2)
    exact = select(bare).where(*holds, Suppression.key.startswith("="))
    wide = select(bare).where(*holds, Suppression.key.startswith("~"))
    return and_(Contact.email_key.is_not(None), or_(Contact.email_key.in_(exact), Contact.email_reduced.in_(wide)))


@dataclass(frozen=True)
class Reach:
    """How many contacts match, and how many of them could be asked now as far as the contact says."""

    matching: int
    askable: int
    without: Mapping[str, int]
    """Property or field of a rule with a value → how many contacts have none, so they never match."""


def reach(stored: Mapping[str, Any]) -> Reach:
    """Count a segment and who of it may be asked: reachable by email, no stop, nothing that holds them, the gap is over."""
    now = clock.now()
    known = rules.fields(list_properties())
    matching = condition(stored)
    alive = Contact.erased_at.is_(None)
    base = select(func.count(), func.count().filter(askable(now))).select_from(Contact)
    total, free = db.session.execute(base.where(alive, matching)).one()
    without: dict[str, int] = {}
    for rule in stored["rules"]:
        target = known.get(rule.get("field", ""))
        if target is not None and target.sort in (Sort.TEXT, Sort.NUMBER, Sort.DAY) and rule["op"] not in ("empty", "filled"):
            missing = _text_column(target.key).is_(None)
            without[target.label] = db.session.scalar(select(func.count()).select_from(Contact).where(alive, missing)) or 0
    return Reach(total, free, {label: many for label, many in without.items() if many})


def askable(now: datetime) -> Condition:
    """May this contact be asked by email, as far as the contact itself says? Campaigns have more gates."""
    gap = now - timedelta(days=GAP_DAYS)
    rested = or_(Contact.last_asked_at.is_(None), Contact.last_asked_at <= gap)
    return and_(Contact.email_key.is_not(None), Contact.held_at.is_(None), rested, not_(stopped(now)))
