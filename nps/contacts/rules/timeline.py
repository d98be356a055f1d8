"""What a person's timeline is made of. Floors above offer entries and panels; the contact page knows none of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class Group(StrEnum):
    """The filter under which an entry is shown besides "Everything"."""

    ANSWERS = "answers"
    MESSAGES = "messages"
    NOT_ASKED = "not_asked"
    OTHER = "other"


@dataclass(frozen=True)
class Entry:
    """One thing that happened to a person. Texts are plain; the page escapes them.

    `bold` stands first (and is the link when there is a `href`), `said` is what somebody wrote. `person`: initials instead
    of the icon, for what people did. `tag`: (words, kind of tag).
    """

    occurred_at: datetime
    text: str = ""
    group: Group = Group.OTHER
    icon: str = "clock"
    bold: str = ""
    href: str = ""
    said: str = ""
    person: str = ""
    tag: tuple[str, str] | None = None
    is_answer: bool = False


Source = Callable[[UUID], Sequence[Entry]]
"""Gives the entries of a contact, in any order. Runs in the account's scope."""


@dataclass(frozen=True)
class Panel:
    """A part of the contact page that a floor above draws: a template and its values.

    `place`: `note` (below the head), `aside` (a card beside the timeline), `below` (under everything).
    """

    place: str
    template: str
    values: Mapping[str, Any] = field(default_factory=dict)


PanelSource = Callable[[UUID], Sequence[Panel]]


def newest_first(entries: Sequence[Entry], group: Group | None = None) -> list[Entry]:
    """The entries to show, of one group or all."""
    return sorted((e for e in entries if group is None or e.group is group), key=lambda e: e.occurred_at, reverse=True)
