"""Program states and what keeps a program from going live."""

from datetime import UTC, datetime, timedelta

import pytest

from nps.referrals.rules.programs import Change, ProgramState, Readiness, missing, move, state_at

T0 = datetime(2026, 10, 6, 9, tzinfo=UTC)
READY = Readiness(
    friend_words="Two months free",
    advocate_words="$50 credit",
    destination_url="https://larkfield.example/start",
    verified_hosts=frozenset({"larkfield.example"}),
    terms="Be kind.",
    sender_email="ines@larkfield.example",
    postal_address="48 Quay Street",
)

POSSIBLE = {
    ("draft", "go_live"): "live",
    ("live", "pause"): "paused",
    ("paused", "resume"): "live",
    ("live", "end"): "ended",
    ("paused", "end"): "ended",
}


@pytest.mark.parametrize("state", list(ProgramState))
@pytest.mark.parametrize("verb", ["go_live", "pause", "resume", "end"])
def test_only_the_written_moves_are_possible(state: ProgramState, verb: str) -> None:
    assert move(state, verb) == POSSIBLE.get((state.value, verb))


def test_ended_is_final() -> None:
    assert all(move(ProgramState.ENDED, verb) is None for verb in ("go_live", "pause", "resume", "end"))


def test_the_state_at_an_instant_is_the_last_change_before_it() -> None:
    changes = [
        Change(T0 + timedelta(days=5), ProgramState.PAUSED),
        Change(T0, ProgramState.LIVE),
        Change(T0 + timedelta(days=7), ProgramState.LIVE),
    ]
    assert state_at(changes, T0 - timedelta(seconds=1)) is ProgramState.DRAFT
    assert state_at(changes, T0) is ProgramState.LIVE
    assert state_at(changes, T0 + timedelta(days=6)) is ProgramState.PAUSED
    assert state_at(changes, T0 + timedelta(days=8)) is ProgramState.LIVE


def test_a_complete_program_misses_nothing() -> None:
    assert missing(READY, destination_ok=True) == ()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"friend_words": " "}, "friend_words"),
        ({"advocate_words": ""}, "advocate_words"),
        ({"destination_url": ""}, "destination"),
        ({"terms": "\n"}, "terms"),
        ({"sender_email": ""}, "sender"),
        ({"postal_address": ""}, "postal_address"),
        ({"uses_stripe_credit": True}, "stripe"),
    ],
)
def test_each_gap_is_named_alone(change: dict[str, object], code: str) -> None:
    facts = Readiness(**{**{f: getattr(READY, f) for f in READY.__slots__}, **change})
    assert [m.code for m in missing(facts, destination_ok=True)] == [code]


def test_an_unverified_host_is_named_and_every_gap_is_listed_at_once() -> None:
    assert [m.code for m in missing(READY, destination_ok=False)] == ["destination_host"]
    empty = Readiness("", "", "", frozenset(), "", "", "", uses_stripe_credit=True)
    assert [m.code for m in missing(empty, destination_ok=False)] == [
        "friend_words",
        "advocate_words",
        "destination",
        "terms",
        "sender",
        "postal_address",
        "stripe",
    ]
