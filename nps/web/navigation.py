"""The sidebar: which pages the workspace links to, and the numbers beside them.

`SECTIONS` is the one list. An entry is shown only when its endpoint exists in the running
application, so a part of the product that is switched off leaves no dead link behind.
Numbers come from functions a feature offers and `nps/wiring.py` hands to `install`; this
module knows no feature.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, g, request, url_for


@dataclass(frozen=True)
class Entry:
    """One link. `key` is what a page puts into `nav` to be the current one; `needs` is the right to read it; `badge` names its number."""

    key: str
    label: str
    icon: str
    endpoint: str
    needs: str
    badge: str | None = None


@dataclass(frozen=True)
class Badge:
    """A number beside a link: `count` is seen, `words` is what a screen reader hears after it ("open, 1 overdue")."""

    count: int
    words: str
    hot: bool = False


@dataclass(frozen=True)
class Link:
    """An entry made ready for the page."""

    key: str
    label: str
    icon: str
    href: str
    badge: Badge | None


@dataclass(frozen=True)
class Section:
    """A group of links; the first one has no label."""

    key: str
    label: str
    links: tuple[Link, ...]


SECTIONS: tuple[tuple[str, str, tuple[Entry, ...]], ...] = (
    (
        "main",
        "",
        (
            Entry("overview", "Overview", "home", "analytics.overview", "overview"),
            Entry("followups", "Follow-ups", "inbox", "followups.cases", "cases.read", badge="followups"),
            Entry("responses", "Responses", "chat", "responses.index", "responses.read"),
            Entry("campaigns", "Campaigns", "send", "campaigns.index", "campaigns.read"),
            Entry("contacts", "Contacts", "people", "contacts.index", "contacts.read"),
        ),
    ),
    (
        "fix",
        "Improve",
        (
            Entry("causes", "Causes", "note", "causes.index", "causes.read"),
            Entry("experiments", "Experiments", "sparkle", "experiments.index", "campaigns.read"),
            Entry("quality", "Data quality", "shield", "analytics.quality", "overview"),
        ),
    ),
    (
        "grow",
        "Referrals",
        (
            Entry("referrals", "Program", "share", "referrals.program", "advocates.read"),
            Entry("rewards", "Rewards", "gift", "rewards.index", "rewards.read", badge="rewards"),
        ),
    ),
    (
        "acct",
        "Account",
        (
            Entry("guide", "Set-up guide", "flag", "guide.index", "setup"),
            Entry("settings", "Settings", "sliders", "settings.company", "settings.read"),
            Entry("billing", "Billing", "card", "billing.overview", "billing.read"),
        ),
    ),
)

# The tabs of the settings: (label, endpoint, right to read).
SETTINGS: tuple[tuple[str, str, str], ...] = (
    ("Company", "settings.company", "settings.read"),
    ("Sending", "delivery.domains", "settings.read"),
    ("API keys", "keys.index", "settings.read"),
    ("Webhooks", "webhooks.index", "settings.read"),
    ("Members", "team.index", "members.read"),
    ("Follow-up rules", "followups.queues", "queues.write"),
    ("Where answers go", "routing.index", "routing.write"),
    ("Data and privacy", "settings.privacy", "settings.read"),
    ("Audit log", "settings.audit_log", "audit"),
    ("You", "you.index", "overview"),
)

BadgeSource = Callable[[], Badge | None]


def install(app: Flask, badges: Mapping[str, BadgeSource] | None = None) -> None:
    """Gives templates `navigation()`. `badges` maps an entry's badge name to a function run inside the account's scope."""
    app.extensions["navigation_badges"] = dict(badges or {})

    @app.context_processor
    def _navigation() -> dict[str, Any]:
        return {"navigation": navigation, "settings_tabs": settings_tabs, "page_url": page_url}


def navigation() -> tuple[Section, ...]:
    """The links of this request's member: pages that exist and that the role may read."""
    account, member = g.get("account"), g.get("member")
    if account is None or member is None:
        return ()
    sources: Mapping[str, BadgeSource] = current_app.extensions.get("navigation_badges", {})
    made = []
    for key, label, entries in SECTIONS:
        links = tuple(
            Link(e.key, e.label, e.icon, url_for(e.endpoint, account=account.slug), _badge(sources, e.badge))
            for e in entries
            if there_is(e.endpoint) and member.may(e.needs)
        )
        if links:
            made.append(Section(key, label, links))
    return tuple(made)


def there_is(endpoint: str) -> bool:
    """Has this installation the page, and is its part of the product switched on?"""
    return endpoint in current_app.view_functions and not endpoint.startswith(current_app.extensions.get("switched_off", ()))


def page_url(endpoint: str, **values: Any) -> str | None:
    """The address of a page, or None when this installation has no such page."""
    return url_for(endpoint, **values) if there_is(endpoint) else None


def settings_tabs() -> list[tuple[str, str, bool]]:
    """(label, address, is it this page) of the settings pages this member may read."""
    here, member = request.endpoint, g.get("member")
    return [
        (label, url_for(endpoint, account=g.account.slug), endpoint == here)
        for label, endpoint, needs in SETTINGS
        if there_is(endpoint) and member is not None and member.may(needs)
    ]


def _badge(sources: Mapping[str, BadgeSource], name: str | None) -> Badge | None:
    source = sources.get(name) if name else None
    badge = source() if source else None
    return badge if badge and badge.count else None
