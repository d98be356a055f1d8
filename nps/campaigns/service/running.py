"""While it runs: pause, resume, stop, finish, put away."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update

from nps.campaigns import queries
from nps.campaigns.errors import WrongState
from nps.campaigns.events import CampaignPaused, CampaignResumed, CampaignStopped, WaveFinished
from nps.campaigns.models import Campaign, CampaignWave, Invitation
from nps.campaigns.rules import states
from nps.campaigns.rules.gates import Reason
from nps.campaigns.rules.states import CampaignState, PauseReason
from nps.campaigns.service import planning
from nps.campaigns.service.launching import locked, note_act
from nps.core import clock
from nps.core.db import db
from nps.core.events import publish
from nps.delivery import queries as delivery_queries
from nps.delivery import service as delivery
from nps.delivery.events import BatchPaused

WAITING_MESSAGES = ("queued", "claimed", "sending", "deferred")


def _waves(campaign: Campaign) -> list[CampaignWave]:
    open_waves = select(CampaignWave).where(CampaignWave.campaign_id == campaign.id, CampaignWave.closed_at.is_(None))
    return list(db.session.scalars(open_waves.order_by(CampaignWave.number)))


def pause(campaign_id: UUID, *, reason: str = PauseReason.MEMBER, by_name: str = "") -> Campaign:
    """Nothing more of this campaign starts; what is in a transaction is finished. Pausing twice changes nothing."""
    campaign = locked(campaign_id)
    if campaign.state == CampaignState.PAUSED:
        return campaign
    if not states.may_become(CampaignState(campaign.state), CampaignState.PAUSED):
        raise WrongState("Only a campaign that is sending can be paused. Nothing was changed.")
    campaign.state, campaign.paused_reason = CampaignState.PAUSED, reason
    for wave in _waves(campaign):
        delivery.pause_batch(wave.batch_id)
    _set(update(Invitation).where(*_unwritten(campaign), Invitation.reason.is_(None)).values(reason=Reason.CAMPAIGN_PAUSED.value))
    db.session.flush()
    note_act(campaign, "paused", by_name, reason=reason)
    publish(CampaignPaused(campaign.account_id, campaign.id, reason, clock.now()))
    return campaign


def resume(campaign_id: UUID, *, operator: bool = False, by_name: str = "") -> int:
    """Go on where it stopped; nobody is asked twice. Returns how many lapsed meanwhile. Raises WrongState."""
    campaign = locked(campaign_id)
    if campaign.state == CampaignState.RUNNING:
        return 0
    if not states.may_become(CampaignState(campaign.state), CampaignState.RUNNING) or campaign.state != CampaignState.PAUSED:
        raise WrongState("This campaign is not paused. Nothing was changed.")
    if not states.may_resume(campaign.paused_reason, operator=operator):
        raise WrongState("Too many mails came back or were marked as spam. The operator of this installation resumes it.")
    campaign.state, campaign.paused_reason = CampaignState.RUNNING, None
    lapsed, now = 0, clock.now()
    for wave in _waves(campaign):
        delivery.resume_batch(wave.batch_id)
        wave.guard_from = now
        lapsed += _lapsed_in(wave)
        if wave.planned_at is None:
            planning.ask_for_plan(campaign, wave)
    _set(update(Invitation).where(*_unwritten(campaign), Invitation.reason == Reason.CAMPAIGN_PAUSED).values(reason=None))
    db.session.flush()
    planning.wake_writer()
    note_act(campaign, "resumed", by_name)
    publish(CampaignResumed(campaign.account_id, campaign.id, now))
    return lapsed


def _unwritten(campaign: Campaign) -> tuple[Any, ...]:
    return Invitation.campaign_id == campaign.id, Invitation.state == "planned", Invitation.written_at.is_(None)


def _lapsed_in(wave: CampaignWave) -> int:
    query = select(func.count()).select_from(Invitation)
    lapsed = (Invitation.campaign_id == wave.campaign_id, Invitation.wave == wave.number, Invitation.reason == Reason.LAPSED)
    return db.session.scalar(query.where(*lapsed)) or 0


def stop(campaign_id: UUID, *, close_links: bool = False, by_name: str = "") -> Campaign:
    """For good: what is not sent is called off. Links stay open to the end of their window, or close at once."""
    campaign = locked(campaign_id)
    if campaign.state == CampaignState.STOPPED:
        return campaign
    if not states.may_become(CampaignState(campaign.state), CampaignState.STOPPED):
        raise WrongState("Only a campaign that is sending or paused can be stopped. Nothing was changed.")
    now = clock.now()
    campaign.state, campaign.stopped_at, campaign.paused_reason = CampaignState.STOPPED, now, None
    for wave in _waves(campaign):
        delivery.stop_batch(wave.batch_id)
        wave.closed_at = now
    mine = (Invitation.campaign_id == campaign.id, Invitation.is_test.is_(False))
    _set(
        update(Invitation)
        .where(*mine, Invitation.state == "planned", Invitation.written_at.is_(None))
        .values(state="cancelled", reason=Reason.CANCELLED.value, look_at=None, reason_until=None)
    )
    _set(update(Invitation).where(*mine, Invitation.remind_at.is_not(None)).values(remind_at=None))
    if close_links:
        close(campaign)
    db.session.flush()
    note_act(campaign, "stopped", by_name, links="closed" if close_links else "open")
    publish(CampaignStopped(campaign.account_id, campaign.id, now))
    return campaign


def _set(statement: Any) -> int:
    done: Any = db.session.execute(statement.execution_options(synchronize_session=False))
    return int(done.rowcount)


def close(campaign: Campaign) -> int:
    """Close the open links of a campaign now. Returns how many."""
    now = clock.now()
    return _set(
        update(Invitation)
        .where(Invitation.campaign_id == campaign.id, Invitation.state.in_(("asked", "declined")))
        .values(state="expired", expires_at=now, remind_at=None)
    )


def finish(campaign_id: UUID) -> bool:
    """The clock's part: a campaign with nothing left to plan, send or remind is finished. True when it is now."""
    campaign = locked(campaign_id)
    if campaign.state != CampaignState.RUNNING or campaign.kind != "one_time":
        return False
    waves = _waves(campaign)
    if any(wave.planned_at is None for wave in waves):
        return False
    open_rows = select(Invitation.id).where(
        Invitation.campaign_id == campaign.id,
        Invitation.is_test.is_(False),
        (Invitation.state == "planned") | Invitation.remind_at.is_not(None),
    )
    if db.session.execute(open_rows.limit(1)).first() is not None:
        return False
    if any(delivery_queries.count_by_state(wave.batch_id).keys() & set(WAITING_MESSAGES) for wave in waves):
        return False
    now = clock.now()
    campaign.state, campaign.finished_at = CampaignState.FINISHED, now
    for wave in waves:
        wave.closed_at = now
        publish(WaveFinished(campaign.account_id, campaign.id, wave.number, now))
    db.session.flush()
    return True


@dataclass(frozen=True)
class Closing:
    """What putting a campaign away closes."""

    links: int


def open_links(campaign_id: UUID) -> int:
    """Links that still take an answer."""
    query = select(func.count()).select_from(Invitation)
    mine = (Invitation.campaign_id == campaign_id, Invitation.is_test.is_(False), Invitation.state.in_(("asked", "declined")))
    return db.session.scalar(query.where(*mine)) or 0


def archive(campaign_id: UUID) -> Closing:
    """Put a campaign away that has ended; its open links close with it."""
    campaign = locked(campaign_id)
    if not states.may_become(CampaignState(campaign.state), CampaignState.ARCHIVED):
        raise WrongState("Only a campaign that is finished or stopped can be archived. Nothing was changed.")
    closed = close(campaign)
    campaign.state, campaign.archived_at = CampaignState.ARCHIVED, clock.now()
    db.session.flush()
    return Closing(closed)


def held_words() -> str:
    """Why nothing of this account leaves although campaigns run, or ""."""
    state = delivery_queries.find_sending_state()
    if state is not None and state.standing == "paused":
        return "Sending of this account is paused: too many mails came back or were marked as spam in 7 days. The operator resumes it."
    if state is not None and state.held:
        return "Sending waits: the mail server refuses our sender. The operator was told; nothing is lost."
    return ""


def note_batch_paused(event: BatchPaused) -> None:
    """The sender paused a wave by itself: three refused contents."""
    wave = db.session.scalar(select(CampaignWave).where(CampaignWave.batch_id == event.batch_id))
    campaign = queries.find_campaign(wave.campaign_id) if wave is not None else None
    if campaign is not None and campaign.state == CampaignState.RUNNING:
        pause(campaign.id, reason=PauseReason.REFUSED)


def send_unknown_again(campaign_id: UUID, typed: int | None) -> int:
    """A member sends messages of unknown outcome once more, having typed how many. Raises WrongState."""
    campaign = queries.get_campaign(campaign_id)
    unknown = [message.id for wave in all_waves(campaign) for message in delivery_queries.list_unknown(wave.batch_id)]
    if typed != len(unknown) or not unknown:
        raise WrongState(f"Nothing was sent. Type {len(unknown):,} to send again to the {len(unknown):,} unknown; some will get it twice.")
    return delivery.send_again(unknown)


def all_waves(campaign: Campaign) -> list[CampaignWave]:
    return list(db.session.scalars(select(CampaignWave).where(CampaignWave.campaign_id == campaign.id).order_by(CampaignWave.number)))
