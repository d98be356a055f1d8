"""Every page of this feature is drawn, names itself, and keeps to its door."""

from typing import Any

import pytest

from nps.accounts import service
from nps.accounts.models import Account, Membership, User
from nps.accounts.rules import Role
from nps.core import clock
from nps.core.db import db

PAGES = ["/larkfield/set-up", "/larkfield/settings", "/larkfield/settings/audit-log", "/larkfield/members", "/larkfield/members?matrix=1",
         "/larkfield/api-keys", "/larkfield/you", "/new"]  # fmt: skip
VISITOR_PAGES = ["/login", "/signup", "/forgot"]


@pytest.mark.parametrize("path", PAGES)
def test_owner_sees_the_page(signed_in: Any, path: str) -> None:
    answer = signed_in.get(path)
    assert answer.status_code == 200
    assert answer.text.count("<h1") == 1
    assert "style=" not in answer.text
    assert "'unsafe" not in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", VISITOR_PAGES)
def test_visitor_sees_the_page(client: Any, account: Account, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.text.count("<h1") == 1


@pytest.mark.parametrize("path", PAGES)
def test_visitor_is_sent_to_sign_in_and_comes_back(client: Any, account: Account, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/login?next=")


@pytest.mark.parametrize("path", [p for p in PAGES if p != "/new"])
def test_member_of_another_company_finds_nothing(sign_in: Any, account: Account, rival: Account, path: str) -> None:
    rita = db.session.query(User).filter_by(email="rita@rival.example").one()
    assert sign_in(rita).get(path).status_code == 404


def colleague(account: Account, role: Role, email: str = "amara@larkfield.example", name: str = "Amara Kone") -> User:
    user = service.create_user(email, name)
    db.session.add(Membership(user_id=user.id, role=role, created_at=clock.now()))
    db.session.commit()
    return user


@pytest.mark.parametrize(
    ("path", "roles"),
    [
        ("/larkfield/set-up", {Role.OWNER, Role.ADMIN, Role.MANAGER}),
        ("/larkfield/settings", {Role.OWNER, Role.ADMIN}),
        ("/larkfield/settings/audit-log", {Role.OWNER, Role.ADMIN}),
        ("/larkfield/members", {Role.OWNER, Role.ADMIN}),
        ("/larkfield/api-keys", {Role.OWNER, Role.ADMIN}),
        ("/larkfield/you", set(Role)),
    ],
)
def test_each_role_opens_what_the_matrix_says(sign_in: Any, account: Account, path: str, roles: set[Role]) -> None:
    for n, role in enumerate(Role):
        who = colleague(account, role, f"p{n}@larkfield.example")
        assert sign_in(who).get(path).status_code == (200 if role in roles else 403), role


def test_sidebar_offers_only_what_the_role_may_open(sign_in: Any, account: Account) -> None:
    page = sign_in(colleague(account, Role.RESPONDER)).get("/larkfield/you").text
    assert "/larkfield/settings" not in page
    assert "/larkfield/set-up" not in page
    assert 'href="/larkfield/you"' in page


def test_switcher_lists_the_accounts_of_somebody_in_two(sign_in: Any, account: Account, rival: Account, owner: User) -> None:
    service.open_another(owner, "Second Shop")
    db.session.commit()
    page = sign_in(owner).get("/larkfield/settings").text
    assert 'href="/second-shop/"' in page
    assert "/rival/" not in page
