"""What the clock starts for referrals."""

from nps.core import clock, settings, tenancy
from nps.jobs.registry import task
from nps.referrals import queries, service


@task("referrals.replay_clicks", network=True)
def replay_clicks() -> None:
    """Spooled clicks come home. Not one unit of work: each group commits before its file goes."""
    service.replay(settings.current().files_dir / "spool")


@task("referrals.roll_up")
def roll_up() -> None:
    """Bursts and shares nobody recorded, for accounts with recent clicks; salts of today and tomorrow."""
    service.ensure_salts(clock.now())
    for account_id in queries.accounts_with_clicks_since(clock.now() - service.BURST_WINDOW):
        with tenancy.account_scope(account_id):
            service.roll_up()


@task("referrals.expire")
def expire() -> None:
    """Claims and sign-ups whose window has passed, account by account."""
    for account_id, friend_ids in queries.due_to_expire(clock.now()).items():
        with tenancy.account_scope(account_id):
            for friend_id in friend_ids:
                service.settle(friend_id, clock.now())
