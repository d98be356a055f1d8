"""Signing in at the door."""

from typing import Any

import pytest
from argon2.exceptions import VerifyMismatchError

from nps.accounts import service
from nps.accounts.service import people
from tests.conftest import OUR_HASHER, PASSWORD


def test_right_password_opens_and_wrong_one_keeps_the_address(client: Any, account: Any) -> None:
    bad = client.form("/login", {"email": "Ines@larkfield.example", "password": "wrong"})
    assert bad.status_code == 422
    assert b"do not belong together" in bad.data
    assert b"ines@larkfield.example" in bad.data.lower()
    good = client.form("/login", {"email": "Ines@larkfield.example", "password": "correct horse battery staple"})
    assert good.status_code == 303


def test_a_form_without_our_token_is_refused(client: Any, account: Any) -> None:
    assert client.post("/login", data={"email": "a@b.example", "password": "x"}).status_code == 400


def test_signing_out_ends_the_session_row(signed_in: Any, account: Any, owner: Any) -> None:
    assert signed_in.get("/").status_code == 302
    signed_in.form("/logout")
    assert signed_in.get("/").headers["Location"].startswith("/login")


def test_a_deleted_session_is_dead_at_the_next_request(signed_in: Any, owner: Any) -> None:
    service.end_all_sessions(owner.id)
    assert signed_in.get("/").headers["Location"].startswith("/login")


def test_the_start_page_is_the_account_looked_at_last(signed_in: Any, account: Any, owner: Any) -> None:
    service.create_account("Anchor Books", owner, slug="anchor-books", state="active")
    assert signed_in.get("/").headers["Location"] == "/anchor-books/"
    assert signed_in.get("/larkfield/").status_code == 200
    assert signed_in.get("/").headers["Location"] == "/larkfield/"


def test_an_unknown_address_is_compared_with_a_hash_by_the_same_rule() -> None:
    assert not OUR_HASHER.check_needs_rehash(people.NO_USER)
    with pytest.raises(VerifyMismatchError):
        people.HASHER.verify(people.NO_USER, PASSWORD)
