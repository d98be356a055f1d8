"""Reading a company's Stripe events: amounts, references, statuses."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nps.referrals.rules.stripe_events import DISPUTE_RANK, Binding, Ended, Hint, Sale, SameSale, Taken, Unreadable, Warned, facts, known

NOW = 1_760_000_000
AT = datetime.fromtimestamp(NOW, UTC)


def event(kind: str, obj: dict[str, Any], created: int = NOW) -> dict[str, Any]:
    return {"id": "evt_1", "type": kind, "created": created, "data": {"object": obj}}


def session(**change: Any) -> dict[str, Any]:
    base = {
        "id": "cs_1",
        "mode": "payment",
        "payment_status": "paid",
        "created": NOW - 60,
        "amount_total": 11_900,
        "currency": "eur",
        "total_details": {"amount_tax": 1_900, "amount_shipping": 0},
        "customer": "cus_1",
        "customer_details": {"email": "leo@lantern.example", "name": "Leo", "address": {"country": "de", "state": None}},
        "client_reference_id": "clickref",
        "metadata": {"wb_code": "maya-7Q2K9D"},
        "discounts": [{"promotion_code": "promo_1"}],
        "payment_intent": "pi_1",
        "invoice": None,
        "subscription": None,
    }
    return {**base, **change}


def invoice(**change: Any) -> dict[str, Any]:
    base = {
        "id": "in_1",
        "customer": "cus_1",
        "customer_email": "leo@lantern.example",
        "currency": "usd",
        "amount_paid": 11_900,
        "total": 11_900,
        "total_excluding_tax": 10_000,
        "shipping_cost": None,
        "billing_reason": "subscription_create",
        "parent": {"subscription_details": {"subscription": "sub_1", "metadata": {"wb_click": "c2"}}},
        "lines": {"data": [{"amount": 10_000, "pricing": {"price_details": {"product": "prod_1"}}}]},
        "discounts": [],
        "payments": {"data": [{"payment": {"type": "payment_intent", "payment_intent": "pi_2"}}]},
        "status_transitions": {"paid_at": NOW - 5},
        "metadata": {},
    }
    return {**base, **change}


def test_a_one_time_checkout_binds_and_is_a_sale() -> None:
    binding, sale = facts(event("checkout.session.completed", session()))
    assert isinstance(binding, Binding)
    assert isinstance(sale, Sale)
    assert binding.signed_up
    assert binding.hints == (
        Hint("client_reference", "click", "clickref", "cs_1"),
        Hint("metadata_code", "code", "maya-7Q2K9D", "cs_1"),
        Hint("promotion_code", "promotion_code", "promo_1", "cs_1"),
    )
    assert (sale.gross, sale.net, sale.tax, sale.currency, sale.occurred_at) == (11_900, 10_000, 1_900, "EUR", AT)
    assert sale.refs == (("session", "cs_1"), ("payment_intent", "pi_1"))
    assert (sale.keys.stripe_customer, sale.keys.email, sale.keys.country) == ("cus_1", "leo@lantern.example", "DE")


@pytest.mark.parametrize(
    "change",
    [
        {"payment_status": "unpaid"},
        {"payment_status": "no_payment_required"},
        {"mode": "setup"},
        {"mode": "subscription", "invoice": "in_1"},
        {"invoice": "in_1"},
        {"amount_total": 0},
    ],
)
def test_other_checkouts_only_bind(change: dict[str, Any]) -> None:
    found = facts(event("checkout.session.completed", session(**change)))
    assert isinstance(found[0], Binding)
    assert not [f for f in found if isinstance(f, Sale)]


def test_an_invoiced_checkout_ties_session_invoice_and_payment() -> None:
    found = facts(event("checkout.session.completed", session(invoice="in_1", payment_intent=None)))
    assert SameSale((("session", "cs_1"), ("invoice", "in_1"))) in found


def test_a_late_payment_of_the_same_session_is_the_same_sale() -> None:
    late = facts(event("checkout.session.async_payment_succeeded", session()))[1]
    now = facts(event("checkout.session.completed", session()))[1]
    assert isinstance(late, Sale)
    assert isinstance(now, Sale)
    assert late.external_id == now.external_id


def test_an_invoice_is_a_sale_with_its_payment() -> None:
    (sale,) = facts(event("invoice.paid", invoice()))
    assert isinstance(sale, Sale)
    assert (sale.external_id, sale.gross, sale.net, sale.tax, sale.currency) == ("in_1", 11_900, 10_000, 1_900, "USD")
    assert sale.refs == (("invoice", "in_1"), ("payment_intent", "pi_2"))
    assert (sale.product, sale.subscription) == ("prod_1", "sub_1")
    assert sale.hints == (Hint("metadata_code", "click", "c2", "sub_1"),)
    assert int(sale.occurred_at.timestamp()) == NOW - 5


@pytest.mark.parametrize(
    ("change", "gross", "net"),
    [
        ({"amount_paid": 5_950}, 5_950, 5_000),
        ({"amount_paid": 20_000}, 11_900, 10_000),
        ({"total_excluding_tax": None, "total_taxes": [{"amount": 1_000}, {"amount": 900}]}, 11_900, 10_000),
        ({"shipping_cost": {"amount_subtotal": 1_000, "amount_total": 1_190}}, 11_900, 9_000),
        ({"total_excluding_tax": 11_900}, 11_900, 11_900),
        ({"amount_paid": 1, "total": 3, "total_excluding_tax": 2}, 1, 1),
    ],
)
def test_the_amounts_of_an_invoice(change: dict[str, Any], gross: int, net: int) -> None:
    (sale,) = facts(event("invoice.paid", invoice(**change)))
    assert isinstance(sale, Sale)
    assert (sale.gross, sale.net) == (gross, net)


def test_a_trials_zero_invoice_is_no_sale() -> None:
    (only,) = facts(event("invoice.paid", invoice(amount_paid=0, total=0, total_excluding_tax=0)))
    assert isinstance(only, Binding)


def test_a_payment_tells_its_invoice() -> None:
    found = facts(
        event("invoice_payment.paid", {"id": "inpay_1", "invoice": "in_1", "payment": {"type": "payment_intent", "payment_intent": "pi_2"}})
    )
    assert found == [SameSale((("invoice", "in_1"), ("payment_intent", "pi_2")))]


@pytest.mark.parametrize(
    ("status", "amount", "rank"),
    [("pending", 3_570, 0), ("requires_action", 3_570, 1), ("succeeded", 3_570, 2), ("failed", 0, 3), ("canceled", 0, 3)],
)
def test_a_refund_counts_by_its_status(status: str, amount: int, rank: int) -> None:
    obj = {
        "id": "re_1",
        "amount": 3_570,
        "currency": "usd",
        "status": status,
        "payment_intent": "pi_1",
        "charge": "ch_1",
        "created": NOW - 9,
    }
    (taken,) = facts(event("refund.updated", obj))
    assert isinstance(taken, Taken)
    assert (taken.kind, taken.amount, taken.rank, taken.refs) == ("refund", amount, rank, (("payment_intent", "pi_1"), ("charge", "ch_1")))
    assert int(taken.occurred_at.timestamp()) == NOW - 9


@pytest.mark.parametrize(
    ("status", "amount", "gate_only"),
    [
        ("warning_needs_response", 0, True),
        ("warning_under_review", 0, True),
        ("needs_response", 8_330, False),
        ("under_review", 8_330, False),
        ("appeal_under_review", 8_330, False),
        ("lost", 8_330, False),
        ("won", 0, False),
        ("warning_closed", 0, False),
        ("prevented", 0, False),
    ],
)
def test_a_dispute_withholds_by_its_status(status: str, amount: int, gate_only: bool) -> None:
    obj = {"id": "dp_1", "amount": 8_330, "currency": "usd", "status": status, "payment_intent": "pi_1", "charge": "ch_1", "created": NOW}
    (taken,) = facts(event("charge.dispute.updated", obj))
    assert isinstance(taken, Taken)
    assert (taken.amount, taken.gate_only, taken.rank) == (amount, gate_only, DISPUTE_RANK[status])


def test_the_ranks_of_disputes_follow_their_course() -> None:
    order = ["warning_needs_response", "needs_response", "under_review", "lost", "appeal_needs_response", "won"]
    ranks = [DISPUTE_RANK[s] for s in order]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(ranks)


def test_a_credit_note_counts_only_what_no_refund_event_will_tell() -> None:
    note = {
        "id": "cn_1",
        "invoice": "in_1",
        "currency": "usd",
        "status": "issued",
        "created": NOW,
        "post_payment_amount": 3_000,
        "refunds": [{"amount_refunded": 1_000}],
    }
    (taken,) = facts(event("credit_note.created", note))
    assert isinstance(taken, Taken)
    assert (taken.amount, taken.refs) == (2_000, (("invoice", "in_1"),))
    (void,) = facts(event("credit_note.voided", {**note, "status": "void"}))
    assert isinstance(void, Taken)
    assert void.amount == 0


def test_a_refunded_charge_is_no_money_but_tells_the_payment() -> None:
    assert facts(event("charge.refunded", {"id": "ch_1", "payment_intent": "pi_1", "amount_refunded": 99})) == [
        SameSale((("charge", "ch_1"), ("payment_intent", "pi_1")))
    ]


def test_customers_bind_without_being_a_sign_up() -> None:
    (binding,) = facts(
        event(
            "customer.created",
            {"id": "cus_1", "email": "leo@lantern.example", "created": NOW, "metadata": {"wb_click": "x", "wb_customer": "42"}},
        )
    )
    assert isinstance(binding, Binding)
    assert not binding.signed_up
    assert binding.keys.external_id == "42"
    assert binding.hints == (Hint("metadata_code", "click", "x", "cus_1"),)


def test_the_end_of_a_subscription_is_told() -> None:
    found = facts(
        event("customer.subscription.deleted", {"id": "sub_1", "customer": "cus_1", "created": NOW, "ended_at": NOW, "metadata": {}})
    )
    assert [type(f) for f in found] == [Binding, Ended]


def test_an_early_warning_names_its_payment() -> None:
    assert facts(
        event("radar.early_fraud_warning.created", {"id": "issfr_1", "charge": "ch_1", "payment_intent": "pi_1", "created": NOW})
    ) == [Warned("issfr_1", (("payment_intent", "pi_1"), ("charge", "ch_1")), AT)]


def test_unknown_types_say_nothing() -> None:
    assert facts(event("plan.created", {"id": "x"})) == []
    assert not known("plan.created")
    assert known("invoice.paid")


@pytest.mark.parametrize(
    "obj",
    [
        invoice(currency=None),
        invoice(currency="us"),
        invoice(amount_paid="119"),
        invoice(amount_paid=1.5),
        invoice(amount_paid=True),
        {"id": "in_1"} | {"amount_paid": 5, "total": 5},
        invoice(status_transitions={"paid_at": "soon"}),
        invoice(status_transitions={"paid_at": 10**30}),
    ],
)
def test_a_broken_event_is_unreadable_not_a_crash(obj: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        facts(event("invoice.paid", obj))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda c: st.lists(c, max_size=3) | st.dictionaries(st.text(max_size=5), c, max_size=3),
)
TYPES = [
    "checkout.session.completed",
    "invoice.paid",
    "invoice_payment.paid",
    "refund.created",
    "charge.dispute.created",
    "credit_note.created",
    "customer.updated",
    "customer.subscription.updated",
]


@given(st.sampled_from(TYPES), st.dictionaries(st.sampled_from([*session(), *invoice(), "status", "amount", "created"]), JSON), JSON)
def test_whatever_the_shape_facts_or_unreadable(kind: str, obj: dict[str, Any], created: Any) -> None:
    try:
        facts({"type": kind, "created": created, "data": {"object": obj}})
    except Unreadable:
        pass
