"""A draft is made, changed, copied and discarded."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select

from nps.accounts import queries as accounts
from nps.campaigns import queries
from nps.campaigns.errors import ChangedMeanwhile, WrongState
from nps.campaigns.models import Campaign, Invitation
from nps.campaigns.rules import gates, limits, states, windows, words
from nps.contacts.models import Segment
from nps.core import clock, tenancy
from nps.core.db import db
from nps.core.errors import Invalid
from nps.surveys import queries as surveys
from nps.surveys import service as surveys_service
from nps.surveys.models import Survey, SurveyVersion

SETTINGS = (
    "name",
    "kind",
    "segment_id",
    "exclude_ids",
    "sample_percent",
    "gap_days",
    "min_age_days",
    "reminder_days",
    "answer_days",
    "reply_to",
    "send_now",
    "start_at",
    "window",
    "spread_days",
)


def create(name: str, *, by: UUID | None = None, kind: str = "one_time") -> Campaign:
    """A draft with a survey of its own, everything filled in. `kind` "event" is asked one by one (`invite_one`)."""
    wrong = limits.check({"name": name}, gap_days=90, now=clock.now())
    if wrong:
        raise Invalid("The campaign was not made.", fields=wrong)
    account, now = accounts.get_account(tenancy.current()), clock.now()
    survey = surveys_service.create(name, by=by)
    window = windows.EVENT if kind == "event" else windows.DEFAULT
    campaign = Campaign(
        name=name,
        kind=kind,
        series="event" if kind == "event" else "relationship",
        survey_id=survey.id,
        reply_to=account.reply_to,
        window=window.as_json(),
        min_age_days=0 if kind == "event" else 30,
        reminder_days=gates.REMINDER_DAYS,
        lapse_hours=72 if kind == "event" else 168,
        edited_at=now,
        edited_by_id=by,
        created_at=now,
    )
    db.session.add(campaign)
    db.session.flush()
    return campaign


def copy(campaign_id: UUID, *, by: UUID | None = None) -> Campaign:
    """A new draft with the settings and words of another campaign."""
    old, now = queries.get_campaign(campaign_id), clock.now()
    name = f"{old.name[: limits.NAME_MOST - 7]}, again"
    survey = surveys_service.copy(old.survey_id, name, by=by)
    kept = {field: getattr(old, field) for field in SETTINGS if field not in ("name", "start_at")}
    made = Campaign(name=name, series=old.series, survey_id=survey.id, edited_at=now, edited_by_id=by, created_at=now, **kept)
    db.session.add(made)
    db.session.flush()
    return made


def check_unchanged(campaign: Campaign, seen_at: datetime | None, by: UUID | None) -> None:
    """Raises ChangedMeanwhile when somebody else saved after `seen_at`, the time the page showed."""
    if seen_at is None or campaign.edited_at <= seen_at or campaign.edited_by_id == by:
        return
    who = accounts.names_of([campaign.edited_by_id]).get(campaign.edited_by_id, "") if campaign.edited_by_id else ""
    minutes = max(0, int((clock.now() - campaign.edited_at).total_seconds() // 60))
    ago = "just now" if not minutes else f"{minutes} minute{'' if minutes == 1 else 's'} ago"
    raise ChangedMeanwhile(words.changed_by(who, ago))


def edit(
    campaign: Campaign,
    values: Mapping[str, Any],
    *,
    texts: Mapping[str, Any] | None = None,
    by: UUID | None = None,
    by_name: str = "",
    property_keys: tuple[str, ...] = (),
    keep_leading: bool = False,
) -> Campaign:
    """Change settings and, with `texts`, words of the survey; both or neither.

    Raises WrongState for anything but a draft, Invalid naming each field.
    """
    if campaign.state != states.CampaignState.DRAFT:
        raise WrongState("Nothing was saved: this campaign is not a draft any more.")
    now = clock.now()
    wrong = _wrong(campaign, values, now)
    survey = surveys.get_survey(campaign.survey_id)
    if texts is not None:
        try:
            surveys_service.edit(
                survey, texts, by=by, by_name=by_name, property_keys=property_keys, keep_leading=keep_leading and not wrong
            )
        except Invalid as refused:
            raise Invalid(refused.message, code=refused.code, fields={**refused.fields, **wrong}) from refused
    if wrong:
        raise Invalid("The draft was not saved.", fields=wrong)
    for field, value in values.items():
        setattr(campaign, field, value.as_json() if isinstance(value, windows.Window) else value)
    if "name" in values:
        survey.name = values["name"]
    campaign.edited_at, campaign.edited_by_id, campaign.notice = now, by, ""
    db.session.flush()
    return campaign


def _wrong(campaign: Campaign, values: Mapping[str, Any], now: datetime) -> dict[str, str]:
    unknown = sorted(set(values) - set(SETTINGS))
    if unknown:
        raise Invalid(f"“{unknown[0][:40]}” cannot be changed.", fields=dict.fromkeys(unknown, "This cannot be changed."))
    wrong = limits.check(values, gap_days=campaign.gap_days, now=now, kind=campaign.kind)
    chosen = [values["segment_id"]] if values.get("segment_id") else []
    left_out = [UUID(value) for value in values.get("exclude_ids", [])]
    known = set(db.session.scalars(select(Segment.id).where(Segment.id.in_([*chosen, *left_out]), Segment.archived_at.is_(None))))
    if any(segment not in known for segment in chosen):
        wrong["segment_id"] = "This segment is not there any more. Choose another one."
    if any(segment not in known for segment in left_out):
        wrong["exclude_ids"] = "A segment to leave out is not there any more. Choose again."
    if values.get("reply_to") and values["reply_to"] not in reply_addresses():
        wrong["reply_to"] = "Replies go to a member of this account. Choose one of them."
    at = values.get("start_at")
    if at is not None:
        zone = ZoneInfo(accounts.get_account(tenancy.current()).time_zone)
        said = limits.start(at, now, at.astimezone(zone))
        if said:
            wrong["start_at"] = said
    return wrong


def reply_addresses() -> list[str]:
    """Whom replies may go to: the account's own reply address, then every member."""
    account = accounts.get_account(tenancy.current())
    members = [user.email for _, user in accounts.list_members()]
    return list(dict.fromkeys([address for address in (account.reply_to, account.sender_email) if address in members or address] + members))


def discard(campaign: Campaign) -> None:
    """A draft goes. One whose tests were sent is put away instead, so that its test links end. Raises WrongState otherwise."""
    if campaign.state != states.CampaignState.DRAFT or campaign.wave:
        raise WrongState("Only a draft can be discarded. Stop a campaign that is running.")
    tested = db.session.scalar(select(Invitation.id).where(Invitation.campaign_id == campaign.id).limit(1))
    if tested is not None:
        campaign.state, campaign.archived_at = states.CampaignState.ARCHIVED, clock.now()
        surveys_service.archive(campaign.survey_id)
        db.session.flush()
        return
    survey_id = campaign.survey_id
    db.session.delete(campaign)
    db.session.flush()
    db.session.execute(delete(SurveyVersion).where(SurveyVersion.survey_id == survey_id))
    db.session.execute(delete(Survey).where(Survey.id == survey_id))
