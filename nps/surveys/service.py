"""Commands on surveys: write, change, freeze."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from nps.accounts import queries as accounts
from nps.accounts import rules as brands
from nps.accounts.models import Account
from nps.core import clock, tenancy
from nps.core.db import db
from nps.core.errors import Invalid
from nps.surveys import queries, rules
from nps.surveys.models import Survey, SurveyVersion


def create(name: str, *, by: UUID | None = None) -> Survey:
    """A survey with everything filled in from the account: a member changes the sender and one line."""
    now = clock.now()
    survey = Survey(
        name=name, **starting_words(accounts.get_account(tenancy.current())), created_at=now, edited_at=now, edited_by_id=by, language="en"
    )
    db.session.add(survey)
    db.session.flush()
    return survey


def starting_words(account: Account) -> dict[str, Any]:
    """The defaults of every field for this account."""
    first = account.sender_name.split(" ", 1)[0]
    limits = rules.LIMITS
    return {
        **rules.DEFAULTS,
        "one_tap_options": list(rules.DEFAULTS["one_tap_options"]),
        "product": (account.product or account.name)[: limits["product"]],
        "whom": account.whom if account.whom in rules.WHOM else rules.WHOM[0],
        "from_name": (f"{first} at {account.name}" if first else account.name)[: limits["from_name"]],
        "sender_name": account.sender_name[: limits["sender_name"]],
        "sender_role": account.sender_role[: limits["sender_role"]],
        "brand_color": None,
    }


def copy(survey_id: UUID, name: str, *, by: UUID | None = None) -> Survey:
    """A new survey with the words of another."""
    old, now = queries.get_survey(survey_id), clock.now()
    words = {field: getattr(old, field) for field in rules.FIELDS}
    survey = Survey(name=name, kind=old.kind, language=old.language, **words, created_at=now, edited_at=now, edited_by_id=by)
    db.session.add(survey)
    db.session.flush()
    return survey


def edit(
    survey: Survey,
    values: Mapping[str, Any],
    *,
    by: UUID | None = None,
    by_name: str = "",
    property_keys: Iterable[str] = (),
    keep_leading: bool = False,
) -> Survey:
    """Change texts of the draft. Fields not in `values` stay.

    Raises Invalid naming every field that cannot be taken; with code "leading" when the only trouble is words that ask
    for a good score, which `keep_leading` keeps (and the row then says who kept them).
    """
    unknown = sorted(set(values) - set(rules.FIELDS))
    if unknown:
        raise Invalid(f"“{unknown[0][:40]}” cannot be changed.", fields=dict.fromkeys(unknown, "This cannot be changed."))
    wrong = rules.check(values, property_keys)
    if wrong:
        raise Invalid("The survey was not saved.", fields=wrong)
    merged = {"subject": survey.subject, "intro": survey.intro, "reminder_subject": survey.reminder_subject, **values}
    now = clock.now()
    _settle_leading(survey, {k: merged[k] or "" for k in ("subject", "intro", "reminder_subject")}, keep_leading, by_name, now)
    for field, value in values.items():
        setattr(survey, field, _clean(field, value))
    survey.edited_at, survey.edited_by_id = now, by
    db.session.flush()
    return survey


def _settle_leading(survey: Survey, texts: Mapping[str, str], keep: bool, by_name: str, now: datetime) -> None:
    fields = {name: rules.leading(text) for name, text in texts.items()}
    found = {name: f"“{words}”: {rules.LEADING}" for name, words in fields.items() if words}
    if not found:
        survey.leading_kept_at, survey.leading_kept_by = None, ""
    elif keep:
        survey.leading_kept_at, survey.leading_kept_by = now, by_name
    elif survey.leading_kept_at is None or any(texts[name] != getattr(survey, name) for name in found):
        raise Invalid(rules.LEADING, code="leading", fields=found)


def _clean(field: str, value: Any) -> Any:
    if field == "brand_color":
        return brands.readable_brand(value)[0] if value else None
    return list(value or ()) if field == "one_tap_options" else (value or "")


def freeze_version(survey_id: UUID) -> SurveyVersion:
    """The version that holds the draft's words as they are now: an equal one if there is one, else the next number."""
    survey = db.session.scalar(select(Survey).where(Survey.id == survey_id).with_for_update())
    words = rules.wording(queries.draft_of(survey or queries.get_survey(survey_id)))
    content = rules.content_hash(words)
    known = queries.find_version(survey_id, content)
    if known is not None:
        return known
    last = db.session.scalar(select(func.max(SurveyVersion.number)).where(SurveyVersion.survey_id == survey_id))
    version = SurveyVersion(
        survey_id=survey_id,
        number=(last or 0) + 1,
        wording=words,
        content_hash=content,
        question_hash=rules.question_hash(words),
        created_at=clock.now(),
    )
    db.session.add(version)
    db.session.flush()
    return version


def archive(survey_id: UUID) -> None:
    """Put away; versions and answers stay."""
    queries.get_survey(survey_id).archived_at = clock.now()
