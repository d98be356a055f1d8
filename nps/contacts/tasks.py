"""What queue and clock start."""

from uuid import UUID

from sqlalchemy.exc import IntegrityError

from nps.contacts.service import importing
from nps.core.db import unit
from nps.jobs.registry import task

_TRIES = 5


@task("contacts.run_import", queue="bulk", network=True, tries=1000)
def run_import(import_id: str) -> None:
    """Take a file in, chunk by chunk. Reading stands outside the writing units, so others wait for the database only briefly."""
    try:
        with unit(write=False):
            run = importing.Run(UUID(import_id))
        ended = False
        while not ended:
            with unit(write=False):
                chunk = run.read()
            ended = _store(run, chunk)
    except importing.Overtaken:
        pass


def _store(run: importing.Run, chunk: importing.Chunk) -> bool:
    """Somebody may add the same person at the same moment; then the chunk is placed again, and finds them."""
    for left in reversed(range(_TRIES)):
        try:
            with unit():
                return run.store(chunk)
        except IntegrityError:
            if not left:
                raise
    raise AssertionError("not reached")


@task("contacts.undo_import", queue="bulk", network=True, tries=1000)
def undo_import(import_id: str) -> None:
    """Take an import back, part by part."""
    try:
        done = False
        while not done:
            with unit():
                done = importing.undo_step(UUID(import_id))
    except importing.Overtaken:
        pass


@task("contacts.forget_files", queue="bulk")
def forget_files() -> None:
    """Delete uploads nobody started and what is no longer needed of old imports."""
    importing.forget_old()


@task("contacts.tell_import_ended")
def tell_import_ended(import_id: str, **facts: object) -> None:
    """Mail the member who started it. The other facts of the event are read from the import itself."""
    importing.tell(UUID(import_id))
