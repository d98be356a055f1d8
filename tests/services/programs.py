"""Where programs are, and how a private server of one is stopped."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVERS = ROOT / ".servers"
NOBODY = 65534


class Missing(Exception):
    """A program is not to be had on this machine; the message is a sentence that says what to install."""


def installed_ones_count() -> bool:
    return os.environ.get("TEST_SERVERS") != "fetched"


def bootstrap(what: str) -> None:
    """Fetches a folder of programs, once; says nothing and does nothing the next time. Raises Missing."""
    if subprocess.run([sys.executable, str(ROOT / "bootstrap.py"), what], stdin=subprocess.DEVNULL).returncode:
        raise Missing(f"python3 bootstrap.py {what} did not work here; its lines stand above.")


def version_of(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
    return done.stdout.strip().partition("\n")[0]


@contextlib.contextmanager
def scratch_folder(purpose: str) -> Iterator[Path]:
    """A private folder whose path is short enough for a socket (107 bytes on Linux)."""
    parent = tempfile.gettempdir()
    folder = Path(tempfile.mkdtemp(prefix=f"wordback-{purpose}-", dir=parent if len(parent) < 60 else "/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def stop(process: subprocess.Popen[bytes], *signals: signal.Signals) -> None:
    """Sends one signal after the other, with five seconds each to obey, and kills what is left."""
    for name in signals:
        if process.poll() is not None:
            return
        process.send_signal(name)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5)
    if process.poll() is None:
        process.kill()
        process.wait()
