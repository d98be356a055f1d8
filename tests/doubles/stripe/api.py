"""The HTTP side of the API: key, version, rights, idempotency, faults, then the operation."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import socket
import struct
import time
from collections.abc import Callable
from urllib.parse import parse_qsl

from flask import Flask, Response, request

from tests.doubles.stripe import resources, rules
from tests.doubles.stripe.desk import Desk, public
from tests.doubles.stripe.rules import ApiError
from tests.doubles.stripe.state import Obj, Store

KEPT_SECONDS = 24 * 3600


class Api:
    def __init__(self, store: Store, base_url: Callable[[], str], wake: Callable[[], None]) -> None:
        self.store, self.base_url, self.wake = store, base_url, wake
        self.in_flight: set[tuple[str, str]] = set()

    def register(self, app: Flask) -> None:
        for name, (method, path, handler) in resources.OPERATIONS.items():
            app.add_url_rule(path, endpoint=name, view_func=self._view(name, handler), methods=[method])
        app.add_url_rule("/v1/<path:rest>", endpoint="unknown", view_func=self._unknown, methods=["GET", "POST", "DELETE"])

    def _unknown(self, rest: str) -> Response:
        with self.store.transaction():
            self._seen(404, self.store.new_id("req"))
        return self._answer(
            404,
            {"error": {"type": "invalid_request_error", "message": f"Unrecognized request URL ({request.method}: /v1/{rest})."}},
            "req_0",
        )

    def _view(self, operation: str, handler: resources.Handler) -> Callable[..., Response]:
        def view(**ids: str) -> Response:
            with self.store.transaction():
                request_id = self.store.new_id("req")
                fault = self._take_fault()
            if fault and fault["kind"] == "slow":
                time.sleep(fault["seconds"])
            if fault and fault["kind"] == "reset":
                return self._drop(reset=True)
            answer = self._handle(operation, handler, ids, request_id, fault)
            with self.store.transaction():
                self._seen(answer.status_code, request_id, fault)
            self.wake()
            if fault and fault["kind"] in ("timeout", "reset_after"):
                time.sleep(fault["seconds"])
                return self._drop(reset=fault["kind"] == "reset_after")
            return answer

        return view

    def _handle(self, operation: str, handler: resources.Handler, ids: dict[str, str], request_id: str, fault: Obj | None) -> Response:
        key, flight = request.headers.get("Idempotency-Key") or None, None
        if request.method != "POST":
            key = None
        try:
            account, rights = self._authenticate()
            version = request.headers.get("Stripe-Version")
            if version != rules.PINNED_VERSION:
                raise ApiError(400, f"Invalid Stripe API version: {version}. This double speaks {rules.PINNED_VERSION} only.")
            self._check_rights(operation, rights)
            given = rules.parse(self._pairs())
            path = f"{request.method} {request.path}"
            if key:
                with self.store.lock:
                    stored = self._stored(account, key, path, given)
                    if stored:
                        return self._answer(
                            *stored, request_id, {"Idempotency-Key": key, "Idempotent-Replayed": "true", "Original-Request": request_id}
                        )
                    if (account, key) in self.in_flight:
                        raise ApiError(
                            409,
                            "There is currently another in-progress request using this Stripe-Idempotent-Key.",
                            type="idempotency_error",
                            code="idempotency_key_in_use",
                        )
                    self.in_flight.add((account, key))
                    flight = (account, key)
            if fault and fault["kind"] == "work_slowly":
                time.sleep(fault["seconds"])
            if fault and fault["kind"] == "status":
                return self._fail(fault, account, key, path, given, request_id)
            try:
                params = rules.check(operation, given)
                with self.store.transaction():
                    desk = Desk(self.store, account, base_url=self.base_url(), request_id=request_id, idempotency_key=key)
                    body = handler(desk, params, **ids)
                    refused = body.pop("_answer", None)  # an operation that was done, and ends in an error all the same
                    answer = resources.expand(desk, public(body), params.get("expand") or [])
                    status = 200
                    if refused:
                        status, answer = (
                            402,
                            {
                                "error": {
                                    "type": "card_error",
                                    "code": "card_declined",
                                    "decline_code": "generic_decline",
                                    "message": "Your card was declined.",
                                }
                            },
                        )
                    if key:
                        self._store(account, key, path, given, status, answer)
            except ApiError as error:
                error.error["request_log_url"] = f"{self.base_url()}/_double/requests"
                raise
            return self._answer(status, answer, request_id, {"Idempotency-Key": key} if key else {})
        except ApiError as error:
            return self._answer(
                error.status,
                {"error": error.error},
                request_id,
                {"Stripe-Should-Retry": "false"} if error.status in (400, 401, 402, 403, 404) else {},
            )
        finally:
            if flight:
                with self.store.lock:
                    self.in_flight.discard(flight)

    # -- parts -----------------------------------------------------------------------------------

    def _pairs(self) -> list[tuple[str, str]]:
        pairs = parse_qsl(request.query_string.decode(), keep_blank_values=True)
        if request.method == "POST":
            pairs += parse_qsl(request.get_data(as_text=True), keep_blank_values=True)
        return pairs

    def _key(self) -> str:
        header = request.headers.get("Authorization", "")
        if header.startswith("Bearer "):
            return header[7:].strip()
        if header.startswith("Basic "):
            return base64.b64decode(header[6:] + "==").decode(errors="replace").split(":")[0]
        return ""

    def _authenticate(self) -> tuple[str, dict[str, str] | None]:
        key = self._key()
        if not key:
            raise ApiError(401, "You did not provide an API key.")
        known = self.store.key(key)
        if known is None:
            raise ApiError(401, f"Invalid API Key provided: {key[:8]}{'*' * 8}{key[-4:]}")
        return known

    def _check_rights(self, operation: str, rights: dict[str, str] | None) -> None:
        """Rights are {resource: "read" | "write" | "none"}; "*" stands for the others."""
        if rights is None:
            return
        resource = operation.rsplit(".", 1)[0]
        has = rights.get(resource, rights.get("*", "none"))
        if has == "write" or (has == "read" and request.method == "GET"):
            return
        need = "read" if request.method == "GET" else "write"
        raise ApiError(
            403,
            f"The provided key '{self._key()[:8]}***' does not have the required permissions for this endpoint. "
            f"Having the '{resource}' {need} permission would allow this request to continue.",
            code="more_permissions_required",
        )

    @staticmethod
    def _digest(path: str, given: Obj) -> str:
        return hashlib.sha256(json.dumps([path, given], sort_keys=True).encode()).hexdigest()

    def _stored(self, account: str, key: str, path: str, given: Obj) -> tuple[int, Obj] | None:
        row = self.store.db.execute(
            "select params, status, body, created from idempotency where account = ? and key = ?", (account, key)
        ).fetchone()
        if row is None or row[3] <= self.store.now() - KEPT_SECONDS:
            return None
        if row[0] != self._digest(path, given):
            raise ApiError(
                400,
                f"Keys for idempotent requests can only be used with the same parameters they were first used with. "
                f"Try using a key other than '{key}' if you meant to execute a different request.",
                type="idempotency_error",
            )
        return row[1], json.loads(row[2])

    def _store(self, account: str, key: str, path: str, given: Obj, status: int, body: Obj) -> None:
        self.store.db.execute(
            "insert or replace into idempotency values (?, ?, ?, ?, ?, ?, ?)",
            (account, key, path, self._digest(path, given), status, json.dumps(body), self.store.now()),
        )

    def _fail(self, fault: Obj, account: str, key: str | None, path: str, given: Obj, request_id: str) -> Response:
        status = fault["status"]
        kind, code, words = {
            429: ("invalid_request_error", "rate_limit", "Too many requests hit the API too quickly."),
            409: (
                "invalid_request_error",
                "lock_timeout",
                "This object cannot be accessed right now because another API request or Stripe process is currently accessing it.",
            ),
        }.get(status, ("api_error", None, "An unknown error occurred."))
        body: Obj = {"error": {"type": kind, "message": words, **({"code": code} if code else {})}}
        if key and status >= 500:
            with self.store.transaction():
                self._store(account, key, path, given, status, body)
        retry = {} if fault.get("should_retry") is None else {"Stripe-Should-Retry": "true" if fault["should_retry"] else "false"}
        return self._answer(status, body, request_id, retry)

    def _take_fault(self) -> Obj | None:
        """The first fault that fits this request; each counts down."""
        for seq, text in self.store.db.execute("select seq, body from fault order by seq").fetchall():
            fault: Obj = json.loads(text)
            if fault.get("path") and not request.path.startswith(fault["path"]):
                continue
            if fault.get("method") and request.method != fault["method"].upper():
                continue
            fault["n"] -= 1
            if fault["n"] <= 0:
                self.store.db.execute("delete from fault where seq = ?", (seq,))
            else:
                self.store.db.execute("update fault set body = ? where seq = ?", (json.dumps(fault), seq))
            return fault
        return None

    def _seen(self, status: int, request_id: str, fault: Obj | None = None) -> None:
        row = {
            "id": request_id,
            "method": request.method,
            "path": request.path,
            "key": self._key(),
            "version": request.headers.get("Stripe-Version"),
            "idempotency_key": request.headers.get("Idempotency-Key"),
            "params": rules.parse(self._pairs()),
            "status": status,
            "fault": fault["kind"] if fault else None,
            "at": self.store.now(),
        }
        self.store.db.execute("insert into seen (body) values (?)", (json.dumps(row),))

    @staticmethod
    def _drop(*, reset: bool) -> Response:
        """Close the connection without an answer, as a broken network would; `reset` sends a TCP reset."""
        connection: socket.socket = request.environ["werkzeug.socket"]
        if reset:
            # With no linger time, taking the socket away from its descriptor resets the connection at once.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            nothing = os.open(os.devnull, os.O_RDWR)
            os.dup2(nothing, connection.fileno())
            os.close(nothing)
        else:
            connection.shutdown(socket.SHUT_RDWR)
        return Response(status=500)

    def _answer(self, status: int, body: Obj, request_id: str, headers: dict[str, str] | None = None) -> Response:
        return Response(
            json.dumps(body),
            status,
            {"Content-Type": "application/json", "Request-Id": request_id, "Stripe-Version": rules.PINNED_VERSION, **(headers or {})},
        )
