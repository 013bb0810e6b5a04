"""The budgets of one client, at work: what a call must be granted, and what is told of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from mai_sdk.metering.budget import demands_of, refused, warning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mai_sdk.errors import BudgetExceeded
    from mai_sdk.metering.budget import Budget, Demand
    from mai_sdk.metering.cost import Cost
    from mai_sdk.metering.ledger import Ledger, Operation

__all__ = ["Allowance"]

_log = logging.getLogger("mai_sdk")


class Allowance:
    """See the module; what is counted is in the ledger."""

    def __init__(self, budgets: Sequence[Budget], *, ledger: Ledger) -> None:
        self.budgets = tuple(budgets)
        self._ledger = ledger
        self._warned: set[tuple[str, str]] = set()

    def demands(self, operation: Operation, bound: Cost | None) -> Sequence[Demand]:
        """Return what the budgets that cover the call must grant it.

        Raises:
            BudgetExceeded: It is more than one call may cost, or nobody knows how much it is.
        """
        if bound is None or not self.budgets:
            return ()
        return demands_of(self.budgets, operation=operation, bound=bound, when=operation.started_at)

    def refused(self, error: BudgetExceeded, demands: Sequence[Demand]) -> BudgetExceeded:
        """Say a ledger's refusal in the words of the budget that has no room."""
        asked = next((each for each in demands if each.claim == error.claim), None)
        return error if asked is None else refused(asked, error.state)

    def granted(self, demands: Sequence[Demand]) -> None:
        """Warn, once for each period, where a limit is passed that only warns."""
        for demand in demands:
            place = (demand.claim.budget_id, demand.claim.period)
            if demand.warn_nanos is None or place in self._warned:
                continue
            text = warning(demand, self._ledger.budget_state(*place))
            if text is not None:
                self._warned.add(place)
                _log.warning("%s", text)
