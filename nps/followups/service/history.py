"""The append-only history: every change of a case goes through here, with the row before and after."""

from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, inspect

from nps.core.db import UTCDateTime, db
from nps.core.prepared import Put
from nps.followups.models import Case, CaseEvent

_NOT_TRACKED = frozenset({"account_id", "id", "last_number", "look_at"})
COLUMNS: dict[str, Any] = {
    attribute.key: attribute.columns[0].type for attribute in inspect(Case).column_attrs if attribute.key not in _NOT_TRACKED
}


_put_event = Put(CaseEvent)


def change(
    case: Case,
    what: str,
    *,
    now: datetime,
    actor_id: UUID | None = None,
    body: str = "",
    facts: dict[str, Any] | None = None,
    response_id: UUID | None = None,
    message_id: UUID | None = None,
    undoes_id: UUID | None = None,
    to: dict[str, Any] | None = None,
) -> CaseEvent:
    """Set columns of a case and append the event that says so. The caller has locked the row."""
    before, after = {}, {}
    for name, value in (to or {}).items():
        old = getattr(case, name)
        if old != value:
            before[name], after[name] = plain(old), plain(value)
            setattr(case, name, value)
    return _append(
        case,
        what,
        now,
        actor_id=actor_id,
        body=body,
        facts=facts or {},
        response_id=response_id,
        message_id=message_id,
        undoes_id=undoes_id,
        before=before,
        after=after,
    )


def opened(case: Case, *, now: datetime, actor_id: UUID | None, facts: dict[str, Any]) -> CaseEvent:
    """The first event of a new case holds the whole row."""
    db.session.add(case)
    db.session.flush()
    after = {name: plain(getattr(case, name)) for name in COLUMNS}
    return _append(case, "opened", now, actor_id=actor_id, facts=facts, response_id=case.response_id, before={}, after=after)


def _append(case: Case, what: str, now: datetime, **rest: Any) -> CaseEvent:
    case.last_number = (case.last_number or 0) + 1
    db.session.flush()
    return _put_event(case_id=case.id, number=case.last_number, what=what, occurred_at=now, **rest)


def plain(value: Any) -> Any:
    """A column's value as JSON."""
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value


def read(name: str, value: Any) -> Any:
    """A column's value from JSON."""
    if value is None:
        return None
    if isinstance(COLUMNS[name], UTCDateTime):
        return datetime.fromisoformat(value)
    return UUID(value) if isinstance(COLUMNS[name], Uuid) else value


def rebuilt(events: list[CaseEvent]) -> dict[str, Any]:
    """The tracked columns of a case as its events, in order, leave them."""
    row: dict[str, Any] = {}
    for event in sorted(events, key=lambda event: event.number):
        row |= {name: read(name, value) for name, value in event.after.items()}
    return row
