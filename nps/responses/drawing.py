"""What the pages of answers show, made ready: words for states, ways and signals, figures with their doubt."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from nps.campaigns.models import Campaign, Invitation
from nps.contacts.models import Contact
from nps.contacts.rules.timeline import Entry, Group
from nps.responses.models import Hit, Response, ResponseAnswer, ResponseVersion
from nps.responses.queries import Filters, Tally
from nps.responses.rules import (
    LEFT_OUT_REASONS,
    Method,
    Seen,
    Signal,
    State,
    Tab,
    Verdict,
    judge,
    program,
    read_signal,
    tab_of,
    why_left_out,
)
from nps.scoring import display, intervals
from nps.scoring.score import FEW_UNDER, Counts

CHANNELS = {"email": "Email", "link": "Link", "qr": "QR code", "widget": "Widget", "kiosk": "Kiosk", "sms": "SMS", "import": "Import"}
GROUPS = (("", "All"), ("promoter", "Promoters"), ("passive", "Passives"), ("detractor", "Detractors"))
KNOWN_BY = {
    Method.SENT: "Form sent",
    Method.SEEN: "Page seen",
    Method.REPLY: "Reply by email",
    Method.CONFIRMED: "One more tap",
    Method.COUNTED: "Counted by a member",
    Method.MANUAL: "Entered by hand",
    Method.IMPORT: "Imported",
}
TABS = (
    (Tab.COUNTED, "Counted"),
    (Tab.CHECK, "Needs a check"),
    (Tab.PICKED, "Picked, not sent"),
    (Tab.LEFT_OUT, "Left out"),
    (Tab.WITHDRAWN, "Withdrawn"),
    (Tab.ALL, "All"),
)
STATE_TAGS = {
    Tab.COUNTED: ("Counted", "pro"),
    Tab.CHECK: ("Needs a check", "warn"),
    Tab.PICKED: ("Picked, not sent", "info"),
    Tab.LEFT_OUT: ("Left out", "line"),
    Tab.WITHDRAWN: ("Withdrawn", "line"),
}
LIST_TITLES = {
    Tab.COUNTED: "counted",
    Tab.CHECK: "to check",
    Tab.PICKED: "picked and not sent",
    Tab.LEFT_OUT: "left out",
    Tab.WITHDRAWN: "withdrawn",
    Tab.ALL: "recorded",
}
HAND_WORDS = {"press": "Mouse", "touch": "Touch", "click": "Click", "key": "Key", "wheel": "Wheel", "change": "Change"}
VERDICT_TAGS = {Verdict.MACHINE: ("Machine", "det"), Verdict.PERSON: ("Person", "pro"), Verdict.UNCLEAR: ("Unclear", "")}
CUT = 240


def initials(name: str) -> str:
    """What a viewer sees of a customer's name."""
    return "".join(word[0].upper() for word in name.split()[:3]) or "–"


def timeline_entry(response: Response, name: str, href: str) -> Entry:
    """An answer as the page of a person shows it: "Answered 3", how it counts, the words."""
    label, kind = STATE_TAGS[tab_of(response.state, response.method, response.is_test, response.left_out_reason)]
    quiet = not response.comment and kind == "pro"
    known_by = KNOWN_BY.get(Method(response.method), "").lower()
    return Entry(
        response.first_at,
        ", no comment" if quiet else "",
        Group.ANSWERS,
        bold=f"Answered {response.score}",
        href=href,
        said=response.comment,
        person=name,
        tag=None if quiet else (f"{label}: {known_by}" if kind == "pro" and known_by else label, kind),
        is_answer=response.nps_group == "detractor",
    )


def score_words(counts: Counts, *, margin: bool = True) -> str:
    """ "39 ±4"; under 30 answers there is no score, only why."""
    if counts.n < FEW_UNDER or counts.nps is None:
        return "too few answers to say"
    return display.with_doubt(intervals.plain(counts), counts.rounded) if margin else display.score(counts.nps)


@dataclass(frozen=True, slots=True)
class Row:
    """An answer in a list, whose it is, and who counted it."""

    response: Response
    contact: Contact | None
    counted_by: str = ""

    @property
    def name(self) -> str:
        return self.contact.shown_name if self.contact is not None and self.contact.erased_at is None else "Without a name"

    @property
    def sub(self) -> str:
        if self.contact is not None and self.contact.company:
            return self.contact.company
        return "" if self.contact is not None else CHANNELS.get(self.response.channel, "")

    @property
    def comment(self) -> str:
        said = self.response.comment
        return said if len(said) <= CUT else said[:CUT].rsplit(" ", 1)[0] + "…"

    @property
    def changed(self) -> str:
        """ "First 6, now 7." where the score was changed."""
        r = self.response
        return f"First {r.first_score}, now {r.score}." if r.first_score != r.score else ""

    @property
    def tab(self) -> Tab:
        return tab_of(self.response.state, self.response.method, self.response.is_test, self.response.left_out_reason)

    @property
    def state(self) -> tuple[str, str]:
        return STATE_TAGS[self.tab]

    @property
    def reason(self) -> str:
        """Why it is left out, where it is."""
        r = self.response
        return LEFT_OUT_REASONS[why_left_out(r.method, r.is_test, r.left_out_reason)] if self.tab is Tab.LEFT_OUT else ""

    @property
    def known_by(self) -> str:
        if self.response.method == Method.COUNTED and self.counted_by:
            return f"Counted by {self.counted_by.split()[0]}"
        return KNOWN_BY.get(Method(self.response.method), "")

    @property
    def channel(self) -> str:
        return CHANNELS.get(self.response.channel, self.response.channel)


@dataclass(frozen=True)
class ListPage:
    """One tab of the answers with the numbers around it."""

    filters: Filters
    period: str
    rows: Sequence[Row]
    tally: Tally
    matching: int
    start: int
    after: str | None
    attempts: Sequence[tuple[ResponseVersion, Response]]
    today: date

    @property
    def window(self) -> str:
        """ "9 July to 6 October 2026", or all time."""
        since, until = self.filters.since, self.filters.until
        if since is None or until is None:
            return "All time"
        year = f" {since.year}" if since.year != until.year else ""
        return f"{since.day} {since:%B}{year} to {until.day} {until:%B} {until.year}"

    @property
    def tabs(self) -> list[tuple[Tab, str, int, bool]]:
        """(tab, words, number, is it hot) for each."""
        numbers = {**self.tally.tabs, Tab.ALL: self.tally.recorded}
        return [(tab, words, numbers[tab], tab is Tab.CHECK and numbers[tab] > 0) for tab, words in TABS]

    @property
    def title(self) -> str:
        return f"{self.matching:,} {LIST_TITLES[self.filters.tab]}, newest first"

    @property
    def score(self) -> str:
        """ "Score 39 ±4. With the 12 answers waiting for review: 38." """
        counts, waiting = self.tally.counted, self.tally.tabs[Tab.CHECK]
        if not counts.n:
            return ""
        if counts.n < FEW_UNDER:
            return f"{counts.n} answers are too few for a score; it shows from {FEW_UNDER} on."
        said = f"Score {score_words(counts)}."
        if waiting:
            with_them = score_words(self.tally.with_waiting, margin=False)
            said += f" With the {waiting:,} answer{'s' if waiting > 1 else ''} waiting for review: {with_them}."
        return said

    @property
    def range(self) -> str:
        return f"{self.start:,} to {self.start + len(self.rows) - 1:,} of {self.matching:,}"

    @property
    def methods(self) -> list[tuple[str, str]]:
        return [("", "Any way"), *((method.value, words) for method, words in KNOWN_BY.items())]

    @property
    def channels(self) -> list[tuple[str, str]]:
        return [("", "All"), *CHANNELS.items()]

    @property
    def groups(self) -> tuple[tuple[str, str], ...]:
        return GROUPS

    @property
    def why_not(self) -> list[tuple[str, int]]:
        """Why answers are not counted, those with a number: the words and how many. The first row is linked by the page."""
        tabs = self.tally.tabs
        left_out = [(f"Left out: {LEFT_OUT_REASONS[reason]}", many) for reason, many in self.tally.reasons.items() if many]
        found = [
            ("Looks automatic", tabs[Tab.CHECK]),
            ("Picked but not sent, still inside the 10 minutes or with a signal", tabs[Tab.PICKED]),
            *left_out,
            ("Withdrawn by the person", tabs[Tab.WITHDRAWN]),
        ]
        return [(words, many) for words, many in found if many]


@dataclass(frozen=True, slots=True)
class HitRow:
    """A request on the link, in words."""

    at: datetime
    request: str
    network: str
    program: str
    hand: str
    verdict: tuple[str, str]


@dataclass
class AnswerPage:
    """One answer with all that was seen of it."""

    response: Response
    contact: Contact | None
    invitation: Invitation | None
    campaign: Campaign | None
    hits: Sequence[Hit]
    versions: Sequence[ResponseVersion]
    answers: Sequence[ResponseAnswer]
    place: tuple[int, int]
    around: tuple[UUID | None, UUID | None]
    tally: Tally
    outlook: object
    timed: bool
    now: datetime
    at_domain: int = 0

    @property
    def row(self) -> Row:
        return Row(self.response, self.contact)

    @property
    def waits(self) -> bool:
        """Does it wait for a member to decide?"""
        return self.row.tab in (Tab.CHECK, Tab.PICKED)

    @property
    def tag(self) -> tuple[str, str]:
        return ("Not counted yet", "warn") if self.waits else self.row.state

    @property
    def domain(self) -> str:
        email = self.contact.email if self.contact is not None else None
        return email.rpartition("@")[2] if email else ""

    @property
    def signals(self) -> list[tuple[str, str, str]]:
        """(kind, words, weight) of every signal, then what speaks for a person."""
        found = self._found()
        weak = [signal for signal in found if not signal.strong]
        rows = [("bad", signal.words, "Strong: one is enough") for signal in found if signal.strong]
        rows += [("warn", signal.words, "Weak: two are needed" if signal is weak[0] else "Weak") for signal in weak]
        return rows + [("", words, "Speaks for a person") for words in self._for_a_person()]

    def _found(self) -> list[Signal]:
        return [read_signal(stored) for stored in self.response.signals if stored[:1] in "SWU"]

    def _for_a_person(self) -> list[str]:
        if not self.response.signals:
            return []
        names = {signal.name for signal in self._found()}
        said = []
        if "confirmed" in self.response.signals:
            said.append("The person picked the number once more")
        if not any(hit.kind == "hidden" for hit in self.hits):
            said.append("The hidden link was not opened")
        if "S4" not in names:
            said.append("Nothing else came from this network within a minute")
        return said

    @property
    def verdict_words(self) -> str:
        """ "Looks automatic: 1 strong and 4 weak signals"."""
        found = self._found()
        strong, weak = sum(s.strong for s in found), sum(not s.strong for s in found)
        if self.response.state == State.PROVISIONAL or (not found and self.waits):
            return "Picked on the page, not sent"
        parts = [f"{n} {kind}" for n, kind in ((strong, "strong"), (weak, "weak")) if n]
        return (
            f"Looks automatic: {' and '.join(parts)} signal{'' if strong + weak == 1 else 's'}" if parts else "No signal speaks against it"
        )

    @property
    def hit_rows(self) -> list[HitRow]:
        seen = [Seen(h.occurred_at, h.kind, h.method, h.score, h.network, h.user_agent, h.hand) for h in self.hits]
        accepted = self.invitation.asked_at if self.invitation is not None and self.timed and not self.response.is_test else None
        return [
            HitRow(
                h.occurred_at,
                _request(h),
                h.network or "–",
                program(h.user_agent),
                HAND_WORDS.get(h.hand or "", "No"),
                VERDICT_TAGS[verdict],
            )
            for h, verdict in zip(self.hits, judge(seen, accepted_at=accepted), strict=True)
        ]

    @property
    def taken_at(self) -> datetime | None:
        """When the mail server took the mail."""
        return self.invitation.asked_at if self.invitation is not None else None

    @property
    def reminder(self) -> tuple[str, datetime | None]:
        """What becomes of the reminder: words, and the day they are about."""
        invitation, campaign = self.invitation, self.campaign
        if invitation is None or campaign is None or campaign.reminder_days is None or invitation.asked_at is None:
            return "None", None
        if invitation.reminded_at is not None:
            return "Sent on", invitation.reminded_at
        due = invitation.asked_at + timedelta(days=campaign.reminder_days)
        if invitation.state == "asked" and due > self.now:
            return "Still due on", due
        return "None", None

    @property
    def if_counted(self) -> list[tuple[str, str]]:
        """Score now, with this answer, with all that wait."""
        now, score = self.tally.counted, self.response.score
        one = Counts(now.promoters + (score >= 9), now.passives + (7 <= score <= 8), now.detractors + (score <= 6))
        waiting = self.tally.tabs[Tab.CHECK]
        rows = [("Score now", score_words(now)), ("With this answer", score_words(one))]
        return rows + ([(f"With all {waiting:,} waiting", score_words(self.tally.with_waiting))] if waiting > 1 else [])

    @property
    def reasons(self) -> list[tuple[str, str]]:
        """Why a member may leave it out."""
        keep = ("automatic", "staff", "test", "wrong_person", "other")
        return [(key, LEFT_OUT_REASONS[key].capitalize()) for key in keep]


def _request(hit: Hit) -> str:
    if hit.kind == "hidden":
        return f"{hit.method} hidden link"
    if hit.kind == "seen":
        return "Page left" + (f", score {hit.score}" if hit.score is not None else "")
    if hit.kind == "post":
        return "POST" + (f" score {hit.score}" if hit.score is not None else "")
    return hit.method + (f" ?score={hit.score}" if hit.score is not None else "")
