"""The survey's words as a form. What may stand in them is decided by `rules.check`, when they are saved."""

from typing import Any

from wtforms import SelectChoice, SelectField, StringField, TextAreaField

from nps.surveys import rules
from nps.web.forms import Form


def text_field(name: str, **kw: Any) -> Any:
    """A field of a survey's text with its label and limit."""
    made = StringField if name in rules.ONE_LINE else TextAreaField
    limit = rules.LIMITS[name]
    # No `maxlength` beyond the rule's own: what is too long comes back with a sentence instead of being cut by the browser.
    return made(rules.LABELS[name], render_kw={"autocomplete": "off", "maxlength": str(limit), **kw})


class SurveyForm(Form):
    """Every field of `rules.FIELDS`; options one a line, the colour empty for the account's own."""

    from_name = text_field("from_name")
    subject = text_field("subject")
    preview = text_field("preview")
    product = text_field("product")
    whom = SelectField(rules.LABELS["whom"], choices=[SelectChoice(whom, whom) for whom in rules.WHOM], validate_choice=False)
    why_detractor = text_field("why_detractor")
    why_passive = text_field("why_passive")
    why_promoter = text_field("why_promoter")
    intro = text_field("intro")
    sender_name = text_field("sender_name")
    sender_role = text_field("sender_role")
    closing = text_field("closing")
    one_tap_question = text_field("one_tap_question")
    one_tap_options = TextAreaField(rules.LABELS["one_tap_options"])
    thanks_promoter = text_field("thanks_promoter")
    thanks_passive = text_field("thanks_passive")
    thanks_detractor = text_field("thanks_detractor")
    reminder_subject = text_field("reminder_subject")
    reminder_text = text_field("reminder_text")
    brand_color = StringField(rules.LABELS["brand_color"], render_kw={"autocomplete": "off", "maxlength": "7"})

    def show_survey(self, survey: Any) -> None:
        """Show a stored survey."""
        for name in rules.FIELDS:
            value = getattr(survey, name)
            self[name].data = "\n".join(value) if name == "one_tap_options" else value

    def survey_words(self) -> dict[str, Any]:
        """What was typed, as the service takes it."""
        values = {name: (self[name].data or "") for name in rules.FIELDS}
        lines = [" ".join(line.split()) for line in str(values["one_tap_options"]).splitlines()]
        values["one_tap_options"] = [line for line in lines if line]
        # text areas are sent with CRLF
        return {name: value.replace("\r\n", "\n") if isinstance(value, str) else value for name, value in values.items()}
