"""Tables of contacts, their properties, imports and segments."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from nps.contacts.rules import values
from nps.core.db import Base
from nps.core.tenancy import AccountOwned, account_fk, owned_fk


def _sorted(length: int) -> String:
    """A text whose index answers "begins with": ordered by code point on both databases."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


class Contact(AccountOwned, Base):
    """A customer of the account: the person who is asked. Empty fields are NULL.

    `email_key`, `name_key`, `surname_key` and `company_key` repeat a field without case (and accents) for finding it;
    `email_reduced` is the spelling under which a stop of the person is kept.
    """

    __tablename__ = "contact"
    __table_args__ = (
        account_fk(),
        UniqueConstraint("account_id", "number"),
        UniqueConstraint("account_id", "email_key"),
        UniqueConstraint("account_id", "phone"),
        UniqueConstraint("account_id", "external_id"),
        Index("ix_contact_name", "account_id", "name_key", "number"),
        Index("ix_contact_surname", "account_id", "surname_key", "number"),
        Index("ix_contact_company", "account_id", "company_key", "number"),
        CheckConstraint("email_key IS NOT NULL OR phone IS NOT NULL OR external_id IS NOT NULL OR erased_at IS NOT NULL", name="reachable"),
    )

    number: Mapped[int]
    email: Mapped[str | None] = mapped_column(String(254))
    email_key: Mapped[str | None] = mapped_column(_sorted(254))
    email_reduced: Mapped[str | None] = mapped_column(String(254))
    phone: Mapped[str | None] = mapped_column(_sorted(16))
    external_id: Mapped[str | None] = mapped_column(_sorted(100))
    name: Mapped[str | None] = mapped_column(String(120))
    name_key: Mapped[str | None] = mapped_column(_sorted(240))
    surname_key: Mapped[str | None] = mapped_column(_sorted(240))
    first_name: Mapped[str | None] = mapped_column(String(120))
    title: Mapped[str | None] = mapped_column(String(120))
    company: Mapped[str | None] = mapped_column(String(120))
    company_key: Mapped[str | None] = mapped_column(_sorted(240))
    locale: Mapped[str | None] = mapped_column(String(35))
    time_zone: Mapped[str | None] = mapped_column(String(60))
    country: Mapped[str | None] = mapped_column(String(2))
    customer_since: Mapped[date | None]
    monthly_value_minor: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None] = mapped_column(String(3))
    properties: Mapped[dict[str, Any]] = mapped_column(default=dict)
    consent_email: Mapped[str] = mapped_column(String(8), default="unknown")
    consent_sms: Mapped[str] = mapped_column(String(8), default="unknown")
    gap_days: Mapped[int | None] = mapped_column(SmallInteger)
    """Asked at most once in so many days, because the person chose so; None = what the campaign says."""
    last_asked_at: Mapped[datetime | None]
    last_answered_at: Mapped[datetime | None]
    last_score: Mapped[int | None] = mapped_column(SmallInteger)
    answers: Mapped[int] = mapped_column(default=0)
    holds: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Reason → instant since when nobody may ask this person ("open_case")."""
    held_at: Mapped[datetime | None]
    """Since when there is at least one hold; None = free to be asked."""
    imported_at: Mapped[datetime | None]
    """When an import last added or changed this person; campaigns already running wait 24 hours from here."""
    added_by_import_id: Mapped[UUID | None]
    import_id: Mapped[UUID | None]
    """The last import in whose file this person stood, with the row and the fields given there: how doubles of one file meet."""
    import_row: Mapped[int | None]
    import_given: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]

    @property
    def shown_name(self) -> str:
        """What a list calls the person: name, else email, phone or number."""
        return self.name or self.email or self.phone or self.external_id or f"Contact {self.number}"

    @property
    def called(self) -> str:
        """What a letter calls the person; "" leaves it to the placeholder's default."""
        return values.first_name(self.first_name, self.name)


class ContactAlias(AccountOwned, Base):
    """A former email of a contact: replies from it still find the person."""

    __tablename__ = "contact_alias"
    __table_args__ = (
        account_fk(),
        owned_fk("contact_id", "contact", ondelete="CASCADE"),
        UniqueConstraint("account_id", "email_key"),
        Index("ix_contact_alias_contact", "account_id", "contact_id"),
    )

    contact_id: Mapped[UUID]
    email_key: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[datetime]


class ContactTally(Base):
    """One row an account: the last number given and how many contacts there are. Its lock orders the makers of contacts."""

    __tablename__ = "contact_tally"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    last_number: Mapped[int] = mapped_column(default=0)
    contacts: Mapped[int] = mapped_column(default=0)


class PropertyDefinition(AccountOwned, Base):
    """A custom property: key, words, type and, for one of a list, its choices."""

    __tablename__ = "property_definition"
    __table_args__ = (account_fk(), UniqueConstraint("account_id", "key"))

    key: Mapped[str] = mapped_column(String(50))
    label: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(8))
    choices: Mapped[list[str]] = mapped_column(default=list)
    created_at: Mapped[datetime]
    archived_at: Mapped[datetime | None]


class ConsentChange(AccountOwned, Base):
    """Who changed a consent, when, from where, and the text agreed to. Never changed itself."""

    __tablename__ = "consent_change"
    __table_args__ = (
        account_fk(),
        owned_fk("contact_id", "contact", ondelete="CASCADE"),
        Index("ix_consent_change_contact", "account_id", "contact_id", "changed_at"),
    )

    contact_id: Mapped[UUID]
    channel: Mapped[str] = mapped_column(String(5))
    was: Mapped[str] = mapped_column(String(8))
    now: Mapped[str] = mapped_column(String(8))
    source: Mapped[str] = mapped_column(String(120))
    agreed_text: Mapped[str] = mapped_column(String(1000), default="")
    changed_by: Mapped[str] = mapped_column(String(120), default="")
    changed_at: Mapped[datetime]


class Import(AccountOwned, Base):
    """One file on its way in: uploaded → running → done, stopped or refused; done and stopped ones can be undone for 24 hours."""

    __tablename__ = "import_"
    __table_args__ = (
        account_fk(),
        Index("ix_import_header", "account_id", "header_key"),
        Index("ix_import_forget", "finished_at", sqlite_where=text("forgotten_at IS NULL"), postgresql_where=text("forgotten_at IS NULL")),
    )

    filename: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(10), default="uploaded")
    started_by_id: Mapped[UUID | None]
    started_by: Mapped[str] = mapped_column(String(120), default="")
    encoding: Mapped[str] = mapped_column(String(20))
    delimiter: Mapped[str] = mapped_column(String(1))
    sheet: Mapped[str | None] = mapped_column(String(255))
    sheets: Mapped[list[str]] = mapped_column(default=list)
    header: Mapped[list[str]] = mapped_column(default=list)
    header_row: Mapped[int] = mapped_column(default=1)
    """Spreadsheet number of the header; 0 when the file has none."""
    header_key: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    rows: Mapped[int]
    parts: Mapped[int]
    matching: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What the member decided: columns, mode, order of dates, what an empty cell does."""
    cursor_part: Mapped[int] = mapped_column(default=0)
    cursor_offset: Mapped[int] = mapped_column(default=0)
    cursor_row: Mapped[int] = mapped_column(default=0)
    done_rows: Mapped[int] = mapped_column(default=0)
    added: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    to_fix: Mapped[int] = mapped_column(default=0)
    left_out: Mapped[int] = mapped_column(default=0)
    opted_out: Mapped[int] = mapped_column(default=0)
    first_number: Mapped[int | None]
    last_number: Mapped[int | None]
    """Numbers of the contacts it added lie between these."""
    message: Mapped[str | None] = mapped_column(String(300))
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    stop_asked_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]
    undo_report: Mapped[dict[str, Any]] = mapped_column(default=dict)
    forgotten_at: Mapped[datetime | None]
    """When the stored file and the data for undoing were deleted."""


class ImportPart(AccountOwned, Base):
    """A piece of an uploaded file, compressed: about 250,000 characters of UTF-8 text, cut at a line end, or bytes of a workbook."""

    __tablename__ = "import_part"
    __table_args__ = (
        account_fk(),
        owned_fk("import_id", "import_", ondelete="CASCADE"),
        UniqueConstraint("account_id", "import_id", "kind", "number"),
    )

    import_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(String(8))
    number: Mapped[int]
    body: Mapped[bytes] = mapped_column(LargeBinary)


class ImportRow(AccountOwned, Base):
    """A row that waits for a correction: the original cells and what is wrong. Fixed ones leave the list."""

    __tablename__ = "import_row"
    __table_args__ = (
        account_fk(),
        owned_fk("import_id", "import_", ondelete="CASCADE"),
        UniqueConstraint("account_id", "import_id", "row"),
    )

    import_id: Mapped[UUID]
    row: Mapped[int]
    kind: Mapped[str] = mapped_column(String(6), default="fix")
    """`fix` waits for a correction; `erased` was left out and keeps no cell."""
    cells: Mapped[list[str]]
    column: Mapped[int | None] = mapped_column(SmallInteger)
    """Which cell the problem is in, from 0; None = the row as a whole."""
    problem: Mapped[str] = mapped_column(String(80))
    fixed_at: Mapped[datetime | None]


class ImportChange(AccountOwned, Base):
    """What an import changed in a contact that was there before: field → [before, after]. For undo and the person's timeline."""

    __tablename__ = "import_change"
    __table_args__ = (
        account_fk(),
        owned_fk("import_id", "import_", ondelete="CASCADE"),
        owned_fk("contact_id", "contact", ondelete="CASCADE"),
        Index("ix_import_change_import", "account_id", "import_id", "id"),
        Index("ix_import_change_contact", "account_id", "contact_id"),
    )

    import_id: Mapped[UUID]
    contact_id: Mapped[UUID]
    fields: Mapped[dict[str, Any]]
    changed_at: Mapped[datetime]


class Segment(AccountOwned, Base):
    """A living selection of contacts: rules, evaluated whenever it is used."""

    __tablename__ = "segment"
    __table_args__ = (account_fk(), Index("ix_segment_name", "account_id", "name"))

    name: Mapped[str] = mapped_column(String(80))
    rules: Mapped[dict[str, Any]]
    note: Mapped[str] = mapped_column(Text, default="")
    created_by: Mapped[str] = mapped_column(String(120), default="")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    archived_at: Mapped[datetime | None]
