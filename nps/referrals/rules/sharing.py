"""The share page's pure parts: channel addresses, the advocate's words, QR size."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

WORDS_MAX = 500
SUBJECT_MAX = 120
QR_PIXELS = (256, 512, 1024, 2048)

_HIDDEN = dict.fromkeys(
    [
        *range(0x09),
        0x0B,
        0x0C,
        *range(0x0E, 0x20),
        0x7F,
        *range(0x80, 0xA0),
        0xAD,
        0x200B,
        0x200C,
        0x2060,
        0xFEFF,
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
    ]
)
_ADDRESS = re.compile(
    r"https?:|www\.|[\w.+-]+@[\w-]+\.[\w.]+|\b[\w-]+\.(?:com|net|org|io|co|de|uk|eu|app|dev|info|biz|shop|xyz|example)\b", re.IGNORECASE
)
_PHONE = re.compile(r"(?:\+|\b)(?:[\d０-９][\s().\-/]{0,2}){7,}")
_LISTED = re.compile(
    r"\b(?:fuck\w*|shit\w*|cunt\w*|bitch\w*|nazi\w*|guarantee[sd]?|risk[- ]free|free money|casino|crypto|viagra)\b", re.IGNORECASE
)

DISCLOSURE = "I get a reward too."


@dataclass(frozen=True, slots=True)
class Way:
    """One share button: channel code, name, icon in the stylesheet's set, address."""

    channel: str
    name: str
    icon: str
    href: str


ICONS: Mapping[str, str] = {"em": "mail", "wa": "chat", "tx": "phone", "li": "case", "fb": "people", "tw": "send", "tg": "send"}
DEFAULT_WAYS = ("em", "wa", "tx", "li")
ALL_WAYS = (*DEFAULT_WAYS, "fb", "tw", "tg")


def clean_words(text: str) -> str:
    """Words as text: NFC, no control, direction or zero-width signs, at most one empty line in a row."""
    plain = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).translate(_HIDDEN)
    return re.sub(r"\n{3,}", "\n\n", plain).strip()


def needs_approval(text: str) -> str | None:
    """Why a first version of somebody's own words waits for the company, or None."""
    if _ADDRESS.search(text):
        return "an address"
    if _PHONE.search(text):
        return "a phone number"
    if _LISTED.search(text):
        return "a word on the list"
    return None


def with_disclosure(text: str, line: str) -> str:
    """The words with the disclosure line, once. An empty line (advocate gets nothing) adds nothing."""
    if not line or line.lower() in text.lower():
        return text
    return f"{text} {line}".strip()


def ways(link: str, subject: str, text: str, channels: tuple[str, ...] = DEFAULT_WAYS) -> list[Way]:
    """Share buttons as plain addresses, each with its own child link. They work without script."""

    def enc(value: str) -> str:
        return quote(value, safe="")

    made: list[Way] = []
    for code in channels:
        url = f"{link}/{code}"
        message = enc(f"{text}\n\n{url}" if text else url)
        short = enc(text)
        href = {
            "em": f"mailto:?subject={enc(subject)}&body={message}",
            "wa": f"https://wa.me/?text={message}",
            "tx": f"sms:?body={message}",
            "li": f"https://www.linkedin.com/sharing/share-offsite/?url={enc(url)}",
            "fb": f"https://www.facebook.com/sharer/sharer.php?u={enc(url)}",
            "tw": f"https://twitter.com/intent/tweet?text={message}",
            "tg": f"https://t.me/share/url?url={enc(url)}&text={short}",
        }.get(code)
        if href is not None:
            names = {"em": "Email", "wa": "WhatsApp", "tx": "Text", "li": "LinkedIn", "fb": "Facebook", "tw": "X", "tg": "Telegram"}
            made.append(Way(code, names[code], ICONS[code], href))
    return made
