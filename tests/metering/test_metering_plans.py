"""Plans: what is paid by the hour, for what, and from when on it is the cheaper way."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mai_sdk.errors import ConfigurationError
from mai_sdk.metering.plans import Plan
from mai_sdk.metering.prices import PriceBook

PTU = {
    "name": "PTU east",
    "hourly": "1.50",
    "units": 10,
    "valid_from": "2026-11-01",
    "valid_until": "2026-11-30",
    "models": ["MAI-Thinking-1"],
    "surfaces": "foundry",
}


def plan(**fields):
    (made,) = PriceBook.load(overlay={"plans": [{**PTU, **fields}]}).plans
    return made


def test_a_plan_costs_its_hours_whatever_is_called():
    made = plan()
    assert made.days(until=date(2026, 12, 31)) == 30
    assert made.amount(days=30) == Decimal("10800.00")  # 1.50 x 10 x 24 x 30
    assert plan(hours_a_day=8, units=1).amount(days=1) == Decimal("12.00")


@pytest.mark.parametrize(
    ("since", "until", "days"),
    [
        (date(2026, 11, 10), date(2026, 11, 11), 1),
        (date(2026, 10, 1), date(2026, 11, 1), 0),
        (date(2026, 10, 1), date(2026, 11, 2), 1),
        (date(2026, 11, 30), date(2027, 1, 1), 1),
        (date(2026, 12, 1), date(2027, 1, 1), 0),
    ],
)
def test_only_the_days_of_the_plan_within_the_time_are_paid(since, until, days):
    assert plan().days(since=since, until=until) == days


@given(st.integers(0, 90), st.integers(0, 90), st.integers(0, 90))
def test_parts_of_a_time_cost_what_the_whole_does(a, b, c):
    first, middle, end = (date.fromordinal(739_000 + n) for n in sorted((a, b, c)))
    made = plan(valid_from="2024-05-01", valid_until=None)
    parts = made.days(since=first, until=middle) + made.days(since=middle, until=end)
    assert parts == made.days(since=first, until=end)


@pytest.mark.parametrize(
    ("call", "covered"),
    [
        ({}, True),
        ({"model": "mai-thinking-1"}, True),
        ({"model": None}, False),
        ({"model": "MAI-Code-1-Flash"}, False),
        ({"surface": "vllm"}, False),
        ({"on": date(2026, 12, 1)}, False),
        ({"deployment": "any"}, True),
    ],
)
def test_a_call_is_covered_if_it_matches_every_list(call, covered):
    asked = {
        "model": "MAI-Thinking-1",
        "surface": "foundry",
        "deployment": None,
        "on": date(2026, 11, 1),
        **call,
    }
    assert plan().covers(**asked) is covered


def test_break_even_is_rounded_up_to_what_is_surely_cheaper():
    assert plan().break_even(Decimal("2.00"), per=1_000_000) == 180_000_000  # $360 a day
    assert plan().break_even(Decimal(7)) == 52  # 51 calls cost $357 only
    assert plan().break_even(Decimal(0)) is None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"hourly": 1.5}, "as text"),
        ({"hourly": "NaN"}, "hourly"),
        ({"hourly": "-1"}, "hourly"),
        ({"models": [], "surfaces": []}, "says what it covers"),
        ({"valid_until": "2026-10-01"}, "ends before it begins"),
        ({"hours_a_day": 25}, "hours_a_day"),
        ({"price": "1"}, "price"),
    ],
)
def test_a_plan_that_cannot_be_used_is_a_sentence(fields, said):
    with pytest.raises(ConfigurationError, match=f"Plan 1 of the price overlay.*{said}"):
        plan(**fields)


def test_plans_stand_beside_prices_in_one_file(tmp_path):
    file = tmp_path / "prices.toml"
    file.write_text(
        '[[plans]]\nname = "GPUs"\nhourly = "16.24"\nvalid_from = 2026-11-01\n'
        'surfaces = ["vllm"]\n\n[[prices]]\nmodel = "M"\nmeter = "images"\nprice = "1"\n'
        'unit = "1 image"\n'
    )
    book = PriceBook.load(overlay=file)
    assert [made.name for made in book.plans] == ["GPUs"]
    assert [row.model for row in book.overlay] == ["M"]
    assert isinstance(book.plans[0], Plan)
    assert PriceBook.load().plans == ()
