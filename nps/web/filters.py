"""How values are written on pages: dates, times, numbers, money. Zones come from the account."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, g

from nps.core import clock
from nps.core.clock import zone_words
from nps.core.money import Money, format_bill, format_money


def zone() -> ZoneInfo:
    """The account's time zone, else UTC."""
    account = g.get("account")
    return ZoneInfo(account.time_zone) if account is not None else ZoneInfo("UTC")


def local(value: datetime) -> datetime:
    return value.astimezone(zone())


def day(value: datetime | date | None) -> str:
    """ "6 October 2026"."""
    if value is None:
        return "–"
    at = local(value) if isinstance(value, datetime) else value
    return f"{at.day} {at:%B} {at.year}"


def short_day(value: datetime | date | None) -> str:
    """ "6 Oct"."""
    if value is None:
        return "–"
    at = local(value) if isinstance(value, datetime) else value
    return f"{at.day} {at:%b}"


def near_day(value: datetime | date | None) -> str:
    """ "6 October", with the year when it is not this one."""
    if value is None:
        return "–"
    at = local(value) if isinstance(value, datetime) else value
    year = "" if at.year == local(clock.now()).year else f" {at.year}"
    return f"{at.day} {at:%B}{year}"


def time(value: datetime | None) -> str:
    """ "11:58"."""
    return "–" if value is None else f"{local(value):%H:%M}"


def clock_time(value: datetime | None) -> str:
    """ "11:58:03", where seconds tell."""
    return "–" if value is None else f"{local(value):%H:%M:%S}"


def day_time(value: datetime | None) -> str:
    """ "6 October, 11:58", with the year when it is not this one."""
    if value is None:
        return "–"
    at = local(value)
    year = "" if at.year == local(clock.now()).year else f" {at.year}"
    return f"{at.day} {at:%B}{year}, {at:%H:%M}"


def ago(value: datetime | None) -> str:
    """ "just now", "5 minutes ago", "2 hours ago" within the last day, "Yesterday, 11:58", else the day and time."""
    if value is None:
        return "never"
    passed = clock.now() - value
    if timedelta(0) <= passed < timedelta(minutes=1):
        return "just now"
    if timedelta(0) <= passed < timedelta(hours=1):
        minutes = int(passed.total_seconds() // 60)
        return f"{minutes} minute{'s' if minutes != 1 else ''} ago"
    here, there = local(clock.now()), local(value)
    if timedelta(0) <= passed and here.date() == there.date():
        hours = int(passed.total_seconds() // 3600)
        return f"{hours} hour{'s' if hours != 1 else ''} ago"
    if here.date() - there.date() == timedelta(days=1):
        return f"Yesterday, {there:%H:%M}"
    return day_time(value)


def number(value: int | float | None) -> str:
    """ "1,284"; a true minus; "–" for nothing."""
    if value is None:
        return "–"
    text = f"{abs(value):,}" if isinstance(value, int) else f"{abs(value):,.1f}"
    return f"−{text}" if value < 0 else text


def money(value: Money | int | None, currency: str | None = None) -> str:
    """ "$6,490"."""
    if value is None:
        return "–"
    return str(value) if isinstance(value, Money) else format_money(value, currency or g.account.currency)


def bill(value: int, currency: str | None = None) -> str:
    """ "$84.00"."""
    return format_bill(value, currency or g.account.currency)


def percent(part: float | None, whole: float | None = 1) -> str:
    """ "25.1%" of `part / whole`; "–" when there is nothing to divide by."""
    if part is None or not whole:
        return "–"
    return f"{100 * part / whole:.1f}%"


def plural(count: int, one: str, many: str | None = None) -> str:
    """ "1 answer", "1,284 answers"."""
    return f"{number(count)} {one if count == 1 else (many or one + 's')}"


def iso(value: datetime | None) -> str:
    """ISO 8601 UTC for `datetime` attributes and files."""
    return "" if value is None else value.isoformat(timespec="seconds").replace("+00:00", "Z")


_ALL = (day, near_day, short_day, time, day_time, clock_time, ago, number, money, bill, percent, plural, iso, local, zone_words)
FILTERS: dict[str, Any] = {f.__name__: f for f in _ALL}


def install(app: Flask) -> None:
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
