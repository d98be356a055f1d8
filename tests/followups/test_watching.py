"""What falls due by itself, through the clock's own task and the job table."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from nps.core.db import db
from nps.delivery.models import Message
from nps.followups import queries
from nps.followups import service as followups
from nps.followups.models import Case
from nps.followups.rules.states import CaseState
from nps.jobs import outbox
from tests.followups.conftest import Larkfield, local


def tick(run_jobs: Callable[[], int]) -> None:
    """The minute passes: the scheduled task, then what it asked for."""
    outbox.enqueue("followups.watch", {})
    run_jobs()


def notices(case: Case) -> list[tuple[str, str]]:
    rows = db.session.execute(
        select(Message.to_email, Message.subject).where(Message.kind == "notice", Message.ref_id == case.id).order_by(Message.id)
    )
    return [(email, subject.split(":")[0]) for email, subject in rows]


def test_each_step_is_told_once_to_the_right_people(larkfield: Larkfield, clock: Any, run_jobs: Callable[[], int]) -> None:
    amara, bo = larkfield.member("Amara Kone"), larkfield.member("Bo Lind")
    larkfield.queue(method="nobody", lead_id=bo.id)
    case = larkfield.case(5)  # 240 minutes from 11:58: 25% at 12:58
    amara_mail, bo_mail = (larkfield.user_of(member).email for member in (amara, bo))
    tick(run_jobs)
    clock.at(local("2026-10-05 12:59"))
    for _ in range(3):
        tick(run_jobs)
    assert sorted(notices(case)[-2:]) == sorted([(amara_mail, "Nobody has this customer yet"), (bo_mail, "Nobody has this customer yet")])
    count = len(notices(case))
    followups.assign(case.id, amara.id, larkfield.owner)
    clock.at(local("2026-10-05 13:59"))
    tick(run_jobs)
    assert notices(case)[count:] == [(amara_mail, "A customer is yours to answer"), (amara_mail, "50% of the time for a reply is used")]
    clock.at(local("2026-10-05 15:59"))
    tick(run_jobs)
    tick(run_jobs)
    assert notices(case)[-2:] == [(amara_mail, "The reply is overdue"), (bo_mail, "The reply is overdue")]
    clock.at(local("2026-10-06 11:59"))
    tick(run_jobs)
    assert notices(case)[-1] == ("ines@larkfield.example", "The reply is overdue, 200% of its time is used")
    clock.move(days=30)
    tick(run_jobs)
    assert [event.facts["percent"] for event in queries.list_events(case.id) if event.what == "escalated"] == [25, 50, 100, 200]


def test_after_a_standstill_only_the_latest_step_is_told(larkfield: Larkfield, clock: Any, run_jobs: Callable[[], int]) -> None:
    case = larkfield.case(5)
    clock.at(local("2026-10-06 10:00"))
    tick(run_jobs)
    assert [event.facts["percent"] for event in queries.list_events(case.id) if event.what == "escalated"] == [100]


def test_a_reply_ends_the_alarm(larkfield: Larkfield, clock: Any, run_jobs: Callable[[], int]) -> None:
    case = larkfield.case(5)
    followups.reply(case.id, larkfield.owner, "We are on it.", seen=99)
    clock.move(days=2)
    tick(run_jobs)
    assert not [event for event in queries.list_events(case.id) if event.what == "escalated"]


def test_a_snoozed_case_comes_back_at_its_time(larkfield: Larkfield, clock: Any, run_jobs: Callable[[], int]) -> None:
    case = larkfield.case(5)
    followups.snooze(case.id, larkfield.owner, local("2026-10-05 13:00"))
    clock.at(local("2026-10-05 13:01"))
    tick(run_jobs)
    db.session.refresh(case)
    assert case.snoozed_until is None
    assert queries.list_events(case.id)[-1].what == "snooze_ended"


def test_five_silent_days_ask_the_owner_and_close_nothing(larkfield: Larkfield, clock: Any, run_jobs: Callable[[], int]) -> None:
    case = larkfield.case(3)
    followups.reply(case.id, larkfield.owner, "We are on it.", seen=99)
    clock.at(local("2026-10-12 11:57"))
    tick(run_jobs)
    assert [event for event in queries.list_events(case.id) if event.what == "silence"] == []
    clock.at(local("2026-10-12 11:59"))
    tick(run_jobs)
    tick(run_jobs)
    clock.at(local("2026-10-19 12:01"))
    tick(run_jobs)
    db.session.refresh(case)
    assert case.state == CaseState.WAITING
    assert len([event for event in queries.list_events(case.id) if event.what == "silence"]) == 2
    assert [said for _, said in notices(case)].count("The customer has not answered") == 2
