"""Which answers count, and what of them. Recorded answers are counted, or left out for the first reason that fits."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from nps.analytics.rules.repeats import Answer, Change
from nps.scoring.groups import nps_group


class LeftOut(StrEnum):
    """Why a recorded answer is not counted, in the order in which a reason is looked for."""

    TEST = "test"
    MACHINE = "machine"
    WAITING = "waiting"
    WITHDRAWN = "withdrawn"
    LEFT_OUT = "left_out"
    MANUAL = "manual"


_BY_STATE = {
    "quarantined": LeftOut.MACHINE,
    "provisional": LeftOut.WAITING,
    "withdrawn": LeftOut.WITHDRAWN,
    "left_out": LeftOut.LEFT_OUT,
}


def reason(state: str, method: str, is_test: bool) -> LeftOut | None:
    """Why this answer is not counted; None when it is."""
    if is_test:
        return LeftOut.TEST
    if state in _BY_STATE:
        return _BY_STATE[state]
    return LeftOut.MANUAL if method == "manual" else None


def as_value(value: Any) -> str:
    """A property's value as the text it is summed and filtered by; "" for none. true and false are words."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)[:500]


def kept_values(properties: Mapping[str, Any], kept: Iterable[str], channel: str, language: str) -> dict[str, str]:
    """The values sums are kept for: channel, language and the kept properties. "" stands for "no value" and is summed too."""
    made = {"channel": channel, "language": language}
    made.update({key: as_value(properties.get(key)) for key in kept})
    return dict(sorted(made.items()))


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one answer adds to the sums."""

    contact: UUID | None
    day: date
    series: str
    campaign: UUID | None
    score: int
    has_comment: bool
    properties: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SumKey:
    """One row of the daily sums."""

    day: date
    series: str
    campaign: UUID | None
    key: str = ""
    value: str = ""


COMMENTS = {"detractor": 11, "passive": 12, "promoter": 13}
"""Places of the comments by group, after the eleven scores."""
WIDTH = 14


def add_to(sums: dict[SumKey, list[int]], one: Contribution, sign: int) -> None:
    """Add one change to sums of (n0 … n10, comments of detractors, passives, promoters)."""
    for key, value in (("", ""), *one.properties):
        row = sums.setdefault(SumKey(one.day, one.series, one.campaign, key, value), [0] * WIDTH)
        row[one.score] += sign
        if one.has_comment:
            row[COMMENTS[nps_group(one.score)]] += sign


def daily_changes(changes: Iterable[tuple[Contribution, int]]) -> dict[SumKey, list[int]]:
    """What a set of changes does to the daily sums. Rows that do not change are left out."""
    sums: dict[SumKey, list[int]] = {}
    for one, sign in changes:
        add_to(sums, one, sign)
    return {key: row for key, row in sums.items() if any(row)}


def moves(changes: Iterable[tuple[Contribution, int]]) -> list[Change]:
    """What pairs are made of: changes of answers by known contacts."""
    return [
        Change(one.series, one.contact, Answer(one.day, one.campaign, one.score, one.properties), sign)
        for one, sign in changes
        if one.contact is not None
    ]


def corrections(standing: Counter[Contribution], wanted: Contribution | None) -> list[tuple[Contribution, int]]:
    """The deltas that turn what an answer has contributed so far into what it should: nothing when it is right already."""
    target = Counter([wanted] if wanted is not None else [])
    made: list[tuple[Contribution, int]] = []
    for one in {**standing, **target}:
        gap = target[one] - standing[one]
        made += [(one, 1 if gap > 0 else -1)] * abs(gap)
    return sorted(made, key=lambda pair: pair[1])


def worth_keeping(seen: Mapping[str, Counter[str]], already: Sequence[str], most: int = 12, values: int = 50) -> list[str]:
    """The properties sums are kept for: those kept already, then those that split answers into 2 to 50 values, most
    answers first."""
    fit = [(key, found) for key, found in seen.items() if key not in already and 2 <= len(found) <= values]
    fit.sort(key=lambda pair: (-sum(pair[1].values()), pair[0]))
    return [*already, *(key for key, _ in fit)][: max(most, len(already))]
