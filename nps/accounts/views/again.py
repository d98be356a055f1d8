"""Sensitive acts ask who is there once more when the last answer is older than ten minutes. Nothing typed is lost by it."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import g, redirect, render_template, request

from nps.accounts import service
from nps.accounts.views.door import own_path
from nps.accounts.views.password import checked
from nps.accounts.views.start import start
from nps.core.errors import DomainError
from nps.jobs.outbox import enqueue
from nps.web import current
from nps.web.unit import keep_changes

F = TypeVar("F", bound=Callable[..., Any])
_OURS = frozenset({"csrf_token", "again_password", "again_do"})


def sensitive(view: F) -> F:
    """Ask for the password first when an unsafe request comes later than ten minutes after the last proof."""

    @wraps(view)
    def asked(*given: Any, **rest: Any) -> Any:
        if request.method == "POST" and not service.is_fresh(g.login_session):
            return page(request.path), 403
        return view(*given, **rest)

    return asked  # type: ignore[return-value]


def page(target: str, problem: str = "", sent: bool = False) -> str:
    fields = [(name, value) for name, value in request.form.items(multi=True) if name not in (*_OURS, "again_target")]
    return render_template("accounts/again.html", target=target, fields=fields, problem=problem, sent=sent)


@start.post("/again")
def again() -> Any:
    """The answer: the password, or a link by mail that is opened in this browser. Then the act goes on where it was."""
    target, user = own_path(request.form.get("again_target")) or "/", current.user._get_current_object()
    if request.form.get("again_do") == "link":
        enqueue("accounts.mail_link", {"purpose": "sign_in", "email": user.email})
        return page(target, sent=True)
    if not service.is_fresh(g.login_session):
        try:
            checked(user.email, request.form.get("again_password", ""))
        except DomainError as error:
            keep_changes()
            words = "This is not your password." if error.code == "wrong_credentials" else error.message
            return page(target, words), error.status
        service.refresh(g.login_session)
    return redirect(target, 307)
