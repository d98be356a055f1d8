"""Segments: the list, the rules with their live count, who is in one."""

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for

from nps.contacts import queries, service
from nps.contacts.models import Segment
from nps.contacts.rules import segments as rules
from nps.contacts.rules.segments import Line
from nps.core.errors import DomainError
from nps.web import current

segments = Blueprint("segments", __name__)

_START = [Line("company", "is")]


@segments.get("/segments")
def index() -> Any:
    known = queries.properties()
    found = [(segment, rules.in_words(segment.rules, known), queries.count_matching(segment.id)) for segment in queries.list_segments()]
    return render_template("contacts/segments.html", found=found)


def values(lines: list[Line], match: str, segment: Segment | None, name: str) -> dict[str, Any]:
    """What the form and its fragment show: rows with the comparisons of their fields, and the count of what holds now."""
    properties = queries.properties()
    known = rules.fields(properties)
    shown = [rules.settled(line, known) for line in lines]
    stored = rules.from_lines(match, shown, properties)
    problems = rules.check(stored, properties)
    return {
        "segment": segment,
        "name": name,
        "match": stored["match"],
        "lines": shown,
        "known": known,
        "problems": problems,
        "reach": None if problems else queries.reach(stored),
        "full": len(shown) >= rules.RULES_MAX,
    }


def read_form() -> tuple[list[Line], str, str]:
    """Rows, "all" or "any", and the name, after a row was added or taken away by a button."""
    lines = rules.read_lines(request.form)
    do = request.form.get("do", "")
    if do == "add":
        lines.append(_START[0])
    elif do.startswith("remove.") and do[7:].isdigit() and int(do[7:]) < len(lines):
        del lines[int(do[7:])]
    return lines, request.form.get("match", "all"), request.form.get("name", "")[:200]


def form_page(lines: list[Line], match: str, segment: Segment | None, name: str, wrong: dict[str, str], status: int = 200) -> Any:
    return render_template("contacts/segment.html", wrong=wrong, **values(lines, match, segment, name)), status


@segments.post("/segments/draft")
def draft() -> Any:
    """The rules and their count while somebody chooses."""
    lines, match, name = read_form()
    return render_template("contacts/_rules.html", **values(lines, match, None, name))


@segments.route("/segments/new", methods=["GET", "POST"])
def new() -> Any:
    if request.method == "GET":
        return form_page(_START, "all", None, "", {})
    return save(None)


@segments.route("/segments/<uuid:id>", methods=["GET", "POST"])
def edit(id: UUID) -> Any:
    segment = queries.get_segment(id)
    if request.method == "GET":
        return form_page(rules.lines_of(segment.rules), segment.rules["match"], segment, segment.name, {})
    return save(segment)


def save(segment: Segment | None) -> Any:
    lines, match, name = read_form()
    if request.form.get("do") != "save":
        return form_page(lines, match, segment, name, {})
    stored = rules.from_lines(match, lines, queries.properties())
    try:
        kept = service.save_segment(segment.id if segment else None, name, stored, by=current.user.name)
    except DomainError as error:
        return form_page(lines, match, segment, name, error.fields or {"name": error.message}, error.status)
    flash(f"“{kept.name}” is saved. It is alive: who matches belongs to it.", "good")
    return redirect(url_for("segments.index"), 303)


@segments.post("/segments/<uuid:id>/archive")
def archive(id: UUID) -> Any:
    kept = service.archive_segment(id)
    flash(f"“{kept.name}” is no longer offered.", "good")
    return redirect(url_for("segments.index"), 303)
