"""What queue and clock start for rewards."""

from uuid import UUID

from nps.core import clock, tenancy
from nps.jobs.registry import task
from nps.rewards import queries, service


@task("rewards.take_event", queue="urgent", tries=20)
def take_event(event_id: str, connection_id: str) -> None:
    """A kept Stripe event becomes facts."""
    service.take_event(UUID(event_id), UUID(connection_id))


@task("rewards.keep_time")
def keep_time() -> None:
    """Holds that are over, answers that are overdue, account by account."""
    for account_id in queries.accounts_with_due_rewards(clock.now()):
        with tenancy.account_scope(account_id):
            service.close_holds()
            service.answer_overdue()
