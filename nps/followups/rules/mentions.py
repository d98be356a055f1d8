"""Who is named in a note: "@Tomás" or "@Tomás Rey"."""

import re
from collections.abc import Hashable, Mapping
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)

_AT = re.compile(r"(?<![\w.+-])@([^\W\d_][\w'’-]*(?: [^\W\d_][\w'’-]*){0,3})")


def found(text: str, members: Mapping[Key, str]) -> tuple[list[Key], list[str]]:
    """(members named, in order, once each; names that are nobody's or more than one person's)."""
    named: list[Key] = []
    unknown: list[str] = []
    for match in _AT.finditer(text):
        words = match.group(1).split(" ")
        hits = next((hit for n in range(len(words), 0, -1) if (hit := _called(" ".join(words[:n]), members))), [])
        if len(hits) == 1:
            if hits[0] not in named:
                named.append(hits[0])
        else:
            unknown.append(words[0])
    return named, unknown


def _called(name: str, members: Mapping[Key, str]) -> list[Key]:
    """Members of this full name, else of this first name."""
    wanted = name.casefold()
    full = [key for key, known in members.items() if known.casefold() == wanted]
    return full or [key for key, known in members.items() if known.split(" ")[0].casefold() == wanted]
