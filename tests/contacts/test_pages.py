"""Pages of contacts work without script, keep what was typed, and say what happened."""

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from nps.accounts import service as accounts
from nps.accounts.models import AuditEntry, Membership
from nps.contacts import queries
from nps.contacts import service as contacts
from nps.contacts.models import Contact, Import
from nps.contacts.rules.properties import Kind
from nps.contacts.rules.timeline import Entry, Group, Panel
from nps.core import clock as product_clock
from nps.core import tenancy
from nps.core.db import db
from nps.delivery import queries as stops
from nps.delivery import service as delivery
from tests.contacts.workbook_files import workbook

Run = Callable[[], int]


def text(answer: Any) -> str:
    """What a reader sees, in one line."""
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", answer.get_data(as_text=True), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)).replace("&#39;", "'").replace("&amp;", "&")


def colleague(account: Any, sign_in: Any, role: str) -> Any:
    user = accounts.create_user(f"{role}@larkfield.example", f"{role.title()} Person", None)
    db.session.add(Membership(user_id=user.id, role=role, created_at=product_clock.now()))
    db.session.commit()
    return sign_in(user)


def upload(browser: Any, body: bytes | str, name: str = "customers-october.csv") -> Any:
    data = body.encode() if isinstance(body, str) else body
    return browser.form("/larkfield/imports", {"file": (io.BytesIO(data), name)}, content_type="multipart/form-data")


def choices(page: str) -> dict[str, str]:
    """What is selected on the page of columns."""
    found = {}
    for name, inner in re.findall(r'<select class="sel" name="(c\d+)".*?>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected>', inner)
        found[name] = chosen.group(1) if chosen else ""
    return found


# The list


def test_an_empty_list_says_why_and_offers_one_way_forward(signed_in: Any) -> None:
    page = text(signed_in.get("/larkfield/contacts"))
    assert "No contacts yet" in page
    assert "Name and email are enough. Nobody is emailed when you import." in page
    sample = signed_in.get("/larkfield/imports/sample.csv", buffered=True)
    assert sample.headers["Content-Disposition"] == 'attachment; filename="contacts-sample.csv"'
    assert next(csv.reader(io.StringIO(sample.get_data().decode("utf-8-sig"))))[0] == "Email"


def test_the_list_shows_people_and_finds_them(signed_in: Any, account: Any) -> None:
    contacts.upsert({"email": "dana@brightoak.example", "name": "Dana Whitfield", "company": "Bright Oak Dental"})
    contacts.upsert({"email": "sam@oyelaran.example", "name": "Sam <b>Oyelaran</b>"})
    answer = signed_in.get("/larkfield/contacts")
    page = text(answer)
    assert "2 contacts" in page
    assert "Dana Whitfield" in page
    assert "Sam &lt;b&gt;Oyelaran" in answer.get_data(as_text=True)
    found = text(signed_in.get("/larkfield/contacts?q=whit"))
    assert "Dana Whitfield" in found
    assert "Sam" not in found
    assert "No contact matches “nobody”" in text(signed_in.get("/larkfield/contacts?q=nobody"))


def test_a_long_list_is_paged(signed_in: Any, account: Any) -> None:
    for n in range(53):
        contacts.upsert({"email": f"u{n}@x.test", "name": f"Person {n:02}"})
    first = signed_in.get("/larkfield/contacts").get_data(as_text=True)
    link = re.search(r'href="([^"]*after=[^"]*)"', first)
    assert link is not None
    second = text(signed_in.get(link.group(1).replace("&amp;", "&")))
    assert "Person 02" in second
    assert "Person 03" not in second
    assert signed_in.get("/larkfield/contacts?after=x").status_code == 422


def test_the_file_of_contacts_is_a_csv_that_opens_as_text(signed_in: Any, account: Any) -> None:
    contacts.upsert({"email": "a@x.test", "name": "=1+1"})
    answer = signed_in.get("/larkfield/contacts.csv", buffered=True)
    rows = list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert answer.mimetype == "text/csv"
    assert rows[0][:5] == ["contact_id", "external_id", "email", "phone", "name"]
    assert rows[1][4] == "'=1+1"


@pytest.mark.parametrize(
    ("role", "sees_address", "sees_name"), [("viewer", False, False), ("analyst", False, True), ("responder", True, True)]
)
def test_each_role_sees_what_it_may(account: Any, sign_in: Any, role: str, sees_address: bool, sees_name: bool) -> None:
    made, _ = contacts.upsert({"email": "dana@brightoak.example", "name": "Dana Whitfield", "phone": "+12075550199"})
    browser = colleague(account, sign_in, role)
    for path in ("/larkfield/contacts", f"/larkfield/contacts/{made.id}"):
        page = browser.get(path).get_data(as_text=True)
        assert ("brightoak" in page) is sees_address
        assert ("Dana Whitfield" in page) is sees_name
        assert "Import contacts" not in page
    for path in ("/larkfield/imports", "/larkfield/contacts.csv", "/larkfield/contacts/new", f"/larkfield/contacts/{made.id}/edit"):
        assert browser.get(path).status_code == 403
    assert browser.form(f"/larkfield/contacts/{made.id}/erasure").status_code == 403


def test_a_reviewer_sees_no_contacts(account: Any, sign_in: Any) -> None:
    assert colleague(account, sign_in, "reviewer").get("/larkfield/contacts").status_code == 403


# One person


def test_a_contact_is_added_and_changed(signed_in: Any, account: Any) -> None:
    contacts.define_property("Plan", Kind.ONE_OF, choices=["Starter", "Growth"])
    typed = {"email": "Dana@BrightOak.example", "name": "Dana Whitfield", "country": "usa", "phone": "207 555 0199", "p_plan": "Growth",
             "monthly_value": "84", "customer_since": "4 March 2024", "time_zone": "America/New_York", "locale": "en",
             "consent_email": "given", "consent_sms": "unknown", "agreed_text": "Ask me"}  # fmt: skip
    answer = signed_in.form("/larkfield/contacts/new", typed)
    assert answer.status_code == 303
    page = text(signed_in.get(answer.location))
    for words in (
        "Dana Whitfield was added.",
        "+1 207 555 0199",
        "4 March 2024",
        "$84 a month",
        "English",
        "Growth",
        "Given on",
        "Ask me",
        "contact 1",
    ):
        assert words in page
    made = queries.find_by_email("dana@brightoak.example")
    assert made is not None
    form = signed_in.get(f"/larkfield/contacts/{made.id}/edit").get_data(as_text=True)
    assert 'value="84.00"' in form
    assert 'value="2024-03-04"' in form
    answer = signed_in.form(f"/larkfield/contacts/{made.id}/edit", {**typed, "name": "Dana W", "p_plan": "", "phone": ""})
    assert answer.status_code == 303
    db.session.expire_all()
    assert (made.name, made.properties, made.phone) == ("Dana W", {}, None)


def test_what_is_wrong_stands_at_its_field_and_typing_is_kept(signed_in: Any, account: Any) -> None:
    contacts.define_property("Seats", Kind.NUMBER)
    typed = {"email": "a@good.test,b@evil.test", "name": "Dana", "p_seats": "many", "consent_email": "given", "consent_sms": "unknown"}
    answer = signed_in.form("/larkfield/contacts/new", typed)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "More than one email address." in page
    assert "Seats is not a number: many." in page
    assert 'value="a@good.test,b@evil.test"' in page
    assert "There are 2 things to fix" in page
    assert queries.count_contacts() == 0


def test_adding_somebody_who_is_there_changes_nothing(signed_in: Any, account: Any) -> None:
    contacts.upsert({"email": "dana@x.test", "name": "Dana"})
    answer = signed_in.form(
        "/larkfield/contacts/new", {"email": "DANA@x.test", "name": "Other", "consent_email": "unknown", "consent_sms": "unknown"}
    )
    assert answer.status_code == 409
    assert "This email belongs to another contact, number 1" in text(answer)
    known = queries.find_by_email("dana@x.test")
    assert known is not None
    assert known.name == "Dana"


def test_a_name_like_a_template_appears_as_it_is(signed_in: Any, account: Any) -> None:
    made, _ = contacts.upsert({"email": "d@x.test", "name": "{{7*7}}"})
    assert "{{7*7}}" in text(signed_in.get(f"/larkfield/contacts/{made.id}"))


def test_the_page_says_when_the_next_survey_may_come(signed_in: Any, account: Any) -> None:
    made, _ = contacts.upsert({"email": "d@x.test", "name": "Dana Whitfield"})
    address = f"/larkfield/contacts/{made.id}"
    assert "Next survey: as soon as a campaign asks. Dana was never asked." in text(signed_in.get(address))
    contacts.mark_asked([made.id], product_clock.now())
    contacts.hold(made.id, "open_case")
    asked = product_clock.now().astimezone(ZoneInfo("America/New_York"))
    due = (product_clock.now() + timedelta(days=90)).astimezone(ZoneInfo("America/New_York"))
    page = text(signed_in.get(address))
    assert f"Next survey: {due.day} {due:%B %Y} at the earliest, because asked on {asked.day} {asked:%B}." in page
    assert "Before that, the open case has to be closed." in page
    made.last_asked_at = product_clock.now() - timedelta(days=91)
    assert "Next survey: after the open case is closed" in text(signed_in.get(address))
    delivery.suppress("d@x.test", "unsubscribed", "link")
    page = text(signed_in.get(address))
    assert "No survey goes to Dana." in page
    assert "Only the person can lift it." in page


def test_a_member_stops_and_lifts(signed_in: Any, account: Any) -> None:
    made, _ = contacts.upsert({"email": "d@x.test", "name": "Dana"})
    assert signed_in.form(f"/larkfield/contacts/{made.id}/stop").status_code == 303
    assert stops.is_suppressed("d@x.test")
    page = signed_in.get(f"/larkfield/contacts/{made.id}").get_data(as_text=True)
    action = re.search(r'action="([^"]*/lifting)"', page)
    assert action is not None
    assert signed_in.form(action.group(1), {"note": "She asked on the phone"}).status_code == 303
    assert not stops.is_suppressed("d@x.test")
    assert db.session.scalar(select(AuditEntry.action).where(AuditEntry.action == "suppression.lifted")) == "suppression.lifted"


def test_an_erased_person_is_gone_for_good(signed_in: Any, account: Any) -> None:
    made, _ = contacts.upsert({"email": "d@x.test", "name": "Dana"})
    assert signed_in.form(f"/larkfield/contacts/{made.id}/erasure").status_code == 303
    assert signed_in.get(f"/larkfield/contacts/{made.id}").status_code == 410
    assert "Dana" not in text(signed_in.get("/larkfield/contacts"))
    assert stops.is_suppressed("D@x.test")
    entry = db.session.scalar(select(AuditEntry).where(AuditEntry.action == "contact.erased"))
    assert entry is not None
    assert "Dana" not in str(entry.facts)


def test_the_timeline_takes_entries_and_panels_of_floors_above(signed_in: Any, account: Any) -> None:
    made, _ = contacts.upsert({"email": "d@x.test", "name": "Dana Whitfield", "consent_email": "given"})
    now = product_clock.now()

    def entries(contact_id: Any) -> list[Entry]:
        assert contact_id == made.id
        return [
            Entry(
                now,
                group=Group.ANSWERS,
                bold="Answered 3",
                said="The bank feed <is> broken.",
                person="Dana Whitfield",
                is_answer=True,
                tag=("Counted", "pro"),
            ),
            Entry(now - timedelta(days=1), "by “Summer”: gap not over", Group.NOT_ASKED, bold="Not asked", icon="pause"),
        ]

    queries.use_sources([entries], [lambda contact_id: [Panel("below", "contacts/_progress.html", {})][:0]])
    try:
        page = signed_in.get(f"/larkfield/contacts/{made.id}")
        assert "The bank feed &lt;is&gt; broken." in page.get_data(as_text=True)
        words = text(page)
        assert words.index("Answered 3") < words.index("Not asked by “Summer”")
        assert "Email surveys: consent given, was unknown" in words
        only = text(signed_in.get(f"/larkfield/contacts/{made.id}?t=not_asked"))
        assert "Not asked by “Summer”" in only
        assert "Answered 3" not in only
        assert signed_in.get(f"/larkfield/contacts/{made.id}?t=nonsense").status_code == 200
    finally:
        queries.use_sources([], [])


# Import


def test_a_file_goes_the_whole_way_without_script(signed_in: Any, account: Any, run_jobs: Run) -> None:
    lines = ["email_addr,full name,plan_code,since,mrr,notes", "carla.jimenez.example,Carla Jimenez,Growth,2024-01-02,5,x"]
    lines += [f"u{n}@x.test,Person {n},Growth,2024-01-{n % 28 + 1:02},{n}.50,x" for n in range(40)]
    answer = upload(signed_in, "\n".join(lines))
    assert answer.status_code == 303
    page = signed_in.get(answer.location)
    body = page.get_data(as_text=True)
    assert "customers-october.csv · 41 rows · UTF-8, comma between the cells" in text(page)
    chosen = choices(body)
    assert chosen == {"c0": "email", "c1": "name", "c2": "", "c3": "customer_since", "c4": "monthly_value", "c5": ""}
    assert "All 41 rows would give" in text(page)
    assert "No @ in the email" in body
    shown = signed_in.form(answer.location, {**chosen, "c2": "new:text", "mode": "both", "blank": "keep", "do": "preview"})
    assert shown.status_code == 200
    assert choices(shown.get_data(as_text=True))["c2"] == "new:text"
    assert "Plan code" in text(shown)
    assert queries.count_contacts() == 0
    started = signed_in.form(answer.location, {**chosen, "c2": "new:text", "mode": "both", "blank": "keep", "do": "start"})
    assert started.status_code == 303
    running = text(signed_in.get(started.location))
    assert "0 of 41 rows, just starting" in running
    assert "Stop import" in running
    assert "You can leave this page. We email you when it is done. Nobody gets a survey because of an import." in running
    run_jobs()
    done = signed_in.get(started.location)
    words = text(done)
    for part in (
        "Added 40",
        "To fix 1",
        "1 row to fix",
        "Carla Jimenez",
        "No @ in the email",
        "Undo this import",
        "Plan code segment",
        "Left out",
    ):
        assert part in words
    bad = list(csv.reader(io.StringIO(signed_in.get(f"{started.location}/rows.csv", buffered=True).get_data().decode("utf-8-sig"))))
    assert bad[0][-2:] == ["row", "problem"]
    assert bad[1] == ["carla.jimenez.example", "Carla Jimenez", "Growth", "2024-01-02", "5", "x", "2", "No @ in the email"]
    action = re.search(r'action="([^"]*/rows/[^"]*)"', done.get_data(as_text=True))
    assert action is not None
    wrong = signed_in.form(action.group(1), {"value": "carla@"})
    assert wrong.status_code == 422
    assert "Row 2 is not in yet: Nothing after the @ in the email." in text(wrong)
    assert 'value="carla@"' in wrong.get_data(as_text=True)
    assert signed_in.form(action.group(1), {"value": "carla@jimenez.example"}).status_code == 303
    assert queries.count_contacts() == 41
    assert signed_in.form(f"{started.location}/undo").status_code == 303
    run_jobs()
    assert "The import was undone" in text(signed_in.get(started.location))
    assert queries.count_contacts() == 0


def test_pasted_rows_are_a_file_too(signed_in: Any, account: Any) -> None:
    answer = signed_in.form("/larkfield/imports", {"rows": "Email\tName\r\na@x.test\tAnn\r\n"})
    assert answer.status_code == 303
    page = text(signed_in.get(answer.location))
    assert "Pasted rows · 1 row · UTF-8, tab between the cells" in page


@pytest.mark.parametrize(
    ("body", "name", "words"),
    [
        (b"", "empty.csv", "This file is empty"),
        (b"\x00\x01\x02" * 1000, "x.csv", "not a table of text"),
        (b"PK\x03\x04nonsense", "x.xlsx", "This workbook cannot be read."),
        (b"email\na@x.test," + b"y" * 6000 + b"\n", "x.csv", "Row 2 has a cell longer than 5,000 characters."),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_one_sentence(signed_in: Any, account: Any, body: bytes, name: str, words: str) -> None:
    answer = upload(signed_in, body, name)
    assert answer.status_code == 422
    assert words in text(answer)
    assert db.session.scalar(select(func.count()).select_from(Import)) == 0


def test_without_a_file_the_page_asks_for_one(signed_in: Any, account: Any) -> None:
    answer = signed_in.form("/larkfield/imports", {"rows": "  "})
    assert answer.status_code == 422
    assert "Choose a file, or paste rows below." in text(answer)


def test_a_name_of_a_file_is_shown_and_never_followed(signed_in: Any, account: Any) -> None:
    answer = upload(signed_in, "email\na@x.test\n", "../../etc/<b>passwd</b>.csv")
    row = db.session.scalar(select(Import))
    assert row is not None
    assert row.filename == "b>.csv"
    assert "<b>.csv" not in signed_in.get(answer.location).get_data(as_text=True)


def test_a_matching_without_an_identity_is_refused_and_kept(signed_in: Any, account: Any) -> None:
    answer = upload(signed_in, "nickname,colour\nx,red\ny,blue\n")
    refused = signed_in.form(answer.location, {"c0": "name", "c1": "name", "mode": "add", "blank": "empty", "do": "start"})
    page = refused.get_data(as_text=True)
    assert refused.status_code == 422
    assert "2 columns are matched to “Name”. Each field takes one." in text(refused)
    assert "No column is matched to an email" in text(refused)
    assert choices(page) == {"c0": "name", "c1": "name"}
    assert re.search(r'name="mode" value="add" checked', page)
    assert re.search(r'name="blank" value="empty" checked', page)


def test_the_order_of_day_and_month_is_asked_when_nothing_settles_it(signed_in: Any, account: Any, run_jobs: Run) -> None:
    answer = upload(signed_in, "email,since\na@x.test,03/04/2025\nb@x.test,05/06/2025\n")
    page = text(signed_in.get(answer.location))
    assert "Which comes first in “Customer since”?" in page
    sent = {"c0": "email", "c1": "customer_since", "mode": "both", "blank": "keep", "do": "start"}
    refused = signed_in.form(answer.location, sent)
    assert refused.status_code == 422
    assert "Say below which comes first in the dates" in text(refused)
    shown = signed_in.form(answer.location, {**sent, "order.customer_since": "month", "do": "preview"}).get_data(as_text=True)
    assert re.search(r'name="order.customer_since" value="month" checked', shown)
    assert "2025-03-04" in shown
    assert signed_in.form(answer.location, {**sent, "order.customer_since": "month"}).status_code == 303
    run_jobs()
    assert sorted(str(d) for d in db.session.scalars(select(Contact.customer_since))) == ["2025-03-04", "2025-05-06"]


def test_the_preview_changes_as_somebody_chooses(signed_in: Any, account: Any) -> None:
    answer = upload(signed_in, "email,x\na@x.test,Ann\n")
    path = answer.location.replace("/columns", "/preview")
    fragment = signed_in.form(path, {"c0": "email", "c1": "company", "mode": "both"}, headers={"HX-Request": "true"})
    assert fragment.status_code == 200
    assert "<html" not in fragment.get_data(as_text=True)
    assert "Company" in text(fragment)
    assert "Added 1" in text(fragment)
    assert "No column is matched" in text(signed_in.form(path, {"c0": "", "c1": ""}, headers={"HX-Request": "true"}))


def test_another_sheet_is_chosen_on_the_page(signed_in: Any, account: Any) -> None:
    body = workbook({"One": [["email"], ["a@x.test"]], "Two & three": [["email"], ["b@x.test"], ["c@x.test"]]})
    answer = upload(signed_in, body, "people.xlsx")
    assert "people.xlsx · 1 row · XLSX" in text(signed_in.get(answer.location))
    chosen = signed_in.form(answer.location.replace("/columns", "/sheet"), {"sheet": "Two & three"})
    assert "people.xlsx · 2 rows · XLSX" in text(signed_in.get(chosen.location))


def test_progress_is_a_fragment_that_stops_asking_when_it_is_over(signed_in: Any, account: Any, run_jobs: Run) -> None:
    answer = upload(signed_in, "email\na@x.test\n")
    started = signed_in.form(answer.location, {"c0": "email", "do": "start"})
    running = signed_in.get(f"{started.location}/progress")
    assert (running.status_code, 'hx-trigger="every 2s"' in running.get_data(as_text=True)) == (200, True)
    assert "<noscript>" in running.get_data(as_text=True)
    run_jobs()
    over = signed_in.get(f"{started.location}/progress")
    assert (over.status_code, over.headers["HX-Refresh"]) == (286, "true")
    assert "hx-get" not in over.get_data(as_text=True)


def test_an_import_can_be_stopped_from_its_page(signed_in: Any, account: Any, run_jobs: Run) -> None:
    answer = upload(signed_in, "email\na@x.test\n")
    started = signed_in.form(answer.location, {"c0": "email", "do": "start"})
    assert signed_in.form(f"{started.location}/stop").status_code == 303
    run_jobs()
    assert "The import was stopped." in text(signed_in.get(started.location))
    assert signed_in.form(f"{started.location}/stop").status_code == 409
    assert "Latest imports" in text(signed_in.get("/larkfield/imports"))


def test_an_import_of_a_rival_is_not_there(signed_in: Any, account: Any, rival: Any, sign_in: Any) -> None:
    answer = upload(signed_in, "email\na@x.test\n")
    made, _ = contacts.upsert({"email": "d@x.test"})
    path = answer.location.replace("larkfield", "rival")
    user = accounts.create_user("other@rival.example", "Other", None)
    with tenancy.account_scope(rival.id):
        db.session.add(Membership(user_id=user.id, role="owner", created_at=product_clock.now()))
        db.session.commit()
    browser = sign_in(user)
    assert browser.get(path).status_code == 404
    assert browser.get(path.replace("/columns", "/rows.csv")).status_code == 404
    assert browser.get(f"/rival/contacts/{made.id}").status_code == 404
    assert browser.form(f"/rival/contacts/{made.id}/erasure").status_code == 404


# Segments and properties


def test_a_segment_is_built_without_script(signed_in: Any, account: Any) -> None:
    contacts.define_property("Plan", Kind.TEXT)
    contacts.upsert({"email": "a@x.test", "properties": {"plan": "Growth"}})
    contacts.upsert({"email": "b@x.test", "properties": {"plan": "Starter"}})
    contacts.upsert({"email": "c@x.test"})
    sent = {"name": "Growing", "match": "all", "f0": "p.plan", "o0": "is", "v0": "growth"}
    counted = text(signed_in.form("/larkfield/segments/new", {**sent, "do": "count"}))
    assert "1 contact matches. 1 can be asked now." in counted
    assert "1 have no plan." in counted
    more = signed_in.form("/larkfield/segments/new", {**sent, "do": "add"}).get_data(as_text=True)
    assert 'name="f1"' in more
    less = signed_in.form("/larkfield/segments/new", {**sent, "f1": "company", "o1": "is", "v1": "", "do": "remove.1"})
    assert 'name="f1"' not in less.get_data(as_text=True)
    wrong = signed_in.form("/larkfield/segments/new", {**sent, "v0": "", "name": "", "do": "save"})
    assert wrong.status_code == 422
    assert "Rule 1: Plan needs a value." in text(wrong)
    assert signed_in.form("/larkfield/segments/new", {**sent, "do": "save"}).status_code == 303
    assert "Plan is growth" in text(signed_in.get("/larkfield/segments"))
    segment = queries.list_segments()[0]
    assert "a@x.test" in text(signed_in.get(f"/larkfield/contacts?segment={segment.id}"))
    edited = signed_in.get(f"/larkfield/segments/{segment.id}").get_data(as_text=True)
    assert 'value="growth"' in edited
    assert signed_in.form(f"/larkfield/segments/{segment.id}/archive").status_code == 303
    assert "No segments yet" in text(signed_in.get("/larkfield/segments"))


def test_another_field_brings_its_own_comparisons(signed_in: Any, account: Any) -> None:
    fragment = signed_in.form(
        "/larkfield/segments/draft", {"match": "any", "f0": "last_asked_at", "o0": "contains", "v0": "x"}, headers={"HX-Request": "true"}
    )
    body = fragment.get_data(as_text=True)
    assert "<html" not in body
    assert 'value="last_days" selected' in body
    assert 'placeholder="days"' in body


def test_properties_are_made_and_archived(signed_in: Any, account: Any) -> None:
    assert (
        signed_in.form("/larkfield/contacts/properties", {"label": "Plan", "kind": "one_of", "choices": "Starter, Growth"}).status_code
        == 303
    )
    assert "Starter, Growth" in text(signed_in.get("/larkfield/contacts/properties"))
    refused = signed_in.form("/larkfield/contacts/properties", {"label": "Email", "kind": "text"})
    assert refused.status_code == 303  # it gets a key of its own
    assert [d.key for d in queries.list_definitions()] == ["email_2", "plan"]
    again = signed_in.form("/larkfield/contacts/properties", {"label": "plan", "kind": "text"})
    assert (again.status_code, "There is a property “plan” already" in text(again)) == (422, True)
    assert signed_in.form("/larkfield/contacts/properties/plan/archive").status_code == 303
    assert "Starter, Growth" not in text(signed_in.get("/larkfield/contacts/properties"))


def test_the_overview_hears_of_rows_to_fix(account: Any, signed_in: Any, run_jobs: Run) -> None:
    assert queries.needs_you(product_clock.now()) is None
    answer = upload(signed_in, "email\nb@\n" + "".join(f"u{n}@x.test\n" for n in range(30)))
    signed_in.form(answer.location, {"c0": "email", "do": "start"})
    run_jobs()
    waiting = queries.needs_you(product_clock.now())
    assert waiting is not None
    assert (waiting[0], waiting[1].filename) == (1, "customers-october.csv")
