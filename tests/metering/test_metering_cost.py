"""Cost: how sure it is, and what a sum keeps of that."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mai_sdk.metering.cost import Cost, CostLine, Price

ORDER = ["free", "exact", "estimated", "lower_bound", "unknown"]
PRICE = Price(
    model="M",
    meter="output_tokens",
    amount=Decimal("8.00"),
    per=1_000_000,
    valid_from="2026-01-01",
    source="a list",
    checked="2026-11-22",
    unit="1M tokens",
)
amounts = st.decimals(min_value=0, max_value=10**6, places=9, allow_nan=False)


def known(amount: Decimal, status: str) -> Cost:
    return Cost(
        amount=amount, status=status, reason=None if status == "exact" else f"It is {status}."
    )  # type: ignore[arg-type]


costs = (
    st.builds(known, amounts, st.sampled_from(["exact", "estimated", "lower_bound"]))
    | st.just(Cost.free("Nothing ran."))
    | st.builds(
        lambda quantity: Cost.unknown(
            "No price is known.",
            lines=(
                CostLine.of("output_tokens", quantity=quantity, price=PRICE),
                CostLine.of("input_tokens", quantity=quantity, price=None),
            ),
        ),
        st.integers(min_value=0, max_value=10**9),
    )
)


@settings(max_examples=150, deadline=None)
@given(costs, costs, costs)
def test_sums_do_not_depend_on_order_or_grouping(a: Cost, b: Cost, c: Cost) -> None:
    for one, other in (((a + b), (b + a)), ((a + b) + c, a + (b + c))):
        assert one.amount == other.amount
        assert one.at_least == other.at_least
        assert one.status == other.status


@settings(max_examples=150, deadline=None)
@given(costs, costs)
def test_a_sum_is_as_weak_as_its_weakest_part_and_as_large_as_what_is_known(
    a: Cost, b: Cost
) -> None:
    both = a + b
    assert ORDER.index(both.status) == max(ORDER.index(a.status), ORDER.index(b.status))
    assert both.at_least == a.at_least + b.at_least
    assert (both.amount is None) == (a.amount is None or b.amount is None)


def test_an_unknown_sum_still_says_what_is_known() -> None:
    both = known(Decimal("0.5"), "exact") + Cost.unknown("No price is known.")
    assert both.amount is None
    assert both.nanodollars is None
    assert both.at_least == Decimal("0.5")
    assert both.reason == "No price is known."
    assert str(both) == "unknown, >= $0.50"


def test_a_sum_keeps_each_reason_of_its_weakest_parts_once() -> None:
    parts = [Cost.unknown("One."), Cost.unknown("Two."), known(Decimal(1), "estimated")]
    assert Cost.sum([*parts, *parts]).reason == "One. Two."


def test_lines_at_the_same_price_become_one() -> None:
    line = CostLine.of("output_tokens", quantity=3, price=PRICE)
    cost = Cost(amount=line.amount, status="exact", lines=(line,))
    (merged,) = Cost.sum([cost, cost, cost]).lines
    assert merged.quantity == 9
    assert merged.amount == Decimal("0.000072")


def test_the_sum_of_nothing_is_nothing() -> None:
    assert Cost.sum([]) == Cost(amount=Decimal(0), status="free")


def test_different_currencies_do_not_add_up() -> None:
    dollars = known(Decimal(1), "exact")
    euros = Cost(amount=Decimal(1), currency="EUR", status="exact")
    with pytest.raises(ValueError, match="EUR and USD cannot be added"):
        dollars + euros


@pytest.mark.parametrize("other", [Cost.free("Nothing ran."), Cost.unknown("No price is known.")])
def test_a_part_without_money_has_no_say_in_the_currency(other: Cost) -> None:
    euros = Cost(amount=Decimal(1), currency="EUR", status="exact")
    assert (other + euros).currency == "EUR"
    assert (euros + other).at_least == 1


@pytest.mark.parametrize(
    "bad", [0.5, float("nan"), float("inf"), Decimal("NaN"), Decimal("Infinity"), Decimal(-1), "1"]
)
def test_an_amount_is_a_finite_decimal(bad: object) -> None:
    with pytest.raises(ValueError, match="amount"):
        Cost.model_validate({"amount": bad, "status": "exact"})
    with pytest.raises(ValueError, match="amount"):
        Price.model_validate({**PRICE.model_dump(), "amount": bad})
    with pytest.raises(ValueError, match="amount"):
        CostLine.model_validate({"meter": "m", "quantity": 1, "amount": bad, "price": None})


def test_an_unknown_cost_has_no_amount_and_only_that() -> None:
    with pytest.raises(ValueError, match="no amount exactly when"):
        Cost(amount=Decimal(0), status="unknown")
    with pytest.raises(ValueError, match="no amount exactly when"):
        Cost(amount=None, status="exact")


@pytest.mark.parametrize(
    ("cost", "text"),
    [
        (known(Decimal("0.000412000"), "exact"), "$0.000412"),
        (known(Decimal("0.0004"), "estimated"), "~$0.0004 (estimated)"),
        (known(Decimal("0.0001"), "lower_bound"), ">= $0.0001"),
        (Cost.unknown("No price."), "unknown"),
        (Cost.free("Nothing ran."), "free"),
    ],
)
def test_a_cost_reads_as_money_and_how_sure_it_is(cost: Cost, text: str) -> None:
    assert str(cost) == text


def test_nanodollars_are_the_amount_as_an_integer() -> None:
    assert known(Decimal("0.000412"), "exact").nanodollars == 412_000
