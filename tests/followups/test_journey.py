"""A reply through the mailbox and back, the way a customer and a member see it."""

import email
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from sqlalchemy import select

from nps.campaigns.models import Invitation
from nps.core import tenancy
from nps.core.db import db
from nps.delivery import service as delivery
from nps.delivery.compose import Wording, mark
from nps.delivery.models import MailboxMail
from nps.followups import service as followups
from nps.followups.models import Case
from nps.followups.rules.states import CaseState
from tests.followups.conftest import Larkfield
from tests.followups.test_views import text_of

SECRET = "Bearer inbound secret of the tests"


def mailbox(to: str) -> list[EmailMessage]:
    """The mails somebody got, oldest first, as their program reads them."""
    with tenancy.unscoped("the test opens the mailbox"):
        rows = db.session.scalars(select(MailboxMail).where(MailboxMail.rcpt_to == to).order_by(MailboxMail.number)).all()
    return [email.message_from_bytes(row.data, policy=default) for row in rows]  # type: ignore[misc]


@pytest.fixture
def dana(larkfield: Larkfield, run_jobs: Any, clock: Any) -> tuple[Any, Case]:
    """Dana was asked by mail and answered 3."""
    contact = larkfield.contact("Dana Whitfield", email="dana@brightoak.example")
    response = larkfield.response(contact, 3, "The bank feed is down.", wants_reply=True)
    invitation = db.session.scalars(select(Invitation).where(Invitation.id == response.invitation_id)).one()
    invitation.state = "planned"
    wording = Wording(
        subject=mark("first_name", "there") + ", how are we doing?",
        text="Hi",
        html="<p>Hi</p>",
        from_name="Ines at Larkfield",
        from_email="larkfield@mail.wordback.example",
    )
    draft = delivery.Draft(
        f"invitation:{response.invitation_id}:1", contact.email, contact.id, "invitation", response.invitation_id, {"first_name": "Dana"}
    )
    delivery.queue_many([draft], kind="survey", priority=delivery.PRIORITY_ONE_TIME, template=delivery.add_template(wording), batch_id=None)
    run_jobs()
    invitation.state = "answered"
    case = followups.open_case(
        contact.id, response.id, started_at=response.verified_at, score=3, wants_reply=True, rule="the rule “Detractors”"
    )
    return contact, case


def send(browser: Any, case: Case, body: str) -> Any:
    return browser.form(f"/larkfield/cases/{case.id}/replies", {"body": body, "seen": case.last_number, "do": "send"})


def answer(browser: Any, to: EmailMessage, body: str, **headers: str) -> Any:
    """Dana presses Reply in her mail program."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Dana <dana@brightoak.example>", str(to["Reply-To"]), f"Re: {to['Subject']}"
    mail["Message-ID"], mail["In-Reply-To"], mail["References"] = "<one@brightoak.example>", str(to["Message-ID"]), str(to["Message-ID"])
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(f"{body}\n\nOn Monday Ines wrote:\n> We are on it.\n")
    address = str(to["Reply-To"]).strip("<>")
    sent = {
        "Authorization": SECRET,
        "X-Envelope-To": address,
        "X-Envelope-From": "dana@brightoak.example",
        "Content-Type": "message/rfc822",
    }
    return browser.post("/in/mail", data=bytes(mail), headers=sent)


def test_a_reply_threads_with_the_survey_and_its_answer_lands_in_the_case_once(
    dana: Any, signed_in: Any, run_jobs: Any, clock: Any
) -> None:
    contact, case = dana
    send(signed_in, case, "We are on it.\n\nInes")
    run_jobs()
    assert len(mailbox(contact.email)) == 1  # the survey; the reply is still in its hold
    clock.move(seconds=35)
    run_jobs()
    survey, reply = mailbox(contact.email)
    assert survey["Subject"] == "Dana, how are we doing?"
    assert reply["Subject"] == "Re: Dana, how are we doing?"
    assert reply["In-Reply-To"] == survey["Message-ID"]
    assert str(survey["Message-ID"]) in str(reply["References"])
    assert reply["From"].addresses[0].display_name == "Ines at Larkfield"
    assert "> The bank feed is down." in reply.get_body(("plain",)).get_content()
    for _ in range(2):
        assert answer(signed_in, reply, "Thanks, but it is still down.").status_code == 200
        run_jobs()
    db.session.refresh(case)
    assert (case.state, case.reply_clock) == (CaseState.WORKING, "next_reply")
    page = text_of(signed_in.get(f"/larkfield/cases/{case.id}"))
    assert page.count("Thanks, but it is still down.") == 1
    assert "Dana wrote" in page
    assert "On Monday Ines wrote" not in page
    send(signed_in, case, "Fixed at noon.")
    clock.move(seconds=35)
    run_jobs()
    again = mailbox(contact.email)[-1]
    assert again["In-Reply-To"] == "<one@brightoak.example>"
    assert [str(survey["Message-ID"]), str(reply["Message-ID"]), "<one@brightoak.example>"] == str(again["References"]).split()


def test_a_reply_undone_in_the_hold_never_reaches_the_mailbox(dana: Any, signed_in: Any, run_jobs: Any, clock: Any) -> None:
    contact, case = dana
    send(signed_in, case, "Too soon.")
    number = case.last_number
    clock.move(seconds=5)
    assert signed_in.form(f"/larkfield/cases/{case.id}/undo", {"number": number}).status_code == 303
    clock.move(minutes=5)
    run_jobs()
    assert len(mailbox(contact.email)) == 1
    assert (case.state, case.reply_clock) == (CaseState.NEW, "first_reply")


def test_an_out_of_office_stops_nothing_and_starts_nothing(dana: Any, signed_in: Any, run_jobs: Any, clock: Any) -> None:
    contact, case = dana
    send(signed_in, case, "We are on it.")
    clock.move(seconds=35)
    run_jobs()
    answer(signed_in, mailbox(contact.email)[-1], "I am away until Thursday.", Auto_Submitted="auto-replied")
    run_jobs()
    db.session.refresh(case)
    assert (case.state, case.reply_clock) == (CaseState.WAITING, None)
    assert "An answering machine wrote" in text_of(signed_in.get(f"/larkfield/cases/{case.id}"))


def test_a_bounced_reply_tells_the_owner_and_the_clock_never_stopped(dana: Any, signed_in: Any, run_jobs: Any, clock: Any) -> None:
    contact, case = dana
    due = case.due_at
    send(signed_in, case, "We are on it.")
    clock.move(seconds=35)
    run_jobs()
    reply = mailbox(contact.email)[-1]
    report = (
        "From: MAILER-DAEMON@mx.example\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n--b\r\n\r\nIt failed.\r\n--b\r\n'
        "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        "Final-Recipient: rfc822; dana@brightoak.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 user unknown\r\n\r\n--b--\r\n"
    )
    with tenancy.unscoped("the test reads the envelope"):
        row = db.session.scalars(
            select(MailboxMail).where(MailboxMail.rcpt_to == contact.email).order_by(MailboxMail.number.desc())
        ).first()
    assert reply["Reply-To"]
    headers = {"Authorization": SECRET, "X-Envelope-To": row.mail_from, "X-Envelope-From": "", "Content-Type": "message/rfc822"}
    assert signed_in.post("/in/mail", data=report.encode(), headers=headers).status_code == 200
    run_jobs()
    db.session.refresh(case)
    assert (case.state, case.reply_clock, case.due_at, case.met) == (CaseState.NEW, "first_reply", due, None)
    page = text_of(signed_in.get(f"/larkfield/cases/{case.id}"))
    assert "The reply did not arrive" in page
    assert "Did not arrive" in page
    assert "This address must not be mailed" in page
    assert any("A reply did not arrive" in str(mail["Subject"]) for mail in mailbox("ines@larkfield.example"))


def closing_links(contact: Any) -> dict[str, str]:
    """The two links under the closing letter, by their words."""
    body = mailbox(contact.email)[-1].get_body(("plain",)).get_content()
    return {line.split(": ")[0]: line.split(": ")[1].strip() for line in body.splitlines() if "/k/" in line}


def test_the_customer_says_whether_it_is_solved_and_not_yet_opens_it_again(
    dana: Any, signed_in: Any, client: Any, run_jobs: Any, clock: Any
) -> None:
    contact, case = dana
    fields = {"body": "It is fixed.", "seen": case.last_number, "ask_solved": "y"}
    fields |= {"cause": followups.NOT_CLEAR, "outcome": "fixed", "learning": "Banks change pages"}
    assert signed_in.form(f"/larkfield/cases/{case.id}/closure?reply=1", fields).status_code == 303
    clock.move(seconds=35)
    run_jobs()
    links = closing_links(contact)
    assert set(links) == {"Yes", "Not yet"}
    path = links["Not yet"].removeprefix("http://localhost")
    for _ in range(50):
        page = client.get(path)
    assert page.status_code == 200
    db.session.refresh(case)
    assert (case.state, case.solved) == (CaseState.CLOSED, None)
    token = path.partition("?")[0]
    assert "Good. Thank you" in text_of(client.post(token, data={"is": "yes"}))
    db.session.refresh(case)
    assert (case.state, case.solved) == (CaseState.CLOSED, "yes")
    assert "we are not done" in text_of(client.post(token, data={"is": "not_yet"}))
    client.post(token, data={"is": "not_yet"})
    db.session.refresh(case)
    assert (case.state, case.solved, case.reply_clock, case.reopened) == (CaseState.WORKING, "not_yet", "next_reply", 1)
    assert "Dana says it is not solved yet" in text_of(signed_in.get(f"/larkfield/cases/{case.id}"))
    assert client.get(token[:-3] + "abc").status_code == 404
