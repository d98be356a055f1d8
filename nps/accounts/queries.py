"""Reads of accounts, users, members, sessions and keys."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, select, update

from nps.accounts.models import Account, ApiKey, AuditEntry, LoginSession, MailedToken, Membership, TeamInvite, User
from nps.accounts.rules import Role
from nps.core import ids, tenancy
from nps.core.db import db
from nps.core.errors import NotFound
from nps.core.prepared import Finder

_account = Finder(Account)


def get_account(account_id: UUID) -> Account:
    found = _account(account_id)
    if found is None:
        raise NotFound
    return found


def find_account(slug: str) -> Account | None:
    return db.session.scalar(select(Account).where(Account.slug == slug))


def list_all_accounts() -> Sequence[Account]:
    """Every account of the installation, by name."""
    return db.session.scalars(select(Account).order_by(Account.name, Account.id)).all()


def find_user(email: str) -> User | None:
    """The user of a normalised address."""
    return db.session.scalar(select(User).where(User.email == email))


def get_user(user_id: UUID) -> User:
    found = db.session.get(User, user_id)
    if found is None:
        raise NotFound
    return found


def find_session(token: str) -> LoginSession | None:
    return db.session.scalar(select(LoginSession).where(LoginSession.token_hash == ids.digest(token)))


def find_membership(account_id: UUID, user_id: UUID) -> Membership | None:
    """The living membership of a user in an account, whatever scope we are in."""
    with tenancy.unscoped("the door looks a member up before the scope exists"):
        return db.session.scalar(
            select(Membership).where(Membership.account_id == account_id, Membership.user_id == user_id, Membership.removed_at.is_(None))
        )


def list_accounts_of(user_id: UUID) -> Sequence[Account]:
    """All accounts a user is a member of, by name."""
    with tenancy.unscoped("a user sees the accounts they belong to"):
        return db.session.scalars(
            select(Account)
            .join(Membership, Membership.account_id == Account.id)
            .where(Membership.user_id == user_id, Membership.removed_at.is_(None), Account.closed_at.is_(None))
            .order_by(Account.name)
        ).all()


def list_members() -> Sequence[tuple[Membership, User]]:
    """Living members of the account in scope with their users, by name."""
    rows = db.session.execute(
        select(Membership, User).join(User, User.id == Membership.user_id).where(Membership.removed_at.is_(None)).order_by(User.name)
    )
    return [(membership, user) for membership, user in rows]


def find_api_key(secret: str) -> ApiKey | None:
    """The living key of this secret: found by prefix, compared in constant time."""
    with tenancy.unscoped("an API key names its account"):
        rows = db.session.scalars(select(ApiKey).where(ApiKey.prefix == secret[:12], ApiKey.revoked_at.is_(None))).all()
    return next((row for row in rows if ids.same(row.secret_hash, ids.digest(secret))), None)


def get_membership(membership_id: UUID) -> Membership:
    """A living member of the account in scope. Raises NotFound."""
    found = db.session.scalar(select(Membership).where(Membership.id == membership_id, Membership.removed_at.is_(None)))
    if found is None:
        raise NotFound
    return found


def find_any_membership(user_id: UUID) -> Membership | None:
    """The membership of a user in the account in scope, living or removed."""
    return db.session.scalar(select(Membership).where(Membership.user_id == user_id))


def lock_owners() -> Sequence[Membership]:
    """The living owners of the account in scope, locked until the end of the unit of work."""
    owners = select(Membership).where(Membership.role == Role.OWNER, Membership.removed_at.is_(None)).with_for_update()
    return db.session.scalars(owners.execution_options(populate_existing=True)).all()


def count_members() -> int:
    return db.session.scalar(select(func.count()).select_from(Membership).where(Membership.removed_at.is_(None))) or 0


def is_member(email: str) -> bool:
    """Does a living member of the account in scope have this address?"""
    found = select(Membership.id).join(User, User.id == Membership.user_id).where(User.email == email, Membership.removed_at.is_(None))
    return db.session.execute(found).first() is not None


def list_roles_of(user_id: UUID) -> list[tuple[Account, str]]:
    """Every account a user belongs to with their role there."""
    with tenancy.unscoped("a user's own memberships"):
        rows = db.session.execute(
            select(Account, Membership.role)
            .join(Membership, Membership.account_id == Account.id)
            .where(Membership.user_id == user_id, Membership.removed_at.is_(None))
        ).all()
    return [(account, role) for account, role in rows]


def last_seen_of(user_ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """When each user was last seen in any browser."""
    rows = db.session.execute(
        select(LoginSession.user_id, func.max(LoginSession.seen_at))
        .where(LoginSession.user_id.in_(user_ids))
        .group_by(LoginSession.user_id)
    )
    return {user_id: at for user_id, at in rows}  # noqa: C416 - a row is a tuple only to the eye of the types


def list_sessions(user_id: UUID) -> Sequence[LoginSession]:
    """A user's signed-in browsers, the last used first."""
    return db.session.scalars(select(LoginSession).where(LoginSession.user_id == user_id).order_by(LoginSession.seen_at.desc())).all()


def list_open_invites() -> Sequence[TeamInvite]:
    """Invitations neither accepted nor withdrawn, the newest first; some may have run out."""
    waiting = select(TeamInvite).where(TeamInvite.accepted_at.is_(None), TeamInvite.revoked_at.is_(None))
    return db.session.scalars(waiting.order_by(TeamInvite.created_at.desc(), TeamInvite.id)).all()


def get_invite(invite_id: UUID) -> TeamInvite:
    found = db.session.scalar(select(TeamInvite).where(TeamInvite.id == invite_id))
    if found is None:
        raise NotFound
    return found


def find_invite(token: str) -> TeamInvite | None:
    """The invitation of a mailed token, whatever scope we are in."""
    with tenancy.unscoped("an invitation names its account"):
        return db.session.scalar(select(TeamInvite).where(TeamInvite.token_hash == ids.digest(token)))


def take_invite(invite: TeamInvite, now: datetime) -> bool:
    """Mark the invitation as accepted; False when another request was faster."""
    taken = (
        update(TeamInvite)
        .where(TeamInvite.id == invite.id, TeamInvite.accepted_at.is_(None), TeamInvite.revoked_at.is_(None))
        .values(accepted_at=now)
    )
    return bool(db.session.execute(taken).rowcount)  # type: ignore[attr-defined]


def find_token(purpose: str, token: str) -> MailedToken | None:
    return db.session.scalar(select(MailedToken).where(MailedToken.purpose == purpose, MailedToken.token_hash == ids.digest(token)))


def list_open_tokens(user_id: UUID, purpose: str) -> Sequence[MailedToken]:
    open_ones = select(MailedToken).where(MailedToken.user_id == user_id, MailedToken.purpose == purpose, MailedToken.used_at.is_(None))
    return db.session.scalars(open_ones).all()


def take_token(purpose: str, token: str, now: datetime) -> bool:
    """Mark a mailed token as used; False when another request was faster."""
    taken = (
        update(MailedToken)
        .where(MailedToken.purpose == purpose, MailedToken.token_hash == ids.digest(token), MailedToken.used_at.is_(None))
        .values(used_at=now)
    )
    return bool(db.session.execute(taken).rowcount)  # type: ignore[attr-defined]


def list_api_keys() -> Sequence[ApiKey]:
    """Living keys of the account in scope, the newest first."""
    return db.session.scalars(select(ApiKey).where(ApiKey.revoked_at.is_(None)).order_by(ApiKey.created_at.desc(), ApiKey.id)).all()


def get_api_key(key_id: UUID) -> ApiKey:
    found = db.session.scalar(select(ApiKey).where(ApiKey.id == key_id))
    if found is None:
        raise NotFound
    return found


def names_of(user_ids: Sequence[UUID]) -> dict[UUID, str]:
    rows = db.session.execute(select(User.id, User.name).where(User.id.in_(user_ids)))
    return {user_id: name for user_id, name in rows}  # noqa: C416 - as above


def audit_entries() -> Select[tuple[AuditEntry]]:
    """The audit log of the account in scope, to be paged by (occurred_at, id)."""
    return select(AuditEntry)
