"""Money: never float, one rounding, whatever the caller's decimal context."""

from __future__ import annotations

import ast
from decimal import Decimal, localcontext
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mai_sdk.metering.money as money_module
from mai_sdk.metering.money import (
    add_money,
    from_nanodollars,
    multiple_of,
    nanodollars_of,
    price_each,
    price_of,
    quantise,
    write_money,
)

MONEY_MODULES = ("money", "cost", "prices", "rates", "tariff", "receipt", "usage")
amounts = st.decimals(min_value=0, max_value=10**6, places=9, allow_nan=False)


@pytest.mark.parametrize("name", MONEY_MODULES)
def test_no_float_is_written_or_called_where_money_is_reckoned(name: str) -> None:
    source = Path(money_module.__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            assert name == "receipt", f"a float in {name}.py, line {node.lineno}"  # only seconds
            assert node.value == 0
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"float", "round"}, f"{name}.py, line {node.lineno}"


@settings(max_examples=150, deadline=None)
@given(
    st.integers(min_value=0, max_value=10**10),
    st.decimals(min_value=0, max_value=1000, places=4, allow_nan=False),
    st.sampled_from([1, 60, 3600, 1_000_000]),
)
def test_a_price_is_the_nearest_nanodollar(quantity: int, amount: Decimal, per: int) -> None:
    exact = Fraction(amount) * quantity / per * 10**9
    nearest = round(exact)  # Python rounds a Fraction half to even
    assert nanodollars_of(price_of(quantity, amount=amount, per=per)) == nearest


@pytest.mark.parametrize(
    ("amount", "rounded"),
    [
        ("0.0000000005", 0),
        ("0.0000000015", 2),
        ("0.0000000025", 2),
        ("0.00000000250000000001", 3),
    ],
)
def test_a_tie_goes_to_the_even_nanodollar(amount: str, rounded: int) -> None:
    assert nanodollars_of(quantise(Decimal(amount))) == rounded


@settings(max_examples=200, deadline=None)
@given(amounts, st.sampled_from([1, 7, 60, 1000, 3600, 10**6]), st.integers(0, 10**9))
def test_a_price_for_one_is_only_used_where_it_changes_no_digit(
    amount: Decimal, per: int, quantity: int
) -> None:
    each = price_each(amount, per=per)
    assert (each is not None) == ((Fraction(amount) / per * 10**9).denominator == 1)
    if each is not None:
        priced = multiple_of(each, quantity)
        assert str(priced) == str(price_of(quantity, amount=amount, per=per))


@settings(max_examples=100, deadline=None)
@given(st.lists(amounts, max_size=6))
def test_sums_are_exact_in_any_decimal_context(parts: list[Decimal]) -> None:
    expected = sum(map(Fraction, parts), Fraction(0))
    with localcontext() as context:
        context.prec = 3
        total = add_money(parts)
        number = nanodollars_of(total)
    assert Fraction(total) == expected
    assert Fraction(number, 10**9) == expected
    assert from_nanodollars(number) == total


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("0.000412000", "USD", "$0.000412"),
        ("0E-9", "USD", "$0.00"),
        ("12", "USD", "$12.00"),
        ("1.5", "EUR", "EUR 1.50"),
        ("4.12E-7", "USD", "$0.000000412"),
    ],
)
def test_money_is_written_in_plain_digits(amount: str, currency: str, text: str) -> None:
    assert write_money(Decimal(amount), currency=currency) == text
