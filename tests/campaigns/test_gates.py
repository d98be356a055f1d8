"""Why somebody is asked, or not, or not yet."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nps.campaigns.rules import gates, words
from nps.campaigns.rules.gates import Facts, Reason, ReminderFacts, Terms

NOW = datetime(2026, 10, 6, 14, 0, tzinfo=UTC)
TERMS = Terms(now=NOW, today=NOW.date())
FREE = Facts(email="dana@brightoak.example")


def facts(**changes: Any) -> Facts:
    return Facts(**{"email": "dana@brightoak.example", **changes})


def terms(**changes: Any) -> Terms:
    return Terms(**{"now": NOW, "today": NOW.date(), **changes})


CASES: list[tuple[dict[str, Any], dict[str, Any], Reason | None, bool, datetime | None]] = [
    ({}, {}, None, False, None),
    ({"in_audience": False}, {}, Reason.NOT_IN_AUDIENCE, True, None),
    ({"drawn": False}, {}, Reason.NOT_SAMPLED, True, None),
    ({"invited": True}, {}, Reason.ALREADY_INVITED, True, None),
    ({"erased": True}, {}, Reason.ERASED, True, None),
    ({"stops": ("erased",)}, {}, Reason.ERASED, True, None),
    ({"email": None}, {}, Reason.NO_ADDRESS, True, None),
    ({"email": ""}, {}, Reason.NO_ADDRESS, True, None),
    ({"stops": ("unsubscribed",)}, {}, Reason.UNSUBSCRIBED, True, None),
    ({"stops": ("imported",)}, {}, Reason.UNSUBSCRIBED, True, None),
    ({"stops": ("complained",)}, {}, Reason.COMPLAINED, True, None),
    ({"stops": ("bounced",)}, {}, Reason.BOUNCED, True, None),
    ({"stops": ("blocked",)}, {}, Reason.BLOCKED, True, None),
    ({"stops": ("blocked", "unsubscribed")}, {}, Reason.UNSUBSCRIBED, True, None),
    ({"consent": "refused"}, {}, Reason.NO_CONSENT, True, None),
    ({"consent": "unknown"}, {"consent_needed": True}, Reason.NO_CONSENT, True, None),
    ({"consent": "given"}, {"consent_needed": True}, None, False, None),
    ({"soft_until": NOW + timedelta(days=3)}, {}, Reason.SOFT_BOUNCED, False, NOW + timedelta(days=3)),
    ({"soft_until": NOW - timedelta(days=3)}, {}, None, False, None),
    ({"customer_since": date(2026, 10, 1)}, {}, Reason.TOO_NEW, False, NOW + timedelta(days=25)),
    ({"customer_since": date(2026, 9, 6)}, {}, None, False, None),
    ({"customer_since": date(2026, 10, 1)}, {"min_age_days": 0}, None, False, None),
    ({"imported_at": NOW - timedelta(hours=1)}, {}, None, False, None),
    (
        {"imported_at": NOW - timedelta(hours=1)},
        {"running_since": NOW - timedelta(days=9)},
        Reason.IMPORT_HOLD,
        False,
        NOW + timedelta(hours=23),
    ),
    ({"imported_at": NOW - timedelta(hours=25)}, {"running_since": NOW - timedelta(days=9)}, None, False, None),
    ({"held_since": NOW - timedelta(days=1)}, {}, Reason.OPEN_CASE, False, NOW + timedelta(days=1)),
    ({"held_since": NOW - timedelta(days=1)}, {"skip_open_case": False}, None, False, None),
    (
        {"own_gap_days": 365, "last_asked_at": NOW - timedelta(days=100)},
        {},
        Reason.YEARLY_CHOICE,
        False,
        NOW + timedelta(days=265),
    ),
    ({"own_gap_days": 365}, {}, None, False, None),
    ({"last_asked_at": NOW - timedelta(days=41)}, {}, Reason.THROTTLED, False, NOW + timedelta(days=49)),
    ({"last_asked_at": NOW - timedelta(days=41)}, {"kind": "event"}, Reason.THROTTLED, True, None),
    ({"last_asked_at": NOW - timedelta(days=90)}, {}, None, False, None),
    ({"last_asked_at": NOW - timedelta(days=20)}, {"gap_days": 14, "kind": "event"}, None, False, None),
    ({"last_message_at": NOW - timedelta(hours=5)}, {}, Reason.HARD_FLOOR, False, NOW + timedelta(hours=19)),
    ({"last_message_at": NOW - timedelta(hours=24)}, {}, None, False, None),
    ({"under_way": True}, {}, Reason.HARD_FLOOR, False, NOW + timedelta(minutes=15)),
    ({}, {"campaign_paused": True}, Reason.CAMPAIGN_PAUSED, False, None),
    ({}, {"account_paused": True}, Reason.ACCOUNT_PAUSED, False, None),
    ({}, {"sender_ready": False}, Reason.SENDER_NOT_READY, False, None),
    ({}, {"window_open": False, "window_next": NOW + timedelta(days=1)}, Reason.OUTSIDE_WINDOW, False, NOW + timedelta(days=1)),
]


@pytest.mark.parametrize(("known", "asked", "reason", "final", "until"), CASES)
def test_each_reason_can_be_caused(
    known: dict[str, Any], asked: dict[str, Any], reason: Reason | None, final: bool, until: datetime | None
) -> None:
    assert gates.decide(facts(**known), terms(**asked)) == gates.Verdict(reason, final, until)


def test_the_explorer_says_what_a_gate_saw() -> None:
    found = gates.look(facts(last_asked_at=NOW - timedelta(days=41), asked_by="Onboarding"), TERMS)
    gap = next(f for f in found if f.reason is Reason.THROTTLED)
    assert gap.gate == "Gap of 90 days over"
    assert gap.saw == "Asked 41 days ago by “Onboarding”; 49 days to go"


instants = st.none() | st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))
ANY_FACTS = st.builds(
    Facts,
    in_audience=st.booleans(),
    drawn=st.booleans(),
    invited=st.booleans(),
    erased=st.booleans(),
    email=st.none() | st.just("a@b.example"),
    stops=st.lists(st.sampled_from(sorted(gates.STOPS)), max_size=3),
    soft_until=instants,
    consent=st.sampled_from(["given", "refused", "unknown"]),
    customer_since=st.none() | st.dates(date(2025, 1, 1), date(2027, 1, 1)),
    imported_at=instants,
    held_since=instants,
    own_gap_days=st.none() | st.integers(1, 400),
    last_asked_at=instants,
    last_message_at=instants,
    under_way=st.booleans(),
)
ANY_TERMS = st.builds(
    Terms,
    now=st.just(NOW),
    today=st.just(NOW.date()),
    kind=st.sampled_from(["one_time", "rolling", "event"]),
    gap_days=st.integers(14, 365),
    min_age_days=st.integers(0, 365),
    consent_needed=st.booleans(),
    skip_open_case=st.booleans(),
    running_since=instants,
    campaign_paused=st.booleans(),
    account_paused=st.booleans(),
    sender_ready=st.booleans(),
    window_open=st.booleans(),
)


@given(ANY_FACTS, ANY_TERMS)
def test_the_reason_is_the_first_gate_that_does_not_pass_in_the_order_of_the_specification(known: Facts, asked: Terms) -> None:
    verdict = gates.decide(known, asked)
    found = [f.reason for f in gates.look(known, asked) if f.reason is not None]
    assert verdict.reason == (found[0] if found else None)
    places = [gates.ORDER.index(reason) for reason in found]
    assert places == sorted(places)


@given(ANY_FACTS, ANY_TERMS)
def test_nobody_passes_inside_the_gap_the_floor_or_a_stop(known: Facts, asked: Terms) -> None:
    if gates.decide(known, asked).reason is not None:
        return
    assert known.email
    assert not [s for s in known.stops if s != "soft_bounced"]
    assert known.last_asked_at is None or known.last_asked_at <= NOW - timedelta(days=max(asked.gap_days, known.own_gap_days or 0))
    assert known.last_message_at is None or known.last_message_at <= NOW - timedelta(hours=24)
    assert not known.under_way


@given(ANY_FACTS, ANY_TERMS)
def test_a_wait_never_names_a_next_look_in_the_past(known: Facts, asked: Terms) -> None:
    verdict = gates.decide(known, asked)
    assert verdict.until is None or verdict.until > NOW
    assert not (verdict.final and verdict.until)


REMINDERS: list[tuple[dict[str, Any], Reason | None]] = [
    ({}, None),
    ({"state": "answered"}, Reason.ANSWERED),
    ({"state": "declined", "stops": ("unsubscribed",)}, Reason.UNSUBSCRIBED),
    ({"stops": ("complained",)}, Reason.COMPLAINED),
    ({"stops": ("bounced",)}, Reason.BOUNCED),
    ({"state": "undelivered"}, Reason.CANCELLED),
    ({"picked": True}, Reason.PICKED),
    ({"replied": True}, Reason.REPLIED),
    ({"held": True}, Reason.OPEN_CASE),
    ({"expires_at": NOW + timedelta(days=2)}, Reason.LAPSED),
    ({"expires_at": NOW + timedelta(days=4)}, None),
    ({"last_message_at": NOW - timedelta(hours=3)}, Reason.HARD_FLOOR),
]


@pytest.mark.parametrize(("known", "reason"), REMINDERS)
def test_a_reminder_goes_only_to_the_silent(known: dict[str, Any], reason: Reason | None) -> None:
    verdict = gates.decide_reminder(ReminderFacts(**{"state": "asked", **known}), NOW)
    assert verdict.reason == reason
    assert verdict.final == (reason not in (None, Reason.HARD_FLOOR))


def test_every_reason_has_words_and_every_waiting_one_is_known() -> None:
    for reason in Reason:
        assert words.reason_words(reason)
    assert set(gates.ORDER) <= set(Reason)
    assert {Reason.THROTTLED, Reason.OUTSIDE_WINDOW, Reason.RETRYING} <= gates.WAITS


def test_nobody_to_ask_is_said_with_the_reasons() -> None:
    said = words.nobody({"throttled": 212, "unsubscribed": 8})
    assert said == "Nobody can be asked now: 212 were asked less than 90 days ago, 8 have stopped survey emails. Nothing was sent."
    assert "there is nobody in this audience" in words.nobody({})


def test_growth_is_refused_from_just_over_twenty_percent_on() -> None:
    assert not words.has_grown(100, 120)
    assert words.has_grown(100, 121)
    assert words.grown(4800, 9312) == "You confirmed 4,800 people; 9,312 match now. Nothing was sent."


@pytest.mark.parametrize(
    ("typed", "number"),
    [("4,069", 4069), (" 4069 ", 4069), ("4.069", 4069), ("4\u202f069", 4069), ("four", None), ("", None), ("-4", None), ("9" * 12, None)],
)
def test_a_typed_number_is_read_as_people_write_it(typed: str, number: int | None) -> None:
    assert words.read_number(typed) == number


def test_a_past_start_is_refused_with_its_day_and_hour() -> None:
    assert words.in_the_past(datetime(2026, 10, 5, 9, 0)) == "That start lies in the past: 5 October, 09:00. Choose a later time."


def test_left_out_test_addresses_are_named() -> None:
    said = words.tests_left_out(["dana@gmail.test"], 2, "larkfield.example")
    assert said == "Tests go to members or to larkfield.example. dana@gmail.test was left out; the 2 others were sent."
