"""Makes the environment that everything else runs in, from nothing but Python 3.11 and its standard library.

    python3 bootstrap.py run            .venv with what the product needs
    python3 bootstrap.py dev            .venv with the test and lint tools as well
    python3 bootstrap.py servers        .servers: PostgreSQL and Redis programs for the tests
    python3 bootstrap.py node           .node: node and npm for the tests
    python3 bootstrap.py uv ARGUMENT..  runs uv, fetching it first where the machine has none

Every package is held to a hash in requirements/. A second call with the same locks does nothing. uv is used where it can be had, else
pip; `--with pip` or `--with uv` insists on one. Package indexes are whatever pip or uv is configured for on this machine.
"""

from __future__ import annotations

import base64
import configparser
import contextlib
import fcntl
import hashlib
import html
import io
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent
LOCKS = ROOT / "requirements"
TOOLS = ROOT / ".tools"
VENV = ROOT / ".venv"
GROUPS = ("run", "test", "dev")  # each holds the one before it
FOLDERS = {"servers": (ROOT / ".servers", ["--python-version", "3.11"]), "node": (ROOT / ".node", [])}
INDEX_PAGE = "application/vnd.pypi.simple.v1+json, text/html;q=0.5"


class SetupFailed(Exception):
    """Nothing more can be done here; the message is one sentence for the person at the terminal."""


def main(arguments: list[str]) -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 - this is where an older Python is told so
        version = platform.python_version()
        return complain(f"Wordback needs Python 3.11 or newer, and this is {version}: say make PYTHON=python3.12, for example.")
    installer = None
    if arguments[:1] == ["--with"]:
        installer, arguments = arguments[1], arguments[2:]
    what = arguments[0] if arguments else "run"
    try:
        if what == "uv":
            with only_one_at_a_time():
                uv = find_uv()
            return subprocess.call([uv, *arguments[1:]], env=environment_for_uv())
        if what in GROUPS:
            if not is_ready(what):
                with only_one_at_a_time():
                    if not is_ready(what):
                        make_environment(what, installer)
        elif what in FOLDERS:
            with only_one_at_a_time():
                fill_folder(what, installer)
        else:
            return complain(f"bootstrap.py knows {', '.join([*GROUPS, *FOLDERS, 'uv'])}, not {what!r}.")
    except SetupFailed as failure:
        return complain(str(failure))
    except KeyboardInterrupt:
        return 130
    return 0


def complain(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


# What is there already


def lock_hash(name: str) -> str:
    return hashlib.sha256((LOCKS / f"{name}.txt").read_bytes()).hexdigest()


def read_stamp(folder: Path) -> dict[str, str]:
    try:
        stamp = json.loads((folder / ".stamp").read_text())
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def write_stamp(folder: Path, names: tuple[str, ...]) -> None:
    stamp = {"python": platform.python_version(), **{name: lock_hash(name) for name in names}}
    (folder / ".stamp").write_text(json.dumps(stamp, indent=1) + "\n")


def is_ready(group: str) -> bool:
    """A stamp of a larger group serves the smaller one: `make demo` after `make test` removes nothing."""
    stamp = read_stamp(VENV)
    return stamp.get("python") == platform.python_version() and stamp.get(group) == lock_hash(group) and (VENV / "bin" / "python").exists()


@contextlib.contextmanager
def only_one_at_a_time() -> Iterator[None]:
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another command is setting up this folder; waiting for it ...", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# Installing


def make_environment(group: str, installer: str | None) -> None:
    stamp = read_stamp(VENV)
    group = max([group, *(name for name in GROUPS if name in stamp)], key=GROUPS.index)
    uv = uv_or_none(installer)
    if stamp.get("python") != platform.python_version() and VENV.exists() and stamp:
        shutil.rmtree(VENV)  # made by another Python
    (VENV / ".stamp").unlink(missing_ok=True)
    lock = LOCKS / f"{group}.txt"
    count = len(re.findall(r"^[\w.-]+==", lock.read_text(), re.M))
    title = f"Installing up to {count} packages into .venv"
    if uv:
        if not (VENV / "bin" / "python").exists():
            step("Making .venv", [uv, "venv", "--quiet", "--allow-existing", "--python", base_python(), str(VENV)])
        step(title, [uv, "pip", "sync", "--python", str(VENV), "--require-hashes", "--only-binary", ":all:", str(lock)])
    else:
        step("Making .venv", [base_python(), "-m", "venv", str(VENV)])
        pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--no-deps"]
        step(title + " with pip (about a minute)", [*pip, "--require-hashes", "--only-binary", ":all:", "-r", str(lock)])
    write_stamp(VENV, GROUPS[: GROUPS.index(group) + 1])


def fill_folder(name: str, installer: str | None) -> None:
    folder, options = FOLDERS[name]
    if read_stamp(folder).get(name) == lock_hash(name):
        return
    shutil.rmtree(folder, ignore_errors=True)
    lock = str(LOCKS / f"{name}.txt")
    uv = uv_or_none(installer)
    pip = [uv, "pip"] if uv else [str(VENV / "bin" / "python"), "-m", "pip", "--no-input"]
    common = ["--target", str(folder), *options, "--no-deps", "--only-binary", ":all:", "--require-hashes"]
    step(f"Fetching programs into {folder.name}", [*pip, "install", *common, "-r", lock])
    write_stamp(folder, (name,))


def step(title: str, command: list[str]) -> None:
    """Runs a command, with a sign of life while it works; its output is shown only when it fails.

    Raises SetupFailed with the title and the last line of the command.
    """
    print(f"{title} ...", flush=True)
    began = time.monotonic()
    environment = environment_for_uv()
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment)
        except OSError as error:
            raise SetupFailed(f"{title} failed: {error}.") from error
        try:
            while True:
                try:
                    code = process.wait(timeout=5)
                    break
                except subprocess.TimeoutExpired:
                    print(f"  still at it, {time.monotonic() - began:.0f} s", flush=True)
        except BaseException:
            process.terminate()
            process.wait()
            raise
        output.seek(0)
        lines = [line for line in output.read().decode(errors="replace").splitlines() if line.strip()]
    if code:
        for line in lines[-20:]:
            print(f"  | {line}", file=sys.stderr)
        raise SetupFailed(f"{title} failed (code {code}); the lines above say why, and running the command again is safe.")
    print(f"  done in {time.monotonic() - began:.1f} s", flush=True)


def base_python() -> str:
    return getattr(sys, "_base_executable", None) or sys.executable


# Getting uv


def uv_or_none(installer: str | None) -> str | None:
    """The program, or None where plain pip must do. Raises SetupFailed where neither is to be had."""
    if installer == "pip":
        return None
    try:
        return find_uv()
    except SetupFailed:
        if installer == "uv" or not can_make_pip():
            raise
        return None


def find_uv() -> str:
    """Raises SetupFailed with the sentence that says what to install."""
    found = shutil.which("uv")
    if found:
        return found
    ours = TOOLS / "bin" / "uv"
    if ours.exists() and read_stamp(TOOLS).get("tools") == lock_hash("tools"):
        return str(ours)
    if not can_make_pip():
        install_venv_package()
    problem = "this Python cannot make environments with pip"
    for get in (uv_by_pip, uv_by_hand):
        try:
            if get(ours):
                write_stamp(TOOLS, ("tools",))
                return str(ours)
        except (SetupFailed, OSError, ValueError, zipfile.BadZipFile) as error:
            problem = str(error).rstrip(".")
    advice = "install python3-venv (apt install python3-venv) or uv, then run the command again."
    raise SetupFailed(f"Wordback could not be set up because {problem[:1].lower() + problem[1:]}: {advice}")


def can_make_pip() -> bool:
    return subprocess.run([base_python(), "-c", "import ensurepip, venv"], capture_output=True, stdin=subprocess.DEVNULL).returncode == 0


def install_venv_package() -> None:
    """Debian keeps ensurepip in a package of its own; as root it can simply be had."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    with contextlib.suppress(SetupFailed):
        step("Reading the list of system packages", ["apt-get", "update", "-qq"])
    with contextlib.suppress(SetupFailed):
        step("Installing python3-venv", ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "python3-venv"])


def uv_by_pip(target: Path) -> bool:
    if not can_make_pip():
        return False
    with tempfile.TemporaryDirectory(dir=TOOLS) as scratch:
        step("Making a place to fetch uv with", [base_python(), "-m", "venv", scratch])
        pip = [f"{scratch}/bin/python", "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--no-deps"]
        step("Fetching uv", [*pip, "--require-hashes", "--only-binary", ":all:", "-r", str(LOCKS / "tools.txt")])
        target.parent.mkdir(exist_ok=True)
        shutil.copy2(f"{scratch}/bin/uv", target)
    return True


def uv_by_hand(target: Path) -> bool:
    """Reads a configured index or folder of wheels without pip. False where none is configured or holds the wheel."""
    wanted = (LOCKS / "tools.txt").read_text()
    version = re.search(r"^uv==(\S+)", wanted, re.M)
    if version is None:
        return False
    configured = indexes()
    places = [*configured["find_links"], *(url.rstrip("/") + "/uv/" for url in configured["index"] + configured["extra"])]
    if places:
        print("Fetching uv from the configured package index ...", flush=True)
    for place in places:
        for name, address in wheels_at(place):
            if not name.startswith(f"uv-{version[1]}-") or not fits_this_machine(name):
                continue
            wheel = read(address)
            if f"sha256:{hashlib.sha256(wheel).hexdigest()}" not in wanted:
                raise SetupFailed("The uv wheel of the configured index does not have the hash that is locked")
            with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
                inside = next(entry for entry in archive.namelist() if entry.endswith("/scripts/uv"))
                target.parent.mkdir(exist_ok=True)
                target.write_bytes(archive.read(inside))
            target.chmod(0o755)
            return True
    return False


def fits_this_machine(wheel: str) -> bool:
    machine = platform.machine().lower()
    if sys.platform == "darwin":
        family = "macosx"
    else:
        machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)
        family = "manylinux" if platform.libc_ver()[0] == "glibc" else "musllinux"
    return family in wheel and f"{machine}.whl" in wheel


def wheels_at(place: str) -> Iterator[tuple[str, str]]:
    """File name and address of every wheel at a folder, or on the page of a project, in JSON or HTML."""
    if "://" not in place:
        yield from ((path.name, path.as_uri()) for path in Path(place).expanduser().glob("*.whl"))
        return
    if place.startswith("file:"):
        folder = Path(urllib.request.url2pathname(urllib.parse.urlsplit(place).path))
        yield from wheels_at(str(folder))
        place = place.rstrip("/") + "/index.html"
    try:
        page = read(place, INDEX_PAGE).decode()
    except OSError:
        return
    try:
        found = [(file["filename"], file["url"]) for file in json.loads(page)["files"]]
    except ValueError:
        links = [html.unescape(link).split("#")[0] for link in re.findall(r'href="([^"]+)"', page)]
        found = [(urllib.parse.unquote(link.rsplit("/", 1)[-1]), link) for link in links]
    for name, link in found:
        if name.endswith(".whl"):
            yield name, urllib.parse.urljoin(place, link)


def read(address: str, accept: str = "*/*") -> bytes:
    parts = urllib.parse.urlsplit(address)
    request = urllib.request.Request(parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl(), headers={"Accept": accept})
    if parts.username:
        pair = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
        request.add_unredirected_header("Authorization", "Basic " + base64.b64encode(pair.encode()).decode())
    with urllib.request.urlopen(request, timeout=120) as answer:
        content: bytes = answer.read()
    return content


# Package indexes of this machine


def pip_settings() -> dict[str, str]:
    """pip's own settings: its files, the later ones over the earlier, then its variables. uv reads none of them."""
    shared = os.environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":")
    own = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    files = [*(Path(folder) / "pip" / "pip.conf" for folder in shared), Path("/etc/pip.conf"), Path.home() / ".pip" / "pip.conf"]
    files += [own / "pip" / "pip.conf", Path(sys.base_prefix) / "pip.conf", Path(os.environ.get("PIP_CONFIG_FILE", os.devnull))]
    parser = configparser.RawConfigParser()
    settings: dict[str, str] = {}
    with contextlib.suppress(configparser.Error, OSError):
        if os.environ.get("PIP_CONFIG_FILE") != os.devnull:
            parser.read(files)
    for section in ("global", "install"):
        if parser.has_section(section):
            settings.update({key.replace("_", "-"): value for key, value in parser.items(section)})
    settings.update({key[4:].lower().replace("_", "-"): value for key, value in os.environ.items() if key.startswith("PIP_") and value})
    return settings


def indexes() -> dict[str, list[str]]:
    settings = pip_settings()
    index = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("UV_INDEX_URL") or settings.get("index-url", "")
    extra = (os.environ.get("UV_INDEX") or os.environ.get("UV_EXTRA_INDEX_URL") or settings.get("extra-index-url", "")).split()
    links = (os.environ.get("UV_FIND_LINKS", "").replace(",", " ") or settings.get("find-links", "")).split()
    unnamed = [re.sub(r"^[\w.-]+=", "", url) for url in extra]  # uv allows name=address
    return {"index": index.split(), "extra": unnamed, "find_links": links}


def environment_for_uv() -> dict[str, str]:
    """The environment with pip's settings said once more in uv's words, where uv has not been told otherwise."""
    environment = dict(os.environ)
    environment.pop("VIRTUAL_ENV", None)
    environment["UV_PYTHON_DOWNLOADS"] = "never"
    settings = pip_settings()

    def say(variable: str, value: str, *unless: str) -> None:
        if value and not any(environment.get(name) for name in (variable, *unless)):
            environment[variable] = value

    extra = settings.get("extra-index-url", "").split()
    say("UV_DEFAULT_INDEX", settings.get("index-url", ""), "UV_INDEX_URL")
    say("UV_FIND_LINKS", ",".join(settings.get("find-links", "").split()))
    if extra and not environment.get("UV_INDEX") and not environment.get("UV_EXTRA_INDEX_URL"):
        environment["UV_INDEX"] = " ".join(extra)
        # pip looks in every index at once. Safe here too: whichever index answers, the file must have the locked hash.
        say("UV_INDEX_STRATEGY", "unsafe-best-match")
    say("UV_INSECURE_HOST", " ".join(settings.get("trusted-host", "").split()))
    say("SSL_CERT_FILE", settings.get("cert", ""))
    say("UV_HTTP_TIMEOUT", settings.get("default-timeout", settings.get("timeout", "")))
    say("ALL_PROXY", settings.get("proxy", ""), "HTTPS_PROXY", "https_proxy", "all_proxy")
    if settings.get("no-index", "").lower() in {"1", "true", "yes", "on"}:
        say("UV_NO_INDEX", "1")
    return environment


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
