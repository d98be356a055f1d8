"""What the queue and the clock start: mails after sign-up and for sign-in, and tidying."""

from nps.accounts import service
from nps.api import idempotency
from nps.core import clock
from nps.jobs.registry import task


@task("accounts.mail_link", queue="urgent")
def mail_link(purpose: str, email: str) -> None:
    service.mail_link(purpose, email)


@task("accounts.mail_known_address", queue="urgent")
def mail_known_address(email: str) -> None:
    service.mail_known_address(email)


@task("accounts.tidy")
def tidy() -> None:
    """Rows of tries, of browsers and of repeated requests that count for nothing any more."""
    service.forget_old_tries()
    service.forget_dead_sessions()
    idempotency.prune(clock.now())
