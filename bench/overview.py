"""overview_1m: the overview's whole query set over 1,000,000 answers of one account; against one GROUP BY over the same rows."""

import time
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import insert, text

from bench.report import Figure, compare, say
from bench.world import customers, inside, larkfield
from nps.analytics import queries as figures
from nps.analytics import service as analytics
from nps.analytics.queries import overview as overview_reads
from nps.analytics.rules import filters as filter_rules
from nps.campaigns.models import Campaign, Invitation
from nps.core import clock, ids, tenancy
from nps.core import db as database
from nps.core.db import db
from nps.responses.models import Response
from nps.scoring.groups import nps_group
from nps.surveys import service as surveys
from tests.installation import Installation, installation

ZONE = "America/New_York"
DAYS = 3 * 365


def measure(names: Sequence[str], *, form: str, engine: str) -> None:
    """Print the line. Short: 200,000 answers; long: 1,000,000."""
    count, runs = (200_000, 5) if form == "short" else (1_000_000, 7)
    with installation(engine) as made:
        account_id = larkfield(made)
        began = time.monotonic()
        fill(made, account_id, count)
        say(f"  {count:,} answers made in {time.monotonic() - began:.0f} s")
        began = time.monotonic()
        with inside(made, account_id):
            analytics.keep_properties()
            analytics.rebuild()
        say(f"  sums made in {time.monotonic() - began:.0f} s")
        with made.app.app_context(), tenancy.account_scope(account_id):
            today = overview_reads.today(ZONE, clock.now())
            asked = filter_rules.read([("by", "plan")], today)

            def overview() -> float:
                began = time.perf_counter()
                figures.overview(asked, ZONE)
                spent = time.perf_counter() - began
                db.session.rollback()
                db.session.expunge_all()
                return spent * 1000

            def scan() -> float:
                began = time.perf_counter()
                db.session.execute(text("SELECT score, count(*) FROM response GROUP BY score")).all()
                spent = time.perf_counter() - began
                db.session.rollback()
                return spent * 1000

            name = "overview_1m" if count == 1_000_000 else f"overview_{count // 1000}k"
            figure = Figure(name, "ms", "one GROUP BY over the same rows", 0.05, 0.01, lower=True)
            figure.facts = {"database": engine, "form": form, "n": count}
            compare(figure, overview, scan, runs=runs, warm=2)
            db.session.remove()


def fill(made: Installation, account_id: UUID, count: int) -> None:
    """Three years of answers by a tenth as many customers, each tied to an invitation, in groups of 20,000 rows."""
    with inside(made, account_id):
        contacts = customers(count // 10)
        survey = surveys.create("Relationship survey")
        now = clock.now()
        campaign = Campaign(name="Relationship survey", survey_id=survey.id, state="running", edited_at=now, created_at=now)
        db.session.add(campaign)
        db.session.flush()
        campaign_id = campaign.id
    for start in range(0, count, 20_000):
        with inside(made, account_id):
            database.begin_writing()
            _rows(contacts, campaign_id, start, min(start + 20_000, count), count)


def _rows(contacts: list[UUID], campaign_id: UUID, start: int, end: int, count: int) -> None:
    now, account_id = clock.now(), tenancy.current()
    invitations, answers = [], []
    for n in range(start, end):
        invitation, contact = ids.new_id(), contacts[n % len(contacts)]
        at = now - timedelta(days=DAYS - DAYS * n / count, minutes=n % 600)
        score = (0, 3, 5, 6, 7, 7, 8, 8, 9, 9, 9, 10, 10, 10, 10)[ids.bucket(f"score {n}", 15)]
        owned = {"account_id": account_id, "contact_id": contact, "campaign_id": campaign_id, "channel": "email", "language": "en"}
        properties = {"plan": ("Starter", "Growth", "Scale")[n % 3]}
        invitations.append(
            {**owned, "id": invitation, "wave": n // len(contacts) + 1, "state": "answered", "asked_at": at, "answered_at": at}
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
