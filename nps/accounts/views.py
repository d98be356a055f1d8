"""Signing in and out."""

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask_login import current_user, login_user, logout_user

from nps.accounts import queries, service
from nps.accounts.forms import SignInForm
from nps.core.email_address import parse
from nps.core.errors import DomainError
from nps.web import current

blueprint = Blueprint("accounts", __name__)
start = Blueprint("start", __name__)


def own_path(target: str | None) -> str | None:
    """`target` if it is a path of ours; anything that could leave this host is dropped."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or "\\" in target:
        return None
    return target if not urlsplit(target).netloc else None


@blueprint.route("/login", methods=["GET", "POST"])
def sign_in() -> Any:
    form = SignInForm()
    if form.validate_on_submit():
        try:
            user = service.check_password(parse(form.email.data).lower(), form.password.data)
        except DomainError as error:
            form.refuse(error)
        else:
            session.clear()
            login_user(service.start_session(user, request.user_agent.string, request.remote_addr or ""))
            return redirect(own_path(request.args.get("next")) or url_for("start.home"), 303)
    return render_template("accounts/sign_in.html", form=form), 422 if form.errors or form.form_errors else 200


@blueprint.post("/logout")
def sign_out() -> Any:
    if current_user.is_authenticated:
        service.end_session(current_user._get_current_object())
    logout_user()
    session.clear()
    return redirect(url_for("accounts.sign_in"), 303)


@start.get("/")
def home() -> Any:
    """The start page of whoever is signed in: their first account."""
    accounts = queries.list_accounts_of(current.user.id)
    if not accounts:
        return render_template("accounts/no_account.html")
    return redirect(f"/{accounts[0].slug}/")
