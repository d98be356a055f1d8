"""Which states campaigns and invitations may take, and who may move them."""

from enum import StrEnum


class CampaignState(StrEnum):
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    FINISHED = "finished"
    ARCHIVED = "archived"


class InvitationState(StrEnum):
    PLANNED = "planned"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    ASKED = "asked"
    UNDELIVERED = "undelivered"
    ANSWERED = "answered"
    DECLINED = "declined"
    EXPIRED = "expired"


class PauseReason(StrEnum):
    """Why a campaign was paused. All but `MEMBER` are the product's own doing."""

    MEMBER = "member"
    DAILY_GUARD = "daily_guard"
    THRESHOLDS = "thresholds"
    DOMAIN = "domain"
    REFUSED = "refused"


C, I = CampaignState, InvitationState  # noqa: E741  two letters read better in the tables

CAMPAIGN: dict[CampaignState, frozenset[CampaignState]] = {
    C.DRAFT: frozenset({C.SCHEDULED, C.RUNNING}),
    C.SCHEDULED: frozenset({C.RUNNING, C.DRAFT}),
    C.RUNNING: frozenset({C.PAUSED, C.STOPPED, C.FINISHED}),
    C.PAUSED: frozenset({C.RUNNING, C.STOPPED}),
    C.STOPPED: frozenset({C.ARCHIVED}),
    C.FINISHED: frozenset({C.ARCHIVED}),
    C.ARCHIVED: frozenset(),
}

# `planned → answered` is the person who answers before the sender has written down that the mail left.
INVITATION: dict[InvitationState, frozenset[InvitationState]] = {
    I.PLANNED: frozenset({I.PLANNED, I.ASKED, I.SKIPPED, I.CANCELLED, I.UNDELIVERED, I.ANSWERED}),
    I.ASKED: frozenset({I.UNDELIVERED, I.ANSWERED, I.DECLINED, I.EXPIRED}),
    I.DECLINED: frozenset({I.ANSWERED, I.EXPIRED}),
    I.UNDELIVERED: frozenset({I.ANSWERED}),
    I.SKIPPED: frozenset(),
    I.CANCELLED: frozenset(),
    I.EXPIRED: frozenset(),
    I.ANSWERED: frozenset(),
}

EDITABLE = frozenset({C.DRAFT, C.SCHEDULED})
LIVE = frozenset({C.RUNNING, C.PAUSED})
OPEN_LINKS = frozenset({I.PLANNED, I.ASKED, I.DECLINED, I.UNDELIVERED})
"""Invitations whose link may still become an answer."""

WORDS: dict[CampaignState, str] = {
    C.DRAFT: "Draft",
    C.SCHEDULED: "Scheduled",
    C.RUNNING: "Sending",
    C.PAUSED: "Paused",
    C.STOPPED: "Stopped",
    C.FINISHED: "Finished",
    C.ARCHIVED: "Archived",
}

INVITATION_WORDS: dict[InvitationState, str] = {
    I.PLANNED: "Planned",
    I.SKIPPED: "Not asked",
    I.CANCELLED: "Called off",
    I.ASKED: "Asked",
    I.UNDELIVERED: "Not delivered",
    I.ANSWERED: "Answered",
    I.DECLINED: "Stopped without answering",
    I.EXPIRED: "No answer in time",
}

PAUSE_WORDS: dict[PauseReason, str] = {
    PauseReason.MEMBER: "Paused by a member.",
    PauseReason.DAILY_GUARD: "More than twice the confirmed number was due in one day. Look at the audience before you resume.",
    PauseReason.THRESHOLDS: "Too many bounces or complaints in the last 7 days. The operator of this installation resumes it.",
    PauseReason.DOMAIN: "The records of your sending domain are gone. Mend them, then resume.",
    PauseReason.REFUSED: "Three receiving servers refused the contents of this mail. Change the wording, then resume.",
}


def may_become(now: CampaignState, then: CampaignState) -> bool:
    """May a campaign in the state `now` be moved to `then`?"""
    return then in CAMPAIGN[now]


def invitation_may_become(now: InvitationState, then: InvitationState) -> bool:
    """May an invitation in the state `now` be moved to `then`?"""
    return then in INVITATION[now]


def may_resume(reason: str | None, *, operator: bool) -> bool:
    """A pause because of bounces or complaints is lifted by the operator only."""
    return operator or reason != PauseReason.THRESHOLDS


def sources(then: InvitationState) -> tuple[str, ...]:
    """States from which an invitation may become `then`: the WHERE of a set-based change."""
    return tuple(state.value for state, targets in INVITATION.items() if then in targets and state is not then)
