"""Workbooks as spreadsheet programs write them, made by hand: shared strings, styles with dates, stored values of formulas."""

import io
import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from xml.sax.saxutils import escape, quoteattr

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'


class Formula:
    """A cell with a formula and the value the program stored for it."""

    def __init__(self, text: str, value: object) -> None:
        self.text = text
        self.value = value


def letters(index: int) -> str:
    text = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        text = chr(65 + rest) + text
    return text


def cell(where: str, value: object, strings: dict[str, int]) -> str:
    if value is None:
        return ""
    if isinstance(value, Formula):
        inner = cell(where, value.value, strings)
        return (
            inner.replace("<v>", f"<f>{escape(value.text)}</f><v>", 1).replace(' t="s"', ' t="str"')
            if isinstance(value.value, (int, float))
            else (f'<c r="{where}" t="str"><f>{escape(value.text)}</f><v>{escape(str(value.value))}</v></c>')
        )
    if isinstance(value, bool):
        return f'<c r="{where}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, (int, float)):
        return f'<c r="{where}"><v>{value!r}</v></c>'
    if isinstance(value, (date, datetime)):
        at = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)
        passed = at - datetime(1899, 12, 30)
        return f'<c r="{where}" s="1"><v>{passed.days + passed.seconds / 86400}</v></c>'
    return f'<c r="{where}" t="s"><v>{strings.setdefault(str(value), len(strings))}</v></c>'


def sheet_xml(rows: Sequence[Sequence[object]], strings: dict[str, int], first_row: int = 1) -> str:
    body = "".join(
        f'<row r="{number}">' + "".join(cell(f"{letters(i)}{number}", value, strings) for i, value in enumerate(row)) + "</row>"
        for number, row in enumerate(rows, first_row)
    )
    return f'{HEAD}<worksheet xmlns="{MAIN}"><sheetData>{body}</sheetData></worksheet>'


def workbook(
    sheets: dict[str, Sequence[Sequence[object]]], *, hidden: Sequence[str] = (), first_row: int = 1, raw: dict[str, str] | None = None
) -> bytes:
    """The bytes of a workbook with these sheets. `raw` replaces whole parts by their XML."""
    strings: dict[str, int] = {}
    parts = {f"xl/worksheets/sheet{n}.xml": sheet_xml(rows, strings, first_row) for n, rows in enumerate(sheets.values(), 1)}
    entries = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{n}"{" state=" + chr(34) + "hidden" + chr(34) if name in hidden else ""} r:id="rId{n}"/>'
        for n, name in enumerate(sheets, 1)
    )
    links = "".join(
        f'<Relationship Id="rId{n}" Type="{RELS}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in range(1, len(sheets) + 1)
    )
    overrides = "".join(f'<Override PartName="/{part}" ContentType="{SPREADSHEET}.worksheet+xml"/>' for part in parts)
    parts |= {
        "[Content_Types].xml": f'{HEAD}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{SPREADSHEET}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{SPREADSHEET}.styles+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{SPREADSHEET}.sharedStrings+xml"/>'
        f"{overrides}</Types>",
        "_rels/.rels": f'{HEAD}<Relationships xmlns="{PACKAGE}">'
        f'<Relationship Id="rId1" Type="{RELS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'{HEAD}<workbook xmlns="{MAIN}" xmlns:r="{RELS}"><sheets>{entries}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'{HEAD}<Relationships xmlns="{PACKAGE}">{links}'
        f'<Relationship Id="rId900" Type="{RELS}/styles" Target="styles.xml"/>'
        f'<Relationship Id="rId901" Type="{RELS}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        "xl/styles.xml": f'{HEAD}<styleSheet xmlns="{MAIN}"><cellXfs count="2">'
        '<xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>',
        "xl/sharedStrings.xml": f'{HEAD}<sst xmlns="{MAIN}">'
        + "".join(f'<si><t xml:space="preserve">{escape(s)}</t></si>' for s in strings)
        + "</sst>",
        **(raw or {}),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return out.getvalue()
