"""A spliced mail reads like one the standard library would have built, for any value a person's name can take."""

import dataclasses
import email
import html as html_lib
import quopri
import smtplib
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP, default

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nps.delivery.compose import Attachment, UnsafeValue, Values, Wording, compile, encoded_words, mark, quoted, single
from nps.delivery.transports.smtp import as_content

DATE = datetime(2026, 10, 6, 9, 30, tzinfo=UTC)

SUBJECT = mark("first_name", "there") + ", how are we doing at " + mark("company", "Larkfield") + "?"
TEXT = (
    "Hi " + mark("first_name", "there") + ",\n\nHow likely are you to recommend Larkfield?\n.a line with a dot\n\n"
    " 9  https://answers.example/s/" + mark("survey_token") + "?score=9\n" + mark("company", "Larkfield") + "\n"
    "Trailing space \nlong " + "word " * 40 + "\nÜber größere Wörter: 日本語 שלום 🙂\n" + mark("first_name", "there")
)
HTML = (
    '<!doctype html>\n<html lang="en" dir="ltr"><body style="margin:0"><p>Hi ' + mark("first_name", "there") + ",</p>\n"
    '<a href="https://answers.example/s/'
    + mark("survey_token")
    + '?score=9" style="color:#1b1d21">9</a>\n<p>'
    + mark("company", "Larkfield & Co")
    + "</p>\n</body></html>\n"
)
WORDING = Wording(SUBJECT, TEXT, HTML, "Ines Marchetti, Larkfield", "ines@larkfield.example", feedback_id="c1:a1:survey:wordback")
TEMPLATE = compile(WORDING)


def values(first_name: str = "Dana", company: str = "", token: str = "9fK2vQ7m-_x.A", **more: object) -> Values:
    given = {
        "to": "dana@brightoak.example",
        "date": DATE,
        "message_id": "0199b2.1@larkfield.example",
        "message": "0199b2",
        "reply_to": "reply+abc@r.example",
        "stop_url": "https://answers.example/u/" + "t" * 90,
        "stop_mailto": "stop+abc@r.example",
        "slots": {"first_name": first_name, "company": company, "survey_token": token},
    }
    return Values(**{**given, **more})  # type: ignore[arg-type]


def fill(source: str, slots: dict[str, str], escape: bool) -> str:
    for name, otherwise in (("first_name", "there"), ("company", "Larkfield"), ("company", "Larkfield & Co"), ("survey_token", "")):
        value = slots[name] or otherwise
        source = source.replace(mark(name, otherwise), html_lib.escape(value) if escape else value)
    return source


def by_the_library(mail: Values) -> EmailMessage:
    slots = dict(mail.slots)
    built = EmailMessage(policy=SMTP.clone(max_line_length=900))
    built["From"] = '"Ines Marchetti, Larkfield" <ines@larkfield.example>'
    built["To"] = mail.to
    built["Reply-To"] = mail.reply_to
    built["Subject"] = fill(SUBJECT, slots, False)
    built["Date"] = mail.date
    built["Message-ID"] = f"<{mail.message_id}>"
    built["Feedback-ID"] = WORDING.feedback_id
    built["List-Unsubscribe"] = f"<{mail.stop_url}>, <mailto:{mail.stop_mailto}>"
    built["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    built["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    built["X-Wordback-Message"] = mail.message
    built.set_content(fill(TEXT, slots, False), cte="base64")
    built.add_alternative(fill(HTML, slots, True), subtype="html", cte="base64")
    return email.message_from_bytes(built.as_bytes(), policy=default)  # type: ignore[return-value]


def lines_of(part: EmailMessage) -> list[str]:
    return part.get_content().replace("\r\n", "\n").split("\n")


SAFE = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"))
ODD = ["", ".", "..", ".x", "Zoë", "Ægir Þór", "山田 太郎", "محمد", "שרה", "👩🏽‍🚀", "=2E=", "=?utf-8?q?x?=", "a" * 300, "{{7*7}}"]
ODD += ["<b>&\"'", " x ", "a  b"]
NAMES = st.one_of(st.text(SAFE, max_size=120), st.sampled_from(ODD))
BREAKS = ["\r\nBcc: e@e.example", *(f"a{character}b" for character in "\n\r\x0b\x0c\x85\u2028\u2029\x00\ud800"), "\x02x\x03"]


@given(NAMES, NAMES)
@example("Dana", "")
@example("." * 200, "é" * 119)
@settings(max_examples=150, deadline=None)
def test_a_spliced_mail_reads_like_one_of_the_standard_library(first_name, company):
    mail = values(first_name, company)
    data = TEMPLATE.splice(mail)
    ours, theirs = email.message_from_bytes(data, policy=default), by_the_library(mail)
    assert not ours.defects
    for name in set(theirs.keys()) - {"Content-Type", "MIME-Version", "Subject"}:
        assert str(ours[name]) == str(theirs[name]), name
    assert sorted(ours.keys()) == sorted(theirs.keys())
    # a header value loses blanks at its ends, in both
    assert str(ours["Subject"]).strip() == fill(SUBJECT, dict(mail.slots), False).strip()
    ours_parts, theirs_parts = list(ours.iter_parts()), list(theirs.iter_parts())
    assert [part.get_content_type() for part in ours_parts] == ["text/plain", "text/html"]
    for our, their in zip(ours_parts, theirs_parts, strict=True):
        assert not our.defects
        assert lines_of(our) == lines_of(their)


@given(NAMES, NAMES)
@settings(max_examples=150, deadline=None)
def test_a_spliced_mail_is_ready_for_the_wire(first_name, company):
    data = TEMPLATE.splice(values(first_name, company))
    assert data.isascii()
    lines = data.split(b"\r\n")
    assert lines.pop() == b""
    assert not [line for line in lines if b"\r" in line or b"\n" in line]
    assert not [line for line in lines if line.startswith(b".")]
    assert max(map(len, lines)) <= 998
    body = data.partition(b"\r\n\r\n")[2]
    assert max(len(line) for line in body.split(b"\r\n")) <= 78
    assert body.count(b"--=_wordback") == 3
    assert as_content(data) == data + b".\r\n"
    assert smtplib._quote_periods(data) == data  # type: ignore[attr-defined]


@pytest.mark.parametrize("evil", BREAKS)
@pytest.mark.parametrize("where", ["first_name", "company", "survey_token"])
def test_a_value_with_a_line_break_is_refused(evil, where):
    slots = {"first_name": "Dana", "company": "", "survey_token": "t", where: evil}
    with pytest.raises(UnsafeValue) as problem:
        TEMPLATE.splice(values(slots=slots))
    assert problem.value.name == where
    assert "Bcc" not in str(problem.value)


@pytest.mark.parametrize("place", ["to", "message_id", "message", "reply_to", "stop_url", "stop_mailto"])
@pytest.mark.parametrize("evil", ["a@b.example\r\nBcc: e@e.example", "a\x01b", "a\x00b", "é@x.example"])
def test_an_address_with_a_line_break_is_refused(place, evil):
    with pytest.raises(UnsafeValue):
        TEMPLATE.splice(values(**{place: evil}))
    with pytest.raises(UnsafeValue):
        TEMPLATE.splice(values(references=["a@b", "x\r\ny"]))


def test_a_sender_or_subject_with_a_line_break_is_refused():
    evil = {"from_name": "a\r\nBcc: x", "subject": "a\u2028b", "text": "a\x00", "html": "a\x0b", "feedback_id": "a\nb"}
    for name, value in [*evil.items(), ("text", "a\x02")]:
        with pytest.raises(UnsafeValue):
            compile(dataclasses.replace(WORDING, **{name: value}))
    with pytest.raises(UnsafeValue):
        mark("x", "a\nb")


def test_a_reminder_threads_behind_the_first_mail():
    parsed = email.message_from_bytes(TEMPLATE.splice(values(references=["first@x.example", "second@x.example"])), policy=default)
    assert parsed["In-Reply-To"] == "<second@x.example>"
    assert parsed["References"] == "<first@x.example> <second@x.example>"


def test_a_missing_value_is_an_error_and_an_empty_one_takes_the_default():
    with pytest.raises(KeyError):
        TEMPLATE.splice(values(slots={"first_name": "Dana"}))
    parsed = email.message_from_bytes(TEMPLATE.splice(values(first_name="")), policy=default)
    assert parsed["Subject"] == "there, how are we doing at Larkfield?"
    assert TEMPLATE.marks == {"first_name", "company", "survey_token"}


def test_markup_in_a_name_stays_text():
    parsed = email.message_from_bytes(TEMPLATE.splice(values('<img src=x onerror="a">')), policy=default)
    html = parsed.get_body(("html",)).get_content()
    assert "<img" not in html
    assert "&lt;img src=x onerror=&quot;a&quot;&gt;" in html


@given(st.text(SAFE, min_size=1, max_size=200))
@settings(deadline=None)
def test_encoded_words_decode_to_what_was_meant(text):
    raw = b"Subject: " + encoded_words(text) + b"\r\n\r\n"
    assert max(map(len, raw.split(b"\r\n"))) <= 78
    parsed = str(email.message_from_bytes(raw, policy=default)["Subject"])
    assert parsed.strip() == text.strip()


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=300))
@settings(deadline=None)
def test_quoted_runs_decode_to_what_was_meant(text):

    encoded = quoted(text)
    assert quopri.decodestring(encoded).replace(b"\r\n", b"\n").decode() == text.replace("\r\n", "\n").replace("\r", "\n")
    assert all(len(line) <= 76 and not line.startswith(b".") for line in encoded.split(b"\r\n"))


def test_a_single_mail_has_the_same_headers_and_can_carry_files():
    data = single(
        subject="Re: your answer – ünd mehr",
        text="Hi\n.dot\n" + "x" * 2000,
        html="<p>Hi</p>",
        from_name="Tomás at Larkfield",
        from_email="survey@larkfield.example",
        to="dana@brightoak.example",
        reply_to="reply+t@r.example",
        date=DATE,
        message_id="1@larkfield.example",
        message="1",
        references=["0@larkfield.example"],
        stop_url="https://x.example/u/1",
        stop_mailto="stop+1@r.example",
        attachments=[Attachment("Übersicht.pdf", "application/pdf", b"%PDF")],
    )
    assert data.isascii()
    assert max(map(len, data.split(b"\r\n"))) <= 998
    parsed = email.message_from_bytes(data, policy=default)
    assert parsed["Subject"] == "Re: your answer – ünd mehr"
    assert parsed["References"] == "<0@larkfield.example>"
    assert parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert parsed.get_body(("plain",)).get_content().startswith("Hi\r\n.dot")
    assert [part.get_filename() for part in parsed.iter_attachments()] == ["Übersicht.pdf"]
    with pytest.raises(UnsafeValue):
        single(
            subject="a\r\nBcc: e@e.example",
            text="",
            html="",
            from_name="",
            from_email="a@b.example",
            to="a@b.example",
            reply_to="",
            date=DATE,
            message_id="1@x",
            message="1",
        )
