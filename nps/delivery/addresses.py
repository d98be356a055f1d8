"""Our own addresses in a mail's envelope and headers: `reply+…@`, `bounce+…@`, `stop+…@`.

The local part carries the message's id and a keyed hash over it and the purpose, so an address for replies tells nobody how to
forge a bounce. Hexadecimal, because some mail servers change the case of what stands before the @; 63 characters at most.
"""

import re
from dataclasses import dataclass
from uuid import UUID

from nps.core import ids

_LOCAL = re.compile(r"(reply|bounce|stop)\+([0-9a-f]{32})([0-9a-f]{24})")


@dataclass(frozen=True, slots=True)
class Token:
    """What a valid address of ours says."""

    purpose: str
    message_id: UUID


def local_part(purpose: str, message_id: UUID) -> str:
    """`purpose+…` for this message. Purposes are `reply`, `bounce` and `stop`."""
    return f"{purpose}+{message_id.hex}{_hash(purpose, message_id.hex)}"


def read(address: str) -> Token | None:
    """The token in an envelope address, or None when there is none or it is not ours."""
    found = _LOCAL.fullmatch(address.strip().strip("<>").partition("@")[0].lower())
    if found is None or not ids.same(found[3], _hash(found[1], found[2])):
        return None
    return Token(found[1], UUID(hex=found[2]))


def message_id_of(rfc_message_id: str) -> UUID | None:
    """Our message id in a Message-ID of ours, whatever the brackets; None for other people's. It proves nothing by itself."""
    found = re.fullmatch(r"<?([0-9a-f]{32})@[^<>\s]+>?", rfc_message_id.strip())
    return UUID(hex=found[1]) if found else None


def _hash(purpose: str, message: str) -> str:
    return ids.keyed_hash(f"mail {purpose}", message)[:24]
