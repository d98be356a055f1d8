"""A wave: everybody of the audience gets an invitation or a reason, on the right day and minute."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from nps.campaigns import service
from nps.campaigns.models import Campaign, CampaignWave, Invitation, WaveSlot
from nps.campaigns.rules import windows
from nps.contacts.models import Contact
from nps.core.db import db
from nps.delivery import service as delivery
from tests.campaigns.factories import campaign_with, make_contact

MONDAY = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
ZONES = ["Pacific/Auckland", "Asia/Kolkata", "Europe/London", "America/Los_Angeles", None]


def plan_all(campaign: Campaign, batch: int = 7) -> int:
    runs = 1
    while service.plan(campaign.id, campaign.wave, batch=batch):
        runs += 1
    return runs


def people(count: int, **fields: Any) -> list[Contact]:
    return [make_contact(f"P {n}", email=f"p{n}@a.example", **fields) for n in range(count)]


def invitations(campaign: Campaign) -> list[Invitation]:
    return list(db.session.scalars(select(Invitation).where(Invitation.campaign_id == campaign.id).order_by(Invitation.contact_id)))


def test_everybody_of_the_audience_is_planned_or_has_a_reason(account: Any, clock: Any) -> None:
    clock.at(MONDAY)
    crowd = people(23)
    crowd[3].last_asked_at = clock.now() - timedelta(days=41)
    crowd[5].held_at = clock.now()
    delivery.suppress("p7@a.example", "unsubscribed", "link")
    make_contact("No address", email=None)
    campaign = campaign_with("Autumn")
    service.launch(campaign.id)
    assert plan_all(campaign) == 4
    rows = invitations(campaign)
    assert len(rows) == 24
    by_reason = Counter((row.state, row.reason) for row in rows)
    assert by_reason == {
        ("planned", None): 20,
        ("planned", "throttled"): 1,
        ("planned", "open_case"): 1,
        ("skipped", "unsubscribed"): 1,
        ("skipped", "no_address"): 1,
    }
    throttled = next(row for row in rows if row.reason == "throttled")
    assert throttled.reason_until == crowd[3].last_asked_at + timedelta(days=90)
    assert throttled.due_at is not None
    assert throttled.look_at == throttled.due_at + timedelta(days=7)
    assert all(row.due_at is None and row.look_at is None for row in rows if row.state == "skipped")
    wave = db.session.scalars(select(CampaignWave)).one()
    assert (wave.audience, wave.ranked) == (24, 20)
    assert wave.planned_at is not None
    assert db.session.scalar(select(func.count()).select_from(WaveSlot)) == 0


def test_planning_twice_changes_nothing(account: Any, clock: Any) -> None:
    people(10)
    campaign = campaign_with("Autumn", send_now=True)
    service.launch(campaign.id)
    assert service.plan(campaign.id, 1, batch=4)
    before = {row.contact_id: row.id for row in invitations(campaign)}
    wave = db.session.scalars(select(CampaignWave)).one()
    wave.cursor_id, wave.ranked = None, 0
    plan_all(campaign, 4)
    after = {row.contact_id: row.id for row in invitations(campaign)}
    assert len(after) == 10
    assert before.items() <= after.items()
    assert not service.plan(campaign.id, 1)


def test_people_added_after_the_start_are_not_in_the_wave(account: Any, clock: Any) -> None:
    people(5)
    campaign = campaign_with("Autumn", send_now=True)
    service.launch(campaign.id)
    assert service.plan(campaign.id, 1, batch=2)
    clock.move(seconds=1)
    make_contact("Late", email="late@a.example")
    plan_all(campaign, 2)
    assert len(invitations(campaign)) == 5


@pytest.mark.parametrize("start", [datetime(2026, 3, 27, 12, 0, tzinfo=UTC), datetime(2026, 10, 23, 12, 0, tzinfo=UTC), MONDAY])
def test_everybody_is_due_in_the_window_of_their_own_morning_also_across_clock_changes(account: Any, clock: Any, start: datetime) -> None:
    clock.at(start)
    for n in range(60):
        make_contact(f"P {n}", email=f"p{n}@a.example", time_zone=ZONES[n % 5])
    campaign = campaign_with("Autumn", spread_days=4)
    service.launch(campaign.id)
    plan_all(campaign, 25)
    assert len({row.due_at for row in invitations(campaign)}) > 30
    zones = dict(db.session.execute(select(Contact.id, Contact.time_zone)).all())
    for row in invitations(campaign):
        zone = ZoneInfo(zones[row.contact_id] or "America/New_York")
        assert row.due_at is not None
        assert windows.inside(row.due_at, windows.DEFAULT, zone)
        assert row.due_at > start


def test_the_due_minute_in_sql_is_the_minute_of_the_rules(account: Any, clock: Any) -> None:
    clock.at(datetime(2026, 10, 24, 3, 0, tzinfo=UTC))  # clocks change in London the next night
    window = windows.Window(tuple(range(7)), 0, 300)
    for n in range(40):
        make_contact(f"P {n}", email=f"p{n}@a.example", time_zone=ZONES[n % 3 + 1])
    campaign = campaign_with("Night", window=window.as_json(), spread_days=2)
    service.launch(campaign.id)
    plan_all(campaign, 40)
    zones = dict(db.session.execute(select(Contact.id, Contact.time_zone)).all())
    for row in invitations(campaign):
        assert row.contact_id is not None
        slots = windows.slots(clock.now(), window, ZoneInfo(str(zones[row.contact_id])), 2)
        dues = {s.due(windows.minute(windows.person_key(campaign.id.hex, row.contact_id.hex), s.length)) for s in slots}
        assert row.due_at in dues


@pytest.mark.parametrize("days", [1, 3, 7])
def test_daily_parts_differ_by_at_most_one_over_all_batches(account: Any, clock: Any, days: int) -> None:
    clock.at(MONDAY)
    crowd = people(45)
    for n in range(0, 45, 9):
        crowd[n].last_asked_at = clock.now() - timedelta(days=3)
    campaign = campaign_with("Autumn", spread_days=days)
    service.launch(campaign.id)
    plan_all(campaign, 8)
    zone = ZoneInfo("America/New_York")
    sizes = Counter(row.due_at.astimezone(zone).date() for row in invitations(campaign) if row.reason is None and row.due_at)
    assert sum(sizes.values()) == 40
    assert len(sizes) == days
    assert max(sizes.values()) - min(sizes.values()) <= 1


def test_a_wave_sent_now_is_due_at_once_and_the_next_parts_a_day_later(account: Any, clock: Any) -> None:
    people(10)
    campaign = campaign_with("Autumn", send_now=True, spread_days=2)
    service.launch(campaign.id)
    plan_all(campaign, 100)
    opened = db.session.scalars(select(CampaignWave)).one().opened_at
    dues = Counter(row.due_at - opened for row in invitations(campaign) if row.due_at)
    assert {round(gap.total_seconds()): count for gap, count in dues.items()} == {0: 5, 86400: 5}


def test_those_not_drawn_have_their_reason(account: Any, clock: Any) -> None:
    people(100)
    campaign = campaign_with("Autumn", sample_percent=30)
    service.launch(campaign.id)
    plan_all(campaign, 30)
    found = Counter((row.state, row.reason) for row in invitations(campaign))
    assert found[("planned", None)] + found[("skipped", "not_sampled")] == 100
    assert 15 <= found[("planned", None)] <= 45


def test_a_campaign_that_was_stopped_is_not_planned_further(account: Any, clock: Any) -> None:
    people(6)
    campaign = campaign_with("Autumn", send_now=True)
    service.launch(campaign.id)
    service.plan(campaign.id, 1, batch=3)
    campaign.state = "stopped"
    assert not service.plan(campaign.id, 1, batch=3)
    assert len(invitations(campaign)) == 3
