"""Files of contacts: the columns of the contacts CSV, with the names the API has."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func

from nps.accounts import queries as accounts
from nps.contacts.models import Contact
from nps.contacts.queries.contacts import list_definitions
from nps.contacts.queries.listing import stream_contacts
from nps.contacts.queries.segments import condition, get_segment, stopped
from nps.contacts.rules.asking import next_ask_at
from nps.contacts.rules.fields import PROPERTY
from nps.contacts.rules.properties import Kind, shown
from nps.core import clock, tenancy
from nps.core.money import decimals

Row = Mapping[str, Any]

COLUMNS = (
    "contact_id", "external_id", "email", "phone", "name", "first_name", "company", "title", "locale", "time_zone", "country",
    "customer_since", "monthly_value", "currency", "consent_email", "consent_sms", "suppressed", "last_asked_at", "last_answered_at",
    "last_score", "next_ask_on", "created_at", "updated_at",
)  # fmt: skip
_READ = [
    Contact.id, Contact.external_id, Contact.email, Contact.phone, Contact.name, Contact.first_name, Contact.company, Contact.title,
    Contact.locale, Contact.time_zone, Contact.country, Contact.customer_since, Contact.monthly_value_minor, Contact.currency,
    Contact.consent_email, Contact.consent_sms, Contact.last_asked_at, Contact.last_answered_at, Contact.last_score, Contact.gap_days,
    Contact.created_at, Contact.updated_at, Contact.properties,
]  # fmt: skip
# What a member without the right to addresses does not get.
_ADDRESSES = frozenset({"email", "phone"})


def amount(minor: int | None, currency: str | None) -> str:
    """Minor units as a plain decimal: 8450 USD → 84.50."""
    if minor is None:
        return ""
    places = decimals(currency or "")
    return f"{minor // 10**places}.{minor % 10**places:0{places}d}" if places else str(minor)


def contacts_table(segment_id: UUID | None = None, *, addresses: bool = True) -> tuple[list[str], Iterator[list[object]]]:
    """(heading, rows) of the contacts file, of all contacts or a segment. Archived properties are left out."""
    definitions = list_definitions()
    names = [name for name in COLUMNS if addresses or name not in _ADDRESSES]
    header = [*names, *(PROPERTY + definition.key for definition in definitions)]
    kinds = [(definition.key, Kind(definition.kind)) for definition in definitions]
    zone = ZoneInfo(accounts.get_account(tenancy.current()).time_zone)
    makers = [_MAKERS.get(name) or _plain(name) for name in names]
    extra = condition(get_segment(segment_id).rules) if segment_id else None

    def rows() -> Iterator[list[object]]:
        now = clock.now()
        for row in stream_contacts([*_READ, func.coalesce(stopped(now), False).label("suppressed")], extra):
            properties = row["properties"]
            yield [make(row, zone) for make in makers] + [shown(properties.get(key), kind) for key, kind in kinds]

    return header, rows()


Maker = Callable[[Row, ZoneInfo], object]


def _plain(name: str) -> Maker:
    return lambda row, zone: row[name]


def _next_ask_on(row: Row, zone: ZoneInfo) -> object:
    moment = next_ask_at(row["last_asked_at"], row["gap_days"])
    return moment.astimezone(zone).date() if moment else None


_MAKERS: dict[str, Maker] = {
    "contact_id": lambda row, zone: row["id"],
    "monthly_value": lambda row, zone: amount(row["monthly_value_minor"], row["currency"]),
    "suppressed": lambda row, zone: bool(row["suppressed"]),
    "next_ask_on": _next_ask_on,
}


def waiting_rows_table(header: Sequence[str], rows: Iterator[Any]) -> tuple[list[str], Iterator[list[object]]]:
    """(heading, rows) of the rows that wait for a correction: the original cells, then `row` and `problem`."""
    width = len(header)

    def made() -> Iterator[list[object]]:
        for row in rows:
            cells = [*row.cells, *([""] * width)][: max(width, len(row.cells))]
            yield [*cells[:width], row.row, row.problem]

    return [*header, "row", "problem"], made()
