"""A company's own Stripe: forged messages stay out, true ones become facts once, and a friend who pays makes a reward."""

import hashlib
import hmac
import itertools
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError, OperationalError
from stripe import StripeClient

from nps.core import clock as product_clock
from nps.core import db as database
from nps.core import tenancy
from nps.core.db import db
from nps.core.settings import Settings
from nps.jobs.models import InboxEvent
from nps.referrals import queries as referral_queries
from nps.referrals import service as referrals
from nps.referrals.models import Adjustment, Conversion, Referral
from nps.rewards import queries, service
from nps.rewards.errors import WrongStep
from nps.rewards.models import LedgerLine, Reward, StripeConnection
from tests.conftest import settings_for
from tests.doubles.stripe.server import StripeDouble
from tests.referrals.world import Shop, click, live_program, promoter

HOOK = "http://127.0.0.1:1/in/stripe"
SECRET, OLD = "whsec_the_new_one", "whsec_the_old_one"
PHONE = {
    "User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 Version/19.1 Mobile/15E148 Safari/604.1"
}


def sign(body: bytes, secret: str = SECRET, at: float | None = None, scheme: str = "v1") -> str:
    moment = int(product_clock.now().timestamp() if at is None else at)
    mac = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},{scheme}={mac}"


def event(number: int = 1, kind: str = "customer.created", **change: Any) -> dict[str, Any]:
    obj = {"id": f"cus_{number}", "object": "customer", "email": f"f{number}@kite.example", "created": 1_790_000_000, "metadata": {}}
    return {
        "id": f"evt_{number}",
        "object": "event",
        "type": kind,
        "created": 1_790_000_000,
        "livemode": False,
        "data": {"object": obj},
        **change,
    }


@pytest.fixture
def connection(account: Any) -> StripeConnection:
    made = service.connect(secret=OLD)
    service.change_connection(made, "save", SECRET, "")
    db.session.commit()
    return made


@pytest.fixture
def path(connection: StripeConnection) -> str:
    return service.endpoint(connection).removeprefix("http://localhost")


def kept() -> list[InboxEvent]:
    db.session.expire_all()
    return list(db.session.scalars(select(InboxEvent).order_by(InboxEvent.received_at)))


def test_twelve_kinds_of_forged_messages_are_refused_and_leave_nothing(client: Any, path: str) -> None:
    body = json.dumps(event()).encode()
    now = product_clock.now().timestamp()
    good = sign(body)
    forged: list[tuple[str, bytes, str | None]] = [
        ("no header", body, None),
        ("wrong secret", body, sign(body, "whsec_wrong")),
        ("altered", body.replace(b"evt_1", b"evt_2"), good),
        ("re-serialised", json.dumps(event(), indent=1).encode(), good),
        ("only v0", body, sign(body, scheme="v0")),
        ("301 s old", body, sign(body, at=now - 302)),
        ("301 s ahead", body, sign(body, at=now + 302)),
        ("header not ASCII", body, good + ",v1=ü"),
        ("t=abc", body, good.replace(f"t={int(now)}", "t=abc")),
        ("not UTF-8", b"\xff" + body, sign(b"\xff" + body)),
        ("not an object", b"[1]", sign(b"[1]")),
        ("thin", b'{"id":"evt_9","object":"v2.core.event","type":"x"}', sign(b'{"id":"evt_9","object":"v2.core.event","type":"x"}')),
    ]
    for name, sent, header in forged:
        headers = {} if header is None else {"Stripe-Signature": header.encode("latin-1").decode("latin-1")}
        assert client.post(path, data=sent, headers=headers).status_code == 400, name
    assert client.post(path, data=b"x" * (1024 * 1024 + 1), headers={"Stripe-Signature": good}).status_code == 400
    assert kept() == []


def test_a_wrong_and_a_right_signature_and_the_previous_secret_are_taken(client: Any, path: str, clock: Any) -> None:
    one, two = json.dumps(event(1)).encode(), json.dumps(event(2)).encode()
    stamp = sign(one)
    assert client.post(path, data=one, headers={"Stripe-Signature": stamp.replace("v1=", f"v1={'0' * 64},v1=")}).status_code == 200
    assert client.post(path, data=two, headers={"Stripe-Signature": sign(two, OLD)}).status_code == 200
    assert [row.external_id for row in kept()] == ["evt_1", "evt_2"]
    clock.move(days=8)
    three = json.dumps(event(3)).encode()
    assert client.post(path, data=three, headers={"Stripe-Signature": sign(three, OLD)}).status_code == 400


@pytest.mark.parametrize("token", ["x", "a" * 59, ""])
def test_an_unknown_endpoint_is_404(client: Any, connection: StripeConnection, token: str) -> None:
    assert client.post(f"/in/stripe/{token}", data=b"{}").status_code == 404


def test_an_endpoint_that_was_disconnected_takes_nothing(client: Any, path: str, connection: StripeConnection) -> None:
    service.disconnect(connection)
    db.session.commit()
    body = json.dumps(event()).encode()
    assert client.post(path, data=body, headers={"Stripe-Signature": sign(body)}).status_code == 404


def test_a_repeat_is_answered_and_kept_once(client: Any, path: str, run_jobs: Callable[[], int]) -> None:
    body = json.dumps(event()).encode()
    for _ in range(5):
        assert client.post(path, data=body, headers={"Stripe-Signature": sign(body)}).status_code == 200
        run_jobs()
    assert [row.state for row in kept()] == ["done"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"livemode": True}, "livemode"),
        ({"type": "plan.created"}, "type plan.created"),
        ({"api_version": "2019-01-01"}, "version 2019-01-01"),
    ],
)
def test_events_of_another_mode_type_or_version_are_answered_and_ignored(
    client: Any, path: str, run_jobs: Callable[[], int], change: dict[str, Any], why: str
) -> None:
    body = json.dumps({**event(), **change}).encode()
    assert client.post(path, data=body, headers={"Stripe-Signature": sign(body)}).status_code == 200
    run_jobs()
    assert [(row.state, row.reason) for row in kept()] == [("ignored", why)]


def test_two_accounts_may_get_events_of_the_same_id(client: Any, path: str, rival: Any, run_jobs: Callable[[], int]) -> None:
    with tenancy.account_scope(rival.id):
        other = service.endpoint(service.connect(secret=SECRET)).removeprefix("http://localhost")
        db.session.commit()
    body = json.dumps(event()).encode()
    for where in (path, other):
        assert client.post(where, data=body, headers={"Stripe-Signature": sign(body)}).status_code == 200
    run_jobs()
    assert [row.state for row in kept()] == ["done", "done"]


class Company:
    """The company's Stripe account on the double, its hosted checkout, and the road its messages take to us."""

    def __init__(self, double: StripeDouble, client: Any, run_jobs: Callable[[], int]) -> None:
        self.double, self.client, self.run_jobs, self.path = double, client, run_jobs, ""
        self.demo = double.seed()["demo"]
        self.endpoint = double.webhook(HOOK, self.demo["account"])
        self.api = StripeClient(self.demo["key"], base_addresses={"api": double.url}).v1

    def checkout(self, ref: str, email: str, mode: str = "payment") -> str:
        """A friend follows the link to a hosted checkout that carries the click, and pays. Returns the session."""
        price = self.demo["price"] if mode == "payment" else self.demo["subscription_price"]
        session = self.api.checkout.sessions.create(
            {
                "mode": mode,  # type: ignore[typeddict-item]
                "line_items": [{"price": price, "quantity": 1}],
                "client_reference_id": ref,
                "success_url": "https://larkfield.example/thanks",
            }
        )
        self.double.pay(session.id, email=email, name="Leo Lantern")
        return str(session.id)

    def events(self) -> list[str]:
        """Ids of all events of the account, oldest first."""
        found = self.api.events.list({"limit": 100})
        return [e.id for e in reversed(list(found.auto_paging_iter()))]

    def tell(self, *ids: str) -> None:
        """These events arrive, signed, and are worked on."""
        for id_ in ids:
            body, headers = self.double.signed(id_, self.endpoint["id"])
            answer = self.client.post(self.path, data=body, headers=headers)
            assert answer.status_code == 200, answer.get_data(as_text=True)
        self.run_jobs()


@pytest.fixture
def double() -> Iterator[StripeDouble]:
    with StripeDouble(deliver=lambda url, body, headers: 200, automatic=False) as running:
        yield running


@pytest.fixture
def settings(db_url: str, tmp_path: Path, double: StripeDouble) -> Settings:
    return settings_for(db_url, tmp_path, stripe_api_base=double.url)


@pytest.fixture
def company(account: Any, client: Any, double: StripeDouble, run_jobs: Callable[[], int]) -> Company:
    made = Company(double, client, run_jobs)
    live_program(
        account,
        rules=[{"id": "share", "side": "advocate", "on": "qualified", "kind": "percent", "basis_points": 2000, "max_months": 1}],
        caps=[],
    )
    made.path = service.endpoint(service.connect(secret=made.endpoint["secret"])).removeprefix("http://localhost")
    db.session.commit()
    return made


def follow_link(client: Any, code: str) -> str:
    """A friend opens the link; the click as it travels on."""
    answer = client.get(f"/r/{code}/wa", headers=PHONE)
    assert answer.status_code == 302
    return str(answer.headers["Location"]).rpartition("wb_click=")[2]


def everything() -> dict[str, Any]:
    """States and sums per account name and kind of source fact."""
    db.session.expire_all()
    source = {str(c.id): "sale" for c in db.session.scalars(select(Conversion))}
    source |= {str(a.id): a.kind for a in db.session.scalars(select(Adjustment))}
    sums: dict[tuple[str, str], int] = {}
    for line in db.session.scalars(select(LedgerLine)):
        key = (line.name, source[line.source])
        sums[key] = sums.get(key, 0) + line.amount
    rewards = db.session.scalars(select(Reward)).all()
    return {
        "referrals": sorted(r.state for r in db.session.scalars(select(Referral))),
        "rewards": sorted((r.state, queries.amount(r.id)) for r in rewards),
        "sums": sorted((k, v) for k, v in sums.items() if v),
    }


def test_a_friend_pays_by_hosted_checkout_and_the_promoter_has_a_pending_reward(company: Company, client: Any) -> None:
    maya = promoter()
    db.session.commit()
    ref = follow_link(client, referral_queries.link_of(maya.id).code)
    company.checkout(ref, "leo@lantern.example")
    company.tell(*company.events())
    sale = db.session.scalars(select(Conversion)).one()
    assert (sale.gross, sale.currency) == (12_000, "USD")
    referral = db.session.scalars(select(Referral)).one()
    assert (referral.state, referral.advocate_id, referral.channel) == ("qualified", maya.id, "wa")
    assert everything()["rewards"] == [("pending", 2_400)]
    assert {row.state for row in kept()} <= {"done", "ignored"}
    assert queries.violations() == []


def test_a_subscription_with_its_invoice_is_one_sale(company: Company, client: Any) -> None:
    maya = promoter()
    db.session.commit()
    ref = follow_link(client, referral_queries.link_of(maya.id).code)
    company.checkout(ref, "leo@lantern.example", mode="subscription")
    company.tell(*company.events())
    sale = db.session.scalars(select(Conversion)).one()
    assert (sale.external_id[:3], sale.gross, bool(sale.subscription)) == ("in_", 2_900, True)
    assert everything()["rewards"] == [("pending", 580)]


def test_every_event_five_times_and_the_refund_before_the_sale_end_in_the_same_ledger(company: Company, client: Any) -> None:
    """One checkout with a partial refund and a dispute that is won; told in many orders, doubled, each to a fresh account."""
    pictures = {}
    for number, seed in enumerate([None, "reversed", 1, 2, 3]):
        maya = promoter(f"p{number}@fern.example")
        db.session.commit()
        before = set(company.events())
        ref = follow_link(client, referral_queries.link_of(maya.id).code)
        session = company.checkout(ref, f"friend{number}@kite{number}.example", mode="payment" if number % 2 else "subscription")
        company.double.refund(session=session, amount=900)
        dispute = company.double.dispute(session=session, amount=1_000)
        company.double.set_dispute(dispute["id"], "won")
        told = [e for e in company.events() if e not in before]
        if seed == "reversed":
            told = list(reversed(told))
        elif seed is not None:
            random.Random(seed).shuffle(told)
        company.tell(*(told if seed is None else itertools.chain.from_iterable([e] * 5 for e in told)))
        db.session.expire_all()
        (reward,) = queries.rewards_of_advocate(maya.id)
        sale = db.session.scalars(select(Conversion).order_by(Conversion.received_at.desc())).first()
        assert sale is not None
        left = sale.gross - 900
        pictures[number] = (
            reward.state,
            queries.amount(reward.id),
            (2 * ((2 * sale.net * left + sale.gross) // (2 * sale.gross)) + 5) // 10,
        )
    for state, amount, due in pictures.values():
        assert state == "pending"
        assert amount == due
    assert queries.violations() == []
    assert db.session.scalar(select(func.count()).select_from(Adjustment)) == 10


def test_an_early_fraud_warning_opens_the_gate(company: Company, client: Any) -> None:
    maya = promoter()
    db.session.commit()
    session = company.checkout(follow_link(client, referral_queries.link_of(maya.id).code), "leo@lantern.example")
    company.double.fraud_warning(session=session)
    company.tell(*company.events())
    (row,) = queries.list_rows(queries.rewards.Tab.WAIT, product_clock.now())
    assert not row.clean
    assert "Risky payment" in [flag.tag for flag in row.flags]


def test_a_click_on_the_link_is_all_it_takes_and_a_customer_without_one_is_nobodys(company: Company) -> None:
    session = company.api.checkout.sessions.create(
        {
            "mode": "payment",
            "line_items": [{"price": company.demo["price"], "quantity": 1}],
            "success_url": "https://larkfield.example/thanks",
        }
    )
    company.double.pay(session.id, email="nobody@kite.example")
    company.tell(*company.events())
    assert db.session.scalar(select(func.count()).select_from(Referral)) == 0
    assert len(referral_queries.list_unattributed()) == 1


def at_once(app: Any, account_id: Any, *works: Callable[[], Any]) -> list[Any]:
    """Run each in a thread with a unit of its own, all at the same moment; a unit that loses a race is run again, as a job would be."""
    start = threading.Barrier(len(works))
    results: list[Any] = [None] * len(works)

    def run(index: int, work: Callable[[], Any]) -> None:
        start.wait()
        for _ in range(5):
            with app.app_context():
                try:
                    with database.unit(), tenancy.account_scope(account_id):
                        results[index] = work()
                    return
                except (OperationalError, IntegrityError):
                    time.sleep(0.05)
                except WrongStep as error:
                    results[index] = error
                    return
                finally:
                    db.session.remove()

    db.session.commit()
    threads = [threading.Thread(target=run, args=(n, work)) for n, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.expire_all()
    return results


def test_facts_that_come_at_the_same_moment_still_see_each_other(app: Any, account: Any) -> None:
    """Binding, sale, payment, refund and dispute by five workers at once: the ledger is as if they had come in order."""
    live_program(account)
    for number in range(3):
        maya = promoter(f"p{number}@fern.example")
        shop = Shop(name=f"n{number}")
        facts = [
            shop.binding(click(maya), email=f"f{number}@kite{number}.example"),
            shop.sale(),
            shop.payment(),
            shop.refund(),
            shop.dispute("won", minutes=9),
        ]
        at_once(app, account.id, *(partial(referrals.take, "stripe", fact) for fact in facts))
        (reward,) = queries.rewards_of_advocate(maya.id)
        assert (reward.state, queries.amount(reward.id)) == ("pending", 3_500)
    assert queries.violations() == []


def test_one_reward_handed_over_by_four_people_at_once_is_handed_over_once(app: Any, account: Any, clock: Any) -> None:
    live_program(account)
    maya = promoter()
    shop = Shop()
    for fact in (shop.binding(click(maya)), shop.sale()):
        referrals.take("stripe", fact)
    (reward,) = queries.rewards_of_advocate(maya.id)
    service.approve(reward.id, maya.id, "Ines")
    clock.move(days=15)
    service.close_holds()
    results = at_once(app, account.id, *(partial(service.mark_paid, reward.id, f"Member {n}") for n in range(4)))
    assert sum(result == 5_000 for result in results) == 1
    assert sum(isinstance(result, WrongStep) for result in results) == 3
    assert queries.violations() == []
