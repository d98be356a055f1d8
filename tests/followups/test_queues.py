"""Queues: what is refused, and what a change of hours does to promises."""

from typing import Any

import pytest

from nps.core.errors import Conflict, Invalid
from nps.followups import queries
from nps.followups import service as followups
from nps.followups.models import Queue
from nps.followups.rules.escalation import Step, Tell
from nps.followups.rules.holidays import Holiday
from nps.followups.rules.hours import parse_spans
from nps.followups.rules.targets import Targets
from nps.followups.service import QueueData
from tests.followups.conftest import Larkfield, local

NINE_TO_FIVE = [parse_spans("09:00-17:00")] * 5 + [(), ()]


def data(**given: Any) -> QueueData:
    targets = {name: getattr(Targets(), name) for name in followups.TARGETS} | given.pop("targets", {})
    return QueueData(**{"name": "Customer care", "time_zone": "America/New_York", "week": NINE_TO_FIVE, "targets": targets, **given})


def test_the_first_queue_is_made_once_in_the_accounts_zone(larkfield: Larkfield) -> None:
    first, second = followups.default_queue(), followups.default_queue()
    assert first.id == second.id
    assert (first.time_zone, first.is_default, queries.hours_of(first).longest_day) == ("America/New_York", True, 480)


def test_members_are_the_responders_else_the_owner_unless_some_are_named(larkfield: Larkfield) -> None:
    queue = followups.default_queue()
    assert [user.name for _, user in queries.members_of(queue)] == ["Ines Marchetti"]
    amara = larkfield.member("Amara Kone")
    larkfield.member("Vera Viewer", "viewer")
    assert [user.name for _, user in queries.members_of(queue)] == ["Amara Kone"]
    followups.save_queue(queue.id, data(members=[larkfield.owner.id, amara.id], lead_id=amara.id), larkfield.owner)
    assert {user.name for _, user in queries.members_of(queue)} == {"Amara Kone", "Ines Marchetti"}
    assert queries.lead_of(queue) == amara.id


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": " "}, "name"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"week": [()] * 7}, "hours"),
        ({"week": [parse_spans("09:00-12:00, 11:00-17:00"), *[()] * 6]}, "monday"),
        ({"targets": {"low": 4}}, "target_low"),
        ({"targets": {"resolve": None}}, "target_resolve"),
        ({"steps": (Step(50, (Tell.OWNER,)), Step(50, (Tell.OWNER,)))}, "steps"),
        ({"most_open": 501}, "most_open"),
        ({"most_new_a_day": 0}, "most_new_a_day"),
        ({"hold_seconds": 61}, "hold_seconds"),
        ({"method": "dice"}, "method"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_field(larkfield: Larkfield, given: dict, field: str) -> None:
    queue = followups.default_queue()
    with pytest.raises(Invalid) as refused:
        followups.save_queue(queue.id, data(**given), larkfield.owner)
    assert list(refused.value.fields) == [field]


def test_members_who_do_not_work_cases_and_a_second_name_are_refused(larkfield: Larkfield) -> None:
    viewer = larkfield.member("Vera Viewer", "viewer")
    followups.default_queue()
    with pytest.raises(Invalid) as refused:
        followups.save_queue(None, data(name="customer CARE", members=[viewer.id], lead_id=viewer.id), larkfield.owner)
    assert set(refused.value.fields) == {"name", "members", "lead"}


def test_hours_that_would_make_it_later_keep_the_promise_earlier_ones_move_it(larkfield: Larkfield) -> None:
    queue = larkfield.queue(target_low=480)
    case = larkfield.case(3)
    promised = case.promised_at
    followups.save_queue(queue.id, data(week=[parse_spans("09:00-10:00")] * 5 + [(), ()], targets={"low": 480}), larkfield.owner)
    assert case.due_at == promised == local("2026-10-06 11:58")
    followups.save_queue(queue.id, data(targets={"low": 120}), larkfield.owner)
    assert case.due_at == case.first_due_at == local("2026-10-05 13:58")
    assert case.promised_at == promised
    event = queries.list_events(case.id)[-1]
    assert (event.what, event.facts) == ("due_moved", {"from": "Tuesday 6 October, 11:58", "to": "Monday 5 October, 13:58"})


def test_a_holiday_pasted_later_does_not_break_the_promise_and_next_replies_follow(larkfield: Larkfield) -> None:
    queue = larkfield.queue()
    case = larkfield.case(3)
    due = case.due_at
    today = local("2026-10-05 00:00").date()
    followups.save_queue(queue.id, data(holidays=[Holiday(today, "Founders’ day")]), larkfield.owner)
    assert case.due_at == due
    assert [(row.day, row.name) for row in queries.list_holidays(queue.id)] == [(today, "Founders’ day")]
    assert followups.read_holidays(followups.holidays_as_text(queue.id))[0].name == "Founders’ day"


def test_a_rules_own_target_survives_a_change_of_the_table(larkfield: Larkfield) -> None:
    queue = larkfield.queue()
    case = larkfield.case(3, target_minutes=30)
    followups.save_queue(queue.id, data(targets={"low": 5}), larkfield.owner)
    assert case.target_minutes == 30


def test_bad_holidays_are_named_by_line_and_the_good_ones_offered(larkfield: Larkfield) -> None:
    with pytest.raises(Invalid) as refused:
        followups.read_holidays("2026-12-25 Christmas\nsometime\n")
    assert refused.value.fields["holidays"].startswith("Line 2:")
    assert refused.value.fields["holidays_kept"] == "2026-12-25 Christmas"


def test_a_case_moves_to_another_queue_with_the_earlier_due(larkfield: Larkfield) -> None:
    fast = followups.save_queue(None, data(name="Fast", week=[parse_spans("00:00-24:00")] * 7), larkfield.owner)
    assert fast.is_default  # the first queue of an account takes the rest
    slow: Queue = followups.save_queue(None, data(name="Slow", week=[parse_spans("16:00-17:00")] * 7), larkfield.owner)
    case = larkfield.case(5)
    due = case.due_at
    followups.move(case.id, slow.id, larkfield.owner)
    assert (case.queue_id, case.due_at) == (slow.id, due)


def test_a_queue_with_cases_is_deleted_only_with_a_place_for_them(larkfield: Larkfield) -> None:
    default = followups.default_queue()
    other = followups.save_queue(None, data(name="Other"), larkfield.owner)
    case = larkfield.case(3, queue_id=other.id)
    with pytest.raises(Conflict, match="stays"):
        followups.delete_queue(default.id, other.id, larkfield.owner)
    with pytest.raises(Conflict, match="1 case"):
        followups.delete_queue(other.id, None, larkfield.owner)
    followups.delete_queue(other.id, default.id, larkfield.owner)
    assert case.queue_id == default.id
    assert [queue.name for queue in queries.list_queues()] == ["Customer care"]
