"""Limits on tries: counted in rows, so they hold over all processes and after a restart."""

from datetime import timedelta
from ipaddress import ip_address, ip_network

from sqlalchemy import delete, func, select

from nps.accounts.models import SignInTry
from nps.core import clock, ids
from nps.core import db as database
from nps.core.db import db
from nps.core.errors import TooMany

WINDOW = timedelta(minutes=5)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def network_of(address: str) -> str:
    """The network that counts as one place: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        found = ip_address(address)
    except ValueError:
        return "unknown"
    return str(ip_network(f"{found}/64", strict=False)) if found.version == 6 else str(found)


def count_try(limits: dict[str, tuple[int, timedelta]], message: str) -> list[SignInTry]:
    """Count one try under every key and return its rows. Raises TooMany when a key has had `(most, window)` tries already.

    Addresses are kept as keyed hashes. The edge keeps the rows although it answers with an error.
    """
    now = clock.now()
    hashed = {f"{key.partition(':')[0]}:{ids.keyed_hash('try', key)}": limit for key, limit in limits.items()}
    for key in sorted(hashed):  # in one order for all, so that nobody waits in a circle
        database.serialise(key)
    for key, (most, window) in hashed.items():
        tried = db.session.scalar(
            select(func.count()).select_from(SignInTry).where(SignInTry.key == key, SignInTry.tried_at > now - window)
        )
        if (tried or 0) >= most:
            first = db.session.scalar(
                select(SignInTry.tried_at)
                .where(SignInTry.key == key, SignInTry.tried_at > now - window)
                .order_by(SignInTry.tried_at.desc())
                .offset(most - 1)
                .limit(1)
            )
            wait = int((first + window - now).total_seconds()) + 1 if first is not None else int(window.total_seconds())
            raise TooMany(message, retry_after=max(wait, 1))
    rows = [SignInTry(key=key, tried_at=now) for key in hashed]
    db.session.add_all(rows)
    db.session.flush()
    return rows


def forgive(rows: list[SignInTry]) -> None:
    """The try was right, so it does not count. Others before it still do: an attacker's own account resets nothing."""
    for row in rows:
        db.session.delete(row)


def count_password_try(email: str, address: str) -> list[SignInTry]:
    """10 tries in 5 minutes for one user and for one network, 1,000 in all. Raises TooMany."""
    return count_try(
        {f"pw:{email}": (10, WINDOW), f"pwip:{network_of(address)}": (10, WINDOW), "pwall:": (1000, WINDOW)},
        "Too many tries. Wait a few minutes, or let us email you a link: that works at once.",
    )


def count_link_request(email: str, address: str) -> None:
    """5 mailed links an hour for one address, 20 for one network. Raises TooMany."""
    count_try(
        {f"link:{email}": (5, HOUR), f"linkip:{network_of(address)}": (20, HOUR)},
        "We have sent several links already. Look into your inbox and the spam folder, or wait an hour.",
    )


def count_reset_request(email: str, address: str) -> None:
    """5 password resets a day for one address, 20 an hour for one network. Raises TooMany."""
    count_try(
        {f"reset:{email}": (5, DAY), f"linkip:{network_of(address)}": (20, HOUR)},
        "We have sent several links already. Look into your inbox and the spam folder, or try again tomorrow.",
    )


def count_sign_up(address: str) -> None:
    """5 new accounts an hour from one network. Raises TooMany."""
    count_try(
        {f"signup:{network_of(address)}": (5, HOUR)}, "Several accounts were opened from here in the last hour. Wait an hour, then go on."
    )


def forget_old_tries() -> int:
    """Remove rows that no limit looks at any more."""
    done = db.session.execute(delete(SignInTry).where(SignInTry.tried_at < clock.now() - DAY))
    return int(done.rowcount)  # type: ignore[attr-defined]
