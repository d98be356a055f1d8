"""`nps`: what the operator types."""

import json
import os
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version

import click
from flask import Flask
from flask.cli import FlaskGroup

from nps.app import create_app, folder
from nps.core.settings import BadSettings, Settings, environment, load
from nps.demo import commands as demo_commands
from nps.demo import supervisor
from nps.demo.gateway import is_alive
from nps.jobs import relay


@click.group(cls=FlaskGroup, create_app=create_app, add_default_commands=False, add_version_option=False)
def main() -> None:
    """Wordback: one question by email, every answer acted on."""


def made() -> Flask:
    """The application of the environment; bad settings end the command with all reasons."""
    try:
        return create_app()
    except BadSettings as error:
        raise click.ClickException(str(error)) from None


@main.command(with_appcontext=False)
def worker() -> None:
    """Run a worker: relay, schedule and executor."""
    relay.make_worker(made()).start()


@main.command(with_appcontext=False)
@click.option("--bind", default="127.0.0.1:8000", show_default=True)
def web(bind: str) -> None:
    """Run the web server, replacing this process."""
    command = supervisor.gunicorn(str(folder("deploy") / "gunicorn.conf.py"), bind)
    os.execv(command[0], command)


@main.command(with_appcontext=False)
@click.option("--bind", default="127.0.0.1:8000", show_default=True)
def run(bind: str) -> None:
    """Run web server and worker together; Ctrl-C or SIGTERM stops both."""
    made()
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
@click.option("--reset", is_flag=True, help="Throw the demo's data away first.")
@click.option("--port", type=int, envvar="PORT", default=8000, show_default=True, help="the next free one if it is taken")
def demo_run(port: int, reset: bool) -> None:
    """Make the demo if it is not there, then run it until Ctrl-C."""
    if reset:
        demo_commands.reset()

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
