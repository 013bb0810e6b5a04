"""The ledger in memory: the default, gone with the process."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from mai_sdk.errors import LedgerError
from mai_sdk.metering.ledger import (
    SETTLES_FROM,
    BudgetState,
    Recovery,
    added_up,
    charged_nanos,
    may_settle,
    no_room,
    no_such_attempt,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mai_sdk.metering.cost import Cost
    from mai_sdk.metering.ledger import Claim, Entry
    from mai_sdk.metering.receipt import AttemptState
    from mai_sdk.metering.usage import Usage

__all__ = ["MemoryLedger"]

_UNUSED: Final = BudgetState(0, 0)


class _Held(NamedTuple):
    """A claim of an attempt: reserved until it is charged."""

    budget_id: str
    period: str
    nanos: int
    charged: int | None


def _closed() -> LedgerError:
    return LedgerError("The ledger is closed: open a new one to write.", reason="closed")


class MemoryLedger:
    """A ledger that lives as long as the process.

    It grows without limit, by about 2 kB an attempt, unless `max_entries` is given: then the rows
    settled first are dropped first and counted in `dropped`. What is not settled, or settled as
    unknown, is never dropped.
    """

    durable = False

    def __init__(self, *, max_entries: int | None = None) -> None:
        self.dropped = 0
        """How many rows are gone, so that a report over the rest can be known to be partial."""
        self._max = max_entries
        self._entries: dict[str, Entry] = {}
        self._settled: deque[str] = deque()
        self._claims: dict[str, list[_Held]] = {}
        self._budgets: dict[tuple[str, str], BudgetState] = {}
        self._lock = threading.Lock()
        self._closed = False

    def reserve(self, entry: Entry, *, claims: Sequence[Claim] = ()) -> None:
        """Keep `entry`, which is the ledger's from here on. Nothing here survives the process."""
        with self._lock:
            if self._closed:
                raise _closed()
            if entry.attempt_id in self._entries:
                raise LedgerError(
                    f"Attempt {entry.attempt_id} is already in the ledger.", reason="refused"
                )
            if claims:
                self._hold(entry.attempt_id, claims)
            self._entries[entry.attempt_id] = entry
            if self._max is not None:
                self._drop(self._max)

    def sent(self, attempt_id: str) -> None:
        """Note that the service began to answer."""
        with self._lock:
            entry = self._find(attempt_id)
            if entry.state == "reserved":
                entry.state = "sent"

    def settle(
        self,
        attempt_id: str,
        *,
        state: AttemptState,
        usage: Usage,
        cost: Cost,
        settled_at: float,
        status: int | None = None,
        error: str | None = None,
        request_id: str | None = None,
        first_byte: float | None = None,
        first_content: float | None = None,
        seconds: float | None = None,
    ) -> bool:
        """Write the outcome, once."""
        before = SETTLES_FROM.get(state) or may_settle(state)
        with self._lock:
            entry = self._find(attempt_id)
            if entry.state not in before:
                return False
            entry.state, entry.usage, entry.cost = state, usage, cost
            entry.settled_at, entry.seconds = settled_at, seconds
            entry.status, entry.error, entry.request_id = status, error, request_id
            entry.first_byte, entry.first_content = first_byte, first_content
            if attempt_id in self._claims:
                self._charge(attempt_id, state, cost)
            if state != "unknown" and self._max is not None:
                self._settled.append(attempt_id)
            return True

    def entries(self, *, since: float | None = None, until: float | None = None) -> Iterator[Entry]:
        """Yield copies of the entries as they were when this was called."""
        with self._lock:
            found = [
                replace(entry)
                for entry in self._entries.values()
                if (since is None or entry.reserved_at >= since)
                and (until is None or entry.reserved_at < until)
            ]
        found.sort(key=lambda entry: (entry.reserved_at, entry.attempt_id))
        return iter(found)

    def reprice(self, attempt_id: str, cost: Cost) -> None:
        """Keep `cost` beside the one the attempt was settled with."""
        with self._lock:
            self._find(attempt_id).repriced = cost

    def budget_state(self, budget_id: str, period: str) -> BudgetState:
        """Return how much is spent and reserved by calls on this ledger."""
        return self._budgets.get((budget_id, period), _UNUSED)

    def recover(self) -> Recovery:
        """Return that there is nothing to recover: this ledger dies with its process."""
        return Recovery(attempts=0, nanos=0)

    def close(self) -> None:
        """Refuse further writes; what is there can still be read."""
        self._closed = True

    def _find(self, attempt_id: str) -> Entry:
        if self._closed:
            raise _closed()
        entry = self._entries.get(attempt_id)
        if entry is None:
            raise no_such_attempt(attempt_id)
        return entry

    def _hold(self, attempt_id: str, claims: Sequence[Claim]) -> None:
        """Reserve every claim, or raise and reserve none."""
        after: dict[tuple[str, str], BudgetState] = {}
        claims = added_up(claims)
        for claim in claims:
            place = (claim.budget_id, claim.period)
            spent, reserved = now = self._budgets.get(place, _UNUSED)
            if spent + reserved + claim.nanos > claim.limit_nanos:
                raise no_room(claim, now)
            after[place] = BudgetState(spent, reserved + claim.nanos)
        self._budgets.update(after)
        self._claims[attempt_id] = [_Held(c.budget_id, c.period, c.nanos, None) for c in claims]

    def _charge(self, attempt_id: str, state: AttemptState, cost: Cost) -> None:
        """Turn what the attempt had reserved, or was charged before, into what it cost."""
        charged: list[_Held] = []
        for held in self._claims.pop(attempt_id):
            place = (held.budget_id, held.period)
            spent, reserved = self._budgets[place]
            now = charged_nanos(state, cost, held.nanos)
            if held.charged is None:
                reserved -= held.nanos
            self._budgets[place] = BudgetState(spent + now - (held.charged or 0), reserved)
            charged.append(held._replace(charged=now))
        if state == "unknown":
            self._claims[attempt_id] = charged

    def _drop(self, limit: int) -> None:
        while len(self._entries) > limit and self._settled:
            del self._entries[self._settled.popleft()]
            self.dropped += 1
