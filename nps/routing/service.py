"""Decides once what happens with an answer and does it in the same transaction; keeps the rules in versions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, insert, select, tuple_
from sqlalchemy.exc import IntegrityError

from nps.accounts import queries as accounts
from nps.contacts.models import Contact
from nps.core import clock, ids, tenancy
from nps.core.db import db
from nps.core.errors import Conflict, Invalid
from nps.core.prepared import ACCOUNT, Prepared
from nps.followups import queries as followup_queries
from nps.followups import service as followups
from nps.referrals import queries as referral_queries
from nps.referrals import service as referrals
from nps.referrals.rules.advocates import WORDS, NotEnrolled
from nps.responses import queries as responses
from nps.responses import service as response_writes
from nps.responses.events import ResponseRecounted, ResponseUpdated, ResponseVerified
from nps.responses.models import Response
from nps.routing import queries, rules
from nps.routing.models import RoutingDecision, RoutingRule, RoutingRuleSet
from nps.routing.rules import LED_TO, Decision, Destination, Facts, Rule

ONE_TAP = "one_tap"
_D = RoutingDecision.__table__
_KNOWN = Prepared(select(_D.c.id).where(_D.c.account_id == ACCOUNT, _D.c.response_id == bindparam("response")))
_KEEP = Prepared(insert(RoutingDecision))
_VALUE = Prepared(
    select(Contact.__table__.c.monthly_value_minor).where(
        Contact.__table__.c.account_id == ACCOUNT, Contact.__table__.c.id == bindparam("contact")
    )
)


# Deciding


def facts_of(response: Response, wanted: Sequence[Rule]) -> Facts:
    """What the rules may test, frozen properties first. What no rule asks for is not looked up."""
    asks_value = response.contact_id is not None and any(c.field == "value" for rule in wanted for c in rule.conditions)
    return Facts(
        score=response.score,
        group=response.nps_group,
        wants_reply=response.wants_reply,
        comment=response.comment,
        language=response.language,
        channel=response.channel,
        series=response.series,
        campaign_id=str(response.campaign_id or ""),
        properties=response.answered_properties,
        value_minor=_VALUE(contact=response.contact_id).scalar() if asks_value else None,
    )


def preview(response: Response) -> Decision:
    """What would be decided now. Does nothing."""
    in_force = queries.rules_in_force()
    return rules.decide(in_force.rules, facts_of(response, in_force.rules))


@dataclass(frozen=True, slots=True)
class Outlook:
    """What counting an answer would start, and where it went if it was routed."""

    opens_case: bool
    shares: bool
    went: str = ""
    led_to: str = ""
    decided_at: datetime | None = None
    case_id: UUID | None = None


def outlook(response: Response) -> Outlook:
    """For the page of one answer. Does nothing."""
    row = queries.find_decision(response.id)
    if row is None:
        would = preview(response).destination
        known = response.contact_id is not None and not response.is_test
        return Outlook(would is Destination.CASE and known, would is Destination.REFERRAL and known)
    led_to = LED_TO[Destination(row.destination)]
    if row.destination == Destination.REFERRAL and row.advocate_id is None and row.refused_because:
        led_to = f"Plain thanks. {WORDS.get(NotEnrolled(row.refused_because), '')}".strip()
    return Outlook(
        row.destination == Destination.CASE,
        row.destination == Destination.REFERRAL,
        row.sentence[:1].upper() + row.sentence[1:],
        led_to + (", counted late" if row.counted_late else ""),
        row.revised_at or row.decided_at,
        row.case_id,
    )


def route(event: ResponseVerified) -> None:
    """Decide and act, in the transaction that verified the answer. A repeat finds the stored decision and does nothing."""
    if _KNOWN(response=event.response_id).first() is not None:
        return
    response = responses.get_response(event.response_id)
    in_force = queries.rules_in_force()
    decision = rules.decide(in_force.rules, facts_of(response, in_force.rules))
    done = _act(response, decision, event.occurred_at)
    _KEEP(
        id=ids.new_id(),
        response_id=response.id,
        rule_set_number=in_force.number,
        matched=list(decision.matched),
        destination=decision.destination.value,
        sentence=decision.sentence,
        counted_late=event.counted_late,
        decided_at=event.occurred_at,
        revised_at=None,
        **done,
    )


def _act(response: Response, decision: Decision, started_at: datetime) -> dict[str, object]:
    """Open the case or make the offer; what came of it. An answer without a contact is thanked and nothing else."""
    done: dict[str, object] = {"case_id": None, "advocate_id": None, "refused_because": None}
    if response.contact_id is None:
        return done
    rule = decision.rule
    if decision.destination is Destination.CASE:
        case = followups.open_case(
            response.contact_id,
            response.id,
            started_at=started_at,
            queue_id=rule.queue_id if rule else None,
            target_minutes=rule.target_minutes if rule else None,
            wants_reply=response.wants_reply,
            score=response.score,
            rule=decision.sentence,
        )
        done["case_id"] = case.id
    elif decision.destination is Destination.REFERRAL:
        asked = referrals.enrol(
            response.contact_id, "promoter", response.id, program_id=rule.program_id if rule else None, score=response.score
        )
        done["advocate_id"] = asked.advocate.id if asked.advocate is not None else None
        done["refused_because"] = str(asked.refused) if asked.refused is not None else None
    return done


def reroute(event: ResponseUpdated) -> None:
    """An answer was revised: an open case hears of it and stays or closes, else the rules decide afresh; nothing is done twice.

    An offer leaves the pages by itself when its answer falls below 9.
    """
    row = queries.find_decision(event.response_id)
    if row is None:
        return
    response = responses.get_response(event.response_id)
    in_force = queries.rules_in_force()
    decision = rules.decide(in_force.rules, facts_of(response, in_force.rules))
    case = followups.answer_revised(
        response.id,
        old_score=event.old_score,
        new_score=event.new_score,
        had_comment=event.had_comment,
        has_comment=event.has_comment,
        wished_reply=event.wished_reply,
        wants_reply=event.wants_reply,
        occurred_at=event.occurred_at,
        target_minutes=decision.rule.target_minutes if decision.rule and decision.destination is Destination.CASE else None,
    )
    if case is not None and case.is_open:
        return
    before = row.destination
    row.destination, row.sentence, row.matched = decision.destination, decision.sentence, list(decision.matched)
    row.rule_set_number, row.revised_at = in_force.number, event.occurred_at
    if before != decision.destination or decision.destination is Destination.CASE:
        _store(row, _act(response, decision, event.occurred_at))


def route_again(event: ResponseRecounted) -> None:
    """An answer that was out of the figures counts again: an offer that left with it comes back. A case was never taken away."""
    row = queries.find_decision(event.response_id)
    if row is not None and row.destination == Destination.REFERRAL:
        response = responses.get_response(event.response_id)
        in_force = queries.rules_in_force()
        decision = rules.decide(in_force.rules, facts_of(response, in_force.rules))
        if decision.destination is Destination.REFERRAL:
            _store(row, _act(response, decision, event.occurred_at))


def _store(row: RoutingDecision, done: dict[str, object]) -> None:
    for name, value in done.items():
        if value is not None or name == "refused_because":
            setattr(row, name, value)
    db.session.flush()


def answer_one_tap(response: Response, options: Sequence[str], allowed: Sequence[str]) -> None:
    """Keep the passive's one tap. Raises Invalid for an option that the survey does not offer."""
    if any(option not in allowed for option in options):
        raise Invalid("That option is not on the list. Your score is saved; choose again or close the page.", status=400)
    response_writes.answer_more(response, ONE_TAP, "\n".join(dict.fromkeys(options)))


# Rules


def save_rules(wanted: Sequence[Rule], based_on: int, by: UUID | None) -> RoutingRuleSet:
    """A new version. Raises Invalid (fields by place) and Conflict when someone saved since version `based_on`."""
    wrong = rules.check(wanted) | _not_there(wanted)
    if wrong:
        raise Invalid("The rules were not saved. What you typed is still here.", fields=wrong)
    if queries.rules_in_force().number != based_on:
        raise Conflict("Somebody saved these rules a moment ago.")
    made = RoutingRuleSet(number=based_on + 1, created_by_id=by, created_at=clock.now())
    db.session.add(made)
    try:
        db.session.flush()
    except IntegrityError:
        raise Conflict("Somebody saved these rules a moment ago.") from None
    for position, rule in enumerate(wanted):
        db.session.add(
            RoutingRule(
                account_id=tenancy.current(),
                rule_set_id=made.id,
                position=position,
                name=rule.name.strip(),
                enabled=rule.enabled,
                match=rule.match,
                conditions=[{"field": c.field, "op": c.op, "value": c.value} for c in rule.conditions],
                destination=rule.destination,
                queue_id=rule.queue_id,
                program_id=rule.program_id,
                target_minutes=rule.target_minutes,
                side_actions=list(rule.side_actions),
                stop_here=rule.stop_here,
            )
        )
    db.session.flush()
    return made


def _not_there(wanted: Sequence[Rule]) -> dict[str, str]:
    """Queues and programs that do not exist here, by the place they are named at."""
    queues = {queue.id for queue in followup_queries.list_queues()}
    programs = {program.id for program in referral_queries.list_programs() if program.ended_at is None}
    wrong = {}
    for number, rule in enumerate(wanted, 1):
        if rule.destination is Destination.CASE and rule.queue_id is not None and rule.queue_id not in queues:
            wrong[f"rule-{number}-queue"] = "This queue does not exist any more. Choose another one."
        if rule.destination is Destination.REFERRAL and rule.program_id is not None and rule.program_id not in programs:
            wrong[f"rule-{number}-program"] = "This program has ended. Choose another one."
    return wrong


# Trying


@dataclass(frozen=True, slots=True)
class Example:
    """A past answer and what the rules would do with it."""

    response_id: UUID
    score: int
    comment: str
    then: str
    now: str
    rule: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What rules would have done with the answers of a period. `cases`: weekday (Monday first) → (inside, outside) the queue's hours."""

    tried: rules.Tried
    examples: list[Example]
    cases: list[tuple[int, int]]
    cut: bool


MOST_TRIED = 100_000
_PIECE = 2_000


def try_rules(wanted: Sequence[Rule], days: int) -> Trial:
    """Run unsaved rules over the verified answers of the last `days`, with the properties frozen on them. Writes and sends nothing."""
    since = clock.now() - timedelta(days=days)
    hours = followup_queries.hours_of_all()
    default = next((queue.id for queue in followup_queries.list_queues() if queue.is_default), None)
    zone = ZoneInfo(accounts.get_account(tenancy.current()).time_zone)
    examples: list[Example] = []
    cases = [[0, 0] for _ in range(7)]

    def answers() -> Iterator[tuple[Facts, str]]:
        for response, then in _past(since):
            facts = facts_of(response, ())
            decision = rules.decide(wanted, facts)
            rule = decision.rule
            if len(examples) < 20:
                name = rule.name if rule else ""
                examples.append(Example(response.id, response.score, response.comment, then, decision.destination.value, name))
            if decision.destination is Destination.CASE and response.verified_at is not None:
                at = response.verified_at.astimezone(zone)
                open_hours = hours.get(rule.queue_id if rule and rule.queue_id else default)  # type: ignore[arg-type]
                inside = open_hours is not None and any(opens <= at < closes for opens, closes in open_hours.open_spans(at.date()))
                cases[at.weekday()][0 if inside else 1] += 1
            yield facts, then

    tried = rules.try_on(wanted, answers())
    return Trial(tried, examples, [(inside, outside) for inside, outside in cases], tried.answers >= MOST_TRIED)


def _past(since: datetime) -> Iterator[tuple[Response, str]]:
    """Verified answers since then, the newest first, with the destination they had."""
    last: tuple[datetime, UUID] | None = None
    for _ in range(MOST_TRIED // _PIECE):
        found = (
            select(Response, RoutingDecision.destination)
            .outerjoin(
                RoutingDecision,
                (RoutingDecision.account_id == Response.account_id) & (RoutingDecision.response_id == Response.id),
            )
            .where(Response.state == "verified", Response.is_test.is_(False), Response.kind == "nps", Response.first_at >= since)
            .order_by(Response.first_at.desc(), Response.id.desc())
            .limit(_PIECE)
        )
        if last is not None:
            found = found.where(tuple_(Response.first_at, Response.id) < tuple_(*last))
        piece = db.session.execute(found).all()
        for response, then in piece:
            yield response, then or ""
        if len(piece) < _PIECE:
            return
        last = (piece[-1][0].first_at, piece[-1][0].id)
        for response, _ in piece:
            db.session.expunge(response)
