"""SMTP over kept connections, with an exact mark of the phase each letter is in.

The standard library raises the same exception for "closed after the final dot" and "hung before the greeting"; the first
mail may have been delivered, the second cannot. This client says which (RFC 5321, RFC 2920 PIPELINING, RFC 3207 STARTTLS,
RFC 4954 AUTH). One thread drives all connections of a courier with a selector, so a slow server holds up nobody else.

With PIPELINING the envelope goes out in one write and the next envelope follows the final dot, so a letter costs one and a
half round trips instead of five. A letter whose envelope has been written but not its content has not been sent.
"""

import base64
import ipaddress
import re
import selectors
import socket
import ssl
import time
from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from nps.delivery.letters import Courier, Letter, LineFailed, Settled
from nps.delivery.rules import LOST, Phase, Reply

_REPLY_LIMIT = 65_536
_BLOCK = 65_536
_RESTARTS = 3
_SLOW = 1.0
"""Seconds without an answer after which nothing more is queued behind a letter, and twice as many until what is queued goes another way."""
_LONE_BREAK = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_REPLY_LINE = re.compile(rb"([2-5]\d\d)([ -]|$)")


_LIMIT_OF: dict[Phase, str] = {phase: "block" if phase is Phase.BODY else phase.value for phase in Phase if phase is not Phase.QUIT}


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds each phase may take (RFC 5321 §4.5.3.2). The final dot gets ten minutes, because a short limit there makes doubles."""

    connect: float = 20
    greeting: float = 300
    ehlo: float = 300
    starttls: float = 300
    auth: float = 300
    mail: float = 300
    rcpt: float = 300
    data: float = 120
    block: float = 180
    dot: float = 600
    idle: float = 20

    def of(self, phase: Phase) -> float:
        name = _LIMIT_OF.get(phase)
        return 1.0 if name is None else float(getattr(self, name))

    def divided(self, by: float) -> "Limits":
        """The same limits, shorter: for tests that provoke every silence."""
        return Limits(*(getattr(self, name) / by for name in self.__dataclass_fields__))


@dataclass(frozen=True, slots=True)
class Server:
    host: str
    port: int
    user: str = ""
    password: str = ""
    implicit_tls: bool = False
    tls_required: bool = False
    hello: str = "localhost"
    ca_file: str = ""

    @classmethod
    def from_url(cls, url: str, *, hello: str = "localhost", ca_file: str = "") -> "Server":
        """`smtp://user:password@host:port` (STARTTLS where offered, or `?tls=required`) or `smtps://…` (TLS from the first byte)."""
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("A mail server is written as smtp://user:password@host:port.")
        implicit = parts.scheme == "smtps"
        return cls(
            parts.hostname,
            parts.port or (465 if implicit else 587 if parts.username else 25),
            unquote(parts.username or ""),
            unquote(parts.password or ""),
            implicit,
            parse_qs(parts.query).get("tls") == ["required"],
            hello,
            ca_file,
        )

    @property
    def on_this_machine(self) -> bool:
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def as_content(data: bytes) -> bytes:
    """The bytes between DATA and the end: CRLF only, dots stuffed, closed by the final dot."""
    if data.count(b"\n") != (pairs := data.count(b"\r\n")) or data.count(b"\r") != pairs:
        data = _LONE_BREAK.sub(b"\r\n", data)
    if b"\r\n." in data:
        data = data.replace(b"\r\n.", b"\r\n..")
    if data.startswith(b"."):
        data = b"." + data
    return data + (b".\r\n" if data.endswith(b"\r\n") else b"\r\n.\r\n")


class _Slot:
    """A letter on a line."""

    __slots__ = ("letter", "phase", "todo", "refused", "dot_at", "begun", "heard", "detached")

    def __init__(self, letter: Letter, steps: list[tuple[Phase, bytes]]) -> None:
        self.letter = letter
        self.phase = Phase.MAIL
        self.todo = deque(steps)
        self.refused = False
        self.dot_at = 0
        self.begun = False
        self.heard = False
        self.detached = False
        """It goes another way; what is still answered to it here is nobody's."""


class Line:
    """One connection. `events` collects what happened; the courier takes them."""

    def __init__(self, server: Server, limits: Limits, context: ssl.SSLContext | None) -> None:
        self.server, self.limits, self._context = server, limits, context
        self.phase = Phase.CONNECT
        self.ready = False
        self.gone = False
        self.used = False
        self.sock_number = 0
        self._broken = False
        self._retiring = False
        self.pipelining = False
        self.takes_size = False
        self.events: list[Settled | LineFailed] = []
        self.stale: list[Letter] = []
        self._current: _Slot | None = None
        self._next: _Slot | None = None
        self._rset = False
        self._expect: deque[tuple[Phase | None, _Slot | None]] = deque()
        self._in = bytearray()
        self._reply_lines: list[bytes] = []
        self._out = bytearray()
        self._sent = 0
        self._queued = 0
        self._block_started_at = 0
        self._handshaking = False
        self._offers: dict[str, str] = {}
        self._auth_login: deque[bytes] = deque()
        self._since = time.monotonic()
        try:
            self._addresses = deque(socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM))
        except OSError as problem:
            self._addresses = deque()
            self.sock = socket.socket()
            self._fail(str(problem))
            return
        self._connect()

    # --- what the courier asks ------------------------------------------------------------------------------------

    @property
    def load(self) -> int:
        return (self._current is not None) + (self._next is not None)

    def room(self) -> int:
        if not self.ready or self.gone or self._retiring:
            return 0
        if self._current is not None and time.monotonic() - self._since > _SLOW:
            return 0
        return (2 if self.pipelining else 1) - self.load

    def wants_write(self) -> bool:
        return bool(self._out) or self.phase is Phase.CONNECT

    def deadline(self) -> float | None:
        """When (monotonic) this line has been silent for too long; None while nothing is awaited."""
        if self._out:
            return self._since + self.limits.block
        if self._handshaking or not self.ready:
            return self._since + self.limits.of(self.phase)
        if self._expect:
            return self._since + self.limits.of(self._expect[0][0] or Phase.MAIL)
        return None

    def idle_since(self) -> float:
        return self._since

    def submit(self, letter: Letter) -> None:
        size = f" SIZE={len(letter.data)}" if self.takes_size else ""
        steps = [
            (Phase.MAIL, f"MAIL FROM:<{letter.mail_from}>{size}\r\n".encode()),
            (Phase.RCPT, f"RCPT TO:<{letter.rcpt_to}>\r\n".encode()),
            (Phase.DATA, b"DATA\r\n"),
        ]
        slot = _Slot(letter, steps)
        if self._current is None:
            self._current = slot
            self._begin(slot)
        else:
            self._next = slot
            if self._current.phase in (Phase.BODY, Phase.DOT) and not self._current.refused:
                self._begin(slot)
        self.flush()

    def rescue(self, now: float) -> Letter | None:
        """The letter that waits behind one that is not answered, so that it can go another way. Nothing of its content has left."""
        slot = self._next
        if slot is None or now - self._since <= 2 * _SLOW:
            return None
        slot.detached = slot.refused = True
        self._next = None
        return slot.letter

    def time_out(self) -> None:
        self._lose(f"No answer within {self._limit_words()}.")

    def abandon(self) -> None:
        self._lose("The connection was closed on this side.")

    def leave(self) -> None:
        if not self.gone and self.ready:
            try:
                self.sock.send(b"QUIT\r\n")
            except OSError:
                pass
        self._close()

    # --- bytes ----------------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        family, kind, protocol, _, address = self._addresses.popleft()
        self.sock_number += 1
        self.sock = socket.socket(family, kind, protocol)
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.sock.connect(address)
        except BlockingIOError:
            pass
        except OSError as problem:
            self._connect_next(str(problem))

    def _connect_next(self, problem: str) -> None:
        if self._addresses:
            self.sock.close()
            self._connect()
        else:
            self._fail(problem)

    def writable(self) -> None:
        if self.phase is Phase.CONNECT:
            problem = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if problem:
                self._fail(f"connection refused ({problem})")
                return
            self._since = time.monotonic()
            if self.server.implicit_tls:
                self.phase = Phase.STARTTLS
                self._start_handshake()
            else:
                self._enter(Phase.GREETING)
            return
        if self._handshaking:
            self._handshake()
            return
        self.flush()

    def flush(self) -> None:
        if not self._out or self.gone or self._broken:
            return
        try:
            while self._out:
                count = self.sock.send(self._out[:_BLOCK] if len(self._out) > _BLOCK else self._out)
                del self._out[:count]
                self._sent += count
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError as problem:
            # what the server said before it closed may still wait to be read: a refusal is worth more than a loss
            self._broken = True
            self._mark_dot()
            self.readable()
            self._lose(str(problem))
            return
        self._mark_dot()
        if not self._out or self._sent - self._block_started_at >= _BLOCK:
            self._block_started_at = self._sent
            self._since = time.monotonic()

    def _mark_dot(self) -> None:
        for slot in (self._current, self._next):
            if slot is not None and slot.phase is Phase.BODY and self._sent >= slot.dot_at:
                slot.phase = Phase.DOT

    def readable(self) -> None:
        if self.gone:
            return
        if self.phase is Phase.CONNECT:
            self.writable()
            return
        if self._handshaking:
            self._handshake()
            return
        try:
            while True:
                data = self.sock.recv(_BLOCK)
                if not data:
                    self._read_replies()
                    self._lose("The server closed the connection.")
                    return
                self._in += data
                if len(data) < _BLOCK and not (isinstance(self.sock, ssl.SSLSocket) and self.sock.pending()):
                    break
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError as problem:
            self._read_replies()
            self._lose(str(problem))
            return
        self._read_replies()

    def _write(self, data: bytes) -> None:
        self._out += data
        self._queued += len(data)

    # --- replies --------------------------------------------------------------------------------------------------

    def _read_replies(self) -> None:
        while not self.gone:
            end = self._in.find(b"\n")
            if end < 0:
                if len(self._in) > _REPLY_LIMIT:
                    self._lose("The server sends a line without an end.")
                return
            line = bytes(self._in[:end]).rstrip(b"\r")
            del self._in[: end + 1]
            found = _REPLY_LINE.match(line)
            if not found:
                self._lose("The server does not speak SMTP.")
                return
            self._reply_lines.append(line)
            if len(self._reply_lines) > 500:
                self._lose("The server sends a reply without an end.")
                return
            if found[2] == b"-":
                continue
            lines, self._reply_lines = self._reply_lines, []
            self._since = time.monotonic()
            self._answer(int(found[1]), lines)
        self.flush()

    def _answer(self, code: int, lines: list[bytes]) -> None:
        text = "\n".join(line[4:].decode("utf-8", "replace") for line in lines)
        if not self.ready:
            self._answer_before_mail(Reply(self.phase, code, text), lines)
            return
        if not self._expect:
            # said without being asked: 421 before closing, as a rule
            self._lose(text or "The server said something nobody asked for.", code=code)
            return
        phase, slot = self._expect.popleft()
        if slot is None:
            if not 200 <= code <= 299 and phase is not Phase.DOT:
                self._lose(text, code=code)
            elif self._current is not None and not self._current.begun:
                self._begin(self._current)
            else:
                self._carry_on()
            return
        assert phase is not None
        slot.heard = True
        reply = Reply(phase if phase is not Phase.DOT else slot.phase, code, text)
        if slot.refused:
            self._after_refusal(slot, phase, code)
            return
        if phase is Phase.DOT:
            self.used = True
            self.events.append(Settled(slot.letter, Reply(Phase.DOT if slot.phase is Phase.DOT else Phase.BODY, code, text)))
            self._retiring = self._retiring or 500 <= code <= 504
            slot.refused = True
            if slot.phase is Phase.BODY or code == 421:
                # an answer in mid-content: what the server makes of the rest is not worth guessing
                self._lose(text, code=0)
                return
            self._current, self._next = self._next, None
            self._carry_on()
            return
        if not reply.ok:
            self._refuse(slot, reply)
            return
        if phase is Phase.DATA:
            self._content(slot)
        else:
            slot.phase = Phase.RCPT if phase is Phase.MAIL else Phase.DATA
            self._go_on(slot)

    def _refuse(self, slot: _Slot, reply: Reply) -> None:
        # a protocol error is tried again on a new connection: this one is used up
        self._retiring = self._retiring or 500 <= reply.code <= 504
        if reply.phase is Phase.MAIL and reply.code == 421 and self.used:
            # enough on this connection, not too much for this letter
            slot.heard = False
            self._lose(reply.text)
            return
        self.events.append(Settled(slot.letter, reply))
        slot.refused = True
        if reply.code == 421:
            self._lose(reply.text, code=0)
            return
        if reply.phase is not Phase.MAIL:
            self._rset = True
        if not any(entry[1] is slot for entry in self._expect):
            self._free(slot)

    def _after_refusal(self, slot: _Slot, phase: Phase, code: int) -> None:
        """An answer to what was pipelined behind a refused command."""
        if slot.detached:
            if phase is Phase.DATA:
                # whether it waits for content or not: this connection must not give it any
                self._lose("The letter went another way.")
            return
        if code == 421:
            self._lose("The server is closing.")
        elif phase is Phase.DATA and 300 <= code <= 399:
            # it waits for content although nobody may get it: an empty one ends the matter (RFC 2920 §3.1)
            self._write(b".\r\n")
            self._expect.append((Phase.DOT, None))
            self._rset = True
            self._free(slot)
        elif phase in (Phase.DATA, Phase.DOT):
            self._rset = True
            self._free(slot)

    def _free(self, slot: _Slot) -> None:
        if slot is self._current:
            self._current, self._next = self._next, None
        self._carry_on()

    def _carry_on(self) -> None:
        if self._retiring and self._current is None and not self._expect:
            self.leave()
            return
        if self._current is not None and not self._current.begun and not self._expect:
            self._begin(self._current)

    # --- commands -------------------------------------------------------------------------------------------------

    def _begin(self, slot: _Slot) -> None:
        if self._rset:
            self._rset = False
            self._write(b"RSET\r\n")
            self._expect.append((Phase.MAIL, None))
            if not self.pipelining:
                return
        slot.begun = True
        self._go_on(slot)

    def _go_on(self, slot: _Slot) -> None:
        while slot.todo:
            phase, command = slot.todo.popleft()
            self._write(command)
            self._expect.append((phase, slot))
            if not self.pipelining:
                return

    def _content(self, slot: _Slot) -> None:
        self._write(as_content(slot.letter.data))
        slot.phase = Phase.BODY
        slot.dot_at = self._queued
        self._expect.append((Phase.DOT, slot))
        if self.pipelining and self._next is not None and not self._next.begun:
            self._begin(self._next)

    # --- before the first letter ----------------------------------------------------------------------------------

    def _enter(self, phase: Phase, command: bytes = b"") -> None:
        self.phase = phase
        self._since = time.monotonic()
        if command:
            self._write(command)
            self.flush()

    def _answer_before_mail(self, reply: Reply, lines: list[bytes]) -> None:
        code = reply.code
        if self.phase is Phase.GREETING:
            if code == 220:
                self._enter(Phase.EHLO, f"EHLO {self.server.hello}\r\n".encode())
            else:
                self._fail(reply.text, code)
        elif self.phase is Phase.EHLO:
            self._after_hello(reply, lines)
        elif self.phase is Phase.STARTTLS:
            if code != 220 or self._in:
                # bytes that arrived before the handshake were not protected by it (RFC 3207 §6)
                self._fail(reply.text, code)
            else:
                self._start_handshake()
        elif self.phase is Phase.AUTH:
            if code == 334 and self._auth_login:
                self._enter(Phase.AUTH, self._auth_login.popleft() + b"\r\n")
            elif 200 <= code <= 299:
                self._now_ready()
            else:
                self._fail(reply.text, code)

    def _after_hello(self, reply: Reply, lines: list[bytes]) -> None:
        if not 200 <= reply.code <= 299:
            if 500 <= reply.code <= 504 and not self._offers:
                self._offers = {"HELO": ""}
                self._enter(Phase.EHLO, f"HELO {self.server.hello}\r\n".encode())
            else:
                self._fail(reply.text, reply.code)
            return
        if "HELO" not in self._offers:
            words = [line[4:].decode("ascii", "replace").strip().upper() for line in lines[1:]]
            self._offers = {word.partition(" ")[0].partition("=")[0]: word.replace("=", " ").partition(" ")[2] for word in words}
        secure = isinstance(self.sock, ssl.SSLSocket)
        if "STARTTLS" in self._offers and not secure and self._context is not None:
            self._enter(Phase.STARTTLS, b"STARTTLS\r\n")
            return
        if not secure and (self.server.tls_required or (self.server.password and not self.server.on_this_machine)):
            self.phase = Phase.STARTTLS
            self._fail("The server offers no TLS, so nothing was sent.")
            return
        if not self.server.password:
            self._now_ready()
            return
        methods = self._offers.get("AUTH", "").split()
        user, password = self.server.user.encode(), self.server.password.encode()
        if "PLAIN" in methods or "LOGIN" not in methods:
            token = base64.b64encode(b"\0" + user + b"\0" + password)
            self._enter(Phase.AUTH, b"AUTH PLAIN " + token + b"\r\n")
        else:
            self._auth_login = deque([base64.b64encode(user), base64.b64encode(password)])
            self._enter(Phase.AUTH, b"AUTH LOGIN\r\n")

    def _now_ready(self) -> None:
        self.ready = True
        self.pipelining = "PIPELINING" in self._offers
        self.takes_size = "SIZE" in self._offers
        self.phase = Phase.MAIL
        self._since = time.monotonic()

    def _start_handshake(self) -> None:
        assert self._context is not None
        self._handshaking = True
        self._since = time.monotonic()
        try:
            self.sock = self._context.wrap_socket(self.sock, server_hostname=self.server.host, do_handshake_on_connect=False)
        except (OSError, ValueError) as problem:
            self._fail(str(problem))
            return
        self._handshake()

    def _handshake(self) -> None:
        assert isinstance(self.sock, ssl.SSLSocket)
        try:
            self.sock.do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError as problem:
            self._fail(str(problem))
            return
        self._handshaking = False
        if self.server.implicit_tls:
            self._enter(Phase.GREETING)
        else:
            self._enter(Phase.EHLO, f"EHLO {self.server.hello}\r\n".encode())

    # --- ends -----------------------------------------------------------------------------------------------------

    def _limit_words(self) -> str:
        phase = self._expect[0][0] if self.ready and self._expect else self.phase
        return f"{self.limits.of(phase or Phase.MAIL):g} s ({phase})"

    def _fail(self, text: str, code: int = LOST) -> None:
        """This line never became ready."""
        if not self.gone:
            self.events.append(LineFailed(Reply(self.phase, code, text)))
            self._close()

    def _lose(self, text: str, code: int = LOST) -> None:
        """The connection is over. Each letter on it is settled by its own phase."""
        if self.gone:
            return
        if not self.ready:
            self._fail(text, code)
            return
        for slot in (self._current, self._next):
            if slot is None or slot.refused:
                continue
            if not slot.heard and slot.phase is Phase.MAIL and (self.used or not slot.begun or slot is self._next):
                # nothing was answered to it: the connection had gone stale before this letter began
                self.stale.append(slot.letter)
            else:
                self.events.append(Settled(slot.letter, Reply(slot.phase, LOST, text)))
        self._current = self._next = None
        self._close()

    def _close(self) -> None:
        self.gone = True
        self.sock.close()


@lru_cache(4)
def _trust(ca_file: str, changed: int) -> ssl.SSLContext:
    """Whom we believe, read once: all certificates of a system take longer than many mails. `changed` tells files of one name apart."""
    context = ssl.create_default_context(cafile=ca_file or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class SmtpCourier:
    """A handful of kept connections to one server, driven by the thread that polls."""

    def __init__(self, server: Server, limits: Limits, lines: int) -> None:
        self._server, self._limits, self._most = server, limits, lines
        self._context = _trust(server.ca_file, Path(server.ca_file).stat().st_mtime_ns if server.ca_file else 0)
        self._selector = selectors.DefaultSelector()
        self._lines: dict[Line, _Registered] = {}
        self._waiting: deque[Letter] = deque()
        self._restarted: dict[object, int] = {}
        self._events: list[Settled | LineFailed] = []

    @property
    def busy(self) -> int:
        return sum(line.load for line in self._lines) + len(self._waiting)

    @property
    def window(self) -> int:
        return self._most * 2 if all(line.pipelining for line in self._lines if line.ready) else self._most

    @property
    def lines(self) -> int:
        return self._most

    def want(self, letters: int) -> None:
        while len(self._lines) < min(self._most, letters):
            line = Line(self._server, self._limits, self._context)
            if line.gone:
                self._events.extend(line.events)
                return
            self._register(line, selectors.EVENT_READ | selectors.EVENT_WRITE)

    def room(self) -> int:
        return max(0, sum(line.room() for line in self._lines) - len(self._waiting))

    def submit(self, letter: Letter) -> None:
        line = min((line for line in self._lines if line.room()), key=lambda line: (line.load, not line.used), default=None)
        if line is None:
            self._waiting.append(letter)
            return
        line.submit(letter)
        self._after(line)

    def poll(self, wait: float) -> list[Settled | LineFailed]:
        if self._waiting:
            self._place_waiting()
        if self._events:
            wait = 0
        if self._lines:
            deadlines = [deadline for line in self._lines if (deadline := line.deadline()) is not None]
            if deadlines:
                wait = max(0.0, min(wait, min(deadlines) - time.monotonic()))
            for key, mask in self._selector.select(wait):
                line: Line = key.data
                if mask & selectors.EVENT_READ:
                    line.readable()
                if mask & selectors.EVENT_WRITE and not line.gone:
                    line.writable()
                self._after(line)
            self._look_at_clocks()
        elif wait and not self._waiting:
            time.sleep(wait)
        events, self._events = self._events, []
        for event in events:
            if isinstance(event, Settled):
                self._restarted.pop(event.letter.key, None)
        return events

    def abandon(self) -> list[Settled]:
        for line in list(self._lines):
            line.abandon()
            self._after(line)
        gone = [Settled(letter, Reply(Phase.MAIL, LOST, "Not begun.")) for letter in self._waiting]
        self._waiting.clear()
        settled = [event for event in self._events if isinstance(event, Settled)] + gone
        self._events.clear()
        return settled

    def close(self) -> None:
        for line in list(self._lines):
            line.leave()
        self._lines.clear()
        self._selector.close()

    def _place_waiting(self) -> None:
        """Letters that met a dying connection begin again, on a new one as long as one can be had."""
        self.want(len(self._lines) + len(self._waiting))
        if not self._lines:
            # no way out any more: nothing has begun for these
            self._events.extend(Settled(letter, Reply(Phase.MAIL, LOST, "Not begun.")) for letter in self._waiting)
            self._waiting.clear()
            return
        all_open = len(self._lines) == self._most and all(line.ready for line in self._lines)
        for line in sorted(self._lines, key=lambda line: (line.load, line.used)):
            if self._waiting and line.room() and (not line.load or all_open):
                line.submit(self._waiting.popleft())
                self._after(line)

    def _look_at_clocks(self) -> None:
        now = time.monotonic()
        for line in list(self._lines):
            if (letter := line.rescue(now)) is not None:
                self._waiting.append(letter)
            deadline = line.deadline()
            if deadline is not None and deadline <= now:
                line.time_out()
            elif line.ready and not line.load and now - line.idle_since() > self._limits.idle:
                line.leave()
            else:
                continue
            self._after(line)

    def _after(self, line: Line) -> None:
        if line.events:
            self._events.extend(line.events)
            line.events.clear()
        if line.stale:
            for letter in line.stale:
                self._restarted[letter.key] = self._restarted.get(letter.key, 0) + 1
                if self._restarted[letter.key] > _RESTARTS:
                    self._events.append(Settled(letter, Reply(Phase.MAIL, LOST, "The server closes before it answers.")))
                else:
                    self._waiting.append(letter)
            line.stale.clear()
        if line.gone:
            self._forget(line)
            return
        mask = selectors.EVENT_READ | (selectors.EVENT_WRITE if line.wants_write() else 0)
        known = self._lines[line]
        if known.sock_number != line.sock_number:
            self._unregister(known)
            self._register(line, mask)
        elif known.mask != mask:
            self._selector.modify(known.fd, mask, line)
            known.mask = mask

    def _register(self, line: Line, mask: int) -> None:
        fd = line.sock.fileno()
        self._selector.register(fd, mask, line)
        self._lines[line] = _Registered(fd, line.sock_number, mask)

    def _unregister(self, known: "_Registered") -> None:
        try:
            self._selector.unregister(known.fd)
        except KeyError:
            pass

    def _forget(self, line: Line) -> None:
        known = self._lines.pop(line, None)
        if known is not None:
            self._unregister(known)


@dataclass(slots=True)
class _Registered:
    fd: int
    sock_number: int
    mask: int


def hello(server: Server, seconds: float) -> str:
    """Connect, greet, encrypt and sign in as the sender would, then take leave. Returns why that failed, or "".

    Raises OSError when the file of certificates cannot be read. What the server says is not repeated: it may name people.
    """
    limits = Limits(*[seconds] * len(Limits.__dataclass_fields__))
    courier = SmtpCourier(server, limits, 1)
    deadline = time.monotonic() + seconds
    try:
        courier.want(1)
        while time.monotonic() < deadline:
            for event in courier.poll(max(0.0, min(0.2, deadline - time.monotonic()))):
                if isinstance(event, LineFailed):
                    said = event.reply.text if event.reply.code == LOST else f"it answered {event.reply.code}"
                    return f"{event.reply.phase}: {said}"
            if courier.room():
                return ""
        return f"no answer within {seconds:g} s"
    finally:
        courier.close()


class SmtpTransport:
    name = "smtp"
    paced = True
    linger = 0.5

    def __init__(self, server: Server, *, limits: Limits | None = None, lines: int = 10) -> None:
        self.server, self.limits, self.lines = server, limits or Limits(), lines

    def courier(self) -> Courier:
        return SmtpCourier(self.server, self.limits, self.lines)
