"""send_mail: claim, personalise, headers, SMTP, record; against smtplib sending ready-made bytes over as many kept connections."""

import smtplib
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from uuid import UUID

from bench.report import Figure, Sample, compare, rss_mb
from bench.world import inside, larkfield
from nps.core import ids
from nps.delivery import service as delivery
from nps.delivery.compose import Wording, mark
from tests.doubles.smtp_sink import read_rows
from tests.installation import Installation, installation

ROOT = Path(__file__).parent.parent
CONNECTIONS = 10
BODY = "The bank feed for our credit union has been disconnected for a week, and we would like to know how you are doing. " * 26


def measure(names: Sequence[str], *, form: str, engine: str) -> None:
    """Print the line. Mails a run, and runs, by form:"""
    count, runs = {"trial": (60, 1), "short": (3_000, 3), "long": (20_000, 5)}[form]
    with tempfile.TemporaryDirectory(prefix="sink-") as folder:
        rows = Path(folder) / "rows"
        sink = subprocess.Popen(
            [sys.executable, "-m", "tests.doubles.smtp_sink", "--rows", str(rows)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        try:
            assert sink.stdout is not None
            port = int(sink.stdout.readline())
            with installation(
                engine,
                mail_url=f"smtp://127.0.0.1:{port}",
                mail_connections=CONNECTIONS,
                mail_pace_installation=0,
                mail_pace_account=0,
                mail_pace_provider=0,
            ) as made:
                account_id = larkfield(made)
                worker = made.work()
                send(made, account_id, 50, rows)
                ready = b"From: larkfield@mail.wordback.example\r\nTo: x@sink.example\r\nSubject: Hello\r\n\r\n" + size_of(rows) * b"x"
                ready = b"\r\n".join(ready[i : i + 70] for i in range(0, len(ready), 70))
                figure = Figure("send_mail", "mails/s", f"smtplib, ready-made bytes, {CONNECTIONS} kept connections, same sink", 0.8, 2.5)
                figure.facts = {"database": engine, "form": form, "n": count, "message_bytes": size_of(rows)}
                compare(
                    figure,
                    lambda: send(made, account_id, count, rows),
                    lambda: bare(port, ready, count),
                    runs=runs,
                    rss=lambda: rss_mb(worker.pid),
                )
                assert worker.poll() is None
        finally:
            sink.terminate()
            sink.wait(10)


def size_of(rows: Path) -> int:
    return int(read_rows(rows)[-1]["size"])


def send(made: Installation, account_id: UUID, count: int, rows: Path, seconds: float = 240) -> Sample:
    """Queue so many mails, wait until the sink has them; mails a second between the first and the last.

    The times of one mail are those between two that came one after the other.
    """
    before = len(read_rows(rows))
    run = ids.new_token(6)
    with inside(made, account_id):
        template = delivery.add_template(
            Wording(
                subject="Hi " + mark("first_name", "there"),
                text="Hi "
                + mark("first_name", "there")
                + "\n\n"
                + BODY
                + "\nhttp://localhost/s/"
                + mark("token:survey")
                + "\nStop: "
                + mark("token:stop"),
                html="<p>Hi "
                + mark("first_name", "there")
                + "</p><p>"
                + BODY
                + '</p><a href="http://localhost/s/'
                + mark("token:survey")
                + '">x</a>',
                from_name="Ines Marchetti",
                from_email="larkfield@mail.wordback.example",
                feedback_id="c:a:survey:wb",
            )
        )
        drafts = (
            delivery.Draft(
                f"bench:{run}:{n}",
                f"dana{n}.{run.lower().strip('-_')}@customer{n % 40}.example",
                None,
                "bench",
                ids.new_id(),
                {"first_name": "Dana"},
            )
            for n in range(count)
        )
        delivery.queue_many(drafts, kind="survey", priority=3, template=template, batch_id=None)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with rows.open("rb") as file:
            if sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b"")) >= before + count:
                break
        time.sleep(0.1)
    came = sorted(row["at"] for row in read_rows(rows)[before:])
    assert len(came) == count, f"{len(came)} of {count} arrived"
    gaps = sorted(1000 * (later - earlier) for earlier, later in pairwise(came))
    return Sample(len(gaps) / (came[-1] - came[0]), gaps[len(gaps) // 2], gaps[len(gaps) * 99 // 100])


def bare(port: int, ready: bytes, count: int) -> float:
    """The baseline: so many threads, each with one kept connection."""
    each = count // CONNECTIONS

    def one(number: int) -> None:
        with smtplib.SMTP("127.0.0.1", port) as server:
            for n in range(each):
                server.sendmail("bounce@mail.wordback.example", [f"bare{number}.{n}@customer.example"], ready)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(CONNECTIONS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return each * CONNECTIONS / (time.perf_counter() - began)
