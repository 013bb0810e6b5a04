"""`client.costs`: what the ledger says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mai_sdk.metering.report import build_report

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from mai_sdk.metering.ledger import Entry, Ledger
    from mai_sdk.metering.report import Report

__all__ = ["Costs"]


class Costs:
    """Reads a ledger. The same for sync and async clients: reading it waits for no service."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def report(
        self,
        *,
        by: Sequence[str] = ("model",),
        since: datetime | None = None,
        until: datetime | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Report:
        """Return what was used and spent, one row per combination of `by`.

        Args:
            by: Any of "model", "modality", "day", "deployment", "surface", "status", "tag:<name>".
            since: Only calls from here on; a time without zone is taken as UTC.
            until: Only calls before this.
            tags: Only calls that carry all of these.

        Raises:
            LedgerError: The ledger could not be read.
            InvalidRequest: `by` names something unknown.
        """
        return build_report(
            self._ledger.entries(), by=tuple(by), since=since, until=until, tags=tags
        )

    def entries(self) -> Iterator[Entry]:
        """Yield every attempt recorded, oldest first.

        Raises:
            LedgerError: The ledger could not be read.
        """
        return self._ledger.entries()
