"""The locks: no address in them, a hash on every line, and the same versions that pyproject.toml asks for."""

import hashlib
import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def pins(name: str) -> dict[str, set[Version]]:
    """Versions by name; a package has several where the lock forks by Python version."""
    found: dict[str, set[Version]] = {}
    for pin, version in re.findall(r"^([\w.-]+)==([^\s;\\]+)", (ROOT / "requirements" / f"{name}.txt").read_text(), re.M):
        found.setdefault(canonicalize_name(pin), set()).add(Version(version))
    return found


def asked(name: str) -> list[Requirement]:
    lines = list(PROJECT["project"]["dependencies"])
    groups = {"run": [], "test": ["test"], "dev": ["test", "dev"]}[name]
    return [Requirement(line) for line in (*lines, *(line for group in groups for line in PROJECT["dependency-groups"][group]))]


def test_all_the_locks_are_there() -> None:
    assert {path.name for path in LOCKS} >= {"run.txt", "test.txt", "dev.txt", "tools.txt", "servers.txt", "node.txt"}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_holds_no_address_and_no_option(lock: Path) -> None:
    bad = [line for line in lock.read_text().splitlines() if "://" in line or line.startswith("-") or "file:" in line or " @ " in line]
    assert bad == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_line_of_a_lock_is_a_pin_with_a_hash(lock: Path) -> None:
    entries = re.sub(r"\\\n\s*", " ", lock.read_text()).splitlines()
    assert entries
    pattern = re.compile(r"[\w.-]+==[^\s;]+( ; [^\\#]+?)?( +--hash=sha256:[0-9a-f]{64})+")
    assert [entry for entry in entries if not pattern.fullmatch(entry)] == []


@pytest.mark.parametrize("name", ["run", "test", "dev"])
def test_the_pins_are_what_pyproject_asks_for(name: str) -> None:
    have = pins(name)
    for wanted in asked(name):
        versions = have.get(canonicalize_name(wanted.name), set())
        assert versions, f"{wanted.name} is not in {name}.txt: run make lock"
        assert all(version in wanted.specifier for version in versions), f"{name}.txt has {wanted.name} {versions}, not {wanted.specifier}"


@pytest.mark.parametrize(("small", "large"), [("run", "test"), ("test", "dev")])
def test_a_larger_lock_holds_the_versions_of_the_smaller_one(small: str, large: str) -> None:
    held = pins(large)
    assert {name: versions for name, versions in pins(small).items() if held.get(name) != versions} == {}


@pytest.mark.parametrize("name", ["tools", "servers", "node"])
def test_a_lock_of_programs_holds_exactly_what_its_list_names(name: str) -> None:
    lines = (ROOT / "requirements" / f"{name}.in").read_text().split()
    assert {canonicalize_name(Requirement(line).name) for line in lines} == set(pins(name))


def test_the_npm_lock_holds_no_registry_and_a_hash_for_every_package() -> None:
    text = (ROOT / "package-lock.json").read_text()
    assert '"resolved"' not in text
    assert "://" not in text
    packages = {path: entry for path, entry in json.loads(text)["packages"].items() if path}
    assert packages
    assert [path for path, entry in packages.items() if not entry["integrity"].startswith("sha512-")] == []
    assert "omit-lockfile-registry-resolved=true" in (ROOT / ".npmrc").read_text().split()


def test_the_npm_lock_is_what_package_json_asks_for() -> None:
    package = json.loads((ROOT / "package.json").read_text())
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    for name, version in {**package["dependencies"], **package["optionalDependencies"]}.items():
        assert locked[f"node_modules/{name}"]["version"] == version


def test_the_vendored_files_are_those_of_the_manifest_and_of_the_npm_lock() -> None:
    folder = ROOT / "nps" / "static" / "vendor"
    manifest = json.loads((folder / "manifest.json").read_text())
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert {path.name for path in folder.iterdir()} == {"manifest.json", *(entry["file"] for entry in manifest)}
    for entry in manifest:
        content = (folder / entry["file"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (entry["bytes"], entry["sha256"])
        assert locked[f"node_modules/{entry['name']}"]["version"] == entry["version"]
        assert locked[f"node_modules/{entry['name']}"]["license"] == entry["licence"]
