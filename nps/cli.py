"""`nps`: what the operator types."""

import click
from flask.cli import FlaskGroup

from nps.app import create_app
from nps.core.settings import BadSettings
from nps.jobs import relay


@click.group(cls=FlaskGroup, create_app=create_app, add_default_commands=False)
def main() -> None:
    """Wordback: one question by email, every answer acted on."""


@main.command()
def worker() -> None:
    """Run the worker: relay, schedule and executor."""
    try:
        app = create_app()
    except BadSettings as error:
        raise click.ClickException(str(error)) from None
    relay.make_worker(app).start()


if __name__ == "__main__":
    main()
