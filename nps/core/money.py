"""Money: integer minor units and an ISO 4217 currency. Nothing is ever converted."""

from dataclasses import dataclass

# ISO 4217 currencies whose minor unit is not a hundredth; the rest have two decimals.
_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split()
_THREE = "BHD IQD JOD KWD LYD OMR TND".split()
_DECIMALS = dict.fromkeys(_NONE, 0) | dict.fromkeys(_THREE, 3)
CURRENCIES = frozenset(
    (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC"
        " CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK"
        " JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR"
        " MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP"
        " STN SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG"
    ).split()
)
_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "KRW": "₩", "BRL": "R$", "CAD": "CA$", "AUD": "A$"}


@dataclass(frozen=True, order=True)
class Money:
    """An amount in minor units (cents) of one currency."""

    minor: int
    currency: str

    def __add__(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise ValueError("amounts of two currencies are never added")
        return Money(self.minor + other.minor, self.currency)

    def __str__(self) -> str:
        return format_money(self.minor, self.currency)


def decimals(currency: str) -> int:
    """How many decimals the currency has: 2 for most, 0 for yen, 3 for dinar."""
    return _DECIMALS.get(currency, 2)


def format_money(minor: int, currency: str) -> str:
    """ "$50", "$6,490.50", "¥1,200", "−€3": thousands with a comma, decimals only when there are some."""
    places = decimals(currency)
    whole, part = divmod(abs(minor), 10**places)
    text = f"{whole:,}" + (f".{part:0{places}d}" if part else "")
    sign = _SIGNS.get(currency)
    text = f"{sign}{text}" if sign else f"{text} {currency}"
    return f"−{text}" if minor < 0 else text


def format_bill(minor: int, currency: str) -> str:
    """The same with all its decimals, as on a bill: "$84.00", "¥1,200"."""
    text, places = format_money(minor, currency), decimals(currency)
    if not places or "." in text:
        return text
    digits = "".join(sign for sign in text if sign.isdigit() or sign == ",")
    return text.replace(digits, f"{digits}.{'0' * places}")


def parse_money(text: str, currency: str) -> int:
    """Minor units of a typed amount like "1,000.50". Raises ValueError for anything but a plain amount ≥ 0."""
    plain = text.strip().replace(",", "").lstrip("$€£¥")
    whole, dot, part = plain.partition(".")
    places = decimals(currency)
    if (
        not (whole.isascii() and whole.isdigit())
        or len(whole) > 12
        or (dot and not (part.isascii() and part.isdigit()))
        or len(part) > places
    ):
        raise ValueError(text)
    minor: int = int(whole) * 10**places + int(part.ljust(places, "0") or 0)
    return minor


def half_up(numerator: int, denominator: int) -> int:
    """numerator / denominator rounded half up, in integers. Needs numerator >= 0 and denominator > 0."""
    if numerator < 0 or denominator <= 0:
        raise ValueError("half_up is for amounts that are not negative")
    return (2 * numerator + denominator) // (2 * denominator)
