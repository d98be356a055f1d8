"""Lists and search find people quickly and page without repeats; segments count what a hand count counts."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, select, text

from nps.contacts import queries
from nps.contacts import service as contacts
from nps.contacts.errors import InUse
from nps.contacts.models import Contact
from nps.contacts.rules.properties import Kind
from nps.core import clock, ids, tenancy
from nps.core.db import db
from nps.core.errors import Invalid
from nps.delivery import service as delivery


def add(email: str, **more: Any) -> Contact:
    return contacts.upsert({"email": email, **more})[0]


def found(text: str) -> list[str]:
    return [c.shown_name for c in queries.search(text).rows]


@pytest.fixture
def people(account: Any) -> None:
    add("dana@brightoak.example", name="Dana Whitfield", company="Bright Oak Dental", external_id="LF-20418", phone="+12075550199")
    add("sam@oyelaran.example", name="Sam Oyelaran", company="Oyelaran GmbH", external_id="20418")
    add("rene@x.example", name="René Müller", company="Ångström")
    add("noname@brightoak.example")
    contacts.upsert({"external_id": "dana-7"})


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("dana", ["dana-7", "Dana Whitfield"]),
        ("DANA W", ["Dana Whitfield"]),
        ("whit", ["Dana Whitfield"]),
        ("whitfield dana", ["Dana Whitfield"]),
        ("bright oak", ["Dana Whitfield"]),
        ("oak dental", ["Dana Whitfield"]),
        ("brightoak.example", ["noname@brightoak.example", "Dana Whitfield"]),
        ("sam@", ["Sam Oyelaran"]),
        ("lf-204", ["Dana Whitfield"]),
        ("20418", ["Sam Oyelaran"]),
        ("2", ["Sam Oyelaran"]),
        ("1", ["Dana Whitfield"]),
        ("+1 207", ["Dana Whitfield"]),
        ("rene", ["René Müller"]),
        ("MULLER", ["René Müller"]),
        ("angstrom", ["René Müller"]),
        ("100%_", []),
        ("nobody", []),
    ],
)
def test_people_are_found_by_what_one_remembers(people: None, typed: str, names: list[str]) -> None:
    assert found(typed) == names


def test_each_person_is_found_once_and_pages_neither_repeat_nor_skip(account: Any) -> None:
    for n in range(23):
        add(f"anna{n}@x.example", name=f"Anna Anders{n:02}", company=f"Anna & Co {n % 3}")
    seen: list[int] = []
    after = None
    pages = 0
    while True:
        page = queries.search("an", after, limit=5)
        seen += [c.number for c in page.rows]
        pages += 1
        if pages == 2:
            add("anna-late@x.example", name="Anna Late")
        after = page.after
        if after is None:
            break
    assert len(set(seen)) == len(seen)
    assert set(range(1, 24)) <= set(seen)


def test_a_foreign_cursor_is_refused(account: Any) -> None:
    for given in ("x", "abc.def", "[0,null]"):
        with pytest.raises(Invalid):
            queries.search("a", given)


def test_the_list_shows_the_latest_first_and_pages(account: Any) -> None:
    for n in range(7):
        add(f"u{n}@x.example")
    first = queries.page_contacts(limit=3)
    second = queries.page_contacts(first.after, limit=3)
    assert [c.number for c in (*first.rows, *second.rows)] == [7, 6, 5, 4, 3, 2]


def test_another_accounts_people_are_not_found(people: None, rival: Any) -> None:
    with tenancy.account_scope(rival.id):
        assert found("dana") == []
        assert queries.page_contacts().rows == []


def plan_of(query: Any, parameters: Any) -> str:
    engine = db.session.get_bind().dialect.name
    words = "EXPLAIN QUERY PLAN " if engine == "sqlite" else "EXPLAIN "
    return "\n".join(str(row) for row in db.session.connection().exec_driver_sql(words + query, parameters))


def strangers(count: int) -> list[dict[str, Any]]:
    """So many people that the choice of an index matters."""
    now = clock.now()
    return [
        {
            "account_id": tenancy.current(),
            "id": ids.new_id(),
            "number": 1_000 + n,
            "email": f"p{n}@crowd.example",
            "email_key": f"p{n}@crowd.example",
            "external_id": f"C-{n}",
            "name": f"Given{n} Family{n}",
            "name_key": f"given{n} family{n}",
            "surname_key": f"family{n} given{n}",
            "company_key": f"company {n}",
            "created_at": now,
            "updated_at": now,
        }
        for n in range(count)
    ]


def test_searches_and_lists_stand_on_their_indexes(people: None) -> None:
    db.session.execute(insert(Contact), strangers(5_000))
    db.session.execute(text("ANALYZE contact"))
    if db.session.get_bind().dialect.name == "postgresql":
        db.session.execute(text("SET LOCAL enable_seqscan = off"))
    asked: list[tuple[str, Any]] = []
    engine = db.session.get_bind()

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        asked.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        queries.search("dan", limit=50)
        queries.search("whit", limit=50)
        queries.search("dan", limit=1)
        queries.page_contacts()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    plans = [plan_of(statement, parameters) for statement, parameters in asked if "FROM contact" in statement]
    used = "\n".join(plans)
    assert plans
    assert all("SCAN contact\n" not in plan + "\n" and "Seq Scan" not in plan for plan in plans)
    for index in ("ix_contact_name", "ix_contact_surname", "ix_contact_company", "email_key", "external_id"):
        assert index in used or (index in ("email_key", "external_id") and "autoindex" in used)


# Segments


def rule(field: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


def everyone(*rules: Mapping[str, Any], match: str = "all") -> dict[str, Any]:
    return {"match": match, "rules": list(rules)}


def members(stored: Mapping[str, Any]) -> list[str]:
    segment = contacts.save_segment(None, f"S {clock.now().isoformat()}", stored)
    ids = set(db.session.scalars(queries.audience_select(segment.id)))
    listed = queries.page_contacts(segment_id=segment.id).rows
    _, rows = queries.contacts_table(segment.id)
    assert len(ids) == queries.count_matching(segment.id) == len(listed) == len(list(rows)) == queries.reach(stored).matching
    return sorted((c.email or "")[0] for c in listed)


@pytest.fixture
def crowd(account: Any, clock: Any) -> None:
    """a to f, with something missing everywhere. Now is noon in New York, an hour later it is still the same day there."""
    clock.at(datetime.fromisoformat("2026-10-06T16:00:00+00:00"))
    contacts.define_property("Plan", Kind.ONE_OF, choices=["Starter", "Growth", "Scale"])
    contacts.define_property("Seats", Kind.NUMBER)
    contacts.define_property("VIP", Kind.YES_NO)
    contacts.define_property("Renewal", Kind.DATE)
    contacts.define_property("City", Kind.TEXT)
    add("a@x.test", name="Ann", company="Größe AG", customer_since="2024-03-04", monthly_value="84.50",
        properties={"plan": "Growth", "seats": 5, "vip": True, "renewal": "2026-10-06", "city": "São Paulo"})  # fmt: skip
    add("b@x.test", company="Bright_Oak", customer_since="2026-10-01", monthly_value="€84.50",
        properties={"plan": "Starter", "seats": -2.5, "vip": False, "renewal": "2026-11-05"})  # fmt: skip
    add("c@x.test", title="Owner", country="DE", properties={"plan": "Scale", "renewal": "2026-09-30", "city": "sao jose"})
    add("d@x.test", company="gross ag", consent_email="given")
    add("e@x.test", company="BrightXOak")
    add("f@x.test")
    now = clock.now()
    for letter, days, score in (("a", 1, 9), ("b", 30, 7), ("c", 100, 3)):
        person = queries.find_by_email(f"{letter}@x.test")
        assert person is not None
        contacts.mark_asked([person.id], now - timedelta(days=days))
        contacts.mark_answered(person.id, now - timedelta(days=days), score)
    person = queries.find_by_email("d@x.test")
    assert person is not None
    contacts.hold(person.id, "open_case")
    delivery.suppress("E@x.test", "unsubscribed", "link")
    db.session.flush()


@pytest.mark.parametrize(
    ("stored", "letters"),
    [
        (everyone(rule("p.plan", "is", "growth")), "a"),
        (everyone(rule("p.plan", "is_not", "Growth")), "bc"),
        (everyone(rule("p.plan", "one_of", "Growth, scale")), "ac"),
        (everyone(rule("p.plan", "empty")), "def"),
        (everyone(rule("p.plan", "filled")), "abc"),
        (everyone(rule("p.city", "contains", "SAO")), "ac"),
        (everyone(rule("p.city", "starts", "são p")), "a"),
        (everyone(rule("company", "is", "GRÖSSE AG")), "a"),
        (everyone(rule("company", "is", "grosse ag")), "a"),
        (everyone(rule("company", "starts", "bright_")), "b"),
        (everyone(rule("company", "is_not", "Größe AG")), "bde"),
        (everyone(rule("title", "is", "OWNER")), "c"),
        (everyone(rule("country", "is", "de")), "c"),
        (everyone(rule("p.seats", "above", "0")), "a"),
        (everyone(rule("p.seats", "is", "-2.5")), "b"),
        (everyone(rule("p.seats", "between", ["-3", "5"])), "ab"),
        (everyone(rule("p.seats", "is_not", "5")), "b"),
        (everyone(rule("p.vip", "is", "yes")), "a"),
        (everyone(rule("p.vip", "is", "no")), "b"),
        (everyone(rule("p.renewal", "next_days", "30")), "b"),
        (everyone(rule("p.renewal", "last_days", "1")), "a"),
        (everyone(rule("p.renewal", "last_days", "7")), "ac"),
        (everyone(rule("p.renewal", "before", "2026-10-06")), "c"),
        (everyone(rule("p.renewal", "after", "2026-10-06")), "b"),
        (everyone(rule("p.renewal", "between", ["2026-11-05", "2026-10-06"])), "ab"),
        (everyone(rule("customer_since", "before", "2026-10-01")), "a"),
        (everyone(rule("customer_since", "last_days", "6")), "b"),
        (everyone(rule("customer_since", "empty")), "cdef"),
        (everyone(rule("monthly_value", "is", "84.5")), "a"),
        (everyone(rule("monthly_value", "filled")), "ab"),
        (everyone(rule("last_score", "above", "6")), "ab"),
        (everyone(rule("group", "is", "promoter")), "a"),
        (everyone(rule("group", "is_not", "promoter")), "bc"),
        (everyone(rule("group", "one_of", ["passive", "detractor"])), "bc"),
        (everyone(rule("last_asked_at", "last_days", "2")), "a"),
        (everyone(rule("last_asked_at", "days_ago", "90")), "c"),
        (everyone(rule("last_asked_at", "empty")), "def"),
        (everyone(rule("last_answered_at", "filled")), "abc"),
        (everyone(rule("last_asked_at", "after", "2026-10-04")), "a"),
        (everyone(rule("last_asked_at", "before", "2026-10-05")), "bc"),
        (everyone(rule("answers", "is", "0")), "def"),
        (everyone(rule("held", "is", "yes")), "d"),
        (everyone(rule("held", "is", "no")), "abcef"),
        (everyone(rule("stopped", "is", "yes")), "e"),
        (everyone(rule("consent_email", "is", "given")), "d"),
        (everyone(rule("p.plan", "is", "Growth"), rule("p.seats", "above", "100")), ""),
        (everyone(rule("p.plan", "is", "Growth"), rule("title", "is", "owner"), match="any"), "ac"),
        (everyone(rule("company", "filled"), everyone(rule("p.plan", "is", "Starter"), rule("held", "is", "yes"), match="any")), "bd"),
        (everyone(), "abcdef"),
    ],
)
def test_a_segment_holds_who_a_hand_count_holds(crowd: None, stored: dict[str, Any], letters: str) -> None:
    assert members(stored) == list(letters)


def test_days_turn_in_the_time_zone_of_the_account(account: Any, clock: Any) -> None:
    """Midnight in New York is 04:00 UTC in October."""
    person = add("a@x.test")
    contacts.mark_asked([person.id], datetime.fromisoformat("2026-10-05T04:00:00+00:00"))
    clock.at(datetime.fromisoformat("2026-10-06T03:59:00+00:00"))
    assert members(everyone(rule("last_asked_at", "last_days", "1"))) == ["a"]
    assert members(everyone(rule("last_asked_at", "after", "2026-10-04"))) == ["a"]
    clock.at(datetime.fromisoformat("2026-10-06T04:01:00+00:00"))
    assert members(everyone(rule("last_asked_at", "last_days", "1"))) == []
    assert members(everyone(rule("last_asked_at", "last_days", "2"))) == ["a"]


def test_who_is_excluded_is_not_in_the_audience(crowd: None) -> None:
    plans = contacts.save_segment(None, "Has a plan", everyone(rule("p.plan", "filled")))
    growth = contacts.save_segment(None, "Not growth", everyone(rule("p.plan", "is_not", "Growth")))
    left = db.session.scalars(select(Contact.email).where(Contact.id.in_(queries.audience_select(None, [growth.id])))).all()
    assert sorted(str(e)[0] for e in left) == ["a", "d", "e", "f"]
    left = db.session.scalars(select(Contact.email).where(Contact.id.in_(queries.audience_select(plans.id, [growth.id])))).all()
    assert left == ["a@x.test"]


def test_the_count_says_who_can_be_asked_and_who_has_no_value(crowd: None) -> None:
    everybody = queries.reach(everyone())
    assert (everybody.matching, everybody.askable) == (6, 2)  # c and f; a and b were asked, d is held, e has a stop
    assert queries.reach(everyone(rule("p.plan", "is_not", "Growth"))).without == {"Plan": 3}


@pytest.mark.parametrize(
    ("stored", "problem"),
    [
        ({}, "A segment needs rules"),
        ({"match": "none", "rules": []}, "A segment needs rules"),
        (everyone({"field": "p.plan"}), "Rule 1: it needs a field, a comparison and a value"),
        (everyone(rule("p.gone", "is", "x")), "Rule 1: there is no field “p.gone”"),
        (everyone(rule("last_score", "contains", "x")), "Rule 1: Last score cannot be compared like this"),
        (everyone(rule("company", "is", " ")), "Rule 1: Company needs a value"),
        (everyone(rule("last_score", "above", "a lot")), "Rule 1: Last score is not a number: a lot"),
        (everyone(rule("customer_since", "between", ["2024-01-01"])), "Rule 1: Customer since needs two values"),
        (everyone(rule("last_asked_at", "last_days", "0")), "Rule 1: Last asked needs a number of days"),
        (everyone(rule("group", "is", "fan")), "Rule 1: Last answer was from a is not one of its values"),
        (everyone(*[rule("company", "filled")] * 21), "at most 20 rules"),
        (everyone(everyone(everyone())), "Rule 1: it needs a field"),
        (everyone(rule("company", "is", "x" * 501)), "Rule 1: Company: a value is longer than 500"),
    ],
)
def test_rules_that_cannot_be_used_are_refused_with_their_number(account: Any, stored: dict[str, Any], problem: str) -> None:
    with pytest.raises(Invalid) as refused:
        contacts.save_segment(None, "S", stored)
    assert refused.value.fields["rules"].startswith(problem) or problem in refused.value.fields["rules"]
    assert queries.list_segments() == []


def test_a_segment_in_use_is_not_archived(account: Any) -> None:
    segment = contacts.save_segment(None, "Owners", everyone(rule("title", "is", "Owner")))
    with pytest.raises(Invalid, match="There is a segment “OWNERS” already"):
        contacts.save_segment(None, "OWNERS", everyone())
    contacts.use_uses(lambda segment_id: ["Autumn relationship survey"] if segment_id == segment.id else [])
    try:
        with pytest.raises(InUse, match="Used by “Autumn relationship survey”. Choose another segment there first."):
            contacts.archive_segment(segment.id)
    finally:
        contacts.use_uses()
    contacts.archive_segment(segment.id)
    assert queries.list_segments() == []


def test_a_rule_on_a_property_that_was_archived_matches_nobody(crowd: None) -> None:
    segment = contacts.save_segment(None, "S", everyone(rule("p.city", "contains", "s")))
    assert queries.count_matching(segment.id) == 2
    contacts.archive_property("city")
    assert queries.count_matching(segment.id) == 0


def test_the_contacts_file_has_its_columns(crowd: None) -> None:
    header, rows = queries.contacts_table()
    table = {row[2]: dict(zip(header, row, strict=True)) for row in rows}
    a, e = table["a@x.test"], table["e@x.test"]
    assert header[-5:] == ["p.city", "p.plan", "p.renewal", "p.seats", "p.vip"]
    assert (a["monthly_value"], a["currency"], a["customer_since"], a["p.vip"]) == ("84.50", "USD", date(2024, 3, 4), "true")
    assert (a["last_score"], a["next_ask_on"], a["suppressed"]) == (9, date(2027, 1, 3), False)
    assert (e["suppressed"], e["next_ask_on"], e["last_score"]) == (True, None, None)
    assert table["b@x.test"]["p.seats"] == "-2.5"
    without, _ = queries.contacts_table(addresses=False)
    assert {"email", "phone"} & set(without) == set()
