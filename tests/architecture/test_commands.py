"""Whoever is told to type something can type it: commands named in the Makefile, the runbook and the service files exist."""

import importlib.util
import re
from pathlib import Path

import click
import pytest

from nps.cli import main

ROOT = Path(__file__).parents[2]
NAMES = "Makefile README.md CONTRIBUTING.md deploy/RUNBOOK.md deploy/compose.yaml deploy/Dockerfile nps/doctor.py nps/cli.py"
FILES = [*(ROOT / name for name in NAMES.split()), *sorted((ROOT / "deploy" / "systemd").iterdir())]
COMMAND = re.compile(r"(?:-m nps\.cli|`nps) ([a-z]+(?: [a-z-]+)*)")
MODULE = re.compile(r"-m ((?:tests|bench|nps)[\w.]*)")


def plain(text: str) -> str:
    """Lists of words, as compose and Dockerfile write commands, as one line."""
    return text.replace('", "', " ")


def missing_commands(text: str) -> list[str]:
    found = []
    for words in COMMAND.findall(plain(text)):
        here: click.Command | None = main
        for word in words.split():
            if not isinstance(here, click.Group):
                break  # the rest are its arguments
            here = here.commands.get(word)
        if here is None or isinstance(here, click.Group):
            found.append(words)
    return found


def missing_modules(text: str) -> list[str]:
    return [name for name in MODULE.findall(plain(text)) if importlib.util.find_spec(name) is None]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_a_file_tells_to_type_exists(path: Path) -> None:
    text = path.read_text()
    assert missing_commands(text) == []
    assert missing_modules(text) == []


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("\t@exec $(PY) -m nps.cli heal", ["heal"]),
        ("\t@$(if $(RESET),$(PY) -m nps.cli demo rest)", ["demo rest"]),
        ('CMD ["python", "-m", "nps.cli", "db", "downdate"]', ["db downdate"]),
        ("look with `nps doctor` or `nps jobs list`", ["jobs list"]),
        ("`nps account` alone does nothing", ["account"]),
        ("ExecStart=/x/python -m nps.cli worker", []),
    ],
)
def test_a_command_that_is_not_there_is_seen(text: str, missing: list[str]) -> None:
    assert missing_commands(text) == missing


def test_a_module_that_is_not_there_is_seen() -> None:
    assert missing_modules("$(PY) -m tests.services fetch; $(PY) -m tests.cervices; $(PY) -m bench") == ["tests.cervices"]


def test_the_reader_sees_the_commands_of_the_makefile() -> None:
    named = COMMAND.findall((ROOT / "Makefile").read_text())
    assert {"demo reset", "run", "worker", "doctor"} <= set(named)
