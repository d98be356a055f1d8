"""Signing in, up and out; links from mails; invitations. Pages of people who are not (yet) in an account."""

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask_login import current_user, login_user, logout_user

from nps.accounts import queries, service
from nps.accounts.errors import LinkOver
from nps.accounts.forms import AddressForm, JoinForm, NewPasswordForm, SignInForm, SignUpForm
from nps.accounts.models import User
from nps.accounts.views.password import checked
from nps.core import tenancy
from nps.core.errors import DomainError
from nps.jobs.outbox import enqueue
from nps.web import current
from nps.web.unit import keep_changes

blueprint = Blueprint("accounts", __name__)


def own_path(target: str | None) -> str | None:
    """`target` if it is a path of ours; anything that could leave this host is dropped."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or "\\" in target:
        return None
    return target if not urlsplit(target).netloc else None


def let_in(user: User) -> None:
    """Sign this browser in with a new session row and a new cookie."""
    session.clear()
    login_user(service.start_session(user, request.user_agent.string, request.remote_addr or ""))


def status(form: Any) -> int:
    return 422 if form.errors else 200


@blueprint.route("/login", methods=["GET", "POST"])
def sign_in() -> Any:
    form = SignInForm()
    if form.validate_on_submit():
        try:
            if request.form.get("do") == "pw" or form.password.data:
                return with_password(form)
            service.count_link_request(form.email.data, request.remote_addr or "")
            enqueue("accounts.mail_link", {"purpose": "sign_in", "email": form.email.data})
            return render_template("accounts/link_sent.html", email=form.email.data, purpose="sign_in")
        except DomainError as error:
            keep_changes()
            form.refuse(error)
            return render_template("accounts/sign_in.html", form=form), error.status
    return render_template("accounts/sign_in.html", form=form), status(form)


def with_password(form: SignInForm) -> Any:
    let_in(checked(form.email.data, form.password.data or ""))
    return redirect(own_path(request.args.get("next")) or url_for("start.home"), 303)


@blueprint.route("/login/<token>", methods=["GET", "POST"])
def link(token: str) -> Any:
    """The page a mailed link opens. Mail scanners open it too, so only the button signs in."""
    if request.method == "POST":
        let_in(service.use_link("sign_in", token))
        return redirect(url_for("start.home"), 303)
    return render_template("accounts/link.html", user=service.look_at("sign_in", token))


@blueprint.post("/logout")
def sign_out() -> Any:
    if current_user.is_authenticated:
        service.end_session(current_user._get_current_object())
    logout_user()
    session.clear()
    return redirect(url_for("accounts.sign_in"), 303)


@blueprint.route("/signup", methods=["GET", "POST"])
def sign_up() -> Any:
    form = SignUpForm()
    closed = current.settings().signup != "open"
    if not closed and form.validate_on_submit():
        try:
            service.count_sign_up(request.remote_addr or "")
            if not form.website.data:
                service.sign_up(form.email.data, form.name.data, form.company.data, form.password.data or None)
            return render_template("accounts/link_sent.html", email=form.email.data, purpose="confirm")
        except DomainError as error:
            keep_changes()
            form.refuse(error)
            return render_template("accounts/sign_up.html", form=form, closed=closed), error.status
    return render_template("accounts/sign_up.html", form=form, closed=closed), status(form)


@blueprint.route("/confirm/<token>", methods=["GET", "POST"])
def confirm(token: str) -> Any:
    """The page of the first mail: one press confirms the address and signs in."""
    if request.method == "POST":
        let_in(service.use_link("confirm", token))
        return redirect(url_for("start.home", first=1), 303)
    return render_template("accounts/confirm.html", user=service.look_at("confirm", token))


@blueprint.route("/forgot", methods=["GET", "POST"])
def forgot() -> Any:
    form = AddressForm()
    if form.validate_on_submit():
        try:
            service.count_reset_request(form.email.data, request.remote_addr or "")
            enqueue("accounts.mail_link", {"purpose": "reset", "email": form.email.data})
            return render_template("accounts/link_sent.html", email=form.email.data, purpose="reset")
        except DomainError as error:
            keep_changes()
            form.refuse(error)
            return render_template("accounts/forgot.html", form=form), error.status
    return render_template("accounts/forgot.html", form=form), status(form)


@blueprint.route("/reset/<token>", methods=["GET", "POST"])
def reset(token: str) -> Any:
    form, user = NewPasswordForm(), service.look_at("reset", token)
    if form.validate_on_submit():
        try:
            let_in(service.reset_password(token, form.password.data))
            return redirect(url_for("start.home"), 303)
        except DomainError as error:
            form.refuse(error)
    return render_template("accounts/reset.html", form=form, user=user), status(form)


@blueprint.route("/invitations/<token>", methods=["GET", "POST"])
def invitation(token: str) -> Any:
    """Join a team. A person we know signs in as themselves first; a new one says their name."""
    made = service.open_invite(token)
    account, form = queries.get_account(made.account_id), JoinForm()
    known, here = queries.find_user(made.email), signed_in_user()
    page = {"form": form, "invite": made, "company": account, "known": known, "here": here, "inviter": queries.get_user(made.invited_by_id)}
    if form.validate_on_submit() and (known is None or (here is not None and here.id == known.id)):
        try:
            with tenancy.account_scope(account.id):
                user, _ = service.accept_invite(made, known, name=form.name.data or "", password=form.password.data or None)
        except LinkOver:
            raise
        except DomainError as error:
            form.refuse(error)
        else:
            if here is None or here.id != user.id:
                let_in(user)
            return redirect(f"/{account.slug}/", 303)
    return render_template("accounts/invitation.html", **page), status(form)


def signed_in_user() -> User | None:
    return queries.get_user(current_user.user_id) if current_user.is_authenticated else None
