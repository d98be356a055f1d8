"""Answering as customers do: on a phone, without script, by keyboard, in the dark; and what a program achieves."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from nps.campaigns.models import Campaign, Invitation
from nps.contacts import service as contacts
from nps.core import clock, ids
from nps.core.db import db
from nps.followups.models import Case
from nps.responses import queries
from nps.responses.models import Hit
from nps.surveys import service as surveys
from tests.browser.conftest import Site, accessible, at_every_width, fits, sign_in

pytestmark = pytest.mark.browser
QUESTION = "How likely are you to recommend Larkfield to another business owner?"


@dataclass(frozen=True)
class Asked:
    """Somebody with a survey link."""

    invitation_id: UUID
    contact_id: UUID
    path: str


@pytest.fixture
def ask(site: Site) -> Callable[..., Asked]:
    """ask("Dana Whitfield") was mailed an hour ago."""

    def make(name: str) -> Asked:
        with site.within():
            now = clock.now()
            survey = surveys.create(f"Survey of {name}")
            campaign = Campaign(name=f"Autumn {name}", survey_id=survey.id, state="running", edited_at=now, created_at=now, launched_at=now)
            contact, _ = contacts.upsert({"name": name, "email": f"{ids.new_id().hex}@brightoak.example", "company": "Bright Oak Dental"})
            db.session.add(campaign)
            db.session.flush()
            invitation = Invitation(
                campaign_id=campaign.id,
                wave=1,
                contact_id=contact.id,
                state="asked",
                asked_at=now - timedelta(hours=1),
                expires_at=now + timedelta(days=30),
                survey_version_id=surveys.freeze_version(survey.id).id,
                created_at=now,
            )
            db.session.add(invitation)
            db.session.flush()
            return Asked(invitation.id, contact.id, f"/s/{ids.sign('survey', site.account_id, invitation.id)}")

    return make


def answer_of(site: Site, asked: Asked) -> dict[str, Any] | None:
    """The stored answer, as plain values."""
    with site.within():
        found = queries.find_response(asked.invitation_id)
        if found is None:
            return None
        return {name: getattr(found, name) for name in ("score", "comment", "wants_reply", "state", "method", "first_score")}


def eventually(check: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if check():
            return True
        time.sleep(0.1)
    return False


def looks_right(page: Page) -> None:
    accessible(page)
    fits(page)


@pytest.mark.parametrize("width", [390, 320])
def test_an_unhappy_customer_answers_on_a_phone(open_page: Callable[..., Page], site: Site, ask: Callable[..., Asked], width: int) -> None:
    dana = ask("Dana Whitfield")
    page = open_page(width=width)
    page.goto(f"{dana.path}?score=3")
    expect(page.get_by_role("heading", level=1)).to_have_text(QUESTION)
    expect(page.get_by_text("Your click is marked below, Dana. Change it if it was a slip.")).to_be_visible()
    expect(page.get_by_role("radio", name="3", exact=True)).to_be_checked()
    looks_right(page)
    page.locator("label.pt", has_text="4").click()
    expect(page.get_by_label("What is the main reason for your score?")).to_be_visible()
    page.locator("label.pt", has_text="9").click()
    expect(page.get_by_label("What would you tell a friend about us?")).to_be_visible()
    page.locator("label.pt", has_text="4").click()
    page.get_by_label("What is the main reason for your score?").fill("The bank feed is down.\nI ran payroll by hand.")
    page.get_by_label("I would like a reply").check()
    page.get_by_role("button", name="Send my answer").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you for telling us straight, Dana.")
    expect(page.get_by_role("heading", name="Ines Marchetti has your answer")).to_be_visible()
    looks_right(page)
    assert answer_of(site, dana) == {
        "score": 4,
        "comment": "The bank feed is down.\nI ran payroll by hand.",
        "wants_reply": True,
        "state": "verified",
        "method": "sent",
        "first_score": 4,
    }
    with site.within():
        assert db.session.query(Case).filter(Case.contact_id == dana.contact_id).one().owner_id is not None
    page.get_by_role("link", name="Edit or add to this").click()
    expect(page.get_by_text("You answered 4 on")).to_be_visible()
    looks_right(page)
    page.locator("label.pt", has_text="6").click()
    page.get_by_role("button", name="Change my answer").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you for telling us straight, Dana.")
    found = answer_of(site, dana)
    assert found is not None
    assert (found["score"], found["first_score"]) == (6, 4)


def test_without_script_and_by_keyboard_alone_at_320_pixels(open_page: Callable[..., Page], site: Site, ask: Callable[..., Asked]) -> None:
    priya = ask("Priya Raman")
    page = open_page(width=320, script=False)
    page.goto(priya.path)
    fits(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    for _ in range(8):
        page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="8", exact=True)).to_be_checked()
    page.keyboard.press("Tab")
    page.keyboard.type("Does the job. The phone app feels like an afterthought.")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, Priya. Noted.")
    fits(page)
    page.get_by_label("Lower price").press("Space")
    page.get_by_role("button", name="Send", exact=True).press("Enter")
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    found = answer_of(site, priya)
    assert found is not None
    assert (found["score"], found["state"], found["comment"]) == (8, "verified", "Does the job. The phone app feels like an afterthought.")


def test_control_and_enter_send_from_the_reason(open_page: Callable[..., Page], site: Site, ask: Callable[..., Asked]) -> None:
    jo = ask("Jo Lindqvist")
    page = open_page()
    page.goto(f"{jo.path}?score=8")
    page.get_by_label("What is the main reason for your score?").fill("Fine")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, Jo. Noted.")
    looks_right(page)


@pytest.mark.usefixtures("live_program")
def test_a_promoter_copies_the_link_from_the_thank_you_page(open_page: Callable[..., Page], site: Site, ask: Callable[..., Asked]) -> None:
    maya = ask("Maya Quinn")
    page = open_page(width=390, dark=True)
    page.goto(f"{maya.path}?score=10")
    page.get_by_role("button", name="Send my answer").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, Maya. That made our morning.")
    link = page.get_by_role("textbox", name="Your link")
    assert link.input_value().startswith(f"{site.base.split('://')[1]}/r/maya-")
    assert link.get_attribute("data-full") == f"http://{link.input_value()}"
    looks_right(page)
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()


def test_what_cannot_be_sent_is_said_first_and_nothing_typed_is_lost(open_page: Callable[..., Page], ask: Callable[..., Asked]) -> None:
    page = open_page(width=390)
    page.goto(ask("Nora Quinn").path)
    page.get_by_label("What is the main reason for your score?").fill("Words that stay")
    page.get_by_role("button", name="Send my answer").click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_role("alert")).to_contain_text("Choose a number from 0 to 10.")
    expect(page).to_have_title("Error: Your answer for Larkfield")
    expect(page.get_by_label("What is the main reason for your score?")).to_have_value("Words that stay")
    looks_right(page)
    page.get_by_role("link", name="Choose a number from 0 to 10.").click()
    expect(page.get_by_role("radio", name="0", exact=True)).to_be_focused()


def test_a_form_sent_by_script_is_asked_once_more_and_a_person_confirms(
    open_page: Callable[..., Page], site: Site, ask: Callable[..., Asked]
) -> None:
    nils = ask("Nils Berg")
    page = open_page(width=390)
    page.goto(f"{nils.path}?score=2")
    page.evaluate("document.querySelector('[name=why]').value = 'By script'; document.querySelector('form').requestSubmit()")
    expect(page.get_by_role("heading", level=1)).to_have_text("One more tap. Which number did you mean?")
    expect(page.get_by_text("“By script”")).to_be_visible()
    expect(page.locator("[name=score]:checked")).to_have_count(0)
    looks_right(page)
    page.evaluate("document.querySelector('[name=score][value=\"2\"]').checked = true; document.querySelector('form').requestSubmit()")
    expect(page.get_by_role("heading", level=1)).to_have_text("One more tap. Which number did you mean?")
    found = answer_of(site, nils)
    assert found is not None
    assert found["state"] == "quarantined"
    page.locator("label.pt", has_text="2").click()
    page.get_by_role("button", name="This is my number").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you for telling us straight, Nils.")
    found = answer_of(site, nils)
    assert found is not None
    assert (found["state"], found["method"], found["score"]) == ("verified", "confirmed", 2)


def test_a_program_that_opens_waits_and_scrolls_leaves_hits_only(
    open_page: Callable[..., Page], site: Site, ask: Callable[..., Asked]
) -> None:
    dana = ask("Scanned Person")
    for score in (0, 5, 10):
        page = open_page()
        page.goto(f"{dana.path}?score={score}")
        page.evaluate("window.scrollTo(0, 400); document.dispatchEvent(new MouseEvent('mousemove'))")
        page.wait_for_timeout(1500)
        page.close()
    assert answer_of(site, dana) is None
    with site.within():
        assert {hit.kind for hit in db.session.query(Hit).filter(Hit.invitation_id == dana.invitation_id)} == {"view"}


def test_a_number_picked_by_hand_and_left_is_seen(open_page: Callable[..., Page], site: Site, ask: Callable[..., Asked]) -> None:
    pia = ask("Pia Person")
    page = open_page(width=390)
    page.goto(f"{pia.path}?score=8")
    page.keyboard.press("Tab")
    page.wait_for_timeout(5300)
    page.goto("about:blank")
    assert eventually(lambda: answer_of(site, pia) is not None)
    found = answer_of(site, pia)
    assert found is not None
    assert (found["score"], found["state"], found["method"]) == (8, "provisional", "seen")


def test_closed_links_and_wrong_ones_are_readable(open_page: Callable[..., Page], site: Site, ask: Callable[..., Asked]) -> None:
    dana = ask("Late Person")
    with site.within():
        invitation = db.session.get(Invitation, (site.account_id, dana.invitation_id))
        assert invitation is not None
        invitation.state = "expired"
    page = open_page(width=320)
    for path, words in ((dana.path, "This survey has closed."), ("/s/nonsense", "There is nothing at this address")):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_have_text(words)
        looks_right(page)


def test_the_lists_and_rules_of_answers_are_readable_and_fit(open_page: Callable[..., Page], site: Site, ask: Callable[..., Asked]) -> None:
    nils = ask("Nadia Osei")
    robot = open_page()
    robot.goto(f"{nils.path}?score=10")
    robot.evaluate("document.querySelector('form').requestSubmit()")
    expect(robot.get_by_role("heading", level=1)).to_have_text("One more tap. Which number did you mean?")
    page = open_page(width=390)
    sign_in(page, site)
    for path in ("responses", "responses?state=quarantined", "responses?state=all&q=nothing+like+this", "routing/rules"):
        page.goto(f"/larkfield/{path}")
        at_every_width(page)
    page.goto("/larkfield/responses?state=quarantined")
    page.get_by_role("link", name="Nadia Osei").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Nadia Osei")
    expect(page.get_by_text("no hand touched the page")).to_be_visible()
    at_every_width(page)
    page.get_by_role("button", name="Count this answer").click()
    expect(page.get_by_role("status").first).to_contain_text("1 answer is counted")
    at_every_width(page)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Not counted yet")).to_be_visible()
    page.get_by_role("button", name="Leave it out").click()
    expect(page.get_by_role("status").first).to_contain_text("1 answer is left out")


def test_rules_are_moved_and_saved_without_script(open_page: Callable[..., Page], site: Site) -> None:
    page = open_page(width=390, script=False)
    sign_in(page, site)
    page.goto("/larkfield/routing/rules")
    page.get_by_role("button", name="Add a rule").click()
    added = page.locator("section.card", has=page.get_by_role("heading", name="New rule"))
    added.get_by_label("Name").fill("Loud ones")
    added.get_by_label("Comment contains").fill("refund")
    for place in (5, 4, 3, 2):
        page.get_by_role("button", name=f"Move rule {place} up").click()
    page.get_by_role("button", name="Save the rules").last.click()
    expect(page.get_by_role("status").first).to_contain_text("Saved.")
    expect(page.get_by_role("heading", name="1. Loud ones")).to_be_visible()
    page.get_by_role("button", name="Delete rule 1").click()
    page.get_by_role("button", name="Save the rules").last.click()
    expect(page.get_by_role("heading", name="1. Wants a reply")).to_be_visible()
