"""What queue and clock start."""

from uuid import UUID

from nps.campaigns import service
from nps.jobs import outbox
from nps.jobs.registry import task


@task("campaigns.plan", queue="bulk", tries=20)
def plan(account_id: str, campaign_id: str, wave: int, occurred_at: str) -> None:
    """Plan a batch of a wave; ask for the next one."""
    if service.plan(UUID(campaign_id), wave):
        outbox.enqueue("campaigns.plan", {"account_id": account_id, "campaign_id": campaign_id, "wave": wave, "occurred_at": occurred_at})


@task("campaigns.write", tries=20)
def write() -> None:
    """Write what is due in this account; ask for the next batch."""
    if service.write_due():
        service.wake_writer()


@task("campaigns.tick")
def tick() -> None:
    """The clock's look over all accounts."""
    service.tick()


@task("campaigns.look_after")
def look_after() -> None:
    """Starts, lapses, reminders, ends and expiries of this account."""
    if service.look_after():
        service.ask_to_look_after()
