"""Money is added exactly, in any order, grows no surer by adding, and is never a float."""

from __future__ import annotations

import ast
import random
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import mai_sdk
from entries import BOOK, CALLS, USAGES, write
from mai_sdk.metering.cells import fold, merge
from mai_sdk.metering.cost import Cost, CostLine, Price, weakest
from mai_sdk.metering.memory import MemoryLedger
from mai_sdk.metering.money import add_money, from_nanodollars, nanodollars_of
from mai_sdk.metering.report import Report

METERING = Path(mai_sdk.__file__).parent / "metering"
MONEY = (
    "cells.py", "cost.py", "focus.py", "focus_file.py", "focus_rules.py", "grouping.py",
    "ladder.py", "money.py", "prices.py", "rates.py", "rows.py", "sqlite_cells.py", "tariff.py",
    "usage.py",
)  # fmt: skip
"""The files that reckon with money. Beside them there are moments and seconds, which are floats."""
RANK = ["free", "exact", "estimated", "lower_bound", "unknown"]


def floats_in(source: str) -> list[str]:
    """Return what makes or names a float, with its line; time is divided with //."""
    found = []
    for node in ast.walk(ast.parse(source)):
        literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
        named = isinstance(node, ast.Name) and node.id == "float"
        divided = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
        if literal or named or divided:
            found.append(f"{node.lineno}: {ast.unparse(node)}")
    return found


ALLOWED = {
    "cells.py": {"float"},  # the moments `since` and `until`
    "grouping.py": {"taken / 1000"},  # seconds
    "prices.py": {"float"},  # what is refused there
    "rates.py": {"Fraction(row.amount) / row.per"},
    "rows.py": {"float"},  # a moment
}


@pytest.mark.parametrize("name", MONEY)
def test_no_float_is_in_the_code_of_money(name):
    found = floats_in((METERING / name).read_text())
    left = [at for at in found if at.partition(": ")[2] not in ALLOWED.get(name, set())]
    assert left == []


def test_a_float_would_be_found():
    assert len(floats_in("cost = tokens * 0.5 / 3\nx: float = 1")) == 3


@pytest.mark.parametrize("name", sorted(path.name for path in METERING.glob("*.py")))
def test_no_money_is_turned_into_a_float_anywhere(name):
    for node in ast.walk(ast.parse((METERING / name).read_text())):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "float"
        ):
            pytest.fail(f"{name}:{node.lineno} makes a float: {ast.unparse(node)}")


@pytest.mark.parametrize("amount", [0.1, float("nan"), float("inf"), Decimal("NaN"),
                                    Decimal("Infinity"), Decimal("-1"), "1", 1])  # fmt: skip
def test_what_is_no_exact_amount_is_refused_everywhere(amount):
    with pytest.raises(ValidationError):
        Cost(amount=amount, status="exact")
    with pytest.raises(ValidationError):
        CostLine(meter="input_tokens", quantity=1, amount=amount, price=None)
    with pytest.raises(ValidationError):
        Price(model="M", meter="m", amount=amount, per=1, valid_from="", source="", checked="")


DAY = date(2026, 11, 22)
COSTS = st.lists(
    st.builds(
        lambda usage, model: BOOK.price(model, usage, surface="foundry", on=DAY),
        USAGES,
        st.sampled_from(["MAI-Thinking-1", "MAI-Code-1-Flash", "nobody's"]),
    ),
    max_size=6,
)


@given(COSTS, COSTS, COSTS)
def test_sums_of_costs_do_not_depend_on_how_they_are_grouped(one, two, three):
    whole = Cost.sum([*one, *two, *three])
    left = Cost.sum([Cost.sum([*one, *two]), *three])
    right = Cost.sum([*one, Cost.sum([*two, *three])])
    for other in left, right, Cost.sum([*three, *one, *two]):
        assert (other.amount, other.at_least, other.status) == (
            whole.amount,
            whole.at_least,
            whole.status,
        )


@given(COSTS, COSTS)
def test_adding_never_makes_a_cost_surer_or_less(one, more):
    before, after = Cost.sum(one), Cost.sum([*one, *more])
    assert RANK.index(after.status) >= RANK.index(before.status)
    assert after.at_least >= before.at_least
    assert after.status == weakest(cost.status for cost in [*one, *more])
    assert (after.amount is None) == (after.status == "unknown")


@given(st.lists(st.integers(0, 10**20)))
def test_nano_dollars_and_amounts_are_the_same_money(nanos):
    assert [nanodollars_of(from_nanodollars(each)) for each in nanos] == nanos
    assert nanodollars_of(add_money(map(from_nanodollars, nanos))) == sum(nanos)


@settings(max_examples=30)
@given(st.lists(CALLS, max_size=6), st.integers())
def test_a_report_does_not_depend_on_who_added_up_what_in_which_order(calls, seed):
    ledger = MemoryLedger()
    write(ledger, calls)
    entries = list(ledger.entries())
    whole = Report.of_cells(fold(entries), by=["model", "meter"])
    rng = random.Random(seed)  # noqa: S311
    rng.shuffle(entries)
    cut = rng.randint(0, len(entries))
    parts = [*fold(entries[cut:]), *fold(entries[:cut])]
    assert Report.of_cells(parts, by=["model", "meter"]) == whole
    assert Report.of_cells(merge(parts), by=["model", "meter"]) == whole
    for total in whole.totals:
        mine = [row for row in whole.rows if row.cost.currency == total.cost.currency]
        assert add_money(row.cost.at_least for row in mine) == total.cost.at_least
        assert all(RANK.index(r.cost.status) <= RANK.index(total.cost.status) for r in mine)
