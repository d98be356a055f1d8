"""An answer and where it goes, in one transaction: link on the thank-you page, case with owner and time, one tap; and revisions."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from nps.accounts import queries as accounts
from nps.accounts.models import Account
from nps.core import clock as product_clock
from nps.core import events, tenancy
from nps.core.db import db
from nps.followups.models import Case, CaseEvent
from nps.referrals import queries as referrals
from nps.referrals.models import Advocate, AskRefusal, Program
from nps.responses import queries as responses
from nps.responses import service as writes
from nps.responses.events import ResponseVerified
from nps.responses.models import Hit, Response
from nps.routing import queries, rules, service
from nps.routing.models import RoutingDecision
from nps.routing.rules import Condition, Destination, Rule
from tests.conftest import Clock
from tests.responses.conftest import Asked, asked, campaign

__all__ = ["asked", "campaign"]
Ask = Callable[..., Asked]


@pytest.fixture
def program(account: Account) -> Program:
    """The referral program, live, with nobody held out."""
    found = referrals.default_program()
    assert found is not None
    found.state, found.live_since, found.holdout_percent = "live", product_clock.now(), 0
    db.session.commit()
    return found


def response_of(person: Asked) -> Response:
    found = person.response()
    assert found is not None
    return found


def decision_of(person: Asked) -> RoutingDecision:
    found = queries.find_decision(response_of(person).id)
    assert found is not None
    return found


def count(table: Any) -> int:
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def case_of(person: Asked) -> Case:
    db.session.expire_all()
    return db.session.scalars(select(Case).where(Case.contact_id == person.contact.id).order_by(Case.opened_at.desc())).first()  # type: ignore[return-value]


def test_a_promoter_finds_the_link_on_the_thank_you_page(asked: Ask, program: Program) -> None:
    maya = asked("Maya Quinn")
    maya.answer(10, "My accountant asked what changed")
    page = maya.get(path="/thanks").text
    assert "Thank you, Maya. That made our morning." in page
    assert "Your 10 and your comment go to the people who build Larkfield." in page
    decision = decision_of(maya)
    assert (decision.destination, decision.sentence, decision.refused_because) == ("referral", "the rule “Promoters”", None)
    assert decision.advocate_id is not None
    link = referrals.link_address(referrals.link_of(decision.advocate_id))
    assert f'data-full="{link}"' in page
    assert "We never message your friends ourselves." in page
    assert "See your share page" in page
    assert count(Case) == 0


def test_a_promoter_without_a_live_program_gets_plain_thanks_and_the_reason_is_kept(asked: Ask) -> None:
    maya = asked("Maya Quinn")
    maya.answer(10)
    assert "Your link" not in maya.get(path="/thanks").text
    assert decision_of(maya).refused_because == "program_not_live"
    assert db.session.scalars(select(AskRefusal)).one().reason == "program_not_live"


def test_a_detractor_reads_who_has_the_answer_and_by_when(asked: Ask) -> None:
    dana = asked()
    dana.answer(3, "The bank feed is down")
    case = case_of(dana)
    assert (case.score, case.rule, case.response_id) == (3, "the rule “Detractors”", response_of(dana).id)
    assert case.owner_id is not None
    assert case.due_at is not None
    assert decision_of(dana).case_id == case.id
    page = dana.get(path="/thanks").text
    assert "Thank you for telling us straight, Dana." in page
    assert "Ines Marchetti has your answer" in page
    assert "dana<wbr>@brightoak.example" in page
    assert "Edit or add to this" in page
    assert count(Advocate) == 0


def test_a_passive_taps_once(asked: Ask) -> None:
    priya = asked("Priya Raman")
    priya.answer(8)
    page = priya.get(path="/thanks").text
    assert "What would have made it a 9 or a 10?" in page
    assert "One tap is plenty. Or skip it." in page
    assert priya.post({"topic": ["Lower price", "Quicker support"]}, "/more").status_code == 303
    kept = responses.find_answer(response_of(priya).id, service.ONE_TAP)
    assert kept is not None
    assert kept.value == "Lower price\nQuicker support"
    again = priya.get(path="/thanks").text
    assert 'value="Lower price" checked' in again
    assert "Saved." in again
    priya.post({"topic": "Lower price"}, "/more")
    db.session.expire_all()
    assert kept.value == "Lower price"
    assert response_of(priya).score == 8


def test_a_tap_that_is_not_offered_is_refused(asked: Ask) -> None:
    priya = asked("Priya Raman")
    priya.answer(8)
    refused = priya.post({"topic": "Free money"}, "/more")
    assert (refused.status_code, "Your score is saved" in refused.text) == (400, True)
    assert responses.find_answer(response_of(priya).id, service.ONE_TAP) is None


def test_a_wish_for_a_reply_opens_a_case_at_any_score(asked: Ask, program: Program) -> None:
    maya = asked("Maya Quinn")
    maya.answer(10, "Call me", reply=True)
    assert (case_of(maya).wants_reply, count(Advocate)) == (True, 0)
    assert "You asked for a reply." in maya.get(path="/thanks").text


def test_a_scanner_opens_no_case_and_enrols_nobody(asked: Ask, program: Program) -> None:
    for name, score in (("Dana Whitfield", 0), ("Maya Quinn", 10)):
        person = asked(name)
        for n in range(11):
            person.get(n)
            person.get(n, method="HEAD")
        person.scan(score)
    assert (count(Case), count(Advocate), count(RoutingDecision), count(Hit) > 40) == (0, 0, 0, True)


def test_an_answer_that_cannot_be_routed_is_not_taken_at_all(app: Flask, asked: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(event: object) -> None:
        raise RuntimeError("the last listener fails")

    table = dict(events._Bus.table)
    table[ResponseVerified] = [*table[ResponseVerified], events.now(broken)]
    monkeypatch.setattr(events._Bus, "table", table)
    app.config["SHOW_ERROR_PAGES"] = True
    dana = asked()
    assert dana.answer(3, "Help").status_code == 500
    assert [count(t) for t in (Response, Case, CaseEvent, RoutingDecision)] == [0, 0, 0, 0]
    db.session.refresh(dana.invitation)
    db.session.refresh(dana.contact)
    assert (dana.invitation.state, dana.contact.last_score, dana.contact.holds) == ("asked", None, {})


def test_routing_twice_decides_once(asked: Ask, program: Program) -> None:
    for name, score in (("Dana Whitfield", 3), ("Maya Quinn", 10)):
        person = asked(name)
        person.answer(score)
        response = response_of(person)
        event = ResponseVerified(
            response.account_id, response.id, response.invitation_id, response.contact_id, score, response.nps_group, False, False, False,
            product_clock.now(),
        )  # fmt: skip
        service.route(event)
        db.session.commit()
    assert (count(RoutingDecision), count(Case), count(Advocate)) == (2, 1, 1)


def test_a_confirmed_answer_is_routed_when_it_is_confirmed(asked: Ask, clock: Clock) -> None:
    dana = asked()
    dana.scan(3, why="Slow")
    assert count(Case) == 0
    clock.move(hours=2)
    before = product_clock.now()
    dana.confirm(3)
    assert decision_of(dana).counted_late
    assert case_of(dana).started_at >= before


# Revisions


def test_a_promoter_who_turns_loses_the_offer_and_gets_a_case_from_that_moment(asked: Ask, program: Program, clock: Clock) -> None:
    maya = asked("Maya Quinn")
    maya.answer(9)
    clock.move(days=1)
    before = product_clock.now()
    maya.answer(3, "Charged twice")
    case = case_of(maya)
    assert (case.is_open, case.score, case.started_at >= before) == (True, 3, True)
    page = maya.get(path="/thanks").text
    assert "Your link" not in page
    assert "has your answer" in page
    advocate = db.session.scalars(select(Advocate)).one()
    db.session.refresh(advocate)
    assert advocate.state in ("withdrawn", "paused")


def test_a_detractor_who_turns_without_a_word_closes_the_case_nobody_has_touched(asked: Ask, program: Program) -> None:
    dana = asked()
    dana.answer(3)
    dana.answer(9)
    case = case_of(dana)
    assert (case.is_open, case.outcome) == (False, "answer_changed")
    assert decision_of(dana).destination == "referral"
    assert "Your link" in dana.get(path="/thanks").text


def test_a_detractor_who_turns_with_words_or_a_wish_keeps_the_case(asked: Ask) -> None:
    dana, jo = asked(), asked("Jo Lindqvist")
    dana.answer(3)
    due = case_of(dana).due_at
    dana.answer(9, "Sorted, but tell your team")
    jo.answer(2)
    jo.answer(8, reply=True)
    for person in (dana, jo):
        assert case_of(person).is_open
        assert "has your answer" in person.get(path="/thanks").text
    assert case_of(dana).due_at == due


def test_a_lower_score_tightens_the_promise_and_never_loosens_it(asked: Ask) -> None:
    dana = asked()
    dana.answer(5)
    later = case_of(dana).due_at
    dana.answer(1)
    sooner = case_of(dana).due_at
    assert later is not None
    assert sooner is not None
    assert sooner < later
    dana.answer(5)
    assert case_of(dana).due_at == sooner
    assert count(Case) == 1


def test_a_comment_added_is_an_event_on_the_case(asked: Ask) -> None:
    dana = asked()
    dana.answer(3)
    before = count(CaseEvent)
    dana.answer(3, "Now with words")
    assert count(CaseEvent) == before + 1


def test_a_wish_added_later_opens_a_case(asked: Ask) -> None:
    priya = asked("Priya Raman")
    priya.answer(8)
    assert count(Case) == 0
    priya.answer(8, "Please call", reply=True)
    assert case_of(priya).wants_reply


def test_down_up_and_down_again_is_followed_up_again(asked: Ask, clock: Clock) -> None:
    dana = asked()
    dana.answer(3)
    dana.answer(9)
    assert not case_of(dana).is_open
    clock.move(minutes=1)
    dana.answer(2, "No, really")
    assert case_of(dana).is_open
    assert "has your answer" in dana.get(path="/thanks").text


def test_a_passive_who_becomes_a_promoter_is_offered_the_link(asked: Ask, program: Program) -> None:
    priya = asked("Priya Raman")
    priya.answer(8)
    priya.answer(9)
    assert decision_of(priya).advocate_id is not None
    assert "Your link" in priya.get(path="/thanks").text


def test_an_answer_that_counts_again_gets_its_offer_back(asked: Ask, program: Program, account: Account) -> None:
    maya = asked("Maya Quinn")
    maya.answer(10)
    member = accounts.list_members()[0][0]
    writes.leave_out([response_of(maya).id], "test", member)
    assert "Your link" not in maya.get(path="/thanks").text
    writes.count([response_of(maya).id], member)
    assert "Your link" in maya.get(path="/thanks").text
    assert count(Advocate) == 1


# Rules that members save


def test_saved_rules_decide_with_frozen_properties(asked: Ask, account: Account) -> None:
    growth = Rule(
        "Growth detractors",
        (Condition("score", "between", [0, 6]), Condition("property", "is", {"key": "plan", "value": "Growth"})),
        Destination.CASE,
        target_minutes=30,
    )
    service.save_rules([growth, *rules.DEFAULT_RULES], 0, None)
    dana = asked()
    dana.contact.properties = {"plan": "Growth"}
    db.session.commit()
    dana.answer(6)
    decision = decision_of(dana)
    assert (decision.sentence, decision.rule_set_number, decision.matched) == (
        "the rule “Growth detractors”",
        1,
        ["Growth detractors", "Detractors"],
    )
    case = case_of(dana)
    assert (case.target_minutes, case.rule) == (30, "the rule “Growth detractors”")


def test_old_decisions_keep_their_version(asked: Ask) -> None:
    first = asked()
    first.answer(8)
    service.save_rules([Rule("Nothing", (), Destination.NONE)], 0, None)
    second = asked("Jo Lindqvist")
    second.answer(2)
    assert [(decision_of(p).destination, decision_of(p).rule_set_number) for p in (first, second)] == [("question", 0), ("none", 1)]
    assert (count(Case), "Thank you, Jo." in second.get(path="/thanks").text) == (0, True)


def test_each_account_has_its_own_rules(asked: Ask, rival: Account) -> None:
    with tenancy.account_scope(rival.id):
        service.save_rules([Rule("Nothing", (), Destination.NONE)], 0, None)
        db.session.commit()
    dana = asked()
    dana.answer(2)
    assert decision_of(dana).destination == "case"


def test_the_case_promises_no_later_than_the_rules_say(asked: Ask) -> None:
    dana = asked()
    dana.answer(0)
    case = case_of(dana)
    assert case.promised_at == case.due_at
    assert case.due_at is not None
    assert case.due_at - case.started_at < timedelta(days=5)
