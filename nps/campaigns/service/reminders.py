"""One reminder, for the silent only, in their next window, in the thread of the first message."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, literal, or_, select
from sqlalchemy.orm import aliased

from nps.accounts import queries as accounts
from nps.accounts.models import Account
from nps.campaigns import queries
from nps.campaigns.models import Campaign, Invitation
from nps.campaigns.queries import gates as gates_sql
from nps.campaigns.rules import gates, windows
from nps.campaigns.rules.gates import ReminderFacts
from nps.campaigns.service import letter, writing
from nps.contacts.models import Contact
from nps.core import clock, tenancy
from nps.core.db import UTCDateTime, db
from nps.delivery import queries as delivery_queries
from nps.delivery import service as delivery
from nps.delivery.models import Message

BATCH = 500


def remind(campaign_id: UUID, *, limit: int = BATCH) -> bool:
    """Decide on the reminders of a campaign that are due. True when there are more."""
    now = clock.now()
    campaign, account = queries.get_campaign(campaign_id), accounts.get_account(tenancy.current())
    if campaign.state != "running":
        return False
    due = (
        select(Invitation)
        .where(Invitation.campaign_id == campaign_id, Invitation.remind_at <= now)
        .order_by(Invitation.remind_at)
        .limit(limit)
        .with_for_update()
    )
    rows = db.session.scalars(due.execution_options(populate_existing=True)).all()
    people = {c.id: c for c in db.session.scalars(select(Contact).where(Contact.id.in_([row.contact_id for row in rows])))}
    stops = delivery_queries.find_suppressions({c.email for c in people.values() if c.email}, now=now)
    last = _last_messages(rows, now)
    going: list[tuple[Invitation, Contact]] = []
    for row in rows:
        contact = people.get(row.contact_id) if row.contact_id else None
        if contact is None or not contact.email or contact.erased_at is not None:
            row.remind_at = None
            continue
        stop = stops.get(contact.email)
        verdict = gates.decide_reminder(
            ReminderFacts(
                state=row.state,
                picked=row.picked_at is not None,
                replied=row.replied_at is not None,
                stops=(stop.reason,) if stop is not None else (),
                soft_until=stop.until if stop is not None and stop.reason == "soft_bounced" else None,
                held=contact.held_at is not None,
                expires_at=row.expires_at,
                last_message_at=last.get(contact.id),
            ),
            now,
        )
        if verdict.reason is not None:
            row.remind_at = None if verdict.final else verdict.until
            row.reason = verdict.reason if verdict.final else row.reason
        elif not _in_window(campaign, account, contact, row, now):
            continue
        else:
            going.append((row, contact))
    _write(campaign, going, now)
    db.session.flush()
    return len(rows) == limit


def _last_messages(rows: Sequence[Invitation], now: datetime) -> dict[UUID, datetime]:
    """When another survey mail last went, or is on its way, to these people within the floor."""
    other = aliased(Invitation)
    since = now - gates.FLOOR
    found = db.session.execute(
        select(other.contact_id, func.max(func.coalesce(other.reminded_at, other.asked_at, literal(now, UTCDateTime()))))
        .where(
            other.contact_id.in_([row.contact_id for row in rows]),
            or_(other.asked_at > since, other.reminded_at > since, gates_sql.on_its_way(other)),
        )
        .group_by(other.contact_id)
    )
    return {row[0]: max(row[1], since + timedelta(minutes=15)) for row in found if row[0] is not None}


def _in_window(campaign: Campaign, account: Account, contact: Contact, row: Invitation, now: datetime) -> bool:
    """Is it the person's sending hour? If not, the reminder moves to their minute in the next window."""
    window = windows.from_json(campaign.window)
    zone = ZoneInfo(windows.zone_of(contact.time_zone, contact.country, account.time_zone))
    if windows.inside(now, window, zone):
        return True
    row.remind_at = windows.next_due(now, window, zone, windows.person_key(campaign.id.hex, contact.id.hex))
    return False


def _write(campaign: Campaign, going: Sequence[tuple[Invitation, Contact]], now: datetime) -> None:
    first_ids = _first_messages([row.id for row, _ in going])
    gap = writing.least_gap(campaign)
    for number in sorted({row.wave for row, _ in going}):
        wave = queries.get_wave(campaign.id, campaign.wave if campaign.kind == "event" else number)
        if wave.reminder_template_id is None:
            continue
        template = writing.template_of(wave.reminder_template_id)
        names = letter.marks_of(template.subject, template.text, template.html)
        mine = [pair for pair in going if pair[0].wave == number]
        delivery.queue_many(
            (
                delivery.Draft(
                    key=f"invitation:{row.id}:2",
                    to_email=contact.email or "",
                    contact_id=contact.id,
                    ref_kind=writing.REMINDER_REF,
                    ref_id=row.id,
                    slots=letter.values_for(contact, names, gap, _frozen(row)),
                    lapses_at=row.expires_at - gates.LEAST_LEFT if row.expires_at else None,
                    in_reply_to=first_ids.get(row.id, ""),
                )
                for row, contact in mine
            ),
            kind=writing.REMINDER,
            priority=delivery.PRIORITY_REMINDER,
            template=template,
            batch_id=wave.batch_id,
        )
    for row, _ in going:
        row.remind_at, row.reminder_written_at = None, now


def _frozen(row: Invitation) -> dict[str, Any]:
    """The reminder speaks of the same facts as the first message did."""
    return row.asked_properties


def _first_messages(invitation_ids: Sequence[UUID]) -> dict[UUID, str]:
    found = select(Message).where(Message.ref_kind == writing.REF, Message.ref_id.in_(invitation_ids), Message.kind == writing.SURVEY)
    return {message.ref_id: message.rfc_message_id for message in db.session.scalars(found) if message.ref_id is not None}
