"""Who is asked to share, and what an advocate's state allows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from nps.referrals.rules.advocates import ALLOWS, WORDS, AdvocateState, Candidate, NotEnrolled, Source, held_out, move, refusal

NOW = datetime(2026, 10, 6, 9, tzinfo=UTC)
GOOD = Candidate(source=Source.PROMOTER, program_live=True, score=9)


# The table of states: asks, link, credit, rewards go on.
@pytest.mark.parametrize(
    ("state", "asks", "link", "credit", "rewards"),
    [
        ("invited", True, True, True, True),
        ("active", True, True, True, True),
        ("paused", False, True, True, True),
        ("left", False, False, False, True),
        ("withdrawn", False, False, False, False),
        ("removed", False, False, False, False),
    ],
)
def test_each_state_allows_what_the_table_says(state: str, asks: bool, link: bool, credit: bool, rewards: bool) -> None:
    allows = ALLOWS[AdvocateState(state)]
    assert (allows.asks, allows.link, allows.credit, allows.rewards) == (asks, link, credit, rewards)


def test_a_promoter_is_asked() -> None:
    assert refusal(GOOD, NOW) is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"program_live": False}, "program_not_live"),
        ({"open_case": True}, "open_case"),
        ({"score": 8}, "not_promoter"),
        ({"score": None}, "not_promoter"),
        ({"quarantined": True}, "not_promoter"),
        ({"low_other_score": True}, "not_promoter"),
        ({"closed_case_after_answer": True}, "not_promoter"),
        ({"holdout_bucket": 49, "holdout_percent": 5}, "holdout"),
        ({"left_or_removed": True}, "left_before"),
        ({"staff": True}, "staff"),
        ({"suppressed": True}, "suppressed"),
        ({"in_segment": False}, "segment"),
        ({"consent_ok": False}, "no_consent"),
        ({"asked_at": NOW - timedelta(days=89)}, "asked_recently"),
    ],
)
def test_each_reason_not_to_ask_is_given(change: dict[str, object], why: str) -> None:
    assert refusal(replace(GOOD, **change), NOW) == NotEnrolled(why)


def test_asked_90_days_ago_may_be_asked_again() -> None:
    assert refusal(replace(GOOD, asked_at=NOW - timedelta(days=90)), NOW) is None


def test_passives_are_asked_only_where_the_program_says_so_and_detractors_never() -> None:
    assert refusal(replace(GOOD, score=7, min_score=7), NOW) is None
    for source in Source:
        for score in range(7):
            assert refusal(replace(GOOD, source=source, score=score, min_score=0), NOW) is NotEnrolled.NOT_PROMOTER


def test_a_members_choice_passes_holdout_and_gap_but_not_an_open_case_or_a_stop() -> None:
    chosen = replace(GOOD, source=Source.HAND, holdout_bucket=0, holdout_percent=50, asked_at=NOW, in_segment=False, score=None)
    assert refusal(chosen, NOW) is None
    assert refusal(replace(chosen, open_case=True), NOW) is NotEnrolled.OPEN_CASE
    assert refusal(replace(chosen, suppressed=True), NOW) is NotEnrolled.SUPPRESSED


def test_the_holdout_is_its_percentage_of_all_buckets() -> None:
    for percent in (0, 1, 5, 50):
        assert sum(held_out(bucket, percent) for bucket in range(1000)) == percent * 10


def test_every_reason_has_words() -> None:
    assert set(WORDS) == set(NotEnrolled)


S = AdvocateState


@pytest.mark.parametrize(
    ("state", "verb", "after"),
    [
        (S.INVITED, "share", S.ACTIVE),
        (S.ACTIVE, "share", None),
        (S.INVITED, "withdraw", S.WITHDRAWN),
        (S.ACTIVE, "withdraw", None),
        (S.PAUSED, "withdraw", None),
        (S.ACTIVE, "leave", S.LEFT),
        (S.LEFT, "leave", None),
        (S.REMOVED, "leave", None),
        (S.LEFT, "remove", S.REMOVED),
        (S.REMOVED, "remove", None),
        (S.WITHDRAWN, "pause", None),
    ],
)
def test_the_moves_of_an_advocate(state: AdvocateState, verb: str, after: AdvocateState | None) -> None:
    assert move(state, verb) == after


def test_leaving_can_be_undone_for_30_days_and_gives_back_the_old_standing() -> None:
    assert move(S.LEFT, "return", shared_before=True, left_at=NOW - timedelta(days=30), now=NOW) is S.ACTIVE
    assert move(S.LEFT, "return", shared_before=False, left_at=NOW, now=NOW) is S.INVITED
    assert move(S.LEFT, "return", left_at=NOW - timedelta(days=30, seconds=1), now=NOW) is None
    assert move(S.REMOVED, "return", left_at=NOW, now=NOW) is None


def test_a_pause_ends_where_it_began() -> None:
    assert move(S.PAUSED, "resume", shared_before=True) is S.ACTIVE
    assert move(S.PAUSED, "resume") is S.INVITED
    assert move(S.ACTIVE, "resume") is None
