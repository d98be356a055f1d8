"""The sidebar: which pages the workspace links to, and the numbers beside them.

`SECTIONS` is the one list. An entry is shown only when its endpoint exists in the running
application, so a part of the product that is switched off leaves no dead link behind.
Numbers come from functions a feature offers and `nps/wiring.py` hands to `install`; this
module knows no feature.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, g, url_for


@dataclass(frozen=True)
class Entry:
    """One link. `key` is what a page puts into `nav` to be the current one; `badge` names its number."""

    key: str
    label: str
    icon: str
    endpoint: str
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
            Entry("overview", "Overview", "home", "analytics.overview"),
            Entry("followups", "Follow-ups", "inbox", "followups.cases", badge="followups"),
            Entry("responses", "Responses", "chat", "responses.index"),
            Entry("campaigns", "Campaigns", "send", "campaigns.index"),
            Entry("contacts", "Contacts", "people", "contacts.index"),
        ),
    ),
    (
        "fix",
        "Improve",
        (
            Entry("causes", "Causes", "note", "causes.index"),
            Entry("experiments", "Experiments", "sparkle", "experiments.index"),
            Entry("quality", "Data quality", "shield", "analytics.quality"),
        ),
    ),
    (
        "grow",
        "Referrals",
        (
            Entry("referrals", "Program", "share", "referrals.program"),
            Entry("rewards", "Rewards", "gift", "rewards.index", badge="rewards"),
        ),
    ),
    (
        "acct",
        "Account",
        (
            Entry("guide", "Set-up guide", "flag", "accounts.guide"),
            Entry("settings", "Settings", "sliders", "accounts.settings"),
            Entry("billing", "Billing", "card", "billing.overview"),
        ),
    ),
)

BadgeSource = Callable[[], Badge | None]


def install(app: Flask, badges: Mapping[str, BadgeSource] | None = None) -> None:
    """Gives templates `navigation()`. `badges` maps an entry's badge name to a function run inside the account's scope."""
    app.extensions["navigation_badges"] = dict(badges or {})

    @app.context_processor
    def _navigation() -> dict[str, Any]:
        return {"navigation": navigation}


def navigation() -> tuple[Section, ...]:
    """The links of this request's account. Sections without a page are left out."""
    account = g.get("account")
    if account is None:
        return ()
    sources: Mapping[str, BadgeSource] = current_app.extensions.get("navigation_badges", {})
    made = []
    for key, label, entries in SECTIONS:
        links = tuple(
            Link(e.key, e.label, e.icon, url_for(e.endpoint, account=account.slug), _badge(sources, e.badge))
            for e in entries
            if e.endpoint in current_app.view_functions
        )
        if links:
            made.append(Section(key, label, links))
    return tuple(made)


def _badge(sources: Mapping[str, BadgeSource], name: str | None) -> Badge | None:
    source = sources.get(name) if name else None
    badge = source() if source else None
    return badge if badge and badge.count else None
