"""`nps billing sync`: our plans at Stripe and here are the same."""

import click
from flask.cli import with_appcontext

from nps.billing import gateway, rules, service
from nps.core.db import unit


@click.group()
def billing() -> None:
    """Plans and prices."""


@billing.command()
@with_appcontext
def sync() -> None:
    """Find or make every price at Stripe and write it down."""
    names = {f"wordback_{plan}_{interval}": (plan, interval) for plan in rules.FOR_SALE for interval in rules.INTERVALS}
    found = {price.lookup_key: price for price in gateway.list_prices(list(names)) if price.active}
    for name, (plan, interval) in names.items():
        wanted = rules.PLANS[plan].price_minor(interval)
        price = found.get(name)
        if price is None:
            price = gateway.create_price(plan=plan, name=rules.PLANS[plan].name, lookup_key=name, amount_minor=wanted, interval=interval)
        elif price.amount_minor != wanted:
            raise click.ClickException(f"{name} costs {price.amount_minor} at Stripe and {wanted} here. Nothing was changed for it.")
        with unit():
            service.keep_price(plan, interval, price)
        click.echo(f"{name} {price.id}")
