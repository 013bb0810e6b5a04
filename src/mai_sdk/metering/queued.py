"""What ledgers that write on a thread of their own have in common: waiting, and being forked."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mai_sdk.metering.cost import Cost
    from mai_sdk.metering.ledger import Claim, Entry
    from mai_sdk.metering.receipt import AttemptState
    from mai_sdk.metering.usage import Usage
    from mai_sdk.metering.writer import Ticket

__all__ = ["QueuedWrites", "survive_forks"]


class QueuedWrites(ABC):
    """What `QueuedLedger` has, as waiting for what is put on the thread.

    Around a fork three methods are called, for every ledger given to `survive_forks`.
    """

    @abstractmethod
    def reserve_soon(self, entry: Entry, *, claims: Sequence[Claim] = ()) -> Ticket[None]:
        """See `QueuedLedger`."""

    @abstractmethod
    def sent_soon(self, attempt_id: str) -> Ticket[None]:
        """See `QueuedLedger`."""

    @abstractmethod
    def settle_soon(self, attempt_id: str, **outcome: Any) -> Ticket[bool]:
        """See `QueuedLedger`."""

    @abstractmethod
    def reprice_soon(self, attempt_id: str, cost: Cost) -> Ticket[None]:
        """See `QueuedLedger`."""

    @abstractmethod
    def before_fork(self) -> None:
        """Let nothing be under way until the process has forked."""

    @abstractmethod
    def after_fork_in_parent(self) -> None:
        """Go on."""

    @abstractmethod
    def after_fork_in_child(self) -> None:
        """Start again: the thread, and what it had to write, are the parent's."""

    def reserve(self, entry: Entry, *, claims: Sequence[Claim] = ()) -> None:
        """Write the attempt and hold its claims; committed on return."""
        self.reserve_soon(entry, claims=claims).wait()

    def sent(self, attempt_id: str) -> None:
        """Note that the service began to answer."""
        self.sent_soon(attempt_id).wait()

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
        """Write the outcome, once, and charge the claims."""
        return self.settle_soon(
            attempt_id,
            state=state,
            usage=usage,
            cost=cost,
            settled_at=settled_at,
            status=status,
            error=error,
            request_id=request_id,
            first_byte=first_byte,
            first_content=first_content,
            seconds=seconds,
        ).wait()

    def reprice(self, attempt_id: str, cost: Cost) -> None:
        """Keep `cost` beside the one the attempt was settled with."""
        self.reprice_soon(attempt_id, cost).wait()


def survive_forks(ledger: QueuedWrites) -> None:
    """Have the ledger told of forks, for as long as it is there."""
    _open_ledgers.add(ledger)


_open_ledgers: WeakSet[QueuedWrites] = WeakSet()


def _with_all(deed: Callable[[QueuedWrites], None]) -> None:
    for ledger in list(_open_ledgers):
        deed(ledger)


def _before(ledger: QueuedWrites) -> None:
    ledger.before_fork()


def _in_parent(ledger: QueuedWrites) -> None:
    ledger.after_fork_in_parent()


def _in_child(ledger: QueuedWrites) -> None:
    ledger.after_fork_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=partial(_with_all, _before),
        after_in_parent=partial(_with_all, _in_parent),
        after_in_child=partial(_with_all, _in_child),
    )
