"""Starts the parts of an installation as processes and ends them together."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass
class Part:
    """One process: its name for messages and what is typed to start it."""

    name: str
    command: Sequence[str]
    process: "subprocess.Popen[bytes] | None" = None


@dataclass
class Supervisor:
    """Runs parts until one ends or somebody asks to stop. Ends only what it started."""

    environment: Mapping[str, str]
    parts: list[Part] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def start(self, name: str, command: Sequence[str], **how: object) -> "subprocess.Popen[bytes]":
        """Start a part in its own process group, so that Ctrl-C reaches it through us and in order."""
        part = Part(name, command)
        part.process = subprocess.Popen(list(command), env=dict(self.environment), stdin=subprocess.DEVNULL, start_new_session=True, **how)  # type: ignore[call-overload]
        self.parts.append(part)
        return part.process

    def listen(self) -> None:
        """Take SIGINT and SIGTERM as the wish to stop."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.stopping.set())

    def wait(self) -> str | None:
        """Block until a stop is asked for (None) or a part has ended (its name)."""
        while not self.stopping.wait(0.3):
            for part in self.parts:
                if part.process is not None and part.process.poll() is not None:
                    return part.name
        return None

    def stop(self, patience: float = 25) -> None:
        """End the parts, last started first; after `patience` seconds without asking."""
        for part in reversed(self.parts):
            if part.process is not None and part.process.poll() is None:
                part.process.terminate()
        deadline = time.monotonic() + patience
        for part in reversed(self.parts):
            if part.process is None:
                continue
            try:
                part.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(part.process.pid, signal.SIGKILL)
                part.process.wait(5)


def free_port(wanted: int) -> int:
    """`wanted`, or the next port on loopback that nobody listens on. Raises OSError after a hundred tries."""
    for port in range(wanted, wanted + 100):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port from {wanted} to {wanted + 99}")


def gunicorn(config: str, bind: str) -> list[str]:
    """The command that serves the product with the settings that ship."""
    return [sys.executable, "-m", "gunicorn", "--config", config, "--bind", bind, "wsgi:app"]


def worker() -> list[str]:
    return [sys.executable, "-m", "nps.cli", "worker"]
