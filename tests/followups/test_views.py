"""The pages: doors, lists, forms with what was typed, fragments."""

import re
from typing import Any

import pytest
from sqlalchemy import select

from nps.core.db import db
from nps.delivery.models import Message
from nps.followups import queries
from nps.followups import service as followups
from nps.followups.models import Case
from nps.followups.rules.states import CaseState
from nps.followups.service import Closure
from tests.followups.conftest import Larkfield, local

FIXED = Closure("fixed", "Bank changes break the feed", followups.NOT_CLEAR)


def text_of(page: Any) -> str:
    """The words of a page, without tags, with single spaces."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.get_data(as_text=True)).split())


@pytest.fixture
def browser(larkfield: Larkfield, signed_in: Any, clock: Any) -> Any:
    return signed_in


def followed(browser: Any, answer: Any) -> str:
    """The words of the page a form leads to."""
    assert answer.status_code == 303
    return text_of(browser.get(answer.headers["Location"]))


# -- the list --


def test_the_list_groups_by_what_is_due_with_counts_and_head(larkfield: Larkfield, browser: Any, clock: Any) -> None:
    larkfield.queue(target_low=60, target_middle=240, target_sent=960)
    value = {"monthly_value": {"amount": 4200, "currency": "USD"}}
    larkfield.case(3, larkfield.contact("Marcus Bell", **value), comment="Charged twice in September.")
    larkfield.case(5, larkfield.contact("Hollis Grant"))
    larkfield.case(9, larkfield.contact("Glen Ferris"))
    waiting = larkfield.case(2, larkfield.contact("Yuki Tanaka"), owner_id=larkfield.owner.id)
    followups.reply(waiting.id, larkfield.owner, "We are on it.", seen=99)
    clock.move(minutes=95)
    page = browser.get("/larkfield/cases")
    words = text_of(page)
    assert page.status_code == 200
    assert "First reply within 1 hour for 0–3 and 4 hours for 4–6. Met for 1 of 2 cases since 8 July." in words
    for heading, name in (
        ("Overdue", "Marcus Bell"),
        ("Due today", "Hollis Grant"),
        ("Tomorrow and later", "Glen Ferris"),
        ("Waiting on customer", "Yuki"),
    ):
        assert words.index(heading + " ") < words.rindex(name)
    assert "35 min late Due 12:58" in words
    assert "$42 a month" in words
    assert "Charged twice in September." in words
    assert "Paused Since 11:58" in words
    assert "Select all 4" in words
    assert re.search(r'Open <span class="num">4</span>', page.get_data(as_text=True))


def test_tabs_filters_and_orders(larkfield: Larkfield, browser: Any) -> None:
    amara = larkfield.member("Amara Kone")
    larkfield.queue(method="nobody")
    larkfield.case(3, larkfield.contact("Mine Only", monthly_value={"amount": 100, "currency": "USD"}), owner_id=larkfield.owner.id)
    larkfield.case(6, larkfield.contact("Amaras One"), owner_id=amara.id)
    larkfield.case(
        3, larkfield.contact("Nobodys One", monthly_value={"amount": 99_000, "currency": "USD"}), wants_reply=True, comment="50% worse"
    )
    closed = larkfield.case(3, larkfield.contact("Closed One"))
    followups.close(closed.id, larkfield.owner, FIXED)

    def names(query: str) -> list[str]:
        page = browser.get(f"/larkfield/cases{query}").get_data(as_text=True)
        return re.findall(r'<a class="open"[^>]*>([^<]+)</a>', page)

    assert names("?view=mine") == ["Mine Only"]
    assert names("?view=nobody") == ["Nobodys One"]
    assert names("?view=closed") == ["Closed One"]
    assert names(f"?owner={amara.id}") == ["Amaras One"]
    assert names("?score=3") == ["Mine Only", "Nobodys One"]
    assert names("?wants=1") == ["Nobodys One"]
    assert names("?q=50%25") == ["Nobodys One"]
    assert names("?q=%25") == ["Nobodys One"]
    assert names("?sort=worth")[0] == "Nobodys One"
    assert names("?view=nonsense&owner=nonsense&score=99") == names("")
    assert "No case fits" in text_of(browser.get("/larkfield/cases?q=nothing+like+it"))


def test_a_snoozed_case_leaves_the_list_for_its_own_tab(larkfield: Larkfield, browser: Any) -> None:
    case = larkfield.case(5, larkfield.contact("Sleepy One"))
    followups.snooze(case.id, larkfield.owner, local("2026-10-05 13:00"))
    assert "Sleepy One" not in text_of(browser.get("/larkfield/cases"))
    assert "Sleepy One" in text_of(browser.get("/larkfield/cases?view=snoozed"))


def test_the_rows_come_alone_for_the_minute_refresh(larkfield: Larkfield, browser: Any) -> None:
    larkfield.case(3)
    rows = browser.get("/larkfield/cases/rows", headers={"HX-Request": "true"}).get_data(as_text=True)
    assert "Dana Whitfield" in rows
    assert "<html" not in rows


def test_a_long_list_shows_more_on_demand(larkfield: Larkfield, browser: Any) -> None:
    larkfield.queue(most_open=500, most_new_a_day=200)
    for number in range(52):
        larkfield.case(3, larkfield.contact(f"Person {number}"))
    page = browser.get("/larkfield/cases").get_data(as_text=True)
    assert page.count('class="open"') == 50
    assert "Show 2 more" in page
    assert browser.get("/larkfield/cases?show=100").get_data(as_text=True).count('class="open"') == 52


def test_an_empty_list_says_why(larkfield: Larkfield, browser: Any) -> None:
    assert "Nobody is waiting" in text_of(browser.get("/larkfield/cases"))
    case = larkfield.case(3)
    followups.reply(case.id, larkfield.owner, "Fixed.", seen=99, closure=FIXED)
    assert "The last one was answered just now, in 0 min." in text_of(browser.get("/larkfield/cases"))


def test_the_sidebar_counts_open_cases(larkfield: Larkfield, browser: Any, clock: Any) -> None:
    larkfield.case(3)
    clock.move(minutes=95)
    assert re.search(
        r'Follow-ups <span class="num hot">1<span class="vh"> open, 1 overdue', browser.get("/larkfield/cases").get_data(as_text=True)
    )


# -- several at once --


def test_bulk_asks_first_and_then_does_it(larkfield: Larkfield, browser: Any) -> None:
    amara = larkfield.member("Amara Kone")
    cases = [larkfield.case(3, larkfield.contact(f"Person {n}"), owner_id=larkfield.owner.id) for n in range(3)]
    ids = [str(case.id) for case in cases[:2]]
    asked = browser.form("/larkfield/cases/bulk", {"do": "assign", "case": ids})
    assert asked.status_code == 200
    assert "Assign 2 cases" in text_of(asked)
    done = browser.form("/larkfield/cases/bulk", {"do": "assign", "case": ids, "owner": str(amara.id), "sure": "1"})
    assert done.status_code == 303
    assert [case.owner_id == amara.id for case in cases] == [True, True, False]


def test_select_all_takes_the_list_as_it_is_filtered(larkfield: Larkfield, browser: Any) -> None:
    larkfield.case(3, larkfield.contact("First One"))
    larkfield.case(6, larkfield.contact("Second One"))
    page = text_of(browser.form("/larkfield/cases/bulk", {"do": "snooze", "all": "on", "score": "3"}))
    assert "Snooze 1 case" in page
    assert "First One" in page
    assert "Second One" not in page


def test_bulk_close_keeps_what_was_typed_when_it_is_incomplete_and_names_who_stays(larkfield: Larkfield, browser: Any) -> None:
    plain, wish = larkfield.case(3), larkfield.case(3, larkfield.contact("Wanda Wish"), wants_reply=True)
    fields = {"do": "close", "case": [str(plain.id), str(wish.id)], "sure": "1", "cause": followups.NOT_CLEAR, "outcome": "fixed"}
    refused = browser.form("/larkfield/cases/bulk", {**fields, "learning": "too few"})
    assert refused.status_code == 422
    assert "too few" in refused.get_data(as_text=True)
    done = followed(browser, browser.form("/larkfield/cases/bulk", {**fields, "learning": "Banks change their pages"}))
    assert "1 case closed. Still open, because the customer asked for a reply and has none: Wanda Wish." in done


def test_nothing_selected_is_said(larkfield: Larkfield, browser: Any) -> None:
    larkfield.case(3)
    assert "Nothing was selected" in followed(browser, browser.form("/larkfield/cases/bulk", {"do": "close"}))


# -- one case --


def test_the_case_page_tells_the_whole_story(larkfield: Larkfield, browser: Any, clock: Any) -> None:
    contact = larkfield.contact("Dana Whitfield", title="Owner", customer_since="2024-03-01", time_zone="America/New_York")
    larkfield.response(contact, 8, at=local("2026-04-01 10:00"))
    larkfield.case(3, contact, comment="The bank feed is down.", wants_reply=True)
    case = queries.find_open(contact.id)
    followups.note(case.id, larkfield.owner, "Casco Bay changed its sign-in page.")
    clock.move(minutes=20)
    words = text_of(browser.get(f"/larkfield/cases/{case.id}"))
    story = [
        "Survey “Autumn relationship” sent",
        "Dana answered 3 Wants a reply Today, 11:58 The bank feed is down.",
        "Assigned to Ines Marchetti by the rule “Detractors”",
        "Ines Marchetti Team only Today, 11:58 Casco Bay changed its sign-in page.",
    ]
    places = [words.index(line) for line in story]
    assert places == sorted(places)
    assert "Reply due in 40 min" in words
    assert "Owner, Bright Oak Dental" in words
    assert "Customer since March 2024" in words
    assert "8, now 3" in words
    assert "from Ines at Larkfield" in words
    assert "Send and wait for Dana" in words


def test_a_reply_goes_and_the_case_waits(larkfield: Larkfield, browser: Any) -> None:
    case = larkfield.case(3)
    fields = {"body": "We are on it.", "seen": case.last_number, "do": "send"}
    words = followed(browser, browser.form(f"/larkfield/cases/{case.id}/replies", fields))
    assert "The clock has stopped." in words
    assert "Ines Marchetti replied by email On its way" in words
    assert "Paused since" in words
    assert db.session.scalar(select(Message.body_text).where(Message.kind == "reply")).startswith("We are on it.")
    assert "Taken back." in followed(browser, browser.form(f"/larkfield/cases/{case.id}/undo", {"number": case.last_number}))
    assert case.state == CaseState.NEW


def test_an_empty_reply_is_refused_and_the_page_stays(larkfield: Larkfield, browser: Any) -> None:
    case = larkfield.case(3)
    answer = browser.form(f"/larkfield/cases/{case.id}/replies", {"body": "  ", "seen": 9, "do": "send"})
    assert answer.status_code == 422
    assert "An empty reply stops no clock." in text_of(answer)


def test_two_at_once_gives_a_409_page_with_the_text_and_send_mine_too(larkfield: Larkfield, browser: Any, sign_in: Any, clock: Any) -> None:
    amara = larkfield.member("Amara Kone")
    case = larkfield.case(3)
    seen = case.last_number
    followups.reply(case.id, amara, "From Amara.", seen=seen)
    clock.move(minutes=2)
    fields = {"body": "From Ines, with care.", "seen": seen, "do": "send"}
    answer = browser.form(f"/larkfield/cases/{case.id}/replies", fields)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "Amara replied 2 minutes ago." in page
    assert "From Ines, with care." in page
    assert "From Amara." in page
    assert "Send mine too" in page
    assert browser.form(f"/larkfield/cases/{case.id}/replies", {**fields, "anyway": "1"}).status_code == 303


def test_a_note_is_kept_and_a_stranger_refused_with_the_text(larkfield: Larkfield, browser: Any) -> None:
    case = larkfield.case(3)
    assert browser.form(f"/larkfield/cases/{case.id}/notes", {"body": "Known bug."}).status_code == 303
    answer = browser.form(f"/larkfield/cases/{case.id}/notes", {"body": "Ask @Nobodyhere"})
    assert answer.status_code == 422
    assert "Ask @Nobodyhere" in answer.get_data(as_text=True)


def test_a_talk_is_logged_and_an_attempt_stops_nothing(larkfield: Larkfield, browser: Any) -> None:
    case = larkfield.case(3)
    url = f"/larkfield/cases/{case.id}/contacts"
    browser.form(url, {"reached": "no", "way": "phone", "body": ""})
    assert (case.attempts, case.state) == (1, CaseState.NEW)
    assert browser.form(url, {"reached": "yes", "way": "phone", "body": "Talked it through", "at": "yesterday"}).status_code == 422
    browser.form(url, {"reached": "yes", "way": "phone", "body": "Talked it through", "at": "2026-10-05T11:59"})
    assert case.state == CaseState.NEW  # 11:59 is still to come
    browser.form(url, {"reached": "yes", "way": "phone", "body": "Talked it through"})
    assert case.state == CaseState.WORKING
    browser.form(f"/larkfield/cases/{case.id}/waiting", {})
    assert case.state == CaseState.WAITING
    browser.form(f"/larkfield/cases/{case.id}/taking-back", {})
    assert case.state == CaseState.WORKING


def test_a_skipped_local_time_is_refused_with_the_two_nearest(larkfield: Larkfield, browser: Any) -> None:
    case = larkfield.case(3)
    answer = browser.form(f"/larkfield/cases/{case.id}/snooze", {"other": "2027-03-14T02:30"})
    assert answer.status_code == 422
    assert "Clocks skip 02:30 that night. Take 01:30 or 03:30." in text_of(answer)


def test_snoozing_past_the_promise_is_refused_in_words(larkfield: Larkfield, browser: Any) -> None:
    case = larkfield.case(3)
    answer = browser.form(f"/larkfield/cases/{case.id}/snooze", {"until": "2026-10-05T13:30"})
    assert answer.status_code == 422
    assert "Dana was told 12:58. Snoozing past that would hide the promise." in text_of(answer)


def test_close_asks_for_cause_outcome_and_learning(larkfield: Larkfield, browser: Any) -> None:
    case = larkfield.case(3)
    url = f"/larkfield/cases/{case.id}/closure"
    assert "Close the case of Dana Whitfield" in text_of(browser.get(url))
    refused = browser.form(url, {"cause": "", "outcome": "fixed", "learning": "Almost there, really"})
    assert refused.status_code == 422
    assert "Almost there, really" in refused.get_data(as_text=True)
    assert "Error: " in refused.get_data(as_text=True)
    done = browser.form(
        url, {"new_cause": "Bank feeds drop", "outcome": "fixed", "learning": "Banks change their pages", "made_good": "October free"}
    )
    assert done.status_code == 303
    assert (case.state, case.outcome, case.made_good) == (CaseState.CLOSED, "fixed", "October free")
    assert "Bank feeds drop" in text_of(browser.get("/larkfield/causes"))
    browser.form(f"/larkfield/cases/{case.id}/reopening", {"reason": "Broke again"})
    assert case.state == CaseState.WORKING


def test_send_and_close_carries_the_letter_to_the_questions(larkfield: Larkfield, browser: Any) -> None:
    case = larkfield.case(3, wants_reply=True)
    asked = browser.form(f"/larkfield/cases/{case.id}/replies", {"body": "It is fixed.", "seen": case.last_number, "do": "send-close"})
    assert asked.status_code == 303
    url = asked.headers["Location"]
    assert "It is fixed." in browser.get(url).get_data(as_text=True)
    fields = {"body": "It is fixed.", "seen": case.last_number, "cause": followups.NOT_CLEAR, "outcome": "fixed"}
    refused = browser.form(url, {**fields, "learning": "short"})
    assert refused.status_code == 422
    assert db.session.scalar(select(Message).where(Message.kind == "reply")) is None
    assert browser.form(url, {**fields, "learning": "Banks change their pages"}).status_code == 303
    assert case.state == CaseState.CLOSED
    assert db.session.scalar(select(Message).where(Message.kind == "reply")) is not None


def test_a_template_fills_the_composer_and_sends_nothing(larkfield: Larkfield, browser: Any) -> None:
    case = larkfield.case(3)
    saved = followups.save_reply(None, name="Start", body="Hi {{ contact.first_name }},", queue_id=None, actor=larkfield.owner)
    page = browser.get(f"/larkfield/cases/{case.id}?saved={saved.id}").get_data(as_text=True)
    assert "Hi Dana,</textarea>" in page
    assert case.state == CaseState.NEW


def test_drafts_and_presence_are_kept(larkfield: Larkfield, browser: Any, sign_in: Any) -> None:
    amara = larkfield.member("Amara Kone")
    case = larkfield.case(3)
    browser.form(f"/larkfield/cases/{case.id}/drafts", {"body": "Half a thought"})
    assert "Half a thought</textarea>" in browser.get(f"/larkfield/cases/{case.id}").get_data(as_text=True)
    sign_in(larkfield.user_of(amara)).form(f"/larkfield/cases/{case.id}/presence", {})
    assert "Amara Kone has this case open too." in text_of(browser.form(f"/larkfield/cases/{case.id}/presence", {}))


def test_previous_and_next_follow_the_list_one_came_from(larkfield: Larkfield, browser: Any) -> None:
    cases = [larkfield.case(score, larkfield.contact(f"Person {score}")) for score in (3, 5, 9)]
    page = browser.get(f"/larkfield/cases/{cases[1].id}").get_data(as_text=True)
    assert "2 of 3" in page
    assert f"/larkfield/cases/{cases[0].id}" in page
    assert f"/larkfield/cases/{cases[2].id}" in page


def test_a_move_that_is_not_possible_is_a_409(larkfield: Larkfield, browser: Any) -> None:
    case = larkfield.case(3)
    assert browser.form(f"/larkfield/cases/{case.id}/taking-back", {}).status_code == 409
    followups.close(case.id, larkfield.owner, FIXED)
    answer = browser.form(f"/larkfield/cases/{case.id}/replies", {"body": "Too late.", "seen": 99})
    assert answer.status_code == 409
    assert "the case is closed" in text_of(answer)


def test_every_event_has_a_sentence(larkfield: Larkfield, browser: Any, clock: Any) -> None:
    """A case that lived through much shows no raw name of an event."""
    me = larkfield.owner
    case = larkfield.case(5)
    followups.log_attempt(case.id, me, "other", "rang twice")
    followups.snooze(case.id, me, local("2026-10-05 13:00"))
    followups.assign(case.id, None, me)
    followups.log_contact(case.id, me, "in_person", "Met at the fair")
    followups.wait(case.id, me)
    followups.take_back(case.id, me)
    followups.save_outcome(case.id, me, cause="", new_cause="Slow exports", made_good="")
    event = followups.close(case.id, me, FIXED)
    followups.undo(case.id, event.number, me)
    followups.close(case.id, me, FIXED)
    followups.reopen(case.id, me, "Broke again")
    words = text_of(browser.get(f"/larkfield/cases/{case.id}"))
    for said in (
        "tried to reach Dana another way: rang twice",
        "Snoozed by Ines Marchetti", "Nobody has it by Ines Marchetti", "talked to Dana in person",
        "waits for Dana", "took it back", "noted the cause: Slow exports", "Closed by Ines Marchetti : Fixed", "took back: the close",
        "Opened again by Ines Marchetti : Broke again",
    ):  # fmt: skip
        assert said in words, said


# -- who may --


@pytest.mark.parametrize(("role", "read", "work", "note", "queues"), [
    ("admin", 200, 303, 303, 200), ("manager", 200, 303, 303, 403), ("responder", 200, 303, 303, 403), ("analyst", 200, 403, 303, 403),
    ("viewer", 403, 403, 403, 403), ("reviewer", 403, 403, 403, 403),
])  # fmt: skip
def test_rights_by_role(larkfield: Larkfield, sign_in: Any, role: str, read: int, work: int, note: int, queues: int) -> None:
    case = larkfield.case(3, owner_id=larkfield.owner.id)
    member = larkfield.member("Somebody Else", role)
    browser = sign_in(larkfield.user_of(member))
    url = f"/larkfield/cases/{case.id}"
    assert browser.get("/larkfield/cases").status_code == read
    assert browser.get(url).status_code == read
    assert browser.form(f"{url}/notes", {"body": "A note."}).status_code == note
    assert browser.form(f"{url}/replies", {"body": "A reply.", "seen": 99}).status_code == work
    assert browser.get("/larkfield/queues").status_code == queues


def test_another_accounts_case_and_queue_are_not_there(larkfield: Larkfield, rival: Any, sign_in: Any) -> None:
    case, queue = larkfield.case(3), larkfield.queue()
    saved = followups.save_reply(None, name="Start", body="Hi", queue_id=None, actor=larkfield.owner)
    user = larkfield.account
    rita = db.session.scalar(
        select(type(larkfield.user_of(larkfield.owner))).where(type(larkfield.user_of(larkfield.owner)).email == "rita@rival.example")
    )
    browser = sign_in(rita)
    for path in (f"/cases/{case.id}", f"/cases/{case.id}/closure", f"/queues/{queue.id}", f"/saved-replies/{saved.id}"):
        assert browser.get(f"/rival{path}").status_code == 404, path
        assert browser.get(f"/{user.slug}{path}").status_code == 404, path
    for path in (
        "replies",
        "notes",
        "contacts",
        "assignment",
        "snooze",
        "closure",
        "reopening",
        "undo",
        "drafts",
        "presence",
        "waiting",
        "taking-back",
    ):
        assert browser.form(f"/rival/cases/{case.id}/{path}", {"body": "x", "number": "1"}).status_code == 404, path
    assert case.last_number == db.session.get(Case, (case.account_id, case.id)).last_number


def test_forms_without_the_cross_site_token_are_refused(larkfield: Larkfield, browser: Any) -> None:
    case = larkfield.case(3)
    assert browser.post(f"/larkfield/cases/{case.id}/replies", data={"body": "x"}).status_code == 400
    assert case.state == CaseState.NEW


# -- queues --


def test_a_queue_is_made_shown_and_changed(larkfield: Larkfield, browser: Any) -> None:
    assert "No queue yet" in text_of(browser.get("/larkfield/queues"))
    shown = browser.get("/larkfield/queues/new").get_data(as_text=True)
    assert 'value="09:00–17:00"' in shown
    fields = {
        "name": "Care", "time_zone": "Europe/Berlin", "monday": "08:30-12:30, 13:30-18:00", "method": "least_loaded", "most_open": "30",
        "most_new_a_day": "8", "hold_seconds": "0", "steps": "50%, 100%", "holidays": "2026-12-25 Christmas Day",
        **{f"target_{name}": "60" for name in followups.TARGETS},
    }  # fmt: skip
    assert browser.form("/larkfield/queues/new", fields).status_code == 303
    queue = queries.find_default()
    assert (queue.name, queue.method, queue.hold_seconds, len(queue.escalation)) == ("Care", "least_loaded", 0, 2)
    words = text_of(browser.get("/larkfield/queues"))
    assert "Monday 08:30–12:30, 13:30–18:00" in words
    assert "Holidays 1" in words
    page = browser.get(f"/larkfield/queues/{queue.id}").get_data(as_text=True)
    assert "2026-12-25 Christmas Day" in page


def test_settings_that_cannot_be_read_are_named_all_at_once_and_kept(larkfield: Larkfield, browser: Any) -> None:
    queue = larkfield.queue()
    fields = {
        "name": "Care",
        "time_zone": "UTC",
        "monday": "nine to five",
        "tuesday": "09:00-17:00",
        "holidays": "Christmas",
        "steps": "fifty",
    }
    answer = browser.form(f"/larkfield/queues/{queue.id}", fields)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "There are 3 things to fix" in page
    for kept in ("nine to five", "Christmas", "fifty"):
        assert kept in page
    assert queue.name == "Customer care"


def test_templates_for_replies_are_made_changed_and_deleted(larkfield: Larkfield, browser: Any) -> None:
    refused = browser.form("/larkfield/saved-replies/new", {"name": "Bad", "body": "{{ contact.secret }}"})
    assert refused.status_code == 422
    assert "There is no placeholder" in text_of(refused)
    assert browser.form("/larkfield/saved-replies/new", {"name": "Start", "body": "Hi {{ contact.first_name }}"}).status_code == 303
    (saved,) = queries.list_saved_replies()
    browser.form(f"/larkfield/saved-replies/{saved.id}", {"name": "Start", "body": "Hello"})
    assert queries.get_saved_reply(saved.id).body == "Hello"
    browser.form(f"/larkfield/saved-replies/{saved.id}/deletion", {})
    assert queries.list_saved_replies() == []
