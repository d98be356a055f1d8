"""From a start to mails in the mailbox, and everything that may come between."""

import email
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.policy import default
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from nps.accounts.models import AuditEntry
from nps.billing import queries as billing
from nps.campaigns import queries, service
from nps.campaigns.errors import AlreadyStarted, AudienceGrew, NotReady, NumberNotTyped, WrongState
from nps.campaigns.models import Campaign, Invitation
from nps.campaigns.rules import limits
from nps.contacts import service as contacts
from nps.contacts.models import Contact
from nps.core import clock as product_clock
from nps.core import ids
from nps.core.db import db
from nps.core.errors import Invalid
from nps.delivery import service as delivery
from nps.delivery.events import MessageReceipt
from nps.delivery.models import MailboxMail, Message
from nps.jobs.models import Job
from tests.campaigns.factories import campaign_with, make_contact

TUESDAY = datetime(2026, 10, 6, 14, 0, tzinfo=UTC)  # 10:00 in New York


def people(count: int, **fields: Any) -> list[Contact]:
    return [make_contact(f"Dana Number{n}", email=f"p{n}@a.example", **fields) for n in range(count)]


def mails() -> list[MailboxMail]:
    return list(db.session.scalars(select(MailboxMail).order_by(MailboxMail.number)))


def mails_to() -> Counter[str]:
    return Counter(mail.rcpt_to for mail in mails())


def states(campaign: Campaign) -> Counter[tuple[str, str | None]]:
    rows = db.session.execute(select(Invitation.state, Invitation.reason).where(Invitation.campaign_id == campaign.id)).all()
    return Counter((row[0], row[1]) for row in rows)


def invitation_of(contact: Contact, campaign: Campaign) -> Invitation:
    return db.session.scalars(select(Invitation).where(Invitation.contact_id == contact.id, Invitation.campaign_id == campaign.id)).one()


def started(name: str = "Autumn", **fields: Any) -> Campaign:
    campaign = campaign_with(name, **{"send_now": True, **fields})
    service.launch(campaign.id, by_name="Ines Marchetti")
    return campaign


def let_pass(clock: Any, run_jobs: Any, steps: int, **step: float) -> None:
    """Time goes by in steps (minutes, if nothing is said), with the clock's jobs run at each."""
    for _ in range(steps):
        service.tick()
        run_jobs()
        clock.move(**(step or {"minutes": 1}))


def test_a_launch_reaches_everybody_once_with_eleven_links_and_the_right_headers(account: Any, clock: Any, run_jobs: Any) -> None:
    clock.at(TUESDAY)
    crowd = people(3, company="Bright Oak")
    campaign = started()
    run_jobs()
    assert mails_to() == {f"p{n}@a.example": 1 for n in range(3)}
    assert states(campaign) == {("asked", None): 3}
    mail = next(m for m in mails() if m.rcpt_to == "p0@a.example")
    parsed = email.message_from_bytes(mail.data, policy=default)
    assert parsed["Subject"] == "Dana, how are we doing?"
    assert parsed["From"].startswith("Ines at Larkfield <larkfield@")
    assert parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    row = invitation_of(crowd[0], campaign)
    link = f"http://localhost/s/{ids.sign('survey', account.id, row.id)}"
    for kind in ("plain", "html"):
        text = parsed.get_body((kind,)).get_content()  # type: ignore[attr-defined]
        assert re.findall(rf"{re.escape(link)}\?score=(\d+)", text) == [str(n) for n in range(11)]
        assert "48 Quay Street" in text
        assert "Hi Dana," in text
        assert "at most once every 90 days" in text
    assert len(mail.data) < 30 * 1024
    assert row.survey_version_id is not None
    assert row.asked_properties["company"] == "Bright Oak"
    assert crowd[0].last_asked_at == row.asked_at
    assert row.expires_at == row.asked_at + timedelta(days=30)
    assert row.remind_at == row.asked_at + timedelta(days=5)


def test_what_was_known_when_asked_stays_known(account: Any, run_jobs: Any) -> None:
    dana = people(1)[0]
    dana.properties = {"plan": "Starter"}
    campaign = started()
    run_jobs()
    dana.properties = {"plan": "Growth"}
    db.session.flush()
    assert invitation_of(dana, campaign).asked_properties["plan"] == "Starter"


def test_two_starts_make_one_wave(account: Any, run_jobs: Any) -> None:
    people(4)
    campaign = started()
    with pytest.raises(AlreadyStarted):
        service.launch(campaign.id)
    run_jobs()
    with pytest.raises(AlreadyStarted):
        service.launch(campaign.id)
    assert campaign.wave == 1
    assert set(mails_to().values()) == {1}


def test_a_list_grown_by_more_than_a_fifth_since_confirmation_sends_nothing(account: Any, run_jobs: Any) -> None:
    people(100)
    campaign = campaign_with("Autumn", send_now=True)
    for n in range(21):
        make_contact("New", email=f"new{n}@a.example")
    with pytest.raises(AudienceGrew, match="You confirmed 100 people; 121 match now. Nothing was sent."):
        service.launch(campaign.id, matched=100)
    run_jobs()
    assert not mails()
    assert campaign.state == "draft"


def test_a_fifth_more_is_let_through(account: Any, run_jobs: Any) -> None:
    people(12)
    campaign = campaign_with("Autumn", send_now=True)
    service.launch(campaign.id, matched=10)
    assert campaign.state == "running"


def test_over_a_thousand_people_the_number_is_typed(account: Any, monkeypatch: Any) -> None:
    people(6)
    monkeypatch.setattr(limits, "TYPED_OVER", 5)
    campaign = campaign_with("Autumn", send_now=True)
    for typed in ("", "five", "4", "60"):
        with pytest.raises(NumberNotTyped, match="6 people|will be asked, 6") as refused:
            service.launch(campaign.id, typed=typed)
        assert "typed" in refused.value.fields
    service.launch(campaign.id, typed="6")
    assert campaign.state == "running"


def test_nobody_to_ask_is_refused_with_the_reasons(account: Any) -> None:
    for contact in people(3):
        contact.last_asked_at = contact.created_at
    delivery.suppress("p0@a.example", "unsubscribed", "link")
    db.session.flush()
    campaign = campaign_with("Autumn")
    with pytest.raises(NotReady) as refused:
        service.launch(campaign.id)
    assert refused.value.message == (
        "Nobody can be asked now: 2 were asked less than 90 days ago, 1 has stopped survey emails. Nothing was sent."
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"postal_address": " "}, "postal address"),
        ({"sender_name": "", "sender_email": ""}, "no sender"),
        ({"state": "unverified"}, "Confirm your email address"),
        ({"state": "read_only"}, "cannot send at the moment"),
    ],
)
def test_a_start_is_blocked_until_the_account_is_ready(account: Any, change: dict[str, str], words: str) -> None:
    people(1)
    for name, value in change.items():
        setattr(account, name, value)
    db.session.flush()
    campaign = campaign_with("Autumn")
    with pytest.raises(NotReady, match=words):
        service.launch(campaign.id)


def test_pause_in_the_middle_then_resume_asks_nobody_twice(account: Any, run_jobs: Any) -> None:
    people(30)
    campaign = started()
    service.plan(campaign.id, 1, batch=20)
    service.write_due(limit=8)
    service.pause(campaign.id)
    run_jobs()
    assert not mails()
    service.resume(campaign.id)
    run_jobs()
    assert len(mails_to()) == 30
    assert set(mails_to().values()) == {1}
    assert states(campaign) == {("asked", None): 30}


def test_a_stop_calls_off_what_is_not_sent_and_is_final(account: Any, run_jobs: Any) -> None:
    people(10)
    campaign = started(spread_days=2)
    run_jobs()
    assert len(mails()) == 5
    service.stop(campaign.id)
    assert states(campaign) == {("asked", None): 5, ("cancelled", "cancelled"): 5}
    with pytest.raises(WrongState):
        service.resume(campaign.id)
    run_jobs()
    assert len(mails()) == 5
    assert all(row.remind_at is None for row in db.session.scalars(select(Invitation)))


def test_stopping_with_closed_links_ends_them_at_once(account: Any, run_jobs: Any) -> None:
    people(2)
    campaign = started()
    run_jobs()
    service.stop(campaign.id, close_links=True)
    assert states(campaign) == {("expired", None): 2}


def test_a_stop_by_the_person_between_planning_and_sending_holds(account: Any, run_jobs: Any) -> None:
    crowd = people(3)
    campaign = started()
    service.plan(campaign.id, 1)
    delivery.suppress("p0@a.example", "unsubscribed", "link")
    service.write_due()
    delivery.suppress("p1@a.example", "unsubscribed", "link")
    run_jobs()
    assert mails_to() == {"p2@a.example": 1}
    assert states(campaign) == {("asked", None): 1, ("skipped", "unsubscribed"): 2}
    assert crowd[0].last_asked_at is None


def test_an_open_case_holds_a_person_until_it_is_closed(account: Any, clock: Any, run_jobs: Any) -> None:
    crowd = people(2)
    campaign = started()
    service.plan(campaign.id, 1)
    service.write_due()
    contacts.hold(crowd[0].id, "open_case")
    run_jobs()
    assert mails_to() == {"p1@a.example": 1}
    assert invitation_of(crowd[0], campaign).reason == "open_case"
    contacts.release(crowd[0].id, "open_case")
    clock.move(hours=25)
    run_jobs()
    assert mails_to() == {"p0@a.example": 1, "p1@a.example": 1}


def test_five_campaigns_with_one_common_contact_send_one_message_in_ninety_days(account: Any, clock: Any, run_jobs: Any) -> None:
    clock.at(TUESDAY)
    people(1)
    campaigns = [started(f"C{n}", reminder_days=None) for n in range(5)]
    for _ in range(100):
        service.tick()
        run_jobs()
        clock.move(days=1)
    assert len(mails()) == 1
    assert sum(states(c)[("asked", None)] + states(c)[("expired", None)] for c in campaigns) == 1
    lapsed = db.session.scalars(select(Invitation).where(Invitation.reason == "lapsed")).all()
    assert [(row.state, row.held_by) for row in lapsed] == [("skipped", "throttled")] * 4


def test_a_campaign_is_finished_when_nothing_is_left_and_links_expire_in_time(account: Any, clock: Any, run_jobs: Any) -> None:
    clock.at(TUESDAY)
    people(2)
    campaign = started(reminder_days=None)
    run_jobs()
    service.tick()
    run_jobs()
    assert campaign.state == "finished"
    clock.move(days=31)
    service.tick()
    run_jobs()
    assert states(campaign) == {("expired", None): 2}


def test_the_reminder_goes_once_to_the_silent_in_the_thread_of_the_first_mail(account: Any, clock: Any, run_jobs: Any) -> None:
    clock.at(TUESDAY)
    crowd = people(7)
    campaign = started(send_now=False)
    run_jobs()
    let_pass(clock, run_jobs, 61)
    assert len(mails()) == 7
    silent, answered, picked, replied, stopped, held, unpicked = crowd
    service.mark_answered(invitation_of(answered, campaign).id, clock.now())
    service.note_pick(invitation_of(picked, campaign).id, clock.now())
    service.note_pick(invitation_of(unpicked, campaign).id, clock.now())
    service.note_pick(invitation_of(unpicked, campaign).id, None)
    invitation_of(replied, campaign).replied_at = clock.now()
    delivery.suppress(str(stopped.email), "unsubscribed", "link")
    contacts.hold(held.id, "open_case")
    clock.at(TUESDAY + timedelta(days=6))
    let_pass(clock, run_jobs, 1)
    assert len(mails()) == 7
    clock.at(TUESDAY + timedelta(days=6, hours=23))  # 09:00 in New York, a week later
    let_pass(clock, run_jobs, 121)
    later = mails()[7:]
    assert sorted(m.rcpt_to for m in later) == ["p0@a.example", "p6@a.example"]
    first = next(m for m in mails() if m.rcpt_to == "p0@a.example")
    parsed = email.message_from_bytes(next(m for m in later if m.rcpt_to == "p0@a.example").data, policy=default)
    assert parsed["References"] == f"<{first.message_id.strip('<>')}>"
    assert not parsed["Subject"].lower().startswith("re:")
    row = invitation_of(silent, campaign)
    assert row.reminded_at is not None
    assert row.expires_at == row.reminded_at + timedelta(days=30)
    local = row.reminded_at.astimezone(ZoneInfo("America/New_York"))
    assert local.weekday() in (1, 2, 3)
    assert 9 <= local.hour < 11
    assert invitation_of(picked, campaign).reason == "picked"
    assert invitation_of(replied, campaign).reason == "replied"
    assert invitation_of(held, campaign).reason == "open_case"
    assert invitation_of(stopped, campaign).state == "declined"


def test_a_mail_that_bounces_leaves_the_invitation_undelivered(account: Any, run_jobs: Any) -> None:
    dana = people(1)[0]
    campaign = started()
    run_jobs()
    row = invitation_of(dana, campaign)
    message = db.session.scalars(select(Message).where(Message.ref_id == row.id)).one()
    assert row.asked_at is not None
    service.note_receipt(
        MessageReceipt(account.id, message.id, "invitation", row.id, dana.id, "survey", "bounced", "bounced", row.asked_at)
    )
    db.session.expire_all()
    assert (row.state, row.reason, row.remind_at) == ("undelivered", "bounced", None)


def test_an_answer_that_overtakes_the_sender_stays_an_answer(account: Any, run_jobs: Any) -> None:
    dana = people(1)[0]
    campaign = started()
    service.plan(campaign.id, 1)
    service.write_due()
    row = invitation_of(dana, campaign)
    service.mark_answered(row.id, row.created_at)
    run_jobs()
    db.session.expire_all()
    assert row.state == "answered"


def test_a_scheduled_campaign_starts_at_its_time(account: Any, clock: Any, run_jobs: Any) -> None:
    clock.at(TUESDAY)
    people(2)
    campaign = campaign_with("Autumn", send_now=True)
    with pytest.raises(Invalid, match="That start lies in the past: 6 October, 09:59"):
        service.launch(campaign.id, at=TUESDAY - timedelta(minutes=1))
    service.launch(campaign.id, at=TUESDAY + timedelta(hours=3))
    assert campaign.state == "scheduled"
    service.tick()
    run_jobs()
    assert not mails()
    clock.move(hours=3, minutes=1)
    service.tick()
    run_jobs()
    assert len(mails()) == 2


def test_a_scheduled_start_over_a_grown_audience_goes_back_to_the_draft(account: Any, clock: Any, run_jobs: Any) -> None:
    clock.at(TUESDAY)
    people(10)
    campaign = campaign_with("Autumn", send_now=True)
    service.launch(campaign.id, at=TUESDAY + timedelta(hours=3))
    for n in range(3):
        make_contact("New", email=f"new{n}@a.example")
    clock.move(hours=4)
    service.tick()
    run_jobs()
    assert not mails()
    assert (campaign.state, campaign.notice) == ("draft", "You confirmed 10 people; 13 match now. Nothing was sent.")


def test_one_contact_is_asked_through_the_same_gates(account: Any, clock: Any, run_jobs: Any) -> None:
    crowd = people(4)
    campaign = service.create("After onboarding", kind="event")
    campaign.send_now = True
    with pytest.raises(WrongState):
        service.invite_one(crowd[0].id, campaign.id)
    service.launch(campaign.id)
    crowd[1].last_asked_at = clock.now() - timedelta(days=3)
    delivery.suppress("p2@a.example", "bounced", "bounce")
    db.session.flush()
    assert service.invite_one(crowd[0].id, campaign.id).planned
    assert service.invite_one(crowd[1].id, campaign.id).reason == "throttled"
    assert service.invite_one(crowd[2].id, campaign.id).reason == "bounced"
    run_jobs()
    assert mails_to() == {"p0@a.example": 1}
    assert states(campaign)[("skipped", "throttled")] == 1


def test_asking_one_contact_of_a_running_wave_twice_says_already_invited(account: Any, clock: Any, run_jobs: Any) -> None:
    people(2)
    campaign = started()
    run_jobs()
    clock.move(seconds=5)
    late = make_contact("Late", email="late@a.example")
    reply = service.invite_one(late.id, campaign.id)
    assert reply.planned
    assert service.invite_one(late.id, campaign.id).reason == "already_invited"
    run_jobs()
    assert mails_to()["late@a.example"] == 1


def test_a_test_mail_is_marked_works_and_counts_nowhere(account: Any, run_jobs: Any) -> None:
    people(2)
    campaign = campaign_with("Autumn")
    sent = service.send_test(campaign.id, ["ines@larkfield.example", "dana@gmail.test"])
    assert sent.said == "Tests go to members of this account. dana@gmail.test was left out; the 1 other was sent."
    run_jobs()
    assert mails_to() == {"ines@larkfield.example": 1}
    parsed = email.message_from_bytes(mails()[0].data, policy=default)
    assert parsed["Subject"].startswith("[Test] ")
    row = db.session.scalars(select(Invitation)).one()
    assert row.is_test
    assert queries.get_invitation(row.id).state == "asked"
    assert row.remind_at is None
    service.launch(campaign.id)
    run_jobs()
    assert campaign.state == "running"


def test_tests_go_to_nobody_else_and_not_without_end(account: Any) -> None:
    campaign = campaign_with("Autumn")
    with pytest.raises(Invalid, match="dana@gmail.test was left out; nothing was sent"):
        service.send_test(campaign.id, ["dana@gmail.test"])
    with pytest.raises(Invalid, match="6 addresses are too many"):
        service.send_test(campaign.id, [f"a{n}@b.example" for n in range(6)])
    with pytest.raises(Invalid, match="not-an-address"):
        service.send_test(campaign.id, ["not-an-address"])
    for _ in range(20):
        service.send_test(campaign.id, ["ines@larkfield.example"])
    with pytest.raises(Invalid, match="20 went in the last hour"):
        service.send_test(campaign.id, ["ines@larkfield.example"])


def test_an_erased_person_is_called_off_and_forgotten(account: Any, run_jobs: Any) -> None:
    crowd = people(2)
    campaign = started()
    service.plan(campaign.id, 1)
    service.write_due()
    contacts.erase(crowd[0].id, by="Ines")
    run_jobs()
    assert mails_to() == {"p1@a.example": 1}
    assert states(campaign) == {("asked", None): 1, ("cancelled", "erased"): 1}
    assert invitation_of(crowd[0], campaign).asked_properties == {}


def test_planned_skipped_asked_and_the_rest_are_the_audience_whatever_happened(account: Any, clock: Any, run_jobs: Any) -> None:
    crowd = people(20)
    crowd[0].last_asked_at = clock.now()
    delivery.suppress("p1@a.example", "blocked", "member")
    db.session.flush()
    campaign = started(spread_days=3)
    run_jobs()
    delivery.suppress("p5@a.example", "unsubscribed", "link")
    service.stop(campaign.id)
    assert sum(states(campaign).values()) == 20


def test_jobs_run_twice_change_nothing(account: Any, run_jobs: Any) -> None:
    people(5)
    campaign = started()
    run_jobs()
    before = (mails_to(), states(campaign))
    for job in db.session.scalars(select(Job).where(Job.task.in_(("campaigns.plan", "campaigns.write", "campaigns.look_after")))):
        job.state, job.finished_at = "due", None
    run_jobs()
    assert (mails_to(), states(campaign)) == before


def test_more_than_twice_the_confirmed_daily_number_pauses_and_asks(account: Any, clock: Any, run_jobs: Any) -> None:
    clock.at(TUESDAY)
    people(40)
    campaign = started(send_now=False, spread_days=4)
    service.plan(campaign.id, 1)
    clock.move(days=8)  # the worker was away for all four days: a thousandfold morning
    service.tick()
    let_pass(clock, run_jobs, 13, minutes=10)
    assert (campaign.state, campaign.paused_reason) == ("paused", "daily_guard")
    assert not mails()
    service.resume(campaign.id)
    let_pass(clock, run_jobs, 120, minutes=60)
    assert set(mails_to().values()) == {1}
    assert sum(states(campaign).values()) == 40


def test_sends_are_in_the_audit_log(account: Any, run_jobs: Any) -> None:
    people(2)
    campaign = started(spread_days=2)
    service.pause(campaign.id, by_name="Ines Marchetti")
    service.resume(campaign.id, by_name="Ines Marchetti")
    service.stop(campaign.id, by_name="Tomás Rey")
    rows = db.session.scalars(select(AuditEntry).where(AuditEntry.object_kind == "campaign").order_by(AuditEntry.occurred_at)).all()
    assert [(row.action, row.actor) for row in rows] == [
        ("campaign.started", "Ines Marchetti"),
        ("campaign.paused", "Ines Marchetti"),
        ("campaign.resumed", "Ines Marchetti"),
        ("campaign.stopped", "Tomás Rey"),
    ]


def test_a_plan_that_is_used_up_starts_no_new_wave(account: Any, monkeypatch: Any) -> None:
    people(2)
    campaign = campaign_with("Autumn", send_now=True)
    monkeypatch.setattr(billing, "entitled", lambda name: 0)
    with pytest.raises(NotReady, match="used up"):
        service.launch(campaign.id)


def test_the_plan_counts_first_mails_and_reminders_but_no_tests_and_nothing_that_waits(account: Any, clock: Any, run_jobs: Any) -> None:
    clock.at(TUESDAY)

    def used() -> int:
        return {meter.key: meter.used for meter in billing.meters(product_clock.now())}["emails"]

    people(3)
    campaign = started(send_now=False)
    service.send_test(campaign.id, ["ines@larkfield.example"])
    assert used() == 0
    let_pass(clock, run_jobs, 61)
    assert len(mails()) == 4
    assert used() == 3
    clock.at(TUESDAY + timedelta(days=6, hours=23))
    let_pass(clock, run_jobs, 121)
    assert used() == 6
    clock.move(days=40)
    assert used() == 0
