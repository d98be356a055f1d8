"""Taking answers: the first, edits, machines and people, one more tap, all at once."""

import contextvars
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from nps.accounts.models import Account
from nps.contacts.models import Contact
from nps.core import clock as product_clock
from nps.core import events
from nps.core.db import db
from nps.responses import queries
from nps.responses.events import ResponseUncounted, ResponseUpdated, ResponseVerified
from nps.responses.models import Hit, Response, ResponseVersion
from tests.conftest import Clock
from tests.responses.conftest import Asked

Ask = Callable[..., Asked]
MAILED = {"mail_url": "smtp://127.0.0.1:1"}


@pytest.fixture
def told(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every event about answers, in order, beside what the wiring does with it."""
    heard: list[Any] = []
    table = dict(events._Bus.table)
    for kind in (ResponseVerified, ResponseUpdated, ResponseUncounted):
        table[kind] = [*table.get(kind, ()), events.now(heard.append)]
    monkeypatch.setattr(events._Bus, "table", table)
    return heard


@pytest.fixture
def behind_a_server(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail server stands between us and the reader: times tell."""
    monkeypatch.setitem(app.extensions, "settings", app.extensions["settings"].model_copy(update=MAILED))


def count(table: Any) -> int:
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def must(asked: Asked) -> Response:
    found = asked.response()
    assert found is not None
    return found


def test_a_first_answer_counts_at_once(asked: Ask, told: list[Any]) -> None:
    dana = asked()
    sent = dana.answer(3, "  The bank feed\r\nis down \x07", reply=True)
    assert (sent.status_code, sent.headers["Location"]) == (303, f"{dana.path}/thanks")
    response = must(dana)
    assert (response.score, response.first_score, response.nps_group, response.state, response.method) == (
        3,
        3,
        "detractor",
        "verified",
        "sent",
    )
    assert (response.comment, response.wants_reply, response.partial) == ("The bank feed\nis down", True, False)
    assert response.verified_at == response.first_at
    [event] = told
    assert isinstance(event, ResponseVerified)
    assert (event.score, event.wants_reply, event.has_comment, event.counted_late) == (3, True, True, False)
    db.session.refresh(dana.invitation)
    assert dana.invitation.state == "answered"
    contact = db.session.scalars(select(Contact)).one()
    db.session.refresh(contact)
    assert (contact.last_score, contact.answers) == (3, 1)


def test_the_day_of_an_answer_is_the_accounts(asked: Ask, account: Account, clock: Clock) -> None:
    here = product_clock.now().replace(hour=3, minute=0) + timedelta(days=1)
    clock.at(here)
    dana = asked()
    dana.answer(9)
    assert must(dana).first_day == here.date() - timedelta(days=1), "03:00 UTC is the evening before in New York"


def test_properties_are_frozen_with_the_answer(asked: Ask) -> None:
    dana = asked()
    dana.contact.properties = {"plan": "Growth"}
    db.session.commit()
    dana.answer(8)
    dana.contact.properties = {"plan": "Scale"}
    db.session.commit()
    assert must(dana).answered_properties == {"plan": "Growth"}


def test_pressed_twice_is_one_answer(asked: Ask, told: list[Any]) -> None:
    dana = asked()
    dana.answer(9, "Good")
    dana.answer(9, "Good")
    assert (count(Response), len(told), len(queries.list_versions(must(dana).id))) == (1, 1, 1)


def test_an_edit_keeps_the_first_score_and_every_version(asked: Ask, told: list[Any], clock: Clock) -> None:
    dana = asked()
    dana.answer(9)
    clock.move(days=1)
    page = dana.get(3)
    assert "Press the button to change it to 3." in page.text
    assert "Change my answer" in page.text
    dana.answer(3, "Charged twice")
    response = must(dana)
    assert (response.score, response.first_score, response.comment, response.nps_group) == (3, 9, "Charged twice", "detractor")
    assert [(v.number, v.score, v.way) for v in queries.list_versions(response.id)] == [(1, 9, "sent"), (2, 3, "edited")]
    updated = told[1]
    assert isinstance(updated, ResponseUpdated)
    assert (updated.old_score, updated.new_score, updated.had_comment, updated.has_comment) == (9, 3, False, True)
    db.session.refresh(dana.contact)
    assert (dana.contact.last_score, dana.contact.answers) == (3, 1)


def test_edits_end_after_a_week(asked: Ask, clock: Clock) -> None:
    dana = asked()
    dana.answer(9)
    clock.move(days=7, seconds=-5)
    assert dana.answer(8).status_code == 303
    clock.move(seconds=10)
    read = dana.get(3)
    assert (read.status_code, "so it stays as it is" in read.text, "Write to" in read.text) == (200, True, True)
    late = dana.answer(3)
    assert (late.status_code, must(dana).score) == (410, 8)


def test_edits_end_when_a_person_has_replied(asked: Ask) -> None:
    dana = asked()
    dana.answer(3, "Help")
    must(dana).acted_at = product_clock.now()
    db.session.commit()
    assert "has replied to it" in dana.get().text
    assert (dana.answer(9).status_code, must(dana).score) == (410, 3)


def test_an_answer_can_be_changed_after_the_window_to_answer_is_over(asked: Ask, clock: Clock) -> None:
    dana = asked(days=1)
    clock.move(hours=23)
    dana.answer(9)
    clock.move(hours=2)
    assert (dana.answer(7).status_code, must(dana).score) == (303, 7)


@pytest.mark.parametrize("agent", ["", "curl/8.5.0", "Mozilla/5.0 (Windows NT 10.0) Chrome/130.0"])
def test_scanners_leave_hits_and_nothing_else(asked: Ask, told: list[Any], agent: str) -> None:
    dana = asked()
    dana.agent = agent
    for _ in range(2):
        for method in ("HEAD", "GET"):
            for score in range(11):
                assert dana.get(score, method=method).status_code == 200
            assert dana.get(path="/blank", method=method).status_code == 200
    assert (count(Response), count(Hit), told) == (0, 48, [])
    db.session.refresh(dana.invitation)
    db.session.refresh(dana.contact)
    assert (dana.invitation.state, dana.contact.last_answered_at) == ("asked", None)


def test_a_scanner_that_sends_every_form_never_counts_and_the_person_an_hour_later_does(asked: Ask, told: list[Any], clock: Clock) -> None:
    dana = asked()
    for score in range(11):
        dana.get(score)
    dana.get(path="/blank")
    for score in (0, 0, 5):
        assert dana.scan(score).headers["Location"] == dana.path, "one more tap is asked"
        assert dana.confirm(score, hand="none").headers["Location"] == dana.path
    response = must(dana)
    assert (response.state, told) == ("quarantined", [])
    clock.move(hours=1)
    dana.agent = "Mozilla/5.0 (iPhone) Safari/604.1"
    assert dana.answer(8, "All good").headers["Location"] == f"{dana.path}/thanks"
    response = must(dana)
    assert (response.state, response.score, response.first_score, response.comment, response.method) == (
        "verified",
        8,
        8,
        "All good",
        "sent",
    )
    assert (count(Response), [event.score for event in told]) == (1, [8])
    assert response.first_at == told[0].occurred_at


def test_nine_then_seven_sent_by_mouse_counts_as_seven(asked: Ask, told: list[Any], clock: Clock) -> None:
    dana = asked()
    dana.get(9)
    clock.move(seconds=2)
    dana.answer(7)
    assert (must(dana).state, must(dana).score, len(told)) == ("verified", 7, 1)


def test_a_scanner_never_changes_an_answer_that_counts(asked: Ask, told: list[Any], clock: Clock) -> None:
    dana = asked()
    dana.answer(9)
    clock.move(hours=1)
    dana.agent = "Mozilla/5.0 (Windows NT 10.0) Edg/130.0"
    dana.scan(0, why="scanned")
    response = must(dana)
    assert (response.state, response.score, response.comment, len(told)) == ("verified", 9, "", 1)
    kept = queries.list_versions(response.id)[-1]
    assert (kept.way, kept.score, kept.comment) == ("machine", 0, "scanned")
    clock.move(hours=1)
    dana.agent = "Mozilla/5.0 (iPhone) Safari/604.1"
    assert "You answered 9 on" in dana.get().text


def test_the_same_number_once_more_verifies_and_the_clock_starts_then(asked: Ask, told: list[Any], clock: Clock) -> None:
    dana = asked()
    dana.scan(4, why="Slow")
    page = dana.get(4)
    assert "One more tap. Which number did you mean?" in page.text
    assert "Your words are kept" in page.text
    assert "Slow" in page.text
    assert " checked" not in page.text, "no number is marked"
    clock.move(minutes=3)
    assert dana.confirm(4).headers["Location"] == f"{dana.path}/thanks"
    response = must(dana)
    assert (response.state, response.method, response.score, response.comment) == ("verified", "confirmed", 4, "Slow")
    [event] = told
    assert (event.counted_late, event.occurred_at - response.first_at >= timedelta(minutes=3)) == (True, True)
    assert dana.confirm(4).status_code == 303
    assert len(told) == 1


def test_another_number_picked_by_a_hand_is_what_the_person_meant(asked: Ask, told: list[Any]) -> None:
    dana = asked()
    dana.scan(4)
    dana.confirm(8, hand="touch")
    assert (must(dana).state, must(dana).score, must(dana).first_score) == ("verified", 8, 8)


def test_without_script_the_same_number_is_needed(asked: Ask, told: list[Any]) -> None:
    dana = asked()
    dana.scan(4)
    assert dana.confirm(8, hand="").headers["Location"] == dana.path
    assert must(dana).state == "quarantined"
    assert dana.confirm(8, hand="").headers["Location"] == f"{dana.path}/thanks"
    assert (must(dana).state, must(dana).score, len(told)) == ("verified", 8, 1)


def test_after_the_hidden_link_a_confirmed_answer_waits_for_a_member(asked: Ask, told: list[Any]) -> None:
    dana = asked()
    dana.get(path="/blank")
    dana.answer(6, "Real words")
    dana.confirm(6)
    response = must(dana)
    assert (response.state, response.signals[-1], told) == ("quarantined", "confirmed", [])
    assert "One more tap" not in dana.get().text, "nobody is asked a third time"


def test_an_attempt_to_change_an_answer_that_looked_automatic_is_confirmed_by_one_more_tap(asked: Ask, told: list[Any]) -> None:
    dana = asked()
    dana.answer(9, "Good")
    dana.scan(3, why="Not so good")
    assert "One more tap" in dana.get().text
    dana.confirm(3)
    response = must(dana)
    assert (response.score, response.comment, response.first_score) == (3, "Not so good", 9)
    assert [type(event) for event in told] == [ResponseVerified, ResponseUpdated]


def test_a_burst_after_an_answer_without_a_hand_puts_it_up_for_a_check(asked: Ask, told: list[Any], run_jobs: Callable[[], int]) -> None:
    dana, jo = asked(), asked("Jo Lindqvist")
    for person, hand in ((dana, ""), (jo, "press")):
        person.answer(9, "Fine", hand=hand)
        for score in (1, 2, 3):
            person.get(score)
    assert must(dana).state == "verified", "a GET decides nothing"
    run_jobs()
    assert (must(dana).state, must(jo).state) == ("quarantined", "verified")
    assert [event.reason for event in told if isinstance(event, ResponseUncounted)] == ["quarantined"]


@pytest.mark.usefixtures("behind_a_server")
def test_seconds_after_the_mail_only_programs_answer(asked: Ask) -> None:
    dana = asked(minutes_ago=0.1)
    dana.answer(9)
    assert re.search(r"Your answer arrived \d+ seconds after the email", dana.get().text)
    assert must(dana).signals[0].startswith("S5 ")
    nora = asked("Nora Quinn", minutes_ago=0.1, is_test=True)
    nora.answer(9)
    assert must(nora).state == "verified", "times are not used for tests"


@pytest.mark.usefixtures("behind_a_server")
def test_one_network_on_three_survey_links_within_a_minute_without_a_hand(asked: Ask) -> None:
    people = [asked("Ann Lee"), asked("Ben Lee"), asked("Cleo Lee")]
    for person in people:
        person.answer(9, "Fine", hand="")
    assert [must(person).state for person in people] == ["verified", "verified", "quarantined"]


def test_a_test_and_a_canary_tell_nobody(asked: Ask, told: list[Any]) -> None:
    for name in ("is_test", "canary"):
        person = asked(f"{name.title()} Person", **{name: True})
        person.answer(2)
        assert must(person).is_test
    assert told == []


def test_an_answer_without_a_contact_keeps_what_was_frozen_when_asking(asked: Ask, campaign: Any) -> None:
    dana = asked(contact_id=None, asked_properties={"plan": "Scale"})
    assert dana.answer(9).status_code == 303
    assert (must(dana).contact_id, must(dana).answered_properties) == (None, {"plan": "Scale"})


def test_a_hundred_posts_an_hour(asked: Ask, clock: Clock) -> None:
    dana = asked()
    form = {"form": dana.nonce(dana.get()), "hand": "press"}
    for n in range(100):
        assert dana.post(form | {"score": str(n % 11)}).status_code == 303
    refused = dana.post(form | {"score": "5"})
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "3600")
    assert dana.post(form | {"score": "nonsense"}).status_code == 429
    assert must(dana).score == 99 % 11
    clock.move(hours=1, seconds=1)
    assert dana.post(form | {"score": "5"}).status_code == 303


def test_fifty_posts_at_once_make_one_answer_and_one_event(app: Flask, asked: Ask, told: list[Any]) -> None:
    dana = asked()
    form, path = {"form": dana.nonce(dana.get()), "hand": "press"}, dana.path
    db.session.commit()

    def post(score: int) -> int:
        def run() -> int:
            sent = FlaskClient(app).post(path, data=form | {"score": str(score)}, headers={"User-Agent": dana.agent})
            return int(sent.status_code)

        return contextvars.Context().run(run)

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(post, [n % 11 for n in range(50)]))
    assert set(codes) == {303}
    response = must(dana)
    assert count(Response) == 1
    assert [type(event) for event in told].count(ResponseVerified) == 1
    versions = db.session.scalars(select(ResponseVersion).order_by(ResponseVersion.number)).all()
    assert [v.number for v in versions] == list(range(1, len(versions) + 1))
    assert (versions[0].score, versions[-1].score) == (response.first_score, response.score)


def test_picked_with_a_hand_and_left_counts_as_seen_ten_minutes_later(
    asked: Ask, told: list[Any], clock: Clock, run_jobs: Callable[[], int], account: Account
) -> None:
    dana = asked()
    nonce = dana.nonce(dana.get(8))
    assert dana.post({"form": nonce, "hand": "key", "score": "8", "visible": "6"}, "/seen").status_code == 204
    assert (must(dana).state, must(dana).method, must(dana).partial, told) == ("provisional", "seen", True, [])
    run_jobs()
    assert must(dana).state == "provisional", "the button has ten minutes"
    clock.move(minutes=10, seconds=1)
    run_jobs()
    assert (must(dana).state, must(dana).score, [event.score for event in told]) == ("verified", 8, [8])


def test_with_the_switch_off_a_picked_number_is_not_counted(
    asked: Ask, told: list[Any], clock: Clock, run_jobs: Callable[[], int], account: Account
) -> None:
    account.count_seen = False
    dana = asked()
    dana.post({"form": dana.nonce(dana.get(8)), "hand": "key", "score": "8", "visible": "6"}, "/seen")
    clock.move(minutes=11)
    run_jobs()
    assert (must(dana).state, told) == ("provisional", [])


@pytest.mark.parametrize(("hand", "visible"), [("none", "6"), ("", "6")])
def test_a_page_nobody_touched_picks_nothing(asked: Ask, hand: str, visible: str) -> None:
    dana = asked()
    dana.post({"form": dana.nonce(dana.get(8)), "hand": hand, "score": "8", "visible": visible}, "/seen")
    assert dana.response() is None


def test_a_page_in_view_too_short_stays_picked_and_not_sent(asked: Ask, clock: Clock, run_jobs: Callable[[], int]) -> None:
    dana = asked()
    dana.post({"form": dana.nonce(dana.get(8)), "hand": "key", "score": "8", "visible": "3"}, "/seen")
    clock.move(minutes=11)
    run_jobs()
    assert (must(dana).state, must(dana).signals) == ("provisional", ["U1 3"])


def test_the_form_sent_within_the_ten_minutes_takes_the_place_of_the_picked_number(
    asked: Ask, told: list[Any], clock: Clock, run_jobs: Callable[[], int]
) -> None:
    dana = asked()
    dana.post({"form": dana.nonce(dana.get(8)), "hand": "key", "score": "8", "visible": "6"}, "/seen")
    dana.answer(7, "With words")
    clock.move(minutes=11)
    run_jobs()
    response = must(dana)
    assert (response.state, response.method, response.score, response.first_score, response.partial) == ("verified", "sent", 7, 7, False)
    assert [event.score for event in told] == [7]


def test_a_burst_after_a_picked_number_needs_a_check(asked: Ask, told: list[Any], clock: Clock, run_jobs: Callable[[], int]) -> None:
    dana = asked()
    dana.post({"form": dana.nonce(dana.get(8)), "hand": "key", "score": "8", "visible": "6"}, "/seen")
    for score in (1, 2, 3):
        dana.get(score)
    clock.move(minutes=11)
    run_jobs()
    assert (must(dana).state, told) == ("quarantined", [])
