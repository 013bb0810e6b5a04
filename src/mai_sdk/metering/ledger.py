"""Where every attempt leaves one row: written before the request goes out, settled after."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mai_sdk.metering.cost import Cost
    from mai_sdk.metering.receipt import AttemptState
    from mai_sdk.metering.usage import Usage

__all__ = ["Entry", "Ledger", "Operation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One call a user made; its attempts refer to it."""

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


class Ledger(Protocol):
    """What the engine needs of a ledger: quick, thread-safe, raising only LedgerError."""

    def reserve(self, entry: Entry) -> None:
        """Keep `entry` in state "reserved": after this returns, it survives the process."""
        ...

    def sent(self, attempt_id: str) -> None:
        """Note that the service began to answer."""
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
        """Write the outcome; True if this call settled it, False if it was settled before."""
        ...

    def entries(self, *, since: float | None = None, until: float | None = None) -> Iterator[Entry]:
        """Yield entries by time of reservation, oldest first."""
        ...

    def close(self) -> None:
        """Let go of files; a closed ledger refuses further writes."""
        ...
