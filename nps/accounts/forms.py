"""Syntax checks of what people type about themselves and their company."""

from typing import Any
from zoneinfo import available_timezones

from wtforms import BooleanField, PasswordField, RadioField, SelectField, SelectMultipleField, StringField, TextAreaField, ValidationError
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional, Regexp
from wtforms.widgets import CheckboxInput, ListWidget

from nps.accounts import rules
from nps.accounts.rules import Role
from nps.core.email_address import read
from nps.core.money import CURRENCIES
from nps.web.forms import Form

ZONES = sorted(
    zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/", "posix/", "right/", "US/"))
)


def address(form: Form, field: StringField) -> None:
    """One email address in the form we store. Lower case, because people sign in whatever the case."""
    found, problem = read(field.data or "")
    if problem is not None:
        raise ValidationError(f"{problem}.")
    field.data = found.lower()


class SignInForm(Form):
    email = StringField("Work email", [InputRequired("Type your email address."), Length(max=254), address])
    password = PasswordField("Password", [Length(max=256, message="Passwords have at most 256 characters.")])


class AddressForm(Form):
    email = StringField("Work email", [InputRequired("Type your email address."), Length(max=254), address])


class SignUpForm(Form):
    email = StringField("Work email", [InputRequired("Type your work email address."), Length(max=254), address])
    company = StringField("Company", [InputRequired("Type the name of your company."), Length(max=120)])
    name = StringField("Your name", [InputRequired("Type your name, as colleagues know it."), Length(max=120)])
    password = PasswordField("Password", [Length(max=256, message="Use at most 256 characters.")])
    website = StringField("Leave this empty")  # a trap: people do not see it, programs fill it


class NewPasswordForm(Form):
    password = PasswordField(
        "New password", [InputRequired("Type a new password."), Length(max=256, message="Use at most 256 characters.")]
    )


class JoinForm(Form):
    name = StringField("Your name", [Length(max=120)])
    password = PasswordField("Password", [Length(max=256, message="Use at most 256 characters.")])


class CompanyNameForm(Form):
    company = StringField("Company", [InputRequired("Type the name of the company."), Length(max=120)])


class InviteForm(Form):
    email = StringField("Work email", [InputRequired("Type the address of the person."), Length(max=254), address])
    role = SelectField("Role", default=Role.RESPONDER.value)

    def offer(self, giver: Role | str) -> "InviteForm":
        """Offer the roles that somebody with the role `giver` may give."""
        order = (Role.RESPONDER, Role.MANAGER, Role.ANALYST, Role.REVIEWER, Role.VIEWER, Role.ADMIN, Role.OWNER)
        self.role.choices = [
            SelectChoice(role.value, f"{rules.ROLE_NAMES[role]}: {rules.ROLE_DUTIES[role]}")
            for role in order
            if rules.may_give(giver, role)
        ]
        return self


class RoleForm(Form):
    role = RadioField("Role")

    def offer(self, giver: Role | str) -> "RoleForm":
        """Offer the roles that somebody with the role `giver` may give."""
        self.role.choices = [SelectChoice(role.value, rules.ROLE_NAMES[role]) for role in Role if rules.may_give(giver, role)]
        return self


class CompanyForm(Form):
    name = StringField("Company name", [InputRequired("Type the name of your company."), Length(max=120)])
    product = StringField("What people recommend", [InputRequired("Type the name of your product or service."), Length(max=60)])
    whom = StringField("To whom", [InputRequired("Type to whom, such as a friend or colleague."), Length(max=40)])
    website = StringField(
        "Website", [Optional(), Length(max=300), Regexp(r"https?://[^\s/]+\.[^\s]+", message="Start with https:// and the host name.")]
    )
    postal_address = TextAreaField("Postal address", [Length(max=300)])
    sender_name = StringField("From name", [InputRequired("Type the name of the person who sends the surveys."), Length(max=80)])
    sender_role = StringField("Role of the sender", [Length(max=80)])
    sender_email = StringField("From address", [InputRequired("Type the address surveys come from."), Length(max=254), address])
    reply_to = StringField("Replies go to", [InputRequired("Type an address that somebody reads."), Length(max=254), address])
    time_zone = SelectField("Time zone", choices=[SelectChoice(zone, zone.replace("_", " ")) for zone in ["UTC", *ZONES]])
    currency = SelectField("Currency", choices=[SelectChoice(code, code) for code in sorted(CURRENCIES)])
    brand_color = StringField("Brand color", [InputRequired("Choose a color.")])

    def validate_brand_color(self, field: StringField) -> None:
        if not rules.is_hex_color(field.data or ""):
            raise ValidationError("Write the color as # and six digits, such as #14574a.")

    @property
    def changes(self) -> dict[str, Any]:
        """Settings by name, without the token."""
        return {name: value for name, value in self.data.items() if name != "csrf_token"}


class KeyForm(Form):
    name = StringField("Name", [InputRequired("Name the system that will use the key."), Length(max=80)])
    scopes = SelectMultipleField(
        "May", choices=[SelectChoice(scope, scope) for scope in rules.KEY_SCOPES], widget=ListWidget(), option_widget=CheckboxInput()
    )
    networks = StringField("From", [Length(max=500)])
    lasts = SelectField(
        "Ends",
        choices=[
            SelectChoice("365", "In a year"),
            SelectChoice("90", "In 90 days"),
            SelectChoice("30", "In 30 days"),
            SelectChoice("", "No end"),
        ],
    )

    def validate_scopes(self, field: SelectMultipleField) -> None:
        if not field.data:
            raise ValidationError("Choose what the key may do.")

    @property
    def network_list(self) -> list[str]:
        return [part for part in (self.networks.data or "").replace(",", " ").split() if part]


class YouForm(Form):
    name = StringField("Your name", [InputRequired("Type your name, as colleagues know it."), Length(max=120)])
    theme = RadioField(
        "Look", choices=[SelectChoice("", "Same as this device"), SelectChoice("light", "Light"), SelectChoice("dark", "Dark")]
    )
    shortcuts = BooleanField("Single-key shortcuts")
    due_mail = BooleanField("Email me at 8:30 when replies are due that day")


class OwnPasswordForm(Form):
    current = PasswordField("Password now", [Length(max=256, message="Passwords have at most 256 characters.")])
    password = PasswordField(
        "New password", [InputRequired("Type a new password."), Length(max=256, message="Use at most 256 characters.")]
    )
