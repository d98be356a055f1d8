"""Two of everything at the same moment: starts, planners, writers."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from nps.campaigns import service
from nps.campaigns.errors import AlreadyStarted
from nps.campaigns.models import CampaignWave, Invitation
from nps.core import db as database
from nps.core import tenancy
from nps.core.db import db
from nps.delivery.models import Message
from tests.campaigns.factories import campaign_with, make_contact


def at_once(app: Any, account_id: UUID, *calls: Callable[[], Any]) -> list[Any]:
    """Run the calls in threads of their own, each in its own unit of work, as workers would; results or errors in order."""
    found: list[Any] = [None] * len(calls)
    barrier = threading.Barrier(len(calls))

    def run(place: int, call: Callable[[], Any]) -> None:
        with app.app_context(), tenancy.account_scope(account_id):
            try:
                barrier.wait(10)
                with database.unit():
                    found[place] = call()
            except Exception as error:
                found[place] = error
            finally:
                db.session.remove()

    db.session.commit()
    threads = [threading.Thread(target=run, args=(place, call)) for place, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    db.session.rollback()
    db.session.expire_all()
    return found


def test_two_starts_in_one_second_open_one_wave(app: Any, account: Any) -> None:
    for n in range(5):
        make_contact(f"P{n}", email=f"p{n}@a.example")
    campaign_id = campaign_with("Autumn", send_now=True).id
    results = at_once(app, account.id, *[lambda: service.launch(campaign_id)] * 4)
    assert sum(isinstance(r, AlreadyStarted) for r in results) == 3, results
    assert db.session.scalar(select(func.count()).select_from(CampaignWave)) == 1


def test_two_planners_of_one_wave_invite_nobody_twice(app: Any, account: Any) -> None:
    for n in range(60):
        make_contact(f"P{n}", email=f"p{n}@a.example")
    campaign = campaign_with("Autumn", send_now=True)
    service.launch(campaign.id)
    campaign_id, account_id = campaign.id, account.id
    for _ in range(4):
        results = at_once(app, account_id, *[lambda: service.plan(campaign_id, 1, batch=10)] * 3)
        assert [r for r in results if isinstance(r, Exception)] == []
    found = Counter(db.session.scalars(select(Invitation.contact_id)))
    assert len(found) == 60
    assert set(found.values()) == {1}
    wave = db.session.scalars(select(CampaignWave)).one()
    assert (wave.ranked, wave.planned_at is not None) == (60, True)


def test_two_campaigns_due_in_the_same_second_ask_a_person_once(app: Any, account: Any) -> None:
    for n in range(20):
        make_contact(f"P{n}", email=f"p{n}@a.example")
    for name in ("One", "Two", "Three"):
        campaign = campaign_with(name, send_now=True)
        service.launch(campaign.id)
        service.plan(campaign.id, 1)
    errors = [r for r in at_once(app, account.id, *[service.write_due] * 3) if isinstance(r, Exception)]
    assert errors == []
    assert set(Counter(db.session.scalars(select(Message.contact_id))).values()) == {1}
    assert db.session.scalar(select(func.count()).select_from(Message)) == 20


def test_a_pause_and_a_stop_at_once_leave_one_final_state(app: Any, account: Any) -> None:
    for n in range(5):
        make_contact(f"P{n}", email=f"p{n}@a.example")
    campaign = campaign_with("Autumn", send_now=True)
    service.launch(campaign.id)
    service.plan(campaign.id, 1)
    campaign_id = campaign.id
    at_once(app, account.id, lambda: service.stop(campaign_id), lambda: service.pause(campaign_id), service.write_due)
    db.session.refresh(campaign)
    assert campaign.state == "stopped"
    assert set(db.session.scalars(select(Message.state))) <= {"dropped", "queued"}
