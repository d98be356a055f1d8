"""`/api/v1/contacts`: the account's customers, found by id, email or the account's own number."""

from typing import Any
from uuid import UUID

from flask import current_app, g
from sqlalchemy import select

from nps.api.blueprint import Api
from nps.api.paging import page
from nps.contacts import queries, service
from nps.contacts.models import Contact
from nps.contacts.schemas import EXAMPLE_IN, EXAMPLE_OUT, ContactIn, ContactOut, ContactPage, ContactsQuery, contact
from nps.core import email_address
from nps.core.errors import DomainError, Invalid, NotFound
from nps.delivery import queries as delivery

blueprint = Api("contacts_api", __name__, tag="Contacts")

CREATED: Any = {201: {"description": "The contact was added", "content": {"application/json": {"example": EXAMPLE_OUT}}}}


@blueprint.get("/contacts")
@blueprint.input(ContactsQuery, location="query")
@blueprint.output(ContactPage, example={"data": [EXAMPLE_OUT], "next": None})
def list_contacts(query_data: ContactsQuery) -> Any:
    """List contacts

    In the order in which they were added. Erased people are left out.
    """
    query = select(Contact).where(Contact.erased_at.is_(None))
    if query_data.created_since is not None:
        query = query.where(Contact.created_at >= query_data.created_since)
    if query_data.updated_since is not None:
        query = query.where(Contact.updated_at >= query_data.updated_since)
    rows, following = page(query, Contact.id, query_data)
    stops = delivery.find_suppressions([row.email for row in rows if row.email])
    return {"data": [contact(row, stops) for row in rows], "next": following}


@blueprint.get("/contacts/<uuid:contact_id>")
@blueprint.output(ContactOut, example=EXAMPLE_OUT)
def get_contact(contact_id: UUID) -> Any:
    """Get a contact by id"""
    return _shown(queries.find_contact(contact_id))


@blueprint.get("/contacts/email:<path:address>")
@blueprint.output(ContactOut, example=EXAMPLE_OUT)
def get_contact_by_email(address: str) -> Any:
    """Get a contact by email

    Case does not matter; a former address finds the person too.
    """
    return _shown(queries.find_by_email(address))


@blueprint.get("/contacts/external:<path:number>")
@blueprint.output(ContactOut, example=EXAMPLE_OUT)
def get_contact_by_external_id(number: str) -> Any:
    """Get a contact by your own number"""
    return _shown(queries.find_by_identity("external_id", number))


@blueprint.put("/contacts/email:<path:address>")
@blueprint.input(ContactIn, example=EXAMPLE_IN)
@blueprint.output(ContactOut, example=EXAMPLE_OUT)
@blueprint.doc(responses=CREATED)
def put_contact_by_email(address: str, json_data: ContactIn) -> Any:
    """Add or change a contact by email

    Adds the contact when nobody has this address (201), else changes it (200). Fields that are not sent stay; null empties.
    Another email in the body becomes the new address; the old one stays as an alias. Nobody is mailed because of this.
    """
    return _put("email", email_address.parse(address), json_data)


@blueprint.put("/contacts/external:<path:number>")
@blueprint.input(ContactIn, example=EXAMPLE_IN)
@blueprint.output(ContactOut, example=EXAMPLE_OUT)
@blueprint.doc(responses=CREATED)
def put_contact_by_external_id(number: str, json_data: ContactIn) -> Any:
    """Add or change a contact by your own number

    Adds the contact when nobody has this number (201), else changes it (200). Fields that are not sent stay; null empties.
    """
    return _put("external_id", number, json_data)


def _put(name: str, value: str, sent: ContactIn) -> Any:
    given, by = sent.given(), f"key {g.api_key.prefix}"
    found = queries.find_by_identity(name, value)
    try:
        if found is not None and found.erased_at is None:
            made, added = service.edit(found.id, given, source="api", by=by), False
        else:
            made, added = service.upsert({**given, name: given.get(name) or value}, source="api", by=by)
    except DomainError as error:
        raise _pointing(error) from None
    body = contact(made, delivery.find_suppressions([made.email] if made.email else []))
    base = current_app.extensions["settings"].base_url
    return (body, 201, {"Location": f"{base}/api/v1/contacts/{made.id}"}) if added else (body, 200)


def _pointing(error: DomainError) -> DomainError:
    """The same refusal with fields named as in the body: properties stand in an object of their own."""
    if not error.fields:
        return error
    fields = {f"properties/{name[2:]}" if name.startswith("p.") else name: text for name, text in error.fields.items()}
    return Invalid(error.message, code=error.code, status=error.status, fields=fields)


def _shown(found: Contact | None) -> Any:
    if found is None or found.erased_at is not None:
        raise NotFound("There is no such contact.")
    return contact(found, delivery.find_suppressions([found.email] if found.email else []))
