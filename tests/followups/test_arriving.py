"""What comes back: replies, answering machines, bounces."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from nps.core import clock as product_clock
from nps.core import ids
from nps.core.db import db
from nps.core.events import publish
from nps.delivery.events import AutoReplyReceived, Fate, MessageReceipt, MessagesSettled, ReplyReceived
from nps.delivery.models import InboundMail, Message
from nps.followups import queries
from nps.followups import service as followups
from nps.followups.models import Case
from nps.followups.rules.states import CaseState
from nps.followups.service import Closure
from tests.followups.conftest import Larkfield, local
from tests.followups.test_service import assert_rebuilt

FIXED = Closure("fixed", "Bank changes break the feed", followups.NOT_CLEAR)


def wrote(larkfield: Larkfield, case: Case | None, text: str = "Thank you, still broken.", **given: Any) -> ReplyReceived:
    """The customer's mail as delivery tells of it: stored, then published."""
    now = product_clock.now()
    inbound = InboundMail(
        once=str(ids.new_id()), envelope_to="reply+x@mail.example", from_email="dana@brightoak.example", subject="Re: How are we doing?",
        rfc_message_id=f"{ids.new_id().hex}@brightoak.example", text=text, received_at=now,
    )  # fmt: skip
    db.session.add(inbound)
    db.session.flush()
    about: dict[str, Any] = {"ref_kind": "", "ref_id": None, "contact_id": None}
    if case is not None:
        about = {"ref_kind": "case", "ref_id": case.id, "contact_id": case.contact_id}
    values = {
        "account_id": larkfield.account.id, "inbound_id": inbound.id, "token_kind": "reply", "message_id": None, "score": None, **about,
        "from_email": inbound.from_email, "from_known": True, "subject": inbound.subject, "text": text, "occurred_at": now,
    }  # fmt: skip
    event = ReplyReceived(**{**values, **given})
    publish(event)
    return event


def waiting(larkfield: Larkfield) -> tuple[Case, Any]:
    case = larkfield.case(3)
    event = followups.reply(case.id, larkfield.owner, "We are on it.", seen=99)
    return case, event


def test_an_answer_to_our_reply_lands_once_and_starts_the_next_reply_clock(larkfield: Larkfield, clock: Any) -> None:
    case, _ = waiting(larkfield)
    clock.move(minutes=10)
    event = wrote(larkfield, case)
    publish(event)
    assert [one.what for one in queries.list_events(case.id)].count("customer_wrote") == 1
    assert (case.state, case.reply_clock, case.target_minutes) == (CaseState.WORKING, "next_reply", 240)
    assert abs(case.due_at - local("2026-10-05 16:08")) < timedelta(seconds=5)
    assert case.met is True
    assert_rebuilt(case)
    told = db.session.scalars(select(Message.subject).where(Message.kind == "notice", Message.subject.like("The customer wrote%"))).all()
    assert len(told) == 1


def test_our_answer_continues_the_thread_to_the_customers_last_mail(larkfield: Larkfield, clock: Any) -> None:
    case, first = waiting(larkfield)
    clock.move(minutes=10)
    mail = wrote(larkfield, case)
    clock.move(minutes=1)
    second = followups.reply(case.id, larkfield.owner, "Fixed now.", seen=99)
    ours = db.session.get(Message, (case.account_id, first.message_id))
    theirs = db.session.get(InboundMail, (case.account_id, mail.inbound_id))
    sent = db.session.get(Message, (case.account_id, second.message_id))
    assert sent.in_reply_to.split() == [ours.rfc_message_id, theirs.rfc_message_id]
    assert sent.subject == "Re: Your answer"


def test_a_mail_before_the_first_reply_leaves_the_clock_running(larkfield: Larkfield) -> None:
    case = larkfield.case(3)
    due = case.due_at
    wrote(larkfield, case)
    assert (case.state, case.due_at, case.reply_clock) == (CaseState.NEW, due, "first_reply")


def test_a_snooze_ends_when_the_customer_writes(larkfield: Larkfield) -> None:
    case, _ = waiting(larkfield)
    followups.snooze(case.id, larkfield.owner, local("2026-10-20 09:00"))
    wrote(larkfield, case)
    assert case.snoozed_until is None


def test_a_closed_case_opens_again_within_90_days_then_a_new_one_is_linked(larkfield: Larkfield, clock: Any) -> None:
    case, _ = waiting(larkfield)
    followups.close(case.id, larkfield.owner, FIXED)
    clock.move(days=89)
    wrote(larkfield, case)
    assert (case.state, case.reopened, case.reply_clock, case.closed_at) == (CaseState.WORKING, 1, "next_reply", None)
    followups.close(case.id, larkfield.owner, FIXED)
    clock.move(days=91)
    wrote(larkfield, case)
    assert case.state == CaseState.CLOSED
    new = queries.find_open(case.contact_id)
    assert (new.kind, new.earlier_case_id, new.score) == ("mail", case.id, None)
    assert queries.list_events(new.id)[-1].what == "customer_wrote"


def test_a_reply_to_a_survey_without_a_score_opens_a_case(larkfield: Larkfield) -> None:
    contact = larkfield.contact()
    wrote(larkfield, None, ref_kind="invitation", ref_id=ids.new_id(), contact_id=contact.id)
    case = queries.find_open(contact.id)
    assert (case.kind, case.score, case.target_minutes) == ("mail", None, 240)


def test_a_score_by_reply_is_an_answer_and_not_a_letter(larkfield: Larkfield) -> None:
    contact = larkfield.contact()
    response = larkfield.response(contact, 8)
    about = {"ref_kind": "invitation", "ref_id": response.invitation_id, "contact_id": contact.id}
    event = wrote(larkfield, None, score=8, text="8", **about, occurred_at=response.changed_at)
    assert queries.find_open(contact.id) is None
    # The same words after the window had closed change no answer: somebody reads them.
    wrote(larkfield, None, score=2, text="2", **about, occurred_at=event.occurred_at + timedelta(days=40))
    case = queries.find_open(contact.id)
    assert (case.kind, case.score, case.response_id, case.target_minutes) == ("mail", 8, response.id, 480)


def test_a_number_in_a_case_thread_is_text(larkfield: Larkfield) -> None:
    case, _ = waiting(larkfield)
    wrote(larkfield, case, text="9", score=9)
    assert (case.state, case.score) == (CaseState.WORKING, 3)


def test_without_a_token_one_open_case_of_the_sender_takes_it_and_says_so(larkfield: Larkfield) -> None:
    case, _ = waiting(larkfield)
    email = db.session.scalar(select(Message.to_email).where(Message.kind == "reply"))
    wrote(larkfield, None, token_kind="", from_email=email)
    assert queries.list_events(case.id)[-1].facts["matched_by"] == "address_only"


def test_mail_of_a_stranger_is_nobodys_case(larkfield: Larkfield) -> None:
    case, _ = waiting(larkfield)
    before = case.last_number
    wrote(larkfield, None, token_kind="", from_email="stranger@elsewhere.example")
    assert case.last_number == before


def test_another_address_is_marked(larkfield: Larkfield) -> None:
    case, _ = waiting(larkfield)
    wrote(larkfield, case, from_email="dana@home.example", from_known=False)
    assert queries.list_events(case.id)[-1].facts["from_other"] == "dana@home.example"


def test_many_messages_in_a_row_are_kept_without_alarm(larkfield: Larkfield) -> None:
    case, _ = waiting(larkfield)
    for _ in range(7):
        wrote(larkfield, case)
    events = [one for one in queries.list_events(case.id) if one.what == "customer_wrote"]
    assert [bool(one.facts.get("loop")) for one in events] == [False] * 5 + [True] * 2
    told = db.session.scalars(select(Message).where(Message.subject.like("The customer wrote%"))).all()
    assert len(told) == 5


def test_an_answering_machine_starts_no_clock(larkfield: Larkfield) -> None:
    case, _ = waiting(larkfield)
    now, email = product_clock.now(), "dana@brightoak.example"
    publish(AutoReplyReceived(larkfield.account.id, ids.new_id(), None, "case", case.id, case.contact_id, email, "Away", False, now))
    assert (case.state, case.reply_clock) == (CaseState.WAITING, None)
    assert queries.list_events(case.id)[-1].what == "auto_reply"


# -- replies that did not arrive: worked clock 18 --


def bounced(case: Case, message_id: Any) -> None:
    publish(
        MessageReceipt(
            case.account_id, message_id, "case", case.id, case.contact_id, "reply", "bounced", "mailbox_unknown", product_clock.now()
        )
    )


def test_a_bounced_reply_never_stopped_the_clock(larkfield: Larkfield, clock: Any) -> None:
    clock.at(local("2026-10-05 09:10"))
    case = larkfield.case(3)
    clock.at(local("2026-10-05 09:40"))
    event = followups.reply(case.id, larkfield.owner, "We are on it.", seen=99)
    clock.at(local("2026-10-05 09:52"))
    bounced(case, event.message_id)
    assert (case.state, case.reply_clock, case.first_contact_at, case.met) == (CaseState.NEW, "first_reply", None, None)
    assert case.due_at == local("2026-10-05 10:10")
    assert case.resolve_from_at is not None
    told = db.session.scalars(select(Message.subject).where(Message.subject.like("A reply did not arrive%"))).all()
    assert len(told) == 1
    before = case.last_number
    bounced(case, event.message_id)
    assert case.last_number == before
    assert_rebuilt(case)


def test_a_bounce_opens_a_closed_case_again(larkfield: Larkfield) -> None:
    case = larkfield.case(3)
    event = followups.reply(case.id, larkfield.owner, "Fixed.", seen=99, closure=FIXED)
    bounced(case, event.message_id)
    assert (case.state, case.reply_clock, case.closed_at, case.first_contact_at) == (CaseState.NEW, "first_reply", None, None)
    assert_rebuilt(case)


def test_a_bounce_after_another_human_contact_leaves_the_first_reply_met(larkfield: Larkfield, clock: Any) -> None:
    case = larkfield.case(3)
    followups.log_contact(case.id, larkfield.owner, "phone", "Talked it through")
    first = case.first_contact_at
    clock.move(minutes=5)
    event = followups.reply(case.id, larkfield.owner, "As promised.", seen=99)
    bounced(case, event.message_id)
    assert (case.state, case.first_contact_at, case.met) == (CaseState.WORKING, first, True)


def test_a_refused_reply_counts_as_not_arrived_one_taken_back_does_not(larkfield: Larkfield) -> None:
    case, event = waiting(larkfield)
    fate = Fate(event.message_id, "case", case.id, case.contact_id, "reply", "refused")
    publish(MessagesSettled(case.account_id, (), (), (fate,), (), (), product_clock.now()))
    assert case.state == CaseState.NEW
    again = followups.reply(case.id, larkfield.owner, "Once more.", seen=99)
    followups.undo(case.id, again.number, larkfield.owner)
    assert [one.what for one in queries.list_events(case.id)].count("reply_failed") == 1


@pytest.mark.parametrize("sent", [True, False])
def test_a_message_of_something_else_is_left_alone(larkfield: Larkfield, sent: bool) -> None:
    case, _ = waiting(larkfield)
    before = case.last_number
    fate = Fate(ids.new_id(), "invitation", ids.new_id(), case.contact_id, "survey", "")
    publish(MessagesSettled(case.account_id, (fate,) if sent else (), (), () if sent else (fate,), (), (), product_clock.now()))
    assert case.last_number == before
