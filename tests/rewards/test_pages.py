"""The team's pages of rewards: decide, hand over, look closer, connect Stripe."""

from typing import Any

import pytest
from sqlalchemy import func, select

from nps.accounts import service as accounts
from nps.accounts.models import Membership
from nps.core import clock as product_clock
from nps.core import tenancy
from nps.core.db import db
from nps.rewards import queries, service
from nps.rewards.models import Reward, StripeConnection
from tests.referrals.world import Shop, click, live_program, promoter, tell


def follow(browser: Any, answer: Any) -> Any:
    """The page an answer leads to."""
    assert answer.status_code == 303
    return browser.get(answer.headers["Location"])


@pytest.fixture
def world(account: Any) -> list[Reward]:
    """Three rewards to approve, one of them flagged."""
    live_program(account)
    advocate = promoter(name="Maya Okafor", company="Fern & Fable")
    for n in range(3):
        shop = Shop(name=str(n))
        tell(shop.binding(click(advocate, ad_bits=1 if n == 1 else 0), email=f"owner@shop{n}.example"), shop.sale(minutes=1 + n))
    db.session.commit()
    return rewards()


def rewards() -> list[Reward]:
    db.session.expire_all()
    return list(db.session.scalars(select(Reward).order_by(Reward.occurred_at)))


def gates(reward: Reward) -> set[str]:
    return {g.gate for g in queries.open_gates([reward.id])[reward.id]}


def test_the_page_shows_what_waits_with_its_flags_and_counts(signed_in: Any, world: list[Reward]) -> None:
    page = signed_in.get("/larkfield/rewards").get_data(as_text=True)
    for words in (
        "3 to approve, $150 in credit. Advocates are told to expect an answer within 14 days.",
        "Approve the 2 without flags",
        "Maya Okafor",
        "Fern &amp; Fable",
        "Paid ad",
        "The visit carried a paid-ad mark",
        "Declining asks you for a reason.",
        'To approve <span class="num">3</span>',
        '<span class="num">3<span class="vh"> to approve</span></span>',
    ):
        assert words in page, words


def test_all_without_flags_are_approved_at_once_and_the_flagged_one_stays(signed_in: Any, world: list[Reward]) -> None:
    answer = follow(signed_in, signed_in.form("/larkfield/rewards/approvals", {"do": "clear", "shown": [str(r.id) for r in world]}))
    assert "2 approved." in answer.get_data(as_text=True)
    assert [gates(r) for r in rewards()] == [{"hold"}, {"hold", "approval", "fraud"}, {"hold"}]
    again = follow(signed_in, signed_in.form("/larkfield/rewards/approvals", {"do": "clear", "shown": [str(world[0].id)]}))
    assert "somebody else was faster" in again.get_data(as_text=True)


def test_a_reward_that_was_not_shown_is_not_approved_with_the_rest(signed_in: Any, world: list[Reward]) -> None:
    signed_in.form("/larkfield/rewards/approvals", {"do": "clear", "shown": [str(world[0].id)]})
    assert [gates(r) for r in rewards()] == [{"hold"}, {"hold", "approval", "fraud"}, {"hold", "approval"}]


def test_one_reward_approved_in_two_tabs_is_approved_once_and_the_second_is_told(signed_in: Any, world: list[Reward]) -> None:
    signed_in.form("/larkfield/rewards/approvals", {"ok": str(world[1].id)})
    assert gates(rewards()[1]) == {"hold"}
    second = follow(signed_in, signed_in.form("/larkfield/rewards/approvals", {"ok": str(world[1].id)})).get_data(as_text=True)
    assert "does not wait for a decision any more" in second
    assert sum(e.verb == "approve" for e in queries.history(world[1].id)) == 1


def test_declining_needs_a_reason_and_can_be_taken_back(signed_in: Any, world: list[Reward]) -> None:
    path = f"/larkfield/rewards/{world[0].id}/decline"
    assert "Decline $50 for Maya Okafor?" in signed_in.get(path).get_data(as_text=True)
    assert signed_in.form(path, {}).status_code == 422
    assert signed_in.form(path, {"reason": "other", "words": " "}).status_code == 422
    assert rewards()[0].state == "pending"
    assert signed_in.form(path, {"reason": "other", "words": "Same household"}).status_code == 303
    assert (rewards()[0].state, rewards()[0].words) == ("cancelled", "Same household")
    page = signed_in.get("/larkfield/rewards?v=no").get_data(as_text=True)
    assert "Same household" in page
    assert "Take it back" in page
    signed_in.form(f"/larkfield/rewards/{world[0].id}/reopening")
    assert rewards()[0].state == "pending"


def test_an_approved_reward_is_marked_as_credited_after_its_hold(
    signed_in: Any, sign_in: Any, owner: Any, world: list[Reward], clock: Any
) -> None:
    signed_in.form("/larkfield/rewards/approvals", {"ok": str(world[0].id)})
    page = signed_in.get("/larkfield/rewards?v=next").get_data(as_text=True)
    assert "Hold" in page
    assert "Mark as credited" not in page
    clock.move(days=15)
    service.close_holds()
    signed_in = sign_in(owner)
    assert "Ready to credit" in signed_in.get("/larkfield/rewards?v=next").get_data(as_text=True)
    signed_in.form(f"/larkfield/rewards/{world[0].id}/payment", {"reference": "Invoice 1207"})
    assert (rewards()[0].state, rewards()[0].reference) == ("issued", "Invoice 1207")
    assert "Invoice 1207" in signed_in.get("/larkfield/rewards?v=paid").get_data(as_text=True)
    again = follow(signed_in, signed_in.form(f"/larkfield/rewards/{world[0].id}/payment")).get_data(as_text=True)
    assert "Only an approved reward can be handed over" in again


def test_one_reward_is_explained_from_evidence_to_ledger(signed_in: Any, world: list[Reward]) -> None:
    page = signed_in.get(f"/larkfield/rewards/{world[1].id}").get_data(as_text=True)
    for words in (
        "Click id on the Stripe checkout",
        "Credited to the person who shared: click id on the Stripe checkout",
        "Cost of rewards to people who share",
        "Owed, not approved yet",
        "40 points together",
        "Paid ad",
    ):
        assert words in page, words


@pytest.mark.parametrize(
    ("role", "page", "decide", "stripe"),
    [
        ("reviewer", 200, 303, 403),
        ("viewer", 403, 403, 403),
        ("analyst", 403, 403, 403),
        ("manager", 403, 403, 403),
        ("admin", 200, 303, 200),
    ],
)
def test_each_role_may_do_what_the_matrix_says(
    account: Any, sign_in: Any, world: list[Reward], role: str, page: int, decide: int, stripe: int
) -> None:
    user = accounts.create_user(f"{role}@larkfield.example", role.title())
    db.session.add(Membership(user_id=user.id, role=role, created_at=product_clock.now()))
    db.session.commit()
    browser = sign_in(user)
    assert browser.get("/larkfield/rewards").status_code == page
    assert browser.form("/larkfield/rewards/approvals", {"ok": str(world[0].id)}).status_code == decide
    assert browser.get("/larkfield/rewards/stripe").status_code == stripe


def test_every_tab_says_why_it_is_empty(signed_in: Any, account: Any) -> None:
    for tab, words in (
        ("wait", "Nothing to approve"),
        ("next", "Nothing to credit"),
        ("paid", "Nothing credited yet"),
        ("no", "Nothing declined"),
        ("x", "Nothing to approve"),
    ):
        assert words in signed_in.get(f"/larkfield/rewards?v={tab}").get_data(as_text=True)


def test_stripe_is_connected_with_a_sealed_secret_and_rotated(signed_in: Any, account: Any) -> None:
    assert "Not connected." in signed_in.get("/larkfield/rewards/stripe").get_data(as_text=True)
    assert signed_in.form("/larkfield/rewards/stripe", {"what": "save", "secret": "nonsense"}).status_code == 422
    signed_in.form("/larkfield/rewards/stripe", {"what": "save", "secret": "whsec_first1234"})
    page = signed_in.get("/larkfield/rewards/stripe").get_data(as_text=True)
    assert "http://localhost/in/stripe/" in page
    assert "… 1234" in page
    assert "whsec_first" not in page
    with tenancy.account_scope(account.id):
        row = db.session.scalars(select(StripeConnection)).one()
        assert "whsec" not in row.secret_sealed
        signed_in.form("/larkfield/rewards/stripe", {"what": "save", "secret": "whsec_second5678"})
        db.session.expire_all()
        row = db.session.scalars(select(StripeConnection)).one()
        assert (row.secret_last4, bool(row.old_secret_sealed)) == ("5678", True)
        signed_in.form("/larkfield/rewards/stripe", {"what": "off"})
        assert queries.find_connection() is None
        assert db.session.scalar(select(func.count()).select_from(StripeConnection)) == 1


def test_the_share_page_is_previewed_for_somebody_real(signed_in: Any, world: list[Reward]) -> None:
    page = signed_in.get("/larkfield/rewards/share-preview").get_data(as_text=True)
    assert "Maya’s page" in page
    assert 'data-token=""' not in page
