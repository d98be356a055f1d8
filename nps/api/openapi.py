"""The description of the API (OpenAPI 3.1), made from the operations themselves, and what the page shows of it."""

import json
from http import HTTPStatus
from typing import Any, cast

from apiflask import APIFlask
from flask import Flask, current_app

from nps.api import problems
from nps.api.idempotency import HEADER

PREFIX = "/api/v1"
VERSION = "1"
METHODS = ("get", "post", "put", "patch", "delete")

ABOUT = (
    "JSON in UTF-8 over HTTPS, names in snake_case, ids as UUIDs, times in RFC 3339 and UTC, money as minor units and currency. "
    "Every request carries a key of the account: `Authorization: Bearer wb_live_…`, or Basic with the key as user. "
    "Names that are not known are refused. What belongs to another account answers 404, like what never was."
)

# What stands in example addresses, by the name of the path's part.
EXAMPLES = {"address": "dana@brightoak.example", "number": "4471", "text": "email:dana@brightoak.example"}

# Statuses every operation can give, beside its own success; 404 where the address holds an id.
_ALWAYS = (400, 401, 403, 404, 405, 429, 500)
_WITH_BODY = (409, 413, 415, 422)

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "A refusal (RFC 9457).",
    "required": ["type", "title", "status", "code", "detail", "instance"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "id of the request, to quote"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {"pointer": {"type": "string"}, "code": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}


def configure(app: Flask) -> None:
    """APIFlask's switches: 3.1, nothing added by itself."""
    app.config.update(
        OPENAPI_VERSION="3.1.0",
        AUTO_SERVERS=False,
        AUTO_VALIDATION_ERROR_RESPONSE=False,
        AUTO_AUTH_ERROR_RESPONSE=False,
        AUTO_404_RESPONSE=False,
        AUTO_200_RESPONSE=False,
        AUTO_OPERATION_ID=True,
    )
    api = cast(APIFlask, app)
    api.title, api.version = "Wordback API", VERSION
    api.spec_processor(_complete)


def _complete(spec: Any) -> Any:
    """Only our own paths; key, limits, refusals and the idempotency header on every operation."""
    spec["info"]["description"] = ABOUT
    spec["servers"] = [{"url": current_app.extensions["settings"].base_url}]
    spec["paths"] = {path: item for path, item in sorted(spec["paths"].items()) if path.startswith(PREFIX + "/")}
    components = spec.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "a key of the account"},
        "basic": {"type": "http", "scheme": "basic", "description": "the key as user, no password"},
    }
    components["responses"] = {f"Problem{status}": _problem(status) for status in problems.WORDS}
    spec["security"] = [{"bearer": []}, {"basic": []}]
    for item in spec["paths"].values():
        for method in METHODS:
            if method in item:
                _complete_operation(item[method], method)
    return spec


def _complete_operation(operation: dict[str, Any], method: str) -> None:
    answers = operation.setdefault("responses", {})
    for status, answer in answers.items():
        if status.startswith("2"):
            answer.setdefault("headers", {}).update(_headers())
    statuses = [*_ALWAYS, 422, *(_WITH_BODY if method in ("post", "put", "patch") else ())]
    for status in statuses:
        answers.setdefault(str(status), {"$ref": f"#/components/responses/Problem{status}"})
    operation["responses"] = dict(sorted(answers.items()))
    for parameter in operation.get("parameters", []):
        if parameter.get("in") == "path":
            parameter.setdefault("schema", {"type": "string"})
            parameter["schema"].setdefault("minLength", 1)
            parameter.setdefault("example", EXAMPLES.get(parameter["name"], parameter["name"]))
    if "requestBody" in operation:
        operation["requestBody"]["required"] = True
    if method == "post":
        needed = bool(operation.pop("x-needs-key", False))
        operation.setdefault("parameters", []).append(
            {
                "in": "header",
                "name": HEADER,
                "required": needed,
                "description": "the same request again under the same key has one effect and one answer, for seven days",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"},
                "example": "8c1f2a9e-refund-17",
            }
        )


def _headers() -> dict[str, Any]:
    words = {"Limit": "requests in six seconds", "Remaining": "requests left now", "Reset": "seconds until all are left again"}
    return {f"RateLimit-{name}": {"description": text, "schema": {"type": "integer"}} for name, text in words.items()}


def _problem(status: int) -> dict[str, Any]:
    made: dict[str, Any] = {
        "description": HTTPStatus(status).phrase,
        "content": {
            "application/problem+json": {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "example": {
                    "type": f"{current_app.extensions['settings'].base_url}/api/docs#errors",
                    "title": HTTPStatus(status).phrase,
                    "status": status,
                    "code": HTTPStatus(status).phrase.lower().replace(" ", "_"),
                    "detail": problems.WORDS[status],
                    "instance": "urn:uuid:019a3b5e-7c00-7000-8000-000000000000",
                },
            }
        },
    }
    if status == 429:
        made["headers"] = {"Retry-After": {"description": "whole seconds", "schema": {"type": "integer"}}}
    return made


def document() -> dict[str, Any]:
    """The whole description. Made once a process."""
    known = current_app.extensions.get("openapi_document")
    if known is None:
        # APIFlask asks this of every blueprint, also of plain ones
        for blueprint in current_app.blueprints.values():
            if not hasattr(blueprint, "enable_openapi"):
                blueprint.enable_openapi = False  # type: ignore[attr-defined]
        known = current_app.extensions["openapi_document"] = cast(APIFlask, current_app).spec
    return cast(dict[str, Any], known)


# What the page shows


def operations(words: str = "") -> list[dict[str, Any]]:
    """Operations in order, each ready for the page; with `words`, those whose text holds all of them."""
    spec = document()
    wanted = words.lower().split()
    found = []
    for path, item in spec["paths"].items():
        for method in METHODS:
            if method in item:
                made = _for_page(spec, path, method, item[method])
                text = " ".join([path, method, made["summary"], made["description"], made["tag"], *(f["name"] for f in made["fields"])])
                if all(word in text.lower() for word in wanted):
                    found.append(made)
    return found


def _for_page(spec: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = next(iter(operation.get("requestBody", {}).get("content", {}).values()), {})
    good = next(status for status in operation["responses"] if status.startswith("2"))
    answer: dict[str, Any] = next(iter(operation["responses"][good].get("content", {}).values()), {})
    parameters = operation.get("parameters", [])
    address = _address(path, parameters)
    needs = any(p["name"] == HEADER and p.get("required") for p in parameters)
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "path": path,
        "tag": (operation.get("tags") or ["API"])[0],
        "summary": operation.get("summary", ""),
        "description": operation.get("description", ""),
        "parameters": parameters,
        "fields": _fields(spec, body.get("schema", {})),
        "statuses": list(operation["responses"]),
        "answer_status": good,
        "answer": _pretty(answer.get("example")),
        "curl": curl(spec, method, address, body.get("example"), needs),
        "python": python(spec, method, address, body.get("example"), needs),
    }


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) if value is not None else ""


def _address(path: str, parameters: list[dict[str, Any]]) -> str:
    """The path with an example in place of each name."""
    for parameter in parameters:
        if parameter.get("in") == "path":
            path = path.replace("{" + parameter["name"] + "}", str(parameter.get("example", parameter["name"])))
    return path


def _fields(spec: dict[str, Any], schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Fields of a body: name, type in words, needed, what it is."""
    schema = _resolve(spec, schema)
    needed = set(schema.get("required", []))
    return [
        {"name": name, "type": _type(spec, field), "needed": name in needed, "text": field.get("description", "")}
        for name, field in schema.get("properties", {}).items()
    ]


def _resolve(spec: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = spec["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def _type(spec: dict[str, Any], field: dict[str, Any]) -> str:
    """ "text", "number or null", "a, b or c"."""
    field = _resolve(spec, field)
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(_type(spec, one) for one in field["anyOf"]))
    if "enum" in field:
        return ", ".join(str(value) for value in field["enum"])
    words = {"string": "text", "integer": "whole number", "boolean": "true or false", "array": "list", "null": "null"}
    kind = str(field.get("type", "any value"))
    return words.get(kind, kind)


def curl(spec: dict[str, Any], method: str, address: str, body: Any, needs_key: bool) -> str:
    """The operation as one command."""
    lines = [f"curl -X {method.upper()} '{spec['servers'][0]['url']}{address}'", "  -H 'Authorization: Bearer wb_live_YOURKEY'"]
    if needs_key:
        lines.append(f"  -H '{HEADER}: 8c1f2a9e-17'")
    if body is not None:
        text = json.dumps(body, ensure_ascii=False).replace("'", "'\\''")
        lines += ["  -H 'Content-Type: application/json'", f"  -d '{text}'"]
    return " \\\n".join(lines)


def python(spec: dict[str, Any], method: str, address: str, body: Any, needs_key: bool) -> str:
    """The operation with the requests library."""
    headers = {"Authorization": "Bearer wb_live_YOURKEY", **({HEADER: "8c1f2a9e-17"} if needs_key else {})}
    url = f"{spec['servers'][0]['url']}{address}"
    lines = ["import requests", "", f"answer = requests.{method}(", f"    {url!r},", f"    headers={headers!r},"]
    if body is not None:
        lines.append(f"    json={body!r},")
    return "\n".join([*lines, "    timeout=10,", ")", "answer.raise_for_status()", "print(answer.json())"])
