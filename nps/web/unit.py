"""One request is one unit of work: committed when the answer is a success, rolled back otherwise."""

from collections.abc import Iterable, Iterator

from flask import Flask, Response, g, request, stream_with_context

from nps.core import db as database
from nps.core import tenancy
from nps.core.db import db

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FORMS = frozenset({"multipart/form-data", "application/x-www-form-urlencoded"})


def keep_changes() -> None:
    """Commit although the answer is a 4xx (a hit on an expired link is still a hit)."""
    g.keep_changes = True


def streamed(body: Iterable[bytes]) -> Iterator[bytes]:
    """Send `body` while it is made. The account in scope stays in scope until its end, although the request is over by then."""
    account_id = tenancy.current()

    def made() -> Iterator[bytes]:
        with tenancy.account_scope(account_id):
            yield from body

    return stream_with_context(made())


def install(app: Flask) -> None:
    """Begin and end the unit around every request."""

    @app.before_request
    def _begin() -> None:
        g.settings = app.extensions["settings"]
        if request.method not in SAFE:
            if request.url_rule is not None and request.mimetype in FORMS:
                # A form is read before anything is locked: a slow upload must not keep everybody else waiting.
                _ = request.form
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
