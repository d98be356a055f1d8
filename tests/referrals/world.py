"""A small world for tests: a live program, promoters, friends and what Stripe would say about them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from nps.accounts.models import Account
from nps.contacts import service as contacts
from nps.contacts.models import Contact
from nps.core import clock
from nps.core.db import db
from nps.delivery.models import SenderDomain
from nps.referrals import queries, service
from nps.referrals.models import Advocate, Click, Program
from nps.referrals.rules.clicks import click_ref
from nps.referrals.rules.stripe_events import Binding, Fact, Hint, Keys, Sale, SameSale, Taken
from nps.referrals.rules.stripe_events import facts as read_facts


def live_program(account: Account, **fields: Any) -> Program:
    """The default program with terms and a destination, live."""
    if not queries.verified_hosts():
        db.session.add(SenderDomain(domain="larkfield.example", state="verified", created_at=clock.now()))
        db.session.flush()
    program = service.ensure_default()
    service.save_program(
        program,
        {
            "destination_url": "https://larkfield.example/start",
            "terms": "Share with people you know.",
            "holdout_percent": 0,
            "qualify_noun": "First payroll",
            **fields,
        },
        "tests",
    )
    service.go_live(program, "tests")
    db.session.flush()
    return program


def person(email: str, score: int | None = 10, **fields: Any) -> Contact:
    """A contact whose last verified answer was `score`."""
    contact, _ = contacts.upsert({"email": email, **fields})
    contact.last_score = score
    db.session.flush()
    return contact


def promoter(email: str = "maya@fern.example", **fields: Any) -> Advocate:
    """A promoter with a link."""
    enrolment = service.enrol(person(email, **{"first_name": "Maya", **fields}).id, "promoter")
    assert enrolment.advocate is not None, enrolment.refused
    return enrolment.advocate


def click(
    advocate: Advocate, *, verdict: str = "human", signs: int = 0, channel: str = "wa", at: datetime | None = None, **rest: Any
) -> str:
    """A stored click on the advocate's link; its reference as it travels in addresses."""
    row = Click(
        link_id=queries.link_of(advocate.id).id,
        channel=channel,
        occurred_at=at or clock.now(),
        verdict=verdict,
        signs=signs,
        visitor=rest.pop("visitor", "v" * 32),
        **rest,
    )
    db.session.add(row)
    db.session.flush()
    return click_ref(row.id)


class Shop:
    """What the company's Stripe would tell, with ids that hang together. Times count from `start`."""

    def __init__(self, start: datetime | None = None, name: str = "1") -> None:
        self.start = (start or clock.now()).astimezone(UTC).replace(microsecond=0)
        self.name = name

    def at(self, minutes: float) -> datetime:
        return self.start + timedelta(minutes=minutes)

    def binding(self, ref: str = "", minutes: float = 1, email: str = "leo@lantern.example", code: str = "") -> Binding:
        hints = ()
        if ref:
            hints = (Hint("client_reference", "click", ref, f"cs_{self.name}"),)
        if code:
            hints = (*hints, Hint("metadata_code", "code", code, f"cs_{self.name}"))
        return Binding(Keys(f"cus_{self.name}", "", email, "Leo"), hints, self.at(minutes), f"cs_{self.name}", signed_up=True)

    def sale(self, minutes: float = 2, gross: int = 11_900, net: int = 10_000, currency: str = "USD", number: int = 1) -> Sale:
        refs = (("invoice", f"in_{self.name}_{number}"),)
        return Sale(
            f"in_{self.name}_{number}",
            refs,
            gross,
            net,
            gross - net,
            currency,
            self.at(minutes),
            Keys(f"cus_{self.name}"),
            (),
            "prod",
            f"sub_{self.name}",
        )

    def payment(self, number: int = 1) -> SameSale:
        return SameSale((("invoice", f"in_{self.name}_{number}"), ("payment_intent", f"pi_{self.name}_{number}")))

    def refund(self, amount: int = 3_570, minutes: float = 3, status: str = "succeeded", number: int = 1, currency: str = "USD") -> Taken:
        counted = amount if status in ("pending", "requires_action", "succeeded") else 0
        refs = (("payment_intent", f"pi_{self.name}_{number}"),)
        return Taken("refund", f"re_{self.name}_{number}", counted, currency, status, refs, self.at(minutes), self.at(minutes), 2)

    def dispute(self, status: str = "needs_response", amount: int = 8_330, minutes: float = 4, number: int = 1) -> Taken:
        obj = {
            "id": f"dp_{self.name}_{number}",
            "amount": amount,
            "currency": "usd",
            "status": status,
            "payment_intent": f"pi_{self.name}_{number}",
            "charge": f"ch_{self.name}_{number}",
            "created": int(self.at(4).timestamp()),
        }
        event = {"type": "charge.dispute.updated", "created": int(self.at(minutes).timestamp()), "data": {"object": obj}}
        found: Fact = read_facts(event)[0]
        assert isinstance(found, Taken)
        return found


def tell(*told: Fact) -> None:
    """The facts as Stripe's, one after the other."""
    for fact in told:
        service.take("stripe", fact)
    db.session.flush()
