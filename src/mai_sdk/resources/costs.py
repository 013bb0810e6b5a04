"""`client.costs`: what the ledger says."""

from __future__ import annotations

import time
from datetime import UTC
from typing import TYPE_CHECKING, Final

from mai_sdk.errors import InvalidRequest
from mai_sdk.metering.budget_status import budget_statuses
from mai_sdk.metering.cells import SummingLedger
from mai_sdk.metering.focus import Account
from mai_sdk.metering.focus_file import write_focus
from mai_sdk.metering.ledger import QueuedLedger
from mai_sdk.metering.prices import PriceBook
from mai_sdk.metering.report import Report, build_report
from mai_sdk.metering.repricing import NewPrice, Repricing, price_again, sum_up

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from mai_sdk.metering.budget import Budget
    from mai_sdk.metering.budget_status import BudgetStatus
    from mai_sdk.metering.focus_file import FocusFiles
    from mai_sdk.metering.ledger import Entry, Ledger

__all__ = ["Costs"]

_AT_ONCE: Final = 500
"""Attempts priced again that are written together."""


class Costs:
    """Reads a ledger. The same for sync and async clients: reading it waits for no service."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        budgets: Sequence[Budget] = (),
        prices: PriceBook | None = None,
    ) -> None:
        self._ledger = ledger
        self._budgets = budgets
        self._prices = prices

    def budgets(self) -> Sequence[BudgetStatus]:
        """Return how the client's budgets stand now: spent, held by running calls, left.

        Raises:
            LedgerError: The ledger could not be read.
        """
        return budget_statuses(self._budgets, ledger=self._ledger, now=time.time())

    def report(
        self,
        *,
        by: Sequence[str] = ("model",),
        since: datetime | None = None,
        until: datetime | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Report:
        """Return what was used and spent, one row per combination of `by`.

        What has happened up to now; a running call counts as reserved. What a plan of the price
        overlay covers is free; what the plan itself costs is in `plans`, beside the totals.

        Args:
            by: Any of "model", "modality", "meter", "day", "deployment", "surface", "session",
                "status", "tag:<name>". By session takes longer: every attempt is read.
            since: Only calls from here on; a time without zone is taken as UTC.
            until: Only calls before this.
            tags: Only calls that carry all of these.

        Raises:
            LedgerError: The ledger could not be read.
            InvalidRequest: `by` names something unknown.
        """
        start, end = _seconds(since), _seconds(until)
        ledger, plans = self._ledger, self._prices.plans if self._prices else ()
        by = (by,) if isinstance(by, str) else tuple(by)
        try:
            if isinstance(ledger, SummingLedger) and "session" not in by:
                cells = ledger.sums(since=start, until=end)
                return Report.of_cells(
                    cells, by=by, since=start, until=end, tags=tags, plans=plans, now=time.time()
                )
            entries = ledger.entries(since=start, until=end)
            return build_report(
                entries, by=by, since=start, until=end, tags=tags, plans=plans, now=time.time()
            )
        except ValueError as error:
            raise InvalidRequest(str(error)) from None

    def write_focus(
        self,
        path: str | Path,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        tags: Mapping[str, str] | None = None,
        account: str | None = None,
    ) -> FocusFiles:
        """Write FOCUS 1.2 to `path`, as CSV: a row for each meter of each attempt.

        What has no known price is in no row, and listed in a second file: bill.csv gets
        bill.unpriced.csv. The rows of a currency add up to what the ledger knows of it, to the
        billionth. They are computed from dated prices, and say so: they are not an invoice.

        Args:
            path: Each file is there whole, or what was there is as it was.
            since: Only attempts from here on; a time without zone is taken as UTC.
            until: Only attempts before this.
            tags: Only calls that carry all of these.
            account: What to write as BillingAccountId and BillingAccountName: your subscription,
                or any label.

        Raises:
            LedgerError: The ledger could not be read.
            InvalidRequest: Nothing can be written there.
            OSError: Writing failed.
        """
        wanted = (tags or {}).items()
        chosen = (
            entry
            for entry in self.entries(since=since, until=until)
            if wanted <= entry.operation.tags.items()
        )
        named = None if account is None else Account(account, account)
        return write_focus(chosen, path, account=named)

    def reprice(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        model: str | None = None,
    ) -> Repricing:
        """Price settled attempts again, each with the price of its own day; return what changed.

        For after a correction: prices are those of the client's price book as it is now, overlay
        included. What was written down first stays in the ledger (`Entry.cost`); the new figure is
        beside it (`Entry.repriced`), and is what reports and FOCUS files count from then on. What
        nobody knows the usage of stays unknown, and a figure stays where the prices have none.
        Budgets are not touched: what they have counted was decided then. Doing it again changes
        nothing more; if it is interrupted, do it again.

        Args:
            since: Only attempts from here on; a time without zone is taken as UTC.
            until: Only attempts before this.
            model: Only of this model.

        Raises:
            LedgerError: The ledger could not be read or written.
        """
        return sum_up(self._priced_again(since, until, model))

    def _priced_again(
        self, since: datetime | None, until: datetime | None, model: str | None
    ) -> Iterator[NewPrice | None]:
        prices = self._prices or PriceBook.load()
        changed: list[NewPrice] = []
        for entry in self.entries(since=since, until=until):
            named = entry.operation.model or ""
            if model is not None and named.casefold() != model.casefold():
                continue
            found = price_again(entry, prices)
            if found is not None and found.changed:
                changed.append(found)
            if len(changed) == _AT_ONCE:
                self._keep(changed)
                changed.clear()
            yield found
        self._keep(changed)

    def _keep(self, changed: Sequence[NewPrice]) -> None:
        """Have the new figures written: where the ledger can, many with one commit."""
        ledger = self._ledger
        if not isinstance(ledger, QueuedLedger):
            for each in changed:
                ledger.reprice(each.entry.attempt_id, each.cost)
            return
        tickets = [ledger.reprice_soon(each.entry.attempt_id, each.cost) for each in changed]
        for ticket in tickets:
            ticket.wait()

    def entries(
        self, *, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[Entry]:
        """Yield every attempt recorded, oldest first.

        Args:
            since: Only attempts from here on; a time without zone is taken as UTC.
            until: Only attempts before this.

        Raises:
            LedgerError: The ledger could not be read.
        """
        return self._ledger.entries(since=_seconds(since), until=_seconds(until))


def _seconds(when: datetime | None) -> float | None:
    if when is None:
        return None
    return (when if when.tzinfo is not None else when.replace(tzinfo=UTC)).timestamp()
