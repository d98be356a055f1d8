"""`POST /in/mail`: mail servers hand us what arrived for reply+, bounce+ and stop+ addresses. Stored once, answered, sorted later."""

from flask import Blueprint, abort, jsonify, request
from flask.typing import ResponseReturnValue

from nps.core import ids
from nps.core.errors import DomainError
from nps.delivery import incoming, service
from nps.web import current

blueprint = Blueprint("inbound_mail", __name__)


@blueprint.post("/in/mail")
def receive() -> ResponseReturnValue:
    """The raw message as the body, `X-Envelope-To`, `X-Envelope-From` where known, and our secret as a bearer token."""
    secret = current.settings().inbound_secret
    if not secret:
        abort(404)
    given = request.authorization
    if given is None or given.type != "bearer" or not ids.same(given.token or "", secret):
        raise DomainError("Send the inbound secret as Authorization: Bearer.", code="unauthorized", status=401)
    recipient = request.headers.get("X-Envelope-To", "").strip()
    if not recipient or len(recipient) > 254:
        raise DomainError("Say in X-Envelope-To for whom this mail is.", code="no_recipient", status=400)
    if request.mimetype != "message/rfc822":
        raise DomainError("Send the mail as message/rfc822.", code="wrong_type", status=415)
    # one byte more than is read in full, so that a larger mail is known to be one; the rest is not kept
    data = request.stream.read(incoming.MAX_BYTES + 1)
    stored = service.receive(recipient, request.headers.get("X-Envelope-From"), data)
    return jsonify({"stored": stored is not None}), 200
