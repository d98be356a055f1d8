from datetime import UTC, datetime, timedelta

import pytest

from nps.followups.rules import states
from nps.followups.rules.states import CaseState, Move, NotAllowed

# The table of the case, row by row: from, event, to. "|" where history decides.
LISTED = """
new answer_joined new
working answer_joined working
waiting answer_joined working
new reply_and_wait waiting
new reply_and_close closed
working reply_and_close closed
waiting reply_and_close closed
new contact_logged working
working reply_and_wait waiting
working wait waiting
waiting customer_wrote working
waiting silence waiting
waiting taken_back working
waiting reply_and_wait waiting
working close closed
waiting close closed
new close closed
new answer_changed closed
closed customer_wrote working
closed reopened working
closed undone new|working|waiting
merged undone new|working|waiting
new merged merged
working merged merged
waiting merged merged
waiting reply_failed new|working
closed reply_failed new|working
new erased closed
working erased closed
waiting erased closed
closed erased closed
merged erased closed
"""
# What a mail or a mail server brings cannot be refused: it lands without a change of its own.
BROUGHT = """
new customer_wrote new
working customer_wrote working
working reply_failed new|working
"""


def rows(text):
    for line in text.split("\n"):
        if line:
            state, move, to = line.split()
            yield CaseState(state), Move(move), frozenset(CaseState(one) for one in to.split("|"))


ALL = {(state, move): to for state, move, to in [*rows(LISTED), *rows(BROUGHT)]}


@pytest.mark.parametrize("state", list(CaseState))
@pytest.mark.parametrize("move", list(Move))
def test_exactly_the_listed_moves_are_possible(state, move):
    possible = ALL.get((state, move), frozenset())
    assert states.may(state, move) is bool(possible)
    for to in CaseState:
        if to in possible:
            assert states.after(state, move, to) is to
        else:
            with pytest.raises(NotAllowed):
                states.after(state, move, to)


def test_one_possible_state_need_not_be_named_several_must():
    assert states.after(CaseState.NEW, Move.REPLY_AND_WAIT) is CaseState.WAITING
    with pytest.raises(NotAllowed, match="the case is closed"):
        states.after(CaseState.CLOSED, Move.UNDONE)


def test_the_first_reply_cannot_be_paused():
    with pytest.raises(NotAllowed, match="nobody has written to the customer yet"):
        states.after(CaseState.NEW, Move.WAIT)


def test_a_failed_reply_makes_the_case_new_unless_somebody_else_got_through():
    assert states.after_failed_reply(other_human_contact=False) is CaseState.NEW
    assert states.after_failed_reply(other_human_contact=True) is CaseState.WORKING


def test_undo_for_a_day_and_reopening_for_ninety():
    at = datetime(2026, 10, 6, 12, tzinfo=UTC)
    assert states.may_undo(at, at + timedelta(hours=24))
    assert not states.may_undo(at, at + timedelta(hours=24, seconds=1))
    assert states.reopens(at, at + timedelta(days=90))
    assert not states.reopens(at, at + timedelta(days=90, seconds=1))
