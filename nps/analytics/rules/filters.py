"""What a figure is asked for: window, series, unit, filters. The same names in page, API and files."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from urllib.parse import urlencode
from uuid import UUID

from nps.core.errors import Invalid

NAMES = ("from", "to", "p", "series", "kind", "unit", "campaign", "by", "f")
PRESETS = (30, 90, 365)
DEFAULT_DAYS = 90
MOST_DAYS = 3_660
MOST_CONDITIONS = 8
MOST_VALUE = 500
SERIES = ("relationship", "event", "recovery")
UNITS = ("response", "contact")
BUILT_IN = ("channel", "language")
"""Facts of the answer itself that can be filtered and split by, beside the account's own properties."""

_KEY = re.compile(r"[a-z][a-z0-9_]{0,49}")


@dataclass(frozen=True, slots=True)
class Window:
    """Whole days in the account's zone, first and last included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def before(self) -> "Window":
        """The window of the same length directly before."""
        return Window(self.first - timedelta(days=self.days), self.first - timedelta(days=1))

    def is_complete(self, today: date) -> bool:
        """Is its last day over?"""
        return self.last < today


@dataclass(frozen=True, slots=True)
class Condition:
    """`key:is:value` on what was true when the person answered. An empty value stands for "no value"."""

    key: str
    value: str

    def __str__(self) -> str:
        return f"{self.key}:is:{self.value}"


@dataclass(frozen=True, slots=True)
class Filters:
    """One question. Two equal ones are the same question on every surface."""

    window: Window
    series: str = "relationship"
    unit: str = "response"
    campaign: UUID | None = None
    conditions: tuple[Condition, ...] = ()
    by: str | None = None
    days: int | None = field(default=None, compare=False)

    @property
    def properties(self) -> tuple[Condition, ...]:
        """Conditions on the account's own properties."""
        return tuple(condition for condition in self.conditions if condition.key not in BUILT_IN)

    def value_of(self, key: str) -> str | None:
        """The value a built-in fact must have, or None."""
        return next((condition.value for condition in self.conditions if condition.key == key), None)

    def where(self, key: str, value: str) -> "Filters":
        """The same question about the answers with this value, no longer split."""
        others = tuple(condition for condition in self.conditions if condition.key != key)
        return replace(self, conditions=(*others, Condition(key, value)), by=None)

    def over(self, window: Window) -> "Filters":
        """The same question about another window."""
        return replace(self, window=window, days=None)

    def pairs(self, **changed: str | None) -> list[tuple[str, str]]:
        """The canonical query as (name, value); a preset stays a preset. `changed` replaces names, None drops them."""
        if self.days is not None:
            made: list[tuple[str, str]] = [] if self.days == DEFAULT_DAYS else [("p", str(self.days))]
        else:
            made = [("from", self.window.first.isoformat()), ("to", self.window.last.isoformat())]
        if self.series != "relationship":
            made.append(("series", self.series))
        if self.unit != "response":
            made.append(("unit", self.unit))
        if self.campaign is not None:
            made.append(("campaign", str(self.campaign)))
        made += [("f", str(condition)) for condition in self.conditions]
        if self.by is not None:
            made.append(("by", self.by))
        if "p" in changed:
            made = [pair for pair in made if pair[0] not in ("from", "to")]
        made = [pair for pair in made if pair[0] not in changed]
        return made + [(name, value) for name, value in changed.items() if value is not None]

    def query(self, **changed: str | None) -> str:
        """The canonical query string, with its question mark; empty for the default question."""
        pairs = self.pairs(**changed)
        return f"?{urlencode(pairs)}" if pairs else ""


def read(given: Iterable[tuple[str, str]], today: date, also: Iterable[str] = ()) -> Filters:
    """The question in a query string. today: in the account's zone. also: names the page reads by itself.

    Raises Invalid with a sentence per name: for names nobody knows (code `unknown_parameter`), and for values that
    make no question. Nothing is guessed.
    """
    # an empty field of a form asks nothing; an empty value of a filter does
    pairs = [(name, value) for name, value in given if value]
    problems = _unknown(pairs, {*NAMES, *also})
    if problems:
        raise Invalid(next(iter(problems.values())), code="unknown_parameter", fields=problems)
    single = _single(pairs, problems)
    window, days = _window(single, today, problems)
    if single.get("kind", "nps") != "nps":
        problems["kind"] = "Only nps is measured so far."
    series = single.get("series", "relationship")
    if series not in SERIES:
        problems["series"] = f"“{_quote(series)}” is not a series. Use {_listed(SERIES)}."
    unit = single.get("unit", "response")
    if unit not in UNITS:
        problems["unit"] = f"“{_quote(unit)}” is not a unit. Use {_listed(UNITS)}."
    by = single.get("by") or None
    if by is not None and not _KEY.fullmatch(by):
        problems["by"] = f"“{_quote(by)}” is not the key of a property."
    campaign = _campaign(single, problems)
    conditions = _conditions([value for name, value in pairs if name == "f"], problems)
    if problems:
        raise Invalid(" ".join(problems.values()), fields=problems)
    return Filters(window, series, unit, campaign, conditions, by, days)


def _unknown(pairs: list[tuple[str, str]], known: set[str]) -> dict[str, str]:
    return {name: f"There is no parameter “{_quote(name)}”." for name, _ in pairs if name not in known}


def _single(pairs: list[tuple[str, str]], problems: dict[str, str]) -> Mapping[str, str]:
    """Everything but `f` may stand once."""
    found: dict[str, str] = {}
    for name, value in pairs:
        if name == "f":
            continue
        if name in found and found[name] != value:
            problems[name] = f"“{name}” may be given once."
        found[name] = value
    return found


def _window(single: Mapping[str, str], today: date, problems: dict[str, str]) -> tuple[Window, int | None]:
    nothing = Window(today - timedelta(days=DEFAULT_DAYS - 1), today)
    if single.get("from") or single.get("to"):
        if single.get("p"):
            problems["p"] = "Give either p or from and to."
        last = _day(single, "to", today, problems)
        first = _day(single, "from", last - timedelta(days=min(DEFAULT_DAYS - 1, (last - date.min).days)), problems)
        if {"from", "to"} & problems.keys():
            return nothing, None
        if first > last:
            problems["from"] = "The first day lies after the last."
        elif (last - first).days + 1 > MOST_DAYS:
            problems["from"] = f"A window has at most {MOST_DAYS:,} days."
        elif first > today:
            problems["from"] = "This window has not begun."
        elif first <= date.min + timedelta(days=MOST_DAYS):
            problems["from"] = "There were no answers in those years."
        return Window(first, last), None
    text = single.get("p") or str(DEFAULT_DAYS)
    if text not in {str(days) for days in PRESETS}:
        problems["p"] = f"“{_quote(text)}” is not a period. Use {_listed([str(days) for days in PRESETS])} days, or from and to."
        return nothing, None
    days = int(text)
    return Window(today - timedelta(days=days - 1), today), days


def _day(single: Mapping[str, str], name: str, missing: date, problems: dict[str, str]) -> date:
    text = single.get(name)
    if not text:
        return missing
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        problems[name] = f"“{_quote(text)}” is not a day. Write it like 2026-10-06."
        return missing


def _campaign(single: Mapping[str, str], problems: dict[str, str]) -> UUID | None:
    text = single.get("campaign")
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        problems["campaign"] = "This is not the id of a campaign."
        return None


def _conditions(values: list[str], problems: dict[str, str]) -> tuple[Condition, ...]:
    made: list[Condition] = []
    for text in values:
        key, _, rest = text.partition(":")
        test, colon, value = rest.partition(":")
        if not _KEY.fullmatch(key) or not colon:
            problems["f"] = f"“{_quote(text)}” is not a filter. Write it like plan:is:Growth."
        elif test != "is":
            problems["f"] = f"“{_quote(test)}” is not a test. Use is."
        elif len(value) > MOST_VALUE or "\x00" in value:
            problems["f"] = f"A value has at most {MOST_VALUE} characters."
        elif any(other.key == key and other.value != value for other in made):
            problems["f"] = f"“{key}” cannot be two things at once."
        elif Condition(key, value) not in made:
            made.append(Condition(key, value))
    if len(made) > MOST_CONDITIONS:
        problems["f"] = f"At most {MOST_CONDITIONS} filters at a time."
    return tuple(made)


def _listed(words: Iterable[str]) -> str:
    *rest, last = words
    return f"{', '.join(rest)} or {last}"


def _quote(text: str) -> str:
    shown = "".join(sign if sign.isprintable() else "·" for sign in text[:60])
    return f"{shown}…" if len(text) > 60 else shown
