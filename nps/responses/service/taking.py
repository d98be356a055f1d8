"""Taking an answer: the first, an edit, an attempt that is kept and left out, and the one more tap that confirms it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, insert, select

from nps.accounts import queries as accounts
from nps.campaigns import service as campaigns
from nps.campaigns.rules.states import OPEN_LINKS
from nps.contacts import service as contacts
from nps.core import clock, ids
from nps.core.db import db
from nps.core.events import publish
from nps.core.prepared import Prepared, adopt
from nps.responses import queries, rules
from nps.responses.errors import EditsOver, SurveyClosed
from nps.responses.events import ResponseUpdated, ResponseVerified
from nps.responses.models import Response, ResponseAnswer, ResponseVersion
from nps.responses.queries import Link
from nps.responses.rules import Method, Seen, Sent, Signal, State, Verdict
from nps.responses.service import hits
from nps.scoring.groups import nps_group

_PUT, _PUT_VERSION = Prepared(insert(Response)), Prepared(insert(ResponseVersion))
CROWDED = timedelta(minutes=1)
UNTAKEN = "machine"
"""The way of a version that was kept beside the answer and never was the answer."""
CONFIRMED = "confirmed"
"""Among the signals of an answer that stays for review although its person picked the number once more."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person says: score 0–10, reason, wish for a reply."""

    score: int
    comment: str = ""
    wants_reply: bool = False


def is_open(link: Link, now: datetime) -> bool:
    """Does the link still take a first answer? Answers that stand have their own window, `rules.may_edit`."""
    return link.state in OPEN_LINKS and (link.expires_at is None or now <= link.expires_at)


def record(link: Link, answer: Answer, sent: Sent, *, timed: bool) -> State:
    """Take what a form said. VERIFIED: it counts; LEFT_OUT: kept with an answer a member left out; QUARANTINED: ask once more.

    `link` was opened with its lock. `timed`: a mail server stood between us and the reader, so that times can tell machines.
    Raises SurveyClosed, EditsOver, TooMany.
    """
    now = sent.occurred_at
    recent = queries.recent_hits(link.invitation_id, now - hits.HOUR)
    hits.refuse_flood(link, now, recent)
    refuse_closed(link, now)
    accepted = hits.accepted_at(link, timed)
    crowd = queries.crowd_of(sent.network, now - CROWDED) if accepted is not None and not sent.hand else 0
    found = rules.signals(recent, sent, accepted_at=accepted, crowd=crowd)
    machine = rules.looks_like_a_machine(found)
    _keep_post(link, answer.score, sent, Verdict.MACHINE if machine else Verdict.PERSON if sent.hand else Verdict.UNCLEAR, found)
    if link.standing is None:
        return _first(link, answer, found, machine, now)
    response = queries.get_response(link.standing.response_id)
    if machine:
        return _attempt(response, answer, found, now)
    return _replace(response, link, answer, Method.SENT, found, now, counted_late=False)


def confirm(link: Link, score: int, sent: Sent, *, timed: bool) -> State:
    """One more tap: the number picked again after an answer that looked automatic.

    The same number verifies it, and so does another one that a hand picked. After a hidden link or field was used (S1) the answer
    stays for review, marked as confirmed. A press that looks automatic itself changes nothing. Raises SurveyClosed, TooMany.
    """
    now = sent.occurred_at
    hits.refuse_flood(link, now)
    refuse_closed(link, now)
    standing = link.standing
    attempt = queries.last_version(standing.response_id) if standing is not None else None
    if standing is None or attempt is None:
        return State.QUARANTINED
    if attempt.way != UNTAKEN:
        return State.VERIFIED  # pressed twice, or it waits for a member already
    person = rules.confirms(sent, timed=timed and not link.is_test)
    _keep_post(link, score, sent, Verdict.PERSON if person and sent.hand else Verdict.UNCLEAR if person else Verdict.MACHINE, [])
    response = queries.get_response(standing.response_id)
    answer = Answer(score, attempt.comment, attempt.wants_reply)
    if not person or (score != attempt.score and not sent.hand):
        return _attempt(response, answer, [], now)
    if _used_what_is_hidden(link, response, sent):
        if response.state == State.QUARANTINED:
            say(response, answer, now)
            response.signals = [*response.signals, CONFIRMED]
        _version(response.id, answer, Method.CONFIRMED, now)
        return State.VERIFIED
    return _replace(response, link, answer, Method.CONFIRMED, None, now, counted_late=True)


def _used_what_is_hidden(link: Link, response: Response, sent: Sent) -> bool:
    """S1 in the attempt that is confirmed: on an answer that does not count yet it is stored, else its visit tells."""
    if response.state == State.QUARANTINED:
        return any(rules.read_signal(stored).name == "S1" for stored in response.signals)
    recent = queries.recent_hits(link.invitation_id, sent.occurred_at - hits.HOUR)
    return any(hit.kind == "hidden" for hit in rules.visit(recent, sent.network, sent.user_agent, sent.occurred_at))


def refuse_closed(link: Link, now: datetime) -> None:
    """Raises SurveyClosed when no first answer is taken any more, EditsOver when the one that stands cannot be changed."""
    standing = link.standing
    if standing is None or standing.state in (State.QUARANTINED, State.PROVISIONAL):
        if not is_open(link, now):
            raise SurveyClosed
    elif standing.state == State.WITHDRAWN or not rules.may_edit(standing.verified_at, standing.acted_at, now):
        raise EditsOver


def _keep_post(link: Link, score: int, sent: Sent, verdict: Verdict, found: list[Signal]) -> None:
    hit = Seen(sent.occurred_at, "post", "POST", score, sent.network, sent.user_agent, sent.hand)
    hits.keep(link, hit, verdict, [signal.stored() for signal in found])


def _first(link: Link, answer: Answer, found: list[Signal], machine: bool, now: datetime) -> State:
    response = create(link, answer, State.QUARANTINED if machine else State.VERIFIED, Method.SENT, found, now)
    _version(response.id, answer, UNTAKEN if machine else Method.SENT, now, number=1)
    if machine:
        return State.QUARANTINED
    verified(response, link.quiet, now, counted_late=False)
    return State.VERIFIED


def create(
    link: Link, answer: Answer, state: State, method: Method, found: list[Signal], now: datetime, *, partial: bool = False
) -> Response:
    """The row of an invitation's one response."""
    row = {
        "id": ids.new_id(),
        "account_id": link.account_id,
        "invitation_id": link.invitation_id,
        "contact_id": link.contact_id,
        "campaign_id": link.campaign_id,
        "survey_version_id": link.survey_version_id,
        "series": link.series,
        "kind": "nps",
        "channel": link.channel,
        "language": link.language,
        "score": answer.score,
        "first_score": answer.score,
        "nps_group": nps_group(answer.score).value,
        "comment": answer.comment,
        "wants_reply": answer.wants_reply,
        "state": state.value,
        "method": method.value,
        "signals": [signal.stored() for signal in found],
        "partial": partial,
        "is_test": link.quiet,
        "answered_properties": link.properties if link.contact_id is not None else link.asked_properties,
        "first_at": now,
        "first_day": _day(link.account_id, now),
        "changed_at": now,
        "verified_at": now if state is State.VERIFIED else None,
        "left_out_reason": None,
        "reviewed_by_id": None,
        "reviewed_at": None,
        "reviewed_was": None,
        "acted_at": None,
    }
    _PUT(**row)
    return adopt(Response, row)


def _day(account_id: UUID, now: datetime) -> object:
    return now.astimezone(ZoneInfo(accounts.get_account(account_id).time_zone)).date()


def _attempt(response: Response, answer: Answer, found: list[Signal], now: datetime) -> State:
    """Keep what looks automatic beside the answer. An answer that does not count yet shows what was said last, its words kept."""
    comment = answer.comment
    if response.state in (State.QUARANTINED, State.PROVISIONAL):
        comment = comment or response.comment
        say(response, Answer(answer.score, comment, answer.wants_reply or response.wants_reply), now)
        response.state = State.QUARANTINED
        if found:
            response.signals = [signal.stored() for signal in found]
    _version(response.id, Answer(answer.score, comment, answer.wants_reply), UNTAKEN, now)
    return State.QUARANTINED


def _replace(
    response: Response, link: Link, answer: Answer, method: Method, found: list[Signal] | None, now: datetime, *, counted_late: bool
) -> State:
    """A person's answer takes the place of what stood: of a machine's, of a picked number, of their own earlier one."""
    if response.state in (State.QUARANTINED, State.PROVISIONAL):
        if response.state == State.QUARANTINED and method is Method.SENT:
            response.first_at, response.first_day = now, _day(link.account_id, now)  # type: ignore[assignment]
        say(response, answer, now)
        response.first_score = answer.score
        response.state, response.method, response.partial, response.left_out_reason = State.VERIFIED, method, False, None
        if found is not None:
            response.signals = [signal.stored() for signal in found]
        _version(response.id, answer, method, now)
        verified(response, link.quiet, now, counted_late=counted_late)
        return State.VERIFIED
    _edit(response, link.quiet, answer, now)
    return State(response.state)


def _edit(response: Response, quiet: bool, answer: Answer, now: datetime) -> None:
    """A later answer of the same person inside the window. The same again changes nothing."""
    if (answer.score, answer.comment, answer.wants_reply) == (response.score, response.comment, response.wants_reply):
        return
    event = ResponseUpdated(
        account_id=response.account_id,
        response_id=response.id,
        contact_id=response.contact_id,
        old_score=response.score,
        new_score=answer.score,
        had_comment=bool(response.comment),
        has_comment=bool(answer.comment),
        wished_reply=response.wants_reply,
        wants_reply=answer.wants_reply,
        occurred_at=now,
    )
    say(response, answer, now)
    _version(response.id, answer, "edited", now)
    db.session.flush()
    if response.state != State.VERIFIED or quiet:
        return
    if response.contact_id is not None:
        contacts.mark_answered(response.contact_id, now, answer.score, again=True)
    publish(event)


def say(response: Response, answer: Answer, now: datetime) -> None:
    """What the answer says from now on."""
    response.score, response.comment, response.wants_reply = answer.score, answer.comment, answer.wants_reply
    response.nps_group, response.changed_at = nps_group(answer.score).value, now


def _version(response_id: UUID, answer: Answer, way: str, now: datetime, number: int | None = None) -> None:
    if number is None:
        number = (db.session.scalar(select(func.max(ResponseVersion.number)).where(ResponseVersion.response_id == response_id)) or 0) + 1
    _PUT_VERSION(
        id=ids.new_id(),
        response_id=response_id,
        number=number,
        score=answer.score,
        comment=answer.comment,
        wants_reply=answer.wants_reply,
        way=str(way),
        occurred_at=now,
    )


def keep_version(response: Response, way: str, now: datetime) -> None:
    """Write down what the answer says at this step of its life."""
    _version(response.id, Answer(response.score, response.comment, response.wants_reply), way, now)


def take_from_person(link: Link, answer: Answer, method: Method, now: datetime) -> State:
    """Take an answer whose way in proves its person: a reply from their address. The caller has looked at the windows."""
    if link.standing is not None:
        return _replace(queries.get_response(link.standing.response_id), link, answer, method, None, now, counted_late=False)
    response = create(link, answer, State.VERIFIED, method, [], now)
    _version(response.id, answer, method, now, number=1)
    verified(response, link.quiet, now, counted_late=False)
    return State.VERIFIED


def verified(response: Response, quiet: bool, now: datetime, *, counted_late: bool) -> None:
    """The answer counts from now on: facts are written down, listeners told. Tests and canaries tell nobody."""
    if response.verified_at != now:
        response.verified_at = now
        db.session.flush()
    campaigns.mark_answered(response.invitation_id, now)
    if quiet:
        return
    if response.contact_id is not None:
        contacts.mark_answered(response.contact_id, now, response.score)
    publish(
        ResponseVerified(
            account_id=response.account_id,
            response_id=response.id,
            invitation_id=response.invitation_id,
            contact_id=response.contact_id,
            score=response.score,
            nps_group=response.nps_group,
            wants_reply=response.wants_reply,
            has_comment=bool(response.comment),
            counted_late=counted_late,
            occurred_at=now,
        )
    )


def answer_more(response: Response, question: str, value: str) -> None:
    """Keep a further answer (the one tap of passives); the score is not touched. The last one stands."""
    kept, now = queries.find_answer(response.id, question), clock.now()
    if kept is None:
        db.session.add(ResponseAnswer(response_id=response.id, question=question, value=value[:1000], occurred_at=now))
    else:
        kept.value, kept.occurred_at = value[:1000], now


def note_human_reply(response_id: UUID, now: datetime) -> None:
    """A person of the company has replied: the answer can no longer be edited."""
    response = queries.get_response(response_id)
    response.acted_at = response.acted_at or now
