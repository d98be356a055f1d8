"""One contact at a time: added, changed, held, asked, answered, erased."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, case, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from nps.accounts import queries as accounts
from nps.contacts import queries
from nps.contacts.errors import TwoContacts
from nps.contacts.events import ContactCreated, ContactErased, ContactUpdated
from nps.contacts.models import ConsentChange, Contact, ContactAlias, ContactTally, ImportChange, ImportRow
from nps.contacts.rules.fields import (
    COMPARED,
    IDENTITIES,
    IDENTITY_NOUNS,
    LABELS,
    PROPERTY,
    Context,
    Record,
    keys_of,
    read_fields,
)
from nps.contacts.rules.joining import differences, identity_key
from nps.core import clock, events, ids, tenancy
from nps.core.db import db
from nps.core.errors import Invalid
from nps.core.prepared import ACCOUNT, Prepared
from nps.delivery import service as delivery
from nps.delivery.events import YearlyChosen

Given = Mapping[str, Any]
_C = Contact.__table__
_EMPTIED = (
    "email", "email_key", "email_reduced", "phone", "external_id", "name", "name_key", "surname_key", "first_name", "title", "company",
    "company_key", "locale", "time_zone", "country", "customer_since", "monthly_value_minor", "currency",
    "import_id", "import_row", "import_given",
)  # fmt: skip


def upsert(data: Given, *, source: str = "member", by: str = "", agreed_text: str = "") -> tuple[Contact, bool]:
    """Add a contact or change the one that `data` points at by external id, email or phone; (contact, was it added).

    `data`: field names of the API with texts (or JSON values), `properties` a dict by key. Fields not named stay, None
    or "" empties. Raises `Invalid` with a reason for each field, `TwoContacts` (409) when identifiers disagree.
    """
    now = clock.now()
    record = _read(data, now)
    contact = _meant(record)
    added = contact is None
    if contact is None:
        contact = _add(record, source, by, agreed_text, now)
    else:
        _change(contact, record, source, by, agreed_text, now)
    _stop_if_said(contact, record, source)
    return contact, added


def add(data: Given, *, source: str = "member", by: str = "", agreed_text: str = "") -> Contact:
    """Add a contact that must be new. Raises `TwoContacts` when an identifier belongs to somebody, and `Invalid`."""
    now = clock.now()
    record = _read(data, now)
    known = _meant(record)
    if known is not None:
        raise _two(next(name for name in IDENTITIES if record.get(name) and queries.find_by_identity(name, record[name])), known)
    contact = _add(record, source, by, agreed_text, now)
    _stop_if_said(contact, record, source)
    return contact


def edit(contact_id: UUID, data: Given, *, source: str = "member", by: str = "", agreed_text: str = "") -> Contact:
    """Change one contact, identifiers included. Raises as `upsert` does, and `NotFound`."""
    now = clock.now()
    contact = queries.get_contact(contact_id)
    record = _read(data, now, contact.country)
    for name in IDENTITIES:
        value = record.get(name)
        owner = queries.find_by_identity(name, value) if value else None
        if owner is not None and owner.id != contact.id:
            raise _two(name, owner)
    _change(contact, record, source, by, agreed_text, now)
    _stop_if_said(contact, record, source)
    return contact


def _stop_if_said(contact: Contact, record: Record, source: str) -> None:
    """`unsubscribed` = yes is a stop from elsewhere; no never lifts one."""
    if record.get("unsubscribed") and contact.email:
        delivery.suppress(contact.email, "imported", source[:40], contact_id=contact.id)


def _read(data: Given, now: datetime, country: str | None = None) -> Record:
    properties = queries.properties()
    texts: dict[str, str | None] = {}
    wrong: dict[str, str] = {}
    for name, value in data.items():
        if name == "properties":
            for key, inner in (value or {}).items():
                if key not in properties:
                    wrong[PROPERTY + key] = f"There is no property “{key[:40]}”"
                else:
                    texts[PROPERTY + key] = _text(inner)
        elif name == "monthly_value" and isinstance(value, Mapping):
            # The API's form of money: minor units and currency.
            texts["monthly_value"] = None
        elif name in LABELS:
            texts[name] = _text(value)
        else:
            wrong[name] = f"There is no field “{name[:40]}”"
    currency = accounts.get_account(tenancy.current()).currency
    record, problems = read_fields(texts, Context(now, currency, properties), country)
    amount = data.get("monthly_value")
    if isinstance(amount, Mapping):
        problems |= _amount(amount, record, Context(now, currency))
    wrong |= problems
    if wrong:
        first = next(iter(wrong.values()))
        raise Invalid(f"{first}." if len(wrong) == 1 else f"{len(wrong)} fields need another look.", fields=wrong)
    return record


def _amount(amount: Mapping[str, Any], record: Record, context: Context) -> dict[str, str]:
    minor, currency = amount.get("amount"), amount.get("currency", context.currency)
    if not isinstance(minor, int) or isinstance(minor, bool) or not 0 <= minor < 10**15:
        return {"monthly_value": "Monthly value is not a whole number of minor units"}
    checked, wrong = read_fields({"currency": str(currency)}, context)
    record["monthly_value_minor"], record["currency"] = minor, checked.get("currency")
    return wrong


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)


def _meant(record: Record) -> Contact | None:
    """The contact that the identifiers point at. Raises `TwoContacts`, and `Invalid` when there is no identifier."""
    given = [name for name in IDENTITIES if record.get(name)]
    if not given:
        raise Invalid("A contact needs an email, a phone or a customer number.", fields={"email": "No email, phone or customer number"})
    meant: Contact | None = None
    for name in given:
        found = queries.find_by_identity(name, record[name])
        if found is None:
            continue
        if meant is not None and found.id != meant.id:
            raise _two(name, found)
        meant = found
    return meant


def _two(name: str, owner: Contact) -> TwoContacts:
    text = f"This {IDENTITY_NOUNS[name]} belongs to another contact, number {owner.number}."
    return TwoContacts(f"{text} Correct one of them, or merge the two.", fields={name: text.rstrip(".")})


def values_of(contact: Contact) -> Record:
    """The contact as rules compare it: columns by name, properties under `p.<key>`."""
    found: Record = {name: getattr(contact, name) for name in COMPARED}
    found |= {PROPERTY + key: value for key, value in contact.properties.items()}
    return found


def count_in(many: int) -> int:
    """Take `many` numbers for new contacts and count them in; returns the first. Locks the account's row until the unit ends."""
    make = postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    row = make(ContactTally).values(account_id=tenancy.current(), last_number=many, contacts=many)
    row = row.on_conflict_do_update(
        index_elements=["account_id"],
        set_={"last_number": ContactTally.last_number + many, "contacts": ContactTally.contacts + many},
    )
    last: int = db.session.execute(row.returning(ContactTally.last_number)).scalar_one()
    return last - many + 1


def count_out(many: int) -> None:
    """`many` contacts are gone."""
    db.session.execute(
        update(ContactTally)
        .where(ContactTally.account_id == tenancy.current())
        .values(contacts=ContactTally.contacts - many)
        .execution_options(synchronize_session=False)
    )


def _add(record: Record, source: str, by: str, agreed_text: str, now: datetime) -> Contact:
    given = {name: value for name, value in record.items() if value is not None and name != "unsubscribed"}
    contact = Contact(number=count_in(1), properties={}, holds={}, answers=0, created_at=now, updated_at=now)
    contact.id = ids.new_id()
    contact.consent_email = contact.consent_sms = "unknown"
    db.session.add(contact)
    put(contact, given)
    db.session.flush()
    note_consent(contact, {}, given, source, by, agreed_text, now)
    db.session.flush()
    events.publish(ContactCreated(tenancy.current(), contact.id, now))
    return contact


def _change(contact: Contact, record: Record, source: str, by: str, agreed_text: str, now: datetime) -> None:
    before = values_of(contact)
    changed = differences(before, record)
    if not changed:
        return
    after = before | changed
    if not any(after.get(name) for name in IDENTITIES):
        raise Invalid("A contact needs an email, a phone or a customer number.", fields={"email": "No email, phone or customer number"})
    if changed.get("email") and before["email"]:
        keep_alias(contact.id, before["email"], now)
    put(contact, changed)
    contact.updated_at = now
    note_consent(contact, before, changed, source, by, agreed_text, now)
    db.session.flush()
    events.publish(ContactUpdated(tenancy.current(), contact.id, tuple(sorted(changed)), now))


def put(contact: Contact, changed: Record) -> None:
    """Store the values of a record, with the columns that repeat them."""
    properties = dict(contact.properties)
    for name, value in (changed | keys_of(changed)).items():
        if name.startswith(PROPERTY):
            if value is None:
                properties.pop(name[len(PROPERTY) :], None)
            else:
                properties[name[len(PROPERTY) :]] = value
        elif name.startswith("consent_"):
            setattr(contact, name, value or "unknown")
        else:
            setattr(contact, name, value)
    if properties != contact.properties:
        contact.properties = properties


def note_consent(contact: Contact, before: Record, changed: Record, source: str, by: str, agreed_text: str, now: datetime) -> None:
    for channel in ("email", "sms"):
        name = f"consent_{channel}"
        was, is_now = before.get(name) or "unknown", changed.get(name, before.get(name)) or "unknown"
        if was != is_now:
            db.session.add(
                ConsentChange(
                    contact_id=contact.id,
                    channel=channel,
                    was=was,
                    now=is_now,
                    source=source,
                    agreed_text=agreed_text,
                    changed_by=by,
                    changed_at=now,
                )
            )


def keep_alias(contact_id: UUID, email: str, now: datetime) -> None:
    """Remember a former address, so that replies from it still find the person. A former address has one owner: the latest."""
    key = identity_key("email", email)
    db.session.execute(delete(ContactAlias).where(ContactAlias.email_key == key).execution_options(synchronize_session=False))
    db.session.add(ContactAlias(contact_id=contact_id, email_key=key, created_at=now))


# What the floors above write down


def hold(contact_id: UUID, reason: str) -> None:
    """Nobody asks this person until `release` with the same reason. Holding twice changes nothing."""
    contact = queries.get_contact(contact_id)
    if reason not in contact.holds:
        now = clock.now()
        contact.holds = {**contact.holds, reason: now.isoformat()}
        contact.held_at = contact.held_at or now
        db.session.flush()


def release(contact_id: UUID, reason: str) -> None:
    """Take a hold away. Without such a hold nothing happens."""
    contact = queries.find_contact(contact_id)
    if contact is not None and reason in contact.holds:
        contact.holds = {name: since for name, since in contact.holds.items() if name != reason}
        contact.held_at = min((datetime.fromisoformat(since) for since in contact.holds.values()), default=None)
        db.session.flush()


def mark_asked(contact_ids: Sequence[UUID], at: datetime) -> None:
    """These people were asked at `at`. The time only moves forward."""
    for start in range(0, len(contact_ids), 1000):
        part = contact_ids[start : start + 1000]
        db.session.execute(
            update(Contact)
            .where(Contact.id.in_(part), or_(Contact.last_asked_at.is_(None), Contact.last_asked_at < at))
            .values(last_asked_at=at)
            .execution_options(synchronize_session="fetch")
        )


_LATEST = or_(_C.c.last_answered_at.is_(None), _C.c.last_answered_at <= bindparam("at", type_=_C.c.last_answered_at.type))
_ANSWERED = Prepared(
    update(Contact)
    .where(_C.c.account_id == ACCOUNT, _C.c.id == bindparam("contact"))
    .values(
        last_score=case((_LATEST, bindparam("score", type_=_C.c.last_score.type)), else_=_C.c.last_score),
        last_answered_at=case((_LATEST, bindparam("at", type_=_C.c.last_answered_at.type)), else_=_C.c.last_answered_at),
        answers=_C.c.answers + bindparam("more", type_=_C.c.answers.type),
    )
)


def mark_answered(contact_id: UUID, at: datetime, score: int, *, again: bool = False) -> None:
    """This person answered; `again`: an earlier answer got another score, so it is not one more answer."""
    _ANSWERED(contact=contact_id, at=at, score=score, more=0 if again else 1)
    known = db.session.identity_map.get((Contact, (tenancy.current(), contact_id), None))
    if known is not None:
        db.session.expire(known, ["last_score", "last_answered_at", "answers"])


def set_gap(contact_id: UUID, days: int | None) -> None:
    """The person wants to be asked at most once in `days` (None: as often as campaigns say)."""
    queries.get_contact(contact_id).gap_days = days
    db.session.flush()


YEAR = 365


def note_yearly(event: YearlyChosen) -> None:
    """The person asked for one survey a year at most, or took that back."""
    contact = queries.find_contact(event.contact_id) if event.contact_id else queries.find_by_email(event.email)
    if contact is not None:
        contact.gap_days = YEAR if event.on else None
        db.session.flush()


def block(contact_id: UUID, *, by: str, note: str = "") -> None:
    """A member stops surveys to this person. Raises `Invalid` without an address."""
    contact = queries.get_contact(contact_id)
    if not contact.email:
        raise Invalid("This contact has no email address, so there is nothing to stop.")
    delivery.suppress(contact.email, "blocked", "member", contact_id=contact.id, note=note)


def erase(contact_id: UUID, *, by: str) -> dict[str, int]:
    """Make a contact nameless at once and tell everybody who keeps copies. Returns counts for the receipt.

    The row stays without any field of the person, so that totals stay true; erasing twice changes nothing.
    """
    now = clock.now()
    contact = queries.get_contact(contact_id)
    if contact.erased_at is not None:
        return {}
    former = db.session.scalars(select(ContactAlias.email_key).where(ContactAlias.contact_id == contact_id)).all()
    words = [text for text in (contact.email_key, contact.phone, contact.external_id, *former) if text]
    receipt = {
        "former addresses": len(former),
        "consent changes": db.session.scalar(select(func.count()).select_from(ConsentChange).where(ConsentChange.contact_id == contact_id))
        or 0,
        "rows of imports": _forget_rows(words),
    }
    for email in {text for text in (contact.email, *former) if text}:
        delivery.suppress(email, "erased", "member" if by else "person")
    _empty(contact, now)
    count_out(1)
    events.publish(ContactErased(tenancy.current(), contact_id, now))
    return receipt


def _empty(contact: Contact, now: datetime) -> None:
    contact.erased_at = contact.updated_at = now
    for name in _EMPTIED:
        setattr(contact, name, None)
    contact.properties, contact.consent_email, contact.consent_sms = {}, "unknown", "unknown"
    db.session.flush()
    for table in (ContactAlias, ConsentChange, ImportChange):
        db.session.execute(delete(table).where(table.contact_id == contact.id).execution_options(synchronize_session=False))


def remove(contact_ids: Sequence[UUID]) -> None:
    """Take contacts out as if they had never come. One that others point at stays as a nameless row."""
    if not contact_ids:
        return
    if not _delete(contact_ids):
        for contact_id in contact_ids:
            if not _delete([contact_id]):
                _empty(queries.get_contact(contact_id), clock.now())
    count_out(len(contact_ids))


def _delete(contact_ids: Sequence[UUID]) -> bool:
    """All of them or none: False when something of a floor above points at one."""
    try:
        with db.session.begin_nested():
            db.session.execute(delete(Contact).where(Contact.id.in_(contact_ids)).execution_options(synchronize_session="fetch"))
    except IntegrityError:
        return False
    return True


def _forget_rows(words: Sequence[str]) -> int:
    """Delete waiting import rows in which one of these identifiers is a cell."""
    gone = []
    for row in db.session.execute(select(ImportRow.id, ImportRow.cells)).yield_per(1000):
        cells = {cell.strip().lower() for cell in row.cells}
        if any(word.lower() in cells for word in words):
            gone.append(row.id)
    for start in range(0, len(gone), 500):
        db.session.execute(
            delete(ImportRow).where(ImportRow.id.in_(gone[start : start + 500])).execution_options(synchronize_session=False)
        )
    return len(gone)
