"""Batches: what a campaign pauses, resumes and stops together. Holds before the next SMTP transaction."""

from uuid import UUID

from nps.core import clock
from nps.core.db import db
from nps.delivery import queries
from nps.delivery.errors import WrongState
from nps.delivery.models import MailBatch
from nps.delivery.rules import Fate
from nps.delivery.service import queueing


def open_batch() -> UUID:
    """A new running batch."""
    now = clock.now()
    batch = MailBatch(state="running", created_at=now, changed_at=now)
    db.session.add(batch)
    db.session.flush()
    return batch.id


def pause_batch(batch_id: UUID, reason: str = "campaign_paused") -> None:
    """Nothing of this batch starts any more until it is resumed; what is in a transaction is finished."""
    batch = queries.get_batch(batch_id)
    if batch.state == "stopped":
        raise WrongState("This batch has been stopped; it cannot be paused.")
    batch.state, batch.reason, batch.changed_at = "paused", reason, clock.now()
    db.session.flush()


def resume_batch(batch_id: UUID) -> None:
    batch = queries.get_batch(batch_id)
    if batch.state == "stopped":
        raise WrongState("This batch has been stopped; it cannot be resumed.")
    batch.state, batch.reason, batch.content_refusals, batch.changed_at = "running", "", 0, clock.now()
    db.session.flush()
    queueing.wake()


def stop_batch(batch_id: UUID, reason: str = "cancelled") -> list[Fate]:
    """For good: what has not begun is dropped. Returns it."""
    batch = queries.get_batch(batch_id)
    batch.state, batch.reason, batch.changed_at = "stopped", reason, clock.now()
    db.session.flush()
    return queueing.drop(reason, batch_id=batch_id)
