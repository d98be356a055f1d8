"""One person is one contact: which contact a record means, what it changes, and how doubles of one file meet.

Rows are placed one after the other, so that the result does not depend on where a file is cut into chunks.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from nps.contacts.rules.fields import IDENTITIES, IDENTITY_NOUNS, LABELS, PROPERTY, Misfit, Record
from nps.contacts.rules.properties import Property
from nps.contacts.rules.values import unusable
from nps.contacts.rules.words import folded


class Mode(StrEnum):
    """What an import may do."""

    ADD_AND_UPDATE = "both"
    ADD_ONLY = "add"
    UPDATE_ONLY = "update"


class Outcome(StrEnum):
    """What a row came to. Each row has exactly one, so the counts add up."""

    ADDED = "added"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    TO_FIX = "to_fix"
    LEFT_OUT = "left_out"


@dataclass
class Known:
    """A contact as it stands while a file goes in. `values` has stored values by column, properties under `p.<key>`."""

    id: UUID
    number: int | None
    values: Record
    is_new: bool = False
    row: int | None = None
    """The row of this file that spoke of the contact first; None = not yet."""
    given: int = 0
    """Bits of the fields that this file has given so far (see `Slots`)."""
    before: Record = field(default_factory=dict)
    """The values that were replaced by this chunk."""
    updated_at: datetime | None = None
    touched: bool = False
    """Is there something to store at the end of the chunk?"""


class Slots:
    """One bit for each column that this file can give."""

    def __init__(self, names: Iterable[str]) -> None:
        self.bit = {name: 1 << place for place, name in enumerate(names)}

    def of(self, names: Iterable[str]) -> int:
        mask = 0
        for name in names:
            mask |= self.bit.get(name, 0)
        return mask


class Book:
    """The contacts that the rows of a chunk may mean, found by their identities."""

    def __init__(self) -> None:
        self.by: dict[str, dict[str, Known]] = {name: {} for name in IDENTITIES}
        self.ids: set[UUID] = set()

    def add(self, known: Known) -> None:
        self.ids.add(known.id)
        for name in IDENTITIES:
            value = known.values.get(name)
            if value:
                self.by[name][identity_key(name, value)] = known

    def find(self, record: Record) -> list[tuple[str, Known]]:
        """(identity, contact) for each identity of the record that points at a contact, in the order that decides."""
        found = []
        for name in IDENTITIES:
            value = record.get(name)
            if value:
                known = self.by[name].get(value.lower() if name == "email" else value)
                if known is not None:
                    found.append((name, known))
        return found

    def move(self, known: Known, name: str, value: str | None) -> None:
        """The contact gets another identity."""
        old = known.values.get(name)
        if old:
            self.by[name].pop(identity_key(name, old), None)
        if value:
            self.by[name][identity_key(name, value)] = known


def identity_key(name: str, value: str) -> str:
    """The form in which an identity is unique: email without case, the others exactly."""
    return value.lower() if name == "email" else value


def meets(found: Sequence[tuple[str, Known]]) -> tuple[str, Known] | None:
    """The one contact that the identities mean, with the identity that decided. Raises `Misfit` when they mean two."""
    if not found:
        return None
    identity, known = found[0]
    for name, other in found[1:]:
        if other is not known:
            whose = f"number {other.number}" if other.number is not None else f"row {other.row}"
            raise Misfit(name, f"This {IDENTITY_NOUNS[name]} belongs to another contact, {whose}")
    return identity, known


def differences(values: Mapping[str, Any], record: Record) -> Record:
    """The columns of `record` that would change. Case of an email alone is no change; `last_asked_at` only moves forward."""
    changed: Record = {}
    for name, new in record.items():
        old = values.get(name)
        if new == old or name == "unsubscribed":
            continue
        if name == "email" and old and new and old.lower() == new.lower():
            continue
        if name == "last_asked_at" and (new is None or (old is not None and new < old)):
            continue
        changed[name] = new
    return changed


def contradiction(known: Known, record: Record, identity: str, slots: Slots, properties: Mapping[str, Property]) -> Misfit | None:
    """The first field in which a later row of the same file says otherwise than an earlier one."""
    for name, new in record.items():
        if new is None or not known.given & slots.bit.get(name, 0):
            continue
        old = known.values.get(name)
        if new == old or name == "last_asked_at":
            continue
        if isinstance(new, str) and isinstance(old, str) and folded(new) == folded(old):
            continue
        noun = _noun(name, properties)
        return Misfit(identity, str(unusable(f"Same {IDENTITY_NOUNS[identity]} as row {known.row:,}, other {noun}")))
    return None


def _noun(name: str, properties: Mapping[str, Property]) -> str:
    if name.startswith(PROPERTY):
        known = properties.get(name[2:])
        return known.label if known else name[2:]
    if name in IDENTITY_NOUNS:
        return IDENTITY_NOUNS[name]
    noun = LABELS["monthly_value" if name == "monthly_value_minor" else name][1]
    return noun[:1].lower() + noun[1:]


class Placer:
    """Places the rows of one file in the book, in order."""

    def __init__(self, book: Book, mode: Mode, slots: Slots, properties: Mapping[str, Property]) -> None:
        self.book = book
        self.mode = mode
        self.slots = slots
        self.properties = properties

    def place(self, row: int, record: Record, new_id: UUID) -> tuple[Outcome, Known | None]:
        """What the row came to and the contact it stands for. `new_id` is used if the contact is new. Raises `Misfit`."""
        met = meets(self.book.find(record))
        if met is None:
            if self.mode is Mode.UPDATE_ONLY:
                return Outcome.LEFT_OUT, None
            given = {name: value for name, value in record.items() if value is not None}
            known = Known(new_id, None, given, is_new=True, row=row, given=self.slots.of(given), touched=True)
            self.book.add(known)
            return Outcome.ADDED, known
        identity, known = met
        if known.row is not None:
            return self._join(known, record, identity), known
        if self.mode is Mode.ADD_ONLY:
            return Outcome.LEFT_OUT, known
        known.row, known.given, known.touched = row, self._bits(record), True
        return self._apply(known, differences(known.values, record)), known

    def _bits(self, record: Record) -> int:
        return self.slots.of(name for name, value in record.items() if value is not None)

    def _join(self, known: Known, record: Record, identity: str) -> Outcome:
        against = contradiction(known, record, identity, self.slots, self.properties)
        if against is not None:
            raise against
        # What an earlier row said stays; this one only fills its gaps. An empty cell empties nothing here.
        fills = {n: v for n, v in record.items() if v is not None and not known.given & self.slots.bit.get(n, 0)}
        given = known.given | self._bits(record)
        if given != known.given:
            known.given, known.touched = given, True
        return self._apply(known, differences(known.values, fills))

    def _apply(self, known: Known, changed: Record) -> Outcome:
        if not changed:
            return Outcome.UNCHANGED
        for name, value in changed.items():
            if name in IDENTITIES:
                self.book.move(known, name, value)
            known.before.setdefault(name, known.values.get(name))
            known.values[name] = value
        known.touched = True
        return Outcome.UPDATED
