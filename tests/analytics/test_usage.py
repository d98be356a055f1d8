"""Which answers a plan counts."""

from datetime import UTC, date, datetime
from typing import Any

from nps.accounts.models import Account
from nps.analytics.queries.usage import count_for_plan
from nps.core import tenancy

DAY = date(2026, 10, 6)
START, END = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)


def test_only_verified_answers_that_came_through_a_survey_count_once(asker: Any) -> None:
    asker.answers({9: 3, 2: 1}, DAY)
    asker.answer(5, DAY, state="quarantined")
    asker.answer(5, DAY, state="provisional")
    asker.answer(5, DAY, state="left_out")
    asker.answer(5, DAY, method="manual")
    asker.answer(5, DAY, method="import")
    asker.answer(5, DAY, is_test=True)
    asker.answer(9, date(2026, 9, 30))
    edited = asker.answer(7, DAY)
    asker.edit(edited, 10)
    assert count_for_plan(START, END) == 5
    assert count_for_plan(END, datetime(2026, 12, 1, tzinfo=UTC)) == 0


def test_rival_counts_nothing_of_ours(asker: Any, rival: Account) -> None:
    asker.answers({9: 3}, DAY)
    with tenancy.account_scope(rival.id):
        assert count_for_plan(START, END) == 0
