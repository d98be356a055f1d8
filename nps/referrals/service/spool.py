"""Clicks that waited in a file come home. Run by a job; running it twice, or two at once, loses and doubles nothing."""

import fcntl
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from nps.core import tenancy
from nps.core.db import unit
from nps.core.log import log
from nps.referrals.service.clicks import insert

GROUP = 500


def replay(folder: Path) -> int:
    """Store every spooled click, each by its id, then delete the file. Returns how many lines were brought home."""
    brought = 0
    for path in sorted(folder.glob("clicks-*.jsonl")):
        brought += _replay_file(path)
    return brought


def _replay_file(path: Path) -> int:
    with path.open("rb") as file:
        # The lock keeps writers and other replays out until the rows are committed and the name is gone.
        fcntl.flock(file, fcntl.LOCK_EX)
        if not path.exists() or os.stat(path).st_ino != os.fstat(file.fileno()).st_ino:
            return 0
        rows = [row for line in file if (row := _read(line)) is not None]
        by_account: dict[UUID, list[dict[str, Any]]] = {}
        for row in rows:
            by_account.setdefault(row["account_id"], []).append(row)
        for account_id, theirs in by_account.items():
            for start in range(0, len(theirs), GROUP):
                with unit(), tenancy.account_scope(account_id):
                    insert(theirs[start : start + GROUP])
        path.unlink()
        return len(rows)


def _read(line: bytes) -> dict[str, Any] | None:
    """A line as a row; None for one that was cut by a crash while it was written (its click was never answered)."""
    try:
        row: dict[str, Any] = json.loads(line)
        for name in ("account_id", "id", "link_id"):
            row[name] = UUID(row[name])
        row["occurred_at"] = datetime.fromisoformat(row["occurred_at"])
    except (ValueError, KeyError, TypeError):
        log.warning("a spooled click could not be read", size=len(line))
        return None
    return row
