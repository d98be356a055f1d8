"""Rights as one table, brand colours, slugs, the set-up guide: pure decisions."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address, ip_network


class Role(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    MANAGER = "manager"
    RESPONDER = "responder"
    ANALYST = "analyst"
    REVIEWER = "reviewer"
    VIEWER = "viewer"


ROLE_NAMES = {
    Role.OWNER: "Owner",
    Role.ADMIN: "Admin",
    Role.MANAGER: "Campaign manager",
    Role.RESPONDER: "Responder",
    Role.ANALYST: "Analyst",
    Role.REVIEWER: "Reviewer",
    Role.VIEWER: "Viewer",
}

_O, _A, _M, _R, _N, _W, _V = Role
_ALL = frozenset(Role)

# capability -> roles that have it. What is not listed is refused.
MAY: dict[str, frozenset[Role]] = {
    "overview": _ALL,
    "comments": frozenset({_O, _A, _M, _R, _N, _V}),
    "addresses": frozenset({_O, _A, _M, _R}),
    "responses.export": frozenset({_O, _A, _M, _N}),
    "contacts.read": frozenset({_O, _A, _M, _R, _N, _V}),
    "contacts.write": frozenset({_O, _A, _M}),
    "contacts.erase": frozenset({_O, _A}),
    "campaigns.read": frozenset({_O, _A, _M, _R, _N, _V}),
    "campaigns.write": frozenset({_O, _A, _M}),
    "sending": frozenset({_O, _A, _M}),
    "responses.read": frozenset({_O, _A, _M, _R, _N, _V}),
    "responses.review": frozenset({_O, _A, _M}),
    "cases.read": frozenset({_O, _A, _M, _R, _N}),
    "cases.note": frozenset({_O, _A, _M, _R, _N}),
    "cases.work": frozenset({_O, _A, _M, _R}),
    "cases.assign": frozenset({_O, _A}),
    "queues.write": frozenset({_O, _A}),
    "routing.write": frozenset({_O, _A}),
    "causes.read": _ALL,
    "causes.write": frozenset({_O, _A, _M, _R}),
    "programs.write": frozenset({_O, _A, _M}),
    "advocates.read": frozenset({_O, _A, _M, _N, _W}),
    "friends.read": frozenset({_O, _A, _W}),
    "rewards.read": frozenset({_O, _A, _W}),
    "rewards.decide": frozenset({_O, _A, _W}),
    "rewards.limits": frozenset({_O, _A}),
    "members.read": frozenset({_O, _A}),
    "members": frozenset({_O, _A}),
    "settings.read": frozenset({_O, _A}),
    "settings": frozenset({_O, _A}),
    "setup": frozenset({_O, _A, _M}),
    "audit": frozenset({_O, _A}),
    "billing.read": frozenset({_O, _A}),
    "billing.write": frozenset({_O}),
    "account.close": frozenset({_O}),
}


def may(role: Role | str, capability: str) -> bool:
    """Has the role this capability? Raises KeyError for a capability that is not in the table."""
    return Role(role) in MAY[capability]


RESERVED_SLUGS = frozenset(
    "s r u p f l k in dev api compat static widget with login logout signup signin sign-in sign-up account accounts invitations"
    " healthz readyz metrics status changes internal admin help docs assets w js css fonts favicon robots consent billing join new".split()
)
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")


def slug_from(name: str) -> str:
    """A slug of 3 to 40 characters for a company name: folded to ASCII, dashes for the rest."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-")
    return slug if len(slug) >= 3 and slug not in RESERVED_SLUGS else f"{slug or 'company'}-account"


def letterhead(name: str, postal_address: str) -> str:
    """Company and postal address in one line, for the end of a mail; a name that begins the address stands once."""
    address = ", ".join(line.strip() for line in postal_address.splitlines() if line.strip())
    return address if address.startswith(name) else ", ".join(filter(None, (name, address)))


def is_slug(text: str) -> bool:
    return bool(_SLUG.fullmatch(text)) and text not in RESERVED_SLUGS


def _luminance(color: str) -> float:
    """Relative luminance of "#rrggbb" (WCAG 2.2)."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two "#rrggbb" colours, 1 to 21 (WCAG 2.2)."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def readable_brand(color: str) -> tuple[str, str]:
    """(colour, text colour on it): white if it reaches 4.5:1, else #16181b, else the colour is darkened until white does."""
    color = color.lower()
    for ink in ("#ffffff", "#16181b"):
        if contrast(color, ink) >= 4.5:
            return color, ink
    while contrast(color, "#ffffff") < 4.5:
        color = "#" + "".join(f"{int(int(color[i : i + 2], 16) * 0.96):02x}" for i in (1, 3, 5))
    return color, "#ffffff"


# Roles from most to least; nobody gives a role above their own.
_RANK = {role: n for n, role in enumerate(Role)}
ROLE_DUTIES = {
    Role.RESPONDER: "works cases",
    Role.MANAGER: "writes and sends",
    Role.ANALYST: "reads and exports",
    Role.REVIEWER: "approves rewards",
    Role.VIEWER: "reads figures",
    Role.ADMIN: "everything but ownership",
    Role.OWNER: "everything",
}


def may_give(giver: Role | str, role: Role | str) -> bool:
    """May somebody with the role `giver` give or take `role`? Owners any, admins all but owner, others none."""
    return may(giver, "members") and (Role(giver) is Role.OWNER or Role(role) is not Role.OWNER)


# What the members page says each role may do: words -> (capability, (lesser capability, word for having only that)).
RIGHTS: tuple[tuple[str, str, tuple[str, str] | None], ...] = (
    ("See scores and reports", "overview", None),
    ("Read comments and names", "comments", None),
    ("Start, pause and stop sending", "sending", None),
    ("Work cases", "cases.work", ("cases.note", "Notes")),
    ("Count or leave out answers", "responses.review", None),
    ("Approve rewards", "rewards.decide", None),
    ("Erase a person", "contacts.erase", None),
    ("Members, API keys, settings", "settings", None),
    ("Change the plan, close the account", "billing.write", None),
)
RIGHT_NAMES = {
    "overview": "See scores and reports",
    "comments": "Read comments and names",
    "addresses": "See email addresses and phone numbers",
    "responses.export": "Export responses",
    "contacts.read": "See contacts",
    "contacts.write": "Import, edit and export contacts",
    "contacts.erase": "Erase a person, lift a stop",
    "campaigns.read": "See surveys and campaigns",
    "campaigns.write": "Write and test surveys and campaigns",
    "sending": "Start, pause and stop sending",
    "responses.read": "See responses",
    "responses.review": "Count or leave out answers",
    "cases.read": "See cases",
    "cases.note": "Write team notes on cases",
    "cases.work": "Work cases: reply, wait, close",
    "cases.assign": "Assign, merge and reopen cases",
    "queues.write": "Change queues and their hours",
    "routing.write": "Change what happens after an answer",
    "causes.read": "See causes",
    "causes.write": "Write causes and actions",
    "programs.write": "Edit and pause referral programs",
    "advocates.read": "See advocates and referral figures",
    "friends.read": "See who referred friends are",
    "rewards.read": "See rewards",
    "rewards.decide": "Approve and decline rewards",
    "rewards.limits": "Change reward limits and budget",
    "members.read": "See members",
    "members": "Invite, change and remove members",
    "settings.read": "See settings",
    "settings": "Change settings, API keys, webhooks",
    "setup": "Follow the set-up guide",
    "audit": "Read the audit log",
    "billing.read": "See the plan and invoices",
    "billing.write": "Change or cancel the plan",
    "account.close": "Close the account",
}


def rights_table() -> list[tuple[str, list[str]]]:
    """(words, one cell a role) of the short table: "Yes", a lesser right in a word, or "–"."""

    def cell(role: Role, capability: str, lesser: tuple[str, str] | None) -> str:
        if may(role, capability):
            return "Yes"
        return lesser[1] if lesser is not None and may(role, lesser[0]) else "–"

    return [(words, [cell(role, capability, lesser) for role in Role]) for words, capability, lesser in RIGHTS]


def rights_in_full() -> list[tuple[str, list[str]]]:
    """Every capability there is, in the same shape."""
    return [(RIGHT_NAMES.get(name, name), ["Yes" if role in roles else "–" for role in Role]) for name, roles in MAY.items()]


KEY_RESOURCES = ("contacts", "campaigns", "responses", "cases", "programs", "conversions", "rewards", "webhooks", "account")
KEY_SCOPES = (*(f"{resource}:{way}" for resource in KEY_RESOURCES for way in ("read", "write")), "compat")
_KEY_WORDS = {"responses": "answers", "account": "account settings"}


def key_may(scopes: Iterable[str], scope: str) -> bool:
    """Does a key with these scopes cover "contacts:read" and the like? "*" covers all."""
    given = set(scopes)
    return scope in given or "*" in given


def key_from_here(networks: Iterable[str], address: str) -> bool:
    """May a key limited to these ranges be used from this address? Without ranges from everywhere."""
    ranges = [ip_network(one, strict=False) for one in networks]
    try:
        here = ip_address(address)
    except ValueError:
        return not ranges
    return not ranges or any(here in one for one in ranges)


def key_words(scopes: Iterable[str]) -> str:
    """What a key may do, in words: "Read and write contacts, read answers"."""
    given = set(scopes)
    if "*" in given:
        return "Everything"
    parts = []
    for resource in KEY_RESOURCES:
        ways = [way for way in ("read", "write") if f"{resource}:{way}" in given]
        if ways:
            parts.append(f"{' and '.join(ways)} {_KEY_WORDS.get(resource, resource)}")
    if "compat" in given:
        parts.append("calls in the old tool’s format")
    text = ", ".join(parts)
    return text[:1].upper() + text[1:]


@dataclass(frozen=True)
class GuideTask:
    """One task of the set-up guide. It is done when the fact of the same key is true."""

    key: str
    minutes: int
    capability: str


GUIDE = (
    GuideTask("company", 2, "settings"),
    GuideTask("brand", 1, "settings"),
    GuideTask("contacts", 3, "contacts.write"),
    GuideTask("domain", 5, "settings"),
    GuideTask("survey", 4, "campaigns.write"),
    GuideTask("owner", 3, "queues.write"),
)


def guide_minutes(done: Iterable[str]) -> int:
    """Minutes left: the sum of the open tasks."""
    ready = set(done)
    return sum(task.minutes for task in GUIDE if task.key not in ready)


def is_hex_color(text: str) -> bool:
    return bool(re.fullmatch(r"#[0-9a-fA-F]{6}", text))


_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("Chrom", "Chrome"),
    ("CriOS", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("CrOS", "Chromebook"),
    ("Linux", "Linux"),
)


def browser_name(agent: str) -> str:
    """A browser as its owner would call it: "Chrome on Linux"; the first words of anything unknown."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    known = " on ".join(part for part in (browser, system) if part)
    return known or agent[:40] or "Unknown browser"
