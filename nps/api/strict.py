"""JSON as it is taken: no NaN, no doubled keys, no depth beyond 20, no characters that no database keeps."""

import json
from typing import Any, NoReturn

from flask import Flask
from flask.json.provider import DefaultJSONProvider

MAX_DEPTH = 20
MAX_BYTES = 1_000_000


class Refused(ValueError):
    """Text that may be JSON but is not taken."""


def loads(text: str | bytes) -> Any:
    """The value in `text`. Raises ValueError for anything a client should not have sent."""
    if isinstance(text, bytes):
        text = text.decode("utf-8")
    _check_depth(text)
    value = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_no_doubles)
    if "\\u" in text:
        _check_characters(value)
    return value


def _check_depth(text: str) -> None:
    """Count brackets outside strings before the parser recurses into them."""
    depth, inside, escaped = 0, False, False
    for sign in text:
        if inside:
            if escaped:
                escaped = False
            elif sign == "\\":
                escaped = True
            elif sign == '"':
                inside = False
        elif sign == '"':
            inside = True
        elif sign in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise Refused(f"nested deeper than {MAX_DEPTH}")
        elif sign in "]}":
            depth -= 1


def _no_constant(name: str) -> NoReturn:
    raise Refused(f"{name} is not JSON")


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise Refused("a key stands twice in one object")
    return made


def _check_characters(value: Any) -> None:
    """Escapes can spell NUL and half characters; refuse them wherever they stand."""
    if isinstance(value, str):
        if not is_storable(value):
            raise Refused("a text holds NUL or half a character")
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check_characters(key)
            _check_characters(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_characters(inner)


def is_storable(text: str) -> bool:
    """Can every database keep this text? Not with NUL or a lone surrogate in it."""
    return "\x00" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)


class StrictJSON(DefaultJSONProvider):
    """Flask's JSON with our way of reading; objects keep the order they were made in."""

    sort_keys = False

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        return loads(s)

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return super().dumps(obj, allow_nan=False, **kwargs)


def install(app: Flask) -> None:
    app.json = StrictJSON(app)
