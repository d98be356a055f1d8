"""Members: who is in, what each may do, who is invited."""

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for

from nps.accounts import queries, rules, service
from nps.accounts.forms import InviteForm, RoleForm
from nps.accounts.views.again import sensitive
from nps.core import clock
from nps.core.errors import DomainError
from nps.web import current

team = Blueprint("team", __name__)


def page(form: InviteForm, status: int = 200) -> Any:
    members = queries.list_members()
    user_ids = [user.id for _, user in members]
    invites = queries.list_open_invites()
    return (
        render_template(
            "accounts/members.html",
            form=form,
            members=members,
            seen=queries.last_seen_of(user_ids),
            invites=invites,
            names=queries.names_of([invite.invited_by_id for invite in invites]),
            now=clock.now(),
            roles=rules.ROLE_NAMES,
            rights=rules.rights_in_full() if request.args.get("matrix") else rules.rights_table(),
            full=bool(request.args.get("matrix")),
            may_give=rules.may_give,
        ),
        status,
    )


@team.get("/members")
def index() -> Any:
    return page(InviteForm().offer(current.member.role))


@team.post("/members/invitations")
@sensitive
def invite() -> Any:
    form = InviteForm().offer(current.member.role)
    if form.validate_on_submit():
        try:
            made = service.invite(current.account, current.member, current.user, form.email.data, form.role.data)
            flash(f"The invitation to {made.email} is on its way. It works once, for 2 days.", "good")
            return redirect(url_for("team.index"), 303)
        except DomainError as error:
            form.refuse(error)
            return page(form, error.status)
    return page(form, 422)


@team.post("/members/invitations/<uuid:id>/mails")
def resend(id: UUID) -> Any:
    made = service.resend_invite(current.account, current.user, id)
    flash(f"The invitation to {made.email} was sent again. The link in the older mail no longer works.", "good")
    return redirect(url_for("team.index"), 303)


@team.post("/members/invitations/<uuid:id>/withdrawal")
def withdraw(id: UUID) -> Any:
    made = service.withdraw_invite(id, by=current.user.email)
    flash(f"The invitation to {made.email} is withdrawn. Its link no longer works.", "good")
    return redirect(url_for("team.index"), 303)


@team.route("/members/<uuid:id>", methods=["GET", "POST"])
@sensitive
def member(id: UUID) -> Any:
    """Change a member's role."""
    found = queries.get_membership(id)
    user, form = queries.get_user(found.user_id), RoleForm(role=found.role).offer(current.member.role)
    if form.validate_on_submit():
        service.change_role(current.member, id, form.role.data, by=current.user.email)
        flash(f"{user.name} is {rules.ROLE_NAMES[rules.Role(form.role.data)]} from the next click on.", "good")
        return redirect(url_for("team.index"), 303)
    return render_template(
        "accounts/member.html", form=form, found=found, person=user, duties=rules.ROLE_DUTIES
    ), 422 if form.errors else 200


@team.post("/members/<uuid:id>/removal")
@sensitive
def remove(id: UUID) -> Any:
    gone = service.remove_member(current.member, id, by=current.user.email)
    name = queries.get_user(gone.user_id).name
    if gone.user_id == current.user.id:
        return redirect(url_for("accounts.sign_in"), 303)
    flash(f"{name} was removed and is signed out. The history keeps the name.", "good")
    return redirect(url_for("team.index"), 303)
