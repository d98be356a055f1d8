"""Syntax checks of what members type on cases and queues."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from wtforms import BooleanField, HiddenField, IntegerField, RadioField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, Optional

from nps.core.errors import Invalid
from nps.followups.rules.closing import MEMBER_OUTCOMES, OUTCOME_WORDS
from nps.followups.rules.hours import DAY_NAMES, is_skipped
from nps.followups.rules.turns import Method
from nps.web.forms import Form

METHOD_WORDS = {
    Method.ROUND_ROBIN: "In turn",
    Method.LEAST_LOADED: "Whoever has the fewest cases",
    Method.NOBODY: "Nobody, members take them",
}


def local_time(text: str, zone: str) -> datetime | None:
    """A date and time typed without zone, read in the queue's zone. Raises Invalid; for a skipped one with the two nearest."""
    if not text.strip():
        return None
    try:
        wall = datetime.fromisoformat(text.strip())
    except ValueError:
        raise _not_a_time("Write a date and a time, like 2026-10-06 14:30.") from None
    if wall.tzinfo is not None:
        return wall
    tz = ZoneInfo(zone)
    if is_skipped(wall, tz):
        before = wall.replace(tzinfo=tz, fold=1)
        gap = (wall.replace(tzinfo=tz, fold=0).utcoffset() or before.utcoffset()) - before.utcoffset()  # type: ignore[operator]
        near = (wall + abs(gap), wall - abs(gap))
        raise _not_a_time(f"Clocks skip {wall:%H:%M} that night. Take {near[1]:%H:%M} or {near[0]:%H:%M}.")
    return wall.replace(tzinfo=tz)


def choices(*pairs: tuple[str, str]) -> list[SelectChoice]:
    """(value, words) as WTForms wants them."""
    return [SelectChoice(value, words) for value, words in pairs]


def _not_a_time(said: str) -> Invalid:
    return Invalid(f"{said} Nothing was changed and your words are kept.", fields={"until": said, "at": said})


class ReplyForm(Form):
    body = TextAreaField("Your reply")
    seen = IntegerField("Seen", [Optional()], default=0)
    anyway = HiddenField()


class NoteForm(Form):
    body = TextAreaField("Your note")


class ContactForm(Form):
    way = RadioField(
        "How",
        choices=choices(("phone", "By phone"), ("in_person", "In person"), ("other", "Another way")),
        default="phone",
        validate_choice=False,
    )
    reached = RadioField("Reached", choices=choices(("yes", "We talked"), ("no", "Nobody answered")), default="yes", validate_choice=False)
    at = StringField("When", [Length(max=25)])
    body = TextAreaField("What was said")


class ClosureForm(Form):
    cause = SelectField("Root cause", validate_choice=False)
    new_cause = StringField("A new cause", [Length(max=120, message="At most 120 characters.")])
    outcome = SelectField(
        "How did it end?",
        choices=choices(("", "Choose one"), *((str(o), OUTCOME_WORDS[o]) for o in MEMBER_OUTCOMES)),
        validate_choice=False,
    )
    learning = TextAreaField("What did we learn?", [Length(max=500, message="At most 500 characters.")])
    made_good = StringField("What we did", [Length(max=200, message="At most 200 characters.")])
    ask_solved = BooleanField("Ask “Is it solved?” under the letter")
    body = TextAreaField("Your reply")
    seen = IntegerField("Seen", [Optional()], default=0)
    anyway = HiddenField()


class OutcomeForm(Form):
    cause = SelectField("Root cause", validate_choice=False)
    new_cause = StringField("A new cause", [Length(max=120, message="At most 120 characters.")])
    made_good = StringField("What we did", [Length(max=200, message="At most 200 characters.")])


class ReasonForm(Form):
    reason = StringField("Why is it opened again?", [Length(max=500)])


class QueueForm(Form):
    name = StringField("Name", [Length(max=80, message="At most 80 characters.")])
    time_zone = StringField("Time zone", [Length(max=60)])
    monday = StringField("Monday")
    tuesday = StringField("Tuesday")
    wednesday = StringField("Wednesday")
    thursday = StringField("Thursday")
    friday = StringField("Friday")
    saturday = StringField("Saturday")
    sunday = StringField("Sunday")
    hours = HiddenField()
    holidays = TextAreaField("Holidays")
    members = SelectMultipleField("Members", validate_choice=False)
    lead = SelectField("Lead", validate_choice=False)
    method = SelectField(
        "Who gets the next case", choices=choices(*((str(m), words) for m, words in METHOD_WORDS.items())), validate_choice=False
    )
    keeps_person = BooleanField("Keep the same person for the same customer")
    most_open = IntegerField("Open cases a member", [Optional()])
    most_new_a_day = IntegerField("New cases a member and day", [Optional()])
    hold_seconds = IntegerField("Seconds to take a reply back", [Optional()])
    target_low = IntegerField("0–3", [Optional()])
    target_middle = IntegerField("4–6", [Optional()])
    target_wish = IntegerField("7–10, wants a reply or wrote to us", [Optional()])
    target_sent = IntegerField("7–10, sent here by a rule", [Optional()])
    target_no_score = IntegerField("Mail without a score", [Optional()])
    target_next_reply = IntegerField("Next reply", [Optional()])
    target_resolve = IntegerField("Solved", [Optional()])
    steps = StringField("Tell people at", [Length(max=200)])

    @property
    def days(self) -> list[Any]:
        """The seven fields of the week, Monday first."""
        return [self[name.lower()] for name in DAY_NAMES]


class SavedReplyForm(Form):
    name = StringField("Name", [Length(max=80, message="At most 80 characters.")])
    body = TextAreaField("Words")
    queue = SelectField("For", validate_choice=False)


class OpenCaseForm(Form):
    contact = HiddenField()
    reason = StringField("Why", [Length(max=500)])
