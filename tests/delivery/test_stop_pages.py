"""Stopping: a GET changes nothing, one press is enough, and it holds for every spelling."""

import pytest
from sqlalchemy import func, select

from nps.core import events, ids
from nps.core.db import db
from nps.delivery import queries
from nps.delivery import service as delivery
from nps.delivery.events import ContactSuppressed, SuppressionLifted, YearlyChosen
from nps.delivery.models import Message, Suppression
from nps.jobs import outbox

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def message(account, mail):
    return mail("dana@brightoak.example", kind="survey", stop_headers=True)


@pytest.fixture
def path(account, message):
    return f"/u/{ids.sign('stop', account.id, message.id)}"


@pytest.fixture
def heard(app):
    found = []
    before = events._Bus.table
    events.connect(
        {**before, **{kind: [events.now(found.append)] for kind in (ContactSuppressed, SuppressionLifted, YearlyChosen)}}, outbox.enqueue
    )
    yield found
    events.connect(before, outbox.enqueue)


def stops() -> int:
    return db.session.scalar(select(func.count()).select_from(Suppression).where(Suppression.lifted_at.is_(None))) or 0


def test_get_head_and_options_change_nothing(client, path, heard):
    for _ in range(20):
        page = client.get(path)
        assert page.status_code == 200
        assert "Stop survey emails to" in page.text
        assert "dana<wbr>@brightoak.example" in page.text
        assert client.head(path).status_code == 200
        client.options(path)
    assert stops() == 0
    assert heard == []


def test_one_press_stops_and_says_so(client, path, heard, account, message):
    page = client.post(path)
    assert page.status_code == 200
    assert "Done. No more survey emails." in page.text
    assert "Turn them back on" in page.text
    assert queries.is_suppressed("DANA@brightoak.example")
    assert [(event.reason, event.source, event.email) for event in heard] == [("unsubscribed", "link", "dana@brightoak.example")]
    assert "Done. No more survey emails." in client.get(path).text
    assert db.session.get(Message, (account.id, message.id)).state == "dropped"


def test_one_click_is_an_empty_200_the_hundredth_time_too(client, path, heard):
    for _ in range(100):
        answer = client.post(path, data={**ONE_CLICK, "more": "x"})
        assert (answer.status_code, answer.data) == (200, b"")
        assert "Set-Cookie" not in answer.headers
    assert stops() == 1
    assert [event.source for event in heard] == ["one_click"]


def test_one_click_as_multipart_counts_too(client, path):
    answer = client.post(path, data=ONE_CLICK, content_type="multipart/form-data")
    assert (answer.status_code, answer.data) == (200, b"")
    assert stops() == 1


def test_the_person_turns_them_back_on(client, path, heard):
    client.post(path, data=ONE_CLICK)
    page = client.post(f"{path}/on")
    assert "Survey emails are on" in page.text
    assert not queries.is_suppressed("dana@brightoak.example")
    assert [type(event).__name__ for event in heard] == ["ContactSuppressed", "SuppressionLifted"]
    assert "Stop survey emails to" in client.get(path).text
    client.post(path)
    assert queries.is_suppressed("dana@brightoak.example")


def test_a_complaint_is_not_taken_back_here(client, path):
    delivery.suppress("dana@brightoak.example", "complained", "complaint")
    page = client.post(f"{path}/on")
    assert "No more survey emails" in page.text
    assert queries.is_suppressed("dana@brightoak.example")


def test_once_a_year_is_told_and_can_be_taken_back(client, path, heard, clock):
    page = client.post(f"{path}/yearly")
    assert "Once a year at most" in page.text
    assert str(clock.now().year + 1) in page.text
    assert "Back to the usual pace" in page.text
    assert stops() == 0
    client.post(f"{path}/usual")
    assert [(type(event).__name__, event.on) for event in heard] == [("YearlyChosen", True), ("YearlyChosen", False)]


def test_a_bad_token_is_404_for_every_way(client, path, account, message):
    for bad in (path[:-1], path + "x", "/u/x", f"/u/{ids.sign('survey', account.id, message.id)}"):
        for answer in (client.get(bad), client.post(bad, data=ONE_CLICK), client.post(f"{bad}/on")):
            assert answer.status_code == 404
    assert stops() == 0


def test_a_stop_link_works_after_the_message_is_gone_and_says_nothing_is_left(client, path, account, message):
    delivery.erase_person(message.contact_id or ids.new_id(), ["dana@brightoak.example"])
    assert client.post(path, data=ONE_CLICK).status_code == 200
    page = client.get(path)
    assert page.status_code == 200
    assert "nothing left to stop" in page.text
    assert "dana@" not in page.text
    gone = f"/u/{ids.sign('stop', account.id, ids.new_id())}"
    assert client.post(gone, data=ONE_CLICK).status_code == 200


def test_stop_pages_are_not_cached_and_send_no_referrer(client, path):
    headers = client.get(path).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in headers["X-Robots-Tag"]


def test_erasing_leaves_a_hash_and_keeps_the_stop(account, mail, run_jobs):
    contact = ids.new_id()
    mail("dana@brightoak.example", contact_id=contact, text="Marker-Word")
    run_jobs()
    waiting = mail("dana@brightoak.example", contact_id=contact, text="Marker-Word")
    delivery.suppress("dana@brightoak.example", "unsubscribed", "link", contact_id=contact, note="Marker-Word")
    counts = delivery.erase_person(contact, ["dana@brightoak.example", "old@brightoak.example"])
    db.session.commit()
    assert counts["messages"] == 2
    assert counts["mailbox"] == 1
    assert queries.get_message(waiting.id).state == "dropped"
    assert queries.is_suppressed("Dana@BrightOak.example", personal=True)
    assert queries.is_suppressed("old@brightoak.example", personal=True)
    everything = ""
    for table in (Message, Suppression):
        everything += str(
            [{column.name: getattr(row, column.name) for column in table.__table__.columns} for row in db.session.scalars(select(table))]
        )
    for word in ("Marker-Word", "dana@", "old@"):
        assert word not in everything
