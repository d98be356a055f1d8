"""What the clock and the operator start: run twice, same state."""

from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import func, select

from nps.accounts.models import Account
from nps.analytics import cli, service, tasks
from nps.analytics.models import AnswerDelta, DailySum, DeltaTail, PairSum, Rollup
from nps.analytics.queries import recount_of, sums_of
from nps.contacts import service as contacts
from nps.contacts.models import PropertyDefinition
from nps.core import tenancy
from nps.core.db import db
from tests.analytics.conftest import TODAY, Asker, keep

FIRST, LAST = TODAY - timedelta(days=400), TODAY + timedelta(days=1)


def true() -> bool:
    return sums_of(FIRST, LAST) == recount_of(FIRST, LAST)


def test_clock_chooses_properties_and_proves_sums(asker: Asker, run_jobs: Any) -> None:
    db.session.add(PropertyDefinition(key="plan", label="Plan", kind="text", created_at=asker.survey.created_at))
    asker.answers({9: 4}, properties={"plan": "Growth"})
    asker.answers({0: 4}, properties={"plan": "Scale"})
    for _ in range(2):
        tasks.choose_all()
        tasks.prove_all()
        run_jobs()
    rollup = db.session.scalars(select(Rollup)).one()
    assert (rollup.kept, rollup.proved_at is not None) == (["plan"], True)
    assert true()


def test_operator_rebuilds_one_account_or_all(app: Flask, asker: Asker, account: Account, rival: Account, make_asker: Any) -> None:
    asker.answers({9: 3})
    with tenancy.account_scope(rival.id):
        make_asker(rival).answer(0)
        db.session.commit()
    service.fold()
    for row in db.session.scalars(select(DailySum)):
        row.n9 = 99
    db.session.commit()
    scope = tenancy.current()
    tenancy.leave()
    runner = app.test_cli_runner()
    one, nobody = (
        runner.invoke(cli.rollups, ["rebuild", "--account", "larkfield"]),
        runner.invoke(cli.rollups, ["rebuild", "--account", "x"]),
    )
    every = runner.invoke(cli.rollups, ["rebuild"])
    tenancy.enter(scope)
    db.session.expire_all()
    assert (one.exit_code, one.output) == (0, f"{account.id}: 3 answers counted\n")
    assert (nobody.exit_code, "There is no account x." in nobody.output) == (1, True)
    assert (every.exit_code, every.output.count("answers counted")) == (0, 2)
    assert true()


def test_values_of_an_erased_person_leave_the_deltas(asker: Asker, run_jobs: Any) -> None:
    keep("plan")
    person = contacts.upsert({"email": "dana@brightoak.example"})[0].id
    response = asker.answer(3, contact_id=person, properties={"plan": "Marker words"})
    asker.edit(response, 9)
    asker.answer(9, TODAY - timedelta(days=90), person, properties={"plan": "Marker words"})
    service.fold()
    contacts.erase(person, by="tests")
    for row in (response, *db.session.scalars(select(type(response)).where(type(response).contact_id == person))):
        row.answered_properties = {}  # as whoever keeps the answers does
    for _ in range(2):
        run_jobs()
        assert true()
        assert "Marker words" not in str([delta.properties for delta in db.session.scalars(select(AnswerDelta))])
        for table in (DailySum, PairSum):
            assert "Marker words" not in db.session.scalars(select(table.value)).all()
    assert db.session.scalar(select(func.count()).select_from(AnswerDelta)) == 2
    assert db.session.scalar(select(func.count()).select_from(DeltaTail)) == 0
