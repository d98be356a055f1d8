"""One handler for what services refuse and for what surprises: a page, a fragment, or problem+json under /api."""

from flask import Flask, Response, g, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from nps.core import db as database
from nps.core import ids
from nps.core.db import db
from nps.core.errors import Away, DomainError, TooMany
from nps.core.log import log, trace
from nps.web.htmx import is_fragment
from nps.web.unit import MACHINES

WORDS = {
    400: ("We could not read that", "The request was cut or altered on its way. Go back and try once more."),
    401: ("Sign in first", "Nothing was changed."),
    403: ("Your role does not allow this", "Nothing was changed. An owner or admin of the account can do it."),
    404: (
        "There is nothing at this address",
        "It may have been moved or removed, or the address was cut. If it came in an email, open it from there once more.",
    ),
    405: ("This address does not take that", "Nothing was changed. Go back and use the buttons on the page."),
    409: ("Someone else was faster", "Nothing was changed."),
    410: ("This is over", "There is nothing left to do here."),
    413: ("That is too large", "Nothing was stored."),
    422: ("Something needs another look", "Nothing was stored."),
    429: ("That was very often", "Wait a minute, then go on. Nothing was lost."),
    500: ("Something broke on our side", "Nothing you typed was stored. The fault was written down; try again in a minute."),
    503: ("We are back in a moment", "The database does not answer. Nothing was lost; try again in a minute."),
}


def answer(status: int, message: str = "", error: DomainError | None = None, reference: str = "") -> Response:
    """The page or fragment for a refusal."""
    title, fallback = WORDS.get(status, WORDS[400] if status < 500 else WORDS[500])
    name = "_error.html" if is_fragment() else "error.html"
    if status >= 500:
        # What the workspace's frame would show is read from the database, and that may be what broke.
        for who in ("member", "account", "user"):
            g.pop(who, None)
    page = render_template(name, status=status, heading=title, message=message or fallback, error=error, reference=reference)
    response = make_response(page, status)
    if isinstance(error, TooMany | Away):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def for_machines(app: Flask, status: int, code: str, message: str, fields: dict[str, str], error: Exception) -> Response:
    """The API's own form of a refusal."""
    problem: Response = app.extensions["api_errors"](status, code, message, fields, error)
    return problem


def install(app: Flask) -> None:
    """Register the handlers. `app.extensions["api_errors"]`, where set, answers for paths under /api."""

    def _for_machines() -> bool:
        return request.path.startswith(MACHINES) and "api_errors" in app.extensions

    def _rollback() -> None:
        if db.session.registry.has() and not g.get("keep_changes"):
            database.rollback()

    @app.errorhandler(DomainError)
    def _domain(error: DomainError) -> Response:
        _rollback()
        if _for_machines():
            return for_machines(app, error.status, error.code, error.message, error.fields, error)
        return answer(error.status, error.message, error)

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Response:
        status = error.code or 500
        if status < 400:
            return error.get_response()  # type: ignore[return-value]
        # Flask wraps what is raised after the view, such as by the commit.
        cause = getattr(error, "original_exception", None)
        if cause is not None:
            return _surprise(cause)
        _rollback()
        if _for_machines():
            code = (error.name or "error").lower().replace(" ", "_")
            return for_machines(app, status, code, error.description or "", {}, error)
        return answer(status)

    @app.errorhandler(Exception)
    def _surprise(error: Exception) -> Response:
        if database.is_away(error):
            log.warning("the database is away", route=request.endpoint, error=type(error).__name__)
            g.keep_changes = False
            return _domain(Away())
        reference = ids.new_token(6)
        log.error("surprise", reference=reference, route=request.endpoint, error=type(error).__name__, trace=trace(8))
        if app.testing and not app.config.get("SHOW_ERROR_PAGES"):
            raise error
        g.keep_changes = False
        _rollback()
        if _for_machines():
            return for_machines(app, 500, "internal", "", {}, error)
        return answer(500, reference=reference)
