"""`nps rollups rebuild [--account SLUG]`: throw the sums away and make them again."""

import click
from flask.cli import with_appcontext

from nps.accounts import queries as accounts
from nps.analytics import queries, service
from nps.core import db as database
from nps.core import tenancy


@click.group()
def rollups() -> None:
    """Sums kept for speed."""


@rollups.command()
@click.option("--account", "slug", help="only this account; else all")
@with_appcontext
def rebuild(slug: str | None) -> None:
    """Make the sums anew from the responses, while answers come in."""
    with database.unit(write=False), tenancy.unscoped("an operator's command"):
        if slug is None:
            chosen = list(queries.accounts_with_answers())
        else:
            found = accounts.find_account(slug)
            if found is None:
                raise click.ClickException(f"There is no account {slug}.")
            chosen = [found.id]
    for account_id in chosen:
        with tenancy.account_scope(account_id), database.unit():
            database.read_snapshot()
            counted = service.rebuild()
        click.echo(f"{account_id}: {counted:,} answers counted")
