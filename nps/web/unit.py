"""One request is one unit of work: committed when the answer is a success, rolled back otherwise."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from flask import Flask, Request, Response, abort, g, request, stream_with_context
from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from werkzeug.utils import cached_property

from nps.core import db as database
from nps.core import tenancy
from nps.core.db import db

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FORMS = frozenset({"multipart/form-data", "application/x-www-form-urlencoded"})
MACHINES = ("/api/", "/compat/", "/in/")
"""Where programs ask: they get problem+json, and a refusal where a person would be forgiven."""
FORM_BYTES = 3 * 1024 * 1024
"""What a form may hold, files included, where none is asked for: it is read before anybody is asked who they are."""

F = TypeVar("F", bound=Callable[..., Any])
LARGE_FILES = "_takes_large_files"


def takes_large_files(view: F) -> F:
    """This form carries a file up to the limit of the installation. Stands directly below the route."""
    setattr(view, LARGE_FILES, True)
    return view


class TypedRequest(Request):
    """A request whose query and form hold no NUL: no person types it, and PostgreSQL keeps no text with it. Machines are told instead."""

    @cached_property
    def args(self) -> MultiDict[str, str]:
        return super().args if self.path.startswith(MACHINES) else _without_nul(super().args)

    def _load_form_data(self) -> None:
        if "form" in self.__dict__:
            return
        super()._load_form_data()
        self.__dict__["form"] = _without_nul(self.form)


def _without_nul(pairs: MultiDict[str, str]) -> MultiDict[str, str]:
    given = list(pairs.items(multi=True))
    if not any("\x00" in text for pair in given for text in pair):
        return pairs
    return ImmutableMultiDict((name.replace("\x00", ""), text.replace("\x00", "")) for name, text in given)


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
    app.request_class = TypedRequest

    @app.before_request
    def _begin() -> None:
        g.settings = app.extensions["settings"]
        if "\x00" in request.path:
            abort(404)
        if request.method not in SAFE:
            if request.url_rule is not None and request.mimetype in FORMS:
                if not hasattr(app.view_functions.get(request.endpoint or ""), LARGE_FILES):
                    request.max_content_length = FORM_BYTES
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
