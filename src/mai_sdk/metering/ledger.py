"""Where every attempt leaves one row: written before the request goes out, settled after.

This file has the protocol, the rule of which state may follow which, and the ledger in memory.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from mai_sdk.errors import ConfigurationError, LedgerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mai_sdk.metering.cost import Cost
    from mai_sdk.metering.receipt import AttemptState
    from mai_sdk.metering.usage import Usage

__all__ = ["Entry", "Ledger", "MemoryLedger", "Operation", "may_settle", "open_ledger"]


@dataclass(slots=True, kw_only=True)
class Operation:
    """One call a user made; its attempts refer to it, so nobody changes it.

    It is not frozen only because that would double what making one takes.
    """

    call_id: str
    """UUIDv7, ours."""
    modality: str
    verb: str
    """The method that was called: "create", "stream", "session"..."""
    model: str | None
    deployment: str | None
    surface: str
    started_at: float
    """Seconds since the epoch, UTC."""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(slots=True, kw_only=True)
class Entry:
    """One attempt as the ledger keeps it."""

    attempt_id: str
    number: int
    operation: Operation
    state: AttemptState
    reserved_at: float
    """Seconds since the epoch, UTC."""
    upper_bound: Cost | None
    """The worst case, reckoned before sending; None where no price is known."""
    settled_at: float | None = None
    usage: Usage | None = None
    cost: Cost | None = None
    status: int | None = None
    error: str | None = None
    request_id: str | None = None
    first_byte: float | None = None
    first_content: float | None = None
    seconds: float | None = None


@runtime_checkable
class Ledger(Protocol):
    """What the engine needs of a ledger: quick, thread-safe, raising only LedgerError."""

    @property
    def durable(self) -> bool:
        """Whether rows outlive the process, so that reservations must carry their upper bound."""
        ...

    def reserve(self, entry: Entry) -> None:
        """Keep `entry` in state "reserved": after this returns, it survives the process.

        The entry is the ledger's from here on: whoever made it does not change it.
        """
        ...

    def sent(self, attempt_id: str) -> None:
        """Note that the service began to answer; without effect on a settled attempt."""
        ...

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
        """Write the outcome; True if this call settled it, False if it was settled before.

        An attempt settled as "unknown" may be settled once more, when its outcome is found out.
        """
        ...

    def entries(self, *, since: float | None = None, until: float | None = None) -> Iterator[Entry]:
        """Yield entries by time of reservation, oldest first.

        From `since`, itself included, to before `until`.
        """
        ...

    def close(self) -> None:
        """Let go of files; a closed ledger refuses further writes."""
        ...


SETTLES_FROM: Final[dict[AttemptState, frozenset[AttemptState]]] = {
    "settled_exact": frozenset({"reserved", "sent", "unknown"}),
    "settled_estimated": frozenset({"reserved", "sent", "unknown"}),
    "released": frozenset({"reserved", "sent", "unknown"}),
    "unknown": frozenset({"reserved", "sent"}),
}
"""For each state an attempt can be settled in, the states it can be settled from."""


def may_settle(state: AttemptState) -> frozenset[AttemptState]:
    """Return the states from which an attempt can be settled as `state`.

    Raises:
        LedgerError: No attempt is settled as "reserved" or "sent".
    """
    try:
        return SETTLES_FROM[state]
    except KeyError:
        raise LedgerError(
            f'An attempt cannot be settled as "{state}": use {", ".join(SETTLES_FROM)}.'
        ) from None


def no_such_attempt(attempt_id: str) -> LedgerError:
    """Return the error for an attempt that was never reserved here."""
    return LedgerError(
        f"The ledger has no attempt {attempt_id}: it was reserved in another ledger, or its row "
        f"was dropped."
    )


def _closed() -> LedgerError:
    return LedgerError("The ledger is closed: open a new one to write.")


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
        self._lock = threading.Lock()
        self._closed = False

    def reserve(self, entry: Entry) -> None:
        """Keep `entry`, which is the ledger's from here on. Nothing here survives the process."""
        with self._lock:
            if self._closed:
                raise _closed()
            if entry.attempt_id in self._entries:
                raise LedgerError(f"Attempt {entry.attempt_id} is already in the ledger.")
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

    def _drop(self, limit: int) -> None:
        while len(self._entries) > limit and self._settled:
            del self._entries[self._settled.popleft()]
            self.dropped += 1


def open_ledger(ledger: str | Path | Ledger | None = None) -> Ledger:
    """Return the ledger meant: None is a new one in memory, a path or sqlite:/// URL a file.

    A ledger object is returned as it is. Whoever opened a ledger closes it.

    Raises:
        ConfigurationError: The URL is of a kind that cannot be used.
        LedgerError: The file cannot be opened, or is not a ledger this version can read.
    """
    if ledger is None:
        return MemoryLedger()
    if isinstance(ledger, Ledger):
        return ledger
    from mai_sdk.metering.sqlite import SQLiteLedger  # sqlite3 takes time to import

    return SQLiteLedger(Path(_path_of(os.fspath(ledger))).expanduser())


def _path_of(place: str) -> str:
    scheme, colon, rest = place.partition("://")
    if not colon:
        return place
    if scheme in {"postgres", "postgresql"}:
        raise ConfigurationError(
            "A ledger in Postgres comes with the [postgres] extra in a later release: until then "
            "give a file path, or sqlite:///path."
        )
    if scheme != "sqlite" or not rest.startswith("/") or rest == "/":
        raise ConfigurationError(
            f"A ledger cannot be opened from a {scheme}:// address of this form: give a file path, "
            f"sqlite:///relative.db, or sqlite:////absolute.db."
        )
    return rest[1:]
