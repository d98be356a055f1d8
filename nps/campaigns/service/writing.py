"""The writer: due invitations pass the gates once more, with the person held, and become messages in the queue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import and_, bindparam, case, func, select, update
from sqlalchemy.orm import join

from nps.accounts import queries as accounts
from nps.accounts.models import Account
from nps.campaigns import queries
from nps.campaigns.models import Campaign, CampaignWave, Invitation
from nps.campaigns.queries import gates as gates_sql
from nps.campaigns.rules import gates, windows
from nps.campaigns.rules.gates import Reason
from nps.campaigns.rules.states import PauseReason
from nps.campaigns.service import letter, planning, running
from nps.contacts.models import Contact
from nps.core import clock, tenancy
from nps.core.db import db
from nps.delivery import service as delivery
from nps.delivery.models import MailTemplate
from nps.surveys import queries as surveys

BATCH = 500
GUARD = 2
"""Times the confirmed daily number; more in a day pauses the campaign and asks."""
PRIORITY = {"event": delivery.PRIORITY_EVENT, "one_time": delivery.PRIORITY_ONE_TIME, "rolling": delivery.PRIORITY_ROLLING}
REF, REMINDER_REF = "invitation", "reminder"
SURVEY, REMINDER, TEST = "survey", "reminder", "test"


def write_due(*, limit: int = BATCH) -> bool:
    """Write messages for up to `limit` due invitations of this account, event campaigns first. True when more may be due."""
    now, left = clock.now(), limit
    account = accounts.get_account(tenancy.current())
    order = case((Campaign.kind == "event", 0), (Campaign.kind == "one_time", 1), else_=2)
    live = db.session.scalars(select(Campaign).where(Campaign.state == "running").order_by(order, Campaign.launched_at, Campaign.id))
    for campaign in live.all():
        due = _due(campaign, now, left)
        if due and guarded(campaign, len(due), account, now):
            running.pause(campaign.id, reason=PauseReason.DAILY_GUARD)
            continue
        if due:
            write(campaign, due, account, now)
            left -= len(due)
        if left <= 0:
            return True
    return False


def guarded(campaign: Campaign, more: int, account: Account, now: datetime) -> bool:
    """Would `more` mails make today over twice the daily number that was confirmed? Then a member looks first."""
    wave = queries.find_wave(campaign.id, campaign.wave)
    if wave is None or not wave.daily:
        return False
    midnight = now.astimezone(ZoneInfo(account.time_zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    since = max(midnight, wave.guard_from or midnight)
    today = select(func.count()).select_from(Invitation).where(Invitation.campaign_id == campaign.id, Invitation.written_at >= since)
    written = db.session.scalar(today.where(Invitation.is_test.is_(False))) or 0
    fresh = wave.guard_from is not None and wave.guard_from >= midnight
    return not fresh and written + more > GUARD * wave.daily


def _due(campaign: Campaign, now: datetime, limit: int) -> list[UUID]:
    return list(
        db.session.scalars(
            select(Invitation.id)
            .where(
                Invitation.campaign_id == campaign.id,
                Invitation.state == "planned",
                Invitation.written_at.is_(None),
                Invitation.look_at <= now,
            )
            .order_by(Invitation.look_at)
            .limit(limit)
        )
    )


@dataclass
class _Said:
    """The gates' word on one invitation."""

    reason: str
    until: datetime | None
    final: bool


def write(campaign: Campaign, invitation_ids: Sequence[UUID], account: Account, now: datetime) -> None:
    """Let these planned invitations through the gates: written, told to wait, or skipped."""
    contacts = _held(invitation_ids)
    said = _verdicts(campaign, invitation_ids, account, now)
    going: list[tuple[Invitation, Contact]] = []
    changes: list[dict[str, Any]] = []
    seen: set[UUID] = set()
    for invitation in _rows(invitation_ids):
        contact = contacts.get(invitation.contact_id) if invitation.contact_id else None
        verdict = said.get(invitation.id)
        if verdict is None and contact is not None:
            verdict = _window(campaign, account, contact, now) or _twice(contact, seen, now)
        if contact is None:
            verdict = _Said(Reason.ERASED, None, True)
        if verdict is not None:
            changes.append(_change(campaign, invitation, verdict, now))
        elif contact is not None:
            seen.add(contact.id)
            going.append((invitation, contact))
    _apply(changes)
    for number in sorted({invitation.wave for invitation, _ in going}):
        mine = [pair for pair in going if pair[0].wave == number]
        _queue(campaign, queries.get_wave(campaign.id, campaign.wave if campaign.kind == "event" else number), mine, account, now)


def _rows(invitation_ids: Sequence[UUID]) -> Sequence[Invitation]:
    query = select(Invitation).where(Invitation.id.in_(invitation_ids)).order_by(Invitation.look_at, Invitation.id)
    return db.session.scalars(query.execution_options(populate_existing=True)).all()


def _held(invitation_ids: Sequence[UUID]) -> dict[UUID, Contact]:
    """The people, locked in one order until this unit ends, so that two writers cannot both ask one of them."""
    people = select(Invitation.contact_id).where(Invitation.id.in_(invitation_ids))
    found = select(Contact).where(Contact.id.in_(people)).order_by(Contact.id).with_for_update()
    return {contact.id: contact for contact in db.session.scalars(found.execution_options(populate_existing=True))}


def _verdicts(campaign: Campaign, invitation_ids: Sequence[UUID], account: Account, now: datetime) -> dict[UUID, _Said]:
    """Those that may not go now. The audience was frozen by the wave, so segment and sample are not asked again."""
    terms = gates_sql.terms_of(campaign, account, now)
    who = Invitation.id.in_(invitation_ids)
    joined = join(Invitation, Contact, and_(Contact.account_id == Invitation.account_id, Contact.id == Invitation.contact_id))
    known = gates_sql.facts(
        and_(who, Invitation.account_id == campaign.account_id),
        terms,
        campaign_id=campaign.id,
        own=Invitation.id,
        source=joined,
        extra=(Invitation.id.label("invitation_id"),),
    )
    said = gates_sql.verdict(known, terms, _erased(invitation_ids))
    rows = db.session.execute(
        select(known.c.invitation_id, said.reason.label("reason"), said.until, said.final).where(said.reason.is_not(None))
    )
    return {row[0]: _Said(row[1], row[2], bool(row[3])) for row in rows}


def _erased(invitation_ids: Sequence[UUID]) -> list[UUID]:
    people = select(Invitation.contact_id).where(Invitation.id.in_(invitation_ids))
    return gates_sql.erased_among(Contact.id.in_(people))


def _window(campaign: Campaign, account: Account, contact: Contact, now: datetime) -> _Said | None:
    """Somebody whose sending hours are over for today waits for the next window."""
    if campaign.send_now:
        return None
    window = windows.from_json(campaign.window)
    zone = ZoneInfo(windows.zone_of(contact.time_zone, contact.country, account.time_zone))
    if windows.inside(now, window, zone):
        return None
    key = windows.person_key(campaign.id.hex, contact.id.hex)
    return _Said(Reason.OUTSIDE_WINDOW, windows.next_due(now, window, zone, key), False)


def _twice(contact: Contact, seen: set[UUID], now: datetime) -> _Said | None:
    """Somebody who is in this very batch already (two waves of one campaign, two events)."""
    return _Said(Reason.HARD_FLOOR, now + gates.UNDER_WAY_LOOK, False) if contact.id in seen else None


def _change(campaign: Campaign, invitation: Invitation, verdict: _Said, now: datetime) -> dict[str, Any]:
    ends = (invitation.due_at or now) + timedelta(hours=campaign.lapse_hours)
    lapsed = not verdict.final and ends <= now
    over = verdict.final or lapsed
    look = verdict.until or now + timedelta(minutes=planning.LOOK_AGAIN)
    return {
        "b_account": invitation.account_id,
        "b_id": invitation.id,
        "state": "skipped" if over else "planned",
        "reason": Reason.LAPSED.value if lapsed else verdict.reason,
        "held_by": verdict.reason if lapsed else None,
        "reason_until": None if over else verdict.until,
        "look_at": None if over else min(look, ends),
    }


def _apply(changes: list[dict[str, Any]]) -> None:
    if not changes:
        return
    table: Any = Invitation.__table__
    fields = [name for name in changes[0] if not name.startswith("b_")]
    statement = (
        update(table)
        .where(table.c.account_id == bindparam("b_account"), table.c.id == bindparam("b_id"))
        .values({name: bindparam(name) for name in fields})
    )
    db.session.flush()
    db.session.connection().execute(statement, changes)


def least_gap(campaign: Campaign) -> int:
    """The shortest gap any live campaign of this account asks with: what the mail promises."""
    others = db.session.scalar(select(func.min(Campaign.gap_days)).where(Campaign.state.in_(("running", "paused"))))
    return min(campaign.gap_days, others or campaign.gap_days)


def _queue(campaign: Campaign, wave: CampaignWave, going: Sequence[tuple[Invitation, Contact]], account: Account, now: datetime) -> None:
    if not going:
        return
    template = template_of(wave.template_id)
    names = letter.marks_of(template.subject, template.text, template.html)
    language = str(surveys.get_version(wave.survey_version_id).wording["language"])
    gap, today = least_gap(campaign), now.astimezone(ZoneInfo(account.time_zone)).date()
    delivery.queue_many(
        (
            delivery.Draft(
                key=f"invitation:{invitation.id}:1",
                to_email=contact.email or "",
                contact_id=contact.id,
                ref_kind=REF,
                ref_id=invitation.id,
                slots=letter.values_for(contact, names, gap),
                lapses_at=max(invitation.due_at or now, now) + timedelta(hours=campaign.lapse_hours),
            )
            for invitation, contact in going
        ),
        kind=SURVEY,
        priority=PRIORITY[campaign.kind],
        template=template,
        batch_id=wave.batch_id,
    )
    _apply(
        [
            {
                "b_account": invitation.account_id,
                "b_id": invitation.id,
                "written_at": now,
                "reason": None,
                "reason_until": None,
                "language": language,
                "survey_version_id": wave.survey_version_id,
                "asked_properties": frozen(contact, today),
            }
            for invitation, contact in going
        ]
    )


def template_of(template_id: UUID) -> MailTemplate:
    return db.session.scalars(select(MailTemplate).where(MailTemplate.id == template_id)).one()


def frozen(contact: Contact, today: Any) -> Mapping[str, Any]:
    """What is kept of a person as they were when asked: properties, company, country, customer age in days."""
    facts: dict[str, Any] = dict(contact.properties)
    if contact.company:
        facts["company"] = contact.company
    if contact.country:
        facts["country"] = contact.country
    if contact.customer_since is not None:
        facts["customer_age_days"] = (today - contact.customer_since).days
    return facts
