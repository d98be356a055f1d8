"""Programs, their versions and what going live depends on."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select

from nps.accounts import queries as accounts
from nps.core import settings, tenancy
from nps.core.db import db
from nps.core.errors import NotFound
from nps.core.prepared import ACCOUNT, Finder, First, Prepared
from nps.delivery.models import SenderDomain
from nps.referrals.models import Program, ProgramChange, ProgramVersion
from nps.referrals.rules import checks
from nps.referrals.rules.programs import Change, ProgramState, Readiness


def list_programs() -> Sequence[Program]:
    """All programs, the default first, then the newest."""
    rows = db.session.scalars(select(Program)).all()
    return sorted(rows, key=lambda p: (p.default_since is None, -(p.default_since or p.created_at).timestamp()))


_default = First(Program, lambda t: (t.c.default_since.is_not(None),), order_by=lambda t: t.c.default_since.desc())
_D = SenderDomain.__table__
_HOSTS = Prepared(select(_D.c.domain).where(_D.c.account_id == ACCOUNT, _D.c.state == "verified"))


def default_program() -> Program | None:
    """The program promoters are asked into."""
    return _default()


find_program = Finder(Program)


def get_program(program_id: UUID) -> Program:
    found = find_program(program_id)
    if found is None:
        raise NotFound("There is no such program here.")
    return found


def get_version(version_id: UUID) -> ProgramVersion:
    found = db.session.get(ProgramVersion, (tenancy.current(), version_id))
    if found is None:
        raise NotFound
    return found


def newest_version(program_id: UUID) -> ProgramVersion:
    """The version with the highest number, whether it holds already or not: what the form edits."""
    found = db.session.scalar(
        select(ProgramVersion).where(ProgramVersion.program_id == program_id).order_by(ProgramVersion.number.desc()).limit(1)
    )
    if found is None:
        raise NotFound
    return found


_in_force = First(
    ProgramVersion,
    lambda t: (t.c.program_id == bindparam("program"), t.c.effective_at <= bindparam("at")),
    order_by=lambda t: t.c.number.desc(),
)
_first_version = First(ProgramVersion, lambda t: (t.c.program_id == bindparam("program"),), order_by=lambda t: t.c.number)


def version_at(program_id: UUID, at: datetime) -> ProgramVersion:
    """The version in force at an instant; the first one for instants before any."""
    found = _in_force(program=program_id, at=at) or _first_version(program=program_id)
    if found is None:
        raise NotFound
    return found


def latest_version(program_id: UUID, now: datetime) -> ProgramVersion:
    """What people are promised now."""
    return version_at(program_id, now)


def changes_of(program_id: UUID) -> list[Change]:
    """When the program was in which state, oldest first."""
    rows = db.session.scalars(
        select(ProgramChange).where(ProgramChange.program_id == program_id).order_by(ProgramChange.occurred_at, ProgramChange.id)
    )
    return [Change(row.occurred_at, ProgramState(row.state)) for row in rows]


def verified_hosts() -> frozenset[str]:
    """Domains the account has shown to be its own: links and redirects may lead there and to their subdomains."""
    db.session.flush()
    own = frozenset(row.domain for row in _HOSTS())
    return own | {pair for pair in settings.current().outgoing_allow if pair.startswith("127.0.0.1:")}


def own_domains() -> frozenset[str]:
    """Domains of the company's own people. Free mail is nobody's own."""
    account = accounts.get_account(tenancy.current())
    addresses = {account.sender_email, account.reply_to}
    domains = {checks.domain_of(a) for a in addresses if "@" in a} | set(verified_hosts())
    return frozenset(d for d in domains if d and d not in checks.FREE_MAIL)


def readiness(program: Program, version: ProgramVersion) -> Readiness:
    account = accounts.get_account(tenancy.current())
    return Readiness(
        friend_words=version.friend_words,
        advocate_words=version.advocate_words,
        destination_url=program.destination_url,
        verified_hosts=verified_hosts(),
        terms=version.terms,
        sender_email=account.sender_email,
        postal_address=account.postal_address,
    )
