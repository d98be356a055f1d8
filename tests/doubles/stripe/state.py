"""Everything the double remembers: one SQLite file (or memory), one clock, counted ids.

Objects are stored as the JSON Stripe would return. Fields whose name starts with an underscore are
the double's own memory and never leave it. One lock covers a whole request, so the order of counted
ids, and with it a whole run, can be repeated.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

Obj = dict[str, Any]

SCHEMA = """
create table if not exists thing (seq integer primary key, account text not null, kind text not null, id text not null,
  body text not null, unique (account, kind, id));
create index if not exists thing_by_id on thing (id);
create table if not exists counter (prefix text primary key, n integer not null);
create table if not exists account (id text primary key, body text not null);
create table if not exists api_key (key text primary key, account text not null, rights text);
create table if not exists idempotency (account text, key text, path text, params text, status integer, body text, created integer,
  primary key (account, key));
create table if not exists delivery (seq integer primary key, account text, endpoint text, event text, state text not null,
  attempts integer not null default 0, due integer, status integer, error text);
create table if not exists seen (seq integer primary key, body text not null);
create table if not exists fault (seq integer primary key, body text not null);
create table if not exists setting (name text primary key, value text not null);
"""
TABLES = ("thing", "counter", "account", "api_key", "idempotency", "delivery", "seen", "fault", "setting")


class Store:
    """The state file, its lock and the double's clock. All times are Unix seconds."""

    def __init__(self, path: str = ":memory:") -> None:
        self.lock = threading.RLock()
        self.db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self.db.executescript(SCHEMA)
        self._depth = 0
        self._at: int | None = None

    def close(self) -> None:
        with self.lock:
            self.db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One change, whole or not at all. May be nested; only the outermost one commits."""
        with self.lock:
            if self._depth == 0:
                self.db.execute("begin immediate")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self.db.execute("rollback")
                raise
            self._depth -= 1
            if self._depth == 0:
                self.db.execute("commit")

    # -- clock -----------------------------------------------------------------------------------

    def now(self) -> int:
        """The double's time: a frozen instant, or the wall clock plus what was advanced."""
        with self.lock:  # another thread may be living through a renewal
            if self._at is not None:
                return self._at
            frozen = self.setting("clock.frozen")
            return int(frozen) if frozen is not None else int(time.time()) + int(self.setting("clock.offset", 0))

    @contextmanager
    def at(self, moment: int) -> Iterator[None]:
        """Let everything inside happen at `moment`, as a renewal does while the clock is advanced over it."""
        before, self._at = self._at, moment
        try:
            yield
        finally:
            self._at = before

    def setting(self, name: str, default: Any = None) -> Any:
        with self.lock:
            row = self.db.execute("select value from setting where name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else default

    def set_setting(self, name: str, value: Any) -> None:
        with self.lock:
            if value is None:
                self.db.execute("delete from setting where name = ?", (name,))
            else:
                self.db.execute("insert or replace into setting values (?, ?)", (name, json.dumps(value)))

    # -- ids and objects -------------------------------------------------------------------------

    def count(self, prefix: str) -> int:
        with self.lock:
            self.db.execute("insert into counter values (?, 1) on conflict (prefix) do update set n = n + 1", (prefix,))
            return int(self.db.execute("select n from counter where prefix = ?", (prefix,)).fetchone()[0])

    def new_id(self, prefix: str) -> str:
        """`cus` gives `cus_1`, `cus_2`, ...: counted, so that a run can be repeated."""
        return f"{prefix}_{self.count(prefix)}"

    def put(self, account: str, kind: str, body: Obj) -> Obj:
        with self.lock:
            self.db.execute(
                "insert into thing (account, kind, id, body) values (?, ?, ?, ?) "
                "on conflict (account, kind, id) do update set body = excluded.body",
                (account, kind, body["id"], json.dumps(body)),
            )
        return body

    def get(self, account: str, kind: str, id_: str) -> Obj | None:
        with self.lock:
            row = self.db.execute("select body from thing where account = ? and kind = ? and id = ?", (account, kind, id_)).fetchone()
        return json.loads(row[0]) if row else None

    def find(self, id_: str, account: str | None = None) -> tuple[str, str, Obj] | None:
        """(account, kind, object) of an id, whatever its kind."""
        with self.lock:
            rows = self.db.execute("select account, kind, body from thing where id = ?", (id_,)).fetchall()
        for owner, kind, body in rows:
            if account in (None, owner):
                return owner, kind, json.loads(body)
        return None

    def all(self, account: str, kind: str) -> list[Obj]:
        """Every object of a kind, newest first."""
        with self.lock:
            rows = self.db.execute("select body from thing where account = ? and kind = ? order by seq desc", (account, kind)).fetchall()
        return [json.loads(row[0]) for row in rows]

    # -- accounts --------------------------------------------------------------------------------

    def accounts(self) -> list[Obj]:
        with self.lock:
            return [json.loads(row[0]) for row in self.db.execute("select body from account order by rowid")]

    def account(self, id_: str) -> Obj | None:
        return next((a for a in self.accounts() if a["id"] == id_), None)

    def put_account(self, body: Obj) -> None:
        with self.lock:
            self.db.execute(
                "insert into account values (?, ?) on conflict (id) do update set body = excluded.body", (body["id"], json.dumps(body))
            )

    def key(self, key: str) -> tuple[str, dict[str, str] | None] | None:
        """(account, rights) of an API key; rights None means everything."""
        with self.lock:
            row = self.db.execute("select account, rights from api_key where key = ?", (key,)).fetchone()
        return (row[0], json.loads(row[1]) if row[1] else None) if row else None

    def put_key(self, key: str, account: str, rights: dict[str, str] | None = None) -> None:
        with self.lock:
            self.db.execute("insert or replace into api_key values (?, ?, ?)", (key, account, json.dumps(rights) if rights else None))

    def moved_to(self, url: str) -> None:
        """A kept state is served at a new address: its own links follow."""
        before = self.setting("base_url")
        if before and before != url:
            with self.transaction():
                self.db.execute("update thing set body = replace(body, ?, ?)", (f'"{before}/', f'"{url}/'))
        self.set_setting("base_url", url)

    # -- whole state -----------------------------------------------------------------------------

    def dump(self) -> dict[str, list[list[Any]]]:
        with self.lock:
            return {table: [list(row) for row in self.db.execute(f"select * from {table}")] for table in TABLES}

    def load(self, state: dict[str, list[list[Any]]]) -> None:
        with self.transaction():
            self.clear()
            for table in TABLES:
                for row in state.get(table, []):
                    self.db.execute(f"insert into {table} values ({', '.join('?' * len(row))})", row)

    def clear(self) -> None:
        with self.transaction():
            for table in TABLES:
                self.db.execute(f"delete from {table}")
