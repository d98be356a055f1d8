"""Single-use links by mail: sign-in, confirmation, password reset. Opened by GET, used by POST."""

from datetime import timedelta

from nps.accounts import queries
from nps.accounts.errors import LinkOver
from nps.accounts.models import MailedToken, User
from nps.accounts.service.company import confirm_address
from nps.accounts.service.letters import mail_user
from nps.accounts.service.people import set_password
from nps.core import clock, ids
from nps.core.db import db
from nps.core.settings import current

LIVES = {"sign_in": timedelta(minutes=10), "confirm": timedelta(hours=24), "reset": timedelta(hours=1)}
PATHS = {"sign_in": "/login/", "confirm": "/confirm/", "reset": "/reset/"}


def make_link(purpose: str, user: User) -> str:
    """The address of a new link. Older reset links of the user die with it."""
    now = clock.now()
    if purpose == "reset":
        for older in queries.list_open_tokens(user.id, purpose):
            older.used_at = now
    token = ids.new_token(24)
    db.session.add(
        MailedToken(purpose=purpose, token_hash=ids.digest(token), user_id=user.id, expires_at=now + LIVES[purpose], created_at=now)
    )
    db.session.flush()
    return f"{current().base_url}{PATHS[purpose]}{token}"


def look_at(purpose: str, token: str) -> User:
    """Whose link this is, without using it. Raises LinkOver."""
    row = queries.find_token(purpose, token)
    if row is None or row.used_at is not None or row.expires_at <= clock.now():
        raise LinkOver
    user = queries.get_user(row.user_id)
    if user.disabled_at is not None:
        raise LinkOver
    return user


def use(purpose: str, token: str) -> User:
    """Use the link up. Of two requests at once one gets the user, the other LinkOver. A used link proves the address."""
    user = look_at(purpose, token)
    if not queries.take_token(purpose, token, clock.now()):
        raise LinkOver
    confirm_address(user)
    return user


def reset_password(token: str, password: str) -> User:
    """A new password by a reset link: every browser is signed out, and the owner is told. Raises LinkOver, Invalid."""
    user = look_at("reset", token)
    set_password(user, password)
    use("reset", token)
    mail_user("password_changed", user, {"base_url": current().base_url})
    return user


def mail_link(purpose: str, email: str) -> None:
    """Mail a link to the owner of the address; silence when there is none."""
    user = queries.find_user(email)
    if user is not None and user.disabled_at is None and not (purpose == "confirm" and user.email_confirmed_at is not None):
        mail_user(
            {"sign_in": "sign_in_link", "confirm": "confirm_address", "reset": "reset_password"}[purpose],
            user,
            {"link": make_link(purpose, user)},
        )


def mail_known_address(email: str) -> None:
    """Somebody signed up with an address that has an account: its owner is told, with a link to sign in."""
    user = queries.find_user(email)
    if user is not None and user.disabled_at is None:
        mail_user("known_address", user, {"link": make_link("sign_in", user)})
