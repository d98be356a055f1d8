"""Checks: each rule provoked alone, and ordinary referrals left in peace."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nps.referrals.rules.checks import RULES, Act, Evidence, blocks, company_of, distance, judge, normal_email, opens_gate, points

T0 = datetime(2026, 10, 6, 9, tzinfo=UTC)
SEC = timedelta(seconds=1)
PLAIN = {"advocate_email": "maya@fern.example", "friend_email": "leo@lantern.example"}

PROVOKED: list[tuple[dict[str, object], str, Act]] = [
    ({"friend_email": "Maya+new@FERN.example"}, "same_email", Act.BLOCK),
    ({"advocate_email": "maya.okafor@gmail.com", "friend_email": "mayaokafor@googlemail.com"}, "same_email", Act.BLOCK),
    ({"advocate_email": "mayaokafor@gmail.com", "friend_email": "mayaokafo@outlook.com"}, "similar_email", Act.HOLD),
    ({"advocate_email": "mayaok@gmail.com", "friend_email": "mayaok77@yahoo.com"}, "similar_email", Act.HOLD),
    ({"friend_email": "leo@mail.fern.example"}, "same_company", Act.SCORE),
    ({"friend_email": "leo@fern.example", "consumer": True}, "same_company", Act.HOLD),
    ({"companies_before": frozenset({"lantern.example"})}, "repeat_company", Act.SCORE),
    ({"friend_email": "x@mailinator.com"}, "disposable", Act.HOLD),
    ({"friend_email": "x1y2@privaterelay.appleid.com"}, "relay", Act.SCORE),
    ({"same_ip": True, "same_device": True}, "same_ip_device", Act.HOLD),
    ({"same_ip": True}, "same_ip", Act.SCORE),
    ({"sign_ups_from_ip_hour": 4}, "ip_burst", Act.HOLD),
    ({"claims_on_link_day": 11}, "ip_burst", Act.HOLD),
    ({"already_customer": "c1"}, "existing_customer", Act.BLOCK),
    ({"earlier_referral": "r1"}, "already_referred", Act.BLOCK),
    ({"sign_ups_day": 11}, "velocity", Act.HOLD),
    ({"sign_ups_month": 51}, "velocity", Act.HOLD),
    ({"click_at": T0, "paid_at": T0 + 19 * SEC}, "too_fast", Act.HOLD),
    ({"signed_up_at": T0, "link_made_at": T0 + 6 * SEC}, "too_fast", Act.HOLD),
    ({"net": 100, "offer_minimum": 101}, "odd_value", Act.SCORE),
    ({"net": 1001, "median_net": 100}, "odd_value", Act.SCORE),
    ({"ad_ids": ("gclid",)}, "paid_ads", Act.HOLD),
    ({"friends_refunded": 2, "friends_qualified": 8}, "refund_rate", Act.HOLD),
    ({"is_ancestor": True}, "cycle", Act.BLOCK),
    ({"early_fraud_warning": True}, "risky_payment", Act.HOLD),
    ({"own_domains": frozenset({"lantern.example"})}, "staff", Act.BLOCK),
    ({"own_domains": frozenset({"fern.example"})}, "staff", Act.BLOCK),
    ({"doubtful_click": True}, "doubtful_click", Act.SCORE),
]


@pytest.mark.parametrize(("change", "rule", "act"), PROVOKED)
def test_each_rule_provoked_alone_is_named_with_its_action(change: dict[str, object], rule: str, act: Act) -> None:
    met = judge(Evidence(**{**PLAIN, **change}))  # type: ignore[arg-type]
    assert [(v.rule, v.act) for v in met] == [(rule, act)]
    assert bool(blocks(met)) == (act is Act.BLOCK)
    assert opens_gate(met) == (act in (Act.HOLD, Act.BLOCK))


BELOW = [
    {},
    {"advocate_email": "maya@gmail.com", "friend_email": "leo@gmail.com"},
    {"advocate_email": "anna@gmail.com", "friend_email": "anne@gmail.com"},
    {"sign_ups_from_ip_hour": 3},
    {"claims_on_link_day": 10},
    {"sign_ups_day": 10, "sign_ups_month": 50},
    {"click_at": T0, "paid_at": T0 + 20 * SEC},
    {"signed_up_at": T0, "link_made_at": T0 + 5 * SEC},
    {"net": 1000, "median_net": 100},
    {"friends_refunded": 1, "friends_qualified": 7},
    {"friends_refunded": 1, "friends_qualified": 8},
]


@pytest.mark.parametrize("change", BELOW)
def test_just_below_each_threshold_nothing_is_said(change: dict[str, object]) -> None:
    assert judge(Evidence(**{**PLAIN, **change})) == []  # type: ignore[arg-type]


def test_a_thousand_ordinary_referrals_are_not_held() -> None:
    names = ["anna", "bruno", "chiara", "dmitri", "elena", "farid", "greta", "hugo", "ines", "jonas"]
    held = 0
    for a in range(10):
        for b in range(10):
            for n in range(10):
                e = Evidence(
                    advocate_email=f"{names[a]}@company{a}.example",
                    friend_email=f"{names[b]}.{names[n]}@client{b}{n}.example",
                    sign_ups_day=2,
                )
                held += opens_gate(judge(e))
    assert held == 0


def test_points_are_scaled_summed_and_limited() -> None:
    met = judge(Evidence(**PLAIN, same_ip=True, companies_before=frozenset({"lantern.example"}), doubtful_click=True))  # type: ignore[arg-type]
    assert sum(v.points for v in met) == 35
    assert points(met, "off") == 0
    assert points(met, "low") == 25
    assert points(met) == 35
    assert points(met, "high") == 46
    assert (opens_gate(met), opens_gate(met, "high"), opens_gate(met, "off")) == (False, True, False)


@pytest.mark.parametrize(
    ("address", "normal"),
    [
        (" Maya.Okafor+x@GoogleMail.com ", "mayaokafor@gmail.com"),
        ("maya.okafor+x@fern.example", "maya.okafor@fern.example"),
        ("leo@bücher.example", "leo@xn--bcher-kva.example"),
        ("nonsense", "nonsense"),
    ],
)
def test_addresses_are_compared_in_one_form(address: str, normal: str) -> None:
    assert normal_email(address) == normal
    assert normal_email(normal) == normal


def test_the_company_is_the_registrable_domain_and_free_mail_is_none() -> None:
    assert company_of("a@mail.shop.co.uk") == "shop.co.uk"
    assert company_of("a@eu.fern.example") == "fern.example"
    assert company_of("a@gmail.com") == ""


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_distance_is_symmetric_and_zero_only_for_equals(a: str, b: str) -> None:
    assert distance(a, b) == distance(b, a)
    assert (distance(a, b) == 0) == (a == b)


def test_a_digits_only_change_is_close() -> None:
    assert distance("kitten", "sitting", 9) == 3


def test_every_rule_that_holds_counts_at_least_40() -> None:
    assert all(r.points >= 40 for r in RULES.values() if r.act is Act.HOLD)
