"""An upload made ready to be stored: checked, counted, turned into pieces of UTF-8 text. Touches no database.

Reading 200 MB takes seconds, and no transaction may be open meanwhile; so this is done before one begins.
"""

import io
import re
import shutil
import struct
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from nps.contacts.rules import tables, workbooks
from nps.contacts.rules.tables import BYTES_MAX, Found, Unreadable

TEXT = "text"
WORKBOOK = "workbook"
_FRAME = struct.Struct(">cI")
_PART = 512 * 1024
_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\\u2028\u2029\ud800-\udfff]+")


@dataclass
class Upload:
    """A checked upload; `parts` gives (kind, number, compressed bytes) to be stored. A context manager: it holds a temporary file."""

    filename: str
    found: Found
    sheets: list[str] = field(default_factory=list)
    sheet: str | None = None
    spool: BinaryIO = field(default_factory=tempfile.TemporaryFile)
    counts: dict[str, int] = field(default_factory=lambda: {TEXT: 0, WORKBOOK: 0})

    def keep(self, kind: str, body: bytes) -> None:
        packed = zlib.compress(body, 1)
        self.spool.write(_FRAME.pack(kind[:1].encode(), len(packed)) + packed)
        self.counts[kind] += 1

    def parts(self) -> Iterator[tuple[str, int, bytes]]:
        """Every part in order, straight from the temporary file."""
        self.spool.seek(0)
        numbers = {TEXT: 0, WORKBOOK: 0}
        while head := self.spool.read(_FRAME.size):
            letter, length = _FRAME.unpack(head)
            kind = TEXT if letter == b"t" else WORKBOOK
            yield kind, numbers[kind], self.spool.read(length)
            numbers[kind] += 1

    def __enter__(self) -> "Upload":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.spool.close()


def unpacked(body: bytes) -> bytes:
    """A stored part as it was."""
    return zlib.decompress(body)


def clean_name(filename: str) -> str:
    """The last part of an uploaded file's name, fit to be shown."""
    name = _UNSAFE.sub(" ", filename.replace("\\", "/").rpartition("/")[2]).strip()
    return name[-200:] or "Table without a name"


def prepare(file: BinaryIO, filename: str, sheet: str | None = None) -> Upload:
    """Read an uploaded table once, whatever it is. Raises `Unreadable` with a sentence for people."""
    start = file.read(8)
    file.seek(0, io.SEEK_END)
    size = file.tell()
    file.seek(0)
    if size > BYTES_MAX:
        raise Unreadable("This file is larger than 200 MB. Split it and import the parts one after the other.")
    upload = Upload(clean_name(filename), Found("utf-8", ","))
    try:
        if workbooks.is_workbook(start):
            _prepare_workbook(upload, file, size, sheet)
        else:
            encoding = tables.find_encoding(file)
            _keep_text(upload, tables.text_blocks(file, encoding), encoding, size)
    except BaseException:
        upload.spool.close()
        raise
    return upload


def _keep_text(upload: Upload, blocks: Iterable[str], encoding: str, size: int, separator: str | None = None) -> None:
    stored, upload.found = tables.survey(tables.pieces(blocks), encoding, size, separator)
    for piece in stored:
        upload.keep(TEXT, piece.encode("utf-8", "replace"))


def _prepare_workbook(upload: Upload, file: BinaryIO, size: int, wanted: str | None) -> None:
    sheets = workbooks.open_workbook(file, size)
    upload.sheets = [sheet.name for sheet in sheets]
    chosen = next((sheet for sheet in sheets if sheet.name == wanted), sheets[0])
    upload.sheet = chosen.name
    workbooks.check_extent(file, chosen)
    with tempfile.TemporaryDirectory(prefix="wordback-") as folder:
        path = Path(folder) / "book.xlsx"
        table = Path(folder) / "table.csv"
        with path.open("wb") as copy:
            shutil.copyfileobj(file, copy)
        with table.open("wb") as out:
            for block in workbooks.rows_as_csv(path, chosen):
                out.write(block)
        with table.open("rb") as text:
            _keep_text(upload, tables.text_blocks(text, "utf-8"), "xlsx", size, ",")
        with path.open("rb") as copy:
            while block := copy.read(_PART):
                upload.keep(WORKBOOK, block)


def pasted(text: str) -> BinaryIO:
    """Rows that were pasted, as a file."""
    return io.BytesIO(text.encode("utf-8", "replace"))
