"""The planner's SQL and the rules give everybody the same reason."""

import contextlib
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, true

from nps.campaigns.models import Campaign, Invitation
from nps.campaigns.queries import gates as gates_sql
from nps.campaigns.rules import gates
from nps.campaigns.rules.gates import Terms
from nps.contacts import service as contacts
from nps.contacts.models import Contact
from nps.core import ids, tenancy
from nps.core.db import db
from nps.delivery import service as delivery
from tests.campaigns.factories import campaign_with, make_contact

NOW = datetime(2026, 10, 6, 14, 0, tzinfo=UTC)
CHOICES: dict[str, list[Any]] = {
    "consent_email": ["unknown", "unknown", "given", "refused"],
    "customer_since": [None, None, date(2026, 10, 1), date(2026, 9, 6), date(2024, 1, 1)],
    "imported_at": [None, NOW - timedelta(hours=3), NOW - timedelta(hours=30)],
    "held_at": [None, None, None, NOW - timedelta(days=2)],
    "gap_days": [None, None, None, 365],
    "last_asked_at": [None, None, NOW - timedelta(days=41), NOW - timedelta(days=120), NOW - timedelta(days=90)],
}
STOPS = [None, None, None, "unsubscribed", "complained", "bounced", "blocked", "imported", "soft_bounced", "erased"]


def a_crowd(count: int) -> list[Contact]:
    """Contacts with every mixture of facts, the same ones each time."""
    made = []
    for n in range(count):
        contact = make_contact(f"Person {n}", email=None if n % 17 == 0 else f"p.{n}+x@{'gmail.com' if n % 3 else 'brightoak.example'}")
        for name, values in CHOICES.items():
            setattr(contact, name, values[ids.bucket(f"{name}{n}", len(values))])
        made.append(contact)
        stop = STOPS[ids.bucket(f"stop{n}", len(STOPS))]
        if contact.email and stop:
            until = NOW + timedelta(days=ids.bucket(f"until{n}", 9) - 3) if stop == "soft_bounced" else None
            delivery.suppress(contact.email.replace(".", "", 1) if "gmail" in contact.email else contact.email, stop, "member", until=until)
    db.session.flush()
    return made


def other_invitations(people: list[Contact], campaign: Campaign) -> None:
    for n, contact in enumerate(people):
        kind = n % 11
        if kind == 0:
            _invite(campaign, contact, state="planned", written_at=NOW)
        elif kind == 1:
            _invite(campaign, contact, state="asked", asked_at=NOW - timedelta(days=6), reminded_at=NOW - timedelta(hours=5))
        elif kind == 2:
            _invite(campaign, contact, state="asked", asked_at=NOW - timedelta(hours=23))
        elif kind == 3:
            _invite(campaign, contact, state="planned")
    db.session.flush()


def _invite(campaign: Campaign, contact: Contact, **fields: Any) -> None:
    db.session.add(Invitation(campaign_id=campaign.id, wave=9, contact_id=contact.id, created_at=NOW, **fields))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"consent_needed": True},
        {"kind": "event", "gap_days": 14},
        {"min_age_days": 0, "skip_open_case": False},
        {"kind": "rolling", "running_since": NOW - timedelta(days=30)},
        {"account_paused": True},
        {"sender_ready": False, "gap_days": 30},
    ],
)
def test_sql_and_rules_give_everybody_the_same_verdict(account: Any, changes: dict[str, Any]) -> None:
    people = a_crowd(150)
    campaign, other = campaign_with("This one", sample_percent=70), campaign_with("Other")
    other_invitations(people, other)
    terms = Terms(**{"now": NOW, "today": NOW.date(), **changes})
    known = gates_sql.facts(true(), terms, campaign_id=campaign.id, sample_percent=70, wave=1)
    said = gates_sql.verdict(known, terms, gates_sql.erased_among(true()))
    rows = db.session.execute(select(known.c.contact_id, said.reason, said.until, said.final)).all()
    found = {row[0]: (row[1], row[2], bool(row[3])) for row in rows}
    assert len(found) == 150
    reasons = set()
    for contact in people:
        wanted = gates.decide(gates_sql.facts_of(contact, campaign, NOW, wave=1), terms)
        reasons.add(wanted.reason)
        assert found[contact.id] == (wanted.reason, wanted.until, wanted.final), contact.shown_name
    assert len(reasons) > (8 if terms.account_paused else 10)


def test_counts_by_reason_add_up_to_the_audience(account: Any) -> None:
    people = a_crowd(60)
    campaign = campaign_with("This one")
    terms = Terms(now=NOW, today=NOW.date())
    counted = gates_sql.count_by_reason(campaign, terms)
    assert sum(counted.values()) == 60
    assert len(gates_sql.list_by_reason(campaign, terms, None, 100)) == counted[None]
    assert people


def test_people_of_a_rival_are_never_counted(account: Any, rival: Any) -> None:
    make_contact("Ours", email="ours@a.example")
    with tenancy.account_scope(rival.id), contextlib.suppress(Exception):
        contacts.upsert({"email": "theirs@b.example"})
        db.session.flush()
    campaign = campaign_with("This one")
    assert gates_sql.count_by_reason(campaign, Terms(now=NOW, today=NOW.date())) == {None: 1}


def test_a_sample_is_the_same_people_every_time(account: Any) -> None:
    people = [make_contact(f"P{n}", email=f"p{n}@a.example") for n in range(200)]
    campaign = campaign_with("This one", sample_percent=25)
    drawn: set[UUID] = {person.id for person in people if gates_sql.sampled(campaign, person.id)}
    assert 25 <= len(drawn) <= 75
    terms = Terms(now=NOW, today=NOW.date())
    assert gates_sql.count_by_reason(campaign, terms) == {None: len(drawn), "not_sampled": 200 - len(drawn)}
