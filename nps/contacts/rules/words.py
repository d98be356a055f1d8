"""Spellings made equal: case, accents, punctuation. For comparing and finding, never for showing."""

import re
import unicodedata
from functools import lru_cache

_NOT_WORD = re.compile(r"[\W_]+")
_ALONE = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "ı": "i"})


def folded(text: str) -> str:
    """`text` without case and accents; punctuation stays."""
    if text.isascii():
        return text.lower()
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return bare.translate(_ALONE)


@lru_cache(maxsize=8192)
def plain(text: str) -> str:
    """`text` as words of letters and digits with one space between, without case and accents ("E-Mail_Addr." → "e mail addr")."""
    return _NOT_WORD.sub(" ", folded(text)).strip()
