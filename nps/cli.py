"""`nps`: what the operator types."""

import json
import os
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version
from typing import Any

import click
from flask import Flask
from flask.cli import FlaskGroup
from flask_migrate import upgrade
from flask_migrate.cli import db
from sqlalchemy.exc import OperationalError

from nps import doctor, wiring
from nps.app import create_app, folder
from nps.core.db import db as database
from nps.core.settings import BadSettings, Settings, environment, load
from nps.demo import commands as demo_commands
from nps.demo import supervisor
from nps.demo.gateway import is_alive
from nps.jobs import relay


class Unusable(click.ClickException):
    """The settings do not fit: wrong use, like a mistyped option."""

    exit_code = 2


class Commands(FlaskGroup):
    """Knows its commands without making the application, so that help and a mistyped word need no settings."""

    list_commands = click.Group.list_commands

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return click.Group.get_command(self, ctx, name)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BadSettings as error:
            raise Unusable(str(error)) from None
        except OperationalError as error:
            raise click.ClickException(f"The database failed: {error.orig}\n`nps doctor` says what to do.") from None


@click.group(cls=Commands, create_app=create_app, add_default_commands=False, add_version_option=False)
def main() -> None:
    """Wordback: one question by email, every answer acted on."""


main.add_command(db)
for command in wiring.COMMANDS:
    main.add_command(command)


def made() -> Flask:
    """The application, on a database that has its tables. One that does not answer yet is waited for by whoever runs."""
    app = create_app()
    with app.app_context():
        try:
            empty = not doctor.revisions()
        except OperationalError:
            return app
        database.engine.dispose()
    if empty:
        raise click.ClickException("The database has no tables yet. Type `nps db upgrade` first (.venv/bin/python -m nps.cli db upgrade).")
    return app


@main.command(with_appcontext=False)
def worker() -> None:
    """Run a worker: relay, schedule and executor."""
    relay.make_worker(made()).start()


@main.command(with_appcontext=False)
@click.option("--bind", default="127.0.0.1:8000", show_default=True)
def web(bind: str) -> None:
    """Run the web server, replacing this process."""
    made()
    command = supervisor.gunicorn(str(folder("deploy") / "gunicorn.conf.py"), bind)
    os.execv(command[0], command)


@main.command(with_appcontext=False)
@click.option("--bind", default="127.0.0.1:8000", show_default=True)
def run(bind: str) -> None:
    """Bring the database up to date, then run web server and worker together; Ctrl-C or SIGTERM stops both."""
    with create_app().app_context():
        upgrade()
        database.engine.dispose()
    parts = supervisor.Supervisor(environment({}))
    parts.listen()
    try:
        parts.start("web", supervisor.gunicorn(str(folder("deploy") / "gunicorn.conf.py"), bind))
        parts.start("worker", supervisor.worker())
        ended = parts.wait()
    finally:
        parts.stop()
    if ended is not None:
        raise click.ClickException(f"The {ended} process ended by itself.")


@main.command(with_appcontext=False)
@click.option("--port", type=int, default=8000, show_default=True)
def healthy(port: int) -> None:
    """Does the web process of this machine answer? For container health checks; exit 1 when not."""
    if not is_alive(f"http://127.0.0.1:{port}"):
        raise SystemExit(1)


@main.command("doctor", with_appcontext=False)
@click.option("--json", "as_json", is_flag=True, help="for programs")
def examine(as_json: bool) -> None:
    """Is this installation in order, and if not, what to do next? Exit 1 when something is broken."""
    found = doctor.examine()
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in found]))
    else:
        click.echo("\n".join(str(finding) for finding in found))
    if any(finding.level is doctor.Level.BROKEN for finding in found):
        raise SystemExit(1)


@main.command(with_appcontext=False)
def version() -> None:
    """Print the version."""
    try:
        click.echo(package_version("nps"))
    except PackageNotFoundError:
        click.echo("from source")


@main.group(cls=click.Group)
def demo() -> None:
    """A running installation with a believable company in it."""


@demo.command("run")
@click.option("--port", type=int, envvar="PORT", default=8000, show_default=True, help="the next free one if it is taken")
def demo_run(port: int) -> None:
    """Make the demo if it is not there, then run it until Ctrl-C."""

    def make(settings: dict[str, str]) -> Flask:
        names = {name.lower(): value for name, value in settings.items()}
        return create_app(load(**{name: value for name, value in names.items() if name in Settings.model_fields}))

    raise SystemExit(demo_commands.run(make, folder("deploy") / "gunicorn.conf.py", port))


@demo.command("reset")
def demo_reset() -> None:
    """Throw the demo's data away; the next run makes it anew."""
    demo_commands.reset()


@demo.command("info")
@click.option("--json", "as_json", is_flag=True, help="for programs")
def demo_info(as_json: bool) -> None:
    """Address, sign-in and key of the running demo."""
    facts = demo_commands.info()
    if facts is None:
        raise click.ClickException("No demo is running here. `make demo` starts one.")
    click.echo(json.dumps(facts) if as_json else "\n".join(f"{name:18} {value}" for name, value in facts.items()))


if __name__ == "__main__":
    main()
