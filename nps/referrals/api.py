"""`/api/v1/conversions`: the company's server tells of sales and refunds."""

from typing import Any

from flask import current_app
from sqlalchemy import select

from nps.api.blueprint import Api, needs_idempotency_key
from nps.api.paging import page
from nps.core import clock
from nps.core.errors import Invalid, NotFound
from nps.referrals import queries, service
from nps.referrals.models import Conversion
from nps.referrals.rules.stripe_events import Hint, Keys
from nps.referrals.schemas import (
    EXAMPLE_IN,
    EXAMPLE_OUT,
    REFUND_IN,
    REFUND_OUT,
    ConversionIn,
    ConversionOut,
    ConversionPage,
    ConversionsQuery,
    RefundIn,
    RefundOut,
    conversion,
    refund,
)

blueprint = Api("conversions_api", __name__, tag="Conversions")
SOURCE = "api"


@blueprint.get("/conversions")
@blueprint.input(ConversionsQuery, location="query")
@blueprint.output(ConversionPage, example={"data": [EXAMPLE_OUT], "next": None})
def list_conversions(query_data: ConversionsQuery) -> Any:
    """List conversions

    Sales from every source, in the order in which they were stored.
    """
    query = select(Conversion)
    if query_data.created_since is not None:
        query = query.where(Conversion.occurred_at >= query_data.created_since)
    if query_data.created_until is not None:
        query = query.where(Conversion.occurred_at < query_data.created_until)
    rows, following = page(query, Conversion.id, query_data)
    return {"data": [conversion(row) for row in rows], "next": following}


@blueprint.get("/conversions/<path:number>")
@blueprint.output(ConversionOut, example=EXAMPLE_OUT)
def get_conversion(number: str) -> Any:
    """Get a conversion told by the API, by your own id"""
    found = queries.find_conversion(SOURCE, number)
    if found is None:
        raise NotFound("There is no such sale.")
    return conversion(found)


@blueprint.post("/conversions")
@needs_idempotency_key
@blueprint.input(ConversionIn, example=EXAMPLE_IN)
@blueprint.output(ConversionOut, 201, example=EXAMPLE_OUT)
def tell_conversion(json_data: ConversionIn) -> Any:
    """Tell of a sale

    Stores one paid sale and credits whoever brought the buyer, now or when the evidence arrives. The same external_id with the
    same content gives the first answer again; with other content 409.
    """
    sent, known = json_data, queries.find_conversion(SOURCE, json_data.external_id)
    # without a time the first telling was the time, also when it is told again
    when = sent.occurred_at or (known.occurred_at if known is not None else clock.now())
    keys = Keys(sent.stripe_customer_id or "", sent.customer_external_id or "", sent.customer_email or "")
    made = service.convert(
        SOURCE,
        sent.external_id,
        gross=sent.amount,
        tax=sent.tax,
        currency=sent.currency,
        occurred_at=when,
        keys=keys,
        hints=_hints(sent),
        product=sent.product,
        subscription=sent.subscription,
    )
    place = f"{current_app.extensions['settings'].base_url}/api/v1/conversions/{made.external_id}"
    return conversion(made), 201, {"Location": place}


def _hints(sent: ConversionIn) -> list[Hint]:
    """Evidence sent with the sale: the click, or the code of the link."""
    made = []
    if sent.click_id:
        made.append(Hint("server_click", "click", sent.click_id, sent.external_id))
    if sent.code:
        made.append(Hint("metadata_code", "code", sent.code, sent.external_id))
    return made


@blueprint.post("/conversions/<path:number>/refunds")
@needs_idempotency_key
@blueprint.input(RefundIn, example=REFUND_IN)
@blueprint.output(RefundOut, 201, example=REFUND_OUT)
def tell_refund(number: str, json_data: RefundIn) -> Any:
    """Tell of a refund

    Money of the sale with this external_id went back; rewards follow. The refund may be told before the sale.
    """
    known = queries.find_conversion(SOURCE, number)
    currency = json_data.currency or (known.currency if known is not None else None)
    if currency is None:
        message = "This sale is not known yet, so say in which currency."
        raise Invalid(message, fields={"currency": message})
    if known is not None and currency != known.currency:
        message = f"The sale was in {known.currency}. Nothing was stored."
        raise Invalid(message, fields={"currency": message})
    when = json_data.occurred_at or clock.now()
    made = service.refund(SOURCE, number, json_data.external_id, amount=json_data.amount, currency=currency, occurred_at=when)
    return refund(made), 201
