"""Touches, friends and referrals through the real services."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from nps.core import clock as product_clock
from nps.core import ids, tenancy
from nps.core.db import db
from nps.core.errors import Invalid
from nps.referrals import queries, service
from nps.referrals.errors import BadAmount, OfferEnded, SameIdOtherContent
from nps.referrals.models import Adjustment, Conversion, Credit, Friend, FriendKey, Referral, ReferralVerdict, Touch
from nps.referrals.rules.clicks import click_ref
from nps.referrals.rules.stripe_events import Binding, Keys
from tests.referrals.world import Shop, click, live_program, person, promoter, tell

LEO = Keys(email="leo@lantern.example")


@pytest.fixture
def maya(account: Any) -> Any:
    live_program(account)
    return promoter()


def referral() -> Referral:
    found = db.session.scalars(select(Referral).where(Referral.void_reason == "")).all()
    assert len(found) == 1
    return found[0]


def method() -> str:
    return db.session.scalars(select(Credit.method).where(Credit.closed_at.is_(None))).one()


def test_a_claim_then_a_payment_is_one_referral_from_claim_to_qualified(maya: Any) -> None:
    service.claim(queries.link_of(maya.id), "Leo@Lantern.example")
    assert (referral().state, method()) == ("claimed", "claim")
    tell(Shop().binding(), Shop().sale(minutes=-0.5 + 1))
    assert referral().state == "qualified"


def test_touches_of_every_rung_taken_away_from_the_top_show_the_next_method(maya: Any, clock: Any) -> None:
    link = queries.link_of(maya.id)
    link.promotion_code_id = "promo_1"
    ref = click(maya)
    clock.move(minutes=1)
    friend = service.claim(link, "leo@lantern.example")
    assert friend is not None
    now = product_clock.now()
    made = {
        "cookie_click": ("click", ref),
        "metadata_code": ("code", link.code),
        "server_click": ("click", ref),
        "client_reference": ("click", ref),
        "promotion_code": ("promotion_code", "promo_1"),
    }
    for name, (kind, value) in made.items():
        touch = Touch(
            friend_id=friend.friend_id, method=name, evidence_kind=kind, evidence=value, object_id=name, occurred_at=now, created_at=now
        )
        db.session.add(touch)
    db.session.flush()
    clock.move(minutes=1)
    service.convert("api", "c1", gross=100, currency="USD", occurred_at=product_clock.now(), keys=LEO)
    service.credit_by_hand(friend.friend_id, maya.id, "Ines", "Told us on the phone")
    seen = []
    while True:
        seen.append(method())
        top = db.session.scalars(select(Touch).where(Touch.friend_id == friend.friend_id, Touch.method == seen[-1])).one()
        credits = db.session.scalars(select(Credit).where(Credit.touch_id == top.id)).all()
        for row in credits:
            db.session.delete(row)
        db.session.delete(top)
        db.session.flush()
        if service.settle(friend.friend_id, product_clock.now()) is None:
            break
    assert seen == ["manual", "promotion_code", "client_reference", "server_click", "metadata_code", "claim", "cookie_click"]


def test_running_the_ladder_again_changes_nothing(maya: Any) -> None:
    tell(Shop().binding(click(maya)), Shop().sale())
    before = db.session.scalar(select(func.count()).select_from(Credit))
    for _ in range(3):
        service.settle(referral().friend_id, product_clock.now())
    assert db.session.scalar(select(func.count()).select_from(Credit)) == before == 1


def test_a_click_that_still_lies_in_the_spool_is_believed_when_it_comes(maya: Any) -> None:
    link = queries.link_of(maya.id)
    late, at = ids.new_id(), product_clock.now()
    tell(Shop().binding(click_ref(late)), Shop().sale())
    assert db.session.scalar(select(func.count()).select_from(Referral)) == 0
    service.insert(
        [{"account_id": tenancy.current(), "id": late, "link_id": link.id, "channel": "wa", "occurred_at": at, "verdict": "human"}]
    )
    service.attribute_again(db.session.scalars(select(Friend.id)).one())
    assert referral().advocate_id == maya.id


@pytest.mark.parametrize(("hours", "attributed"), [(1, True), (71, True), (73, False)])
def test_a_sale_before_its_binding_waits_72_hours(maya: Any, clock: Any, hours: int, attributed: bool) -> None:
    shop, ref = Shop(), click(maya)
    tell(shop.sale())
    assert queries.list_unattributed()
    clock.move(hours=hours)
    tell(shop.binding(ref))
    assert (db.session.scalars(select(Conversion)).one().referral_id is not None) == attributed
    if not attributed:
        service.attribute_again(db.session.scalars(select(Conversion.friend_id)).one())
    assert db.session.scalars(select(Conversion)).one().referral_id is not None
    assert queries.list_unattributed() == []


def test_a_machines_click_is_no_touch(maya: Any) -> None:
    tell(Shop().binding(click(maya, verdict="bot", signs=8)), Shop().sale())
    assert db.session.scalar(select(func.count()).select_from(Referral)) == 0


def test_a_click_that_turns_out_to_be_part_of_a_burst_is_no_touch(maya: Any, clock: Any) -> None:
    refs = [click(maya, visitor="x" * 32) for _ in range(6)]
    assert service.judge_bursts(product_clock.now()) == 6
    assert service.judge_bursts(product_clock.now()) == 0
    tell(Shop().binding(refs[0]), Shop().sale())
    assert db.session.scalar(select(func.count()).select_from(Referral)) == 0


def test_somebody_who_paid_before_the_touch_does_not_count_and_the_rule_is_named(maya: Any, clock: Any) -> None:
    old = Shop(name="1")
    tell(old.binding(), old.sale())
    clock.move(days=30)
    service.claim(queries.link_of(maya.id), "leo@lantern.example")
    found = db.session.scalars(select(Referral)).one()
    assert (found.state, found.void_reason) == ("voided", "existing_customer")
    assert db.session.scalars(select(Conversion)).one().referral_id is None


@pytest.mark.parametrize("email", ["maya@fern.example", "Maya+books@Fern.example"])
def test_nobody_refers_themselves(maya: Any, email: str) -> None:
    service.claim(queries.link_of(maya.id), email)
    found = db.session.scalars(select(Referral)).one()
    assert (found.state, found.void_reason) == ("voided", "same_email")


def test_staff_do_not_count(maya: Any) -> None:
    service.claim(queries.link_of(maya.id), "omar@larkfield.example")
    assert db.session.scalars(select(Referral.void_reason)).one() == "staff"


def test_two_people_who_invite_each_other_make_no_circle(maya: Any, clock: Any) -> None:
    tell(Shop().binding(click(maya)), Shop().sale())
    leo = promoter("leo@lantern.example", first_name="Leo")
    clock.move(days=1)
    service.claim(queries.link_of(leo.id), "maya@fern.example")
    circle = db.session.scalars(select(Referral).where(Referral.advocate_id == leo.id)).one()
    assert (circle.state, circle.void_reason) == ("voided", "cycle")


def test_two_friends_who_turn_out_to_be_one_are_merged_and_pay_once(maya: Any) -> None:
    """A claim under one address, a checkout under another, and a customer record that ties them."""
    shop = Shop()
    service.claim(queries.link_of(maya.id), "leo@home.example")
    tell(shop.binding(click(maya), email="leo@lantern.example"), shop.sale())
    assert db.session.scalar(select(func.count()).select_from(Referral)) == 2
    service.bind("stripe", _customer(shop, "leo@home.example"))
    assert referral().state == "qualified"
    assert db.session.scalars(select(Conversion.referral_id)).one() == referral().id
    assert {k.friend_id for k in db.session.scalars(select(FriendKey))} == {referral().friend_id}
    merged = db.session.scalars(select(Referral).where(Referral.void_reason == "merged")).one()
    assert merged.state == "voided"


def _customer(shop: Shop, email: str) -> Any:
    return Binding(Keys("cus_1", "", email), (), shop.at(1), "cus_1", signed_up=False)


def test_later_cookies_do_not_take_a_bound_friend_away(maya: Any, clock: Any) -> None:
    shop = Shop()
    tell(shop.binding(click(maya)), shop.sale())
    clock.move(days=40)
    other = promoter("jo@harbor.example", first_name="Jo")
    shop2 = Shop(product_clock.now())
    tell(shop2.binding(click(other)), shop2.sale(number=2))
    assert referral().advocate_id == maya.id
    assert {c.referral_id for c in db.session.scalars(select(Conversion))} == {referral().id}


def test_a_repeat_with_the_same_content_is_the_first_answer_and_with_other_content_refused(maya: Any) -> None:
    now = product_clock.now()
    first = service.convert("api", "c1", gross=100, currency="usd", occurred_at=now, keys=LEO)
    assert service.convert("api", "c1", gross=100, currency="USD", occurred_at=now, keys=LEO).id == first.id
    with pytest.raises(SameIdOtherContent):
        service.convert("api", "c1", gross=101, currency="USD", occurred_at=now, keys=LEO)
    service.refund("api", "c1", "r1", amount=30, currency="USD", occurred_at=now)
    service.refund("api", "c1", "r1", amount=30, currency="USD", occurred_at=now)
    with pytest.raises(SameIdOtherContent):
        service.refund("api", "c1", "r1", amount=31, currency="USD", occurred_at=now)
    assert db.session.scalar(select(func.count()).select_from(Adjustment)) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"gross": 0},
        {"gross": -1},
        {"gross": 2**63},
        {"gross": 1.5},
        {"gross": True},
        {"currency": "XXX"},
        {"tax": 101},
        {"net": 101},
        {"occurred_at": timedelta(minutes=6)},
        {"occurred_at": timedelta(days=-10_000)},
    ],
)
def test_impossible_sales_are_refused(maya: Any, change: dict[str, Any]) -> None:
    given: dict[str, Any] = {"gross": 100, "currency": "USD", "occurred_at": timedelta(0), **change}
    given["occurred_at"] = product_clock.now() + given["occurred_at"]
    with pytest.raises((BadAmount, Invalid)):
        service.convert("api", "c1", keys=LEO, **given)
    assert db.session.scalar(select(func.count()).select_from(Conversion)) == 0


def test_a_refund_in_another_currency_stays_an_orphan(maya: Any, clock: Any) -> None:
    shop = Shop()
    tell(shop.binding(click(maya)), shop.sale(), shop.payment(), shop.refund(currency="EUR"))
    clock.move(hours=73)
    assert [a.currency for a in queries.list_orphans(product_clock.now())] == ["EUR"]


def test_a_paused_program_takes_no_claim_but_pays_for_earlier_sign_ups(maya: Any, clock: Any) -> None:
    program = queries.get_program(maya.program_id)
    ref = click(maya)
    tell(Shop().binding(ref))
    clock.move(days=1)
    service.pause_program(program, "Ines")
    with pytest.raises(OfferEnded):
        service.claim(queries.link_of(maya.id), "kim@kite.example")
    tell(Shop(name="2").binding(click(maya), email="kim@kite.example"), Shop(name="2").sale())
    tell(Shop().sale(minutes=-1))
    assert [r.state for r in db.session.scalars(select(Referral))] == ["qualified"]


def test_two_accounts_with_equal_ids_do_not_meet(maya: Any, rival: Any) -> None:
    shop, ref = Shop(), click(maya)
    db.session.commit()
    with tenancy.account_scope(rival.id):
        tell(shop.binding(ref), shop.sale(), shop.payment(), shop.refund())
        assert db.session.scalar(select(func.count()).select_from(Referral)) == 0
        assert db.session.scalars(select(Touch.advocate_id)).one() is None
        db.session.commit()
    tell(shop.binding(ref), shop.sale())
    assert referral().state == "qualified"
    assert db.session.scalar(select(func.count()).select_from(Adjustment)) == 0


def test_a_code_of_another_account_names_nobody_here(maya: Any, rival: Any) -> None:
    code = queries.link_of(maya.id).code
    db.session.commit()
    with tenancy.account_scope(rival.id):
        tell(Shop().binding(code=code), Shop().sale())
        assert db.session.scalar(select(func.count()).select_from(Referral)) == 0
        db.session.commit()


def test_checks_are_kept_with_their_evidence_and_open_a_review(maya: Any) -> None:
    tell(Shop().binding(click(maya, ad_bits=1)), Shop().sale())
    verdict = db.session.scalars(select(ReferralVerdict)).one()
    assert (verdict.rule, verdict.evidence) == ("paid_ads", {"names": ["gclid"]})
    assert (referral().review, referral().points) == ("open", 40)


def test_an_event_of_the_companys_own_qualifies(account: Any, clock: Any) -> None:
    live_program(account, qualifies="event", qualify_event="first_payroll")
    maya = promoter()
    ref = click(maya)
    clock.move(minutes=1)
    now = product_clock.now()
    service.sign_up("api", "s1", keys=LEO, occurred_at=now, click_id=ref)
    assert referral().state == "signed_up"
    service.sign_up("api", "p1", keys=LEO, occurred_at=now, event="first_payroll")
    assert referral().state == "qualified"


def test_a_change_that_is_worse_waits_14_days_and_sales_keep_the_promise_of_their_touch(maya: Any, clock: Any) -> None:
    program = queries.get_program(maya.program_id)
    better = [{"id": "first", "side": "advocate", "on": "qualified", "kind": "flat", "amounts": {"USD": 2_000}, "max_months": 1}]
    new = service.save_program(program, {"rules": better}, "Ines")
    assert new.effective_at - product_clock.now() > timedelta(days=13)
    shop = Shop()
    tell(shop.binding(click(maya)), shop.sale())
    assert queries.get_version(referral().program_version_id).number == 1
    clock.move(days=15)
    late = Shop(name="2")
    tell(late.binding(click(maya), email="kim@kite.example"), late.sale())
    numbers = {queries.get_version(r.program_version_id).number for r in db.session.scalars(select(Referral))}
    assert numbers == {1, 2}


def test_the_person_behind_a_low_score_is_not_asked(account: Any) -> None:
    live_program(account)
    for email, score, reason in (
        ("a@x.example", 6, "not_promoter"),
        ("b@x.example", 8, "not_promoter"),
        ("c@x.example", None, "not_promoter"),
    ):
        enrolment = service.enrol(person(email, score).id, "promoter")
        assert (enrolment.advocate, enrolment.refused) == (None, reason)
        refusal = queries.last_refusal(person(email, score).id)
        assert refusal is not None
        assert refusal.reason == reason
