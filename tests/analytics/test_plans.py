"""The overview's statements find their rows by index: a test of shape, not of time."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import event, text

from nps.analytics import service
from nps.analytics.queries import overview as figures
from nps.analytics.rules.filters import Condition, Filters, Window
from nps.contacts.models import PropertyDefinition
from nps.core.db import db
from tests.analytics.conftest import TODAY, Asker, keep

LARGE = ("response", "invitation", "hit", "answer_delta", "daily_sum", "pair_sum")
WINDOW = Window(TODAY - timedelta(days=89), TODAY)


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """What is sent to the database inside."""
    sent: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            sent.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def plan(statement: str, parameters: Any) -> str:
    connection = db.session.connection()
    if connection.dialect.name == "sqlite":
        return "\n".join(str(row) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters))
    # so few rows are cheaper to read through than to look up; ask for the way that would be taken with many
    connection.execute(text("SET LOCAL enable_seqscan = off"))
    return "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters))


def scanned(found: str) -> list[str]:
    """Large tables that a plan reads from end to end."""
    lines = [line.strip().strip("(),'") for line in found.splitlines()]
    made = []
    for table in LARGE:
        for line in lines:
            whole = f"Seq Scan on {table}" in line or f"SCAN {table}" in line
            if whole:
                made.append(f"{table}: {line}")
    return made


def test_overview_reads_no_large_table_from_end_to_end(asker: Asker) -> None:
    db.session.add(PropertyDefinition(key="plan", label="Plan", kind="text", created_at=asker.survey.created_at))
    keep("plan")
    asker.answers({9: 20, 0: 10}, properties={"plan": "Growth"})
    asker.answers({9: 20, 0: 10}, TODAY - timedelta(days=100), properties={"plan": "Growth"})
    service.fold()
    asker.answer(9)
    db.session.commit()
    questions = (
        Filters(WINDOW),
        Filters(WINDOW, campaign=asker.main),
        Filters(WINDOW, conditions=(Condition("plan", "Growth"),)),
        Filters(WINDOW, conditions=(Condition("plan", "Growth"), Condition("channel", "email"))),
        Filters(WINDOW, unit="contact"),
    )
    for question in questions:
        with statements() as sent:
            figures.overview(question, "America/New_York")
        assert len(sent) > 5
        for statement, parameters in sent:
            found = plan(statement, parameters)
            assert not scanned(found), f"{statement}\n{found}"


def test_answers_that_do_not_count_are_found_by_their_own_index(asker: Asker) -> None:
    asker.answers({9: 40})
    asker.answers({0: 3}, state="quarantined")
    db.session.execute(text("ANALYZE"))
    with statements() as sent:
        figures.numbers(Filters(WINDOW), "America/New_York")
    mine = [pair for pair in sent if "'manual'" in pair[0]]
    assert mine
    for statement, parameters in mine:
        assert "ix_response_not_counted" in plan(statement, parameters), statement


def test_headline_of_folded_answers_reads_sums_alone(asker: Asker) -> None:
    asker.answers({9: 40})
    service.fold()
    with statements() as sent:
        figures.numbers(Filters(WINDOW), "America/New_York")
    about_answers = [statement for statement, _ in sent if "FROM response" in statement]
    assert all("'manual'" in statement for statement in about_answers)
