"""Answers that come as a reply to the survey mail."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from nps.core import clock as product_clock
from nps.core import events, ids
from nps.core.db import db
from nps.delivery.events import ReplyReceived
from nps.followups.models import Case
from nps.responses import queries
from nps.responses.models import Response
from nps.responses.rules import words_after_score
from tests.conftest import Clock
from tests.responses.conftest import Asked

Ask = Callable[..., Asked]


def reply(to: Asked, text: str, score: int | None, **more: Any) -> None:
    """Publish what delivery publishes when the mail was read."""
    values: dict[str, Any] = {
        "account_id": to.invitation.account_id,
        "inbound_id": ids.new_id(),
        "token_kind": "reply",
        "message_id": None,
        "ref_kind": "invitation",
        "ref_id": to.invitation.id,
        "contact_id": to.contact.id,
        "from_email": to.contact.email,
        "from_known": True,
        "subject": "Re: how are we doing?",
        "text": text,
        "score": score,
        "occurred_at": product_clock.now(),
    }
    events.publish(ReplyReceived(**{**values, **more}))
    db.session.commit()


def must(asked: Asked) -> Response:
    found = asked.response()
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "words"),
    [("8", ""), ("8/10 slow app", "slow app"), ("9 - great\nreally", "great\nreally"), ("10\n\nAll good", "All good"), ("3. Slow", "Slow")],
)
def test_what_follows_the_score_is_the_comment(text: str, words: str) -> None:
    assert words_after_score(text) == words


def test_a_number_by_mail_counts_and_is_routed(asked: Ask) -> None:
    dana = asked()
    reply(dana, "3 - the bank feed is down", 3)
    response = must(dana)
    assert (response.state, response.method, response.score, response.comment) == ("verified", "reply", 3, "the bank feed is down")
    assert db.session.query(Case).one().response_id == response.id
    db.session.refresh(dana.invitation)
    assert dana.invitation.state == "answered"


def test_a_reminder_can_be_answered_by_mail_too(asked: Ask) -> None:
    dana = asked()
    reply(dana, "9", 9, ref_kind="reminder")
    assert must(dana).score == 9


def test_a_strange_address_counts_for_nobody(asked: Ask) -> None:
    dana = asked()
    reply(dana, "0", 0, from_known=False, from_email="mallory@else.example")
    assert dana.response() is None


def test_a_number_by_mail_replaces_a_machine_and_edits_a_person(asked: Ask, clock: Clock) -> None:
    dana, jo = asked(), asked("Jo Lindqvist")
    dana.scan(0)
    reply(dana, "8", 8)
    assert (must(dana).state, must(dana).score, must(dana).first_score, must(dana).method) == ("verified", 8, 8, "reply")
    jo.answer(9, "Good")
    reply(jo, "4", 4)
    assert (must(jo).score, must(jo).first_score, must(jo).comment) == (4, 9, "Good")
    clock.move(days=8)
    reply(jo, "10", 10)
    assert must(jo).score == 4, "edits are over"


def test_words_become_the_comment_only_where_there_is_none(asked: Ask) -> None:
    dana, jo = asked(), asked("Jo Lindqvist")
    dana.answer(7)
    reply(dana, "10 years with you, thanks", None)
    assert (must(dana).score, must(dana).comment) == (7, "10 years with you, thanks")
    jo.answer(9, "First words")
    reply(jo, "Second words", None)
    assert must(jo).comment == "First words"


def test_after_the_window_a_number_by_mail_is_not_counted(asked: Ask, clock: Clock) -> None:
    dana = asked(days=1)
    clock.move(days=2)
    reply(dana, "9", 9)
    assert dana.response() is None


def test_a_mail_is_one_version(asked: Ask) -> None:
    dana = asked()
    reply(dana, "9", 9)
    reply(dana, "9", 9)
    assert [v.way for v in queries.list_versions(must(dana).id)] == ["reply"]
    assert must(dana).first_at <= product_clock.now() + timedelta(seconds=1)
