"""Syntax checks of what members write about causes."""

from wtforms import DateField, HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import Length, Optional

from nps.web.forms import Form


class CauseForm(Form):
    name = StringField("Name", [Length(max=120, message="At most 120 characters.")])
    statement = StringField("In the customer’s words", [Length(max=300, message="At most 300 characters.")])
    owner = SelectField("Owner", validate_choice=False)
    whys = HiddenField()
    action = StringField("What is done about it", [Length(max=300, message="At most 300 characters.")])
    action_due_on = DateField("By", [Optional()])
    reply_text = TextAreaField("In replies", [Length(max=2000, message="At most 2,000 characters.")])
    public_text = TextAreaField("On “You said, we did”", [Length(max=500, message="At most 500 characters.")])
