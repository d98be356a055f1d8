"""Sales and refunds as the API takes and gives them."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, model_validator

from nps.api.shapes import Amount, Currency, Instant, Paged, PageQuery, Shape, Text, Whole, rfc3339
from nps.referrals.models import Adjustment, Conversion

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
