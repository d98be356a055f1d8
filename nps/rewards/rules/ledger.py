"""Ledger postings as pure lists of lines. Every posting sums to 0 in one currency.

Signs: + is debit, - is credit. Amounts are moved per source fact, so that the sum of an account per
source comes out the same whether a refund was heard before or after an approval.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from nps.rewards.rules.machine import Method, RewardState


class Account(StrEnum):
    COST_ADVOCATE = "cost.advocate"
    COST_FRIEND = "cost.friend"
    OWED_PENDING = "owed.pending"
    OWED_APPROVED = "owed.approved"
    OWED_IN_FLIGHT = "owed.in_flight"
    PAID_STRIPE_CREDIT = "paid.stripe_credit"
    PAID_CODE = "paid.code"
    PAID_MANUAL = "paid.manual"
    PAID_CUSTOM = "paid.custom"
    DEBT_ADVOCATE = "debt.advocate"


ACCOUNT_WORDS: dict[Account, str] = {
    Account.COST_ADVOCATE: "Cost of rewards to people who share",
    Account.COST_FRIEND: "Cost of rewards to friends",
    Account.OWED_PENDING: "Owed, not approved yet",
    Account.OWED_APPROVED: "Owed and approved",
    Account.OWED_IN_FLIGHT: "On its way",
    Account.PAID_STRIPE_CREDIT: "Handed over as Stripe credit",
    Account.PAID_CODE: "Handed over as a code",
    Account.PAID_MANUAL: "Handed over by the team",
    Account.PAID_CUSTOM: "Handed over another way",
    Account.DEBT_ADVOCATE: "To be netted with later rewards",
}


class EntryKind(StrEnum):
    ACCRUE = "accrue"
    APPROVE = "approve"
    SEND = "send"
    SETTLE = "settle"
    RETURN = "return"
    ADJUST = "adjust"
    CANCEL = "cancel"
    CLAW_BACK = "claw_back"
    NET = "net"
    RELEASE = "release"
    WRITE_OFF = "write_off"


ENTRY_WORDS: dict[EntryKind, str] = {
    EntryKind.ACCRUE: "Earned",
    EntryKind.APPROVE: "Approved",
    EntryKind.SEND: "Sent",
    EntryKind.SETTLE: "Handed over",
    EntryKind.RETURN: "Came back",
    EntryKind.ADJUST: "Corrected",
    EntryKind.CANCEL: "Cancelled",
    EntryKind.CLAW_BACK: "Taken back",
    EntryKind.NET: "Netted with a debt",
    EntryKind.RELEASE: "Released",
    EntryKind.WRITE_OFF: "Written off",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One signed amount on one account, for one source fact."""

    account: Account
    source: str
    amount: int


Balances = Mapping[tuple[Account, str], int]

OWED = (Account.OWED_PENDING, Account.OWED_APPROVED, Account.OWED_IN_FLIGHT)
PAID = (Account.PAID_STRIPE_CREDIT, Account.PAID_CODE, Account.PAID_MANUAL, Account.PAID_CUSTOM)
_PAID_BY = {Method.MANUAL: Account.PAID_MANUAL, Method.STRIPE_CREDIT: Account.PAID_STRIPE_CREDIT, Method.THANKS: Account.PAID_CUSTOM}
_HOLDERS = {
    RewardState.PENDING: Account.OWED_PENDING,
    RewardState.APPROVED: Account.OWED_APPROVED,
    RewardState.ISSUING: Account.OWED_IN_FLIGHT,
}


def cost(side: str) -> Account:
    return Account.COST_FRIEND if side == "friend" else Account.COST_ADVOCATE


def paid_by(method: Method) -> Account:
    return _PAID_BY[method]


def holder(state: RewardState) -> Account | None:
    """The owed.* account that holds what a reward in this state still has to hand over."""
    return _HOLDERS.get(state)


def per_source(balances: Balances, account: Account) -> dict[str, int]:
    return {source: amount for (name, source), amount in balances.items() if name is account and amount}


def total(balances: Balances, accounts: Iterable[Account]) -> int:
    wanted = set(accounts)
    return sum(amount for (name, _), amount in balances.items() if name in wanted)


def difference(wanted: Mapping[str, int], balances: Balances, side: str) -> dict[str, int]:
    """target - posted, per source fact, without zeros. Posted is what stands on the cost account."""
    posted = per_source(balances, cost(side))
    found = {source: wanted.get(source, 0) - posted.get(source, 0) for source in {*wanted, *posted}}
    return {source: amount for source, amount in sorted(found.items()) if amount}


def charge(side: str, against: Account, amounts: Mapping[str, int]) -> list[Line]:
    """Cost debited, `against` credited (a negative amount the other way): accrue, adjust, cancel."""
    made = []
    for source, amount in sorted(amounts.items()):
        if amount:
            made += [Line(cost(side), source, amount), Line(against, source, -amount)]
    return made


def shift(balances: Balances, source_account: Account, to: Account) -> list[Line]:
    """Everything that stands on one account moved to another, source by source: approve, send, settle, return."""
    made = []
    for source, amount in sorted(per_source(balances, source_account).items()):
        made += [Line(source_account, source, -amount), Line(to, source, amount)]
    return made


def settle(side: str, differences: Mapping[str, int], balances: Balances, against: Account) -> list[Line]:
    """Bring the cost to the target and decide where the other side stands.

    due = paid + owed - debt always holds. What is due beyond what was handed over is owed (on `against`); what was
    handed over beyond what is due is the advocate's debt, netted from later rewards, never an invoice.
    """
    if not differences:
        return []
    change = sum(differences.values())
    owed, paid, debt = -total(balances, OWED), -total(balances, PAID), total(balances, [Account.DEBT_ADVOCATE])
    due = total(balances, [cost(side)]) + change
    netted = max(0, -debt)
    owed_after = max(0, due - paid - netted)
    lines = charge(side, against, differences)
    extra = owed_after - (owed + change)
    if extra:
        last = max(source for source, amount in differences.items() if amount)
        lines += [Line(against, last, -extra), Line(Account.DEBT_ADVOCATE, last, extra)]
    return merged(lines)


def merged(lines: Iterable[Line]) -> list[Line]:
    """Lines on the same account and source as one, without zeros."""
    sums: dict[tuple[Account, str], int] = {}
    for line in lines:
        sums[line.account, line.source] = sums.get((line.account, line.source), 0) + line.amount
    return [Line(account, source, amount) for (account, source), amount in sums.items() if amount]


def recover(paid: Account, balances: Balances, amount: int) -> list[Line]:
    """Debt that came back from the advocate's unspent credit: paid debited, debt credited."""
    made = []
    room = amount
    for source, owing in sorted(per_source(balances, Account.DEBT_ADVOCATE).items()):
        part = min(max(0, owing), room)
        if part:
            room -= part
            made += [Line(paid, source, part), Line(Account.DEBT_ADVOCATE, source, -part)]
    return made


def net_debt(balances: Balances, debt: int) -> list[Line]:
    """Pay an open debt from what is approved: owed.approved debited, debt.advocate credited."""
    made = []
    room = debt
    for source, amount in sorted(per_source(balances, Account.OWED_APPROVED).items()):
        part = min(max(0, -amount), room)
        if part:
            room -= part
            made += [Line(Account.OWED_APPROVED, source, part), Line(Account.DEBT_ADVOCATE, source, -part)]
    return made


def apply(balances: Balances, lines: Iterable[Line]) -> dict[tuple[Account, str], int]:
    """Balances after posting the lines."""
    after = dict(balances)
    for line in lines:
        after[line.account, line.source] = after.get((line.account, line.source), 0) + line.amount
    return {key: amount for key, amount in after.items() if amount}


def problems(lines: Iterable[Line]) -> str:
    """Why these lines are not an entry, or "": at least two, none 0, summing to 0."""
    found = list(lines)
    if len(found) < 2:
        return "an entry has at least two lines"
    if any(line.amount == 0 for line in found):
        return "a line moves nothing"
    return "" if sum(line.amount for line in found) == 0 else "the lines do not sum to 0"
