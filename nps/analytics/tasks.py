"""What the clock starts: folding, choosing what sums are kept for, proving. Each once an account, harmless twice."""

from collections.abc import Callable, Sequence
from uuid import UUID

from nps.analytics import queries, service
from nps.core import db as database
from nps.core import tenancy
from nps.jobs import outbox
from nps.jobs.registry import task

FOLD_ALL, CHOOSE_ALL, PROVE_ALL = "analytics.fold_all", "analytics.choose_all", "analytics.prove_all"
_BATCHES = 20


def _for_each(found: Callable[[], Sequence[UUID]], name: str) -> None:
    """One job an account, and never two waiting."""
    with tenancy.unscoped("the clock looks for accounts with work"):
        accounts = found()
    for account_id in accounts:
        with tenancy.account_scope(account_id):
            outbox.enqueue(name, {}, key=str(account_id))


@task(FOLD_ALL)
def fold_all() -> None:
    _for_each(queries.accounts_with_waiting, "analytics.fold")


@task("analytics.fold", network=True, lease_seconds=300)
def fold() -> None:
    """Fold until nothing waits, batch by batch, each its own transaction."""
    for _ in range(_BATCHES):
        with database.unit():
            if service.fold() < service.BATCH:
                return


@task("analytics.forget")
def forget(contact_id: str, **_event: object) -> None:
    """A person was erased: their values leave the deltas."""
    service.forget(UUID(contact_id))


@task(CHOOSE_ALL)
def choose_all() -> None:
    _for_each(queries.accounts_with_answers, "analytics.choose")


@task("analytics.choose", queue="bulk", network=True, lease_seconds=1800)
def choose() -> None:
    with database.unit():
        database.read_snapshot()
        service.keep_properties()


@task(PROVE_ALL)
def prove_all() -> None:
    _for_each(queries.accounts_with_answers, "analytics.prove")


@task("analytics.prove", queue="bulk", network=True, lease_seconds=1800)
def prove() -> None:
    with database.unit():
        database.read_snapshot()
        service.prove()
