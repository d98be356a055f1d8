"""A start: what it needs, how it is confirmed, how it happens once."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from nps.accounts import queries as accounts
from nps.accounts import service as accounts_service
from nps.accounts.models import Account
from nps.billing import queries as billing
from nps.campaigns import queries
from nps.campaigns.errors import AlreadyStarted, AudienceGrew, NotReady, NumberNotTyped, WrongState
from nps.campaigns.events import CampaignLaunched
from nps.campaigns.models import Campaign, CampaignWave
from nps.campaigns.queries import gates as gates_sql
from nps.campaigns.rules import limits, windows, words
from nps.campaigns.rules.states import CampaignState
from nps.campaigns.service import letter
from nps.core import clock, tenancy
from nps.core.db import db
from nps.core.errors import Invalid
from nps.core.events import publish
from nps.delivery import queries as delivery_queries
from nps.delivery import service as delivery
from nps.surveys import queries as surveys_queries
from nps.surveys import rules as surveys_rules
from nps.surveys import service as surveys

SENDING_STATES = ("active", "past_due")


@dataclass(frozen=True)
class Problem:
    """Something to mend before a start. `step` is the editor's step where it is mended, or "settings"."""

    text: str
    step: str


@dataclass(frozen=True)
class Audience:
    """Who matches, who can be asked now, and why the others cannot."""

    matched: int
    askable: int
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def cannot(self) -> int:
        return self.matched - self.askable


def audience(campaign: Campaign, account: Account, now: datetime) -> Audience:
    """Counts over the living audience, by the gates as they stand now."""
    counted = gates_sql.count_by_reason(campaign, gates_sql.terms_of(campaign, account, now))
    reasons = {why: count for why, count in counted.items() if why is not None}
    return Audience(sum(counted.values()), counted.get(None, 0), reasons)


def problems(campaign: Campaign, account: Account) -> list[Problem]:
    """What blocks a start, apart from an audience nobody of which can be asked."""
    found = []
    if account.state == "unverified":
        found.append(Problem("Confirm your email address first. Until then you can write and test, and nothing is sent.", "settings"))
    elif account.state not in SENDING_STATES:
        found.append(Problem("This account cannot send at the moment. Look at Billing or write to us.", "settings"))
    if not account.postal_address.strip():
        found.append(Problem("Your postal address is missing. Mail law asks for it in every survey mail.", "settings"))
    if not account.sender_name and not account.sender_email:
        found.append(Problem("There is no sender yet. Write who asks.", "settings"))
    limit = billing.entitled("emails")
    if limit is not None and not isinstance(limit, bool):
        used = queries.count_emails(*billing.current_period(clock.now()))
        if used >= limit:
            found.append(
                Problem(
                    f"Your plan’s {limit:,} survey emails of this period are used up. No new wave starts until the next one.", "billing"
                )
            )
    if campaign.kind == "rolling":
        found.append(Problem(limits.NOT_YET, "when"))
    return found


def launch(
    campaign_id: UUID,
    *,
    by_name: str = "",
    matched: int | None = None,
    typed: str = "",
    at: datetime | None = None,
) -> Campaign:
    """Start now, or at `at`.

    `matched` is the number of people the page showed when it was confirmed; `typed` the number of people who will be asked,
    needed over 1,000. Raises AlreadyStarted, NotReady, NumberNotTyped, AudienceGrew, Invalid. A refusal sends nothing.
    """
    now = clock.now()
    campaign = locked(campaign_id)
    if campaign.state not in (CampaignState.DRAFT, CampaignState.SCHEDULED):
        raise AlreadyStarted("This campaign was started already. There is one run; nothing is sent twice.")
    account = accounts.get_account(tenancy.current())
    blocked = problems(campaign, account)
    if blocked:
        raise NotReady(blocked[0].text)
    if campaign.kind != "event":
        _confirm(campaign, account, now, matched, typed)
    campaign.launched_by = by_name
    if at is not None:
        said = limits.start(at, now, at.astimezone(ZoneInfo(account.time_zone)))
        if said:
            raise Invalid(said, fields={"start_at": said})
        campaign.state, campaign.start_at, campaign.notice = CampaignState.SCHEDULED, at, ""
        note_act(campaign, "scheduled", by_name, people=campaign.confirmed_count)
        db.session.flush()
        return campaign
    wave = _open_wave(campaign, account, now)
    note_act(campaign, "started", by_name, wave=wave.number, people=wave.audience)
    return campaign


def note_act(campaign: Campaign, what: str, by_name: str, **facts: object) -> None:
    """Sends are in the audit log, with who and how many."""
    known = {"name": campaign.name, **facts}
    accounts_service.audit(by_name or "system", f"campaign.{what}", kind="campaign", object_id=campaign.id, facts=known)


def locked(campaign_id: UUID) -> Campaign:
    """The row as it is now, held until this unit ends: a second start waits here and then finds it running."""
    found = select(Campaign).where(Campaign.id == campaign_id).with_for_update().execution_options(populate_existing=True)
    return db.session.scalar(found) or queries.get_campaign(campaign_id)


def _confirm(campaign: Campaign, account: Account, now: datetime, matched: int | None, typed: str) -> None:
    seen = audience(campaign, account, now)
    confirmed = matched if matched is not None else seen.matched
    if words.has_grown(confirmed, seen.matched):
        raise AudienceGrew(words.grown(confirmed, seen.matched))
    if not seen.askable:
        raise NotReady(words.nobody(seen.reasons, campaign.gap_days, campaign.min_age_days))
    if seen.askable > limits.TYPED_OVER:
        number = words.read_number(typed)
        # people who stop between the page and the press do not spoil a number that was right on the page
        if number is None or not _close(number, seen.askable):
            said = words.wrong_number(typed, seen.askable)
            raise NumberNotTyped(said, fields={"typed": said})
    campaign.confirmed_count = seen.matched


def _close(typed: int, askable: int) -> bool:
    return typed == askable or (typed > askable and (typed - askable) * 100 <= askable)


def unschedule(campaign_id: UUID, *, notice: str = "") -> Campaign:
    """Back to the draft before its time. Raises WrongState."""
    campaign = locked(campaign_id)
    if campaign.state != CampaignState.SCHEDULED:
        raise WrongState("This campaign is not waiting for its start.")
    campaign.state, campaign.notice = CampaignState.DRAFT, notice[:300]
    db.session.flush()
    return campaign


def start_scheduled(campaign_id: UUID) -> Campaign | None:
    """The clock's part: a scheduled campaign whose time has come starts, or goes back to the draft saying why. Safe to repeat."""
    now = clock.now()
    campaign = locked(campaign_id)
    if campaign.state != CampaignState.SCHEDULED or campaign.start_at is None or campaign.start_at > now:
        return None
    account = accounts.get_account(tenancy.current())
    blocked = problems(campaign, account)
    seen = audience(campaign, account, now)
    confirmed = campaign.confirmed_count or seen.matched
    if blocked:
        return unschedule(campaign.id, notice=f"The start was called off. {blocked[0].text}")
    if words.has_grown(confirmed, seen.matched):
        return unschedule(campaign.id, notice=words.grown(confirmed, seen.matched))
    if not seen.askable:
        return unschedule(campaign.id, notice=words.nobody(seen.reasons, campaign.gap_days, campaign.min_age_days))
    wave = _open_wave(campaign, account, now)
    note_act(campaign, "started", "", wave=wave.number, people=wave.audience)
    return campaign


def _open_wave(campaign: Campaign, account: Account, now: datetime) -> CampaignWave:
    """Freeze the words, open the mail batch and tell the planner."""
    seen = audience(campaign, account, now) if campaign.kind != "event" else Audience(0, 0)
    version = surveys.freeze_version(campaign.survey_id)
    first = delivery.add_template(letter.wording(version.wording, account, campaign.id))
    reminder = None
    if campaign.reminder_days is not None:
        reminder = delivery.add_template(letter.wording(version.wording, account, campaign.id, kind="reminder"))
    campaign.wave += 1
    campaign.state, campaign.notice, campaign.paused_reason = CampaignState.RUNNING, "", None
    campaign.launched_at = campaign.launched_at or now
    wave = CampaignWave(
        campaign_id=campaign.id,
        number=campaign.wave,
        batch_id=delivery.open_batch(),
        survey_version_id=version.id,
        template_id=first.id,
        reminder_template_id=reminder.id if reminder else None,
        audience=seen.matched,
        days=days_of(campaign, seen.askable),
        daily=windows.parts(seen.askable, days_of(campaign, seen.askable))[0] if campaign.kind == "one_time" else 0,
        ranked=0,
        opened_at=now,
        planned_at=now if campaign.kind == "event" else None,
    )
    db.session.add(wave)
    db.session.flush()
    publish(CampaignLaunched(campaign.account_id, campaign.id, wave.number, now))
    return wave


def days_of(campaign: Campaign, askable: int) -> int:
    """Daily parts of a one-time wave: what the member chose, else as many as keep a day at 2,000; one when sent now."""
    if campaign.spread_days:
        return campaign.spread_days
    return 1 if campaign.send_now else windows.spread_for(askable)


def last_day(campaign: Campaign, account: Account, days: int, now: datetime) -> date:
    """The day the last first message leaves, in the account's zone."""
    start = max(campaign.start_at or now, now)
    zone = ZoneInfo(account.time_zone)
    if campaign.send_now:
        return (start + timedelta(days=days - 1)).astimezone(zone).date()
    return windows.slots(start, windows.from_json(campaign.window), zone, days)[-1].day


def advice(campaign: Campaign, account: Account) -> list[str]:
    """What a member should know before a start; nothing of it blocks."""
    found = []
    survey = surveys_queries.get_survey(campaign.survey_id)
    if not (account.sender_email and delivery_queries.verified_domain(account.sender_email)):
        found.append("Your own sending domain is not verified. Mail leaves from our address with your name, and fewer people answer.")
    if survey.leading_kept_at is not None:
        who = f" {survey.leading_kept_by} kept it." if survey.leading_kept_by else ""
        found.append(f"{surveys_rules.LEADING}{who}")
    copy = letter.copy_for(surveys_rules.wording(surveys_queries.draft_of(survey)), account, campaign.id, None, campaign.gap_days)
    if copy.size > letter.GMAIL_CUTS_AT:
        found.append(f"The mail has {copy.size // 1024} KB; Gmail cuts mails at 102 KB.")
    return found


def may_edit(campaign: Campaign) -> bool:
    """Only a draft is written on; a scheduled campaign goes back to the draft first."""
    return campaign.state == CampaignState.DRAFT
