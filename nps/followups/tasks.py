"""What the clock starts."""

from uuid import UUID

from nps.followups import service
from nps.jobs.registry import task


@task("followups.watch", queue="urgent")
def watch() -> None:
    """Every minute: ask for a look at each case whose time has come."""
    service.watch()


@task("followups.look", queue="urgent")
def look(case_id: str) -> None:
    """Escalate, end a snooze, ask about a silent customer: whatever has fallen due on one case."""
    service.look(UUID(case_id))
