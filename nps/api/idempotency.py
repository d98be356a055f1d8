"""One effect for one Idempotency-Key, whatever the network does.

The row is committed before anything is done; effect and answer commit together. The same request again gets the same
answer; another body under the key is refused; while the first is at work a second gets 409; a key left open by a dead
process is taken over after a minute. A refused request frees its key: nothing was done, so nothing is kept.
"""

import hashlib
import re
from datetime import datetime, timedelta
from uuid import UUID

from flask import Response, g, request
from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from nps.api.models import IdempotencyKey
from nps.api.problems import problem
from nps.core import clock, ids, tenancy
from nps.core import db as database
from nps.core.db import db
from nps.core.errors import Conflict, DomainError, Invalid

HEADER = "Idempotency-Key"
TAKE_OVER_AFTER = timedelta(seconds=60)
KEPT = timedelta(days=7)
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def begin(needed: bool) -> Response | None:
    """Hold the key of this POST, or give the stored answer. Commits the hold before it returns.

    Raises DomainError 400 (missing or malformed key), Invalid 422 (another request under this key), Conflict 409 (at work).
    """
    key = request.headers.get(HEADER)
    if key is None and needed:
        message = f"Send an {HEADER} with this request, so that a repeat is harmless."
        raise DomainError(message, code="idempotency_key_needed", status=400)
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise DomainError(f"An {HEADER} has 1 to 255 visible ASCII characters.", code="bad_idempotency_key", status=400)
    now, token, asked = clock.now(), ids.new_id(), _hash()
    if _hold_new(key, asked, token, now):
        g.idempotency = (key, token)
        return None
    found = db.session.scalars(select(IdempotencyKey).where(IdempotencyKey.key == key)).one_or_none()
    if found is None:  # freed between the two statements: the sender may simply try again
        raise Conflict("A request with this key has just ended. Send it again.", code="idempotency_in_progress")
    if found.status is None:
        _take_over(found, asked, token, now)
        g.idempotency = (key, token)
        return None
    if found.request_hash != asked:
        raise Invalid(f"This {HEADER} was used for another request. Nothing was done.", code="idempotency_mismatch")
    return _again(found)


def _hold_new(key: str, asked: str, token: UUID, now: datetime) -> bool:
    make = postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    row = {
        "account_id": tenancy.current(),
        "id": ids.new_id(),
        "key": key,
        "request_hash": asked,
        "token": token,
        "begun_at": now,
    }
    insert = make(IdempotencyKey).values(row).on_conflict_do_nothing(index_elements=["account_id", "key"])
    made = db.session.execute(insert.returning(IdempotencyKey.id)).first() is not None
    if made:
        database.commit()
    return made


def _take_over(found: IdempotencyKey, asked: str, token: UUID, now: datetime) -> None:
    if now - found.begun_at < TAKE_OVER_AFTER:
        raise Conflict("A request with this key is at work. Send it again in a moment.", code="idempotency_in_progress")
    taken = db.session.execute(
        update(IdempotencyKey)
        .where(IdempotencyKey.key == found.key, IdempotencyKey.token == found.token, IdempotencyKey.status.is_(None))
        .values(token=token, request_hash=asked, begun_at=now)
        .execution_options(synchronize_session=False)
    )
    if not taken.rowcount:  # type: ignore[attr-defined]
        raise Conflict("A request with this key is at work. Send it again in a moment.", code="idempotency_in_progress")
    database.commit()


def _hash() -> str:
    """What makes two requests the same: method, address and the bytes of the body."""
    line = f"{request.method} {request.full_path}\n".encode()
    return hashlib.sha256(line + request.get_data()).hexdigest()


def _again(found: IdempotencyKey) -> Response:
    answer = Response(found.body or "", status=found.status, content_type=found.content_type or "application/json")
    if found.location:
        answer.headers["Location"] = found.location
    answer.headers["Idempotency-Replayed"] = "true"
    return answer


def finish(answer: Response) -> Response:
    """Keep a success beside its effect, in the same transaction; free the key after a refusal.

    When another request took the key over meanwhile, this one's effect is rolled back and answered with 409.
    """
    held = g.pop("idempotency", None)
    if held is None:
        return answer
    key, token = held
    mine = (IdempotencyKey.key == key, IdempotencyKey.token == token)
    if answer.status_code >= 400:
        database.rollback()
        db.session.execute(delete(IdempotencyKey).where(*mine).execution_options(synchronize_session=False))
        database.commit()
        return answer
    kept = db.session.execute(
        update(IdempotencyKey)
        .where(*mine)
        .values(
            status=answer.status_code,
            body=answer.get_data(as_text=True),
            content_type=answer.content_type,
            location=answer.headers.get("Location"),
        )
        .execution_options(synchronize_session=False)
    )
    if not kept.rowcount:  # type: ignore[attr-defined]
        database.rollback()
        return problem(409, "idempotency_in_progress", "Another request with this key was faster. Nothing was done here.")
    return answer


def prune(now: datetime) -> int:
    """Forget keys after seven days, in all accounts. Returns how many."""
    with tenancy.unscoped("old keys of all accounts"):
        gone = db.session.execute(
            delete(IdempotencyKey).where(IdempotencyKey.begun_at < now - KEPT).execution_options(synchronize_session=False)
        )
    count: int = gone.rowcount  # type: ignore[attr-defined]
    return count
