"""Programs, advocates, links and clicks; friends, touches and referrals; sales and what was taken from them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from nps.core.db import Base
from nps.core.tenancy import AccountOwned, account_fk, owned_fk

Minor = BigInteger


class Program(AccountOwned, Base):
    """One referral program. What people were promised stands in its versions; this row is how it runs."""

    __tablename__ = "program"
    __table_args__ = (account_fk(), Index("ix_program_default", "account_id", "default_since"))

    name: Mapped[str] = mapped_column(String(80))
    state: Mapped[str] = mapped_column(String(8), default="draft")
    default_since: Mapped[datetime | None]  # the one promoters are asked into has the latest
    destination_url: Mapped[str] = mapped_column(String(500), default="")
    landing: Mapped[str] = mapped_column(String(8), default="page")  # page, redirect
    cookie: Mapped[str] = mapped_column(String(8), default="at_once")  # at_once, consent
    strict: Mapped[bool] = mapped_column(default=False)  # no visitor hashes, no browser, no referrer
    holdout_percent: Mapped[int] = mapped_column(default=5)
    min_score: Mapped[int] = mapped_column(default=9)
    code_style: Mapped[str] = mapped_column(String(8), default="name")  # name, random
    strictness: Mapped[str] = mapped_column(String(6), default="medium")
    consumer: Mapped[bool] = mapped_column(default=False)
    show_first_name: Mapped[bool] = mapped_column(default=True)
    show_company: Mapped[bool] = mapped_column(default=True)
    show_words: Mapped[bool] = mapped_column(default=True)
    utm: Mapped[dict[str, Any]] = mapped_column(default=dict)
    channels: Mapped[list[str]] = mapped_column(default=list)
    paused_because: Mapped[str] = mapped_column(String(40), default="")
    live_since: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class ProgramChange(AccountOwned, Base):
    """From this moment the program was in this state. Append-only; a touch is judged by the state of its own time."""

    __tablename__ = "program_change"
    __table_args__ = (
        account_fk(),
        owned_fk("program_id", "program"),
        Index("ix_program_change", "account_id", "program_id", "occurred_at"),
    )

    program_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(String(8))
    actor: Mapped[str] = mapped_column(String(120))
    reason: Mapped[str] = mapped_column(String(200), default="")
    occurred_at: Mapped[datetime]


class ProgramVersion(AccountOwned, Base):
    """Terms, offers, rules, caps and hold as they were promised. A referral keeps the version of its crediting touch."""

    __tablename__ = "program_version"
    __table_args__ = (account_fk(), owned_fk("program_id", "program"), UniqueConstraint("account_id", "program_id", "number"))

    program_id: Mapped[UUID]
    number: Mapped[int]
    effective_at: Mapped[datetime]
    headline: Mapped[str] = mapped_column(String(120), default="")
    lead: Mapped[str] = mapped_column(String(400), default="")
    pitch: Mapped[str] = mapped_column(String(300), default="")
    ask: Mapped[str] = mapped_column(String(120), default="")
    friend_offer: Mapped[str] = mapped_column(String(8), default="words")  # words, percent, amount, months, none
    friend_words: Mapped[str] = mapped_column(String(120), default="")
    friend_detail: Mapped[str] = mapped_column(String(200), default="")
    friend_list_minor: Mapped[int | None] = mapped_column(Minor)
    friend_less_minor: Mapped[int | None] = mapped_column(Minor)
    friend_bill_label: Mapped[str] = mapped_column(String(80), default="")
    friend_title: Mapped[str] = mapped_column(String(160), default="")
    friend_form_title: Mapped[str] = mapped_column(String(80), default="")
    friend_hint: Mapped[str] = mapped_column(String(160), default="")
    friend_steps_title: Mapped[str] = mapped_column(String(80), default="")
    friend_steps: Mapped[list[Any]] = mapped_column(default=list)  # [title, text]
    quotes_title: Mapped[str] = mapped_column(String(80), default="")
    quotes: Mapped[list[Any]] = mapped_column(default=list)  # [words, who]; published with permission
    milestones: Mapped[list[Any]] = mapped_column(default=list)  # [number of friends, what comes on top]
    friend_small_print: Mapped[str] = mapped_column(String(400), default="")
    friend_button: Mapped[str] = mapped_column(String(40), default="")
    advocate_words: Mapped[str] = mapped_column(String(120), default="")
    advocate_detail: Mapped[str] = mapped_column(String(200), default="")
    rules: Mapped[list[Any]] = mapped_column(default=list)
    caps: Mapped[list[Any]] = mapped_column(default=list)
    method: Mapped[str] = mapped_column(String(14), default="manual")
    qualifies: Mapped[str] = mapped_column(String(10), default="first_paid")
    qualify_nth: Mapped[int] = mapped_column(default=1)
    qualify_noun: Mapped[str] = mapped_column(String(60), default="First payment")
    qualify_past: Mapped[str] = mapped_column(String(80), default="Paid for the first time")
    qualify_verb: Mapped[str] = mapped_column(String(80), default="pay for the first time")
    qualify_event: Mapped[str] = mapped_column(String(60), default="")
    attribution_days: Mapped[int] = mapped_column(default=90)
    qualify_days: Mapped[int | None] = mapped_column(default=90)
    look_back_days: Mapped[int | None] = mapped_column(default=180)
    model: Mapped[str] = mapped_column(String(5), default="last")
    hold_days: Mapped[int] = mapped_column(default=14)
    review_all: Mapped[bool] = mapped_column(default=True)
    automatic_minor: Mapped[int] = mapped_column(Minor, default=10_000)
    second_person_minor: Mapped[int] = mapped_column(Minor, default=50_000)
    share_subject: Mapped[str] = mapped_column(String(120), default="")
    share_words: Mapped[str] = mapped_column(String(500), default="")
    disclosure: Mapped[str] = mapped_column(String(120), default="")
    terms: Mapped[str] = mapped_column(default="")
    valid_until: Mapped[date | None]
    created_by: Mapped[str] = mapped_column(String(120), default="")
    created_at: Mapped[datetime]


class Advocate(AccountOwned, Base):
    """A contact who was invited to share a program: one row per program and contact."""

    __tablename__ = "advocate"
    __table_args__ = (
        account_fk(),
        owned_fk("program_id", "program"),
        owned_fk("contact_id", "contact"),
        UniqueConstraint("account_id", "program_id", "contact_id"),
        Index("ix_advocate_contact", "account_id", "contact_id"),
    )

    program_id: Mapped[UUID]
    contact_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(String(10), default="invited")
    source: Mapped[str] = mapped_column(String(12))
    response_id: Mapped[UUID | None]
    accepted_version_id: Mapped[UUID | None]
    words: Mapped[str] = mapped_column(String(500), default="")
    words_state: Mapped[str] = mapped_column(String(8), default="default")  # default, waiting, shown
    first_shared_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]
    ended_reason: Mapped[str] = mapped_column(String(300), default="")
    portal_epoch: Mapped[int] = mapped_column(default=0)
    seen_ip_hash: Mapped[str] = mapped_column(String(32), default="")
    seen_agent_hash: Mapped[str] = mapped_column(String(32), default="")
    seen_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class AdvocateEvent(AccountOwned, Base):
    """Each change of an advocate's state: who, why, before, after. Append-only."""

    __tablename__ = "advocate_event"
    __table_args__ = (
        account_fk(),
        owned_fk("advocate_id", "advocate"),
        Index("ix_advocate_event", "account_id", "advocate_id", "occurred_at"),
    )

    advocate_id: Mapped[UUID]
    before: Mapped[str] = mapped_column(String(10), default="")
    after: Mapped[str] = mapped_column(String(10))
    actor: Mapped[str] = mapped_column(String(120))
    reason: Mapped[str] = mapped_column(String(300), default="")
    occurred_at: Mapped[datetime]


class AskRefusal(AccountOwned, Base):
    """Why a contact was not asked to share, shown on the contact. Append-only."""

    __tablename__ = "ask_refusal"
    __table_args__ = (
        account_fk(),
        owned_fk("contact_id", "contact"),
        Index("ix_ask_refusal_contact", "account_id", "contact_id", "occurred_at"),
    )

    program_id: Mapped[UUID | None]
    contact_id: Mapped[UUID]
    response_id: Mapped[UUID | None]
    source: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(String(20))
    occurred_at: Mapped[datetime]


class ReferralLink(AccountOwned, Base):
    """An advocate's link. Retired links keep their code reserved for good."""

    __tablename__ = "referral_link"
    __table_args__ = (
        account_fk(),
        owned_fk("advocate_id", "advocate"),
        Index("ix_referral_link_advocate", "account_id", "advocate_id"),
        Index("ix_referral_link_promotion", "account_id", "promotion_code_id"),
    )

    advocate_id: Mapped[UUID]
    code: Mapped[str] = mapped_column(String(40))
    promotion_code_id: Mapped[str | None] = mapped_column(String(120))  # the same code as a discount in the company's Stripe
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]


class LinkCode(Base):
    """Codes of the whole installation: the key (upper case, no dashes) to its account and link. Never reused."""

    __tablename__ = "link_code"

    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    link_id: Mapped[UUID]


class PortalLink(AccountOwned, Base):
    """A mailed or shown way to an advocate's share page: purpose-bound, 30 days, revocable."""

    __tablename__ = "portal_link"
    __table_args__ = (account_fk(), owned_fk("advocate_id", "advocate"), Index("ix_portal_link_advocate", "account_id", "advocate_id"))

    advocate_id: Mapped[UUID]
    epoch: Mapped[int]
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime]


class Click(AccountOwned, Base):
    """A request on a referral link. Append-only: every row is kept, machines are flagged and never dropped.

    No foreign keys and no counter: one INSERT is all the redirect does.
    """

    __tablename__ = "click"
    __table_args__ = (Index("ix_click_link", "account_id", "link_id", "occurred_at"), Index("ix_click_time", "account_id", "occurred_at"))

    link_id: Mapped[UUID]
    channel: Mapped[str] = mapped_column(String(8), default="")
    occurred_at: Mapped[datetime]
    verdict: Mapped[str] = mapped_column(String(8))
    signs: Mapped[int] = mapped_column(default=0)
    device: Mapped[str] = mapped_column(String(8), default="")
    browser: Mapped[str] = mapped_column(String(10), default="")
    referrer_host: Mapped[str] = mapped_column(String(120), default="")
    visitor: Mapped[str] = mapped_column(String(32), default="")
    ip_hash: Mapped[str] = mapped_column(String(32), default="")
    ad_bits: Mapped[int] = mapped_column(default=0)
    fetch_dest: Mapped[str] = mapped_column(String(20), default="")


class ClickFlag(AccountOwned, Base):
    """A burst found afterwards: more signs for a stored click. Append-only, can be recomputed."""

    __tablename__ = "click_flag"
    __table_args__ = (account_fk(), UniqueConstraint("account_id", "click_id"))

    click_id: Mapped[UUID]
    signs: Mapped[int]
    occurred_at: Mapped[datetime]


class DaySalt(Base):
    """The random salt of one day's visitor hashes. Deleted after 48 hours: then no hash can be tried again."""

    __tablename__ = "day_salt"

    day: Mapped[date] = mapped_column(primary_key=True)
    salt: Mapped[str] = mapped_column(String(64))


class Friend(AccountOwned, Base):
    """A buyer or claimant we heard of, known by the set of keys that name them. A referral makes them somebody's friend."""

    __tablename__ = "friend"
    __table_args__ = (account_fk(),)

    email: Mapped[str] = mapped_column(String(254), default="")
    name: Mapped[str] = mapped_column(String(200), default="")
    country: Mapped[str] = mapped_column(String(2), default="")
    region: Mapped[str] = mapped_column(String(80), default="")
    merged_into_id: Mapped[UUID | None]
    ended_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class FriendKey(AccountOwned, Base):
    """One thing that names a friend: Stripe customer, the company's own id, normalised address."""

    __tablename__ = "friend_key"
    __table_args__ = (
        account_fk(),
        owned_fk("friend_id", "friend"),
        UniqueConstraint("account_id", "kind", "value"),
        Index("ix_friend_key_friend", "account_id", "friend_id"),
    )

    friend_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(String(16))
    value: Mapped[str] = mapped_column(String(320))


class FriendEvent(AccountOwned, Base):
    """A sign-up, a company's own event by name, or the end of a subscription."""

    __tablename__ = "friend_event"
    __table_args__ = (
        account_fk(),
        owned_fk("friend_id", "friend"),
        UniqueConstraint("account_id", "source", "kind", "external_id"),
        Index("ix_friend_event_friend", "account_id", "friend_id"),
    )

    friend_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(String(10))  # signup, event, ended
    name: Mapped[str] = mapped_column(String(60), default="")
    source: Mapped[str] = mapped_column(String(20))
    external_id: Mapped[str] = mapped_column(String(255))
    occurred_at: Mapped[datetime]
    created_at: Mapped[datetime]


class Touch(AccountOwned, Base):
    """One piece of evidence that ties a friend to an advocate. All are kept.

    `advocate_id` is empty while the click or code it names is not known yet (a click may still lie in the spool).
    """

    __tablename__ = "touch"
    __table_args__ = (
        account_fk(),
        owned_fk("friend_id", "friend"),
        owned_fk("advocate_id", "advocate"),
        UniqueConstraint("account_id", "friend_id", "method", "evidence", "object_id"),
        Index("ix_touch_advocate", "account_id", "advocate_id", "occurred_at"),
        Index("ix_touch_ip", "account_id", "ip_hash", "occurred_at"),
    )

    friend_id: Mapped[UUID]
    advocate_id: Mapped[UUID | None]
    method: Mapped[str] = mapped_column(String(16))
    evidence_kind: Mapped[str] = mapped_column(String(16))  # click, code, promotion_code, claim, member, response
    evidence: Mapped[str] = mapped_column(String(255))
    object_id: Mapped[str] = mapped_column(String(255), default="")
    click_id: Mapped[UUID | None]
    channel: Mapped[str] = mapped_column(String(8), default="")
    ip_hash: Mapped[str] = mapped_column(String(32), default="")
    agent_hash: Mapped[str] = mapped_column(String(32), default="")
    occurred_at: Mapped[datetime]
    created_at: Mapped[datetime]


class Referral(AccountOwned, Base):
    """The journey of one friend in one program, credited to one advocate. Its state is derived from the facts."""

    __tablename__ = "referral"
    __table_args__ = (
        account_fk(),
        owned_fk("program_id", "program"),
        owned_fk("program_version_id", "program_version"),
        owned_fk("advocate_id", "advocate"),
        owned_fk("friend_id", "friend"),
        UniqueConstraint("account_id", "program_id", "friend_id"),
        Index("ix_referral_advocate", "account_id", "advocate_id"),
        Index("ix_referral_friend", "account_id", "friend_id"),
        Index("ix_referral_looked", "state", "looked_at"),
    )

    program_id: Mapped[UUID]
    program_version_id: Mapped[UUID]
    advocate_id: Mapped[UUID]
    friend_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(String(10))
    review: Mapped[str] = mapped_column(String(8), default="none")
    channel: Mapped[str] = mapped_column(String(8), default="")
    claimed_at: Mapped[datetime | None]
    signed_up_at: Mapped[datetime | None]
    qualified_at: Mapped[datetime | None]
    qualifying_id: Mapped[UUID | None]
    points: Mapped[int] = mapped_column(default=0)
    void_reason: Mapped[str] = mapped_column(String(40), default="")
    rewards_final: Mapped[bool] = mapped_column(default=False)
    rewarded: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    looked_at: Mapped[datetime]  # when its facts were last weighed


class ReferralEvent(AccountOwned, Base):
    """Each step of a referral: before, after, why. Append-only."""

    __tablename__ = "referral_event"
    __table_args__ = (
        account_fk(),
        owned_fk("referral_id", "referral"),
        Index("ix_referral_event", "account_id", "referral_id", "created_at"),
    )

    referral_id: Mapped[UUID]
    before: Mapped[str] = mapped_column(String(10), default="")
    after: Mapped[str] = mapped_column(String(10))
    actor: Mapped[str] = mapped_column(String(120), default="facts")
    reason: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime]


class Credit(AccountOwned, Base):
    """Which touch is believed, by which rung, against which others. A new decision closes this row and adds one."""

    __tablename__ = "credit"
    __table_args__ = (
        account_fk(),
        owned_fk("referral_id", "referral"),
        owned_fk("touch_id", "touch"),
        Index("ix_credit_referral", "account_id", "referral_id"),
    )

    referral_id: Mapped[UUID]
    touch_id: Mapped[UUID]
    advocate_id: Mapped[UUID]
    method: Mapped[str] = mapped_column(String(16))
    rung: Mapped[int]
    model: Mapped[str] = mapped_column(String(5))
    ladder_version: Mapped[int]
    losing: Mapped[list[str]] = mapped_column(default=list)
    refused: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class ReferralVerdict(AccountOwned, Base):
    """A check that a referral met, with its evidence (personal inputs as keyed hashes)."""

    __tablename__ = "referral_verdict"
    __table_args__ = (account_fk(), owned_fk("referral_id", "referral"), UniqueConstraint("account_id", "referral_id", "rule"))

    referral_id: Mapped[UUID]
    rule: Mapped[str] = mapped_column(String(20))
    act: Mapped[str] = mapped_column(String(8))
    points: Mapped[int]
    version: Mapped[int]
    evidence: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    cleared_at: Mapped[datetime | None]
    cleared_by: Mapped[str] = mapped_column(String(120), default="")


class Conversion(AccountOwned, Base):
    """One paid sale of any customer of the account, referred or not. A fact: never changed, only tied to people.

    `sale_id` groups everything that is about the same money; of two conversions in a group the one with
    `duplicate` set counts for nothing.
    """

    __tablename__ = "conversion"
    __table_args__ = (
        account_fk(),
        owned_fk("friend_id", "friend"),
        owned_fk("referral_id", "referral"),
        UniqueConstraint("account_id", "source", "external_id"),
        CheckConstraint("gross > 0 AND net >= 0 AND net <= gross", name="amounts"),
        Index("ix_conversion_sale", "account_id", "sale_id"),
        Index("ix_conversion_friend", "account_id", "friend_id", "occurred_at"),
        Index("ix_conversion_referral", "account_id", "referral_id"),
        Index("ix_conversion_time", "account_id", "occurred_at"),
    )

    source: Mapped[str] = mapped_column(String(20))
    external_id: Mapped[str] = mapped_column(String(255))
    content_hash: Mapped[str] = mapped_column(String(64))
    sale_id: Mapped[UUID]
    duplicate: Mapped[bool] = mapped_column(default=False)
    friend_id: Mapped[UUID]
    referral_id: Mapped[UUID | None]
    gross: Mapped[int] = mapped_column(Minor)
    net: Mapped[int] = mapped_column(Minor)
    tax: Mapped[int] = mapped_column(Minor, default=0)
    currency: Mapped[str] = mapped_column(String(3))
    occurred_at: Mapped[datetime]
    day: Mapped[date]  # in the account's zone
    product: Mapped[str] = mapped_column(String(255), default="")
    subscription: Mapped[str] = mapped_column(String(255), default="")
    reason: Mapped[str] = mapped_column(String(40), default="")
    received_at: Mapped[datetime]


class ConversionRef(AccountOwned, Base):
    """An outside id (invoice, payment, charge, session, api, csv) and the sale it belongs to."""

    __tablename__ = "conversion_ref"
    __table_args__ = (
        account_fk(),
        UniqueConstraint("account_id", "kind", "value"),
        Index("ix_conversion_ref_sale", "account_id", "sale_id"),
    )

    kind: Mapped[str] = mapped_column(String(16))
    value: Mapped[str] = mapped_column(String(255))
    sale_id: Mapped[UUID]


class Adjustment(AccountOwned, Base):
    """A refund, credit note or dispute in its newest known version. `amount` is what it takes from the sale now."""

    __tablename__ = "adjustment"
    __table_args__ = (
        account_fk(),
        UniqueConstraint("account_id", "source", "kind", "external_id"),
        CheckConstraint("amount >= 0", name="amount"),
        Index("ix_adjustment_sale", "account_id", "sale_id"),
    )

    source: Mapped[str] = mapped_column(String(20))
    kind: Mapped[str] = mapped_column(String(12))  # refund, dispute, credit_note
    external_id: Mapped[str] = mapped_column(String(255))
    sale_id: Mapped[UUID]
    amount: Mapped[int] = mapped_column(Minor)
    currency: Mapped[str] = mapped_column(String(3))
    status: Mapped[str] = mapped_column(String(30))
    gate_only: Mapped[bool] = mapped_column(default=False)
    occurred_at: Mapped[datetime]
    heard_at: Mapped[datetime]  # when the provider made this version
    rank: Mapped[int]
    received_at: Mapped[datetime]


class PaymentWarning(AccountOwned, Base):
    """The provider warned of fraud on a payment."""

    __tablename__ = "payment_warning"
    __table_args__ = (
        account_fk(),
        UniqueConstraint("account_id", "source", "external_id"),
        Index("ix_payment_warning_sale", "account_id", "sale_id"),
    )

    source: Mapped[str] = mapped_column(String(20))
    external_id: Mapped[str] = mapped_column(String(255))
    sale_id: Mapped[UUID]
    occurred_at: Mapped[datetime]


class Share(AccountOwned, Base):
    """An advocate used a share button, or the first person came over a channel. A claim, not proof."""

    __tablename__ = "share"
    __table_args__ = (
        account_fk(),
        owned_fk("advocate_id", "advocate"),
        Index("ix_share_advocate", "account_id", "advocate_id", "occurred_at"),
    )

    advocate_id: Mapped[UUID]
    channel: Mapped[str] = mapped_column(String(8))
    source: Mapped[str] = mapped_column(String(8))  # button, inferred
    occurred_at: Mapped[datetime]


class FriendRefusal(AccountOwned, Base):
    """What "Not for me" left: a reason and no identity. Append-only."""

    __tablename__ = "friend_refusal"
    __table_args__ = (account_fk(), owned_fk("link_id", "referral_link"))

    link_id: Mapped[UUID]
    reason: Mapped[str] = mapped_column(String(12))
    occurred_at: Mapped[datetime]
