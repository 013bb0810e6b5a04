"""Money: Decimal, never float, rounded in one place.

`quantise` rounds half to even, to the billionth of the currency (a nano-dollar), when a line is
priced; everything above adds rounded amounts and is therefore exact.
"""

from __future__ import annotations

from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field, PlainSerializer

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ZERO",
    "Money",
    "add_money",
    "from_nanodollars",
    "multiple_of",
    "nanodollars_of",
    "price_each",
    "price_of",
    "quantise",
    "read_money",
    "write_money",
    "write_plain",
]

ZERO: Final = Decimal(0)
_NANO: Final = Decimal(1).scaleb(-9)
_ARITHMETIC: Final = Context(
    prec=60, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, Overflow]
)
"""Our own, so that a caller who lowered the precision of theirs does not change what is billed."""

_add, _divide, _quantise = _ARITHMETIC.add, _ARITHMETIC.divide, _ARITHMETIC.quantize

multiple_of = _ARITHMETIC.multiply
"""What a quantity (an int) costs at a price for one that `price_each` gave."""

Money = Annotated[
    Decimal,
    Field(strict=True, ge=0),
    PlainSerializer(lambda amount: format(amount, "f"), return_type=str, when_used="json"),
]
"""A Decimal, finite and >= 0. A float, a str or an int is refused; in JSON it is plain digits."""


def quantise(amount: Decimal) -> Decimal:
    """Return `amount` to the nano-dollar, half to even: the only rounding of money there is."""
    return _quantise(amount, _NANO)


def read_money(written: object) -> Decimal:
    """Return an amount as a file has it: text or a whole number, so that no digit is lost.

    Raises:
        ValueError: It is no number, or one that has lost digits already.
    """
    if isinstance(written, bool) or not isinstance(written, int | str | Decimal):
        raise ValueError(f'write its price as text, price = "{written}", so that no digit is lost.')  # noqa: TRY004 - becomes a ConfigurationError
    try:
        return Decimal(str(written))
    except InvalidOperation:
        raise ValueError(f"its price {written!r} is not a number.") from None


def add_money(amounts: Iterable[Decimal]) -> Decimal:
    """Return the exact sum, whatever the caller's decimal context is."""
    total = ZERO
    for amount in amounts:
        total = _add(total, amount)
    return total


def write_plain(amount: Decimal) -> str:
    """Return `amount` as digits, with at least two decimals: "0.000412", "1.50"."""
    whole, _, fraction = format(amount, "f").partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"


def write_money(amount: Decimal, *, currency: str = "USD") -> str:
    """Return `amount` for a reader, with at least two decimals: "$0.000412", "EUR 1.50"."""
    digits = write_plain(amount)
    return f"${digits}" if currency == "USD" else f"{currency} {digits}"


def price_of(quantity: int, *, amount: Decimal, per: int) -> Decimal:
    """Return what `quantity` costs at `amount` for each `per`, to the nano-dollar."""
    return _quantise(_divide(multiple_of(amount, quantity), per), _NANO)


def price_each(amount: Decimal, *, per: int) -> Decimal | None:
    """Return the price of one at `amount` for each `per`; None if that has to be rounded.

    It has nine decimals, and so has any multiple of it: the very number `price_of` gives.
    """
    each = price_of(1, amount=amount, per=per)
    return each if multiple_of(each, per) == amount else None


def nanodollars_of(amount: Decimal) -> int:
    """Return `amount` as a whole number of billionths of its currency."""
    return int(_ARITHMETIC.scaleb(quantise(amount), 9))


def from_nanodollars(nanodollars: int) -> Decimal:
    """Return the amount that `nanodollars_of` made the number of."""
    return _ARITHMETIC.scaleb(Decimal(nanodollars), -9)
