"""Commands on accounts, users, members, sessions and keys."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete

from nps.accounts import queries, rules
from nps.accounts.errors import WrongCredentials
from nps.accounts.models import Account, ApiKey, AuditEntry, LoginSession, Membership, User
from nps.core import clock, ids, tenancy
from nps.core.db import db

IDLE = timedelta(hours=24)
LIFE = timedelta(days=14)
_hasher = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4)
_NO_USER = _hasher.hash("nobody has this password")


def create_user(email: str, name: str, password: str | None = None) -> User:
    """A new user. `email` is normalised already; the password is checked by the form."""
    user = User(email=email, name=name, created_at=clock.now(), password_hash=_hasher.hash(password) if password else None)
    db.session.add(user)
    db.session.flush()
    return user


def create_account(name: str, owner: User, *, slug: str | None = None, state: str = "unverified", **fields: Any) -> Account:
    """A new account with its first owner. A taken slug gets a number."""
    now = clock.now()
    wanted = slug or rules.slug_from(name)
    free, n = wanted, 2
    while queries.find_account(free) is not None:
        free, n = f"{wanted[:36]}-{n}", n + 1
    account = Account(slug=free, name=name, state=state, created_at=now, **{"product": name[:60], **fields})
    db.session.add(account)
    db.session.flush()
    with tenancy.account_scope(account.id):
        db.session.add(Membership(user_id=owner.id, role=rules.Role.OWNER, created_at=now))
        db.session.flush()
    return account


def check_password(email: str, password: str) -> User:
    """The user, if the password is theirs. Unknown addresses take as long. Raises WrongCredentials."""
    user = queries.find_user(email)
    try:
        _hasher.verify((user.password_hash if user else None) or _NO_USER, password[:256])
    except (VerificationError, InvalidHashError):
        raise WrongCredentials from None
    if user is None or user.password_hash is None or user.disabled_at is not None:
        raise WrongCredentials
    return user


def start_session(user: User, agent: str, network: str) -> LoginSession:
    """A new signed-in browser. The row carries its secret (`get_id`) only until the cookie is written."""
    token, now = ids.new_token(32), clock.now()
    session = LoginSession(
        token_hash=ids.digest(token),
        user_id=user.id,
        agent=agent[:200],
        network=network[:60],
        created_at=now,
        seen_at=now,
        confirmed_at=now,
    )
    db.session.add(session)
    db.session.flush()
    session.__dict__["token"] = token
    return session


def end_session(session: LoginSession) -> None:
    db.session.delete(session)


def end_all_sessions(user_id: UUID) -> None:
    """Sign a user out everywhere."""
    db.session.execute(delete(LoginSession).where(LoginSession.user_id == user_id))


def create_api_key(name: str, scopes: list[str], created_by_id: UUID | None) -> tuple[ApiKey, str]:
    """A key and its secret, which is shown once."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    secret = "wb_live_" + ids.new_code(alphabet, 24)
    key = ApiKey(
        name=name,
        prefix=secret[:12],
        secret_hash=ids.digest(secret),
        last4=secret[-4:],
        scopes=scopes,
        created_by_id=created_by_id,
        created_at=clock.now(),
    )
    db.session.add(key)
    db.session.flush()
    return key, secret


def audit(
    actor: str, action: str, *, kind: str = "", object_id: object = "", facts: dict[str, Any] | None = None, reason: str = ""
) -> None:
    """Write down a privileged act in the transaction that does it."""
    db.session.add(
        AuditEntry(
            occurred_at=clock.now(),
            actor=actor,
            action=action,
            object_kind=kind,
            object_id=str(object_id),
            facts=facts or {},
            reason=reason,
        )
    )
