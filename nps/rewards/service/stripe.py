"""The customer's Stripe tells us what happened: kept once, then turned into facts. Their order does not matter."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from nps.core import clock, ids, secret_box, settings, tenancy
from nps.core.db import db
from nps.core.errors import Invalid
from nps.jobs import inbox, outbox
from nps.jobs.models import InboxEvent
from nps.referrals import service as referrals
from nps.referrals.rules import stripe_events
from nps.rewards import queries
from nps.rewards.gateway import API_VERSION
from nps.rewards.models import StripeConnection

KEEP_OLD_SECRET = timedelta(days=7)
PURPOSE = "in-stripe"
EVENTS = stripe_events.TYPES


def connect(*, secret: str = "", api_key: str = "", stripe_account: str = "", livemode: bool = False) -> StripeConnection:
    """The one Stripe connection of the account. Called again it changes what is given and keeps the rest.

    Raises Invalid for secrets that cannot be Stripe's, or when another Stripe account is connected already.
    """
    now = clock.now()
    secret, api_key = secret.strip(), api_key.strip()
    if secret and not secret.startswith("whsec_"):
        raise Invalid("A signing secret begins with whsec_.", fields={"secret": "Copy it from the endpoint’s page in Stripe."})
    if api_key and not api_key.startswith(("rk_", "sk_")):
        raise Invalid("A key begins with rk_ or sk_.", fields={"api_key": "Use a restricted key from Stripe’s dashboard."})
    found = queries.find_connection()
    if found is None:
        found = StripeConnection(created_at=now)
        db.session.add(found)
    if stripe_account and found.stripe_account and found.stripe_account != stripe_account:
        raise Invalid("Another Stripe account is connected. Disconnect it first; nothing was changed.")
    found.stripe_account = stripe_account or found.stripe_account or ""
    found.livemode = livemode or api_key.startswith(("rk_live_", "sk_live_")) or bool(found.livemode)
    if secret:
        found.secret_sealed, found.secret_last4 = secret_box.seal(secret), secret[-4:]
    if api_key:
        found.api_key_sealed, found.api_key_last4 = secret_box.seal(api_key), api_key[-4:]
    db.session.flush()
    return found


def rotate_secret(connection: StripeConnection, secret: str) -> None:
    """A new signing secret; the old one still counts for 7 days."""
    now = clock.now()
    if not secret.strip().startswith("whsec_"):
        raise Invalid("A signing secret begins with whsec_.", fields={"secret": "Copy it from the endpoint’s page in Stripe."})
    connection.old_secret_sealed, connection.old_secret_until = connection.secret_sealed, now + KEEP_OLD_SECRET
    connection.secret_sealed, connection.secret_last4 = secret_box.seal(secret.strip()), secret.strip()[-4:]
    db.session.flush()


def disconnect(connection: StripeConnection) -> None:
    """No more events are taken; everything that came stays."""
    connection.off_at = clock.now()
    connection.api_key_sealed = connection.secret_sealed = connection.old_secret_sealed = ""
    db.session.flush()


def change_connection(connection: StripeConnection | None, what: str, secret: str, api_key: str) -> None:
    """What the settings page does: connect, change secrets, disconnect. A secret that replaces one leaves it 7 days."""
    if what == "off":
        if connection is not None:
            disconnect(connection)
        return
    if connection is not None and secret and connection.secret_sealed:
        rotate_secret(connection, secret)
        secret = ""
    connect(secret=secret, api_key=api_key)


def endpoint(connection: StripeConnection) -> str:
    """The address Stripe calls. Its token names account and connection, so the secret is found by the path."""
    return f"{settings.current().base_url}/in/stripe/{ids.sign(PURPOSE, connection.account_id, connection.id)}"


def secrets_of(connection: StripeConnection, now: datetime) -> list[str]:
    """The signing secrets that count now: the newest, and the one before it for 7 days."""
    found = [connection.secret_sealed]
    if connection.old_secret_until is not None and connection.old_secret_until > now:
        found.append(connection.old_secret_sealed)
    return [secret_box.unseal(sealed) for sealed in found if sealed]


def keep_event(connection: StripeConnection, event: dict[str, Any], body: str) -> bool:
    """Store a verified event once and ask for the work. False when it was told before."""
    kept = inbox.receive(f"stripe:{connection.id}", event["id"], body, kind=event["type"], account_id=tenancy.current())
    if kept is None:
        return False
    connection.last_event_at = clock.now()
    outbox.enqueue("rewards.take_event", {"event_id": str(kept.id), "connection_id": str(connection.id)})
    return True


def take_event(event_id: UUID, connection_id: UUID) -> None:
    """Turn a kept event into facts; its state says what came of it. Effects and state are one transaction."""
    now = clock.now()
    row = db.session.get(InboxEvent, event_id)
    connection = queries.get_connection(connection_id)
    if row is None or connection is None or row.state in ("done", "ignored"):
        return
    event = json.loads(row.body)
    why = _ignored(event, connection)
    if why:
        row.state, row.reason, row.finished_at = "ignored", why, now
        return
    for fact in stripe_events.facts(event):
        referrals.take("stripe", fact)
    row.state, row.finished_at = "done", now


def _ignored(event: dict[str, Any], connection: StripeConnection) -> str:
    """Why an event has no effect, or ""."""
    if bool(event.get("livemode")) != connection.livemode:
        return "livemode"
    account = event.get("account")
    if account and connection.stripe_account and account != connection.stripe_account:
        return "account"
    if not stripe_events.known(event["type"]):
        return f"type {event['type'][:60]}"
    if event.get("api_version") not in (None, API_VERSION):
        return f"version {str(event.get('api_version'))[:40]}"
    return ""
