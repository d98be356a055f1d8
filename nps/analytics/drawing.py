"""The overview made ready for its template: drawings, words, links. No figure is worked out here."""

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup

from nps.analytics.queries.funnel import Funnel
from nps.analytics.queries.needs import Waiting
from nps.analytics.queries.overview import Overview, SegmentRow
from nps.analytics.rules import words
from nps.analytics.rules.figures import Figure
from nps.analytics.rules.filters import PRESETS, Filters
from nps.followups.queries import Loop
from nps.scoring import display
from nps.scoring.groups import Group, nps_group
from nps.scoring.score import HIDDEN_UNDER, mean_tenths, rounded
from nps.scoring.shares import wilson
from nps.web import charts
from nps.web.charts import Column, TrendPoint

PRESET_WORDS = {30: "30 days", 90: "90 days", 365: "12 months"}
SERIES_WORDS = {"relationship": "", "event": "After events", "recovery": "Asked again"}
GROUP_WORDS = (("pro", "Promoters", "promoters"), ("pas", "Passives", "passives"), ("det", "Detractors", "detractors"))


def answers(n: int | None, unit: str = "response") -> str:
    """ "1,284 answers", "1,190 customers, latest answer each"."""
    if n is None:
        return "Fewer than 5 answers"
    if unit == "contact":
        return f"{display.number(n)} customer{'' if n == 1 else 's'}, latest answer each"
    return f"{display.number(n)} answer{'' if n == 1 else 's'}"


def margin(figure: Figure) -> str | None:
    """The margin beside a score in a table, without its sign; the range when it was cut at the end of the scale."""
    if figure.estimate is None or not figure.is_ok or figure.estimate.is_cut:
        return None
    return display.number(display.margin_points(figure.estimate.margin))


def range_text(figure: Figure) -> str:
    return display.range_text(figure.estimate.lo, figure.estimate.hi) if figure.estimate else display.NOTHING


@dataclass(frozen=True)
class StripItem:
    """One thing that waits, as the strip draws it."""

    href: str
    icon: str
    title: str
    text: str
    hot: bool = False


def strip(found: Waiting, address: Callable[..., str], now: datetime, today: date, zone: str) -> list[StripItem]:
    """What waits, most urgent first. address: endpoint and values → address, "" where there is no such page."""
    made: list[StripItem] = []
    cases = found.cases
    if cases is not None and cases.overdue:
        place = address("followups.case", case_id=cases.first_overdue_id) if cases.overdue == 1 else address("followups.cases")
        title = "1 reply is overdue" if cases.overdue == 1 else f"{display.number(cases.overdue)} replies are overdue"
        made.append(StripItem(place, "alert", title, f"{cases.first_overdue_name}, {cases.first_overdue_words}", hot=True))
    if cases is not None and cases.due_today:
        title = "1 reply due today" if cases.due_today == 1 else f"{display.number(cases.due_today)} replies due today"
        made.append(StripItem(address("followups.cases"), "clock", title, f"Next in {cases.next_due_words}"))
    rewards = found.rewards
    if rewards is not None and rewards.count:
        title = "1 reward to approve" if rewards.count == 1 else f"{display.number(rewards.count)} rewards to approve"
        parts = [str(money) for money in rewards.sums]
        if rewards.oldest is not None:
            days = (now - rewards.oldest).days
            parts.append("oldest today" if days < 1 else f"oldest {display.number(days)} day{'' if days == 1 else 's'}")
        made.append(StripItem(address("rewards.index"), "gift", title, ", ".join(parts)))
    imports = found.imports
    if imports is not None and imports.rows:
        title = "1 contact to fix" if imports.rows == 1 else f"{display.number(imports.rows)} contacts to fix"
        when = imports.finished_at.astimezone(ZoneInfo(zone)).date() if imports.finished_at else today
        text = "From today’s import" if when == today else f"From the import of {when.day} {when:%B}"
        made.append(StripItem(address("imports.show", id=imports.import_id), "people", title, text))
    return [item for item in made if item.href]


def reply_reason(score: int, comment: str) -> str:
    """Why a member opens a case for this answer; the first note of the case."""
    return f"To reply to the answer {score}: “{textwrap.shorten(comment, 300, placeholder=' …')}”"


def loop_steps(found: Funnel, loop: Loop) -> list[tuple[str, str, str, float]]:
    """Asked, answered, needed a reply, contacted by a person, fixed: count, share of the step before, length of the bar."""
    rows = [
        ("Asked", found.delivered, 0, ""),
        ("Answered", found.answered, found.delivered, "of asked"),
        ("Needed a reply", loop.needed, found.answered, "of answers"),
        ("Contacted by a person", loop.contacted, loop.needed, "of those"),
        ("Fixed or explained", loop.fixed, loop.contacted, "of contacted"),
    ]
    whole = max(found.delivered, 1)
    return [
        (text, display.number(count), f"{display.percent(count, of)} {name}" if of else "", 100 * count / whole)
        for text, count, of, name in rows
    ]


def loop_words(loop: Loop) -> str:
    """The share of unhappy customers who heard from a person, first; counts alone under five."""
    if not loop.needed:
        return "Nobody who answered in this window needed a reply."
    heard, needed = display.number(loop.contacted), display.number(loop.needed)
    if loop.needed < HIDDEN_UNDER:
        return f"{heard} of {needed} who needed a reply heard from a person."
    share = wilson(loop.contacted, loop.needed)
    ends = f"{rounded(100 * share.lo)} to {rounded(100 * share.hi)}%"
    return f"{display.percent_whole(loop.contacted, loop.needed)} of those who needed a reply heard from a person ({ends})."


@dataclass(frozen=True)
class Delta:
    """A change as the part draws it: points with sign, clear or not, and what stands after it."""

    points: int
    clear: bool
    text: str


@dataclass(frozen=True)
class OverviewPage:
    """What the template asks for."""

    filters: Filters
    found: Overview
    group: Group | None
    sort: str

    # Head

    @property
    def sub(self) -> str:
        """ "9 July to 6 October 2026 · All campaigns"."""
        filters, window = self.filters, self.filters.window
        parts = [words.window_text(window.first, window.last)]
        if filters.days is None and not self.found.numbers.complete:
            parts[0] += ", so far"
        if SERIES_WORDS[filters.series]:
            parts.append(SERIES_WORDS[filters.series])
        parts.append(dict(self.found.campaigns).get(filters.campaign, "One campaign") if filters.campaign else "All campaigns")
        labels = dict(self.found.segments.choices)
        parts += [f"{labels.get(one.key, one.key)}: {one.value or 'no value'}" for one in filters.conditions]
        return " · ".join(parts)

    @property
    def periods(self) -> list[tuple[str, str, bool]]:
        return [(PRESET_WORDS[days], self.filters.query(p=str(days)) or "?", self.filters.days == days) for days in PRESETS]

    # Score

    @property
    def score(self) -> Figure:
        return self.found.numbers.figure

    @property
    def score_sub(self) -> str:
        return answers(self.score.n, self.filters.unit) if self.score.state != "none" else "No answers"

    @property
    def gauge(self) -> Markup:
        figure, before = self.score, self.found.numbers.before
        earlier = ""
        if before.nps is not None and figure.is_ok:
            days = self.filters.window.days
            earlier = f"Previous {display.number(days)} day{'' if days == 1 else 's'}: {display.spoken(before.nps)}."
        lo, hi = (figure.estimate.lo, figure.estimate.hi) if figure.estimate else (None, None)
        return charts.gauge(figure.nps, lo, hi, earlier)

    @property
    def between(self) -> str:
        figure = self.score
        if not figure.is_ok or figure.estimate is None:
            return figure.why_not
        return f"Between {display.score(figure.estimate.lo)} and {display.score(figure.estimate.hi)}"

    @property
    def share_bar(self) -> Markup:
        counts = self.score.counts
        if counts is None or not self.score.is_ok:
            return Markup("")
        return charts.share_bar(counts.promoters, counts.passives, counts.detractors, "mt4")

    @property
    def split(self) -> list[tuple[str, str, str, str]]:
        """Kind, word, share and count of each group; dashes below 30 answers."""
        counts = self.score.counts
        if counts is None or not self.score.is_ok:
            return [(kind, text, display.NOTHING, "") for kind, text, _ in GROUP_WORDS]
        parts = [(kind, text, getattr(counts, name)) for kind, text, name in GROUP_WORDS]
        return [(kind, text, display.percent(part, counts.n), display.number(part)) for kind, text, part in parts]

    @property
    def change(self) -> Delta | None:
        changed, days = self.found.numbers.changed, self.filters.window.days
        if changed is None:
            return None
        return Delta(changed.shown, changed.clear, f"on {words.window_before(days)}. {words.verdict(changed)}")

    @property
    def no_change(self) -> str:
        return words.no_comparison(self.found.numbers.before, self.filters.window.days) if self.score.is_ok else ""

    @property
    def left_out(self) -> str:
        """ "9 answers are left out: 5 tests, 4 from machines."."""
        excluded = {why: count for why, count in self.found.numbers.excluded.items() if count}
        if not excluded or self.score.n is None:
            return ""
        names = {
            "test": "tests",
            "machine": "from machines",
            "waiting": "waiting for proof",
            "withdrawn": "withdrawn",
            "left_out": "left out by the team",
            "manual": "entered by hand",
        }
        total = sum(excluded.values())
        parts = ", ".join(f"{display.number(count)} {names[why]}" for why, count in excluded.items())
        return f"{answers(total)} {'is' if total == 1 else 'are'} left out: {parts}."

    # Trend

    @property
    def trend(self) -> Markup:
        points = []
        for row in self.found.trend.rows:
            estimate = row.figure.estimate
            lo, hi = (estimate.lo, estimate.hi) if estimate else (None, None)
            points.append(TrendPoint(row.period.label, row.figure.nps, lo, hi, row.period.running))
        return charts.trend(points, self.found.trend.name)

    @property
    def trend_axis(self) -> Markup:
        return charts.axis([row.period.label for row in self.found.trend.rows])

    @property
    def trend_by(self) -> str:
        return "by quarter" if self.found.trend.rows and self.found.trend.rows[0].period.label.startswith("Q") else "by month"

    @property
    def trend_rows(self) -> list[tuple[str, str, str, str]]:
        """Period, answers, score and range; the running one marked."""
        made = []
        for row in self.found.trend.rows:
            figure = row.figure
            name: str = row.period.name
            if row.period.running:
                name = Markup('{} <span class="mute">(so far)</span>').format(name)
            n = "under 5" if figure.n is None else display.number(figure.n)
            made.append((name, n, display.NOTHING if figure.shown is None else display.number(figure.shown), range_text(figure)))
        return made

    @property
    def trend_change(self) -> Delta | None:
        said = self.found.trend.words
        return Delta(said.changed.shown, said.changed.clear, f"{said.since} {said.text}") if said.changed else None

    # Answers by score

    @property
    def columns(self) -> Markup:
        bars, before = self.score.bars, self.found.numbers.before.bars
        if bars is None:
            return Markup("")
        drawn = [
            Column(str(score), count, display.number(count), _kind(score), before[score] if before else None)
            for score, count in enumerate(bars)
        ]
        return charts.columns(drawn, f"Answers by score, 0 to 10: {', '.join(display.number(count) for count in bars)}.")

    @property
    def column_axis(self) -> Markup:
        return charts.axis([str(score) for score in range(11)], bold=True)

    @property
    def column_rows(self) -> list[tuple[str, str, str, str]]:
        bars, before = self.score.bars, self.found.numbers.before.bars
        n = sum(bars or ())
        return [
            (str(score), display.number(count), display.percent(count, n), display.number(before[score]) if before else display.NOTHING)
            for score, count in enumerate(bars or ())
        ]

    @property
    def column_words(self) -> str:
        """Mean, and what the outline is."""
        mean = mean_tenths(self.score.bars or ()) if self.score.is_ok else None
        parts = [] if mean is None else [f"Mean {display.tenths(mean)}."]
        if self.found.numbers.before.bars and sum(self.found.numbers.before.bars):
            parts.append(f"The outline is {words.window_before(self.filters.window.days)}.")
        return " ".join(parts)

    # Funnel

    @property
    def funnel(self) -> list[tuple[str, str, str, float]]:
        return funnel_steps(self.found.funnel)

    @property
    def funnel_words(self) -> str:
        clicks = self.found.funnel.machine_clicks
        left = (
            "1 click by a mail scanner is left out. " if clicks == 1 else f"{display.number(clicks)} clicks by mail scanners are left out. "
        )
        return f"{left if clicks else ''}Opens are not shown: mail apps load images on their own, so they mislead."

    # Segments

    @property
    def splits(self) -> list[tuple[str, str, bool]]:
        segments = self.found.segments
        return [(label, (self.filters.query(by=key) or "?") + "#h-seg", key == segments.by) for key, label in segments.choices]

    @property
    def segment_rows(self) -> Sequence[SegmentRow]:
        rows = self.found.segments.rows
        if self.sort != "nps":
            return rows
        return sorted(rows, key=lambda row: (row.figure.nps is None, -(row.figure.nps or 0.0)))

    def segment_range(self, row: SegmentRow) -> Markup:
        figures = [one.figure for one in self.found.segments.rows if one.figure.is_ok]
        ends = [end for figure in figures if figure.estimate for end in (figure.estimate.lo, figure.estimate.hi)]
        estimate = row.figure.estimate
        lo, hi = (estimate.lo, estimate.hi) if estimate else (None, None)
        return charts.range(row.figure.nps, lo, hi, self.score.nps, charts.range_axis([*ends, self.score.nps]))

    @property
    def sorts(self) -> dict[str, str]:
        return {name: (self.filters.query(by=self.found.segments.by, sort=name)) + "#h-seg" for name in ("n", "nps")}

    # Comments

    @property
    def comment_tabs(self) -> list[tuple[str, str, bool]]:
        counts = self.found.numbers.comments
        told = self.score.n is not None
        tabs: list[tuple[str, str, Group | None, int]] = [("all", "All", None, sum(counts.values()))]
        tabs += [
            ("det", "Detractors", Group.DETRACTOR, counts[Group.DETRACTOR]),
            ("pas", "Passives", Group.PASSIVE, counts[Group.PASSIVE]),
            ("pro", "Promoters", Group.PROMOTER, counts[Group.PROMOTER]),
        ]
        return [
            (f"{text} {display.number(count)}" if told else text, self.filters.query(c=key) + "#comments", group is self.group)
            for key, text, group, count in tabs
        ]

    @property
    def first_day(self) -> str:
        return "" if self.filters.days else self.filters.window.first.isoformat()

    @property
    def last_day(self) -> str:
        return "" if self.filters.days else self.filters.window.last.isoformat()


def _kind(score: int) -> str:
    group = nps_group(score)
    return "" if group is Group.PASSIVE else group.short


def funnel_steps(found: Funnel) -> list[tuple[str, str, str, float]]:
    """Step, count, share of the step named beside it, length of the bar in percent of what was sent."""
    rows = [
        ("Sent", found.sent, ""),
        ("Delivered", found.delivered, f"{display.percent(found.delivered, found.sent)} of sent"),
        ("Picked a score", found.picked, f"{display.percent(found.picked, found.delivered)} of delivered"),
        ("Answered", found.answered, f"{display.percent(found.answered, found.delivered)} of delivered"),
        ("Left a comment", found.commented, f"{display.percent(found.commented, found.answered)} of answers"),
    ]
    whole = found.sent or 1
    return [(text, display.number(count), sub if found.sent else "", 100 * count / whole) for text, count, sub in rows]
