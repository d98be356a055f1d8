"""One wording, many mails: compile once to bytes, splice what differs per person.

Building an `EmailMessage` for every person costs a hundred times more than everything else that sending does. So a wording
is rendered once with marks where a person's values go (`mark("first_name")`), compiled to a byte template with a fixed MIME
structure, and each mail is one join of ready pieces with checked, escaped and folded values. What a mail program reads is the
same as from `EmailMessage`; tests hold the two together.

    wording = Wording(subject="Hi " + mark("first_name", "there"), text=…, html=…, language="en", from_name="Ines", from_email=…)
    template = compile(wording)
    data = template.splice(Values(to=…, date=…, …, slots={"first_name": "Dana"}))

Both parts are quoted-printable: 7-bit, lines of at most 76 bytes, CRLF, no line begins with a dot, and the boundary cannot
occur in them. Single mails (sign-in links, replies typed by a member) go through `single`.
"""

import base64
import html as html_lib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import SMTP
from email.policy import default as DEFAULT
from email.utils import format_datetime
from functools import lru_cache

MARK_OPEN, MARK_CLOSE, MARK_OR = "\x02", "\x03", "\x04"
_MARK = re.compile("\x02([^\x02\x03\x04]+)(?:\x04([^\x02\x03\x04]*))?\x03")
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_UNSAFE_TEXT = re.compile("[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_PLAIN_QP = re.compile(r"[!-<>-~][ -<>-~]{0,69}")
_PLAIN_HEADER = re.compile(r"[!-~](?:[ -~]{0,58}[!-~])?")
_SAFE_BYTES = frozenset(range(33, 127)) - {ord("=")}
_LINE = 76


class UnsafeValue(ValueError):
    """A value that could break a line, a header or the encoding. `name` says which one; the value itself is not repeated."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"{name} holds a line break or a control character.")


def mark(name: str, default: str = "") -> str:
    """The mark that stands for a person's value in a subject, text or HTML that is rendered once for everybody.

    `default` is used where the value is empty. Escaping happens when the value is put in, by where the mark stands.
    """
    if _UNSAFE.search(name) or _UNSAFE.search(default):
        raise UnsafeValue(name)
    return f"{MARK_OPEN}{name}{MARK_OR}{default}{MARK_CLOSE}" if default else f"{MARK_OPEN}{name}{MARK_CLOSE}"


def one_line(name: str, value: str) -> str:
    """The value, if it may stand in a header or in a line of text; else UnsafeValue."""
    if _UNSAFE.search(value):
        raise UnsafeValue(name)
    return value


@dataclass(frozen=True, slots=True)
class Wording:
    """What everybody who gets this mail shares. Subject, text and HTML may hold marks."""

    subject: str
    text: str
    html: str
    from_name: str
    from_email: str
    feedback_id: str = ""
    one_click: bool = True
    """Whether the mail carries the stop headers (RFC 2369, RFC 8058). Every mail people did not ask for does."""
    boundary: str = "=_wordback"


@dataclass(frozen=True, slots=True)
class Values:
    """What one mail has of its own. `slots` fills the marks."""

    to: str
    date: datetime
    message_id: str
    """Without angle brackets."""
    message: str
    """The id under which we know this mail, in X-Wordback-Message."""
    reply_to: str
    stop_url: str = ""
    stop_mailto: str = ""
    references: Sequence[str] = ()
    slots: Mapping[str, str] = field(default_factory=dict)


def filled(text: str, slots: Mapping[str, str]) -> str:
    """A text with marks as one person got it, unescaped: for saying what stood in a subject, not for making mails."""
    return _MARK.sub(lambda found: slots.get(found[1]) or found[2] or "", text)


# --- encodings ----------------------------------------------------------------------------------------------------


def encoded_words(text: str) -> bytes:
    """A header value as RFC 2047 words, folded; plain where it is short and ASCII."""
    if _PLAIN_HEADER.fullmatch(text) and "=?" not in text:
        return text.encode("ascii")
    words: list[bytes] = []
    chunk = b""
    for character in text:
        piece = character.encode("utf-8")
        if len(chunk) + len(piece) > 39:
            words.append(chunk)
            chunk = b""
        chunk += piece
    words.append(chunk)
    return b"\r\n ".join(b"=?utf-8?b?" + base64.b64encode(word) + b"?=" for word in words)


def quoted(text: str, *, dotless: bool = True) -> bytes:
    """One run of text as quoted-printable, in lines of its own: ends in a soft line break and begins at a line start.

    Line breaks of the text become CRLF. No line of the result begins with a dot.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    out: list[str] = []
    for number, line in enumerate(lines):
        hard = number < len(lines) - 1
        current = ""
        encoded = line.encode("utf-8")
        last = len(encoded) - 1
        for place, byte in enumerate(encoded):
            if byte in _SAFE_BYTES or (byte == 32 and not (hard and place == last)):
                piece = chr(byte)
            else:
                piece = f"={byte:02X}"
            if len(current) + len(piece) > _LINE - 1:
                out.append(current + "=\r\n")
                current = ""
            if piece == "." and not current and dotless:
                piece = "=2E"
            current += piece
        if hard:
            out.append(current + "\r\n")
        elif current:
            out.append(current + "=\r\n")
    return "".join(out).encode("ascii")


def _quoted_value(value: str) -> bytes:
    if _PLAIN_QP.fullmatch(value) and value[0] != ".":
        return value.encode("ascii") + b"=\r\n"
    return quoted(value)


def _from_header(name: str, email: str) -> bytes:
    message = EmailMessage(policy=SMTP)
    local, _, domain = email.rpartition("@")
    message["From"] = Address(one_line("sender name", name), local, domain)
    return message.as_bytes().partition(b"\r\n\r\n")[0] + b"\r\n"


# --- the template -------------------------------------------------------------------------------------------------

_TEXT, _HTML = 0, 1


class Template:
    """A compiled wording. Immutable; may be used by many threads at once."""

    def __init__(self, wording: Wording) -> None:
        if _UNSAFE_TEXT.search(_MARK.sub("", wording.text)) or _UNSAFE_TEXT.search(_MARK.sub("", wording.html)):
            raise UnsafeValue("text")
        one_line("subject", _MARK.sub("", wording.subject))
        one_line("feedback id", wording.feedback_id)
        if not re.fullmatch(r"=_[0-9A-Za-z]{1,60}", wording.boundary):
            # quoted-printable never holds "=_", so such a boundary cannot occur in a part
            raise ValueError("A boundary is =_ and letters or digits.")
        self.wording = wording
        self._subject = _split(wording.subject)
        self.marks = frozenset(
            name for part in (wording.subject, wording.text, wording.html) for name in (found[1] for found in _MARK.finditer(part))
        )
        self.purposes = tuple(sorted(name[6:] for name in self.marks if name.startswith("token:") and name != "token:stop"))
        """Purposes of link tokens, besides the one for stopping, that each mail carries."""
        boundary = wording.boundary.encode()
        fixed = [_from_header(wording.from_name, wording.from_email)]
        if wording.feedback_id:
            fixed.append(b"Feedback-ID: " + wording.feedback_id.encode("ascii") + b"\r\n")
        if wording.one_click:
            fixed.append(b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n")
        fixed.append(
            b"X-Auto-Response-Suppress: OOF, AutoReply\r\n"
            b"MIME-Version: 1.0\r\n"
            b'Content-Type: multipart/alternative; boundary="' + boundary + b'"\r\n\r\n'
        )
        pieces: list[bytes] = [b"".join(fixed)]
        holes: list[tuple[int, int, str, str]] = []
        part_head = b"--" + boundary + b'\r\nContent-Type: text/%s; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
        for context, subtype, source in ((_TEXT, b"plain", wording.text), (_HTML, b"html", wording.html)):
            pieces[-1] += part_head % subtype
            if not source.endswith("\n"):
                source += "\n"
            for literal, name, default in _split(source):
                pieces[-1] += quoted(literal)
                if name:
                    pieces.extend((b"", b""))
                    holes.append((len(pieces) - 2, context, name, default))
            # the line break before a boundary belongs to the boundary (RFC 2046 §5.1.1)
            pieces[-1] += b"\r\n"
        pieces[-1] += b"--" + boundary + b"--\r\n"
        self._pieces = pieces
        self._holes = holes

    def splice(self, values: Values) -> bytes:
        """The finished mail. Raises UnsafeValue when a value holds a line break or control character, KeyError when one is missing."""
        slots = values.slots
        ready: tuple[dict[tuple[str, str], bytes], dict[tuple[str, str], bytes]] = ({}, {})
        pieces = self._pieces.copy()
        for place, context, name, default in self._holes:
            known = ready[context]
            data = known.get((name, default))
            if data is None:
                value = one_line(name, slots[name]) or default
                data = known[name, default] = _quoted_value(html_lib.escape(value) if context else value) if value else b""
            pieces[place] = data
        pieces[0] = self._head(values) + pieces[0]
        return b"".join(pieces)

    def subject(self, slots: Mapping[str, str]) -> str:
        return "".join(literal + ((one_line(name, slots[name]) or default) if name else "") for literal, name, default in self._subject)

    def _head(self, values: Values) -> bytes:
        given = (values.to, values.message_id, values.reply_to, values.message, values.stop_url, values.stop_mailto, *values.references)
        joined = "".join(given)
        if not joined.isascii() or _UNSAFE.search(joined):
            raise UnsafeValue("address")
        head = (
            f"Date: {_date(values.date.replace(microsecond=0))}\r\nMessage-ID: <{values.message_id}>\r\nTo: {values.to}\r\n"
            f"Reply-To: {values.reply_to}\r\nX-Wordback-Message: {values.message}\r\n"
        )
        if self.wording.one_click:
            head += f"List-Unsubscribe: <{values.stop_url}>,\r\n <mailto:{values.stop_mailto}>\r\n"
        if values.references:
            head += f"In-Reply-To: <{values.references[-1]}>\r\n"
            head += "References: " + "\r\n ".join(f"<{reference}>" for reference in values.references) + "\r\n"
        return b"Subject: " + encoded_words(self.subject(values.slots)) + b"\r\n" + head.encode("ascii")


@lru_cache(maxsize=64)
def _date(moment: datetime) -> str:
    """A wave shares its seconds."""
    return format_datetime(moment.astimezone(UTC))


def _split(source: str) -> list[tuple[str, str, str]]:
    """(text before, mark, default) …; the last has no mark. A stray mark character is refused."""
    found: list[tuple[str, str, str]] = []
    place = 0
    for hit in _MARK.finditer(source):
        found.append((source[place : hit.start()], hit[1], hit[2] or ""))
        place = hit.end()
    found.append((source[place:], "", ""))
    if any(character in literal for literal, _, _ in found for character in (MARK_OPEN, MARK_CLOSE, MARK_OR)):
        raise UnsafeValue("text")
    return found


def compile(wording: Wording) -> Template:
    """The byte template of a wording. Raises UnsafeValue for control characters, ValueError for an address that is none."""
    return Template(wording)


def header_of(data: bytes, *names: str) -> dict[str, str]:
    """Decoded values of these headers of a finished mail; empty where one is missing."""
    parsed = BytesHeaderParser(policy=DEFAULT).parsebytes(data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
    return {name: str(parsed[name] or "") for name in names}


# --- single mails -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    content_type: str
    data: bytes


def single(
    *,
    subject: str,
    text: str,
    html: str,
    from_name: str,
    from_email: str,
    to: str,
    reply_to: str,
    date: datetime,
    message_id: str,
    message: str,
    references: Sequence[str] = (),
    stop_url: str = "",
    stop_mailto: str = "",
    attachments: Sequence[Attachment] = (),
) -> bytes:
    """One mail by the standard library, for mails that exist once. Same headers and limits as a compiled one."""
    for name, value in (("subject", subject), ("sender name", from_name), ("to", to), ("reply to", reply_to), ("message id", message_id)):
        one_line(name, value)
    mail = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    local, _, domain = from_email.rpartition("@")
    mail["From"] = Address(from_name, local, domain)
    mail["To"] = to
    if reply_to:
        mail["Reply-To"] = reply_to
    mail["Subject"] = subject
    mail["Date"] = date.astimezone(UTC)
    mail["Message-ID"] = f"<{message_id}>"
    if references:
        mail["In-Reply-To"] = f"<{one_line('reference', references[-1])}>"
        mail["References"] = " ".join(f"<{one_line('reference', reference)}>" for reference in references)
    if stop_url:
        mail["List-Unsubscribe"] = f"<{stop_url}>, <mailto:{stop_mailto}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    mail["X-Wordback-Message"] = message
    mail.set_content(text, cte="quoted-printable")
    if html:
        mail.add_alternative(html, subtype="html", cte="quoted-printable")
    for attachment in attachments:
        main, _, sub = attachment.content_type.partition("/")
        mail.add_attachment(attachment.data, maintype=main, subtype=sub or "octet-stream", filename=one_line("file name", attachment.name))
    return mail.as_bytes()
