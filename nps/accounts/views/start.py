"""Where somebody who is signed in begins: their account, or a new one."""

from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request, url_for

from nps.accounts import queries, service
from nps.accounts.forms import CompanyNameForm
from nps.core.errors import DomainError
from nps.web import current

start = Blueprint("start", __name__)


@start.get("/")
def home() -> Any:
    """The start page of whoever is signed in: the overview of their first account, or the guide when it is new."""
    accounts = queries.list_accounts_of(current.user.id)
    if not accounts:
        return render_template("accounts/no_account.html")
    if request.args.get("first") or "analytics.overview" not in current_app.view_functions:
        return redirect(url_for("guide.index", account=accounts[0].slug))
    return redirect(f"/{accounts[0].slug}/")


@start.route("/new", methods=["GET", "POST"])
def new() -> Any:
    """Open another account."""
    form, closed = CompanyNameForm(), current.settings().signup != "open"
    if not closed and form.validate_on_submit():
        try:
            service.count_sign_up(request.remote_addr or "")
            made = service.open_another(current.user._get_current_object(), form.company.data)
            return redirect(url_for("guide.index", account=made.slug), 303)
        except DomainError as error:
            form.refuse(error)
            return render_template("accounts/new.html", form=form, closed=closed), error.status
    return render_template("accounts/new.html", form=form, closed=closed), 422 if form.errors else 200
