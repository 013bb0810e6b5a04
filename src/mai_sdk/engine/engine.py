"""What all calls of one client share."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mai_sdk.engine.allowance import Allowance
from mai_sdk.engine.retry import RetryPolicy, RetryQuota
from mai_sdk.metering.ledger import QueuedLedger

if TYPE_CHECKING:
    from collections.abc import Callable

    from mai_sdk.engine.watching import Watcher
    from mai_sdk.metering.budget import Budget
    from mai_sdk.metering.ledger import Ledger
    from mai_sdk.metering.prices import PriceBook

__all__ = ["Engine"]


@dataclass(slots=True, kw_only=True)
class Engine:
    """What all calls of one client share."""

    ledger: Ledger
    prices: PriceBook
    budgets: tuple[Budget, ...] = ()
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    quota: RetryQuota = field(default_factory=RetryQuota)
    clock: Callable[[], float] = time.monotonic
    """For waits and limits; never moved by the wall clock."""
    wall_clock: Callable[[], float] = time.time
    """For dates: prices, ledger rows."""
    allowance: Allowance = field(init=False, repr=False)
    watchers: tuple[Watcher, ...] = ()
    """Who is told what becomes of every call."""
    queue: QueuedLedger | None = field(init=False, repr=False)
    """The ledger, if it writes on a thread of its own."""

    def __post_init__(self) -> None:
        self.queue = self.ledger if isinstance(self.ledger, QueuedLedger) else None
        self.allowance = Allowance(self.budgets, ledger=self.ledger)
