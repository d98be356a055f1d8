"""Surveys are written, changed and frozen."""

from typing import Any

import pytest

from nps.core import tenancy
from nps.core.db import db
from nps.core.errors import Invalid, NotFound
from nps.surveys import queries, rules, service


def test_a_new_survey_is_filled_in_from_the_account(account: Any) -> None:
    survey = service.create("Autumn relationship survey")
    assert (survey.product, survey.whom) == ("Larkfield", "another business owner")
    assert (survey.from_name, survey.sender_name, survey.sender_role) == ("Ines at Larkfield", "Ines Marchetti", "Customer lead")
    assert rules.check({field: getattr(survey, field) for field in rules.FIELDS}) == {}


def test_the_same_words_freeze_to_the_same_version_and_other_words_to_the_next(account: Any) -> None:
    survey = service.create("Autumn")
    first = service.freeze_version(survey.id)
    assert (first.number, service.freeze_version(survey.id).id) == (1, first.id)
    service.edit(survey, {"closing": "Write to me."})
    second = service.freeze_version(survey.id)
    assert second.number == 2
    assert queries.get_version(first.id).wording["closing"] == rules.DEFAULTS["closing"]
    assert second.question_hash == first.question_hash
    service.edit(survey, {"closing": rules.DEFAULTS["closing"]})
    assert service.freeze_version(survey.id).id == first.id
    service.edit(survey, {"product": "Larkfield Pro"})
    assert service.freeze_version(survey.id).question_hash != first.question_hash
    assert [v.number for v in queries.list_versions(survey.id)] == [1, 2, 3]


def test_a_refused_change_changes_nothing(account: Any) -> None:
    survey = service.create("Autumn")
    with pytest.raises(Invalid) as refused:
        service.edit(survey, {"subject": "{{ contact.frist_name }}", "closing": "Other", "whom": "my cat"})
    assert set(refused.value.fields) == {"subject", "whom"}
    assert survey.closing == rules.DEFAULTS["closing"]


@pytest.mark.parametrize("field", ["question", "low", "high", "kind", "language", "account_id", "id"])
def test_what_is_locked_cannot_be_sent_along(account: Any, field: str) -> None:
    with pytest.raises(Invalid):
        service.edit(service.create("Autumn"), {field: "How happy are you?"})


def test_leading_words_stop_once_and_may_be_kept_by_one_press(account: Any) -> None:
    survey = service.create("Autumn")
    with pytest.raises(Invalid) as refused:
        service.edit(survey, {"subject": "Give us a 10!"})
    assert refused.value.code == "leading"
    assert rules.LEADING in refused.value.fields["subject"]
    service.edit(survey, {"subject": "Give us a 10!"}, keep_leading=True, by_name="Ines Marchetti")
    assert survey.leading_kept_at is not None
    assert survey.leading_kept_by == "Ines Marchetti"
    service.edit(survey, {"subject": "Give us a 10!", "closing": "Bye"})
    with pytest.raises(Invalid):
        service.edit(survey, {"subject": "Give us a 9 or 10!"})
    service.edit(survey, {"subject": "How are we doing?"})
    assert survey.leading_kept_at is None


def test_a_color_too_pale_to_read_is_darkened_when_saved(account: Any) -> None:
    survey = service.edit(service.create("Autumn"), {"brand_color": "#14574A"})
    assert survey.brand_color == "#14574a"
    assert service.edit(survey, {"brand_color": ""}).brand_color is None


def test_a_rival_finds_neither_survey_nor_version(account: Any, rival: Any) -> None:
    survey = service.create("Autumn")
    version = service.freeze_version(survey.id)
    db.session.commit()
    with tenancy.account_scope(rival.id):
        with pytest.raises(NotFound):
            queries.get_survey(survey.id)
        with pytest.raises(NotFound):
            queries.get_version(version.id)
