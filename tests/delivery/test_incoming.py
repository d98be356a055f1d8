"""Mails of people and machines, read right or at least without harm."""

import time
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nps.delivery import incoming
from nps.delivery.incoming import is_stop, may_have_left, new_text, read, read_score, text_of_html


def raw(body: str = "Hello", **headers: str) -> bytes:
    lines = ["From: Dana Whitfield <Dana@BrightOak.example>", "Subject: Re: how are we doing?", "Message-ID: <x@brightoak.example>"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("8", (8, "")),
        ("10", (10, "")),
        ("0", (0, "")),
        ("8/10 slow app", (8, "slow app")),
        ("8 / 10", (8, "")),
        ("10/10", (10, "")),
        ("9. Great", (9, "Great")),
        ("9, great service", (9, "great service")),
        ("7: too slow", (7, "too slow")),
        ("9!", (9, "")),
        ("9! Love it", (9, "Love it")),
        ("6 - slow", (6, "slow")),
        ("6 – slow\nand dear", (6, "slow\nand dear")),
        ("8\n\nIt is slow.", (8, "It is slow.")),
        ("10 years with you", None),
        ("7-8", None),
        ("7 or 8", None),
        ("8.5", None),
        ("8,5", None),
        ("11", None),
        ("08", None),
        ("100", None),
        ("8/100", None),
        ("-1", None),
        ("٩", None),
        ("My score is 8", None),
        ("", None),
        ("8th of October", None),
    ],
)
def test_a_score_is_read_only_where_one_was_meant(text, found):
    assert read_score(text) == found


@pytest.mark.parametrize(
    "text",
    ["stop", "STOP", "Stop.", "stop please", "unsubscribe", "Please remove me", "Abmelden!", "配信停止", "إلغاء الاشتراك", "stop, thanks"],
)
def test_a_stop_word_alone_is_a_stop(text):
    assert is_stop(text)


@pytest.mark.parametrize("text", ["please stop the export bug", "the app does not stop", "", "I would like to stop by", "non stop", "8"])
def test_a_stop_word_among_others_is_none(text):
    assert not is_stop(text)


def test_a_reply_is_cut_to_what_is_new():
    quoted = "8/10 slow app\r\n\r\nOn Tue, Oct 6, 2026 at 9:00 AM Ines <r@r.example> wrote:\r\n> Hi Dana,\r\n> How likely\r\n"
    mail = read(raw(quoted, In_Reply_To="<b@x>", References="<a@x> <b@x>"))
    assert mail.text == "8/10 slow app"
    assert "How likely" in mail.full_text
    assert (mail.from_email, mail.from_name) == ("dana@brightoak.example", "Dana Whitfield")
    assert mail.answers == ("b@x", "b@x", "a@x")
    assert not mail.is_automatic


def test_a_signature_is_cut_and_a_mail_of_one_line_stays():
    assert new_text("Hello\n\n-- \nDana\nBright Oak") == "Hello"
    assert new_text("stop\n\nSent from my iPhone") == "stop"
    assert new_text("Just this") == "Just this"
    assert new_text("> only\n> quoted") == ""


def test_html_becomes_text_without_the_quoted_mail():
    html = (
        "<html><head><style>p{}</style><title>x</title></head><body><p>8 &amp; more</p><div>second<br>line</div><script>bad()</script>"
        '<div class="gmail_quote"><p>Hi Dana</p></div><p>after</p></body></html>'
    )
    assert text_of_html(html) == "8 & more\n\nsecond\nline\n\nafter"
    assert text_of_html('<p>New</p><div id="appendonsend"></div><hr><p>From: Ines</p>') == "New"
    mail = EmailMessage()
    mail["From"] = "d@x.example"
    mail.set_content("<p>9<br>nice</p>", subtype="html")
    assert read(mail.as_bytes()).text == "9\nnice"


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated; owner-email=x"},
        {"X_Autoreply": "yes"},
        {"X_Autorespond": "x"},
        {"Precedence": "auto_reply"},
    ],
)
def test_answering_machines_are_known_by_their_headers(headers):
    assert read(raw("I am away", **headers)).is_automatic


def test_a_person_is_no_machine():
    assert not read(raw("I am away", Auto_Submitted="no")).is_automatic
    assert read(raw("x"), envelope_from="").is_automatic
    assert may_have_left("Tom no longer works here. Write to Ann.")
    assert not may_have_left("I am away until Monday.")


REPORT = (
    "From: Mail Delivery System <MAILER-DAEMON@mx.example>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
    'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n--b\r\n\r\nIt failed.\r\n--b\r\n'
    "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
    "Final-Recipient: rfc822; dana@x.example\r\nAction: {action}\r\n"
    "Status: {status}\r\nDiagnostic-Code: smtp; 550 {status}\r\n  User unknown\r\n"
    "--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <1@x>\r\n\r\nHi\r\n--b--\r\n"
)


def test_a_delivery_report_is_read_field_by_field():
    mail = read(REPORT.format(action="failed", status="5.1.1").encode(), envelope_from="")
    assert [(n.action, n.status, n.words) for n in mail.notices] == [("failed", "5.1.1", "smtp; 550 5.1.1 User unknown")]
    assert [n.action for n in read(REPORT.format(action="delayed", status="4.4.1").encode()).notices] == ["delayed"]


def test_a_complaint_names_the_mail_it_is_about():
    token = "bounce+" + "0a" * 28 + "@mail.example"
    data = (
        'From: staff@isp.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n\r\n'
        "--b\r\n\r\nspam\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n\r\n--b\r\n"
        f"Content-Type: message/rfc822\r\n\r\nReturn-Path: <{token}>\r\nSubject: x\r\n\r\nreply+{'0b' * 28}@mail.example\r\n--b--\r\n"
    ).encode()
    mail = read(data)
    assert mail.is_complaint
    assert mail.original_addresses == (token,)
    assert not read(raw()).is_complaint


def nested(depth: int) -> bytes:
    open_ = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(depth))
    return b"From: a@x.example\r\nSubject: deep\r\n" + open_ + b"\r\nHi\r\n"


HOSTILE = {
    "too deep": nested(3000),
    "a little deep": nested(12),
    "10,000 parts": b'From: a@x.example\r\nSubject: s\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
    + b"--b\r\n\r\nx\r\n" * 10_000,
    "unknown charset": raw("hé", Content_Type="text/plain; charset=x-nowhere"),
    "broken base64": raw("!!!!", Content_Type="text/plain", Content_Transfer_Encoding="base64"),
    "50 MB": raw("x" * (50 * 1024 * 1024)),
    "no headers": b"\x00\xff\xfe" * 1000,
    "empty": b"",
    "endless header": b"Subject: " + b"x" * 300_000,
    "nul": raw("a\x00b"),
    "line separators": raw("a\u2028b\x85c"),
    "only line breaks": raw("\n" * 100_000),
    "one endless line": raw("On " * 30_000 + "wrote:"),
    "broken encoded words": raw("x", X_Y="=?utf-8?b?!!!?="),
    "broken sender": b"From: =?utf-8?q?=?=\xff <@@>,,;:\r\nSubject: =?x?z?y?=\r\n\r\nHi",
    "boundary missing": b"From: a@x.example\r\nContent-Type: multipart/report; report-type=delivery-status\r\n\r\nHi",
    "unclosed html": raw("<p" * 50_000, Content_Type="text/html"),
    "html without an end": raw("<div>" * 50_000 + "x", Content_Type="text/html"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_mail_is_read_as_far_as_it_goes_and_soon(name):
    began = time.thread_time()
    mail = read(HOSTILE[name], envelope_from="x@x.example")
    assert time.thread_time() - began < 10
    for text in (mail.from_email, mail.from_name, mail.subject, mail.text, mail.full_text):
        text.encode()
        assert "\x00" not in text
    if name in ("too deep", "10,000 parts", "50 MB"):
        assert mail.text == ""
        assert mail.from_email


@given(st.binary(max_size=2000))
@settings(max_examples=200, deadline=None)
def test_no_bytes_break_the_reader(data):
    read(data)


@given(st.text(max_size=400))
@settings(max_examples=200, deadline=None)
def test_no_text_breaks_score_stop_and_cutter(text):
    new_text(text)
    is_stop(text)
    found = read_score(text)
    assert found is None or 0 <= found[0] <= 10
    assert incoming.text_of_html(text) is not None
