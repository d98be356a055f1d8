"""What other features ask of delivery. `from nps.delivery import service as delivery`, then `delivery.queue(…)`."""

from nps.delivery.service.batches import open_batch, pause_batch, resume_batch, stop_batch
from nps.delivery.service.queueing import (
    PRIORITY_EVENT,
    PRIORITY_ONE_TIME,
    PRIORITY_REMINDER,
    PRIORITY_ROLLING,
    PRIORITY_SINGLE,
    Draft,
    add_template,
    drop,
    put_off,
    queue,
    queue_many,
    send_again,
    sender_address,
)
from nps.delivery.service.stops import lift, lift_address, note_alive, suppress

__all__ = [
    "PRIORITY_EVENT",
    "PRIORITY_ONE_TIME",
    "PRIORITY_REMINDER",
    "PRIORITY_ROLLING",
    "PRIORITY_SINGLE",
    "Draft",
    "add_template",
    "drop",
    "lift",
    "lift_address",
    "note_alive",
    "open_batch",
    "pause_batch",
    "put_off",
    "queue",
    "queue_many",
    "resume_batch",
    "send_again",
    "sender_address",
    "stop_batch",
    "suppress",
]
