"""XLSX workbooks become text tables. Sizes are counted while unpacking, never believed from a header.

The rows are read by calamine in a process of its own with bounded memory: it lays a sheet out as one rectangle, so a
single stray cell far out would otherwise take the server's memory (a file of 1,500 bytes asks for 512 GB).
Run as a program this module is that process: it writes the sheet as CSV to its standard output.
"""

import csv
import io
import re
import resource
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import BinaryIO
from xml.etree import ElementTree

from python_calamine import CalamineError, CalamineWorkbook, PasswordError

from nps.contacts.rules.tables import COLUMNS_MAX, Unreadable

PACKED_MAX = 20 * 1024 * 1024
UNPACKED_MAX = 200 * 1024 * 1024
ROWS_MAX = 100_000
_ENTRIES_MAX = 5_000
_BLOCK = 1 << 20
_INDEX_MAX = 1 << 20
"""Bytes of the parts that name the sheets; they become trees in memory, a hundred times as large."""
_MEMORY = 1 << 30
_SECONDS = 60

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_RELATIONS = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_FAR_CELL = re.compile(rb' r="([A-Z]{3,7})(\d+)"')
_TOO_LARGE = "Unpacked, this file is larger than 200 MB."
_BROKEN = "This workbook cannot be read. Open it in your spreadsheet program, save it as XLSX or CSV and upload that."
_LOCKED = "This file is protected by a password. Save it without one and upload it again."
_NO_TABLE = "This sheet has no rows. Nothing was imported."


@dataclass(frozen=True)
class Sheet:
    """A visible sheet of a workbook."""

    name: str
    part: str


def is_workbook(start: bytes) -> bool:
    """Is this a workbook or another archive, judging by the first bytes, and not a text table?"""
    return start.startswith((_ZIP, _OLE, b"PK\x05\x06"))


def open_workbook(file: BinaryIO, size: int) -> list[Sheet]:
    """The sheets of a workbook after counting what it unpacks to. Raises `Unreadable`."""
    file.seek(0)
    start = file.read(_BLOCK)
    file.seek(0)
    if start.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in start or "EncryptedPackage".encode("utf-16-le") in file.read():
            raise Unreadable(_LOCKED)
        raise Unreadable("This is a workbook of an old kind (XLS). Save it as XLSX or CSV and upload it again.")
    if size > PACKED_MAX:
        raise Unreadable("This workbook is larger than 20 MB. Save it as CSV and upload it again.")
    try:
        with zipfile.ZipFile(file) as archive:
            return _sheets(archive)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ElementTree.ParseError,
        KeyError,
        ValueError,
    ) as error:
        if isinstance(error, Unreadable):
            raise
        if isinstance(error, RuntimeError) and "password" in str(error):
            raise Unreadable(_LOCKED) from None
        raise Unreadable(_BROKEN) from None


def _sheets(archive: zipfile.ZipFile) -> list[Sheet]:
    names = archive.namelist()
    if len(names) > _ENTRIES_MAX or len(set(names)) != len(names):
        raise Unreadable(_BROKEN)
    if "xl/workbook.xml" not in names:
        raise Unreadable("This archive is not a workbook. Unpack it and upload the table that is inside.")
    _count(archive)
    relations = {
        relation.get("Id"): relation.get("Target", "")
        for relation in ElementTree.fromstring(_index(archive, "xl/_rels/workbook.xml.rels")).iter(_RELATIONS)
    }
    found = []
    for element in ElementTree.fromstring(_index(archive, "xl/workbook.xml")).iter():
        if element.tag.rpartition("}")[2] == "sheet" and element.get("state", "visible") == "visible":
            target = next((relations.get(value, "") for name, value in element.items() if name.endswith("}id")), "")
            part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            if "worksheets/" in part and part in names:
                found.append(Sheet(element.get("name", "")[:255], part))
    if not found:
        raise Unreadable("This workbook has no sheet with a table. Nothing was imported.")
    return found


def _index(archive: zipfile.ZipFile, part: str) -> bytes:
    with archive.open(part) as stream:
        found = stream.read(_INDEX_MAX + 1)
    if len(found) > _INDEX_MAX:
        raise Unreadable(_BROKEN)
    return found


def _count(archive: zipfile.ZipFile) -> None:
    """Unpack everything into nothing, counting. Raises `Unreadable` as soon as the bound is passed."""
    total = 0
    for entry in archive.infolist():
        with archive.open(entry) as stream:
            while block := stream.read(_BLOCK):
                total += len(block)
                if total > UNPACKED_MAX:
                    raise Unreadable(_TOO_LARGE)


def check_extent(file: BinaryIO, sheet: Sheet) -> None:
    """Raises `Unreadable` when the sheet has a cell beyond the columns that are taken."""
    file.seek(0)
    with zipfile.ZipFile(file) as archive, archive.open(sheet.part) as stream:
        tail = b""
        while block := stream.read(_BLOCK):
            text = tail + block
            far = _FAR_CELL.search(text)
            if far is not None and _column_number(far[1]) > COLUMNS_MAX:
                where = (far[1] + far[2]).decode()
                raise Unreadable(f"This sheet has a cell in {where}; {COLUMNS_MAX} columns is the most. Delete what stands far out.")
            tail = text[-30:]
    file.seek(0)


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def rows_as_csv(path: Path, sheet: Sheet) -> Iterator[bytes]:
    """The sheet as UTF-8 CSV with commas, in blocks, read by a process of its own. Raises `Unreadable`."""
    command = [sys.executable, "-m", "nps.contacts.rules.workbooks", str(path.resolve()), sheet.name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=Path(__file__).parents[3]) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        try:
            while block := child.stdout.read(_BLOCK):
                yield block
            said = child.stderr.read(2000).decode("utf-8", "replace")
            code = child.wait(_SECONDS)
        finally:
            child.kill()
        if code == 3:
            raise Unreadable(said.strip().splitlines()[-1])
        if code != 0:
            raise Unreadable("This sheet is too large to read, or broken. Copy its table into a new workbook or save it as CSV.")


def as_text(value: object) -> str:
    """A stored cell as a text: whole numbers without a point, dates in ISO 8601, true and false in small letters."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (time, timedelta)):
        return str(value)
    return str(value)


def _refuse(words: str) -> int:
    sys.stderr.write(words)
    return 3


def main(path: str, name: str) -> int:
    """Write sheet `name` of the workbook at `path` to standard output. 0 = done, 3 = refused with a sentence on standard error."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        sheet = CalamineWorkbook.from_path(path).get_sheet_by_name(name)
    except PasswordError:
        return _refuse(_LOCKED)
    except (CalamineError, OSError, ValueError):
        return _refuse(_BROKEN)
    if sheet.end is None or not sheet.height:
        return _refuse(_NO_TABLE)
    columns = sheet.end[1] + 1
    if columns > COLUMNS_MAX:
        return _refuse(f"This sheet has {columns:,} columns; {COLUMNS_MAX} is the most.")
    out = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", errors="replace", newline="", write_through=False)
    writer = csv.writer(out, lineterminator="\r\n")
    filled = 0
    # Empty rows above the table are among them, so that row numbers are those people see.
    for cells in sheet.iter_rows():
        texts = [as_text(cell) for cell in cells]
        filled += any(texts)
        if filled > ROWS_MAX + 1:
            return _refuse(f"This sheet has more than {ROWS_MAX:,} rows. Save it as CSV and upload it again.")
        writer.writerow(texts)
    out.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
