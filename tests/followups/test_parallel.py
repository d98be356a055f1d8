"""Answers that arrive at once: the database decides, on both engines."""

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import func, select

from nps.core import db as database
from nps.core import tenancy
from nps.core.db import db
from nps.followups import queries
from nps.followups import service as followups
from nps.followups.errors import RepliedMeanwhile
from nps.followups.models import Case
from tests.followups.conftest import Larkfield


def at_once(app: Flask, account_id: UUID, jobs: list[Callable[[], Any]]) -> None:
    """Each job in a thread of its own, as its own request would be; all start together. Raises the first error."""
    start, errors = threading.Barrier(len(jobs)), []

    def run(job: Callable[[], Any]) -> None:
        try:
            with app.app_context(), tenancy.account_scope(account_id):
                start.wait(10)
                with database.unit():
                    job()
                db.session.remove()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if errors:
        raise errors[0]


def test_two_answers_of_one_contact_at_once_make_one_open_case(app: Flask, larkfield: Larkfield) -> None:
    larkfield.queue(most_new_a_day=200, most_open=500)
    for _ in range(15):
        contact = larkfield.contact()
        answers = [(larkfield.response(contact, score).id, score) for score in (3, 5)]
        contact_id, at = contact.id, larkfield.minute()
        db.session.commit()

        def opener(response_id: UUID, score: int, contact_id: UUID = contact_id, at: Any = at) -> Callable[[], Any]:
            return lambda: followups.open_case(contact_id, response_id, started_at=at, score=score)

        at_once(app, larkfield.account.id, [opener(response_id, score) for response_id, score in answers])
        cases = db.session.scalars(select(Case).where(Case.contact_id == contact_id)).all()
        assert len(cases) == 1
        assert {event.response_id for event in queries.list_events(cases[0].id) if event.response_id} == {answer for answer, _ in answers}
        db.session.commit()


def test_sixty_cases_at_once_give_three_members_twenty_each(app: Flask, larkfield: Larkfield) -> None:
    members = [larkfield.member(name).id for name in ("Amara Kone", "Bo Lind", "Tomás Rey")]
    larkfield.queue(most_new_a_day=200, most_open=500)
    asked = [(contact.id, larkfield.response(contact, 3).id) for contact in (larkfield.contact(f"P {n}") for n in range(60))]
    at = larkfield.minute()
    db.session.commit()

    def opener(part: list[tuple[UUID, UUID]]) -> Callable[[], Any]:
        def run() -> None:
            for contact_id, response_id in part:
                followups.open_case(contact_id, response_id, started_at=at, score=3)

        return run

    # One case a unit of work, six units at a time, as six web threads would.
    for start in range(0, 60, 6):
        at_once(app, larkfield.account.id, [opener([one]) for one in asked[start : start + 6]])
    counts = dict(db.session.execute(select(Case.owner_id, func.count()).group_by(Case.owner_id)).all())
    assert counts == dict.fromkeys(members, 20)


def test_two_members_press_send_at_once_and_one_mail_goes(app: Flask, larkfield: Larkfield) -> None:
    amara, bo = larkfield.member("Amara Kone"), larkfield.member("Bo Lind")
    case = larkfield.case(3)
    seen, case_id = case.last_number, case.id
    db.session.commit()
    refused: list[str] = []

    def sender(member: Any) -> Callable[[], Any]:
        def run() -> None:
            try:
                followups.reply(case_id, member, f"From {member.id}", seen=seen)
            except RepliedMeanwhile as error:
                refused.append(error.code)

        return run

    at_once(app, larkfield.account.id, [sender(amara), sender(bo)])
    assert refused == ["replied_meanwhile"]
    assert [event.what for event in queries.list_events(case_id)].count("reply") == 1
