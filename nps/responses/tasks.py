"""What the queue starts for answers."""

from uuid import UUID

from nps.jobs.registry import task
from nps.responses import service


@task("responses.settle", queue="urgent")
def settle(response_id: str) -> None:
    """Ten minutes after a number was picked and not sent."""
    service.settle(UUID(response_id))


@task("responses.judge", queue="default")
def judge(response_id: str) -> None:
    """A burst followed an answer in its visit."""
    service.judge_again(UUID(response_id))
