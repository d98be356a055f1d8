"""Signed-in browsers."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete

from nps.accounts.models import LoginSession, User
from nps.core import clock, ids
from nps.core.db import db

IDLE = timedelta(hours=24)
LIFE = timedelta(days=14)
FRESH = timedelta(minutes=10)


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


def end_one_session(user_id: UUID, session_id: UUID) -> None:
    """Sign one browser of this user out; somebody else's is left alone."""
    db.session.execute(delete(LoginSession).where(LoginSession.user_id == user_id, LoginSession.id == session_id))


def end_all_sessions(user_id: UUID, *, but: UUID | None = None) -> None:
    """Sign a user out everywhere, or everywhere else."""
    gone = delete(LoginSession).where(LoginSession.user_id == user_id)
    db.session.execute(gone if but is None else gone.where(LoginSession.id != but))


def forget_dead_sessions() -> int:
    """Remove rows of browsers that are signed out by time anyway."""
    now = clock.now()
    done = db.session.execute(delete(LoginSession).where((LoginSession.seen_at < now - IDLE) | (LoginSession.created_at < now - LIFE)))
    return int(done.rowcount)  # type: ignore[attr-defined]


def is_fresh(session: LoginSession) -> bool:
    """Has whoever is there proved who they are within ten minutes?"""
    return clock.now() - session.confirmed_at <= FRESH


def refresh(session: LoginSession) -> None:
    """They have proved it just now."""
    session.confirmed_at = clock.now()
