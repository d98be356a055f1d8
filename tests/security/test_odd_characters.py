"""Characters that no keyboard types neither break a page nor reach a header of a mail."""

import io
import re
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import DBAPIError

from nps.accounts.models import Account
from nps.accounts.service import audit
from nps.core import ids
from nps.core.db import db
from nps.referrals import queries as referrals
from tests.referrals.world import live_program, promoter

CRLF = "Larkfield\r\nBcc: everybody@rival.example"


@pytest.mark.parametrize("path", ["/lark%00field/", "/larkfield/contacts/%00", "/confirm/a%00b", "/invitations/%00", "/login/%00"])
def test_nul_in_an_address_is_not_found(app: Flask, signed_in: Any, account: Any, path: str) -> None:
    assert signed_in.get(path).status_code == 404


@pytest.mark.parametrize(
    "path", ["contacts?q=%00", "contacts?%00=1", "responses?by=%00", "cases?q=a%00", "referrals/advocates?q=%00", "?f=plan:is:%00"]
)
def test_nul_in_a_query_is_dropped(app: Flask, signed_in: Any, account: Any, path: str) -> None:
    assert signed_in.get(f"/larkfield/{path}").status_code == 200


def test_nul_in_a_form_is_dropped(app: Flask, client: Any, account: Any) -> None:
    live_program(account)
    link = referrals.link_of(promoter().id)
    form = {"email": "fri\x00end@fern.example", "token": ids.sign("claim", account.id, link.id), "wb_click": "\x00"}
    db.session.commit()
    answer = client.post(f"/f/{link.code}/claim", data=form)
    assert answer.status_code == 200
    assert "friend@fern.example" in answer.text.replace("<wbr>", "")


def test_a_field_of_one_line_keeps_one_line(app: Flask, signed_in: Any, account: Account) -> None:
    form = {
        "name": CRLF,
        "product": "Lark\x0bfield\x85\u2028",
        "whom": "a friend",
        "sender_name": CRLF,
        "sender_email": "ines@larkfield.example",
        "reply_to": "ines@larkfield.example",
        "postal_address": "48 Quay Street\r\nPortland\u2028Maine\x07",
        "time_zone": "UTC",
        "currency": "USD",
        "brand_color": "#14574a",
    }
    assert signed_in.form("/larkfield/settings", form).status_code == 303
    db.session.refresh(account)
    assert account.name == account.sender_name == "Larkfield Bcc: everybody@rival.example"
    assert account.product == "Lark field"
    assert account.postal_address == "48 Quay Street\nPortland\nMaine"


@pytest.mark.parametrize("path", ["/login", "/larkfield/settings", "/s/nobody", "/f/nobody-2K9DXX/claim"])
def test_a_form_that_asks_for_no_file_takes_no_large_one(app: Flask, client: Any, account: Account, path: str) -> None:
    answer = client.post(path, data={"file": (io.BytesIO(bytes(4 * 1024 * 1024)), "large.bin")}, content_type="multipart/form-data")
    assert answer.status_code == 413


def test_a_cursor_of_another_list_is_refused(app: Flask, signed_in: Any, account: Account) -> None:
    for number in range(60):
        audit("tests", "settings.changed", facts={"number": number})
    db.session.commit()
    cursor = re.search(r"after=([^\"&]+)", signed_in.get("/larkfield/settings/audit-log").text)
    assert cursor is not None
    assert signed_in.get(f"/larkfield/settings/audit-log?after={cursor[1]}").status_code == 200
    assert signed_in.get(f"/larkfield/responses?after={cursor[1]}").status_code == 422
    assert signed_in.get(f"/larkfield/contacts?after={cursor[1]}").status_code in (400, 422)


def test_what_people_typed_is_not_in_the_text_of_a_database_error(app: Flask, account: Account) -> None:
    with pytest.raises(DBAPIError) as caught:
        db.session.execute(sa.text("SELECT no_such_column FROM account WHERE name = :name"), {"name": "dana@brightoak.example"})
    assert "dana@brightoak.example" not in str(caught.value)
