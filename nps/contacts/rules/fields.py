"""The built-in fields of a contact: their words, and how texts become a record.

A record is a dict of stored values by column name, properties under `p.<key>`; None empties, a missing name leaves alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from nps.contacts.rules import values
from nps.contacts.rules.properties import Property, read_property
from nps.contacts.rules.values import DateOrder, Unusable, unusable
from nps.contacts.rules.words import folded
from nps.core import email_address
from nps.core.spreadsheet import unprotected

Record = dict[str, Any]

# name -> (label on pages, noun in reasons)
LABELS: dict[str, tuple[str, str]] = {
    "email": ("Email", "Email"),
    "phone": ("Phone", "Phone"),
    "external_id": ("Your customer number", "Customer number"),
    "name": ("Name", "Name"),
    "first_name": ("First name", "First name"),
    "last_name": ("Last name", "Last name"),
    "title": ("Job title", "Job title"),
    "company": ("Company", "Company"),
    "locale": ("Language", "Language"),
    "time_zone": ("Time zone", "Time zone"),
    "country": ("Country", "Country"),
    "customer_since": ("Customer since", "Start date"),
    "monthly_value": ("Monthly value", "Monthly value"),
    "currency": ("Currency", "Currency"),
    "consent_email": ("Consent to email surveys", "Email consent"),
    "consent_sms": ("Consent to text messages", "Text message consent"),
    "unsubscribed": ("Unsubscribed", "Unsubscribed"),
    "last_asked_at": ("Last asked", "Last asked"),
}
IDENTITIES = ("external_id", "email", "phone")
"""In the order in which they find a contact."""

IDENTITY_NOUNS = {"external_id": "customer number", "email": "email", "phone": "phone"}
DATED = frozenset({"customer_since", "last_asked_at"})
COUNTED = frozenset({"monthly_value"})
PROPERTY = "p."

_KEY_MAX = 240

COMPARED = (
    "email", "phone", "external_id", "name", "first_name", "title", "company", "locale", "time_zone", "country", "customer_since",
    "monthly_value_minor", "currency", "consent_email", "consent_sms", "last_asked_at",
)  # fmt: skip
"""Columns that a record may change, besides properties."""


def label(name: str, properties: Mapping[str, Property] | None = None) -> str:
    """What a page calls the field."""
    if name.startswith(PROPERTY):
        known = (properties or {}).get(name[2:])
        return known.label if known else name[2:]
    return LABELS[name][0]


@dataclass(frozen=True)
class Context:
    """What reading depends on besides the text."""

    now: datetime
    currency: str
    properties: Mapping[str, Property] = field(default_factory=dict)
    orders: Mapping[str, DateOrder] = field(default_factory=dict)
    commas: frozenset[str] = frozenset()

    @property
    def today(self) -> date:
        return self.now.date()


def reader(name: str, context: Context) -> Callable[[str], Any]:
    """The function that turns a trimmed, non-empty text into the value of field `name`. It raises `Unusable`.

    Phone and amount stay texts here (country and currency may stand in another cell); `settle` finishes them.
    """
    if name.startswith(PROPERTY):
        prop, order, comma = context.properties[name[2:]], context.orders.get(name), name in context.commas
        return lambda text: read_property(text, prop, order, comma)
    noun, order = LABELS[name][1], context.orders.get(name)
    today, now = context.today, context.now
    readers: dict[str, Callable[[str], Any]] = {
        "email": values.read_email,
        "phone": str,
        "external_id": lambda text: values.read_line(text, noun, values.NUMBER_MAX),
        "locale": values.read_locale,
        "time_zone": values.read_time_zone,
        "country": values.read_country,
        "customer_since": lambda text: values.read_past_date(text, noun, today, order),
        "monthly_value": str,
        "currency": values.read_currency,
        "consent_email": lambda text: values.read_consent(text, noun),
        "consent_sms": lambda text: values.read_consent(text, noun),
        "unsubscribed": lambda text: values.read_stopped(text, noun),
        "last_asked_at": lambda text: values.read_instant(text, noun, now, order),
    }
    return readers.get(name) or (lambda text: values.read_line(text, noun))


def settle(record: Record, context: Context, country: str | None = None) -> None:
    """Finish what needs two fields: the phone its country, the amount its currency, the name its last name. Raises `Misfit`."""
    phone = record.get("phone")
    if phone:
        try:
            record["phone"] = values.read_phone(phone, record.get("country") or country)
        except Unusable as error:
            raise Misfit("phone", str(error)) from None
    if "monthly_value" in record:
        _settle_amount(record, context)
    last = record.pop("last_name", None)
    if last and not record.get("name"):
        name = f"{record.get('first_name') or ''} {last}".strip()
        if len(name) > values.TEXT_MAX:
            raise Misfit("last_name", str(unusable(f"Name is longer than {values.TEXT_MAX} characters")))
        record["name"] = name


def _settle_amount(record: Record, context: Context) -> None:
    amount = record.pop("monthly_value")
    if amount is None:
        record["monthly_value_minor"], record["currency"] = None, None
        return
    try:
        record["monthly_value_minor"], record["currency"] = values.read_money(
            amount, LABELS["monthly_value"][1], record.get("currency") or context.currency, "monthly_value" in context.commas
        )
    except Unusable as error:
        raise Misfit("monthly_value", str(error)) from None


class Misfit(Exception):
    """A field that cannot be used: its name and the reason. `field` is None when it is the row as a whole."""

    def __init__(self, field: str | None, reason: str) -> None:
        super().__init__(reason)
        self.field = field
        self.reason = reason


NOBODY = "No email, phone or customer number"


class RowReader:
    """Reads the rows of one file, whose columns are matched to fields.

    `columns`: (index of the cell, field) for every column that is not left out. `blank_empties`: an empty cell empties
    the field; else it leaves it alone. `nothing`: texts that other tools write into empty cells, in small letters.
    """

    def __init__(
        self,
        columns: Sequence[tuple[int, str]],
        context: Context,
        *,
        blank_empties: bool = False,
        nothing: frozenset[str] = frozenset(),
    ) -> None:
        self.context = context
        self.index_of = {name: index for index, name in columns}
        self._plan = [(index, name, reader(name, context)) for index, name in columns]
        self._blank_empties = blank_empties
        self._nothing = nothing
        self._settles = any(name in ("phone", "monthly_value", "last_name") for _, name in columns)

    def read(self, cells: Sequence[str]) -> Record:
        """The record of one row. Raises `Misfit` with the first thing that is wrong."""
        record: Record = {}
        width = len(cells)
        for index, name, read in self._plan:
            text = cells[index] if index < width else ""
            if text:
                if text[0] == "'":
                    text = unprotected(text)
                text = text.strip()
            if text and not (self._nothing and text.lower() in self._nothing):
                try:
                    record[name] = read(text)
                except Unusable as error:
                    raise Misfit(name, str(error)) from None
            elif self._blank_empties and name not in IDENTITIES and name != "unsubscribed":
                record[name] = None
        if self._settles:
            settle(record, self.context)
        if not (record.get("email") or record.get("external_id") or record.get("phone")):
            raise Misfit("email" if "email" in self.index_of else None, NOBODY)
        return record


def read_fields(texts: Mapping[str, str | None], context: Context, country: str | None = None) -> tuple[Record, dict[str, str]]:
    """(record, reasons by field) of a form or a request: every field is looked at. `country`: the one stored so far."""
    record: Record = {}
    wrong: dict[str, str] = {}
    for name, text in texts.items():
        text = (text or "").strip()
        if not text:
            record[name] = None
            continue
        try:
            record[name] = reader(name, context)(text)
        except Unusable as error:
            wrong[name] = str(error)
    try:
        settle(record, context, country)
    except Misfit as error:
        wrong[error.field or "email"] = error.reason
    return record, wrong


def keys_of(record: Record) -> Record:
    """The columns that repeat a field for finding it, for the fields present in `record`."""
    found: Record = {}
    if "email" in record:
        found["email_key"] = record["email"].lower() if record["email"] else None
        found["email_reduced"] = email_address.reduced(record["email"]) if record["email"] else None
    if "name" in record:
        name = folded(record["name"])[:_KEY_MAX] if record["name"] else None
        found["name_key"] = name
        found["surname_key"] = name.rsplit(" ", 1)[1] if name and " " in name else None
    if "company" in record:
        found["company_key"] = folded(record["company"])[:_KEY_MAX] if record["company"] else None
    return found
