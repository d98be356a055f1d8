"""`/api/v1`: the company's server tells of sign-ups, sales and refunds, and asks people to share."""

from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import select

from nps.api.blueprint import Api, needs_idempotency_key
from nps.api.paging import page
from nps.api.shapes import PageQuery, rfc3339
from nps.contacts import queries as contacts
from nps.core import clock
from nps.core.errors import Conflict, Invalid, NotFound
from nps.referrals import queries, service
from nps.referrals.models import Advocate, Conversion, Program, Referral
from nps.referrals.rules.advocates import WORDS
from nps.referrals.rules.stripe_events import Hint, Keys
from nps.referrals.schemas import (
    ADVOCATE_IN,
    ADVOCATE_OUT,
    EXAMPLE_IN,
    EXAMPLE_OUT,
    PORTAL_OUT,
    PROGRAM_OUT,
    REFERRAL_OUT,
    REFUND_IN,
    REFUND_OUT,
    SIGN_UP_IN,
    AdvocateIn,
    AdvocateOut,
    AdvocatePage,
    AdvocatesQuery,
    ConversionIn,
    ConversionOut,
    ConversionPage,
    ConversionsQuery,
    PortalIn,
    PortalOut,
    ProgramOut,
    ProgramPage,
    ReferralAnswer,
    ReferralOut,
    ReferralPage,
    ReferralsQuery,
    RefundIn,
    RefundOut,
    SignUpIn,
    advocate,
    conversion,
    program,
    referral,
    refund,
)

blueprint = Api("conversions_api", __name__, tag="Conversions")
programs = Api("programs_api", __name__, tag="Referrals")
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


@blueprint.post("/referrals")
@needs_idempotency_key
@blueprint.input(SignUpIn, example=SIGN_UP_IN)
@blueprint.output(ReferralAnswer, 201, example={"referral": REFERRAL_OUT})
def tell_sign_up(json_data: SignUpIn) -> Any:
    """Tell of a sign-up, or of your own qualifying event

    The friend is credited to whoever the click, code or advocate leads to. Without any of them the sign-up is kept, and a claim
    or sale of the same person still finds it.
    """
    sent = json_data
    if sent.advocate_id is not None:
        queries.get_advocate(sent.advocate_id)
    keys = Keys(sent.stripe_customer_id or "", sent.customer_external_id or "", sent.customer_email or "", "", sent.country, sent.region)
    friend = service.sign_up(
        SOURCE,
        sent.external_id,
        keys=keys,
        occurred_at=sent.occurred_at or clock.now(),
        click_id=sent.click_id or "",
        code=sent.code or "",
        advocate_id=sent.advocate_id,
        event=sent.event if sent.stage == "qualified" else "",
    )
    found = queries.find_referral_of(friend.id)
    return {"referral": referral(found) if found else None}, 201


@blueprint.get("/referrals")
@blueprint.input(ReferralsQuery, location="query")
@blueprint.output(ReferralPage, example={"data": [REFERRAL_OUT], "next": None})
def list_referrals(query_data: ReferralsQuery) -> Any:
    """List referrals

    Dates and states of friends, without who they are.
    """
    query = select(Referral)
    if query_data.state is not None:
        query = query.where(Referral.state == query_data.state)
    if query_data.advocate_id is not None:
        query = query.where(Referral.advocate_id == query_data.advocate_id)
    rows, following = page(query, Referral.id, query_data)
    return {"data": [referral(row) for row in rows], "next": following}


@blueprint.get("/referrals/<uuid:referral_id>")
@blueprint.output(ReferralOut, example=REFERRAL_OUT)
def get_referral(referral_id: UUID) -> Any:
    """Get a referral"""
    return referral(queries.get_referral(referral_id))


@programs.get("/programs")
@programs.input(PageQuery, location="query")
@programs.output(ProgramPage, example={"data": [PROGRAM_OUT], "next": None})
def list_programs(query_data: PageQuery) -> Any:
    """List programs"""
    rows, following = page(select(Program), Program.id, query_data)
    return {"data": [program(row, queries.newest_version(row.id)) for row in rows], "next": following}


@programs.get("/programs/<uuid:program_id>")
@programs.output(ProgramOut, example=PROGRAM_OUT)
def get_program(program_id: UUID) -> Any:
    """Get a program"""
    return program(queries.get_program(program_id), queries.newest_version(program_id))


@programs.get("/programs/<uuid:program_id>/advocates")
@programs.input(AdvocatesQuery, location="query")
@programs.output(AdvocatePage, example={"data": [ADVOCATE_OUT], "next": None})
def list_advocates(program_id: UUID, query_data: AdvocatesQuery) -> Any:
    """List the advocates of a program"""
    query = select(Advocate).where(Advocate.program_id == queries.get_program(program_id).id)
    if query_data.state is not None:
        query = query.where(Advocate.state == query_data.state)
    rows, following = page(query, Advocate.id, query_data)
    return {"data": [_advocate(row) for row in rows], "next": following}


@programs.post("/programs/<uuid:program_id>/advocates")
@programs.input(AdvocateIn, example=ADVOCATE_IN)
@programs.output(AdvocateOut, 201, example=ADVOCATE_OUT)
def add_advocate(program_id: UUID, json_data: AdvocateIn) -> Any:
    """Ask a contact to share

    Makes the link; nobody is mailed. The same contact again gives the same advocate (200). Somebody with an open case, a stop or
    a low score is not asked (409 with the reason).
    """
    shown = queries.get_program(program_id)
    contact_id = json_data.contact_id
    if json_data.external_id is not None:
        found = contacts.find_by_identity("external_id", json_data.external_id)
        contact_id = found.id if found else None
    elif json_data.email is not None:
        found = contacts.find_by_email(json_data.email)
        contact_id = found.id if found else None
    if contact_id is None:
        raise NotFound("There is no such contact.")
    enrolment = service.enrol(contact_id, "api", program_id=shown.id)
    if enrolment.advocate is None:
        words = WORDS[enrolment.refused] if enrolment.refused else "Not asked"
        raise Conflict(f"{words}. Nobody was asked.", code=str(enrolment.refused or "not_asked"))
    return _advocate(enrolment.advocate), 201 if enrolment.made else 200


@programs.get("/advocates/<uuid:advocate_id>")
@programs.output(AdvocateOut, example=ADVOCATE_OUT)
def get_advocate(advocate_id: UUID) -> Any:
    """Get an advocate"""
    return _advocate(queries.get_advocate(advocate_id))


@programs.post("/advocates/<uuid:advocate_id>/portal_links")
@programs.input(PortalIn, example={})
@programs.output(PortalOut, 201, example=PORTAL_OUT)
def make_portal_link(advocate_id: UUID, json_data: PortalIn) -> Any:
    """Make a way to an advocate's share page

    For your own product: open it where your customer is signed in. It works for 15 minutes, then the page stays open for 12 hours.
    """
    link = service.short_portal(queries.get_advocate(advocate_id), clock.now())
    return {"url": queries.portal_address(link), "expires_at": rfc3339(link.expires_at)}, 201


def _advocate(row: Advocate) -> dict[str, Any]:
    link = queries.link_of(row.id)
    return advocate(row, link.code, queries.link_address(link))
