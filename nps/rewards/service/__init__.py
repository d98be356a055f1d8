"""Commands on rewards and on the customer's Stripe connection. They never commit."""

from nps.rewards.service.decisions import answer_overdue, approve, approve_clean, close_holds, decline, mark_paid, reopen
from nps.rewards.service.settling import cancel_for_removed, rules_of, settle, weigh
from nps.rewards.service.stripe import EVENTS, change_connection, connect, disconnect, endpoint, keep_event, rotate_secret, take_event

__all__ = [
    "EVENTS",
    "answer_overdue",
    "approve",
    "approve_clean",
    "cancel_for_removed",
    "change_connection",
    "close_holds",
    "connect",
    "decline",
    "disconnect",
    "endpoint",
    "keep_event",
    "mark_paid",
    "reopen",
    "rotate_secret",
    "rules_of",
    "settle",
    "take_event",
    "weigh",
]
