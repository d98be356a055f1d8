"""Text tables: CSV, TSV and what people paste. Encoding and separator are found, sizes are counted while reading.

A file of any encoding becomes pieces of text cut at line ends, and pieces become records with the row numbers of a
spreadsheet. Nothing here holds more than a few pieces at once. Rules of quoting: RFC 4180.
"""

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

BYTES_MAX = 200 * 1024 * 1024
ROWS_MAX = 1_000_000
COLUMNS_MAX = 500
CELL_MAX = 5_000
PIECE = 1 << 18
"""Bytes read at once, and about the number of characters of a stored piece."""

_LINE_MAX = 16 * PIECE
_SAMPLE = 64 * 1024
SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
ENCODINGS = {"utf-8": "UTF-8", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16", "cp1252": "Windows-1252"}


class Unreadable(ValueError):
    """A file that cannot be taken. The text is one sentence or two for the person who uploaded it."""


class Piece(NamedTuple):
    """Where a line begins: number of the piece from 0, and characters into it."""

    number: int
    offset: int


@dataclass
class Found:
    """What reading a table found out. `rows` counts rows with something in them, the header not among them."""

    encoding: str
    separator: str
    header: list[str] = field(default_factory=list)
    header_row: int = 1
    rows: int = 0
    size: int = 0
    sample: list[list[str]] = field(default_factory=list)


# Bytes to text


def find_encoding(file: BinaryIO) -> str:
    """The encoding of the whole file: a byte order mark, else UTF-16 by its zeros, else UTF-8 if all of it is, else Windows-1252.

    Raises `Unreadable` for what is no text. Leaves the file at its start.
    """
    file.seek(0)
    start = file.read(_SAMPLE)
    file.seek(0)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16-le" if start.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
    if b"\x00" in start:
        return _utf16_without_mark(start)
    if _is_utf8(file):
        return "utf-8"
    return "cp1252"


def _utf16_without_mark(start: bytes) -> str:
    even, odd = start[0::2].count(0), start[1::2].count(0)
    half = max(1, len(start) // 2)
    if odd > 0.6 * half and even < 0.1 * half:
        return "utf-16-le"
    if even > 0.6 * half and odd < 0.1 * half:
        return "utf-16-be"
    raise Unreadable("This file is not a table of text. Save it as CSV or XLSX and upload it again.")


def _is_utf8(file: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while block := file.read(PIECE):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    finally:
        file.seek(0)
    return True


def text_blocks(file: BinaryIO, encoding: str) -> Iterator[str]:
    """The text of the file in blocks, without a byte order mark. Raises `Unreadable` for zeros and for more than 200 MB."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    size = 0
    first = True
    while block := file.read(PIECE):
        size += len(block)
        if size > BYTES_MAX:
            raise Unreadable("This file is larger than 200 MB. Split it and import the parts one after the other.")
        text = decoder.decode(block)
        if first:
            text, first = text.removeprefix("\ufeff"), False
        if "\x00" in text:
            raise Unreadable("This file has zero bytes in it, so it is not a table of text. Save it as CSV and upload it again.")
        yield text
    rest = decoder.decode(b"", final=True)
    if rest:
        yield rest


def pieces(blocks: Iterable[str]) -> Iterator[str]:
    """The same text cut at line ends into pieces of about 250,000 characters."""
    waiting = ""
    for block in blocks:
        waiting += block
        if len(waiting) < PIECE:
            continue
        # A carriage return at the very end may be half of a line end.
        cut = max(waiting.rfind("\n"), waiting.rfind("\r", 0, len(waiting) - 1)) + 1
        if cut:
            yield waiting[:cut]
            waiting = waiting[cut:]
        elif len(waiting) > _LINE_MAX:
            raise Unreadable(f"This file has a line of more than {_LINE_MAX // 1_000_000} million characters. Check how its lines end.")
    if waiting:
        yield waiting


# Text to records


class Lines:
    """The lines of stored pieces, from a place on; knows where the next line begins."""

    def __init__(self, stored: Iterator[str], start: Piece = Piece(0, 0)) -> None:
        self._stored = stored
        self._start = start
        self._number = start.number - 1
        self._offset = 0
        self._inside: Iterator[str] = iter(())
        self._skip = start.offset
        self.taken = 0
        """Characters handed out so far."""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        for line in self._inside:
            self.taken += len(line)
            return line
        text = next(self._stored)
        self._number += 1
        skip, self._skip = self._skip, 0
        self._offset = self.taken - skip
        self._inside = iter(io.StringIO(text[skip:], newline=""))
        return next(self)

    @property
    def place(self) -> Piece:
        """Where the next line begins."""
        if self._number < self._start.number:
            return self._start
        return Piece(self._number, self.taken - self._offset)


class Records:
    """The records of a table: (spreadsheet row, cells). Rows without anything in them are counted and left out.

    Raises `Unreadable` for more columns, longer cells or more rows than are taken.
    """

    def __init__(self, lines: Lines, separator: str, row: int = 0) -> None:
        self.lines = lines
        self.row = row
        self._reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        reader, lines = self._reader, self.lines
        while True:
            before = lines.taken
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                # The reader gives up at 131,072 characters in one cell; nearly always a quotation mark was left open.
                raise _long_cell(self.row + 1) from None
            self.row += 1
            if not any(cells):
                continue
            if lines.taken - before > CELL_MAX and max(map(len, cells)) > CELL_MAX:
                raise _long_cell(self.row)
            if len(cells) > COLUMNS_MAX:
                if any(cell.strip() for cell in cells[COLUMNS_MAX:]):
                    raise Unreadable(f"Row {self.row:,} has {len(cells):,} columns; {COLUMNS_MAX} is the most.")
                cells = cells[:COLUMNS_MAX]
            if not cells[0].strip() and not any(map(str.strip, cells)):
                continue
            yield self.row, cells


def _long_cell(row: int) -> Unreadable:
    return Unreadable(f"Row {row:,} has a cell longer than {CELL_MAX:,} characters.")


# What kind of table is it?


def find_separator(sample: str) -> str:
    """The sign between cells: the one that cuts most rows of the sample into the same number of two or more cells."""
    stated = _stated_separator(sample)
    if stated:
        return stated
    best, best_score = ",", 0.0
    for separator in SEPARATORS:
        rows = _first_rows(sample, separator)
        widths = Counter(len(row) for row in rows if any(row))
        if not widths:
            continue
        width, often = max(widths.items(), key=lambda pair: (pair[1], pair[0]))
        if width < 2:
            continue
        score = often / sum(widths.values()) * (1 + min(width, 20) / 100)
        if score > best_score:
            best, best_score = separator, score
    return best


def _stated_separator(sample: str) -> str | None:
    first = sample.split("\n", 1)[0].strip().strip('"')
    return first[4] if len(first) == 5 and first.lower().startswith("sep=") and first[4] in SEPARATORS else None


def _first_rows(sample: str, separator: str, most: int = 50) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(sample, newline=""), delimiter=separator, skipinitialspace=True):
            rows.append(row)
            if len(rows) == most:
                break
    except csv.Error:
        pass
    # The last row of a cut sample may be half a row.
    return rows[:-1] if 1 < len(rows) < most and len(sample) >= _SAMPLE else rows


def is_data(cells: Sequence[str]) -> bool:
    """Is this first row a person already, and not headings? An address gives it away."""
    return any("@" in cell and "." in cell.rpartition("@")[2] and " " not in cell.strip() for cell in cells)


def survey(
    stored: Iterable[str], encoding: str, size: int, separator: str | None = None, sample_rows: int = 200
) -> tuple[Iterator[str], Found]:
    """Read the whole table once: passes the pieces on (to be stored) and fills `Found` by the time they are used up.

    Raises `Unreadable` while the pieces are consumed.
    """
    found = Found(encoding, separator or "", size=size)
    return _surveyed(iter(stored), found, sample_rows), found


def _surveyed(stored: Iterator[str], found: Found, sample_rows: int) -> Iterator[str]:
    first = next(stored, "")
    if not first.strip():
        raise Unreadable("This file is empty. Nothing was imported.")
    stated = _stated_separator(first)
    if stated:
        # Excel's own hint is no row of the table and has no number there.
        first = first.split("\n", 1)[1] if "\n" in first else ""
    found.separator = stated or found.separator or find_separator(first[:_SAMPLE])
    passing: list[str] = []

    def noted() -> Iterator[str]:
        for piece in _chain(first, stored):
            passing.append(piece)
            yield piece

    records = Records(Lines(noted()), found.separator)
    headed = False
    for row, cells in records:
        if not headed:
            headed = True
            _take_header(found, row, cells)
            if found.header_row:
                continue
        found.rows += 1
        if found.rows > ROWS_MAX:
            raise Unreadable(f"This file has more than {ROWS_MAX:,} rows. Split it and import the parts one after the other.")
        if len(found.sample) < sample_rows:
            found.sample.append(cells)
        while len(passing) > 1:
            yield passing.pop(0)
    yield from passing
    if not found.rows:
        raise Unreadable("This file has a heading row but no other row. Nothing was imported.")


def _chain(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _take_header(found: Found, row: int, cells: list[str]) -> None:
    while cells and not cells[-1].strip():
        cells = cells[:-1]
    if is_data(cells):
        found.header, found.header_row = [f"Column {n}" for n in range(1, len(cells) + 1)], 0
    else:
        found.header, found.header_row = [" ".join(cell.split())[:120] or f"Column {n}" for n, cell in enumerate(cells, 1)], row
