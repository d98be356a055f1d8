"""The friend's page: what it says, taking the offer, and every way of getting it wrong."""

import re
from typing import Any

import pytest
from sqlalchemy import func, select

from nps.core.db import db
from nps.delivery.models import Message
from nps.referrals import queries, service
from nps.referrals.models import Friend, FriendRefusal, Program, Referral, Touch
from tests.referrals.world import Shop, click, live_program, promoter, tell


@pytest.fixture
def maya(account: Any) -> Any:
    live_program(
        account,
        friend_title="Two months of Larkfield, free.",
        friend_list_minor=8_400,
        friend_less_minor=8_400,
        friend_bill_label="Larkfield, two months",
        friend_steps=[["Connect your bank", "Or upload statements."]],
        quotes=[["Support picked up on the second ring.", "Andre Whitlock"]],
    )
    return promoter(name="Maya Okafor", company="Fern & Fable", customer_since="2023-04-01")


@pytest.fixture
def code(maya: Any) -> str:
    found: str = queries.link_of(maya.id).code
    db.session.commit()
    return found


def take(client: Any, code: str, email: str, **more: str) -> Any:
    """Open the page and send its form, as a browser would."""
    page = client.get(f"/f/{code}").get_data(as_text=True)
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token
    return client.post(f"/f/{code}/claim", data={"token": token.group(1), "email": email, **more})


def test_it_says_who_invites_what_it_costs_and_what_the_inviter_gets_and_learns(client: Any, code: str) -> None:
    page = client.get(f"/f/{code}").get_data(as_text=True)
    for words in (
        "Maya thought of you. Two months of Larkfield, free.",
        "Maya, Fern &amp; Fable. Customer since 2023.",
        "Larkfield, two months",
        "$84.00",
        "−$84.00",
        "$0.00",
        "Connect your bank",
        "Support picked up",
        "Maya gets $50 credit after your first payment.",
        "Not who you are, not what you pay.",
        "48 Quay Street",
    ):
        assert words in page
    assert "Okafor" not in page
    assert "maya@fern.example" not in page


def test_names_and_company_can_be_switched_off(client: Any, account: Any) -> None:
    live_program(account, show_first_name=False, show_company=False)
    code = queries.link_of(promoter(company="Fern & Fable").id).code
    page = client.get(f"/f/{code}").get_data(as_text=True)
    assert "Somebody thought of you." in page
    assert "Maya" not in page.replace(code, "")
    assert "Fern" not in page


def test_a_claim_makes_friend_touch_and_referral_and_one_mail_with_the_way_in(client: Any, maya: Any, code: str) -> None:
    ref = click(maya)
    db.session.commit()
    answer = take(client, code, " Leo@Lantern.example ", wb_click=ref)
    assert answer.status_code == 200
    assert "Check your email" in answer.get_data(as_text=True)
    referral = db.session.scalars(select(Referral)).one()
    assert (referral.state, referral.channel) == ("claimed", "wa")
    (mail,) = db.session.scalars(select(Message))
    assert mail.to_email == "Leo@lantern.example"
    assert f"https://larkfield.example/start?wb_click={ref}&via={code}" in mail.body_text
    assert "Maya learns only that someone joined" in mail.body_text
    take(client, code, "leo@lantern.example")
    assert db.session.scalar(select(func.count()).select_from(Message)) == 1
    assert db.session.scalar(select(func.count()).select_from(Touch)) == 1


def test_an_existing_customer_gets_the_same_page_and_another_mail(client: Any, clock: Any, maya: Any, code: str) -> None:
    shop = Shop()
    tell(shop.binding(), shop.sale())
    clock.move(days=10)
    new = take(client, code, "kim@kite.example").get_data(as_text=True)
    old = take(client, code, "leo@lantern.example").get_data(as_text=True)
    # Only the address, which the visitor typed, and the page's own nonce differ.
    plain = [
        re.sub(r'nonce="[^"]+"', "", p.replace("<wbr>", "").replace("kim@kite.example", "@").replace("leo@lantern.example", "@"))
        for p in (new, old)
    ]
    assert plain[0] == plain[1]
    subjects = {m.to_email: m.subject for m in db.session.scalars(select(Message))}
    assert subjects["leo@lantern.example"] == "You already have an account with Larkfield"


@pytest.mark.parametrize(
    "email",
    [
        "",
        "leo",
        "a@b.example, c@d.example",
        "Leo <leo@lantern.example>",
        "x" * 320 + "@b.example",
        "leo@",
        "leo\n@lantern.example",
        "=1+1@",
    ],
)
def test_a_bad_address_is_a_field_error_and_nothing_is_stored(client: Any, code: str, email: str) -> None:
    answer = take(client, code, email)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in page
    assert '<div class="errsum" role="alert"' in page
    assert page.count("Type your work email.") == (2 if not email else 0)
    assert "<title>Error: " in page
    assert db.session.scalar(select(func.count()).select_from(Friend)) == 0
    assert db.session.scalar(select(func.count()).select_from(Message)) == 0


def test_a_program_that_filled_the_trap_gets_the_page_and_nothing_is_stored(client: Any, code: str) -> None:
    assert take(client, code, "leo@lantern.example", website="http://spam").status_code == 200
    assert db.session.scalar(select(func.count()).select_from(Friend)) == 0


@pytest.mark.parametrize("token", ["", "x", "a" * 59])
def test_a_form_that_is_not_ours_is_asked_again_with_the_address_kept(client: Any, code: str, token: str) -> None:
    answer = client.post(f"/f/{code}/claim", data={"email": "leo@lantern.example", "token": token})
    assert answer.status_code == 400
    assert 'value="leo@lantern.example"' in answer.get_data(as_text=True)
    assert db.session.scalar(select(func.count()).select_from(Friend)) == 0


def test_the_sixth_claim_from_one_place_in_an_hour_waits(client: Any, code: str, clock: Any) -> None:
    statuses = [take(client, code, f"friend{n}@kite{n}.example").status_code for n in range(6)]
    assert statuses == [200] * 5 + [429]


def test_a_program_that_ends_while_the_form_is_open_answers_with_that(client: Any, maya: Any, code: str) -> None:
    page = client.get(f"/f/{code}").get_data(as_text=True)
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token
    service.end_program(db.session.scalars(select(Program)).one(), "Ines")
    db.session.commit()
    answer = client.post(f"/f/{code}/claim", data={"token": token.group(1), "email": "leo@lantern.example"})
    assert answer.status_code == 410
    assert "This offer has ended" in answer.get_data(as_text=True)
    assert db.session.scalar(select(func.count()).select_from(Friend)) == 0


def test_not_for_me_keeps_a_reason_and_nobody(client: Any, code: str) -> None:
    page = client.get(f"/f/{code}/refusal").get_data(as_text=True)
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token
    assert "Send the reason" in page
    answer = client.post(f"/f/{code}/refusal", data={"token": token.group(1), "reason": "too_much"})
    assert "Nothing about you was kept" in answer.get_data(as_text=True)
    assert [r.reason for r in db.session.scalars(select(FriendRefusal))] == ["too_much"]


def test_words_of_advocates_are_text(client: Any, maya: Any, code: str) -> None:
    service.save_words(maya, "<b>bold</b> & “quoted” {{ 7*7 }}\u202e")
    db.session.commit()
    page = client.get(f"/f/{code}").get_data(as_text=True)
    assert "“&lt;b&gt;bold&lt;/b&gt; &amp; “quoted” {{ 7*7 }}”" in page
    assert "49" not in re.sub(r"\d{4,}", "", page.split("blockquote")[1])


def test_the_page_sets_no_cookie_and_runs_under_the_strict_policy(client: Any, code: str) -> None:
    answer = client.get(f"/f/{code}")
    assert "Set-Cookie" not in answer.headers
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
