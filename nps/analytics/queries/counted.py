"""Which responses count and what they are split by, as conditions: `rules.counting` for many rows at once."""

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
    if key in BUILT_IN:
        return getattr(Response, key)  # type: ignore[no-any-return]
    column = Response.answered_properties
    if db.session.get_bind().dialect.name == "postgresql":
        return func.coalesce(column[key].as_string(), "")
    path = f'$."{key}"'  # keys are small letters, digits and _
    kind = func.json_type(column, path)
    plain = cast(func.json_extract(column, path), String)
    return func.coalesce(case((kind == "true", "true"), (kind == "false", "false"), else_=plain), "")
