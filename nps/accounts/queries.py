"""Reads of accounts, users, members, sessions and keys."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from nps.accounts.models import Account, ApiKey, LoginSession, Membership, User
from nps.core import ids, tenancy
from nps.core.db import db
from nps.core.errors import NotFound


def get_account(account_id: UUID) -> Account:
    found = db.session.get(Account, account_id)
    if found is None:
        raise NotFound
    return found


def find_account(slug: str) -> Account | None:
    return db.session.scalar(select(Account).where(Account.slug == slug))


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
