"""Money: exact in every currency."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import EXPONENTS, LARGEST_MINOR, Money, amount_text, minor_units

CURRENCIES = st.sampled_from(sorted(EXPONENTS))


@given(st.integers(0, LARGEST_MINOR), CURRENCIES)
def test_an_amount_that_is_written_can_be_read(minor, currency):
    assert minor_units(str(Money(minor, currency).amount), currency) == minor


@given(st.integers(-(10**18), 10**18), CURRENCIES)
def test_an_amount_has_the_decimals_of_its_currency(minor, currency):
    amount = Money(minor, currency).amount

    assert amount * 10 ** EXPONENTS[currency] == minor
    assert -amount.as_tuple().exponent == EXPONENTS[currency]


@given(st.text(alphabet="0123456789.,-+eE _x²٣", max_size=40), CURRENCIES)
def test_what_is_read_is_exactly_what_was_written(text, currency):
    minor = minor_units(text, currency)

    if minor is not None:
        assert 0 <= minor <= LARGEST_MINOR
        whole, _, fraction = text.strip().replace(",", "").partition(".")
        assert (
            int(whole or "0") * 10 ** EXPONENTS[currency] + int((fraction + "000")[: EXPONENTS[currency]] or "0")
            == minor
        )
        assert not fraction[EXPONENTS[currency] :].strip("0")


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("19.99", "USD", 1_999),
        ("1,234.5", "USD", 123_450),
        ("19.990", "USD", 1_999),
        ("500", "JPY", 500),
        ("1.234", "KWD", 1_234),
        ("0", "USD", 0),
        ("10000000000000", "USD", LARGEST_MINOR),
        ("19.999", "USD", None),
        ("0.5", "JPY", None),
        ("1.0000000000000000000000000000000000001", "USD", None),
        ("10000000000000.01", "USD", None),
        ("1" * 10_000, "USD", None),
        ("0." + "0" * 10_000 + "1", "USD", None),
        ("-1", "USD", None),
        ("+1", "USD", None),
        ("1e3", "USD", None),
        ("NaN", "USD", None),
        ("Infinity", "USD", None),
        ("1_000", "USD", None),
        ("٣", "USD", None),
        ("²", "USD", None),
        ("", "USD", None),
        (".", "USD", None),
        ("1.2.3", "USD", None),
    ],
)
def test_amounts(text, currency, minor):
    assert minor_units(text, currency) == minor


def test_currencies_have_nought_two_or_three_decimals():
    assert {EXPONENTS[code] for code in ("JPY", "USD", "KWD")} == {0, 2, 3}
    assert set(EXPONENTS.values()) == {0, 2, 3}
    assert Money(5, "KWD").amount == Decimal("0.005")


@pytest.mark.parametrize("currency", ["USD", "JPY", "KWD"])
@pytest.mark.parametrize("minor", [0, 1, -1, 5, 99, 100, -12_345, 10**15])
def test_text_of_an_amount_is_that_of_its_decimal(minor, currency):
    assert amount_text(minor, currency) == str(Money(minor, currency).amount)
