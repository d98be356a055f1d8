"""Who is asked to share, and what each state of an advocate allows (the table of states)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class AdvocateState(StrEnum):
    INVITED = "invited"
    ACTIVE = "active"
    PAUSED = "paused"
    LEFT = "left"
    WITHDRAWN = "withdrawn"
    REMOVED = "removed"


class Source(StrEnum):
    PROMOTER = "promoter"
    HAND = "hand"
    API = "api"
    CSV = "csv"
    APPLICATION = "application"


@dataclass(frozen=True, slots=True)
class Allows:
    """What a state allows: asks and reminders, a working link, credit for new touches, mails about
    earned rewards now (False = they wait), and unpaid rewards going on."""

    asks: bool
    link: bool
    credit: bool
    mails: bool
    rewards: bool


ALLOWS: dict[AdvocateState, Allows] = {
    AdvocateState.INVITED: Allows(asks=True, link=True, credit=True, mails=True, rewards=True),
    AdvocateState.ACTIVE: Allows(asks=True, link=True, credit=True, mails=True, rewards=True),
    AdvocateState.PAUSED: Allows(asks=False, link=True, credit=True, mails=False, rewards=True),
    AdvocateState.LEFT: Allows(asks=False, link=False, credit=False, mails=True, rewards=True),
    AdvocateState.WITHDRAWN: Allows(asks=False, link=False, credit=False, mails=False, rewards=False),
    AdvocateState.REMOVED: Allows(asks=False, link=False, credit=False, mails=True, rewards=False),
}

LEAVE_UNDO = timedelta(days=30)

MOVES: dict[tuple[AdvocateState, str], AdvocateState] = {
    (AdvocateState.INVITED, "share"): AdvocateState.ACTIVE,
    (AdvocateState.INVITED, "pause"): AdvocateState.PAUSED,
    (AdvocateState.ACTIVE, "pause"): AdvocateState.PAUSED,
    (AdvocateState.INVITED, "withdraw"): AdvocateState.WITHDRAWN,
    (AdvocateState.INVITED, "leave"): AdvocateState.LEFT,
    (AdvocateState.ACTIVE, "leave"): AdvocateState.LEFT,
    (AdvocateState.PAUSED, "leave"): AdvocateState.LEFT,
    (AdvocateState.INVITED, "remove"): AdvocateState.REMOVED,
    (AdvocateState.ACTIVE, "remove"): AdvocateState.REMOVED,
    (AdvocateState.PAUSED, "remove"): AdvocateState.REMOVED,
    (AdvocateState.LEFT, "remove"): AdvocateState.REMOVED,
}


def move(
    state: AdvocateState, verb: str, *, shared_before: bool = False, left_at: datetime | None = None, now: datetime | None = None
) -> AdvocateState | None:
    """The state after `verb`, or None where it is not possible.

    `resume` and `return` lead back to active for people who shared before, else to invited;
    `return` (undo of leaving) is open for 30 days after `left_at`. A promoter who answers 9-10
    again after a withdrawal comes back with `reinstate`.
    """
    back = AdvocateState.ACTIVE if shared_before else AdvocateState.INVITED
    if verb == "resume":
        return back if state is AdvocateState.PAUSED else None
    if verb == "reinstate":
        return back if state is AdvocateState.WITHDRAWN else None
    if verb == "return":
        in_time = left_at is not None and now is not None and now - left_at <= LEAVE_UNDO
        return back if state is AdvocateState.LEFT and in_time else None
    return MOVES.get((state, verb))


class NotEnrolled(StrEnum):
    """Why a contact was not asked to share. Stored, and shown on the contact."""

    OPEN_CASE = "open_case"
    NOT_PROMOTER = "not_promoter"
    HOLDOUT = "holdout"
    PROGRAM_NOT_LIVE = "program_not_live"
    LEFT_BEFORE = "left_before"
    STAFF = "staff"
    SUPPRESSED = "suppressed"
    SEGMENT = "segment"
    NO_CONSENT = "no_consent"
    ASKED_RECENTLY = "asked_recently"


STATE_WORDS: dict[AdvocateState, str] = {
    AdvocateState.INVITED: "Asked to share",
    AdvocateState.ACTIVE: "Sharing",
    AdvocateState.PAUSED: "Paused",
    AdvocateState.LEFT: "Left the program",
    AdvocateState.WITHDRAWN: "Withdrawn",
    AdvocateState.REMOVED: "Removed",
}

WORDS: dict[NotEnrolled, str] = {
    NotEnrolled.OPEN_CASE: "A case is open",
    NotEnrolled.NOT_PROMOTER: "The last answer is not a 9 or 10",
    NotEnrolled.HOLDOUT: "Kept out on purpose, to compare",
    NotEnrolled.PROGRAM_NOT_LIVE: "The program is not live",
    NotEnrolled.LEFT_BEFORE: "Left the program, or was removed from it",
    NotEnrolled.STAFF: "Address at your own domain",
    NotEnrolled.SUPPRESSED: "Gets no mail from you",
    NotEnrolled.SEGMENT: "Outside the customers this program is for",
    NotEnrolled.NO_CONSENT: "Consent is needed and missing",
    NotEnrolled.ASKED_RECENTLY: "Asked within the last 90 days",
}

ASK_GAP = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Facts about one contact and one program at one moment.

    `holdout_bucket` is a stable hash of contact and program in 0..999. `low_other_score`: a CSAT or
    CES answer in the lowest group since the last NPS answer. `held`: excluded by a hold of another kind.
    """

    source: Source
    program_live: bool
    score: int | None
    min_score: int = 9
    open_case: bool = False
    closed_case_after_answer: bool = False
    quarantined: bool = False
    low_other_score: bool = False
    holdout_bucket: int = 999
    holdout_percent: int = 0
    left_or_removed: bool = False
    staff: bool = False
    suppressed: bool = False
    in_segment: bool = True
    consent_ok: bool = True
    asked_at: datetime | None = None


def refusal(who: Candidate, now: datetime) -> NotEnrolled | None:
    """The first reason not to ask this person, or None.

    A member pressing "Invite to share", the API and a list choose the person themselves: score,
    holdout, segment and the 90-day gap then do not apply, the rest does. Nobody and nothing
    overrides an open case or a stop.
    """
    chosen = who.source is not Source.PROMOTER
    if not who.program_live:
        return NotEnrolled.PROGRAM_NOT_LIVE
    if who.open_case:
        return NotEnrolled.OPEN_CASE
    if who.left_or_removed:
        return NotEnrolled.LEFT_BEFORE
    if who.suppressed:
        return NotEnrolled.SUPPRESSED
    if who.staff:
        return NotEnrolled.STAFF
    if not who.consent_ok:
        return NotEnrolled.NO_CONSENT
    if chosen:
        # 0-6 is never asked, whoever presses the button; an unknown score is the member's to judge.
        return NotEnrolled.NOT_PROMOTER if who.score is not None and who.score <= 6 else None
    if who.score is None or who.score < max(7, who.min_score) or who.quarantined or who.low_other_score or who.closed_case_after_answer:
        return NotEnrolled.NOT_PROMOTER
    if not who.in_segment:
        return NotEnrolled.SEGMENT
    if held_out(who.holdout_bucket, who.holdout_percent):
        return NotEnrolled.HOLDOUT
    if who.asked_at is not None and now - who.asked_at < ASK_GAP:
        return NotEnrolled.ASKED_RECENTLY
    return None


def held_out(bucket: int, percent: int) -> bool:
    """Whether a contact belongs to the share that is never asked. `bucket` is 0..999."""
    return bucket < percent * 10
