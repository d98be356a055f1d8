"""The blueprint every feature's `api.py` makes its operations on. Its hooks run after the door has found the key."""

from collections.abc import Callable
from typing import Any, TypeVar

from apiflask import APIBlueprint
from flask import Response, current_app, g, request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from nps.api import idempotency, limits, problems
from nps.api.shapes import Shape
from nps.api.strict import MAX_BYTES, is_storable
from nps.core.errors import DomainError, NotFound

F = TypeVar("F", bound=Callable[..., Any])
NEEDS_KEY = "_needs_idempotency_key"


def needs_idempotency_key(view: F) -> F:
    """Refuse this POST without an Idempotency-Key. Stands directly below the route."""
    setattr(view, NEEDS_KEY, True)
    described: dict[str, Any] = view.__dict__.setdefault("_spec", {})
    described.setdefault("extensions", {})["x-needs-key"] = True
    return view


def describes_query(shape: type[Shape]) -> Callable[[F], F]:
    """Describe a query that the view reads by itself (names that may repeat). Stands directly below the route."""

    def mark(view: F) -> F:
        described: dict[str, Any] = view.__dict__.setdefault("_spec", {})
        described.setdefault("args", []).append((shape, "query"))
        return view

    return mark


class Api(APIBlueprint):
    """Operations of one resource. `Api("contacts_api", __name__, tag="Contacts")`."""

    def __init__(self, name: str, import_name: str, *, tag: str) -> None:
        super().__init__(name, import_name, tag=tag)
        self.before_request(_check_request)
        self.after_request(_finish)
        self.teardown_request(lambda error: limits.limiter().leave())


def _check_request() -> Response | None:
    limiter = limits.limiter()
    key = str(g.api_key.id)
    limiter.take(key)
    limiter.enter(key)
    if any(isinstance(value, str) and not is_storable(value) for value in (request.view_args or {}).values()):
        raise NotFound
    if any(not is_storable(text) for pair in request.args.items(multi=True) for text in pair):
        raise DomainError("The address holds a character that cannot be kept.", code="bad_request", status=400)
    if request.method in ("POST", "PUT", "PATCH"):
        _check_body()
    if request.method == "POST":
        view = current_app.view_functions.get(request.endpoint or "")
        return idempotency.begin(needed=bool(getattr(view, NEEDS_KEY, False)))
    return None


def _check_body() -> None:
    request.max_content_length = MAX_BYTES
    if request.content_length is not None and request.content_length > MAX_BYTES:
        raise RequestEntityTooLarge
    if request.mimetype != "application/json":
        raise UnsupportedMediaType


def _finish(answer: Response) -> Response:
    answer.headers["X-Request-Id"] = problems.request_id()
    answer.headers.setdefault("Cache-Control", "private, no-store")
    if "next_page" in g:
        answer.headers["Link"] = f'<{g.next_page}>; rel="next"'
    return limits.tell(idempotency.finish(answer))
