"""What a member sets for themselves: look, keys, password, signed-in browsers."""

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, g, redirect, render_template, url_for

from nps.accounts import queries, rules, service
from nps.accounts.errors import WrongCredentials
from nps.accounts.forms import OwnPasswordForm, YouForm
from nps.accounts.views.password import checked
from nps.core.errors import DomainError
from nps.web import current
from nps.web.unit import keep_changes

you = Blueprint("you", __name__)


def page(form: YouForm, password: OwnPasswordForm, status: int = 200) -> Any:
    sessions = queries.list_sessions(current.user.id)
    wrong = password if password.errors else form
    return render_template(
        "accounts/you.html", form=wrong, you=form, password=password, sessions=sessions, this=g.login_session.id, browser=rules.browser_name
    ), status


@you.route("/you", methods=["GET", "POST"])
def index() -> Any:
    form = YouForm(obj=current.user)
    if form.validate_on_submit():
        service.change_person(
            current.user, name=form.name.data, theme=form.theme.data or "", shortcuts=form.shortcuts.data, due_mail=form.due_mail.data
        )
        flash("Saved for you, in every account you belong to.", "good")
        return redirect(url_for("you.index"), 303)
    return page(form, OwnPasswordForm(formdata=None), 422 if form.errors else 200)


@you.post("/you/password")
def password() -> Any:
    """A new password ends every other browser's session."""
    form, user = OwnPasswordForm(), current.user._get_current_object()
    if form.validate_on_submit():
        try:
            if user.password_hash is not None:
                checked(user.email, form.current.data or "")
            service.set_password(user, form.password.data, keep=g.login_session)
        except WrongCredentials:
            keep_changes()
            form.current.errors = ["This is not your password now."]
        except DomainError as error:
            keep_changes()
            form.refuse(error)
        else:
            flash("The new password works from now on. Other browsers were signed out.", "good")
            return redirect(url_for("you.index"), 303)
    return page(YouForm(formdata=None, obj=user), form, 422)


@you.post("/you/sessions/<uuid:id>/end")
def end(id: UUID) -> Any:
    service.end_one_session(current.user.id, id)
    return redirect(url_for("you.index"), 303)


@you.post("/you/sessions/end")
def end_others() -> Any:
    service.end_all_sessions(current.user.id, but=g.login_session.id)
    flash("Every other browser is signed out.", "good")
    return redirect(url_for("you.index"), 303)
