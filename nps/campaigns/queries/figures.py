"""How a campaign stands: counts by state and reason, the mail of its waves, what to expect of the next."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import aliased

from nps.accounts.models import Account
from nps.campaigns.models import Campaign, CampaignWave, Invitation
from nps.campaigns.queries import gates as gates_sql
from nps.campaigns.rules import windows
from nps.contacts.models import Contact, Segment
from nps.core.db import db
from nps.delivery import queries as delivery
from nps.delivery.models import Message
from nps.surveys.models import SurveyVersion

LATE, EARLY = 20, 8
"""Local hours outside of which "send now" names the hour."""
HISTORY = timedelta(days=90)


@dataclass
class Progress:
    """Counts of one campaign over all its waves. Messages are first messages and reminders together."""

    audience: int = 0
    states: dict[str, int] = field(default_factory=dict)
    waiting: dict[str, int] = field(default_factory=dict)
    """Planned and held back, by reason ("" = due later)."""
    skipped: dict[str, int] = field(default_factory=dict)
    undelivered: dict[str, int] = field(default_factory=dict)
    messages: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    reminded: int = 0
    planning: bool = False
    per_minute: int = 0
    next_due_at: datetime | None = None

    def count(self, *states: str) -> int:
        return sum(self.states.get(state, 0) for state in states)

    def mail(self, *states: str) -> int:
        return sum(self.messages.get(state, 0) for state in states)

    @property
    def asked(self) -> int:
        """Everybody whose first message left, whatever came of it."""
        return self.count("asked", "answered", "declined", "expired")

    @property
    def going(self) -> int:
        """People still to be asked."""
        return self.count("planned")

    @property
    def busy(self) -> bool:
        """Is something happening right now?"""
        return self.planning or self.mail("queued", "claimed", "sending") > 0


def progress(campaign: Campaign, now: datetime) -> Progress:
    """Read from rows each time; nothing is counted elsewhere."""
    found = Progress()
    waves = db.session.scalars(select(CampaignWave).where(CampaignWave.campaign_id == campaign.id)).all()
    rows = db.session.execute(
        select(Invitation.state, Invitation.reason, func.count(), func.count(Invitation.reminded_at))
        .where(Invitation.campaign_id == campaign.id, Invitation.is_test.is_(False))
        .group_by(Invitation.state, Invitation.reason)
    )
    for state, reason, count, reminded in rows:
        found.states[state] = found.states.get(state, 0) + count
        found.reminded += reminded
        lists = {"planned": found.waiting, "skipped": found.skipped, "cancelled": found.skipped, "undelivered": found.undelivered}
        by_reason = lists.get(state)
        if by_reason is not None:
            by_reason[reason or ""] = by_reason.get(reason or "", 0) + count
    found.audience = sum(found.states.values())
    found.planning = campaign.state == "running" and any(wave.planned_at is None for wave in waves)
    for wave in waves:
        for state, count in delivery.count_by_state(wave.batch_id).items():
            found.messages[state] = found.messages.get(state, 0) + count
        for reason, count in delivery.count_failed_by_reason(wave.batch_id).items():
            found.failed[reason] = found.failed.get(reason, 0) + count
    if found.mail("queued", "claimed", "sending"):
        found.per_minute = _sent_since([wave.batch_id for wave in waves], now - timedelta(minutes=1))
    found.next_due_at = db.session.scalar(
        select(func.min(Invitation.look_at)).where(
            Invitation.campaign_id == campaign.id, Invitation.state == "planned", Invitation.written_at.is_(None)
        )
    )
    return found


def _sent_since(batch_ids: Sequence[UUID], since: datetime) -> int:
    query = select(func.count()).select_from(Message).where(Message.batch_id.in_(batch_ids), Message.sent_at > since)
    return db.session.scalar(query) or 0


@dataclass(frozen=True)
class Line:
    """One campaign in the list."""

    campaign: Campaign
    audience: int
    asked: int
    answered: int
    waiting: int


def list_lines(campaigns: Sequence[Campaign]) -> list[Line]:
    """The campaigns with their counts, in the given order."""
    rows = db.session.execute(
        select(Invitation.campaign_id, Invitation.state, func.count())
        .where(Invitation.campaign_id.in_([campaign.id for campaign in campaigns]), Invitation.is_test.is_(False))
        .group_by(Invitation.campaign_id, Invitation.state)
    )
    counted: dict[UUID, dict[str, int]] = {}
    for campaign_id, state, count in rows:
        counted.setdefault(campaign_id, {})[state] = count
    lines = []
    for campaign in campaigns:
        states = counted.get(campaign.id, {})
        asked = sum(states.get(name, 0) for name in ("asked", "answered", "declined", "expired"))
        lines.append(Line(campaign, sum(states.values()), asked, states.get("answered", 0), states.get("planned", 0)))
    return lines


# Before it starts


@dataclass(frozen=True)
class Expected:
    """From the account's own last 90 days: shares, or None without history."""

    answer_share: float | None
    low_share: float | None


def expected(now: datetime) -> Expected:
    """How many of those asked answer, and how many of the answers are 0 to 6. Under 30 asked there is no history."""
    since = now - HISTORY
    asked, answered = db.session.execute(
        select(func.count(), func.count(Invitation.answered_at)).where(Invitation.asked_at > since, Invitation.is_test.is_(False))
    ).one()
    if asked < 30:
        return Expected(None, None)
    scored, low = db.session.execute(
        select(func.count(), func.sum(case((Contact.last_score <= 6, 1), else_=0))).where(Contact.last_answered_at > since)
    ).one()
    return Expected(answered / asked, (low or 0) / scored if scored else None)


@dataclass(frozen=True)
class Hours:
    """Whose clock counts for how many, and the local time of the largest group for whom "now" is night."""

    own: int
    country: int
    account: int
    night: int = 0
    night_clock: str = ""


def hours(campaign: Campaign, account: Account, now: datetime) -> Hours:
    """By what the sending time of the audience is decided."""
    country = case((Contact.time_zone.is_not(None), ""), else_=func.coalesce(Contact.country, ""))
    zone = func.coalesce(Contact.time_zone, "")
    who = gates_sql.audience(campaign.segment_id, campaign.exclude_ids)
    rows = db.session.execute(select(zone, country, func.count()).where(who).group_by(zone, country)).all()
    counts = {"own": 0, "country": 0, "account": 0}
    nights: dict[str, int] = {}
    for name, code, count in rows:
        counts["own" if name else "country" if code in windows.ONE_ZONE else "account"] += count
        local = now.astimezone(windows.zone_info(windows.zone_of(name, code, account.time_zone)))
        if local.hour >= LATE or local.hour < EARLY:
            shown = f"{local:%H:%M}"
            nights[shown] = nights.get(shown, 0) + count
    worst = max(nights.items(), key=lambda item: item[1], default=("", 0))
    return Hours(counts["own"], counts["country"], counts["account"], worst[1], worst[0])


def find_example(campaign: Campaign) -> Contact | None:
    """A real contact of the audience for the preview; else any contact."""
    for who in (gates_sql.audience(campaign.segment_id, campaign.exclude_ids), Contact.erased_at.is_(None)):
        found = db.session.scalar(select(Contact).where(who, Contact.email_key.is_not(None)).order_by(Contact.id).limit(1))
        if found is not None:
            return found
    return None


def list_segments() -> Sequence[Segment]:
    """Segments a campaign may be sent to, by name."""
    return db.session.scalars(select(Segment).where(Segment.archived_at.is_(None)).order_by(Segment.name)).all()


def segment_name(segment_id: UUID | None) -> str:
    """ "Every contact", or the segment's name."""
    if segment_id is None:
        return "Every contact"
    return db.session.scalar(select(Segment.name).where(Segment.id == segment_id)) or "A segment that is gone"


# People


def people(campaign_id: UUID, *, state: str = "", reason: str = "", q: str = "") -> Any:
    """The select of a campaign's invitations, for lists and files."""
    query = select(Invitation).where(Invitation.campaign_id == campaign_id, Invitation.is_test.is_(False))
    if state:
        query = query.where(Invitation.state == state)
    if reason:
        query = query.where(Invitation.reason == reason)
    text = q.strip().lower()
    if text:
        matching = select(Contact.id).where(
            or_(
                Contact.email_key.startswith(text, autoescape=True),
                Contact.name_key.startswith(text, autoescape=True),
                Contact.surname_key.startswith(text, autoescape=True),
                Contact.company_key.startswith(text, autoescape=True),
            )
        )
        query = query.where(Invitation.contact_id.in_(matching))
    return query


def contacts_of(rows: Sequence[Invitation]) -> dict[UUID, Contact]:
    ids = [row.contact_id for row in rows if row.contact_id]
    return {contact.id: contact for contact in db.session.scalars(select(Contact).where(Contact.id.in_(ids)))} if ids else {}


EXPORTED = (
    "invitation_id", "campaign", "wave", "contact_id", "email", "channel", "state", "reason", "reason_until", "due_at", "asked_at",
    "reminded_at", "answered_at", "expires_at", "language", "survey_version", "variant", "canary",
)  # fmt: skip
HELD = "held_by"


def asked_keys(campaign_id: UUID | None) -> list[str]:
    """Every frozen key of these invitations, sorted."""
    keys: set[str] = set()
    query = select(Invitation.asked_properties).where(Invitation.written_at.is_not(None), Invitation.is_test.is_(False))
    if campaign_id is not None:
        query = query.where(Invitation.campaign_id == campaign_id)
    for facts in db.session.scalars(query.execution_options(yield_per=5000)):
        keys.update(facts)
    return sorted(keys)


def export_rows(campaign_id: UUID | None, keys: Sequence[str], *, with_address: bool = True) -> Iterator[list[object]]:
    """Rows of the invitations file: `EXPORTED`, what held a lapsed one, the frozen facts. No addresses for those who may not see them."""
    version = aliased(SurveyVersion)
    query = (
        select(Invitation, Campaign.name, Contact.email, version.number)
        .join(Campaign, and_(Campaign.account_id == Invitation.account_id, Campaign.id == Invitation.campaign_id))
        .outerjoin(Contact, and_(Contact.account_id == Invitation.account_id, Contact.id == Invitation.contact_id))
        .outerjoin(version, and_(version.account_id == Invitation.account_id, version.id == Invitation.survey_version_id))
        .where(Invitation.is_test.is_(False))
        .order_by(Invitation.id)
    )
    if campaign_id is not None:
        query = query.where(Invitation.campaign_id == campaign_id)
    for row, name, address, number in db.session.execute(query.execution_options(yield_per=2000)):
        # a version is chosen with the message; before that the wave's is only meant
        chosen = number if row.written_at is not None or row.asked_at is not None else None
        yield [
            row.id, name, row.wave, row.contact_id, address if with_address else "", row.channel, row.state, row.reason, row.reason_until,
            row.due_at, row.asked_at, row.reminded_at, row.answered_at, row.expires_at, row.language, chosen, row.variant, row.canary,
            row.held_by, *(row.asked_properties.get(key) for key in keys),
        ]  # fmt: skip


def count_emails(start: datetime, end: datetime) -> int:
    """Survey mails of the account in a period: first messages and reminders that left. For the plan's meter."""
    firsts = select(func.count()).select_from(Invitation).where(Invitation.asked_at >= start, Invitation.asked_at < end)
    reminders = select(func.count()).select_from(Invitation).where(Invitation.reminded_at >= start, Invitation.reminded_at < end)
    real = Invitation.is_test.is_(False)
    return (db.session.scalar(firsts.where(real)) or 0) + (db.session.scalar(reminders.where(real)) or 0)


def list_of_contact(contact_id: UUID) -> Sequence[tuple[Invitation, str]]:
    """Invitations of a person with the name of their campaign, newest first. For timelines."""
    rows = db.session.execute(
        select(Invitation, Campaign.name)
        .join(Campaign, and_(Campaign.account_id == Invitation.account_id, Campaign.id == Invitation.campaign_id))
        .where(Invitation.contact_id == contact_id)
        .order_by(Invitation.created_at.desc(), Invitation.id.desc())
    )
    return [(row[0], row[1]) for row in rows]
