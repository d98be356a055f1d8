"""When a person may be asked again, as the contact page and the export say it. The gates of a campaign are its own."""

from datetime import datetime, timedelta

GAP_DAYS = 90
"""Default gap between two surveys to one person, over all campaigns and channels."""

REST = timedelta(hours=24)
"""Campaigns already running leave imported people alone for so long: the time in which the import can be undone."""


def next_ask_at(last_asked_at: datetime | None, gap_days: int | None) -> datetime | None:
    """The earliest instant of the next survey; None = nothing stands in the way. `gap_days`: what the person chose, if longer."""
    if last_asked_at is None:
        return None
    return last_asked_at + timedelta(days=max(GAP_DAYS, gap_days or 0))
