"""Shapes shared by all operations: refuse what is unknown, take numbers as numbers and text that can be kept."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from nps.api.strict import is_storable
from nps.core.money import CURRENCIES

T = TypeVar("T")


class Shape(BaseModel):
    """Base of every body, query and answer: a name that is not in it is refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)


def _whole(value: Any) -> Any:
    """9 and 9.0 are 9; true, "9" and 9.5 are not whole numbers."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("This must be a whole number.")
    if isinstance(value, float):
        if not value.is_integer():
            raise ValueError("This must be a whole number.")
        return int(value)
    return value


def _true_or_false(value: Any) -> Any:
    if not isinstance(value, bool):
        raise ValueError("This must be true or false.")
    return value


def _keepable(value: str) -> str:
    if not is_storable(value):
        raise ValueError("This holds a character that cannot be kept.")
    return value


def _utc(value: Any) -> Any:
    """RFC 3339 with its offset; a time without one could be any of 26 hours."""
    if not isinstance(value, str) or len(value) > 40:
        raise ValueError("Write a time like 2026-10-06T11:58:00Z.")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("Write a time like 2026-10-06T11:58:00Z.") from None
    if moment.tzinfo is None or "T" not in value.upper():
        raise ValueError("Write a time with its offset, like 2026-10-06T11:58:00Z.")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("This time lies outside the calendar.") from None


def _day(value: Any) -> Any:
    if isinstance(value, str) and len(value) == 10 and value.isascii():
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise ValueError("Write a day like 2026-10-06.")


def rfc3339(value: datetime) -> str:
    """ "2026-10-06T11:58:00Z", microseconds where there are some."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


Text = Annotated[str, AfterValidator(_keepable)]
Whole = Annotated[int, BeforeValidator(_whole)]
Flag = Annotated[bool, BeforeValidator(_true_or_false, json_schema_input_type=bool)]
Score = Annotated[int, BeforeValidator(_whole), Field(ge=0, le=10, description="0 to 10")]
Instant = Annotated[datetime, BeforeValidator(_utc), PlainSerializer(rfc3339, return_type=str, when_used="json")]
Day = Annotated[date, BeforeValidator(_day)]
Currency = Annotated[str, AfterValidator(lambda code: _currency(code)), Field(pattern=r"^[A-Z]{3}$", description="ISO 4217")]


def _currency(code: str) -> str:
    if code not in CURRENCIES:
        raise ValueError(f"“{code}” is not a currency.")
    return code


class Amount(Shape):
    """Money: minor units (cents) and currency."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"amount": 1999, "currency": "USD"}]})

    amount: Annotated[Whole, Field(ge=-(10**15), le=10**15, description="minor units, such as cents")]
    currency: Currency


class PageQuery(Shape):
    """Paging of every list."""

    limit: Annotated[int, Field(ge=1, le=200, description="rows on a page")] = 50
    after: Annotated[Text | None, Field(max_length=2000, description="the cursor of `next`, never made by hand")] = None


class Paged(Shape, Generic[T]):
    """One page of a list: `next` is the address of the following page, or null."""

    data: list[T]
    next: str | None
