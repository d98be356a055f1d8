"""Hiding a case until later, never past a promise."""

from datetime import datetime, timedelta

from nps.followups.rules.hours import Hours

BEFORE_DUE = timedelta(minutes=15)


def check_snooze(until: datetime, now: datetime, *, due_at: datetime | None, hours: Hours, told: str | None) -> str | None:
    """Why this snooze is refused, or None. `told` is the first name of a customer who was shown the time."""
    if until <= now:
        return "Choose a time that is still to come."
    if due_at is None or until <= due_at - BEFORE_DUE:
        return None
    at = due_at.astimezone(hours.tz)
    clock_face = f"{at:%H:%M}" if at.date() == now.astimezone(hours.tz).date() else f"{at:%A} {at.day} {at:%B}, {at:%H:%M}"
    if told:
        return f"{told} was told {clock_face}. Snoozing past that would hide the promise."
    return f"The reply is due {clock_face}. Snoozing past that would hide it."
