"""What a reply of a mail server means, which states a message may take, when it is tried again.

Pure functions over values. Numeric codes and the phase they came in decide; words only settle what the codes leave open,
because many temporary, policy and mailbox-full answers carry 5.x.x (RFC 5321 §4.2, RFC 3463, RFC 3464).
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID


class Phase(StrEnum):
    """Where an SMTP conversation stands. `DOT` begins when the final dot may have left this machine."""

    CONNECT = "connect"
    GREETING = "greeting"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    DOT = "dot"
    QUIT = "quit"


class MessageState(StrEnum):
    QUEUED = "queued"
    CLAIMED = "claimed"
    SENDING = "sending"
    DEFERRED = "deferred"
    SENT = "sent"
    UNKNOWN = "unknown"
    FAILED = "failed"
    DROPPED = "dropped"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


S = MessageState

TRANSITIONS: dict[MessageState, frozenset[MessageState]] = {
    S.QUEUED: frozenset({S.CLAIMED, S.DROPPED}),
    S.CLAIMED: frozenset({S.SENDING, S.QUEUED, S.DEFERRED, S.DROPPED}),
    S.SENDING: frozenset({S.SENT, S.DEFERRED, S.FAILED, S.UNKNOWN, S.QUEUED}),
    S.DEFERRED: frozenset({S.QUEUED, S.FAILED, S.DROPPED}),
    S.SENT: frozenset({S.DELIVERED, S.BOUNCED, S.COMPLAINED}),
    S.UNKNOWN: frozenset({S.DELIVERED, S.SENT, S.BOUNCED, S.COMPLAINED, S.QUEUED}),
    S.DELIVERED: frozenset({S.BOUNCED, S.COMPLAINED}),
    S.BOUNCED: frozenset({S.COMPLAINED}),
    S.FAILED: frozenset(),
    S.DROPPED: frozenset(),
    S.COMPLAINED: frozenset(),
}

WAITING = frozenset({S.QUEUED, S.CLAIMED, S.DEFERRED})
"""States in which nothing has been said to a server yet: a stop still holds."""

ENDED = frozenset({S.SENT, S.UNKNOWN, S.FAILED, S.DROPPED, S.DELIVERED, S.BOUNCED, S.COMPLAINED})

LEFT = frozenset({S.SENDING, S.SENT, S.UNKNOWN, S.DELIVERED, S.BOUNCED, S.COMPLAINED})
"""States of messages that a server was told about, or may have been."""

_RECEIPT_RANK = {S.UNKNOWN: 0, S.SENT: 1, S.DELIVERED: 2, S.BOUNCED: 3, S.COMPLAINED: 4}


def may_become(now: MessageState, then: MessageState) -> bool:
    return then in TRANSITIONS[now]


def after_receipt(now: MessageState, receipt: MessageState) -> MessageState | None:
    """The state after a receipt that proves `receipt` (sent, delivered, bounced or complained); None when it came too early.

    Receipts come early, late, twice and in any order; a state never moves back, repeats change nothing.
    A message that has failed or was dropped never left, so a receipt for it changes nothing either.
    """
    if now in (S.QUEUED, S.CLAIMED, S.SENDING, S.DEFERRED):
        return None
    if now in _RECEIPT_RANK and _RECEIPT_RANK[receipt] > _RECEIPT_RANK[now]:
        return receipt
    return now


class Fate(NamedTuple):
    """One message and what it belongs to. `reason` says why it did not go (`bounced`, `refused`, `gave_up`, `unsubscribed`, …)."""

    message_id: UUID
    ref_kind: str
    ref_id: UUID | None
    contact_id: UUID | None
    kind: str
    reason: str


# --- what a reply means -------------------------------------------------------------------------------------------


class AddressEffect(StrEnum):
    NONE = "none"
    SOFT = "soft"
    HARD = "hard"


class LaneEffect(StrEnum):
    """What a reply does to the way out or to the account that uses it."""

    NONE = "none"
    DOWN = "down"  # the server cannot be reached; down after five in a row
    OFF = "off"  # our password is refused: nothing leaves until the operator acts
    SENDER = "sender"  # the account's sender is refused; held after three in a row
    SLOW = "slow"  # the provider asks for less: halve the pace there
    RECONNECT = "reconnect"  # the same, and the server is about to close
    REFUSED = "refused"  # counted against the account
    CONTENT = "content"  # the content was refused; three in a wave pause it
    PROTOCOL = "protocol"  # one of the two sides does not speak SMTP; operator told


LOST = 0
"""The code of a reply that never came: the connection was lost or a time limit ran out."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply of a server, or its absence (`code` 0), in the phase it was waited for."""

    phase: Phase
    code: int
    text: str = ""

    @property
    def enhanced(self) -> tuple[int, int, int] | None:
        """The enhanced status code at the start of the text (RFC 2034), if there is one."""
        return enhanced_code(self.text, anywhere=False)

    @property
    def ok(self) -> bool:
        if self.phase is Phase.DATA:
            return 300 <= self.code <= 399
        return 200 <= self.code <= 299


@dataclass(frozen=True, slots=True)
class Verdict:
    state: MessageState
    reason: str = ""
    address: AddressEffect = AddressEffect.NONE
    lane: LaneEffect = LaneEffect.NONE
    again: bool = False
    """Try once more at once, on a new connection."""


_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\d)")
_NO_MAILBOX = re.compile(
    r"(?:user|recipient|mailbox|address|account|alias)\b[^.;]{0,40}"
    r"\b(?:unknown|not found|(?:does not|doesn['’]?t|do not|did not|no longer) exists?|not exist)"
    r"|(?:unknown|no such|non-?existent) (?:user|recipient|mailbox|address|account|local part|person)"
    r"|no mailbox (?:here )?by that name|there is no (?:user|mailbox|account)|not (?:a )?(?:known|valid) (?:user|mailbox|recipient)"
    r"|(?:mailbox|user|recipient|account) (?:is )?(?:not (?:found|known)|inexistent)|not our customer|no account by that name",
    re.IGNORECASE,
)
_BLOCKING = re.compile(
    r"block(?:ed|list|ing)?\b|black ?list|\bspam|reputation|polic(?:y|ies)|\brbl\b|dnsbl|barracuda|proofpoint|unsolicited|\bbanned"
    r"|rate.?limit|too many|gr[ea]y.?list|temporar|suspicious|access denied|not authori[sz]ed|\bdmarc\b|\bspf\b|\bdkim\b"
    r"|relaying|to relay|relay access",
    re.IGNORECASE,
)
_QUOTA = re.compile(r"quota|mailbox (?:is )?full|storage|out of space|exceed\w* (?:its |the )?(?:size|limit)", re.IGNORECASE)

_ADDRESSES = re.compile(r"<[^>]*>|\S+@\S+|https?://\S+")

_NO_SUCH_ADDRESS = frozenset({(1, 1), (1, 2), (1, 3), (1, 6), (1, 10), (2, 1)})


def enhanced_code(text: str, *, anywhere: bool = True) -> tuple[int, int, int] | None:
    """The first enhanced status code in a text (RFC 3463), or the one it starts with."""
    found = _ENHANCED.search(text) if anywhere else _ENHANCED.match(text.lstrip())
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def says_no_such_mailbox(text: str) -> bool:
    """Whether the words plainly say that the mailbox does not exist, and nothing else could be meant."""
    return bool(_NO_MAILBOX.search(_words(text))) and not speaks_of_something_else(text)


def speaks_of_something_else(text: str) -> bool:
    """Whether the words speak of blocking, reputation, policy or quota."""
    words = _words(text)
    return bool(_BLOCKING.search(words) or _QUOTA.search(words))


def _words(text: str) -> str:
    # an address such as <eve@spamfilter.example> is no word of the server
    return _ADDRESSES.sub(" ", text)


def _address_refused(reply: Reply) -> Verdict | None:
    """The verdict when codes or words say that there is no such address, else None."""
    enhanced = reply.enhanced
    by_code = reply.code in (550, 551, 553) and enhanced is not None and enhanced[0] == 5 and enhanced[1:] in _NO_SUCH_ADDRESS
    by_code = by_code or (enhanced is not None and enhanced[0] == 5 and enhanced[1:] in _NO_SUCH_ADDRESS and reply.code in (500, 501))
    if by_code and speaks_of_something_else(reply.text):
        return Verdict(S.FAILED, "refused", AddressEffect.SOFT, LaneEffect.REFUSED)
    if by_code or says_no_such_mailbox(reply.text):
        return Verdict(S.FAILED, "bounced", AddressEffect.HARD)
    return None


def decide(reply: Reply, *, second_try: bool = False) -> Verdict:
    """What becomes of a message, its address and the way out after `reply`.

    `second_try` says that this message has already been repeated on a new connection after a protocol error.
    """
    phase, code = reply.phase, reply.code
    if phase in (Phase.CONNECT, Phase.GREETING, Phase.EHLO, Phase.STARTTLS, Phase.QUIT):
        return Verdict(S.DEFERRED, "transport_down", lane=LaneEffect.DOWN)
    if phase is Phase.DOT:
        if 200 <= code <= 299:
            return Verdict(S.SENT)
        if not 400 <= code <= 599:
            # silence, a reset, or something that is no reply: it may have been delivered
            return Verdict(S.UNKNOWN, "unknown")
    if not 500 <= code <= 599:
        lane = LaneEffect.NONE
        if phase is Phase.RCPT and 400 <= code <= 499:
            lane = LaneEffect.RECONNECT if code == 421 else LaneEffect.SLOW
        elif code == 421:
            lane = LaneEffect.RECONNECT
        soft = phase is Phase.RCPT and reply.enhanced is not None and reply.enhanced[1:] == (2, 2)
        if soft:
            return Verdict(S.DEFERRED, "mailbox_full", AddressEffect.SOFT)
        return Verdict(S.DEFERRED, "retrying", lane=lane)
    if phase is Phase.AUTH:
        return Verdict(S.QUEUED, "sender_not_ready", lane=LaneEffect.OFF)
    mailbox_full = code == 552 or (reply.enhanced is not None and reply.enhanced[1:] == (2, 2))
    if phase is Phase.RCPT:
        if mailbox_full:
            return Verdict(S.DEFERRED, "mailbox_full", AddressEffect.SOFT)
        if refused := _address_refused(reply):
            return refused
    if phase is Phase.DOT and reply.enhanced is not None and reply.enhanced[:2] == (5, 1) and (refused := _address_refused(reply)):
        return refused
    if 500 <= code <= 504:
        if second_try:
            return Verdict(S.FAILED, "protocol", lane=LaneEffect.PROTOCOL)
        return Verdict(S.DEFERRED, "protocol", lane=LaneEffect.PROTOCOL, again=True)
    if phase is Phase.MAIL:
        return Verdict(S.QUEUED, "sender_not_ready", lane=LaneEffect.SENDER)
    if phase is Phase.RCPT:
        return Verdict(S.FAILED, "refused", lane=LaneEffect.REFUSED)
    if mailbox_full:
        return Verdict(S.FAILED, "refused", AddressEffect.SOFT, LaneEffect.REFUSED)
    return Verdict(S.FAILED, "refused", lane=LaneEffect.CONTENT)


# --- trying again -------------------------------------------------------------------------------------------------

RETRY_WAITS = (timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=30))
RETRY_THEN = timedelta(hours=1)
GIVE_UP_AFTER = timedelta(hours=72)


def next_try(tries: int, first_try_at: datetime, now: datetime, draw: int, give_up_after: timedelta = GIVE_UP_AFTER) -> datetime | None:
    """When a deferred message is tried again after `tries` tries; None when it is given up.

    `draw` is a number from 0 to 1000 fixed for this message and try: it moves the wait by up to a fifth either way, so that
    a wave that was put off as one does not come back as one.
    """
    wait = RETRY_WAITS[tries - 1] if 1 <= tries <= len(RETRY_WAITS) else RETRY_THEN
    due = now + wait * (0.8 + 0.4 * min(max(draw, 0), 1000) / 1000)
    return None if due > first_try_at + give_up_after else due


SOFT_IN_A_ROW = 5
SOFT_REST = timedelta(days=30)


def soft_bounced_until(soft_in_a_row: int, now: datetime) -> datetime | None:
    """Until when an address rests: more than five soft bounces in a row mean 30 days."""
    return now + SOFT_REST if soft_in_a_row > SOFT_IN_A_ROW else None


SLOWEST = 1 / 30
"""The lowest pace an account is slowed to at one provider: one mail in 30 seconds."""
QUIET_DOUBLES = timedelta(minutes=10)


def pace_now(base: float, slowed_to: float | None, slowed_at: datetime | None, now: datetime) -> float:
    """Mails a second at one provider: a temporary refusal halved it, every ten quiet minutes double it back."""
    if slowed_to is None or slowed_at is None:
        return base
    doublings = int((now - slowed_at) / QUIET_DOUBLES)
    raised = slowed_to * (1 << min(max(doublings, 0), 32))
    return raised if base == 0 or raised < base else base


def halved(pace: float) -> float:
    return max(pace / 2, SLOWEST)


PROVIDERS = {
    "gmail": ("gmail.com", "googlemail.com"),
    "outlook": ("outlook.com", "hotmail.com", "live.com", "msn.com", "hotmail.co.uk", "hotmail.fr", "live.co.uk", "outlook.de"),
    "yahoo": ("yahoo.com", "ymail.com", "rocketmail.com", "aol.com", "yahoo.co.uk", "yahoo.fr", "yahoo.de"),
    "icloud": ("icloud.com", "me.com", "mac.com"),
}
_PROVIDER_OF = {domain: family for family, domains in PROVIDERS.items() for domain in domains}


def provider(address: str) -> str:
    """The family of mail servers that reads this address, else its own domain."""
    domain = address.rpartition("@")[2].lower()
    return _PROVIDER_OF.get(domain, domain)


HARD_FLOOR = timedelta(hours=24)
"""Between two survey messages to one person, whatever campaign they belong to. Nothing overrides it."""
SURVEY_KINDS = frozenset({"survey", "reminder", "resurvey"})


# --- what came back -----------------------------------------------------------------------------------------------


class Bounce(StrEnum):
    NONE = "none"  # no bounce: delayed, relayed, delivered, expanded
    IGNORED = "ignored"  # too old to say anything about this message
    HARD = "hard"
    SOFT = "soft"
    REFUSED = "refused"  # policy or content: the address is kept


REPORT_TOO_OLD = timedelta(days=14)
ALIVE_WITHIN = timedelta(days=7)


def read_report(action: str, status: str, text: str, *, age: timedelta, alive: bool) -> Bounce:
    """What a delivery report means for the address (RFC 3464).

    `action` and `status` are the report's fields (empty when a plain text report had none), `text` its diagnostic words,
    `age` the time since the message was sent, `alive` whether the address showed a delivery, a person or an answer in the
    last seven days.
    """
    if age > REPORT_TOO_OLD:
        return Bounce.IGNORED
    if action.strip().lower() in ("delayed", "relayed", "delivered", "expanded"):
        return Bounce.NONE
    code = enhanced_code(status) or enhanced_code(text)
    if code is None or code in ((5, 0, 0), (5, 5, 0)):
        return Bounce.HARD if says_no_such_mailbox(text) and not alive else Bounce.SOFT
    kind, subject, detail = code
    if kind == 2:
        return Bounce.NONE
    if (subject, detail) == (2, 2) or kind == 4 or subject in (3, 4):
        return Bounce.SOFT
    if subject in (6, 7) or (subject, detail) == (2, 3):
        return Bounce.REFUSED
    if (subject, detail) in _NO_SUCH_ADDRESS:
        return Bounce.SOFT if speaks_of_something_else(text) else Bounce.HARD
    return Bounce.HARD if says_no_such_mailbox(text) and not alive else Bounce.SOFT


# --- stops --------------------------------------------------------------------------------------------------------


class SuppressionReason(StrEnum):
    UNSUBSCRIBED = "unsubscribed"
    COMPLAINED = "complained"
    BOUNCED = "bounced"
    SOFT_BOUNCED = "soft_bounced"
    BLOCKED = "blocked"
    IMPORTED = "imported"
    ERASED = "erased"


BY_REDUCED_SPELLING = frozenset({SuppressionReason.UNSUBSCRIBED, SuppressionReason.COMPLAINED})
"""What a person said holds for every spelling of their mailbox. A bounce holds for the exact address only."""

PERSONAL_REPLY_STOPPED_BY = frozenset({SuppressionReason.COMPLAINED, SuppressionReason.BOUNCED, SuppressionReason.ERASED})
"""After these not even a reply typed by a member is sent."""

LIFTED_BY_MEMBER = frozenset({SuppressionReason.BLOCKED, SuppressionReason.BOUNCED, SuppressionReason.IMPORTED})


# --- the account's standing ---------------------------------------------------------------------------------------


class Standing(StrEnum):
    GOOD = "good"
    WARNED = "warned"
    PAUSED = "paused"


RECIPIENTS_NEEDED = 200
WARN_AT = (0.04, 0.0008)
PAUSE_AT = (0.08, 0.003)


def standing(recipients: int, bounces: int, complaints: int) -> Standing:
    """How the account stands over its last seven days. Below 200 recipients nothing is concluded: a rate needs a floor."""
    if recipients < RECIPIENTS_NEEDED:
        return Standing.GOOD
    shares = (bounces / recipients, complaints / recipients)
    if any(share >= limit for share, limit in zip(shares, PAUSE_AT, strict=True)):
        return Standing.PAUSED
    if any(share >= limit for share, limit in zip(shares, WARN_AT, strict=True)):
        return Standing.WARNED
    return Standing.GOOD
