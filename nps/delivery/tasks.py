"""What queue and clock start: the sender, the sweep, the sorting of inbound mail."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy.exc import OperationalError

from nps.core import clock, ports, settings, tenancy
from nps.core.db import db, unit
from nps.core.log import log, trace
from nps.delivery import rules
from nps.delivery.letters import Letter, Transport
from nps.delivery.parcels import Hosts, Parcel, Printer
from nps.delivery.rules import Reply
from nps.delivery.sender import CHUNK, Buckets, Loop
from nps.delivery.service import inbound, queueing, sending
from nps.delivery.transports.mailbox import MailboxTransport
from nps.delivery.transports.smtp import Limits, Server, SmtpTransport
from nps.jobs import executor
from nps.jobs.registry import task

T = TypeVar("T")
DATABASE_PATIENCE = 60.0


@task("delivery.send", queue="urgent", network=True, tries=1_000_000)
def send() -> None:
    """Send what is due, for all accounts in turns, until nothing is. A second one in this process only wakes the first."""
    try:
        Office.of_this_process().run()
    except Exception as problem:
        # asked again soon: as a failed job it would wait ever longer, and new messages with it
        log.error("the sender broke off", error=type(problem).__name__, trace=trace(6))
        raise executor.Later(5) from problem


@task("delivery.sweep", queue="default")
def sweep() -> None:
    with tenancy.unscoped("the sweep serves all accounts"):
        sending.sweep(clock.now())


@task("delivery.sort_mail", queue="urgent")
def sort_mail(inbound_id: str, attempt: int = 1) -> None:
    inbound.sort(UUID(inbound_id), attempt)


@task("delivery.tidy")
def tidy() -> None:
    """Raw mail that was kept long enough."""
    with tenancy.unscoped("the clock serves all accounts"):
        inbound.forget_raw()


class Office:
    """The one sender of this process: its way out, its paces, and who is at work in it."""

    _made: "Office | None" = None
    _lock = threading.Lock()

    def __init__(self) -> None:
        given = settings.current()
        self.settings = given
        self.transport: Transport = ports.current().get("mail") or _transport()
        self.printer = Printer(Hosts(given.base_url, given.mail_domain))
        self.buckets = Buckets(time.monotonic)
        self._working = False
        self._woken = False
        self._begun = False

    @classmethod
    def of_this_process(cls) -> "Office":
        with cls._lock:
            if cls._made is None or cls._made.settings is not settings.current():
                cls._made = cls()
            return cls._made

    def run(self) -> None:
        with self._lock:
            self._woken = True
            if self._working:
                return
            self._working = True
        try:
            while self._take_wake():
                self._work()
        except BaseException:
            self._working = False
            raise

    def _take_wake(self) -> bool:
        """Whether somebody has asked since the last look; if not, this run is over."""
        with self._lock:
            woken, self._woken = self._woken, False
            self._working = woken
            return woken

    def take_hint(self) -> bool:
        """Whether somebody has asked meanwhile."""
        with self._lock:
            woken, self._woken = self._woken, False
            return woken

    def _work(self) -> None:
        desk = _Desk(self)
        with tenancy.unscoped("the sender serves all accounts"):
            try:
                if desk.may_start(first=not self._begun):
                    self._begun = True
                    desk.lead()
            finally:
                desk.leave()


class _Desk:
    """The sender's `Desk`: service functions, each in a unit of its own; a database that is away for a moment is waited for."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.lane = office.transport.name
        self.books = sending.open_books(office.printer)
        self._accounts: deque[UUID] = deque()
        self._look_at = 0.0
        self._worked = False

    def may_start(self, first: bool) -> bool:
        def work(now: datetime) -> bool:
            sending.take_back(now)
            if first:
                sending.lane_reset(self.lane, now)
            return sending.lane_open(self.lane, now)

        return self._unit(work)

    def lead(self) -> None:
        courier = self.office.transport.courier()
        loop = Loop(
            self,
            courier,
            stopping=executor.STOPPING.is_set,
            woken=self.office.take_hint,
            paced=self.office.transport.paced,
            buckets=self.office.buckets,
            linger=0.0 if self.office.settings.testing else self.office.transport.linger,
            renew_every=self.office.settings.job_lease_seconds / 3,
            pause=ports.current().get("pause") or (lambda name: None),
        )
        try:
            loop.run()
        finally:
            courier.close()

    def leave(self) -> None:
        """Before this run ends: how the accounts stand, and when there is something to do again."""

        def work(now: datetime) -> None:
            for account_id in self.books.bounced:
                with tenancy.account_scope(account_id):
                    sending.check_standing(now)
            if executor.STOPPING.is_set():
                # what was given back is for the next worker
                queueing.wake()
            moment = sending.next_moment(now)
            if moment is not None:
                queueing.wake(max(moment, now + timedelta(seconds=2)))

        self._unit(work)

    # --- what the loop asks ---------------------------------------------------------------------------------------

    def claim(self, limit: int, held: Mapping[UUID, int]) -> list[Parcel]:
        most = self._most_of_one()

        def work(now: datetime) -> list[Parcel]:
            if not self._accounts or time.monotonic() >= self._look_at:
                began = time.monotonic()
                self._accounts = deque(sending.look_around(self.books, now))
                self._look_at = began + max(1.0, 20 * (time.monotonic() - began))
            open_to = [account_id for account_id in self._accounts if held.get(account_id, 0) < most]
            self._accounts.rotate(-1)
            return sending.claim(self.books, open_to, limit, most, now)

        taken = self._unit(work)
        if not taken:
            self._accounts.clear()
        return taken

    def turn(self, results: Sequence[tuple[Parcel, Reply]], parcels: Sequence[Parcel]) -> list[Letter]:
        def work(now: datetime) -> list[Letter]:
            if results:
                sending.settle(self.books, results, now)
                if not self._worked:
                    sending.lane_worked(self.lane, now)
            return [letter for parcel in sending.begin(self.books, parcels, now) if (letter := self._letter(parcel, now))]

        letters = self._unit(work)
        self._worked = self._worked or bool(results)
        return letters

    def _letter(self, parcel: Parcel, now: datetime) -> Letter | None:
        try:
            return self.office.printer.letter(parcel, now)
        except (ValueError, KeyError) as problem:
            sending.set_aside(parcel, f"{type(problem).__name__}: {problem}", now)
            return None

    def release(self, parcels: Sequence[Parcel]) -> None:
        self._unit(lambda now: sending.release(self.books, parcels))

    def unreachable(self, reply: Reply, parcel: Parcel | None) -> bool:
        self._worked = False
        return self._unit(lambda now: sending.unreachable(self.books, self.lane, reply, parcel, now))

    def renew(self) -> None:
        self._unit(lambda now: sending.renew(self.books, now))

    def pace_of(self, parcel: Parcel) -> tuple[float, float, float]:
        given = self.office.settings
        slowed = self.books.slowed.get((parcel.account_id, parcel.provider))
        provider = given.mail_pace_provider
        if slowed is not None:
            provider = rules.pace_now(provider, *slowed, clock.now())
        return given.mail_pace_installation, given.mail_pace_account, provider

    def _most_of_one(self) -> int:
        """How many claims of one account may wait here: two seconds' worth of its pace."""
        pace = self.office.settings.mail_pace_account
        return max(5, int(2 * pace)) if pace and self.office.transport.paced else CHUNK

    def _unit(self, work: Callable[[datetime], T]) -> T:
        ends = time.monotonic() + DATABASE_PATIENCE
        while True:
            try:
                with unit():
                    return work(clock.now())
            except OperationalError as problem:
                db.session.remove()
                if time.monotonic() > ends:
                    raise
                log.warning("the sender waits for the database", error=type(problem).__name__)
                time.sleep(0.5)


def _keep_in_mailbox(letters: Sequence[Letter]) -> None:
    with unit():
        sending.keep_in_mailbox([(letter.mail_from, letter.rcpt_to, letter.data) for letter in letters], clock.now())


def _transport() -> Transport:
    """The way out that the settings name."""
    given = settings.current()
    if given.mail_url.startswith("mailbox:"):
        return MailboxTransport(_keep_in_mailbox)
    server = Server.from_url(given.mail_url, hello=given.mail_domain, ca_file=given.mail_ca_file)
    return SmtpTransport(server, limits=Limits().divided(1 / given.mail_phase_seconds), lines=given.mail_connections)
