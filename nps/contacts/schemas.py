"""Contacts as the API takes and gives them. Names are those of the export."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from nps.api.shapes import Amount, Day, Instant, Paged, PageQuery, Shape, Text, rfc3339
from nps.contacts.models import Contact

Word = Annotated[Text, Field(max_length=500)]
Consent = Literal["given", "refused", "unknown"]
PropertyValue = Word | bool | float | None


class ContactIn(Shape):
    """Fields that are not sent stay as they are; null empties."""

    email: Word | None = None
    phone: Annotated[Word | None, Field(description="with country code, or a national number together with country")] = None
    external_id: Annotated[Word | None, Field(description="your own customer number")] = None
    name: Word | None = None
    first_name: Word | None = None
    last_name: Word | None = None
    title: Word | None = None
    company: Word | None = None
    locale: Annotated[Word | None, Field(description="BCP 47, such as pt-BR")] = None
    time_zone: Annotated[Word | None, Field(description="IANA name")] = None
    country: Annotated[Word | None, Field(description="ISO 3166 code or English name")] = None
    customer_since: Day | None = None
    monthly_value: Amount | None = None
    consent_email: Consent | None = None
    consent_sms: Consent | None = None
    last_asked_at: Annotated[Instant | None, Field(description="asked by another tool; only ever moves forward")] = None
    properties: Annotated[dict[Word, PropertyValue], Field(description="values by key; keys are made in the workspace")] = {}

    def given(self) -> dict[str, Any]:
        """What was sent, as the service takes it."""
        sent = self.model_dump(exclude_unset=True)
        for name in ("customer_since", "last_asked_at"):
            if sent.get(name) is not None:
                sent[name] = sent[name].isoformat()
        return sent


class ContactOut(Shape):
    """One contact."""

    contact_id: UUID
    number: int
    external_id: str | None
    email: str | None
    phone: str | None
    name: str | None
    first_name: str | None
    company: str | None
    title: str | None
    locale: str | None
    time_zone: str | None
    country: str | None
    customer_since: Day | None
    monthly_value: Amount | None
    consent_email: Consent
    consent_sms: Consent
    suppressed: str | None = Field(description="why no survey is sent to the email, or null")
    last_asked_at: Instant | None
    last_answered_at: Instant | None
    last_score: int | None
    created_at: Instant
    updated_at: Instant
    properties: dict[str, str | bool | float | int | None]


class ContactPage(Paged[ContactOut]):
    """A page of contacts."""


class ContactsQuery(PageQuery):
    """Filters of the list."""

    created_since: Annotated[Instant | None, Field(description="added at this time or later")] = None
    updated_since: Annotated[Instant | None, Field(description="changed at this time or later")] = None


EXAMPLE_IN: dict[str, Any] = {
    "name": "Dana Whitfield",
    "company": "Bright Oak Dental",
    "monthly_value": {"amount": 8400, "currency": "USD"},
    "customer_since": "2024-03-01",
    "properties": {"plan": "Growth"},
}
EXAMPLE_OUT: dict[str, Any] = {
    "contact_id": "019a3b5e-7c00-7000-8000-000000000001",
    "number": 4471,
    "external_id": None,
    "email": "dana@brightoak.example",
    "phone": None,
    "name": "Dana Whitfield",
    "first_name": None,
    "company": "Bright Oak Dental",
    "title": None,
    "locale": None,
    "time_zone": None,
    "country": None,
    "customer_since": "2024-03-01",
    "monthly_value": {"amount": 8400, "currency": "USD"},
    "consent_email": "unknown",
    "consent_sms": "unknown",
    "suppressed": None,
    "last_asked_at": None,
    "last_answered_at": None,
    "last_score": None,
    "created_at": "2026-10-06T16:00:00Z",
    "updated_at": "2026-10-06T16:00:00Z",
    "properties": {"plan": "Growth"},
}


def contact(row: Contact, stops: Mapping[str, Any]) -> dict[str, Any]:
    """The contact as data. stops: standing suppressions by email."""
    stop = stops.get(row.email) if row.email else None
    value = None
    if row.monthly_value_minor is not None:
        value = {"amount": row.monthly_value_minor, "currency": row.currency}
    return {
        "contact_id": str(row.id),
        "number": row.number,
        **{name: getattr(row, name) for name in ("external_id", "email", "phone", "name", "first_name", "company", "title")},
        **{name: getattr(row, name) for name in ("locale", "time_zone", "country", "consent_email", "consent_sms", "last_score")},
        "customer_since": row.customer_since.isoformat() if row.customer_since else None,
        "monthly_value": value,
        "suppressed": stop.reason if stop is not None else None,
        "last_asked_at": rfc3339(row.last_asked_at) if row.last_asked_at else None,
        "last_answered_at": rfc3339(row.last_answered_at) if row.last_answered_at else None,
        "created_at": rfc3339(row.created_at),
        "updated_at": rfc3339(row.updated_at),
        "properties": dict(row.properties or {}),
    }
