"""The audit log: who did what."""

from typing import Any

from nps.accounts.models import AuditEntry
from nps.core import clock
from nps.core.db import db


def audit(
    actor: str, action: str, *, kind: str = "", object_id: object = "", facts: dict[str, Any] | None = None, reason: str = ""
) -> None:
    """Write down a privileged act in the transaction that does it, for the account in scope."""
    db.session.add(
        AuditEntry(
            occurred_at=clock.now(),
            actor=actor[:120],
            action=action,
            object_kind=kind,
            object_id=str(object_id),
            facts=facts or {},
            reason=reason[:300],
        )
    )
