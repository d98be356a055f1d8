"""Words of SQL that both databases spell alike."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Date, String, Uuid, bindparam, literal, select, union_all

from nps.core import email_address, ids, sql
from nps.core.db import UTCDateTime, db


def test_a_bucket_in_sql_is_the_bucket_of_the_program(app: Any) -> None:
    for size in (2, 7, 100, 1440, 2**31 - 1):
        for text in ("", "a", "Grüße", "0198f3" * 12):
            assert db.session.scalar(select(sql.bucket(literal(text, String), size))) == ids.bucket(text, size)


def test_an_id_in_hex_is_the_text_of_the_program(app: Any) -> None:
    made = ids.new_id()
    assert db.session.scalar(select(sql.hex_of(bindparam("id", made, Uuid())))) == made.hex


def test_every_row_of_a_select_gets_its_own_new_id(app: Any) -> None:
    rows = union_all(*(select(literal(n).label("n")) for n in range(50))).subquery()
    made = [UUID(str(value)) for value in db.session.scalars(select(sql.new_id()).select_from(rows))]
    assert len(set(made)) == 50
    assert {value.version for value in made} == {7}
    stamp = ids.new_id().int >> 80
    assert all(abs((value.int >> 80) - stamp) < 60_000 for value in made)


def test_minutes_are_added_over_days_and_read_back_as_an_instant(app: Any) -> None:
    at = datetime(2026, 10, 6, 23, 50, 59, 999_999, tzinfo=UTC)
    for minutes in (0, 20, -30, 90 * 1440):
        found = db.session.scalar(select(sql.plus_minutes(bindparam("at", at, UTCDateTime()), minutes)))
        assert found == at + timedelta(minutes=minutes)


def test_days_between_two_dates(app: Any) -> None:
    one, other = bindparam("a", date(2026, 3, 1), Date()), bindparam("b", date(2024, 2, 28), Date())
    assert db.session.scalar(select(sql.day_number(one) - sql.day_number(other))) == (date(2026, 3, 1) - date(2024, 2, 28)).days


def test_a_reduced_address_in_sql_is_that_of_the_program(app: Any) -> None:
    for address in (
        "Dana.Whitfield+news@GoogleMail.com",
        "+x@gmail.com",
        "...@gmail.com",
        "d.w+tag@outlook.com",
        "d.w+tag@brightoak.example",
        "pm+1@pm.me",
        "a+b+c@hey.com",
    ):
        assert db.session.scalar(select(sql.reduced(literal(address, String)))) == email_address.reduced(address)
