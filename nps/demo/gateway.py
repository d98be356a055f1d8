"""Asks the demo's own web process whether it answers."""

import urllib.error
import urllib.request


def is_alive(base: str) -> bool:
    """Does `base` (an address on loopback) answer its health check?"""
    try:
        with urllib.request.urlopen(f"{base}/healthz", timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False
