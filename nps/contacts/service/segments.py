"""Segments: saved, changed, archived."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from nps.contacts import queries
from nps.contacts.errors import InUse
from nps.contacts.models import Segment
from nps.contacts.rules import segments as rules
from nps.core import clock
from nps.core.db import db
from nps.core.errors import Invalid

Uses = Callable[[UUID], list[str]]


class _Users:
    """Who uses segments: functions of floors above that name what stands on one. The wiring hands them in."""

    sources: tuple[Uses, ...] = ()


def use_uses(*sources: Uses) -> None:
    """Functions that, for a segment, name the campaigns (or other things) that use it."""
    _Users.sources = sources


def save_segment(segment_id: UUID | None, name: str, given: Mapping[str, Any], *, by: str = "") -> Segment:
    """Make a segment, or change one. Raises `Invalid` with what is wrong in its name or rules."""
    name = " ".join(name.split())
    wrong: dict[str, str] = {}
    if not name:
        wrong["name"] = "Give the segment a name"
    elif len(name) > 80:
        wrong["name"] = "A name has at most 80 characters"
    elif any(s.name.lower() == name.lower() and s.id != segment_id for s in queries.list_segments()):
        wrong["name"] = f"There is a segment “{name[:40]}” already"
    problems = rules.check(given, queries.properties())
    if problems:
        wrong["rules"] = problems[0]
    if wrong:
        raise Invalid(f"{next(iter(wrong.values())).rstrip('.')}.", fields=wrong)
    now = clock.now()
    if segment_id is None:
        segment = Segment(created_at=now, created_by=by, note="")
        db.session.add(segment)
    else:
        segment = queries.get_segment(segment_id)
    segment.name, segment.rules, segment.updated_at = name, dict(given), now
    db.session.flush()
    return segment


def archive_segment(segment_id: UUID) -> Segment:
    """The segment is no longer offered. Raises `InUse` while a campaign stands on it."""
    segment = queries.get_segment(segment_id)
    used = [name for source in _Users.sources for name in source(segment_id)]
    if used:
        named = ", ".join(f"“{name}”" for name in used[:3]) + (f" and {len(used) - 3} more" if len(used) > 3 else "")
        raise InUse(f"Used by {named}. Choose another segment there first.")
    segment.archived_at = segment.archived_at or clock.now()
    db.session.flush()
    return segment
