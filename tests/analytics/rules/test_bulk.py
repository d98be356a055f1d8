"""Summing very many answers at once gives what summing one after the other gives."""

import json
from datetime import date, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from nps.analytics.rules import counting
from nps.analytics.rules.bulk import Bulk
from nps.analytics.rules.counting import Contribution
from nps.analytics.rules.repeats import pair_changes

PEOPLE = [None, *(UUID(int=i) for i in range(1, 4))]

answers = st.builds(
    Contribution,
    contact=st.sampled_from(PEOPLE),
    day=st.integers(0, 6).map(lambda days: date(2026, 1, 1) + timedelta(days=days)),
    series=st.sampled_from(["relationship", "event"]),
    campaign=st.sampled_from([None, UUID(int=100), UUID(int=101)]),
    score=st.integers(0, 10),
    has_comment=st.booleans(),
    properties=st.sampled_from([(("plan", "A"),), (("plan", "B"), ("region", "X")), (("plan", "A"), ("region", "X"))]),
)


@given(st.lists(answers, max_size=30), st.sampled_from([0, 3, 1000]))
def test_bulk_is_the_sum_of_its_answers(made: list[Contribution], most: int) -> None:
    bulk = Bulk(most)
    for person in PEOPLE:
        given = [one for one in made if one.contact == person]
        lines = [(o.day, o.series, o.campaign, o.score, o.has_comment, json.dumps(dict(o.properties))) for o in given]
        bulk.add(lines, one_person=person is not None)
    bulk.finish()
    changes = [(one, 1) for one in made]
    assert bulk.daily == counting.daily_changes(changes)
    assert {key: sums for key, sums in bulk.pairs.items() if sums} == pair_changes({}, counting.moves(changes))
