"""Files go in: added, updated, joined, repaired, stopped, and never half."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from nps.campaigns.models import Campaign, Invitation
from nps.contacts import queries
from nps.contacts import service as contacts
from nps.contacts.errors import WrongState
from nps.contacts.models import ConsentChange, Contact, Import, ImportChange, ImportPart, ImportRow
from nps.contacts.rules import matching as matching_rules
from nps.contacts.rules import uploads
from nps.contacts.rules.joining import Mode
from nps.contacts.rules.matching import Matching
from nps.contacts.rules.properties import Kind
from nps.contacts.rules.tables import Unreadable
from nps.contacts.service import importing
from nps.contacts.service.importing import running
from nps.core import clock as product_clock
from nps.core.db import db
from nps.core.errors import Invalid, Refused
from nps.core.spreadsheet import csv_stream
from nps.delivery import queries as stops
from nps.delivery import service as delivery
from nps.delivery.models import Message
from nps.jobs import outbox
from nps.surveys.models import Survey
from tests.contacts.workbook_files import workbook

Run = Callable[[], int]


def upload(data: bytes | str, name: str = "customers-october.csv") -> Import:
    body = data.encode() if isinstance(data, str) else data
    with uploads.prepare(io.BytesIO(body), name) as prepared:
        return importing.store(prepared, by_id=None, by="Ines")


def proposed(row: Import) -> Matching:
    chosen = matching_rules.propose(row.header, importing.sample_of(row), queries.properties(), queries.find_last_matching(row.header_key))
    importing.settle(row, chosen)
    return chosen


def import_all(data: bytes | str, run_jobs: Run, **changes: Any) -> Import:
    row = upload(data)
    chosen = proposed(row)
    for name, value in changes.items():
        setattr(chosen, name, value)
    importing.start(row.id, chosen)
    run_jobs()
    db.session.expire_all()
    return queries.get_import(row.id)


def counts(row: Import) -> dict[str, int]:
    return {name: getattr(row, name) for name in ("added", "updated", "unchanged", "to_fix", "left_out")}


def people() -> list[tuple[str | None, ...]]:
    query = select(Contact.email, Contact.name, Contact.company).order_by(Contact.email_key)
    return [tuple(r) for r in db.session.execute(query)]


def waiting(row: Import) -> list[tuple[int, str]]:
    return [(w.row, w.problem) for w in queries.list_waiting_rows(row.id)]


def big_table(rows: int, bad: set[int] = frozenset()) -> str:  # type: ignore[assignment]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["email_addr", "full name", "plan_code", "since", "mrr", "notes"])
    for n in range(rows):
        email = f"user{n}.example" if n in bad else f"user{n}@firm{n % 97}.example"
        writer.writerow([email, f"Person {n}", "Growth", f"{n % 28 + 1:02}/{n % 12 + 1:02}/2024", f"{n % 900}.50", "x"])
    return out.getvalue()


def test_rows_bad_and_good_add_up_and_the_same_file_again_changes_nothing(account: Any, run_jobs: Run) -> None:
    """IM1: 4,812 rows, 12 of them bad."""
    bad = {n * 401 for n in range(12)}
    row = import_all(big_table(4812, bad), run_jobs)
    assert (row.state, row.rows, row.done_rows) == ("done", 4812, 4812)
    assert counts(row) == {"added": 4800, "updated": 0, "unchanged": 0, "to_fix": 12, "left_out": 0}
    assert queries.count_contacts() == 4800
    assert waiting(row)[0] == (2, "No @ in the email")
    assert [number for number, _ in waiting(row)] == [n + 2 for n in sorted(bad)]
    again = import_all(big_table(4812, bad), run_jobs)
    assert counts(again) == {"added": 0, "updated": 0, "unchanged": 4800, "to_fix": 12, "left_out": 0}
    corrected = import_all(big_table(4812), run_jobs)
    assert counts(corrected) == {"added": 12, "updated": 0, "unchanged": 4800, "to_fix": 0, "left_out": 0}
    assert db.session.scalar(select(func.count()).select_from(Contact)) == 4812


def test_values_are_stored_as_the_preview_shows_them(account: Any, run_jobs: Run) -> None:
    row = upload(
        "email;Name;seit;MRR;Land\nA@X.test;Ann;04.03.2024;1.234,50;Germany\nb@x.test;Bob;31.02.2025;12,00;DE\n" + "c@x.test;;;;\n" * 30
    )
    chosen = proposed(row)
    assert chosen.commas == ["monthly_value"]
    seen = importing.preview(row, chosen)
    assert seen.counts == {"added": 2, "updated": 0, "unchanged": 29, "to_fix": 1, "left_out": 0}
    assert seen.problems == [(3, "Start date is not a date: 31.02.2025")]
    number, record, _ = seen.rows[0]
    assert (number, record and record["monthly_value_minor"], record and record["customer_since"].isoformat()) == (2, 123450, "2024-03-04")
    assert queries.count_contacts() == 0
    importing.start(row.id, chosen)
    run_jobs()
    ann = queries.find_by_email("a@x.test")
    assert ann is not None
    assert (ann.email, ann.monthly_value_minor, ann.country, ann.customer_since) == (
        "A@x.test",
        123450,
        "DE",
        record and record["customer_since"],
    )
    assert ann.imported_at is not None


def test_doubles_of_one_file_meet_across_chunks(account: Any, run_jobs: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "CHUNK", 3)
    contacts.upsert({"email": "old@x.test", "name": "Old"})
    lines = ["email,name,company", "office@lowry.example,Bert Lowry,", *(f"u{n}@x.test,U,F" for n in range(7))]
    lines += ["OFFICE@lowry.example,Beth Lowry,", "office@lowry.example,,Lowry & Sons", "office@lowry.example,Bert Lowry,Lowry & Sons"]
    lines += ["old@x.test,,New firm", *(f"v{n}@x.test,V,F" for n in range(5)), "old@x.test,Newer,"]
    row = import_all("\n".join(lines), run_jobs)
    assert counts(row) == {"added": 13, "updated": 3, "unchanged": 1, "to_fix": 1, "left_out": 0}
    assert waiting(row) == [(10, "Same email as row 2, other name")]
    assert ("office@lowry.example", "Bert Lowry", "Lowry & Sons") in people()
    assert ("old@x.test", "Newer", "New firm") in people()


@pytest.mark.parametrize("chunk", [1, 2, 5, 1000])
def test_where_a_file_is_cut_does_not_matter(account: Any, run_jobs: Run, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(running, "CHUNK", chunk)
    contacts.upsert({"external_id": "1", "email": "a@x.test", "name": "A"})
    contacts.upsert({"external_id": "2", "email": "b@x.test", "name": "B"})
    row = import_all(
        "customer id,email,name\n"
        "1,,A2\n"  # A is touched
        "2,c@x.test,B\n"  # B gives b@ away
        "1,b@x.test,\n"  # A takes it
        ",a@x.test,New\n"  # a@ is free again and somebody new has it
        "3,c@x.test,\n"  # 3 is nobody, c@ is B: B gets the number 3
        "1,c@x.test,\n",  # two people
        run_jobs,
    )
    found = {(c.external_id, c.email, c.name) for c in db.session.scalars(select(Contact))}
    assert found == {("1", "b@x.test", "A2"), ("2", "c@x.test", "B"), (None, "a@x.test", "New")}
    assert waiting(row) == [(6, "Same email as row 3, other customer number"), (7, "This email belongs to another contact, number 2")]


def test_modes_and_empty_cells(account: Any, run_jobs: Run) -> None:
    contacts.upsert({"email": "a@x.test", "name": "A", "company": "Firm"})
    table = "email,name,company\na@x.test,A2,\nb@x.test,B,\n"
    only_add = import_all(table, run_jobs, mode=Mode.ADD_ONLY)
    assert (counts(only_add)["added"], counts(only_add)["left_out"]) == (1, 1)
    assert people() == [("a@x.test", "A", "Firm"), ("b@x.test", "B", None)]
    only_update = import_all(table + "c@x.test,C,\n", run_jobs, mode=Mode.UPDATE_ONLY, blank_empties=True)
    assert counts(only_update) == {"added": 0, "updated": 1, "unchanged": 1, "to_fix": 0, "left_out": 1}
    assert people() == [("a@x.test", "A2", None), ("b@x.test", "B", None)]


def test_mostly_bad_rows_import_nothing(account: Any, run_jobs: Run) -> None:
    row = import_all(big_table(3000, set(range(0, 1224, 2))), run_jobs)
    assert row.state == "done"
    bad = import_all(big_table(3000, set(range(612))).replace("@firm", "-firm", 0), run_jobs)
    assert bad.state == "refused"
    assert bad.message == (
        "612 of the first 1,000 rows have a problem, mostly “No @ in the email”. Nothing was imported; check the matched columns."
    )
    assert counts(bad) == {"added": 0, "updated": 0, "unchanged": 0, "to_fix": 0, "left_out": 0}
    importing.start(bad.id, proposed(bad))


def test_a_property_is_made_in_place_and_filled(account: Any, run_jobs: Run) -> None:
    row = upload("email,Plan,Seats\na@x.test,Growth,12\nb@x.test,Starter,x\n")
    chosen = proposed(row)
    plan, seats = (matching_rules.columns.propose_property(name, cells, {}) for name, cells in (("Plan", ["Growth"]), ("Seats", ["12"])))
    assert plan is not None
    assert seats is not None
    chosen.targets, chosen.new = ["email", "p.plan", "p.seats"], {"plan": plan, "seats": seats}
    importing.start(row.id, chosen)
    run_jobs()
    assert {d.key: d.kind for d in queries.list_definitions()} == {"plan": "text", "seats": "number"}
    assert [c.properties for c in db.session.scalars(select(Contact))] == [{"plan": "Growth", "seats": 12}]
    assert waiting(row) == [(3, "Seats is not a number: x")]
    again = upload("email,Plan,Seats\nc@x.test,Scale,1\n")
    assert proposed(again).targets == ["email", "p.plan", "p.seats"]


def test_a_matching_that_cannot_tell_people_apart_is_refused(account: Any) -> None:
    row = upload("nickname,colour\nx,red\n")
    with pytest.raises(Invalid, match="No column is matched to an email"):
        importing.start(row.id, proposed(row))
    chosen = proposed(row)
    chosen.targets = ["email", "email"]
    with pytest.raises(Invalid, match="2 columns are matched to “Email”"):
        importing.start(row.id, chosen)
    assert queries.get_import(row.id).state == "uploaded"


def test_an_import_that_is_stopped_keeps_what_is_in(account: Any, run_jobs: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "CHUNK", 10)
    row = upload(big_table(100))
    importing.start(row.id, proposed(row))
    run = importing.Run(row.id)
    assert run.store(run.read()) is False
    importing.ask_to_stop(row.id)
    run_jobs()
    row = queries.get_import(row.id)
    assert (row.state, row.added, queries.count_contacts()) == ("stopped", 10, 10)


def test_a_second_worker_goes_on_and_the_first_one_gives_up(account: Any, run_jobs: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "CHUNK", 10)
    row = upload(big_table(35))
    importing.start(row.id, proposed(row))
    slow = importing.Run(row.id)
    slow.store(slow.read())
    pending = slow.read()
    quick = importing.Run(row.id)
    quick.store(quick.read())
    with pytest.raises(importing.Overtaken):
        slow.store(pending)
    db.session.commit()
    run_jobs()
    db.session.expire_all()
    assert counts(queries.get_import(row.id))["added"] == queries.count_contacts() == 35


def test_a_row_is_corrected_in_place(account: Any, run_jobs: Run) -> None:
    row = import_all("email,name\ncarla.jimenez.example,Carla\nsam@oyelaran.example.,Sam\na@x.test,A\na@x.test,B\n", run_jobs)
    carla, sam, double = queries.list_waiting_rows(row.id)
    with pytest.raises(Invalid) as refused:
        importing.fix_row(row.id, carla.id, "carla@")
    assert refused.value.fields == {"value": "Nothing after the @ in the email"}
    assert importing.fix_row(row.id, carla.id, "carla@jimenez.example") == "added"
    assert importing.fix_row(row.id, sam.id, "sam@oyelaran.example") == "added"
    assert importing.fix_row(row.id, double.id, "b@x.test") == "added"
    assert counts(row) == {"added": 4, "updated": 0, "unchanged": 0, "to_fix": 0, "left_out": 0}
    assert queries.list_waiting_rows(row.id) == []
    with pytest.raises(WrongState):
        importing.fix_row(row.id, double.id, "c@x.test")


def test_the_stored_file_goes_when_the_import_has_ended(account: Any, run_jobs: Run) -> None:
    row = upload(big_table(20_000))
    parts = select(func.count()).select_from(ImportPart)
    assert db.session.scalar(parts) == row.parts > 3
    importing.start(row.id, proposed(row))
    run_jobs()
    assert db.session.scalar(parts) == 0


def test_consents_and_former_addresses_of_an_import_are_written_down(account: Any, run_jobs: Run) -> None:
    contacts.upsert({"external_id": "1", "email": "old@x.test", "consent_email": "given"})
    import_all("customer id,email,consent\n1,new@x.test,no\n2,b@x.test,yes\n3,c@x.test,unknown\n", run_jobs)
    changes = db.session.execute(select(ConsentChange.was, ConsentChange.now, ConsentChange.source).order_by(ConsentChange.id)).all()
    assert [tuple(c) for c in changes[1:]] == [
        ("given", "refused", "import customers-october.csv"),
        ("unknown", "given", "import customers-october.csv"),
    ]
    found = queries.find_by_email("old@x.test")
    assert found is not None
    assert found.email == "new@x.test"
    change = db.session.scalar(select(ImportChange))
    assert change is not None
    assert change.fields.pop("updated_at")[1]
    assert change.fields == {"email": ["old@x.test", "new@x.test"], "consent_email": ["given", "refused"]}


TEXT = [
    ["email", "name", "company", "customer since", "mrr", "customer number"],
    ["zoe@bücher.example", "Zoë Müller", 'Bücher & Söhne; "Zwei"', "2024-03-04", "84.5", "00123"],
    ["b@x.test", "José", "=1+1", "2023-12-31", "-", "LF-2"],
    ["c@x.test", "C", "Line\tTab", "2022-01-01", "12", "LF-3"],
]


def as_csv(separator: str, encoding: str, rows: list[list[str]] = TEXT) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=separator).writerows(rows)
    return out.getvalue().encode(encoding)


def test_the_same_table_in_three_forms_gives_the_same_contacts(account: Any, run_jobs: Run) -> None:
    """IM5."""
    rows = [[cell if cell != "-" else "" for cell in row] for row in TEXT]
    rows[3][2] = "Line Tab"
    forms = [as_csv(";", "cp1252", rows), as_csv("\t", "utf-16", rows), workbook({"People": rows})]
    results = []
    for body in forms:
        with uploads.prepare(io.BytesIO(body), "table") as prepared:
            row = importing.store(prepared, by_id=None, by="Ines")
        importing.start(row.id, proposed(row))
        run_jobs()
        db.session.expire_all()
        done = queries.get_import(row.id)
        assert done.to_fix == 0
        results.append(
            [
                (c.email, c.name, c.company, c.customer_since, c.monthly_value_minor, c.external_id)
                for c in db.session.scalars(select(Contact).order_by(Contact.number))
            ]
        )
    assert results[0] == results[1] == results[2]
    assert results[0][0][:3] == ("zoe@xn--bcher-kva.example", "Zoë Müller", 'Bücher & Söhne; "Zwei"')
    assert counts(done) == {"added": 0, "updated": 0, "unchanged": 3, "to_fix": 0, "left_out": 0}


def test_another_sheet_of_a_workbook_can_be_chosen(account: Any, run_jobs: Run) -> None:
    body = workbook({"One": [["email"], ["a@x.test"]], "Two": [["email"], ["b@x.test"], ["c@x.test"]]})
    row = upload(body, "book.xlsx")
    assert (row.sheet, row.sheets, row.rows) == ("One", ["One", "Two"], 1)
    whole = io.BytesIO(b"".join(importing.workbook_of(row.id)))
    with uploads.prepare(whole, row.filename, "Two") as prepared:
        importing.store_again(row.id, prepared)
    importing.start(row.id, proposed(row))
    run_jobs()
    assert [email for email, *_ in people()] == ["b@x.test", "c@x.test"]


def test_a_messy_file_from_real_life_goes_in(account: Any, run_jobs: Run) -> None:
    """A byte order mark, semicolons, quoted line ends, doubles, broken addresses, blank lines, spaces, odd letters."""
    lines = [
        "\ufeffE-Mail;Vor- und Nachname;Firma;Kunde seit;Notiz",
        'dana@brightoak.example ;Dana Whitfield;"Bright Oak\r\nDental";04.03.2024;"ruft an;\r\nimmer montags"',
        "  SAM@oyelaran.example;Sam Oyelaran;Oyelaran GmbH;31.02.2025;",
        "sam@oyelaran.example;Sam Oyelaran;Oyelaran GmbH;28.02.2025;",
        ";;;;",
        "",
        "carla.jimenez.example;Carla Jimenez;;;",
        "beth@lowry.example.;Beth Lowry;;;",
        '"lis, tomasz@lis.example";Tomasz Lis;;;',
        "DANA@BRIGHTOAK.EXAMPLE;Dana Whitfield;;04.03.2024;",
        "dana@brightoak.example;Daniela Whitfield;;;",
        "zoë@x.example;Zoë;;;",
        'ok@xn--bcher-kva.example;Ö\'Neil "Bob";Firma;01.12.2020;',
        "tab\tin@x.example;T;;;",
        "mehr@x.example;M;F;1.1.2020;N;zu;viele;Zellen",
        "kurz@x.example",
        'neu@x.example;Neu;"Firma ""Neu""";2024-12-31;',
    ]
    row = upload("\r\n".join(lines) + "\r\n")
    chosen = proposed(row)
    chosen.targets = ["email", "name", "company", "customer_since", ""]
    importing.start(row.id, chosen)
    run_jobs()
    db.session.expire_all()
    done = queries.get_import(row.id)
    assert waiting(done) == [
        (2, "Company has a line break"),
        (3, "Start date is not a date: 31.02.2025"),
        (7, "No @ in the email"),
        (8, "Email ends in a full stop"),
        (9, "Email has a space before the @"),
        (11, "Same email as row 10, other name"),
        (12, "Email has “ë” before the @, only a to z work there"),
        (14, "Email has a line break or a control character"),
    ]
    assert counts(done) == {"added": 6, "updated": 0, "unchanged": 0, "to_fix": 8, "left_out": 0}
    assert done.rows == 14
    assert {email for email, *_ in people()} == {
        "DANA@brightoak.example", "sam@oyelaran.example", "ok@xn--bcher-kva.example", "mehr@x.example", "kurz@x.example", "neu@x.example",
    }  # fmt: skip
    assert ("neu@x.example", "Neu", 'Firma "Neu"') in people()


def test_an_export_of_another_tool_goes_in_whole(account: Any, run_jobs: Run) -> None:
    out = io.StringIO()
    writer = csv.writer(out)
    header = [
        "Record ID",
        "First Name",
        "Last Name",
        "Email",
        "Company name",
        "Lifecycle Stage",
        "Contact owner",
        "Country/Region",
        "Create Date",
    ]
    writer.writerow(header)
    for n in range(1200):
        stage, owner = ("Customer", "Ines Marchetti") if n % 3 else ("(No value)", "")
        writer.writerow(
            [
                5000 + n,
                f"First{n}",
                f"Last {n}",
                f"p{n}@firm{n % 50}.example",
                f"Firm {n % 50}",
                stage,
                owner,
                "Germany",
                "2024-03-04 10:22",
            ]
        )
    row = import_all(out.getvalue(), run_jobs)
    assert counts(row) == {"added": 1200, "updated": 0, "unchanged": 0, "to_fix": 0, "left_out": 0}
    one = queries.find_by_identity("external_id", "5001")
    assert one is not None
    assert (one.name, one.first_name, one.company, one.country) == ("First1 Last 1", "First1", "Firm 1", "DE")
    assert one.properties == {"lifecycle_stage": "Customer", "contact_owner": "Ines Marchetti"}
    none = queries.find_by_identity("external_id", "5000")
    assert none is not None
    assert none.properties == {}


def test_day_and_month_are_asked_only_when_no_value_settles_them(account: Any) -> None:
    open_file = upload("email,since\n" + "".join(f"u{n}@x.test,03/04/2024\n" for n in range(50)))
    assert importing.settle(open_file, proposed(open_file)) == ["customer_since"]
    late = upload("email,since\n" + "".join(f"u{n}@x.test,03/04/2024\n" for n in range(45_000)) + "z@x.test,31/12/2024\n")
    chosen = proposed(late)
    assert importing.settle(late, chosen) == []
    assert chosen.orders == {"customer_since": "day"}


def everything() -> list[list[str]]:
    """The contacts file as it is downloaded."""
    header, rows = queries.contacts_table()
    text = b"".join(csv_stream(header, rows)).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def test_contacts_are_the_same_before_an_import_and_after_undoing_it(account: Any, run_jobs: Run, clock: Any) -> None:
    """IM2."""
    contacts.define_property("Plan", Kind.TEXT)
    contacts.upsert({"external_id": "1", "email": "a@x.test", "name": "A", "properties": {"plan": "Starter"}, "consent_email": "given"})
    contacts.upsert({"email": "b@x.test", "name": "B", "monthly_value": {"amount": 500, "currency": "EUR"}, "customer_since": "2020-01-02"})
    contacts.upsert({"email": "c@x.test", "name": "C"})
    before = everything()
    clock.move(hours=1)
    table = "customer id,email,name,plan,mrr,since,consent\n1,new@x.test,A2,Growth,9,2021-01-01,no\n,b@x.test,,Scale,12.50,2021-01-01,yes\n"
    table += ",c@x.test,C,,,,\n" + "".join(f",n{n}@x.test,N{n},Free,1,2022-01-01,yes\n" for n in range(40))
    row = import_all(table, run_jobs)
    assert (counts(row)["added"], counts(row)["updated"], counts(row)["unchanged"]) == (40, 2, 1)
    assert everything() != before
    importing.undo(row.id)
    run_jobs()
    db.session.expire_all()
    row = queries.get_import(row.id)
    assert (row.state, row.undo_report) == ("undone", {"removed": 40, "restored": 2, "kept": []})
    assert everything() == before
    assert queries.count_contacts() == 3
    with pytest.raises(WrongState, match="was undone"):
        importing.undo(row.id)


def test_undoing_keeps_who_was_asked_and_what_was_changed_since(account: Any, run_jobs: Run, clock: Any) -> None:
    contacts.upsert({"email": "old@x.test", "name": "Old", "company": "Firm"})
    row = import_all("email,name,company\nold@x.test,New,Other\na@x.test,A,F\nb@x.test,B,F\n", run_jobs)
    clock.move(hours=2)
    asked = queries.find_by_email("a@x.test")
    assert asked is not None
    contacts.mark_asked([asked.id], clock.now())
    contacts.upsert({"email": "old@x.test", "name": "Newest"})
    importing.undo(row.id)
    run_jobs()
    db.session.expire_all()
    assert people() == [("a@x.test", "A", "F"), ("old@x.test", "Newest", "Firm")]
    report = queries.get_import(row.id).undo_report
    assert (report["removed"], report["restored"]) == (1, 1)
    assert {(kept["name"], kept["why"]) for kept in report["kept"]} == {
        ("A", "asked or answered meanwhile"),
        ("Newest", "changed again since"),
    }


def some(kind: Any, **given: Any) -> Any:
    """A row of a floor above, with something in every column that needs a value."""
    made = kind(**given)
    usual: dict[type, Any] = {str: "x", int: 1, bool: False}
    for column in kind.__table__.columns:
        if not column.nullable and column.default is None and column.name not in {"account_id", "id", *given}:
            setattr(made, column.key, usual.get(column.type.python_type, product_clock.now()))
    db.session.add(made)
    db.session.flush()
    return made


def test_a_contact_that_something_points_at_is_emptied_when_its_import_is_undone(account: Any, run_jobs: Run) -> None:
    row = import_all("email,name\na@x.test,A\nb@x.test,B\n", run_jobs)
    pointed = queries.find_by_email("a@x.test")
    assert pointed is not None
    # What a rolling campaign writes while the row rests: a reason, and no survey.
    survey = some(Survey)
    campaign = some(Campaign, survey_id=survey.id)
    some(Invitation, campaign_id=campaign.id, contact_id=pointed.id, state="skipped", reason="import_hold")
    db.session.commit()
    importing.undo(row.id)
    run_jobs()
    db.session.expire_all()
    assert everything()[1:] == []
    assert queries.count_contacts() == 0
    left = db.session.scalars(select(Contact)).all()
    assert [(c.email, c.name, c.erased_at is not None) for c in left] == [(None, None, True)]


def test_after_a_day_an_import_stays(account: Any, run_jobs: Run, clock: Any) -> None:
    row = import_all("email\na@x.test\n", run_jobs)
    clock.move(hours=24, seconds=1)
    with pytest.raises(WrongState, match="undone for 24 hours"):
        importing.undo(row.id)


def test_cells_that_look_like_formulas_come_back_as_they_were(account: Any, run_jobs: Run) -> None:
    """IM7."""
    contacts.define_property("Note", Kind.TEXT)
    contacts.define_property("Balance", Kind.NUMBER)
    contacts.upsert({"email": "a@x.test", "name": "=1+1", "phone": "+12075550142", "properties": {"note": "'=x", "balance": -5}})
    exported = everything()
    assert exported[1][exported[0].index("name")] == "'=1+1"
    assert exported[1][exported[0].index("p.balance")] == "'-5"
    contacts.upsert({"email": "a@x.test", "name": "x", "properties": {"note": "x", "balance": 1}})
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows(exported)
    row = import_all(out.getvalue(), run_jobs)
    assert (counts(row)["updated"], waiting(row)) == (1, [])
    found = queries.find_by_email("a@x.test")
    assert found is not None
    assert (found.name, found.phone, found.properties) == ("=1+1", "+12075550142", {"note": "'=x", "balance": -5})


def test_an_unsubscribed_column_stops_people_and_never_turns_them_on(account: Any, run_jobs: Run) -> None:
    delivery.suppress("c@x.test", "unsubscribed", "link")
    row = import_all("email,unsubscribed\na@x.test,yes\nb@x.test,no\nC@X.test,no\nd@x.test,2025-01-01\n", run_jobs)
    assert [stops.is_suppressed(f"{letter}@x.test") for letter in "abcd"] == [True, False, True, True]
    assert (counts(row)["added"], row.opted_out) == (4, 1)


def test_a_person_who_asked_to_be_erased_is_left_out(account: Any, run_jobs: Run) -> None:
    contact, _ = contacts.upsert({"email": "marker@x.test", "name": "Marker"})
    contacts.erase(contact.id, by="Ines")
    row = upload("email,name\nMARKER@x.test,Marker\na@x.test,A\n")
    assert importing.preview(row, proposed(row)).counts["left_out"] == 1
    importing.start(row.id, proposed(row))
    run_jobs()
    db.session.expire_all()
    row = queries.get_import(row.id)
    assert counts(row) == {"added": 1, "updated": 0, "unchanged": 0, "to_fix": 0, "left_out": 1}
    (kept,) = queries.list_erased_rows(row.id)
    assert (kept.row, kept.cells, kept.problem.startswith("This person asked to be erased on ")) == (2, [], True)
    assert stops.is_suppressed("marker@x.test")


def test_uploads_nobody_started_are_gone_after_a_day(account: Any, run_jobs: Run, clock: Any) -> None:
    upload("email\na@x.test\n")
    done = import_all("email\nb\nc@x.test\n", run_jobs)
    assert waiting(done)
    clock.move(hours=25)
    outbox.enqueue("contacts.forget_files", {})
    run_jobs()
    assert db.session.scalars(select(Import.id)).all() == [done.id]
    clock.move(days=31)
    outbox.enqueue("contacts.forget_files", {})
    run_jobs()
    assert db.session.scalar(select(func.count()).select_from(ImportRow)) == 0


def test_the_member_is_mailed_when_the_import_has_ended(account: Any, owner: Any, run_jobs: Run) -> None:
    with uploads.prepare(io.BytesIO(big_table(30, {3}).encode()), "march.csv") as prepared:
        row = importing.store(prepared, by_id=owner.id, by=owner.name)
    importing.start(row.id, proposed(row))
    run_jobs()
    mail = db.session.scalars(select(Message)).one()
    assert (mail.to_email, mail.subject) == (owner.email, "Your import is done: 29 added, 0 updated")
    assert "1 row waits for a correction" in mail.body_text
    assert f"/larkfield/imports/{row.id}" in mail.body_text


def test_waiting_rows_come_as_they_were_with_row_and_problem(account: Any, run_jobs: Run) -> None:
    row = import_all("email,name\n=1+1,Ann\na@x.test,A\nb@,Bob,extra\n", run_jobs)
    header, rows = queries.waiting_rows_table(row.header, queries.stream_waiting_rows(row.id))
    assert header == ["email", "name", "row", "problem"]
    assert list(rows) == [["=1+1", "Ann", 2, "No @ in the email"], ["b@", "Bob", 4, "Nothing after the @ in the email"]]


def test_an_account_that_is_not_confirmed_imports_a_hundred_contacts(account: Any, run_jobs: Run) -> None:
    account.state = "unverified"
    assert import_all(big_table(100), run_jobs).state == "done"
    row = upload(big_table(101))
    with pytest.raises(Refused, match="100 contacts can be imported"):
        importing.start(row.id, proposed(row))


def test_an_unreadable_file_stores_nothing(account: Any) -> None:
    with pytest.raises(Unreadable):
        upload(b"PK\x03\x04 nonsense")
    assert db.session.scalar(select(func.count()).select_from(Import)) == 0
    assert db.session.scalar(select(func.count()).select_from(ImportRow)) == 0
