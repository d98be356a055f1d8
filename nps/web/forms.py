"""Forms: WTForms with our cross-site token, trimmed text and the errors of services beside the fields."""

import re
from typing import Any

from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField, TextAreaField

from nps.core.errors import DomainError

# C0, C1 and Unicode's line ends: nothing that a field of one line can be typed with, and what breaks a mail's headers.
_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_LINE_ENDS = re.compile("\r\n?|[\x85\u2028\u2029]")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def clean(text: Any) -> Any:
    """Trim typed text, make it one line, and drop lone surrogates, which no database takes."""
    if not isinstance(text, str):
        return text
    return _BREAKS.sub(" ", text).encode("utf-8", "ignore").decode().strip()


def clean_lines(text: Any) -> Any:
    """The same for a field of several lines: they stay, as line feeds, and tabs with them."""
    if not isinstance(text, str):
        return text
    return _CONTROLS.sub("", _LINE_ENDS.sub("\n", text)).encode("utf-8", "ignore").decode().strip()


class Form(FlaskForm):  # type: ignore[misc]
    """Base of all workspace forms."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        def bind_field(self, form: Any, unbound_field: Any, options: dict[str, Any]) -> Any:
            filters = unbound_field.kwargs.get("filters", [])
            if issubclass(unbound_field.field_class, StringField) and not issubclass(unbound_field.field_class, PasswordField):
                ours = clean_lines if issubclass(unbound_field.field_class, TextAreaField) else clean
                unbound_field.kwargs["filters"] = [ours, *(f for f in filters if f is not ours)]
            return unbound_field.bind(form=form, **options)

    def refuse(self, error: DomainError) -> None:
        """Show what the service refused: at the named fields, the rest in the summary."""
        for name, words in error.fields.items():
            field = getattr(self, name, None)
            if field is not None:
                field.errors = [*field.errors, words]
        if not error.fields:
            self.form_errors: list[str] = [*self.form_errors, error.message]
