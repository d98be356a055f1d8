"""Asks the demo's own web process whether it answers."""

import json
import urllib.error
import urllib.request
from typing import Any


def is_alive(base: str) -> bool:
    """Does `base` (an address on loopback) answer its health check?"""
    try:
        with urllib.request.urlopen(f"{base}/healthz", timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False


def tell_double(base: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Call the control side of the stand-in for Stripe. Raises urllib.error.URLError when it does not answer."""
    request = urllib.request.Request(
        f"{base}/_double/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        said: dict[str, Any] = json.loads(answer.read() or b"{}")
        return said
