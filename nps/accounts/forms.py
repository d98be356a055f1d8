"""Syntax checks of what people type about themselves and their company."""

from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length

from nps.web.forms import Form


class SignInForm(Form):
    email = StringField("Work email", [InputRequired("Type your email address."), Length(max=254)])
    password = PasswordField("Password", [InputRequired("Type your password, or ask for a link by email."), Length(max=256)])
