"""Forms: WTForms with our cross-site token, trimmed text and the errors of services beside the fields."""

from typing import Any

from flask_wtf import FlaskForm

from nps.core.errors import DomainError


def clean(text: Any) -> Any:
    """Trim typed text and drop NUL and lone surrogates, which no database takes."""
    if not isinstance(text, str):
        return text
    return text.replace("\x00", "").encode("utf-8", "ignore").decode().strip()


class Form(FlaskForm):  # type: ignore[misc]
    """Base of all workspace forms."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        def bind_field(self, form: Any, unbound_field: Any, options: dict[str, Any]) -> Any:
            filters = unbound_field.kwargs.get("filters", [])
            if "Text" in unbound_field.field_class.__name__ or "String" in unbound_field.field_class.__name__:
                unbound_field.kwargs["filters"] = [clean, *(f for f in filters if f is not clean)]
            return unbound_field.bind(form=form, **options)

    def refuse(self, error: DomainError) -> None:
        """Show what the service refused: at the named fields, the rest in the summary."""
        for name, words in error.fields.items():
            field = getattr(self, name, None)
            if field is not None:
                field.errors = [*field.errors, words]
        if not error.fields:
            self.form_errors: list[str] = [*self.form_errors, error.message]
