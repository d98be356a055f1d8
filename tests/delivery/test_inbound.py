"""Mail that comes in: stored once, sorted by what it is, and never more than a token allows."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from nps.core import clock as product_clock
from nps.core import events, ids, tenancy
from nps.core.db import db
from nps.delivery import addresses, queries
from nps.delivery import service as delivery
from nps.delivery.events import AutoReplyReceived, MessageReceipt, ReplyReceived
from nps.delivery.models import HOUSE, InboundMail, MailboxMail, Message, Suppression
from nps.delivery.rules import MessageState as S
from nps.delivery.service import sending
from nps.jobs import outbox
from tests.delivery.test_incoming import REPORT, raw

SECRET = {"Authorization": "Bearer inbound secret of the tests"}


@pytest.fixture
def heard(app):
    found: list = []
    before = events._Bus.table
    events.connect(
        {**before, **{kind: [events.now(found.append)] for kind in (ReplyReceived, AutoReplyReceived, MessageReceipt)}}, outbox.enqueue
    )
    yield found
    events.connect(before, outbox.enqueue)


@pytest.fixture
def asked(account, mail, run_jobs) -> Message:
    """Dana was asked."""
    made = mail("dana@brightoak.example", kind="survey", ref_kind="invitation", ref_id=ids.new_id())
    run_jobs()
    db.session.expire_all()
    return queries.get_message(made.id)


@pytest.fixture
def deliver(client, run_jobs):
    def post(
        data: bytes, purpose: str = "reply", message: Message | None = None, to: str = "", sender: str | None = "dana@brightoak.example"
    ):
        to = to or f"{addresses.local_part(purpose, message.id)}@mail.wordback.example"  # type: ignore[union-attr]
        headers = {**SECRET, "X-Envelope-To": to, "Content-Type": "message/rfc822"}
        if sender is not None:
            headers["X-Envelope-From"] = sender
        answer = client.post("/in/mail", data=data, headers=headers)
        run_jobs()
        return answer

    return post


def replies(heard) -> list[ReplyReceived]:
    return [event for event in heard if isinstance(event, ReplyReceived)]


def state_of(message: Message) -> str:
    db.session.expire_all()
    return queries.get_message(message.id).state


def only() -> InboundMail:
    with tenancy.unscoped("tests look"):
        return db.session.scalars(select(InboundMail)).one()


@pytest.mark.parametrize(
    ("body", "kind", "score", "text"),
    [
        ("8", "score", 8, "8"),
        ("8/10 slow app", "score", 8, "8/10 slow app"),
        ("10 years with you", "reply", None, "10 years with you"),
        ("7-8", "reply", None, "7-8"),
        ("please stop the export bug", "reply", None, "please stop the export bug"),
    ],
)
def test_a_reply_is_sorted_and_told(deliver, asked, heard, body, kind, score, text):
    deliver(raw(body), message=asked)
    assert only().kind == kind
    (event,) = replies(heard)
    assert (event.token_kind, event.ref_kind, event.ref_id, event.score, event.text, event.from_known) == (
        "reply",
        "invitation",
        asked.ref_id,
        score,
        text,
        True,
    )
    assert event.message_id == asked.id


def test_stop_in_a_reply_stops_from_another_address_too(deliver, asked, heard):
    deliver(raw("stop").replace(b"Dana@BrightOak", b"someone@else"), message=asked)
    assert only().kind == "stop"
    assert queries.find_suppressions(["dana@brightoak.example"])["dana@brightoak.example"].source == "reply"
    assert not replies(heard)


def test_mail_to_the_stop_address_stops_whatever_it_says(deliver, asked):
    deliver(raw("whatever this is"), "stop", asked)
    assert queries.find_suppressions(["dana@brightoak.example"])["dana@brightoak.example"].source == "mailto"


def test_an_answering_machine_is_a_note(deliver, asked, heard):
    deliver(raw("Tom no longer works here", Auto_Submitted="auto-replied"), message=asked)
    assert (only().kind, only().effect) == ("auto_reply", "may_have_left")
    assert [type(event) for event in heard] == [AutoReplyReceived]


def test_a_score_from_a_strange_address_is_offered_not_known(deliver, asked, heard):
    deliver(raw("9").replace(b"Dana@BrightOak", b"boss@brightoak"), message=asked)
    (event,) = replies(heard)
    assert (event.score, event.from_known) == (9, False)


def test_a_number_in_a_case_conversation_is_text(deliver, account, mail, run_jobs, heard):
    typed = mail("dana@brightoak.example", kind="reply", ref_kind="case", ref_id=ids.new_id())
    run_jobs()
    deliver(raw("8"), message=typed)
    (event,) = replies(heard)
    assert (event.score, event.ref_kind) == (None, "case")


@pytest.mark.parametrize(
    ("action", "status", "state", "reason", "suppressed", "soft"),
    [
        ("failed", "5.1.1", S.BOUNCED, "bounced", "bounced", 0),
        ("failed", "5.2.2", S.BOUNCED, "soft_bounced", None, 1),
        ("failed", "4.4.7", S.BOUNCED, "soft_bounced", None, 1),
        ("failed", "5.7.1", S.BOUNCED, "refused", None, 0),
        ("delayed", "4.4.1", S.SENT, "", None, 0),
        ("delivered", "2.0.0", S.SENT, "", None, 0),
    ],
)
def test_a_delivery_report_at_the_bounce_address_takes_effect(deliver, asked, heard, action, status, state, reason, suppressed, soft):
    deliver(REPORT.format(action=action, status=status).encode(), "bounce", asked, sender="")
    assert state_of(asked) == state
    assert queries.get_message(asked.id).reason == reason
    stop = queries.find_suppressions(["dana@brightoak.example"]).get("dana@brightoak.example")
    assert (stop.reason if stop else None) == suppressed
    health = queries.find_health("dana@brightoak.example")
    assert (health.soft_in_a_row if health else 0) == soft
    assert len([event for event in heard if isinstance(event, MessageReceipt)]) == (1 if state == S.BOUNCED else 0)


def test_a_report_in_plain_words_counts_at_the_bounce_address(deliver, asked):
    words = "Hi. This is the program at mx.example.\r\n\r\n<dana@brightoak.example>:\r\nSorry, no mailbox here by that name. (#5.1.1)"
    deliver(raw(words), "bounce", asked, sender="")
    assert state_of(asked) == S.BOUNCED


@pytest.mark.parametrize("to", ["bounce@mail.wordback.example", "reply", "altered"])
def test_a_forged_report_has_no_effect(deliver, asked, to):
    address = {"reply": addresses.local_part("reply", asked.id), "altered": addresses.local_part("bounce", asked.id)[:-1] + "z"}.get(to, to)
    deliver(REPORT.format(action="failed", status="5.1.1").encode(), to=address, sender="")
    assert state_of(asked) == S.SENT
    assert not queries.is_suppressed("dana@brightoak.example")
    assert only().kind == "unmatched"


def test_delayed_ten_times_suppresses_nobody_and_repeats_change_nothing(deliver, asked, heard):
    for number in range(10):
        deliver(
            REPORT.format(action="delayed", status="4.4.1").replace("Auto", f"Message-ID: <d{number}@x>\r\nAuto").encode(),
            "bounce",
            asked,
            sender="",
        )
    assert not queries.is_suppressed("dana@brightoak.example")
    for number in range(3):
        deliver(
            REPORT.format(action="failed", status="5.1.1").replace("Auto", f"Message-ID: <f{number}@x>\r\nAuto").encode(),
            "bounce",
            asked,
            sender="",
        )
    assert len([event for event in heard if isinstance(event, MessageReceipt)]) == 1


def test_a_soft_bounce_after_a_sign_of_life_is_an_absence_note(deliver, asked, clock):
    clock.move(minutes=5)
    delivery.note_alive("dana@brightoak.example")
    deliver(REPORT.format(action="failed", status="5.2.2").encode(), "bounce", asked, sender="")
    assert state_of(asked) == S.SENT
    assert queries.find_health("dana@brightoak.example").soft_in_a_row == 0


def test_a_report_of_fifteen_days_ago_says_nothing(deliver, asked, clock):
    clock.move(days=15)
    deliver(REPORT.format(action="failed", status="5.1.1").encode(), "bounce", asked, sender="")
    assert state_of(asked) == S.SENT


def test_a_complaint_stops_for_good(deliver, asked, heard):
    original = f"Return-Path: <{addresses.local_part('bounce', asked.id)}@mail.wordback.example>\r\nSubject: x\r\n\r\nHi"
    data = (
        "From: isp@isp.example\r\nMessage-ID: <c@isp>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"'
        "\r\n\r\n--b\r\n\r\nabuse\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\n{original}\r\n--b--\r\n"
    )
    deliver(data.encode(), to="abuse@mail.wordback.example")
    assert state_of(asked) == S.COMPLAINED
    assert only().kind == "complaint"
    assert queries.is_suppressed("dana@brightoak.example", personal=True)
    forged = data.replace(addresses.local_part("bounce", asked.id)[-4:], "0000").replace("<c@isp>", "<d@isp>")
    deliver(forged.encode(), to="abuse@mail.wordback.example")
    assert db.session.scalar(select(func.count()).select_from(Suppression)) == 1


def test_the_same_mail_twice_is_stored_once(deliver, asked, heard):
    first, second = (deliver(raw("Hello there"), message=asked) for _ in range(2))
    assert (first.json, second.json) == ({"stored": True}, {"stored": False})
    assert len(replies(heard)) == 1


def test_a_mail_without_a_token_is_kept_as_unmatched(deliver, asked, heard):
    deliver(raw("9"), to="hello@mail.wordback.example")
    kept = only()
    assert (kept.kind, kept.account_id) == ("unmatched", HOUSE)
    assert not replies(heard)


def test_a_reply_that_only_names_our_message_is_told_with_what_is_known(deliver, asked, heard):
    deliver(raw("9", In_Reply_To=f"<{asked.rfc_message_id}>"), to="hello@mail.wordback.example")
    (event,) = replies(heard)
    assert (event.token_kind, event.from_known, event.score, event.ref_id) == ("", True, None, asked.ref_id)
    deliver(
        raw("Hi", References=f"<{asked.rfc_message_id}>").replace(b"Dana@", b"evil@").replace(b"<x@", b"<y@"),
        to="hello@mail.wordback.example",
    )
    assert [event.from_known for event in replies(heard)] == [True, False]
    with tenancy.unscoped("tests look"):
        assert {row.account_id for row in db.session.scalars(select(InboundMail))} == {asked.account_id}


def test_an_early_report_waits_for_its_message(account, mail, deliver, run_jobs, clock, heard):
    message = mail("dana@brightoak.example", kind="survey", due_at=clock.now() + timedelta(minutes=7))
    deliver(REPORT.format(action="failed", status="5.1.1").encode(), "bounce", message, sender="")
    assert state_of(message) == S.QUEUED
    clock.move(minutes=8)
    run_jobs()
    clock.move(minutes=6)
    run_jobs()
    assert state_of(message) == S.BOUNCED


def test_a_reply_proves_that_an_unknown_message_left(account, mail, deliver, run_jobs, heard):
    message = mail("dana@brightoak.example", kind="survey")
    with tenancy.unscoped("a worker died"):
        db.session.execute(sending.update(Message).values(state="unknown", first_try_at=product_clock.now()))
    deliver(raw("Out of office", Auto_Submitted="auto-replied"), message=message)
    assert state_of(message) == S.SENT


def test_nothing_is_ever_answered(deliver, asked, run_jobs):
    before = db.session.scalar(select(func.count()).select_from(MailboxMail))
    for number, data in enumerate((raw("Hello"), raw("away", Auto_Submitted="auto-replied"), raw("stop"))):
        deliver(data.replace(b"<x@", b"<%d@" % number), message=asked)
    assert db.session.scalar(select(func.count()).select_from(MailboxMail)) == before


def test_the_door_wants_its_secret_a_recipient_and_a_mail(client, asked):
    to = {"X-Envelope-To": "a@b.example"}
    kind = {"Content-Type": "message/rfc822"}
    refused = client.post("/in/mail", data=b"x", headers={**to, **kind})
    assert (refused.status_code, refused.mimetype, refused.get_json()["code"]) == (401, "application/problem+json", "unauthorized")
    assert client.post("/in/mail", data=b"x", headers={**to, **kind, "Authorization": "Bearer no"}).status_code == 401
    assert client.post("/in/mail", data=b"x", headers={**SECRET, **kind}).status_code == 400
    assert client.post("/in/mail", data=b"x", headers={**SECRET, **to, "Content-Type": "text/plain"}).status_code == 415
    assert client.get("/in/mail").status_code == 405


def test_a_huge_mail_is_kept_as_its_head(deliver, asked, heard):
    deliver(raw("x" * (11 * 1024 * 1024)), message=asked)
    kept = only()
    assert len(kept.raw) <= 64 * 1024
    assert kept.from_email == "dana@brightoak.example"
    assert replies(heard)[0].text == ""


def test_raw_mail_is_forgotten_after_thirty_days(deliver, asked, run_jobs, clock):
    deliver(raw("Hello"), message=asked)
    clock.move(days=31)
    outbox.enqueue("delivery.tidy", {})
    run_jobs()
    db.session.expire_all()
    assert only().raw is None
    assert only().text == "Hello"
