"""The arrows that import-linter cannot say: read from the source, file by file. ARCHITECTURE.md says what they are for."""

import ast
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "nps").rglob("*.py"))
FLOORS_BELOW_FEATURES = {"core", "web", "api", "jobs", "scoring"}
OPEN_TO_OTHER_FEATURES = {"service", "queries", "models", "rules", "schemas", "events", "errors", "compose"}

# Thing -> the files that may touch it. Everything else asks the owner.
ONE_PLACE = {
    "datetime.datetime.now": ["nps/core/clock.py"],
    "datetime.datetime.utcnow": [],
    "datetime.datetime.today": [],
    "datetime.date.today": [],
    "time.time": ["nps/core/clock.py"],
    "random": ["nps/core/ids.py"],
    "uuid.uuid1": [],
    "uuid.uuid4": [],
    "uuid_utils": ["nps/core/ids.py"],
    "secrets.token_bytes": ["nps/core/ids.py"],
    "secrets.token_hex": ["nps/core/ids.py"],
    "secrets.token_urlsafe": ["nps/core/ids.py"],
    "os.environ": ["nps/core/settings.py"],
    "os.getenv": ["nps/core/settings.py"],
    "stripe": ["nps/billing/gateway.py", "nps/rewards/gateway.py"],
    "smtplib": ["nps/delivery/transports/*.py"],
    **{
        library: ["nps/*/gateway.py", "nps/*/sender.py", "nps/delivery/transports/*.py"]
        for library in ("requests", "urllib.request", "urllib3", "http.client", "httpx", "aiohttp")
    },
}


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def names_in(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Every imported module, and every dotted use of an imported name, in full, with its line."""
    known: dict[str, str] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
                known[alias.asname or alias.name.split(".")[0]] = alias.name if alias.asname else alias.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"
                known[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    for node in ast.walk(module):
        parts: list[str] = []
        inner: ast.expr | None = node if isinstance(node, ast.Attribute) else None
        while isinstance(inner, ast.Attribute):
            parts.insert(0, inner.attr)
            inner = inner.value
        if parts and isinstance(inner, ast.Name) and inner.id in known:
            yield inner.lineno, ".".join([known[inner.id], *parts])


def is_or_is_in(name: str, thing: str) -> bool:
    return name == thing or name.startswith(thing + ".")


def owner(name: str) -> tuple[str, str]:
    """Feature and file of a dotted name under nps: nps.followups.service.open_case -> followups, service."""
    parts = name.split(".")
    return (parts[1] if len(parts) > 1 else "", parts[2] if len(parts) > 2 else "")


def forbidden_uses(source: ast.Module, path: str) -> list[str]:
    found = set()
    for line, name in names_in(source):
        for thing, allowed in ONE_PLACE.items():
            if is_or_is_in(name, thing) and not any(fnmatch(path, pattern) for pattern in allowed):
                found.add(f"{path}:{line} {thing}")
    return sorted(found)


def closed_doors(source: ast.Module, path: str) -> list[str]:
    """Imports of another feature's file that is not open to others."""
    feature = Path(path).parts[1]
    if feature.endswith(".py") or feature == "demo":
        return []  # app, cli, wiring and the demo put everything together
    found = set()
    for line, name in names_in(source):
        other, file = owner(name)
        if is_or_is_in(name, "nps") and other and file and other != feature and other not in FLOORS_BELOW_FEATURES:
            inside = ROOT / "nps" / other
            if (inside / f"{file}.py").exists() or (inside / file).is_dir():
                # A form may hold another feature's fields: the campaign editor edits the survey's words too.
                if file not in OPEN_TO_OTHER_FEATURES and not (file == "forms" and path.endswith("/forms.py")):
                    found.add(f"{path}:{line} {other}.{file}")
            else:
                found.add(f"{path}:{line} {other}: import a file of it, not a name")
    return sorted(found)


def buried_imports(source: ast.Module) -> list[int]:
    functions = (node for node in ast.walk(source) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return sorted({node.lineno for function in functions for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)})


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT / "nps")))
def test_a_file_keeps_to_its_room(path: Path) -> None:
    source, name = tree(path), path.relative_to(ROOT).as_posix()
    assert forbidden_uses(source, name) == []
    assert closed_doors(source, name) == []
    assert buried_imports(source) == [], "an import inside a function means that an arrow points up"
    relative = [node.lineno for node in ast.walk(source) if isinstance(node, ast.ImportFrom) and node.level]
    assert relative == [], "write imports in full: they are searched for by name"


def test_no_file_is_called_after_nothing() -> None:
    vague = {"util", "utils", "helper", "helpers", "misc", "common"}
    assert [path.relative_to(ROOT).as_posix() for path in FILES if path.stem.rsplit("_", 1)[-1] in vague] == []


@pytest.mark.parametrize(
    ("text", "path", "found"),
    [
        ("import datetime as dt\nx = dt.datetime.now()", "nps/contacts/service.py", ["nps/contacts/service.py:2 datetime.datetime.now"]),
        ("from datetime import datetime\nx = datetime.now()", "nps/contacts/rules.py", ["nps/contacts/rules.py:2 datetime.datetime.now"]),
        ("from datetime import datetime\nx = datetime.now()", "nps/core/clock.py", []),
        ("from os import environ", "nps/cli.py", ["nps/cli.py:1 os.environ"]),
        ("import stripe", "nps/billing/gateway.py", []),
        ("import stripe", "nps/billing/service.py", ["nps/billing/service.py:1 stripe"]),
        ("from requests.adapters import HTTPAdapter", "nps/web/pages.py", ["nps/web/pages.py:1 requests"]),
        ("import time\nx = time.monotonic()", "nps/jobs/relay.py", []),
        ("stripe = 1\nx = stripe.real", "nps/jobs/relay.py", []),
    ],
)
def test_the_reader_sees_what_it_must(text: str, path: str, found: list[str]) -> None:
    assert forbidden_uses(ast.parse(text), path) == found


def test_the_reader_sees_an_import_inside_a_function() -> None:
    assert buried_imports(ast.parse("import os\ndef f():\n    if os:\n        import re\n")) == [4]
