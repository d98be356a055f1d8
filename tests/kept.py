"""Applications that tests use one after the other, because building one takes longer than most tests: each test gets it as it was built."""

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import event

from nps.api import limits
from nps.app import create_app, put_in_force, stand_in_front
from nps.core.db import db
from nps.core.ports import Ports
from nps.core.settings import Settings

MOST = 6
# Read from the settings in force each time they are needed; everything else may have been built into the application.
READ_LATE: dict[str, Any] = {
    "files_dir": Path(),
    "mail_url": "mailbox://",
    "stripe_api_base": "",
    "stripe_secret_key": "",
    "stripe_webhook_secret": "",
}


class Kept:
    """One application and what it looked like when it was new."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        with self.app.app_context():
            if db.engine.dialect.name == "sqlite":
                event.listen(db.engine, "connect", _forgetful)
        self.holders: list[dict[str, Any]] = [self.app.config, self.app.extensions, self.app.jinja_env.globals]
        self.contents = [dict(holder) for holder in self.holders]

    def as_new(self, settings: Settings, ports: Ports) -> Flask:
        """The application with these settings in force, its limits not used up, no link in its memory."""
        put_in_force(settings, ports)
        for holder, content in zip(self.holders, self.contents, strict=True):
            holder.clear()
            holder.update(content)
        self.app.extensions["settings"] = settings
        self.app.jinja_env.globals["settings"] = settings
        self.app.test_client_class = None
        limits.install(self.app)
        del self.app.wsgi_app  # type: ignore[method-assign]  # the class's own, which what stands in front has covered
        stand_in_front(self.app, settings)
        return self.app

    def close(self) -> None:
        with self.app.app_context():
            db.engine.dispose()


def _forgetful(connection: Any, record: Any) -> None:
    """A test's file need not survive the machine."""
    connection.execute("PRAGMA synchronous=OFF")


def keep(build: Callable[[Settings], Flask] = create_app) -> Callable[[Settings, Ports], Flask]:
    """A function that gives an application for settings, built when none of the last few fits."""
    kept: OrderedDict[Settings, Kept] = OrderedDict()

    def application(settings: Settings, ports: Ports) -> Flask:
        key = settings.model_copy(update=READ_LATE)
        if key not in kept:
            kept[key] = Kept(build(settings))
        kept.move_to_end(key)
        while len(kept) > MOST:
            _, oldest = kept.popitem(last=False)
            oldest.close()
        return kept[key].as_new(settings, ports)

    return application
