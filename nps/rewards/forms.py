"""Syntax checks of decisions about rewards and of the Stripe connection."""

from wtforms import HiddenField, PasswordField, RadioField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional, Regexp

from nps.rewards.rules.machine import DECLINE_REASONS
from nps.web.forms import Form


class DeclineForm(Form):
    reason = RadioField(
        "Reason",
        [InputRequired("Choose a reason. The advocate sees it.")],
        choices=[SelectChoice(key, words) for key, words in DECLINE_REASONS.items()],
    )
    words = TextAreaField("In your words", [Length(max=300)])


class PaymentForm(Form):
    reference = StringField("Reference", [Length(max=120)])


class StripeForm(Form):
    secret = PasswordField("Signing secret", [Optional(), Length(max=200), Regexp(r"whsec_\S+", message="It begins with whsec_.")])
    api_key = PasswordField("Restricted key", [Optional(), Length(max=300), Regexp(r"(rk|sk)_\S+", message="It begins with rk_ or sk_.")])
    what = HiddenField()
