"""What is a score, what looks like a machine, what may still be changed: pure decisions over values.

Source of the signals: what mail scanners are seen to do. They send HEAD, open every link within seconds, some run the page's
script, some send its form; none of them presses a key that the browser marks as trusted. A list of names annotates and
never decides alone.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

VISIT = timedelta(minutes=10)
EDIT_WINDOW = timedelta(days=7)
COMMENT_LIMIT = 2000
NONCE_LIFE = timedelta(hours=24)
POSTS_AN_HOUR = 100
SOON_AFTER_MAIL = timedelta(seconds=5)
HANDS = ("press", "touch", "click", "key", "wheel", "change")
_SCORE = re.compile(r"10|[0-9]", re.ASCII)
_ROBOT = re.compile(
    r"bot|crawl|spider|scan|preview|fetch|curl|wget|python|java/|headless|proofpoint|mimecast|barracuda|safelinks", re.IGNORECASE
)


class State(StrEnum):
    PROVISIONAL = "provisional"
    VERIFIED = "verified"
    QUARANTINED = "quarantined"
    LEFT_OUT = "left_out"
    WITHDRAWN = "withdrawn"


TRANSITIONS: dict[State | None, frozenset[State]] = {
    None: frozenset({State.PROVISIONAL, State.VERIFIED, State.QUARANTINED}),
    State.PROVISIONAL: frozenset({State.VERIFIED, State.QUARANTINED}),
    State.QUARANTINED: frozenset({State.VERIFIED}),
    State.VERIFIED: frozenset({State.LEFT_OUT, State.WITHDRAWN, State.QUARANTINED}),
    State.LEFT_OUT: frozenset({State.VERIFIED}),
    State.WITHDRAWN: frozenset(),
}


class Method(StrEnum):
    """How an answer is known to be a person's."""

    SENT = "sent"
    SEEN = "seen"
    REPLY = "reply"
    CONFIRMED = "confirmed"
    COUNTED = "counted"
    MANUAL = "manual"
    IMPORT = "import"


LEFT_OUT_REASONS = {
    "automatic": "looks automatic",
    "staff": "own staff",
    "test": "test answers",
    "wrong_person": "wrong person or double",
    "by_hand": "entered by hand, unless you include them",
    "other": "another reason",
}


class Verdict(StrEnum):
    """What a hit looks like."""

    MACHINE = "machine"
    PERSON = "person"
    UNCLEAR = "unclear"


def may_become(now: State | None, then: State) -> bool:
    """Does this transition exist?"""
    return then in TRANSITIONS[now]


def read_score(text: str | None) -> int | None:
    """A whole number 0–10 in ASCII digits, nothing else: not "9 ", "09", "٩", "1e1"."""
    return int(text) if text is not None and _SCORE.fullmatch(text) else None


def clean_comment(text: str) -> str:
    """A comment as it is kept: line breaks stay, other control characters go, ends are trimmed."""
    if text.isascii() and text.isprintable():
        return text.strip()
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        c for c in lines if c in "\n\t" or (ord(c) >= 32 and not 0x7F <= ord(c) <= 0x9F and not 0xD800 <= ord(c) <= 0xDFFF)
    ).strip()


_SCORE_LINE = re.compile(r"\s*(?:10|[0-9])[ \t]*(?:/[ \t]*10)?[ \t]*(?:[.,:;!]|[-–—])?[ \t]*")


def words_after_score(text: str) -> str:
    """The comment of a reply that begins with its score: "8/10 slow app" leaves "slow app"."""
    return clean_comment(_SCORE_LINE.sub("", text, count=1))


def network_of(address: str) -> str:
    """The /24 or /48 an address lies in; "" for what is no address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if parsed.version == 6 and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    bits, keep = (32, 24) if parsed.version == 4 else (128, 48)
    kept = int(parsed) >> (bits - keep) << (bits - keep)
    return f"{ipaddress.IPv4Address(kept) if bits == 32 else ipaddress.IPv6Address(kept)}/{keep}"


@dataclass(frozen=True, slots=True)
class Seen:
    """One request on a link: what a visit is made of. `kind`: view, hidden, seen, post."""

    occurred_at: datetime
    kind: str
    method: str
    score: int | None
    network: str
    user_agent: str
    hand: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """A form that came in.

    `hand`: how a person touched the page, one of HANDS, as the browser marks it trusted; "" when the script ran and saw none;
    None when no script ran. `served_at`: when the page of the form left us.
    """

    occurred_at: datetime
    network: str
    user_agent: str
    served_at: datetime | None
    hand: str | None
    trap: bool
    has_comment: bool


@dataclass(frozen=True, slots=True)
class Signal:
    """Something that looks like a machine: its name in the tables, S… strong or W… weak, and the figures of its sentence."""

    name: str
    figures: tuple[float, ...] = ()

    @property
    def strong(self) -> bool:
        return self.name.startswith("S")

    def stored(self) -> str:
        """ "W4 1.2": the name first, so that a list of names can be cut out of it."""
        return " ".join([self.name, *(f"{figure:g}" for figure in self.figures)])

    @property
    def words(self) -> str:
        """The sentence of the review page."""
        first, second = (*self.figures, 0.0, 0.0)[:2]
        return {
            "S1": "A link or field that people cannot see was used",
            "S2": f"{_COUNTS.get(int(first), str(int(first)))} different scores opened within {_span(second)}",
            "S3": "The page’s script ran, but no hand touched the page",
            "S4": f"This network was on {int(first)} survey links within a minute",
            "S5": f"The form was sent {_span(first)} after the mail server took the email",
            "W1": "The program names itself a robot, or gives no name",
            "W2": f"Two different scores opened within {_span(second)}",
            "W3": f"The form was sent {_span(first)} after the mail server took the email",
            "W4": f"Sent {_span(first)} after the page opened",
            "W5": f"The same link was tried without opening it, {_span(first)} before",
            "W6": "The page’s script did not run, and there is no comment",
            "U1": f"The page was in view for {_span(first)} only",
            "U2": f"The page was opened {_span(first)} after the mail server took the email",
        }.get(self.name, self.name)


_COUNTS = {2: "Two", 3: "Three", 4: "Four", 5: "Five", 6: "Six", 7: "Seven", 8: "Eight", 9: "Nine", 10: "Ten", 11: "Eleven"}


def _span(seconds: float) -> str:
    """ "1.2 seconds", "21 seconds", "1 second", "40 minutes"."""
    if seconds >= 120:
        return f"{round(seconds / 60)} minutes"
    shown = f"{seconds:.1f}".removesuffix(".0") if seconds < 10 else f"{seconds:.0f}"
    return f"{shown} second{'' if shown == '1' else 's'}"


def read_signal(stored: str) -> Signal:
    """What `Signal.stored` wrote."""
    name, *figures = stored.split()
    return Signal(name, tuple(float(figure) for figure in figures))


def visit(hits: Sequence[Seen], network: str, user_agent: str, until: datetime) -> list[Seen]:
    """Hits of the same network and User-Agent, each less than ten minutes before the next, up to `until`, oldest first."""
    found: list[Seen] = []
    edge = until
    for hit in sorted(hits, key=lambda h: h.occurred_at, reverse=True):
        if hit.network != network or hit.user_agent != user_agent or hit.occurred_at > until:
            continue
        if edge - hit.occurred_at >= VISIT:
            break
        found.append(hit)
        edge = hit.occurred_at
    found.reverse()
    return found


def names_itself_a_robot(user_agent: str) -> bool:
    """Empty, or a name that robots, scanners and previews give themselves."""
    return not user_agent or bool(_ROBOT.search(user_agent))


def signals(hits: Sequence[Seen], sent: Sent, *, accepted_at: datetime | None, crowd: int = 0) -> list[Signal]:
    """The signals that this form looks like a machine's, strong ones first. Each visit is judged on its own.

    `accepted_at`: when a mail server took the message; None where no server stands in between (the built-in mailbox, tests):
    then times and bursts over links are not used. `crowd`: mailed invitations this network was on within a minute, this one included.
    """
    here = visit(hits, sent.network, sent.user_agent, sent.occurred_at)
    timed = accepted_at is not None
    found: list[Signal] = []
    if sent.trap or any(h.kind == "hidden" for h in here):
        found.append(Signal("S1"))
    burst = _bursts(here)
    if burst is not None:
        found.append(burst)
    if sent.hand == "":
        found.append(Signal("S3"))
    if timed and crowd >= 3 and not sent.hand:
        found.append(Signal("S4", (crowd,)))
    after_mail = (sent.occurred_at - accepted_at).total_seconds() if accepted_at is not None else None
    if after_mail is not None and after_mail < 15:
        found.append(Signal("S5", (round(max(after_mail, 0), 1),)))
    if names_itself_a_robot(sent.user_agent):
        found.append(Signal("W1"))
    if burst is None and not sent.hand:
        pair = _burst(here, 2, timedelta(seconds=10))
        if pair is not None:
            found.append(Signal("W2", (2, pair)))
    if after_mail is not None and 15 <= after_mail < 60:
        found.append(Signal("W3", (round(after_mail),)))
    if timed and sent.served_at is not None:
        open_for = (sent.occurred_at - sent.served_at).total_seconds()
        if open_for < 2:
            found.append(Signal("W4", (round(max(open_for, 0), 1),)))
    probes = [(sent.occurred_at - h.occurred_at).total_seconds() for h in here if h.method == "HEAD"]
    if probes and min(probes) < 30:
        found.append(Signal("W5", (round(min(probes)),)))
    if sent.hand is None and not sent.has_comment:
        found.append(Signal("W6"))
    return found


def _bursts(here: Sequence[Seen]) -> Signal | None:
    """S2: links of three different scores within 10 seconds, or of six within an hour."""
    for many, within in ((3, timedelta(seconds=10)), (6, timedelta(hours=1))):
        seconds = _burst(here, many, within)
        if seconds is not None:
            return Signal("S2", (many, seconds))
    return None


def _burst(here: Sequence[Seen], many: int, within: timedelta) -> float | None:
    """Seconds in which links of `many` different scores were fetched, if that was within this time."""
    scores = [(h.occurred_at, h.score) for h in here if h.score is not None and h.kind == "view"]
    for number, (start, _) in enumerate(scores):
        different: set[int | None] = set()
        for at, score in scores[number:]:
            if at - start > within:
                break
            different.add(score)
            if len(different) >= many:
                return max(round((at - start).total_seconds(), 1), 0.1)
    return None


def looks_like_a_machine(found: Sequence[Signal]) -> bool:
    """One strong signal is enough, weak ones need two."""
    return any(signal.strong for signal in found) or len(found) >= 2


def unseen(hits: Sequence[Seen], sent: Sent, visible_seconds: float, *, accepted_at: datetime | None) -> list[Signal]:
    """Which conditions of "seen" a touched page does not meet: 5 seconds in view (U1), opened a minute after the mail arrived (U2)."""
    found = []
    if visible_seconds < 5:
        found.append(Signal("U1", (round(max(visible_seconds, 0), 1),)))
    here = visit(hits, sent.network, sent.user_agent, sent.occurred_at)
    opened = min((hit.occurred_at for hit in here if hit.kind == "view"), default=sent.occurred_at)
    if accepted_at is not None and opened - accepted_at < timedelta(seconds=60):
        found.append(Signal("U2", (round(max((opened - accepted_at).total_seconds(), 0)),)))
    return found


def confirms(sent: Sent, *, timed: bool) -> bool:
    """Does the number picked once more come from a person? Judged by that press alone: what came before brought the question.

    A program that sends every form sends this one too, without a hand.
    """
    if sent.trap or sent.hand == "":
        return False
    if sent.hand:
        return True
    hasty = timed and sent.served_at is not None and sent.occurred_at - sent.served_at < timedelta(seconds=2)
    return not hasty and not names_itself_a_robot(sent.user_agent)


def judge(hits: Sequence[Seen], *, accepted_at: datetime | None) -> list[Verdict]:
    """What each of the hits on a link looks like, in their order: each with its visit, whole.

    machine: HEAD, the hidden link, a burst of scores, two weak signs, or within 5 seconds of the mail; person: a hand; else unclear.
    """
    verdicts = []
    for hit in hits:
        last = max((h.occurred_at for h in hits if (h.network, h.user_agent) == (hit.network, hit.user_agent)), default=hit.occurred_at)
        here = _visit_around(hits, hit, last)
        verdicts.append(_verdict(hit, here, accepted_at))
    return verdicts


def _visit_around(hits: Sequence[Seen], hit: Seen, last: datetime) -> list[Seen]:
    """The visit a hit belongs to, what came after it included."""
    mine = sorted((h for h in hits if (h.network, h.user_agent) == (hit.network, hit.user_agent)), key=lambda h: h.occurred_at)
    groups: list[list[Seen]] = []
    for h in mine:
        if groups and h.occurred_at - groups[-1][-1].occurred_at < VISIT:
            groups[-1].append(h)
        else:
            groups.append([h])
    return next(group for group in groups if any(h is hit for h in group))


def _verdict(hit: Seen, here: Sequence[Seen], accepted_at: datetime | None) -> Verdict:
    if hit.hand:
        return Verdict.PERSON
    soon = accepted_at is not None and hit.occurred_at - accepted_at < SOON_AFTER_MAIL
    if (
        hit.method == "HEAD"
        or soon
        or any(h.kind == "hidden" for h in here)
        or _bursts(here) is not None
        or hit.hand == ""
        and hit.kind == "post"
    ):
        return Verdict.MACHINE
    weak = [
        names_itself_a_robot(hit.user_agent),
        _burst(here, 2, timedelta(seconds=10)) is not None and not any(h.hand for h in here),
        any(h.method == "HEAD" and abs(h.occurred_at - hit.occurred_at) < timedelta(seconds=30) for h in here),
    ]
    if sum(weak) >= 2:
        return Verdict.MACHINE
    return Verdict.PERSON if any(h.hand for h in here) else Verdict.UNCLEAR


def hit_verdict(earlier: Sequence[Seen], hit: Seen, *, accepted_at: datetime | None) -> Verdict:
    """What a hit looks like at the moment it comes in, with what is known of its visit so far."""
    return _verdict(hit, [*visit(earlier, hit.network, hit.user_agent, hit.occurred_at), hit], accepted_at)


def may_edit(verified_at: datetime | None, acted_at: datetime | None, now: datetime) -> bool:
    """Seven days from the first verified answer, or until a person of the company has replied."""
    return acted_at is None and (verified_at is None or now - verified_at <= EDIT_WINDOW)


_SYSTEMS = (("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS X", "Mac"), ("Linux", "Linux"))
_BROWSERS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("SamsungBrowser/", "Samsung Internet"), ("CriOS/", "Chrome"),
    ("HeadlessChrome", "Headless Chrome"), ("Chrome/", "Chrome"), ("Safari/", "Safari"), ("Outlook", "Outlook"),
)  # fmt: skip


def program(user_agent: str) -> str:
    """ "Edge, Windows", "Safari, iPhone", "No name given", else the name as it stands, cut at 40 characters."""
    if not user_agent:
        return "No name given"
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), None)
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), None)
    if browser is None:
        return user_agent[:40]
    return f"{browser}, {system}" if system else browser


class Tab(StrEnum):
    """The lists of answers by verification. Every recorded answer is in one of the first five."""

    COUNTED = "verified"
    CHECK = "quarantined"
    PICKED = "provisional"
    LEFT_OUT = "left_out"
    WITHDRAWN = "withdrawn"
    ALL = "all"


def tab_of(state: str, method: str, is_test: bool, left_out_reason: str | None) -> Tab:
    """Which list an answer is in. Tests and answers entered by hand are left out whatever their state."""
    if is_test:
        return Tab.LEFT_OUT
    if state in (State.QUARANTINED, State.PROVISIONAL):
        if left_out_reason is not None:
            return Tab.LEFT_OUT
        return Tab.CHECK if state == State.QUARANTINED else Tab.PICKED
    if state == State.WITHDRAWN:
        return Tab.WITHDRAWN
    return Tab.LEFT_OUT if state == State.LEFT_OUT or method == Method.MANUAL else Tab.COUNTED


def why_left_out(method: str, is_test: bool, left_out_reason: str | None) -> str:
    """The reason of an answer in the list of those left out, a key of LEFT_OUT_REASONS."""
    if is_test:
        return "test"
    if left_out_reason in LEFT_OUT_REASONS:
        return str(left_out_reason)
    return "by_hand" if method == Method.MANUAL else "other"


_WORD = re.compile(r'([-−–])?(?:["“”„«](.*?)["“”»]|(\S+))')


def read_words(typed: str) -> list[tuple[bool, str]]:
    """What is looked for in comments: (wanted, text) for each word or “phrase”; a minus in front leaves comments with it out."""
    found = []
    for minus, phrase, word in _WORD.findall(typed[:200].replace("\x00", "")):
        text = (phrase or word).strip()
        if text:
            found.append((not minus, text))
    return found[:10]
