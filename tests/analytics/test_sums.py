"""The sums always say what a recount says: folded, waiting or both, whatever happens to answers."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from structlog.testing import capture_logs

from nps.accounts.models import Account
from nps.analytics import service, tasks
from nps.analytics.models import AnswerDelta, DailySum, DeltaTail, PairSum, Rollup
from nps.analytics.queries import recount_of, sums_of
from nps.analytics.queries.tallies import read_tail, tally
from nps.analytics.rules.filters import Condition, Filters, Window
from nps.analytics.rules.repeats import PairSums
from nps.core import tenancy
from nps.core.db import db
from tests.analytics.conftest import TODAY, Asker, keep

ALWAYS = Window(TODAY - timedelta(days=400), TODAY + timedelta(days=1))


def whole(filters: Filters | None = None) -> tuple[int, ...]:
    return tally(filters or Filters(ALWAYS), [ALWAYS], read_tail())[0][""].bars


def true() -> bool:
    return sums_of(ALWAYS.first, ALWAYS.last) == recount_of(ALWAYS.first, ALWAYS.last)


def bars(**scores: int) -> tuple[int, ...]:
    return tuple(scores.get(f"s{score}", 0) for score in range(11))


def test_answer_counts_at_once_while_nothing_is_folded(asker: Asker) -> None:
    asker.answer(9)
    assert whole() == bars(s9=1)
    assert db.session.scalar(select(func.count()).select_from(DailySum)) == 0


def test_folding_changes_nothing_that_is_seen(asker: Asker) -> None:
    asker.answers({10: 3, 7: 2, 0: 1})
    before = whole()
    assert service.fold(limit=4) == 4
    assert whole() == before
    assert service.fold() == 2
    assert service.fold() == 0
    assert whole() == before == bars(s10=3, s7=2, s0=1)
    assert true()


def test_event_told_twice_counts_once(asker: Asker) -> None:
    response = asker.answer(9)
    asker.tell_verified(response)
    asker.tell_verified(response)
    assert whole() == bars(s9=1)
    assert db.session.scalar(select(func.count()).select_from(AnswerDelta)) == 1


def test_edit_changes_the_score_on_the_day_of_the_first_answer(asker: Asker) -> None:
    response = asker.answer(9, TODAY - timedelta(days=5))
    service.fold()
    asker.edit(response, 3)
    assert whole() == bars(s3=1)
    day = Window(TODAY - timedelta(days=5), TODAY - timedelta(days=5))
    assert tally(Filters(day), [day], read_tail())[0][""].bars == bars(s3=1)
    service.fold()
    assert whole() == bars(s3=1)
    assert true()


def test_edit_withdraw_leave_out_and_count_again_leave_sums_and_rows_equal(asker: Asker) -> None:
    response = asker.answer(9, comment="fast", properties={"plan": "Growth"})
    for step in (
        lambda: asker.edit(response, 3),
        lambda: asker.leave_out(response),
        lambda: asker.count_again(response),
        lambda: asker.edit(response, 8, ""),
        lambda: asker.leave_out(response, "withdrawn"),
    ):
        step()
        assert true()
        service.fold()
        assert true()
    assert whole() == bars()
    assert response.first_day == TODAY


def test_comments_are_summed_by_group(asker: Asker) -> None:
    asker.answer(2, comment="slow")
    asker.answer(10, comment="fast")
    asker.answer(10)
    service.fold()
    assert tally(Filters(ALWAYS), [ALWAYS], read_tail())[0][""].comments == {"detractor": 1, "passive": 0, "promoter": 1}


@pytest.mark.parametrize("state", ["provisional", "quarantined", "left_out", "withdrawn"])
def test_only_verified_answers_count(asker: Asker, state: str) -> None:
    asker.answer(9, state=state)
    asker.answer(9, is_test=True)
    asker.answer(9, method="manual")
    assert whole() == bars()


def test_series_never_mix(asker: Asker) -> None:
    asker.answer(9)
    asker.answer(0, series="event", campaign_id=asker.campaign("After support", "event"))
    assert whole() == bars(s9=1)
    assert whole(Filters(ALWAYS, series="event")) == bars(s0=1)
    assert whole(Filters(ALWAYS, series="recovery")) == bars()


def test_sums_of_properties_campaigns_channels_and_no_value(asker: Asker) -> None:
    keep("plan")
    other = asker.campaign("Spring")
    asker.answers({9: 2}, properties={"plan": "Growth"})
    asker.answers({0: 3}, properties={"plan": "Scale"}, campaign_id=other, channel="link")
    asker.answers({7: 4})
    for _ in range(2):
        by_plan = tally(Filters(ALWAYS), [ALWAYS], read_tail(), "plan")[0]
        assert {value: one.bars for value, one in by_plan.items()} == {"Growth": bars(s9=2), "Scale": bars(s0=3), "": bars(s7=4)}
        assert whole(Filters(ALWAYS, campaign=other)) == bars(s0=3)
        assert whole(Filters(ALWAYS, conditions=(Condition("plan", "Growth"),))) == bars(s9=2)
        assert whole(Filters(ALWAYS, conditions=(Condition("plan", ""),))) == bars(s7=4)
        assert whole(Filters(ALWAYS, conditions=(Condition("channel", "link"),))) == bars(s0=3)
        assert whole(Filters(ALWAYS, conditions=(Condition("plan", "Nobody"),))) == bars()
        service.fold()


def test_late_commit_is_folded_by_the_next_batch(asker: Asker, app: Any, account: Account) -> None:
    """A delta whose id is older than the last one folded is folded all the same: nothing remembers a place in the order."""
    asker.answer(9)
    late = db.session.scalars(select(AnswerDelta)).one()
    tail = db.session.scalars(select(DeltaTail)).one()
    db.session.delete(tail)  # as if its transaction had not committed yet
    db.session.flush()
    asker.answer(10)
    service.fold()
    assert whole() == bars(s10=1)
    db.session.add(DeltaTail(id=late.id))
    db.session.flush()
    assert whole() == bars(s9=1, s10=1)
    service.fold()
    assert whole() == bars(s9=1, s10=1)


def test_jobs_fold_every_account_and_a_repeat_does_nothing(asker: Asker, rival: Account, make_asker: Any, run_jobs: Any) -> None:
    asker.answer(9)
    with tenancy.account_scope(rival.id):
        make_asker(rival).answer(0)
        db.session.commit()
    for _ in range(2):
        tasks.fold_all()
        run_jobs()
    assert db.session.scalar(select(func.count()).select_from(DeltaTail)) == 0
    assert whole() == bars(s9=1)
    with tenancy.account_scope(rival.id):
        assert whole() == bars(s0=1)
        assert db.session.scalar(select(func.count()).select_from(DeltaTail)) == 0


def test_rebuild_makes_the_same_sums_and_leaves_other_accounts_alone(asker: Asker, rival: Account, make_asker: Any) -> None:
    keep("plan")
    person = asker.contact()
    for score, days in ((9, 100), (3, 50), (10, 1)):
        asker.answer(score, TODAY - timedelta(days=days), person, properties={"plan": "Growth"})
    asker.answers({8: 2})
    with tenancy.account_scope(rival.id):
        make_asker(rival).answer(0)
        service.fold()
    service.fold()
    expected, pairs = sums_of(ALWAYS.first, ALWAYS.last), pair_rows()
    for row in db.session.scalars(select(DailySum)):
        row.n10 += 7
    db.session.flush()
    assert not true()
    assert service.rebuild() == 5
    assert sums_of(ALWAYS.first, ALWAYS.last) == expected
    assert pair_rows() == pairs
    assert true()
    with tenancy.account_scope(rival.id):
        assert whole() == bars(s0=1)


def pair_rows() -> set[tuple[Any, ...]]:
    return {
        (row.series, row.key, row.value, row.earlier, row.later, row.campaign_id, row.pairs, row.first, row.second, row.product)
        for row in db.session.scalars(select(PairSum))
        if row.pairs or row.product
    }


def test_proof_finds_a_wrong_sum_repairs_it_and_says_so(asker: Asker) -> None:
    asker.answers({9: 3})
    service.fold()
    assert service.prove()
    db.session.scalars(select(DailySum).where(DailySum.key == "")).one().n9 = 1
    db.session.flush()
    with capture_logs() as lines:
        assert not service.prove()
    assert [line["event"] for line in lines] == ["sums differ from a recount"]
    assert true()
    assert service.prove()
    assert db.session.scalars(select(Rollup)).one().proved_at is not None


def test_proof_of_an_account_without_answers_is_right(account: Account) -> None:
    assert service.prove()


def test_properties_that_split_answers_get_their_sums(asker: Asker) -> None:
    from nps.contacts.models import PropertyDefinition  # noqa: PLC0415

    for key, kind in (("plan", "text"), ("vip", "yes_no"), ("note", "text"), ("seats", "number")):
        db.session.add(PropertyDefinition(key=key, label=key.title(), kind=kind, created_at=asker.survey.created_at))
    for number in range(60):
        asker.answer(9, properties={"plan": ["Growth", "Scale"][number % 2], "vip": True, "note": f"n{number}", "seats": number})
    asker.answer(0, properties={"vip": False})
    assert service.keep_properties()
    assert db.session.scalars(select(Rollup)).one().kept == ["vip", "plan"]
    assert not service.keep_properties()
    made = tally(Filters(ALWAYS), [ALWAYS], read_tail(), "plan")[0]
    assert {value: one.n for value, one in made.items()} == {"Growth": 30, "Scale": 30, "": 1}
    assert set(tally(Filters(ALWAYS), [ALWAYS], read_tail(), "vip")[0]) == {"true", "false"}


# Both paths give the same numbers

people = st.integers(0, 5)
made_answers = st.lists(
    st.tuples(
        people,
        st.integers(0, 100),
        st.sampled_from([0, 6, 7, 9, 10]),
        st.sampled_from([{}, {"plan": "A"}, {"plan": "B", "vip": True}]),
        st.sampled_from(["email", "link"]),
        st.booleans(),
    ),
    max_size=18,
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(made=made_answers, folded=st.integers(0, 20), edits=st.lists(st.tuples(st.integers(0, 17), st.sampled_from([0, 8, 10])), max_size=4))
def test_sums_with_their_tail_and_rows_agree_on_every_question(
    asker: Asker, made: list[Any], folded: int, edits: list[tuple[int, int]]
) -> None:
    with db.session.begin_nested() as point:
        keep("plan", "vip")
        contacts: dict[int, UUID] = {}
        other = asker.campaign("Spring")
        responses = []
        for person, days, score, properties, channel, second in made:
            contact = contacts.setdefault(person, asker.contact())
            responses.append(
                asker.answer(
                    score,
                    TODAY - timedelta(days=days),
                    None if person == 5 else contact,
                    nameless=person == 5,
                    properties=properties,
                    channel=channel,
                    campaign_id=other if second else None,
                )
            )
        service.fold(limit=folded) if folded else None
        for place, score in edits:
            if place < len(responses):
                asker.edit(responses[place], score)
        windows = [Window(TODAY - timedelta(days=40), TODAY), Window(TODAY - timedelta(days=100), TODAY - timedelta(days=41))]
        for filters, by in (
            (Filters(windows[0]), None),
            (Filters(windows[0], campaign=other), None),
            (Filters(windows[0], conditions=(Condition("plan", "B"),)), None),
            (Filters(windows[0], conditions=(Condition("vip", "true"),)), None),
            (Filters(windows[0]), "plan"),
            (Filters(windows[0], campaign=other), "vip"),
            (Filters(windows[0]), "channel"),
        ):
            same(filters, windows, by)
        while service.fold():
            pass
        before = sums_of(ALWAYS.first, ALWAYS.last), pair_rows()
        service.rebuild()
        assert (sums_of(ALWAYS.first, ALWAYS.last), pair_rows()) == before
        point.rollback()
    db.session.expire_all()


def same(filters: Filters, windows: list[Window], by: str | None) -> None:
    from nps.analytics.queries import tallies  # noqa: PLC0415

    def plain(found: Any) -> dict[str, Any]:
        return {
            value: (one.bars, one.comments, one.pairs.pairs, one.pairs.first + one.pairs.second, one.pairs.product)
            for value, one in found.items()
            if one.n
        }

    tail = read_tail()
    sums, rows = tally(filters, windows, tail, by), tallies._from_rows(filters, windows, by)
    for one, other in zip(sums, rows, strict=True):
        assert plain(one) == plain(other), (filters, by)
        for value, found in one.items():
            if found.n:
                assert found.figure() == other[value].figure(), (filters, by, value)
    shared = {value: sums.overlap for value, sums in tallies._shared_rows(filters, windows[::-1], by)}
    made = {value: one for value, one in tallies.overlaps(filters, windows[1], windows[0], tail, by).items() if one.people}
    assert made == shared, (filters, by)


def test_latest_answer_of_each_contact_inside_the_window(asker: Asker) -> None:
    person = asker.contact()
    for score, days in ((10, 20), (0, 10), (9, -1)):
        asker.answer(score, TODAY - timedelta(days=days), person)
    asker.answer(7, nameless=True)
    asker.answer(7, nameless=True)
    window = Window(TODAY - timedelta(days=30), TODAY)
    found = tally(Filters(window, unit="contact"), [window], read_tail())[0][""]
    assert found.bars == bars(s0=1, s7=2)
    assert (found.contacts, found.pairs) == (3, PairSums())


def test_values_are_compared_as_text_on_both_databases(asker: Asker) -> None:
    asker.answer(9, properties={"seats": 12, "vip": True, "plan": 'He said "hi" % _'})
    asker.answer(0, properties={"seats": 12.5, "vip": False, "plan": None})
    window = Window(date(2026, 10, 1), TODAY)
    for key, value, expected in (
        ("seats", "12", bars(s9=1)),
        ("seats", "12.5", bars(s0=1)),
        ("vip", "true", bars(s9=1)),
        ("vip", "false", bars(s0=1)),
        ("plan", 'He said "hi" % _', bars(s9=1)),
        ("plan", "", bars(s0=1)),
        ("other", "", bars(s9=1, s0=1)),
    ):
        filters = Filters(window, conditions=(Condition(key, value), Condition("channel", "email")))
        assert tally(filters, [window], read_tail())[0][""].bars == expected, (key, value)
