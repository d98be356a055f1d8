"""What the clock looks after every minute: find accounts with something due and ask for a job there."""

from sqlalchemy import and_, exists, or_, select

from nps.campaigns.models import Campaign, CampaignWave, Invitation
from nps.campaigns.service import launching, outcomes, planning, reminders, running
from nps.core import clock, tenancy
from nps.core.db import db
from nps.jobs import outbox

LOOK_AFTER = "campaigns.look_after"


def tick() -> int:
    """One job for each account where a start, a due invitation, a lapse, a reminder, an end or an expiry waits. Returns how many."""
    now = clock.now()
    with tenancy.unscoped("the clock looks after all accounts"):
        mine = and_(Invitation.account_id == Campaign.account_id, Invitation.campaign_id == Campaign.id)
        unwritten = and_(mine, Invitation.state == "planned", Invitation.written_at.is_(None))
        starts = and_(Campaign.state == "scheduled", Campaign.start_at <= now)
        due = and_(Campaign.state.in_(("running", "paused")), exists().where(unwritten, Invitation.look_at <= now))
        reminders = and_(Campaign.state == "running", exists().where(mine, Invitation.remind_at <= now))
        unplanned = exists().where(
            CampaignWave.account_id == Campaign.account_id, CampaignWave.campaign_id == Campaign.id, CampaignWave.planned_at.is_(None)
        )
        idle = and_(
            Campaign.state == "running",
            Campaign.kind == "one_time",
            ~exists().where(mine, Invitation.state == "planned"),
            ~exists().where(mine, Invitation.remind_at.is_not(None)),
        )
        accounts = set(
            db.session.scalars(
                select(Campaign.account_id).where(or_(starts, due, reminders, idle, and_(Campaign.state == "running", unplanned)))
            )
        )
        over = select(Invitation.account_id).where(Invitation.state.in_(("asked", "declined")), Invitation.expires_at <= now)
        accounts |= set(db.session.scalars(over.distinct()))
    for account_id in sorted(accounts):
        with tenancy.account_scope(account_id):
            ask_to_look_after()
    return len(accounts)


def ask_to_look_after() -> None:
    """A job for the account in scope. Many calls cost one."""
    outbox.enqueue(LOOK_AFTER, {}, key=str(tenancy.current()))


def look_after() -> bool:
    """Everything that is due in this account. True when a part of it needs another run."""
    now = clock.now()
    for campaign_id in db.session.scalars(select(Campaign.id).where(Campaign.state == "scheduled", Campaign.start_at <= now)).all():
        launching.start_scheduled(campaign_id)
    again = False
    for campaign in db.session.scalars(select(Campaign).where(Campaign.state.in_(("running", "paused")))).all():
        outcomes.lapse(campaign.id)
        if campaign.state == "running":
            again = reminders.remind(campaign.id) or again
            running.finish(campaign.id)
    for campaign, wave in _unplanned():
        planning.ask_for_plan(campaign, wave)
    planning.wake_writer()
    outcomes.expire()
    return again


def _unplanned() -> list[tuple[Campaign, CampaignWave]]:
    query = (
        select(Campaign, CampaignWave)
        .join(CampaignWave, and_(CampaignWave.account_id == Campaign.account_id, CampaignWave.campaign_id == Campaign.id))
        .where(Campaign.state == "running", CampaignWave.planned_at.is_(None))
    )
    return [(campaign, wave) for campaign, wave in db.session.execute(query)]
