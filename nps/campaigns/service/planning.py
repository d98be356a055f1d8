"""The planner: every contact of a wave's audience gets an invitation or a reason, in batches, by set-based SQL.

A batch is one unit of work: invitations, the cursor and the rank commit together, so a killed worker neither doubles nor
skips anybody. People get their day by rank in hash order, so that daily parts differ by at most one and any first part of
a wave is itself a random sample.
"""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    String,
    and_,
    case,
    delete,
    func,
    insert,
    literal,
    null,
    select,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite

from nps.accounts import queries as accounts
from nps.accounts.models import Account
from nps.campaigns import queries
from nps.campaigns.events import InvitationsPlanned
from nps.campaigns.models import Campaign, CampaignWave, Invitation, WaveSlot
from nps.campaigns.queries import gates as gates_sql
from nps.campaigns.rules import windows
from nps.campaigns.rules.states import CampaignState
from nps.contacts.models import Contact
from nps.core import clock, ids, sql, tenancy
from nps.core.db import JSONValue, UTCDateTime, db
from nps.core.events import publish
from nps.jobs import outbox

PLAN = "campaigns.plan"
WRITE = "campaigns.write"
BATCH = 5000
LOOK_AGAIN = 15
"""Minutes after which a wait without an end is looked at again."""


def plan(campaign_id: UUID, number: int, *, batch: int = BATCH) -> bool:
    """Plan the next batch of a wave. True when there is more. Does nothing when the wave is planned or the campaign is not running."""
    now = clock.now()
    wave = db.session.scalar(
        select(CampaignWave)
        .where(CampaignWave.campaign_id == campaign_id, CampaignWave.number == number)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    campaign = queries.get_campaign(campaign_id)
    if wave is None or wave.planned_at is not None or campaign.state != CampaignState.RUNNING:
        return False
    account = accounts.get_account(tenancy.current())
    who = and_(
        gates_sql.audience(campaign.segment_id, campaign.exclude_ids),
        Contact.created_at <= wave.opened_at,
        *([Contact.id > wave.cursor_id] if wave.cursor_id is not None else []),
    )
    last = db.session.scalar(select(Contact.id).where(who).order_by(Contact.id).offset(batch - 1).limit(1))
    if last is not None:
        who = and_(who, Contact.id <= last)
    if not campaign.send_now:
        _lay_slots(campaign, wave, account, who)
    planned, skipped, ranked = _insert(campaign, wave, account, who, last)
    wave.ranked += ranked
    wave.cursor_id = last or wave.cursor_id
    if last is None:
        wave.planned_at = now
        db.session.execute(_no_sync(delete(WaveSlot).where(WaveSlot.campaign_id == campaign_id, WaveSlot.wave == number)))
    db.session.flush()
    publish(InvitationsPlanned(campaign.account_id, campaign_id, number, planned, skipped))
    wake_writer()
    return last is not None


def ask_for_plan(campaign: Campaign, wave: CampaignWave) -> None:
    """Ask for the planner of a wave (again). Many calls cost one job, and planning twice changes nothing."""
    arguments = {"account_id": str(campaign.account_id), "campaign_id": str(campaign.id), "wave": wave.number}
    outbox.enqueue(PLAN, {**arguments, "occurred_at": wave.opened_at.isoformat()}, key=str(wave.id))


def wake_writer() -> None:
    """Ask for the writer of this account. Many calls cost one job."""
    outbox.enqueue(WRITE, {}, key=str(tenancy.current()))


def _no_sync(statement: Any) -> Any:
    return statement.execution_options(synchronize_session=False)


def _places() -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """What decides a person's clock: their zone, else their country."""
    zone = func.coalesce(Contact.time_zone, "")
    return zone, case((zone == "", func.coalesce(Contact.country, "")), else_="")


def _lay_slots(campaign: Campaign, wave: CampaignWave, account: Account, who: ColumnElement[bool]) -> None:
    """Work out the sending days of every zone in this batch that has none yet."""
    zone, country = _places()
    wanted = {(row[0], row[1]) for row in db.session.execute(select(zone, country).where(who).distinct())}
    here = WaveSlot.campaign_id == campaign.id, WaveSlot.wave == wave.number
    known = {(row[0], row[1]) for row in db.session.execute(select(WaveSlot.time_zone, WaveSlot.country).where(*here).distinct())}
    window = windows.from_json(campaign.window)
    rows = []
    for name, code in sorted(wanted - known):
        place = ZoneInfo(windows.zone_of(name, code, account.time_zone))
        for part, slot in enumerate(windows.slots(wave.opened_at, window, place, wave.days)):
            rows += [
                {
                    "account_id": campaign.account_id,
                    "id": ids.new_id(),
                    "campaign_id": campaign.id,
                    "wave": wave.number,
                    "time_zone": name,
                    "country": code,
                    "part": part,
                    "length": slot.length,
                    "from_offset": segment.start,
                    "to_offset": segment.end,
                    "base_at": segment.base_at,
                    "step": segment.step,
                }
                for segment in slot.segments
            ]
    if rows:
        db.session.execute(insert(WaveSlot), rows)


def _insert(campaign: Campaign, wave: CampaignWave, account: Account, who: ColumnElement[bool], last: UUID | None) -> tuple[int, int, int]:
    """One INSERT … SELECT for the batch. Returns (planned, skipped, planned with nothing in the way)."""
    now = clock.now()
    terms = gates_sql.terms_of(campaign, account, now)
    zone, country = _places()
    # hashed once, beside the facts: place in line and minute are read from the same number
    hashed = sql.bucket(literal(campaign.id.hex, String) + sql.hex_of(Contact.id), windows.HASHES).label("hashed")
    extra = (zone.label("place"), country.label("land"), hashed)
    known = gates_sql.facts(who, terms, campaign_id=campaign.id, sample_percent=campaign.sample_percent, extra=extra)
    said = gates_sql.verdict(known, terms, gates_sql.erased_among(who))
    looked = (
        select(
            known.c.contact_id,
            known.c.place,
            known.c.land,
            known.c.hashed,
            said.reason.label("reason"),
            said.until.label("until"),
            said.final.label("final"),
            (func.row_number().over(partition_by=said.reason.is_(None), order_by=(known.c.hashed, known.c.contact_id)) - 1).label(
                "place_in_line"
            ),
        )
        .select_from(known)
        .cte("looked")
        .prefix_with("MATERIALIZED")
    )
    c = looked.c
    rank = case((c.reason.is_(None), c.place_in_line + wave.ranked), else_=c.place_in_line)
    part = rank % wave.days
    source: Any = looked
    due: ColumnElement[Any]
    if campaign.send_now:
        due = sql.plus_minutes(literal(wave.opened_at, UTCDateTime()), part * (24 * 60))
    else:
        offset = c.hashed // windows.LOW % WaveSlot.length
        source = looked.outerjoin(
            WaveSlot,
            and_(
                WaveSlot.account_id == campaign.account_id,
                WaveSlot.campaign_id == campaign.id,
                WaveSlot.wave == wave.number,
                WaveSlot.time_zone == c.place,
                WaveSlot.country == c.land,
                WaveSlot.part == part,
                offset >= WaveSlot.from_offset,
                offset < WaveSlot.to_offset,
            ),
        )
        due = sql.plus_minutes(WaveSlot.base_at, (offset - WaveSlot.from_offset) * WaveSlot.step)
    timed = select(c.contact_id, c.reason, c.until, c.final, due.label("due")).select_from(source).cte("timed").prefix_with("MATERIALIZED")
    t = timed.c
    again = literal(now, UTCDateTime())
    until = case((and_(t.reason.is_not(None), t.until.is_(None)), sql.plus_minutes(again, LOOK_AGAIN)), else_=t.until)
    lapse = sql.plus_minutes(t.due, campaign.lapse_hours * 60)
    rows = select(
        literal(campaign.account_id),
        sql.new_id(),
        literal(campaign.id),
        literal(wave.number),
        t.contact_id,
        literal(campaign.channel),
        case((t.final == 1, "skipped"), else_="planned"),
        t.reason,
        t.until,
        case((t.final == 1, null()), else_=t.due),
        case((t.final == 1, null()), (until > lapse, lapse), (until > t.due, until), else_=t.due),
        literal("en"),
        literal(wave.survey_version_id),
        literal(False),
        literal(False),
        literal({}, JSONValue),
        again,
    ).select_from(timed)
    make = postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    names = [
        "account_id",
        "id",
        "campaign_id",
        "wave",
        "contact_id",
        "channel",
        "state",
        "reason",
        "reason_until",
        "due_at",
        "look_at",
        "language",
        "survey_version_id",
        "is_test",
        "canary",
        "asked_properties",
        "created_at",
    ]
    statement = make(Invitation).from_select(names, rows.where(true()))
    db.session.execute(statement.on_conflict_do_nothing(index_elements=["account_id", "campaign_id", "wave", "contact_id"]))
    return _counted(campaign, wave, last)


def _counted(campaign: Campaign, wave: CampaignWave, last: UUID | None) -> tuple[int, int, int]:
    """What this batch wrote, read back by its range of contacts."""
    mine = [Invitation.campaign_id == campaign.id, Invitation.wave == wave.number]
    if wave.cursor_id is not None:
        mine.append(Invitation.contact_id > wave.cursor_id)
    if last is not None:
        mine.append(Invitation.contact_id <= last)
    rows = db.session.execute(
        select(Invitation.state, Invitation.reason.is_(None), func.count())
        .where(*mine)
        .group_by(Invitation.state, Invitation.reason.is_(None))
    ).all()
    planned = sum(row[2] for row in rows if row[0] == "planned")
    skipped = sum(row[2] for row in rows if row[0] == "skipped")
    return planned, skipped, sum(row[2] for row in rows if row[0] == "planned" and row[1])
