"""`nps doctor`: is this installation in order, and if not, what to do next. It looks and changes nothing; it names nobody."""

import ipaddress
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from kombu import Connection as BrokerConnection
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError

from nps.app import create_app, folder
from nps.core import clock, tenancy
from nps.core import db as database
from nps.core.db import Base, db
from nps.core.settings import BadSettings, Settings, load
from nps.delivery import queries as delivery
from nps.delivery.transports import smtp
from nps.jobs import queries as jobs
from nps.rewards import queries as rewards

PATIENCE = 5
"""Seconds for anybody else's answer: database, broker, mail server."""
FRESH = timedelta(seconds=60)
LATE = timedelta(minutes=15)
ROOM, LAST_ROOM = 10**9, 10**8
NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "ceph", "fuse.glusterfs"})


class Level(StrEnum):
    FINE = "fine"
    LOOK = "look"
    BROKEN = "broken"


MARKS = {Level.FINE: "✓", Level.LOOK: "!", Level.BROKEN: "✗"}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check saw. `step` says what to do next and is empty where all is in order."""

    check: str
    level: Level
    words: str
    step: str = ""

    def __str__(self) -> str:
        return f"{MARKS[self.level]} {self.check}: {self.words} {self.step}".rstrip()


def fine(check: str, words: str) -> Finding:
    return Finding(check, Level.FINE, words)


def look(check: str, words: str, step: str) -> Finding:
    return Finding(check, Level.LOOK, words, step)


def broken(check: str, words: str, step: str) -> Finding:
    return Finding(check, Level.BROKEN, words, step)


# --- judgements over plain values -------------------------------------------------------------------------------------


def weak(key: str) -> bool:
    """Can this key be guessed although it is long? One piece repeated, or made of a few characters."""
    return len(set(key)) < 8 or key in (key + key)[1:-1]


def on_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def judge_revision(current: set[str], newest: set[str], known: set[str]) -> Finding:
    check = "tables"
    if not current:
        return broken(check, "the database has no tables yet.", "Type `nps db upgrade`.")
    if not current <= known:
        words = "the database is newer than this program."
        return broken(check, words, "Install the release that upgraded it, or restore the copy made before.")
    if current != newest:
        return broken(check, "the database is older than this program.", "Type `nps db upgrade`, then restart web and worker.")
    return fine(check, "as this program needs them.")


def judge_room(place: str, free: int) -> Finding:
    check, words = f"free room for {place}", f"{free / 10**9:.1f} GB."
    step = "Make room on that disk or move the folder to a larger one."
    if free < LAST_ROOM:
        return broken(check, f"only {free / 10**6:.0f} MB.", f"{step} Writing stops when it is full.")
    return look(check, words, step) if free < ROOM else fine(check, words)


def judge_beat(beat: datetime | None, now: datetime) -> Finding:
    step = "Start one: `systemctl restart wordback-worker`, or `nps worker`."
    if beat is None:
        return broken("worker", "none has reported; no mail leaves.", step)
    if now - beat > FRESH:
        return broken("worker", f"the last one reported {ago(now - beat)} ago; no mail leaves.", step)
    return fine("worker", f"reported {ago(now - beat)} ago.")


def judge_waiting(since: datetime | None, now: datetime) -> Finding:
    if since is None or now - since <= FRESH:
        return fine("waiting jobs", "none is late.")
    level = Level.BROKEN if now - since > LATE else Level.LOOK
    step = "See that a worker runs and has time; start another one where one is not enough (deploy/RUNBOOK.md, Jobs pile up)."
    return Finding("waiting jobs", level, f"the oldest should have run {ago(now - since)} ago.", step)


def ago(span: timedelta) -> str:
    seconds = max(0, int(span.total_seconds()))
    for size, word in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {word}"
    return f"{seconds} s"


def mounted_as(path: Path, mounts: str) -> str:
    """The kind of file system that holds `path`, from the lines of /proc/mounts; the longest mount point wins."""
    rows = [line.split()[1:3] for line in mounts.splitlines() if len(line.split()) > 2]
    holding = [(point.replace("\\040", " "), kind) for point, kind in rows if path.is_relative_to(point.replace("\\040", " "))]
    return max(holding, key=lambda row: len(row[0]), default=("", ""))[1]


# --- looking ----------------------------------------------------------------------------------------------------------


def examine(given: Settings | None = None) -> list[Finding]:
    """Every check of an installation, `given` or that of the environment, in the order a reader mends things."""
    try:
        settings = given or load()
    except BadSettings as error:
        step = "Correct it in .env or in the environment of the service; .env.example explains every line."
        return [broken("settings", reason, step) for reason in error.reasons]
    found = [fine("settings", "readable.")]
    for check in (keys, address, files, room, broker, mail, stripe):
        found += carefully(check, settings)
    reached = carefully(reach, settings)
    found += reached
    if any(one.level is Level.BROKEN for one in reached):
        return found
    return found + carefully(inside, settings)


def inside(settings: Settings) -> Iterator[Finding]:
    """What only the application on its database can tell."""
    app = create_app(settings)
    with app.app_context(), tenancy.unscoped("the operator looks after the installation"):
        try:
            made = carefully(tables, settings)
            yield from made
            if made[0].level is not Level.BROKEN:
                for check in (walls, journal, worker, waiting, dead, domains, ledger):
                    yield from carefully(check, settings)
        finally:
            db.session.remove()
            db.engine.dispose()


def carefully(check: Callable[[Settings], Iterable[Finding]], settings: Settings) -> list[Finding]:
    """The findings of a check; one that fails itself is a finding too."""
    try:
        return list(check(settings))
    except Exception as error:
        step = "Run this again; if it stays, report it with the version."
        if isinstance(error, DBAPIError):
            step = "See that the database answers, then run this again."
        return [broken(check.__name__, f"could not be looked at ({type(error).__name__}).", step)]


def keys(settings: Settings) -> Iterator[Finding]:
    if any(weak(key) for key in settings.secret_keys):
        step = "Replace it in SECRET_KEYS by a random one and restart web and worker; links in mails already sent die with it."
        yield broken("secret keys", "one can be guessed, so links and sessions can be forged.", step)
    else:
        yield fine("secret keys", f"{len(settings.secret_keys)}, long and mixed.")


def address(settings: Settings) -> Iterator[Finding]:
    if settings.demo or settings.testing:
        yield fine("address", f"{settings.base_url}, for demo and tests.")
    elif on_loopback(urlsplit(settings.base_url).hostname or ""):
        step = "Set BASE_URL to the address under which customers reach this installation."
        yield look("address", f"{settings.base_url} exists on this machine only; links in mails lead nowhere.", step)
    elif not settings.secure:
        step = "Put a front server with a certificate before it (deploy/nginx) and set BASE_URL to https."
        yield look("address", f"{settings.base_url} is not encrypted.", step)
    else:
        yield fine("address", settings.base_url)


def writable(place: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=place):
            return True
    except OSError:
        return False


def nearest(place: Path) -> Path:
    """The folder itself, or the first one above it that exists."""
    place = place.absolute()
    return next(one for one in (place, *place.parents) if one.exists())


def files(settings: Settings) -> Iterator[Finding]:
    if writable(nearest(settings.files_dir)):
        yield fine("files", f"{settings.files_dir} can be written.")
    else:
        step = "Make the folder and give it to the user that web and worker run as, or set FILES_DIR to another one."
        yield broken("files", f"{settings.files_dir} cannot be written.", step)


def room(settings: Settings) -> Iterator[Finding]:
    file = database.sqlite_file(settings)
    places = {"files": settings.files_dir, **({"the database": file.parent} if file else {})}
    for name, place in places.items():
        yield judge_room(name, shutil.disk_usage(nearest(place)).free)


def broker(settings: Settings) -> Iterator[Finding]:
    if settings.broker_url.startswith("memory:"):
        yield fine("broker", "inside the worker.")
        return
    limits = {"socket_connect_timeout": PATIENCE, "socket_timeout": PATIENCE} if settings.broker_url.startswith("redis") else {}
    connection = BrokerConnection(settings.broker_url, connect_timeout=PATIENCE, transport_options=limits)
    failures: tuple[type[BaseException], ...] = (OSError, *connection.connection_errors, *connection.channel_errors)
    try:
        with connection:
            connection.connect()
    except failures as error:
        step = "Start it or correct BROKER_URL, then restart the worker. Jobs wait in the database until then; none is lost."
        yield broken("broker", f"{where(settings.broker_url)} does not answer ({type(error).__name__}).", step)
    else:
        yield fine("broker", f"{where(settings.broker_url)} answers.")


def where(url: str) -> str:
    """Host and port of an address, without name and password."""
    return urlsplit(url).netloc.rpartition("@")[2]


def mail(settings: Settings) -> Iterator[Finding]:
    if settings.mail_url.startswith("mailbox:"):
        if settings.demo:
            yield fine("mail", "the built-in mailbox of the demo.")
        else:
            step = "Set MAIL_URL to a mail server, smtp://user:password@host:port, and restart the worker."
            yield look("mail", "nobody gets mail: it stays in the built-in mailbox.", step)
        return
    step = "Correct host, port, name or password in MAIL_URL and restart the worker. Messages wait until then; none is lost."
    try:
        server = smtp.Server.from_url(settings.mail_url, hello=settings.mail_domain, ca_file=settings.mail_ca_file)
        problem = smtp.hello(server, PATIENCE)
    except ValueError:
        yield broken("mail", "MAIL_URL is not an address of a mail server.", "Write it as smtp://user:password@host:port.")
    except OSError:
        yield broken("mail", "the certificates of MAIL_CA_FILE cannot be read.", "Correct MAIL_CA_FILE, or empty it for the system's.")
    else:
        if problem:
            yield broken("mail", f"{server.host}:{server.port} takes none ({problem.rstrip('.')}).", step)
        else:
            yield fine("mail", f"{server.host}:{server.port} is ready to take it.")


def stripe(settings: Settings) -> Iterator[Finding]:
    if settings.stripe_secret_key and not settings.stripe_webhook_secret:
        step = "Make an endpoint at Stripe for <BASE_URL>/in/billing/stripe and put its signing secret into STRIPE_WEBHOOK_SECRET."
        yield look("Stripe", "has a key but no webhook secret, so payments are noticed a day late or not at all.", step)
    else:
        yield fine("Stripe", "key and webhook secret are set." if settings.stripe_secret_key else "not used by this installation.")


def reach(settings: Settings) -> Iterator[Finding]:
    """Does the database answer? A SQLite file that does not exist is not made by looking for it."""
    file = database.sqlite_file(settings)
    if file is not None and not file.exists():
        yield broken("database", f"there is no file {file}.", "Type `nps db upgrade` to make it, or correct DATABASE_URL.")
        return
    if file is not None and not writable(file.parent):
        step = "Give the folder to the user that web and worker run as: SQLite keeps its journal beside the file."
        yield broken("database", f"the folder of {file} cannot be written.", step)
        return
    connect = {} if settings.is_sqlite else {"connect_timeout": PATIENCE}
    try:
        engine = create_engine(settings.database_url, connect_args=connect, poolclass=NullPool)
        with engine.connect() as connection:
            connection.execute(text("SELECT count(*) FROM sqlite_master" if settings.is_sqlite else "SELECT 1"))
    except DBAPIError as error:
        said = str(error.orig).strip().partition("\n")[0].rstrip(".")
        yield broken("database", f"does not answer: {said}.", "Start it, or correct DATABASE_URL (deploy/RUNBOOK.md, Database full).")
    else:
        yield fine("database", "answers.")


def revisions() -> set[str]:
    """Where the tables of the database stand; nothing before the first `nps db upgrade`."""
    with db.engine.connect() as connection:
        return set(MigrationContext.configure(connection).get_current_heads())


def tables(settings: Settings) -> Iterator[Finding]:
    script = ScriptDirectory(str(folder("migrations")))
    yield judge_revision(revisions(), set(script.get_heads()), {one.revision for one in script.walk_revisions()})


def walls(settings: Settings) -> Iterator[Finding]:
    if settings.is_sqlite:
        return
    with db.engine.connect() as connection:
        unbound, open_ = tenancy.sees_through_walls(connection), tenancy.open_walls(connection, Base.metadata)
    if unbound:
        step = "Use a plain role: ALTER ROLE … NOSUPERUSER NOBYPASSRLS, or a new one as in deploy/postgres-role.sh."
        yield broken("database role", "row security does not bind it, so one wall between companies is missing.", step)
    else:
        yield fine("database role", "bound by row security.")
    if open_:
        step = "For each: ALTER TABLE … ENABLE ROW LEVEL SECURITY, and ALTER TABLE … FORCE ROW LEVEL SECURITY."
        yield broken("row security", f"not in force on {', '.join(open_)}.", step)
    else:
        yield fine("row security", "in force on every table of companies.")


def journal(settings: Settings) -> Iterator[Finding]:
    if not settings.is_sqlite:
        return
    file, mounts = database.sqlite_file(settings), Path("/proc/self/mounts")
    kind = mounted_as(file.resolve(), mounts.read_text()) if file is not None and mounts.exists() else ""
    with db.engine.connect() as connection:
        mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
    if kind in NETWORK_FILE_SYSTEMS:
        step = "Move it to a disk of this machine, or use PostgreSQL."
        yield broken("SQLite", f"its file lies on {kind}, where it can be damaged.", step)
    elif mode != "wal":
        step = "Keep the database in a file on a disk of this machine, and let DATABASE_URL name it plainly: sqlite:///folder/file."
        yield broken("SQLite", f"keeps its journal as {mode} and not as WAL, so readers and writers block each other.", step)
    else:
        yield fine("SQLite", "a local file, in WAL mode.")


def worker(settings: Settings) -> Iterator[Finding]:
    with database.unit(write=False):
        yield judge_beat(jobs.newest_beat(), clock.now())


def waiting(settings: Settings) -> Iterator[Finding]:
    with database.unit(write=False):
        now = clock.now()
        yield judge_waiting(jobs.oldest_due(now), now)


def dead(settings: Settings) -> Iterator[Finding]:
    with database.unit(write=False):
        count, newest = jobs.count_dead(), jobs.find_newest_dead()
    if newest is None:
        yield fine("dead jobs", "none.")
        return
    step = "Read the column `error` of that row in the table `job`, and mend it (deploy/RUNBOOK.md, Jobs pile up)."
    kind = (newest.error or "").partition(":")[0]
    why = f" with {kind}" if kind.isidentifier() else ""
    yield look("dead jobs", f"{count} given up; the newest is {newest.task}{why}.", step)


def domains(settings: Settings) -> Iterator[Finding]:
    with database.unit(write=False):
        count = delivery.count_unverified_domains()
    if count:
        step = f"Compare their DNS records (table `sender_domain`); until then this mail leaves from {settings.mail_domain}."
        yield look("sending domains", f"{count} not verified.", step)
    else:
        yield fine("sending domains", "none waits for its records.")


def ledger(settings: Settings) -> Iterator[Finding]:
    with database.unit(write=False):
        wrong = rewards.violations()
    if wrong:
        step = "Stop the worker so that nothing more is handed out, keep a copy of the database, and report it with the version."
        yield broken("ledger", f"{len(wrong)} of its rules broken; the first: {wrong[0]}.", step)
    else:
        yield fine("ledger", "every entry sums to zero.")
