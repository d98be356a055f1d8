"""Secrets at rest: sealed with the installation's keys, opened only where they are used.

A sealed text begins with the version of the way it was sealed. Keys rotate: the newest seals, all open.
"""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from nps.core.settings import current

_PREFIX = "s1."


class CannotOpen(Exception):
    """The text was not sealed here, was altered, or its key is gone."""


def _box() -> MultiFernet:
    keys = (base64.urlsafe_b64encode(hashlib.sha256(b"wordback/secret-box/" + key.encode()).digest()) for key in current().secret_keys)
    return MultiFernet([Fernet(key) for key in keys])


def seal(secret: str) -> str:
    """`secret` encrypted and authenticated; "" stays ""."""
    return _PREFIX + _box().encrypt(secret.encode()).decode() if secret else ""


def unseal(sealed: str) -> str:
    """What `seal` was given. Raises CannotOpen."""
    if not sealed:
        return ""
    if not sealed.startswith(_PREFIX):
        raise CannotOpen("unknown version")
    try:
        return _box().decrypt(sealed.removeprefix(_PREFIX).encode()).decode()
    except (InvalidToken, ValueError) as error:
        raise CannotOpen("altered, or sealed with a key that is gone") from error
