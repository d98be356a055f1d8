"""One text in, one value as it is stored out, for every kind of field.

Each `read_*` takes a trimmed, non-empty text and returns the value or raises `Unusable` with a reason of at most 60
characters that names the thing, because it stands beside a row of a file or a field of a form.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache
from zoneinfo import available_timezones

from nps.contacts.rules import countries
from nps.contacts.rules.words import plain
from nps.core import email_address
from nps.core.money import CURRENCIES, decimals

REASON_MAX = 60
TEXT_MAX = 120
NUMBER_MAX = 100


class Unusable(ValueError):
    """A text that cannot become a value. `str(error)` is the reason, without a full stop."""


class DateOrder(StrEnum):
    """Which comes first in 03/04/2025."""

    DAY_FIRST = "day"
    MONTH_FIRST = "month"


def unusable(reason: str, value: str = "") -> Unusable:
    """`reason: value`, cut to fit beside a row."""
    text = f"{reason}: {' '.join(value.split())}" if value else reason
    return Unusable(text if len(text) <= REASON_MAX else text[: REASON_MAX - 1] + "…")


# Text


_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def read_line(text: str, noun: str, most: int = TEXT_MAX) -> str:
    """One line of text of at most `most` characters."""
    if len(text) > most:
        raise unusable(f"{noun} is longer than {most} characters")
    if text.isprintable():
        return text
    found = _FORBIDDEN.search(text)
    if found is None:
        return text
    raise unusable(f"{noun} has a line break" if found.group() in "\r\n\x0b\x0c\x85\u2028\u2029" else f"{noun} has a control character")


def read_email(text: str) -> str:
    """An address as `core.email_address` stores it."""
    address, problem = email_address.read(text)
    if problem is not None:
        raise unusable(problem)
    return address


def first_name(given: str | None, name: str | None) -> str:
    """What a letter calls the person: the first name, else the first word of the name if it has two letters or more, else ""."""
    if given:
        return given
    word = (name or "").split(" ", 1)[0]
    return word if sum(c.isalpha() for c in word) >= 2 else ""


# Phone numbers


_PHONE_SIGNS = re.compile(r"[\s().\-/\u00a0\u2010-\u2015·]+")
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")


def read_phone(text: str, country: str | None = None) -> str:
    """The number in E.164. A national number needs the ISO code of its country.

    Limits: ITU-T E.164, at most 15 digits. National prefixes are dropped as in `countries`.
    """
    digits = _PHONE_SIGNS.sub("", text.replace("(0)", ""))
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    if not digits.startswith("+"):
        if not (digits.isascii() and digits.isdigit()):
            raise unusable("Phone is not a number", text)
        if country is None:
            raise unusable("Phone has no country", text)
        digits = _international(digits, country)
    if not _PHONE.fullmatch(digits) or not countries.has_calling_code(digits[1:]):
        raise unusable("Phone is not a number" if not digits[1:].isdigit() else "Phone number does not exist", text)
    return digits


def shown_phone(number: str) -> str:
    """An E.164 number as people read it: "+1 207 555 0199", "+49 15123456789"."""
    if number.startswith("+1") and len(number) == 12:
        return f"+1 {number[2:5]} {number[5:8]} {number[8:]}"
    for length in (1, 2, 3):
        if countries.has_calling_code(number[1 : 1 + length]):
            return f"{number[: 1 + length]} {number[1 + length :]}"
    return number


def _international(digits: str, country: str) -> str:
    place = countries.BY_CODE[country]
    if place.calling.startswith("1"):
        if len(digits) == 11 and digits.startswith("1"):
            return f"+{digits}"
        if len(digits) == 7 and len(place.calling) == 4:
            return f"+{place.calling}{digits}"
        return f"+1{digits}" if len(digits) == 10 else "+"
    if place.trunk and digits.startswith(place.trunk):
        digits = digits[len(place.trunk) :]
    return f"+{place.calling}{digits}"


# Places and languages


@lru_cache(maxsize=4096)
def read_country(text: str) -> str:
    """ISO 3166 alpha-2 code of a code or an English name."""
    code = countries.find(text)
    if code is None:
        raise unusable("Unknown country", text)
    return code


@lru_cache(maxsize=1)
def _zones() -> dict[str, str]:
    # Abbreviations such as EST and old aliases without a region mean different things to different people.
    return {name.lower(): name for name in available_timezones() if "/" in name or name == "UTC"}


@lru_cache(maxsize=4096)
def read_time_zone(text: str) -> str:
    """The IANA name of a time zone."""
    name = _zones().get(text.replace(" ", "_").lower())
    if name is None:
        raise unusable("Unknown time zone", text)
    return name


_LOCALE = re.compile(r"([a-z]{2,3})(?:-([a-z]{4}))?(?:-([a-z]{2}|[0-9]{3}))?(?:-[a-z0-9-]{4,})?", re.IGNORECASE)
# ISO 639-1 codes.
_LANGUAGES = frozenset(
    (
        "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo es et eu fa"
        " ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr"
        " ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl"
        " ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur"
        " uz ve vi vo wa wo xh yi yo za zh zu"
    ).split()
)
_LANGUAGE_NAMES = {
    "english": "en", "german": "de", "deutsch": "de", "french": "fr", "francais": "fr", "spanish": "es", "espanol": "es",
    "portuguese": "pt", "portugues": "pt", "italian": "it", "italiano": "it", "dutch": "nl", "nederlands": "nl", "swedish": "sv",
    "svenska": "sv", "polish": "pl", "polski": "pl", "japanese": "ja", "arabic": "ar", "hebrew": "he", "danish": "da", "norwegian": "nb",
    "finnish": "fi", "czech": "cs", "turkish": "tr", "greek": "el", "russian": "ru", "ukrainian": "uk", "chinese": "zh", "korean": "ko",
}  # fmt: skip


@lru_cache(maxsize=4096)
def read_locale(text: str) -> str:
    """A BCP 47 tag in its usual case: `pt_br` gives `pt-BR`. Names of common languages are taken too."""
    found = _LOCALE.fullmatch(text.replace("_", "-").split(".", 1)[0])
    if found is None or (len(found[1]) == 2 and found[1].lower() not in _LANGUAGES):
        named = _LANGUAGE_NAMES.get(plain(text))
        if named is None:
            raise unusable("Unknown language", text)
        return named
    language, script, region = found.groups()
    return "-".join(part for part in (language.lower(), script and script.title(), region and region.upper()) if part)


_LANGUAGE_OF = {code: name.title() for name, code in reversed(_LANGUAGE_NAMES.items())}


def shown_locale(tag: str) -> str:
    """ "English", "Portuguese (BR)"; the tag itself for a language without a name here."""
    language, _, rest = tag.partition("-")
    name = _LANGUAGE_OF.get(language)
    if name is None:
        return tag
    return f"{name} ({rest})" if rest else name


# Dates


_CLOCK = re.compile(r"[T,\s]+\d{1,2}[:.]\d{2}.*", re.DOTALL)
_YEAR_FIRST = re.compile(r"(\d{4})[-./](\d{1,2})[-./](\d{1,2})")
_YEAR_LAST = re.compile(r"(\d{1,2})([-./ ])(\d{1,2})[-./ ](\d{4}|\d{2})")
_DAY_NAME = re.compile(r"(\d{1,2})\.?(?:st|nd|rd|th)?[-\s/]+(?:de\s+)?([^\W\d]+)\.?[-,\s/]+(?:de\s+)?(\d{4}|\d{2})")
_NAME_DAY = re.compile(r"([^\W\d]+)\.?[-\s]+(\d{1,2})(?:st|nd|rd|th)?[-,\s]+(\d{4})")
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar janvier janv enero ene janeiro gennaio gen januari styczen stycznia",
            "february feb februar fevrier fevr febrero fevereiro fev febbraio februari luty lutego",
            "march mar marz mrz mars marzo marco maart mrt marzec marca",
            "april apr avril avr abril abr aprile kwiecien kwietnia",
            "may mai mayo maio maggio mag mei maj maja",
            "june jun juni juin junio junho giugno giu czerwiec czerwca",
            "july jul juli juillet juil julio julho luglio lug lipiec lipca",
            "august aug aout agosto ago augustus augusti sierpien sierpnia",
            "september sep sept septembre septiembre setembro set settembre wrzesien wrzesnia",
            "october oct oktober okt octobre octubre outubro out ottobre ott pazdziernik pazdziernika",
            "november nov novembre noviembre novembro listopad listopada",
            "december dec dezember dez decembre diciembre dic dezembro dicembre grudzien grudnia",
        ),
        1,
    )
    for name in names.split()
}


def _as_date(year: str, month: int, day: int) -> date | None:
    number = int(year)
    if len(year) == 2:
        number += 2000 if number < 70 else 1900
    try:
        return date(number, month, day) if number >= 1900 else None
    except ValueError:
        return None


def _find_date(text: str, order: DateOrder | None) -> date | None:
    found = _YEAR_FIRST.fullmatch(text)
    if found:
        return _as_date(found[1], int(found[2]), int(found[3]))
    found = _YEAR_LAST.fullmatch(text)
    if found:
        one, two = int(found[1]), int(found[3])
        # 4.3.2025 is written day first wherever full stops are used.
        if found[2] == "." or order is not DateOrder.MONTH_FIRST:
            return _as_date(found[4], two, one)
        return _as_date(found[4], one, two)
    bare = plain_month(text)
    named = _DAY_NAME.fullmatch(bare)
    if named and named[2] in _MONTHS:
        return _as_date(named[3], _MONTHS[named[2]], int(named[1]))
    named = _NAME_DAY.fullmatch(bare)
    if named and named[1] in _MONTHS:
        return _as_date(named[3], _MONTHS[named[1]], int(named[2]))
    return None


def plain_month(text: str) -> str:
    """The text in which month names are looked up: without case and accents, signs kept."""
    return " ".join(plain(word) if word.isalpha() else word.lower() for word in re.split(r"\s+", text) if word)


@lru_cache(maxsize=65536)
def read_date(text: str, noun: str, order: DateOrder | None = None) -> date:
    """A calendar date: ISO, day and month in `order`, or a month by name. A time of day after it is left out."""
    try:
        if len(text) == 10 and text[4] == "-":
            return date.fromisoformat(text)
    except ValueError:
        pass
    found = _find_date(_CLOCK.sub("", text), order)
    if found is None:
        raise unusable(f"{noun} is not a date", text)
    return found


def read_past_date(text: str, noun: str, today: date, order: DateOrder | None = None) -> date:
    """A date that is not after `today`."""
    day = read_date(text, noun, order)
    if day > today:
        raise unusable(f"{noun} is in the future", text)
    return day


def read_instant(text: str, noun: str, now: datetime, order: DateOrder | None = None) -> datetime:
    """An instant in UTC, not after `now`. A bare date is its first moment in UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = datetime.combine(read_date(text, noun, order), time())
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if moment > now:
        raise unusable(f"{noun} is in the future", text)
    return moment


class DateVotes:
    """What the values of one column say about day and month. A value that fits only one way decides; the more numerous win."""

    def __init__(self) -> None:
        self.day_first = self.month_first = self.either = 0

    def add(self, texts: Iterable[str]) -> None:
        for text in texts:
            found = _YEAR_LAST.fullmatch(_CLOCK.sub("", text.strip()))
            if found is None or found[2] == ".":
                continue
            one, two = int(found[1]), int(found[3])
            if one > 12 >= two:
                self.day_first += 1
            elif two > 12 >= one:
                self.month_first += 1
            elif one != two:
                self.either += 1

    @property
    def order(self) -> DateOrder | None:
        if self.day_first == self.month_first:
            return None
        return DateOrder.DAY_FIRST if self.day_first > self.month_first else DateOrder.MONTH_FIRST

    @property
    def settled(self) -> bool:
        """Is there nothing left to ask? A column without any value that reads both ways raises no question."""
        return self.order is not None or not (self.either or self.day_first)


def order_of_dates(texts: Iterable[str]) -> tuple[DateOrder | None, bool]:
    """(order, settled) of one column."""
    votes = DateVotes()
    votes.add(texts)
    return votes.order, votes.settled


# Numbers and money


_SPACES = re.compile(r"[\s'’\u00a0\u202f]+")
_COMMA_DECIMALS = re.compile(r"[-+]?(?:\d{1,3}(?:\.\d{3})+|\d+)?,\d+")
_POINT_DECIMALS = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)?\.\d+")
_COMMA_GROUPS = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_POINT_GROUPS = re.compile(r"[-+]?\d{1,3}(?:\.\d{3})+(?:,\d+)?")
_PLAIN_NUMBER = re.compile(r"[-+]?\d{1,18}(?:\.\d{1,18})?")
_CODE = re.compile(r"[A-Z]{3}", re.IGNORECASE)
_SIGNS = {"€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "₩": "KRW", "zł": "PLN", "R$": "BRL", "CA$": "CAD", "A$": "AUD", "US$": "USD"}
_MOST = Decimal(10) ** 15


def uses_decimal_comma(texts: Iterable[str]) -> bool:
    """Do the numbers of one column write a half as 0,5? Settled by values that fit only one way; else no."""
    comma = point = 0
    for text in texts:
        bare = _SPACES.sub("", "".join(c for c in text if c.isdigit() or c in ".,-+ '’\u00a0"))
        as_comma = bool(_COMMA_DECIMALS.fullmatch(bare) or _POINT_GROUPS.fullmatch(bare))
        as_point = bool(_POINT_DECIMALS.fullmatch(bare) or _COMMA_GROUPS.fullmatch(bare))
        comma += as_comma and not as_point
        point += as_point and not as_comma
    return comma > point


def read_number(text: str, noun: str, comma: bool = False) -> Decimal:
    """A decimal number; thousands may be grouped. `comma`: the decimal sign is a comma."""
    bare = text
    if not _PLAIN_NUMBER.fullmatch(bare) or comma:
        bare = _SPACES.sub("", text)
        if comma and (_COMMA_DECIMALS.fullmatch(bare) or _POINT_GROUPS.fullmatch(bare)):
            bare = bare.replace(".", "").replace(",", ".")
        elif not comma and _COMMA_GROUPS.fullmatch(bare):
            bare = bare.replace(",", "")
    bare = bare.replace("\u2212", "-")
    if not (_PLAIN_NUMBER.fullmatch(bare) and bare.isascii()):
        raise unusable(f"{noun} is not a number", text)
    try:
        number = Decimal(bare)
    except InvalidOperation:
        raise unusable(f"{noun} is not a number", text) from None
    if abs(number) >= _MOST:
        raise unusable(f"{noun} is too large", text)
    return number


def read_money(text: str, noun: str, currency: str, comma: bool = False) -> tuple[int, str]:
    """(minor units, ISO 4217 currency) of an amount ≥ 0. A sign or code in the text wins over `currency`."""
    bare = text.strip()
    for sign in sorted(_SIGNS, key=len, reverse=True):
        if bare.startswith(sign) or bare.endswith(sign):
            bare, currency = bare.removeprefix(sign).removesuffix(sign).strip(), _SIGNS[sign]
            break
    else:
        code = _CODE.match(bare) or _CODE.search(bare[-3:])
        if code and code.group().upper() in CURRENCIES:
            bare, currency = bare.replace(code.group(), "", 1).strip(), code.group().upper()
        elif "$" in bare:
            # A bare $ is the account's dollar; where the account counts in another currency it is the US one.
            bare, currency = bare.replace("$", "", 1).strip(), currency if currency.endswith("D") else "USD"
    number = read_number(bare, noun, comma)
    if number < 0:
        raise unusable(f"{noun} is below zero", text)
    scaled = number.scaleb(decimals(currency))
    if scaled != scaled.to_integral_value():
        raise unusable(f"{noun} has too many decimals", text)
    return int(scaled), currency


def read_currency(text: str) -> str:
    """An ISO 4217 code."""
    code = text.upper()
    if code not in CURRENCIES:
        raise unusable("Unknown currency", text)
    return code


# Yes and no


_YES = frozenset("yes y true t 1 x on ja oui si sim tak given granted agreed subscribed".split()) | {"opted in", "opt in"}
_NO = frozenset("no n false f 0 off nein non nao nee nej nie refused denied declined unsubscribed".split()) | {"opted out", "opt out"}
_UNKNOWN = frozenset({"unknown", "not set", "unbekannt", "inconnu", "none", "n a"})


def read_yes_no(text: str, noun: str) -> bool:
    """True or false from the usual words of eight languages."""
    word = plain(text)
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise unusable(f"{noun} is neither yes nor no", text)


def read_stopped(text: str, noun: str) -> bool:
    """Has the person opted out? Yes, no, or the day on which they did."""
    if plain(text) in {"unsubscribed", "opted out", "opt out"}:
        return True
    try:
        return read_yes_no(text, noun)
    except Unusable:
        try:
            datetime.fromisoformat(text)
            return True
        except ValueError:
            pass
        if _find_date(_CLOCK.sub("", text), None) or _find_date(_CLOCK.sub("", text), DateOrder.MONTH_FIRST):
            return True
        raise


def read_consent(text: str, noun: str) -> str:
    """`given`, `refused` or `unknown`."""
    word = plain(text)
    if word in _UNKNOWN:
        return "unknown"
    return "given" if read_yes_no(text, noun) else "refused"
