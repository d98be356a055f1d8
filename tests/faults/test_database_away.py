"""The database does not answer for a while: pages say so and nothing is half done; referral links go on leading people."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from nps.core.db import db
from nps.referrals import queries
from tests.referrals.world import live_program, promoter


@pytest.fixture(autouse=True)
def _pages(app: Flask) -> None:
    app.config.update(SHOW_ERROR_PAGES=True, PROPAGATE_EXCEPTIONS=False)


@contextmanager
def somebody_else_writes(app: Flask) -> Iterator[None]:
    """Another connection keeps the database to itself, and ours have no patience."""
    db.session.commit()
    engine = db.engine
    other = engine.connect() if engine.dialect.name == "postgresql" else sa.create_engine(engine.url).connect()
    impatient = "SET statement_timeout = 100" if engine.dialect.name == "postgresql" else "PRAGMA busy_timeout = 20"

    def hurry(connection: Any, record: Any, proxy: Any) -> None:
        connection.cursor().execute(impatient)

    event.listen(engine, "checkout", hurry)
    if engine.dialect.name == "postgresql":
        found = [table.name for table in db.Model.metadata.sorted_tables]
        other.execute(sa.text(f"LOCK TABLE {', '.join(chr(34) + name + chr(34) for name in found)} IN ACCESS EXCLUSIVE MODE"))
    else:
        other.exec_driver_sql("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        event.remove(engine, "checkout", hurry)
        other.rollback()
        other.close()


def test_a_form_sent_while_the_database_is_locked_gets_the_503_page(app: Flask, signed_in: Any, account: Any) -> None:
    with somebody_else_writes(app):
        answer = signed_in.form("/larkfield/contacts/new", {"email": "dana@brightoak.example"})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"].isdecimal()
    assert "back in a moment" in answer.text
    assert signed_in.form("/larkfield/contacts/new", {"email": "dana@brightoak.example"}).status_code in (302, 303)


def test_machines_are_told_to_come_back(app: Flask, make_machine: Any, account: Any) -> None:
    machine = make_machine(account, "contacts:write")
    with somebody_else_writes(app):
        answer = machine("PUT", "/contacts/email:dana@brightoak.example", {})
    assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
    assert answer.headers["Retry-After"].isdecimal()
    assert machine("PUT", "/contacts/email:dana@brightoak.example", {}).status_code == 201


def test_a_unit_that_cannot_be_committed_answers_503(app: Flask, signed_in: Any, account: Any, monkeypatch: Any) -> None:
    def full() -> None:
        raise OperationalError("COMMIT", {}, disk_full(db.engine.dialect.name))

    monkeypatch.setattr("nps.core.db.commit", full)
    answer = signed_in.form("/larkfield/contacts/new", {"email": "dana@brightoak.example"})
    monkeypatch.undo()
    assert (answer.status_code, "back in a moment" in answer.text) == (503, True)


def disk_full(engine: str) -> Exception:
    if engine == "postgresql":
        return psycopg.errors.DiskFull("could not extend file")
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    return error


def test_a_referral_link_that_was_known_goes_on_leading_people(app: Flask, client: Any, account: Any, monkeypatch: Any) -> None:
    live_program(account)
    code = queries.link_of(promoter().id).code
    db.session.commit()
    redirector = app.extensions["redirector"]
    assert client.get(f"/r/{code}").status_code == 302

    def away(key: str) -> None:
        raise OperationalError("SELECT", {}, disk_full(db.engine.dialect.name))

    monkeypatch.setattr(redirector.links, "_load", away)
    monkeypatch.setattr("nps.referrals.redirect.KEEP_SECONDS", -1.0)
    assert client.get(f"/r/{code}").status_code == 302


def test_a_referral_link_that_nobody_opened_yet_gets_the_503_page(app: Flask, client: Any, account: Any, monkeypatch: Any) -> None:
    def away(typed: str) -> None:
        raise OperationalError("SELECT", {}, disk_full(db.engine.dialect.name))

    monkeypatch.setattr("nps.referrals.queries.people.resolve_code", away)
    monkeypatch.setattr("nps.referrals.queries.resolve_code", away)
    answer = client.get("/r/maya-7k2p9")
    assert (answer.status_code, "back in a moment" in answer.text) == (503, True)
