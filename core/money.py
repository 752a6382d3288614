"""Money: integer minor units and ISO 4217 currencies."""

import dataclasses
from decimal import Decimal

EXPONENTS: dict[str, int] = dict.fromkeys(
    (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC "
        "CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR "
        "JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD "
        "NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN "
        "SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW ZWG"
    ).split(),
    2,
)
EXPONENTS |= dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(), 0)
EXPONENTS |= dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3)
"""Decimal places of each circulating currency (ISO 4217, list one)."""

_CENTS = 2
_ONE_IN_CENTS = 100

LARGEST_MINOR = 10**15
"""Bound of any amount that is taken from outside: far above a price, far below BIGINT, so sums cannot overflow."""


@dataclasses.dataclass(frozen=True, slots=True)
class Money:
    """An amount of one currency.

    Attributes:
        minor: Amount in minor units (cents, yen, fils).
        currency: ISO 4217 code, one of `EXPONENTS`.
    """

    minor: int
    currency: str

    @property
    def amount(self) -> Decimal:
        """The amount in major units, with the currency's number of decimals."""
        return amount(self.minor, self.currency)


def amount(minor: int, currency: str) -> Decimal:
    """Return an amount in major units, with the currency's number of decimals."""
    return Decimal(minor).scaleb(-EXPONENTS[currency])


def amount_text(minor: int, currency: str) -> str:
    """Return the same as a text, ten times as fast."""
    exponent = EXPONENTS[currency]
    if exponent == _CENTS and minor >= _ONE_IN_CENTS:
        digits = str(minor)
        return f"{digits[:-2]}.{digits[-2:]}"
    if not exponent:
        return str(minor)
    digits = str(abs(minor)).rjust(exponent + 1, "0")
    return f"{'-' if minor < 0 else ''}{digits[:-exponent]}.{digits[-exponent:]}"


def minor_units(amount: str, currency: str) -> int | None:
    """Read a decimal amount of major units.

    Args:
        amount: Such as `12`, `12.5` or `1,234.50`; no sign, no exponent.
        currency: ISO 4217 code, one of `EXPONENTS`.

    Returns:
        Minor units; None where the text is no such amount, has more decimals than the currency, or exceeds
        `LARGEST_MINOR`.
    """
    text = amount.strip().replace(",", "")
    if not text.isascii() or not text.replace(".", "", 1).isdigit():
        return None
    whole, _, fraction = text.partition(".")
    whole, fraction = whole.lstrip("0"), fraction.rstrip("0")
    exponent = EXPONENTS[currency]
    # Lengths first: what is longer cannot fit, and a number is only made of what can.
    if len(fraction) > exponent or len(whole) > len(str(LARGEST_MINOR)):
        return None
    minor = int(whole + fraction.ljust(exponent, "0") or "0")
    return minor if minor <= LARGEST_MINOR else None
