"""What is a score, what looks like a machine, what may be changed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nps.responses.rules import (
    Seen,
    Sent,
    Signal,
    Verdict,
    clean_comment,
    confirms,
    hit_verdict,
    judge,
    looks_like_a_machine,
    may_edit,
    network_of,
    program,
    read_score,
    read_signal,
    signals,
)

NOW = datetime(2026, 10, 6, 11, 0, tzinfo=UTC)
HOME, CHROME = "198.51.100.0/24", "Mozilla/5.0 (X11; Linux x86_64) Chrome/130"


@pytest.mark.parametrize("text", ["-1", "11", "9.5", "9 ", " 9", "٩", "1e1", "true", "null", "09", "", "10\n", "9\x00", "1" * 5000, None])
def test_what_is_not_a_score(text: str | None) -> None:
    assert read_score(text) is None


@given(st.integers(0, 10))
def test_eleven_scores(n: int) -> None:
    assert read_score(str(n)) == n


def view(seconds_ago: float, score: int | None = None, **rest: Any) -> Seen:
    values = {"kind": "view", "method": "GET", "network": HOME, "user_agent": CHROME} | rest
    return Seen(NOW - timedelta(seconds=seconds_ago), score=score, **values)


def form(**rest: Any) -> Sent:
    values = {
        "network": HOME,
        "user_agent": CHROME,
        "served_at": NOW - timedelta(seconds=20),
        "hand": "touch",
        "trap": False,
        "has_comment": False,
    }
    return Sent(occurred_at=NOW, **(values | rest))


def names(hits: list[Seen], sent: Sent, **rest: Any) -> set[str]:
    return {signal.name for signal in signals(hits, sent, **({"accepted_at": None} | rest))}


def test_a_person_with_a_hand_gives_no_signal() -> None:
    assert signals([view(20, 9)], form(), accepted_at=NOW - timedelta(hours=1)) == []


def test_a_person_without_script_is_believed_with_and_without_words() -> None:
    assert not looks_like_a_machine(signals([view(20, 9)], form(hand=None, has_comment=True), accepted_at=None))
    assert not looks_like_a_machine(signals([view(20, 9)], form(hand=None), accepted_at=None))


def test_a_person_who_clicks_nine_then_seven_two_seconds_later_and_sends_by_mouse_is_believed() -> None:
    assert not looks_like_a_machine(signals([view(12, 9), view(10, 7)], form(hand="press"), accepted_at=NOW - timedelta(hours=1)))


@pytest.mark.parametrize(
    ("hits", "sent", "name"),
    [
        ([view(5, kind="hidden")], form(), "S1"),
        ([], form(trap=True), "S1"),
        ([view(9, 1), view(8, 2), view(7, 3)], form(), "S2"),
        ([view(300 - 50 * i, i) for i in range(6)], form(), "S2"),
        ([], form(hand=""), "S3"),
    ],
)
def test_one_strong_signal_is_enough(hits: list[Seen], sent: Sent, name: str) -> None:
    assert name in names(hits, sent)
    assert looks_like_a_machine(signals(hits, sent, accepted_at=None))


def test_six_scores_in_visits_apart_are_no_burst() -> None:
    assert "S2" not in names([view(3600 - 601 * i, i) for i in range(6)], form())


def test_one_network_on_three_mailed_invitations_within_a_minute() -> None:
    accepted = NOW - timedelta(hours=1)
    assert "S4" in names([], form(hand=None), accepted_at=accepted, crowd=3)
    assert "S4" not in names([], form(hand="key"), accepted_at=accepted, crowd=3)
    assert "S4" not in names([], form(hand=None), crowd=3)
    assert "S4" not in names([], form(hand=None), accepted_at=accepted, crowd=2)


def test_two_weak_signals_are_needed() -> None:
    assert not looks_like_a_machine(signals([], form(user_agent="curl/8"), accepted_at=None))
    assert looks_like_a_machine(signals([], form(user_agent="curl/8", hand=None), accepted_at=None))


@pytest.mark.parametrize(("seconds", "found"), [(9, {"S5"}), (14.9, {"S5"}), (15, {"W3"}), (59, {"W3"}), (60, set()), (3600, set())])
def test_a_form_sent_soon_after_the_mail(seconds: float, found: set[str]) -> None:
    assert names([], form(), accepted_at=NOW - timedelta(seconds=seconds)) == found


def test_a_scanner_in_the_morning_does_not_spoil_the_person_at_noon() -> None:
    burst = [view(7200 - i, i) for i in range(11)]
    assert signals([*burst, view(30, 9)], form(), accepted_at=NOW - timedelta(hours=3)) == []


def test_another_network_is_another_visit() -> None:
    burst = [view(9 - i / 10, i, network="203.0.113.0/24") for i in range(11)]
    assert signals(burst, form(), accepted_at=None) == []


def test_times_are_not_used_where_no_server_stands_in_between() -> None:
    assert signals([], form(served_at=NOW - timedelta(seconds=1)), accepted_at=None) == []


def test_signals_speak_with_their_figures() -> None:
    hits = [view(37, method="HEAD", score=0), view(5, 0), view(3, 5), view(1, 10)]
    said = [
        s.words for s in signals(hits, form(hand=None, served_at=NOW - timedelta(seconds=1.2)), accepted_at=NOW - timedelta(seconds=41))
    ]
    assert said == [
        "Three different scores opened within 4 seconds",
        "The form was sent 41 seconds after the mail server took the email",
        "Sent 1.2 seconds after the page opened",
        "The page’s script did not run, and there is no comment",
    ]
    probed = signals([view(12, method="HEAD", score=0)], form(), accepted_at=None)
    assert [s.words for s in probed] == ["The same link was tried without opening it, 12 seconds before"]


@given(st.sampled_from(["S1", "S2", "W4"]), st.lists(st.integers(0, 5000).map(lambda n: n / 10), max_size=2))
def test_a_signal_is_read_as_it_was_stored(name: str, figures: list[float]) -> None:
    assert read_signal(Signal(name, tuple(figures)).stored()) == Signal(name, tuple(figures))


def test_who_picks_the_number_once_more() -> None:
    assert confirms(form(hand="press"), timed=True)
    assert confirms(form(hand=None), timed=True)
    assert not confirms(form(hand=""), timed=False)
    assert not confirms(form(hand="press", trap=True), timed=False)
    assert not confirms(form(hand=None, user_agent="curl/8"), timed=False)
    assert not confirms(form(hand=None, served_at=NOW - timedelta(seconds=1)), timed=True)


def test_each_hit_is_judged_with_its_visit() -> None:
    scanner = {"network": "203.0.113.0/24", "user_agent": "Mozilla/5.0 (Windows) Edg/130"}
    hits = [
        view(1667, 0, method="HEAD", network="203.0.113.0/24", user_agent=""),
        view(1655, 0, **scanner),
        view(1653, 5, **scanner),
        view(1651, 10, **scanner),
        view(1650, 10, kind="post", method="POST", **scanner),
        view(4, 8),
        view(2, 8, kind="seen", method="POST", hand="touch"),
        view(1, network="192.0.2.0/24"),
    ]
    person, machine, unclear = Verdict.PERSON, Verdict.MACHINE, Verdict.UNCLEAR
    assert judge(hits, accepted_at=None) == [machine, machine, machine, machine, machine, person, person, unclear]


def test_a_name_on_a_list_never_decides_alone() -> None:
    assert hit_verdict([], view(0, 9, user_agent="SomeBot/1.0"), accepted_at=None) is Verdict.UNCLEAR
    assert hit_verdict([view(3, 8, user_agent="SomeBot/1.0")], view(0, 9, user_agent="SomeBot/1.0"), accepted_at=None) is Verdict.MACHINE
    assert hit_verdict([], view(0, 9, method="HEAD"), accepted_at=None) is Verdict.MACHINE
    assert hit_verdict([], view(0, 9), accepted_at=NOW - timedelta(seconds=3)) is Verdict.MACHINE


def test_edits_end_after_a_week_or_a_reply() -> None:
    assert may_edit(NOW - timedelta(days=7), None, NOW)
    assert not may_edit(NOW - timedelta(days=7, seconds=1), None, NOW)
    assert not may_edit(NOW - timedelta(hours=1), NOW, NOW)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("a\r\nb", "a\nb"), ("a\x00b\x07", "ab"), ("  x ", "x"), ("\ud800 ok", "ok"), ("tab\there", "tab\there"), ("é\u0085", "é")],
)
def test_comments_are_kept_as_typed_without_control_characters(typed: str, kept: str) -> None:
    assert clean_comment(typed) == kept


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("198.51.100.77", "198.51.100.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("", ""),
        ("nonsense", ""),
        ("::ffff:1.2.3.4", "1.2.3.0/24"),
    ],
)
def test_networks(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("", "No name given"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0", "Edge, Windows"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1",
            "Safari, iPhone",
        ),
        ("curl/8.5.0", "curl/8.5.0"),
    ],
)
def test_programs_are_named_as_people_know_them(agent: str, name: str) -> None:
    assert program(agent) == name
