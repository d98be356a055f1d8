"""redirect_click: GET of a referral link, its click durable before the reply, 302; against an empty Flask view on the same server."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, insert, select

from bench.load import get, run
from bench.report import Figure, Sample, compare, rss_mb
from bench.world import customers, inside, larkfield
from nps.core import clock, ids, tenancy
from nps.core.db import db
from nps.delivery.models import SenderDomain
from nps.referrals import service as referrals
from nps.referrals.models import Advocate, Click, LinkCode, ReferralLink
from nps.referrals.rules import codes
from tests.installation import Installation, installation


def measure(names: Sequence[str], *, form: str, engine: str) -> None:
    """Print the line. Links, requests a run, and runs, by form:"""
    links, requests, runs = {"trial": (100, 100, 1), "short": (10_000, 3_000, 3), "long": (100_000, 20_000, 5)}[form]
    with installation(engine) as made:
        account_id = larkfield(made)
        found = prepare(made, account_id, links)
        ours, empty = made.serve(), made.serve("bench.empty:app")
        paths = [get(f"/r/{found[ids.bucket(f'link {n}', len(found))]}") for n in range(requests)]
        sent = 0

        def work() -> Sample:
            nonlocal sent
            done = run(ours, paths, connections=16, expect=302)
            assert done.wrong == 0, done
            sent += requests
            return Sample(done.rate, done.p50_ms, done.p99_ms)

        def baseline() -> float:
            return run(empty, [get("/")] * requests, connections=16).rate

        figure = Figure("redirect_click", "redirects/s", "empty Flask view, same gunicorn settings", 0.45, 0.9)
        figure.facts = {"database": engine, "form": form, "n": requests, "links": links}
        compare(figure, work, baseline, runs=runs, rss=lambda: rss_mb(made.processes[0].pid))
        with inside(made, account_id):
            kept = db.session.scalar(select(func.count()).select_from(Click))
        assert kept == sent, f"{kept} clicks kept of {sent} answered"


def prepare(made: Installation, account_id: UUID, count: int) -> list[str]:
    """A live program and so many advocates with a link; returns their codes."""
    with inside(made, account_id):
        now = clock.now()
        db.session.add(SenderDomain(domain="larkfield.example", state="verified", checked_at=now, verified_at=now, created_at=now))
        db.session.flush()
        program = referrals.ensure_default()
        referrals.save_program(program, {"destination_url": "https://larkfield.example/start", "terms": "One reward a friend."}, "bench")
        referrals.go_live(program, "bench")
        rows, links, keys, made_codes = [], [], [], []
        for contact_id in customers(count):
            advocate, link = ids.new_id(), ids.new_id()
            code = ids.new_code(codes.ALPHABET, 8)
            made_codes.append(code)
            owned = {"account_id": tenancy.current()}
            rows.append(
                {
                    **owned,
                    "id": advocate,
                    "program_id": program.id,
                    "contact_id": contact_id,
                    "state": "active",
                    "source": "promoter",
                    "created_at": now,
                }
            )
            links.append({**owned, "id": link, "advocate_id": advocate, "code": code, "created_at": now})
            keys.append({"key": code, "account_id": tenancy.current(), "link_id": link})
        for start in range(0, count, 5000):
            db.session.execute(
                insert(Advocate),
                [
                    {
                        "words": "",
                        "words_state": "default",
                        "ended_reason": "",
                        "portal_epoch": 0,
                        "seen_ip_hash": "",
                        "seen_agent_hash": "",
                        **r,
                    }
                    for r in rows[start : start + 5000]
                ],
            )
            db.session.execute(insert(ReferralLink), links[start : start + 5000])
            db.session.execute(insert(LinkCode), keys[start : start + 5000])
    return made_codes
