"""Columns find their fields by heading, by value and by the tool that wrote the file; rows become records."""

from datetime import UTC, date, datetime

import pytest

from nps.contacts.rules import columns
from nps.contacts.rules.columns import Preset
from nps.contacts.rules.fields import Context, Misfit, RowReader
from nps.contacts.rules.properties import Kind, Property

NOW = datetime(2026, 10, 6, 12, tzinfo=UTC)
PLAN = {"plan": Property("plan", "Plan", Kind.TEXT)}


def targets(header: list[str], sample: list[list[str]] | None = None, properties: dict[str, Property] | None = None) -> list[str]:
    return [guess.target for guess in columns.guess(header, sample or [], properties or {})]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("email_addr,full name,plan_code,since,mrr,notes", "email,name,,customer_since,monthly_value,"),
        ("E-Mail,Vorname,Nachname,Firma,Kunde seit,Land,Sprache", "email,first_name,last_name,company,customer_since,country,locale"),
        ("Courriel,Prénom,Nom,Société,Fuseau horaire,Pays", "email,first_name,last_name,company,time_zone,country"),
        ("Correo electrónico,Nombre,Apellidos,Empresa,Teléfono,Idioma", "email,first_name,last_name,company,phone,locale"),
        ("Endereço de e-mail,Nome completo,Empresa,Cliente desde,Moeda", "email,name,company,customer_since,currency"),
        ("Indirizzo e-mail,Nome,Cognome,Azienda,Telefono,Cliente dal", "email,first_name,last_name,company,phone,customer_since"),
        ("E-mailadres,Voornaam,Achternaam,Bedrijf,Klantnummer,Tijdzone", "email,first_name,last_name,company,external_id,time_zone"),
        ("E-postadress,Namn,Företag,Kundnummer,Mobilnummer", "email,name,company,external_id,phone"),
        ("Adres e-mail,Imię i nazwisko,Nazwa firmy,Numer klienta,Kraj", "email,name,company,external_id,country"),
        ("EMAIL ADDRESS,Job Title,Opted Out,Last Asked At,Email consent", "email,title,unsubscribed,last_asked_at,consent_email"),
    ],
)
def test_headings_are_known_in_many_languages(header: str, expected: str) -> None:
    assert targets(header.split(",")) == expected.split(",")


def test_each_field_is_used_once() -> None:
    assert targets(["Email", "E-mail", "Work email"]) == ["email", "", ""]


def test_an_ambiguous_heading_is_a_whole_name_when_it_stands_alone() -> None:
    assert targets(["email", "Nome"]) == ["email", "name"]
    assert targets(["email", "Nom"]) == ["email", "name"]
    assert targets(["email", "First name"]) == ["email", "first_name"]


def test_addresses_are_found_by_their_values() -> None:
    sample = [["x", f"u{n}@x.test"] for n in range(8)] + [["x", "none"], ["x", "later"]]
    assert targets(["Column 1", "Column 2"], sample) == ["", "email"]
    assert targets(["Column 1", "Column 2"], [["x", "u@x.test"], ["x", "none"]]) == ["", ""]
    assert targets(["id", "note"], [["u@x.test", ""]]) == ["email", ""]


def test_properties_are_found_by_label_and_by_key() -> None:
    assert targets(["email", "Plan", "p.plan"], [], PLAN) == ["email", "p.plan", ""]
    assert targets(["email", "p.plan"], [], PLAN) == ["email", "p.plan"]


def test_our_own_export_goes_back_where_it_came_from() -> None:
    header = (
        "contact_id,external_id,email,phone,name,first_name,company,title,locale,time_zone,country,customer_since,monthly_value,currency"
    )
    header += ",consent_email,consent_sms,suppressed,last_asked_at,last_answered_at,last_score,next_ask_on,created_at,updated_at,p.plan"
    found = dict(zip(header.split(","), targets(header.split(","), [], PLAN), strict=True))
    assert found["contact_id"] == ""
    assert {name for name, target in found.items() if not target} == {
        "contact_id", "last_answered_at", "last_score", "next_ask_on", "created_at", "updated_at",
    }  # fmt: skip
    assert found["suppressed"] == "unsubscribed"
    assert all(
        found[name] == name for name in ("external_id", "email", "phone", "name", "first_name", "title", "last_asked_at", "currency")
    )


HUBSPOT = "Record ID,First Name,Last Name,Email,Company name,Lifecycle Stage,Contact owner,Country/Region,Create Date"
SALESFORCE = "Contact ID,First Name,Last Name,Email,Account Name,Account Owner,Mailing Country,Created Date"


@pytest.mark.parametrize(
    ("header", "preset", "expected"),
    [
        (
            HUBSPOT,
            Preset.HUBSPOT,
            "external_id,first_name,last_name,email,company,p.lifecycle_stage,p.contact_owner,country,customer_since",
        ),
        (SALESFORCE, Preset.SALESFORCE, "external_id,first_name,last_name,email,company,p.account_owner,country,customer_since"),
    ],
)
def test_exports_of_other_tools_are_known_in_any_order_and_case(header: str, preset: Preset, expected: str) -> None:
    names = header.split(",")
    assert columns.find_preset(names) is preset
    assert targets(names) == expected.split(",")
    mixed = [name.upper() for name in reversed(names)] + ["Something else"]
    assert columns.find_preset(mixed) is preset
    assert targets(mixed) == [*reversed(expected.split(",")), ""]


def test_what_another_tool_keeps_becomes_a_property_of_the_right_type() -> None:
    guesses = columns.guess(HUBSPOT.split(","), [["1", "A", "B", "a@x.test", "F", "Customer", "(No value)", "DE", "2024-01-01"]], {})
    assert guesses[5].new == Property("lifecycle_stage", "Lifecycle Stage", Kind.TEXT)
    known = {"lifecycle_stage": Property("lifecycle_stage", "Stage", Kind.ONE_OF, ("Customer",))}
    assert columns.guess(HUBSPOT.split(","), [], known)[5] == columns.Guess("p.lifecycle_stage")


def test_an_ordinary_file_comes_from_no_tool() -> None:
    assert columns.find_preset(["email", "first name", "last name", "company"]) is None


def test_a_proposed_property_has_a_key_nobody_has() -> None:
    assert columns.propose_property("Plan", ["a"], PLAN) == Property("plan_2", "Plan", Kind.TEXT)
    assert columns.propose_property("Seats", ["1", "2"], {}) == Property("seats", "Seats", Kind.NUMBER)
    assert columns.propose_property("例", ["1"], {}) is None


def test_the_same_headings_are_recognised_again_whatever_their_case() -> None:
    assert columns.header_key(["Email", "Full Name"]) == columns.header_key(["EMAIL", "full_name"])
    assert columns.header_key(["Email", "Name"]) != columns.header_key(["Name", "Email"])


# Rows


def reader(*names: str, **rest: object) -> RowReader:
    return RowReader(list(enumerate(names)), Context(NOW, "USD", PLAN), **rest)  # type: ignore[arg-type]


def problem(cells: list[str], *names: str) -> tuple[str | None, str]:
    with pytest.raises(Misfit) as refused:
        reader(*names).read(cells)
    return refused.value.field, refused.value.reason


def test_a_row_becomes_a_record_as_it_will_be_stored() -> None:
    names = ("email", "first_name", "last_name", "customer_since", "monthly_value", "phone", "country", "p.plan")
    assert reader(*names).read([" A@X.test ", "Ann", "Lee", "2024-03-04", "$84.50", "207 555 0142", "usa", "Growth"]) == {
        "email": "A@x.test", "first_name": "Ann", "name": "Ann Lee", "customer_since": date(2024, 3, 4), "monthly_value_minor": 8450,
        "currency": "USD", "phone": "+12075550142", "country": "US", "p.plan": "Growth",
    }  # fmt: skip


def test_an_empty_cell_leaves_a_value_alone_unless_it_shall_empty_it() -> None:
    assert reader("email", "name", "p.plan").read(["a@x.test", "", ""]) == {"email": "a@x.test"}
    emptied = reader("email", "external_id", "name", "p.plan", "monthly_value", blank_empties=True).read(["a@x.test"])
    assert emptied == {"email": "a@x.test", "name": None, "p.plan": None, "monthly_value_minor": None, "currency": None}


def test_protected_cells_are_read_as_they_were() -> None:
    assert reader("email", "name", "p.plan").read(["a@x.test", "'=1+1", "'-5"]) == {"email": "a@x.test", "name": "=1+1", "p.plan": "-5"}


def test_words_for_nothing_are_nothing() -> None:
    assert reader("email", "p.plan", nothing=columns.NO_VALUE).read(["a@x.test", "(No value)"]) == {"email": "a@x.test"}


def test_the_first_mistake_of_a_row_is_named_with_its_field() -> None:
    assert problem(["carla.jimenez.example", "x"], "email", "name") == ("email", "No @ in the email")
    assert problem(["a@x.test", "31/02/2025"], "email", "customer_since") == ("customer_since", "Start date is not a date: 31/02/2025")
    assert problem(["a@x.test", "207 555 0142"], "email", "phone") == ("phone", "Phone has no country: 207 555 0142")
    assert problem(["a@x.test", "EST"], "email", "time_zone") == ("time_zone", "Unknown time zone: EST")
    assert problem(["", "Ann"], "email", "name") == ("email", "No email, phone or customer number")
    assert problem(["a@x.test", "A" * 100, "B" * 100], "email", "first_name", "last_name")[1] == "Name is longer than 120 characters"


def test_an_amount_takes_its_currency_from_the_next_column() -> None:
    names = ("email", "monthly_value", "currency")
    assert reader(*names).read(["a@x.test", "1200", "JPY"])["monthly_value_minor"] == 1200
    assert reader(*names).read(["a@x.test", "12.5", "EUR"]) == {"email": "a@x.test", "monthly_value_minor": 1250, "currency": "EUR"}
    assert problem(["a@x.test", "12.5", "JPY"], *names) == ("monthly_value", "Monthly value has too many decimals: 12.5")
