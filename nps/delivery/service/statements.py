"""The sender's statements, built once. At thousands of mails a second, building one costs more than running it.

They are Core statements, which the session's guard does not see: each names its rows by message id and the sender's own lease
token, or carries the account itself. The states are written into them as literals, because PostgreSQL only uses a partial index
whose condition it can read in a prepared statement.
"""

from dataclasses import fields
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, bindparam, func, literal_column, or_, select, update

from nps.delivery.models import MailBatch, Message, Suppression
from nps.delivery.parcels import Parcel
from nps.delivery.rules import LEFT, MessageState

_message: Table = Message.__table__  # type: ignore[assignment]
_batch: Table = MailBatch.__table__  # type: ignore[assignment]
_suppression: Table = Suppression.__table__  # type: ignore[assignment]
M, B, P = _message.c, _batch.c, _suppression.c


def state_is(*states: MessageState) -> ColumnElement[bool]:
    """The message is in one of these states, spelled as in the conditions of the indexes."""
    return M.state.in_([literal_column(f"'{state.value}'") for state in states])


WAITS = state_is(MessageState.QUEUED, MessageState.DEFERRED)
HELD = state_is(MessageState.CLAIMED, MessageState.SENDING)

_these = M.id.in_(bindparam("ids", expanding=True))
_mine = M.lease_token == bindparam("token")
_running = select(B.id).where(B.account_id == M.account_id, B.state == literal_column("'running'"))
_open_batch = or_(M.batch_id.is_(None), M.batch_id.in_(_running))
_now: Any = bindparam("now", type_=M.due_at.type)
_until: Any = bindparam("until", type_=M.due_at.type)
_free = {"lease_token": None, "lease_until": None}

DUE = and_(WAITS, M.due_at <= _now, _open_batch)

FIND_DUE = (
    select(*(M[field.name] for field in fields(Parcel)))
    .where(M.account_id == bindparam("account_id"), DUE)
    .order_by(M.priority, M.due_at)
    .limit(bindparam("each"))
    .with_for_update(skip_locked=True)
)
FIND_DUE_OF_KINDS = FIND_DUE.where(M.kind.in_(bindparam("kinds", expanding=True)))

CLAIM = update(_message).where(_these).values(state=MessageState.CLAIMED.value, lease_token=bindparam("token"), lease_until=_until)

BEGIN = (
    update(_message)
    .where(_these, state_is(MessageState.CLAIMED), _mine, _open_batch)
    .values(
        state=MessageState.SENDING.value,
        reason="",
        tries=M.tries + 1,
        first_try_at=func.coalesce(M.first_try_at, _now),
        lease_until=_until,
    )
)
BEGUN = select(M.id).where(_these, state_is(MessageState.SENDING), _mine)

SENT = (
    update(_message)
    .where(_these, or_(and_(state_is(MessageState.SENDING), _mine), state_is(MessageState.UNKNOWN)))
    .values(
        state=MessageState.SENT.value,
        phase="dot",
        smtp_code=250,
        enhanced_code=None,
        server_text=None,
        sent_at=_now,
        finished_at=_now,
        **_free,
    )
)
RECORDED = select(M.id).where(_these, state_is(MessageState.SENT), M.sent_at == _now)

RELEASE = update(_message).where(_these, state_is(MessageState.CLAIMED), _mine).values(state=MessageState.QUEUED.value, **_free)
PUT_OFF = (
    update(_message)
    .where(_these, state_is(MessageState.CLAIMED), _mine)
    .values(state=MessageState.QUEUED.value, reason=bindparam("reason"), due_at=_until, **_free)
)
RENEW = update(_message).where(HELD, _mine).values(lease_until=_until)

_left_at = func.coalesce(M.sent_at, M.first_try_at, type_=M.due_at.type)
ASKED_LATELY = (
    select(M.account_id, M.to_key, func.max(_left_at, type_=M.due_at.type))
    .where(
        M.account_id.in_(bindparam("accounts", expanding=True)),
        M.to_key.in_(bindparam("keys", expanding=True)),
        M.kind.in_(bindparam("kinds", expanding=True)),
        M.id.not_in(bindparam("ids", expanding=True)),
        M.state.in_([state.value for state in LEFT]),
        _left_at > bindparam("since", type_=M.due_at.type),
    )
    .group_by(M.account_id, M.to_key)
)

STOPS = select(P.account_id, P.key, P.reason).where(
    P.account_id.in_(bindparam("accounts", expanding=True)),
    P.key.in_(bindparam("keys", expanding=True)),
    P.lifted_at.is_(None),
    P.scope != literal_column("'phone'"),
    or_(P.until.is_(None), P.until > _now),
)
