"""Everything one case page shows, read at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from nps.accounts import queries as accounts
from nps.accounts.models import Membership, User
from nps.campaigns.models import Campaign, Invitation
from nps.causes import queries as causes
from nps.causes.models import Cause
from nps.contacts import queries as contact_queries
from nps.contacts.models import Contact
from nps.core import clock as product_clock
from nps.core import tenancy
from nps.core.db import db
from nps.core.money import format_money
from nps.delivery.models import Message
from nps.followups.models import Case, CaseEvent, Queue, SavedReply
from nps.followups.queries import cases, lists, queues
from nps.followups.rules import states, words
from nps.followups.rules.hours import Hours
from nps.followups.rules.words import Face
from nps.responses.models import Response

MOST_FACTS = 8
UNDOABLE = frozenset({"closed", "assigned", "snoozed", "reply"})
_SILENT = frozenset({"recomputed"})
_LETTERS = frozenset({"answer", "reply", "customer_wrote", "note", "contact_logged"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the history. `kind` is survey, answer, or what the event did."""

    kind: str
    at: datetime
    when: str
    by: str = ""
    body: str = ""
    event: CaseEvent | None = None
    response: Response | None = None
    first_score: int | None = None
    message: Message | None = None
    title: str = ""
    undo: bool = False


@dataclass(slots=True)
class CasePage:
    case: Case
    queue: Queue
    hours: Hours
    contact: Contact
    name: str
    called: str
    owner: str | None
    face: Face | None
    entries: list[Entry]
    facts: list[tuple[str, str]]
    scores: list[int]
    spark: list[tuple[int, int]]
    related: tuple[str, int]
    members: Sequence[tuple[Membership, User]]
    queues: Sequence[Queue]
    causes: Sequence[Cause]
    saved: Sequence[SavedReply]
    draft: str
    also_here: list[str]
    directs: bool
    seen: int
    now: datetime
    reply_text: str = ""  # what the cause of this case says in replies
    other_ways: list[str] = field(default_factory=list)


def case_page(case_id: UUID, member: Membership, now: datetime) -> CasePage:
    """Raises NotFound."""
    case = cases.get_case(case_id)
    queue = queues.get_queue(case.queue_id)
    hours = queues.hours_of(queue)
    contact = contact_queries.get_contact(case.contact_id)
    names = cases.names_of_members()
    directs = queues.directs(member, queue)
    scores = _scores(contact.id)
    draft = cases.find_draft(case.id, member.id)
    events = cases.list_events(case.id)
    currency = accounts.get_account(tenancy.current()).currency
    return CasePage(
        case=case,
        queue=queue,
        hours=hours,
        contact=contact,
        name=contact.shown_name,
        called=contact.called or contact.shown_name,
        owner=names.get(case.owner_id) if case.owner_id is not None else None,
        face=lists.face_of(case, hours, now, pill=True),
        entries=_entries(case, contact, events, names, member, directs, hours, now),
        facts=_facts(contact, currency, now),
        scores=scores,
        spark=_spark(scores),
        related=lists.related(case, now),
        members=queues.list_workers(),
        queues=queues.list_queues(),
        causes=causes.list_causes(),
        saved=queues.list_saved_replies(queue.id),
        draft=draft.body if draft is not None else "",
        also_here=cases.also_here(case.id, member.id, now),
        directs=directs,
        seen=case.last_number,
        now=now,
        reply_text=causes.get_cause(case.cause_id).reply_text if case.cause_id is not None else "",
        other_ways=[way for way in (contact.phone,) if way],
    )


def _entries(
    case: Case,
    contact: Contact,
    events: Sequence[CaseEvent],
    names: dict[UUID, str],
    member: Membership,
    directs: bool,
    hours: Hours,
    now: datetime,
) -> list[Entry]:
    responses = _responses([event.response_id for event in events if event.response_id is not None])
    messages = _messages([event.message_id for event in events if event.message_id is not None])
    undone = cases.undone_ids(events)
    made: list[Entry] = []
    for _, asked_at, campaign in responses.values():
        if asked_at is not None:
            made.append(Entry("survey", asked_at, when(asked_at, hours, now), title=campaign or ""))
    answered: set[UUID] = set()
    for event in events:
        if event.what in _SILENT:
            continue
        joins = event.what in {"opened", "answer_joined"} and event.response_id in responses
        if joins and event.response_id not in answered:
            response = responses[event.response_id][0]  # type: ignore[index]
            answered.add(response.id)
            at = response.verified_at or response.first_at
            answer = Entry(
                "answer",
                at,
                when(at, hours, now),
                by=contact.shown_name,
                body=response.comment,
                response=response,
                first_score=response.first_score,
            )
            made.append(answer)
            continue
        undo = (
            event.what in UNDOABLE
            and event.actor_id is not None
            and event.id not in undone
            and (directs or event.actor_id == member.id)
            and states.may_undo(event.occurred_at, now)
            and not (event.what == "reply" and now >= datetime.fromisoformat(event.facts["leaves_at"]))
        )
        made.append(
            Entry(
                event.what,
                event.occurred_at,
                when(event.occurred_at, hours, now),
                by=names.get(event.actor_id, "") if event.actor_id is not None else "",
                body=event.body,
                event=event,
                message=messages.get(event.message_id) if event.message_id is not None else None,
                undo=undo,
                title=_named(event, names),
            )
        )
    # A survey and an answer are older than the case they opened; ties keep the order in which they were written.
    ordered = sorted(made, key=lambda entry: (entry.at, entry.event.number if entry.event is not None else 0))
    return [_beside(entry, before, hours) for entry, before in zip(ordered, [None, *ordered], strict=False)]


def _beside(entry: Entry, before: Entry | None, hours: Hours) -> Entry:
    """A small event of the same day as the line above it says the time alone."""
    if before is None or entry.kind in _LETTERS or entry.at.astimezone(hours.tz).date() != before.at.astimezone(hours.tz).date():
        return entry
    return replace(entry, when=f"{entry.at.astimezone(hours.tz):%H:%M}")


def _named(event: CaseEvent, names: dict[UUID, str]) -> str:
    """The member a case was given to."""
    given = event.after.get("owner_id")
    return names.get(UUID(given), "") if given else ""


def _responses(ids: Sequence[UUID]) -> dict[UUID, tuple[Response, datetime | None, str | None]]:
    rows = db.session.execute(
        select(Response, Invitation.asked_at, Campaign.name)
        .outerjoin(Invitation, (Invitation.id == Response.invitation_id) & (Invitation.account_id == Response.account_id))
        .outerjoin(Campaign, (Campaign.id == Response.campaign_id) & (Campaign.account_id == Response.account_id))
        .where(Response.id.in_(ids))
    )
    return {response.id: (response, asked_at, name) for response, asked_at, name in rows}


def _messages(ids: Sequence[UUID]) -> dict[UUID, Message]:
    return {message.id: message for message in db.session.scalars(select(Message).where(Message.id.in_(ids)))}


def _scores(contact_id: UUID) -> list[int]:
    """The person's verified scores, oldest first, the newest twelve."""
    rows = select(Response.score).where(Response.contact_id == contact_id, Response.state == "verified", Response.kind == "nps")
    return list(reversed(list(db.session.scalars(rows.order_by(Response.first_at.desc()).limit(12)))))


def _spark(scores: Sequence[int]) -> list[tuple[int, int]]:
    """Points within 96 × 28: 0 at the bottom (25), 10 at the top (3)."""
    if len(scores) < 2:
        return []
    return [(round(4 + 88 * place / (len(scores) - 1)), round(25 - 2.2 * score)) for place, score in enumerate(scores)]


def _facts(contact: Contact, currency: str, now: datetime) -> list[tuple[str, str]]:
    """At most eight facts: what every contact may have, then the account's own properties by label."""
    facts: list[tuple[str, str]] = []
    if contact.customer_since is not None:
        facts.append(("Customer since", f"{contact.customer_since:%B %Y}"))
    if contact.monthly_value_minor is not None:
        facts.append(("Pays", f"{format_money(contact.monthly_value_minor, contact.currency or currency)} a month"))
    if contact.time_zone:
        zone = ZoneInfo(contact.time_zone)
        facts.append(("Time zone", f"{product_clock.zone_words(contact.time_zone)}, {now.astimezone(zone):%H:%M}"))
    if contact.phone:
        facts.append(("Phone", contact.phone))
    own = [(d.label, contact.properties[d.key]) for d in contact_queries.list_definitions() if d.key in contact.properties]
    facts[2:2] = [(label, _shown(value)) for label, value in own[: MOST_FACTS - len(facts)]]
    return facts[:MOST_FACTS]


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def when(at: datetime, hours: Hours, now: datetime) -> str:
    """Today, 09:20 · Yesterday, 11:58 · Monday 5 October, 08:00"""
    local, today = at.astimezone(hours.tz), now.astimezone(hours.tz)
    away = (today.date() - local.date()).days
    if away in (0, 1):
        return f"{'Today' if away == 0 else 'Yesterday'}, {local:%H:%M}"
    return f"{local:%A} {words.date_of(local, today)}, {local:%H:%M}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a case stands in the list it was opened from."""

    position: int
    total: int
    before: UUID | None
    after: UUID | None


def place_of(case_id: UUID, ids: Sequence[UUID]) -> Place | None:
    if case_id not in ids:
        return None
    at = list(ids).index(case_id)
    return Place(at + 1, len(ids), ids[at - 1] if at else None, ids[at + 1] if at + 1 < len(ids) else None)
