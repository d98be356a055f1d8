"""Checks on a referral: which rules it meets, what each does, and the words the advocate reads.

Every verdict carries the rule, its points and the evidence; personal inputs appear in it as keyed
hashes only, made by the caller. The numbers are those of the written rules and never change meaning.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

CHECKS_VERSION = 1
GATE_AT = 40
CRITICAL_AT = 70
STRICTNESS: Mapping[str, float] = {"off": 0.0, "low": 0.7, "medium": 1.0, "high": 1.3}
CHECKING = "We are checking this one"
SKEW = timedelta(seconds=5)
"""How far the clocks of two systems may differ."""


class Act(StrEnum):
    BLOCK = "block"
    HOLD = "hold"
    SCORE = "score"
    NO_TOUCH = "no_touch"
    GATE = "gate"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: what it does, its points, its name on the team's page, its words to the advocate."""

    number: int
    name: str
    act: Act
    points: int
    tag: str
    words: str = CHECKING


RULES: Mapping[str, Rule] = {
    r.name: r
    for r in (
        Rule(1, "same_email", Act.BLOCK, 100, "Own address", "This looks like your own account"),
        Rule(2, "similar_email", Act.HOLD, 40, "Close address", "We check addresses that are close to yours"),
        Rule(3, "same_company", Act.SCORE, 15, "Same company", "Your friend seems to work at your company"),
        Rule(4, "repeat_company", Act.SCORE, 15, "Company again", "You already brought someone from that company"),
        Rule(5, "disposable", Act.HOLD, 40, "Throw-away address", "The address is a throw-away one"),
        Rule(6, "relay", Act.SCORE, 5, "Masked address"),
        Rule(8, "same_ip_device", Act.HOLD, 40, "Same device", "It came from your own connection and device"),
        Rule(9, "same_ip", Act.SCORE, 10, "Same connection"),
        Rule(10, "ip_burst", Act.HOLD, 40, "Many from one place", "Several sign-ups came from one place"),
        Rule(13, "existing_customer", Act.BLOCK, 100, "Was a customer", "They were a customer already"),
        Rule(14, "already_referred", Act.BLOCK, 100, "Someone else first", "Someone else told them first"),
        Rule(15, "velocity", Act.HOLD, 40, "Very many", "Very many sign-ups in a short time"),
        Rule(16, "too_fast", Act.HOLD, 40, "Too fast", "It happened faster than people can"),
        Rule(17, "odd_value", Act.SCORE, 10, "Unusual amount"),
        Rule(20, "paid_ads", Act.HOLD, 40, "Paid ad", "The visit came from a paid ad"),
        Rule(24, "refund_rate", Act.HOLD, 40, "Many refunds", "Many friends asked for refunds"),
        Rule(29, "cycle", Act.BLOCK, 100, "Circle", "They invited you"),
        Rule(30, "risky_payment", Act.HOLD, 70, "Risky payment", "The payment is being checked"),
        Rule(31, "stuffed_click", Act.NO_TOUCH, 0, "Hidden click"),
        Rule(32, "staff", Act.BLOCK, 100, "Staff", "Not for staff"),
        Rule(0, "doubtful_click", Act.SCORE, 10, "Doubtful click"),
    )
}

# fmt: off
FREE_MAIL = frozenset(
    [
        "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com", "yahoo.co.uk", "ymail.com",
        "icloud.com", "me.com", "mac.com", "aol.com", "proton.me", "protonmail.com", "gmx.com", "gmx.de", "gmx.net", "web.de",
        "t-online.de", "mail.com", "mail.ru", "yandex.ru", "yandex.com", "qq.com", "163.com", "126.com", "orange.fr", "free.fr",
        "laposte.net", "wanadoo.fr", "libero.it", "virgilio.it", "seznam.cz", "wp.pl", "o2.pl", "hey.com", "fastmail.com",
        "zoho.com", "tutanota.com",
    ]
)
# fmt: on
RELAYS = frozenset(
    ["privaterelay.appleid.com", "duck.com", "mozmail.com", "relay.firefox.com", "simplelogin.com", "anonaddy.com", "addy.io"]
)
# fmt: off
DISPOSABLE = frozenset(
    [
        "mailinator.com", "guerrillamail.com", "guerrillamail.net", "sharklasers.com", "10minutemail.com", "tempmail.com",
        "temp-mail.org", "yopmail.com", "trashmail.com", "getnada.com", "dispostable.com", "maildrop.cc", "mailnesia.com",
        "throwawaymail.com", "fakeinbox.com", "mintemail.com", "moakt.com", "mohmal.com", "emailondeck.com", "spamgourmet.com",
        "mytemp.email", "tempail.com", "discard.email", "mailcatch.com", "inboxkitten.com", "burnermail.io", "tempr.email",
        "grr.la", "spam4.me",
    ]
)
# fmt: on
# Second-level suffixes under which companies register; enough to compare companies, not a full list.
# fmt: off
_TWO_PART = frozenset(
    [
        "co.uk", "org.uk", "ac.uk", "gov.uk", "com.au", "net.au", "org.au", "co.nz", "co.jp", "co.kr", "co.in", "com.br", "com.mx",
        "co.za", "com.sg", "com.tr", "com.cn", "com.tw", "co.il",
    ]
)
# fmt: on


def normal_email(address: str) -> str:
    """An address as checks compare it: lower case, `+tag` cut, dots cut for Gmail, ASCII domain."""
    local, _, domain = address.strip().lower().rpartition("@")
    if not local:
        return address.strip().lower()
    try:
        domain = domain.rstrip(".").encode("idna").decode("ascii")
    except UnicodeError:
        pass
    local = local.split("+", 1)[0]
    if domain in ("gmail.com", "googlemail.com"):
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}"


def domain_of(address: str) -> str:
    return normal_email(address).rpartition("@")[2]


def company_of(address: str) -> str:
    """The registrable domain of an address, "" for free mail, relays and throw-away services."""
    domain = domain_of(address)
    if domain in FREE_MAIL or domain in RELAYS or domain in DISPOSABLE:
        return ""
    labels = domain.split(".")
    keep = 3 if len(labels) >= 3 and ".".join(labels[-2:]) in _TWO_PART else 2
    return ".".join(labels[-keep:])


def distance(a: str, b: str, limit: int = 3) -> int:
    """Levenshtein distance, cut off at `limit`."""
    if abs(len(a) - len(b)) >= limit:
        return limit
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
        if min(row) >= limit:
            return limit
    return min(row[-1], limit)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything known about one referral when it is judged. Empty or None = not known.

    `paid_at`, `click_at` and `signed_up_at` belong to the credited touch; `already_customer` and
    `earlier_referral` are ids as text; the counts are those of the advocate.
    """

    advocate_email: str = ""
    friend_email: str = ""
    own_domains: frozenset[str] = frozenset()
    consumer: bool = False
    companies_before: frozenset[str] = frozenset()
    same_ip: bool = False
    same_device: bool = False
    sign_ups_from_ip_hour: int = 0
    claims_on_link_day: int = 0
    already_customer: str = ""
    earlier_referral: str = ""
    sign_ups_day: int = 0
    sign_ups_month: int = 0
    click_at: datetime | None = None
    link_made_at: datetime | None = None
    signed_up_at: datetime | None = None
    paid_at: datetime | None = None
    net: int | None = None
    offer_minimum: int = 0
    median_net: int | None = None
    ad_ids: Sequence[str] = ()
    friends_refunded: int = 0
    friends_qualified: int = 0
    is_ancestor: bool = False
    early_fraud_warning: bool = False
    doubtful_click: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """One rule that was met."""

    rule: str
    act: Act
    points: int
    evidence: Mapping[str, object] = field(default_factory=dict)

    @property
    def tag(self) -> str:
        return RULES[self.rule].tag

    @property
    def words(self) -> str:
        return RULES[self.rule].words


def judge(e: Evidence) -> list[Verdict]:
    """All rules the evidence meets, in the order of their numbers."""
    met: list[Verdict] = []

    def add(name: str, points: int | None = None, act: Act | None = None, **evidence: object) -> None:
        rule = RULES[name]
        met.append(Verdict(name, act or rule.act, rule.points if points is None else points, evidence))

    ours, theirs = normal_email(e.advocate_email), normal_email(e.friend_email)
    if ours and theirs:
        if ours == theirs:
            add("same_email")
        elif gap := _similar(ours, theirs):
            add("similar_email", distance=gap)
        company = company_of(theirs)
        if company and company == company_of(ours) and ours != theirs:
            add("same_company", act=Act.HOLD if e.consumer else None, points=40 if e.consumer else None, domain=company)
        if company and company in e.companies_before:
            add("repeat_company", domain=company)
    if theirs:
        domain = domain_of(theirs)
        if domain in DISPOSABLE:
            add("disposable", domain=domain)
        if domain in RELAYS:
            add("relay", domain=domain)
    if e.same_ip and e.same_device:
        add("same_ip_device")
    elif e.same_ip:
        add("same_ip")
    if e.sign_ups_from_ip_hour >= 4 or e.claims_on_link_day > 10:
        add("ip_burst", in_one_hour=e.sign_ups_from_ip_hour, claims_in_a_day=e.claims_on_link_day)
    if e.already_customer:
        add("existing_customer", conversion=e.already_customer)
    if e.earlier_referral:
        add("already_referred", referral=e.earlier_referral)
    if e.sign_ups_day > 10 or e.sign_ups_month > 50:
        add("velocity", day=e.sign_ups_day, month=e.sign_ups_month)
    quick = e.click_at is not None and e.paid_at is not None and -SKEW <= e.paid_at - e.click_at < timedelta(seconds=20)
    early = e.signed_up_at is not None and e.link_made_at is not None and e.signed_up_at < e.link_made_at - SKEW
    if quick or early:
        add("too_fast", before_link=early)
    if e.net is not None and (e.net < e.offer_minimum or (e.median_net is not None and e.net > 10 * e.median_net)):
        add("odd_value", net=e.net)
    if e.ad_ids:
        add("paid_ads", names=list(e.ad_ids))
    if e.friends_qualified >= 8 and 4 * e.friends_refunded >= e.friends_qualified:
        add("refund_rate", refunded=e.friends_refunded, of=e.friends_qualified)
    if e.is_ancestor:
        add("cycle")
    if e.early_fraud_warning:
        add("risky_payment")
    if {domain_of(a) for a in (ours, theirs) if a} & e.own_domains:
        add("staff")
    if e.doubtful_click:
        add("doubtful_click")
    return sorted(met, key=lambda v: RULES[v.rule].number)


def _similar(a: str, b: str) -> int | None:
    """The distance of two local parts that are suspiciously alike, or None. Digits-only changes give 1."""
    local_a, _, domain_a = a.rpartition("@")
    local_b, _, domain_b = b.rpartition("@")
    if not (domain_a == domain_b or (domain_a in FREE_MAIL and domain_b in FREE_MAIL)) or min(len(local_a), len(local_b)) < 5:
        return None
    bare_a, bare_b = ("".join(c for c in x if not c.isdigit()) for x in (local_a, local_b))
    if bare_a == bare_b and len(bare_a) >= 3:
        return 1
    gap = distance(local_a, local_b)
    return gap if 0 < gap <= 2 else None


def blocks(verdicts: Iterable[Verdict]) -> str:
    """The first rule that refuses credit outright, or ""."""
    return next((v.rule for v in verdicts if v.act is Act.BLOCK), "")


def points(verdicts: Iterable[Verdict], strictness: str = "medium") -> int:
    """Points times strictness, rounded half up, at most 100."""
    raw = sum(v.points for v in verdicts)
    return min(100, int(raw * STRICTNESS[strictness] + 0.5))


def opens_gate(verdicts: Sequence[Verdict], strictness: str = "medium") -> bool:
    """Whether a person must look: 40 points, or any rule that holds (unless checking is off)."""
    if strictness == "off":
        return False
    return points(verdicts, strictness) >= GATE_AT or any(v.act is Act.HOLD for v in verdicts)
