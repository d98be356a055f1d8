"""Small SQL words that both databases must spell alike, for statements that plan for many people at once."""

from typing import Any

from sqlalchemy import BigInteger, Integer, String, Uuid
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from nps.core import email_address, ids


class new_id(FunctionElement[Any]):
    """A fresh UUIDv7 for every row of an INSERT … SELECT, as `ids.new_id()` makes one."""

    name = "new_id"
    inherit_cache = True
    type = Uuid()


class bucket(FunctionElement[Any]):
    """`bucket(text, size)`: the same number as `ids.bucket`, for a column. `size` below 2³¹."""

    name = "bucket"
    inherit_cache = True
    type = BigInteger()


class hex_of(FunctionElement[Any]):
    """`hex_of(uuid)`: its 32 hex digits, as `UUID.hex` writes them."""

    name = "hex_of"
    inherit_cache = True
    type = String()


class plus_minutes(FunctionElement[Any]):
    """`plus_minutes(instant, n)`. Typed like an instant by `type_coerce` where it is read back."""

    name = "plus_minutes"
    inherit_cache = True

    def __init__(self, at: Any, minutes: Any) -> None:
        super().__init__(at, minutes)
        self.type = at.type


class day_number(FunctionElement[Any]):
    """`day_number(date)`: days on one count, so that differences are days."""

    name = "day_number"
    inherit_cache = True
    type = Integer()


class reduced(FunctionElement[Any]):
    """`reduced(address)`: the spelling under which a stop is kept, as `email_address.reduced` gives it."""

    name = "reduced"
    inherit_cache = True
    type = String()


def functions(connection: Any) -> None:
    """Teach an SQLite connection the words it does not have."""
    connection.create_function("wb_bucket", 2, ids.bucket, deterministic=True)
    connection.create_function(
        "wb_reduced", 1, lambda address: None if address is None else email_address.reduced(address), deterministic=True
    )
    connection.create_function("wb_new_id", 0, lambda: ids.new_id().hex)


def _arguments(element: Any, compiler: Any, **kw: Any) -> list[str]:
    return [compiler.process(clause, **kw) for clause in element.clauses]


@compiles(new_id, "sqlite")
def _(element: Any, compiler: Any, **kw: Any) -> str:
    return "wb_new_id()"


@compiles(new_id, "postgresql")
def _(element: Any, compiler: Any, **kw: Any) -> str:
    return (
        "(lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0')"
        " || '7' || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid"
    )


@compiles(bucket, "sqlite")
def _(element: Any, compiler: Any, **kw: Any) -> str:
    text, size = _arguments(element, compiler, **kw)
    return f"wb_bucket({text}, {size})"


@compiles(bucket, "postgresql")
def _(element: Any, compiler: Any, **kw: Any) -> str:
    text, size = _arguments(element, compiler, **kw)
    hashed = f"encode(sha256(convert_to({text}, 'UTF8')), 'hex')"
    high, low = (f"('x' || substr({hashed}, {start}, 8))::bit(32)::bigint" for start in (1, 9))
    n = f"({size})::bigint"
    return f"mod(mod({high}, {n}) * mod(4294967296, {n}) + {low}, {n})"


@compiles(hex_of, "sqlite")
def _(element: Any, compiler: Any, **kw: Any) -> str:
    return _arguments(element, compiler, **kw)[0]


@compiles(hex_of, "postgresql")
def _(element: Any, compiler: Any, **kw: Any) -> str:
    return f"replace(({_arguments(element, compiler, **kw)[0]})::text, '-', '')"


@compiles(plus_minutes, "sqlite")
def _(element: Any, compiler: Any, **kw: Any) -> str:
    at, minutes = _arguments(element, compiler, **kw)
    # SQLite counts milliseconds, we keep microseconds: minutes are added to whole seconds, the rest is put back
    return f"(strftime('%Y-%m-%d %H:%M:%S', substr({at}, 1, 19), ({minutes}) || ' minutes') || substr({at}, 20))"


@compiles(plus_minutes, "postgresql")
def _(element: Any, compiler: Any, **kw: Any) -> str:
    at, minutes = _arguments(element, compiler, **kw)
    return f"(({at})::timestamptz + ({minutes}) * interval '1 minute')"


@compiles(day_number, "sqlite")
def _(element: Any, compiler: Any, **kw: Any) -> str:
    return f"CAST(julianday({_arguments(element, compiler, **kw)[0]}) + 0.5 AS INTEGER)"


@compiles(day_number, "postgresql")
def _(element: Any, compiler: Any, **kw: Any) -> str:
    return f"(({_arguments(element, compiler, **kw)[0]})::date - DATE '2000-01-01')"


@compiles(reduced, "sqlite")
def _(element: Any, compiler: Any, **kw: Any) -> str:
    return f"wb_reduced({_arguments(element, compiler, **kw)[0]})"


@compiles(reduced, "postgresql")
def _(element: Any, compiler: Any, **kw: Any) -> str:
    address = f"lower({_arguments(element, compiler, **kw)[0]})"
    local, given = f"split_part({address}, '@', 1)", f"split_part({address}, '@', 2)"
    houses = " ".join(f"WHEN '{one}' THEN '{other}'" for one, other in sorted(email_address.SAME_HOUSE.items()))
    domain = f"(CASE {given} {houses} ELSE {given} END)"
    tags, dots = (", ".join(f"'{d}'" for d in sorted(names)) for names in (email_address.IGNORES_TAGS, email_address.IGNORES_DOTS))
    plain = f"(CASE WHEN {domain} IN ({tags}) THEN coalesce(nullif(split_part({local}, '+', 1), ''), {local}) ELSE {local} END)"
    bare = f"(CASE WHEN {domain} IN ({dots}) THEN coalesce(nullif(replace({plain}, '.', ''), ''), {plain}) ELSE {plain} END)"
    return f"({bare} || '@' || {domain})"
