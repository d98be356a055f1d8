"""Files that spreadsheets open compute nothing and give back what was put in."""

import csv
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nps.core import spreadsheet


@pytest.mark.parametrize("cell", ["=1+1", "+49 30", "-5", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1+1", "－5", "'=1+1", "''-5"])
def test_a_cell_that_could_compute_gets_an_apostrophe_that_import_takes_off(cell: str) -> None:
    assert spreadsheet.protected(cell) == "'" + cell
    assert spreadsheet.unprotected("'" + cell) == cell


@given(st.text())
def test_every_cell_survives_the_round_trip(cell: str) -> None:
    assert spreadsheet.unprotected(spreadsheet.protected(cell)) == cell
    assert not spreadsheet.protected(cell).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


def test_ordinary_cells_are_left_alone() -> None:
    assert [spreadsheet.protected(c) for c in ("Dana", "'quoted'", "", "5-3", "O'Neil")] == ["Dana", "'quoted'", "", "5-3", "O'Neil"]
    assert spreadsheet.unprotected("'tis") == "'tis"


def test_the_file_has_a_mark_quotes_and_iso_times() -> None:
    rows = [("Firm, Inc.", -5, None, True, datetime(2026, 10, 6, 9, 5, tzinfo=UTC), date(2026, 1, 2), 'say "hi"\nthere')]
    body = b"".join(spreadsheet.csv_stream(["company", "n", "none", "yes", "at", "on", "text"], rows))
    assert body.startswith(b"\xef\xbb\xbf")
    text = body.decode("utf-8-sig")
    assert text.count("\r\n") == 2
    assert list(csv.reader(text.splitlines(keepends=True)))[1] == [
        "Firm, Inc.", "'-5", "", "true", "2026-10-06T09:05:00Z", "2026-01-02", 'say "hi"\nthere',
    ]  # fmt: skip


def test_a_long_file_comes_in_pieces() -> None:
    pieces = list(spreadsheet.csv_stream(["n"], ([i] for i in range(100_000))))
    assert len(pieces) > 5
    assert max(map(len, pieces)) < 200_000
    assert b"".join(pieces).count(b"\r\n") == 100_001
