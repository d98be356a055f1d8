"""Texts of files and forms become values, or say in a few words why not."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import tzdata
from hypothesis import given
from hypothesis import strategies as st

from nps.contacts.rules import countries, values
from nps.contacts.rules.properties import Kind, Property, guess_kind, key_from, key_problem, read_property
from nps.contacts.rules.values import DateOrder, Unusable

TODAY = date(2026, 10, 6)
NOW = datetime(2026, 10, 6, 12, tzinfo=UTC)


def reason(call: object, *args: object) -> str:
    with pytest.raises(Unusable) as refused:
        call(*args)  # type: ignore[operator]
    assert len(str(refused.value)) <= 60
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("2024-03-04", None, date(2024, 3, 4)),
        ("2024-03-04 10:22", None, date(2024, 3, 4)),
        ("2024-03-04T10:22:00Z", None, date(2024, 3, 4)),
        ("2024/3/4", None, date(2024, 3, 4)),
        ("04/03/2024", DateOrder.DAY_FIRST, date(2024, 3, 4)),
        ("04/03/2024", DateOrder.MONTH_FIRST, date(2024, 4, 3)),
        ("4.3.2024", DateOrder.MONTH_FIRST, date(2024, 3, 4)),
        ("04-03-24", DateOrder.DAY_FIRST, date(2024, 3, 4)),
        ("3/4/99", DateOrder.MONTH_FIRST, date(1999, 3, 4)),
        ("4 March 2024", None, date(2024, 3, 4)),
        ("Mar 4, 2024", None, date(2024, 3, 4)),
        ("4. März 2024", None, date(2024, 3, 4)),
        ("04-Mar-2024", None, date(2024, 3, 4)),
        ("4 de marzo de 2024", None, date(2024, 3, 4)),
        ("10/21/2025 3:15 PM", DateOrder.MONTH_FIRST, date(2025, 10, 21)),
    ],
)
def test_dates_are_read_as_people_write_them(text: str, order: DateOrder | None, day: date) -> None:
    assert values.read_date(text, "Start date", order) == day


def test_a_date_that_does_not_exist_is_named_with_its_text() -> None:
    assert reason(values.read_date, "31/02/2025", "Start date", DateOrder.DAY_FIRST) == "Start date is not a date: 31/02/2025"
    assert reason(values.read_past_date, "2031-01-01", "Start date", TODAY) == "Start date is in the future: 2031-01-01"
    assert reason(values.read_date, "20240304", "Start date") == "Start date is not a date: 20240304"


@pytest.mark.parametrize(
    ("texts", "answer"),
    [
        (["03/04/2025", "13/04/2025"], (DateOrder.DAY_FIRST, True)),
        (["03/04/2025", "04/13/2025"], (DateOrder.MONTH_FIRST, True)),
        (["13/04/2025", "14/04/2025", "04/15/2025"], (DateOrder.DAY_FIRST, True)),
        (["03/04/2025", "", "x"], (None, False)),
        (["13/04/2025", "04/15/2025"], (None, False)),
        (["2025-03-04", "4.3.2025", "5/5/2025"], (None, True)),
        ([], (None, True)),
    ],
)
def test_the_order_of_day_and_month_comes_from_the_whole_column(texts: list[str], answer: tuple[DateOrder | None, bool]) -> None:
    assert values.order_of_dates(texts) == answer


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("+1 (207) 555-0142", None, "+12075550142"),
        ("001 207 555 0142", None, "+12075550142"),
        ("207 555 0142", "US", "+12075550142"),
        ("1-207-555-0142", "US", "+12075550142"),
        ("+44 (0)20 7946 0000", None, "+442079460000"),
        ("020 7946 0000", "GB", "+442079460000"),
        ("06 6982 0000", "IT", "+390669820000"),
        ("0151 23456789", "DE", "+4915123456789"),
        ("8 (912) 345-67-89", "RU", "+79123456789"),
        ("06 30 123 4567", "HU", "+36301234567"),
        ("462 1234", "AG", "+12684621234"),
    ],
)
def test_phone_numbers_become_e164(text: str, country: str | None, number: str) -> None:
    assert values.read_phone(text, country) == number


@pytest.mark.parametrize(
    ("text", "country", "problem"),
    [
        ("207 555 0142", None, "Phone has no country: 207 555 0142"),
        ("call me", None, "Phone is not a number: call me"),
        ("+999 1234567", None, "Phone number does not exist: +999 1234567"),
        ("+1234", None, "Phone number does not exist: +1234"),
        ("+12075550142123456", None, "Phone number does not exist: +12075550142123456"),
        ("555 01", "US", "Phone is not a number: 555 01"),
    ],
)
def test_a_phone_number_that_cannot_be_dialled_says_so(text: str, country: str | None, problem: str) -> None:
    assert reason(values.read_phone, text, country) == problem


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("pt_br", "pt-BR"),
        ("EN", "en"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("de_DE.UTF-8", "de-DE"),
        ("es-419", "es-419"),
        ("English", "en"),
        ("Français", "fr"),
    ],
)
def test_languages_become_bcp_47(text: str, tag: str) -> None:
    assert values.read_locale(text) == tag


def test_unknown_languages_zones_and_countries_are_quoted() -> None:
    assert reason(values.read_locale, "xx") == "Unknown language: xx"
    assert reason(values.read_time_zone, "EST") == "Unknown time zone: EST"
    assert reason(values.read_country, "Atlantis") == "Unknown country: Atlantis"
    assert values.read_time_zone("america/new york") == "America/New_York"
    assert values.read_time_zone("UTC") == "UTC"


@pytest.mark.parametrize(
    ("text", "code"),
    [("us", "US"), ("USA", "US"), ("U.S.A.", "US"), ("united kingdom", "GB"), ("Cote d'Ivoire", "CI"), ("DEU", "DE"), ("Türkiye", "TR")],
)
def test_countries_are_found_by_code_or_name(text: str, code: str) -> None:
    assert values.read_country(text) == code


def test_every_country_of_the_time_zone_database_is_known_by_code_and_by_its_name() -> None:
    table = Path(tzdata.__file__).parent / "zoneinfo" / "iso3166.tab"
    rows = [line.split("\t") for line in table.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert len(rows) > 240
    missing = {(code, name) for code, name in rows if countries.find(code) != code or (countries.find(name) != code and "&" not in name)}
    assert missing == set()
    assert {code for code, _ in rows} == set(countries.BY_CODE)
    assert len({c.alpha3 for c in countries.BY_CODE.values()}) == len(countries.BY_CODE)


@pytest.mark.parametrize(
    ("text", "comma", "money"),
    [
        ("84", False, (8400, "USD")),
        ("$84", False, (8400, "USD")),
        ("1,234.50", False, (123450, "USD")),
        ("1.234,50 €", True, (123450, "EUR")),
        ("1 234,5", True, (123450, "USD")),
        ("1'234.50 CHF", False, (123450, "CHF")),
        ("¥1200", False, (1200, "JPY")),
        ("GBP 5", False, (500, "GBP")),
        ("0", False, (0, "USD")),
        ("1.234", True, (123400, "USD")),
        ("84.10", False, (8410, "USD")),
    ],
)
def test_amounts_are_minor_units_of_a_currency(text: str, comma: bool, money: tuple[int, str]) -> None:
    assert values.read_money(text, "Monthly value", "USD", comma) == money


def test_amounts_that_make_no_sense_are_refused() -> None:
    assert reason(values.read_money, "-5", "Monthly value", "USD") == "Monthly value is below zero: -5"
    assert reason(values.read_money, "84.005", "Monthly value", "USD") == "Monthly value has too many decimals: 84.005"
    assert reason(values.read_money, "a lot", "Monthly value", "USD") == "Monthly value is not a number: a lot"
    assert reason(values.read_money, "12,5", "Monthly value", "USD") == "Monthly value is not a number: 12,5"


def test_the_decimal_sign_comes_from_the_whole_column() -> None:
    assert values.uses_decimal_comma(["1.234", "12,50"]) is True
    assert values.uses_decimal_comma(["1,234", "12.50"]) is False
    assert values.uses_decimal_comma(["1.234", "1,234"]) is False


def test_a_number_keeps_its_sign_and_its_digits() -> None:
    assert values.read_number("-5", "Seats") == Decimal(-5)
    assert values.read_number("1,000,000", "Seats") == Decimal(1_000_000)
    assert reason(values.read_number, "1e5", "Seats") == "Seats is not a number: 1e5"
    assert reason(values.read_number, "٣", "Seats") == "Seats is not a number: ٣"


def test_one_line_of_text_has_no_line_break() -> None:
    assert values.read_line("Zoë O’Neil 👋", "Name") == "Zoë O’Neil 👋"
    assert reason(values.read_line, "Dana\r\nBcc: x", "Name") == "Name has a line break"
    assert reason(values.read_line, "Dana\x00", "Name") == "Name has a control character"
    assert reason(values.read_line, "D" * 121, "Name") == "Name is longer than 120 characters"
    assert reason(values.read_line, "\ud800", "Name") == "Name has a control character"


@pytest.mark.parametrize(
    ("given_name", "name", "called"),
    [
        ("Dana", "Whitfield", "Dana"),
        (None, "Dana Whitfield", "Dana"),
        (None, "D. Whitfield", ""),
        ("", None, ""),
        (None, "Li", "Li"),
        (None, "7 Oaks", ""),
    ],
)
def test_the_first_word_of_a_name_is_a_first_name_if_it_has_two_letters(given_name: str | None, name: str | None, called: str) -> None:
    assert values.first_name(given_name, name) == called


def test_yes_no_and_consent_are_read_in_many_words() -> None:
    assert [values.read_yes_no(t, "X") for t in ("Yes", "ja", "OUI", "1", "true")] == [True] * 5
    assert [values.read_yes_no(t, "X") for t in ("no", "Nein", "não", "0", "FALSE")] == [False] * 5
    assert values.read_consent("opted in", "Consent") == "given"
    assert values.read_consent("refused", "Consent") == "refused"
    assert values.read_consent("unknown", "Consent") == "unknown"
    assert values.read_stopped("2025-01-01 10:00", "Unsubscribed") is True
    assert values.read_stopped("no", "Unsubscribed") is False
    assert reason(values.read_stopped, "perhaps", "Unsubscribed") == "Unsubscribed is neither yes nor no: perhaps"


def test_last_asked_is_an_instant_that_has_been() -> None:
    assert values.read_instant("2026-05-01", "Last asked", NOW) == datetime(2026, 5, 1, tzinfo=UTC)
    assert values.read_instant("2026-05-01T10:00:00+02:00", "Last asked", NOW) == datetime(2026, 5, 1, 8, tzinfo=UTC)
    assert reason(values.read_instant, "2027-01-01", "Last asked", NOW) == "Last asked is in the future: 2027-01-01"


READERS = [
    lambda t: values.read_line(t, "Name"),
    values.read_email,
    values.read_phone,
    lambda t: values.read_phone(t, "DE"),
    values.read_country,
    values.read_time_zone,
    values.read_locale,
    lambda t: values.read_past_date(t, "Start date", TODAY),
    lambda t: values.read_instant(t, "Last asked", NOW),
    lambda t: values.read_number(t, "Seats"),
    lambda t: values.read_money(t, "Monthly value", "JPY", True),
    lambda t: values.read_consent(t, "Consent"),
    lambda t: values.read_stopped(t, "Unsubscribed"),
]


@given(st.text(min_size=1, max_size=80).map(str.strip).filter(bool), st.sampled_from(READERS))
def test_any_text_is_a_value_or_has_a_short_reason(text: str, read: object) -> None:
    try:
        read(text)  # type: ignore[operator]
        said = "fine"
    except Unusable as error:
        said = str(error)
    assert 0 < len(said) <= 60


# Properties


def test_properties_take_the_values_of_their_type() -> None:
    assert read_property("-5", Property("seats", "Seats", Kind.NUMBER)) == -5
    assert read_property("1.5", Property("seats", "Seats", Kind.NUMBER)) == 1.5
    assert read_property("ja", Property("vip", "VIP", Kind.YES_NO)) is True
    assert read_property("4.3.2024", Property("renewal", "Renewal", Kind.DATE)) == "2024-03-04"
    plan = Property("plan", "Plan", Kind.ONE_OF, ("Starter", "Growth"))
    assert read_property("GROWTH", plan) == "Growth"
    assert reason(read_property, "Gold", plan) == "Plan is not in its list: Gold"
    assert reason(read_property, "x" * 501, Property("n", "Notes", Kind.TEXT)) == "Notes is longer than 500 characters"


def test_keys_are_short_plain_words_that_no_field_has() -> None:
    assert key_problem("plan") is None
    assert key_problem("email") == "“email” is the name of a built-in field"
    assert key_problem("Plan") is not None
    assert key_from("Lifecycle Stage") == "lifecycle_stage"
    assert key_from("2nd line") == "p_2nd_line"
    assert key_from("Größe (cm)") == "grosse_cm"
    assert key_from("例") == ""
    assert key_problem(key_from("Email")) is None


@pytest.mark.parametrize(
    ("seen", "kind"),
    [
        (["1", "2.5", ""], Kind.NUMBER),
        (["0", "1"], Kind.NUMBER),
        (["00123", "00456"], Kind.TEXT),
        (["yes", "no"], Kind.YES_NO),
        (["2024-01-01", "2025-02-03"], Kind.DATE),
        (["Starter", "Growth"], Kind.TEXT),
        ([], Kind.TEXT),
    ],
)
def test_the_type_of_a_new_property_is_guessed_from_its_values(seen: list[str], kind: Kind) -> None:
    assert guess_kind(seen) is kind
