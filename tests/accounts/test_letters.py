"""The mails of this feature as they arrive, their links followed."""

import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from jinja2 import UndefinedError
from sqlalchemy import select

from nps.accounts import queries, rules
from nps.accounts.models import Account, User
from nps.core.db import db
from nps.delivery import service as delivery
from nps.delivery.models import MailboxMail
from nps.web import email_templates

OURS = ["confirm_address", "known_address", "password_changed", "reset_password", "sign_in_link", "team_invite"]


def arrived(to: str) -> list[EmailMessage]:
    """Mails in the built-in mailbox for an address, oldest first."""
    rows = db.session.scalars(select(MailboxMail).where(MailboxMail.rcpt_to == to).order_by(MailboxMail.number))
    return [message_from_bytes(row.data, policy=default) for row in rows]  # type: ignore[misc]


def link_in(mail: EmailMessage) -> str:
    """The one address in the text part, as a path of ours; the HTML part carries the same."""
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    found = re.findall(r"http://localhost(/\S+)", text.get_content())
    assert len(found) == 1
    assert f'href="http://localhost{found[0]}"' in html.get_content()
    return str(found[0])


def test_from_sign_up_to_the_first_page_by_mail_alone(client: Any, app: Any, run_jobs: Any) -> None:
    client.form(
        "/signup", {"email": "maya@fern.example", "company": "Fern & Fable", "name": "Maya <b>Okafor", "password": "", "website": ""}
    )
    run_jobs()
    (mail,) = arrived("maya@fern.example")
    assert mail["Subject"] == "Confirm your address"
    assert "Wordback" in mail["From"]
    assert client.form(link_in(mail)).status_code == 303
    assert client.get("/fern-fable/set-up").status_code == 200
    html = mail.get_body(("html",))
    assert html is not None
    assert "Maya &lt;b&gt;Okafor" in html.get_content()


def test_link_by_mail_signs_in(client: Any, account: Account, run_jobs: Any) -> None:
    client.form("/login", {"email": "ines@larkfield.example", "password": ""})
    client.form("/login", {"email": "nobody@larkfield.example", "password": ""})
    run_jobs()
    (mail,) = arrived("ines@larkfield.example")
    assert client.form(link_in(mail)).status_code == 303
    assert client.get("/larkfield/you").status_code == 200
    assert arrived("nobody@larkfield.example") == []


def test_invitation_arrives_and_joins(client: Any, signed_in: Any, account: Account, run_jobs: Any) -> None:
    signed_in.form("/larkfield/members/invitations", {"email": "kei@larkfield.example", "role": "responder"})
    run_jobs()
    (mail,) = arrived("kei@larkfield.example")
    assert mail["Subject"] == "Ines Marchetti invites you to Larkfield"
    assert client.form(link_in(mail), {"name": "Kei Tanaka", "password": ""}).status_code == 303
    assert client.get("/larkfield/you").status_code == 200


def test_reset_and_its_notice_arrive(client: Any, account: Account, run_jobs: Any) -> None:
    client.form("/forgot", {"email": "ines@larkfield.example"})
    run_jobs()
    (mail,) = arrived("ines@larkfield.example")
    client.form(link_in(mail), {"password": "a boat on the quay"})
    run_jobs()
    assert [m["Subject"] for m in arrived("ines@larkfield.example")][-1] == "Your password was changed"


def test_unverified_account_invites_nobody(client: Any, app: Any, run_jobs: Any, sign_in: Any) -> None:
    client.form("/signup", {"email": "maya@fern.example", "company": "Fern", "name": "Maya", "password": "", "website": ""})
    maya = queries.find_user("maya@fern.example")
    assert maya is not None
    account = queries.list_accounts_of(maya.id)[0]
    answer = sign_in(maya).form(f"/{account.slug}/members/invitations", {"email": "kei@x.example", "role": "viewer"})
    assert answer.status_code == 403
    assert "Confirm your own address first" in answer.text
    run_jobs()
    assert arrived("kei@x.example") == []


def test_person_who_stopped_surveys_can_still_sign_in(client: Any, account: Account, owner: User, run_jobs: Any) -> None:
    delivery.suppress("ines@larkfield.example", "unsubscribed", "test")
    db.session.commit()
    client.form("/login", {"email": "ines@larkfield.example", "password": ""})
    run_jobs()
    assert len(arrived("ines@larkfield.example")) == 1


@pytest.mark.parametrize("name", OURS)
def test_mail_says_in_text_what_it_says_in_html_and_has_no_gap(name: str) -> None:
    values = {k: f"{k.capitalize()}-value" for k in ("name", "email", "account", "inviter", "role", "base_url")} | {
        "link": "http://localhost/x/tok"
    }
    words = email_templates.render(name, **values)
    assert "\n" not in words.subject
    assert words.subject
    used = {key for key, value in values.items() if value in words.text}
    assert {key for key in used if values[key] not in words.html} == set()
    plain = re.sub(r"<[^>]+>", " ", words.html)
    assert "<script" not in words.html
    assert "img" not in words.html
    assert "Hello" in plain
    assert "prefers-color-scheme: dark" in words.html
    for part in (words.text, plain):
        assert re.search(r"Hello[^,]*,\s+[A-Z]", part), part
    with pytest.raises(UndefinedError):
        email_templates.render(name)


@pytest.mark.parametrize(
    ("name", "address", "line"),
    [
        ("Larkfield", "Larkfield Inc., 48 Quay Street", "Larkfield Inc., 48 Quay Street"),
        ("Larkfield", "48 Quay Street\r\nPortland", "Larkfield, 48 Quay Street, Portland"),
        ("Larkfield", "", "Larkfield"),
    ],
)
def test_the_end_of_a_mail_names_the_company_once(name: str, address: str, line: str) -> None:
    assert rules.letterhead(name, address) == line
