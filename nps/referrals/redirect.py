"""The referral link in front of Flask: one look into memory, one INSERT, one 302.

`Redirector` is a plain WSGI callable around the application. It answers `GET|HEAD /r/<code>[/<channel>]` of links that
lead somewhere and hands everything else on. The click is durable before the reply: a row, or, when the database is
locked, slow or away, a line of a synced file that a job brings home by the click's id.
"""

import fcntl
import json
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from flask import Flask
from sqlalchemy import Engine

from nps.core import clock, ids, tenancy
from nps.core import db as database
from nps.core.db import db
from nps.core.log import log
from nps.core.settings import Settings
from nps.referrals import queries
from nps.referrals.rules import clicks, codes, destinations
from nps.referrals.rules.advocates import ALLOWS, AdvocateState
from nps.referrals.rules.clicks import Request, Verdict
from nps.referrals.rules.programs import ProgramState
from nps.referrals.service import visitors

Environ = dict[str, Any]
Start = Callable[..., Any]
Wsgi = Callable[[Environ, Start], Iterable[bytes]]

KEEP_SECONDS = 30.0
KEEP_LINKS = 20_000
PATIENCE_MS = 200
RETRY_SECONDS = 1.0
QUERY_MAX = 2048
COLUMNS = (
    "account_id",
    "id",
    "link_id",
    "channel",
    "occurred_at",
    "verdict",
    "signs",
    "device",
    "browser",
    "referrer_host",
    "visitor",
    "ip_hash",
    "ad_bits",
    "fetch_dest",
)


@dataclass(frozen=True, slots=True)
class Target:
    """What a code leads to. `leads` is False where a page of ours answers instead (draft, ended, left, removed)."""

    account_id: UUID
    link_id: UUID
    code: str
    leads: bool
    page: bool
    destination: str
    utm: tuple[tuple[str, str], ...]
    cookie: bool
    keep_first: bool
    window_seconds: int
    strict: bool


def find_target(key: str) -> Target | None:
    """Where the code of this key leads, as the database has it. None for an unknown one. Enters no scope of its own."""
    found = queries.resolve_code(key)
    if found is None:
        return None
    account_id, link_id = found
    with tenancy.account_scope(account_id):
        link = queries.find_link(link_id)
        if link is None:
            return None
        advocate = queries.get_advocate(link.advocate_id)
        program = queries.get_program(advocate.program_id)
        version = queries.version_at(program.id, clock.now())
        runs = program.state in (ProgramState.LIVE, ProgramState.PAUSED)
        redirects = program.landing == "redirect" and destinations.allowed(program.destination_url, queries.verified_hosts())
        return Target(
            account_id=account_id,
            link_id=link_id,
            code=link.code,
            leads=runs and link.retired_at is None and ALLOWS[AdvocateState(advocate.state)].link,
            page=not redirects,
            destination=program.destination_url,
            utm=tuple((str(k), str(v)) for k, v in program.utm.items()),
            cookie=program.cookie == "at_once" and not program.strict,
            keep_first=version.model == "first",
            window_seconds=version.attribution_days * 86_400,
            strict=program.strict,
        )


class Links:
    """Links in memory: 30 seconds, bounded, oldest out first; while the database is away, as long as it takes. Safe for threads."""

    def __init__(self, load: Callable[[str], Target | None]) -> None:
        self._load = load
        self._kept: OrderedDict[str, tuple[float, Target]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: str) -> Target | None:
        known = self._kept.get(key)
        if known is not None and time.monotonic() - known[0] < KEEP_SECONDS:
            return known[1]
        try:
            target = self._load(key)
        except Exception as error:
            if known is None or not database.is_away(error):
                raise
            log.warning("a link is taken from memory", error=type(error).__name__)
            return known[1]
        with self._lock:
            self._kept.pop(key, None)
            if target is not None:
                self._kept[key] = (time.monotonic(), target)
                while len(self._kept) > KEEP_LINKS:
                    self._kept.popitem(last=False)
        return target

    def forget(self) -> None:
        """Ask the database again from now on."""
        with self._lock:
            self._kept.clear()


class Writer:
    """Stores one click in one statement on a connection of its own thread, within 200 ms or not at all."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sqlite = engine.dialect.name == "sqlite"
        self._own = threading.local()
        names = ", ".join(COLUMNS)
        if self._sqlite:
            self._sql = f"INSERT INTO click ({names}) VALUES ({', '.join('?' * len(COLUMNS))})"
        else:
            # The wall of PostgreSQL is told the account in the same statement: one trip, and it holds behind a pooler too.
            self._sql = (
                f"WITH scope AS MATERIALIZED (SELECT set_config('app.account_id', %s, true)) "
                f"INSERT INTO click ({names}) SELECT {', '.join(['%s'] * len(COLUMNS))} FROM scope"
            )

    def insert(self, row: dict[str, Any]) -> bool:
        """False when the click could not be stored; the caller keeps it elsewhere."""
        if time.monotonic() < getattr(self._own, "not_before", 0.0):
            return False
        try:
            connection = getattr(self._own, "connection", None)
            if connection is None:
                connection = self._own.connection = self._connect()
            connection.execute(self._sql, self._values(row))
        except Exception as error:
            self._drop()
            self._own.not_before = time.monotonic() + RETRY_SECONDS
            log.warning("click goes to the spool", error=type(error).__name__)
            return False
        return True

    def _connect(self) -> Any:
        dialect = self._engine.dialect
        given, named = dialect.create_connect_args(self._engine.url)
        if self._sqlite:
            connection = dialect.connect(
                *given, **{**named, "timeout": PATIENCE_MS / 1000, "isolation_level": None, "check_same_thread": False}
            )
            connection.execute("PRAGMA synchronous=NORMAL")
            return connection
        named = {
            **named,
            "autocommit": True,
            "connect_timeout": 1,
            "options": f"-c statement_timeout={PATIENCE_MS} -c lock_timeout={PATIENCE_MS}",
        }
        return dialect.connect(*given, **named)

    def _values(self, row: dict[str, Any]) -> tuple[Any, ...]:
        values = tuple(row[name] for name in COLUMNS)
        if not self._sqlite:
            return (str(row["account_id"]), *values)
        return tuple(_for_sqlite(value) for value in values)

    def _drop(self) -> None:
        connection = self._own.__dict__.pop("connection", None)
        if connection is not None:
            try:
                connection.close()
            except Exception:  # a broken connection may not even close
                log.warning("a click connection did not close")


def _for_sqlite(value: Any) -> Any:
    """A value as SQLAlchemy would have written it, so that both ways read the same rows."""
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
    return value


class Spool:
    """A synced file of clicks that could not be stored. One line a click, JSON."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def append(self, row: dict[str, Any]) -> None:
        """On disk before it returns. Raises OSError when even that fails."""
        line = json.dumps({name: _plain(row[name]) for name in COLUMNS}).encode() + b"\n"
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"clicks-{os.getpid()}.jsonl"
        while True:
            with path.open("ab") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                # The job may have taken the file away between opening and locking it.
                try:
                    same = os.stat(path).st_ino == os.fstat(file.fileno()).st_ino
                except FileNotFoundError:
                    same = False
                if same:
                    file.write(line)
                    file.flush()
                    os.fsync(file.fileno())
                    return


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    return value.isoformat() if isinstance(value, datetime) else value


class Redirector:
    """See the module. `app` is asked for links and salts it does not have in memory."""

    def __init__(self, app: Flask, inner: Wsgi, settings: Settings) -> None:
        self._app = app
        self._inner = inner
        self._base = settings.base_url
        self._secure = settings.secure
        self.links = Links(self._load)
        with app.app_context():
            self.writer = Writer(db.engine)
        self.spool = Spool(settings.files_dir / "spool")
        self._salts: dict[date, str] = {}

    def __call__(self, environ: Environ, start_response: Start) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if not path.startswith("/r/") or environ.get("REQUEST_METHOD") not in ("GET", "HEAD"):
            return self._inner(environ, start_response)
        code, _, channel = path[3:].partition("/")
        key = codes.key(_text(code)) if "/" not in channel else None
        try:
            target = self.links.find(key) if key else None
        except Exception as error:
            # The application asks again, and has a page for what it finds.
            log.warning("no look at a link", error=type(error).__name__)
            target = None
        if target is None or not target.leads:
            return self._inner(environ, start_response)
        return self._answer(environ, start_response, target, codes.channel(_text(channel)))

    def _answer(self, environ: Environ, start_response: Start, target: Target, channel: str) -> Iterable[bytes]:
        query = environ.get("QUERY_STRING", "")[:QUERY_MAX]
        row = self._click(environ, target, channel, query)
        if not self.writer.insert(row):
            try:
                self.spool.append(row)
            except OSError as error:
                # A click that cannot be kept is not answered: the friend tries again, the advocate loses nothing.
                log.error("no place for a click", error=type(error).__name__)
                start_response("503 Service Unavailable", [("Retry-After", "10"), ("Content-Length", "0"), ("Cache-Control", "no-store")])
                return [b""]
        ref = clicks.click_ref(row["id"])
        headers = [
            ("Location", self._location(target, ref, query)),
            ("Content-Length", "0"),
            ("Cache-Control", "no-store, private"),
            ("X-Robots-Tag", "noindex, nofollow"),
            ("Referrer-Policy", "strict-origin-when-cross-origin"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        if self._secure:
            headers.append(("Strict-Transport-Security", "max-age=63072000; includeSubDomains"))
        has_one = "wb_click=" in environ.get("HTTP_COOKIE", "")
        if target.cookie and row["verdict"] != Verdict.BOT and not (target.keep_first and has_one):
            secure = "; Secure" if self._secure else ""
            headers.append(("Set-Cookie", f"wb_click={ref}; Path=/; Max-Age={target.window_seconds}; SameSite=Lax{secure}"))
        start_response("302 Found", headers)
        return [b""]

    def _click(self, environ: Environ, target: Target, channel: str, query: str) -> dict[str, Any]:
        now = clock.now()
        agent = environ.get("HTTP_USER_AGENT", "")[:400]
        dest = environ.get("HTTP_SEC_FETCH_DEST", "")[:20]
        purpose = environ.get("HTTP_SEC_PURPOSE", "") or environ.get("HTTP_PURPOSE", "") or environ.get("HTTP_X_PURPOSE", "")
        verdict, signs = clicks.judge(Request(environ["REQUEST_METHOD"], agent, purpose, dest))
        salt = "" if target.strict else self._salt(now)
        address = environ.get("REMOTE_ADDR", "")
        return {
            "account_id": target.account_id,
            "id": ids.new_id(),
            "link_id": target.link_id,
            "channel": channel,
            "occurred_at": now,
            "verdict": verdict.value,
            "signs": int(signs),
            "device": "" if target.strict else clicks.device(agent),
            "browser": "" if target.strict else clicks.browser(agent),
            "referrer_host": _host(environ.get("HTTP_REFERER", "")),
            "visitor": visitors.visitor_hash(salt, target.account_id, address, agent),
            "ip_hash": visitors.ip_hash(salt, address),
            "ad_bits": clicks.ad_bits(name for name, _ in _pairs(query)),
            "fetch_dest": dest,
        }

    def _location(self, target: Target, ref: str, query: str) -> str:
        if target.page:
            return f"{self._base}/f/{target.code}?wb_click={ref}"
        to = next((value for name, value in _pairs(query) if name == "to"), None)
        return destinations.build(target.destination, to, {"wb_click": ref, "via": target.code, **dict(target.utm)})

    def _salt(self, now: datetime) -> str:
        """Today's salt, kept in memory for the day. Without a database there is no visitor hash, but still a click."""
        day = now.date()
        known = self._salts.get(day)
        if known:
            return known
        try:
            salt: str = self._ask(lambda: visitors.salt_for(now), write=True)
        except Exception as error:
            log.warning("no salt for visitor hashes", error=type(error).__name__)
            return ""
        self._salts = {day: salt}
        return salt

    def _load(self, key: str) -> Target | None:
        found: Target | None = self._ask(lambda: find_target(key), write=False)
        return found

    def _ask(self, question: Callable[[], Any], *, write: bool) -> Any:
        """One short unit of work of its own, away from whatever request is running."""
        with self._app.app_context():
            try:
                with database.unit(write=write):
                    return question()
            finally:
                db.session.remove()
                tenancy.leave()


def _text(part: str) -> str:
    """A path segment as text: WSGI hands bytes in Latin-1 clothes."""
    raw: bytes = part.encode("latin-1", "replace")
    return raw.decode("utf-8", "replace")


def _pairs(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, keep_blank_values=True, errors="replace", max_num_fields=100)
    except ValueError:
        return []


def _host(referrer: str) -> str:
    try:
        return (urlsplit(referrer[:QUERY_MAX]).hostname or "")[:120]
    except ValueError:
        return ""


def install(app: Flask, settings: Settings) -> Redirector:
    """Put the redirect in front of the application."""
    made = Redirector(app, app.wsgi_app, settings)
    app.wsgi_app = made  # type: ignore[method-assign]
    app.extensions["redirector"] = made
    return made
