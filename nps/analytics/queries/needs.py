"""What waits for a person, and how far the loop went: counts the lower floors keep, read for the overview."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from nps.analytics.queries.funnel import instants
from nps.analytics.rules.filters import Window
from nps.contacts.models import Import
from nps.core import clock
from nps.core.db import db
from nps.followups import queries as followups
from nps.followups.queries import Loop
from nps.followups.queries import NeedsYou as Cases
from nps.referrals import queries as referrals
from nps.referrals.rules.programs import ProgramState
from nps.rewards import queries as rewards
from nps.rewards.queries import NeedsYou as Rewards


@dataclass(frozen=True)
class ToFix:
    """Rows of imports that wait for a correction; the import is the latest that has some."""

    rows: int
    import_id: UUID | None
    finished_at: datetime | None


@dataclass(frozen=True)
class Waiting:
    """Everything the strip may show; None where the member has no right to it."""

    cases: Cases | None
    rewards: Rewards | None
    imports: ToFix | None


def waiting(cases: bool, reward: bool, imports: bool) -> Waiting:
    """What waits, for a member with these rights."""
    return Waiting(
        followups.needs_you(clock.now()) if cases else None,
        rewards.needs_you() if reward else None,
        _to_fix() if imports else None,
    )


def _to_fix() -> ToFix:
    open_ones = (Import.to_fix > 0, Import.state.in_(("done", "stopped")), Import.undone_at.is_(None), Import.forgotten_at.is_(None))
    rows = db.session.execute(select(Import.id, Import.to_fix, Import.finished_at).where(*open_ones).order_by(Import.id.desc())).all()
    return ToFix(sum(row.to_fix for row in rows), rows[0].id if rows else None, rows[0].finished_at if rows else None)


def loop(window: Window, zone: str) -> Loop:
    """Cases of the answers in the window: needed a reply, contacted, fixed."""
    return followups.loop(*instants(window, zone))


def cases_of(response_ids: list[UUID]) -> dict[UUID, UUID]:
    """Response → its case, for those that have one."""
    return followups.case_ids_of(response_ids)


@dataclass(frozen=True)
class Shares:
    """Is the program open to new people, and who of those asked about is in it: contact → advocate."""

    open: bool
    advocates: dict[UUID, UUID]


def shares_of(contact_ids: list[UUID | None]) -> Shares:
    """How these people stand to the default program."""
    program = referrals.default_program()
    if program is None:
        return Shares(False, {})
    known = [one for one in contact_ids if one is not None]
    return Shares(program.state == ProgramState.LIVE, referrals.advocate_ids_of(program.id, known))
