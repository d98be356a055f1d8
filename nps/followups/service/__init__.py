"""Commands on queues and cases, by noun. `from nps.followups import service as followups`, then `followups.open_case(…)`."""

from nps.followups.service.arriving import auto_reply_received, contact_erased, messages_settled, receipt_arrived, reply_received
from nps.followups.service.assigning import assign, assign_many, member_removed, move, reassign_all, role_changed
from nps.followups.service.closing import NOT_CLEAR, Closure, close, close_many, reopen, save_outcome, say_solved, undo
from nps.followups.service.mail import has_stopped, may_be_written_to
from nps.followups.service.moves import WAYS, log_attempt, log_contact, note, snooze, take_back, wait
from nps.followups.service.opening import answer_revised, open_by_hand, open_case
from nps.followups.service.queues import (
    TARGETS,
    QueueData,
    default_queue,
    delete_queue,
    delete_reply,
    holidays_as_text,
    plan_queue,
    read_holidays,
    save_queue,
    save_reply,
)
from nps.followups.service.replies import note_presence, reply, save_draft, values_for
from nps.followups.service.watching import look, watch

__all__ = [
    "NOT_CLEAR",
    "TARGETS",
    "WAYS",
    "Closure",
    "QueueData",
    "answer_revised",
    "assign",
    "assign_many",
    "auto_reply_received",
    "close",
    "close_many",
    "contact_erased",
    "default_queue",
    "delete_queue",
    "delete_reply",
    "has_stopped",
    "holidays_as_text",
    "log_attempt",
    "log_contact",
    "look",
    "may_be_written_to",
    "member_removed",
    "messages_settled",
    "move",
    "note",
    "note_presence",
    "open_by_hand",
    "open_case",
    "plan_queue",
    "read_holidays",
    "reassign_all",
    "receipt_arrived",
    "reopen",
    "reply",
    "reply_received",
    "role_changed",
    "save_draft",
    "save_outcome",
    "save_queue",
    "save_reply",
    "say_solved",
    "snooze",
    "take_back",
    "undo",
    "values_for",
    "wait",
    "watch",
]
