"""A sender that dies at a named moment: what it held comes back by itself, and nothing is sent twice."""

import pytest
from sqlalchemy import func, select

from nps.core import clock as product_clock
from nps.core import tenancy
from nps.core.db import db, unit
from nps.core.ports import Ports
from nps.delivery import queries
from nps.delivery import service as delivery
from nps.delivery.models import Message
from nps.delivery.rules import MessageState as S
from nps.delivery.tasks import Office
from nps.jobs import executor
from tests.delivery.test_sending import drafts


class Killed(BaseException):
    """Nothing in the product catches this, as nothing catches kill -9."""


class Executioner:
    """The pause port: kills at the n-th time a name is passed, once."""

    def __init__(self) -> None:
        self.name, self.left = "", 0

    def at(self, name: str, time: int) -> None:
        self.name, self.left = name, time

    def __call__(self, name: str) -> None:
        if name == self.name:
            self.left -= 1
            if self.left == 0:
                raise Killed(name)


@pytest.fixture
def executioner():
    return Executioner()


@pytest.fixture
def ports(executioner):
    return Ports({"pause": executioner})


POINTS = [
    # name, which time, unknown at most, what the first try may have sent at least
    ("before_claim", 1, 0, 0),
    ("after_claim", 1, 0, 0),
    ("before_intent", 1, 0, 0),
    ("after_sending_commit", 1, 20, 0),
    ("after_sending_commit", 3, 20, 5),
    ("after_250", 1, 20, 1),
    ("after_250", 17, 20, 10),
    ("before_outcome", 2, 20, 5),
    ("after_outcome", 2, 20, 5),
]


@pytest.mark.parametrize(("name", "time", "unknown", "taken"), POINTS)
def test_a_death_at_this_point_loses_and_doubles_nothing(account, template, sink, run_jobs, clock, executioner, name, time, unknown, taken):
    wave = drafts(100)
    delivery.queue_many(wave, kind="survey", priority=3, template=template(), batch_id=delivery.open_batch())
    executioner.at(name, time)
    with pytest.raises(Killed):
        run_jobs()
    Office._made = None  # the process is gone
    tenancy.leave()
    assert len(sink.rows()) >= taken
    clock.move(seconds=61)
    with unit():
        executor.take_back(product_clock.now())
    with tenancy.account_scope(account.id):
        run_jobs()
        counts = dict(db.session.execute(select(Message.state, func.count()).group_by(Message.state)).all())
        assert set(counts) <= {S.SENT, S.UNKNOWN}
        assert sum(counts.values()) == 100
        assert counts.get(S.UNKNOWN, 0) <= unknown
        sent = set(db.session.scalars(select(Message.to_email).where(Message.state == S.SENT)))
        lost = set(db.session.scalars(select(Message.to_email).where(Message.state == S.UNKNOWN)))
    got = sink.recipients()
    assert len(got) == len(set(got))
    assert sent <= set(got)
    assert set(got) <= sent | lost


def test_deaths_after_250_are_unknown_listed_and_never_sent_again_by_themselves(account, template, sink, run_jobs, clock, executioner):
    batch = delivery.open_batch()
    delivery.queue_many(drafts(30), kind="survey", priority=3, template=template(), batch_id=batch)
    executioner.at("after_250", 12)
    with pytest.raises(Killed):
        run_jobs()
    Office._made = None
    tenancy.leave()
    for days in (0, 1, 6):
        clock.move(days=days, seconds=75)
        with unit():
            executor.take_back(product_clock.now())
        with tenancy.account_scope(account.id):
            run_jobs()
    got = sink.recipients()
    assert len(got) == len(set(got))
    with tenancy.account_scope(account.id):
        listed = queries.list_unknown(batch)
        assert 1 <= len(listed) <= 20
        assert len(listed) + len(db.session.scalars(select(Message.id).where(Message.state == S.SENT)).all()) == 30
