"""Where somebody who is signed in begins: their account, or a new one."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, session, url_for

from nps.accounts import queries, service
from nps.accounts.forms import CompanyNameForm
from nps.core.errors import DomainError
from nps.web import current

start = Blueprint("start", __name__)


@start.get("/")
def home() -> Any:
    """The start page of whoever is signed in: the overview of the account they looked at last, or the guide when it is new."""
    accounts = queries.list_accounts_of(current.user.id)
    if not accounts:
        return render_template("accounts/no_account.html")
    last = next((account for account in accounts if account.slug == session.get("account")), accounts[0])
    if request.args.get("first"):
        return redirect(url_for("guide.index", account=last.slug))
    return redirect(url_for("analytics.overview", account=last.slug))


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
