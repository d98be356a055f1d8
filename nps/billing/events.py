"""What others may want to know about an account's plan."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class PlanChanged:
    """From now on the account may use what `new` gives."""

    account_id: UUID
    old: str
    new: str
    occurred_at: datetime
