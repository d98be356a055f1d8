"""Stripe calls us about our own billing: verify, store once, answer. The work is a job's."""

from typing import Any

from flask import Blueprint, request

from nps.billing import rules, service
from nps.core import clock
from nps.web import current

webhook = Blueprint("billing_webhook", __name__)
MOST_BYTES = 1024 * 1024


@webhook.post("/stripe")
def take() -> Any:
    """200 for an event that is kept, also the second time; 400 for what is not Stripe's; 413 above 1 MB."""
    request.max_content_length = MOST_BYTES
    body, settings = request.get_data(cache=False), current.settings()
    secrets = (settings.stripe_webhook_secret, settings.stripe_old_webhook_secret)
    problem = rules.signature_problem(request.headers.get("Stripe-Signature"), body, secrets, clock.now())
    event = rules.readable_event(body) if problem is None else None
    if event is None:
        return {"error": problem or "not an event"}, 400
    service.take_event(event["id"], event["type"], body.decode())
    return {"received": True}
