"""What a member decides about the columns of a file, as it is stored with the import."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nps.contacts.rules import columns, values
from nps.contacts.rules.columns import NO_VALUE, Preset
from nps.contacts.rules.fields import COMPARED, COUNTED, DATED, IDENTITIES, LABELS, PROPERTY, Context, RowReader, label
from nps.contacts.rules.joining import Mode, Slots
from nps.contacts.rules.properties import Kind, Property
from nps.contacts.rules.values import DateOrder

LEFT_OUT = ""


@dataclass
class Matching:
    """`targets`: one for each column: a field, `p.<key>`, or "" for left out. `new`: properties to make, by key."""

    targets: list[str]
    new: dict[str, Property] = field(default_factory=dict)
    mode: Mode = Mode.ADD_AND_UPDATE
    blank_empties: bool = False
    orders: dict[str, DateOrder] = field(default_factory=dict)
    commas: list[str] = field(default_factory=list)
    preset: Preset | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "targets": self.targets,
            "new": {key: {"label": p.label, "kind": p.kind.value, "choices": list(p.choices)} for key, p in self.new.items()},
            "mode": self.mode.value,
            "blank_empties": self.blank_empties,
            "orders": {name: order.value for name, order in self.orders.items()},
            "commas": self.commas,
            "preset": self.preset.value if self.preset else None,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Matching":
        return cls(
            targets=list(stored["targets"]),
            new={key: Property(key, given["label"], Kind(given["kind"]), tuple(given["choices"])) for key, given in stored["new"].items()},
            mode=Mode(stored["mode"]),
            blank_empties=stored["blank_empties"],
            orders={name: DateOrder(order) for name, order in stored["orders"].items()},
            commas=list(stored["commas"]),
            preset=Preset(stored["preset"]) if stored["preset"] else None,
        )

    @property
    def used(self) -> list[tuple[int, str]]:
        """(index, target) of the columns that are not left out."""
        return [(index, target) for index, target in enumerate(self.targets) if target]

    def context(self, base: Context) -> Context:
        """How this file's texts are read."""
        return Context(base.now, base.currency, {**base.properties, **self.new}, self.orders, frozenset(self.commas))

    def reader(self, base: Context) -> RowReader:
        """The reader of this file's rows."""
        nothing = NO_VALUE if self.preset else frozenset[str]()
        return RowReader(self.used, self.context(base), blank_empties=self.blank_empties, nothing=nothing)

    def slots(self) -> Slots:
        """A bit for each column that this file can give."""
        return Slots([*COMPARED, *(target for _, target in self.used if target.startswith(PROPERTY))])


def propose(
    header: Sequence[str], sample: Sequence[Sequence[str]], properties: Mapping[str, Property], last: Mapping[str, Any] | None = None
) -> Matching:
    """What the member is shown first: the last decision about these headings where it still fits, else a guess."""
    guesses = columns.guess(header, sample, properties)
    matching = Matching([g.target for g in guesses], preset=columns.find_preset(header))
    matching.new = {g.new.key: g.new for g in guesses if g.new}
    if last:
        before = Matching.from_json(last)
        matching.targets = [
            target if not target.startswith(PROPERTY) or target[2:] in properties else LEFT_OUT
            for target in [*before.targets, *([LEFT_OUT] * len(header))][: len(header)]
        ]
        matching.new, matching.mode, matching.blank_empties = {}, before.mode, before.blank_empties
    return matching


def problems(matching: Matching, properties: Mapping[str, Property]) -> list[str]:
    """What keeps this matching from being used, as sentences."""
    used = [target for _, target in matching.used]
    found = []
    for target, times in Counter(used).items():
        if times > 1:
            found.append(f"{times} columns are matched to “{label(target, {**properties, **matching.new})}”. Each field takes one.")
        elif target not in LABELS and target[len(PROPERTY) :] not in {**properties, **matching.new}:
            found.append(f"There is no field “{target[:40]}”. Choose another one.")
    if not any(name in used for name in IDENTITIES):
        found.append("No column is matched to an email, a phone or your customer number. One of them is needed to tell people apart.")
    return found


def dated(matching: Matching, properties: Mapping[str, Property]) -> dict[str, int]:
    """Fields of this file that hold dates: field → column."""
    known = {**properties, **matching.new}
    return {t: i for i, t in matching.used if t in DATED or (t.startswith(PROPERTY) and known[t[2:]].kind is Kind.DATE)}


def counted(matching: Matching, properties: Mapping[str, Property]) -> dict[str, int]:
    """Fields of this file that hold numbers with a decimal sign: field → column."""
    known = {**properties, **matching.new}
    return {t: i for i, t in matching.used if t in COUNTED or (t.startswith(PROPERTY) and known[t[2:]].kind is Kind.NUMBER)}


_NUMBERS_SEEN = 20_000


def settle(
    matching: Matching,
    chunks: Iterable[Sequence[tuple[int, Sequence[str]]]],
    properties: Mapping[str, Property],
    asked: Mapping[str, DateOrder] | None = None,
) -> list[str]:
    """Settle day and month and the decimal sign of each column from its values; returns the date fields that no value settles.

    `chunks` are read only as far as they are needed. What the member was `asked` wins where the values leave it open.
    """
    votes = {name: values.DateVotes() for name in dated(matching, properties)}
    columns_of = {**dated(matching, properties), **counted(matching, properties)}
    numbers: dict[str, list[str]] = {name: [] for name in columns_of if name not in votes}
    seen = 0
    for rows in chunks:
        for name, index in columns_of.items():
            texts = [cells[index] for _, cells in rows if index < len(cells)]
            if name in votes:
                votes[name].add(texts)
            elif seen < _NUMBERS_SEEN:
                numbers[name] += texts
        seen += len(rows)
        if seen >= _NUMBERS_SEEN and all(vote.settled for vote in votes.values()):
            break
    matching.orders = {name: vote.order for name, vote in votes.items() if vote.order is not None}
    matching.commas = [name for name, texts in numbers.items() if values.uses_decimal_comma(texts)]
    unsettled = [name for name, vote in votes.items() if not vote.settled]
    for name in list(unsettled):
        if asked and name in asked:
            matching.orders[name] = asked[name]
            unsettled.remove(name)
    return unsettled


def mostly(reasons: Sequence[str]) -> str:
    """The most frequent reason, without the value it quotes."""
    return Counter(reason.partition(":")[0] for reason in reasons).most_common(1)[0][0] if reasons else ""


# The form


@dataclass(frozen=True)
class Offer:
    """What a column can become: choices beside the built-in fields, and what its first cells say."""

    examples: list[str]
    new: list[tuple[str, str]]
    new_label: str


_KIND_WORDS = {Kind.TEXT: "text", Kind.NUMBER: "number", Kind.YES_NO: "yes or no", Kind.DATE: "date"}
_NEW = "new:"


def offers(header: Sequence[str], sample: Sequence[Sequence[str]], properties: Mapping[str, Property]) -> list[Offer]:
    """For each column its first values and the properties that it could be made into, the fitting type first."""
    found = []
    for index, name in enumerate(header):
        cells = columns.column(sample, index)
        proposed = columns.propose_property(name, cells, properties)
        kinds = sorted(_KIND_WORDS, key=lambda kind: proposed is not None and kind is not proposed.kind) if proposed else []
        found.append(
            Offer(
                [cell for cell in dict.fromkeys(cells) if cell][:3],
                [(f"{_NEW}{kind.value}", f"{proposed.label}, {_KIND_WORDS[kind]}") for kind in kinds] if proposed else [],
                proposed.label if proposed else "",
            )
        )
    return found


def from_choices(
    choices: Sequence[str], header: Sequence[str], sample: Sequence[Sequence[str]], properties: Mapping[str, Property]
) -> Matching:
    """A matching from what was chosen for each column: a field, `p.<key>`, `new:<type>`, or "" for left out."""
    matching = Matching([])
    for index, choice in enumerate(choices):
        if not choice.startswith(_NEW):
            matching.targets.append(choice)
            continue
        proposed = columns.propose_property(header[index], columns.column(sample, index), {**properties, **matching.new})
        kind = choice[len(_NEW) :]
        if proposed is None or kind not in {k.value for k in _KIND_WORDS}:
            matching.targets.append(LEFT_OUT)
            continue
        matching.new[proposed.key] = Property(proposed.key, proposed.label, Kind(kind))
        matching.targets.append(PROPERTY + proposed.key)
    return matching


def choice_of(matching: Matching, index: int) -> str:
    """The form's value for a column."""
    target = matching.targets[index] if index < len(matching.targets) else LEFT_OUT
    prop = matching.new.get(target[len(PROPERTY) :]) if target.startswith(PROPERTY) else None
    return f"{_NEW}{prop.kind.value}" if prop else target


def read_orders(form: Mapping[str, str]) -> dict[str, DateOrder]:
    """What was answered about day and month: `order.<field>` = day or month."""
    found = {}
    for name, value in form.items():
        if name.startswith("order.") and value in set(DateOrder):
            found[name.removeprefix("order.")] = DateOrder(value)
    return found


def name_column(matching: Matching) -> tuple[int, ...]:
    """The columns in which a row says who it is about, for showing."""
    where = {target: index for index, target in matching.used}
    if "name" in where:
        return (where["name"],)
    parts = tuple(where[part] for part in ("first_name", "last_name") if part in where)
    return parts or tuple(where[part] for part in ("company", "email", "external_id") if part in where)[:1]
