"""Several requests of one call, each on a tab of its own; and what budgets count of one."""

import pytest

from mai_sdk.config import Route
from mai_sdk.engine.engine import Engine
from mai_sdk.engine.tab import Tab
from mai_sdk.errors import BudgetExceeded
from mai_sdk.metering.budget import Budget
from mai_sdk.metering.memory import MemoryLedger
from mai_sdk.metering.prices import PriceBook
from mai_sdk.metering.usage import Usage


def opened(*budgets):
    engine = Engine(
        ledger=MemoryLedger(), prices=PriceBook.load(), budgets=budgets, clock=lambda: 100.0
    )
    route = Route(surface="foundry", endpoint="https://x.example", model="MAI-Image-2.5")
    return Tab(engine, route=route, modality="image", verb="generate", tags={}, total_seconds=9.0)


def test_a_tab_beside_another_shares_its_call_and_nothing_that_is_open():
    one = opened()
    one.reserve(Usage.zero)
    one.answered("r1")
    one.unknown_so_far = 1
    other = one.beside()
    assert (other.call_id, other.deadline) == (one.call_id, one.deadline)
    assert (other.request_id, other.first_byte, other.unknown_so_far) == (None, None, 0)
    other.settle(None, error="not its own")
    assert one.receipt().attempts == ()


def test_attempts_are_numbered_as_they_go_out_and_stand_on_one_receipt():
    one = opened()
    other = one.beside()
    one.reserve(Usage.zero)
    other.reserve(Usage.zero)
    other.settle(Usage(input_tokens=1, output_tokens=2), status=200)
    one.settle(None, released=True, status=429)
    one.reserve(Usage.zero)
    one.settle(Usage(input_tokens=3, output_tokens=4), status=200)
    assert one.receipt() == other.receipt()
    assert [(a.number, a.state) for a in one.receipt().attempts] == [
        (1, "released"),
        (2, "settled_exact"),
        (3, "settled_exact"),
    ]
    assert one.receipt().usage.output_tokens == 6
    ids = [entry.attempt_id for entry in one.engine.ledger.entries()]
    assert ids == [f"{one.call_id}-{number}" for number in (1, 2, 3)]


def test_what_is_written_down_after_it_was_done_is_spent_though_nobody_can_refuse_it():
    budget = Budget(limit="0.000000001")
    tab = opened(budget)
    used = Usage(text_input_tokens=9, input_tokens=9, output_tokens=9, image_output_tokens=9)
    with pytest.raises(BudgetExceeded):
        tab.reserve(lambda: used)
    tab.reserve(lambda: Usage(basis="unknown"), after=True)
    tab.settle(used)
    state = tab.engine.ledger.budget_state(budget.key(""), "total")
    (attempt,) = tab.receipt().attempts
    assert (state.spent_nanos, state.reserved_nanos) == (attempt.cost.nanodollars, 0)
    assert state.spent_nanos > 0
