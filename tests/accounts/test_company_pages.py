"""Settings, colour, API keys, the guide and what one sets for oneself."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from nps.accounts import queries, rules, service
from nps.accounts.models import Account, ApiKey, AuditEntry, User
from nps.core import tenancy
from nps.core.db import db
from nps.core.errors import Invalid

FORM = {
    "name": "Larkfield",
    "product": "Larkfield Books",
    "whom": "another business owner",
    "website": "https://larkfield.example",
    "postal_address": "48 Quay Street",
    "sender_name": "Ines Marchetti",
    "sender_role": "Customer lead",
    "sender_email": "Ines@Larkfield.example",
    "reply_to": "care@larkfield.example",
    "time_zone": "Europe/Berlin",
    "currency": "EUR",
    "brand_color": "#14574a",
}


def test_settings_are_saved_with_a_line_in_the_log(signed_in: Any, account: Account) -> None:
    assert signed_in.form("/larkfield/settings", FORM).status_code == 303
    db.session.refresh(account)
    assert (account.product, account.time_zone, account.currency) == ("Larkfield Books", "Europe/Berlin", "EUR")
    assert account.sender_email == "ines@larkfield.example"
    assert (account.brand_color, account.on_brand) == ("#14574a", "#ffffff")
    assert account.brand_chosen_at is not None
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "settings.changed")).one()
    assert entry.actor == "ines@larkfield.example"
    assert entry.facts["time_zone"] == {"before": "America/New_York", "after": "Europe/Berlin"}
    assert "48 Quay" not in repr(entry.facts)
    assert "Saved." in signed_in.get("/larkfield/settings").text
    assert "Settings changed" in signed_in.get("/larkfield/settings/audit-log").text


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "", "name of your company"),
        ("website", "javascript:alert(1)", "https://"),
        ("sender_email", "not an address", "No @"),
        ("reply_to", "", "somebody reads"),
        ("time_zone", "Mars/Olympus", "Not a valid choice"),
        ("currency", "BTC", "Not a valid choice"),
        ("brand_color", "red", "six digits"),
        ("brand_color", "#14574a;}", "six digits"),
        ("postal_address", "x" * 301, "300"),
    ],
)
def test_setting_that_cannot_be_taken_is_named_and_the_rest_is_kept(
    signed_in: Any, account: Account, field: str, value: str, words: str
) -> None:
    answer = signed_in.form("/larkfield/settings", {**FORM, field: value})
    assert answer.status_code == 422
    assert words in answer.text
    assert "Larkfield Books" in answer.text
    db.session.refresh(account)
    assert account.product == "Larkfield"


def test_color_nobody_could_read_on_is_darkened_and_both_are_shown(signed_in: Any, account: Account) -> None:
    answer = signed_in.form("/larkfield/settings", {**FORM, "brand_color": "#777777"})
    db.session.refresh(account)
    assert account.brand_color != "#777777"
    assert rules.contrast(account.brand_color, account.on_brand) >= 4.5
    page = signed_in.get(answer.headers["Location"]).text
    assert 'fill="#777777"' in page
    assert f'fill="{account.brand_color}"' in page


@settings(max_examples=300)
@given(st.integers(0, 0xFFFFFF))
def test_every_color_ends_readable_and_light_ones_stay(value: int) -> None:
    color, ink = rules.readable_brand(f"#{value:06x}")
    assert rules.contrast(color, ink) >= 4.5
    if max(rules.contrast(f"#{value:06x}", one) for one in ("#ffffff", "#16181b")) >= 4.5:
        assert color == f"#{value:06x}"


@pytest.mark.parametrize("path", ["settings?asked=%23x", "settings?asked=zzz", "settings?asked=<b>"])
def test_color_in_the_address_is_shown_only_as_plain_hex(signed_in: Any, path: str) -> None:
    page = signed_in.get(f"/larkfield/{path}").text
    assert "made darker" not in page
    assert "<b>Saved" not in page


def make_key(browser: Any, **more: Any) -> Any:
    return browser.form(
        "/larkfield/api-keys",
        {"name": "Billing sync", "scopes": ["contacts:read", "contacts:write"], "networks": "", "lasts": "365", **more},
    )


def test_key_is_shown_once_and_kept_as_a_hash(signed_in: Any, account: Account) -> None:
    answer = make_key(signed_in, networks="192.0.2.0/28, 198.51.100.7")
    assert answer.status_code == 201
    found = re.search(r"wb_live_[A-Za-z0-9]{24}", answer.text)
    assert found
    secret = found.group()
    assert "no-store" in answer.headers["Cache-Control"]
    assert secret not in signed_in.get("/larkfield/api-keys").text
    key = db.session.scalars(select(ApiKey)).one()
    assert secret not in repr({c.name: getattr(key, c.name) for c in ApiKey.__table__.columns})
    assert key.last4 == secret[-4:]
    assert key.networks == ["192.0.2.0/28", "198.51.100.7/32"]
    assert key.expires_at is not None
    page = signed_in.get("/larkfield/api-keys").text
    assert "Read and write contacts" in page
    assert f"…{key.last4}" in page
    assert "Made by Ines Marchetti" in page
    with tenancy.unscoped("as the door does"):
        assert queries.find_api_key(secret) is not None


def test_revoked_key_is_gone_with_the_next_request(signed_in: Any, account: Account) -> None:
    secret = re.search(r"wb_live_\w+", make_key(signed_in).text).group()  # type: ignore[union-attr]
    key = db.session.scalars(select(ApiKey)).one()
    assert signed_in.form(f"/larkfield/api-keys/{key.id}/revocation").status_code == 303
    assert queries.find_api_key(secret) is None
    assert "is revoked" in signed_in.get("/larkfield/api-keys").text
    assert [e.action for e in db.session.scalars(select(AuditEntry).where(AuditEntry.object_kind == "api_key"))] == [
        "key.created",
        "key.revoked",
    ]


@pytest.mark.parametrize(
    ("more", "words"),
    [({"name": ""}, "Name the system"), ({"scopes": []}, "Choose what the key may do"), ({"scopes": ["everything"]}, "valid choice"),
     ({"networks": "not-a-network"}, "is not an address"), ({"lasts": "9999"}, "valid choice")],
)  # fmt: skip
def test_key_that_says_too_little_is_not_made(signed_in: Any, account: Account, more: dict[str, Any], words: str) -> None:
    answer = make_key(signed_in, **more)
    assert answer.status_code == 422
    assert words in answer.text
    assert db.session.scalars(select(ApiKey)).all() == []


@pytest.mark.parametrize(
    ("scopes", "words"),
    [
        (["contacts:read", "contacts:write"], "Read and write contacts"),
        (["responses:read"], "Read answers"),
        (["compat"], "Calls in the old tool’s format"),
        (["rewards:read", "contacts:write"], "Write contacts, read rewards"),
        (["*"], "Everything"),
    ],
)
def test_rights_of_a_key_in_words(scopes: list[str], words: str) -> None:
    assert rules.key_words(scopes) == words


def test_key_may_what_it_says() -> None:
    assert rules.key_may(["contacts:read"], "contacts:read")
    assert not rules.key_may(["contacts:read"], "contacts:write")
    assert rules.key_may(["*"], "rewards:write")


def test_unknown_right_is_refused_by_the_service(account: Account) -> None:
    with pytest.raises(Invalid):
        service.create_api_key("x", ["contacts:burn"], None)


def test_guide_believes_facts_only(signed_in: Any, app: Any, account: Account) -> None:
    app.extensions["guide_facts"] = {"contacts": lambda: 0, "survey": lambda: False}
    page = signed_in.get("/larkfield/set-up").text
    assert "1 of 5 done" in page
    assert "about 13 minutes away" in page
    app.extensions["guide_facts"] = {"contacts": lambda: 4800, "survey": lambda: True}
    service.change_company(account, "test", {"brand_color": "#14574a"})
    page = signed_in.get("/larkfield/set-up").text
    assert "Add 4,800 contacts" in page
    assert "4 of 5 done" in page
    assert signed_in.form("/larkfield/set-up/our-address").status_code == 303
    assert "Everything is ready" in signed_in.get("/larkfield/set-up").text


def test_own_look_and_keys_follow_the_person(signed_in: Any, owner: User) -> None:
    assert signed_in.form("/larkfield/you", {"name": "Ines M.", "theme": "dark"}).status_code == 303
    page = signed_in.get("/larkfield/you").text
    assert 'data-theme="dark"' in page
    assert 'data-keys="off"' in page
    assert "Ines M." in page


def test_new_password_needs_the_old_one_and_signs_other_browsers_out(sign_in: Any, account: Account, owner: User) -> None:
    here, there = sign_in(owner), sign_in(owner)
    wrong = here.form("/larkfield/you/password", {"current": "nope nope nope", "password": "a boat on the quay"})
    assert wrong.status_code == 422
    assert "not your password now" in wrong.text
    right = here.form("/larkfield/you/password", {"current": "correct horse battery staple", "password": "a boat on the quay"})
    assert right.status_code == 303
    assert here.get("/larkfield/you").status_code == 200
    assert there.get("/larkfield/you").status_code == 302


def test_browser_is_signed_out_from_the_list(sign_in: Any, account: Account, rival: Account, owner: User) -> None:
    here, there = sign_in(owner), sign_in(owner)
    rita = queries.find_user("rita@rival.example")
    assert rita is not None
    theirs = sign_in(rita)
    other = queries.list_sessions(rita.id)[0]
    here.form(f"/larkfield/you/sessions/{other.id}/end")
    assert theirs.get("/rival/you").status_code == 200
    here.form("/larkfield/you/sessions/end")
    assert there.get("/larkfield/you").status_code == 302
    assert here.get("/larkfield/you").status_code == 200


def test_further_account_is_opened_and_switched_to(signed_in: Any, owner: User) -> None:
    answer = signed_in.form("/new", {"company": "Harbor Bikes"})
    assert answer.headers["Location"] == "/harbor-bikes/set-up"
    assert signed_in.get("/harbor-bikes/set-up").status_code == 200
    assert signed_in.form("/new", {"company": ""}).status_code == 422


@pytest.mark.parametrize("name", ["Login", "日本", "API", "x", "A" * 130])
def test_any_company_name_gets_an_address_of_its_own(account: Account, owner: User, name: str) -> None:
    made = service.create_account(name[:120], owner)
    again = service.create_account(name[:120], owner)
    assert rules.is_slug(made.slug)
    assert rules.is_slug(again.slug)
    assert made.slug != again.slug


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36", "Chrome on Linux"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1 Version/18.1 Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        ),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36 Edg/131.0", "Edge on Windows"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", "Unknown browser"),
    ],
)
def test_browser_is_named_as_its_owner_would(agent: str, name: str) -> None:
    assert rules.browser_name(agent) == name
