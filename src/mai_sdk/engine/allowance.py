"""The budgets of one client, at work: what a call must be granted, and what is told of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from mai_sdk.errors import LedgerError
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
        self._counts = tuple(
            each.model_copy(update={"on_limit": "warn"}) for each in budgets if each.per != "call"
        )
        self._ledger = ledger
        self._warned: set[tuple[str, str]] = set()

    def demands(
        self, operation: Operation, bound: Cost | None, *, after: bool = False
    ) -> Sequence[Demand]:
        """Return what the budgets that cover the call must grant it.

        What is written down `after` it was done is counted, and can be refused no more.

        Raises:
            BudgetExceeded: It is more than one call may cost, or nobody knows how much it is.
        """
        if bound is None or not self.budgets:
            return ()
        asked = self._counts if after else self.budgets
        return demands_of(asked, operation=operation, bound=bound, when=operation.started_at)

    def refused(self, error: BudgetExceeded, demands: Sequence[Demand]) -> BudgetExceeded:
        """Say a ledger's refusal in the words of the budget that has no room."""
        asked = next((each for each in demands if each.claim == error.claim), None)
        return error if asked is None else refused(asked, error.state)

    def may_warn(self, demands: Sequence[Demand]) -> bool:
        """Return whether there is something for `granted` to look up in the ledger."""
        return any(
            demand.warn_nanos is not None and demand.claim[:2] not in self._warned
            for demand in demands
        )

    def granted(self, demands: Sequence[Demand]) -> None:
        """Warn, once for each period, where a limit is passed that only warns.

        Reads the ledger; one that cannot be read takes nothing from a call that is granted.
        """
        for demand in demands:
            place = demand.claim[:2]
            if demand.warn_nanos is None or place in self._warned:
                continue
            try:
                text = warning(demand, self._ledger.budget_state(*place))
            except LedgerError as error:
                _log.warning("Whether a budget is passed could not be read: %s", error)
                return
            if text is not None:
                self._warned.add(place)
                _log.warning("%s", text)
