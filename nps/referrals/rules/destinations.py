"""Where a referral link may lead: https, on a host the account has verified, and nowhere else."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

PATH_MAX = 512
_AS_TYPED = "/%:@!$&'()*+,;=~-._"
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
# What a browser or a proxy may read as a line end, a slash or nothing at all.
_ENCODED = re.compile(r"%(?:0[0-9a-f]|1[0-9a-f]|7f|5c|2f%2f)", re.IGNORECASE)


def host_of(url: str) -> str | None:
    """The host of an https address that is safe to send people to, or None.

    Refuses other schemes, user names, ports, addresses by number, control signs and backslashes.
    """
    if not url or len(url) > 2000 or "\\" in url or any(ord(c) <= 32 or ord(c) == 127 for c in url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme.lower() != "https" or "@" in parts.netloc or port not in (None, 443):
        return None
    host = (parts.hostname or "").rstrip(".").lower()
    try:
        ascii_host = host.encode("idna").decode("ascii") if not host.isascii() else host
    except UnicodeError:
        return None
    return ascii_host if _HOST.fullmatch(ascii_host) else None


def allowed(url: str, verified_hosts: Iterable[str]) -> bool:
    """Whether the address is https on a verified domain or on a subdomain of one.

    A pair such as "127.0.0.1:4000" among the hosts lets plain http through to exactly that port of this machine.
    """
    hosts = list(verified_hosts)
    if url.startswith("http://127.0.0.1:"):
        return urlsplit(url).netloc in hosts and "\\" not in url
    host = host_of(url)
    if host is None:
        return False
    return any(host == own or host.endswith("." + own) for own in (h.lower().rstrip(".") for h in hosts) if own)


def safe_path(to: str | None) -> bool:
    """Whether `?to=` is a path on our own destination host: one leading slash, nothing clever."""
    if not to or len(to) > PATH_MAX or not to.startswith("/") or to.startswith("//"):
        return False
    if "\\" in to or any(ord(c) <= 32 or 127 <= ord(c) < 160 for c in to) or _ENCODED.search(to):
        return False
    # A path such as /%2F/evil or /..//evil must not become scheme-relative after anyone's clean-up.
    return "//" not in to.split("?", 1)[0] and "/.." not in to and "%2e" not in to.lower() and not to.lower().startswith("/%2f")


def build(default_url: str, to: str | None, ours: Mapping[str, str]) -> str:
    """The `Location` of a redirect.

    `default_url` is the program's destination, already checked. A safe `to` replaces its path; its
    query is added, but a name the program itself uses, or one of `ours` (wb_click, via, UTM), wins.
    """
    base = urlsplit(default_url)
    path, asked = base.path or "/", ""
    if safe_path(to):
        path, _, asked = str(to).partition("?")
        path, asked = path.partition("#")[0], asked.partition("#")[0]
    fixed = parse_qsl(base.query, keep_blank_values=True)
    taken = {name for name, _ in fixed} | set(ours)
    extra = [
        (name, value)
        for name, value in parse_qsl(asked, keep_blank_values=True, errors="replace", max_num_fields=None)
        if name not in taken
    ]
    query = urlencode([*((n, v) for n, v in fixed if n not in ours), *extra, *ours.items()])
    # Plain http only to this machine, where the demo's shop stands; `allowed` has checked the port.
    scheme = "http" if default_url.startswith("http://127.0.0.1:") else "https"
    # A header takes ASCII only: letters of the world travel as IDNA in the host and as escapes behind it.
    host = base.netloc if base.netloc.isascii() else host_of(default_url) or ""
    return urlunsplit((scheme, host, quote(path, safe=_AS_TYPED), query, quote(base.fragment, safe=_AS_TYPED + "?")))
