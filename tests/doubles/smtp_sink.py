"""An SMTP server that keeps what it takes: a row is recorded BEFORE 250 is answered, so nothing it said yes to can be missing.

Scripted by the recipient's local part, after a plus sign:
  x+451@  x+550-5.1.1@  x+550-5.1.1-blocked@      refuse at RCPT, with an enhanced code, with words (see WORDS)
  x+421-at-rcpt@  x+451-at-data@  x+554-at-dot@   refuse in that phase (rcpt, data, dot); 421 closes afterwards
  x+drop-at-rcpt@  x+drop-at-data@  x+drop-after-354@  x+drop-in-body@  x+drop-after-dot@     close without an answer
  x+silent@  x+silent-at-data@  x+silent-after-dot@       never answer (rcpt by default), keep the connection
  x+slow@                                         answer each command of this mail after `slow` seconds
  x+once-...@                                     do that for the first try only, then take the mail
What concerns no recipient is set for the whole sink: `greeting`, `ehlo`, `auth`, `mail` take "554 5.7.1 no", "drop" or "silent".

As a thread: `with SmtpSink() as sink: sink.port, sink.rows(), sink.messages`.
As a process: `python -m tests.doubles.smtp_sink --rows FILE [--port 0]` prints its port and appends one JSON line a mail.
"""

import argparse
import base64
import heapq
import json
import os
import re
import selectors
import signal
import socket
import ssl
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WORDS = {
    "unknown": "User unknown",
    "blocked": "blocked, your reputation is poor",
    "quota": "over quota",
    "policy": "refused by policy",
    "spam": "this looks like spam",
}
_CODE = re.compile(r"(?P<code>[245]\d\d)(?:-(?P<enhanced>\d\.\d+\.\d+))?(?:-at-(?P<phase>rcpt|data|dot))?(?:-(?P<words>[a-z]+))?$")
_DROP = re.compile(r"drop-(?P<where>at-rcpt|at-data|after-354|in-body|after-dot)$")
_SILENT = re.compile(r"silent(?:-(?P<where>at-rcpt|at-data|after-dot))?$")
_PATH = re.compile(rb"<([^>]*)>")
_HEADER = re.compile(rb"(?im)^(message-id|x-wordback-message):[ \t]*(?:\r\n[ \t]+)?([^\r\n]*)")


@dataclass(slots=True)
class Script:
    """What a recipient asked for: `phase` → reply text, "drop" or "silent"."""

    at: dict[str, str] = field(default_factory=dict)
    slow: bool = False


def read_script(address: str, seen: set[str]) -> Script:
    words = address.rpartition("@")[0].partition("+")[2]
    if words.startswith("once-"):
        if address in seen:
            return Script()
        seen.add(address)
        words = words[5:]
    if words == "slow":
        return Script(slow=True)
    if found := _CODE.match(words):
        text = found["code"] + (f" {found['enhanced']}" if found["enhanced"] else "")
        return Script({found["phase"] or "rcpt": f"{text} {WORDS.get(found['words'] or '', 'said the sink')}"})
    if found := _DROP.match(words):
        return Script({found["where"].removeprefix("at-"): "drop"})
    if found := _SILENT.match(words):
        where = (found["where"] or "at-rcpt").removeprefix("at-")
        return Script({"dot" if where == "after-dot" else where: "silent"})
    return Script()


class _Line:
    """One client."""

    __slots__ = ("sock", "buffer", "out", "in_body", "sender", "recipient", "script", "silent", "closing", "blocked_until", "tls", "authed")

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.buffer = bytearray()
        self.out = bytearray()
        self.in_body = False
        self.sender: str | None = None
        self.recipient: str | None = None
        self.script = Script()
        self.silent = False
        self.closing = False
        self.blocked_until = 0.0
        self.tls = False
        self.authed = False


class SmtpSink:
    def __init__(
        self,
        *,
        port: int = 0,
        rows_path: str | Path | None = None,
        keep: bool = True,
        pipelining: bool = True,
        greeting: str = "",
        ehlo: str = "",
        auth: str = "",
        mail: str = "",
        slow: float = 1.0,
        login: tuple[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        max_mails_per_line: int = 0,
    ) -> None:
        self.keep, self.pipelining, self.slow, self.login, self.tls = keep, pipelining, slow, login, tls
        self.greeting, self.ehlo, self.auth, self.mail = greeting, ehlo, auth, mail
        self.max_mails_per_line = max_mails_per_line
        self.messages: list[bytes] = []
        self.taken = 0
        self.connections = 0
        self.commands: list[str] = []
        self._rows: list[dict[str, Any]] = []
        self._file = os.open(rows_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if rows_path else -1
        self._seen: set[str] = set()
        self._counts: dict[int, int] = {}
        self._listener = socket.create_server(("127.0.0.1", port), backlog=256)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._wake_r, self._wake_w = os.pipe()
        os.set_blocking(self._wake_r, False)
        self._selector.register(self._wake_r, selectors.EVENT_READ)
        self._timers: list[tuple[float, int, _Line]] = []
        self._timer_number = 0
        self._stopping = False
        self._thread: threading.Thread | None = None

    # --- life -----------------------------------------------------------------------------------------------------

    def __enter__(self) -> "SmtpSink":
        self._thread = threading.Thread(target=self.serve, name="smtp-sink", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._stopping = True
        os.write(self._wake_w, b"x")
        if self._thread:
            self._thread.join(5)
            os.close(self._wake_r)
            os.close(self._wake_w)

    def rows(self) -> list[dict[str, Any]]:
        return list(self._rows)

    def recipients(self) -> list[str]:
        return [row["to"] for row in self._rows]

    def serve(self) -> None:
        selector = self._selector
        try:
            while not self._stopping:
                timeout = max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else None
                for key, events in selector.select(timeout):
                    if key.fileobj is self._listener:
                        self._accept()
                    elif key.fd == self._wake_r:
                        os.read(self._wake_r, 64)
                    else:
                        line: _Line = key.data
                        if events & selectors.EVENT_WRITE:
                            self._flush(line)
                        if events & selectors.EVENT_READ and not line.closing:
                            self._read(line)
                while self._timers and self._timers[0][0] <= time.monotonic():
                    _, _, line = heapq.heappop(self._timers)
                    if line.sock.fileno() >= 0:
                        line.blocked_until = 0.0
                        self._flush(line)
                        self._work(line)
        finally:
            for key in list(selector.get_map().values()):
                if isinstance(key.data, _Line):
                    key.data.sock.close()
            selector.close()
            self._listener.close()
            if self._file >= 0:
                os.close(self._file)

    # --- bytes ----------------------------------------------------------------------------------------------------

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            line = _Line(sock)
            self._selector.register(sock, selectors.EVENT_READ, line)
            self._say(line, self.greeting or "220 sink ESMTP")
            self._flush(line)

    def _read(self, line: _Line) -> None:
        try:
            data = line.sock.recv(262144)
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        except OSError:
            data = b""
        if not data:
            self._close(line)
            return
        line.buffer += data
        self._work(line)
        if isinstance(line.sock, ssl.SSLSocket) and line.sock.fileno() >= 0 and line.sock.pending():
            self._read(line)

    def _flush(self, line: _Line) -> None:
        if line.sock.fileno() < 0 or line.blocked_until:
            return
        if line.out:
            try:
                sent = line.sock.send(line.out)
                del line.out[:sent]
            except (BlockingIOError, ssl.SSLWantWriteError):
                pass
            except OSError:
                self._close(line)
                return
        if line.out:
            self._selector.modify(line.sock, selectors.EVENT_READ | selectors.EVENT_WRITE, line)
        elif line.closing:
            self._close(line)
        else:
            self._selector.modify(line.sock, selectors.EVENT_READ, line)

    def _close(self, line: _Line) -> None:
        if line.sock.fileno() >= 0:
            self._counts.pop(line.sock.fileno(), None)
            self._selector.unregister(line.sock)
            line.sock.close()

    def _say(self, line: _Line, reply: str) -> bool:
        """Queue a reply, or do what stands in its place. False when this line says nothing more."""
        if reply == "drop":
            self._flush(line)
            self._close(line)
            return False
        if reply == "silent":
            line.silent = True
            return False
        line.out += reply.encode() + b"\r\n"
        if reply.startswith("421"):
            line.closing = True
            return False
        return True

    # --- the dialogue ---------------------------------------------------------------------------------------------

    def _work(self, line: _Line) -> None:
        while line.sock.fileno() >= 0 and not line.silent and not line.closing and not line.blocked_until:
            if line.in_body:
                if not self._body(line):
                    break
                continue
            end = line.buffer.find(b"\r\n")
            if end < 0:
                break
            command = bytes(line.buffer[:end])
            del line.buffer[: end + 2]
            self._command(line, command)
        self._flush(line)

    def _pause(self, line: _Line) -> None:
        if line.script.slow:
            line.blocked_until = time.monotonic() + self.slow
            self._timer_number += 1
            heapq.heappush(self._timers, (line.blocked_until, self._timer_number, line))

    def _command(self, line: _Line, command: bytes) -> None:
        verb = command[:4].upper()
        if self.keep:
            self.commands.append(command.decode("latin-1"))
        if verb == b"MAIL":
            found = _PATH.search(command)
            count = self._counts.get(line.sock.fileno(), 0)
            if self.max_mails_per_line and count >= self.max_mails_per_line:
                self._say(line, "421 4.7.0 enough on this connection")
                return
            if self.login and not line.authed:
                self._say(line, "530 5.7.0 sign in first")
                return
            if line.sender is not None:
                self._say(line, "503 5.5.1 nested MAIL")
                return
            if self._say(line, self.mail or "250 2.1.0 Ok") and (not self.mail or self.mail.startswith("2")):
                line.sender = found[1].decode() if found else ""
        elif verb == b"RCPT":
            if line.sender is None:
                self._say(line, "503 5.5.1 MAIL first")
                return
            found = _PATH.search(command)
            address = found[1].decode() if found else ""
            line.script = read_script(address, self._seen)
            reply = line.script.at.get("rcpt", "250 2.1.5 Ok")
            if self._say(line, reply) and reply.startswith("2"):
                line.recipient = address
            self._pause(line)
        elif verb == b"DATA":
            if line.recipient is None:
                self._say(line, "503 5.5.1 RCPT first" if line.sender is None else "554 5.5.1 no valid recipients")
                return
            reply = line.script.at.get("data", "354 go on")
            if self._say(line, reply) and reply.startswith("354"):
                line.in_body = True
                if line.script.at.get("after-354") == "drop":
                    self._drop_after_flush(line)
            self._pause(line)
        elif verb == b"EHLO":
            if self.ehlo:
                self._say(line, self.ehlo)
                return
            words = ["sink", "8BITMIME", "ENHANCEDSTATUSCODES", "SIZE 31457280"]
            if self.pipelining:
                words.append("PIPELINING")
            if self.tls and not line.tls:
                words.append("STARTTLS")
            if self.login or self.auth:
                words.append("AUTH PLAIN LOGIN")
            self._say(line, "\r\n".join(f"250{'-' if word is not words[-1] else ' '}{word}" for word in words))
        elif verb == b"HELO":
            self._say(line, "250 sink")
        elif verb == b"RSET":
            line.sender = line.recipient = None
            self._say(line, "250 2.0.0 Ok")
        elif verb == b"NOOP":
            self._say(line, "250 2.0.0 Ok")
        elif verb == b"AUTH":
            self._auth(line, command)
        elif command.upper() == b"STARTTLS" and self.tls:
            self._start_tls(line)
        elif verb == b"QUIT":
            self._say(line, "221 2.0.0 bye")
            line.closing = True
        else:
            self._say(line, "500 5.5.1 what")

    def _drop_after_flush(self, line: _Line) -> None:
        line.closing = True
        self._flush(line)

    def _auth(self, line: _Line, command: bytes) -> None:
        if self.auth:
            self._say(line, self.auth)
            return
        parts = command.split()
        try:
            _, user, password = base64.b64decode(parts[2]).decode().split("\0")
        except (IndexError, ValueError):
            self._say(line, "501 5.5.2 cannot read that")
            return
        line.authed = (user, password) == self.login
        self._say(line, "235 2.7.0 welcome" if line.authed else "535 5.7.8 wrong name or password")

    def _start_tls(self, line: _Line) -> None:
        assert self.tls is not None
        line.out += b"220 2.0.0 go on\r\n"
        line.sock.sendall(line.out)
        line.out.clear()
        self._selector.unregister(line.sock)
        line.sock.setblocking(True)
        line.sock.settimeout(5)
        try:
            line.sock = self.tls.wrap_socket(line.sock, server_side=True)
        except OSError:
            line.sock.close()
            return
        line.sock.setblocking(False)
        line.tls = True
        line.buffer.clear()
        self._selector.register(line.sock, selectors.EVENT_READ, line)

    def _body(self, line: _Line) -> bool:
        """Take the body when it is complete. False while more must come."""
        buffer = line.buffer
        if line.script.at.get("in-body") == "drop" and buffer:
            self._close(line)
            return False
        if buffer.startswith(b".\r\n"):
            content, rest = b"", 3
        else:
            end = buffer.find(b"\r\n.\r\n")
            if end < 0:
                return False
            content, rest = bytes(buffer[: end + 2]), end + 5
        del buffer[:rest]
        line.in_body = False
        scripted = line.script.at.get("dot", "")
        if not scripted or scripted == "silent":
            self._record(line, content)
        if line.script.at.get("after-dot") == "drop":
            self._say(line, "drop")
            return False
        fileno = line.sock.fileno()
        self._counts[fileno] = self._counts.get(fileno, 0) + 1
        self._say(line, scripted or f"250 2.0.0 Ok: queued as {self.taken}")
        line.sender = line.recipient = None
        self._pause(line)
        return True

    def _record(self, line: _Line, content: bytes) -> None:
        content = content[1:] if content.startswith(b".") else content
        content = content.replace(b"\r\n..", b"\r\n.")
        head = content.partition(b"\r\n\r\n")[0]
        found = {name.lower(): value.decode("latin-1").strip() for name, value in _HEADER.findall(head)}
        self.taken += 1
        row = {
            "number": self.taken,
            "at": time.time(),
            "from": line.sender,
            "to": line.recipient,
            "message_id": found.get(b"message-id", ""),
            "message": found.get(b"x-wordback-message", ""),
            "size": len(content),
        }
        if self._file >= 0:
            os.write(self._file, json.dumps(row).encode() + b"\n")
        if self.keep:
            self._rows.append(row)
            self.messages.append(content)


def read_rows(path: str | Path) -> list[dict[str, Any]]:
    """The rows a sink process has written so far."""
    file = Path(path)
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--slow", type=float, default=1.0)
    parser.add_argument("--no-pipelining", action="store_true")
    parser.add_argument("--mail", default="")
    given = parser.parse_args()
    sink = SmtpSink(port=given.port, rows_path=given.rows, keep=False, slow=given.slow, pipelining=not given.no_pipelining, mail=given.mail)
    signal.signal(signal.SIGTERM, lambda *_: sink.stop())
    print(sink.port, flush=True)
    sink.serve()
    print(sink.taken, file=sys.stderr)


if __name__ == "__main__":
    main()
