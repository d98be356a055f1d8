"""Many senders, one row each; a slow server and a mountain delay nobody else for long."""

import threading
import time

import pytest
from sqlalchemy import func, select

from nps.core import clock as product_clock
from nps.core import tenancy
from nps.core.db import db, unit
from nps.delivery import service as delivery
from nps.delivery.models import Message
from nps.delivery.parcels import Hosts, Printer
from nps.delivery.sender import Buckets
from nps.delivery.service import sending
from nps.delivery.tasks import Office
from tests.delivery.test_sending import draft, drafts


@pytest.mark.parametrize("claimers", [2, 8])
def test_claimers_on_the_same_rows_take_each_row_once(app, account, template, claimers):
    count = 600
    delivery.queue_many(drafts(count), kind="survey", priority=3, template=template(), batch_id=delivery.open_batch())
    db.session.commit()
    taken: list[list] = [[] for _ in range(claimers)]
    errors: list[Exception] = []

    def claim(mine: list) -> None:
        try:
            with app.app_context(), tenancy.unscoped("as the sender does"):
                books = sending.open_books(Printer(Hosts("http://localhost", "mail.example")))
                misses = 0
                while misses < 5:
                    with unit():
                        found = sending.claim(books, [account.id], 20, 20, product_clock.now())
                    mine.extend(parcel.id for parcel in found)
                    misses += not found
                db.session.remove()
        except Exception as problem:
            errors.append(problem)

    threads = [threading.Thread(target=claim, args=(mine,)) for mine in taken]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors
    everything = [one for mine in taken for one in mine]
    assert len(everything) == len(set(everything)) == count
    db.session.rollback()
    assert db.session.scalar(select(func.count(func.distinct(Message.lease_token)))) >= 1


def test_two_senders_at_once_send_each_mail_once(app, account, template, sink, run_jobs):
    """Two runs in two threads, each with connections of its own, as two workers would."""
    delivery.queue_many(drafts(300), kind="survey", priority=3, template=template(), batch_id=delivery.open_batch())
    db.session.commit()
    tenancy.leave()

    errors: list[Exception] = []

    def work() -> None:
        try:
            with app.app_context():
                Office().run()
                db.session.remove()
        except Exception as problem:
            errors.append(problem)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors
    ids = [row["message_id"] for row in sink.rows()]
    assert len(ids) == len(set(ids)) == 300


@pytest.mark.parametrize("sink_options", [{"pipelining": True}, {"pipelining": False}])
def test_a_silent_server_of_one_account_does_not_hold_up_another(account, rival, template, sink, run_jobs):
    """40 recipients of A whose server never answers, 100 mails of B: B's are through long before A's time limits are over."""
    silent = [draft(f"a{number}+silent@slow.example") for number in range(20)]
    delivery.queue_many(silent, kind="survey", priority=delivery.PRIORITY_EVENT, template=template(), batch_id=None)
    with tenancy.account_scope(rival.id):
        delivery.queue_many(drafts(100, "b"), kind="survey", priority=delivery.PRIORITY_ROLLING, template=template(), batch_id=None)
    began = time.time()
    run_jobs()
    came = sorted(row["at"] - began for row in sink.rows())
    assert len(came) == 100
    assert came[95] < 30  # the silent server's own limit is minutes


def test_a_mountain_of_one_account_does_not_hold_up_another(account, rival, template, mail, sink, run_jobs):
    delivery.queue_many(drafts(1500), kind="survey", priority=3, template=template(), batch_id=None)
    with tenancy.account_scope(rival.id):
        delivery.queue_many(drafts(1, "b"), kind="survey", priority=4, template=template(), batch_id=None)
    run_jobs()
    assert len(sink.rows()) == 1501
    assert sink.recipients().index("b0@x.example") < 300


def test_buckets_hold_a_pace():
    now = [0.0]
    buckets = Buckets(lambda: now[0])
    limits: list[tuple[object, float]] = [("all", 100.0), ("a", 20.0), ("p", 10.0)]
    gone = 0
    while now[0] < 10:
        wait = buckets.wait(limits)
        if wait:
            now[0] += wait + 0.0001
            continue
        buckets.take(limits)
        gone += 1
    assert 100 <= gone <= 107
    assert buckets.wait([("a", 0)]) == 0
    slow: list[tuple[object, float]] = [("s", 1 / 30)]
    buckets.take(slow)
    assert 29 < buckets.wait(slow) <= 30
    buckets.refund(slow)
    assert buckets.wait(slow) == 0


class TestPaced:
    @pytest.fixture
    def settings(self, settings):
        return settings.model_copy(update={"mail_pace_installation": 100.0, "mail_pace_account": 40.0, "mail_pace_provider": 20.0})

    def test_an_account_keeps_its_pace_at_a_provider(self, account, template, sink, run_jobs):
        delivery.queue_many(drafts(50), kind="survey", priority=3, template=template(), batch_id=None)
        run_jobs()
        times = sorted(row["at"] for row in sink.rows())
        assert len(times) == 50
        # a burst of half a second is allowed, then 20 a second
        assert 1.5 < times[-1] - times[0] < 8
