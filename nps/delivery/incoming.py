"""Reading a mail that came in: what kind it is, who wrote, and what is new in it. Pure: bytes in, values out, never an error.

Limits: 10 MB, 200 parts, 10 levels, as in the specification of inbound mail; beyond them only the headers are read.
Sources: RFC 3464 (delivery reports), RFC 5965 (complaints), RFC 3834 (automatic replies).
"""

import email
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import default
from email.utils import parseaddr
from enum import StrEnum
from html.parser import HTMLParser

from mailparser_reply import EmailReplyParser

MAX_BYTES = 10 * 1024 * 1024
MAX_PARTS = 200
MAX_DEPTH = 10
_TEXT_KEPT = 20_000
_CUTTER_CHARACTERS, _CUTTER_LINES, _CUTTER_LINE = 10_000, 300, 600
"""What the quote cutter is given: its patterns take seconds on endless lines."""


class Kind(StrEnum):
    REPORT = "report"
    COMPLAINT = "complaint"
    AUTO_REPLY = "auto_reply"
    STOP = "stop"
    SCORE = "score"
    REPLY = "reply"
    UNMATCHED = "unmatched"


@dataclass(frozen=True, slots=True)
class Notice:
    """One recipient's block of a delivery report."""

    action: str
    status: str
    words: str


@dataclass(frozen=True, slots=True)
class Mail:
    from_email: str = ""
    from_name: str = ""
    subject: str = ""
    message_id: str = ""
    answers: tuple[str, ...] = ()
    """Message-IDs of In-Reply-To and References, nearest first."""
    notices: tuple[Notice, ...] = ()
    is_complaint: bool = False
    original_addresses: tuple[str, ...] = ()
    """Addresses in the headers of the mail that a complaint is about."""
    is_automatic: bool = False
    text: str = ""
    """What is new: without quotes and signature."""
    full_text: str = ""
    attachments: tuple[str, ...] = field(default=())


def read(data: bytes, *, envelope_from: str | None = None) -> Mail:
    """What a mail says. Broken, huge and nested mails give what could be read. `envelope_from` "" is the empty sender."""
    head = _headers(data)
    whole = _whole(data) if len(data) <= MAX_BYTES else None
    name, address = parseaddr(_value(head, "From"))
    base = {
        "from_email": _clean(address, 254).lower(),
        "from_name": _clean(name, 120),
        "subject": _clean(_value(head, "Subject"), 300),
        "message_id": _clean(_value(head, "Message-ID"), 320),
        "answers": tuple(_ids(_value(head, "In-Reply-To")) + _ids(_value(head, "References"))[::-1]),
    }
    if whole is None:
        return Mail(**base, is_automatic=_automatic(head, envelope_from, False))  # type: ignore[arg-type]
    notices = tuple(_notices(whole))
    complaint = _is_report(whole, "feedback-report")
    full = _full_text(whole)
    return Mail(
        **base,  # type: ignore[arg-type]
        notices=notices,
        is_complaint=complaint,
        original_addresses=tuple(_original_addresses(whole)) if complaint else (),
        is_automatic=_automatic(head, envelope_from, bool(notices)),
        text=new_text(full)[:_TEXT_KEPT],
        full_text=full,
        attachments=tuple(_clean(part.get_filename() or "file", 120) for part in _attachments(whole)),
    )


# --- structure ----------------------------------------------------------------------------------------------------


def _headers(data: bytes) -> EmailMessage:
    end = re.search(rb"\r?\n\r?\n", data[:262_144])
    head = data[: end.end()] if end else data[:262_144]
    parsed = BytesHeaderParser(policy=default).parsebytes(head)
    return parsed if isinstance(parsed, EmailMessage) else EmailMessage()


def _whole(data: bytes) -> EmailMessage | None:
    """The parsed mail, or None when it is too deep or has too many parts to be read."""
    if len(re.findall(rb"(?im)^content-type:[ \t]*(?:multipart|message)/", data)) > 4 * MAX_DEPTH:
        return None
    try:
        parsed = email.message_from_bytes(data, policy=default)
        if sum(1 for _ in _walk(parsed, 0)) > MAX_PARTS:
            return None
    except (RecursionError, ValueError, LookupError, TypeError, IndexError, AttributeError, _TooDeep):
        return None
    return parsed


class _TooDeep(Exception):
    pass


def _walk(part: EmailMessage, depth: int) -> Iterator[EmailMessage]:
    if depth > MAX_DEPTH:
        raise _TooDeep
    yield part
    if part.is_multipart():
        for inner in part.get_payload():
            yield from _walk(inner, depth + 1)  # type: ignore[arg-type]


def _value(part: EmailMessage, name: str) -> str:
    try:
        return str(part.get(name) or "")
    except Exception:  # the standard library's header parser has open bugs on hostile headers; no header is worth a 500
        return ""


def _clean(text: str, limit: int) -> str:
    text = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(text.encode("utf-8", "replace").decode().split())[:limit]


def _ids(value: str) -> list[str]:
    return re.findall(r"<([^<>\s]{1,320})>", value)[:50]


# --- machines -----------------------------------------------------------------------------------------------------


def _is_report(mail: EmailMessage, kind: str) -> bool:
    if mail.get_content_type() != "multipart/report":
        return False
    if str(mail.get_param("report-type") or "").lower() == kind:
        return True
    return any(part.get_content_type() == f"message/{kind}" for part in _walk(mail, 0))


def _notices(mail: EmailMessage) -> Iterator[Notice]:
    for part in _walk(mail, 0):
        if part.get_content_type() != "message/delivery-status":
            continue
        for block in _blocks(part):
            action, status = block.get("action", ""), block.get("status", "")
            if action or status:
                yield Notice(action.split()[0] if action else "", status, block.get("diagnostic-code", ""))


def _blocks(part: EmailMessage) -> Iterator[dict[str, str]]:
    """Groups of fields of a delivery-status part; the parser makes sub-messages of them, some systems send plain text."""
    payload = part.get_payload()
    texts = [str(inner) for inner in payload] if isinstance(payload, list) else [_decoded(part)]
    for text in texts:
        for group in re.split(r"\r?\n[ \t]*\r?\n", text):
            unfolded = re.sub(r"\r?\n[ \t]+", " ", group)
            found = dict(re.findall(r"(?im)^([a-z-]+):[ \t]*(.*?)[ \t\r]*$", unfolded))
            yield {name.lower(): value for name, value in found.items()}


def _original_addresses(mail: EmailMessage) -> Iterator[str]:
    for part in _walk(mail, 0):
        if part.get_content_type() in ("message/rfc822", "text/rfc822-headers", "message/rfc822-headers"):
            payload = part.get_payload()
            if isinstance(payload, list) and payload:
                head = "\n".join(str(value) for _, value in payload[0].raw_items())  # type: ignore[union-attr]
            else:
                head = re.split(r"\r?\n\r?\n", _decoded(part), maxsplit=1)[0]
            yield from re.findall(r"(?:reply|bounce|stop)\+[0-9a-fA-F]{56}@[A-Za-z0-9.-]+", re.sub(r"\r?\n[ \t]+", "", head))


def _automatic(head: EmailMessage, envelope_from: str | None, is_report: bool) -> bool:
    said = _value(head, "Auto-Submitted").strip().lower()
    if said and not said.startswith("no"):
        return True
    if any(_value(head, name) for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Reply", "X-AutoReply-From", "X-Mail-Autoreply")):
        return True
    if _value(head, "Precedence").strip().lower() in ("auto_reply", "auto-reply", "junk"):
        return True
    return envelope_from == "" and not is_report


_LEFT = re.compile(
    r"no longer (?:with|works?|employed|part of|at)\b|has left (?:the company|our|us)|left the (?:company|organi[sz]ation)"
    r"|nicht mehr (?:bei|für|im unternehmen)|hat das unternehmen verlassen|ne travaille plus|a quitté|ya no trabaja|non lavora più",
    re.IGNORECASE,
)


def may_have_left(text: str) -> bool:
    """Does an automatic reply say that the person works there no longer?"""
    return bool(_LEFT.search(text[:5000]))


# --- words --------------------------------------------------------------------------------------------------------


def _attachments(mail: EmailMessage) -> Iterator[EmailMessage]:
    for part in _walk(mail, 0):
        if part.get_content_disposition() == "attachment":
            yield part


def _decoded(part: EmailMessage) -> str:
    """The text of a part whatever its charset claims to be."""
    try:
        raw = part.get_payload(decode=True)
    except Exception:  # broken transfer encodings
        raw = b""
    if not isinstance(raw, bytes):
        return str(part.get_payload() or "")
    for charset in (str(part.get_content_charset() or "utf-8"), "utf-8"):
        try:
            return raw.decode(charset)
        except (LookupError, UnicodeDecodeError):
            continue
    return raw.decode("latin-1")


def _full_text(mail: EmailMessage) -> str:
    plain, rich = "", ""
    for part in _walk(mail, 0):
        kind = part.get_content_type()
        if part.get_content_disposition() == "attachment" or part.is_multipart():
            continue
        if kind == "text/plain" and not plain.strip():
            plain = _decoded(part)
        elif kind == "text/html" and not rich:
            rich = _decoded(part)
    text = plain if plain.strip() else text_of_html(rich[:500_000])
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\x85", "\n")
    text = "".join(character for character in text if character == "\n" or character == "\t" or character.isprintable())
    return text.encode("utf-8", "replace").decode().strip()[: 5 * _TEXT_KEPT]


_BREAKS = frozenset("p div br tr li h1 h2 h3 h4 h5 h6 table ul ol blockquote pre hr section article header footer".split())
_SILENT = frozenset("style script head title template".split())
_QUOTES = (
    "gmail_quote",
    "yahoo_quoted",
    "moz-cite-prefix",
    "protonmail_quote",
    "tutanota_quote",
    "zmail_extra",
    "divRplyFwdMsg",
    "appendonsend",
)
_EMPTY = frozenset("br hr img input meta link area base col embed source track wbr".split())


class _Plain(HTMLParser):
    """Text of HTML; what mail programs mark as quoted is left out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self._open: list[str] = []
        self._silent_at: int | None = None
        self._cut = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BREAKS:
            self.out.append("\n")
        names = " ".join(value or "" for name, value in attrs if name in ("class", "id"))
        if "divRplyFwdMsg" in names or "appendonsend" in names:
            self._cut = True
        if tag in _EMPTY or len(self._open) > 2000:
            return
        self._open.append(tag)
        if self._silent_at is None and (tag in _SILENT or any(quote in names for quote in _QUOTES)):
            self._silent_at = len(self._open)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open and self._open.pop() != tag:
                pass
        if self._silent_at is not None and len(self._open) < self._silent_at:
            self._silent_at = None
        if tag in _BREAKS:
            self.out.append("\n")

    def handle_data(self, data: str) -> None:
        if self._silent_at is None and not self._cut:
            self.out.append(re.sub(r"\s+", " ", data))


def text_of_html(html: str) -> str:
    """The readable text of an HTML mail, without the quoted mail below it."""
    if html.count("<") > 2 * html.count(">") + 100:
        # the parser takes minutes over tags that never end
        return re.sub(r"<[^<>]{0,500}>?", " ", html).strip()
    reader = _Plain()
    try:
        reader.feed(html)
        reader.close()
    except Exception:  # the parser asserts on some broken markup
        pass
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]*\n[ \t]*", "\n", "".join(reader.out))).strip()


_LANGUAGES = ["en", "de", "fr", "es", "it", "nl", "sv", "pl", "ja", "da"]
_QUOTE_STARTS = re.compile(
    r"(?m)^(?:>|-{2,} ?(?:Original|Ursprüngliche|Forwarded)|_{10,}$|On .{5,200} wrote:$|Am .{5,200} schrieb .{0,200}:$)"
)
_PHONES = re.compile(
    r"\n+(?:Sent from|Get Outlook for|Gesendet von|Von meinem|Envoyé de|Enviado desde|Inviato da|Verzonden vanaf)\b[^\n]*\s*$"
)


def new_text(text: str) -> str:
    """What the writer added: quotes of earlier mails and the signature are cut off."""
    text = re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+\n", "\n", text)).strip()
    lines = text.split("\n")
    if len(lines) > _CUTTER_LINES or len(text) > _CUTTER_CHARACTERS or max(map(len, lines), default=0) > _CUTTER_LINE:
        cut = _QUOTE_STARTS.search(text)
        return (text[: cut.start()] if cut else text).strip()
    replies = EmailReplyParser(languages=_LANGUAGES).read(text).replies
    found = str(replies[0].body or "").strip() if replies else ""
    found = "\n".join(line for line in found.split("\n") if not line.startswith(">"))
    return _PHONES.sub("", found).strip() or (text if not _QUOTE_STARTS.match(text) else "")


_SCORE = re.compile(r"(10|[0-9])(?![0-9])[ \t]*(/[ \t]*10(?![0-9]))?[ \t]*")
_AFTER_SCORE = re.compile(r"[.,:;!][ \t]*|[-–—][ \t]*")


def read_score(text: str) -> tuple[int, str] | None:
    """A score from 0 to 10 at the start of a reply, and the rest as comment; None when the first line is something else.

    "8", "8/10 slow app", "8. Slow", "9 - great"; not "10 years with you", "7-8", "8.5", "7 or 8".
    """
    first, _, below = text.strip().partition("\n")
    found = _SCORE.match(first)
    if not found:
        return None
    rest = first[found.end() :]
    if rest:
        sign = _AFTER_SCORE.match(rest)
        words = rest[sign.end() :] if sign else rest
        if (not sign and not found[2]) or words[:1].isdigit():
            return None
        rest = words
    return int(found[1]), "\n".join(part for part in (rest.strip(), below.strip()) if part)


STOP_WORDS = frozenset(
    (
        "stop|unsubscribe|remove me|opt out|optout|stop surveys|stop emails|no more emails|no more surveys|take me off"
        "|abmelden|abbestellen|stopp|keine umfragen|keine mails mehr|keine e-mails mehr"
        "|désabonner|desabonner|désinscrire|me désinscrire|arrêter|arret|arrêt"
        "|baja|cancelar|cancelar suscripción|darse de baja|alto"
        "|parar|descadastrar|cancelar inscrição|sair|remover"
        "|cancella|cancellami|disiscrivimi|annulla iscrizione|basta"
        "|afmelden|uitschrijven|stoppen"
        "|avregistrera|avsluta|sluta|avprenumerera"
        "|wypisz|wypisz mnie|rezygnuję|koniec"
        "|配信停止|停止|解除|退会"
        "|إلغاء|إلغاء الاشتراك|توقف|قف"
        "|הסר|הסרה|להסיר|עצור|הסירו אותי"
    ).split("|")
)
_COURTESY = frozenset(
    "please pls thanks thank you bitte danke merci svp por favor gracias obrigado obrigada grazie prego tack dank u proszę dziękuję".split()
)


def is_stop(text: str) -> bool:
    """Is the new text nothing but a stop word, five words at most? "stop please" is, "please stop the export bug" is not."""
    words = re.sub(r"[^\w\s@-]", " ", text.lower()).split()
    if not words or len(words) > 5:
        return False
    whole = " ".join(words)
    return whole in STOP_WORDS or " ".join(word for word in words if word not in _COURTESY) in STOP_WORDS
