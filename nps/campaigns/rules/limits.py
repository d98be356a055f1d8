"""Ranges of a campaign's settings, and the sentences about values outside them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from nps.campaigns.rules import gates, windows, words

NAME_MOST = 120
RANGES: dict[str, tuple[int, int, str]] = {
    "sample_percent": (1, 100, "Ask 1 to 100 % of the audience."),
    "gap_days": (30, 365, "The gap between two surveys is 30 to 365 days."),
    "min_age_days": (0, 365, "The customer age is 0 to 365 days."),
    "answer_days": (7, 90, "Answers are taken for 7 to 90 days."),
    "spread_days": (0, windows.SPREAD_MOST, "Spread over 1 to 60 sending days, or leave it empty."),
}
EVENT_GAP_LEAST = 14
TESTS_AT_ONCE, TESTS_AN_HOUR = 5, 20
TYPED_OVER = 1000
"""Starts for more people than this are confirmed by typing their number."""
CYCLE_WEEKS = range(5, 53)
NOT_YET = "Only one-time campaigns can be started for now. Choose “Once”."


def check(values: Mapping[str, Any], *, gap_days: int, now: datetime, kind: str = "one_time") -> dict[str, str]:
    """What is wrong with these settings, field → sentence. `gap_days` is the gap in force where `values` has none."""
    wrong: dict[str, str] = {}
    if "name" in values:
        name = values["name"] or ""
        if not name:
            wrong["name"] = "Give the campaign a name. Only your team sees it."
        elif len(name) > NAME_MOST:
            wrong["name"] = f"The name is {len(name)} characters long, {NAME_MOST} fit."
        elif not name.isprintable():
            wrong["name"] = "The name has a line break or a control character. Write it on one line."
    if values.get("kind", "one_time") != "one_time":
        wrong["kind"] = NOT_YET
    for field, (least, most, sentence) in RANGES.items():
        if field in values:
            value = values[field]
            low = EVENT_GAP_LEAST if field == "gap_days" and kind == "event" else least
            if not isinstance(value, int) or not low <= value <= most:
                wrong[field] = sentence
    gap = values.get("gap_days", gap_days)
    days = values.get("reminder_days")
    if days is not None:
        if days not in gates.REMINDER_RANGE:
            wrong["reminder_days"] = "A reminder goes 3 to 14 days after the first message."
        elif isinstance(gap, int) and gap < gates.REMINDER_GAP:
            wrong["reminder_days"] = f"A reminder needs a gap of {gates.REMINDER_GAP} days or more."
    return wrong


def cycle(weeks: int, gap_days: int) -> str | None:
    """The sentence about a rolling cycle that cannot be, or None."""
    if weeks not in CYCLE_WEEKS:
        return "A cycle is 5 to 52 weeks."
    if weeks * 7 < gap_days:
        return f"A cycle of {weeks} weeks is shorter than your gap of {gap_days} days. Choose {-(-gap_days // 7)} weeks or more."
    return None


def start(at: datetime | None, now: datetime, local: datetime | None) -> str | None:
    """The sentence about a start in the past; `local` is `at` in the account's zone."""
    return words.in_the_past(local) if at is not None and at < now and local is not None else None
