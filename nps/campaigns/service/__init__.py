"""Commands on campaigns and invitations. `from nps.campaigns import service as campaigns`, then `campaigns.launch(…)`."""

from nps.campaigns.service.drafting import check_unchanged, copy, create, discard, edit, reply_addresses
from nps.campaigns.service.launching import (
    advice,
    audience,
    days_of,
    last_day,
    launch,
    may_edit,
    note_act,
    problems,
    start_scheduled,
    unschedule,
)
from nps.campaigns.service.letter import GMAIL_CUTS_AT
from nps.campaigns.service.outcomes import (
    expire,
    lapse,
    mark_answered,
    note_erased,
    note_leaving,
    note_pick,
    note_receipt,
    note_reply,
    note_settled,
    note_suppressed,
)
from nps.campaigns.service.planning import plan, wake_writer
from nps.campaigns.service.reminders import remind
from nps.campaigns.service.running import (
    archive,
    finish,
    held_words,
    note_batch_paused,
    open_links,
    pause,
    resume,
    send_unknown_again,
    stop,
)
from nps.campaigns.service.single import Reply, invite_one
from nps.campaigns.service.trial import copy_for, open_test, send_test, sends_from_own_domain
from nps.campaigns.service.upkeep import ask_to_look_after, look_after, tick
from nps.campaigns.service.writing import write_due

__all__ = [
    "GMAIL_CUTS_AT",
    "Reply",
    "advice",
    "archive",
    "ask_to_look_after",
    "audience",
    "check_unchanged",
    "copy",
    "copy_for",
    "create",
    "days_of",
    "discard",
    "edit",
    "expire",
    "finish",
    "held_words",
    "invite_one",
    "lapse",
    "last_day",
    "launch",
    "look_after",
    "mark_answered",
    "may_edit",
    "note_act",
    "note_batch_paused",
    "note_erased",
    "note_leaving",
    "note_pick",
    "note_receipt",
    "note_reply",
    "note_settled",
    "note_suppressed",
    "open_links",
    "open_test",
    "pause",
    "plan",
    "problems",
    "remind",
    "reply_addresses",
    "resume",
    "send_test",
    "send_unknown_again",
    "sends_from_own_domain",
    "start_scheduled",
    "stop",
    "tick",
    "unschedule",
    "wake_writer",
    "write_due",
]
