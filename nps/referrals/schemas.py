"""Programs, advocates, referrals, sales and refunds as the API takes and gives them."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, model_validator

from nps.api.shapes import Amount, Currency, Instant, Paged, PageQuery, Shape, Text, Whole, rfc3339
from nps.referrals.models import Adjustment, Advocate, Conversion, Program, ProgramVersion, Referral

Key = Annotated[Text, Field(min_length=1, max_length=255)]


class ConversionIn(Shape):
    """One paid sale of any customer, referred or not. Amounts in minor units of `currency`."""

    external_id: Annotated[Key, Field(description="your id of this sale; a repeat with the same content is harmless")]
    amount: Annotated[Whole, Field(gt=0, lt=2**53, description="what was paid, in minor units, tax included")]
    tax: Annotated[Whole, Field(ge=0, lt=2**53)] = 0
    currency: Currency
    occurred_at: Annotated[Instant | None, Field(description="when it was paid; usually now")] = None
    customer_external_id: Annotated[Key | None, Field(description="your own customer number")] = None
    customer_email: Annotated[Text | None, Field(max_length=254)] = None
    stripe_customer_id: Key | None = None
    click_id: Annotated[Key | None, Field(description="value of the wb_click cookie")] = None
    code: Annotated[Key | None, Field(description="code of the link the buyer came through")] = None
    product: Annotated[Text, Field(max_length=255)] = ""
    subscription: Annotated[Text, Field(max_length=255)] = ""

    @model_validator(mode="after")
    def _somebody(self) -> "ConversionIn":
        if not (self.customer_external_id or self.customer_email or self.stripe_customer_id):
            raise ValueError("Say who paid: customer_external_id, customer_email or stripe_customer_id.")
        return self


class ConversionOut(Shape):
    """A sale. `referral_id` is null while nobody is known to have brought the buyer."""

    conversion_id: UUID
    external_id: str
    source: str
    amount: Amount
    net: Amount
    tax: Amount
    occurred_at: Instant
    received_at: Instant
    product: str
    subscription: str
    referral_id: UUID | None
    duplicate: bool = Field(description="another row about the same money counts instead")


class ConversionPage(Paged[ConversionOut]):
    """A page of sales."""


class ConversionsQuery(PageQuery):
    """Filters of the list."""

    created_since: Annotated[Instant | None, Field(description="paid at this time or later")] = None
    created_until: Annotated[Instant | None, Field(description="paid before this time")] = None


class RefundIn(Shape):
    """Money of a sale that went back. It may be told before the sale itself."""

    external_id: Annotated[Key, Field(description="your id of this refund")]
    amount: Annotated[Whole, Field(gt=0, lt=2**53, description="in minor units")]
    currency: Annotated[Currency | None, Field(description="needed only when the sale is not known yet")] = None
    occurred_at: Instant | None = None


class RefundOut(Shape):
    """A refund as it is kept."""

    refund_id: UUID
    external_id: str
    amount: Amount
    occurred_at: Instant


EXAMPLE_IN: dict[str, Any] = {
    "external_id": "invoice-2026-1017",
    "amount": 4900,
    "currency": "USD",
    "customer_external_id": "4471",
    "customer_email": "sam@oakandrye.example",
    "click_id": "019a3b5e-7c00-7000-8000-000000000005",
    "product": "Growth, monthly",
    "occurred_at": "2026-10-06T15:58:00Z",
}
EXAMPLE_OUT: dict[str, Any] = {
    "conversion_id": "019a3b5e-7c00-7000-8000-000000000006",
    "external_id": "invoice-2026-1017",
    "source": "api",
    "amount": {"amount": 4900, "currency": "USD"},
    "net": {"amount": 4900, "currency": "USD"},
    "tax": {"amount": 0, "currency": "USD"},
    "occurred_at": "2026-10-06T15:58:00Z",
    "received_at": "2026-10-06T15:58:02Z",
    "product": "Growth, monthly",
    "subscription": "",
    "referral_id": "019a3b5e-7c00-7000-8000-000000000007",
    "duplicate": False,
}
REFUND_IN: dict[str, Any] = {"external_id": "refund-17", "amount": 4900}
REFUND_OUT: dict[str, Any] = {
    "refund_id": "019a3b5e-7c00-7000-8000-000000000008",
    "external_id": "refund-17",
    "amount": {"amount": 4900, "currency": "USD"},
    "occurred_at": "2026-10-07T09:00:00Z",
}


def conversion(row: Conversion) -> dict[str, Any]:
    return {
        "conversion_id": str(row.id),
        "external_id": row.external_id,
        "source": row.source,
        "amount": {"amount": row.gross, "currency": row.currency},
        "net": {"amount": row.net, "currency": row.currency},
        "tax": {"amount": row.tax, "currency": row.currency},
        "occurred_at": rfc3339(row.occurred_at),
        "received_at": rfc3339(row.received_at),
        "product": row.product,
        "subscription": row.subscription,
        "referral_id": str(row.referral_id) if row.referral_id else None,
        "duplicate": row.duplicate,
    }


def refund(row: Adjustment) -> dict[str, Any]:
    return {
        "refund_id": str(row.id),
        "external_id": row.external_id,
        "amount": {"amount": row.amount, "currency": row.currency},
        "occurred_at": rfc3339(row.occurred_at),
    }


class SignUpIn(Shape):
    """Somebody signed up, or reached the program's own qualifying event."""

    external_id: Annotated[Key, Field(description="your id of this sign-up; a repeat is harmless")]
    stage: Annotated[Literal["signup", "qualified"], Field(description="qualified: the event named in `event`")] = "signup"
    event: Annotated[Text, Field(max_length=60, description="name of your own event, such as first_payroll")] = ""
    click_id: Annotated[Key | None, Field(description="value of the wb_click cookie")] = None
    code: Annotated[Key | None, Field(description="code of the link the friend came through")] = None
    advocate_id: UUID | None = None
    customer_external_id: Annotated[Key | None, Field(description="your own customer number")] = None
    customer_email: Annotated[Text | None, Field(max_length=254)] = None
    stripe_customer_id: Key | None = None
    country: Annotated[Text, Field(max_length=2)] = ""
    region: Annotated[Text, Field(max_length=80)] = ""
    occurred_at: Instant | None = None

    @model_validator(mode="after")
    def _somebody(self) -> "SignUpIn":
        if not (self.customer_external_id or self.customer_email or self.stripe_customer_id):
            raise ValueError("Say who signed up: customer_external_id, customer_email or stripe_customer_id.")
        if self.stage == "qualified" and not self.event:
            raise ValueError("Name the event that was reached.")
        return self


class ReferralOut(Shape):
    """A friend's journey. Null while nobody is known to have brought them."""

    referral_id: UUID
    program_id: UUID
    advocate_id: UUID
    state: str
    review: str
    signed_up_at: Instant | None
    qualified_at: Instant | None
    created_at: Instant


class ReferralAnswer(Shape):
    """What a sign-up led to."""

    referral: ReferralOut | None


class ReferralPage(Paged[ReferralOut]):
    """A page of referrals."""


class ReferralsQuery(PageQuery):
    """Filters of the list."""

    state: Annotated[Text | None, Field(max_length=10)] = None
    advocate_id: UUID | None = None


class ProgramOut(Shape):
    """A referral program."""

    program_id: UUID
    name: str
    state: str
    is_default: bool
    friend_words: str
    advocate_words: str
    version: int


class ProgramPage(Paged[ProgramOut]):
    """A page of programs."""


class AdvocateIn(Shape):
    """Who is asked to share: one of three."""

    contact_id: UUID | None = None
    external_id: Key | None = None
    email: Annotated[Text | None, Field(max_length=254)] = None

    @model_validator(mode="after")
    def _one(self) -> "AdvocateIn":
        if sum(value is not None for value in (self.contact_id, self.external_id, self.email)) != 1:
            raise ValueError("Send exactly one of contact_id, external_id and email.")
        return self


class AdvocateOut(Shape):
    """Somebody who was asked to share."""

    advocate_id: UUID
    program_id: UUID
    contact_id: UUID
    state: str
    source: str
    code: str
    link: str
    created_at: Instant


class AdvocatePage(Paged[AdvocateOut]):
    """A page of advocates."""


class AdvocatesQuery(PageQuery):
    """Filters of the list."""

    state: Annotated[Text | None, Field(max_length=10)] = None


class PortalIn(Shape):
    """Nothing to add."""


class PortalOut(Shape):
    """A way to the advocate's share page, for your own product. Works for 15 minutes."""

    url: str
    expires_at: Instant


SIGN_UP_IN: dict[str, Any] = {"external_id": "signup-4471", "customer_email": "sam@oakandrye.example", "code": "maya-7Q2K9D"}
REFERRAL_OUT: dict[str, Any] = {
    "referral_id": "019a3b5e-7c00-7000-8000-000000000007",
    "program_id": "019a3b5e-7c00-7000-8000-000000000009",
    "advocate_id": "019a3b5e-7c00-7000-8000-00000000000a",
    "state": "signed_up",
    "review": "none",
    "signed_up_at": "2026-10-06T15:58:00Z",
    "qualified_at": None,
    "created_at": "2026-10-06T15:58:02Z",
}
PROGRAM_OUT: dict[str, Any] = {
    "program_id": "019a3b5e-7c00-7000-8000-000000000009",
    "name": "Refer a friend",
    "state": "live",
    "is_default": True,
    "friend_words": "2 months free",
    "advocate_words": "$50 credit",
    "version": 3,
}
ADVOCATE_IN: dict[str, Any] = {"email": "maya@fernandfable.example"}
ADVOCATE_OUT: dict[str, Any] = {
    "advocate_id": "019a3b5e-7c00-7000-8000-00000000000a",
    "program_id": "019a3b5e-7c00-7000-8000-000000000009",
    "contact_id": "019a3b5e-7c00-7000-8000-00000000000b",
    "state": "active",
    "source": "promoter",
    "code": "maya-7Q2K9D",
    "link": "https://wordback.example/r/maya-7Q2K9D",
    "created_at": "2026-10-01T09:00:00Z",
}
PORTAL_OUT: dict[str, Any] = {"url": "https://wordback.example/p/AZo7…", "expires_at": "2026-10-06T16:13:00Z"}


def referral(row: Referral) -> dict[str, Any]:
    return {
        "referral_id": str(row.id),
        "program_id": str(row.program_id),
        "advocate_id": str(row.advocate_id),
        "state": row.state,
        "review": row.review,
        "signed_up_at": rfc3339(row.signed_up_at) if row.signed_up_at else None,
        "qualified_at": rfc3339(row.qualified_at) if row.qualified_at else None,
        "created_at": rfc3339(row.created_at),
    }


def program(row: Program, version: ProgramVersion) -> dict[str, Any]:
    return {
        "program_id": str(row.id),
        "name": row.name,
        "state": row.state,
        "is_default": row.default_since is not None,
        "friend_words": version.friend_words,
        "advocate_words": version.advocate_words,
        "version": version.number,
    }


def advocate(row: Advocate, code: str, link: str) -> dict[str, Any]:
    return {
        "advocate_id": str(row.id),
        "program_id": str(row.program_id),
        "contact_id": str(row.contact_id),
        "state": row.state,
        "source": row.source,
        "code": code,
        "link": link,
        "created_at": rfc3339(row.created_at),
    }
