"""Commands on answers: the only writer of hits and responses. Taking, confirming, reviewing, and what came by mail."""

from nps.responses.service.hits import look, refuse_flood
from nps.responses.service.mail import take_reply
from nps.responses.service.review import count, count_seen, judge_again, leave_out, undo, withdraw
from nps.responses.service.seen import settle, touch
from nps.responses.service.taking import Answer, answer_more, confirm, is_open, note_human_reply, record, refuse_closed

__all__ = [
    "Answer",
    "answer_more",
    "confirm",
    "count",
    "count_seen",
    "is_open",
    "judge_again",
    "leave_out",
    "look",
    "note_human_reply",
    "record",
    "refuse_closed",
    "refuse_flood",
    "settle",
    "take_reply",
    "touch",
    "undo",
    "withdraw",
]
