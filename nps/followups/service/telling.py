"""Mail to members about cases: short, with the link, without the customer's words or address."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from nps.accounts import queries as accounts
from nps.contacts import queries as contacts
from nps.core import tenancy
from nps.followups import queries
from nps.followups.models import Case
from nps.followups.rules import words
from nps.followups.rules.hours import Hours
from nps.followups.service import mail


def tell(
    case: Case, hours: Hours, to: Iterable[UUID | None], said: str, *, key: str, now: datetime, lines: Iterable[str] = ()
) -> list[UUID]:
    """One mail to each member, once per key. Gives the ids of those who were told.

    `said` is the subject after the customer's name: "Reply is overdue". The key makes a repeat harmless.
    """
    people = {membership.id: user for membership, user in accounts.list_members()}
    told: list[UUID] = []
    for member_id in to:
        if member_id is None or member_id not in people or member_id in told:
            continue
        told.append(member_id)
        mail.to_member(
            people[member_id].email,
            _subject(case, said),
            _text(case, hours, said, lines, now),
            key=f"case:{case.id}:{key}:{member_id}",
            case=case,
        )
    return told


def _subject(case: Case, said: str) -> str:
    name = contacts.get_contact(case.contact_id).shown_name
    score = f", score {case.score}" if case.score is not None else ""
    return f"{said}: {name}{score}"


def _text(case: Case, hours: Hours, said: str, lines: Iterable[str], now: datetime) -> str:
    account = accounts.get_account(tenancy.current())
    owner = queries.names_of_members().get(case.owner_id) if case.owner_id else None
    about = [f"{said}.", *lines]
    if case.due_at is not None:
        about.append(f"Reply due {words.full(case.due_at, hours.tz)} ({hours.zone}).")
    if case.wants_reply:
        about.append("The customer asked for a reply.")
    about.append(f"Owner: {owner or 'nobody yet'}.")
    return "\n".join(about) + f"\n\n{mail.case_address(account.slug, case.id)}\n"
