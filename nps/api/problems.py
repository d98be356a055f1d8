"""Refusals for machines: `application/problem+json` (RFC 9457), the same for every status."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from apiflask.exceptions import HTTPError
from flask import Flask, Response, current_app, g, jsonify, request
from pydantic import ValidationError

from nps.core import ids
from nps.core.errors import Away, DomainError, TooMany

Item = dict[str, str]

WORDS = {
    400: "The request could not be read.",
    401: "Send a key of this account as Authorization: Bearer.",
    403: "This key may not do that.",
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
    406: "Only JSON is sent from here.",
    409: "The state of things does not allow it. Nothing was changed.",
    410: "This is over.",
    412: "It was changed in the meantime. Nothing was changed now.",
    413: "A body has at most 1,000,000 bytes. Nothing was stored.",
    415: "Send the body as application/json.",
    422: "Some fields need another look. Nothing was stored.",
    429: "That was too often. Wait as long as Retry-After says.",
    500: "Something broke on our side. Nothing was stored; the fault was written down under this instance.",
    503: "The database does not answer. Nothing was lost; try again in a minute.",
}
"""Sentence of each status; also the list of statuses that the description knows."""

# Pydantic's words are for programmers of the server; these are for those of the client.
_SENTENCES = {
    "extra_forbidden": "There is no such field.",
    "missing": "This field is needed.",
    "string_type": "This must be text.",
    "bool_type": "This must be true or false.",
    "int_type": "This must be a whole number.",
    "dict_type": "This must be an object.",
    "list_type": "This must be a list.",
    "model_type": "This must be an object.",
    "model_attributes_type": "This must be an object.",
    "uuid_parsing": "This is not an id.",
    "uuid_type": "This is not an id.",
}


def request_id() -> str:
    """The id of this request, the `instance` of its problems."""
    if "request_id" not in g:
        g.request_id = f"urn:uuid:{ids.new_id()}"
    known: str = g.request_id
    return known


def problem(status: int, code: str, detail: str = "", errors: Sequence[Item] = (), headers: Mapping[str, str] | None = None) -> Response:
    """One refusal. `errors` holds one item a field: pointer (JSON pointer, or `?name` for a query parameter), code, detail."""
    base = current_app.extensions["settings"].base_url
    body: dict[str, Any] = {
        "type": f"{base}/api/docs#{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail or WORDS.get(status, WORDS[400] if status < 500 else WORDS[500]),
        "instance": request_id(),
    }
    if errors:
        body["errors"] = list(errors)
    answer = jsonify(body)
    answer.status_code = status
    answer.headers["Content-Type"] = "application/problem+json"
    if status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    for name, value in (headers or {}).items():
        answer.headers[name] = value
    return answer


def of_validation(error: ValidationError, location: str) -> Response:
    """What Pydantic found, all of it. Names nobody knows make it 400, everything else 422."""
    items = [_item(one["loc"], one["type"], one["msg"], location) for one in error.errors(include_url=False, include_context=False)]
    unknown = any(item["code"] == "extra_forbidden" for item in items)
    if unknown:
        names = ", ".join(f"“{item['pointer'].lstrip('/?')}”" for item in items if item["code"] == "extra_forbidden")
        kind = "parameter" if location == "query" else "field"
        return problem(400, f"unknown_{kind}", f"There is no {kind} {names}. Nothing was stored.", items)
    return problem(422, "invalid", errors=items)


def _item(place: tuple[int | str, ...], code: str, message: str, location: str) -> Item:
    if location == "query":
        pointer = "?" + ".".join(str(part) for part in place)
    else:
        pointer = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in place)
    # our own validators speak in sentences already; Pydantic puts a prefix in front of them
    words = message.removeprefix("Value error, ")
    return {"pointer": pointer, "code": code, "detail": _SENTENCES.get(code, words)}


def install(app: Flask) -> None:
    """Answer every refusal under /api, whoever raised it."""

    def _answer(status: int, code: str, message: str, fields: dict[str, str], error: Exception) -> Response:
        headers: dict[str, str] = {}
        if isinstance(error, TooMany | Away):
            headers["Retry-After"] = str(error.retry_after)
        allowed = getattr(error, "valid_methods", None)
        if status == 405 and allowed:
            headers["Allow"] = ", ".join(sorted(allowed))
        prefix = "?" if isinstance(error, DomainError) and request.method in ("GET", "HEAD") else "/"
        errors = [{"pointer": f"{prefix}{name}", "code": code, "detail": words} for name, words in fields.items()]
        # Werkzeug's own sentences name its classes; ours say what to do
        detail = message if isinstance(error, DomainError) else ""
        return problem(status, code, detail, errors, headers)

    def _invalid(error: HTTPError) -> Response:
        cause = error.__cause__
        if isinstance(cause, ValidationError):
            return of_validation(cause, next(iter(error.detail), "json") if isinstance(error.detail, dict) else "json")
        return problem(error.status_code, "invalid" if error.status_code == 422 else "refused")

    app.extensions["api_errors"] = _answer
    app.register_error_handler(HTTPError, _invalid)
