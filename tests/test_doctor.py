"""`nps doctor`: silent about what is in order, and every planted fault is found with what to do next."""

import contextvars
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from flask_migrate import stamp
from sqlalchemy import text
from sqlalchemy.engine import make_url

from nps import doctor
from nps.accounts.models import Account
from nps.app import create_app
from nps.cli import main
from nps.core import clock, ids, tenancy
from nps.core.db import db
from nps.core.settings import Settings
from nps.delivery.models import SenderDomain
from nps.doctor import Finding, Level
from nps.jobs.models import Job, WorkerBeat
from tests import services
from tests.conftest import settings_for
from tests.doubles.smtp_sink import SmtpSink
from tests.installation import free_port

Examine = Callable[..., list[Finding]]


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink(login=("wordback", "hush hush")) as made:
        yield made


@pytest.fixture
def settings(db_url: str, tmp_path: Path, sink: SmtpSink) -> Settings:
    """What an installation in earnest is given."""
    return settings_for(
        db_url,
        tmp_path / "files",
        testing=False,
        base_url="https://nps.larkfield.example",
        mail_url=f"smtp://wordback:hush%20hush@127.0.0.1:{sink.port}",
        stripe_secret_key="sk_test_1",
        stripe_webhook_secret="whsec_1",
    )


@pytest.fixture
def app(app: Flask) -> Flask:
    """Its tables as the revisions leave them, and a worker that lives."""
    stamp()
    db.session.add(WorkerBeat(name="here:1", beat_at=clock.now()))
    db.session.commit()
    return app


@pytest.fixture
def examine(app: Flask, settings: Settings) -> Examine:
    """examine(mail_url=…) gives what is not in order with these settings changed."""

    def look(**changed: Any) -> list[Finding]:
        db.session.commit()
        given = Settings.model_validate({**settings.model_dump(), **changed})
        found = contextvars.Context().run(doctor.examine, given)
        assert all(one.words.endswith(".") for one in found if one.check != "address")
        assert all(bool(one.step) == (one.level is not Level.FINE) for one in found), "every fault has a next step, and nothing else"
        return [one for one in found if one.level is not Level.FINE]

    return look


def only(found: list[Finding]) -> Finding:
    assert len(found) == 1, [str(one) for one in found]
    return found[0]


def test_a_healthy_installation_gives_no_alarm(examine: Examine) -> None:
    assert examine() == []


@pytest.mark.parametrize(
    ("changed", "check", "level", "step"),
    [
        ({"secret_keys": ("changeme" * 5,)}, "secret keys", Level.BROKEN, "SECRET_KEYS"),
        ({"secret_keys": ("abababababcdcdcdcdcdcabababababcdcd",)}, "secret keys", Level.BROKEN, "SECRET_KEYS"),
        ({"base_url": "http://nps.larkfield.example"}, "address", Level.LOOK, "certificate"),
        ({"base_url": "https://127.0.0.1:8000"}, "address", Level.LOOK, "BASE_URL"),
        ({"mail_url": "mailbox://"}, "mail", Level.LOOK, "MAIL_URL"),
        ({"mail_url": "smtp://127.0.0.1:1"}, "mail", Level.BROKEN, "MAIL_URL"),
        ({"mail_ca_file": "/nowhere/ca.pem"}, "mail", Level.BROKEN, "MAIL_CA_FILE"),
        ({"broker_url": "redis://:hush@127.0.0.1:1/0"}, "broker", Level.BROKEN, "BROKER_URL"),
        ({"broker_url": "amqp://wordback:hush@127.0.0.1:1//"}, "broker", Level.BROKEN, "BROKER_URL"),
        ({"stripe_webhook_secret": ""}, "Stripe", Level.LOOK, "STRIPE_WEBHOOK_SECRET"),
    ],
)
def test_a_wrong_setting_is_found(examine: Examine, changed: dict[str, Any], check: str, level: Level, step: str) -> None:
    found = only(examine(**changed))
    assert (found.check, found.level) == (check, level)
    assert step in found.step
    assert "hush" not in str(found)


def test_the_demo_may_keep_its_mail_and_its_address(examine: Examine) -> None:
    assert examine(demo=True, base_url="http://127.0.0.1:8000", mail_url="mailbox://") == []


def test_a_wrong_mail_password_is_found_before_a_mail_waits_for_it(examine: Examine, sink: SmtpSink) -> None:
    found = only(examine(mail_url=f"smtp://wordback:forgotten@127.0.0.1:{sink.port}"))
    assert (found.check, found.level) == ("mail", Level.BROKEN)
    assert "auth: it answered 535" in found.words
    assert "forgotten" not in str(found)


def test_a_broker_that_answers_is_in_order(examine: Examine) -> None:
    with services.redis() as url:
        if url is None:
            pytest.skip(services.REDIS_MISSING)
        assert examine(broker_url=url) == []


def test_a_folder_that_cannot_be_written_is_found(examine: Examine, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("not a folder")
    found = only(examine(files_dir=tmp_path / "taken"))
    assert (found.check, found.level, "FILES_DIR" in found.step) == ("files", Level.BROKEN, True)


@pytest.mark.parametrize(("free", "level"), [(900_000_000, Level.LOOK), (90_000_000, Level.BROKEN)])
def test_a_disk_that_fills_is_found(examine: Examine, monkeypatch: pytest.MonkeyPatch, free: int, level: Level) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=free))
    found = examine()
    assert {one.level for one in found} == {level}
    assert all(one.check.startswith("free room") and "Make room" in one.step for one in found)


def test_a_database_that_does_not_answer_is_found(examine: Examine) -> None:
    found = only(examine(database_url=f"postgresql+psycopg://wordback:hush@127.0.0.1:{free_port()}/wordback"))
    assert (found.check, found.level, "DATABASE_URL" in found.step) == ("database", Level.BROKEN, True)
    assert "hush" not in str(found)


def test_a_sqlite_file_that_is_not_there_is_found_and_not_made(examine: Examine, tmp_path: Path) -> None:
    file = tmp_path / "other.sqlite3"
    found = only(examine(database_url=f"sqlite:///{file}"))
    assert (found.check, found.level, "nps db upgrade" in found.step) == ("database", Level.BROKEN, True)
    assert not file.exists()


def test_a_file_that_is_no_database_is_found(examine: Examine, tmp_path: Path) -> None:
    file = tmp_path / "other.sqlite3"
    file.write_text("a letter to somebody else, and long enough to be looked at. " * 20)
    assert only(examine(database_url=f"sqlite:///{file}")).check == "database"


def test_a_database_without_tables_is_found(examine: Examine, tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "other.sqlite3").close()
    (tmp_path / "other.sqlite3").touch()
    found = only(examine(database_url=f"sqlite:///{tmp_path / 'other.sqlite3'}"))
    assert (found.check, found.level, found.step) == ("tables", Level.BROKEN, "Type `nps db upgrade`.")


def test_a_database_of_a_newer_release_is_found(examine: Examine) -> None:
    db.session.execute(text("UPDATE alembic_version SET version_num = 'f00d'"))
    found = only(examine())
    assert (found.check, found.level, "newer" in found.words) == ("tables", Level.BROKEN, True)


def test_a_database_of_an_older_release_is_found() -> None:
    found = doctor.judge_revision({"0001"}, {"0002"}, {"0001", "0002"})
    assert (found.level, "older" in found.words, "nps db upgrade" in found.step) == (Level.BROKEN, True, True)


def test_a_journal_that_is_not_wal_is_found(examine: Examine, settings: Settings, tmp_path: Path) -> None:
    if not settings.is_sqlite:
        pytest.skip("SQLite only")
    db.session.commit()
    db.engine.dispose()
    plain = sqlite3.connect(make_url(settings.database_url).database or "")
    assert plain.execute("PRAGMA journal_mode=DELETE").fetchone() == ("delete",)
    plain.close()
    # as on a file system that shares no memory between processes
    found = only(examine(database_url=settings.database_url.replace("sqlite:///", "sqlite:///file:") + "?vfs=unix-none&uri=true"))
    assert (found.check, found.level, "WAL" in found.words) == ("SQLite", Level.BROKEN, True)


def test_a_network_file_system_is_told_from_a_disk() -> None:
    mounts = "/dev/sda1 / ext4 rw 0 0\nstore:/x /srv/shared nfs4 rw 0 0\n"
    assert doctor.mounted_as(Path("/srv/shared/wordback.sqlite3"), mounts) in doctor.NETWORK_FILE_SYSTEMS
    assert doctor.mounted_as(Path("/srv/sharedother/wordback.sqlite3"), mounts) == "ext4"


def test_a_worker_that_fell_silent_is_found(examine: Examine) -> None:
    db.session.get_one(WorkerBeat, "here:1").beat_at = clock.now() - timedelta(minutes=10)
    found = only(examine())
    assert (found.check, found.level, "10 min ago" in found.words) == ("worker", Level.BROKEN, True)
    assert "wordback-worker" in found.step


def test_no_worker_at_all_is_found(examine: Examine) -> None:
    db.session.delete(db.session.get_one(WorkerBeat, "here:1"))
    assert only(examine()).check == "worker"


def job(**given: Any) -> Job:
    made = Job(task="campaigns.plan", arguments={}, created_at=clock.now(), **{"run_at": clock.now(), **given})
    db.session.add(made)
    return made


@pytest.mark.parametrize(("seconds", "level"), [(90, Level.LOOK), (3600, Level.BROKEN)])
def test_a_job_that_waits_is_found(examine: Examine, seconds: int, level: Level) -> None:
    job(run_at=clock.now() - timedelta(seconds=seconds))
    job(run_at=clock.now() + timedelta(days=1))
    found = only(examine())
    assert (found.check, found.level) == ("waiting jobs", level)


def test_work_that_is_not_due_or_done_is_no_alarm(examine: Examine) -> None:
    job(run_at=clock.now() + timedelta(hours=1))
    job(state="done", run_at=clock.now() - timedelta(hours=1))
    assert examine() == []


def test_dead_jobs_are_counted_and_name_nobody(examine: Examine) -> None:
    job(state="dead", finished_at=clock.now() - timedelta(days=1), error="LookupError: old")
    newest = job(state="dead", finished_at=clock.now(), error="ValueError: dana@brightoak.example is no number")
    newest.task = "contacts.import"
    found = only(examine())
    assert (found.check, found.level) == ("dead jobs", Level.LOOK)
    assert found.words == "2 given up; the newest is contacts.import with ValueError."


def test_a_domain_that_waits_for_its_records_is_found(examine: Examine, account: Account) -> None:
    db.session.add(SenderDomain(domain="larkfield.example", created_at=clock.now()))
    db.session.add(SenderDomain(domain="larkfield.test", state="verified", created_at=clock.now()))
    found = only(examine())
    assert (found.check, found.level, found.words) == ("sending domains", Level.LOOK, "1 not verified.")


def test_a_ledger_that_does_not_sum_to_zero_is_found(examine: Examine, settings: Settings, account: Account) -> None:
    if not settings.is_sqlite:
        pytest.skip("PostgreSQL keeps a plain role from planting it")
    columns = ("account_id", "id", "entry_id", "reward_id", "advocate_id")
    row = {**{name: ids.new_id().hex for name in columns}, "name": "cost.advocate", "source": "x", "amount": 500, "currency": "USD"}
    db.session.commit()
    planted = sqlite3.connect(make_url(settings.database_url).database or "")
    planted.execute(f"INSERT INTO ledger_line ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", list(row.values()))
    planted.commit()
    planted.close()
    found = only(examine())
    assert (found.check, found.level, "does not sum to 0" in found.words) == ("ledger", Level.BROKEN, True)


def test_a_wall_that_was_taken_down_is_found(examine: Examine, settings: Settings) -> None:
    if settings.is_sqlite:
        pytest.skip("PostgreSQL only")
    try:
        db.session.execute(text("ALTER TABLE contact NO FORCE ROW LEVEL SECURITY"))
        db.session.execute(text("ALTER TABLE response DISABLE ROW LEVEL SECURITY"))
        found = only(examine())
    finally:
        db.session.execute(text("ALTER TABLE contact FORCE ROW LEVEL SECURITY"))
        db.session.execute(text("ALTER TABLE response ENABLE ROW LEVEL SECURITY"))
        db.session.commit()
    assert (found.check, found.level) == ("row security", Level.BROKEN)
    assert found.words.startswith("not in force on ")
    assert {"contact", "response"} == set(found.words.removeprefix("not in force on ").rstrip(".").split(", "))


def test_a_role_that_sees_through_the_walls_is_found(engine_name: str, tmp_path: Path) -> None:
    if engine_name == "sqlite":
        pytest.skip("PostgreSQL only")
    with services.postgres() as admin:
        app = create_app(settings_for(admin, tmp_path))
        with app.app_context(), tenancy.unscoped("a role is looked at"):
            found = {one.check: one for one in doctor.walls(settings_for(admin, tmp_path))}
            db.engine.dispose()
    assert found["database role"].level is Level.BROKEN
    assert "NOBYPASSRLS" in found["database role"].step


def test_a_check_that_fails_itself_is_a_finding() -> None:
    def keys(settings: Settings) -> list[Finding]:
        raise ZeroDivisionError("dana@brightoak.example")

    found = only(doctor.carefully(keys, None))  # type: ignore[arg-type]
    assert (found.check, found.level, found.words) == ("keys", Level.BROKEN, "could not be looked at (ZeroDivisionError).")


def test_the_command_prints_a_line_a_check_and_says_by_its_exit_what_it_found(
    app: Flask, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    environment = {
        "BASE_URL": settings.base_url,
        "DATABASE_URL": settings.database_url,
        "SECRET_KEYS": ",".join(settings.secret_keys),
        "MAIL_URL": settings.mail_url,
        "FILES_DIR": str(settings.files_dir),
    }

    def typed(*words: str, **over: str) -> Any:
        return contextvars.Context().run(CliRunner().invoke, main, ["doctor", *words], env={**environment, **over})

    well = typed()
    assert (well.exit_code, {line[0] for line in well.stdout.splitlines()}) == (0, {"✓"})
    looked = typed(MAIL_URL="mailbox://")
    assert (looked.exit_code, looked.stdout.count("\n! mail: nobody gets mail: it stays in the built-in mailbox.")) == (0, 1)
    ill = typed(SECRET_KEYS="changeme" * 5)
    assert (ill.exit_code, ill.stdout.count("✗"), ill.stdout.count("\n✗ secret keys: ")) == (1, 1, 1)
    for_programs = typed("--json", SECRET_KEYS="", WORKER_THREADS="many")
    facts = json.loads(for_programs.stdout)
    assert (for_programs.exit_code, [(fact["check"], fact["level"]) for fact in facts]) == (1, [("settings", "broken")])
    assert facts[0]["words"].startswith("WORKER_THREADS: ")
