"""How much is due: a pure function of the facts.

For a sale with gross G > 0 and net N: left = max(0, G - refunds - credit notes - disputes withheld),
net_left = half_up(N x left / G), a percent reward is half_up(net_left x basis points / 10,000), a flat
one half_up(flat x left / G). Each adjustment's own line is the due after it minus the due before it,
taken in order (occurred_at, id). The same facts give the same lines whatever order they came in.
All amounts are integer minor units of one currency; nothing is ever converted.
"""

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from nps.core.money import half_up

Key = tuple[str, str, str, str]
"""(referral, rule, side, source) as text: what makes a reward one reward."""


class Kind(StrEnum):
    FLAT = "flat"
    PERCENT = "percent"
    THANKS = "thanks"


class On(StrEnum):
    SIGNUP = "signup"
    QUALIFIED = "qualified"
    CONVERSION = "conversion"
    MILESTONE = "milestone"


class Period(StrEnum):
    MONTH = "month"
    YEAR = "year"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A refund, credit note or dispute with what it takes from the sale now (0 = nothing)."""

    id: str
    occurred_at: datetime
    amount: int


@dataclass(frozen=True, slots=True)
class Sale:
    """One conversion with its adjustments. `day` is its date in the account's zone, for caps."""

    id: str
    occurred_at: datetime
    gross: int
    net: int
    currency: str
    day: date
    adjustments: tuple[Adjustment, ...] = ()

    @property
    def taken(self) -> int:
        return sum(max(0, a.amount) for a in self.adjustments)

    @property
    def left(self) -> int:
        """What remains of the gross, never below 0."""
        return max(0, self.gross - self.taken)

    @property
    def net_left(self) -> int:
        return net_left(self, self.left)


def net_left(sale: Sale, left: int) -> int:
    return half_up(sale.net * left, sale.gross) if sale.gross > 0 else 0


@dataclass(frozen=True, slots=True)
class Rule:
    """One reward rule of a program version.

    `amounts` maps currency to minor units (flat); `basis_points` is the share of net (percent).
    `max_months`: 1 = the first sale only, n = sales in the first n months, None = as long as they pay.
    `count` and `label`: a milestone, something in words on top of the n-th friend.
    `full_while`: keep the full flat amount while net_left is at least this; None = always in proportion.
    """

    id: str
    side: str
    on: On
    kind: Kind
    amounts: Mapping[str, int] = field(default_factory=dict)
    basis_points: int = 0
    max_months: int | None = 1
    full_while: int | None = None
    count: int = 0
    label: str = ""


def due(rule: Rule, sale: Sale, left: int) -> int | None:
    """The reward for a sale of which `left` remains; None when the rule has no amount in its currency."""
    if rule.kind is Kind.THANKS or sale.gross <= 0:
        return 0
    remaining = net_left(sale, left)
    if rule.kind is Kind.PERCENT:
        return half_up(remaining * rule.basis_points, 10_000)
    flat = rule.amounts.get(sale.currency)
    if flat is None:
        return None
    if rule.full_while is not None and left > 0 and remaining >= rule.full_while:
        return flat
    return half_up(flat * left, sale.gross)


def add_months(moment: datetime, months: int) -> datetime:
    """The same day and time n months later, or the month's last day."""
    years, month0 = divmod(moment.month - 1 + months, 12)
    year, month = moment.year + years, month0 + 1
    return moment.replace(year=year, month=month, day=min(moment.day, monthrange(year, month)[1]))


def paying(rule: Rule, qualifying: Sale | None, sales: Iterable[Sale]) -> list[Sale]:
    """The sales a rule pays for, oldest first, from the qualifying one on."""
    if qualifying is None:
        return []
    if rule.on is On.QUALIFIED or rule.max_months == 1:
        return [qualifying]
    end = None if rule.max_months is None else add_months(qualifying.occurred_at, rule.max_months)
    order = (qualifying.occurred_at, qualifying.id)
    return [
        s
        for s in sorted(sales, key=lambda s: (s.occurred_at, s.id))
        if (s.occurred_at, s.id) >= order and (end is None or s.occurred_at < end)
    ]


@dataclass(frozen=True, slots=True)
class Earned:
    """One reward that the facts call for. `barred` = a person decided that nothing is paid."""

    key: Key
    rule: Rule
    advocate: str
    sale: Sale | None
    occurred_at: datetime
    day: date
    currency: str
    barred: bool = False


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `amount` minor units and `count` rewards per advocate and period, in one currency."""

    period: Period
    currency: str
    amount: int | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """What a reward comes to: its amount, the line of each source fact, and what a cap took off.

    `in_words`: it is earned, but is no money (a free month, thanks from a person).
    """

    amount: int
    lines: Mapping[str, int]
    over_cap: int = 0
    no_currency: bool = False
    in_words: bool = False


def lines(rule: Rule, sale: Sale, ceiling: int | None = None) -> dict[str, int] | None:
    """The amount each source fact adds, in order; they sum to the due. None = no amount in the currency.

    A ceiling (what a cap leaves) limits the running due, so a refund only bites below it.
    """

    def limited(amount: int) -> int:
        return amount if ceiling is None else min(amount, ceiling)

    first = due(rule, sale, sale.gross)
    if first is None:
        return None
    before = limited(first)
    found = {sale.id: before}
    taken = 0
    for adjustment in sorted(sale.adjustments, key=lambda a: (a.occurred_at, a.id)):
        taken += max(0, adjustment.amount)
        after = limited(due(rule, sale, max(0, sale.gross - taken)) or 0)
        found[adjustment.id] = found.get(adjustment.id, 0) + after - before
        before = after
    return found


def period_of(period: Period, day: date) -> str:
    if period is Period.MONTH:
        return f"{day:%Y-%m}"
    return f"{day:%Y}" if period is Period.YEAR else "all"


def target(earned: Iterable[Earned], caps: Sequence[Cap] = ()) -> dict[Key, Due]:
    """What every reward of the given facts comes to.

    Caps are counted in the order the events happened; a reward takes from its advocate's cap what it
    finally comes to, so a refunded or declined one leaves room for the next.
    """
    used: dict[tuple[str, Cap, str], tuple[int, int]] = {}
    result: dict[Key, Due] = {}
    for each in sorted(earned, key=lambda e: (e.occurred_at, e.key)):
        if each.barred:
            result[each.key] = Due(0, _zero(each))
            continue
        if each.rule.kind is Kind.THANKS:
            result[each.key] = Due(0, {}, in_words=True)
            continue
        ceiling: int | None = None
        slots = [(each.advocate, cap, period_of(cap.period, each.day)) for cap in caps if cap.currency == each.currency]
        for slot in slots:
            spent, count = used.get(slot, (0, 0))
            cap = slot[1]
            if cap.amount is not None:
                room = max(0, cap.amount - spent)
                ceiling = room if ceiling is None else min(ceiling, room)
            if cap.count is not None and count >= cap.count:
                ceiling = 0
        free = _lines(each, None)
        if free is None:
            result[each.key] = Due(0, _zero(each), no_currency=True)
            continue
        held = _lines(each, ceiling) or {}
        amount, uncapped = sum(held.values()), sum(free.values())
        for slot in slots:
            spent, count = used.get(slot, (0, 0))
            used[slot] = (spent + amount, count + (amount > 0))
        result[each.key] = Due(amount, held, over_cap=uncapped - amount)
    return result


def _lines(each: Earned, ceiling: int | None) -> dict[str, int] | None:
    if each.sale is not None:
        return lines(each.rule, each.sale, ceiling)
    # A reward for a sign-up hangs on no money: the flat amount, from the referral itself.
    flat = each.rule.amounts.get(each.currency) if each.rule.kind is Kind.FLAT else 0
    if flat is None:
        return None
    return {each.key[3]: flat if ceiling is None else min(flat, ceiling)}


def _zero(each: Earned) -> dict[str, int]:
    ids = [each.key[3]] if each.sale is None else [each.sale.id, *(a.id for a in each.sale.adjustments)]
    return dict.fromkeys(ids, 0)
