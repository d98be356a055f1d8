"""One email address: what is taken, how it is stored, when two are the same.

Taken is the plain form `local@domain` of RFC 5321 without quoting: one address, at most 254 characters, ASCII before
the @. Stored is the address trimmed, with the domain in lower-case ASCII (IDNA, UTS 46). Two addresses are the same
when their `key` is: case says nothing to any mail provider in use.
"""

import re

import idna

from nps.core.errors import Invalid

MAX_LENGTH = 254
_MAX_LOCAL = 64

# The whole common case in one match: dot-atom local part, at least two labels, the last one not a number.
_PLAIN = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+(?=[A-Za-z])[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]*")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_ODD = re.compile(r"[^A-Za-z0-9-]")

# Providers that deliver dana+news@ to dana@; the first two also d.a.n.a@ (each documents it).
IGNORES_DOTS = {"gmail.com", "proton.me"}
IGNORES_TAGS = IGNORES_DOTS | {
    "outlook.com", "hotmail.com", "live.com", "msn.com", "icloud.com", "me.com", "mac.com", "fastmail.com", "fastmail.fm", "hey.com",
}  # fmt: skip
SAME_HOUSE = {"googlemail.com": "gmail.com", "protonmail.com": "proton.me", "pm.me": "proton.me"}


def parse(text: str) -> str:
    """The address as it is stored. Raises `Invalid` with a sentence for people and the field `email`."""
    address, problem = read(text)
    if problem is not None:
        raise Invalid(f"{problem}.", fields={"email": problem})
    return address


def read(text: str) -> tuple[str, str | None]:
    """(address, None) or ("", what is wrong in at most 60 characters). Never raises: files have a million rows."""
    text = text.strip()
    if len(text) <= MAX_LENGTH and _PLAIN.fullmatch(text):
        at = text.rindex("@")
        if at <= _MAX_LOCAL:
            return text[:at] + text[at:].lower(), None
    return _read_slowly(text)


def _read_slowly(text: str) -> tuple[str, str | None]:
    problem = _shape_problem(text)
    if problem is not None:
        return "", problem
    local, _, domain = text.partition("@")
    problem = _local_problem(local)
    if problem is not None:
        return "", problem
    ascii_domain, problem = _domain(domain)
    if problem is not None:
        return "", problem
    address = f"{local}@{ascii_domain}"
    if len(address) > MAX_LENGTH:
        return "", f"Email is longer than {MAX_LENGTH} characters"
    return address, None


def _shape_problem(text: str) -> str | None:
    if not text:
        return "No email"
    if any(ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u2028\u2029" for c in text):
        return "Email has a line break or a control character"
    if len(text) > MAX_LENGTH:
        return f"Email is longer than {MAX_LENGTH} characters"
    if "@" not in text:
        return "No @ in the email"
    if text.count("@") > 1 and any(c in text for c in ",;<> "):
        return "More than one email address"
    if "<" in text or ">" in text:
        return "Email has a name with it, write only the address"
    if '"' in text:
        return "Email has quotation marks"
    if text.count("@") > 1:
        return "More than one @ in the email"
    return None


def _local_problem(local: str) -> str | None:
    if not local:
        return "Nothing before the @ in the email"
    if any(c.isspace() for c in local):
        return "Email has a space before the @"
    if not local.isascii():
        odd = next(c for c in local if not c.isascii())
        return f"Email has “{odd}” before the @, only a to z work there"
    if local.startswith("."):
        return "Email starts with a full stop"
    if local.endswith("."):
        return "Email has a full stop before the @"
    if ".." in local:
        return "Email has two full stops in a row"
    taken = _LOCAL.match(local)
    if taken is not None and taken.end() < len(local):
        return f"Email has “{local[taken.end()]}” before the @"
    if len(local) > _MAX_LOCAL:
        return f"Email has more than {_MAX_LOCAL} characters before the @"
    return None


def _domain(domain: str) -> tuple[str, str | None]:
    problem = _domain_problem(domain)
    if problem is not None:
        return "", problem
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True, transitional=False).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return "", "Email has a domain that cannot exist"
        problem = _domain_problem(domain)
        if problem is not None:
            return "", problem
    domain = domain.lower()
    labels = domain.split(".")
    for label in labels:
        if not _LABEL.fullmatch(label):
            odd = _ODD.search(label)
            return "", f"Email has “{odd.group()}” after the @" if odd else "Email has a domain that cannot exist"
    if labels[-1].isdigit():
        return "", "Email has a number where its domain should be"
    return domain, None


def _domain_problem(domain: str) -> str | None:
    if not domain:
        return "Nothing after the @ in the email"
    if any(c.isspace() for c in domain):
        return "Email has a space after the @"
    if domain.startswith("["):
        return "Email has a number where its domain should be"
    if domain.endswith("."):
        return "Email ends in a full stop"
    if domain.startswith("."):
        return "Email has a full stop after the @"
    if ".." in domain:
        return "Email has two full stops in a row"
    if "." not in domain and "。" not in domain:
        return "Email has no full stop after the @"
    return None


def key(address: str) -> str:
    """What makes an address unique in an account and found again: the whole of it without case."""
    return address.lower()


def reduced(address: str) -> str:
    """The spelling under which a stop is kept: without case and, where the provider is known to ignore them, dots and +tags.

    Takes a parsed address. Two spellings of one mailbox give the same text; the text is not for sending.
    """
    local, _, domain = address.lower().rpartition("@")
    domain = SAME_HOUSE.get(domain, domain)
    if domain in IGNORES_TAGS:
        local = local.split("+", 1)[0] or local
    if domain in IGNORES_DOTS:
        local = local.replace(".", "") or local
    return f"{local}@{domain}"
