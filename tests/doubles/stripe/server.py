"""The running double: one Flask app on loopback, in a thread of a test or as a process of the demo."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from typing import Any

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.doubles.stripe import control, seed
from tests.doubles.stripe.api import Api
from tests.doubles.stripe.control import Control
from tests.doubles.stripe.pages import Pages
from tests.doubles.stripe.state import Obj, Store
from tests.doubles.stripe.webhooks import Deliverer, Send


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        """Say nothing: a broken connection is often what a test asked for."""


class _Doors:
    """The addresses of a double. Making them takes longer than most tests, so the next double takes over those of one that has ended."""

    def __init__(self, parts: tuple[Api, Pages, Control]) -> None:
        self.app, self.parts = Flask(__name__), parts
        for part in parts:
            part.register(self.app)

    def lead_to(self, parts: tuple[Api, Pages, Control]) -> None:
        """From now on to what these parts know."""
        for ours, given in zip(self.parts, parts, strict=True):
            vars(ours).update(vars(given))


_SPARE: list[_Doors] = []


class StripeDouble:
    """A stand-in for Stripe on 127.0.0.1.

    >>> with StripeDouble() as double:
    ...     client = StripeClient(double.key, base_addresses={"api": double.url})

    `key` belongs to the first account (ours), `customer_key` to the second (a customer's shop).
    With `deliver` webhooks go to that function instead of the network; they are then sent only by `deliver_all()`.
    """

    def __init__(self, *, port: int = 0, state: str = ":memory:", deliver: Send | None = None, automatic: bool | None = None) -> None:
        self.store = Store(state)
        control.start_accounts(self.store)
        self._deliverer = Deliverer(self.store, lambda: self.url, deliver, automatic=deliver is None if automatic is None else automatic)
        parts = (
            Api(self.store, lambda: self.url, self._deliverer.wake),
            Pages(self.store, lambda: self.url, self._deliverer.wake),
            Control(self.store, lambda: self.url, self._deliverer),
        )
        self._doors = _SPARE.pop() if _SPARE else _Doors(parts)
        self._doors.lead_to(parts)
        self._server = make_server("127.0.0.1", port, self._doors.app, threaded=True, request_handler=_Quiet)
        self._server.log = lambda *args, **kwargs: None  # type: ignore[method-assign]
        self._server.daemon_threads = True  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.store.moved_to(self.url)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="stripe-double", daemon=True
        )
        self._running = False

    def start(self) -> StripeDouble:
        if not self._running:
            self._running = True
            self._thread.start()
            self._deliverer.start()
        return self

    def close(self) -> None:
        """Stop serving and delivering; the state file stays."""
        if self._running:
            self._running = False
            self._server.shutdown()
            self._deliverer.stop()
            self._thread.join(timeout=5)
        self._server.server_close()
        self.store.close()
        _SPARE.append(self._doors)

    def __enter__(self) -> StripeDouble:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.close()

    # -- who -------------------------------------------------------------------------------------

    @property
    def key(self) -> str:
        return seed.key_of(self.store, self.store.accounts()[0]["id"])

    @property
    def customer_key(self) -> str:
        return seed.key_of(self.store, self.store.accounts()[1]["id"])

    # -- control: thin wrappers of `/_double/`, see control.py ------------------------------------

    def control(self, path: str, body: Obj | None = None, *, method: str | None = None) -> Any:
        """Call `/_double/<path>`; raises ValueError with the words of a refusal."""
        data = json.dumps(body or {}).encode() if method != "GET" and (body is not None or method == "POST") else None
        asked = urllib.request.Request(
            f"{self.url}/_double/{path}", data, {"Content-Type": "application/json"}, method=method or ("POST" if data else "GET")
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(asked, timeout=60) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                raise ValueError(error.read().decode()) from None

    def seed(self, company: str | None = None) -> Obj:
        return dict(self.control("seed", {"company": company} if company else {}))

    def webhook(self, url: str, account: str | None = None) -> Obj:
        """An endpoint for everything, kept under this name over restarts: `id`, `secret`, `url`."""
        return dict(self.control("webhook", {"url": url, "account": account}))

    def clock(self, **change: Any) -> Obj:
        """`set=`, `advance=` seconds, `run=True`, `sign="wall"|"clock"`; without any: what time it is."""
        return dict(self.control("clock", change or None))

    def pay(self, session: str, **how: Any) -> Obj:
        return dict(self.control(f"sessions/{session}/pay", how))

    def settle(self, session_or_intent: str, *, ok: bool = True) -> Obj:
        kind = "payment_intents" if session_or_intent.startswith("pi_") else "sessions"
        return dict(self.control(f"{kind}/{session_or_intent}/settle", {"ok": ok}))

    def refund(self, **what: Any) -> Obj:
        return dict(self.control("refunds", what))

    def set_refund(self, refund: str, status: str) -> Obj:
        return dict(self.control(f"refunds/{refund}", {"status": status}))

    def dispute(self, **what: Any) -> Obj:
        return dict(self.control("disputes", what))

    def set_dispute(self, dispute: str, status: str) -> Obj:
        return dict(self.control(f"disputes/{dispute}", {"status": status}))

    def fraud_warning(self, **what: Any) -> Obj:
        return dict(self.control("early_fraud_warnings", what))

    def card(self, customer: str, card: str, number: str | None = None) -> Obj:
        return dict(self.control(f"customers/{customer}/card", {"card": card, "number": number}))

    def fail(self, **fault: Any) -> list[Obj]:
        return list(self.control("faults", fault))

    def delivery(self, endpoint: str, mode: str = "normal", **switches: Any) -> Obj:
        return dict(self.control(f"endpoints/{endpoint}/delivery", {"mode": mode, **switches}))

    def held(self, endpoint: str) -> list[Obj]:
        return list(self.control(f"endpoints/{endpoint}/held"))

    def release(self, endpoint: str, **which: Any) -> list[Obj]:
        return list(self.control(f"endpoints/{endpoint}/release", which))

    def roll_secret(self, endpoint: str, *, expire_old: bool = False) -> Obj:
        return dict(self.control(f"endpoints/{endpoint}/roll", {"expire_old": expire_old}))

    def redeliver(self, event: str, n: int = 1, endpoint: str | None = None) -> list[Obj]:
        return list(self.control(f"events/{event}/redeliver", {"n": n, "endpoint": endpoint}))

    def signed(self, event: str, endpoint: str) -> tuple[bytes, dict[str, str]]:
        """Body and headers of an event as the endpoint would get them."""
        answer = self.control(f"events/{event}/signed?endpoint={endpoint}")
        return answer["body"].encode(), answer["headers"]

    def deliver_all(self) -> int:
        """Send everything due, in the calling thread, before returning. The number of requests made."""
        return self._deliverer.drain()

    def deliveries(self) -> list[Obj]:
        return list(self.control("deliveries"))

    def requests(self, path: str = "", method: str = "") -> list[Obj]:
        return list(self.control(f"requests?path={path}&method={method}"))

    def emit(self, type: str, **what: Any) -> Obj:
        return dict(self.control("emit", {"type": type, **what}))

    def account(self, **p: Any) -> Obj:
        return dict(self.control("accounts", p))

    def reset(self) -> None:
        self.control("reset", {})

    def dump(self) -> Obj:
        return dict(self.control("dump"))

    def load(self, state: Obj) -> None:
        self.control("load", state)
