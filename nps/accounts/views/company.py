"""Settings of the company, and its audit log."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from nps.accounts import queries, service
from nps.accounts.forms import CompanyForm
from nps.accounts.models import AuditEntry
from nps.web import current
from nps.web.pages import page

settings = Blueprint("settings", __name__)


@settings.route("/settings", methods=["GET", "POST"])
def company() -> Any:
    """Name, address, sender, time zone and colour."""
    form = CompanyForm(obj=current.account)
    if form.validate_on_submit():
        darkened = service.change_company(current.account, current.user.email, form.changes)
        if darkened is None:
            flash("Saved. Mails and pages sent from now on look like this.", "good")
            return redirect(url_for("settings.company"), 303)
        return redirect(url_for("settings.company", asked=darkened[0].lstrip("#")), 303)
    return render_template("accounts/company.html", form=form, asked=request.args.get("asked", "")), 422 if form.errors else 200


@settings.get("/settings/audit-log")
def audit_log() -> Any:
    after = request.args.get("after")
    rows = page(queries.audit_entries(), [AuditEntry.occurred_at, AuditEntry.id], after=after, descending=True)
    return render_template("accounts/audit_log.html", page=rows, after=after)
