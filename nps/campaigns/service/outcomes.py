"""What became of messages, and what people did: invitations follow. All changes are set-based and harmless when repeated."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, case, func, literal, null, select, update

from nps.campaigns import queries
from nps.campaigns.events import InvitationsAsked
from nps.campaigns.models import Campaign, Invitation
from nps.campaigns.rules import gates, states
from nps.campaigns.rules.gates import Reason
from nps.campaigns.rules.states import InvitationState
from nps.campaigns.service.writing import REF, REMINDER_REF, TEST
from nps.contacts import queries as contacts
from nps.contacts import service as contacts_service
from nps.contacts.events import ContactErased
from nps.contacts.models import Contact
from nps.core import clock, sql, tenancy
from nps.core.db import UTCDateTime, db
from nps.core.events import publish
from nps.core.prepared import ACCOUNT, Prepared
from nps.delivery import service as delivery
from nps.delivery.events import (
    ContactSuppressed,
    MessageReceipt,
    MessagesAboutToLeave,
    MessagesSettled,
    ReplyReceived,
)
from nps.delivery.rules import Fate

DAY = 24 * 60


def _ids(fates: Iterable[Fate], ref_kind: str) -> list[UUID]:
    return [fate.ref_id for fate in fates if fate.ref_kind == ref_kind and fate.ref_id is not None]


def _change(where: Any, **values: Any) -> int:
    done = db.session.execute(update(Invitation).where(*where).values(**values).execution_options(synchronize_session=False))
    return int(done.rowcount)  # type: ignore[attr-defined]


def note_settled(event: MessagesSettled) -> None:
    """Messages left, may have left, did not, or were called off."""
    left = (*event.sent, *event.unknown)
    _asked(_ids(left, REF), [f.contact_id for f in left if f.ref_kind == REF and f.kind != TEST and f.contact_id], event.occurred_at)
    _reminded(_ids(left, REMINDER_REF), event.occurred_at)
    for fate in event.failed:
        if fate.ref_kind == REF and fate.ref_id is not None:
            _undelivered([fate.ref_id], fate.reason or Reason.REFUSED)
    for fate in event.dropped:
        if fate.ref_kind == REF and fate.ref_id is not None:
            _called_off(fate.ref_id, fate.reason)
    lost = [*_ids(event.failed, REMINDER_REF), *_ids(event.dropped, REMINDER_REF)]
    if lost:
        _change([Invitation.id.in_(lost), Invitation.reminded_at.is_(None)], reminder_written_at=None)
    waiting = _ids(event.deferred, REF)
    if waiting:
        _change([Invitation.id.in_(waiting), Invitation.state == "planned"], reason=Reason.RETRYING.value)


def _asked(invitation_ids: list[UUID], contact_ids: list[UUID], at: datetime) -> None:
    """The clock of these people starts. Who answered before the sender had written this down stays answered."""
    if not invitation_ids:
        return
    now = literal(at, UTCDateTime())
    of_campaign = (Campaign.account_id == Invitation.account_id, Campaign.id == Invitation.campaign_id)
    days = select(Campaign.answer_days).where(*of_campaign).correlate(Invitation).scalar_subquery()
    reminder = select(Campaign.reminder_days).where(*of_campaign).correlate(Invitation).scalar_subquery()
    silent = (Invitation.state == "planned") & Invitation.is_test.is_(False)
    _change(
        [Invitation.id.in_(invitation_ids), Invitation.asked_at.is_(None)],
        asked_at=at,
        expires_at=sql.plus_minutes(now, days * DAY),
        remind_at=case((silent, sql.plus_minutes(now, reminder * DAY)), else_=null()),
        state=case((Invitation.state == "planned", "asked"), else_=Invitation.state),
        reason=None,
        reason_until=None,
    )
    contacts_service.mark_asked(contact_ids, at)
    if contact_ids:
        publish(InvitationsAsked(tenancy.current(), tuple(invitation_ids), at))


def _reminded(invitation_ids: list[UUID], at: datetime) -> None:
    """The answer window counts from the last message."""
    if not invitation_ids:
        return
    days = (
        select(Campaign.answer_days)
        .where(Campaign.account_id == Invitation.account_id, Campaign.id == Invitation.campaign_id)
        .correlate(Invitation)
        .scalar_subquery()
    )
    _change(
        [Invitation.id.in_(invitation_ids), Invitation.reminded_at.is_(None)],
        reminded_at=at,
        expires_at=sql.plus_minutes(literal(at, UTCDateTime()), days * DAY),
    )


def _undelivered(invitation_ids: Sequence[UUID], reason: str) -> None:
    may = states.sources(InvitationState.UNDELIVERED)
    _change([Invitation.id.in_(invitation_ids), Invitation.state.in_(may)], state="undelivered", reason=reason[:24], remind_at=None)


_CANCELLING = frozenset({"cancelled", "erased"})


def _called_off(invitation_id: UUID, reason: str) -> None:
    """A message was dropped before it left: a stop, a lapse, or a member. The reason that held it stays beside a lapse."""
    state = InvitationState.CANCELLED if reason in _CANCELLING else InvitationState.SKIPPED
    values: dict[str, Any] = {"state": state.value, "reason": (reason or Reason.CANCELLED)[:24], "look_at": None, "reason_until": None}
    if reason == Reason.LAPSED:
        values["held_by"] = case((Invitation.reason == "lapsed", Invitation.held_by), else_=Invitation.reason)
    _change([Invitation.id == invitation_id, Invitation.state == "planned"], **values)


def note_receipt(event: MessageReceipt) -> None:
    """Mail that had left came back for good."""
    if event.ref_kind in (REF, REMINDER_REF) and event.ref_id is not None and event.state == "bounced":
        _undelivered([event.ref_id], Reason.BOUNCED)


def note_leaving(event: MessagesAboutToLeave) -> None:
    """The last look, in the transaction that lets the messages go: who was erased, held, asked or has answered meanwhile stays."""
    firsts = {f.ref_id: f.message_id for f in event.messages if f.ref_kind == REF and f.kind != TEST and f.ref_id is not None}
    reminders = {f.ref_id: f.message_id for f in event.messages if f.ref_kind == REMINDER_REF and f.ref_id is not None}
    if not firsts and not reminders:
        return
    rows = db.session.execute(
        select(
            Invitation.id,
            Invitation.state,
            Invitation.picked_at,
            Invitation.replied_at,
            Contact.erased_at,
            Contact.held_at,
            Contact.last_asked_at,
            Contact.gap_days,
            Campaign.gap_days.label("campaign_gap"),
        )
        .join(Campaign, (Campaign.account_id == Invitation.account_id) & (Campaign.id == Invitation.campaign_id))
        .join(Contact, (Contact.account_id == Invitation.account_id) & (Contact.id == Invitation.contact_id))
        .where(Invitation.id.in_([*firsts, *reminders]))
    ).all()
    now = event.occurred_at
    for row in rows:
        if row.id in reminders:
            reason = _reminder_stays(row, now)
            if reason:
                delivery.drop(reason, message_ids=[reminders[row.id]])
                _change([Invitation.id == row.id], reason=reason)
            continue
        if row.state != "planned" or row.erased_at is not None:
            delivery.drop(Reason.ERASED if row.erased_at is not None else Reason.CANCELLED, message_ids=[firsts[row.id]])
            continue
        reason, until = _stays(row, now)
        if reason and until:
            delivery.put_off([firsts[row.id]], reason, until)
            _change([Invitation.id == row.id], reason=reason, reason_until=until)


def _stays(row: Any, now: datetime) -> tuple[str, datetime | None]:
    if row.held_at is not None:
        return Reason.OPEN_CASE, now + gates.HELD_LOOK
    if row.last_asked_at is not None:
        for days, reason in ((row.gap_days, Reason.YEARLY_CHOICE), (row.campaign_gap, Reason.THROTTLED)):
            ready = row.last_asked_at + timedelta(days=days or 0)
            if ready > now:
                return reason, ready
    return "", None


def _reminder_stays(row: Any, now: datetime) -> str:
    facts = gates.ReminderFacts(
        state=row.state,
        picked=row.picked_at is not None,
        replied=row.replied_at is not None,
        held=row.held_at is not None or row.erased_at is not None,
    )
    return gates.decide_reminder(facts, now).reason or ""


# What people did


_I = Invitation.__table__
_THIS = (_I.c.account_id == ACCOUNT, _I.c.id == bindparam("invitation"))
_AT = bindparam("at", type_=UTCDateTime())
_ANSWERED = Prepared(
    update(Invitation)
    .where(*_THIS, _I.c.state.in_(sorted(states.sources(InvitationState.ANSWERED))))
    .values(state=InvitationState.ANSWERED.value, answered_at=_AT, remind_at=None, look_at=None)
    .returning(_I.c.reminder_written_at)
)
_PICKED = Prepared(update(Invitation).where(*_THIS).values(picked_at=_AT))


def mark_answered(invitation_id: UUID, at: datetime) -> None:
    """A verified answer is in. The reminder is called off, waiting or queued. Repeating changes nothing."""
    reminder_written = _ANSWERED(invitation=invitation_id, at=at).scalar()
    if reminder_written is not None:
        delivery.drop(Reason.ANSWERED, ref_kind=REMINDER_REF, ref_ids=[invitation_id])


def note_pick(invitation_id: UUID, at: datetime | None) -> None:
    """A number was picked by something that is not plainly a machine (`at`), or all that picked were machines after all (None)."""
    _PICKED(invitation=invitation_id, at=at)


def note_suppressed(event: ContactSuppressed) -> None:
    """A stop: what is planned is called off, who was asked has declined. Waiting messages were dropped by the sender already."""
    if event.scope == "phone" or event.reason == "soft_bounced":
        return
    people = {contact_id for contact_id in (event.contact_id,) if contact_id is not None}
    found = contacts.find_by_email(event.email) if event.email else None
    if found is not None:
        people.add(found.id)
    if not people:
        return
    mine = Invitation.contact_id.in_(people)
    reason = gates.STOPS.get(event.reason, Reason.UNSUBSCRIBED).value
    _change(
        [mine, Invitation.state == "planned", Invitation.written_at.is_(None)],
        state="skipped",
        reason=reason,
        look_at=None,
        reason_until=None,
    )
    if event.reason in ("unsubscribed", "complained", "blocked"):
        _change([mine, Invitation.state == "asked"], state="declined", remind_at=None)
    else:
        _change([mine, Invitation.state == "asked"], remind_at=None)


def note_reply(event: ReplyReceived) -> None:
    """Who writes back gets no reminder."""
    if event.ref_kind in (REF, REMINDER_REF) and event.ref_id is not None:
        at = func.coalesce(Invitation.replied_at, literal(event.occurred_at, UTCDateTime()))
        _change([Invitation.id == event.ref_id], replied_at=at, remind_at=None)
        delivery.drop(Reason.REPLIED, ref_kind=REMINDER_REF, ref_ids=[event.ref_id])


def note_erased(event: ContactErased) -> None:
    """An erased person's invitations keep their counts and lose their facts."""
    mine = Invitation.contact_id == event.contact_id
    delivery.drop(Reason.ERASED, contact_id=event.contact_id, kinds=("survey", "reminder"))
    _change([mine, Invitation.state == "planned"], state="cancelled", reason=Reason.ERASED.value, look_at=None)
    _change([mine], asked_properties={}, remind_at=None)


def lapse(campaign_id: UUID) -> int:
    """Invitations of a live campaign that could not be written in time end, with the reason that held them. Returns how many."""
    campaign, now = queries.get_campaign(campaign_id), clock.now()
    return _change(
        [
            Invitation.campaign_id == campaign_id,
            Invitation.state == "planned",
            Invitation.written_at.is_(None),
            Invitation.due_at < now - timedelta(hours=campaign.lapse_hours),
        ],
        state="skipped",
        held_by=Invitation.reason,
        reason=Reason.LAPSED.value,
        reason_until=None,
        look_at=None,
    )


def expire(limit: int = 5000) -> int:
    """Links of this account whose window is over close. Returns how many."""
    now = clock.now()
    over = select(Invitation.id).where(Invitation.state.in_(("asked", "declined")), Invitation.expires_at <= now).limit(limit)
    return _change([Invitation.id.in_(over)], state="expired", remind_at=None)
