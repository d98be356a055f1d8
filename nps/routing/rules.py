"""Which rules match an answer and where it goes: a pure decision over facts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

MOST_RULES = 100
MOST_CONDITIONS = 20


class Destination(StrEnum):
    CASE = "case"
    REFERRAL = "referral"
    QUESTION = "question"
    NONE = "none"


DESTINATION_WORDS = {
    Destination.CASE: "Open a case",
    Destination.REFERRAL: "Offer the referral link",
    Destination.QUESTION: "Ask one question",
    Destination.NONE: "Nothing more than thanks",
}


LED_TO = {
    Destination.CASE: "A case",
    Destination.REFERRAL: "The offer to share",
    Destination.QUESTION: "One question",
    Destination.NONE: "Thanks and nothing else",
}


@dataclass(frozen=True)
class Condition:
    """One test: a field, an operator of that field, and a value."""

    field: str
    op: str
    value: Any


@dataclass(frozen=True)
class Rule:
    """If all (or any) conditions hold. A rule without a destination only has side actions."""

    name: str
    conditions: tuple[Condition, ...]
    destination: Destination | None
    enabled: bool = True
    match: str = "all"
    queue_id: Any = None
    program_id: Any = None
    target_minutes: int | None = None
    side_actions: tuple[Any, ...] = ()
    stop_here: bool = False


@dataclass(frozen=True)
class Facts:
    """What is known about an answer when it is routed."""

    score: int
    group: str
    wants_reply: bool
    comment: str = ""
    language: str = "en"
    channel: str = "email"
    series: str = "relationship"
    campaign_id: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)
    value_minor: int | None = None
    drop: int | None = None


@dataclass(frozen=True)
class Decision:
    """Names of all rules that matched, the one that decides (None: nobody named a destination), and a sentence for people."""

    matched: tuple[str, ...]
    rule: Rule | None
    destination: Destination
    sentence: str


# What may be tested: field -> (words, operators, kind of value)
FIELDS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "score": ("Score", ("between",), "range"),
    "wants_reply": ("Wants a reply", ("is",), "yes"),
    "comment": ("Comment", ("present", "contains"), "text"),
    "language": ("Language", ("is", "is_not"), "text"),
    "channel": ("Channel", ("is", "is_not"), "text"),
    "campaign": ("Campaign", ("is", "is_not"), "text"),
    "property": ("Property", ("is", "is_not", "contains", "empty"), "property"),
    "value": ("Customer value a month, at least", ("at_least",), "money"),
    "drop": ("Dropped since the last score by", ("at_least",), "number"),
}

DEFAULT_RULES: tuple[Rule, ...] = (
    Rule("Wants a reply", (Condition("wants_reply", "is", True),), Destination.CASE),
    Rule("Detractors", (Condition("score", "between", [0, 6]),), Destination.CASE),
    Rule("Promoters", (Condition("score", "between", [9, 10]),), Destination.REFERRAL),
    Rule("Passives", (Condition("score", "between", [7, 8]),), Destination.QUESTION),
)


def holds(condition: Condition, facts: Facts) -> bool:
    """Does this test pass? A missing value fails every test but "is empty" and "is not"."""
    name, op, value = condition.field, condition.op, condition.value
    if name == "score":
        low, high = value
        return bool(low <= facts.score <= high)
    if name == "wants_reply":
        return facts.wants_reply is bool(value)
    if name == "comment":
        return bool(facts.comment.strip()) if op == "present" else _text(facts.comment, op, value)
    if name in ("language", "channel"):
        return _text(getattr(facts, name), op, value)
    if name == "campaign":
        return _text(facts.campaign_id, op, value)
    if name == "property":
        return _text(facts.properties.get(value["key"]), op, value.get("value"))
    if name == "value":
        return facts.value_minor is not None and facts.value_minor >= value
    if name == "drop":
        return facts.drop is not None and facts.drop >= value
    raise ValueError(f"no field is called {name}")


def _text(known: Any, op: str, wanted: Any) -> bool:
    missing = known is None or str(known).strip() == ""
    if op == "empty":
        return missing
    if op == "is_not":
        return missing or str(known).casefold() != str(wanted).casefold()
    if missing:
        return False
    if op == "contains":
        return str(wanted).casefold() in str(known).casefold()
    return str(known).casefold() == str(wanted).casefold()


def matches(rule: Rule, facts: Facts) -> bool:
    """An empty list of conditions matches every answer."""
    if not rule.enabled:
        return False
    results = [holds(condition, facts) for condition in rule.conditions]
    return any(results) if rule.match == "any" and results else all(results)


def decide(rules: Sequence[Rule], facts: Facts) -> Decision:
    """The first matching rule that names a destination wins; side actions of every matching rule run; "Stop here" ends the list."""
    matched: list[str] = []
    winner: Rule | None = None
    for rule in rules:
        if not matches(rule, facts):
            continue
        matched.append(rule.name)
        if winner is None and rule.destination is not None:
            winner = rule
        if rule.stop_here:
            break
    if winner is None or winner.destination is None:
        return Decision(tuple(matched), None, Destination.NONE, "no rule named a destination")
    return Decision(tuple(matched), winner, winner.destination, f"the rule “{winner.name}”")


def unreachable(rules: Sequence[Rule]) -> list[str]:
    """Names of rules that can never decide, because earlier ones take every answer they could take.

    Seen are scores that earlier rules take whatever else holds, and an earlier rule that asks for no more than this one.
    """
    taken: set[int] = set()
    before: list[Rule] = []
    lost = []
    for rule in rules:
        if not rule.enabled or (rule.destination is None and not rule.stop_here):
            continue
        scores = _scores(rule)
        if rule.destination is not None and (scores <= taken or any(_asks_no_more(earlier, rule) for earlier in before)):
            lost.append(rule.name)
        if all(condition.field == "score" for condition in rule.conditions):
            taken |= scores
        before.append(rule)
    return lost


def _asks_no_more(one: Rule, other: Rule) -> bool:
    """Does every answer that `other` matches match `one` as well, as far as can be told without an answer?"""
    if "any" in (one.match, other.match):
        return False
    tests = [condition for condition in one.conditions if condition.field != "score"]
    return _scores(other) <= _scores(one) and all(test in other.conditions for test in tests)


def _scores(rule: Rule) -> set[int]:
    found = set(range(11))
    for condition in rule.conditions:
        if condition.field == "score" and rule.match == "all":
            found &= set(range(condition.value[0], condition.value[1] + 1))
    return found


def check(rules: Sequence[Rule]) -> dict[str, str]:
    """Problems by place ("rule-2-name"), in words for the form; empty when the list can be saved."""
    wrong: dict[str, str] = {}
    if len(rules) > MOST_RULES:
        wrong["rules"] = f"{len(rules)} rules are too many, {MOST_RULES} fit. Join some of them."
    for number, rule in enumerate(rules, 1):
        if not rule.name.strip():
            wrong[f"rule-{number}-name"] = "Give this rule a name."
        elif len(rule.name) > 80:
            wrong[f"rule-{number}-name"] = f"This name has {len(rule.name)} characters, 80 fit."
        if len(rule.conditions) > MOST_CONDITIONS:
            wrong[f"rule-{number}-conditions"] = f"At most {MOST_CONDITIONS} conditions fit into one rule."
        for condition in rule.conditions:
            if condition.field not in FIELDS or condition.op not in FIELDS[condition.field][1]:
                wrong[f"rule-{number}-conditions"] = f"There is no test “{condition.field} {condition.op}”."
            elif condition.field == "score" and not 0 <= condition.value[0] <= condition.value[1] <= 10:
                wrong[f"rule-{number}-from"] = "Scores go from 0 to 10, the lower one first."
        if rule.target_minutes is not None and not 5 <= rule.target_minutes <= 14_400:
            wrong[f"rule-{number}-target"] = "A first reply takes between 5 and 14,400 open minutes."
    return wrong


@dataclass
class Tried:
    """What rules would do with past answers."""

    answers: int = 0
    matched: dict[str, int] = field(default_factory=dict)
    decided: dict[str, int] = field(default_factory=dict)
    moves: dict[tuple[str, str], int] = field(default_factory=dict)
    """(destination then, destination now) → answers; "" where none was decided then."""


def try_on(rules: Sequence[Rule], answers: Iterable[tuple[Facts, str]]) -> Tried:
    """Run the rules over (facts, destination then). Same input, same output; nothing is written or sent."""
    found = Tried(matched={rule.name: 0 for rule in rules}, decided={rule.name: 0 for rule in rules})
    for facts, then in answers:
        decision = decide(rules, facts)
        found.answers += 1
        for name in decision.matched:
            found.matched[name] += 1
        if decision.rule is not None:
            found.decided[decision.rule.name] += 1
        move = (then, decision.destination.value)
        found.moves[move] = found.moves.get(move, 0) + 1
    return found
