"""What every command on a case begins and ends with."""

from datetime import datetime
from uuid import UUID

from nps.accounts.models import Membership
from nps.contacts import service as contacts
from nps.core.db import db
from nps.core.errors import Refused
from nps.followups import queries
from nps.followups.errors import MoveRefused
from nps.followups.models import Case, Queue
from nps.followups.rules import states
from nps.followups.rules.hours import Hours
from nps.followups.rules.states import CaseState, Move, NotAllowed
from nps.followups.service import clocks
from nps.responses import service as responses

HOLD = "open_case"
"""Why nobody asks a customer for a score while somebody follows up."""


def take(case_id: UUID) -> tuple[Case, Queue, Hours]:
    """The case, locked until this unit of work ends, with its queue and hours. Raises NotFound."""
    case = queries.get_case(case_id, lock=True)
    queue = queries.get_queue(case.queue_id)
    return case, queue, queries.hours_of(queue)


def after(case: Case, move: Move, to: CaseState | None = None) -> CaseState:
    """The state that follows. Raises MoveRefused (409): nothing is changed and what was typed is kept."""
    try:
        return states.after(CaseState(case.state), move, to)
    except NotAllowed as refused:
        raise MoveRefused(f"{refused} Nothing was changed and your words are kept.") from None


def must_be_open(case: Case) -> None:
    """Raises MoveRefused for a closed or merged case."""
    if not case.is_open:
        said = "merged into another" if case.state == CaseState.MERGED else "closed"
        raise MoveRefused(f"This cannot be done now: the case is {said}. Nothing was changed and your words are kept.")


def must_direct(actor: Membership, queue: Queue, what: str) -> None:
    """Raises Refused unless the member directs this queue."""
    if not queries.directs(actor, queue):
        raise Refused(f"Only an owner, an admin or the lead of this queue {what}. Nothing was changed.")


def settle(case: Case, queue: Queue, hours: Hours, now: datetime) -> None:
    """Note when this case wants to be looked at again. The last step of every command."""
    case.look_at = clocks.look_at(case, queue, hours, now)


def may_be_asked_again(case: Case) -> None:
    """Let surveys reach the customer again, unless another case of theirs is open."""
    db.session.flush()
    if not queries.has_open(case.contact_id):
        contacts.release(case.contact_id, HOLD)


def note_human_reply(case: Case, at: datetime) -> None:
    """A person of the company has answered: the customer's answer can no longer be edited."""
    if case.response_id is not None:
        responses.note_human_reply(case.response_id, at)
