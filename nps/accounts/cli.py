"""What the operator types about companies and people: `nps account …`, `nps user …`."""

import click
from flask.cli import with_appcontext

from nps.accounts import queries, service
from nps.core import tenancy
from nps.core.db import unit
from nps.core.email_address import parse
from nps.core.errors import DomainError


def _address(context: click.Context, parameter: click.Parameter, value: str) -> str:
    try:
        return parse(value).lower()
    except DomainError as error:
        raise click.BadParameter(error.message) from None


@click.group()
def account() -> None:
    """Companies."""


@account.command()
@click.argument("name")
@click.option("--email", required=True, callback=_address, help="address of the first owner")
@click.option("--person", required=True, help="name of the first owner")
@with_appcontext
def create(name: str, email: str, person: str) -> None:
    """Open an account for a company and print a link that signs its owner in once, for 24 hours."""
    with unit(), tenancy.unscoped("the operator opens an account"):
        user = queries.find_user(email) or service.create_user(email, person)
        made = service.create_account(name, user, sender_name=user.name, sender_email=email, reply_to=email)
        link, slug = service.make_link("confirm", user), made.slug
    click.echo(f"Account {slug} is open. {person} comes in by this link, once, within 24 hours:")
    click.echo(link)


@account.command(name="list")
@with_appcontext
def list_() -> None:
    """Every account: slug, state, name."""
    with unit(write=False), tenancy.unscoped("the operator looks at all accounts"):
        for one in queries.list_all_accounts():
            click.echo(f"{one.slug}\t{one.state}\t{one.name}")


@click.group()
def user() -> None:
    """People who sign in."""


@user.command()
@click.argument("email", callback=_address)
@with_appcontext
def link(email: str) -> None:
    """Print a link that signs a person in once, for 10 minutes: when mail does not reach them."""
    with unit():
        found = queries.find_user(email)
        if found is None:
            raise click.ClickException("There is nobody with this address.")
        made = service.make_link("sign_in", found)
    click.echo(made)
