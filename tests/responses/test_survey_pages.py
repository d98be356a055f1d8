"""What a survey link shows and refuses: every state of a link, every bad input, and what it never does."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from nps.accounts.models import Account
from nps.contacts import service as contacts
from nps.core import ids
from nps.core.db import db
from nps.responses.models import Hit, Response
from nps.surveys import queries as surveys
from tests.conftest import Clock
from tests.responses.conftest import Asked

Ask = Callable[..., Asked]
BAD_SCORES = ["-1", "11", "9.5", "9 ", "٩", "1e1", "true", "null", "\x00", "", "9" * 5000, "0x9", "+9", "９"]


def hits() -> int:
    return db.session.scalar(select(func.count()).select_from(Hit)) or 0


def test_the_clicked_number_is_marked_and_can_be_changed(asked: Ask) -> None:
    page = asked().get(3)
    assert page.status_code == 200
    assert "How likely are you to recommend Larkfield to another business owner?" in page.text
    assert "Your click is marked below, Dana. Change it if it was a slip." in page.text
    assert re.findall(r'value="(\d+)" checked', page.text) == ["3"]
    assert "0 = not at all likely" in page.text
    assert "10 = extremely likely" in page.text


def test_a_survey_page_is_private_keeps_no_cookie_and_asks_no_other_host(asked: Ask) -> None:
    page = asked().get(3)
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in page.headers["X-Robots-Tag"]
    assert "Set-Cookie" not in page.headers
    assert not re.search(r'(?:src|href|action)="(?:https?:)?//', page.text)
    assert " style=" not in page.text
    assert "reply" in page.text
    assert 'name="reply" value="1" checked' not in page.text, "consent is asked, never assumed"


def test_without_a_click_nothing_is_marked_and_the_reason_is_asked_as_of_passives(asked: Ask, campaign: Any) -> None:
    page = asked().get()
    assert " checked" not in page.text
    assert "Your click" not in page.text
    label = re.search(r"<label for=\"why\"[^>]*>([^<]*)</label>", page.text)
    assert label is not None
    assert label[1] == "What is the main reason for your score?"
    assert "What would you tell a friend about us?" in asked("Maya Quinn").get(9).text


@pytest.mark.parametrize("score", BAD_SCORES)
def test_a_bad_number_in_the_link_chooses_nothing(asked: Ask, score: str) -> None:
    page = asked().get(score)
    assert (page.status_code, " checked" in page.text, "Your click" in page.text) == (200, False, False)


@pytest.mark.parametrize("score", BAD_SCORES)
def test_a_bad_number_sent_is_refused_and_everything_typed_is_kept(asked: Ask, score: str) -> None:
    dana = asked()
    page = dana.post({"form": dana.nonce(dana.get()), "score": score, "why": "Line 1\nLine <2> & “more”", "reply": "1"})
    assert page.status_code == 400
    assert "<title>Error: " in page.text
    assert page.text.count("Choose a number from 0 to 10.") == 2, "in the summary and at the scale"
    assert "Line 1\nLine &lt;2&gt; &amp; “more”</textarea>" in page.text
    assert 'name="reply" value="1" checked' in page.text
    assert dana.response() is None
    assert hits() == 2, "a refused form is a request as well"


def test_a_comment_over_the_limit_is_refused_with_the_count_and_kept_whole(asked: Ask) -> None:
    dana = asked()
    words = "é" * 2001
    page = dana.post({"form": dana.nonce(dana.get()), "score": "4", "why": words})
    assert page.status_code == 400
    assert "Your reason has 2,001 characters, 2,000 fit. Shorten it by 1" in page.text
    assert words in page.text
    assert 'value="4" checked' in page.text
    assert "maxlength" not in page.text, "what is too long can be seen and cut"
    assert dana.post({"form": dana.nonce(page), "score": "4", "why": words[:2000]}).status_code == 303


@pytest.mark.parametrize("nonce", ["", "nonsense", "a.1", "\x00.\x00"])
def test_a_form_without_its_nonce_comes_back_filled(asked: Ask, nonce: str) -> None:
    dana = asked()
    page = dana.post({"form": nonce, "score": "4", "why": "Kept", "hand": "press"})
    assert (page.status_code, "This page was open for a long time. Press Send once more." in page.text) == (400, True)
    assert dana.post({"form": dana.nonce(page), "score": "4", "why": "Kept", "hand": "press"}).status_code == 303


def test_the_nonce_of_one_link_does_not_open_another(asked: Ask) -> None:
    dana, jo = asked(), asked("Jo Lindqvist")
    assert jo.post({"form": dana.nonce(dana.get()), "score": "4"}).status_code == 400


def test_a_page_left_open_for_a_day_sends_nothing_at_first(asked: Ask, clock: Clock) -> None:
    dana = asked()
    nonce = dana.nonce(dana.get(4))
    clock.move(hours=24, seconds=1)
    page = dana.post({"form": nonce, "score": "4", "why": "Long thought"})
    assert (page.status_code, "Long thought" in page.text, dana.response()) == (400, True, None)


def test_any_altered_token_is_one_and_the_same_page(asked: Ask, rival: Account) -> None:
    dana = asked()
    pages = set()
    for at in range(len(dana.token)):
        other = "A" if dana.token[at] != "A" else "B"
        altered = dana.token[:at] + other + dana.token[at + 1 :]
        answer = dana.client.get(f"/s/{altered}?score=9")
        pages.add((answer.status_code, answer.text))
    for token in (dana.token[:-1], dana.token + "A", "x", ids.sign("stop", dana.invitation.account_id, dana.invitation.id)):
        answer = dana.client.get(f"/s/{token}")
        pages.add((answer.status_code, answer.text))
    assert len(pages) == 1
    assert pages.pop()[0] == 404
    assert hits() == 0


def test_a_link_signed_for_another_account_is_not_found(asked: Ask, rival: Account) -> None:
    dana = asked()
    assert dana.client.get(f"/s/{ids.sign('survey', rival.id, dana.invitation.id)}").status_code == 404


def test_a_deleted_invitation_is_not_found(asked: Ask) -> None:
    dana = asked()
    path = dana.path
    db.session.delete(dana.invitation)
    db.session.commit()
    for suffix in ("", "/blank", "/thanks", "/stop"):
        assert dana.client.get(path + suffix).status_code == 404
    for suffix in ("", "/check", "/more", "/seen"):
        assert dana.client.post(path + suffix, data={"score": "9"}).status_code == 404


@pytest.mark.parametrize("state", ["expired", "cancelled", "skipped"])
def test_closed_links_say_until_when_and_whom_to_write_to(asked: Ask, state: str) -> None:
    dana = asked(state=state)
    for page in (dana.get(9), dana.answer(9)):
        assert page.status_code == 410
        assert "This survey has closed." in page.text
        assert "worked until" in page.text
        assert "mailto:ines@larkfield.example" in page.text
        assert "Ines runs the survey" in page.text
    assert dana.response() is None
    assert hits() >= 1, "a hit on a closed link is a hit"


def test_the_window_to_answer_ends(asked: Ask, clock: Clock) -> None:
    dana = asked(days=30)
    clock.move(days=30, minutes=-1)
    assert dana.get(9).status_code == 200
    clock.move(minutes=2)
    assert (dana.get(9).status_code, dana.answer(9).status_code) == (410, 410)


def test_somebody_who_was_erased_is_not_named(asked: Ask) -> None:
    dana = asked()
    contacts.erase(dana.contact.id, by="Ines")
    db.session.commit()
    for page in (dana.get(9), dana.answer(9), dana.confirm(9), dana.get(path="/thanks")):
        assert (page.status_code, "Dana" in page.text, "worked until" in page.text, "Ines" in page.text) == (410, False, False, False)


def test_words_of_strangers_are_shown_as_words(asked: Ask) -> None:
    dana = asked("<script>alert(1)</script> {{ 7*7 }}", email="odd@brightoak.example")
    dana.answer(9, "</textarea><script>alert(2)</script> {{ 7*7 }}")
    for page in (dana.get(), dana.get(path="/thanks")):
        assert "<script>alert" not in page.text
        assert "{{ 7*7 }}" in page.text


def test_a_survey_has_its_own_colour(asked: Ask, campaign: Any) -> None:
    assert "--brand: #2d4bc4" in asked().get().text

    survey = surveys.get_survey(campaign.survey_id)
    survey.brand_color = "#14574a"
    db.session.commit()
    assert "--brand: #14574a; --on-brand: #ffffff" in asked("Jo Lindqvist").get().text


def test_head_keeps_a_hit_of_a_machine(asked: Ask) -> None:
    dana = asked()
    assert dana.get(9, method="HEAD").text == ""
    hit = db.session.scalars(select(Hit)).one()
    assert (hit.method, hit.score, hit.verdict, hit.network, hit.hand) == ("HEAD", 9, "machine", "198.51.100.0/24", None)


def test_a_burst_of_scores_is_told_apart_from_a_person(asked: Ask) -> None:
    dana = asked()
    for score in (1, 2, 3):
        dana.get(score)
    dana.agent = "Mozilla/5.0 (iPhone) Safari/604.1"
    dana.get(9)
    found = db.session.execute(select(Hit.score, Hit.verdict).order_by(Hit.occurred_at)).all()
    assert [tuple(row) for row in found] == [(1, "machine"), (2, "machine"), (3, "machine"), (9, "unclear")]


def test_who_picked_a_number_is_not_reminded_and_machines_pick_nothing(asked: Ask) -> None:
    dana, jo = asked(), asked("Jo Lindqvist")
    dana.get()
    db.session.refresh(dana.invitation)
    assert dana.invitation.picked_at is None
    dana.get(9)
    jo.get(9, method="HEAD")
    for person in (dana, jo):
        db.session.refresh(person.invitation)
    assert dana.invitation.picked_at is not None
    assert jo.invitation.picked_at is None
    for score in (1, 2, 3):
        jo.get(score)
    db.session.refresh(jo.invitation)
    assert jo.invitation.picked_at is None, "a burst is a machine's"


def test_the_stop_link_leads_to_the_stop_page_of_the_mail_and_changes_nothing(asked: Ask) -> None:
    dana = asked()
    assert f'href="{dana.path}/stop"' in dana.get().text
    assert dana.get(path="/stop").status_code == 404, "there was no mail"


def test_a_robot_that_fills_in_every_field_is_caught(asked: Ask) -> None:
    dana = asked()
    dana.answer(9, website="https://spam.example")
    response = dana.response()
    assert response is not None
    assert (response.state, response.signals) == ("quarantined", ["S1"])


def test_pages_that_cannot_be_sent_twice_lead_back(asked: Ask) -> None:
    dana = asked()
    assert dana.get(path="/thanks").status_code == 404, "nothing was answered"
    assert dana.post({"form": dana.nonce(dana.get()), "score": "9"}, "/check").headers["Location"] == dana.path
    dana.scan(4)
    assert dana.get(path="/thanks").headers["Location"] == dana.path
    page = dana.post({"form": dana.nonce(dana.get()), "score": "nonsense"}, "/check")
    assert (page.status_code, "Choose a number from 0 to 10." in page.text, "One more tap" in page.text) == (400, True, True)
    assert dana.post({"form": "old", "score": "4"}, "/check").status_code == 400


def test_first_page_is_small(asked: Ask) -> None:
    assert len(asked().get(3).data) < 12_000


def test_an_answer_is_read_from_rows_not_from_the_page(asked: Ask) -> None:
    dana = asked()
    dana.answer(9, "Line one\n\nLine two")
    response = db.session.scalars(select(Response)).one()
    assert response.comment == "Line one\n\nLine two"
