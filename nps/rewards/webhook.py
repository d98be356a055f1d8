"""Customers' Stripe accounts call us: verify, keep once, answer; the work comes later."""

from flask import Blueprint, Response, request
from sqlalchemy.exc import OperationalError

from nps.core import clock, ids, tenancy
from nps.core import db as database
from nps.core.log import log
from nps.rewards import queries, service
from nps.rewards.gateway import MAX_BODY, Forged, read_event
from nps.rewards.service.stripe import PURPOSE, secrets_of

blueprint = Blueprint("stripe_webhook", __name__)


def _answer(status: int, text: str) -> Response:
    return Response(text + "\n", status, mimetype="text/plain")


@blueprint.post("/in/stripe/<token>")
def receive(token: str) -> Response:
    """200 for what is kept, now or before; 400 for what is not theirs; 503 when it could not be kept."""
    try:
        account_id, connection_id = ids.unsign(PURPOSE, token)
    except ids.BadToken:
        return _answer(404, "unknown endpoint")
    if (request.content_length or 0) > MAX_BODY:
        return _answer(400, "too large")
    now = clock.now()
    try:
        with tenancy.account_scope(account_id):
            connection = queries.get_connection(connection_id)
            if connection is None or connection.off_at is not None:
                return _answer(404, "unknown endpoint")
            body = request.get_data()
            event = read_event(body, request.headers.get("Stripe-Signature"), secrets_of(connection, now), now.timestamp())
            service.keep_event(connection, event, body.decode())
            # Kept means durable: the commit stands before the 200, and its failure is a 503.
            database.commit()
    except Forged as forged:
        log.warning("stripe event refused", account=str(account_id), why=str(forged))
        return _answer(400, "not a signed event of this account")
    except OperationalError:
        log.error("stripe event not kept: the database does not answer")
        return _answer(503, "try again")
    return _answer(200, "kept")
