"""Where the budgets stand: what each count in a ledger has left at a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mai_sdk.metering.budget import Budget
from mai_sdk.metering.money import Money, from_nanodollars
from mai_sdk.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mai_sdk.metering.ledger import Ledger

__all__ = ["BudgetStatus", "budget_statuses"]


class BudgetStatus(Value):
    """One budget, or one session's, model's or tag's part of it, in the period that runs."""

    budget: Budget
    whose: str
    """The session, model or value of the tag that has this limit for itself; "" for all calls."""
    period: str
    """The time it is for, in UTC: "2026-11-25", "2026-W48", "total"."""
    spent: Money
    """By calls that are settled; what nobody knows counts with all it had claimed."""
    held: Money
    """By calls that are under way, at their worst case."""

    @property
    def left(self) -> Money:
        """What the next call may cost at most; 0 where the limit is reached or passed."""
        return max(self.budget.limit - self.spent - self.held, from_nanodollars(0))


def budget_statuses(
    budgets: Iterable[Budget], *, ledger: Ledger, now: float
) -> Sequence[BudgetStatus]:
    """Return how each budget stands at `now` (seconds since the epoch), in the order given.

    A budget with a limit for each session, model or tag has a row for each of them that a call of
    the running period has used. A limit for one call has no count, so no row.

    Raises:
        LedgerError: The ledger could not be read.
    """
    return tuple(
        _status(budget, whose, ledger, now)
        for budget in budgets
        if budget.per != "call"
        for whose in _users(budget, ledger, now)
    )


def _status(budget: Budget, whose: str, ledger: Ledger, now: float) -> BudgetStatus:
    period = budget.period(now)
    state = ledger.budget_state(budget.key(whose), period)
    return BudgetStatus(
        budget=budget,
        whose=whose,
        period=period,
        spent=from_nanodollars(state.spent_nanos),
        held=from_nanodollars(state.reserved_nanos),
    )


def _users(budget: Budget, ledger: Ledger, now: float) -> Iterator[str]:
    if not isinstance(budget.scope, str):
        yield ""
        return
    period = budget.period(now)
    seen: set[str] = set()
    for entry in ledger.entries(since=budget.begins(now)):
        whose = budget.covers(entry.operation)
        if whose is None or whose in seen or budget.period(entry.operation.started_at) != period:
            continue
        seen.add(whose)
        yield whose
