"""Syntax checks of program settings and of what members type about advocates and sales."""

import re
from typing import Any

from wtforms import (
    BooleanField,
    DateField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from nps.core.money import decimals, parse_money
from nps.referrals.rules import programs, sharing
from nps.web.forms import Form


def days(*values: int) -> list[SelectChoice]:
    return [SelectChoice(str(n), f"{n} day{'' if n == 1 else 's'}" if n else "None") for n in values]


def amount_text(minor: int | None, currency: str) -> str:
    """Minor units as people type them: "50", "42.50"."""
    if minor is None:
        return ""
    places = decimals(currency)
    whole, part = divmod(minor, 10**places)
    return f"{whole}.{part:0{places}d}" if part else str(whole)


def rows_of(text: str, sign: str) -> list[list[str]]:
    """Lines "left <sign> right" as pairs; empty lines are left out."""
    found = []
    for line in (text or "").splitlines():
        if line.strip():
            left, _, right = line.partition(sign)
            found.append([left.strip()[:200], right.strip()[:300]])
    return found


# Fields that are kept as they are typed.
# fmt: off
TEXTS = (
    "name", "headline", "lead", "ask", "friend_words", "friend_detail", "friend_title", "pitch", "friend_form_title", "friend_hint",
    "friend_button", "friend_small_print", "friend_bill_label", "friend_steps_title", "quotes_title", "advocate_words",
    "advocate_detail", "qualifies", "qualify_event", "qualify_noun", "qualify_past", "qualify_verb", "model", "strictness",
    "destination_url", "landing", "cookie", "code_style", "share_subject", "share_words", "disclosure", "terms",
)
# fmt: on


class ProgramForm(Form):
    """All settings of the default program. `currency` is the account's; amounts are typed in its major unit."""

    name = StringField("Name of the program", [InputRequired("Name the program."), Length(max=80)])
    headline = StringField("Headline", [Length(max=120)])
    lead = TextAreaField("What happens, in two sentences", [Length(max=400)])
    ask = StringField("Question on the thank-you page", [Length(max=120)])

    friend_words = StringField("The friend gets", [Length(max=120)])
    friend_detail = StringField("Small print of that", [Length(max=200)])
    friend_title = StringField("Headline of the friend’s page", [Length(max=160)])
    pitch = TextAreaField("What you do, in a sentence", [Length(max=300)])
    friend_form_title = StringField("Above the email field", [Length(max=80)])
    friend_hint = StringField("Below the email field", [Length(max=160)])
    friend_button = StringField("Button", [Length(max=40)])
    friend_small_print = TextAreaField("Below the button", [Length(max=400)])
    friend_bill_label = StringField("Line of the bill", [Length(max=80)])
    friend_list = StringField("Price without the offer", [Length(max=20)])
    friend_less = StringField("Taken off", [Length(max=20)])
    friend_steps_title = StringField("Heading of the steps", [Length(max=80)])
    steps = TextAreaField("Steps", [Length(max=2000)])
    quotes_title = StringField("Heading of the quotes", [Length(max=80)])
    quote_lines = TextAreaField("Quotes", [Length(max=3000)])
    valid_until = DateField("Offer valid to", [Optional()])

    advocate_words = StringField("The person who shares gets", [Length(max=120)])
    advocate_detail = StringField("When", [Length(max=200)])
    kind = RadioField(
        "Reward",
        choices=[
            SelectChoice("flat", "A fixed amount per friend"),
            SelectChoice("percent", "A share of what the friend pays, without tax"),
            SelectChoice("thanks", "Nothing but thanks"),
        ],
    )
    amount = StringField("Amount", [Length(max=20)])
    percent = StringField("Share in percent", [Length(max=8)])
    months = SelectField(
        "Paid for",
        choices=[
            SelectChoice("1", "The first payment only"),
            SelectChoice("12", "Payments of the first 12 months"),
            SelectChoice("", "As long as they pay"),
        ],
    )
    milestone_lines = TextAreaField("On top, at certain friends", [Length(max=600)])
    cap = StringField("Limit per person and calendar year", [Length(max=20)])

    qualifies = SelectField(
        "A friend counts when they",
        choices=[
            SelectChoice("first_paid", "pay for the first time"),
            SelectChoice("nth_paid", "pay for the n-th time"),
            SelectChoice("signup", "sign up"),
            SelectChoice("event", "reach an event your server tells us"),
        ],
    )
    qualify_nth = IntegerField("The n-th payment", [Optional(), NumberRange(1, 60, "Between 1 and 60.")])
    qualify_event = StringField("Name of the event", [Length(max=60)])
    qualify_noun = StringField("That moment, as a noun", [InputRequired("Name the moment, such as “First payment”."), Length(max=60)])
    qualify_past = StringField("In the funnel", [InputRequired("Say it in the past, such as “Paid for the first time”."), Length(max=80)])
    qualify_verb = StringField("“Counts when they …”", [InputRequired("Say it as “pay for the first time”."), Length(max=80)])

    attribution_days = SelectField("From link to sign-up", choices=days(*programs.ATTRIBUTION_DAYS))
    qualify_days = IntegerField(
        "From sign-up to that moment, days", [Optional(), NumberRange(1, programs.QUALIFY_DAYS_MAX, "Between 1 and 400 days, or empty.")]
    )
    look_back_days = IntegerField(
        "No longer new for, days", [Optional(), NumberRange(0, programs.LOOK_BACK_DAYS_MAX, "Between 0 and 1,000 days, or empty.")]
    )
    model = SelectField(
        "Of several links", choices=[SelectChoice("last", "the last one counts"), SelectChoice("first", "the first one counts")]
    )
    hold_days = SelectField("Hold", choices=days(*programs.HOLD_DAYS))
    review_all = RadioField(
        "Approval", choices=[SelectChoice("1", "A person looks at every reward"), SelectChoice("", "Only at flagged and large ones")]
    )
    automatic = StringField("Large is above", [Length(max=20)])
    second_person = StringField("Two people from", [Length(max=20)])
    strictness = SelectField(
        "Checks",
        choices=[
            SelectChoice("off", "Off"),
            SelectChoice("low", "Light"),
            SelectChoice("medium", "Normal"),
            SelectChoice("high", "Strict"),
        ],
    )
    consumer = BooleanField("Our customers are people, not companies: check friends at the same company")

    destination_url = StringField("Where friends sign up", [Length(max=500)])
    landing = RadioField(
        "The link leads to", choices=[SelectChoice("page", "our friend’s page"), SelectChoice("redirect", "your own page, directly")]
    )
    cookie = RadioField(
        "Cookie", choices=[SelectChoice("at_once", "with the click"), SelectChoice("consent", "after consent on your site")]
    )
    strict = BooleanField("Keep no connection, browser or visitor marks at all")
    code_style = RadioField(
        "Codes", choices=[SelectChoice("name", "First name and signs: maya-7Q2K9D"), SelectChoice("random", "Signs only")]
    )
    show_first_name = BooleanField("Show the first name of the person who shares")
    show_company = BooleanField("Show their company")
    show_words = BooleanField("Show their words")
    channels = SelectMultipleField(
        "Share buttons",
        choices=[
            SelectChoice(
                code, {"em": "Email", "wa": "WhatsApp", "tx": "Text", "li": "LinkedIn", "fb": "Facebook", "tw": "X", "tg": "Telegram"}[code]
            )
            for code in sharing.ALL_WAYS
        ],
        widget=ListWidget(),
        option_widget=CheckboxInput(),
    )
    holdout_percent = IntegerField(
        "Promoters never asked, percent", [InputRequired("0 to 50."), NumberRange(0, programs.HOLDOUT_PERCENT_MAX, "Between 0 and 50.")]
    )
    min_score = RadioField(
        "Asked are", choices=[SelectChoice("9", "people who answered 9 or 10"), SelectChoice("7", "people who answered 7 or more")]
    )
    share_subject = StringField("Subject of a shared mail", [Length(max=sharing.SUBJECT_MAX)])
    share_words = TextAreaField("First words", [Length(max=sharing.WORDS_MAX)])
    disclosure = StringField("Added at the end", [Length(max=120)])
    terms = TextAreaField("Referral terms", [Length(max=20_000)])

    def __init__(self, *given: Any, currency: str, **rest: Any) -> None:
        super().__init__(*given, **rest)
        self.currency = currency

    def _money(self, field: StringField) -> int | None:
        text = (field.data or "").strip()
        if not text:
            return None
        return parse_money(text, self.currency)

    def _check_money(self, field: StringField) -> None:
        try:
            self._money(field)
        except ValueError:
            places = decimals(self.currency)
            raise ValidationError(f"Type an amount in {self.currency}, such as 50{'.00' if places == 2 else ''}.") from None

    def validate_friend_list(self, field: StringField) -> None:
        self._check_money(field)

    def validate_friend_less(self, field: StringField) -> None:
        self._check_money(field)
        if not self.friend_list.errors and field.data and (self._money(field) or 0) > (self._money(self.friend_list) or 0):
            raise ValidationError("This is more than the price.")

    def validate_amount(self, field: StringField) -> None:
        self._check_money(field)
        if self.kind.data == "flat" and not self._money(field):
            raise ValidationError("Type the amount each friend is worth, or choose “Nothing but thanks”.")

    def validate_cap(self, field: StringField) -> None:
        self._check_money(field)
        if (
            self.kind.data == "flat"
            and not self.amount.errors
            and field.data
            and (self._money(field) or 0) < (self._money(self.amount) or 0)
        ):
            raise ValidationError("The limit is below one reward.")

    def validate_automatic(self, field: StringField) -> None:
        self._check_money(field)

    def validate_second_person(self, field: StringField) -> None:
        self._check_money(field)

    def validate_percent(self, field: StringField) -> None:
        if self.kind.data != "percent":
            return
        if not re.fullmatch(r"\d{1,3}(?:\.\d{1,2})?", (field.data or "").strip()) or not 0 < float(field.data) <= 100:
            raise ValidationError("A share between 0.01 and 100 percent.")

    def validate_milestone_lines(self, field: TextAreaField) -> None:
        for count, words in rows_of(field.data, ":"):
            if not count.isdigit() or not 1 <= int(count) <= 12 or not words:
                raise ValidationError("One line for each, such as “3: a free month”, for the 1st to the 12th friend.")

    def validate_steps(self, field: TextAreaField) -> None:
        if len(rows_of(field.data, ":")) > 6:
            raise ValidationError("At most 6 steps.")

    def validate_quote_lines(self, field: TextAreaField) -> None:
        pairs = rows_of(field.data, "|")
        if len(pairs) > 6 or any(not who for _, who in pairs):
            raise ValidationError("At most 6, each as “words | who said it”.")

    def validate_disclosure(self, field: StringField) -> None:
        if self.kind.data != "thanks" and not (field.data or "").strip():
            raise ValidationError("People who get a reward say so. Word it as you like, but it cannot be empty.")

    def validate_qualify_event(self, field: StringField) -> None:
        if self.qualifies.data == "event" and not (field.data or "").strip():
            raise ValidationError("Type the name your server sends.")

    @property
    def changes(self) -> dict[str, Any]:
        """What `service.save_program` takes."""
        plain = {name: getattr(self, name).data or "" for name in TEXTS}
        flags = {name: bool(getattr(self, name).data) for name in ("consumer", "strict", "show_first_name", "show_company", "show_words")}
        return {
            **plain,
            **flags,
            "friend_list_minor": self._money(self.friend_list),
            "friend_less_minor": self._money(self.friend_less),
            "friend_steps": rows_of(self.steps.data, ":"),
            "quotes": rows_of(self.quote_lines.data, "|"),
            "milestones": [[int(n), words] for n, words in rows_of(self.milestone_lines.data, ":")],
            "valid_until": self.valid_until.data,
            "rules": [self._rule()],
            "caps": [{"period": "year", "currency": self.currency, "amount": cap}] if (cap := self._money(self.cap)) else [],
            "qualify_nth": self.qualify_nth.data or 1,
            "attribution_days": int(self.attribution_days.data),
            "qualify_days": self.qualify_days.data,
            "look_back_days": self.look_back_days.data,
            "hold_days": int(self.hold_days.data),
            "review_all": bool(self.review_all.data),
            "automatic_minor": self._money(self.automatic) or 0,
            "second_person_minor": self._money(self.second_person) or 10**15,
            "channels": self.channels.data or list(sharing.DEFAULT_WAYS),
            "holdout_percent": self.holdout_percent.data,
            "min_score": int(self.min_score.data),
        }

    def _rule(self) -> dict[str, Any]:
        months = int(self.months.data) if self.months.data else None
        rule: dict[str, Any] = {
            "id": "first",
            "side": "advocate",
            "on": "qualified" if months == 1 else "conversion",
            "kind": self.kind.data,
            "max_months": months,
        }
        if self.kind.data == "flat":
            rule["amounts"] = {self.currency: self._money(self.amount) or 0}
        if self.kind.data == "percent":
            rule["basis_points"] = round(float(self.percent.data) * 100)
        return rule

    @classmethod
    def starting(cls, program: Any, version: Any, currency: str) -> "ProgramForm":
        """The form as the newest version stands."""
        rule: dict[str, Any] = version.rules[0] if version.rules else {"kind": "thanks"}
        cap = next((c.get("amount") for c in version.caps if c.get("currency") == currency), None)
        months = rule.get("max_months", 1)
        given = {name: getattr(version, name) for name in cls.__dict__ if hasattr(version, name) and not name.startswith("_")}
        given |= {name: getattr(program, name) for name in cls.__dict__ if hasattr(program, name) and not name.startswith("_")}
        given |= {
            "kind": rule.get("kind", "flat"),
            "amount": amount_text(rule.get("amounts", {}).get(currency), currency),
            "percent": f"{rule.get('basis_points', 0) / 100:g}" if rule.get("basis_points") else "",
            "months": "" if months is None else str(months),
            "milestone_lines": "\n".join(f"{n}: {words}" for n, words in version.milestones),
            "steps": "\n".join(f"{title}: {text}" for title, text in version.friend_steps),
            "quote_lines": "\n".join(f"{words} | {who}" for words, who in version.quotes),
            "friend_list": amount_text(version.friend_list_minor, currency),
            "friend_less": amount_text(version.friend_less_minor, currency),
            "cap": amount_text(cap, currency),
            "automatic": amount_text(version.automatic_minor, currency),
            "second_person": amount_text(None if version.second_person_minor >= 10**15 else version.second_person_minor, currency),
            "attribution_days": str(version.attribution_days),
            "hold_days": str(version.hold_days),
            "review_all": "1" if version.review_all else "",
            "min_score": str(program.min_score),
        }
        return cls(currency=currency, data=given)


class RemovalForm(Form):
    reason = TextAreaField("Reason", [InputRequired("Say why. The person reads this."), Length(max=300)])


class CreditForm(Form):
    advocate = StringField("Email or code of the person who brought them", [InputRequired("Type an email or a code."), Length(max=254)])
    reason = TextAreaField("Reason", [InputRequired("Say why. It is kept with the decision."), Length(max=200)])
