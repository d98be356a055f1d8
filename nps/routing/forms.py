"""The form of the routing rules: one block of fields a rule, numbered from 1, and what its buttons do to the list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from nps.routing.rules import MOST_RULES, Condition, Destination, Rule
from nps.web.forms import clean

OPS = (("is", "is"), ("is_not", "is not"), ("contains", "contains"), ("empty", "is empty"))
WISHES = (("", "Any"), ("yes", "Yes"), ("no", "No"))


@dataclass(frozen=True, slots=True)
class Draft:
    """One rule as it was typed. Everything is text, so that it can be shown again as it was."""

    name: str = ""
    on: bool = True
    low: str = ""
    high: str = ""
    wish: str = ""
    key: str = ""
    op: str = "is"
    value: str = ""
    contains: str = ""
    destination: str = "case"
    queue: str = ""
    program: str = ""
    target: str = ""


def read(form: Mapping[str, str]) -> list[Draft]:
    """The rules of a sent form, in their order."""
    count = form.get("count", "0")
    many = min(int(count), MOST_RULES + 20) if count.isascii() and count.isdigit() and len(count) < 5 else 0

    def text(number: int, name: str) -> str:
        return str(clean(form.get(f"rule-{number}-{name}", "")))

    return [
        Draft(
            name=text(n, "name"),
            on=form.get(f"rule-{n}-on") == "1",
            low=text(n, "from"),
            high=text(n, "to"),
            wish=text(n, "wish"),
            key=text(n, "key"),
            op=text(n, "op") or "is",
            value=text(n, "value"),
            contains=text(n, "contains"),
            destination=text(n, "destination"),
            queue=text(n, "queue"),
            program=text(n, "program"),
            target=text(n, "target"),
        )
        for n in range(1, many + 1)
    ]


def moved(drafts: Sequence[Draft], act: str) -> list[Draft]:
    """The list after a button: "add", "up-2", "down-2", "delete-2". Anything else changes nothing."""
    found = list(drafts)
    verb, _, place = act.partition("-")
    if verb == "add" and len(found) < MOST_RULES + 20:
        return [*found, Draft()]
    at = int(place) - 1 if place.isascii() and place.isdigit() and len(place) < 5 else -1
    if not 0 <= at < len(found):
        return found
    if verb == "delete":
        del found[at]
    elif verb in ("up", "down"):
        to = at - 1 if verb == "up" else at + 1
        if 0 <= to < len(found):
            found[at], found[to] = found[to], found[at]
    return found


def rules_of(drafts: Sequence[Draft]) -> tuple[list[Rule], dict[str, str]]:
    """Rules as values, and what cannot be read, by place ("rule-2-target")."""
    wrong: dict[str, str] = {}
    return [_rule(draft, f"rule-{number}-", wrong) for number, draft in enumerate(drafts, 1)], wrong


def _rule(draft: Draft, place: str, wrong: dict[str, str]) -> Rule:
    conditions = []
    if draft.low or draft.high:
        low, high = _score(draft.low or "0"), _score(draft.high or "10")
        if low is None or high is None:
            wrong[f"{place}from"] = "Scores go from 0 to 10, the lower one first."
        else:
            conditions.append(Condition("score", "between", [low, high]))
    if draft.wish in ("yes", "no"):
        conditions.append(Condition("wants_reply", "is", draft.wish == "yes"))
    if draft.contains:
        conditions.append(Condition("comment", "contains", draft.contains[:200]))
    if draft.key:
        if draft.op not in dict(OPS):
            wrong[f"{place}op"] = "Choose how the property is tested."
        elif draft.op != "empty" and not draft.value:
            wrong[f"{place}value"] = "Say which value is looked for."
        conditions.append(Condition("property", draft.op, {"key": draft.key, "value": draft.value[:200]}))
    if draft.destination not in set(Destination):
        wrong[f"{place}destination"] = "Choose what happens."
    target = None
    if draft.target:
        if draft.target.isascii() and draft.target.isdigit() and len(draft.target) < 7:
            target = int(draft.target)
        else:
            wrong[f"{place}target"] = f"“{draft.target[:40]}” is not a number of minutes."
    return Rule(
        name=draft.name,
        conditions=tuple(conditions),
        destination=Destination(draft.destination) if draft.destination in set(Destination) else None,
        enabled=draft.on,
        queue_id=_id(draft.queue, f"{place}queue", wrong),
        program_id=_id(draft.program, f"{place}program", wrong),
        target_minutes=target,
    )


def _score(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 3 and int(text) <= 10 else None


def _id(text: str, place: str, wrong: dict[str, str]) -> UUID | None:
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        wrong[place] = "Choose one of the list."
        return None


def draft_of(rule: Rule) -> Draft:
    """A rule as its fields show it."""
    draft = Draft(
        name=rule.name,
        on=rule.enabled,
        destination=rule.destination or Destination.NONE,
        queue=str(rule.queue_id or ""),
        program=str(rule.program_id or ""),
        target=str(rule.target_minutes or ""),
    )
    for condition in rule.conditions:
        draft = replace(draft, **_shown(condition))
    return draft


def _shown(condition: Condition) -> dict[str, Any]:
    if condition.field == "score":
        return {"low": str(condition.value[0]), "high": str(condition.value[1])}
    if condition.field == "wants_reply":
        return {"wish": "yes" if condition.value else "no"}
    if condition.field == "comment":
        return {"contains": str(condition.value or "")}
    if condition.field == "property":
        return {"key": condition.value["key"], "op": condition.op, "value": condition.value.get("value") or ""}
    return {}


def sentence(rule: Rule) -> str:
    """A rule in words, for showing somebody else's version: "Detractors: score 0 to 6 → Open a case"."""
    tests = []
    for c in rule.conditions:
        if c.field == "score":
            tests.append(f"score {c.value[0]} to {c.value[1]}")
        elif c.field == "wants_reply":
            tests.append("wants a reply" if c.value else "wants no reply")
        elif c.field == "comment":
            tests.append(f"comment contains “{c.value}”")
        elif c.field == "property":
            tests.append(f"{c.value['key']} {dict(OPS)[c.op]}{'' if c.op == 'empty' else ' “' + c.value.get('value', '') + '”'}")
    return ", ".join(tests) or "every answer"
