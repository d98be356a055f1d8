"""One request is one unit of work: committed when the answer is a success, rolled back otherwise."""

from flask import Flask, Response, g, request

from nps.core import db as database
from nps.core import tenancy
from nps.core.db import db

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def keep_changes() -> None:
    """Commit although the answer is a 4xx (a hit on an expired link is still a hit)."""
    g.keep_changes = True


def install(app: Flask) -> None:
    """Begin and end the unit around every request."""

    @app.before_request
    def _begin() -> None:
        g.settings = app.extensions["settings"]
        if request.method not in SAFE:
            database.begin_writing()

    @app.after_request
    def _end(response: Response) -> Response:
        if db.session.registry.has():
            if response.status_code < 400 or g.get("keep_changes"):
                database.commit()
            else:
                database.rollback()
        return response

    @app.teardown_request
    def _forget(error: BaseException | None) -> None:
        database.end_writing()
        db.session.remove()
        tenancy.leave()
