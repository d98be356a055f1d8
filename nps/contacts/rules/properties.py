"""Custom properties: what an account wants to know about its customers beyond the built-in fields."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from nps.contacts.rules.values import DateOrder, read_date, read_line, read_number, read_yes_no, unusable
from nps.contacts.rules.words import plain

TEXT_MAX = 500
MOST = 100
"""Properties an account can have."""

KEY = re.compile(r"[a-z][a-z0-9_]{0,49}")
RESERVED = frozenset(
    "id contact_id number email phone external_id name first_name last_name title company locale time_zone country customer_since"
    " monthly_value currency consent_email consent_sms consent suppressed unsubscribed last_asked_at last_answered_at last_score"
    " next_ask_on created_at updated_at import segment campaign row problem".split()
)


class Kind(StrEnum):
    """Types of a property. The value is what is stored."""

    TEXT = "text"
    NUMBER = "number"
    YES_NO = "yes_no"
    DATE = "date"
    ONE_OF = "one_of"


KIND_LABELS = {
    Kind.TEXT: "Text",
    Kind.NUMBER: "Number",
    Kind.YES_NO: "Yes or no",
    Kind.DATE: "Date",
    Kind.ONE_OF: "One of a list",
}

PropertyValue = str | int | float | bool


@dataclass(frozen=True)
class Property:
    """What is known about one property: stored key, words for people, type, and the list of a `one_of`."""

    key: str
    label: str
    kind: Kind
    choices: tuple[str, ...] = ()


def key_problem(key: str) -> str | None:
    """Why `key` cannot name a property, or None."""
    if key in RESERVED:
        return f"“{key}” is the name of a built-in field"
    if not KEY.fullmatch(key):
        return "A key begins with a letter and has only small letters, digits and _, at most 50"
    return None


def key_from(label: str) -> str:
    """A usable key for a heading such as "Lifecycle Stage"; "" when nothing usable is left."""
    key = plain(label).encode("ascii", "ignore").decode().replace(" ", "_").strip("_")[:50]
    if key and not key[0].isalpha():
        key = f"p_{key}"[:50]
    if key in RESERVED:
        key = f"{key}_2"
    return key if KEY.fullmatch(key) else ""


def guess_kind(values: Sequence[str]) -> Kind:
    """The narrowest type that takes all the values seen; text when there are none."""
    seen = [value.strip() for value in values if value.strip()]
    if not seen:
        return Kind.TEXT
    # 1 and 0 alone are more often numbers than answers.
    tests = (
        (Kind.YES_NO, lambda v: read_yes_no(v, "")) if not set(seen) <= {"0", "1"} else (Kind.NUMBER, lambda v: read_number(v, "")),
        (Kind.NUMBER, lambda v: read_number(v, "")),
        (Kind.DATE, lambda v: read_date(v, "")),
    )
    for kind, test in tests:
        try:
            for value in seen:
                test(value)
        except ValueError:
            continue
        # 0123 is a code, not a number.
        if kind is Kind.NUMBER and any(len(v) > 1 and v[0] == "0" and v[1].isdigit() for v in seen):
            continue
        return kind
    return Kind.TEXT


def read_property(text: str, prop: Property, order: DateOrder | None = None, comma: bool = False) -> PropertyValue:
    """The value as stored: text, number, bool, ISO date, or the list's own spelling. Raises `Unusable`."""
    if prop.kind is Kind.TEXT:
        return read_line(text, prop.label, TEXT_MAX)
    if prop.kind is Kind.NUMBER:
        number = read_number(text, prop.label, comma)
        return int(number) if number == number.to_integral_value() else float(number)
    if prop.kind is Kind.YES_NO:
        return read_yes_no(text, prop.label)
    if prop.kind is Kind.DATE:
        return read_date(text, prop.label, order).isoformat()
    wanted = plain(text)
    for choice in prop.choices:
        if plain(choice) == wanted:
            return choice
    raise unusable(f"{prop.label} is not in its list", text)


def shown(value: PropertyValue | date | None, kind: Kind) -> str:
    """A stored value as it stands in a file."""
    if value is None:
        return ""
    if kind is Kind.YES_NO:
        return "true" if value else "false"
    return str(value)
