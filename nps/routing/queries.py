"""Reads of rules and decisions."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from nps.core import tenancy
from nps.core.db import db
from nps.core.prepared import ACCOUNT, Prepared
from nps.routing.models import RoutingDecision, RoutingRule, RoutingRuleSet
from nps.routing.rules import DEFAULT_RULES, Condition, Destination, Rule

_S = RoutingRuleSet.__table__
_NEWEST = Prepared(select(_S.c.id, _S.c.number).where(_S.c.account_id == ACCOUNT).order_by(_S.c.number.desc()).limit(1))


@dataclass(frozen=True, slots=True)
class InForce:
    """The rules as they are now. `number` 0: the four every account starts with, nobody has saved any yet."""

    number: int
    rules: tuple[Rule, ...]


_read: dict[tuple[UUID, UUID], tuple[Rule, ...]] = {}


def rules_in_force() -> InForce:
    """The newest version. Versions never change, so each process reads one once."""
    newest = _NEWEST().first()
    if newest is None:
        return InForce(0, DEFAULT_RULES)
    key = (tenancy.current(), newest.id)
    found = _read.get(key)
    if found is None:
        if len(_read) >= 1000:
            _read.clear()
        found = _read[key] = tuple(as_rule(row) for row in list_rules(newest.id))
    return InForce(newest.number, found)


def find_rule_set() -> RoutingRuleSet | None:
    """The version in force with who saved it and when; None while nobody has saved one."""
    return db.session.scalar(select(RoutingRuleSet).order_by(RoutingRuleSet.number.desc()).limit(1))


def list_rules(rule_set_id: UUID) -> Sequence[RoutingRule]:
    """The rules of a version in their order."""
    return db.session.scalars(select(RoutingRule).where(RoutingRule.rule_set_id == rule_set_id).order_by(RoutingRule.position)).all()


def as_rule(row: RoutingRule) -> Rule:
    """The stored rule as a value that `rules.decide` takes."""
    return Rule(
        name=row.name,
        conditions=tuple(Condition(c["field"], c["op"], c["value"]) for c in row.conditions),
        destination=Destination(row.destination) if row.destination else None,
        enabled=row.enabled,
        match=row.match,
        queue_id=row.queue_id,
        program_id=row.program_id,
        target_minutes=row.target_minutes,
        side_actions=tuple(row.side_actions),
        stop_here=row.stop_here,
    )


def find_decision(response_id: UUID) -> RoutingDecision | None:
    """What was decided for a response; None when it was never routed."""
    return db.session.scalar(select(RoutingDecision).where(RoutingDecision.response_id == response_id))
