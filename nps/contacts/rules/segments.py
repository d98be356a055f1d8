"""Rules of a segment: what may be compared how, checked when they are saved, and said in words.

Stored as `{"match": "all" | "any", "rules": [{"field", "op", "value"} | {"match", "rules"}]}`, one level of nesting.
A comparison with an empty value never matches, "is not" included.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from nps.contacts.rules import values
from nps.contacts.rules.fields import LABELS, PROPERTY
from nps.contacts.rules.properties import Kind, Property
from nps.contacts.rules.values import Unusable, unusable

RULES_MAX = 20
VALUE_MAX = 500
DAYS_MAX = 3650


class Sort(StrEnum):
    """What a field holds, which decides how it is compared."""

    TEXT = "text"
    NUMBER = "number"
    MONEY = "money"
    DAY = "day"
    INSTANT = "instant"
    YES_NO = "yes_no"
    CHOICE = "choice"


@dataclass(frozen=True)
class Operator:
    """A comparison in words; `takes` says what stands behind it: nothing, one value, two, a list, or a number of days."""

    key: str
    label: str
    takes: str


_TEXT = [
    Operator("is", "is", "one"),
    Operator("is_not", "is not", "one"),
    Operator("contains", "contains", "one"),
    Operator("starts", "starts with", "one"),
    Operator("one_of", "is one of", "list"),
]
_NUMBER = [
    Operator("is", "is", "one"),
    Operator("is_not", "is not", "one"),
    Operator("below", "is below", "one"),
    Operator("above", "is above", "one"),
    Operator("between", "is between", "two"),
]
_DAY = [
    Operator("before", "is before", "one"),
    Operator("after", "is after", "one"),
    Operator("between", "is between", "two"),
    Operator("last_days", "is in the last … days", "days"),
    Operator("next_days", "is in the next … days", "days"),
]
_INSTANT = [
    Operator("last_days", "was in the last … days", "days"),
    Operator("days_ago", "was more than … days ago", "days"),
    Operator("before", "was before", "one"),
    Operator("after", "was after", "one"),
]
_EMPTY = [Operator("empty", "is empty", "none"), Operator("filled", "is not empty", "none")]
_NEVER = [Operator("empty", "never", "none"), Operator("filled", "at some time", "none")]

OPERATORS: dict[Sort, list[Operator]] = {
    Sort.TEXT: [*_TEXT, *_EMPTY],
    Sort.NUMBER: [*_NUMBER, *_EMPTY],
    Sort.MONEY: [*_NUMBER, *_EMPTY],
    Sort.DAY: [*_DAY, *_EMPTY],
    Sort.INSTANT: [*_INSTANT, *_NEVER],
    Sort.YES_NO: [Operator("is", "is", "one")],
    Sort.CHOICE: [Operator("is", "is", "one"), Operator("is_not", "is not", "one"), Operator("one_of", "is one of", "list")],
}

GROUPS = {"promoter": (9, 10), "passive": (7, 8), "detractor": (0, 6)}
CONSENTS = ("given", "refused", "unknown")
CHOICES: dict[str, Sequence[str]] = {"group": tuple(GROUPS), "consent_email": CONSENTS, "consent_sms": CONSENTS}

_BUILT_IN: dict[str, tuple[str, Sort]] = {
    "company": (LABELS["company"][0], Sort.TEXT),
    "title": (LABELS["title"][0], Sort.TEXT),
    "name": (LABELS["name"][0], Sort.TEXT),
    "email": (LABELS["email"][0], Sort.TEXT),
    "external_id": (LABELS["external_id"][0], Sort.TEXT),
    "country": (LABELS["country"][0], Sort.TEXT),
    "locale": (LABELS["locale"][0], Sort.TEXT),
    "time_zone": (LABELS["time_zone"][0], Sort.TEXT),
    "customer_since": (LABELS["customer_since"][0], Sort.DAY),
    "monthly_value": (LABELS["monthly_value"][0], Sort.MONEY),
    "last_score": ("Last score", Sort.NUMBER),
    "group": ("Last answer was from a", Sort.CHOICE),
    "answers": ("Number of answers", Sort.NUMBER),
    "last_asked_at": ("Last asked", Sort.INSTANT),
    "last_answered_at": ("Last answered", Sort.INSTANT),
    "held": ("Held back, for example by an open case", Sort.YES_NO),
    "stopped": ("Has a stop", Sort.YES_NO),
    "consent_email": (LABELS["consent_email"][0], Sort.CHOICE),
    "consent_sms": (LABELS["consent_sms"][0], Sort.CHOICE),
    "created_at": ("Added here", Sort.INSTANT),
}
_SORT_OF = {
    Kind.TEXT: Sort.TEXT,
    Kind.ONE_OF: Sort.TEXT,
    Kind.NUMBER: Sort.NUMBER,
    Kind.YES_NO: Sort.YES_NO,
    Kind.DATE: Sort.DAY,
}


@dataclass(frozen=True)
class Comparable:
    """A field that rules may name."""

    key: str
    label: str
    sort: Sort
    choices: Sequence[str] = ()

    @property
    def operators(self) -> list[Operator]:
        return OPERATORS[self.sort]

    def operator(self, key: str) -> Operator | None:
        return next((one for one in self.operators if one.key == key), None)


def fields(properties: Mapping[str, Property]) -> dict[str, Comparable]:
    """Every field of this account that rules may name, in the order in which they are offered."""
    found = {key: Comparable(key, label, sort, CHOICES.get(key, ())) for key, (label, sort) in _BUILT_IN.items()}
    own = {
        PROPERTY + prop.key: Comparable(PROPERTY + prop.key, prop.label, _SORT_OF[prop.kind], prop.choices) for prop in properties.values()
    }
    return {**own, **found}


def check(rules: Any, properties: Mapping[str, Property]) -> list[str]:
    """What is wrong with rules that were typed or sent, as sentences in their order; [] when nothing is."""
    known = fields(properties)
    if not _is_group(rules):
        return ["A segment needs rules: all or any of them have to hold."]
    flat = [inner for rule in rules["rules"] for inner in (rule["rules"] if _is_group(rule) else [rule])]
    if len(flat) > RULES_MAX:
        return [f"A segment has at most {RULES_MAX} rules; these are {len(flat)}."]
    return [f"Rule {number}: {problem}." for number, rule in enumerate(flat, 1) for problem in [_problem(rule, known)] if problem]


def _is_group(rule: Any) -> bool:
    return (
        isinstance(rule, dict) and rule.keys() == {"match", "rules"} and rule["match"] in ("all", "any") and isinstance(rule["rules"], list)
    )


def _problem(rule: Any, known: Mapping[str, Comparable]) -> str | None:
    if not (isinstance(rule, dict) and {"field", "op"} <= rule.keys() <= {"field", "op", "value"}):
        return "it needs a field, a comparison and a value"
    target = known.get(rule["field"]) if isinstance(rule["field"], str) else None
    if target is None:
        return f"there is no field “{str(rule['field'])[:40]}”"
    operator = target.operator(str(rule["op"]))
    if operator is None:
        return f"{target.label} cannot be compared like this"
    try:
        operands(target, operator, rule.get("value"))
    except Unusable as error:
        return str(error)
    return None


def operands(target: Comparable, operator: Operator, value: Any) -> list[Any]:
    """The values behind an operator, read for the field. Raises `Unusable`."""
    if operator.takes == "none":
        return []
    texts = [str(v).strip() for v in (value if isinstance(value, list) else [value]) if v is not None and str(v).strip()]
    if operator.takes == "list" and len(texts) == 1:
        texts = [part.strip() for part in texts[0].split(",") if part.strip()]
    wanted = {"one": 1, "two": 2, "days": 1}.get(operator.takes)
    if not texts or (wanted is not None and len(texts) != wanted):
        raise unusable(f"{target.label} needs {'two values' if wanted == 2 else 'a value'}")
    if any(len(text) > VALUE_MAX for text in texts):
        raise unusable(f"{target.label}: a value is longer than {VALUE_MAX} characters")
    if operator.takes == "days":
        return [_days(texts[0], target.label)]
    return [_READERS[target.sort](text, target) for text in texts]


def _days(text: str, label: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 0 < int(text) <= DAYS_MAX):
        raise unusable(f"{label} needs a number of days up to {DAYS_MAX:,}", text)
    return int(text)


def _choice(text: str, target: Comparable) -> str:
    for choice in target.choices:
        if choice.lower() == text.lower():
            return choice
    raise unusable(f"{target.label} is not one of its values", text)


_READERS: dict[Sort, Callable[[str, Comparable], Any]] = {
    Sort.TEXT: lambda text, target: text,
    Sort.NUMBER: lambda text, target: float(values.read_number(text, target.label)),
    Sort.MONEY: lambda text, target: float(values.read_number(text, target.label)),
    Sort.DAY: lambda text, target: values.read_date(text, target.label),
    Sort.INSTANT: lambda text, target: values.read_date(text, target.label),
    Sort.YES_NO: lambda text, target: values.read_yes_no(text, target.label),
    Sort.CHOICE: _choice,
}


def day_begins(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a day in the account's time zone."""
    return datetime.combine(day, time(), zone)


def days_back(today: date, days: int) -> date:
    """The first day of "the last `days` days": today is the last of them."""
    return today - timedelta(days=days - 1)


def in_words(rules: Mapping[str, Any], properties: Mapping[str, Property]) -> list[str]:
    """Each rule as a short sentence: "Plan is one of Growth, Scale"."""
    known = fields(properties)
    said = []
    for rule in rules["rules"]:
        if _is_group(rule):
            joint = " and " if rule["match"] == "all" else " or "
            said.append(joint.join(_words(inner, known) for inner in rule["rules"]))
        else:
            said.append(_words(rule, known))
    return said


def _words(rule: Mapping[str, Any], known: Mapping[str, Comparable]) -> str:
    target = known.get(rule["field"])
    operator = target.operator(rule["op"]) if target else None
    if target is None or operator is None:
        return f"{rule['field']} (no longer there)"
    value = rule.get("value")
    texts = [str(v) for v in value] if isinstance(value, list) else [str(value)] if value not in (None, "") else []
    if operator.takes == "days":
        return f"{target.label} {operator.label.replace('…', texts[0])}"
    if operator.takes == "two":
        return f"{target.label} {operator.label} {' and '.join(texts)}"
    return " ".join(filter(None, [target.label, operator.label, ", ".join(texts) if operator.takes != "none" else ""]))


# The form: one level, any number of rows


@dataclass(frozen=True)
class Line:
    """One row of the form, as it was chosen and typed."""

    field: str = ""
    op: str = ""
    first: str = ""
    second: str = ""


def lines_of(stored: Mapping[str, Any]) -> list[Line]:
    """Stored rules as rows of the form. A nested group is shown rule by rule."""
    found = []
    for rule in stored["rules"]:
        for inner in rule["rules"] if _is_group(rule) else [rule]:
            value = inner.get("value")
            parts = [str(v) for v in value] if isinstance(value, list) else [str(value)] if value not in (None, "") else []
            two = len(parts) == 2 and inner["op"] == "between"
            found.append(Line(inner["field"], inner["op"], parts[0] if two else ", ".join(parts), parts[1] if two else ""))
    return found


def read_lines(form: Mapping[str, str]) -> list[Line]:
    """The rows of a sent form: `f<n>`, `o<n>`, `v<n>`, `w<n>`."""
    numbers = sorted({int(name[1:]) for name in form if name[:1] == "f" and name[1:].isdigit() and len(name) < 5})
    return [Line(*(form.get(f"{letter}{n}", "").strip() for letter in "fovw")) for n in numbers][: RULES_MAX + 1]


def from_lines(match: str, lines: Sequence[Line], properties: Mapping[str, Property]) -> dict[str, Any]:
    """Rules as they are stored. A row without a field is left out."""
    known = fields(properties)
    made: list[dict[str, Any]] = []
    for line in lines:
        target = known.get(line.field)
        if not line.field:
            continue
        operator = target.operator(line.op) if target else None
        takes = operator.takes if operator else "one"
        value: Any = line.first
        if takes == "two":
            value = [line.first, line.second]
        elif takes == "list":
            value = [part.strip() for part in line.first.split(",") if part.strip()]
        rule: dict[str, Any] = {"field": line.field, "op": line.op}
        made.append(rule if takes == "none" else {**rule, "value": value})
    return {"match": "any" if match == "any" else "all", "rules": made}


def settled(line: Line, known: Mapping[str, Comparable]) -> Line:
    """The row with a comparison that its field has: the first one when the field was changed."""
    target = known.get(line.field)
    if target is None or target.operator(line.op) is not None:
        return line
    return Line(line.field, target.operators[0].key, "", "")
