"""The members of an account and the invitations to become one."""

from datetime import timedelta
from uuid import UUID

from nps.accounts import passwords, queries, rules
from nps.accounts.errors import AboveYou, AlreadyIn, LastOwner, LinkOver, OwnRole, ResentOften, SeatsTaken, Unconfirmed
from nps.accounts.events import MemberJoined, MemberRemoved, RoleChanged
from nps.accounts.models import Account, Membership, TeamInvite, User
from nps.accounts.rules import Role
from nps.accounts.service.audit import audit
from nps.accounts.service.keys import end_keys_of
from nps.accounts.service.letters import mail_address
from nps.accounts.service.people import create_user
from nps.accounts.service.sessions import end_all_sessions
from nps.core import clock, ids
from nps.core.db import db
from nps.core.errors import Invalid
from nps.core.events import publish
from nps.core.settings import current

LIVES = timedelta(days=2)
RESENDS_A_DAY = 5


def change_role(actor: Membership, membership_id: UUID, role: str, *, by: str) -> Membership:
    """Give a member another role. Raises NotFound, OwnRole, AboveYou, LastOwner."""
    member = queries.get_membership(membership_id)
    _may_touch(actor, member)
    if not rules.may_give(actor.role, role):
        raise AboveYou
    if member.role == role:
        return member
    if member.role == Role.OWNER:
        _keep_an_owner()
    old, member.role = member.role, role
    audit(by, "member.role", kind="membership", object_id=member.id, facts={"before": old, "after": role})
    publish(RoleChanged(member.account_id, member.id, member.user_id, old, role, clock.now()))
    return member


def remove_member(actor: Membership, membership_id: UUID, *, by: str) -> Membership:
    """Take somebody out of the account: sessions and keys end at once. Owners may leave while another owner stays.

    Raises NotFound, AboveYou, LastOwner, OwnRole (admins leave by being removed).
    """
    member = queries.get_membership(membership_id)
    if member.id != actor.id or actor.role != Role.OWNER:
        _may_touch(actor, member)
    if member.role == Role.OWNER:
        _keep_an_owner()
    now = clock.now()
    member.removed_at = now
    end_all_sessions(member.user_id)
    end_keys_of(member.user_id, by=by)
    audit(by, "member.removed", kind="membership", object_id=member.id, facts={"role": member.role})
    publish(MemberRemoved(member.account_id, member.id, member.user_id, now))
    return member


def _may_touch(actor: Membership, member: Membership) -> None:
    if member.id == actor.id:
        raise OwnRole
    if member.role == Role.OWNER and actor.role != Role.OWNER:
        raise AboveYou


def _keep_an_owner() -> None:
    """Refuse to lose the last owner, also when two requests race: the owners' rows are locked while we look."""
    if len(queries.lock_owners()) < 2:
        raise LastOwner


def invite(account: Account, actor: Membership, inviter: User, email: str, role: str) -> TeamInvite:
    """Mail an invitation to join. A waiting one for the same address is replaced. Raises AboveYou, Unconfirmed, AlreadyIn, SeatsTaken."""
    if not rules.may_give(actor.role, role):
        raise AboveYou
    if account.state == "unverified":
        raise Unconfirmed
    if queries.is_member(email):
        raise AlreadyIn(own=email == inviter.email)
    now = clock.now()
    for older in queries.list_open_invites():
        if older.email == email:
            older.revoked_at = now
    db.session.flush()
    limit = account.limits.get("members")
    if limit is not None and queries.count_members() + len([i for i in queries.list_open_invites() if i.expires_at > now]) >= limit:
        raise SeatsTaken(limit)
    token = ids.new_token(24)
    made = TeamInvite(
        email=email,
        role=role,
        token_hash=ids.digest(token),
        invited_by_id=inviter.id,
        expires_at=now + LIVES,
        created_at=now,
        sent_on=now.date(),
        sent_times=1,
    )
    db.session.add(made)
    db.session.flush()
    audit(inviter.email, "member.invited", kind="team_invite", object_id=made.id, facts={"role": role})
    _mail(account, inviter, made, token)
    return made


def resend_invite(account: Account, inviter: User, invite_id: UUID) -> TeamInvite:
    """Mail an invitation again with a new link that works 2 days; the older link dies. Raises NotFound, LinkOver, ResentOften."""
    made = queries.get_invite(invite_id)
    now = clock.now()
    if made.accepted_at is not None or made.revoked_at is not None:
        raise LinkOver("This invitation was accepted or withdrawn meanwhile. Nothing was sent.")
    made.sent_times = made.sent_times + 1 if made.sent_on == now.date() else 1
    if made.sent_times > RESENDS_A_DAY:
        raise ResentOften
    token = ids.new_token(24)
    made.sent_on, made.token_hash, made.expires_at = now.date(), ids.digest(token), now + LIVES
    _mail(account, inviter, made, token)
    return made


def withdraw_invite(invite_id: UUID, *, by: str) -> TeamInvite:
    """The link stops working at once. Raises NotFound, LinkOver when it was accepted meanwhile."""
    made = queries.get_invite(invite_id)
    if made.accepted_at is not None:
        raise LinkOver("This invitation was accepted meanwhile. Remove the member in the list instead.")
    made.revoked_at = made.revoked_at or clock.now()
    audit(by, "member.invitation_withdrawn", kind="team_invite", object_id=made.id)
    return made


def _mail(account: Account, inviter: User, made: TeamInvite, token: str) -> None:
    values = {
        "account": account.name,
        "inviter": inviter.name,
        "role": rules.ROLE_NAMES[Role(made.role)],
        "link": f"{current().base_url}/invitations/{token}",
    }
    mail_address("team_invite", made.email, values, key=f"team_invite:{made.id}:{ids.digest(token)[:16]}")


def open_invite(token: str) -> TeamInvite:
    """The invitation of this link, still open. Raises LinkOver. Works without an account in scope."""
    made = queries.find_invite(token)
    if made is None or made.accepted_at is not None or made.revoked_at is not None or made.expires_at <= clock.now():
        raise LinkOver("This invitation was used, withdrawn, or has run out. Ask the person who invited you for a new one.")
    return made


def accept_invite(made: TeamInvite, user: User | None, *, name: str = "", password: str | None = None) -> tuple[User, Membership]:
    """Join the account in scope. `user` is whoever is signed in with this address, or None for a person we do not know.

    Raises Invalid (fields name, password), LinkOver when somebody was faster.
    """
    now = clock.now()
    if not queries.take_invite(made, now):
        raise LinkOver
    if user is None:
        user = _new_person(made.email, name, password)
    user.email_confirmed_at = user.email_confirmed_at or now
    membership = queries.find_any_membership(user.id)
    if membership is None:
        membership = Membership(user_id=user.id, role=made.role, created_at=now)
        db.session.add(membership)
    elif membership.removed_at is not None:
        membership.role, membership.removed_at, membership.created_at = made.role, None, now
    db.session.flush()
    audit(user.email, "member.joined", kind="membership", object_id=membership.id, facts={"role": membership.role})
    publish(MemberJoined(membership.account_id, membership.id, user.id, membership.role, now))
    db.session.flush()
    return user, membership


def _new_person(email: str, name: str, password: str | None) -> User:
    fields = {} if name else {"name": "Type your name, as your colleagues know it."}
    problem = passwords.problem(password, email) if password else None
    if problem is not None:
        fields["password"] = problem
    if fields:
        raise Invalid("Something needs another look.", fields=fields)
    return create_user(email, name, password)
