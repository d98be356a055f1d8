"""How often a key may ask: a steady rate with a burst of one tenth, and ten requests at a time."""

import math
import threading
from collections import Counter
from dataclasses import dataclass

from flask import Flask, Response, current_app, g
from limits import RateLimitItemPerSecond
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter

from nps.core import clock
from nps.core.errors import TooMany

PER_MINUTE = 600
AT_A_TIME = 10
_PARTS = 10  # a tenth of the minute's requests in a tenth of the minute: the rate holds and a burst is a tenth


@dataclass(frozen=True)
class Allowance:
    """What is left: `limit` requests in a window of six seconds, `remaining` now, all again after `reset` seconds."""

    limit: int
    remaining: int
    reset: int


class Limiter:
    """Counts by key; in this process, or for all processes when LIMITER_URL names a Redis."""

    def __init__(self, url: str, per_minute: int = PER_MINUTE, at_a_time: int = AT_A_TIME) -> None:
        self.window = MovingWindowRateLimiter(storage_from_string(url))
        self.item = RateLimitItemPerSecond(max(1, per_minute // _PARTS), 60 // _PARTS, namespace="api")
        self.at_a_time = at_a_time
        self.running: Counter[str] = Counter()
        self.lock = threading.Lock()

    def take(self, key: str) -> Allowance:
        """One request of this key. Raises TooMany with whole seconds to wait."""
        allowed = self.window.hit(self.item, key)
        reset_at, remaining = self.window.get_window_stats(self.item, key)
        # the counter has its own clock; whatever ours says, the window is over after its length
        wait = min(self.item.multiples, max(1, math.ceil(reset_at - clock.now().timestamp())))
        g.allowance = Allowance(self.item.amount, int(remaining), wait)
        if not allowed:
            raise TooMany(f"More than {self.item.amount} requests in {self.item.multiples} seconds.", retry_after=wait)
        return g.allowance  # type: ignore[no-any-return]

    def enter(self, key: str) -> None:
        """Begin a request. Raises TooMany when ten of this key are at work."""
        with self.lock:
            if self.running[key] >= self.at_a_time:
                raise TooMany(f"{self.at_a_time} requests of this key are at work. Wait for one to end.", retry_after=1)
            self.running[key] += 1
        g.limited_key = key

    def leave(self) -> None:
        """The request is over."""
        key = g.pop("limited_key", None)
        if key is not None:
            with self.lock:
                self.running[key] -= 1
                if self.running[key] <= 0:
                    del self.running[key]


def limiter() -> Limiter:
    found: Limiter = current_app.extensions["api_limiter"]
    return found


def tell(answer: Response) -> Response:
    """The allowance, on every answer to a known key."""
    left: Allowance | None = g.get("allowance")
    if left is not None:
        answer.headers["RateLimit-Limit"] = str(left.limit)
        answer.headers["RateLimit-Remaining"] = str(left.remaining)
        answer.headers["RateLimit-Reset"] = str(left.reset)
    return answer


def install(app: Flask) -> None:
    app.extensions["api_limiter"] = Limiter(app.extensions["settings"].limiter_url)
