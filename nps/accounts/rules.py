"""Rights as one table, brand colours, slugs: pure decisions."""

import re
import unicodedata
from enum import StrEnum


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


# What an API key may be allowed, each as `:read` or `:write` (platform, keys).
API_RESOURCES = ("contacts", "campaigns", "responses", "metrics", "cases", "programs", "conversions", "rewards", "webhooks", "account")
API_SCOPES = tuple(f"{resource}:{right}" for resource in API_RESOURCES for right in ("read", "write"))


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
