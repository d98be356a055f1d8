"""The page of a person: what every floor above knows of them, and why a campaign would not ask."""

from typing import Any

import pytest

from nps.accounts.models import Account
from nps.followups import service as followups
from tests.analytics.conftest import TODAY, Asker
from tests.contacts.test_pages import text


@pytest.fixture
def dana(account: Account) -> tuple[Any, Any]:
    """A contact who was asked and answered 3, with a case; not asked by another campaign."""
    asker = Asker(account.id)
    person = asker.contact(name="Dana Whitfield", properties={"plan": "growth"})
    answer = asker.answer(3, TODAY, person, told=False, comment="The bank feed <is> broken.")
    followups.open_case(person, answer.id, queue_id=None, target_minutes=60, score=3, started_at=answer.first_at, rule="Detractors")
    other = asker.campaign("Summer")
    asker.invitation(person, TODAY, other, state="skipped", asked_at=None, reason="throttled")
    return person, answer


def test_the_timeline_tells_surveys_answers_cases_and_what_was_not_asked(signed_in: Any, dana: tuple[Any, Any]) -> None:
    person, answer = dana
    page = signed_in.get(f"/larkfield/contacts/{person}")
    words = text(page)
    assert "Survey “Autumn” sent" in words
    assert "Answered 3" in words
    assert "Counted: form sent" in words
    assert "Case opened, with" in words
    assert "Not asked by “Summer”: was asked less than 90 days ago" in words
    html = page.get_data(as_text=True)
    assert "The bank feed &lt;is&gt; broken." in html
    assert f'href="/larkfield/responses/{answer.id}"' in html
    only = text(signed_in.get(f"/larkfield/contacts/{person}?t=messages"))
    assert "Survey “Autumn” sent" in only
    assert "Answered 3" not in only


def test_the_gates_of_a_chosen_campaign_stand_under_the_timeline(signed_in: Any, dana: tuple[Any, Any]) -> None:
    person, _ = dana
    page = signed_in.get(f"/larkfield/contacts/{person}")
    assert 'href="#why"' in page.get_data(as_text=True)
    words = text(page)
    assert "Why not sent Every gate in the order it is checked" in words
    assert "Dana Whitfield would" in words
    assert ", because Dana has an open case." in words
    assert "Not reached" in words
