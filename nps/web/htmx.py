"""Is only a fragment wanted?"""

from flask import request


def is_fragment() -> bool:
    """True when htmx asks for a part of the page (and not for a whole page it will swap in)."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-Boosted") != "true"
