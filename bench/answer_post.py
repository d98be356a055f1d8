"""answer_post and survey_get: the POST of an answer with everything it starts, and the GET of the page with its hit stored.

Both against an empty Flask view on the same server. Of the answers six in ten are promoters (a link each), one in ten a detractor (a case).
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import func, insert, select

from bench.load import Run, get, post, run
from bench.report import Figure, Sample, compare, rss_mb
from bench.world import customers, inside, larkfield
from nps.campaigns.models import Campaign, Invitation
from nps.core import clock, ids, tenancy
from nps.core.db import db
from nps.delivery.models import SenderDomain
from nps.followups import service as followups
from nps.referrals import service as referrals
from nps.responses.models import Response
from nps.surveys import service as surveys
from tests.installation import Installation, installation

SCORES = (10, 9, 9, 10, 8, 10, 7, 9, 3, 8)


def measure(names: Sequence[str], *, form: str, engine: str) -> None:
    """Print the lines. Requests a run, and runs, by form:"""
    requests, runs = {"trial": (40, 1), "short": (1_000, 3), "long": (5_000, 5)}[form]
    with installation(engine) as made:
        account_id = larkfield(made)
        tokens = iter(prepare(made, account_id, requests * 2 * (runs + 1) * len(names)))
        ours, empty = made.serve(), made.serve("bench.empty:app")
        facts = {"database": engine, "form": form, "n": requests}

        def memory() -> float:
            return rss_mb(made.processes[0].pid)

        def baseline() -> float:
            return run(empty, [get("/")] * requests).rate

        if "survey_get" in names:

            def opened() -> Sample:
                return checked(run(ours, [get(f"/s/{next(tokens)}?score=9") for _ in range(requests)]))

            compare(
                Figure("survey_get", "pages/s", "empty Flask view, same gunicorn settings", 0.35, 0.6, facts=facts),
                opened,
                baseline,
                runs=runs,
                rss=memory,
            )
        if "answer_post" in names:
            sent = 0

            def answered() -> Sample:
                nonlocal sent
                sent += requests
                forms = [answer(next(tokens), n) for n in range(requests)]
                return checked(run(ours, forms, expect=303))

            compare(
                Figure("answer_post", "answers/s", "empty Flask view, same gunicorn settings", 0.2, 0.4, facts=facts),
                answered,
                baseline,
                runs=runs,
                rss=memory,
            )
            with inside(made, account_id):
                kept = db.session.scalar(select(func.count()).select_from(Response).where(Response.state == "verified"))
            assert kept == sent, f"{kept} answers kept of {sent}"


def checked(done: Run) -> Sample:
    assert done.wrong == 0, done
    return Sample(done.rate, done.p50_ms, done.p99_ms)


def answer(token: str, number: int) -> bytes:
    """The form as the page would send it after a press."""
    ids.use_keys(["a key of this installation that is long enough"])
    nonce = ids.sign_text(f"survey-form:{token}", str(int(clock.now().timestamp() * 1000)))
    fields = {"form": nonce, "hand": "press", "score": SCORES[number % 10], "why": "It does what I need." if number % 2 else ""}
    return post(f"/s/{token}", urlencode(fields).encode())


def prepare(made: Installation, account_id: UUID, count: int) -> list[str]:
    """A campaign that asked so many people, a queue, a live program; returns the survey links' tokens."""
    with inside(made, account_id):
        now = clock.now()
        db.session.add(SenderDomain(domain="larkfield.example", state="verified", checked_at=now, verified_at=now, created_at=now))
        db.session.flush()
        followups.default_queue()
        program = referrals.ensure_default()
        referrals.save_program(program, {"destination_url": "https://larkfield.example/start", "terms": "One reward a friend."}, "bench")
        referrals.go_live(program, "bench")
        survey = surveys.create("Relationship survey")
        version = surveys.freeze_version(survey.id)
        campaign = Campaign(name="Relationship survey", survey_id=survey.id, state="running", edited_at=now, created_at=now)
        db.session.add(campaign)
        db.session.flush()
        rows: list[dict[str, Any]] = [
            {
                "account_id": tenancy.current(),
                "id": ids.new_id(),
                "campaign_id": campaign.id,
                "wave": 1,
                "contact_id": contact_id,
                "channel": "email",
                "state": "asked",
                "asked_at": now - timedelta(hours=2),
                "expires_at": now + timedelta(days=30),
                "language": "en",
                "survey_version_id": version.id,
                "asked_properties": {"plan": "Growth"},
                "is_test": False,
                "canary": False,
                "created_at": now,
            }
            for contact_id in customers(count)
        ]
        for start in range(0, count, 5000):
            db.session.execute(insert(Invitation), rows[start : start + 5000])
        return [ids.sign("survey", tenancy.current(), row["id"]) for row in rows]
