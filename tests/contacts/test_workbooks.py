"""Workbooks are read like tables, and what would harm the server is refused in one sentence."""

import csv
import io
import resource
import time
import zipfile
from datetime import date, datetime
from pathlib import Path

import pytest

from nps.contacts.rules import workbooks
from nps.contacts.rules.tables import Unreadable
from tests.contacts.workbook_files import Formula, workbook

ROWS = [
    ["email", "name", "since", "mrr", "vip", "number"],
    ["a@x.test", "Ann  =1+1", date(2024, 3, 4), 84.5, True, 4471],
    ["b@x.test", "Bé, B", datetime(2024, 3, 4, 10, 30), 12, False, Formula("1+1", 2)],
    ["c@x.test", Formula('"C"&"D"', "CD"), None, 1e20, None, -5],
]


def rows_of(data: bytes, tmp_path: Path, sheet: int = 0) -> list[list[str]]:
    path = tmp_path / "book.xlsx"
    path.write_bytes(data)
    with path.open("rb") as file:
        sheets = workbooks.open_workbook(file, len(data))
        workbooks.check_extent(file, sheets[sheet])
    text = b"".join(workbooks.rows_as_csv(path, sheets[sheet])).decode()
    return list(csv.reader(io.StringIO(text, newline="")))


def test_cells_come_out_as_people_see_them(tmp_path: Path) -> None:
    assert rows_of(workbook({"People": ROWS}), tmp_path) == [
        ["email", "name", "since", "mrr", "vip", "number"],
        ["a@x.test", "Ann  =1+1", "2024-03-04", "84.5", "true", "4471"],
        ["b@x.test", "Bé, B", "2024-03-04 10:30:00", "12", "false", "2"],
        ["c@x.test", "CD", "", "1e+20", "", "-5"],
    ]


def test_the_first_visible_sheet_is_taken_and_others_can_be_chosen(tmp_path: Path) -> None:
    data = workbook({"Secret": [["x"]], "One & only": ROWS, "Two": [["email"], ["z@x.test"]]}, hidden=["Secret"])
    sheets = workbooks.open_workbook(io.BytesIO(data), len(data))
    assert [sheet.name for sheet in sheets] == ["One & only", "Two"]
    assert rows_of(data, tmp_path, 1) == [["email"], ["z@x.test"]]


def test_rows_above_the_table_keep_their_numbers(tmp_path: Path) -> None:
    assert rows_of(workbook({"S": [["email"], ["z@x.test"]]}, first_row=4), tmp_path) == [[""], [""], [""], ["email"], ["z@x.test"]]


def refused(data: bytes, tmp_path: Path) -> str:
    with pytest.raises(Unreadable) as error:
        rows_of(data, tmp_path)
    return str(error.value)


def zipped(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in parts.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), body)
    return out.getvalue()


def test_a_small_file_that_unpacks_to_gigabytes_is_refused_at_once(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as stream:
            block = b" " * (1 << 24)
            for _ in range(64):
                stream.write(block)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.thread_time()
    assert refused(inner.getvalue(), tmp_path) == "Unpacked, this file is larger than 200 MB."
    assert time.thread_time() - began < 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_overlapping_entries_are_counted_each_time_they_would_be_read(tmp_path: Path) -> None:
    """One packed megabyte of zeros that the directory lists 300 times (D. Fifield, "A better zip bomb", 2019)."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/media/0.bin", b"\x00" * (1 << 20))
        twin = archive.infolist()[1]
        for n in range(1, 300):
            copy = zipfile.ZipInfo(f"xl/media/{n}.bin")
            copy.compress_type, copy.CRC, copy.header_offset = twin.compress_type, twin.CRC, twin.header_offset
            copy.compress_size, copy.file_size = twin.compress_size, twin.file_size
            archive.filelist.append(copy)
            archive.NameToInfo[copy.filename] = copy
    assert len(out.getvalue()) < 42_000
    began = time.thread_time()
    words = refused(out.getvalue(), tmp_path)
    assert words in ("Unpacked, this file is larger than 200 MB.", workbooks._BROKEN)
    assert time.thread_time() - began < 2


@pytest.mark.parametrize("where", ["XFD1048576", "XFD3", "SG2"])
def test_a_stray_cell_far_out_takes_no_memory(where: str, tmp_path: Path) -> None:
    number = where.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    sheet = f'<worksheet xmlns="{main}"><sheetData><row r="{number}"><c r="{where}"><v>1</v></c></row></sheetData></worksheet>'
    words = refused(workbook({"S": ROWS}, raw={"xl/worksheets/sheet1.xml": sheet}), tmp_path)
    assert f"a cell in {where}" in words or words == "This sheet has 501 columns; 500 is the most."


def test_a_sheet_that_is_one_huge_empty_rectangle_ends_in_words_and_not_in_the_server(tmp_path: Path) -> None:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    cells = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="SF1048576"><v>1</v></c></row>'
    sheet = f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>'
    assert "too large to read" in refused(workbook({"S": ROWS}, raw={"xl/worksheets/sheet1.xml": sheet}), tmp_path)


def test_more_rows_than_are_taken_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [["email"]] + [[f"u{n}@x.test"] for n in range(100_001)]
    assert refused(workbook({"S": rows}), tmp_path) == "This sheet has more than 100,000 rows. Save it as CSV and upload it again."


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 2000 + "EncryptedPackage".encode("utf-16-le") + b"\x00" * 100,
            "protected by a password",
        ),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 2000, "a workbook of an old kind"),
        (b"PK\x03\x04" + b"nonsense" * 100, "cannot be read"),
        (zipped(people_csv=b"a,b"), "This archive is not a workbook. Unpack it and upload the table that is inside."),
        (zipped(inner_zip=zipped(xl__workbook_xml=b"<workbook/>")), "This archive is not a workbook."),
        (zipped(xl__workbook_xml=b"<workbook"), "cannot be read"),
        (workbook({"S": ROWS}, raw={"xl/worksheets/sheet1.xml": "<worksheet><sheetData><row"}), "cannot be read"),
        (workbook({"S": []}), "This sheet has no rows."),
        (workbook({"S": ROWS})[:-400], "cannot be read"),
        (b"PK\x03\x04" + b"\x00" * (21 << 20), "larger than 20 MB"),
    ],
)
def test_what_is_no_workbook_is_refused_in_one_sentence(data: bytes, words: str, tmp_path: Path) -> None:
    assert words in refused(data, tmp_path)


def test_a_workbook_that_expands_its_own_entities_is_refused(tmp_path: Path) -> None:
    bomb = (
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
        + "".join(f'<!ENTITY {chr(98 + n)} "{("&" + chr(97 + n) + ";") * 10}">' for n in range(9))
        + "]><workbook>&j;</workbook>"
    )
    assert "cannot be read" in refused(workbook({"S": ROWS}, raw={"xl/workbook.xml": bomb}), tmp_path)


def test_an_encrypted_archive_says_so(tmp_path: Path) -> None:
    data = bytearray(zipped(xl__workbook_xml=b"<workbook/>"))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + place] |= 1
    assert "protected by a password" in refused(bytes(data), tmp_path)


def test_a_list_of_a_million_sheets_is_not_read_into_memory(tmp_path: Path) -> None:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    index = f'<workbook xmlns="{main}"><sheets>{"<sheet/>" * 1_000_000}</sheets></workbook>'
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert refused(workbook({"S": ROWS}, raw={"xl/workbook.xml": index}), tmp_path) == workbooks._BROKEN
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000
