"""Link codes: how they are made, read and compared.

A code is an optional slug (the folded first name), a dash and a random part from 28 signs
without vowels or look-alikes: `maya-7Q2K9D`. It never carries an address, a company or an id.
Codes are compared by their key: upper case, without dashes or spaces.
"""

import re
import unicodedata

ALPHABET = "23456789BCDFGHJKMNPQRSTVWXYZ"
SHORT = 6
LONG = 8
TRIES = 5
KEY_MAX = 40

# Letters that Unicode does not decompose to a-z.
_FOLD = str.maketrans(
    {"ß": "ss", "æ": "ae", "ø": "o", "å": "a", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i", "œ": "oe", "ŋ": "n", "ħ": "h"}
)

CHANNELS: dict[str, str] = {
    "em": "Email",
    "wa": "WhatsApp",
    "tx": "Text",
    "li": "LinkedIn",
    "fb": "Facebook",
    "tw": "X",
    "tg": "Telegram",
    "cp": "Copied link",
    "qr": "QR code",
    "pr": "Print",
    "ow": "Your own list",
}
OTHER = "other"
OWN_CHANNELS_MAX = 20
VANITY_MAX = 5

# fmt: off
_RESERVED = frozenset(
    [
        "admin", "about", "account", "api", "app", "billing", "blog", "careers", "claim", "contact", "demo", "dev", "friend",
        "help", "home", "invite", "jobs", "login", "logout", "mail", "news", "official", "owner", "press", "pricing", "privacy",
        "root", "sales", "security", "settings", "share", "signin", "signup", "staff", "status", "stop", "support", "system",
        "team", "terms", "test", "wordback", "www",
    ]
)
# fmt: on
# fmt: off
_OFFENSIVE = (
        "anal", "arse", "bitch", "cock", "cunt", "dick", "fag", "fuck", "nazi", "nigg", "porn", "rape", "shit", "slut", "wank",
        "whore",
    )
# fmt: on


def slug(first_name: str) -> str:
    """The first name folded to a-z, 2-20 letters, or "" when nothing fit is left.

    Only the first word counts, and a name that is an address in disguise (it holds @, a dot or a
    digit) gives no slug: a code must never show where somebody works or reads mail.
    """
    words = first_name.split()
    if not words or any(sign in words[0] for sign in "@./\\:") or any(c.isdigit() for c in words[0]):
        return ""
    folded = unicodedata.normalize("NFKD", words[0].casefold().translate(_FOLD)).translate(_FOLD)
    letters = "".join(c for c in folded if "a" <= c <= "z")[:20]
    if len(letters) < 2 or any(word in letters for word in _OFFENSIVE):
        return ""
    return letters


def compose(name_slug: str, part: str) -> str:
    """The code as people see it."""
    return f"{name_slug}-{part}" if name_slug else part


def key(typed: str) -> str | None:
    """The key a typed or clicked code is looked up by, or None for what cannot be a code.

    Full-width signs, any letter case, spaces and dashes around and inside are forgiven.
    """
    if len(typed) > 4 * KEY_MAX:
        return None
    text = unicodedata.normalize("NFKC", typed)
    bare = "".join(c for c in text if not c.isspace() and c not in "-\u2010\u2011\u2012\u2013\u2014\u2212").upper()
    if not 4 <= len(bare) <= KEY_MAX or not all("A" <= c <= "Z" or "0" <= c <= "9" for c in bare):
        return None
    return bare


def channel(text: str | None, own: frozenset[str] = frozenset()) -> str:
    """The channel of a child link: a known code, "" for the bare link, `other` for anything else."""
    if not text:
        return ""
    low = text.lower()[:8]
    return low if low in CHANNELS or low in own else OTHER


def channel_name(code: str) -> str:
    return CHANNELS.get(code, "Link itself" if code == "" else "Elsewhere")


def vanity_problem(text: str) -> str | None:
    """Why a slug chosen by the advocate cannot be used, in words, or None."""
    if not re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{2,28})[a-z0-9]", text):
        return "Use 4 to 30 small letters, digits and dashes."
    bare = text.replace("-", "")
    if len(bare) < 4:
        return "Use at least 4 letters or digits."
    if bare in _RESERVED or any(word in bare for word in _OFFENSIVE):
        return "This word is taken. Choose another."
    return None
