"""The gates for many people at once, in SQL, and the facts about one person for the explorer.

The order of reasons is that of `rules.gates`; `tests/campaigns/test_gates_sql.py` holds both to the same answers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.orm import aliased

from nps.accounts.models import Account
from nps.campaigns.models import Campaign, Invitation
from nps.campaigns.rules import gates, windows
from nps.campaigns.rules.gates import Facts, Reason, Terms
from nps.contacts import queries as contacts
from nps.contacts.models import Contact
from nps.core import ids, sql, tenancy
from nps.core.db import UTCDateTime, db
from nps.delivery import queries as delivery
from nps.delivery.models import Suppression

# Final stops in the order of the gates; the lowest rank of a person's stops is the reason.
_RANKS = (Reason.ERASED, Reason.UNSUBSCRIBED, Reason.COMPLAINED, Reason.BOUNCED, Reason.BLOCKED)


def terms_of(campaign: Campaign, account: Account, now: datetime, *, zone: ZoneInfo | None = None) -> Terms:
    """What the campaign asks of everybody now. With a `zone` the sending window of a person there counts too."""
    window = windows.from_json(campaign.window)
    sending = delivery.find_sending_state()
    window_open = campaign.send_now or zone is None or windows.inside(now, window, zone)
    return Terms(
        now=now,
        today=now.astimezone(ZoneInfo(account.time_zone)).date(),
        kind=campaign.kind,
        gap_days=campaign.gap_days,
        min_age_days=campaign.min_age_days,
        running_since=campaign.launched_at if campaign.kind != "one_time" else None,
        campaign_paused=campaign.state == "paused",
        account_paused=account.state not in ("active", "past_due") or (sending is not None and sending.standing == "paused"),
        sender_ready=sending is None or not sending.held,
        window_words="At once" if campaign.send_now else window.words,
        window_open=window_open,
        window_next=None if window_open or zone is None else windows.slots(now, window, zone, 1)[0].due(0),
    )


def facts(
    who: ColumnElement[bool],
    terms: Terms,
    *,
    campaign_id: UUID,
    wave: int | None = None,
    sample_percent: int = 100,
    own: Any = None,
    source: Any = Contact,
    extra: Sequence[ColumnElement[Any]] = (),
) -> CTE:
    """What is known of all contacts that `who` selects from `source`, one row each, worked out once.

    `wave`: whether somebody has that wave's invitation is looked up. `own`: the column of the invitation that is being
    looked at, which is not another survey on its way. `extra` columns are carried along.
    """
    account_id = tenancy.current()
    floor = terms.now - gates.FLOOR
    exact = literal("=") + Contact.email_key
    stop = and_(
        Suppression.account_id == account_id,
        Suppression.lifted_at.is_(None),
        Suppression.scope != "phone",
        or_(Suppression.until.is_(None), Suppression.until > terms.now),
    )
    rank = case(*((Suppression.reason == name, _RANKS.index(why)) for name, why in gates.STOPS.items() if why in _RANKS))
    other = aliased(Invitation)
    others = [other.account_id == account_id, other.contact_id == Contact.id]
    if own is not None:
        others.append(other.id != own)
    outer = (Contact,) if own is None else (Contact, Invitation)
    invited: ColumnElement[Any] = literal(0)
    if wave is not None:
        invited = case((exists().where(*others, other.campaign_id == campaign_id, other.wave == wave).correlate(*outer), 1), else_=0)
    drawn: ColumnElement[Any] = literal(1)
    if sample_percent < 100:
        key = literal(campaign_id.hex, String) + sql.hex_of(Contact.id)
        drawn = case((sql.bucket(key, 100) < sample_percent, 1), else_=0)
    return (
        select(
            Contact.id.label("contact_id"),
            Contact.time_zone,
            Contact.country,
            Contact.erased_at,
            Contact.email_key,
            Contact.consent_email,
            Contact.customer_since,
            Contact.imported_at,
            Contact.held_at,
            Contact.gap_days,
            Contact.last_asked_at,
            invited.label("invited"),
            drawn.label("drawn"),
            select(func.min(rank))
            .where(stop, Suppression.key.in_([exact, literal("~") + sql.reduced(Contact.email_key)]))
            .correlate(Contact)
            .scalar_subquery()
            .label("stop"),
            select(func.max(Suppression.until))
            .where(stop, Suppression.reason == "soft_bounced", Suppression.key == exact)
            .correlate(Contact)
            .scalar_subquery()
            .label("soft_until"),
            select(func.max(case((other.reminded_at > other.asked_at, other.reminded_at), else_=other.asked_at)))
            .where(*others, or_(other.asked_at > floor, other.reminded_at > floor))
            .correlate(*outer)
            .scalar_subquery()
            .label("last_message_at"),
            case((exists().where(*others, on_its_way(other)).correlate(*outer), 1), else_=0).label("under_way"),
            *extra,
        )
        .select_from(source)
        .where(Contact.account_id == account_id, who)
        .cte("facts")
        .prefix_with("MATERIALIZED")
    )


def on_its_way(row: Any = Invitation) -> ColumnElement[bool]:
    """Invitations whose first message or reminder is queued and not settled."""
    return or_(
        and_(row.state == "planned", row.written_at.is_not(None)),
        and_(row.reminder_written_at.is_not(None), row.reminded_at.is_(None)),
    )


@dataclass(frozen=True)
class Verdict:
    """The columns of a decision over `facts`."""

    reason: ColumnElement[Any]
    until: ColumnElement[Any]
    final: ColumnElement[Any]


def verdict(known: CTE, terms: Terms, erased: Sequence[UUID] = ()) -> Verdict:
    """Reason, end of the wait, and whether it is final, for each row of `known`. All empty where somebody may be asked."""
    c = known.c
    now = literal(terms.now, UTCDateTime())
    floor_end = sql.plus_minutes(c.last_message_at, 24 * 60)
    age_left = terms.min_age_days - (sql.day_number(literal(terms.today)) - sql.day_number(c.customer_since))
    own_gap_end = sql.plus_minutes(c.last_asked_at, cast(c.gap_days, Integer) * (24 * 60))
    gap_end = sql.plus_minutes(c.last_asked_at, terms.gap_days * 24 * 60)
    consent = or_(c.consent_email == "refused", c.consent_email != "given") if terms.consent_needed else c.consent_email == "refused"
    whens: list[tuple[Reason, ColumnElement[bool], ColumnElement[Any] | None]] = [
        (Reason.NOT_SAMPLED, c.drawn == 0, None),
        (Reason.ALREADY_INVITED, c.invited == 1, None),
        (Reason.ERASED, or_(c.erased_at.is_not(None), c.stop == 0, *([c.contact_id.in_(erased)] if erased else [])), None),
        (Reason.NO_ADDRESS, c.email_key.is_(None), None),
        *((why, c.stop == _RANKS.index(why), None) for why in _RANKS[1:]),
        (Reason.NO_CONSENT, consent, None),
        (Reason.SOFT_BOUNCED, c.soft_until > now, c.soft_until),
        (Reason.TOO_NEW, age_left > 0, sql.plus_minutes(now, age_left * (24 * 60))),
    ]
    if terms.running_since is not None:
        rested = sql.plus_minutes(c.imported_at, 24 * 60)
        whens.append((Reason.IMPORT_HOLD, and_(c.imported_at > terms.running_since, rested > now), rested))
    if terms.skip_open_case:
        whens.append((Reason.OPEN_CASE, c.held_at.is_not(None), literal(terms.now + gates.HELD_LOOK, UTCDateTime())))
    whens += [
        (Reason.YEARLY_CHOICE, own_gap_end > now, own_gap_end),
        (Reason.THROTTLED, gap_end > now, gap_end),
        (Reason.HARD_FLOOR, floor_end > now, floor_end),
        (Reason.HARD_FLOOR, c.under_way == 1, literal(terms.now + gates.UNDER_WAY_LOOK, UTCDateTime())),
    ]
    for stopped, why in (
        (terms.campaign_paused, Reason.CAMPAIGN_PAUSED),
        (terms.account_paused, Reason.ACCOUNT_PAUSED),
        (not terms.sender_ready, Reason.SENDER_NOT_READY),
    ):
        if stopped:
            whens.append((why, true(), None))
    last = [gates.ORDER.index(why) for why, _, _ in whens]
    if last != sorted(last):
        raise AssertionError("the gates in SQL have lost their order")
    waits = gates.WAITS - ({Reason.THROTTLED} if terms.throttled_is_final else set())
    return Verdict(
        case(*((when, why.value) for why, when, _ in whens), else_=null()),
        case(
            *((when, until if until is not None and why in waits else null()) for why, when, until in whens),
            else_=null(),
        ),
        case(*((when, 0 if why in waits else 1) for why, when, _ in whens), else_=literal(0, Integer)),
    )


def erased_among(who: ColumnElement[bool]) -> list[UUID]:
    """Contacts whose address was erased before and came back. Usually nobody was erased, and then nothing is read."""
    hashes = set(
        db.session.scalars(
            select(Suppression.key).where(Suppression.reason == "erased", Suppression.lifted_at.is_(None), Suppression.key.like("#%"))
        )
    )
    if not hashes:
        return []
    rows = db.session.execute(
        select(Contact.id, Contact.email_key).where(Contact.email_key.is_not(None), who).execution_options(yield_per=5000)
    )
    return [row.id for row in rows if delivery.suppression_keys(row.email_key)[2] in hashes]


def audience(segment_id: UUID | None, exclude_ids: Iterable[str]) -> ColumnElement[bool]:
    """The people a campaign means, as a condition on `Contact`."""
    if segment_id is None and not list(exclude_ids):
        return Contact.erased_at.is_(None)
    return Contact.id.in_(contacts.audience_select(segment_id, [UUID(value) for value in exclude_ids]))


def count_by_reason(campaign: Campaign, terms: Terms, *, limit_to: ColumnElement[bool] | None = None) -> dict[str | None, int]:
    """How many of the audience can be asked now (key None) and how many cannot, by reason."""
    who = audience(campaign.segment_id, campaign.exclude_ids)
    if limit_to is not None:
        who = and_(who, limit_to)
    known = facts(who, terms, campaign_id=campaign.id, sample_percent=campaign.sample_percent)
    said = verdict(known, terms, erased_among(who))
    counted: Select[Any] = select(said.reason.label("why"), func.count()).select_from(known).group_by("why")
    return {row[0]: row[1] for row in db.session.execute(counted)}


def list_by_reason(campaign: Campaign, terms: Terms, reason: str | None, limit: int) -> Sequence[Contact]:
    """The first people of the audience with this reason (None: who can be asked), by name."""
    who = audience(campaign.segment_id, campaign.exclude_ids)
    known = facts(who, terms, campaign_id=campaign.id, sample_percent=campaign.sample_percent)
    said = verdict(known, terms, erased_among(who))
    same = said.reason.is_(None) if reason is None else said.reason == reason
    found = (
        select(Contact).where(Contact.id.in_(select(known.c.contact_id).where(same))).order_by(Contact.name_key, Contact.id).limit(limit)
    )
    return db.session.scalars(found).all()


def facts_of(contact: Contact, campaign: Campaign, now: datetime, *, wave: int | None = None, own: Invitation | None = None) -> Facts:
    """What the explorer and single invitations know of one person. `own`: the invitation that is being looked at."""
    inside = db.session.scalar(select(Contact.id).where(Contact.id == contact.id, audience(campaign.segment_id, campaign.exclude_ids)))
    theirs = select(Invitation).where(Invitation.campaign_id == campaign.id, Invitation.contact_id == contact.id)
    invited = wave is not None and db.session.scalar(theirs.where(Invitation.wave == wave).limit(1)) is not None
    stops: list[Suppression] = []
    if contact.email:
        held = delivery.open_suppressions(now).where(Suppression.key.in_(delivery.suppression_keys(contact.email)))
        stops = list(db.session.scalars(held))
    last = _last_message(contact.id, now)
    return Facts(
        in_audience=inside is not None,
        drawn=sampled(campaign, contact.id),
        invited=invited,
        erased=contact.erased_at is not None,
        email=contact.email,
        stops=tuple(stop.reason for stop in stops),
        soft_until=max((stop.until for stop in stops if stop.reason == "soft_bounced" and stop.until), default=None),
        consent=contact.consent_email,
        customer_since=contact.customer_since,
        imported_at=contact.imported_at,
        held_since=contact.held_at,
        own_gap_days=contact.gap_days,
        last_asked_at=contact.last_asked_at,
        last_message_at=last,
        under_way=_under_way(contact.id, own),
        asked_by=_asked_by(contact.id),
    )


def sampled(campaign: Campaign, contact_id: UUID) -> bool:
    """Was this person drawn? The same answer on every day and machine."""
    key = windows.person_key(campaign.id.hex, contact_id.hex)
    return campaign.sample_percent >= 100 or ids.bucket(key, 100) < campaign.sample_percent


def _last_message(contact_id: UUID, now: datetime) -> datetime | None:
    rows = db.session.execute(
        select(Invitation.asked_at, Invitation.reminded_at).where(
            Invitation.contact_id == contact_id,
            or_(Invitation.asked_at > now - timedelta(days=60), Invitation.reminded_at > now - timedelta(days=60)),
        )
    )
    return max((at for row in rows for at in row if at is not None), default=None)


def _under_way(contact_id: UUID, own: Invitation | None) -> bool:
    written = select(Invitation.id).where(Invitation.contact_id == contact_id, on_its_way())
    if own is not None:
        written = written.where(Invitation.id != own.id)
    return db.session.execute(written.limit(1)).first() is not None


def _asked_by(contact_id: UUID) -> str:
    """The name of the campaign that asked last."""
    last = (
        select(Campaign.name)
        .join(Invitation, and_(Invitation.account_id == Campaign.account_id, Invitation.campaign_id == Campaign.id))
        .where(Invitation.contact_id == contact_id, Invitation.asked_at.is_not(None))
        .order_by(Invitation.asked_at.desc())
        .limit(1)
    )
    return db.session.scalar(last) or ""
