"""Messages from their row to the mail server's and back, on both databases."""

import email
from datetime import timedelta
from email.policy import default

import pytest
from sqlalchemy import func, select

from nps.core import clock as product_clock
from nps.core import events, ids, tenancy
from nps.core.db import db
from nps.delivery import addresses, queries
from nps.delivery import service as delivery
from nps.delivery.errors import WrongState
from nps.delivery.events import BatchPaused, MessagesAboutToLeave, MessagesSettled
from nps.delivery.models import HOUSE, AddressHealth, MailboxMail, MailLane, Message, ProviderPace, SendingState, Suppression
from nps.delivery.parcels import Hosts, Printer
from nps.delivery.rules import MessageState as S
from nps.delivery.service import sending
from nps.delivery.service.queueing import Draft
from nps.jobs import outbox
from nps.jobs.models import Job


def _now():
    return product_clock.now()


def _printer():
    return Printer(Hosts("http://localhost", "mail.wordback.example"))


def fresh(message: Message) -> Message:
    db.session.expire_all()
    return queries.get_message(message.id)


def states() -> dict[str, int]:
    return dict(db.session.execute(select(Message.state, func.count()).group_by(Message.state)).all())


def draft(to: str, first_name: str | None = "Dana") -> Draft:
    slots = {} if first_name is None else {"first_name": first_name}
    return Draft(key=f"invitation:{to}:1", to_email=to, contact_id=None, ref_kind="invitation", ref_id=ids.new_id(), slots=slots)


def drafts(count: int, local: str = "p") -> list[Draft]:
    return [draft(f"{local}{n}@x.example", f"P{n}") for n in range(count)]


@pytest.fixture
def heard(app):
    """Everything published while the test runs, by class."""
    found: dict[type, list] = {}
    table = {**events._Bus.table}
    for event in (MessagesSettled, BatchPaused):
        table[event] = [events.now(lambda published: found.setdefault(type(published), []).append(published))]
    before = events._Bus.table
    events.connect(table, outbox.enqueue)
    yield found
    events.connect(before, outbox.enqueue)


def test_a_message_reaches_the_mailbox_with_its_fixed_headers(account, mail, run_jobs):
    message = mail(references=["first@x.example"], stop_headers=True)
    run_jobs()
    assert fresh(message).state == S.SENT
    kept = db.session.scalars(select(MailboxMail)).one()
    parsed = email.message_from_bytes(kept.data, policy=default)
    assert parsed["Message-ID"] == f"<{message.id.hex}@mail.wordback.example>" == f"<{message.rfc_message_id}>"
    assert kept.message_id == parsed["Message-ID"]
    assert parsed["X-Wordback-Message"] == str(message.id)
    assert parsed["References"] == "<first@x.example>"
    assert parsed["Date"].datetime.replace(microsecond=0) == fresh(message).first_try_at.replace(microsecond=0)
    reply = addresses.read(parsed["Reply-To"])
    bounce = addresses.read(kept.mail_from)
    assert reply == addresses.Token("reply", message.id)
    assert bounce == addresses.Token("bounce", message.id)
    assert ids.unsign("stop", parsed["List-Unsubscribe"].split("/u/")[1].split(">")[0]) == (account.id, message.id)


def test_a_wave_is_sent_once_to_each_with_own_links(account, template, sink, run_jobs, heard):
    batch = delivery.open_batch()
    wave = drafts(120)
    for _ in range(2):
        delivery.queue_many(wave, kind="survey", priority=delivery.PRIORITY_ONE_TIME, template=template(), batch_id=batch)
    run_jobs()
    assert states() == {S.SENT: 120}
    assert sorted(sink.recipients()) == sorted(draft.to_email for draft in wave)
    assert len({row["message_id"] for row in sink.rows()}) == 120
    told = [fate for event in heard[MessagesSettled] for fate in event.sent]
    assert {fate.ref_id for fate in told} == {draft.ref_id for draft in wave}
    assert len(told) == 120
    for data, row in zip(sink.messages, sink.rows(), strict=True):
        draft = next(d for d in wave if d.to_email == row["to"])
        text = email.message_from_bytes(data, policy=default).get_body(("plain",)).get_content()
        token = text.split("/s/")[1].split()[0]
        assert ids.unsign("survey", token) == (account.id, draft.ref_id)
        assert text.startswith(f"Hi {draft.slots['first_name']}")


OUTCOMES = [
    # recipient, state, reason, suppressed for, soft bounces
    ("x+451@x.example", S.DEFERRED, "retrying", None, 0),
    ("x+421-at-rcpt@x.example", S.DEFERRED, "retrying", None, 0),
    ("x+450-4.2.1@x.example", S.DEFERRED, "retrying", None, 0),
    ("x+452-4.2.2@x.example", S.DEFERRED, "mailbox_full", None, 1),
    ("x+550-5.1.1@x.example", S.FAILED, "bounced", "bounced", 0),
    ("x+551-5.1.6@x.example", S.FAILED, "bounced", "bounced", 0),
    ("x+550-unknown@x.example", S.FAILED, "bounced", "bounced", 0),
    ("x+550-5.1.1-blocked@x.example", S.FAILED, "refused", None, 1),
    ("x+552@x.example", S.DEFERRED, "mailbox_full", None, 1),
    ("x+550-5.7.1@x.example", S.FAILED, "refused", None, 0),
    ("x+554@x.example", S.FAILED, "refused", None, 0),
    ("x+451-at-data@x.example", S.DEFERRED, "retrying", None, 0),
    ("x+drop-at-rcpt@x.example", S.DEFERRED, "retrying", None, 0),
    ("x+drop-at-data@x.example", S.DEFERRED, "retrying", None, 0),
    ("x+silent@x.example", S.DEFERRED, "retrying", None, 0),
    ("x+451-at-dot@x.example", S.DEFERRED, "retrying", None, 0),
    ("x+550-5.1.1-at-dot@x.example", S.FAILED, "bounced", "bounced", 0),
    ("x+554-5.7.1-at-dot@x.example", S.FAILED, "refused", None, 0),
    ("x+drop-after-dot@x.example", S.UNKNOWN, "unknown", None, 0),
    ("x+silent-after-dot@x.example", S.UNKNOWN, "unknown", None, 0),
    ("fine@x.example", S.SENT, "", None, 0),
]


def test_every_row_of_the_outcome_table(account, mail, sink, run_jobs, heard):
    messages = {to: mail(to) for to, *_ in OUTCOMES}
    run_jobs()
    for to, state, reason, suppressed, soft in OUTCOMES:
        message = fresh(messages[to])
        assert (message.state, message.reason) == (state, reason), to
        assert message.lease_token is None
        stop = queries.find_suppressions([to]).get(to)
        assert (stop.reason if stop else None) == suppressed, to
        health = queries.find_health(to)
        assert (health.soft_in_a_row if health else 0) == soft, to
    taken = sink.recipients()
    assert len(taken) == len(set(taken))
    assert set(taken) == {to for to, state, *_ in OUTCOMES if state in (S.SENT, S.UNKNOWN)}
    told = {
        name: {fate.message_id for event in heard[MessagesSettled] for fate in getattr(event, name)}
        for name in ("sent", "unknown", "failed", "deferred")
    }
    for to, state, *_ in OUTCOMES:
        assert messages[to].id in told[state.value]


def test_a_protocol_error_is_tried_once_more_on_a_new_connection_and_then_fails(account, mail, sink, run_jobs):
    stubborn, once = mail("x+503@x.example"), mail("x+once-503@x.example")
    run_jobs()
    assert (fresh(stubborn).state, fresh(stubborn).reason, fresh(stubborn).tries) == (S.FAILED, "protocol", 2)
    assert (fresh(once).state, fresh(once).tries) == (S.SENT, 2)
    assert sink.connections >= 2


def test_a_deferred_message_is_tried_at_its_times_keeps_its_date_and_is_given_up_after_72_hours(account, mail, sink, run_jobs, clock):
    message = mail("x+451@x.example")
    run_jobs()
    first = fresh(message).first_try_at
    waits = []
    for _ in range(200):
        due = fresh(message)
        if due.state != S.DEFERRED:
            break
        waits.append((due.due_at - clock.now()).total_seconds() / 60)
        clock.at(due.due_at + timedelta(seconds=11))
        run_jobs()
    assert [round(wait / base, 1) for wait, base in zip(waits, [5, 15, 30, 60, 60], strict=False)] == pytest.approx(
        [1, 1, 1, 1, 1], abs=0.21
    )
    ended = fresh(message)
    assert (ended.state, ended.reason, ended.first_try_at) == (S.FAILED, "gave_up", first)
    assert timedelta(hours=70) < clock.now() - first < timedelta(hours=73)
    assert 65 < ended.tries < 85
    assert not sink.rows()


def test_a_mailbox_that_is_full_counts_once_however_often_it_is_tried(account, mail, sink, run_jobs, clock):
    message = mail("x+552@x.example")
    for _ in range(8):
        run_jobs()
        clock.at(fresh(message).due_at + timedelta(seconds=11))
    assert fresh(message).tries >= 7
    assert queries.find_health("x+552@x.example").soft_in_a_row == 1


def test_six_soft_bounces_in_a_row_rest_the_address_and_a_delivery_in_between_does_not(account, mail, sink, run_jobs, clock):
    for number in range(6):
        mail("x+552@x.example")
        if number == 5:
            for _ in range(5):
                mail("y+552@x.example")
        run_jobs()
    assert queries.find_suppressions(["x+552@x.example"])["x+552@x.example"].reason == "soft_bounced"
    delivery.note_alive("y+552@x.example")
    mail("y+552@x.example")
    run_jobs()
    assert not queries.is_suppressed("y+552@x.example")
    clock.move(days=31)
    assert not queries.is_suppressed("x+552@x.example")


def test_a_stopped_address_is_not_mailed_however_it_is_spelled(account, mail, sink, run_jobs):
    delivery.suppress("Da.Na@gmail.com", "unsubscribed", "link")
    for to in ("dana@gmail.com", "DANA+news@googlemail.com", "d.a.n.a@gmail.com"):
        assert mail(to).state == S.DROPPED
    typed = mail("dana@gmail.com", kind="reply")
    run_jobs()
    assert sink.recipients() == ["dana@gmail.com"]
    assert fresh(typed).state == S.SENT
    delivery.suppress("dana@gmail.com", "complained", "complaint")
    assert mail("dana@gmail.com", kind="reply").state == S.DROPPED


def test_a_stop_that_comes_after_queueing_holds_and_tells(account, template, sink, run_jobs, heard):
    wave = drafts(3)
    delivery.queue_many(wave, kind="survey", priority=3, template=template(), batch_id=delivery.open_batch())
    delivery.suppress("P1@x.example", "unsubscribed", "one_click")
    run_jobs()
    assert sorted(sink.recipients()) == ["p0@x.example", "p2@x.example"]
    dropped = [fate for event in heard[MessagesSettled] for fate in event.dropped]
    assert [(fate.ref_id, fate.reason) for fate in dropped] == [(wave[1].ref_id, "unsubscribed")]


def test_a_stop_between_claim_and_intent_is_read_in_the_intent(account, template, app):
    """What `suppress` cannot drop because it does not know the spelling is caught in the last moment."""
    delivery.queue_many(drafts(2), kind="survey", priority=3, template=template(), batch_id=None)
    db.session.commit()
    with tenancy.unscoped("as the sender does"):
        now = _now()
        books = sending.open_books(_printer())
        parcels = sending.claim(books, [account.id], 10, 10, now)
        db.session.commit()
        with tenancy.account_scope(account.id):
            db.session.add(
                Suppression(key="=p0@x.example", email="p0@x.example", scope="email", reason="bounced", source="test", since=now)
            )
            db.session.commit()
        going = sending.begin(books, parcels, now)
        db.session.commit()
    assert [parcel.to_email for parcel in going] == ["p1@x.example"]
    assert states() == {S.SENDING: 1, S.DROPPED: 1}


def test_a_stop_in_one_account_does_not_stop_another(account, rival, mail, sink, run_jobs):
    delivery.suppress("dana@brightoak.example", "unsubscribed", "link")
    with tenancy.account_scope(rival.id):
        mail()
    run_jobs()
    assert sink.recipients() == ["dana@brightoak.example"]


def test_pause_holds_resume_sends_the_rest_and_stop_drops(account, template, sink, run_jobs):
    batch, other = delivery.open_batch(), delivery.open_batch()
    delivery.queue_many(drafts(10), kind="survey", priority=3, template=template(), batch_id=batch)
    delivery.queue_many(drafts(5, "q"), kind="survey", priority=3, template=template(), batch_id=other)
    delivery.pause_batch(batch)
    run_jobs()
    assert len(sink.rows()) == 5
    assert queries.count_by_state(batch) == {S.QUEUED: 10}
    delivery.resume_batch(batch)
    run_jobs()
    assert len(sink.rows()) == 15
    third = delivery.open_batch()
    delivery.queue_many(drafts(4, "r"), kind="survey", priority=3, template=template(), batch_id=third)
    assert len(delivery.stop_batch(third)) == 4
    run_jobs()
    assert len(sink.rows()) == 15
    with pytest.raises(WrongState):
        delivery.resume_batch(third)


def test_a_pause_between_claim_and_intent_gives_the_claims_back(account, template, app):
    batch = delivery.open_batch()
    delivery.queue_many(drafts(3), kind="survey", priority=3, template=template(), batch_id=batch)
    db.session.commit()
    with tenancy.unscoped("as the sender does"):
        books = sending.open_books(_printer())
        parcels = sending.claim(books, [account.id], 10, 10, _now())
        with tenancy.account_scope(account.id):
            delivery.pause_batch(batch)
        assert sending.begin(books, parcels, _now()) == []
        db.session.commit()
    assert states() == {S.QUEUED: 3}


def test_three_refused_contents_pause_the_batch(account, template, sink, run_jobs, heard):
    batch = delivery.open_batch()
    wave = [Draft(f"k{n}", f"x{n}+554-5.7.1-at-dot@x.example", None, "invitation", ids.new_id(), {"first_name": "x"}) for n in range(60)]
    delivery.queue_many(wave, kind="survey", priority=3, template=template(), batch_id=batch)
    run_jobs()
    assert queries.get_batch(batch).state == "paused"
    assert queries.get_batch(batch).reason == "content_refused"
    assert [event.reason for event in heard[BatchPaused]] == ["content_refused"]
    counts = queries.count_by_state(batch)
    assert counts[S.QUEUED] > 0
    assert counts[S.FAILED] >= 3
    assert not db.session.scalars(select(Suppression)).all()


@pytest.mark.parametrize("sink_options", [{"mail": "550 5.7.1 not you"}])
def test_a_refused_sender_holds_the_account_but_no_other_thing(account, rival, mail, sink, run_jobs):
    for number in range(12):
        mail(f"p{number}@x.example")
    run_jobs()
    assert states() == {S.QUEUED: 12}
    state = db.session.scalars(select(SendingState)).one()
    assert (state.held, state.sender_refusals >= 3) == ("sender_not_ready", True)
    sink.mail = ""
    with tenancy.account_scope(rival.id):
        mail("r@x.example")
    run_jobs()
    assert sink.recipients() == ["r@x.example"]
    delivery.resume_account()
    run_jobs()
    assert len(sink.rows()) == 13


@pytest.mark.parametrize("sink_options", [{"greeting": "554 5.3.2 closed"}])
def test_a_server_that_is_down_puts_off_few_waits_a_minute_and_recovers(account, mail, sink, run_jobs, clock):
    for number in range(30):
        mail(f"p{number}@x.example")
    run_jobs()
    lane = db.session.scalars(select(MailLane)).one()
    assert (lane.state, lane.failures >= 5) == ("down", True)
    counts = states()
    assert counts[S.DEFERRED] <= 5
    assert counts[S.QUEUED] >= 25
    seen = sink.connections
    sink.greeting = ""
    clock.move(seconds=30)
    mail("later@x.example")
    run_jobs()
    assert sink.connections == seen
    clock.move(seconds=45)
    run_jobs()
    assert len(sink.rows()) >= 26
    clock.move(minutes=10)
    run_jobs()
    assert len(sink.rows()) == 31
    assert db.session.scalars(select(MailLane)).one().state == "up"


@pytest.mark.parametrize("sink_options", [{"login": ("me", "secret")}])
def test_a_server_that_wants_a_sign_in_is_no_end(account, mail, sink, run_jobs):
    mail()
    run_jobs()
    assert states() == {S.QUEUED: 1}


def test_a_temporary_refusal_slows_the_account_at_that_provider_only(account, mail, sink, run_jobs):
    mail("x+451@gmail.com")
    mail("fine@x.example")
    run_jobs()
    assert [(pace.provider, pace.slowed_to) for pace in db.session.scalars(select(ProviderPace))] == [("gmail", 5.0)]


def test_late_messages_lapse(account, mail, sink, run_jobs, heard, clock):
    message = mail(due_at=clock.now() + timedelta(minutes=10), lapses_at=clock.now() + timedelta(hours=1))
    clock.move(hours=2)
    run_jobs()
    assert (fresh(message).state, fresh(message).reason) == (S.DROPPED, "lapsed")
    assert [fate.reason for event in heard[MessagesSettled] for fate in event.dropped] == ["lapsed"]
    assert not sink.rows()


def test_a_message_due_later_waits_for_its_time(account, mail, sink, run_jobs, clock):
    mail(due_at=clock.now() + timedelta(minutes=10))
    run_jobs()
    assert not sink.rows()
    clock.move(minutes=10, seconds=11)
    run_jobs()
    assert len(sink.rows()) == 1


def test_dead_claims_come_back_and_dead_sendings_become_unknown_and_stay_so(account, template, sink, run_jobs, clock, heard):
    delivery.queue_many(drafts(4), kind="survey", priority=3, template=template(), batch_id=None)
    db.session.commit()
    with tenancy.unscoped("a sender that dies"):
        books = sending.open_books(_printer())
        parcels = sending.claim(books, [account.id], 10, 10, _now())
        sending.begin(books, parcels[:2], _now())
        db.session.commit()
    run_jobs()
    assert states() == {S.CLAIMED: 2, S.SENDING: 2}
    clock.move(seconds=75)
    run_jobs()
    assert states() == {S.SENT: 2, S.UNKNOWN: 2}
    assert sorted(sink.recipients()) == sorted(parcel.to_email for parcel in parcels[2:])
    unknown = [fate.message_id for event in heard[MessagesSettled] for fate in event.unknown]
    assert sorted(unknown) == sorted(parcel.id for parcel in parcels[:2])
    clock.move(days=7)
    run_jobs()
    assert len(sink.rows()) == 2
    with tenancy.unscoped("the dead one was only slow: its word still counts"):
        sending.settle(books, [(parcels[0], sending.Reply(sending.rules.Phase.DOT, 250, "ok"))], _now())
        db.session.commit()
    assert states() == {S.SENT: 3, S.UNKNOWN: 1}


def test_a_person_sends_an_unknown_message_again_with_the_same_id(account, mail, sink, run_jobs):
    message = mail("x+once-drop-after-dot@x.example")
    run_jobs()
    assert fresh(message).state == S.UNKNOWN
    assert delivery.send_again([message.id]) == 1
    run_jobs()
    assert fresh(message).state == S.SENT
    assert [row["message_id"] for row in sink.rows()] == [f"<{message.rfc_message_id}>"] * 2
    with pytest.raises(WrongState):
        delivery.send_again([message.id])


def test_a_row_that_cannot_be_made_into_a_mail_is_set_aside_and_stops_no_other(account, template, mail, sink, run_jobs):
    wave = [
        *drafts(2),
        Draft("bad", "bad@x.example", None, "invitation", ids.new_id(), {"first_name": "a\nBcc: e@e.example"}),
        Draft("gap", "gap@x.example", None, "invitation", ids.new_id(), {}),
    ]
    delivery.queue_many(wave, kind="survey", priority=3, template=template(), batch_id=None)
    run_jobs()
    assert states() == {S.SENT: 2, S.FAILED: 2}
    assert sorted(sink.recipients()) == ["p0@x.example", "p1@x.example"]


def test_a_listener_can_hold_a_message_back_in_the_last_moment(account, template, sink, run_jobs, clock):
    wave = drafts(3)
    delivery.queue_many(wave, kind="survey", priority=3, template=template(), batch_id=None)

    def listen(event):
        for fate in event.messages:
            if fate.ref_id == wave[0].ref_id:
                delivery.drop("answered", message_ids=[fate.message_id])
            if fate.ref_id == wave[1].ref_id:
                delivery.put_off([fate.message_id], "hard_floor", event.occurred_at + timedelta(hours=1))

    before = events._Bus.table
    events.connect({**before, MessagesAboutToLeave: [events.now(listen)]}, outbox.enqueue)
    try:
        run_jobs()
    finally:
        events.connect(before, outbox.enqueue)
    assert sink.recipients() == ["p2@x.example"]
    assert states() == {S.DROPPED: 1, S.QUEUED: 1, S.SENT: 1}
    clock.move(hours=1, seconds=11)
    run_jobs()
    assert sorted(sink.recipients()) == ["p1@x.example", "p2@x.example"]


def test_two_surveys_to_one_person_are_a_day_apart_whoever_asks(account, template, sink, run_jobs, clock, heard):
    first, second, other = draft("dana@gmail.com"), draft("d.ana+x@gmail.com"), draft("else@x.example")
    delivery.queue_many([first], kind="survey", priority=3, template=template(), batch_id=delivery.open_batch())
    delivery.queue_many([second, other], kind="reminder", priority=2, template=template(), batch_id=delivery.open_batch())
    delivery.queue_many([draft("Dana@gmail.com")], kind="test", priority=1, template=template(), batch_id=None)
    run_jobs()
    assert sorted(sink.recipients()) == sorted(["Dana@gmail.com", "d.ana+x@gmail.com", "else@x.example"])
    assert [fate.reason for event in heard[MessagesSettled] for fate in event.deferred] == ["hard_floor"]
    clock.move(hours=23)
    run_jobs()
    assert len(sink.rows()) == 3
    clock.move(hours=1, seconds=11)
    run_jobs()
    assert len(sink.rows()) == 4


def test_urgent_ones_first_and_accounts_in_turns(account, rival, template, mail, sink, run_jobs):
    delivery.queue_many(drafts(600), kind="survey", priority=delivery.PRIORITY_ONE_TIME, template=template(), batch_id=None)
    mail("urgent@x.example")
    with tenancy.account_scope(rival.id):
        mail("rival@x.example")
    run_jobs()
    order = sink.recipients()
    assert len(order) == 602
    assert order.index("urgent@x.example") < 150
    assert order.index("rival@x.example") < 150


def test_mail_of_the_house_needs_no_account(app, mail, sink, run_jobs):
    message = mail("ines@larkfield.example", kind="service")
    db.session.commit()
    run_jobs()
    assert sink.recipients() == ["ines@larkfield.example"]
    with tenancy.account_scope(HOUSE):
        assert queries.get_message(message.id).state == S.SENT


def test_too_many_bounces_pause_the_account_and_only_the_operator_resumes(account, mail, sink, run_jobs):
    for number in range(200):
        mail(f"x{number}+550-5.1.1@x.example" if number < 16 else f"p{number}@x.example")
    run_jobs()
    assert sending.sending_state().standing == "paused"
    mail("more@x.example")
    typed = mail("typed@x.example", kind="reply")
    run_jobs()
    assert "more@x.example" not in sink.recipients()
    assert fresh(typed).state == S.SENT
    delivery.resume_account()
    run_jobs()
    assert "more@x.example" in sink.recipients()


def test_below_200_recipients_nothing_is_concluded(account, mail, sink, run_jobs):
    for number in range(199):
        mail(f"x{number}+550-5.1.1@x.example" if number < 30 else f"p{number}@x.example")
    run_jobs()
    assert sending.sending_state().standing == "good"


def test_the_sweep_wakes_what_lost_its_job(account, mail, sink, run_jobs, app):
    mail()
    db.session.query(Job).delete()
    db.session.commit()
    run_jobs()
    assert not sink.rows()
    outbox.enqueue("delivery.sweep", {})
    run_jobs()
    assert len(sink.rows()) == 1


def test_health_rows_are_one_an_address(account, app):
    for _ in range(3):
        delivery.note_alive("Dana@x.example")
    assert db.session.scalar(select(func.count()).select_from(AddressHealth)) == 1
