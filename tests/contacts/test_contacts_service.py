"""Contacts are added, changed, held, asked and erased, each in one place."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from nps.contacts import queries
from nps.contacts import service as contacts
from nps.contacts.errors import TwoContacts
from nps.contacts.models import ConsentChange, Contact, ContactAlias
from nps.contacts.rules.properties import Kind
from nps.core import clock, tenancy
from nps.core.db import db
from nps.core.errors import Invalid


def all_contacts() -> int:
    return db.session.scalar(select(func.count()).select_from(Contact)) or 0


def test_the_same_address_in_any_case_is_the_same_contact(account: Any) -> None:
    one, added = contacts.upsert({"email": "Dana@Example.test"})
    other, again = contacts.upsert({"email": "dana@EXAMPLE.test", "name": "Dana Whitfield"})
    assert (added, again) == (True, False)
    assert other.id == one.id
    assert all_contacts() == queries.count_contacts() == 1
    assert (other.email, other.name, other.name_key, other.surname_key) == (
        "Dana@example.test",
        "Dana Whitfield",
        "dana whitfield",
        "whitfield",
    )


def test_external_id_of_one_with_the_email_of_another_changes_neither(account: Any) -> None:
    a, _ = contacts.upsert({"external_id": "LF-1", "email": "a@x.test", "name": "A"})
    b, _ = contacts.upsert({"external_id": "LF-2", "email": "b@x.test", "name": "B"})
    with pytest.raises(TwoContacts) as refused:
        contacts.upsert({"external_id": "LF-1", "email": "b@x.test", "name": "C"})
    assert refused.value.status == 409
    assert refused.value.message == f"This email belongs to another contact, number {b.number}. Correct one of them, or merge the two."
    assert (a.email, a.name, b.email, b.name) == ("a@x.test", "A", "b@x.test", "B")
    with pytest.raises(TwoContacts):
        contacts.edit(a.id, {"email": "B@x.test"})


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"email": "a@good.test,b@evil.test"}, "email"),
        ({"email": "<alice@x.test>bob@evil.test"}, "email"),
        ({"email": "Dana <d@x.test>"}, "email"),
        ({"email": "d@x..test"}, "email"),
        ({"email": "d@x.test", "name": "Dana\r\nBcc: b@evil.test"}, "name"),
        ({"email": "d@x.test", "nmae": "Dana"}, "nmae"),
        ({"email": "d@x.test", "properties": {"plan": "x"}}, "p.plan"),
        ({"email": "d@x.test", "phone": "207 555 0142"}, "phone"),
        ({"email": "d@x.test", "customer_since": "2999-01-01"}, "customer_since"),
        ({"email": "d@x.test", "monthly_value": {"amount": -1, "currency": "USD"}}, "monthly_value"),
        ({"email": "d@x.test", "monthly_value": {"amount": True, "currency": "USD"}}, "monthly_value"),
        ({"name": "Nobody"}, "email"),
    ],
)
def test_what_cannot_be_used_names_its_field_and_stores_nothing(account: Any, data: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        contacts.upsert(data)
    assert list(refused.value.fields) == [field]
    assert all_contacts() == 0


def test_a_name_that_looks_like_a_template_is_a_name(account: Any) -> None:
    contact, _ = contacts.upsert({"email": "d@x.test", "name": "{{7*7}}"})
    assert contact.name == "{{7*7}}"
    assert contact.called == ""


def test_fields_not_sent_stay_and_none_empties(account: Any) -> None:
    contact, _ = contacts.upsert({"email": "d@x.test", "name": "Dana", "company": "Firm", "country": "usa", "phone": "207 555 0142"})
    assert (contact.country, contact.phone) == ("US", "+12075550142")
    contacts.upsert({"email": "d@x.test", "company": None})
    assert (contact.name, contact.company, contact.company_key) == ("Dana", None, None)


def test_a_national_number_takes_the_country_that_is_stored(account: Any) -> None:
    contact, _ = contacts.upsert({"email": "d@x.test", "country": "DE"})
    contacts.edit(contact.id, {"phone": "0151 23456789"})
    assert contact.phone == "+4915123456789"


def test_every_field_of_the_form_is_kept_as_it_is_stored(account: Any) -> None:
    contacts.define_property("Plan", Kind.ONE_OF, choices=["Starter", "Growth"])
    contacts.define_property("Seats", Kind.NUMBER)
    contact, _ = contacts.upsert(
        {
            "email": "dana@brightoak.example", "external_id": "LF-20418", "name": "Dana Whitfield",
            "title": "Owner", "company": "Bright Oak Dental",
            "locale": "pt_br", "time_zone": "america/new_york", "country": "United States", "customer_since": "4 March 2024",
            "monthly_value": {"amount": 8400, "currency": "EUR"}, "consent_email": "yes", "last_asked_at": "2025-01-01",
            "properties": {"plan": "growth", "seats": 12},
        }
    )  # fmt: skip
    db.session.commit()
    db.session.expire_all()
    assert (contact.locale, contact.time_zone, contact.country) == ("pt-BR", "America/New_York", "US")
    assert (contact.customer_since, contact.monthly_value_minor, contact.currency) == (date(2024, 3, 4), 8400, "EUR")
    assert contact.properties == {"plan": "Growth", "seats": 12}
    assert contact.last_asked_at == datetime(2025, 1, 1, tzinfo=UTC)
    assert (contact.consent_email, contact.consent_sms) == ("given", "unknown")


def test_each_change_of_consent_is_written_down(account: Any) -> None:
    contact, _ = contacts.upsert({"email": "d@x.test", "consent_email": "given"}, source="sign-up", by="Ines", agreed_text="Ask me")
    contacts.upsert({"email": "d@x.test", "consent_email": "given"})
    contacts.upsert({"email": "d@x.test", "consent_email": "refused"}, source="api")
    changes = db.session.scalars(select(ConsentChange).order_by(ConsentChange.id)).all()
    assert [(c.was, c.now, c.source, c.agreed_text) for c in changes] == [
        ("unknown", "given", "sign-up", "Ask me"),
        ("given", "refused", "api", ""),
    ]
    assert contact.consent_email == "refused"


def test_a_former_address_still_finds_the_person(account: Any) -> None:
    contact, _ = contacts.upsert({"email": "old@x.test", "external_id": "1"})
    contacts.upsert({"email": "new@x.test", "external_id": "1"})
    assert queries.find_by_email("OLD@x.test") is contact
    assert queries.find_by_email("new@x.test") is contact
    other, added = contacts.upsert({"email": "old@x.test"})
    assert added
    assert queries.find_by_email("old@x.test") is other


def test_numbers_count_up_for_each_account_alone(account: Any, rival: Any) -> None:
    first = [contacts.upsert({"email": f"{n}@x.test"})[0].number for n in range(3)]
    with tenancy.account_scope(rival.id):
        other = contacts.upsert({"email": "0@x.test"})[0]
        db.session.flush()
    assert first == [1, 2, 3]
    assert other.number == 1
    assert queries.count_contacts() == 3
    assert db.session.scalar(select(Contact).where(Contact.id == other.id)) is None


def test_last_asked_only_moves_forward(account: Any) -> None:
    contact, _ = contacts.upsert({"email": "d@x.test"})
    now = clock.now()
    contacts.mark_asked([contact.id], now)
    contacts.mark_asked([contact.id], now - timedelta(days=1))
    contacts.upsert({"email": "d@x.test", "last_asked_at": "2020-01-01"})
    db.session.expire_all()
    assert contact.last_asked_at == now


def test_answers_are_counted_once_and_keep_the_latest_score(account: Any) -> None:
    contact, _ = contacts.upsert({"email": "d@x.test"})
    now = clock.now()
    contacts.mark_answered(contact.id, now, 3)
    contacts.mark_answered(contact.id, now + timedelta(hours=1), 9, again=True)
    contacts.mark_answered(contact.id, now - timedelta(days=100), 5)
    assert (contact.answers, contact.last_score, contact.last_answered_at) == (2, 9, now + timedelta(hours=1))


def test_a_person_is_held_until_every_reason_is_gone(account: Any) -> None:
    contact, _ = contacts.upsert({"email": "d@x.test"})
    contacts.hold(contact.id, "open_case")
    contacts.hold(contact.id, "open_case")
    contacts.hold(contact.id, "friend")
    contacts.release(contact.id, "open_case")
    assert contact.held_at is not None
    contacts.release(contact.id, "friend")
    contacts.release(contact.id, "friend")
    assert (contact.holds, contact.held_at) == ({}, None)


def test_an_erased_person_leaves_a_nameless_row(account: Any) -> None:
    contacts.define_property("Plan", Kind.TEXT)
    contact, _ = contacts.upsert({"email": "old@x.test", "external_id": "1", "consent_email": "given"})
    contacts.upsert({"email": "marker@x.test", "external_id": "1", "name": "Marker", "properties": {"plan": "Marker"}})
    receipt = contacts.erase(contact.id, by="Ines")
    assert receipt["former addresses"] == 1
    db.session.commit()
    db.session.expire_all()
    kept = {c.name: getattr(contact, c.name) for c in Contact.__table__.columns}
    assert "marker" not in str(kept).lower()
    assert "old@x.test" not in str(kept)
    assert db.session.scalar(select(func.count()).select_from(ContactAlias)) == 0
    assert queries.count_contacts() == 0
    assert db.session.scalars(queries.audience_select(None)).all() == []
    assert contacts.erase(contact.id, by="Ines") == {}
    _, added = contacts.upsert({"email": "marker@x.test"})
    assert added
