"""Identity, secrets, signed links and repeatable chance."""

import base64
import hashlib
import hmac
import secrets
from uuid import UUID

from uuid_utils.compat import uuid7

_MAC_BYTES = 12


class BadToken(Exception):
    """A token that is cut, altered, of another purpose, or made with a key we do not hold."""


class _Keys:
    ring: tuple[bytes, ...] = ()


def use_keys(keys: list[str]) -> None:
    """Set the key ring, newest first. The first signs, all verify."""
    _Keys.ring = tuple(hashlib.sha256(b"wordback/" + key.encode()).digest() for key in keys)


def new_id() -> UUID:
    """A UUIDv7: sorts by creation time. Never a secret."""
    return uuid7()


def new_token(size: int = 24) -> str:
    """An unguessable text of `size` random bytes, safe in addresses."""
    return secrets.token_urlsafe(size)


def new_code(alphabet: str, length: int) -> str:
    """`length` characters drawn from `alphabet` by the system's random source."""
    return "".join(secrets.choice(alphabet) for _ in range(length))


def bucket(key: str, size: int) -> int:
    """A number in [0, size) that is the same for the same key on every machine and every day."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") % size


def keyed_hash(purpose: str, value: str) -> str:
    """HMAC-SHA256 of `value`, 32 hex characters: finds an address again without keeping it."""
    return hmac.digest(_Keys.ring[-1], f"{purpose}\0{value}".encode(), "sha256").hex()[:32]


def digest(secret: str) -> str:
    """SHA-256 in hex: how random secrets (API keys, session ids) are stored."""
    return hashlib.sha256(secret.encode()).hexdigest()


def same(a: str, b: str) -> bool:
    """Equal, in constant time."""
    return hmac.compare_digest(a.encode(), b.encode())


def _mac(key: bytes, purpose: str, body: bytes) -> bytes:
    return hmac.digest(key, purpose.encode() + b"\0" + body, "sha256")[:_MAC_BYTES]


def sign(purpose: str, account_id: UUID, object_id: UUID) -> str:
    """A link token of 59 characters that carries account and object and opens only doors of this purpose."""
    body = account_id.bytes + object_id.bytes
    return base64.urlsafe_b64encode(body + _mac(_Keys.ring[0], purpose, body)).decode().rstrip("=")


def unsign(purpose: str, token: str) -> tuple[UUID, UUID]:
    """Account and object of a token made by `sign`. Raises `BadToken`."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (ValueError, UnicodeError) as error:
        raise BadToken from error
    body, mac = raw[:32], raw[32:]
    if len(raw) != 32 + _MAC_BYTES or not any(hmac.compare_digest(mac, _mac(key, purpose, body)) for key in _Keys.ring):
        raise BadToken
    if base64.urlsafe_b64encode(raw).decode().rstrip("=") != token:
        raise BadToken
    return UUID(bytes=body[:16]), UUID(bytes=body[16:])


def sign_text(purpose: str, text: str) -> str:
    """`text` with a MAC in front, for cursors and nonces; the text stays readable."""
    mac = base64.urlsafe_b64encode(_mac(_Keys.ring[0], purpose, text.encode())).decode().rstrip("=")
    return f"{mac}.{text}"


def unsign_text(purpose: str, signed: str) -> str:
    """The text given to `sign_text`. Raises `BadToken`."""
    mac, dot, text = signed.partition(".")
    for key in _Keys.ring:
        good = base64.urlsafe_b64encode(_mac(key, purpose, text.encode("utf-8", "replace"))).decode().rstrip("=")
        if dot and hmac.compare_digest(good.encode(), mac.encode("utf-8", "replace")):
            return text
    raise BadToken
