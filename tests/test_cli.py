"""What the operator meets before anything is set up: help, refusals with all reasons, a first start."""

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from nps.cli import main
from tests.installation import ROOT, free_port, wait_for

KEY = "a key of this first start that is long enough"


@pytest.fixture(autouse=True)
def _nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, and no setting in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("SECRET_KEYS", "DATABASE_URL", "BASE_URL", "FILES_DIR", "MAIL_URL", "BROKER_URL"):
        monkeypatch.delenv(name, raising=False)


def test_help_needs_no_settings() -> None:
    said = CliRunner().invoke(main, ["--help"])
    assert said.exit_code == 0
    assert "Traceback" not in said.output
    assert {"doctor", "run", "db", "account", "rollups"} <= set(said.output.split())


@pytest.mark.parametrize(
    "words", ["worker", "web", "run", "db upgrade", "account list", "user link ines@larkfield.example", "rollups rebuild", "billing sync"]
)
def test_settings_that_do_not_fit_end_a_command_with_all_reasons(words: str) -> None:
    wrong = {"WORKER_THREADS": "many", "DATABASE_URL": "mysql://nowhere/x", "MAIL_URL": "pigeon"}
    said = CliRunner().invoke(main, words.split(), env=wrong)
    assert said.exit_code == 2
    assert all(name in said.output for name in ("WORKER_THREADS: ", "DATABASE_URL: must begin with ", "MAIL_URL: must begin with "))
    assert "Traceback" not in said.output


def test_a_missing_key_is_named_with_the_line_that_makes_one(tmp_path: Path) -> None:
    said = CliRunner().invoke(main, ["worker"])
    assert (said.exit_code, "SECRET_KEYS is missing" in said.output) == (2, True)
    line = said.output.partition("into .env: ")[2].strip()
    (tmp_path / ".env").write_text("SECRET_KEYS=\n")
    subprocess.run(line, shell=True, check=True, cwd=tmp_path)
    assert CliRunner().invoke(main, ["doctor"]).output.startswith("✓ settings: readable.\n✓ secret keys: 1,")
    os.environ.pop("SECRET_KEYS", None)  # the command line reads .env into the environment, for the processes it starts


@pytest.mark.parametrize("words", ["worker", "web"])
def test_a_part_started_before_the_database_is_made_says_what_to_type(words: str) -> None:
    said = CliRunner().invoke(main, [words], env={"SECRET_KEYS": KEY})
    assert (said.exit_code, "`nps db upgrade`" in said.output) == (1, True)


def test_a_database_that_does_not_answer_is_said_without_a_traceback() -> None:
    url = f"postgresql+psycopg://wordback:hush@127.0.0.1:{free_port()}/wordback"
    said = CliRunner().invoke(main, ["account", "list"], env={"SECRET_KEYS": KEY, "DATABASE_URL": url})
    assert (said.exit_code, "The database failed: " in said.output, "hush" in said.output) == (1, True, False)


def test_the_first_run_makes_its_database_and_serves(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "nps.cli", "run", "--bind", f"127.0.0.1:{port}"]
    environment = {**os.environ, "SECRET_KEYS": KEY, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", "GUNICORN_LOG": "error"}
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL, stdout=-1, stderr=subprocess.STDOUT)
    try:
        wait_for(port, 60)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
            assert answer.status == 200
        assert (tmp_path / "var" / "wordback.sqlite3").exists()
    finally:
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said.decode()
