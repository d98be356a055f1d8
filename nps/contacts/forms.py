"""Syntax checks of what members type about contacts. What the texts mean is read by the rules, in the service."""

from collections.abc import Mapping
from typing import Any

from wtforms import Field, FileField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length

from nps.contacts.models import Contact
from nps.contacts.queries.export import amount
from nps.contacts.rules.fields import LABELS, PROPERTY
from nps.contacts.rules.properties import KIND_LABELS, Kind, Property, shown
from nps.core.errors import DomainError
from nps.web.forms import Form

CONSENTS = [SelectChoice(word, word.title()) for word in ("unknown", "given", "refused")]
WHO = ("name", "first_name", "title", "company")
REACH = ("email", "phone", "external_id")
FACTS = ("locale", "time_zone", "country", "customer_since", "monthly_value", "currency")
HINTS = {
    "phone": "With country code, or with a country below: +1 207 555 0142",
    "first_name": "If it is not the first word of the name",
    "locale": "For example en, pt-BR",
    "time_zone": "For example Europe/Berlin",
    "country": "Name or two letters",
    "customer_since": "Year, month, day: 2024-03-04",
    "monthly_value": "What they pay in a month",
    "currency": "Three letters; empty means the account’s own",
}
_FILLS = {"email": "off", "name": "off"}


class ContactForm(Form):
    """Every field of a contact as text; properties are added for each account."""

    consent_email = RadioField(LABELS["consent_email"][0], choices=CONSENTS, default="unknown")
    consent_sms = RadioField(LABELS["consent_sms"][0], choices=CONSENTS, default="unknown")
    agreed_text = StringField("Text agreed to", [Length(max=1000, message="At most 1,000 characters.")])

    def data_for_service(self, properties: Mapping[str, Property]) -> dict[str, Any]:
        """The typed texts as `service.upsert` takes them."""
        data: dict[str, Any] = {name: self[name].data or None for name in (*WHO, *REACH, *FACTS)}
        data |= {"consent_email": self.consent_email.data, "consent_sms": self.consent_sms.data}
        data["properties"] = {key: self[f"p_{key}"].data or None for key in properties}
        return data

    def refuse(self, error: DomainError) -> None:
        """Reasons for properties stand at their fields too."""
        at_field = {name.replace(PROPERTY, "p_", 1) if name.startswith(PROPERTY) else name: words for name, words in error.fields.items()}
        error.fields = {name: f"{words}." for name, words in at_field.items()}
        super().refuse(error)


for _name in (*WHO, *REACH, *FACTS):
    setattr(ContactForm, _name, StringField(LABELS[_name][0], [Length(max=300, message="At most 300 characters.")]))


def contact_form(properties: Mapping[str, Property], contact: Contact | None = None) -> ContactForm:
    """The form of this account, filled with a contact if one is given."""
    made = type("AccountContactForm", (ContactForm,), {f"p_{key}": _property_field(prop) for key, prop in properties.items()})
    return made(data=_values(contact, properties) if contact is not None else None)  # type: ignore[no-any-return]


def _property_field(prop: Property) -> Field:
    if prop.kind is Kind.ONE_OF:
        return SelectField(prop.label, choices=[SelectChoice("", "Not set"), *(SelectChoice(c, c) for c in prop.choices)])
    if prop.kind is Kind.YES_NO:
        return SelectField(prop.label, choices=[SelectChoice("", "Not set"), SelectChoice("true", "Yes"), SelectChoice("false", "No")])
    return StringField(prop.label, [Length(max=500, message="At most 500 characters.")])


def _values(contact: Contact, properties: Mapping[str, Property]) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: getattr(contact, name) for name in (*WHO, *REACH, *FACTS) if name not in ("monthly_value", "customer_since")
    }
    found["customer_since"] = contact.customer_since.isoformat() if contact.customer_since else None
    found["monthly_value"] = amount(contact.monthly_value_minor, contact.currency)
    found |= {"consent_email": contact.consent_email, "consent_sms": contact.consent_sms}
    return found | {f"p_{key}": shown(contact.properties.get(key), prop.kind) for key, prop in properties.items()}


class UploadForm(Form):
    """A file, or rows that were pasted."""

    file = FileField("CSV, TSV or XLSX")
    rows = TextAreaField("Or paste rows", [Length(max=2_000_000)])


class PropertyForm(Form):
    """A new custom property."""

    label = StringField("Name", [Length(max=80, message="At most 80 characters.")])
    kind = SelectField("Type", choices=[SelectChoice(kind.value, words) for kind, words in KIND_LABELS.items()])
    choices = StringField("Choices", [Length(max=2000)])

    def listed(self) -> list[str]:
        """The choices of a list, separated by commas or lines, each once."""
        found = [part.strip() for part in (self.choices.data or "").replace("\n", ",").split(",") if part.strip()]
        return list(dict.fromkeys(found))


class ReasonForm(Form):
    """Why a stop is lifted or a person stopped."""

    note = StringField("Why", [Length(max=300, message="At most 300 characters.")])
