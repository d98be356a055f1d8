"""Placeholders in texts that accounts write: `{{ contact.first_name | default: "there" }}`. No logic, ever.

A text is checked when it is saved and compiled once when many copies are made; a value is data and is never read as a
text again. Escaping for HTML is the caller's: the segments tell literal text from values.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from nps.core.errors import Invalid

VALUE_MAX = 100
"""Characters of a value that are shown; the rest is cut."""

_SLOT = re.compile(
    r"""\s*(?P<name>[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?)\s*
        (?:\|\s*default\s*:\s*(?:"(?P<double>[^"{}]*)"|'(?P<single>[^'{}]*)'|“(?P<curly>[^“”{}]*)”)\s*)?""",
    re.VERBOSE,
)
# C0, C1, Unicode line ends, and the marks that turn the direction of the text after them.
_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_QUOTED_MAX = 40


@dataclass(frozen=True)
class Slot:
    """The place of one value. `default` stands there when the value is empty."""

    name: str
    default: str = ""


@dataclass(frozen=True)
class Template:
    """A text cut into literal parts (str) and slots, in order."""

    segments: tuple[str | Slot, ...]

    @property
    def names(self) -> frozenset[str]:
        """The placeholders used."""
        return frozenset(s.name for s in self.segments if isinstance(s, Slot))

    def fill(self, values: Mapping[str, object]) -> str:
        """The text with cleaned values in it. A name without a value gives its default, or nothing."""
        return "".join(s if isinstance(s, str) else value_of(s, values) for s in self.segments)


def value_of(slot: Slot, values: Mapping[str, object]) -> str:
    """The text for one slot, cleaned: no line breaks, at most `VALUE_MAX` characters. Not escaped."""
    given = values.get(slot.name)
    return clean("" if given is None else str(given)) or clean(slot.default)


def clean(value: str) -> str:
    """`value` on one line, without control and direction marks, cut at `VALUE_MAX` characters."""
    if value.isascii() and value.isprintable() and len(value) <= VALUE_MAX:
        return value.strip()
    return _TURNS.sub("", _BREAKS.sub(" ", value)).strip()[:VALUE_MAX].rstrip()


@lru_cache(maxsize=2048)
def parse(text: str) -> Template:
    """Cut `text` into segments. Raises `Invalid` when something in double braces is not a placeholder."""
    for sign in ("{%", "{#"):
        if sign in text:
            raise Invalid(
                f"“{_quote(text[text.index(sign) :])}” cannot be used here. Write plain text and placeholders such as contact.first_name."
            )
    segments: list[str | Slot] = []
    position = 0
    while (start := text.find("{{", position)) >= 0:
        end = text.find("}}", start + 2)
        if end < 0:
            raise Invalid(f"This placeholder has no end: “{_quote(text[start:])}”. Close it with two braces.")
        inside = text[start + 2 : end]
        slot = _SLOT.fullmatch(inside)
        if slot is None:
            raise Invalid(f"“{_quote(inside.strip())}” is not a placeholder. Write a name such as contact.first_name between the braces.")
        if start > position:
            segments.append(text[position:start])
        segments.append(Slot(slot["name"], slot["double"] or slot["single"] or slot["curly"] or ""))
        position = end + 2
    if position < len(text):
        segments.append(text[position:])
    return Template(tuple(segments))


def check(text: str, allowed: Iterable[str]) -> None:
    """Accept a text that uses only `allowed` names. Raises `Invalid` naming the first that is not one, with the nearest that is."""
    known = list(allowed)
    for segment in parse(text).segments:
        if isinstance(segment, Slot) and segment.name not in known:
            near = difflib.get_close_matches(segment.name, known, n=1)
            hint = f" Did you mean {near[0]}?" if near else f" You can use {', '.join(sorted(known))}."
            raise Invalid(f"There is no placeholder “{_quote(segment.name)}”.{hint}")


def render(text: str, values: Mapping[str, object]) -> str:
    """`text` with `values` in it, not escaped. Raises `Invalid` for a text that `parse` refuses."""
    return parse(text).fill(values)


def _quote(text: str) -> str:
    text = clean(text)
    return text if len(text) <= _QUOTED_MAX else text[: _QUOTED_MAX - 1] + "…"
