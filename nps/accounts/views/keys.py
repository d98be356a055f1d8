"""API keys: made, shown once, revoked."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for

from nps.accounts import queries, rules, service
from nps.accounts.forms import KeyForm
from nps.accounts.views.again import sensitive
from nps.core import clock
from nps.core.errors import DomainError
from nps.web import current

keys = Blueprint("keys", __name__)


def page(form: KeyForm, status: int = 200, made: Any = None, secret: str = "") -> Any:
    found = queries.list_api_keys()
    names = queries.names_of([key.created_by_id for key in found if key.created_by_id is not None])
    return render_template(
        "accounts/keys.html",
        form=form,
        keys=found,
        names=names,
        words=rules.key_words,
        resources=rules.KEY_RESOURCES,
        made=made,
        secret=secret,
    ), status


@keys.get("/api-keys")
def index() -> Any:
    return page(KeyForm())


@keys.post("/api-keys")
@sensitive
def create() -> Any:
    """The secret is on this one answer and nowhere else."""
    form = KeyForm()
    if form.validate_on_submit():
        ends = clock.now() + timedelta(days=int(form.lasts.data)) if form.lasts.data else None
        try:
            made, secret = service.create_api_key(
                form.name.data, form.scopes.data, current.user.id, networks=form.network_list, expires_at=ends, by=current.user.email
            )
        except DomainError as error:
            form.refuse(error)
        else:
            return page(KeyForm(formdata=None), 201, made, secret)
    return page(form, 422)


@keys.post("/api-keys/<uuid:id>/revocation")
@sensitive
def revoke(id: UUID) -> Any:
    key = service.revoke_key(id, by=current.user.email)
    flash(f"“{key.name}” is revoked. Whatever used it gets no answer from now on.", "good")
    return redirect(url_for("keys.index"), 303)
