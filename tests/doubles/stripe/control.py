"""Control under `/_double/`: what a test or the demo does that no merchant could.

Bodies and answers are JSON. An object is named by its id; its account follows from it. Where an account
is needed it is `account` in the body, by default the first one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, request

from tests.doubles.stripe import billing, checkout, clock, objects, payments
from tests.doubles.stripe.desk import Desk, public
from tests.doubles.stripe.pages import set_card
from tests.doubles.stripe.rules import PINNED_VERSION, ApiError
from tests.doubles.stripe.seed import key_of, seed
from tests.doubles.stripe.state import Obj, Store
from tests.doubles.stripe.webhooks import MODES, Deliverer

FAULTS = ("status", "slow", "work_slowly", "timeout", "reset", "reset_after")


def start_accounts(store: Store) -> None:
    """The two accounts every fresh double has: ours, and one customer's."""
    if store.accounts():
        return
    with store.transaction():
        add_account(
            store, {"name": "Wordback", "keys": [{"key": "sk_test_double_1"}, {"key": "rk_test_double_1_read", "rights": {"*": "read"}}]}
        )
        add_account(store, {"name": "Larkfield", "keys": [{"key": "sk_test_double_2"}]})


def add_account(store: Store, p: Obj) -> Obj:
    id_ = store.new_id("acct")
    store.put_account(objects.account(id_, p, store.now()))
    for given in p.get("keys") or [{"key": f"sk_test_double_{id_.split('_')[-1]}"}]:
        if not given["key"].startswith(("sk_test_", "rk_test_")):
            raise ApiError(400, "Only test keys (sk_test_, rk_test_) exist here.", param="keys")
        store.put_key(given["key"], id_, given.get("rights"))
    return {"id": id_, "key": key_of(store, id_)}


class Control:
    def __init__(self, store: Store, base_url: Callable[[], str], deliverer: Deliverer) -> None:
        self.store, self.base_url, self.deliverer = store, base_url, deliverer

    def register(self, app: Flask) -> None:
        for path, methods, action in (
            ("", ["GET"], self.info),
            ("clock", ["GET", "POST"], self.clock),
            ("accounts", ["GET", "POST"], self.accounts),
            ("accounts/<id>", ["POST"], self.account),
            ("sessions/<id>/pay", ["POST"], self.pay),
            ("sessions/<id>/settle", ["POST"], self.settle),
            ("sessions/<id>/expire", ["POST"], self.expire),
            ("payment_intents/<id>/settle", ["POST"], self.settle),
            ("refunds", ["POST"], self.refund),
            ("refunds/<id>", ["POST"], self.refund_status),
            ("disputes", ["POST"], self.dispute),
            ("disputes/<id>", ["POST"], self.dispute_status),
            ("early_fraud_warnings", ["POST"], self.warning),
            ("customers/<id>/card", ["POST"], self.card),
            ("subscriptions/<id>/<action>", ["POST"], self.subscription),
            ("emit", ["POST"], self.emit),
            ("faults", ["GET", "POST", "DELETE"], self.faults),
            ("webhook", ["POST"], self.webhook),
            ("endpoints", ["GET"], self.endpoints),
            ("endpoints/<id>/delivery", ["POST"], self.delivery),
            ("endpoints/<id>/held", ["GET"], self.held),
            ("endpoints/<id>/release", ["POST"], self.release),
            ("endpoints/<id>/roll", ["POST"], self.roll),
            ("deliver", ["POST"], self.deliver),
            ("deliveries", ["GET"], self.deliveries),
            ("events/<id>/redeliver", ["POST"], self.redeliver),
            ("events/<id>/signed", ["GET"], self.signed),
            ("requests", ["GET", "DELETE"], self.requests),
            ("reset", ["POST"], self.reset),
            ("dump", ["GET"], self.dump),
            ("load", ["POST"], self.load),
            ("seed", ["POST"], self.seed),
        ):
            app.add_url_rule(f"/_double/{path}", f"control {path}", self._view(action), methods=methods)

    def _view(self, action: Callable[..., Any]) -> Callable[..., Response]:
        def view(**ids: str) -> Response:
            try:
                answer: Any = action(request.get_json(silent=True) or {}, **ids)
                status = 200
            except ApiError as error:
                answer, status = {"error": error.error}, error.status
            except (KeyError, TypeError, ValueError) as error:
                answer, status = {"error": {"message": f"Wrong control request: {error!r}"}}, 400
            self.deliverer.wake()
            return Response(json.dumps(answer), status, {"Content-Type": "application/json"})

        return view

    def _desk(self, id_: str, *kinds: str) -> tuple[Desk, Obj]:
        found = self.store.find(id_)
        if found is None or (kinds and found[1] not in kinds):
            raise ApiError(404, f"No such {' or '.join(kinds) or 'object'}: '{id_}'", param="id", code="resource_missing")
        return Desk(self.store, found[0], base_url=self.base_url()), found[2]

    # -- state, accounts, clock ------------------------------------------------------------------

    def info(self, p: Obj) -> Obj:
        with self.store.lock:
            keys = [
                {"key": k, "account": a, "rights": json.loads(r) if r else None}
                for k, a, r in self.store.db.execute("select * from api_key order by rowid")
            ]
        return {
            "url": self.base_url(),
            "api_version": PINNED_VERSION,
            "now": self.store.now(),
            "frozen": self.store.setting("clock.frozen") is not None,
            "keys": keys,
        }

    def clock(self, p: Obj) -> Obj:
        """`set` (stops the clock there, may go back), `advance` (with all that falls due), `run` (true: real time again), `sign`."""
        with self.store.lock:
            if p.get("sign"):
                if p["sign"] not in ("wall", "clock"):
                    raise ApiError(400, "sign is wall or clock", param="sign")
                self.store.set_setting("clock.sign", p["sign"])
            if p.get("run"):
                self.store.set_setting("clock.frozen", None)
                self.store.set_setting("clock.offset", 0)
            if "set" in p:
                forward = self.store.setting("clock.frozen") is not None and int(p["set"]) > self.store.now()
                done = clock.advance(self.store, self.base_url(), to=int(p["set"])) if forward else 0
                self.store.set_setting("clock.frozen", int(p["set"]))
            else:
                done = clock.advance(self.store, self.base_url(), to=self.store.now() + int(p["advance"])) if p.get("advance") else 0
            return {"now": self.store.now(), "frozen": self.store.setting("clock.frozen") is not None, "done": done}

    def accounts(self, p: Obj) -> Any:
        if request.method == "GET":
            return [
                {"id": a["id"], "name": a["business_profile"]["name"], "key": key_of(self.store, a["id"])} for a in self.store.accounts()
            ]
        with self.store.transaction():
            return add_account(self.store, p)

    def account(self, p: Obj, id: str) -> Obj:
        """`tax_percent`, `after_dunning` (cancel, unpaid, past_due), `default_currency`, `keys` (more of them)."""
        with self.store.transaction():
            body = self.store.account(id)
            if body is None:
                raise ApiError(404, f"No such account: '{id}'")
            self.store.put_account({**body, **{f"_{n}": p[n] for n in ("tax_percent", "after_dunning", "default_currency") if n in p}})
            for given in p.get("keys") or []:
                self.store.put_key(given["key"], id, given.get("rights"))
            return {"id": id}

    def reset(self, p: Obj) -> Obj:
        with self.store.transaction():
            self.store.clear()
        start_accounts(self.store)
        self.store.moved_to(self.base_url())
        return {"reset": True}

    def dump(self, p: Obj) -> Obj:
        return dict(self.store.dump())

    def load(self, p: Obj) -> Obj:
        self.store.load(p)
        self.store.moved_to(self.base_url())
        return {"loaded": True}

    def seed(self, p: Obj) -> Obj:
        return seed(self.store, self.base_url(), **({"company": p["company"]} if p.get("company") else {}))

    # -- money -----------------------------------------------------------------------------------

    def pay(self, p: Obj, id: str) -> Obj:
        """`card` works, declined, later or fails_later; `email`, `name`, `address`, `promotion_code`, card `number`."""
        with self.store.transaction():
            desk, session = self._desk(id, "checkout.session")
            if p.get("promotion_code"):
                wrong = checkout.apply_code(desk, session, p["promotion_code"])
                if wrong:
                    raise ApiError(400, wrong, param="promotion_code")
            card = p.get("card", "works")
            if card not in objects.CARDS:
                raise ApiError(400, f"card is one of {', '.join(objects.CARDS)}", param="card")
            checkout.complete(
                desk,
                session,
                email=p.get("email", "buyer@example.com"),
                name=p.get("name"),
                place=p.get("address"),
                card=card,
                number=p.get("number"),
            )
            return {**public(session), "message": session["_message"]}

    def settle(self, p: Obj, id: str) -> Obj:
        """`ok` (default true): the delayed payment of a session or intent arrives, or fails."""
        with self.store.transaction():
            desk, found = self._desk(id, "checkout.session", "payment_intent")
            if found["object"] == "checkout.session":
                intent = next(iter(desk.all("payment_intent", lambda i: i["_session"] == id and i["status"] == "processing")), None)
                if intent is None:
                    raise ApiError(400, "This session has no payment on its way.")
            else:
                intent = found
            checkout.settle(desk, intent, bool(p.get("ok", True)))
            return dict(public(desk.get(found["object"], id)))

    def expire(self, p: Obj, id: str) -> Obj:
        with self.store.transaction():
            desk, session = self._desk(id, "checkout.session")
            return dict(public(checkout.expire(desk, session)))

    def _charge(self, p: Obj) -> tuple[Desk, Obj]:
        """The charge behind `charge`, `payment_intent`, `session`, `invoice` or `subscription`."""
        name = next((n for n in ("charge", "payment_intent", "session", "invoice", "subscription") if p.get(n)), None)
        if name is None:
            raise ApiError(400, "Name a charge, payment_intent, session, invoice or subscription.")
        desk, found = self._desk(p[name])
        if found["object"] == "subscription":
            found = desk.get("invoice", found["latest_invoice"])
        if found["object"] == "checkout.session":
            found = (
                desk.get("payment_intent", found["payment_intent"]) if found["payment_intent"] else desk.get("invoice", found["invoice"])
            )
        if found["object"] == "invoice":
            payment = next((x for x in desk.all("invoice_payment") if x["invoice"] == found["id"]), None)
            if payment is None:
                raise ApiError(400, "This invoice has no payment.")
            found = desk.get("payment_intent", payment["payment"]["payment_intent"])
        if found["object"] == "payment_intent":
            found = desk.get("charge", found["latest_charge"])
        return desk, found

    def refund(self, p: Obj) -> Obj:
        """`amount` (default: the rest), `status` (default succeeded), `reason`."""
        with self.store.transaction():
            desk, charge = self._charge(p)
            return dict(
                public(
                    payments.refund(
                        desk, {"charge": charge["id"], "amount": p.get("amount"), "reason": p.get("reason")}, p.get("status", "succeeded")
                    )
                )
            )

    def refund_status(self, p: Obj, id: str) -> Obj:
        with self.store.transaction():
            desk, found = self._desk(id, "refund")
            if p["status"] not in ("pending", "requires_action", "succeeded", "failed", "canceled"):
                raise ApiError(400, "Unknown refund status", param="status")
            return dict(public(payments.set_refund_status(desk, found, p["status"])))

    def dispute(self, p: Obj) -> Obj:
        """`amount` (default: all), `status` (default needs_response), `reason`."""
        with self.store.transaction():
            status = p.get("status", "needs_response")
            if status not in payments.DISPUTE_STATUSES:
                raise ApiError(400, "Unknown dispute status", param="status")
            desk, charge = self._charge(p)
            return dict(public(payments.open_dispute(desk, charge, p.get("amount"), status, p.get("reason", "fraudulent"))))

    def dispute_status(self, p: Obj, id: str) -> Obj:
        with self.store.transaction():
            if p["status"] not in payments.DISPUTE_STATUSES:
                raise ApiError(400, "Unknown dispute status", param="status")
            desk, found = self._desk(id, "dispute")
            return dict(public(payments.set_dispute_status(desk, found, p["status"])))

    def warning(self, p: Obj) -> Obj:
        with self.store.transaction():
            desk, charge = self._charge(p)
            return dict(
                public(
                    desk.created(
                        {
                            "id": desk.new_id("radar.early_fraud_warning"),
                            "object": "radar.early_fraud_warning",
                            "actionable": p.get("actionable", True),
                            "charge": charge["id"],
                            "created": desk.now(),
                            "fraud_type": p.get("fraud_type", "misc"),
                            "livemode": False,
                            "payment_intent": charge["payment_intent"],
                        },
                        "radar.early_fraud_warning.created",
                    )
                )
            )

    def card(self, p: Obj, id: str) -> Obj:
        """`card` works or declined (or later, fails_later), `number`: the customer's new default card."""
        with self.store.transaction():
            desk, _ = self._desk(id, "customer")
            return dict(public(set_card(desk, id, p.get("card", "works"), p.get("number"))))

    def subscription(self, p: Obj, id: str, action: str) -> Obj:
        with self.store.transaction():
            desk, found = self._desk(id, "subscription")
            actions: dict[str, Callable[[Desk, Obj], Obj]] = {"pause": billing.pause, "resume": billing.resume, "cancel": billing.cancel}
            if action not in actions:
                raise ApiError(404, "pause, resume or cancel")
            return dict(public(actions[action](desk, found)))

    # -- events ----------------------------------------------------------------------------------

    def emit(self, p: Obj) -> Obj:
        """An event of any `type` about a stored object (`id`) or a given one (`object`)."""
        with self.store.transaction():
            if p.get("id"):
                desk, body = self._desk(p["id"])
            else:
                desk, body = Desk(self.store, p.get("account") or self.store.accounts()[0]["id"], base_url=self.base_url()), p["object"]
            return dict(desk.emit(p["type"], body, p.get("previous_attributes")))

    def faults(self, p: Obj) -> Any:
        """`kind` status (`status`, `should_retry`) or one of FAULTS with `seconds`; `n` calls, `path` (prefix), `method`."""
        with self.store.transaction():
            if request.method == "DELETE":
                self.store.db.execute("delete from fault")
            elif request.method == "POST":
                fault = {
                    "kind": p.get("kind", "status"),
                    "n": int(p.get("n", 1)),
                    "status": int(p.get("status", 500)),
                    "should_retry": p.get("should_retry"),
                    "seconds": float(p.get("seconds", 0)),
                    "path": p.get("path"),
                    "method": p.get("method"),
                }
                if fault["kind"] not in FAULTS:
                    raise ApiError(400, f"kind is one of {', '.join(FAULTS)}", param="kind")
                self.store.db.execute("insert into fault (body) values (?)", (json.dumps(fault),))
            return [json.loads(row[0]) for row in self.store.db.execute("select body from fault order by seq")]

    def webhook(self, p: Obj) -> Obj:
        """The one endpoint for all events at `url` (of `account`, default the first): made, or moved there with its secret kept."""
        with self.store.transaction():
            desk = Desk(self.store, p.get("account") or self.store.accounts()[0]["id"], base_url=self.base_url())
            found = next((e for e in desk.all("webhook_endpoint") if e["description"] == "double"), None)
            if found is None:
                wanted = {"url": p["url"], "enabled_events": ["*"], "api_version": PINNED_VERSION, "description": "double"}
                found = desk.save(objects.webhook_endpoint(desk, wanted))
            desk.change(found, {"url": p["url"], "status": "enabled"})
            return {"id": found["id"], "secret": found["_secret"], "url": found["url"]}

    def endpoints(self, p: Obj) -> Any:
        return [
            {
                "id": e["id"],
                "account": a["id"],
                "url": e["url"],
                "status": e["status"],
                "enabled_events": e["enabled_events"],
                "secret": e["_secret"],
                "old_secret": e["_old_secret"],
                "delivery": e["_delivery"],
            }
            for a in self.store.accounts()
            for e in Desk(self.store, a["id"]).all("webhook_endpoint")
        ]

    def delivery(self, p: Obj, id: str) -> Obj:
        """`mode` normal, duplicate (`n`), shuffle (`n`), delay (`seconds`), drop, hold; also `sign` old, `shift` s, `api_version`."""
        with self.store.transaction():
            desk, endpoint = self._desk(id, "webhook_endpoint")
            chosen: Obj = {"mode": p.get("mode", "normal")}
            chosen |= {n: p[n] for n in ("n", "seconds", "sign", "shift", "api_version") if n in p}
            if chosen["mode"] not in MODES:
                raise ApiError(400, f"mode is one of {', '.join(MODES)}", param="mode")
            desk.change(endpoint, {"_delivery": chosen})
            return chosen

    def held(self, p: Obj, id: str) -> Any:
        self.deliverer.drain()
        return self.deliverer.held(id)

    def release(self, p: Obj, id: str) -> Any:
        """`event` id or `type`, `n` at most, `order` fifo, lifo, shuffle. Sends before it answers."""
        return self.deliverer.release(id, event=p.get("event"), type_=p.get("type"), n=p.get("n"), order=p.get("order", "fifo"))

    def roll(self, p: Obj, id: str) -> Obj:
        """A new signing secret; both sign until `expire_old` true."""
        with self.store.transaction():
            desk, endpoint = self._desk(id, "webhook_endpoint")
            if p.get("expire_old"):
                desk.change(endpoint, {"_old_secret": None})
            else:
                version = endpoint["_version"] + 1
                desk.change(
                    endpoint, {"_old_secret": endpoint["_secret"], "_secret": objects.endpoint_secret(id, version), "_version": version}
                )
            return {"secret": endpoint["_secret"], "old_secret": endpoint["_old_secret"]}

    def deliver(self, p: Obj) -> Obj:
        return {"sent": self.deliverer.drain()}

    def deliveries(self, p: Obj) -> Any:
        with self.store.lock:
            rows = self.store.db.execute(
                "select seq, account, endpoint, event, state, attempts, due, status, error from delivery order by seq"
            ).fetchall()
        names = ("delivery", "account", "endpoint", "event", "state", "attempts", "due", "status", "error")
        return [{**dict(zip(names, row, strict=True)), "type": (self.store.get(row[1], "event", row[3]) or {}).get("type")} for row in rows]

    def redeliver(self, p: Obj, id: str) -> Any:
        return self.deliverer.redeliver(id, int(p.get("n", 1)), p.get("endpoint"))

    def signed(self, p: Obj, id: str) -> Obj:
        """Body and headers as they would be sent to `?endpoint=`, for tests that post them themselves."""
        _, endpoint = self._desk(request.args["endpoint"], "webhook_endpoint")
        body, headers = self.deliverer.signed(endpoint, id)
        return {"body": body.decode(), "headers": headers}

    def requests(self, p: Obj) -> Any:
        with self.store.transaction():
            if request.method == "DELETE":
                self.store.db.execute("delete from seen")
            rows = [json.loads(row[0]) for row in self.store.db.execute("select body from seen order by seq")]
        path, method = request.args.get("path"), request.args.get("method")
        return [r for r in rows if (not path or r["path"].startswith(path)) and (not method or r["method"] == method)]
