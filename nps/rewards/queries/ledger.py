"""The ledger: amounts and balances are sums of lines, never stored counters."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select

from nps.core.db import db
from nps.core.money import Money
from nps.referrals.models import Advocate
from nps.rewards.models import LedgerEntry, LedgerLine, Reward, RewardGate
from nps.rewards.rules.ledger import Account
from nps.rewards.rules.machine import Gate, RewardState


def balances(reward_id: UUID) -> dict[tuple[Account, str], int]:
    """What stands on each account name for each source fact of a reward, without zeros."""
    rows = db.session.execute(
        select(LedgerLine.name, LedgerLine.source, func.sum(LedgerLine.amount))
        .where(LedgerLine.reward_id == reward_id)
        .group_by(LedgerLine.name, LedgerLine.source)
    )
    return {(Account(name), source): int(total) for name, source, total in rows if total}


def is_cost() -> ColumnElement[bool]:
    return LedgerLine.name.in_([Account.COST_ADVOCATE, Account.COST_FRIEND])


def amount(reward_id: UUID) -> int:
    """What a reward comes to now, in minor units."""
    return int(
        db.session.scalar(select(func.coalesce(func.sum(LedgerLine.amount), 0)).where(LedgerLine.reward_id == reward_id, is_cost())) or 0
    )


def amounts(reward_ids: Iterable[UUID]) -> dict[UUID, int]:
    """What each reward comes to now."""
    wanted = list(reward_ids)
    rows = db.session.execute(
        select(LedgerLine.reward_id, func.sum(LedgerLine.amount))
        .where(LedgerLine.reward_id.in_(wanted), is_cost())
        .group_by(LedgerLine.reward_id)
    )
    found = dict.fromkeys(wanted, 0)
    found.update({reward_id: int(total) for reward_id, total in rows})
    return found


def debt(advocate_id: UUID, currency: str) -> int:
    """What the advocate got and is not due any more, over all rewards. Never below 0."""
    total = db.session.scalar(
        select(func.coalesce(func.sum(LedgerLine.amount), 0)).where(
            LedgerLine.advocate_id == advocate_id, LedgerLine.currency == currency, LedgerLine.name == Account.DEBT_ADVOCATE
        )
    )
    return max(0, int(total or 0))


@dataclass(frozen=True)
class Totals:
    """Rewards of a program in one currency: handed over (after what was taken back), to come, waiting for a person."""

    paid: int
    to_come: int
    currency: str


def totals(program_id: UUID, currency: str) -> Totals:
    rows = dict(
        db.session.execute(
            select(LedgerLine.name, func.sum(LedgerLine.amount))
            .join(Advocate, and_(Advocate.account_id == LedgerLine.account_id, Advocate.id == LedgerLine.advocate_id))
            .where(Advocate.program_id == program_id, LedgerLine.currency == currency)
            .group_by(LedgerLine.name)
        ).all()
    )
    paid = -sum(int(total) for name, total in rows.items() if name.startswith(("paid.", "debt.")))
    owed = -sum(int(total) for name, total in rows.items() if name.startswith("owed."))
    return Totals(paid, owed, currency)


@dataclass(frozen=True)
class Standing:
    """An advocate's sums in one currency."""

    credited: Money
    on_its_way: Money


def standing(advocate_id: UUID) -> list[Standing]:
    """Credited and on its way, per currency."""
    rows = db.session.execute(
        select(LedgerLine.currency, LedgerLine.name, func.sum(LedgerLine.amount))
        .where(LedgerLine.advocate_id == advocate_id)
        .group_by(LedgerLine.currency, LedgerLine.name)
    )
    sums: dict[str, list[int]] = {}
    for currency, name, total in rows:
        pair = sums.setdefault(currency, [0, 0])
        if name.startswith(("paid.", "debt.")):
            pair[0] -= int(total)
        elif name.startswith("owed."):
            pair[1] -= int(total)
    return [Standing(Money(paid, currency), Money(owed, currency)) for currency, (paid, owed) in sorted(sums.items())]


# --- what must always hold ---------------------------------------------------------------------------------------------


def violations() -> list[str]:
    """The ledger's invariants that do not hold in the account in scope, in words. Empty = all is well."""
    found = []
    lopsided = db.session.execute(
        select(LedgerLine.entry_id, LedgerLine.currency)
        .group_by(LedgerLine.entry_id, LedgerLine.currency)
        .having(func.sum(LedgerLine.amount) != 0)
    ).all()
    found += [f"entry {entry} does not sum to 0 in {currency}" for entry, currency in lopsided]
    wrong_side = db.session.execute(
        select(LedgerLine.reward_id, LedgerLine.name)
        .where(LedgerLine.name.like("owed.%"))
        .group_by(LedgerLine.reward_id, LedgerLine.name)
        .having(func.sum(LedgerLine.amount) > 0)
    ).all()
    found += [f"reward {reward}: {name} is on the wrong side" for reward, name in wrong_side]
    holders = {RewardState.PENDING: "owed.pending", RewardState.APPROVED: "owed.approved", RewardState.ISSUING: "owed.in_flight"}
    rows = db.session.execute(
        select(Reward.id, Reward.state, LedgerLine.name)
        .join(Reward, and_(Reward.account_id == LedgerLine.account_id, Reward.id == LedgerLine.reward_id))
        .where(LedgerLine.name.like("owed.%"))
        .group_by(Reward.account_id, Reward.id, Reward.state, LedgerLine.name)
        .having(func.sum(LedgerLine.amount) != 0)
    ).all()
    found += [
        f"reward {reward} is {state} but {name} holds an amount" for reward, state, name in rows if holders.get(RewardState(state)) != name
    ]
    early = db.session.execute(
        select(Reward.id)
        .join(RewardGate, and_(RewardGate.account_id == Reward.account_id, RewardGate.reward_id == Reward.id))
        .where(RewardGate.gate == Gate.HOLD, Reward.issued_at < RewardGate.until)
    ).all()
    found += [f"reward {reward} was handed over before its hold ended" for (reward,) in early]
    return found


def entries_of(reward_id: UUID) -> list[tuple[LedgerEntry, list[LedgerLine]]]:
    """The postings of a reward with their lines, oldest first."""
    lines: dict[UUID, list[LedgerLine]] = {}
    for line in db.session.scalars(select(LedgerLine).where(LedgerLine.reward_id == reward_id).order_by(LedgerLine.id)):
        lines.setdefault(line.entry_id, []).append(line)
    rows = db.session.scalars(select(LedgerEntry).where(LedgerEntry.reward_id == reward_id).order_by(LedgerEntry.posted_at, LedgerEntry.id))
    return [(entry, lines.get(entry.id, [])) for entry in rows]
