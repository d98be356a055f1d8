"""The sender's loop: claim, commit the intents, talk, record the outcomes, and so on until nothing is due.

It knows neither the database nor a protocol: the desk commits, the courier talks. What is promised:
a letter is handed over only after its row was committed as `sending`; a row is `sending` only while its letter is with the
courier or its outcome waits for the next commit; at most a window of rows is `sending` at a time; on `stopping` claims are
given back and letters under way are finished, or settled by their phase when the patience ends.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from nps.delivery.letters import Courier, Letter, LineFailed, Settled
from nps.delivery.parcels import Parcel
from nps.delivery.rules import Reply

CHUNK = 200
"""Messages claimed at a time. Few enough that an urgent one waits a second at most, many enough that claiming costs little."""
PROVIDER_LINES = 4
PATIENCE = 25.0
_RIPE_AFTER = 0.01
_ASK_AGAIN = 0.5
_NO_LIMITS: list[tuple[object, float]] = []


class Desk(Protocol):
    """The database side. Every call is one committed unit of work."""

    def claim(self, limit: int, held: Mapping[UUID, int]) -> list[Parcel]:
        """Take due messages, accounts in turns; `held` says how many of each account have been claimed and wait here."""

    def turn(self, results: Sequence[tuple[Parcel, Reply]], parcels: Sequence[Parcel]) -> list[Letter]:
        """Record what became of some and mark others `sending`, in one commit. Returns the letters that may leave."""

    def release(self, parcels: Sequence[Parcel]) -> None:
        """Give claims back."""

    def unreachable(self, reply: Reply, parcel: Parcel | None) -> bool:
        """A connection failed: put off the message that was to use it. True when the way out is closed for now."""

    def renew(self) -> None:
        """Hold on to everything for another lease."""

    def pace_of(self, parcel: Parcel) -> tuple[float, float, float]:
        """Mails a second: installation, account, provider; 0 means no limit."""


class Buckets:
    """Paces as token buckets: each key may burst half a second's worth, at least one."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._state: dict[object, tuple[float, float]] = {}

    def wait(self, limits: Sequence[tuple[object, float]]) -> float:
        """Seconds until one more may go under all of these limits; 0 when it may go now."""
        now = self._clock()
        waits = [0.0]
        for key, rate in limits:
            if rate > 0:
                level = self._level(key, rate, now)
                waits.append((1 - level) / rate if level < 1 else 0.0)
        return max(waits)

    def take(self, limits: Sequence[tuple[object, float]]) -> None:
        now = self._clock()
        for key, rate in limits:
            if rate > 0:
                self._state[key] = (self._level(key, rate, now) - 1, now)

    def refund(self, limits: Sequence[tuple[object, float]]) -> None:
        """It did not go after all."""
        for key, rate in limits:
            if rate > 0:
                level, at = self._state[key]
                self._state[key] = (level + 1, at)

    def _level(self, key: object, rate: float, now: float) -> float:
        most = max(1.0, rate / 2)
        level, at = self._state.get(key, (most, now))
        return min(most, level + (now - at) * rate)


class Loop:
    """One run of the sender, in one thread."""

    def __init__(
        self,
        desk: Desk,
        courier: Courier,
        *,
        stopping: Callable[[], bool],
        woken: Callable[[], bool],
        paced: bool,
        buckets: Buckets,
        linger: float = 0.5,
        renew_every: float = 20.0,
        pause: Callable[[str], object] = lambda name: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._desk, self._courier, self._stopping, self._woken = desk, courier, stopping, woken
        self._paced, self._buckets, self._linger, self._pause, self._clock = paced, buckets, linger, pause, clock
        self._stock: deque[Parcel] = deque()
        self._open: dict[UUID, Parcel] = {}
        self._at_provider: Counter[str] = Counter()
        self._results: list[tuple[Parcel, Reply]] = []
        self._first_at: float | None = None
        self._ask_at = 0.0
        self._renew_every = renew_every
        self._renew_at = clock() + renew_every
        self._patience_ends: float | None = None
        self._closed = False
        self._held_by_pace = False
        self._turned = False

    def run(self) -> None:
        """Until nothing is due, the way out is closed, or the worker stops."""
        idle_since: float | None = None
        try:
            while True:
                self._step()
                if self._stock or self._open or self._results:
                    idle_since = None
                    continue
                if self._stopping() or self._closed:
                    return
                now = self._clock()
                idle_since = now if idle_since is None else idle_since
                if self._woken() or self._turned:
                    # what was asked for meanwhile, and what was put off to no later than now
                    self._ask_at, self._turned = 0.0, False
                elif now - idle_since >= self._linger:
                    return
        except BaseException:
            # what is with the courier has its row in `sending`; whoever takes over will call it unknown
            self._courier.abandon()
            raise

    def _step(self) -> None:
        now = self._clock()
        closing = self._stopping() or self._closed
        if closing and self._stock:
            self._desk.release(list(self._stock))
            self._stock.clear()
        elif not closing and (len(self._stock) < self._courier.window or self._held_by_pace) and now >= self._ask_at:
            self._pause("before_claim")
            taken = self._desk.claim(CHUNK, Counter(parcel.account_id for parcel in self._stock))
            self._pause("after_claim")
            self._stock.extend(taken)
            self._ask_at = 0.0 if taken and not self._held_by_pace else now + _ASK_AGAIN
        if now >= self._renew_at:
            self._desk.renew()
            self._renew_at = now + self._renew_every
        self._courier.want(len(self._stock) + len(self._open))
        going, pace_wait = self._next_ones()
        self._held_by_pace = pace_wait > 0
        if self._is_ripe(going, now):
            self._turn(going)
        else:
            self._put_back(going)
        self._listen(pace_wait)
        if closing and self._open:
            self._lose_patience(now)

    def _is_ripe(self, going: list[Parcel], now: float) -> bool:
        """Commits are made in groups: when half a window is free, or what is there has waited long enough."""
        if not going and not self._results:
            self._first_at = None
            return False
        if self._first_at is None:
            self._first_at = now
        enough = max(len(going), len(self._results)) * 2 >= self._courier.window
        return enough or not self._open or now - self._first_at >= _RIPE_AFTER

    def _put_back(self, going: list[Parcel]) -> None:
        if self._paced:
            for parcel in going:
                self._buckets.refund(self._limits(parcel))
        self._stock.extendleft(reversed(going))

    def _next_ones(self) -> tuple[list[Parcel], float]:
        """Who goes next, as far as there is room and pace; and how long the pace holds the others."""
        room = self._courier.room()
        if room <= 0 or not self._stock:
            return [], 0.0
        going: list[Parcel] = []
        waiting: list[Parcel] = []
        shortest = 60.0
        at_provider = self._at_provider.copy()
        half = max(1, self._courier.lines // 2)
        everybody: set[str] = set()
        while self._stock and len(going) < room:
            parcel = self._stock.popleft()
            limits = self._limits(parcel) if self._paced else _NO_LIMITS
            wait = self._buckets.wait(limits) if limits else 0.0
            if limits and limits[2][1] > 0:
                if at_provider[parcel.provider] >= PROVIDER_LINES:
                    wait = max(wait, 0.05)
            elif at_provider[parcel.provider] >= half:
                # one slow provider holds half of the connections at most, unless nobody else waits
                everybody = everybody or {one.provider for one in (*self._stock, *self._open.values(), *going, *waiting)}
                if everybody - {parcel.provider}:
                    wait = max(wait, 0.05)
            if wait > 0:
                shortest = min(shortest, wait)
                waiting.append(parcel)
                continue
            if limits:
                self._buckets.take(limits)
            at_provider[parcel.provider] += 1
            going.append(parcel)
        self._stock.extendleft(reversed(waiting))
        return going, shortest if waiting else 0.0

    def _limits(self, parcel: Parcel) -> list[tuple[object, float]]:
        installation, account, provider = self._desk.pace_of(parcel)
        return [("all", installation), (parcel.account_id, account), ((parcel.account_id, parcel.provider), provider)]

    def _turn(self, going: list[Parcel]) -> None:
        results, self._results = self._results, []
        self._first_at = None
        self._pause("before_outcome" if results else "before_intent")
        letters = self._desk.turn(results, going)
        if results:
            self._turned = True
            self._pause("after_outcome")
        if letters:
            self._pause("after_sending_commit")
        known = {parcel.id: parcel for parcel in going}
        for letter in letters:
            parcel = known[letter.key]
            self._open[parcel.id] = parcel
            self._at_provider[parcel.provider] += 1
            self._courier.submit(letter)

    def _listen(self, pace_wait: float) -> None:
        if self._first_at is not None:
            wait = _RIPE_AFTER / 2
        elif self._open:
            wait = 0.2
        elif self._stock:
            wait = min(max(pace_wait, 0.01), 0.5)
        else:
            wait = min(self._linger, 0.05)
        for event in self._courier.poll(wait):
            if isinstance(event, LineFailed):
                parcel = self._stock.popleft() if self._stock and not self._closed else None
                self._closed = self._desk.unreachable(event.reply, parcel) or self._closed
            else:
                self._settled(event)

    def _settled(self, event: Settled) -> None:
        self._pause("after_250" if event.reply.code == 250 else "after_reply")
        parcel = self._open.pop(event.letter.key)
        self._at_provider[parcel.provider] -= 1
        self._results.append((parcel, event.reply))

    def _lose_patience(self, now: float) -> None:
        if self._patience_ends is None:
            self._patience_ends = now + PATIENCE
        if self._closed and not self._stopping():
            self._patience_ends = None
        elif now >= self._patience_ends:
            for event in self._courier.abandon():
                self._settled(event)
