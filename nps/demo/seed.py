"""Fills an empty installation with Larkfield and its year; on every start ties it to the stand-in for Stripe."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import delete, select

from nps.accounts import queries as accounts_queries
from nps.accounts import rules as accounts_rules
from nps.accounts import service as accounts
from nps.accounts.models import Account, ApiKey, Membership
from nps.billing import gateway as billing_gateway
from nps.billing import rules as billing_rules
from nps.billing import service as billing
from nps.core import clock, tenancy
from nps.core.db import db
from nps.delivery.models import MailboxMail, SenderDomain
from nps.demo import gateway, year
from nps.referrals import service as referrals
from nps.rewards import service as rewards
from nps.rewards.service import stripe as customer_stripe

Say = Callable[[str], None]
TEAM = (
    ("Tomás Rey", "tomas@larkfield.example", accounts_rules.Role.RESPONDER),
    ("Priya Raman", "priya@larkfield.example", accounts_rules.Role.RESPONDER),
    ("Olu Adeyemi", "olu@larkfield.example", accounts_rules.Role.ADMIN),
    ("Greta Holm", "greta@larkfield.example", accounts_rules.Role.REVIEWER),
)
MAILS_KEPT = 700


def ensure(email: str, password: str, double: dict[str, Any], say: Say) -> dict[str, Any]:
    """Make the sample company and its year unless they are there; returns its slug and a fresh API key."""
    found = accounts_queries.find_account("larkfield")
    if found is None:
        say("Making the sample company")
        found = _company(email, password)
        db.session.commit()
        with tenancy.account_scope(found.id):
            team = list(db.session.scalars(select(Membership).order_by(Membership.created_at, Membership.id)))
            workers = [m for m in team if m.role != accounts_rules.Role.REVIEWER]
        year.live(found, workers, say)
        found = accounts_queries.get_account(found.id)
        say("Putting old mail away")
        _keep_recent_mail()
    with tenancy.account_scope(found.id):
        db.session.execute(delete(ApiKey).where(ApiKey.name == "Demo"))
        _, secret = accounts.create_api_key("Demo", ["*"], None)
        if double:
            _tie_to_stripe(double)
        db.session.commit()
    return {"account": found.slug, "api_key": secret}


def _company(email: str, password: str) -> Account:
    owner = accounts.create_user(email, "Ines Marchetti", password)
    owner.email_confirmed_at = clock.now()
    made = accounts.create_account(
        "Larkfield",
        owner,
        slug="larkfield",
        state="active",
        postal_address="Larkfield Inc., 48 Quay Street, Portland, ME 04101, USA",
        sender_name="Ines Marchetti",
        sender_role="Customer lead",
        sender_email="ines@larkfield.example",
        reply_to="ines@larkfield.example",
        time_zone="America/New_York",
        whom="another business owner",
        brand_color="#14574a",
        on_brand="#ffffff",
        website="https://larkfield.example",
    )
    with tenancy.account_scope(made.id):
        for name, address, role in TEAM:
            user = accounts.create_user(address, name, password)
            user.email_confirmed_at = clock.now()
            db.session.add(Membership(user_id=user.id, role=role, created_at=clock.now()))
            db.session.flush()
        db.session.add(SenderDomain(domain="larkfield.example", state="verified", checked_at=clock.now(), created_at=clock.now()))
        db.session.flush()
    # Ines helps a second company that has just begun: it shows the empty pages, the guide and the switch between companies.
    accounts.create_account("Quayside Coffee", owner, slug="quayside-coffee", state="active", time_zone="America/New_York")
    return made


def _keep_recent_mail() -> None:
    """A year of mails would fill the mailbox page; the newest stay."""
    kept = select(MailboxMail.number).order_by(MailboxMail.number.desc()).offset(MAILS_KEPT).limit(1).scalar_subquery()
    db.session.execute(delete(MailboxMail).where(MailboxMail.number <= kept))
    db.session.commit()


def _tie_to_stripe(double: dict[str, Any]) -> None:
    """Plans get the stand-in's prices; Larkfield's own Stripe account tells us what friends pay; links lead to its shop."""
    names = {f"wordback_{plan}_{interval}": (plan, interval) for plan in billing_rules.FOR_SALE for interval in billing_rules.INTERVALS}
    for price in billing_gateway.list_prices(list(names)):
        billing.keep_price(*names[str(price.lookup_key)], price)
    shop = double["seed"]["demo"]
    connection = rewards.connect(api_key=shop["key"], stripe_account=shop["account"])
    hook = gateway.tell_double(double["url"], "webhook", {"url": customer_stripe.endpoint(connection), "account": shop["account"]})
    rewards.connect(secret=hook["secret"])
    program = referrals.ensure_default()
    referrals.save_program(program, {"destination_url": f"{double['url']}/shop"}, "Ines Marchetti")
