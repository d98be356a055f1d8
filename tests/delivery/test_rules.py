"""What a reply means, when a message is tried again, what a report says."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nps.delivery.rules import (
    ENDED,
    TRANSITIONS,
    WAITING,
    AddressEffect,
    Bounce,
    LaneEffect,
    MessageState,
    Phase,
    Reply,
    Standing,
    after_receipt,
    decide,
    enhanced_code,
    halved,
    may_become,
    next_try,
    pace_now,
    provider,
    read_report,
    soft_bounced_until,
    standing,
)

S, P, A, L = MessageState, Phase, AddressEffect, LaneEffect

TABLE = [
    # phase, code, text, state, reason, address, lane
    (P.CONNECT, 0, "connection refused", S.DEFERRED, "transport_down", A.NONE, L.DOWN),
    (P.GREETING, 554, "5.7.1 go away", S.DEFERRED, "transport_down", A.NONE, L.DOWN),
    (P.EHLO, 421, "busy", S.DEFERRED, "transport_down", A.NONE, L.DOWN),
    (P.STARTTLS, 0, "certificate verify failed", S.DEFERRED, "transport_down", A.NONE, L.DOWN),
    (P.AUTH, 454, "4.7.0 later", S.DEFERRED, "retrying", A.NONE, L.NONE),
    (P.AUTH, 535, "5.7.8 wrong password", S.QUEUED, "sender_not_ready", A.NONE, L.OFF),
    (P.MAIL, 451, "4.3.0 later", S.DEFERRED, "retrying", A.NONE, L.NONE),
    (P.MAIL, 421, "closing", S.DEFERRED, "retrying", A.NONE, L.RECONNECT),
    (P.MAIL, 550, "5.7.1 sender rejected", S.QUEUED, "sender_not_ready", A.NONE, L.SENDER),
    (P.MAIL, 0, "lost", S.DEFERRED, "retrying", A.NONE, L.NONE),
    (P.RCPT, 421, "4.7.0 too many", S.DEFERRED, "retrying", A.NONE, L.RECONNECT),
    (P.RCPT, 450, "4.2.1 later", S.DEFERRED, "retrying", A.NONE, L.SLOW),
    (P.RCPT, 451, "greylisted", S.DEFERRED, "retrying", A.NONE, L.SLOW),
    (P.RCPT, 452, "4.5.3 too many", S.DEFERRED, "retrying", A.NONE, L.SLOW),
    (P.RCPT, 452, "4.2.2 over quota", S.DEFERRED, "mailbox_full", A.SOFT, L.NONE),
    (P.RCPT, 550, "5.1.1 unknown", S.FAILED, "bounced", A.HARD, L.NONE),
    (P.RCPT, 550, "5.1.2 bad domain", S.FAILED, "bounced", A.HARD, L.NONE),
    (P.RCPT, 553, "5.1.3 bad syntax", S.FAILED, "bounced", A.HARD, L.NONE),
    (P.RCPT, 551, "5.1.6 moved", S.FAILED, "bounced", A.HARD, L.NONE),
    (P.RCPT, 550, "5.1.10 null mx", S.FAILED, "bounced", A.HARD, L.NONE),
    (P.RCPT, 550, "5.2.1 disabled", S.FAILED, "bounced", A.HARD, L.NONE),
    (P.RCPT, 501, "5.1.3 bad recipient syntax", S.FAILED, "bounced", A.HARD, L.NONE),
    (P.RCPT, 550, "No such user here", S.FAILED, "bounced", A.HARD, L.NONE),
    (P.RCPT, 554, "5.0.0 <d@x.example>: User unknown in relay recipient table", S.FAILED, "bounced", A.HARD, L.NONE),
    (P.RCPT, 550, "5.1.1 <eve@spamfilter.example>: Recipient address rejected: User unknown", S.FAILED, "bounced", A.HARD, L.NONE),
    (P.RCPT, 550, "5.1.1 blocked because of your reputation", S.FAILED, "refused", A.SOFT, L.REFUSED),
    (P.RCPT, 550, "5.1.1 over quota", S.FAILED, "refused", A.SOFT, L.REFUSED),
    (P.RCPT, 552, "mailbox full", S.DEFERRED, "mailbox_full", A.SOFT, L.NONE),
    (P.RCPT, 550, "5.2.2 mailbox full", S.DEFERRED, "mailbox_full", A.SOFT, L.NONE),
    (P.RCPT, 550, "5.7.1 policy", S.FAILED, "refused", A.NONE, L.REFUSED),
    (P.RCPT, 550, "5.7.515 access denied, no DMARC", S.FAILED, "refused", A.NONE, L.REFUSED),
    (P.RCPT, 554, "no", S.FAILED, "refused", A.NONE, L.REFUSED),
    (P.RCPT, 550, "no", S.FAILED, "refused", A.NONE, L.REFUSED),
    (P.RCPT, 0, "time limit", S.DEFERRED, "retrying", A.NONE, L.NONE),
    (P.DATA, 451, "later", S.DEFERRED, "retrying", A.NONE, L.NONE),
    (P.DATA, 0, "lost", S.DEFERRED, "retrying", A.NONE, L.NONE),
    (P.BODY, 0, "lost", S.DEFERRED, "retrying", A.NONE, L.NONE),
    (P.DOT, 250, "2.0.0 queued", S.SENT, "", A.NONE, L.NONE),
    (P.DOT, 451, "4.3.0 later", S.DEFERRED, "retrying", A.NONE, L.NONE),
    (P.DOT, 421, "closing", S.DEFERRED, "retrying", A.NONE, L.RECONNECT),
    (P.DOT, 550, "5.1.1 unknown", S.FAILED, "bounced", A.HARD, L.NONE),
    (P.DOT, 550, "5.7.1 looks like spam", S.FAILED, "refused", A.NONE, L.CONTENT),
    (P.DOT, 554, "no", S.FAILED, "refused", A.NONE, L.CONTENT),
    (P.DOT, 0, "silence", S.UNKNOWN, "unknown", A.NONE, L.NONE),
    (P.DOT, 0, "reset", S.UNKNOWN, "unknown", A.NONE, L.NONE),
]


@pytest.mark.parametrize(("phase", "code", "text", "state", "reason", "address", "lane"), TABLE)
def test_each_reply_has_the_outcome_of_the_table(phase, code, text, state, reason, address, lane):
    verdict = decide(Reply(phase, code, text))
    assert (verdict.state, verdict.reason, verdict.address, verdict.lane) == (state, reason, address, lane)


@pytest.mark.parametrize("phase", [P.MAIL, P.RCPT, P.DATA, P.DOT])
@pytest.mark.parametrize("code", range(500, 505))
def test_a_protocol_error_is_tried_once_more_and_then_fails(phase, code):
    first = decide(Reply(phase, code, "5.5.1 what"))
    assert first.again
    assert first.lane is L.PROTOCOL
    second = decide(Reply(phase, code, "5.5.1 what"), second_try=True)
    assert (second.state, second.again) == (S.FAILED, False)


@given(st.sampled_from(list(P)), st.one_of(st.just(0), st.integers(200, 599)), st.text(max_size=60), st.booleans())
def test_no_reply_leads_to_a_state_that_is_no_transition(phase, code, text, second):
    verdict = decide(Reply(phase, code, text), second_try=second)
    before = S.CLAIMED if phase in (P.CONNECT, P.GREETING, P.EHLO, P.STARTTLS, P.AUTH, P.QUIT) else S.SENDING
    assert may_become(before, verdict.state)
    if 400 <= code < 500:
        assert verdict.address is not A.HARD
        assert verdict.state is S.DEFERRED
    if phase is not P.DOT:
        assert verdict.state not in (S.UNKNOWN, S.SENT)


def test_only_a_success_is_sent_and_only_silence_after_the_dot_is_unknown():
    for phase in P:
        for code in (0, *range(200, 600)):
            state = decide(Reply(phase, code)).state
            assert (state is S.SENT) == (phase is P.DOT and 200 <= code < 300)
            assert (state is S.UNKNOWN) == (phase is P.DOT and not (200 <= code < 300 or 400 <= code < 600))


def test_every_state_ends_or_leads_somewhere():
    assert set(TRANSITIONS) == set(S)
    assert WAITING | ENDED | {S.SENDING} == set(S)
    for state in (S.FAILED, S.DROPPED, S.COMPLAINED):
        assert not TRANSITIONS[state]
    assert not may_become(S.UNKNOWN, S.SENDING)
    assert not may_become(S.SENDING, S.CLAIMED)
    assert not may_become(S.SENT, S.QUEUED)


@pytest.mark.parametrize("start", [S.SENT, S.UNKNOWN])
def test_receipts_in_every_order_end_in_one_state(start):
    receipts = [S.SENT, S.DELIVERED, S.BOUNCED, S.COMPLAINED]
    for count in range(1, 5):
        for chosen in permutations(receipts, count):
            state = start
            for receipt in (*chosen, *chosen):
                after = after_receipt(state, receipt)
                assert after is not None
                assert after is state or may_become(state, after)
                state = after
            assert state is (max(chosen, key=receipts.index) if chosen != (S.SENT,) else S.SENT)


def test_a_receipt_that_comes_too_early_waits_and_one_for_a_failed_message_changes_nothing():
    for state in (S.QUEUED, S.CLAIMED, S.SENDING, S.DEFERRED):
        assert after_receipt(state, S.DELIVERED) is None
    assert after_receipt(S.FAILED, S.BOUNCED) is S.FAILED
    assert after_receipt(S.DROPPED, S.DELIVERED) is S.DROPPED


NOW = datetime(2026, 10, 6, 9, tzinfo=UTC)


def test_waits_are_5_15_30_minutes_then_an_hour_with_a_fifth_either_way():
    for tries, minutes in ((1, 5), (2, 15), (3, 30), (4, 60), (9, 60)):
        for draw, share in ((0, 0.8), (500, 1.0), (1000, 1.2)):
            due = next_try(tries, NOW, NOW, draw)
            assert due is not None
            assert (due - NOW) == timedelta(minutes=minutes * share)


def test_a_message_is_given_up_72_hours_after_its_first_try():
    assert next_try(70, NOW, NOW + timedelta(hours=70), 500) == NOW + timedelta(hours=71)
    assert next_try(72, NOW, NOW + timedelta(hours=71, minutes=30), 500) is None


def test_an_address_rests_after_more_than_five_soft_bounces_in_a_row():
    assert soft_bounced_until(5, NOW) is None
    assert soft_bounced_until(6, NOW) == NOW + timedelta(days=30)


def test_a_slowed_pace_doubles_back_in_quiet_minutes_and_never_stops():
    assert pace_now(10, None, None, NOW) == 10
    slow = 10.0
    for _ in range(40):
        slow = halved(slow)
    assert slow == pytest.approx(1 / 30)
    assert pace_now(10, 2.5, NOW, NOW + timedelta(minutes=9)) == 2.5
    assert pace_now(10, 2.5, NOW, NOW + timedelta(minutes=10)) == 5
    assert pace_now(10, 2.5, NOW, NOW + timedelta(days=400)) == 10


REPORTS = [
    ("failed", "5.1.1", "user unknown", Bounce.HARD),
    ("failed", "5.1.1", "rejected by blocklist", Bounce.SOFT),
    ("failed", "5.1.10", "", Bounce.HARD),
    ("failed", "5.2.1", "mailbox disabled", Bounce.HARD),
    ("failed", "5.2.2", "full", Bounce.SOFT),
    ("failed", "4.4.7", "expired", Bounce.SOFT),
    ("failed", "5.3.0", "system", Bounce.SOFT),
    ("failed", "5.4.1", "no route", Bounce.SOFT),
    ("failed", "5.7.1", "policy", Bounce.REFUSED),
    ("failed", "5.6.0", "content", Bounce.REFUSED),
    ("failed", "5.0.0", "no such user", Bounce.HARD),
    ("failed", "5.0.0", "something", Bounce.SOFT),
    ("failed", "5.5.0", "mailbox unavailable", Bounce.SOFT),
    ("failed", "", "550 5.1.1 The email account that you tried to reach does not exist.", Bounce.HARD),
    ("failed", "", "could not be delivered", Bounce.SOFT),
    ("", "", "No mailbox here by that name", Bounce.HARD),
    ("delayed", "4.4.1", "", Bounce.NONE),
    ("relayed", "2.0.0", "", Bounce.NONE),
    ("delivered", "2.0.0", "", Bounce.NONE),
    ("expanded", "2.0.0", "", Bounce.NONE),
]


@pytest.mark.parametrize(("action", "status", "text", "bounce"), REPORTS)
def test_a_report_says_what_it_says(action, status, text, bounce):
    assert read_report(action, status, text, age=timedelta(days=1), alive=False) is bounce


def test_an_old_report_says_nothing_and_words_alone_do_not_kill_a_living_address():
    assert read_report("failed", "5.1.1", "", age=timedelta(days=15), alive=False) is Bounce.IGNORED
    assert read_report("failed", "5.0.0", "no such user", age=timedelta(days=1), alive=True) is Bounce.SOFT
    assert read_report("failed", "5.1.1", "", age=timedelta(days=1), alive=True) is Bounce.HARD


def test_codes_are_read_where_they_stand():
    assert enhanced_code("5.1.1 gone", anywhere=False) == (5, 1, 1)
    assert enhanced_code("smtp; 550 5.1.10 null") == (5, 1, 10)
    assert enhanced_code("host 5.1.1.2 said no") is None
    assert enhanced_code("10.5.1.1") is None
    assert enhanced_code("no 5.1.1", anywhere=False) is None


def test_providers_are_families():
    assert provider("a@googlemail.com") == provider("b@GMAIL.com") == "gmail"
    assert provider("a@brightoak.example") == "brightoak.example"


def test_nothing_is_concluded_below_200_recipients():
    assert standing(199, 30, 3) is Standing.GOOD
    assert standing(200, 16, 0) is Standing.PAUSED
    assert standing(200, 8, 0) is Standing.WARNED
    assert standing(200, 7, 0) is Standing.GOOD
    assert standing(1250, 0, 1) is Standing.WARNED
    assert standing(1000, 0, 3) is Standing.PAUSED
