"""The editor's steps and the small forms beside them. Syntax only; what is allowed is decided by rules and service."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

from wtforms import BooleanField, HiddenField, RadioField, SelectChoice, SelectField, SelectMultipleField, StringField
from wtforms.widgets import CheckboxInput, ListWidget

from nps.campaigns.models import Campaign
from nps.campaigns.rules import gates, windows
from nps.contacts.models import Segment
from nps.core.errors import DomainError, Invalid
from nps.surveys.forms import SurveyForm
from nps.surveys.models import Survey
from nps.web.forms import Form

EVERYONE = "everyone"


class Boxes(SelectMultipleField):  # type: ignore[misc]  # WTForms has no types
    """Several of a list, as boxes to tick."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


def number_field(label: str) -> Any:
    return StringField(label, render_kw={"inputmode": "numeric", "autocomplete": "off", "maxlength": "5"})


class NameForm(Form):
    """A new campaign needs nothing but a name."""

    name = StringField("Name", render_kw={"autocomplete": "off", "maxlength": "120"})


class Step(Form):
    """One step of the editor: shows a campaign, gives what was typed."""

    seen = HiddenField()

    def fill(self, campaign: Campaign, survey: Survey, zone: ZoneInfo) -> None:
        """Show what is stored."""

    def settings(self, zone: ZoneInfo) -> dict[str, Any]:
        """What was typed, as the service takes it. Raises Invalid for what cannot be read at all."""
        return {}

    def words(self) -> Mapping[str, Any] | None:
        return None

    SHOWN_AT: ClassVar[dict[str, str]] = {}
    """Fields whose errors stand at a field of another name."""

    def refuse(self, error: DomainError) -> None:
        """Every sentence is shown: at its field, or above the form when this step has no such field."""
        fields = {self.SHOWN_AT.get(name, name): words for name, words in error.fields.items()}
        super().refuse(DomainError(error.message, code=error.code, status=error.status, fields=fields))
        self.form_errors = [*self.form_errors, *(words for name, words in fields.items() if name not in self)]

    def seen_at(self) -> datetime | None:
        """When the page was made, by the row's own time."""
        try:
            return datetime.fromisoformat(self.seen.data) if self.seen.data else None
        except ValueError:
            return None

    def whole(self, *names: str) -> dict[str, int]:
        """These fields as numbers; what is none becomes -1, so that the rules name its range."""
        texts = {name: str(self[name].data or "").strip() for name in names}
        return {name: int(text) if text.isascii() and text.isdigit() else -1 for name, text in texts.items()}


class WhoForm(Step):
    """Who is asked."""

    name = StringField("Campaign name", render_kw={"autocomplete": "off", "maxlength": "120"})
    segment_id = SelectField("Audience", validate_choice=False)
    exclude_ids = Boxes("Leave out", validate_choice=False)
    sample_percent = number_field("Ask a part of them, in percent")
    gap_days = number_field("Days between two surveys to one person")
    min_age_days = number_field("Days a customer must be with you")
    answer_days = number_field("Days in which answers are taken")

    def offer(self, segments: Sequence[Segment], everyone: str) -> None:
        """The segments there are."""
        self.segment_id.choices = [SelectChoice(EVERYONE, everyone), *(SelectChoice(str(s.id), s.name) for s in segments)]
        self.exclude_ids.choices = [SelectChoice(str(s.id), s.name) for s in segments]

    def fill(self, campaign: Campaign, survey: Survey, zone: ZoneInfo) -> None:
        for name in ("name", "sample_percent", "gap_days", "min_age_days", "answer_days"):
            self[name].data = getattr(campaign, name)
        self.segment_id.data = str(campaign.segment_id) if campaign.segment_id else EVERYONE
        self.exclude_ids.data = list(campaign.exclude_ids)

    def settings(self, zone: ZoneInfo) -> dict[str, Any]:
        return {
            "name": self.name.data or "",
            **self.audience(),
            **self.whole("sample_percent", "gap_days", "min_age_days", "answer_days"),
        }

    def audience(self) -> dict[str, Any]:
        """Only whom it means; ids that are none count as a segment that is gone."""
        return {
            "segment_id": None if self.segment_id.data in (None, "", EVERYONE) else _id(self.segment_id.data),
            "exclude_ids": [str(_id(value)) for value in self.exclude_ids.data or []],
        }


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


class MessageForm(Step, SurveyForm):
    """What is asked and in which words."""

    reply_to = SelectField("Replies go to", validate_choice=False)
    reminder = BooleanField("Send one reminder to people who have not answered")
    reminder_days = number_field("Days after the first message")
    keep_leading = BooleanField("Keep these words")

    def offer(self, addresses: Sequence[str]) -> None:
        self.reply_to.choices = [SelectChoice(address, address) for address in addresses] or [SelectChoice("", "Nobody yet")]

    def fill(self, campaign: Campaign, survey: Survey, zone: ZoneInfo) -> None:
        self.show_survey(survey)
        self.reply_to.data = campaign.reply_to
        self.reminder.data = campaign.reminder_days is not None
        self.reminder_days.data = campaign.reminder_days or gates.REMINDER_DAYS

    def settings(self, zone: ZoneInfo) -> dict[str, Any]:
        days = self.whole("reminder_days")["reminder_days"]
        return {"reply_to": self.reply_to.data or "", "reminder_days": days if self.reminder.data else None}

    def words(self) -> Mapping[str, Any] | None:
        return self.survey_words()


NOW, LATER = "now", "later"
WINDOW, AT_ONCE = "window", "at_once"


class WhenForm(Step):
    """When it starts and at which hours mail leaves."""

    SHOWN_AT: ClassVar[dict[str, str]] = {"start_at": "day", "window": "window_end"}
    start = RadioField("Start", choices=[SelectChoice(NOW, "When I press Start"), SelectChoice(LATER, "At a time")], default=NOW)
    day = StringField("Day", render_kw={"type": "date"})
    clock = StringField("Time", render_kw={"type": "time"})
    hours = RadioField(
        "Sending hours",
        choices=[SelectChoice(WINDOW, "In everybody’s own morning"), SelectChoice(AT_ONCE, "Send now, whatever the hour")],
        default=WINDOW,
    )
    days = Boxes("Days", choices=[SelectChoice(str(n), name) for n, name in enumerate(windows.DAYS)], validate_choice=False)
    window_start = StringField("From", render_kw={"type": "time"})
    window_end = StringField("To", render_kw={"type": "time"})
    spread_days = number_field("Spread over sending days")

    def fill(self, campaign: Campaign, survey: Survey, zone: ZoneInfo) -> None:
        window = windows.from_json(campaign.window)
        self.start.data = LATER if campaign.start_at else NOW
        if campaign.start_at:
            local = campaign.start_at.astimezone(zone)
            self.day.data, self.clock.data = local.date().isoformat(), f"{local:%H:%M}"
        self.hours.data = AT_ONCE if campaign.send_now else WINDOW
        self.days.data = [str(day) for day in window.days]
        self.window_start.data, self.window_end.data = windows.clock_words(window.start), windows.clock_words(window.end % (24 * 60))
        self.spread_days.data = campaign.spread_days or ""

    def settings(self, zone: ZoneInfo) -> dict[str, Any]:
        days = [int(value) for value in self.days.data or [] if str(value).isdigit()]
        wrong: dict[str, str] = {}
        window = windows.DEFAULT
        end = windows.read_clock(self.window_end.data or "")
        try:
            window = windows.check(days, windows.read_clock(self.window_start.data or ""), 24 * 60 if end == 0 else end)
        except Invalid as refused:
            names = {"start": "window_start", "end": "window_end"}
            wrong = {names.get(name, name): words for name, words in refused.fields.items()}
        start_at = None
        if self.start.data == LATER:
            start_at = self._start(zone)
            if start_at is None:
                wrong["day"] = "Choose a day and a time for the start, such as 6 October, 09:00."
        if wrong:
            raise Invalid("The draft was not saved.", fields=wrong)
        return {
            "start_at": start_at,
            "send_now": self.hours.data == AT_ONCE,
            "window": window,
            "spread_days": self.whole("spread_days")["spread_days"] if self.spread_days.data else 0,
        }

    def _start(self, zone: ZoneInfo) -> datetime | None:
        try:
            typed = datetime.fromisoformat(f"{self.day.data}T{self.clock.data}")
        except ValueError:
            return None
        return windows.instant(typed.date(), typed.hour * 60 + typed.minute, zone).astimezone(UTC)


class SendForm(Form):
    """The start: what the page showed, and the number typed for a large one."""

    matched = HiddenField()
    typed = StringField("Number of people", render_kw={"autocomplete": "off", "inputmode": "numeric"})


class TestForm(Form):
    """Addresses for a test mail, separated by commas or spaces."""

    test = StringField("Test address", render_kw={"autocomplete": "email", "maxlength": "1300"})

    def addresses(self) -> list[str]:
        return [part for part in (self.test.data or "").replace(",", " ").replace(";", " ").split() if part]
