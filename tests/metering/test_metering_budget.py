"""What a budget covers, when it begins anew, and what a call must be granted."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mai_sdk import Budget
from mai_sdk.errors import BudgetExceeded, ConfigurationError
from mai_sdk.metering.budget import demands_of, read_budgets, refused, warning
from mai_sdk.metering.budget_status import budget_statuses
from mai_sdk.metering.cost import Cost
from mai_sdk.metering.ledger import BudgetState, Entry, Operation
from mai_sdk.metering.memory import MemoryLedger
from mai_sdk.metering.money import nanodollars_of
from mai_sdk.metering.usage import Usage

NOW = datetime(2026, 11, 25, 14, 3, 7, tzinfo=UTC).timestamp()


def operation(**changes: Any) -> Operation:
    known = {
        "call_id": "c",
        "modality": "reasoning",
        "verb": "create",
        "model": "M",
        "deployment": None,
        "surface": "foundry",
        "started_at": NOW,
        "tags": {"team": "search", "env": "prod"},
        "session": None,
    }
    return Operation(**(known | changes))


def money(amount: str, *, currency: str = "USD") -> Cost:
    return Cost(amount=Decimal(amount), status="estimated", reason="A bound.", currency=currency)


@pytest.mark.parametrize("limit", [5.0, True, "five", "-1", "NaN", "Infinity", None])
def test_a_limit_that_is_no_exact_amount_is_refused(limit: Any) -> None:
    with pytest.raises(ValidationError):
        Budget(limit=limit)


@pytest.mark.parametrize("limit", ["5.00", 5, Decimal(5)])
def test_a_limit_is_text_a_whole_number_or_a_decimal(limit: Any) -> None:
    assert Budget(limit=limit).limit == 5


@pytest.mark.parametrize("scope", ["tag:", "team", "", 3])
def test_a_scope_that_covers_nothing_known_is_refused(scope: Any) -> None:
    with pytest.raises(ValidationError):
        Budget(limit=5, scope=scope)


def test_a_limit_for_one_call_cannot_only_warn() -> None:
    with pytest.raises(ValidationError):
        Budget(limit=5, per="call", on_limit="warn")


@pytest.mark.parametrize(
    ("scope", "changes", "whose"),
    [
        (None, {}, ""),
        ({"team": "search"}, {}, ""),
        ({"team": "search", "env": "test"}, {}, None),
        ("model", {}, "M"),
        ("model", {"model": None}, None),
        ("session", {}, None),
        ("session", {"session": "s-1"}, "s-1"),
        ("tag:team", {}, "search"),
        ("tag:user", {}, None),
    ],
)
def test_a_scope_says_whose_limit_a_call_falls_under(
    scope: Any, changes: dict[str, Any], whose: str | None
) -> None:
    assert Budget(limit=5, scope=scope).covers(operation(**changes)) == whose


@pytest.mark.parametrize(
    ("per", "period", "begins"),
    [
        ("hour", "2026-11-25T14", datetime(2026, 11, 25, 14, tzinfo=UTC)),
        ("day", "2026-11-25", datetime(2026, 11, 25, tzinfo=UTC)),
        ("week", "2026-W48", datetime(2026, 11, 23, tzinfo=UTC)),
        ("month", "2026-11", datetime(2026, 11, 1, tzinfo=UTC)),
        ("year", "2026", datetime(2026, 1, 1, tzinfo=UTC)),
        ("total", "total", None),
    ],
)
def test_periods_go_by_the_calendar_in_utc(per: Any, period: str, begins: datetime | None) -> None:
    budget = Budget(limit=5, per=per)
    assert budget.period(NOW) == period
    assert budget.begins(NOW) == (None if begins is None else begins.timestamp())


@given(
    st.sampled_from(["hour", "day", "week", "month", "year"]),
    st.integers(10**8, 7 * 10**9),
)
def test_a_period_begins_at_its_first_moment(per: Any, when: int) -> None:
    budget = Budget(limit=5, per=per)
    begins = budget.begins(when)
    assert begins is not None
    assert budget.period(begins) == budget.period(when) != budget.period(begins - 1)


def test_a_count_is_the_same_whatever_its_limit_and_another_for_anything_else() -> None:
    base = Budget(limit=5, per="day", scope={"a": "1", "b": "2"})
    assert base.key("") == Budget(limit=9, per="day", scope={"b": "2", "a": "1"}).key("")
    others = [
        Budget(limit=5, per="month", scope={"a": "1", "b": "2"}).key(""),
        Budget(limit=5, per="day").key(""),
        Budget(limit=5, per="day", currency="EUR").key(""),
        Budget(limit=5, per="day", scope="model").key("a"),
        Budget(limit=5, per="day", scope="model").key("b"),
        Budget(limit=5, per="day", scope="session").key("a"),
        base.key(""),
    ]
    assert len(set(others)) == len(others)


def test_every_budget_that_covers_a_call_is_asked_for_all_it_may_cost() -> None:
    budgets = [Budget(limit=5), Budget(limit=2, per="day"), Budget(limit=1, scope="session")]
    demands = demands_of(budgets, operation=operation(), bound=money("0.25"), when=NOW)
    assert [d.claim.limit_nanos for d in demands] == [5 * 10**9, 2 * 10**9]
    assert {d.claim.nanos for d in demands} == {250_000_000}


def test_budgets_that_share_a_count_claim_once_and_both_limits_hold() -> None:
    budgets = [Budget(limit=4, per="day", on_limit="warn"), Budget(limit=5, per="day")]
    for order in (budgets, budgets[::-1]):
        (demand,) = demands_of(order, operation=operation(), bound=money("0.25"), when=NOW)
        assert (demand.claim.limit_nanos, demand.claim.nanos) == (5 * 10**9, 250_000_000)
        assert demand.warn_nanos == 4 * 10**9


def test_a_call_dearer_than_one_call_may_be_is_refused_at_once() -> None:
    budget = Budget(limit="0.10", per="call")
    assert not demands_of([budget], operation=operation(), bound=money("0.10"), when=NOW)
    with pytest.raises(BudgetExceeded, match=r"up to \$0\.100000001.*\$0\.10 per call"):
        demands_of([budget], operation=operation(), bound=money("0.100000001"), when=NOW)


@pytest.mark.parametrize(
    "bound", [Cost.unknown("No price is known for it."), money("1", currency="EUR")]
)
def test_what_nobody_can_bound_is_refused_unless_allowed(bound: Cost) -> None:
    with pytest.raises(BudgetExceeded, match="on_unknown"):
        demands_of([Budget(limit=5)], operation=operation(), bound=bound, when=NOW)
    allowed = Budget(limit=5, on_unknown="allow")
    demands = demands_of([allowed], operation=operation(), bound=bound, when=NOW)
    assert [d.claim.nanos for d in demands] == ([0] if bound.amount is None else [])
    only_warns = Budget(limit=5, on_limit="warn")
    demands_of([only_warns], operation=operation(), bound=bound, when=NOW)


def test_a_refusal_says_what_would_have_been_spent_and_what_is_left() -> None:
    budget = Budget(limit="5.00", per="day", scope="model")
    (demand,) = demands_of([budget], operation=operation(), bound=money("0.40"), when=NOW)
    error = refused(demand, BudgetState(4_500_000_000, 200_000_000))
    for part in ("$0.40", "$5.00 per day for model M", "2026-11-25", "$4.50", "$0.20"):
        assert part in error.message
    assert error.claim == demand.claim


def test_a_limit_that_warns_is_told_of_once_it_is_passed() -> None:
    budget = Budget(limit="5.00", on_limit="warn")
    (demand,) = demands_of([budget], operation=operation(), bound=money("0.40"), when=NOW)
    assert warning(demand, BudgetState(4_600_000_000, 400_000_000)) is None
    text = warning(demand, BudgetState(4_600_000_000, 400_000_001))
    assert text is not None
    assert "$5.000000001" in text


@pytest.mark.parametrize(
    ("given", "count"),
    [
        (None, 0),
        (Budget(limit=5), 1),
        ({"limit": "5", "per": "day"}, 1),
        ([{"limit": "5"}, Budget(limit=1)], 2),
    ],
)
def test_a_setting_is_one_budget_or_several(given: Any, count: int) -> None:
    assert len(read_budgets(given)) == count


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ("5.00", "Budget"),
        (5, "int"),
        ({"limit": 5.0}, "limit"),
        ({"limit": "5", "per": "fortnight"}, "per"),
        ([Budget(limit=1), {"limit": "5", "color": "red"}], "number 2"),
    ],
)
def test_a_setting_that_is_no_budget_is_refused_with_its_place(given: Any, named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        read_budgets(given)


def test_the_state_of_budgets_has_a_row_for_each_that_has_a_limit_for_itself() -> None:
    ledger = MemoryLedger()
    budgets = [Budget(limit=5), Budget(limit=2, per="day", scope="model")]
    for number, (model, when) in enumerate([("A", NOW), ("B", NOW), ("C", NOW - 86_400)]):
        one = operation(call_id=str(number), model=model, started_at=when)
        demands = demands_of(budgets, operation=one, bound=money("0.25"), when=when)
        entry = Entry(
            attempt_id=str(number),
            number=1,
            operation=one,
            state="reserved",
            reserved_at=when,
            upper_bound=None,
        )
        ledger.reserve(entry, claims=[d.claim for d in demands])
    rows = budget_statuses(budgets, ledger=ledger, now=NOW)
    assert [(row.whose, row.held, row.left) for row in rows] == [
        ("", Decimal("0.75"), Decimal("4.25")),
        ("A", Decimal("0.25"), Decimal("1.75")),
        ("B", Decimal("0.25"), Decimal("1.75")),
    ]


@given(st.lists(st.tuples(st.integers(0, 100), st.booleans()), max_size=30))
def test_what_is_granted_never_comes_to_more_than_the_limit(
    calls: list[tuple[int, bool]],
) -> None:
    ledger, budget, granted = MemoryLedger(), Budget(limit=100), 0
    for number, (dollars, settled) in enumerate(calls):
        one = operation(call_id=str(number))
        bound = money(str(dollars))
        (demand,) = demands_of([budget], operation=one, bound=bound, when=NOW)
        entry = Entry(
            attempt_id=str(number),
            number=1,
            operation=one,
            state="reserved",
            reserved_at=NOW,
            upper_bound=bound,
        )
        fits = granted + dollars <= 100
        try:
            ledger.reserve(entry, claims=[demand.claim])
        except BudgetExceeded:
            assert not fits
            continue
        assert fits
        granted += dollars
        if settled:
            less = Cost(amount=Decimal(dollars // 2), status="exact")
            ledger.settle(
                str(number), state="settled_exact", usage=Usage(), cost=less, settled_at=NOW
            )
            granted -= dollars - dollars // 2
    state = ledger.budget_state(budget.key(""), budget.period(NOW))
    assert state.spent_nanos + state.reserved_nanos == nanodollars_of(Decimal(granted))
