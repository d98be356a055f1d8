"""The lists of answers, one answer's page, decisions about answers, the file; and who may see and do what."""

import csv
import io
from collections.abc import Callable

import pytest
from sqlalchemy import select

from nps.accounts import queries as accounts
from nps.accounts import service as accounts_service
from nps.accounts.models import Account, AuditEntry, Membership, User
from nps.core import clock as product_clock
from nps.core import ids, tenancy
from nps.core.db import db
from nps.followups.models import Case
from nps.responses import service
from nps.responses.models import Response
from tests.conftest import Browser, Clock
from tests.responses.conftest import Asked, response_id_of

Ask = Callable[..., Asked]
COLUMNS = (
    "response_id invitation_id contact_id campaign kind channel score first_score nps_group comment reply_wanted state method signals"
    " partial language survey_version first_at verified_at changed_at collector left_out_reason"
).split()


@pytest.fixture
def mixed(asked: Ask) -> dict[str, Asked]:
    """Three that count, two to check, one taken back, one test, one picked."""
    people = {name: asked(f"{name} Person") for name in ("Dana", "Maya", "Priya", "Nadia", "Nils", "Will", "Pia")}
    people["Dana"].answer(3, "The bank feed is down")
    people["Maya"].answer(10, "Payroll failed once, still great")
    people["Priya"].answer(8)
    people["Nadia"].scan(10)
    people["Nils"].scan(0, why="bank")
    people["Will"].answer(9)
    service.withdraw(response_id_of(people["Will"]))
    people["Tess"] = asked("Tess Person", is_test=True)
    people["Tess"].answer(9)
    pia = people["Pia"]
    pia.post({"form": pia.nonce(pia.get(8)), "hand": "key", "score": "8", "visible": "6"}, "/seen")
    db.session.commit()
    return people


@pytest.fixture
def member(account: Account, sign_in: Callable[..., Browser]) -> Callable[[str], Browser]:
    """member("viewer") is a browser of somebody with that role."""

    def make(role: str) -> Browser:
        user = accounts_service.create_user(f"{role}@larkfield.example", f"{role.title()} Person", None)
        db.session.add(Membership(user_id=user.id, role=role, created_at=product_clock.now()))
        db.session.commit()
        return sign_in(user)

    return make


def must(asked: Asked) -> Response:
    found = asked.response()
    assert found is not None
    return found


def tab_numbers(page: str) -> list[str]:
    nav = page.split('aria-label="Verification"', 1)[1].split("</nav>", 1)[0]
    return [part.split("</span>", 1)[0].rsplit(">", 1)[-1] for part in nav.split('<span class="num')[1:]]


def test_counted_and_not_counted_add_up_to_recorded(mixed: dict[str, Asked], signed_in: Browser) -> None:
    page = signed_in.get("/larkfield/responses").text
    assert "8 recorded = 3 counted + 5 not counted" in page
    assert tab_numbers(page) == ["3", "2", "1", "1", "1", "8"]
    assert "Why 5 answers are not counted" in page
    assert "Left out: test answers" in page
    assert "Withdrawn by the person" in page


@pytest.mark.parametrize(
    ("query", "seen", "unseen"),
    [
        ("", ["Dana", "Maya", "Priya"], ["Nadia", "Will", "Tess", "Pia"]),
        ("?state=quarantined", ["Nadia", "Nils"], ["Dana"]),
        ("?state=provisional", ["Pia"], ["Dana", "Nadia"]),
        ("?state=left_out", ["Tess"], ["Dana", "Will"]),
        ("?state=withdrawn", ["Will"], ["Dana", "Tess"]),
        ("?state=all", ["Dana", "Nadia", "Will", "Tess", "Pia"], []),
        ("?q=bank+feed", ["Dana"], ["Maya"]),
        ("?q=%E2%80%9Cbank+feed%E2%80%9D", ["Dana"], ["Maya"]),
        ("?q=%E2%80%9Cfeed+bank%E2%80%9D", [], ["Dana", "Maya"]),
        ("?q=payroll+-great", [], ["Dana", "Maya"]),
        ("?q=-payroll", ["Dana", "Priya"], ["Maya"]),
        ("?q=%25", [], ["Dana", "Maya"]),
        ("?group=promoter", ["Maya"], ["Dana", "Priya"]),
        ("?group=nonsense", ["Maya", "Dana"], []),
        ("?by=confirmed", [], ["Dana"]),
        ("?channel=email", ["Dana"], []),
        ("?channel=kiosk", [], ["Dana"]),
        ("?state=quarantined&domain=brightoak.example", ["Nadia", "Nils"], []),
        ("?state=quarantined&domain=oak.example", [], ["Nadia"]),
    ],
)
def test_each_tab_and_filter_lists_its_own(
    mixed: dict[str, Asked], signed_in: Browser, query: str, seen: list[str], unseen: list[str]
) -> None:
    page = signed_in.get(f"/larkfield/responses{query}").text.split("<main", 1)[1]
    assert [name for name in seen if f"{name} Person" not in page] == []
    assert [name for name in unseen if f"{name} Person" in page] == []


def test_an_empty_search_offers_a_way_on(mixed: dict[str, Asked], signed_in: Browser) -> None:
    page = signed_in.get("/larkfield/responses?q=bank+fed").text
    assert "No comment mentions “bank fed”" in page
    assert "Search all time" in page
    assert "Clear search" in page


def test_a_window_of_days_and_all_time(mixed: dict[str, Asked], sign_in: Callable[..., Browser], owner: User, clock: Clock) -> None:
    clock.move(days=45)
    browser = sign_in(owner)
    assert "0 recorded" in browser.get("/larkfield/responses?p=30").text
    assert "8 recorded" in browser.get("/larkfield/responses").text
    clock.move(days=90)
    browser = sign_in(owner)
    assert "0 recorded" in browser.get("/larkfield/responses").text
    assert "8 recorded" in browser.get("/larkfield/responses?p=all").text


def test_pages_follow_each_other_without_repeats(asked: Ask, signed_in: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(53):
        asked(f"Person{n:02}").answer(9, hand="key")
    first = signed_in.get("/larkfield/responses").text
    assert "1 to 50 of 53" in first
    following = first.split('">Next 50</a>', 1)[0].rsplit('href="', 1)[1].replace("&amp;", "&")
    second = signed_in.get(following).text
    assert "51 to 53 of 53" in second
    on = [{n for n in range(53) if f"Person{n:02}" in page} for page in (first, second)]
    assert on[0] & on[1] == set()
    assert len(on[0] | on[1]) == 53
    assert signed_in.get("/larkfield/responses?after=forged").status_code == 422


def test_an_answer_to_check_shows_signals_hits_and_what_counting_would_change(asked: Ask, signed_in: Browser) -> None:
    nadia = asked("Nadia Osei", minutes_ago=90)
    nadia.get(0, method="HEAD")
    for score in (0, 5, 10):
        nadia.get(score)
    nadia.scan(10)
    page = signed_in.get(f"/larkfield/responses/{response_id_of(nadia)}").text
    for words in (
        "Needs a check: 1 of 1",
        "Not counted yet",
        "Looks automatic: 2 strong",
        "Three different scores opened within",
        "The page’s script ran, but no hand touched the page",
        "The hidden link was not opened",
        "HEAD ?score=0",
        "GET ?score=10",
        "POST score 10",
        "198.51.100.0/24",
        "Chrome, Linux",
        "None was sent.",
        "If you count it",
        "Opens a case",
        "Count this answer",
        "Leave it out",
        "Autumn relationship",
        "brightoak.example",
    ):
        assert words in page, words
    assert "198.51.100.7" not in page, "addresses are kept as networks"


def test_counting_an_answer_routes_it_then_and_keeps_who_and_when(asked: Ask, signed_in: Browser) -> None:
    nils = asked("Nils Berg")
    nils.scan(2, why="Broken")
    response = must(nils)
    assert db.session.scalars(select(Case)).first() is None
    done = signed_in.form("/larkfield/responses/verdicts", {"response": str(response.id), "do": "count", "back": "one"})
    assert done.status_code == 303
    response = must(nils)
    assert (response.state, response.method, response.verified_at is not None) == ("verified", "counted", True)
    assert db.session.scalars(select(Case)).one().response_id == response.id
    page = signed_in.get(done.headers["Location"]).text
    assert "1 answer is counted." in page
    assert "Ines Marchetti" in page
    assert "Undo" in page
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "response.counted")).one()
    assert (entry.actor, entry.object_id) == ("Ines Marchetti", str(response.id))
    assert "Counted by Ines" in signed_in.get("/larkfield/responses").text


def test_a_decision_can_be_taken_back(asked: Ask, signed_in: Browser) -> None:
    nils = asked("Nils Berg")
    nils.scan(2)
    rid = str(must(nils).id)
    for do, during in (("count", "verified"), ("out", "quarantined")):
        done = signed_in.form("/larkfield/responses/verdicts", {"response": rid, "do": do, "reason": "automatic", "back": "one"})
        assert must(nils).state == during
        at = must(nils).reviewed_at
        assert at is not None
        assert at.isoformat().replace("+00:00", "") in done.headers["Location"].replace("%3A", ":")
        signed_in.form("/larkfield/responses/verdicts", {"do": "undo", "at": at.isoformat(), "back": "one"})
        assert (must(nils).state, must(nils).left_out_reason, must(nils).reviewed_at) == ("quarantined", None, None)
    again = signed_in.form("/larkfield/responses/verdicts", {"do": "undo", "at": "2026-01-01T00:00:00+00:00", "back": "one"})
    assert again.status_code == 303
    assert "There is nothing to undo" in signed_in.get(again.headers["Location"]).text


def test_a_counted_answer_is_left_out_and_comes_back(asked: Ask, signed_in: Browser) -> None:
    dana = asked()
    dana.answer(9)
    rid = str(must(dana).id)
    signed_in.form("/larkfield/responses/verdicts", {"response": rid, "do": "out", "reason": "staff", "back": "one"})
    assert (must(dana).state, must(dana).left_out_reason) == ("left_out", "staff")
    assert "Left out: own staff" in signed_in.get("/larkfield/responses").text
    signed_in.form("/larkfield/responses/verdicts", {"response": rid, "do": "count", "back": "one"})
    assert (must(dana).state, must(dana).method, must(dana).left_out_reason) == ("verified", "sent", None)


def test_a_left_out_machine_never_locks_its_person_out(asked: Ask, signed_in: Browser, clock: Clock) -> None:
    nils = asked("Nils Berg")
    nils.scan(2)
    signed_in.form("/larkfield/responses/verdicts", {"response": str(must(nils).id), "do": "out", "reason": "automatic"})
    assert "Left out: looks automatic" in signed_in.get("/larkfield/responses").text
    clock.move(hours=1)
    nils.answer(9, "Hello")
    assert (must(nils).state, must(nils).score, must(nils).left_out_reason) == ("verified", 9, None)


def test_many_at_once_and_their_undo(asked: Ask, signed_in: Browser) -> None:
    people = [asked(f"Robot{n} Person") for n in range(3)]
    for person in people:
        person.scan(9)
    chosen = [str(must(person).id) for person in people[:2]]
    done = signed_in.form("/larkfield/responses/verdicts", {"response": chosen, "do": "count", "back": "quarantined"})
    assert [must(person).state for person in people] == ["verified", "verified", "quarantined"]
    page = signed_in.get(done.headers["Location"]).text
    assert "2 answers are counted." in page
    at = page.split('name="at" value="', 1)[1].split('"', 1)[0]
    signed_in.form("/larkfield/responses/verdicts", {"do": "undo", "at": at, "back": "quarantined"})
    assert [must(person).state for person in people] == ["quarantined"] * 3


@pytest.mark.parametrize("form", [{"do": "count"}, {"do": "out"}, {"do": "undo"}, {"do": "undo", "at": "yesterday"}, {}])
def test_nothing_chosen_changes_nothing_and_says_so(mixed: dict[str, Asked], signed_in: Browser, form: dict[str, str]) -> None:
    before = {r.id: r.state for r in db.session.scalars(select(Response))}
    done = signed_in.form("/larkfield/responses/verdicts", form)
    assert "Nothing was changed" in signed_in.get(done.headers["Location"]).text
    db.session.expire_all()
    assert {r.id: r.state for r in db.session.scalars(select(Response))} == before


def test_deciding_twice_says_that_it_was_decided(asked: Ask, signed_in: Browser) -> None:
    dana = asked()
    dana.answer(9)
    done = signed_in.form("/larkfield/responses/verdicts", {"response": str(must(dana).id), "do": "count", "back": "one"})
    assert "These answers count already. Nothing was changed." in signed_in.get(done.headers["Location"]).text


def test_the_file_has_the_agreed_columns_and_no_formula(asked: Ask, signed_in: Browser, account: Account) -> None:
    dana, priya = asked(), asked("Priya Raman")
    dana.contact.properties = {"plan": "=1+1"}
    db.session.commit()
    dana.answer(3, '=HYPERLINK("http://evil.example")\nsecond line', reply=True)
    priya.answer(8)
    priya.post({"topic": ["Lower price", "Quicker support"]}, "/more")
    sent = signed_in.get("/larkfield/responses.csv")
    assert sent.headers["Content-Type"].startswith("text/csv")
    assert "attachment" in sent.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(sent.get_data().decode("utf-8-sig"))))
    first, second = rows
    assert list(first)[: len(COLUMNS)] == COLUMNS
    assert first["comment"] == '\'=HYPERLINK("http://evil.example")\nsecond line'
    assert (first["score"], first["reply_wanted"], first["campaign"], first["survey_version"]) == ("3", "true", "Autumn relationship", "1")
    assert (second["q.one_tap"], second["nps_group"], second["first_at"][-1]) == ("Lower price; Quicker support", "passive", "Z")
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "responses.exported")).one()
    assert entry.facts["rows"] == 2


def test_the_file_follows_the_filters(mixed: dict[str, Asked], signed_in: Browser) -> None:
    def scores(query: str) -> list[str]:
        text = signed_in.get(f"/larkfield/responses.csv{query}").get_data().decode("utf-8-sig")
        return [row["score"] for row in csv.DictReader(io.StringIO(text))]

    assert scores("") == ["3", "10", "8"]
    assert scores("?state=quarantined") == ["10", "0"]
    assert scores("?group=promoter") == ["10"]


def test_the_switch_of_the_account(asked: Ask, signed_in: Browser, account: Account) -> None:
    nils = asked("Nils Berg")
    nils.scan(2)
    rid = str(must(nils).id)
    assert 'name="seen" value="1" checked' in signed_in.get(f"/larkfield/responses/{rid}").text
    signed_in.form("/larkfield/responses/seen", {"response": rid})
    db.session.refresh(account)
    assert account.count_seen is False
    signed_in.form("/larkfield/responses/seen", {"response": rid, "seen": "1"})
    db.session.refresh(account)
    assert account.count_seen is True


@pytest.mark.parametrize(
    ("role", "read", "review", "export"),
    [
        ("admin", 200, 303, 200),
        ("manager", 200, 303, 200),
        ("responder", 200, 403, 403),
        ("analyst", 200, 403, 200),
        ("viewer", 200, 403, 403),
        ("reviewer", 403, 403, 403),
    ],
)
def test_who_may_do_what(asked: Ask, member: Callable[[str], Browser], role: str, read: int, review: int, export: int) -> None:
    nils = asked("Nils Berg")
    nils.scan(2)
    rid = must(nils).id
    browser = member(role)
    assert browser.get("/larkfield/responses?state=quarantined").status_code == read
    page = browser.get(f"/larkfield/responses/{rid}")
    assert (page.status_code, "Count this answer" in page.text) == (read, review == 303)
    assert browser.form("/larkfield/responses/verdicts", {"response": str(rid), "do": "count"}).status_code == review
    assert browser.get("/larkfield/responses.csv").status_code == export
    assert must(nils).state == ("verified" if review == 303 else "quarantined")


def test_a_viewer_reads_no_names(asked: Ask, member: Callable[[str], Browser]) -> None:
    dana = asked()
    dana.answer(3, "Slow")
    viewer = member("viewer")
    for path in ("/larkfield/responses", f"/larkfield/responses/{must(dana).id}"):
        page = viewer.get(path).text.split("<main", 1)[1]
        assert ("Dana Whitfield" in page, "DW" in page, "dana@" in page) == (False, True, False)


def test_a_rivals_answer_is_not_there(asked: Ask, rival: Account, sign_in: Callable[..., Browser]) -> None:
    dana = asked()
    dana.scan(3)
    rid = must(dana).id
    with tenancy.unscoped("the test signs the rival in"):
        rita = accounts.find_user("rita@rival.example")
    browser = sign_in(rita)
    assert browser.get("/larkfield/responses").status_code == 404
    assert browser.get(f"/rival/responses/{rid}").status_code == 404
    assert browser.get(f"/rival/responses/{ids.new_id()}").status_code == 404
    assert browser.form("/rival/responses/verdicts", {"response": str(rid), "do": "count"}).status_code == 404
    assert "Dana" not in browser.get("/rival/responses?state=all").text
    assert len(browser.get("/rival/responses.csv?state=all").get_data().decode().splitlines()) == 1
    assert must(dana).state == "quarantined"
