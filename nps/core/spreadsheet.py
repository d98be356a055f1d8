"""Cells that a spreadsheet will open: never a formula. CSV as RFC 4180 with a byte order mark.

A cell that begins with a sign spreadsheets compute with gets a leading apostrophe on the way out; `unprotected` takes
exactly that apostrophe off on the way in, so text and numbers survive the round trip.
Source of the signs: OWASP, "CSV Injection", and their full-width forms, which some programs read alike.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime

BOM = "\ufeff"
_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_FLUSH = 64 * 1024


def protected(cell: str) -> str:
    """`cell` as it may stand in a file that people open."""
    return f"'{cell}" if cell.lstrip("'").startswith(_SIGNS) else cell


def unprotected(cell: str) -> str:
    """`cell` as it was before `protected`."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(_SIGNS) else cell


def shown(value: object) -> str:
    """A value as a cell: instants in ISO 8601 UTC to the second with Z, yes and no as true and false, nothing as ""."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


class _Lines:
    """What csv.writer writes to: keeps the text until it is taken."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.size = 0

    def write(self, text: str) -> int:
        self.parts.append(text)
        self.size += len(text)
        return len(text)

    def take(self) -> bytes:
        text = "".join(self.parts).encode("utf-8", "replace")
        self.parts, self.size = [], 0
        return text


def csv_stream(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """The file in pieces of about 64 KB, bounded in memory whatever the number of rows."""
    lines = _Lines()
    lines.write(BOM)
    writer = csv.writer(lines, lineterminator="\r\n")
    writer.writerow([protected(str(name)) for name in header])
    for row in rows:
        writer.writerow([protected(shown(value)) for value in row])
        if lines.size >= _FLUSH:
            yield lines.take()
    yield lines.take()
