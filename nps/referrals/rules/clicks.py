"""What a request on a referral link tells: person, doubtful, or machine.

Machines are flagged, never dropped: every click is stored, and every flag can be computed again
from the stored row. Signs in one request are judged at once; bursts need several rows.
"""

import re
from base64 import b32decode, b32encode
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntFlag, StrEnum
from uuid import UUID


class Verdict(StrEnum):
    HUMAN = "human"
    SUSPECT = "suspect"
    BOT = "bot"


class Sign(IntFlag):
    """Reason bits of a click row."""

    NONE = 0
    HEAD = 1
    PREFETCH = 2
    EMPTY_AGENT = 4
    LISTED_AGENT = 8
    STUFFED = 16
    VISITOR_BURST = 32
    LINK_SWEEP = 64
    ODD_AGENT = 128
    HEADLESS = 256


BOT_SIGNS = Sign.HEAD | Sign.PREFETCH | Sign.EMPTY_AGENT | Sign.LISTED_AGENT | Sign.STUFFED | Sign.VISITOR_BURST | Sign.LINK_SWEEP
SUSPECT_SIGNS = Sign.ODD_AGENT | Sign.HEADLESS

# Words in user-agents of crawlers, link previewers, mail scanners, monitors and plain HTTP libraries.
_LISTED = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|preview|facebookexternalhit|facebot|whatsapp/|telegrambot|slackbot|discordbot|linkedinbot|twitterbot|"
    r"skypeuripreview|embedly|pinterest|vkshare|quora link|outbrain|mediapartners|adsbot|bingpreview|google-read-aloud|googleimageproxy|"
    r"yahoomailproxy|barracuda|proofpoint|mimecast|safelinks|symantec|trendmicro|urlscan|virustotal|scanner|monitor|uptime|pingdom|"
    r"lighthouse|pagespeed|curl/|wget/|python-requests|python-urllib|python-httpx|aiohttp|go-http-client|java/|okhttp|libwww|httpclient|"
    r"node-fetch|axios/|undici|ruby|php/|scrapy|feedfetcher|archiver|validator",
    re.IGNORECASE,
)
_HEADLESS = re.compile(r"headless|phantomjs|electron/", re.IGNORECASE)
_BROWSERS = (
    ("edge", re.compile(r"Edg(?:e|A|iOS)?/")),
    ("opera", re.compile(r"OPR/|Opera")),
    ("samsung", re.compile(r"SamsungBrowser/")),
    ("firefox", re.compile(r"Firefox/|FxiOS/")),
    ("chrome", re.compile(r"Chrome/|CriOS/")),
    ("safari", re.compile(r"Version/[\d.]+ .*Safari/|AppleWebKit/.*Mobile/")),
)

# Parameters that paid clicks carry. fbclid is not among them: unpaid posts carry it too.
AD_IDS = ("gclid", "gbraid", "wbraid", "gad_source", "gad_campaignid", "msclkid", "ttclid", "twclid", "li_fat_id", "rdt_cid")


@dataclass(frozen=True, slots=True)
class Request:
    """The facts of one request. Header values as received, "" when absent."""

    method: str
    user_agent: str
    purpose: str = ""
    fetch_dest: str = ""


def judge(request: Request) -> tuple[Verdict, Sign]:
    """Verdict and reason bits from the signs of one request."""
    signs = Sign.NONE
    agent = request.user_agent.strip()
    if request.method == "HEAD":
        signs |= Sign.HEAD
    if "prefetch" in request.purpose.lower() or "preview" in request.purpose.lower():
        signs |= Sign.PREFETCH
    if request.fetch_dest and request.fetch_dest.lower() != "document":
        signs |= Sign.STUFFED
    if not agent:
        signs |= Sign.EMPTY_AGENT
    elif _LISTED.search(agent):
        signs |= Sign.LISTED_AGENT
    elif _HEADLESS.search(agent):
        signs |= Sign.HEADLESS
    elif not agent.startswith(("Mozilla/", "Opera/")):
        signs |= Sign.ODD_AGENT
    return verdict_of(signs), signs


def verdict_of(signs: Sign) -> Verdict:
    if signs & BOT_SIGNS:
        return Verdict.BOT
    return Verdict.SUSPECT if signs & SUSPECT_SIGNS else Verdict.HUMAN


def browser(user_agent: str) -> str:
    for name, pattern in _BROWSERS:
        if pattern.search(user_agent):
            return name
    return "other"


def device(user_agent: str) -> str:
    """phone, tablet or desktop; `other` where the agent does not tell."""
    if "iPad" in user_agent or ("Android" in user_agent and "Mobile" not in user_agent):
        return "tablet"
    if "Mobi" in user_agent or "iPhone" in user_agent:
        return "phone"
    return "desktop" if re.search(r"Windows NT|Macintosh|X11|CrOS", user_agent) else "other"


def ad_bits(names: Iterable[str]) -> int:
    """Bit i set = parameter AD_IDS[i] was in the address."""
    present = {name.lower() for name in names}
    return sum(1 << i for i, name in enumerate(AD_IDS) if name in present)


def ad_names(bits: int) -> list[str]:
    return [name for i, name in enumerate(AD_IDS) if bits >> i & 1]


def click_ref(click_id: UUID) -> str:
    """A click id as it travels in addresses: 26 signs of lower-case base 32 (RFC 4648, no padding)."""
    return b32encode(click_id.bytes).decode("ascii").rstrip("=").lower()


def parse_click_ref(text: str | None) -> UUID | None:
    """The click id of an address, or None for anything that is not one. Exact inverse of `click_ref`."""
    if not text or len(text) != 26 or not re.fullmatch(r"[a-z2-7]{26}", text.lower()):
        return None
    found = UUID(bytes=b32decode(text.upper() + "======"))
    # 26 signs hold 130 bits: the last two must be zero, else two spellings would name one click.
    return found if click_ref(found) == text.lower() else None


@dataclass(frozen=True, slots=True)
class Seen:
    """One stored click as the burst rules need it."""

    id: UUID
    visitor: str
    link: UUID
    at: datetime


VISITOR_CLICKS = 5
VISITOR_SECONDS = timedelta(seconds=10)
SWEEP_LINKS = 3
SWEEP_SECONDS = timedelta(seconds=2)


def bursts(clicks: Iterable[Seen]) -> Mapping[UUID, Sign]:
    """Clicks of one account that are part of a burst, with the sign for each.

    More than 5 clicks of one visitor within 10 s, or 3 different links of the account by one visitor
    within 2 s. Every click of the burst is flagged, the first ones too.
    """
    found: dict[UUID, Sign] = defaultdict(lambda: Sign.NONE)
    by_visitor: dict[str, list[Seen]] = defaultdict(list)
    for click in clicks:
        if click.visitor:
            by_visitor[click.visitor].append(click)
    for rows in by_visitor.values():
        rows.sort(key=lambda c: (c.at, c.id))
        fast: deque[Seen] = deque()
        sweep: deque[Seen] = deque()
        for row in rows:
            fast.append(row)
            while row.at - fast[0].at > VISITOR_SECONDS:
                fast.popleft()
            if len(fast) > VISITOR_CLICKS:
                for each in fast:
                    found[each.id] |= Sign.VISITOR_BURST
            sweep.append(row)
            while row.at - sweep[0].at > SWEEP_SECONDS:
                sweep.popleft()
            if len({c.link for c in sweep}) >= SWEEP_LINKS:
                for each in sweep:
                    found[each.id] |= Sign.LINK_SWEEP
    return dict(found)
