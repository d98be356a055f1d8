"""Reads of causes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from nps.causes.models import Cause, CauseLink
from nps.contacts.models import Contact
from nps.core.db import db
from nps.core.errors import NotFound


def get_cause(cause_id: UUID) -> Cause:
    found = db.session.scalar(select(Cause).where(Cause.id == cause_id))
    if found is None:
        raise NotFound
    return found


def find_by_name(name: str) -> Cause | None:
    """The cause of this name, whatever the case of its letters."""
    return db.session.scalar(select(Cause).where(func.lower(Cause.name) == name.strip().lower()))


def list_causes() -> Sequence[Cause]:
    return db.session.scalars(select(Cause).order_by(Cause.name)).all()


@dataclass(frozen=True, slots=True)
class Standing:
    """What a cause weighs: confirmed links only. Money is a month, in the account's currency; a company counts once."""

    cause: Cause
    answers: int = 0
    customers: int = 0
    open_cases: int = 0
    value_minor: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    suggested: int = 0


def register(currency: str) -> list[Standing]:
    """Every cause with its weight, by what its customers pay, then by answers and name."""
    confirmed = CauseLink.confirmed_at.is_not(None)
    counts = {
        row.cause_id: row
        for row in db.session.execute(
            select(
                CauseLink.cause_id,
                func.count(CauseLink.response_id).label("answers"),
                func.count(func.distinct(CauseLink.contact_id)).label("customers"),
                func.min(CauseLink.raised_at).label("first_at"),
                func.max(CauseLink.raised_at).label("last_at"),
            )
            .where(confirmed)
            .group_by(CauseLink.cause_id)
        )
    }
    open_cases = _counted(
        select(CauseLink.cause_id, func.count(func.distinct(CauseLink.contact_id))).where(confirmed, CauseLink.case_is_open)
    )
    suggested = _counted(select(CauseLink.cause_id, func.count()).where(CauseLink.confirmed_at.is_(None)))
    money = _money(currency)
    made = []
    for cause in list_causes():
        row = counts.get(cause.id)
        made.append(
            Standing(
                cause,
                row.answers if row else 0,
                row.customers if row else 0,
                open_cases.get(cause.id, 0),
                money.get(cause.id, 0),
                row.first_at if row else None,
                row.last_at if row else None,
                suggested.get(cause.id, 0),
            )
        )
    return sorted(made, key=lambda standing: (-standing.value_minor, -standing.answers, standing.cause.name))


def _counted(query: object) -> dict[UUID, int]:
    rows = db.session.execute(query.group_by(CauseLink.cause_id))  # type: ignore[attr-defined]
    return {row[0]: row[1] for row in rows}


def _money(currency: str) -> dict[UUID, int]:
    """Cause -> what the distinct customers behind it pay a month; people of one company count once, by their highest value."""
    rows = db.session.execute(
        select(CauseLink.cause_id, Contact.id, Contact.company_key, Contact.monthly_value_minor)
        .join(Contact, (Contact.id == CauseLink.contact_id) & (Contact.account_id == CauseLink.account_id))
        .where(
            CauseLink.confirmed_at.is_not(None),
            Contact.monthly_value_minor.is_not(None),
            Contact.currency.is_(None) | (Contact.currency == currency),
        )
        .distinct()
    )
    best: dict[UUID, dict[object, int]] = {}
    for cause_id, contact_id, company, value in rows:
        payer = company or contact_id
        of_cause = best.setdefault(cause_id, {})
        of_cause[payer] = max(of_cause.get(payer, 0), value or 0)
    return {cause_id: sum(values.values()) for cause_id, values in best.items()}


def causes_of(contact_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """Contact -> names of the confirmed causes they raise, by name. For tags in lists."""
    rows = db.session.execute(
        select(CauseLink.contact_id, Cause.name)
        .join(Cause, (Cause.id == CauseLink.cause_id) & (Cause.account_id == CauseLink.account_id))
        .where(CauseLink.contact_id.in_(contact_ids), CauseLink.confirmed_at.is_not(None), CauseLink.case_is_open)
        .order_by(Cause.name)
        .distinct()
    )
    found: dict[UUID, list[str]] = {}
    for contact_id, name in rows:
        found.setdefault(contact_id, []).append(name)
    return found


def links_of(cause_id: UUID, limit: int = 50) -> Sequence[CauseLink]:
    """The newest confirmed and suggested links of a cause."""
    return db.session.scalars(
        select(CauseLink).where(CauseLink.cause_id == cause_id).order_by(CauseLink.raised_at.desc()).limit(limit)
    ).all()


def find_link(cause_id: UUID, contact_id: UUID, response_id: UUID | None) -> CauseLink | None:
    same = CauseLink.response_id.is_(None) if response_id is None else CauseLink.response_id == response_id
    return db.session.scalar(select(CauseLink).where(CauseLink.cause_id == cause_id, CauseLink.contact_id == contact_id, same))


def count_links(contact_id: UUID, response_id: UUID | None) -> int:
    """How many causes an answer (or a customer without one) has."""
    same = CauseLink.response_id.is_(None) if response_id is None else CauseLink.response_id == response_id
    return db.session.scalar(select(func.count()).where(CauseLink.contact_id == contact_id, same)) or 0
