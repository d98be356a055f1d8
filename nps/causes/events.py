"""What happened to causes."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class CauseMoved:
    """A cause entered another state."""

    account_id: UUID
    cause_id: UUID
    old_state: str
    new_state: str
    occurred_at: datetime
