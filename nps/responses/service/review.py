"""What members decide about answers: count, leave out, undo; and what a person takes back."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from nps.accounts import queries as accounts
from nps.accounts import service as accounts_service
from nps.accounts.models import Membership
from nps.core import clock, tenancy
from nps.core.db import db
from nps.core.errors import Conflict, Invalid
from nps.core.events import publish
from nps.responses import queries, rules
from nps.responses.errors import EditsOver
from nps.responses.events import ResponseRecounted, ResponseUncounted
from nps.responses.models import Response
from nps.responses.rules import LEFT_OUT_REASONS, Method, State
from nps.responses.service import hits, taking


def count(response_ids: Sequence[UUID], by: Membership) -> list[Response]:
    """Let answers count that looked automatic, were picked and not sent, or were left out. Routing runs now where it never ran.

    Answers that count already stay as they are. Returns those that were changed. Raises NotFound, Conflict when none was.
    """
    now = clock.now()
    changed = [response for response in map(queries.get_response, response_ids) if rules.may_become(State(response.state), State.VERIFIED)]
    if not changed:
        raise Conflict("These answers count already. Nothing was changed.")
    for response in changed:
        _decided(response, by, now, "response.counted", {})
        if response.state != State.LEFT_OUT:
            response.method = Method.COUNTED
        response.state, response.left_out_reason = State.VERIFIED, None
        if response.verified_at is None:
            taking.keep_version(response, Method.COUNTED, now)
            taking.verified(response, response.is_test, now, counted_late=True)
        else:
            publish(ResponseRecounted(response.account_id, response.id, response.contact_id, response.score, now))
    return changed


def leave_out(response_ids: Sequence[UUID], reason: str, by: Membership) -> list[Response]:
    """Keep answers out of every figure, with a reason of LEFT_OUT_REASONS; `count` brings them back.

    One that looked automatic stays as it is and only leaves the list of those to check: a later answer of its person still
    replaces it. Returns those that were changed. Raises NotFound, Invalid, Conflict when none was.
    """
    if reason not in LEFT_OUT_REASONS:
        raise Invalid("Say why it is left out.", fields={"reason": "Say why it is left out."})
    now, changed = clock.now(), []
    for response in map(queries.get_response, response_ids):
        waiting = response.state in (State.QUARANTINED, State.PROVISIONAL) and response.left_out_reason is None
        if response.state != State.VERIFIED and not waiting:
            continue
        _decided(response, by, now, "response.left_out", {"reason": reason})
        response.left_out_reason = reason
        changed.append(response)
        if response.state == State.VERIFIED:
            response.state = State.LEFT_OUT
            publish(ResponseUncounted(response.account_id, response.id, response.contact_id, response.score, "left_out", now))
    if not changed:
        raise Conflict("These answers are left out already. Nothing was changed.")
    return changed


def undo(decided_at: datetime, by: Membership) -> list[Response]:
    """Take back what this member decided at that instant, one answer or many. Raises Conflict when nothing stands to take back.

    An answer that looked automatic and was counted waits for a check again; what was left out counts again or waits again.
    """
    now = clock.now()
    mine = select(Response).where(Response.reviewed_at == decided_at, Response.reviewed_by_id == by.id)
    changed = list(db.session.scalars(mine))
    if not changed:
        raise Conflict("There is nothing to undo: somebody decided about these answers since. Nothing was changed.")
    for response in changed:
        was, method, reason = [*(response.reviewed_was or "").split(" "), "", ""][:3]
        counted = response.state == State.VERIFIED
        # A picked number that was counted has its verification behind it: it waits for a check from now on.
        response.state = State.QUARANTINED if counted and was == State.PROVISIONAL else State(was)
        response.method, response.left_out_reason = method, reason or None
        if counted:
            why = "left_out" if response.state == State.LEFT_OUT else "quarantined"
            publish(ResponseUncounted(response.account_id, response.id, response.contact_id, response.score, why, now))
        elif response.state == State.VERIFIED:
            publish(ResponseRecounted(response.account_id, response.id, response.contact_id, response.score, now))
        _decided(response, by, now, "response.decision_undone", {})
        response.reviewed_at = response.reviewed_by_id = response.reviewed_was = None
    return changed


def _decided(response: Response, by: Membership, now: datetime, action: str, facts: dict[str, str]) -> None:
    response.reviewed_was = f"{response.state} {response.method} {response.left_out_reason or ''}".strip()
    response.reviewed_by_id, response.reviewed_at = by.id, now
    accounts_service.audit(
        accounts.get_user(by.user_id).name, action, kind="response", object_id=response.id, facts={"state": response.state, **facts}
    )


def withdraw(response_id: UUID) -> Response:
    """The person takes the answer back: it leaves every figure and list for good. Raises EditsOver, Conflict."""
    now = clock.now()
    response = queries.get_response(response_id)
    if response.state == State.WITHDRAWN:
        return response
    if not rules.may_become(State(response.state), State.WITHDRAWN):
        raise Conflict("This answer does not count, so there is nothing to take back.")
    if not rules.may_edit(response.verified_at, response.acted_at, now):
        raise EditsOver
    response.state, response.changed_at = State.WITHDRAWN, now
    taking.keep_version(response, "withdrawn", now)
    publish(ResponseUncounted(response.account_id, response.id, response.contact_id, response.score, "withdrawn", now))
    return response


def judge_again(response_id: UUID) -> None:
    """A burst followed an answer in its visit: one that was sent without a hand, or only picked, needs a check. Twice changes nothing."""
    response = db.session.get(Response, (tenancy.current(), response_id))
    if response is None or response.state not in (State.VERIFIED, State.PROVISIONAL) or response.method not in (Method.SENT, Method.SEEN):
        return
    recent = queries.recent_hits(response.invitation_id, response.changed_at - hits.HOUR)
    sent = [hit for hit in recent if hit.kind in ("post", "seen") and hit.occurred_at <= response.changed_at]
    if not sent or (sent[-1].kind == "post" and sent[-1].hand):
        return
    last = sent[-1]
    end = max(hit.occurred_at for hit in recent if (hit.network, hit.user_agent) == (last.network, last.user_agent))
    here = rules.visit(recent, last.network, last.user_agent, end)
    if last not in here:
        return
    form = rules.Sent(end, last.network, last.user_agent, None, last.hand, False, True)
    strong = [signal for signal in rules.signals(recent, form, accepted_at=None) if signal.name in ("S1", "S2")]
    if not strong:
        return
    counted = response.state == State.VERIFIED
    response.state, response.signals = State.QUARANTINED, [*response.signals, *(signal.stored() for signal in strong)]
    if counted and not response.is_test:
        publish(ResponseUncounted(response.account_id, response.id, response.contact_id, response.score, "quarantined", clock.now()))


def count_seen(on: bool, by: Membership) -> None:
    """Should numbers that were picked but not sent count, in the account from now on?"""
    account = accounts.get_account(tenancy.current())
    if account.count_seen != on:
        account.count_seen = on
        accounts_service.audit(
            accounts.get_user(by.user_id).name, "account.count_seen", kind="account", object_id=account.id, facts={"on": on}
        )
