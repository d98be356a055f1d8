"""Webhooks: signed bodies, sent in order or in any disorder a test asks for. Loopback addresses only."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import ipaddress
import json
import threading
import time
import traceback
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

from tests.doubles.stripe import clock
from tests.doubles.stripe.desk import Desk
from tests.doubles.stripe.rules import ApiError
from tests.doubles.stripe.state import Obj, Store

# Seconds of the double's clock between attempts, about three days in all.
RETRIES = (300, 1800, 7200, 18000, 36000, 43200, 43200, 43200, 43200)
MODES = ("normal", "duplicate", "shuffle", "delay", "drop", "hold")
T = TypeVar("T")
# (url, body, headers) -> HTTP status
Send = Callable[[str, bytes, dict[str, str]], int]


def signature(secret: str, timestamp: int, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or host.endswith(".localhost") or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def post(url: str, body: bytes, headers: dict[str, str]) -> int:
    """Send over loopback; redirects are not followed, as with the real thing."""
    parts = urlsplit(url)
    host = "127.0.0.1" if (parts.hostname or "").endswith("localhost") else str(parts.hostname)
    connection = http.client.HTTPConnection(host, parts.port or 80, timeout=20)
    try:
        connection.request(
            "POST", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), body, {**headers, "Host": parts.netloc}
        )
        return connection.getresponse().status
    finally:
        connection.close()


class Deliverer:
    """Works the delivery rows off, in its own thread or (`automatic=False`) when asked to."""

    def __init__(self, store: Store, base_url: Callable[[], str], send: Send | None = None, *, automatic: bool = True) -> None:
        self.store, self.base_url, self.send = store, base_url, send or post
        self.loopback_only = send is None
        self.automatic = automatic
        self._wake, self._stop, self._pass = threading.Event(), threading.Event(), threading.RLock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        if self.automatic:
            self._thread = threading.Thread(target=self._run, name="stripe-double-webhooks", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._wake.set()
        if self._thread:
            self._thread.join(timeout=25)

    def wake(self) -> None:
        self._wake.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(1.0)
            self._wake.clear()
            if self._stop.is_set():
                return
            try:
                if self.store.setting("clock.frozen") is None:
                    clock.catch_up(self.store, self.base_url())
                self.drain()
            except Exception:  # one bad step must not end deliveries for the rest of the run
                traceback.print_exc()

    # -- one pass --------------------------------------------------------------------------------

    def drain(self) -> int:
        """Send everything that is due now. Returns the number of requests made."""
        sent = 0
        with self._pass:
            while not self._stop.is_set():
                with self.store.lock:
                    row = self.store.db.execute(
                        "select seq, account, endpoint, event, attempts from delivery "
                        "where state = 'queued' and due <= ? order by due, seq limit 1",
                        (self.store.now(),),
                    ).fetchone()
                if row is None:
                    return sent
                sent += self._handle(*row)
        return sent

    def _handle(self, seq: int, account: str, endpoint_id: str, event_id: str, attempts: int) -> int:
        endpoint = self.store.get(account, "webhook_endpoint", endpoint_id)
        if endpoint is None or endpoint.get("_deleted") or endpoint["status"] != "enabled":
            self._set(seq, "dropped", error="endpoint gone or disabled")
            return 0
        delivery = endpoint["_delivery"]
        mode = delivery["mode"]
        if mode == "drop":
            self._set(seq, "dropped")
            return 0
        if mode == "hold":
            self._set(seq, "held")
            return 0
        if mode == "shuffle":
            self._set(seq, "held")
            waiting = [int(r["delivery"]) for r in self.held(endpoint_id)]
            if len(waiting) < delivery.get("n", 3):
                return 0
            return sum(self.transmit(s) for s in mixed(waiting))
        if mode == "delay" and attempts == 0:
            with self.store.transaction():
                self.store.db.execute(
                    "update delivery set attempts = -1, due = ? where seq = ?", (self.store.now() + delivery.get("seconds", 60), seq)
                )
            return 0
        return sum(self.transmit(seq) for _ in range(delivery.get("n", 2) if mode == "duplicate" else 1))

    def transmit(self, seq: int) -> int:
        """Send one delivery row once and note the outcome. Returns 1 when a request was made."""
        with self.store.lock:
            account, endpoint_id, event_id, attempts = self.store.db.execute(
                "select account, endpoint, event, attempts from delivery where seq = ?", (seq,)
            ).fetchone()
        status, error = self.send_event(account, endpoint_id, event_id)
        ok = status is not None and 200 <= status < 300
        attempts = max(attempts, 0) + 1
        with self.store.transaction():
            if ok:
                self._set(seq, "sent", attempts, status)
                event = self.store.get(account, "event", event_id)
                if event and event["pending_webhooks"]:
                    self.store.put(account, "event", {**event, "pending_webhooks": event["pending_webhooks"] - 1})
            elif error == "refused":
                self._set(seq, "refused", attempts, error="only loopback addresses are called")
            elif attempts <= len(RETRIES):
                self._set(seq, "queued", attempts, status, error, self.store.now() + RETRIES[attempts - 1])
            else:
                self._set(seq, "failed", attempts, status, error)
        return 0 if error == "refused" else 1

    def _set(
        self, seq: int, state: str, attempts: int | None = None, status: int | None = None, error: str | None = None, due: int | None = None
    ) -> None:
        with self.store.transaction():
            self.store.db.execute(
                "update delivery set state = ?, attempts = coalesce(?, attempts), status = ?, error = ?, "
                "due = coalesce(?, due) where seq = ?",
                (state, attempts, status, error, due, seq),
            )

    def send_event(self, account: str, endpoint_id: str, event_id: str) -> tuple[int | None, str | None]:
        endpoint = self.store.get(account, "webhook_endpoint", endpoint_id)
        assert endpoint is not None
        if self.loopback_only and not is_loopback(endpoint["url"]):
            return None, "refused"
        body, headers = self.signed(endpoint, event_id)
        try:
            return self.send(endpoint["url"], body, headers), None
        except (OSError, http.client.HTTPException) as error:
            return None, repr(error)

    def signed(self, endpoint: Obj, event_id: str) -> tuple[bytes, dict[str, str]]:
        """Body and headers of an event for this endpoint, with its delivery switches applied."""
        found = self.store.find(event_id)
        if found is None or found[1] != "event":
            raise ApiError(404, f"No such event: '{event_id}'", param="id", code="resource_missing")
        delivery = endpoint["_delivery"]
        event = {**found[2], "api_version": delivery.get("api_version") or endpoint["api_version"]}
        body = json.dumps(event, indent=2).encode()
        stamp = (self.store.now() if self.store.setting("clock.sign") == "clock" else int(time.time())) + int(delivery.get("shift") or 0)
        secrets = (
            [endpoint["_old_secret"] or "whsec_of_another_endpoint"]
            if delivery.get("sign") == "old"
            else [endpoint["_secret"], endpoint["_old_secret"]]
        )
        parts = [
            f"t={stamp}",
            *(f"v1={signature(secret, stamp, body)}" for secret in secrets if secret),
            f"v0={signature('v0', stamp, body)}",
        ]
        return body, {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (double)",
            "Stripe-Signature": ",".join(parts),
        }

    # -- held deliveries -------------------------------------------------------------------------

    def held(self, endpoint_id: str) -> list[Obj]:
        with self.store.lock:
            rows = self.store.db.execute(
                "select seq, account, event from delivery where endpoint = ? and state = 'held' order by seq", (endpoint_id,)
            ).fetchall()
        return [
            {"delivery": seq, "event": event, "type": (self.store.get(account, "event", event) or {}).get("type")}
            for seq, account, event in rows
        ]

    def release(
        self, endpoint_id: str, *, event: str | None = None, type_: str | None = None, n: int | None = None, order: str = "fifo"
    ) -> list[Obj]:
        """Send held deliveries now: those of an event id or type, at most `n`, in `fifo`, `lifo` or `shuffle` order."""
        self.drain()
        rows = [r for r in self.held(endpoint_id) if (event is None or r["event"] == event) and (type_ is None or r["type"] == type_)]
        if order == "lifo":
            rows.reverse()
        elif order == "shuffle":
            rows = mixed(rows)
        out = []
        with self._pass:
            for row in rows[:n]:
                self.transmit(row["delivery"])
                with self.store.lock:
                    state, status = self.store.db.execute("select state, status from delivery where seq = ?", (row["delivery"],)).fetchone()
                out.append({**row, "state": state, "status": status})
        return out

    def redeliver(self, event_id: str, n: int = 1, endpoint_id: str | None = None) -> list[Obj]:
        """Send an event again, `n` times, to one endpoint or to all enabled ones of its account."""
        found = self.store.find(event_id)
        if found is None or found[1] != "event":
            raise ApiError(404, f"No such event: '{event_id}'", param="id", code="resource_missing")
        desk = Desk(self.store, found[0])
        endpoints = [e["id"] for e in desk.all("webhook_endpoint") if e["status"] == "enabled" and endpoint_id in (None, e["id"])]
        out = []
        with self._pass:
            for endpoint in endpoints:
                for _ in range(n):
                    status, error = self.send_event(found[0], endpoint, event_id)
                    out.append({"endpoint": endpoint, "status": status, "error": error})
        return out


def mixed(rows: list[T]) -> list[T]:
    """A fixed disorder: last, first, second last, second, ... The same every time, so runs repeat."""
    rows, out = list(rows), []
    while rows:
        out.append(rows.pop())
        if rows:
            out.append(rows.pop(0))
    return out
