"""Signing up, in and out: links that scanners open, limits that hold, answers that give nothing away."""

import re
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from argon2.exceptions import VerifyMismatchError
from flask import Flask
from sqlalchemy import func, select

from nps.accounts import queries, service
from nps.accounts.errors import LinkOver
from nps.accounts.models import Account, LoginSession, MailedToken, SignInTry, User
from nps.accounts.service import people
from nps.accounts.service.limits import network_of
from nps.accounts.views.door import own_path
from nps.core import ids, tenancy
from nps.core.db import db
from tests.conftest import PASSWORD, Browser


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, dict[str, Any]]]:
    """Mails to people: (name, address, values)."""
    mails: list[tuple[str, str, dict[str, Any]]] = []
    for module in ("links",):
        monkeypatch.setattr(f"nps.accounts.service.{module}.mail_user", lambda name, user, values: mails.append((name, user.email, values)))
    return mails


def path_of(sent: list[tuple[str, str, dict[str, Any]]]) -> str:
    return str(sent[-1][2]["link"]).removeprefix("http://localhost")


def sign_up(client: Any, email: str = "maya@fern.example", **more: str) -> Any:
    return client.form("/signup", {"email": email, "company": "Fern & Fable", "name": "Maya Okafor", "password": "", "website": "", **more})


def scrub(page: str) -> str:
    """A page without what differs by itself: tokens and the address."""
    return re.sub(r'value="[^"]*"|\S+@\S+', "", page)


def test_sign_up_makes_an_unverified_account_and_one_press_opens_it(client: Any, run_jobs: Any, sent: Any) -> None:
    assert "We sent a mail to" in sign_up(client).text
    run_jobs()
    account = queries.find_account("fern-fable")
    assert account is not None
    assert account.state == "unverified"
    assert [(name, to) for name, to, _ in sent] == [("confirm_address", "maya@fern.example")]
    path = path_of(sent)
    for _ in range(5):
        assert "One press confirms" in client.get(path).text  # scanners open links
    db.session.expire_all()
    assert queries.find_account("fern-fable").state == "unverified"  # type: ignore[union-attr]
    assert client.form(path).status_code == 303
    db.session.expire_all()
    assert queries.find_account("fern-fable").state == "active"  # type: ignore[union-attr]
    assert client.get("/?first=1").headers["Location"] == "/fern-fable/set-up"
    assert client.get("/fern-fable/set-up").status_code == 200
    assert client.get(path).status_code == 410


def test_sign_up_with_a_known_address_answers_alike_and_the_owner_gets_a_mail(
    client: Any, account: Account, run_jobs: Any, sent: Any
) -> None:
    new, known = sign_up(client, "maya@fern.example"), sign_up(client, "Ines@Larkfield.example")
    assert new.status_code == known.status_code == 200
    assert scrub(new.text) == scrub(known.text)
    run_jobs()
    assert {(name, to) for name, to, _ in sent} == {("confirm_address", "maya@fern.example"), ("known_address", "ines@larkfield.example")}
    with tenancy.unscoped("test counts"):
        assert db.session.scalar(select(func.count()).select_from(Account)) == 2


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("email", "a@b@c", "More than one @"),
        ("email", "a@b.example, c@d.example", "More than one email"),
        ("email", "x" * 250 + "@b.example", "254"),
        ("email", "", "Type your work email"),
        ("company", "", "name of your company"),
        ("company", "x" * 121, "120"),
        ("name", "", "Type your name"),
        ("password", "short", "at least 12"),
        ("password", "x" * 300, "at most 256"),
        ("password", "maya@fern.example", "email address"),
    ],
)
def test_sign_up_says_what_is_wrong_and_keeps_what_was_typed(client: Any, app: Any, field: str, value: str, words: str) -> None:
    answer = sign_up(client, **{field: value})
    assert answer.status_code == 422
    assert words in answer.text
    assert "<title>Error: " in answer.text
    if field != "company":
        assert "Fern &amp; Fable" in answer.text
    with tenancy.unscoped("test counts"):
        assert db.session.scalar(select(func.count()).select_from(Account)) == 0


def test_trap_field_fills_nothing(client: Any, app: Any, run_jobs: Any, sent: Any) -> None:
    assert sign_up(client, website="http://spam.example").status_code == 200
    run_jobs()
    assert sent == []
    assert queries.find_user("maya@fern.example") is None


def test_five_sign_ups_an_hour_from_one_place(client: Any, app: Any) -> None:
    for n in range(5):
        assert sign_up(client, f"p{n}@fern.example").status_code == 200
    answer = sign_up(client, "p6@fern.example")
    assert answer.status_code == 429
    assert "Wait an hour" in answer.text


class TestInvitationOnly:
    @pytest.fixture
    def settings(self, db_url: str, tmp_path: Any) -> Any:
        from tests.conftest import settings_for  # noqa: PLC0415 - the fixture it replaces

        return settings_for(db_url, tmp_path, signup="invite")

    def test_nobody_signs_up_by_themselves(self, client: Any, account: Account) -> None:
        assert "Ask them for an invitation" in client.get("/signup").text
        sign_up(client)
        assert queries.find_user("maya@fern.example") is None
        assert "Start a free account" not in client.get("/login").text


def test_link_signs_in_once_and_only_by_the_button(client: Any, account: Account, run_jobs: Any, sent: Any) -> None:
    assert "Look into your inbox" in client.form("/login", {"email": "INES@larkfield.example", "password": ""}).text
    run_jobs()
    path = path_of(sent)
    for _ in range(5):
        assert client.get(path).status_code == 200
    assert client.get("/larkfield/you").status_code == 302
    assert client.form(path).status_code == 303
    assert client.get("/larkfield/you").status_code == 200
    assert client.form(path).status_code == 410


def test_link_works_for_ten_minutes(client: Any, account: Account, owner: User, clock: Any) -> None:
    path = service.make_link("sign_in", owner).removeprefix("http://localhost")
    clock.move(minutes=11)
    assert client.get(path).status_code == 410
    assert client.form(path).status_code == 410


def test_link_of_one_purpose_opens_no_other_door(client: Any, account: Account, owner: User) -> None:
    token = service.make_link("sign_in", owner).rpartition("/")[2]
    assert client.get(f"/reset/{token}").status_code == 410
    assert client.get(f"/confirm/{token}").status_code == 410
    assert client.get(f"/login/{token}").status_code == 200


def test_known_and_unknown_address_get_the_same_answer(client: Any, account: Account, run_jobs: Any, sent: Any) -> None:
    for path in ("/login", "/forgot"):
        known = client.form(path, {"email": "ines@larkfield.example"})
        unknown = client.form(path, {"email": "nobody@larkfield.example"})
        assert known.status_code == unknown.status_code == 200
        assert scrub(known.text) == scrub(unknown.text)
    run_jobs()
    assert {to for _, to, _ in sent} == {"ines@larkfield.example"}


def test_wrong_password_and_unknown_address_get_the_same_words(client: Any, account: Account) -> None:
    wrong = client.form("/login", {"email": "ines@larkfield.example", "password": "wrong wrong wrong", "do": "pw"})
    unknown = client.form("/login", {"email": "nobody@larkfield.example", "password": "wrong wrong wrong", "do": "pw"})
    assert wrong.status_code == unknown.status_code == 422
    assert scrub(wrong.text) == scrub(unknown.text)
    assert "wrong wrong wrong" not in wrong.text


def test_tenth_try_is_the_last_in_five_minutes_and_the_link_still_works(client: Any, account: Account, clock: Any) -> None:
    def attempt(password: str) -> Any:
        return client.form("/login", {"email": "ines@larkfield.example", "password": password, "do": "pw"})

    for _ in range(10):
        assert attempt("wrong wrong wrong").status_code == 422
    refused = attempt(PASSWORD)
    assert refused.status_code == 429
    assert "email you a link" in refused.text
    assert client.form("/login", {"email": "ines@larkfield.example", "password": "", "do": "link"}).status_code == 200
    clock.move(minutes=6)
    assert attempt(PASSWORD).status_code == 303


def test_guesses_at_once_see_each_other(app: Flask, account: Account) -> None:
    """Sixteen browsers guess in the same moment; ten are compared, the others are told to wait."""
    db.session.commit()
    start = threading.Barrier(16)

    def guess(_: int) -> int:
        with app.app_context():
            browser: Any = app.test_client()
            start.wait(20)
            answer = browser.form("/login", {"email": "ines@larkfield.example", "password": "wrong wrong wrong", "do": "pw"})
        return int(answer.status_code)

    app.test_client_class = Browser
    with ThreadPoolExecutor(16) as threads:
        assert Counter(threads.map(guess, range(16))) == {422: 10, 429: 6}


def test_nothing_is_locked_while_a_password_is_hashed(client: Any, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    held = []

    def verify(known: str, password: str) -> bool:
        held.append(db.session().in_transaction())
        raise VerifyMismatchError

    monkeypatch.setattr(people.HASHER.__class__, "verify", staticmethod(verify))
    client.form("/login", {"email": "ines@larkfield.example", "password": "wrong wrong wrong", "do": "pw"})
    assert held == [False]


def test_right_password_is_not_counted_and_resets_nothing(client: Any, account: Account) -> None:
    for _ in range(3):
        client.form("/login", {"email": "nobody@larkfield.example", "password": "wrong wrong wrong", "do": "pw"})
    before = db.session.scalar(select(func.count()).select_from(SignInTry))
    assert client.form("/login", {"email": "ines@larkfield.example", "password": PASSWORD, "do": "pw"}).status_code == 303
    assert db.session.scalar(select(func.count()).select_from(SignInTry)) == before


def test_five_links_an_hour_for_one_address(client: Any, account: Account, clock: Any) -> None:
    for _ in range(5):
        assert client.form("/login", {"email": "ines@larkfield.example", "password": ""}).status_code == 200
    assert client.form("/login", {"email": "ines@larkfield.example", "password": ""}).status_code == 429
    clock.move(hours=1, minutes=1)
    assert client.form("/login", {"email": "ines@larkfield.example", "password": ""}).status_code == 200


def test_tries_keep_no_address(client: Any, account: Account) -> None:
    client.form("/login", {"email": "ines@larkfield.example", "password": "wrong wrong wrong"})
    assert all("ines" not in key and "127" not in key for key in db.session.scalars(select(SignInTry.key)))


@pytest.mark.parametrize(
    ("address", "network"), [("192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("", "unknown"), ("x", "unknown")]
)
def test_one_place_is_an_address_or_a_64(address: str, network: str) -> None:
    assert network_of(address) == network


def test_password_of_a_megabyte_is_refused_before_hashing(client: Any, account: Account) -> None:
    answer = client.form("/login", {"email": "ines@larkfield.example", "password": "x" * 1_000_000, "do": "pw"})
    assert answer.status_code == 422
    assert "at most 256" in answer.text


def test_reset_gives_a_new_password_once_and_signs_everybody_out(
    client: Any, signed_in: Any, account: Account, owner: User, run_jobs: Any, sent: Any
) -> None:
    client.form("/forgot", {"email": "ines@larkfield.example"})
    run_jobs()
    older = path_of(sent)
    client.form("/forgot", {"email": "ines@larkfield.example"})
    run_jobs()
    path = path_of(sent)
    assert client.get(older).status_code == 410
    assert client.form(path, {"password": "short"}).status_code == 422
    assert client.form(path, {"password": "a boat on the quay"}).status_code == 303
    assert client.form(path, {"password": "another boat on the quay"}).status_code == 410
    assert signed_in.get("/larkfield/you").status_code == 302
    assert client.get("/larkfield/you").status_code == 200
    assert service.check_password("ines@larkfield.example", "a boat on the quay").id == owner.id
    assert sent[-1][0] == "password_changed"


@pytest.mark.parametrize("act", ["disable", "sign_out_everywhere", "expire_idle", "expire_old"])
def test_cookie_is_dead_within_one_request(signed_in: Any, owner: User, clock: Any, act: str) -> None:
    assert signed_in.get("/larkfield/you").status_code == 200
    if act == "disable":
        owner.disabled_at = clock.now()
        db.session.commit()
    elif act == "sign_out_everywhere":
        service.end_all_sessions(owner.id)
    elif act == "expire_idle":
        clock.move(hours=25)
    else:
        for _ in range(15):
            clock.move(hours=23)
            signed_in.get("/larkfield/you")
    assert signed_in.get("/larkfield/you").status_code == 302


def test_new_sign_in_gets_a_new_session_id(client: Any, account: Account, owner: User) -> None:
    seen = set()
    for _ in range(2):
        client.form("/login", {"email": owner.email, "password": PASSWORD, "do": "pw"})
        with client.session_transaction() as cookie:
            seen.add(cookie["_user_id"])
    assert len(seen) == 2
    stored = set(db.session.scalars(select(LoginSession.token_hash)))
    assert {ids.digest(token) for token in seen} <= stored
    assert not seen & stored


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/larkfield/members?x=1", "/larkfield/members?x=1"),
        ("//evil.example", None),
        ("https://evil.example", None),
        ("/\\evil.example", None),
        ("\\/evil", None),
        ("javascript:alert(1)", None),
        ("", None),
        (None, None),
    ],
)
def test_next_leads_to_own_pages_only(target: str | None, expected: str | None) -> None:
    assert own_path(target) == expected


def test_disabled_person_gets_no_link(account: Account, owner: User, clock: Any) -> None:
    link = service.make_link("sign_in", owner).rpartition("/")[2]
    owner.disabled_at = clock.now()
    with pytest.raises(LinkOver):
        service.look_at("sign_in", link)


def test_only_hashes_of_mailed_links_are_kept(account: Account, owner: User) -> None:
    token = service.make_link("reset", owner).rpartition("/")[2]
    row = db.session.scalars(select(MailedToken)).one()
    assert token not in repr({c.name: getattr(row, c.name) for c in MailedToken.__table__.columns})


def test_tidying_removes_what_counts_no_more(account: Account, owner: User, clock: Any) -> None:
    service.start_session(owner, "x", "127.0.0.1")
    service.count_password_try("a@b.example", "192.0.2.1")
    clock.move(days=15)
    assert service.forget_old_tries() == 3
    assert service.forget_dead_sessions() == 1
