"""Versions of a program: which one holds when, and whether a change is worse for people who already share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

NOTICE = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Promise:
    """What a version promises advocates. `rules` and `caps` as they are stored."""

    rules: Sequence[Mapping[str, Any]]
    caps: Sequence[Mapping[str, Any]]
    hold_days: int
    attribution_days: int
    qualify_days: int | None
    qualifies: str = "first_paid"
    qualify_nth: int = 1


def worse(old: Promise, new: Promise) -> bool:
    """Whether an advocate could get less, later or more rarely under the new version."""
    if new.hold_days > old.hold_days or new.attribution_days < old.attribution_days:
        return True
    if new.qualify_days is not None and (old.qualify_days is None or new.qualify_days < old.qualify_days):
        return True
    if (new.qualifies, new.qualify_nth) != (old.qualifies, old.qualify_nth):
        return True
    before = {(r.get("side"), r.get("on"), r.get("kind")): r for r in old.rules}
    after = {(r.get("side"), r.get("on"), r.get("kind")): r for r in new.rules}
    if any(_pays(rule) and key not in after for key, rule in before.items()):
        return True
    for key, rule in before.items():
        other = after.get(key, {})
        if other.get("basis_points", 0) < rule.get("basis_points", 0):
            return True
        if any(other.get("amounts", {}).get(cur, 0) < amount for cur, amount in rule.get("amounts", {}).items()):
            return True
        was, now = rule.get("max_months", 1), other.get("max_months", 1)
        if now is not None and (was is None or now < was):
            return True
    return _tighter(old.caps, new.caps)


def _pays(rule: Mapping[str, Any]) -> bool:
    return bool(rule.get("basis_points") or any(rule.get("amounts", {}).values()))


def _tighter(old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> bool:
    before = {(c.get("period"), c.get("currency")): c for c in old}
    for cap in new:
        was = before.get((cap.get("period"), cap.get("currency")))
        for limit in ("amount", "count"):
            now_, then = cap.get(limit), (was or {}).get(limit)
            if now_ is not None and (then is None or now_ < then):
                return True
    return False


def effective(old: Promise | None, new: Promise, now: datetime) -> datetime:
    """When a new version begins: at once, or 14 days after people are told when it is worse for them."""
    return now + NOTICE if old is not None and worse(old, new) else now
