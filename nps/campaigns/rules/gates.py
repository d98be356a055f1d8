"""The gates a person passes before being asked, in their order; the first that does not pass is the reason.

`final` ends the invitation, `wait` keeps it planned until a next look. The planner decides the same things for many people
at once in SQL (`campaigns.queries.gates`); a test holds the two together.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

FLOOR = timedelta(hours=24)
"""Nothing overrides this distance between two survey messages to one person."""
IMPORT_REST = timedelta(hours=24)
UNDER_WAY_LOOK = timedelta(minutes=15)
"""When to look again at somebody to whom another survey is on its way right now."""
HELD_LOOK = timedelta(hours=24)


class Reason(StrEnum):
    """Why somebody was not, or not yet, asked. The values are stored, exported and answered by the API."""

    NO_CAMPAIGN = "no_campaign"
    DUPLICATE_EVENT = "duplicate_event"
    EVENT_TOO_OLD = "event_too_old"
    NOT_IN_AUDIENCE = "not_in_audience"
    NOT_SAMPLED = "not_sampled"
    ALREADY_INVITED = "already_invited"
    ERASED = "erased"
    NO_ADDRESS = "no_address"
    BAD_ADDRESS = "bad_address"
    DOMAIN_BLOCKED = "domain_blocked"
    UNSUBSCRIBED = "unsubscribed"
    COMPLAINED = "complained"
    BOUNCED = "bounced"
    BLOCKED = "blocked"
    NO_CONSENT = "no_consent"
    SOFT_BOUNCED = "soft_bounced"
    TOO_NEW = "too_new"
    IMPORT_HOLD = "import_hold"
    OPEN_CASE = "open_case"
    YEARLY_CHOICE = "yearly_choice"
    THROTTLED = "throttled"
    HARD_FLOOR = "hard_floor"
    COMPANY_LIMIT = "company_limit"
    DAILY_LIMIT = "daily_limit"
    PLAN_LIMIT = "plan_limit"
    CAMPAIGN_PAUSED = "campaign_paused"
    ACCOUNT_PAUSED = "account_paused"
    SENDER_NOT_READY = "sender_not_ready"
    RESTORE_HOLD = "restore_hold"
    OUTSIDE_WINDOW = "outside_window"
    DAY_OFF = "day_off"
    PACE = "pace"
    TRANSPORT_DOWN = "transport_down"
    RETRYING = "retrying"
    ANSWERED = "answered"
    PICKED = "picked"
    REPLIED = "replied"
    LAPSED = "lapsed"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    GAVE_UP = "gave_up"


R = Reason
WAITS = frozenset(
    {
        R.SOFT_BOUNCED,
        R.TOO_NEW,
        R.IMPORT_HOLD,
        R.OPEN_CASE,
        R.YEARLY_CHOICE,
        R.THROTTLED,
        R.HARD_FLOOR,
        R.COMPANY_LIMIT,
        R.DAILY_LIMIT,
        R.PLAN_LIMIT,
        R.CAMPAIGN_PAUSED,
        R.ACCOUNT_PAUSED,
        R.SENDER_NOT_READY,
        R.RESTORE_HOLD,
        R.OUTSIDE_WINDOW,
        R.DAY_OFF,
        R.PACE,
        R.TRANSPORT_DOWN,
        R.RETRYING,
    }
)
"""Reasons that may pass by themselves. For an event campaign `throttled` is final."""

ORDER: tuple[Reason, ...] = (
    R.NOT_IN_AUDIENCE,
    R.NOT_SAMPLED,
    R.ALREADY_INVITED,
    R.ERASED,
    R.NO_ADDRESS,
    R.BAD_ADDRESS,
    R.DOMAIN_BLOCKED,
    R.UNSUBSCRIBED,
    R.COMPLAINED,
    R.BOUNCED,
    R.BLOCKED,
    R.NO_CONSENT,
    R.SOFT_BOUNCED,
    R.TOO_NEW,
    R.IMPORT_HOLD,
    R.OPEN_CASE,
    R.YEARLY_CHOICE,
    R.THROTTLED,
    R.HARD_FLOOR,
    R.COMPANY_LIMIT,
    R.DAILY_LIMIT,
    R.PLAN_LIMIT,
    R.CAMPAIGN_PAUSED,
    R.ACCOUNT_PAUSED,
    R.SENDER_NOT_READY,
    R.RESTORE_HOLD,
    R.OUTSIDE_WINDOW,
)

# How a stop of the address book counts as a reason.
STOPS: dict[str, Reason] = {
    "erased": R.ERASED,
    "unsubscribed": R.UNSUBSCRIBED,
    "imported": R.UNSUBSCRIBED,
    "complained": R.COMPLAINED,
    "bounced": R.BOUNCED,
    "blocked": R.BLOCKED,
    "soft_bounced": R.SOFT_BOUNCED,
}


@dataclass(frozen=True, slots=True)
class Terms:
    """What a campaign asks of everybody, at the instant of looking."""

    now: datetime
    today: date
    """`now` as a day in the account's zone."""
    kind: str = "one_time"
    gap_days: int = 90
    min_age_days: int = 30
    consent_needed: bool = False
    skip_open_case: bool = True
    running_since: datetime | None = None
    """Start of a campaign that goes on by itself; imported rows rest before it sees them. None for one-time waves."""
    campaign_paused: bool = False
    account_paused: bool = False
    sender_ready: bool = True
    window_words: str = ""
    window_open: bool = True
    window_next: datetime | None = None

    @property
    def throttled_is_final(self) -> bool:
        return self.kind == "event"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one contact at the instant of looking."""

    in_audience: bool = True
    drawn: bool = True
    invited: bool = False
    erased: bool = False
    email: str | None = None
    stops: Sequence[str] = field(default_factory=tuple)
    """Reasons of living suppressions of this address."""
    soft_until: datetime | None = None
    consent: str = "unknown"
    customer_since: date | None = None
    imported_at: datetime | None = None
    held_since: datetime | None = None
    own_gap_days: int | None = None
    last_asked_at: datetime | None = None
    last_message_at: datetime | None = None
    """When a survey mail or reminder last went to this person, by any campaign."""
    under_way: bool = False
    """Another survey mail to this person is written and not settled."""
    asked_by: str = ""
    """The name of the campaign that asked last."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one gate saw. `reason` is None when it passed."""

    gate: str
    saw: str
    reason: Reason | None = None
    until: datetime | None = None

    @property
    def final(self) -> bool:
        return self.reason is not None and self.reason not in WAITS


@dataclass(frozen=True, slots=True)
class Verdict:
    """May this person be asked now? `reason` is None when yes; `until` is the next look of a wait."""

    reason: Reason | None
    final: bool
    until: datetime | None


def look(facts: Facts, terms: Terms) -> list[Finding]:
    """Every gate in order, each by itself: what would stop this person, what would not."""
    return [gate(facts, terms) for gate in _GATES]


def decide(facts: Facts, terms: Terms) -> Verdict:
    """The first gate that does not pass."""
    for finding in look(facts, terms):
        if finding.reason is not None:
            final = finding.final or (finding.reason is R.THROTTLED and terms.throttled_is_final)
            return Verdict(finding.reason, final, None if final else finding.until)
    return Verdict(None, False, None)


def _audience(facts: Facts, terms: Terms) -> Finding:
    said = "In the audience today" if facts.in_audience else "Not in the audience"
    return Finding("In the audience", said, None if facts.in_audience else R.NOT_IN_AUDIENCE)


def _sample(facts: Facts, terms: Terms) -> Finding:
    return Finding("Drawn in the sample", "Drawn" if facts.drawn else "Not drawn", None if facts.drawn else R.NOT_SAMPLED)


def _invited(facts: Facts, terms: Terms) -> Finding:
    said = "Has this wave’s invitation" if facts.invited else "No invitation in this wave"
    return Finding("Not invited yet in this wave", said, R.ALREADY_INVITED if facts.invited else None)


def _address(facts: Facts, terms: Terms) -> Finding:
    title = "Has a usable address"
    if facts.erased or "erased" in facts.stops:
        return Finding(title, "This person asked to be erased", R.ERASED)
    if not facts.email:
        return Finding(title, "No email address", R.NO_ADDRESS)
    return Finding(title, facts.email)


def _stopped(facts: Facts, terms: Terms) -> Finding:
    title = "Not stopped, with consent"
    for reason, said in (
        (R.UNSUBSCRIBED, "Asked for no more survey emails"),
        (R.COMPLAINED, "Marked a mail as spam"),
        (R.BOUNCED, "Mail came back: no such mailbox"),
        (R.BLOCKED, "Blocked by a member"),
    ):
        if any(STOPS.get(stop) is reason for stop in facts.stops):
            return Finding(title, said, reason)
    if facts.consent == "refused" or (terms.consent_needed and facts.consent != "given"):
        return Finding(title, "Consent refused" if facts.consent == "refused" else "No consent recorded", R.NO_CONSENT)
    if facts.soft_until is not None and facts.soft_until > terms.now:
        return Finding(title, "Mail came back several times", R.SOFT_BOUNCED, facts.soft_until)
    return Finding(title, "No stop, consent given" if facts.consent == "given" else "No stop")


def _age(facts: Facts, terms: Terms) -> Finding:
    title = f"Customer for {terms.min_age_days} days" if terms.min_age_days else "Customer of any age"
    if facts.customer_since is None:
        return Finding(title, "Not known since when; that passes")
    days = (terms.today - facts.customer_since).days
    said = f"Since {_day(facts.customer_since)}"
    if days < terms.min_age_days:
        return Finding(
            title, f"{said}; {_days(terms.min_age_days - days)} to go", R.TOO_NEW, terms.now + timedelta(days=terms.min_age_days - days)
        )
    return Finding(title, said)


def _rested(facts: Facts, terms: Terms) -> Finding:
    title = "Import rested for 24 hours"
    if facts.imported_at is None:
        return Finding(title, "Not imported")
    said = f"Last import on {_day(facts.imported_at.date())}"
    ready = facts.imported_at + IMPORT_REST
    if terms.running_since is not None and facts.imported_at > terms.running_since and ready > terms.now:
        return Finding(title, said, R.IMPORT_HOLD, ready)
    return Finding(title, said)


def _case(facts: Facts, terms: Terms) -> Finding:
    title = "No open case"
    if facts.held_since is not None and terms.skip_open_case:
        return Finding(title, f"Case opened on {_day(facts.held_since.date())}", R.OPEN_CASE, terms.now + HELD_LOOK)
    return Finding(title, "No open case")


def _yearly(facts: Facts, terms: Terms) -> Finding:
    title = "The person’s own choice"
    if facts.own_gap_days is None:
        return Finding(title, "No choice made")
    said = f"Chose to be asked once in {_days(facts.own_gap_days)} at most"
    ready = facts.last_asked_at + timedelta(days=facts.own_gap_days) if facts.last_asked_at else None
    if ready is not None and ready > terms.now:
        return Finding(title, said, R.YEARLY_CHOICE, ready)
    return Finding(title, said)


def _gap(facts: Facts, terms: Terms) -> Finding:
    title = f"Gap of {terms.gap_days} days over"
    if facts.last_asked_at is None:
        return Finding(title, "Never asked")
    ready = facts.last_asked_at + timedelta(days=terms.gap_days)
    by = f" by “{facts.asked_by}”" if facts.asked_by else ""
    said = f"Asked {_days((terms.now - facts.last_asked_at).days)} ago{by}"
    if ready > terms.now:
        left = -(-(ready - terms.now) // timedelta(days=1))
        return Finding(title, f"{said}; {_days(left)} to go", R.THROTTLED, ready)
    return Finding(title, said)


def _floor(facts: Facts, terms: Terms) -> Finding:
    title = "24 hours between two survey mails"
    if facts.last_message_at is not None and facts.last_message_at + FLOOR > terms.now:
        return Finding(title, "A survey mail went out within 24 hours", R.HARD_FLOOR, facts.last_message_at + FLOOR)
    if facts.under_way:
        return Finding(title, "Another survey mail is on its way", R.HARD_FLOOR, terms.now + UNDER_WAY_LOOK)
    return Finding(title, "No survey mail within 24 hours")


def _permission(facts: Facts, terms: Terms) -> Finding:
    title = "Campaign and account may send"
    if terms.campaign_paused:
        return Finding(title, "The campaign is paused", R.CAMPAIGN_PAUSED)
    if terms.account_paused:
        return Finding(title, "Sending of this account is paused", R.ACCOUNT_PAUSED)
    if not terms.sender_ready:
        return Finding(title, "The sender is not ready", R.SENDER_NOT_READY)
    return Finding(title, "Both may send")


def _window(facts: Facts, terms: Terms) -> Finding:
    said = terms.window_words or "At once"
    if terms.window_open:
        return Finding("Sending window", said)
    return Finding("Sending window", said, R.OUTSIDE_WINDOW, terms.window_next)


_GATES = (_audience, _sample, _invited, _address, _stopped, _age, _rested, _case, _yearly, _gap, _floor, _permission, _window)


# Reminders


@dataclass(frozen=True, slots=True)
class ReminderFacts:
    """What is known of an invitation whose reminder is due."""

    state: str
    picked: bool = False
    """A number was picked by something that is not plainly a machine."""
    replied: bool = False
    stops: Sequence[str] = ()
    soft_until: datetime | None = None
    held: bool = False
    expires_at: datetime | None = None
    last_message_at: datetime | None = None


LEAST_LEFT = timedelta(days=3)
REMINDER_RANGE, REMINDER_DAYS = range(3, 15), 5
REMINDER_GAP = 30
"""Reminders are not available with a shorter gap (days)."""


def decide_reminder(facts: ReminderFacts, now: datetime) -> Verdict:
    """May the reminder go? Never to those who answered, picked, replied, stopped, bounced, complained, have a case or little time left."""
    if facts.state == "answered":
        return Verdict(R.ANSWERED, True, None)
    for stop in facts.stops:
        reason = STOPS.get(stop)
        if reason is not None and reason is not R.SOFT_BOUNCED:
            return Verdict(reason, True, None)
    if facts.state != "asked":
        return Verdict(R.CANCELLED, True, None)
    if facts.picked:
        return Verdict(R.PICKED, True, None)
    if facts.replied:
        return Verdict(R.REPLIED, True, None)
    if facts.held:
        return Verdict(R.OPEN_CASE, True, None)
    if facts.expires_at is not None and facts.expires_at - now < LEAST_LEFT:
        return Verdict(R.LAPSED, True, None)
    if facts.soft_until is not None and facts.soft_until > now:
        return Verdict(R.SOFT_BOUNCED, True, None)
    if facts.last_message_at is not None and facts.last_message_at + FLOOR > now:
        return Verdict(R.HARD_FLOOR, False, facts.last_message_at + FLOOR)
    return Verdict(None, False, None)


def _days(count: int) -> str:
    return f"{count} day{'' if count == 1 else 's'}"


def _day(value: date) -> str:
    return f"{value.day} {value:%B} {value.year}"
