"""`nps demo run` and `nps demo info`."""

import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from flask_migrate import upgrade
from rich.console import Console

from nps.core import db as database
from nps.core import ids, tenancy
from nps.core.settings import environment
from nps.demo import gateway, seed, supervisor

FOLDER = Path("var/demo")
EMAIL = "ines@larkfield.example"
PASSWORD = "larkfield demo 2026"  # the demo listens on loopback only and says so on its sign-in page
OPERATOR = Console(stderr=True, highlight=False)


class Progress:
    """Says what is going on whenever it takes longer than a second."""

    def __init__(self) -> None:
        self.began = time.monotonic()

    def __call__(self, words: str) -> None:
        OPERATOR.print(f"  [dim]{time.monotonic() - self.began:5.1f} s[/]  {words}")


def secrets(folder: Path) -> dict[str, str]:
    """Keys of this demo, made once."""
    file = folder / "secrets.json"
    if not file.exists():
        kept = {name: ids.new_token(32) for name in ("SECRET_KEYS", "INBOUND_SECRET")}
        file.write_text(json.dumps(kept))
        file.chmod(0o600)
    found: dict[str, str] = json.loads(file.read_text())
    return found


def variables(folder: Path, port: int) -> dict[str, str]:
    """The environment of every process of the demo."""
    return {
        "BASE_URL": f"http://127.0.0.1:{port}",
        "DATABASE_URL": f"sqlite:///{(folder / 'wordback.sqlite3').resolve()}",
        "BROKER_URL": "memory://",
        "LIMITER_URL": "memory://",
        "MAIL_URL": "mailbox://",
        "FILES_DIR": str((folder / "files").resolve()),
        "SIGNUP": "open",
        "BILLING": "true",
        "DEMO": "true",
        "LOG_FORMAT": "text",
        "GUNICORN_LOG": "error",
        "OUTGOING_ALLOW": f"127.0.0.1:{port}",
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore",
        **secrets(folder),
    }


def start_stripe_double(parts: supervisor.Supervisor, folder: Path, base: str) -> dict[str, Any]:
    """The stand-in for Stripe, where the repository is here: what it said of itself. Empty in an installed package."""
    if not Path("tests/doubles/stripe").is_dir():
        return {}
    command = [sys.executable, "-m", "tests.doubles.stripe", "--port", "0", "--state", str(folder / "stripe.sqlite3")]
    command += ["--seed", "--webhook", f"{base}/in/billing/stripe"]
    process = parts.start("stripe double", command, stdout=-1)
    assert process.stdout is not None
    said: dict[str, Any] = json.loads(process.stdout.readline())
    return said


def stripe_settings(said: dict[str, Any], port: int) -> dict[str, str]:
    """Our own billing talks to the stand-in; links may lead to the shop it shows."""
    if not said:
        return {}
    return {
        "STRIPE_API_BASE": said["url"],
        "STRIPE_SECRET_KEY": said["key"],
        "STRIPE_WEBHOOK_SECRET": said["webhook_secret"],
        "OUTGOING_ALLOW": f"127.0.0.1:{port},{urlsplit(said['url']).netloc}",
    }


def reset() -> None:
    """Throw the demo's data away."""
    shutil.rmtree(FOLDER, ignore_errors=True)


def run(make_app: Callable[..., Flask], config: Path, port: int) -> int:
    """Everything from an empty folder to a running product; returns the exit code."""
    progress = Progress()
    FOLDER.mkdir(parents=True, exist_ok=True)
    port = supervisor.free_port(port)
    ids.use_keys([secrets(FOLDER)["SECRET_KEYS"]])
    settings = variables(FOLDER, port)
    parts = supervisor.Supervisor(environment(settings))
    parts.listen()
    try:
        double = start_stripe_double(parts, FOLDER, settings["BASE_URL"])
        settings |= stripe_settings(double, port)
        parts.environment = environment(settings)
        app = make_app(settings)
        with app.app_context(), tenancy.unscoped("the demo is made before anybody is in it"):
            progress("Bringing the database up to date")
            database.begin_writing()
            upgrade()
            facts = seed.ensure(EMAIL, PASSWORD, double, progress)
            database.end_writing()
        parts.start("web", supervisor.gunicorn(str(config), f"127.0.0.1:{port}"))
        parts.start("worker", supervisor.worker())
        base = settings["BASE_URL"]
        answers(base, parts)
        info = {
            "url": base,
            "account": facts["account"],
            "email": EMAIL,
            "password": PASSWORD,
            "api_key": facts["api_key"],
            "mailbox_url": f"{base}/dev/mail",
            "stripe_double_url": settings.get("STRIPE_API_BASE", ""),
        }
        (FOLDER / "info.json").write_text(json.dumps(info))
        welcome(info, time.monotonic() - progress.began)
        ended = parts.wait()
        if ended is None:
            OPERATOR.print("Stopping.")
            return 0
        OPERATOR.print(f"[bold]The {ended} process ended by itself.[/] Everything else is stopped too; the data in {FOLDER} is kept.")
        return 1
    finally:
        (FOLDER / "info.json").unlink(missing_ok=True)
        parts.stop()


def answers(base: str, parts: supervisor.Supervisor, seconds: float = 180) -> None:
    """Wait until the web process answers. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not parts.stopping.is_set():
        if gateway.is_alive(base):
            return
        time.sleep(0.1)
    raise TimeoutError("the web process did not answer in time")


def welcome(info: dict[str, str], seconds: float) -> None:
    """What to open and what to type."""
    OPERATOR.print(
        f"""
[bold]Wordback is running.[/]  [dim](ready after {seconds:.1f} s)[/]

  Workspace   {info["url"]}/{info["account"]}/
  Sign in     {info["email"]}   {info["password"]}
  Mailbox     {info["mailbox_url"]}
  API key     {info["api_key"]}
  Stripe      {info["stripe_double_url"] or "not here"} [dim](a stand-in; no money moves)[/]

  Ctrl-C stops everything. `make demo-reset` starts over.
"""
    )


def info() -> dict[str, str] | None:
    """Facts of the running demo, or None when none is running."""
    file = FOLDER / "info.json"
    if not file.exists():
        return None
    facts: dict[str, str] = json.loads(file.read_text())
    return facts if gateway.is_alive(facts["url"]) else None
