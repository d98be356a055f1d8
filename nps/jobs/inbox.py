"""Provider events come in: stored once, answered at once, worked on later."""

from uuid import UUID

from sqlalchemy.dialects import postgresql, sqlite

from nps.core import clock, ids
from nps.core.db import db
from nps.jobs.models import InboxEvent


def receive(source: str, external_id: str, body: str, *, kind: str = "", account_id: UUID | None = None) -> InboxEvent | None:
    """Keep an event. None when this source has told us this id before."""
    make = postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    event_id = ids.new_id()
    row = {
        "id": event_id,
        "source": source,
        "external_id": external_id[:255],
        "account_id": account_id,
        "kind": kind[:120],
        "body": body,
        "state": "received",
        "attempts": 0,
        "received_at": clock.now(),
    }
    done = db.session.execute(
        make(InboxEvent).values(row).on_conflict_do_nothing(index_elements=["source", "external_id"]).returning(InboxEvent.id)
    )
    return db.session.get(InboxEvent, event_id) if done.first() else None
