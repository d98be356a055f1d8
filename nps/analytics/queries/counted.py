"""Which responses count and what they are split by, as conditions: `rules.counting` for many rows at once."""

from typing import Any

from sqlalchemy import ColumnElement, String, and_, case, cast, func, literal, or_

from nps.analytics.rules.filters import BUILT_IN
from nps.core.db import db
from nps.responses.models import Response


def counted() -> ColumnElement[bool]:
    """Which responses count (`counting.reason` is None), as a condition."""
    return and_(Response.state == "verified", Response.is_test.is_(False), Response.method != "manual")


def not_counted() -> ColumnElement[bool]:
    """Its opposite, worded as the partial index on response has it: constants, not parameters."""

    def fixed(value: str) -> ColumnElement[str]:
        return literal(value, literal_execute=True)

    return or_(Response.state != fixed("verified"), Response.is_test, Response.method == fixed("manual"))


def value_of(key: str) -> ColumnElement[str]:
    """A frozen property (or channel, language) of a response as the text it is filtered and split by; "" for none."""
    return text_of(key, Response, Response.answered_properties)


def text_of(key: str, model: type[Any], properties: Any) -> ColumnElement[str]:
    """The same of any row with a column of frozen `properties`."""
    if key in BUILT_IN:
        return getattr(model, key)  # type: ignore[no-any-return]
    if db.session.get_bind().dialect.name == "postgresql":
        return func.coalesce(properties[key].as_string(), "")
    path = f'$."{key}"'  # keys are small letters, digits and _
    kind = func.json_type(properties, path)
    plain = cast(func.json_extract(properties, path), String)
    return func.coalesce(case((kind == "true", "true"), (kind == "false", "false"), else_=plain), "")
