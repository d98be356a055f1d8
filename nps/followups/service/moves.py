"""What members do on a case besides writing: notes, calls, attempts, waiting, taking back, snoozing."""

from datetime import datetime
from uuid import UUID

from nps.accounts.models import Membership
from nps.contacts import queries as contact_queries
from nps.core import clock as product_clock
from nps.core import tenancy
from nps.core.errors import Invalid
from nps.core.events import publish
from nps.followups import queries
from nps.followups.errors import MoveRefused
from nps.followups.events import CaseReplied, CaseWaiting
from nps.followups.models import CaseEvent
from nps.followups.rules import mentions
from nps.followups.rules import snooze as snoozing
from nps.followups.rules.states import CaseState, Move
from nps.followups.service import clocks, ground, history, telling

WAYS = {"phone": "by phone", "in_person": "in person", "other": "another way"}
MOST_CHARACTERS = 20_000


def note(case_id: UUID, actor: Membership, text: str) -> CaseEvent:
    """A note for the team, never in a mail. Members named with @ are told; a name that is nobody's is refused. Notes never conflict."""
    now = product_clock.now()
    case, queue, hours = ground.take(case_id)
    text = _words(text, "Write something first. An empty note helps nobody.", 1)
    people = {member.id: user.name for member, user in queries.list_readers()}
    named, unknown = mentions.found(text, people)
    if unknown:
        raise Invalid(f"Nobody here who may see this case is called {', '.join(unknown)}.", fields={"body": f"Who is @{unknown[0]}?"})
    event = history.change(
        case, "note", now=now, actor_id=actor.id, body=text, facts={"mentioned": [str(key) for key in named]} if named else {}
    )
    author = people.get(actor.id, "Somebody")
    telling.tell(
        case, hours, [key for key in named if key != actor.id], f"{author} named you in a note", key=f"note:{event.number}", now=now
    )
    return event


def log_contact(case_id: UUID, actor: Membership, way: str, text: str, at: datetime | None = None) -> CaseEvent:
    """Row 5: a talk by phone, in person or otherwise: the clock stops at its time, which lies between the opening and now.

    Raises Invalid, MoveRefused.
    """
    now = product_clock.now()
    case, queue, hours = ground.take(case_id)
    state = ground.after(case, Move.CONTACT_LOGGED)
    text = _words(text, "Say in 10 characters or more what was said.", 10)
    if way not in WAYS:
        raise Invalid("Say how you talked.", fields={"way": "Say how you talked."})
    at = at or now
    if not case.opened_at <= at <= now:
        raise Invalid("The time lies between the opening of the case and now.", fields={"at": "Between the opening of the case and now."})
    to = {"state": state, "attempts": case.attempts + 1, "snoozed_until": None} | clocks.stop(case, hours, at)
    event = history.change(case, "contact_logged", now=now, actor_id=actor.id, body=text, facts={"way": way, "at": at.isoformat()}, to=to)
    ground.note_human_reply(case, at)
    publish(CaseReplied(tenancy.current(), case.id, case.contact_id, case.response_id, case.met, at))
    ground.settle(case, queue, hours, now)
    return event


def log_attempt(case_id: UUID, actor: Membership, way: str, text: str = "") -> CaseEvent:
    """Tried and not reached: counts as an attempt and stops nothing."""
    now = product_clock.now()
    case, queue, hours = ground.take(case_id)
    ground.must_be_open(case)
    if way not in WAYS:
        raise Invalid("Say how you tried.", fields={"way": "Say how you tried."})
    to = {"attempts": case.attempts + 1}
    event = history.change(case, "attempt", now=now, actor_id=actor.id, body=text.strip()[:MOST_CHARACTERS], facts={"way": way}, to=to)
    ground.settle(case, queue, hours, now)
    return event


def wait(case_id: UUID, actor: Membership, until: datetime | None = None) -> CaseEvent:
    """Row 7: it is the customer's move. Only after a human contact: the first reply cannot be paused. Raises Invalid, MoveRefused."""
    now = product_clock.now()
    case, queue, hours = ground.take(case_id)
    state = ground.after(case, Move.WAIT)
    if case.first_contact_at is None:
        raise MoveRefused("The first reply cannot be paused. Write, or log a contact; nothing was changed.")
    if until is not None and until <= now:
        raise Invalid("Choose a time that is still to come.", fields={"until": "Choose a time that is still to come."})
    to = {"state": state, "waiting_since": now, "wait_until": until or clocks.silence_ends(hours, now)} | clocks.drop()
    event = history.change(case, "waiting", now=now, actor_id=actor.id, to=to | clocks.resolve_stops(case, hours, now))
    publish(CaseWaiting(tenancy.current(), case.id, now))
    ground.settle(case, queue, hours, now)
    return event


def take_back(case_id: UUID, actor: Membership) -> CaseEvent:
    """Row 10: it is our move again. Raises MoveRefused."""
    now = product_clock.now()
    case, queue, hours = ground.take(case_id)
    to = {"state": ground.after(case, Move.TAKEN_BACK), "waiting_since": None, "wait_until": None}
    event = history.change(
        case, "taken_back", now=now, actor_id=actor.id, to=to | clocks.resolve_runs(case, hours, now, queue.target_resolve)
    )
    ground.settle(case, queue, hours, now)
    return event


def snooze(case_id: UUID, actor: Membership, until: datetime) -> CaseEvent:
    """Hide the case from the list until a time, never past a promise and without touching a clock. Raises Invalid, MoveRefused."""
    now = product_clock.now()
    case, queue, hours = ground.take(case_id)
    ground.must_be_open(case)
    promised = case.reply_clock == clocks.FIRST and case.promised_at is not None
    told = contact_queries.get_contact(case.contact_id).called if promised else None
    wrong = snoozing.check_snooze(until, now, due_at=case.due_at if case.state != CaseState.WAITING else None, hours=hours, told=told)
    if wrong:
        raise Invalid(wrong, fields={"until": wrong})
    event = history.change(case, "snoozed", now=now, actor_id=actor.id, to={"snoozed_until": until})
    ground.settle(case, queue, hours, now)
    return event


def _words(text: str, refusal: str, least: int) -> str:
    text = text.strip()
    if len(text) < least:
        raise Invalid(refusal, fields={"body": refusal})
    if len(text) > MOST_CHARACTERS:
        said = f"At most {MOST_CHARACTERS:,} characters. This has {len(text):,}."
        raise Invalid(said, fields={"body": said})
    return text
