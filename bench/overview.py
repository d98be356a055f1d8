"""overview_1m: the overview's whole query set over 1,000,000 answers of one account; against one GROUP BY over the same rows."""

import os
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import String, Uuid, cast, func, insert, literal, select, text

from bench.report import Figure, Sample, compare, rss_mb, say
from bench.world import customers, inside, larkfield
from nps.analytics import service as analytics
from nps.analytics.queries import overview as overview_reads
from nps.analytics.rules import filters as filter_rules
from nps.campaigns.models import Campaign, Invitation
from nps.contacts.models import PropertyDefinition
from nps.core import clock, ids, tenancy
from nps.core.db import UTCDateTime, db
from nps.core.sql import hex_of, plus_minutes
from nps.responses.models import Response
from nps.scoring.groups import nps_group
from nps.surveys import service as surveys
from tests.installation import Installation, installation

ZONE = "America/New_York"
DAYS = 3 * 365
TIMES = 10
FIRST = UUID(int=1 << 120)
"""Ids that were made by the clock are above this, ids of copies below."""


def measure(names: Sequence[str], *, form: str, engine: str) -> None:
    """Print the line. Answers and runs, by form:"""
    count, runs = {"trial": (1_000, 1), "short": (1_000_000, 5), "long": (1_000_000, 15)}[form]
    with installation(engine) as made:
        account_id = larkfield(made)
        began = time.monotonic()
        fill(made, account_id, count)
        say(f"  {count:,} answers made in {time.monotonic() - began:.0f} s")
        began = time.monotonic()
        with inside(made, account_id):
            if not analytics.keep_properties():
                analytics.rebuild()
        say(f"  sums made in {time.monotonic() - began:.0f} s")
        with made.app.app_context(), tenancy.account_scope(account_id):
            today = overview_reads.today(ZONE, clock.now())
            asked = filter_rules.read([("by", "plan")], today)

            def overview() -> Sample:
                began = time.perf_counter()
                overview_reads.overview(asked, ZONE)
                spent = time.perf_counter() - began
                db.session.rollback()
                db.session.expunge_all()
                return Sample(spent * 1000, spent * 1000, spent * 1000)

            def scan() -> float:
                began = time.perf_counter()
                db.session.execute(text("SELECT score, count(*) FROM response GROUP BY score")).all()
                spent = time.perf_counter() - began
                db.session.rollback()
                return spent * 1000

            figure = Figure("overview_1m", "ms", "one GROUP BY over the same rows", 0.05, 0.01, lower=True)
            figure.facts = {"database": engine, "form": form, "n": count}
            compare(figure, overview, scan, runs=runs, warm=2, rss=lambda: rss_mb(os.getpid()))
            db.session.remove()


def fill(made: Installation, account_id: UUID, count: int) -> None:
    """Three years of answers by a tenth as many customers, each tied to an invitation. The newest answer of everybody is made here,
    the nine before it are copies that the database makes, each a tenth of the time further back."""
    with inside(made, account_id):
        now = clock.now()
        db.session.add(PropertyDefinition(key="plan", label="Plan", kind="text", created_at=now))
        contacts = customers(count // TIMES)
        survey = surveys.create("Relationship survey")
        campaign = Campaign(name="Relationship survey", survey_id=survey.id, state="running", edited_at=now, created_at=now)
        db.session.add(campaign)
        db.session.flush()
        campaign_id = campaign.id
    with inside(made, account_id):
        for start in range(0, len(contacts), 5_000):
            _rows(contacts, campaign_id, start, min(start + 5_000, len(contacts)))
    for back in range(1, TIMES):
        with inside(made, account_id):
            _copy(back, days=back * DAYS // TIMES)


def _copy(back: int, days: int) -> None:
    """The answers made by `_rows` and their invitations once more, `days` earlier. Ids keep their tail, so the pairs stay pairs."""
    on_sqlite = db.engine.dialect.name == "sqlite"

    def moved(column: Any) -> Any:
        if column.name in ("id", "invitation_id"):
            tail = func.substr(hex_of(column), 9)
            made = literal(f"{back:08x}", String).concat(tail)
            return made if on_sqlite else cast(made, Uuid)
        if isinstance(column.type, UTCDateTime):
            return plus_minutes(column, -days * 24 * 60)
        if column.name == "first_day":
            return func.date(column, f"-{days} days") if on_sqlite else column - days
        return column + back if column.name == "wave" else column

    table: Any
    for table in (Invitation.__table__, Response.__table__):
        rows = select(*(moved(column) for column in table.columns)).where(table.c.account_id == tenancy.current(), table.c.id >= FIRST)
        db.session.connection().execute(insert(table).from_select(list(table.columns), rows))


def _rows(contacts: list[UUID], campaign_id: UUID, start: int, end: int) -> None:
    now, account_id = clock.now(), tenancy.current()
    invitations, answers = [], []
    for n in range(start, end):
        invitation, contact = ids.new_id(), contacts[n]
        at = now - timedelta(days=DAYS / TIMES * (1 - n / len(contacts)), minutes=n % 600)
        score = (0, 3, 5, 6, 7, 7, 8, 8, 9, 9, 9, 10, 10, 10, 10)[ids.bucket(f"score {n}", 15)]
        owned = {"account_id": account_id, "contact_id": contact, "campaign_id": campaign_id, "channel": "email", "language": "en"}
        properties = {"plan": ("Starter", "Growth", "Scale")[n % 3]}
        invitations.append(
            {**owned, "id": invitation, "wave": 1, "state": "answered", "asked_at": at, "answered_at": at}
            | {"asked_properties": properties, "created_at": at, "is_test": False, "canary": False}
        )
        answers.append(
            {
                **owned,
                "id": ids.new_id(),
                "invitation_id": invitation,
                "series": "relationship",
                "kind": "nps",
                "score": score,
                "first_score": score,
            }
            | {
                "nps_group": nps_group(score),
                "comment": "It works." if n % 3 == 0 else "",
                "wants_reply": False,
                "state": "verified",
                "method": "sent",
            }
            | {"signals": [], "partial": False, "is_test": False, "answered_properties": properties, "first_at": at, "first_day": at.date()}
            | {"verified_at": at, "changed_at": at}
        )
    db.session.execute(insert(Invitation), invitations)
    db.session.execute(insert(Response), answers)
