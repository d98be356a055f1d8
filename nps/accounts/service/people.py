"""People who sign in, and their passwords."""

from collections.abc import Callable

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from nps.accounts import passwords, queries
from nps.accounts.errors import WrongCredentials
from nps.accounts.models import User
from nps.accounts.service.sessions import end_all_sessions
from nps.core import clock
from nps.core.db import db
from nps.core.errors import Invalid

HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4)
NO_USER = "$argon2id$v=19$m=65536,t=3,p=4$/e6Pd2VEu8Wkem9ARijijA$q9miE1h8XHs4F8vzAsOzzmD0chZPlKjwdK1rSa6Rho8"
"""A hash by the same rule for nobody, so that an unknown address takes as long as a known one."""


def hash_password(password: str) -> str:
    """argon2id, 64 MiB, about 120 ms: `m=65536, t=3, p=4`."""
    return HASHER.hash(passwords.normal(password))


def create_user(email: str, name: str, password: str | None = None) -> User:
    """A new user. `email` is normalised and without case already; the password is checked by the form."""
    user = User(email=email, name=name, created_at=clock.now(), password_hash=hash_password(password) if password else None)
    db.session.add(user)
    db.session.flush()
    return user


def check_password(email: str, password: str, *, before_hashing: Callable[[], None] = lambda: None) -> User:
    """The user, if the password is theirs. Unknown addresses take as long. Raises WrongCredentials.

    `before_hashing`: where the edge finishes its unit, so that nobody waits for the database while this hashes.
    """
    user = queries.find_user(email)
    if len(password) > passwords.MAX_LENGTH:
        raise WrongCredentials
    known = user.password_hash if user else None
    before_hashing()
    try:
        HASHER.verify(known or NO_USER, passwords.normal(password))
    except (VerificationError, InvalidHashError):
        raise WrongCredentials from None
    if user is not None:
        db.session.refresh(user)
    if user is None or known is None or user.password_hash != known or user.disabled_at is not None:
        raise WrongCredentials
    if HASHER.check_needs_rehash(known):
        user.password_hash = hash_password(password)
    return user


def set_password(user: User, password: str, *, keep: object = None) -> None:
    """A new password; every browser is signed out but the session `keep`. Raises Invalid with the field `password`."""
    problem = passwords.problem(password, user.email)
    if problem is not None:
        raise Invalid(problem, fields={"password": problem})
    user.password_hash = hash_password(password)
    end_all_sessions(user.id, but=getattr(keep, "id", None))


def change_person(user: User, *, name: str, theme: str, shortcuts: bool, due_mail: bool) -> None:
    """What a person sets for themselves only."""
    user.name, user.theme, user.shortcuts, user.due_mail = name, theme if theme in ("light", "dark") else "", shortcuts, due_mail
