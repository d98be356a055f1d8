"""Sensitive acts ask once more after ten minutes, and nothing typed is lost."""

import re
from typing import Any

import pytest
from sqlalchemy import select

from nps.accounts import queries
from nps.accounts.models import Account, ApiKey, User
from nps.core.db import db
from tests.conftest import PASSWORD

KEY = {"name": "Billing sync", "scopes": ["contacts:read", "contacts:write"], "networks": "", "lasts": "365"}


def hidden(page: str) -> dict[str, list[str]]:
    """The hidden fields of a page."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page):
        found.setdefault(name, []).append(value)
    return found


def test_fresh_session_is_not_asked(signed_in: Any, account: Account, clock: Any) -> None:
    clock.move(minutes=9)
    assert signed_in.form("/larkfield/api-keys", KEY).status_code == 201


def test_password_lets_the_act_go_on_with_everything_typed(signed_in: Any, account: Account, clock: Any) -> None:
    clock.move(minutes=11)
    asked = signed_in.form("/larkfield/api-keys", KEY)
    assert asked.status_code == 403
    assert "Is it still you?" in asked.text
    assert db.session.scalars(select(ApiKey)).all() == []
    kept = {name: value for name, value in hidden(asked.text).items() if name != "csrf_token"}
    assert kept["scopes"] == ["contacts:read", "contacts:write"]
    wrong = signed_in.form("/again", {**kept, "again_password": "not this one"})
    assert wrong.status_code == 422
    assert "This is not your password." in wrong.text
    assert "not this one" not in wrong.text
    right = signed_in.form("/again", {**kept, "again_password": PASSWORD})
    assert (right.status_code, right.headers["Location"]) == (307, "/larkfield/api-keys")
    assert signed_in.form(right.headers["Location"], {**kept, "again_password": PASSWORD}).status_code == 201
    assert db.session.scalars(select(ApiKey)).one().scopes == ["contacts:read", "contacts:write"]


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("/larkfield/members/invitations", {"email": "kei@larkfield.example", "role": "viewer"}),
        ("/larkfield/members/{me}/removal", {}),
        ("/larkfield/members/{me}", {"role": "viewer"}),
        ("/larkfield/api-keys", KEY),
    ],
)
def test_each_sensitive_act_asks(signed_in: Any, account: Account, owner: User, clock: Any, path: str, data: dict[str, Any]) -> None:
    me = queries.find_membership(account.id, owner.id)
    assert me is not None
    clock.move(minutes=11)
    assert signed_in.form(path.format(me=me.id), data).status_code == 403
    assert signed_in.get("/larkfield/members").status_code == 200


def test_somebody_without_a_password_is_asked_by_mail(sign_in: Any, account: Account, owner: User, clock: Any, run_jobs: Any) -> None:
    owner.password_hash = None
    browser = sign_in(owner)
    clock.move(minutes=11)
    asked = browser.form("/larkfield/api-keys", KEY)
    assert "again_password" not in asked.text
    kept = {name: value for name, value in hidden(asked.text).items() if name != "csrf_token"}
    assert "A link is on its way" in browser.form("/again", {**kept, "again_do": "link"}).text
    assert browser.form("/again", {**kept, "again_do": "go"}).status_code == 422


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example/x", "/\\evil.example"])
def test_it_leads_to_own_pages_only(signed_in: Any, account: Account, target: str) -> None:
    answer = signed_in.form("/again", {"again_target": target, "again_password": PASSWORD})
    assert answer.headers["Location"] == "/"


def test_guessing_here_is_limited_like_at_the_door(signed_in: Any, account: Account, clock: Any) -> None:
    clock.move(minutes=11)
    for _ in range(10):
        assert signed_in.form("/again", {"again_target": "/", "again_password": "wrong wrong wrong"}).status_code == 422
    assert signed_in.form("/again", {"again_target": "/", "again_password": PASSWORD}).status_code == 429
