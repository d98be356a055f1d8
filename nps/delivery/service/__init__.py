"""What other features ask of delivery. `from nps.delivery import service as delivery`, then `delivery.queue(…)`."""

from nps.delivery.service.batches import open_batch, pause_batch, resume_batch, stop_batch
from nps.delivery.service.erasing import erase_person
from nps.delivery.service.inbound import receive
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
from nps.delivery.service.receipts import note_complaint, note_delivered, note_left
from nps.delivery.service.sending import hold, resume_account
from nps.delivery.service.stops import choose_yearly, lift, lift_address, note_alive, stop_by_message, suppress

__all__ = [
    "PRIORITY_EVENT",
    "PRIORITY_ONE_TIME",
    "PRIORITY_REMINDER",
    "PRIORITY_ROLLING",
    "PRIORITY_SINGLE",
    "Draft",
    "add_template",
    "choose_yearly",
    "drop",
    "erase_person",
    "hold",
    "lift",
    "lift_address",
    "note_alive",
    "note_complaint",
    "note_delivered",
    "note_left",
    "open_batch",
    "pause_batch",
    "put_off",
    "queue",
    "queue_many",
    "receive",
    "resume_account",
    "resume_batch",
    "send_again",
    "sender_address",
    "stop_batch",
    "stop_by_message",
    "suppress",
]
