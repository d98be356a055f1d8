"""Sums over pairs of answers give the same doubt as looking at every person, in every order of events."""

from collections import Counter
from datetime import date, timedelta
from itertools import combinations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nps.analytics.rules.repeats import Answer, Change, PairKey, PairSums, fewest_contacts, pair_changes, repeats_of
from nps.scoring.comparison import difference
from nps.scoring.groups import nps_value
from nps.scoring.intervals import Repeats, plain
from nps.scoring.score import Counts

START = date(2026, 1, 1)
PEOPLE = [UUID(int=i) for i in range(3)]
CAMPAIGNS = [UUID(int=100), UUID(int=101)]

answers = st.builds(
    Answer,
    day=st.integers(0, 40).map(lambda days: START + timedelta(days=days)),
    campaign=st.sampled_from(CAMPAIGNS),
    score=st.sampled_from([0, 6, 7, 8, 9, 10]),
    properties=st.sampled_from([(), (("plan", "A"),), (("plan", "B"), ("region", "X"))]),
)
changes = st.builds(
    Change, series=st.sampled_from(["relationship", "event"]), contact=st.sampled_from(PEOPLE), answer=answers, sign=st.just(1)
)


def by_hand(
    everybody: list[Change], series: str, first: date, last: date, campaign: UUID | None, value: tuple[str, str] | None
) -> PairSums:
    """All pairs, looked at one by one."""
    found = PairSums()
    fitting = [
        c
        for c in everybody
        if c.series == series
        and first <= c.answer.day <= last
        and (campaign is None or c.answer.campaign == campaign)
        and (value is None or value in c.answer.properties)
    ]
    for one, other in combinations(fitting, 2):
        if one.contact == other.contact:
            earlier, later = sorted((one.answer, other.answer), key=lambda answer: (answer.day, answer.score))
            x, y = nps_value(earlier.score), nps_value(later.score)
            found = found + PairSums(1, x, y, x * y)
    return found


def summed(
    sums: dict[tuple[str, PairKey], PairSums], series: str, first: date, last: date, campaign: UUID | None, value: tuple[str, str] | None
) -> PairSums:
    total = PairSums()
    key, wanted = value or ("", "")
    for (where, pair), part in sums.items():
        inside = first <= pair.earlier and pair.later <= last and pair.key == key and pair.value == wanted
        if where == series and inside and (campaign is None or pair.campaign == campaign):
            total = total + part
    return total


@given(st.lists(changes, max_size=14), st.data())
def test_sums_over_pairs_equal_looking_at_everybody(made: list[Change], data: st.DataObject) -> None:
    sums = pair_changes({}, made)
    first = START + timedelta(days=data.draw(st.integers(0, 40)))
    last = first + timedelta(days=data.draw(st.integers(0, 40)))
    for campaign in (None, CAMPAIGNS[0]):
        for value in (None, ("plan", "B")):
            expected = by_hand(made, "relationship", first, last, campaign, value)
            assert summed(sums, "relationship", first, last, campaign, value) == expected


@given(st.lists(changes, max_size=12), st.data())
def test_batches_in_any_cut_give_the_same_sums(made: list[Change], data: st.DataObject) -> None:
    gone = [Change(c.series, c.contact, c.answer, -1) for c in made if data.draw(st.booleans())]
    everything = made + gone
    cut = data.draw(st.integers(0, len(everything)))
    known: dict[tuple[str, UUID], Counter[Answer]] = {}
    for change in everything[:cut]:
        known.setdefault((change.series, change.contact), Counter())[change.answer] += change.sign
    first, second = pair_changes({}, everything[:cut]), pair_changes(known, everything[cut:])
    joined = {key: sums for key in first | second if (sums := first.get(key, PairSums()) + second.get(key, PairSums()))}
    assert joined == pair_changes({}, everything)
    left = list(made)
    for change in gone:
        left.remove(Change(change.series, change.contact, change.answer, 1))
    assert joined == pair_changes({}, left)


@given(st.lists(st.lists(st.sampled_from([0, 6, 7, 9, 10]), min_size=1, max_size=5), min_size=1, max_size=20))
def test_repeats_made_from_pairs_are_those_made_from_people(people: list[list[int]]) -> None:
    everybody = [Change("relationship", UUID(int=i), Answer(START, None, s), 1) for i, scores in enumerate(people) for s in scores]
    sums = sum(pair_changes({}, everybody).values(), PairSums())
    values = [[nps_value(score) for score in scores] for scores in people]
    flat = [x for person in values for x in person]
    counts = Counts(flat.count(1), flat.count(0), flat.count(-1))
    assert repeats_of(counts, sums) == Repeats.of_contacts((sum(person), len(person)) for person in values)
    assert fewest_contacts(len(flat), sums.pairs) <= len(people)


def test_people_on_both_sides_are_those_of_the_worked_example() -> None:
    """Example 23: 80 people answered in both windows; rows of the table are the first answer, columns the second."""
    table = [(10, 4, 2), (3, 16, 8), (1, 4, 32)]
    scores = (0, 7, 10)
    made, person = [], 0
    for first, row in zip(scores, table, strict=True):
        for second, people in zip(scores, row, strict=True):
            for _ in range(people):
                person += 1
                made.append(Change("relationship", UUID(int=person), Answer(START + timedelta(days=90), None, second), 1))
                made.append(Change("relationship", UUID(int=person), Answer(START, None, first), 1))
    overlap = sum(pair_changes({}, made).values(), PairSums()).overlap
    assert (overlap.people, overlap.covariance) == (80, pytest.approx(0.395625, abs=1e-9))
    before, after = plain(Counts.of(96, 44, 200)), plain(Counts.of(118, 40, 220))
    assert difference(before, after, overlap).se == pytest.approx(6.6113033174, abs=1e-9)


def test_fewest_contacts_is_exact_without_repeats() -> None:
    assert (fewest_contacts(0, 0), fewest_contacts(29, 0), fewest_contacts(30, 0)) == (0, 29, 30)
    assert fewest_contacts(100, 4950) == 1
    assert fewest_contacts(80, 20) == pytest.approx(54)  # 60 contacts in truth
