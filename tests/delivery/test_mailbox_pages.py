"""The built-in mailbox: list, one mail, JSON, exact bytes; nothing of it with another way out."""

import pytest
from sqlalchemy import select

from nps.core.db import db
from nps.delivery.models import MailboxMail
from nps.delivery.views import MAIL_POLICY
from tests.conftest import settings_for


@pytest.fixture
def kept(account, mail, run_jobs):
    for number in range(3):
        mail(
            f"p{number}@brightoak.example",
            subject=f"Hi <b>P{number}</b>",
            html="<html><head></head><body><p>Look</p><script>x()</script></body></html>",
        )
    run_jobs()
    return db.session.scalars(select(MailboxMail).order_by(MailboxMail.number)).all()


def test_the_list_is_newest_first_and_searched_by_address(client, kept):
    page = client.get("/dev/mail").text
    assert page.index("p2@brightoak.example") < page.index("p0@brightoak.example")
    assert "<b>P" not in page
    found = client.get("/dev/mail?to=P1@").text
    assert "p1@brightoak.example" in found
    assert "p0@brightoak.example" not in found
    assert "No mail to" in client.get("/dev/mail?to=nobody").text


def test_more_than_a_page_goes_on_at_the_next(client, account, mail, run_jobs):
    for number in range(60):
        mail(f"n{number}@x.example")
    run_jobs()
    first = client.get("/dev/mail").text
    assert "n59@" in first
    assert "n9@" not in first
    following = first.split('href="/dev/mail?')[1].split('"')[0].replace("&amp;", "&")
    assert "n9@" in client.get(f"/dev/mail?{following}").text


def test_json_gives_number_envelope_id_time_and_subject(client, kept):
    rows = client.get("/dev/mail.json").json
    assert [row["to"] for row in rows] == ["p2@brightoak.example", "p1@brightoak.example", "p0@brightoak.example"]
    assert set(rows[0]) == {"number", "from", "to", "message_id", "at", "subject"}
    assert rows[0]["message_id"].startswith("<")
    assert rows[0]["at"].endswith("Z")
    assert [row["to"] for row in client.get("/dev/mail.json?to=p1").json] == ["p1@brightoak.example"]


def test_the_exact_bytes_and_every_view(client, kept):
    mail = kept[0]
    file = client.get(f"/dev/mail/{mail.number}.eml")
    assert file.data == mail.data
    assert file.content_type == "message/rfc822"
    assert 'src="/dev/mail/' in client.get(f"/dev/mail/{mail.number}").text
    assert "Hello" in client.get(f"/dev/mail/{mail.number}?view=text").text
    source = client.get(f"/dev/mail/{mail.number}?view=source").text
    assert "X-Wordback-Message" in source
    frame = client.get(f"/dev/mail/{mail.number}/html")
    assert frame.headers["Content-Security-Policy"] == MAIL_POLICY
    assert "script-src" not in MAIL_POLICY
    assert "allow-scripts" not in MAIL_POLICY
    assert '<base target="_blank">' in frame.text
    for missing in ("/dev/mail/999", "/dev/mail/999.eml", "/dev/mail/999/html", "/dev/mail/x"):
        assert client.get(missing).status_code == 404


class TestWithAnotherWayOut:
    @pytest.fixture
    def settings(self, db_url, tmp_path):
        return settings_for(db_url, tmp_path, mail_url="smtp://127.0.0.1:1")

    def test_there_is_nothing_here(self, client, account):
        for path in ("/dev/mail", "/dev/mail.json", "/dev/mail/1", "/dev/mail/1.eml", "/dev/mail/1/html"):
            assert client.get(path).status_code == 404
