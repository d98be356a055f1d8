"""Tables of any encoding and separator are read in bounded memory, with the row numbers of a spreadsheet."""

import csv
import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nps.contacts.rules import tables
from nps.contacts.rules.tables import Lines, Piece, Records, Unreadable


def read(data: bytes) -> tuple[tables.Found, list[tuple[int, list[str]]], list[str]]:
    file = io.BytesIO(data)
    encoding = tables.find_encoding(file)
    stored, found = tables.survey(tables.pieces(tables.text_blocks(file, encoding)), encoding, len(data))
    kept = list(stored)
    rows = [(row, cells) for row, cells in Records(Lines(iter(kept)), found.separator) if row != found.header_row]
    return found, rows, kept


TABLE = 'email,name\r\nzoe@x.test,"Zoë, Müller"\r\n'


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (TABLE.encode(), "utf-8"),
        (b"\xef\xbb\xbf" + TABLE.encode(), "utf-8"),
        (TABLE.encode("cp1252"), "cp1252"),
        (b"\xff\xfe" + TABLE.encode("utf-16-le"), "utf-16-le"),
        (b"\xfe\xff" + TABLE.encode("utf-16-be"), "utf-16-be"),
        (TABLE.encode("utf-16-le"), "utf-16-le"),
        (TABLE.encode("utf-16-be"), "utf-16-be"),
    ],
)
def test_the_encoding_is_found_by_itself(data: bytes, encoding: str) -> None:
    found, rows, _ = read(data)
    assert found.encoding == encoding
    assert found.header == ["email", "name"]
    assert rows == [(2, ["zoe@x.test", "Zoë, Müller"])]


def test_a_letter_at_the_very_end_decides_about_the_whole_file() -> None:
    data = ("email,name\n" + "a@x.test,Ann\n" * 200_000 + "z@x.test,Zoë\n").encode("cp1252")
    found, rows, _ = read(data)
    assert found.encoding == "cp1252"
    assert rows[-1] == (200_002, ["z@x.test", "Zoë"])


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found_by_itself(separator: str) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator)
    writer.writerows([["email", "name", "mrr"], ["a@x.test", "Lowry, Beth; Ms", "1,5"], ["b@x.test", "B|C", "2,5"]])
    found, rows, _ = read(out.getvalue().encode())
    assert found.separator == separator
    assert rows[0] == (2, ["a@x.test", "Lowry, Beth; Ms", "1,5"])


def test_a_single_column_needs_no_separator() -> None:
    found, rows, _ = read(b"email\na@x.test\nb@x.test\n")
    assert (found.separator, found.rows, rows) == (",", 2, [(2, ["a@x.test"]), (3, ["b@x.test"])])


def test_row_numbers_are_those_of_a_spreadsheet() -> None:
    data = b'email,note\r\na@x.test,"two\r\nlines"\r\n\r\n;;\r\nb@x.test,x\r\n,\r\n"c@x.test",y\r\n'.replace(b";;", b",")
    found, rows, _ = read(data)
    assert [(row, cells[0]) for row, cells in rows] == [(2, "a@x.test"), (5, "b@x.test"), (7, "c@x.test")]
    assert rows[0][1][1] == "two\r\nlines"
    assert found.rows == 3


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_as_on_any_machine(end: str) -> None:
    found, rows, _ = read(end.join(["email,name", "a@x.test,A", "b@x.test,B"]).encode())
    assert (found.rows, [cells for _, cells in rows]) == (2, [["a@x.test", "A"], ["b@x.test", "B"]])


def test_a_file_without_headings_is_seen_by_its_first_address() -> None:
    found, rows, _ = read(b"a@x.test;Ann\nb@x.test;Bob\n")
    assert (found.header, found.header_row, found.rows) == (["Column 1", "Column 2"], 0, 2)
    assert rows[0] == (1, ["a@x.test", "Ann"])


def test_excels_own_hint_is_no_row() -> None:
    found, rows, _ = read(b"sep=;\r\nemail;name\r\na@x.test;A, B\r\n")
    assert (found.separator, found.header, rows) == (";", ["email", "name"], [(2, ["a@x.test", "A, B"])])


def test_empty_lines_above_the_headings_keep_their_numbers() -> None:
    found, rows, _ = read(b"\n\nemail,name\na@x.test,A\n")
    assert (found.header_row, rows) == (3, [(4, ["a@x.test", "A"])])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "This file is empty"),
        (b"\n\n  \n", "This file is empty"),
        (b"email,name\n", "a heading row but no other row"),
        (b"email\na\x00b@x.test\n" * 3, "not a table of text"),
        (b"email\n" + b"a@x.test\n" * 9000 + b"a\x00b@x.test\n", "zero bytes"),
        (b"email,note\na@x.test," + b"x" * 5001 + b"\n", "Row 2 has a cell longer than 5,000 characters."),
        (b'email,note\na@x.test,"' + b"x y\n" * 60_000, "Row 2 has a cell longer than 5,000 characters."),
        (b'email,note\na@x.test,"' + b"x y\n" * 2_000 + b'"\n', "Row 2 has a cell longer than 5,000 characters."),
        (b"email" + b",x" * 100_000 + b"\na@x.test\n", "Row 1 has 100,001 columns; 500 is the most."),
        (b"x" * 5_000_000, "a line of more than 4 million characters"),
        (bytes(range(256)) * 100, "not a table of text"),
    ],
)
def test_what_is_no_table_is_refused_in_one_sentence(data: bytes, words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        read(data)


def test_a_file_of_more_rows_than_are_taken_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "ROWS_MAX", 100)
    assert read(b"email\n" + b"a@x.test\n" * 100)[0].rows == 100
    with pytest.raises(Unreadable, match="more than 100 rows"):
        read(b"email\n" + b"a@x.test\n" * 101)


def test_a_file_of_more_bytes_than_are_taken_is_refused_while_counting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "BYTES_MAX", 2 << 20)
    with pytest.raises(Unreadable, match="larger than 200 MB"):
        read(b"email\n" + b"a@x.test\n" * 400_000)


def test_empty_columns_to_the_right_are_no_columns() -> None:
    found, rows, _ = read(b"email,name" + b"," * 600 + b"\na@x.test,A" + b"," * 600 + b"\n")
    assert found.header == ["email", "name"]
    assert len(rows[0][1]) == 500


def test_reading_can_go_on_from_any_row() -> None:
    body = "".join(f'user{n}@x.test,"Name {n}\nsecond line of {n % 7}"\r\n' for n in range(40_000))
    _, rows, kept = read(("email,name\r\n" + body).encode())
    assert len(kept) > 1
    records = Records(Lines(iter(kept)), ",")
    marks: list[tuple[Piece, int]] = []
    for row, _cells in records:
        if row % 9_973 == 0:
            marks.append((records.lines.place, row))
    assert len({mark.number for mark, _ in marks}) > 2
    for mark, row in marks:
        rest = Records(Lines(iter(kept[mark.number :]), mark), ",", row)
        assert next(iter(rest)) == rows[row - 1]


@given(
    st.lists(
        st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=8), min_size=2, max_size=4),
        min_size=1,
        max_size=8,
    )
)
def test_what_a_spreadsheet_writes_is_read_back(table: list[list[str]]) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([["email", "b", "c"], *table])
    kept = list(tables.pieces([out.getvalue()]))
    rows = [cells for _, cells in Records(Lines(iter(kept)), ",")][1:]
    # Spaces in front of a cell are not kept; rows of nothing are no rows.
    assert [[c.lstrip(" ") for c in row] for row in rows] == [[c.lstrip(" ") for c in row] for row in table if any(c.strip() for c in row)]


def test_memory_stays_bounded_whatever_the_size() -> None:
    class Endless(io.RawIOBase):
        """A file of 15 MB that is never in memory."""

        def __init__(self) -> None:
            self.left = 15
            self.block = b"user@firm.example,Some Name,Some Firm\n" * 27_000

        def read(self, size: int = -1) -> bytes:
            self.left -= 1
            return b"" if self.left < 0 else self.block

    tracemalloc.start()
    stored, found = tables.survey(tables.pieces(tables.text_blocks(Endless(), "utf-8")), "utf-8", 0)  # type: ignore[arg-type]
    pieces = sum(1 for _ in stored)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert pieces > 5
    assert found.rows == 15 * 27_000
    assert peak < 14_000_000
