"""Upload, match columns, import: a file on its way in."""

import io
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for

from nps.contacts import queries
from nps.contacts.errors import UnusableFile
from nps.contacts.forms import UploadForm
from nps.contacts.models import Import
from nps.contacts.rules import matching as matching_rules
from nps.contacts.rules import progress as progress_rules
from nps.contacts.rules import uploads
from nps.contacts.rules.columns import PRESET_STEPS, find_preset
from nps.contacts.rules.fields import LABELS, label
from nps.contacts.rules.joining import Mode
from nps.contacts.rules.matching import Matching
from nps.contacts.rules.tables import ENCODINGS, SEPARATORS, Unreadable
from nps.contacts.service import importing
from nps.contacts.views.people import csv_answer
from nps.core import clock
from nps.core import db as database
from nps.core.errors import DomainError
from nps.core.money import format_money
from nps.core.spreadsheet import csv_stream, shown
from nps.web import current
from nps.web.unit import takes_large_files

imports = Blueprint("imports", __name__)

_FEW = 10
"""Rows to fix that stand on the page before "Show more"."""

SAMPLE = [
    ["Email", "Name", "Company", "Plan", "Customer since", "Monthly value", "Language", "Time zone"],
    ["dana@brightoak.example", "Dana Whitfield", "Bright Oak Dental", "Growth", "2024-03-04", "84.00", "en", "America/New_York"],
    ["sam@oyelaran.example", "Sam Oyelaran", "Oyelaran & Sons", "Starter", "2025-11-20", "29.00", "en-GB", "Europe/London"],
]


# Upload


def upload_page(form: UploadForm, status: int = 200) -> Any:
    return render_template("contacts/upload.html", form=form, latest=queries.list_imports(), steps=PRESET_STEPS, now=clock.now()), status


@imports.get("/imports")
def index() -> Any:
    return upload_page(UploadForm())


@imports.get("/imports/sample.csv")
def sample() -> Any:
    return csv_answer(csv_stream(SAMPLE[0], SAMPLE[1:]), "contacts-sample.csv")


@imports.post("/imports")
@takes_large_files
def upload() -> Any:
    form = UploadForm()
    given, pasted = request.files.get("file"), (form.rows.data or "").strip()
    if not form.validate_on_submit() or not ((given and given.filename) or pasted):
        form.file.errors = [*form.file.errors, "Choose a file, or paste rows below."]
        return upload_page(form, 422)
    try:
        if given and given.filename:
            row = take(given.stream, given.filename)
        else:
            row = take(uploads.pasted(pasted), "Pasted rows")
    except DomainError as error:
        form.file.errors = [*form.file.errors, error.message]
        return upload_page(form, error.status)
    return redirect(url_for("imports.columns", id=row.id), 303)


def take(file: Any, filename: str) -> Import:
    """Read the file with no transaction open (it may take seconds), then store it. Raises `UnusableFile`."""
    database.commit()
    try:
        with uploads.prepare(file, filename) as prepared:
            return importing.store(prepared, by_id=current.user.id, by=current.user.name)
    except Unreadable as error:
        raise UnusableFile(str(error)) from None


@imports.post("/imports/<uuid:id>/sheet")
def sheet(id: UUID) -> Any:
    """Another sheet of the workbook."""
    row = queries.get_import(id)
    whole = io.BytesIO(b"".join(importing.workbook_of(id)))
    database.commit()
    try:
        with uploads.prepare(whole, row.filename, request.form.get("sheet", "")) as prepared:
            importing.store_again(id, prepared)
    except Unreadable as error:
        raise UnusableFile(str(error)) from None
    return redirect(url_for("imports.columns", id=id), 303)


# Match columns


def chosen_so_far(row: Import) -> Matching:
    """What was decided about this file, else what was decided about its headings last time, else a guess."""
    if row.matching:
        return Matching.from_json(row.matching)
    last = queries.find_last_matching(row.header_key)
    return matching_rules.propose(row.header, importing.sample_of(row), queries.properties(), last)


def read_matching(row: Import) -> Matching:
    """The decisions in the form."""
    names = [request.form.get(f"c{index}", "") for index in range(len(row.header))]
    chosen = matching_rules.from_choices(names, row.header, importing.sample_of(row), queries.properties())
    mode = request.form.get("mode", "")
    chosen.mode = Mode(mode) if mode in set(Mode) else Mode.ADD_AND_UPDATE
    chosen.blank_empties = request.form.get("blank") == "empty"
    chosen.orders = matching_rules.read_orders(request.form)
    chosen.preset = find_preset(row.header)
    return chosen


def settle(row: Import, chosen: Matching) -> list[str]:
    """Let whole columns say how dates and numbers are written; returns the date fields that are left to the member."""
    answered = dict(chosen.orders)
    unsettled = importing.settle(row, chosen)
    chosen.orders |= {name: answered[name] for name in unsettled if name in answered}
    return unsettled


def columns_page(row: Import, chosen: Matching, wrong: list[str], status: int = 200, template: str = "contacts/columns.html") -> Any:
    known = queries.properties()
    sample = importing.sample_of(row)
    usable = not matching_rules.problems(chosen, known)
    unsettled = settle(row, chosen) if usable else []
    page = render_template(
        template,
        row=row,
        chosen=chosen,
        wrong=wrong,
        unsettled=unsettled,
        preview=importing.preview(row, chosen) if usable else None,
        fields=LABELS,
        properties=known,
        offers=matching_rules.offers(row.header, sample, known),
        choice_of=matching_rules.choice_of,
        stored_cell=stored_cell,
        encoding=ENCODINGS.get(row.encoding, "XLSX"),
        separator=SEPARATORS.get(row.delimiter, "comma"),
        label=lambda name: label(name, {**known, **chosen.new}),
    )
    return page, status


def stored_cell(record: dict[str, Any] | None, target: str) -> str:
    """A field of the preview, as it will be stored."""
    if record is None:
        return ""
    if target == "monthly_value":
        minor = record.get("monthly_value_minor")
        return format_money(minor, record["currency"]) if minor is not None else ""
    return shown(record.get("name" if target == "last_name" else target))


@imports.route("/imports/<uuid:id>/columns", methods=["GET", "POST"])
def columns(id: UUID) -> Any:
    row = queries.get_import(id)
    if row.state not in ("uploaded", "refused"):
        return redirect(url_for("imports.show", id=id), 303)
    if request.method == "GET":
        return columns_page(row, chosen_so_far(row), [row.message] if row.message else [])
    chosen = read_matching(row)
    wrong = matching_rules.problems(chosen, queries.properties())
    if request.form.get("do") != "start" or wrong:
        return columns_page(row, chosen, wrong, 422 if wrong else 200)
    if any(name not in chosen.orders for name in settle(row, chosen)):
        return columns_page(row, chosen, ["Say below which comes first in the dates, the day or the month."], 422)
    importing.start(id, chosen)
    return redirect(url_for("imports.show", id=id), 303)


@imports.post("/imports/<uuid:id>/preview")
def preview(id: UUID) -> Any:
    """The lower half of the page for what is chosen just now; nothing is stored."""
    row = queries.get_import(id)
    chosen = read_matching(row)
    return columns_page(row, chosen, matching_rules.problems(chosen, queries.properties()), template="contacts/_preview.html")


# Import


def progress_of(row: Import) -> progress_rules.Progress:
    return progress_rules.of(row.state, row.done_rows, row.rows, row.started_at, clock.now())


def show_page(row: Import, status: int = 200, typed: dict[str, str] | None = None, problem: str = "") -> Any:
    everything = request.args.get("all") == "1"
    waiting = queries.list_waiting_rows(row.id, 1000 if everything else _FEW)
    known = queries.properties()
    chosen = Matching.from_json(row.matching) if row.matching else None
    page = render_template(
        "contacts/import.html",
        row=row,
        progress=progress_of(row),
        waiting=waiting,
        everything=everything,
        erased=queries.list_erased_rows(row.id),
        chosen=chosen,
        name_column=matching_rules.name_column(chosen) if chosen else (),
        row_name=row_name,
        label=lambda name: label(name, {**known, **(chosen.new if chosen else {})}),
        typed=typed or {},
        problem=problem,
        undo_until=row.finished_at + importing.UNDO if row.finished_at else None,
        now=clock.now(),
    )
    return page, status


def row_name(cells: list[str], columns: tuple[int, ...]) -> str:
    """Who a waiting row is about."""
    return " ".join(cells[index].strip() for index in columns if index < len(cells) and cells[index].strip())


@imports.get("/imports/<uuid:id>")
def show(id: UUID) -> Any:
    row = queries.get_import(id)
    if row.state == "uploaded":
        return redirect(url_for("imports.columns", id=id), 303)
    return show_page(row)


@imports.get("/imports/<uuid:id>/progress")
def progress(id: UUID) -> Response:
    """The moving part. When the import has ended the page draws itself again and stops asking (status 286)."""
    row = queries.get_import(id)
    answer = make_response(render_template("contacts/_progress.html", row=row, progress=progress_of(row)))
    if row.state not in ("running", "undoing"):
        answer.status_code = 286
        answer.headers["HX-Refresh"] = "true"
    return answer


@imports.post("/imports/<uuid:id>/stop")
def stop(id: UUID) -> Any:
    importing.ask_to_stop(id)
    flash("The import stops after the rows it is just storing. What is in stays, and you can undo it.", "good")
    return redirect(url_for("imports.show", id=id), 303)


@imports.post("/imports/<uuid:id>/undo")
def undo(id: UUID) -> Any:
    importing.undo(id)
    flash("The import is being undone.", "good")
    return redirect(url_for("imports.show", id=id), 303)


@imports.get("/imports/<uuid:id>/rows.csv")
def rows(id: UUID) -> Any:
    """The rows that wait, as they were, with `row` and `problem`."""
    row = queries.get_import(id)
    header, made = queries.waiting_rows_table(row.header, queries.stream_waiting_rows(id))
    return csv_answer(csv_stream(header, made), "rows-to-fix.csv")


@imports.post("/imports/<uuid:id>/rows/<uuid:row_id>")
def fix(id: UUID, row_id: UUID) -> Any:
    typed = request.form.get("value", "")[:5000]
    try:
        importing.fix_row(id, row_id, typed)
    except DomainError as error:
        if error.status != 422:
            raise
        return show_page(queries.get_import(id), 422, {str(row_id): typed}, error.message)
    flash("The row is in.", "good")
    return redirect(url_for("imports.show", id=id, all=request.args.get("all")) + "#h-fix", 303)
