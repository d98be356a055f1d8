"""The survey page of somebody who has not answered yet, drawn once for everybody who sees the same one.

A thousand people open the same survey in the minute after a wave: what differs is the token, the nonces and a first name.
Those stand as marks in the drawn page and are spliced in. Marks are private-use signs, which HTML leaves alone.
"""

from collections.abc import Callable
from typing import Any

from markupsafe import escape

MARKS = {name: f"\ue000{name}\ue001" for name in ("token", "form", "name", "csp")}
MOST = 500

_drawn: dict[tuple[Any, ...], str] = {}


def spliced(key: tuple[Any, ...], draw: Callable[[], str], csp_nonce: str, **values: str) -> str:
    """The page of `key` with `values` (token, form, name) in the places of their marks.

    `draw` renders it with the marks as values, in this request: its style nonce becomes a mark as well. All that the page shows
    beside the values must be in the key.
    """
    page = _drawn.get(key)
    if page is None:
        page = draw().replace(csp_nonce, MARKS["csp"])
        if len(_drawn) >= MOST:
            _drawn.clear()
        _drawn[key] = page
    page = page.replace(MARKS["csp"], csp_nonce)
    for name, value in values.items():
        page = page.replace(MARKS[name], str(escape(value)))
    return page
